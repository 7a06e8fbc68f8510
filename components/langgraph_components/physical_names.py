"""Names that AWS knows things by: computed when a thing is made, and kept from then on.

They have the name of the stack in them, so that two stacks of one account do not meet; and a stack can be
renamed (`pulumi stack rename`), which must replace nothing that holds data. So a resource that is named here
ignores changes of its name (`ignore_changes`), and who needs the name takes it from the resource's output.
What has to be there before the resource, such as its log group, is named in the same way and kept as well.
"""

from collections.abc import Mapping

import pulumi

from langgraph_components.pure.naming import physical


def of_stack(*parts: str, limit: int) -> str:
    """`{project}-{stack}-{parts}`, as `pure.naming.physical` makes it."""
    return physical(pulumi.get_project(), pulumi.get_stack(), *parts, limit=limit)


def path_of_stack(*parts: str) -> str:
    """`{project}/{stack}/{parts}`: for log groups, secrets and descriptions."""
    return "/".join((pulumi.get_project(), pulumi.get_stack(), *parts))


def plain_of_stack(*parts: str) -> str:
    """`{project}-{stack}-{parts}`, neither cut nor cleaned: for what takes every character."""
    return "-".join((pulumi.get_project(), pulumi.get_stack(), *parts))


def stack_tags(more: Mapping[str, str]) -> dict[str, str]:
    """`project`, `stack` and more: for what AWS makes for us, which no provider's default tags reach."""
    return {"project": pulumi.get_project(), "stack": pulumi.get_stack(), **more}
