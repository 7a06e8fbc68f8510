"""What a cluster is made of."""

from enum import StrEnum
from typing import Optional, Self

from pydantic import Field, field_validator, model_validator

from langgraph_components.args import Args, Defaulted, In
from langgraph_components.pure import cidrs, eks
from langgraph_components.pure.log_retention import retention


class AmiType(StrEnum):
    """The system that the nodes boot, and their architecture, which is then the image's too."""

    AL2023_X86_64 = "AL2023_x86_64_STANDARD"
    AL2023_ARM_64 = "AL2023_ARM_64_STANDARD"
    BOTTLEROCKET_X86_64 = "BOTTLEROCKET_x86_64"
    BOTTLEROCKET_ARM_64 = "BOTTLEROCKET_ARM_64"


class CapacityType(StrEnum):
    """How the nodes are paid for."""

    ON_DEMAND = "ON_DEMAND"
    SPOT = "SPOT"


class NodeSettings(Args):
    """The managed node group."""

    instance_types: Defaulted[list[str]] = Field(default=["m7i.large"], min_length=1, max_length=20)
    """EC2 types, in order of preference; with `SPOT` name several. `m7i.large`: 2 CPU and 8 GiB."""
    ami_type: Defaulted[AmiType] = AmiType.AL2023_X86_64
    """System and architecture; the image has to be built for it. Amazon Linux 2023: what AWS tests most."""
    capacity_type: Defaulted[CapacityType] = CapacityType.ON_DEMAND
    """`ON_DEMAND`, or `SPOT`, which AWS may take back within 2 minutes. On demand: nothing is taken."""
    min_size: Defaulted[int] = Field(default=3, ge=1)
    """Nodes at least. 3: one for each zone."""
    max_size: Defaulted[int] = Field(default=6, ge=1)
    """Nodes at most, one more than ever needed while they are replaced. 6: twice the least."""
    desired_size: Optional[int] = Field(default=None, ge=1)
    """Nodes now. None: `min_size` at first, then whatever a node autoscaler of yours decides."""
    disk_gib: Defaulted[int] = Field(default=50, ge=20, le=16384)
    """Size of a node's gp3 disk in GiB (20 to 16,384), for images and logs. 50: a dozen large images."""

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        eks.same_architecture(self.ami_type, self.instance_types)
        if not self.min_size <= (self.desired_size or self.min_size) <= self.max_size:
            told = f"sizes should rise: min {self.min_size}, desired {self.desired_size}, max {self.max_size}"
            raise ValueError(told)
        return self


class ExistingCluster(Args):
    """A cluster that another team keeps: nothing of it is made or changed.

    But for one rule of its security group, where there is an `edge`: it lets the balancer reach the pods.
    It needs the Pod Identity agent, an enforcer of NetworkPolicies, and an access entry for whoever deploys.
    """

    name: In[str]
    """Name of the EKS cluster."""
    arn: In[str]
    """Its ARN, which roles of pods are bound to."""
    endpoint: In[str]
    """URL of its API server, `https://…`."""
    certificate_authority: In[str]
    """Certificate authority of the API server, base64, as EKS gives it."""
    security_group_id: In[str]
    """Security group of its nodes, which database and cache admit."""


