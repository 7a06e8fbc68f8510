"""The page of the rules is that of the rules."""

from pathlib import Path

import pytest

from langgraph_policy import RULES
from langgraph_policy.catalogue import placed

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "policy.md"


def test_the_page_has_the_rules_as_they_are():
    text = PAGE.read_text()
    assert placed(text) == text


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_page_says_of_every_rule_what_why_and_what_to_do(rule):
    (row,) = (line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{rule.name}` |"))
    assert row.count(" | ") == 3
