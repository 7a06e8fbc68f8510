"""Customer-managed KMS keys, one for each domain of data."""

import json
from enum import StrEnum
from typing import Optional

import pulumi
from pulumi_aws import kms
from pydantic import Field

from langgraph_components.args import Args, Defaulted
from langgraph_components.physical_names import path_of_stack, plain_of_stack
from langgraph_components.pure import iam


class KeyDomain(StrEnum):
    """What a key is for."""

    DATA = "data"
    """Database, cache, attachments and secrets."""
    CLUSTER = "cluster"
    """Kubernetes secrets and the nodes' volumes."""
    LOGS = "logs"
    """Log groups."""
    REGISTRY = "registry"
    """Images."""


class EncryptionSettings(Args):
    """How long a mistake can be undone."""

    deletion_window_days: Defaulted[int] = Field(default=30, ge=7, le=30)
    """Days (7 to 30) in which a deleted key can be restored. 30: without its key, every backup is lost."""

    rotation_days: Defaulted[int] = Field(default=365, ge=90, le=2560)
    """Days (90 to 2560) between rotations of the key material. 365: what auditors ask for."""

    protect: Defaulted[bool] = False
    """Whether Pulumi refuses to delete the keys. Off: a stack that holds nothing yet can be destroyed."""


class EncryptionArgs(EncryptionSettings):
    """Whose keys they are, and how long a mistake can be undone."""

    account_id: str = Field(pattern=r"^\d{12}$")
    """AWS account of the keys, 12 digits. Required: key policies name it, and a plan asks no cloud."""

    region: str
    """AWS region, such as `eu-west-1`. Required: CloudWatch Logs' principal is regional."""

    domains: Optional[list[KeyDomain]] = None
    """What keys are made for. None: all of it; but a key that nothing uses costs what a used one does."""


class Encryption(pulumi.ComponentResource):
    """One KMS key for each domain (data, cluster, logs, registry): a grant on one opens no other."""

    data_key_arn: Optional[pulumi.Output[str]]
    """Key of the database, the cache, the attachments and the secrets."""
    cluster_key_arn: Optional[pulumi.Output[str]]
    """Key of the Kubernetes secrets and the nodes' volumes."""
    logs_key_arn: Optional[pulumi.Output[str]]
    """Key of the log groups."""
    registry_key_arn: Optional[pulumi.Output[str]]
    """Key of the image registry."""

    def __init__(
        self, name: str, args: EncryptionArgs, opts: Optional[pulumi.ResourceOptions] = None
    ) -> None:
        """Declare the keys and their aliases `alias/{project}-{stack}-{domain}`."""
        super().__init__("langgraph:index:Encryption", name, {}, opts)
        settings = EncryptionArgs.of(args)
        wanted = set(KeyDomain if settings.domains is None else settings.domains)
        made = {domain: self._key(name, domain, settings) for domain in sorted(wanted)}
        self.data_key_arn = made.get(KeyDomain.DATA)
        self.cluster_key_arn = made.get(KeyDomain.CLUSTER)
        self.logs_key_arn = made.get(KeyDomain.LOGS)
        self.registry_key_arn = made.get(KeyDomain.REGISTRY)
        self.register_outputs(
            {
                "dataKeyArn": self.data_key_arn,
                "clusterKeyArn": self.cluster_key_arn,
                "logsKeyArn": self.logs_key_arn,
                "registryKeyArn": self.registry_key_arn,
            }
        )

    def _key(self, name: str, domain: KeyDomain, args: EncryptionArgs) -> pulumi.Output[str]:
        policy = iam.key_policy(args.account_id, args.region, logs=domain is KeyDomain.LOGS)
        key = kms.Key(
            f"{name}-{domain}",
            description=f"{path_of_stack()}: {domain}",
            deletion_window_in_days=args.deletion_window_days,
            enable_key_rotation=True,
            rotation_period_in_days=args.rotation_days,
            policy=json.dumps(policy),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        kms.Alias(
            f"{name}-{domain}-alias",
            name=f"alias/{plain_of_stack(domain)}",
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["name"]),
        )
        return key.arn
