"""Who the workflows of a repository are in AWS: one role to preview, one to look for drift, one to deploy."""

import json
from typing import Any, Optional, Self

import pulumi
from pulumi_aws import iam
from pydantic import Field, model_validator

from langgraph_components.args import Args, Defaulted, In
from langgraph_components.pure import pipeline as policies
from langgraph_components.pure import pipeline_deploying as deploying
from langgraph_components.pure import pipeline_reading as reading
from langgraph_components.pure.naming import physical
from langgraph_components.pure.pipeline_scope import Scope

_HOUR = 3600
_BUCKET_LIMIT = 63


class PipelineAccessArgs(Args):
    """Which repository may do what to which stack."""

    repository: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$")
    """`OWNER/NAME` on GitHub, as it is written there: AWS compares letter by letter."""
    stack: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Pulumi stack; also part of the environments `preview-STACK`, `drift-STACK` and `STACK`."""
    account_id: str = Field(pattern=r"^\d{12}$")
    """AWS account of the stack, 12 digits."""
    region: str
    """AWS region of the stack, such as `eu-west-1`: no role reaches another one."""
    state_bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    """S3 bucket of Pulumi's state, which `pulumi login s3://…` names; not named as those of the stack."""
    secrets_key_arn: In[str]
    """KMS key of the stack's secrets provider, by its ARN: IAM knows no aliases."""
    state_key_arn: Optional[In[str]] = None
    """KMS key that encrypts the bucket. None: a key of S3's own."""
    project: Defaulted[str] = "langgraph-platform"
    """Pulumi project of the stack: computed names begin with it, and it is a tag."""
    platform: Defaulted[str] = "langgraph"
    """Logical name of the `Platform` in its program: names that the provider makes up begin with it."""
    cluster_name: Optional[str] = None
    """Name of the EKS cluster. None: `{project}-{stack}`."""
    hosted_zone_ids: Defaulted[list[str]] = Field(default=[])
    """Route 53 zones in which the stack keeps records. None: it has no `edge`."""
    secret_prefixes: Defaulted[list[str]] = Field(default=["langgraph/"])
    """How the names begin of the secrets of `environment_secrets`. `langgraph/`: as in the guide."""
    provider_arn: Optional[str] = None
    """IAM's identity provider of GitHub, if the account has it. None: it is made; an account has one."""
    issuer: Defaulted[str] = policies.GITHUB
    """Issuer of the jobs' tokens without `https://`; of an Enterprise Server `HOST/_services/token`."""
    deploy_hours: Defaulted[int] = Field(default=2, ge=1, le=12)
    """Hours (1 to 12) a deployment's credentials may last. 2: a first one makes a cluster and a database."""

    @model_validator(mode="after")
    def _state_apart(self) -> Self:
        own = f"{physical(self.project, self.stack, limit=_BUCKET_LIMIT)}-"
        if self.state_bucket.startswith(own):
            message = f"state_bucket: begins with {own}, as buckets that the stack may change and delete"
            raise ValueError(message)
        return self


