"""Every rule finds what breaks it, lets pass what keeps it, and says what it cannot tell."""

from dataclasses import replace

import pytest
from policy.policy_examples import EXAMPLES, OUTPUTS

from langgraph_policy import RULES, Finding, Hidden, Level, Resource, Rule, Stack
from langgraph_policy.check import findings_of

BY_TYPE = {"iam-no-users"}
"""Rules that forbid a type, whatever its values."""
BY_NAME = {rule.name: rule for rule in RULES}


def found(rule: Rule, resources: list[Resource], outputs=None) -> list[Finding]:
    return list(findings_of(rule, Stack(tuple(resources), "prod", outputs or {})))


def test_every_rule_has_an_example_that_keeps_it_and_one_that_breaks_it():
    assert EXAMPLES.keys() == BY_NAME.keys()


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_rule_lets_pass_what_keeps_it(name):
    good, _ = OUTPUTS.get(name, ({}, {}))
    assert found(BY_NAME[name], EXAMPLES[name][0], good) == []


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_rule_finds_what_breaks_it_and_says_what_to_do(name):
    _, bad = OUTPUTS.get(name, ({}, {}))
    findings = found(BY_NAME[name], EXAMPLES[name][1], bad)
    assert findings
    for finding in findings:
        assert (finding.rule, finding.level, finding.undecided) == (name, Level.MANDATORY, False)
        assert finding.fix == BY_NAME[name].fix
        assert "\n" not in str(finding)


@pytest.mark.parametrize(
    "name", sorted(rule.name for rule in RULES if rule.types and rule.name not in BY_TYPE)
)
def test_a_rule_that_cannot_see_a_value_neither_passes_nor_refuses_it_silently(name):
    """What makes the good example bad is hidden instead."""
    (good,), (bad,) = EXAMPLES[name]
    differ = [key for key in {**good.inputs, **bad.inputs} if good.inputs.get(key) != bad.inputs.get(key)]
    hidden = replace(good, inputs={**good.inputs, **dict.fromkeys(differ, Hidden.UNKNOWN)})
    told = {(finding.level, finding.undecided) for finding in found(BY_NAME[name], [hidden])}
    assert told == (set() if name in SET_IS_ENOUGH else {(Level.ADVISORY, True)})


SET_IS_ENOUGH = {
    "cache-login",
    "cache-own-key",
    "cache-private",
    "database-own-key",
    "database-parameters",
    "logs-own-key",
    "secret-own-key",
    "state-protected",
}
"""Rules that ask whether there is a value: one of a resource that is yet to be made is one."""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_tells_what_why_and_how_in_sentences(rule):
    for text in (rule.what, rule.why, rule.fix):
        assert text.endswith(".")
        assert len(text) > 15
    assert rule.name == rule.name.lower()
    assert "in prod" in rule.what.lower() or not rule.strict_only


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.strict_only], ids=lambda rule: rule.name)
def test_what_is_thrown_away_is_spared_the_rules_of_prod(rule):
    resources = tuple(EXAMPLES[rule.name][1])
    assert list(findings_of(rule, Stack(resources, "dev"))) == []
    assert list(findings_of(rule, Stack(resources, "staging"))) != []
