"""A rule bears whatever a program may declare: it finds, passes or is undecided, and never fails."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from policy.policy_examples import EXAMPLES

from langgraph_policy import RULES, Hidden, Rule, Stack
from langgraph_policy.check import findings_of

LEAVES = st.sampled_from(
    [None, "", "x", "true", "*", "{", "[]", "0.0.0.0/0", 0, 1, 2.5, True, False, *Hidden, [], {}, ["x"], [{}]]
)
ODD = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("x"), inner), max_leaves=3
)


def paths(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a value, the leaves and what holds them."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [above] if above else []
    for key, item in items:
        found += paths(item, (*above, key))
    return found


@st.composite
def spoiled(draw: st.DrawFn, rule: Rule) -> Stack:
    """One of the rule's examples with something odd in one place."""
    resources = list(draw(st.sampled_from(EXAMPLES[rule.name])))
    if not resources:
        return Stack((), "prod", {"odd": draw(ODD)})
    n = draw(st.integers(0, len(resources) - 1))
    inputs: Any = deepcopy(dict(resources[n].inputs))
    if places := paths(inputs):
        *above, last = draw(st.sampled_from(places))
        holder = inputs
        for step in above:
            holder = holder[step]
        holder[last] = draw(ODD)
    resources[n] = replace(resources[n], inputs=inputs)
    return Stack(tuple(resources))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_no_value_makes_a_rule_fail(rule):
    @settings(max_examples=15, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(spoiled(rule))
    def holds(stack: Stack) -> None:
        for finding in findings_of(rule, stack):
            assert finding.rule == rule.name
            assert "\n" not in finding.found

    holds()
