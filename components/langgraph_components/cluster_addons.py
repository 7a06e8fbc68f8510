"""The add-ons that EKS keeps, in two phases: a node needs the first to be ready, the second needs a node."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import eks, iam

from langgraph_components.cluster_nodes import attach
from langgraph_components.pure import cluster_policies as policies
from langgraph_components.pure.iam import Policy, trust_pod_identity

_SETTINGS: Mapping[str, Mapping[str, Any]] = {"vpc-cni": {"enableNetworkPolicy": "true"}}
"""Without it every NetworkPolicy is accepted and none enforced."""

_NAMESPACE = "kube-system"


@dataclass(frozen=True)
class AddonIdentity:
    """The role of an add-on's service account: the nodes' own role then needs no such rights."""

    service_account: str
    managed: tuple[str, ...]
    policy: Policy | None = None


@dataclass(frozen=True)
class Addons:
    """The add-ons of one cluster."""

    name: str
    cluster: eks.Cluster
    account_id: str
    region: str
    versions: Mapping[str, str]
    identities: Mapping[str, AddonIdentity]
    parent: pulumi.Resource

    def declare(self, wanted: Sequence[str], after: Sequence[pulumi.Resource] = ()) -> list[eks.Addon]:
        """These add-ons, each after all of `after`."""
        return [self._addon(addon, after) for addon in wanted]

    def _addon(self, addon: str, after: Sequence[pulumi.Resource]) -> eks.Addon:
        settings, identity = _SETTINGS.get(addon), self.identities.get(addon)
        role, parts = self._role(addon, identity) if identity else (None, [])
        return eks.Addon(
            f"{self.name}-{addon}",
            cluster_name=self.cluster.name,
            addon_name=addon,
            addon_version=self.versions[addon],
            configuration_values=json.dumps(settings) if settings else None,
            pod_identity_associations=[
                eks.AddonPodIdentityAssociationArgs(
                    role_arn=role.arn, service_account=identity.service_account
                )
            ]
            if role and identity
            else None,
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            opts=pulumi.ResourceOptions(parent=self.parent, depends_on=[*after, *parts]),
        )

    def _role(self, addon: str, identity: AddonIdentity) -> tuple[iam.Role, list[pulumi.Resource]]:
        trust = trust_pod_identity(
            self.account_id,
            self.cluster.arn,
            namespace=_NAMESPACE,
            service_account=identity.service_account,
        )
        opts = pulumi.ResourceOptions(parent=self.parent)
        name = f"{self.name}-{addon}"
        role = iam.Role(name, assume_role_policy=pulumi.Output.json_dumps(trust), opts=opts)
        parts: list[pulumi.Resource] = [*attach(name, role, self.region, identity.managed, self.parent)]
        if identity.policy is not None:
            document = pulumi.Output.json_dumps(identity.policy)
            parts.append(iam.RolePolicy(name, role=role.name, policy=document, opts=opts))
        return role, parts


def identities(key_arn: Any) -> dict[str, AddonIdentity]:
    """Who among the add-ons calls AWS: the network for addresses, the volumes' driver for disks."""
    return {
        "vpc-cni": AddonIdentity("aws-node", policies.NETWORK),
        "aws-ebs-csi-driver": AddonIdentity(
            "ebs-csi-controller-sa", policies.VOLUMES, policies.encrypted_volumes(key_arn)
        ),
    }
