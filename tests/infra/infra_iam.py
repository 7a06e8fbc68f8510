"""AWS's own reference of actions, and what policies allow: to hold documents against it."""

import json
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, NamedTuple

from moto.iam.aws_managed_policies import aws_managed_policies_data
from policy_sentry.querying.actions import get_action_data

Json = dict[str, Any]


class Action(NamedTuple):
    name: str
    level: str
    """`List`, `Read`, `Write`, `Tagging` or `Permissions management`."""
    keys: frozenset[str]
    """Condition keys that it knows, without the names of tags, in lower case."""
    limited: bool
    """Whether AWS lets it be limited to a resource."""


@cache
def action(name: str) -> Action | None:
    """An action by its name in exactly these letters; None if AWS has none of that name."""
    service, _, short = name.partition(":")
    rows = [row for row in (get_action_data(service, short) or {}).get(service, []) if row["action"] == name]
    if not rows:
        return None
    keys = frozenset(key.split("/")[0].lower() for row in rows for key in row["condition_keys"])
    return Action(name, rows[0]["access_level"], keys, any(row["resource_arn_format"] != "*" for row in rows))


def aws_policy(name: str) -> list[str]:
    """The actions of a policy that AWS keeps, as moto's copy has it."""
    document = json.loads(aws_managed_policies_data)[name.rpartition("/")[2]]["Document"]
    return [action for each in document["Statement"] for action in listed(each.get("Action"))]


def listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [] if value is None else [value]


def allowed(*policies: Json) -> set[str]:
    """The actions that some statement allows."""
    return {a for s in statements(*policies) if s["Effect"] == "Allow" for a in listed(s["Action"])}


def statements(*policies: Json) -> list[Json]:
    return [statement for policy in policies for statement in policy["Statement"]]


def matches(pattern: str, text: str) -> bool:
    """As IAM compares: `*` and `?`, nothing else."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def reaches(statement: Json, arn: str) -> bool:
    """Whether a statement is about a resource."""
    return any(matches(pattern, arn) for pattern in listed(statement.get("Resource")))


def condition_keys(statement: Json) -> set[str]:
    return {key for test in statement.get("Condition", {}).values() for key in test}


def permits(policies: list[Json], name: str, arn: str, context: Json) -> bool:
    """What IAM decides on one action, one resource and the keys of a request: some Allow, and no Deny."""
    met = {s["Effect"] for s in statements(*policies) if _is_about(s, name, arn) and _is_met(s, context)}
    return met == {"Allow"}


def _is_about(statement: Json, name: str, arn: str) -> bool:
    if "NotAction" in statement:
        named = not any(matches(each, name) for each in listed(statement["NotAction"]))
    else:
        named = any(matches(each, name) for each in listed(statement["Action"]))
    return named and reaches(statement, arn)


def _is_met(statement: Json, context: Json) -> bool:
    """The operators that our policies use; another one is an error of the test."""
    return all(
        _test(operator, listed(wanted), listed(context.get(key)))
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    )


def _test(operator: str, wanted: list[str], given: list[str]) -> bool:
    some = any(matches(pattern, each) for pattern in wanted for each in given)
    return {
        "ArnEquals": some,
        "ArnLike": some,
        "ForAllValues:StringEquals": all(each in wanted for each in given),
        "ForAnyValue:StringEquals": any(each in wanted for each in given),
        "Null": wanted == [str(not given).lower()],
        "StringEquals": any(each in wanted for each in given),
        "StringEqualsIfExists": not given or any(each in wanted for each in given),
        "StringNotEquals": not any(each in wanted for each in given),
    }[operator]
