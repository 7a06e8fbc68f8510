"""What a stack shows to others: few, typed, and no secret, so that reading them needs nobody's key."""

from dataclasses import Field, dataclass, fields
from typing import Any, Optional, Self

import pulumi

from langgraph_components.errors import MissingOutput


@dataclass(frozen=True)
class PlatformOutputs:
    """The outputs of a platform stack, for its own exports and for the programs of other teams.

    An output that a stack has no use for (a cluster's name in the `local` stack) is None there.
    """

    environment: pulumi.Output[str]
    """`dev`, `prod` or `local`."""
    namespace: pulumi.Output[str]
    """Kubernetes namespace of the workload."""
    service: pulumi.Output[str]
    """URL of the API inside the cluster."""
    image: pulumi.Output[str]
    """Reference of the image that runs, with its digest."""
    database_host: pulumi.Output[str]
    """Host of the primary."""
    database_port: pulumi.Output[int]
    """Port of the primary."""
    url: pulumi.Output[Optional[str]]
    """Public URL of the API, if there is a balancer."""
    region: pulumi.Output[Optional[str]]
    """AWS region."""
    cluster_name: pulumi.Output[Optional[str]]
    """Name of the EKS cluster: `aws eks update-kubeconfig --name …`."""
    vpc_id: pulumi.Output[Optional[str]]
    """VPC of all of it."""
    database_secret_arn: pulumi.Output[Optional[str]]
    """Secret with the database's master login; only its ARN."""
    cache_host: pulumi.Output[Optional[str]]
    """Host of the cache, if there is one."""
    attachments_bucket: pulumi.Output[Optional[str]]
    """Bucket of the attachments, if there is one."""
    repository_url: pulumi.Output[Optional[str]]
    """Image registry, if the stack owns one."""

    @classmethod
    def read(cls, stack: str | pulumi.StackReference) -> Self:
        """The outputs of another stack, by its name `organization/project/stack` or a reference to it.

        A stack without a required one, as one that is no platform, fails the preview with `MissingOutput`.
        """
        reference = pulumi.StackReference(stack) if isinstance(stack, str) else stack
        return cls(**{field.name: _read(reference, field) for field in fields(cls)})

    def export(self) -> None:
        """Make them the outputs of the running stack."""
        for field in fields(self):
            pulumi.export(field.name, getattr(self, field.name))


def _read(reference: pulumi.StackReference, field: Field[Any]) -> pulumi.Output[Any]:
    found = pulumi.Output.all(stack=reference.name, value=reference.get_output(field.name))
    return found.apply(lambda both: _typed(field, both["stack"], both["value"]))


def _typed(field: Field[Any], stack: str, value: Any) -> Any:
    """The value in the type that it had: a number of another stack comes as a float."""
    form = str(field.type)
    if value is None:
        if "Optional" in form:
            return None
        message = f"the stack {stack} has no output {field.name}: it is no platform, or it is not deployed"
        raise MissingOutput(message)
    return int(value) if "[int]" in form else value
