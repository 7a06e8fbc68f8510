"""What one service account of a cluster may do in AWS, for programs that bring a cluster of their own."""

from typing import Optional

import pulumi
from pydantic import Field

from langgraph_components.args import Args, Defaulted, In
from langgraph_components.ordering import after
from langgraph_components.pod_role import pod_role
from langgraph_components.pure import iam, labels
from langgraph_components.workload.parts import DNS_LABEL


class PodIdentityArgs(Args):
    """Whose pods they are, and what they may do."""

    account_id: str = Field(pattern=r"^\d{12}$")
    """AWS account of the cluster, 12 digits: another account's cluster cannot have the role."""

    cluster_name: In[str]
    """Name of the EKS cluster; it has the add-on `eks-pod-identity-agent`."""

    cluster_arn: In[str]
    """ARN of that cluster."""

    policies: In[list[In[str]]]
    """Policy documents as JSON: such as `login_policy` of a database and `access_policy` of attachments."""

    namespace: Defaulted[str] = Field(default="langgraph", pattern=DNS_LABEL)
    """Namespace of the pods. The default is that of `AgentWorkload`."""

    service_account: Defaulted[str] = Field(default=labels.SERVICE_ACCOUNT, pattern=DNS_LABEL)
    """Service account of the pods. The default is that of `AgentWorkload`'s pods that serve and work."""


class PodIdentity(pulumi.ComponentResource):
    """A role that the pods of one service account get through EKS Pod Identity.

    Pods get their credentials when they are made, and only then: let the workload depend on this component.
    """

    role_arn: pulumi.Output[str]
    """ARN of the role; known when the role has its policy and its association."""

    def __init__(
        self, name: str, args: PodIdentityArgs, opts: Optional[pulumi.ResourceOptions] = None
    ) -> None:
        """Declare the role, its policy, and its association with the service account."""
        super().__init__("langgraph:index:PodIdentity", name, {}, opts)
        settings = PodIdentityArgs.of(args)
        role, ready = pod_role(
            name,
            parent=self,
            account_id=settings.account_id,
            cluster_name=settings.cluster_name,
            cluster_arn=settings.cluster_arn,
            namespace=settings.namespace,
            service_account=settings.service_account,
            policy=pulumi.Output.from_input(settings.policies).apply(
                lambda found: iam.merged([str(policy) for policy in found])
            ),
        )
        self.role_arn = after(role.arn, *ready)
        self.register_outputs({"roleArn": self.role_arn})
