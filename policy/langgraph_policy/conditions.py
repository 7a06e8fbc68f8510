"""What the condition of a policy's statement really asks for."""

import re
from typing import Any

from langgraph_policy.values import Node

_POSITIVE = re.compile(r"(ForAnyValue:)?(StringEquals|StringEqualsIgnoreCase|StringLike|ArnEquals|ArnLike)")
"""Operators that a request without the key, or with another value, does not meet: neither `…IfExists` and
`ForAllValues:`, which are met without it, nor `…NotEquals`."""

OF_CALLERS = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "kms:calleraccount",
    }
)
"""Keys that say who calls, as in "The meaning of public" of AWS's guide of S3."""

_NAMED = re.compile(r":\d{12}:|:s3:::[^*?]")
"""An account, or a bucket, in an ARN with wildcards."""


def wanted(statement: Node) -> dict[str, list[str]]:
    """The values of which a request must have one, by key in lower case; a key that may have any is left out.

    Raises:
        Undecided: one is hidden.
    """
    found: dict[str, list[str]] = {}
    condition = statement.part("Condition")
    for test in condition.mapping():
        part = condition.part(test)
        if not _POSITIVE.fullmatch(test):
            continue
        for key in part.mapping():
            value: Any = part.mapping()[key]
            values = Node(value if isinstance(value, list) else [value], f"{part.path}.{key}").texts()
            if all(each.strip("*?") for each in values):
                found[key.lower()] = values
    return found


def names_callers(conditions: dict[str, list[str]]) -> bool:
    """Whether they leave named callers only."""
    return any(
        all(_NAMED.search(value) or not {"*", "?"} & set(value) for value in values)
        for key, values in conditions.items()
        if key in OF_CALLERS
    )