class PipelineAccess(pulumi.ComponentResource):
    """Three roles for the workflows of one repository and one stack, each bound to one environment of GitHub.

    They belong into a program of their own, which people run and pipelines cannot: a role that could change
    this component could widen itself. Name the deploy role in the stack's `cluster.admin_principals`, the
    others in `viewer_principals` and `auditor_principals`, and the boundary as `permissions_boundary_arn`.
    """

    preview_role_arn: pulumi.Output[str]
    """Role of `preview-STACK`: sees resources and the state, but asks AWS for no value of a secret."""
    drift_role_arn: pulumi.Output[str]
    """Role of `drift-STACK`: sees the values of the stack's secrets too, as a refresh compares them."""
    deploy_role_arn: pulumi.Output[str]
    """Role of `STACK`: makes, changes and deletes what is of the stack."""
    boundary_arn: pulumi.Output[str]
    """Permissions boundary that every role of the stack has to have."""
    provider_arn: pulumi.Output[str]
    """IAM's identity provider of GitHub, for the next stack of the account."""

    def __init__(
        self, name: str, args: PipelineAccessArgs, opts: Optional[pulumi.ResourceOptions] = None
    ) -> None:
        """Declare provider, policies and roles."""
        super().__init__("langgraph:index:PipelineAccess", name, {}, opts)
        self._name = name
        self._args = settings = PipelineAccessArgs.of(args)
        self._scope = Scope(
            settings.account_id,
            settings.region,
            settings.project,
            settings.stack,
            settings.platform,
            settings.cluster_name or "",
        )
        self.provider_arn = self._identity_provider()
        made = {purpose: self._policy(purpose, self._document(purpose)) for purpose in self._wanted()}
        self.boundary_arn = made["boundary"].arn
        self.preview_role_arn, self.drift_role_arn, self.deploy_role_arn = (
            self._role(purpose, made) for purpose in policies.PURPOSES
        )
        self.register_outputs(
            {
                "previewRoleArn": self.preview_role_arn,
                "driftRoleArn": self.drift_role_arn,
                "deployRoleArn": self.deploy_role_arn,
                "boundaryArn": self.boundary_arn,
                "providerArn": self.provider_arn,
            }
        )

    @staticmethod
    def _wanted() -> list[str]:
        return sorted({"boundary", *(name for names in policies.POLICIES.values() for name in names)})

    def _identity_provider(self) -> pulumi.Output[str]:
        args = self._args
        if args.provider_arn is not None:
            return pulumi.Output.from_input(args.provider_arn)
        provider = iam.OpenIdConnectProvider(
            f"{self._name}-github",
            url=f"https://{args.issuer}",
            client_id_lists=[policies.AUDIENCE],
            opts=pulumi.ResourceOptions(parent=self),
        )
        return provider.arn

    def _document(self, purpose: str) -> Any:
        scope, args = self._scope, self._args
        boundary = scope.policies(scope.policy("boundary"))[0]
        change = purpose == "state-write"
        keys = (args.secrets_key_arn, args.state_key_arn)
        found: dict[str, Any] = {
            "boundary": lambda: policies.boundary(scope, args.secret_prefixes),
            "edge": lambda: deploying.edge(scope, args.hosted_zone_ids),
            "guard": lambda: policies.guard(scope, args.issuer),
            "keys": lambda: deploying.keys(scope),
            "look": lambda: reading.look(scope, args.hosted_zone_ids),
            "network": lambda: deploying.network(scope),
            "roles": lambda: deploying.roles(scope, boundary, policies.attached(scope)),
            "state-read": lambda: reading.state(scope, args.state_bucket, *keys, change=change),
            "state-write": lambda: reading.state(scope, args.state_bucket, *keys, change=change),
            "stores": lambda: deploying.stores(scope),
            "values": lambda: reading.secret_values(scope),
        }
        return found[purpose]()

    def _policy(self, purpose: str, document: Any) -> iam.Policy:
        return iam.Policy(
            f"{self._name}-{purpose}",
            name=self._scope.policy(purpose),
            description=f"{self._args.project}/{self._args.stack}, pipelines: {purpose}",
            policy=pulumi.Output.json_dumps(document, separators=(",", ":")),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _role(self, purpose: str, made: dict[str, iam.Policy]) -> pulumi.Output[str]:
        args, child = self._args, pulumi.ResourceOptions(parent=self)
        environment = policies.environment(purpose, args.stack)
        role = iam.Role(
            f"{self._name}-{purpose}",
            name=self._scope.role(purpose),
            description=f"Environment {environment} of {args.repository}",
            max_session_duration=_HOUR * (args.deploy_hours if purpose == "deploy" else 1),
            assume_role_policy=self.provider_arn.apply(
                lambda arn: json.dumps(policies.trust(arn, args.issuer, args.repository, environment))
            ),
            opts=child,
        )
        for name in policies.POLICIES[purpose]:
            iam.RolePolicyAttachment(
                f"{self._name}-{purpose}-{name}", role=role.name, policy_arn=made[name].arn, opts=child
            )
        return role.arn
