"""Whoever is told of an alert finds a page, at the right place, that says what to do."""

import re
from pathlib import Path

import pytest

from langgraph_components.pure import alerts

HOWTO = Path(__file__).resolve().parents[2] / "docs" / "howto"
EVERYWHERE = [*alerts.alert_groups(), *alerts.rule_file()["groups"]]
RULES = {rule["alert"]: rule for group in EVERYWHERE for rule in group["rules"] if "alert" in rule}
PAGES = sorted({rule["annotations"]["runbook_url"].partition("#")[0] for rule in RULES.values()})


def anchor(heading):
    """As GitHub makes it of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def section(page, wanted):
    """The text below the heading of that anchor; of the page's beginning where none is wanted."""
    parts = re.split(r"^(#+ .+)$", (HOWTO / page).read_text(), flags=re.MULTILINE)
    headings = {anchor(head.lstrip("# ")): text for head, text in zip(parts[1::2], parts[2::2], strict=True)}
    return headings[wanted] if wanted else "".join(parts[:7])


@pytest.mark.parametrize("name", RULES)
def test_its_page_names_it_where_it_leads_to(name):
    folder, _, place = RULES[name]["annotations"]["runbook_url"].rpartition("/")
    page, _, wanted = place.partition("#")
    assert folder == "docs/howto"
    assert f"`{name}`" in section(page, wanted)


@pytest.mark.parametrize("name", RULES)
def test_the_list_of_alerts_has_it_with_its_severity(name):
    place = RULES[name]["annotations"]["runbook_url"].removeprefix("docs/howto/")
    severity = RULES[name]["labels"]["severity"]
    rows = [row for row in (HOWTO / "alerts.md").read_text().splitlines() if f"| `{name}` |" in row]
    assert len(rows) == 1
    assert f"| {severity} |" in rows[0]
    assert f"]({place}) |" in rows[0]


def test_no_page_speaks_of_an_alert_that_is_not_there():
    pages = [*HOWTO.glob("*.md"), HOWTO.parent / "promises.md", HOWTO.parent / "contract.md"]
    named = {name for page in pages for name in re.findall(r"`(LangGraph\w+)`", page.read_text())}
    assert named - {"LangGraphClient", "LangGraphTest"} <= set(RULES)


@pytest.mark.parametrize("page", [page.rpartition("/")[2] for page in PAGES])
def test_a_page_says_what_is_seen_why_and_what_to_do(page):
    headings = re.findall(r"^## (.+)$", (HOWTO / page).read_text(), re.MULTILINE)
    assert headings[0] == "Symptom"
    assert any(heading.startswith(("Why", "Look first")) for heading in headings)
    assert any(heading.startswith("How to know") for heading in headings)
    assert f"]({page})" in (HOWTO / "README.md").read_text()
