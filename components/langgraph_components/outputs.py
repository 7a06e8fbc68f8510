"""What a stack shows to others: few, typed, and no secret, so that reading them needs nobody's key."""

from dataclasses import dataclass, fields
from typing import Optional, Self

import pulumi


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

        A stack without a required output fails the preview with the output's name.
        """
        reference = pulumi.StackReference(stack) if isinstance(stack, str) else stack
        return cls(
            **{
                field.name: reference.get_output(field.name)
                if "Optional" in str(field.type)
                else reference.require_output(field.name)
                for field in fields(cls)
            }
        )

    def export(self) -> None:
        """Make them the outputs of the running stack."""
        for field in fields(self):
            pulumi.export(field.name, getattr(self, field.name))
