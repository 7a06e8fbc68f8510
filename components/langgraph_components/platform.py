"""The whole platform from one object of settings."""

from dataclasses import fields
from typing import Any, Optional

import pulumi

from langgraph_components.agent_workload import AgentWorkload, AgentWorkloadArgs
from langgraph_components.outputs import PlatformOutputs
from langgraph_components.settings import PlatformSettings
from langgraph_components.stack import aws, local
from langgraph_components.stack.ground import Base


class Platform(pulumi.ComponentResource):
    """Network, keys, cluster, database, cache, secrets, monitoring, balancer, image, and the server on them.

    Where `environment` is `local`, the server and its stores on a cluster that is there.
    Its outputs are those of the stack: few, typed and no secrets.
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
    """Name of the EKS cluster."""
    vpc_id: pulumi.Output[Optional[str]]
    """VPC of all of it."""
    database_secret_arn: pulumi.Output[Optional[str]]
    """ARN of the secret with the database's master login."""
    cache_host: pulumi.Output[Optional[str]]
    """Host of the cache, if there is one."""
    attachments_bucket: pulumi.Output[Optional[str]]
    """Bucket of the attachments, if there is one."""
    repository_url: pulumi.Output[Optional[str]]
    """Image registry, if the stack owns one."""

    def __init__(
        self, name: str, args: PlatformSettings, opts: Optional[pulumi.ResourceOptions] = None
    ) -> None:
        """Declare all of it. On AWS, `opts` has the provider of the account and region."""
        settings = PlatformSettings.of(args)
        super().__init__("langgraph:index:Platform", name, {}, _bounded(opts, settings))
        base = Base(self, name, settings)
        ground = aws.declare(base) if settings.on_aws else local.declare(base)
        workload = AgentWorkload(
            f"{name}-workload",
            AgentWorkloadArgs.of({**settings.workload.chosen(), **ground.wired}),
            base.opts(providers=[ground.provider], depends_on=list(ground.waits_for)),
        )
        self._show(
            {
                **ground.outputs,
                "environment": settings.environment.value,
                "namespace": workload.namespace,
                "service": workload.url,
            }
        )

    @property
    def outputs(self) -> PlatformOutputs:
        """All of them, to be exported."""
        return PlatformOutputs(**{field.name: getattr(self, field.name) for field in fields(PlatformOutputs)})

    def _show(self, found: dict[str, Any]) -> None:
        shown = {field.name: found.get(field.name) for field in fields(PlatformOutputs)}
        for name, value in shown.items():
            setattr(self, name, pulumi.Output.from_input(value))
        self.register_outputs({name: getattr(self, name) for name in shown})


_ROLE = "aws:iam/role:Role"


def _bounded(
    opts: Optional[pulumi.ResourceOptions], settings: PlatformSettings
) -> Optional[pulumi.ResourceOptions]:
    """The options, and a boundary for every role below: no component can forget it."""
    arn = settings.permissions_boundary_arn
    if arn is None:
        return opts

    def give(asked: pulumi.ResourceTransformationArgs) -> Optional[pulumi.ResourceTransformationResult]:
        if asked.type_ != _ROLE:
            return None
        props = {**asked.props, "permissions_boundary": arn}
        return pulumi.ResourceTransformationResult(props, asked.opts)

    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(transformations=[give]))
