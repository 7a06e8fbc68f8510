"""All rules, by what they are about. A rule that is not listed here is not checked."""

from langgraph_policy.model import Rule
from langgraph_policy.rules import (
    access,
    admission,
    caches,
    clusters,
    databases,
    edge,
    iam,
    networks,
    pods,
    secrets,
    storage,
    upkeep,
)

_MODULES = (
    access,
    admission,
    caches,
    clusters,
    databases,
    edge,
    iam,
    networks,
    pods,
    secrets,
    storage,
    upkeep,
)


def _rules() -> tuple[Rule, ...]:
    found = [value for module in _MODULES for value in vars(module).values() if isinstance(value, Rule)]
    return tuple(sorted(found, key=lambda rule: rule.name))


RULES: tuple[Rule, ...] = _rules()
