"""The pages: their figures are what the command says today, and their commands are commands."""

import re
import shlex
import sys

import pytest
import typer
from infra.infra_stacks import planned
from support.plans import ROOT

from lgp.main import build

sys.path.insert(0, str(ROOT / "tools"))
import costs

costs.planned = planned

PAGES = ("docs/costs.md", "docs/choosing.md", "docs/howto/move-in.md")


@pytest.mark.parametrize("page", costs.PAGES)
def test_the_figures_of_a_page_are_what_the_command_says(page):
    """`make reference` writes them anew: after a change of a stack, of a price or of an assumption."""
    assert costs.written(ROOT / page) == (ROOT / page).read_text(), "make reference"


@pytest.mark.parametrize("page", costs.PAGES)
def test_every_mark_of_a_page_is_a_block(page):
    text = (ROOT / page).read_text()
    assert len(costs.BLOCK.findall(text)) == text.count("<!-- cost:") == text.count("<!-- /cost -->") > 0


def commands() -> list[str]:
    found = [
        line.partition("#")[0].strip()
        for page in PAGES
        for line in (ROOT / page).read_text().splitlines()
        if line.startswith("lgp cost ")
    ]
    return sorted(set(found))


@pytest.mark.parametrize("line", commands())
def test_a_command_of_a_page_is_one_that_the_program_takes(line):
    group = typer.main.get_command(build(["cost"]))
    _, verb, *arguments = shlex.split(line.replace(" N ", " 1000 "))
    group.commands[verb].make_context(verb, arguments)


def test_the_tables_of_the_page_hold_every_price_and_assumption():
    text = (ROOT / "docs" / "costs.md").read_text()
    for key in (*costs.shipped_prices().prices, *costs.shipped_assumptions()):
        assert f"| `{key}` |" in text


def test_the_matrix_has_a_row_for_each_question_and_an_answer_in_each_column():
    text = (ROOT / "docs" / "choosing.md").read_text()
    matrix = text.partition("## The matrix")[2].partition("\n## ")[0]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in matrix.splitlines() if line.startswith("| ")]
    named = [row[0].strip() for row in rows]
    assert named == [
        "", "set-up", "cost", "scaling", "data residency", "SOC 2, HIPAA", "customisation",
        "operational load", "best for",
    ]  # fmt: skip
    assert all(len(row) == 4 and all(cell.strip() for cell in row[1:]) for row in rows)