class ClusterSettings(Args):
    """An EKS cluster, its nodes and who may use it."""

    cluster_name: Optional[str] = Field(default=None, pattern=r"^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$")
    """Name in EKS, 100 characters at most. None: `{project}-{stack}` as it was
    when the cluster was made; a renamed stack keeps it. Another name is another cluster."""
    version: Defaulted[str] = "1.36"
    """Kubernetes version. 1.36: in standard support until 2027-08-02."""
    admin_principals: Defaulted[list[str]] = Field(default=[])
    """ARNs of the IAM roles or users with all rights, whoever deploys among them. One at least."""
    viewer_principals: Defaulted[list[str]] = Field(default=[])
    """ARNs of those who see everything but Secrets, such as the role of previews. None: nobody."""
    auditor_principals: Defaulted[list[str]] = Field(default=[])
    """ARNs of those who see everything, Secrets too, such as the role that looks for drift. None: nobody."""
    endpoint_public_cidrs: Defaulted[list[str]] = Field(default=[])
    """IPv4 ranges that reach the API server from the internet. None: it is private, in the VPC alone."""
    endpoint_private_cidrs: Defaulted[list[str]] = Field(default=[])
    """IPv4 ranges in the VPC, or joined to it, that reach the private API server: of runners or a VPN.
    None: the nodes alone, as the cluster's security group admits nobody else."""
    log_retention_days: Defaulted[int] = 365
    """Days that the control plane's logs are kept, one of CloudWatch's steps. 365: audits look back."""
    nodes: Defaulted[NodeSettings] = NodeSettings()
    """The managed node group."""
    addon_versions: Defaulted[dict[str, str]] = Field(default={})
    """Builds of add-ons by name, such as `coredns`. Unnamed ones have the build pinned for `version`."""
    create_node_starter: Defaulted[bool] = False
    """Whether to make the role AWSServiceRoleForAutoScaling. Off: an account that ever scaled has it."""
    deletion_protection: Defaulted[bool] = False
    """Whether EKS refuses to delete the cluster. Off: a stack that holds nothing yet can be destroyed."""
    protect: Defaulted[bool] = False
    """Whether Pulumi refuses to delete or replace the cluster. Off, for the same reason."""
    zonal_shift: Defaulted[bool] = False
    """Whether AWS may move traffic out of a failing zone. Off: the nodes left must carry all of it."""
    deployer_role_arn: Optional[str] = None
    """Role to take for the Kubernetes API. None: the AWS credentials of whoever runs the program."""
    existing: Optional[ExistingCluster] = None
    """A cluster to use as it is. None: one is made."""

    @field_validator("version")
    @classmethod
    def _known_version(cls, version: str) -> str:
        return eks.supported(version)

    @field_validator("log_retention_days")
    @classmethod
    def _known_retention(cls, days: int) -> int:
        return retention(days)

    @field_validator("endpoint_public_cidrs", "endpoint_private_cidrs")
    @classmethod
    def _not_the_world(cls, ranges: list[str]) -> list[str]:
        return [cidrs.closed(cidr) for cidr in ranges]

    @model_validator(mode="after")
    def _rights_and_builds(self) -> Self:
        eks.distinct_principals(self.admin_principals, self.viewer_principals, self.auditor_principals)
        if self.existing is None:
            eks.addon_versions(self.version, self.addon_versions)
        return self


class ClusterArgs(ClusterSettings):
    """An EKS cluster, its nodes, who may use it, and where it is."""

    account_id: str = Field(pattern=r"^\d{12}$")
    """AWS account, 12 digits. Required: roles name it, and a plan asks no cloud."""
    region: str
    """AWS region, such as `eu-west-1`. Required: tokens and ARNs name it."""
    subnet_ids: Optional[In[list[In[str]]]] = None
    """Private subnets of nodes and control plane, in two zones at least. Required without `existing`."""
    cluster_key_arn: Optional[In[str]] = None
    """KMS key of the Kubernetes secrets and all disks. Required without `existing`."""
    logs_key_arn: Optional[In[str]] = None
    """KMS key of the control plane's log group. Required without `existing`."""
    tags: Defaulted[dict[str, str]] = Field(default={})
    """Further tags of machines, their disks and interfaces, and of volumes, beside `project` and `stack`.
    None: those two. A provider's default tags reach none of these."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.existing is None:
            self._must_be_made()
        return self

    def _must_be_made(self) -> None:
        if not self.admin_principals:
            told = "admin_principals: name at least one role: who creates a cluster has no rights in it"
            raise ValueError(told)
        for name in ("subnet_ids", "cluster_key_arn", "logs_key_arn"):
            if getattr(self, name) is None:
                told = f"{name}: is required, unless existing is given"
                raise ValueError(told)
