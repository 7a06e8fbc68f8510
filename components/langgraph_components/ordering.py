"""What comes after what, told by values: whoever takes one waits for what made it usable."""

from typing import Any

import pulumi


def after(value: Any, *resources: pulumi.Resource) -> pulumi.Output[Any]:
    """The value, known at once; whoever uses it waits for the resources, and goes before them."""
    return pulumi.Output.all(value, *(resource.urn for resource in resources)).apply(lambda all_: all_[0])
