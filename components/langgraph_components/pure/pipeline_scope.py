"""What belongs to one stack in an account, as the policies of its pipelines name it."""

from dataclasses import dataclass
from typing import Any

from langgraph_components.pure.iam import Statement, partition
from langgraph_components.pure.naming import physical

_ROLE_LIMIT = 64
_POLICY_LIMIT = 128

Conditions = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Scope:
    """One stack: everything of it has a name that begins so, or the tags `project` and `stack`."""

    account_id: str
    region: str
    project: str
    """Name of the Pulumi project: of computed names, and the tag `project`."""
    stack: str
    """Name of the stack, and the tag `stack`."""
    platform: str = "langgraph"
    """Logical name of the platform in its program: names that AWS's provider makes up begin with it."""
    cluster_name: str = ""
    """Name of the EKS cluster, if it is not the computed one."""

    @property
    def named(self) -> str:
        """How computed names begin: `langgraph-platform-prod`."""
        return f"{self.project}-{self.stack}"

    @property
    def cluster(self) -> str:
        """The EKS cluster's name."""
        return self.cluster_name or self.named

    def arn(self, service: str, *names: str) -> list[str]:
        """ARNs of a service in this region and account."""
        return [self._arn(service, self.region, name) for name in names]

    def roles(self, *names: str) -> list[str]:
        """ARNs of IAM roles."""
        return [self._arn("iam", "", f"role/{name}") for name in names]

    def policies(self, *names: str) -> list[str]:
        """ARNs of IAM policies of this account."""
        return [self._arn("iam", "", f"policy/{name}") for name in names]

    def provider(self, issuer: str) -> str:
        """ARN of the identity provider of an issuer, which is a host with a path."""
        return self._arn("iam", "", f"oidc-provider/{issuer}")

    def buckets(self, *names: str) -> list[str]:
        """ARNs of buckets, or of what is in them."""
        return [f"arn:{partition(self.region)}:s3:::{name}" for name in names]

    def zones(self, *ids: str) -> list[str]:
        """ARNs of hosted zones."""
        return [f"arn:{partition(self.region)}:route53:::hostedzone/{zone}" for zone in ids]

    def _arn(self, service: str, region: str, name: str) -> str:
        return f"arn:{partition(self.region)}:{service}:{region}:{self.account_id}:{name}"

    def role(self, purpose: str) -> str:
        """Name of a role of the pipelines: it does not begin as those of the stack do."""
        return physical("pipeline", self.project, self.stack, purpose, limit=_ROLE_LIMIT)

    def policy(self, purpose: str) -> str:
        """Name of a policy of the pipelines."""
        return physical("pipeline", self.project, self.stack, purpose, limit=_POLICY_LIMIT)

    def here(self) -> Conditions:
        """A request to this region."""
        return {"StringEquals": {"aws:RequestedRegion": self.region}}

    def ours(self) -> Conditions:
        """What has the stack's tags."""
        return {"StringEquals": self.tags("aws:ResourceTag")}

    def asked(self) -> Conditions:
        """What gets the stack's tags by this very request."""
        return {"StringEquals": self.tags("aws:RequestTag")}

    def not_another(self) -> Statement:
        """Refuses whatever has the tags of another stack of the project, whoever allows it."""
        return {
            "Sid": "NotAnotherStack",
            "Effect": "Deny",
            "Action": ["*"],
            "Resource": ["*"],
            "Condition": {
                "StringEquals": {"aws:ResourceTag/project": self.project},
                "StringNotEquals": {"aws:ResourceTag/stack": self.stack},
                "Null": {"aws:ResourceTag/stack": "false"},
            },
        }

    def tags(self, key: str) -> dict[str, str]:
        """A condition's keys and values."""
        return {f"{key}/project": self.project, f"{key}/stack": self.stack}
