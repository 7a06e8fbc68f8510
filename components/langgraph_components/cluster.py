"""Kubernetes: an EKS cluster with its nodes and add-ons, or one that is there already."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Optional, cast

import pulumi
from pulumi_aws import cloudwatch, eks, iam, vpc
from pulumi_kubernetes import Provider
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.storage.v1 import StorageClass

from langgraph_components.args import In
from langgraph_components.cluster_addons import Addons, identities
from langgraph_components.cluster_args import ClusterArgs, ExistingCluster
from langgraph_components.cluster_nodes import node_group, service_role
from langgraph_components.ordering import after
from langgraph_components.physical_names import plain_of_stack, stack_tags
from langgraph_components.pod_role import pod_role
from langgraph_components.pure import cluster_policies as policies
from langgraph_components.pure import eks as facts
from langgraph_components.pure.iam import Policy

_LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")


@dataclass(frozen=True)
class _Access:
    """What reaches a cluster, and what has to be there before anything is declared in it."""

    name: In[str]
    arn: In[str]
    endpoint: In[str]
    certificate_authority: In[str]
    security_group_id: In[str]
    ready: Sequence[pulumi.Resource] = ()


class Cluster(pulumi.ComponentResource):
    """An EKS cluster whose nodes are private, whose secrets are encrypted, and whose rights are listed.

    Python programs find in `provider` the Kubernetes provider that waits until the cluster can run pods.
    """

    name: pulumi.Output[str]
    """Name of the EKS cluster."""
    arn: pulumi.Output[str]
    """ARN of the EKS cluster, which roles of pods are bound to."""
    endpoint: pulumi.Output[str]
    """URL of the API server."""
    certificate_authority: pulumi.Output[str]
    """Certificate authority of the API server, base64: what a kubeconfig needs beside name and endpoint."""
    security_group_id: pulumi.Output[str]
    """Security group of the nodes and, by them, of the pods; database and cache admit it."""

    def __init__(self, name: str, args: ClusterArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        """Declare the cluster, or only its provider where `existing` is given."""
        super().__init__("langgraph:index:Cluster", name, {}, opts)
        settings = ClusterArgs.of(args)
        access = _adopt(settings.existing) if settings.existing else self._create(name, settings)
        self._account_id = settings.account_id
        self.name = pulumi.Output.from_input(access.name)
        self.arn = pulumi.Output.from_input(access.arn)
        self.endpoint = pulumi.Output.from_input(access.endpoint)
        self.certificate_authority = pulumi.Output.from_input(access.certificate_authority)
        self.security_group_id = pulumi.Output.from_input(access.security_group_id)
        self.provider = self._kubernetes(name, access, settings)
        if settings.existing is None:
            _storage_class(name, self, settings)
        self.register_outputs(
            {
                "name": self.name,
                "arn": self.arn,
                "endpoint": self.endpoint,
                "certificateAuthority": self.certificate_authority,
                "securityGroupId": self.security_group_id,
            }
        )

    def pod_identity(
        self,
        name: str,
        *,
        namespace: str,
        service_account: str,
        policy: Policy,
        parent: pulumi.Resource,
    ) -> pulumi.Output[str]:
        """Give a service account's pods a role of their own with this policy; returns the role's ARN.

        The ARN is known when the association is there. Pods that start earlier have no credentials:
        let what starts them take the ARN, for example as an annotation.
        """
        role, ready = pod_role(
            name,
            parent=parent,
            account_id=self._account_id,
            cluster_name=self.name,
            cluster_arn=self.arn,
            namespace=namespace,
            service_account=service_account,
            policy=pulumi.Output.json_dumps(policy),
        )
        return after(role.arn, *ready)

    def _create(self, name: str, args: ClusterArgs) -> _Access:
        if notice := facts.support_notice(args.version, datetime.now(UTC).date()):
            pulumi.log.warn(notice, self)
        cluster = self._control_plane(name, args)
        addons = Addons(
            name,
            cluster,
            args.account_id,
            args.region,
            facts.addon_versions(args.version, args.addon_versions),
            identities(args.cluster_key_arn),
            self,
        )
        before = addons.declare(facts.BEFORE_NODES)
        nodes = node_group(name, cluster, args, before, self)
        after = addons.declare(facts.AFTER_NODES, [nodes])
        entries = self._entries(name, cluster, args)
        group = cluster.vpc_config.apply(lambda network: cast("str", network.cluster_security_group_id))
        doors = self._doors(name, group, args.endpoint_private_cidrs)
        return _Access(
            cluster.name,
            cluster.arn,
            cluster.endpoint,
            cluster.certificate_authority.apply(lambda authority: cast("str", authority.data)),
            group,
            [*after, *entries, *doors],
        )

    def _doors(self, name: str, group: pulumi.Output[str], cidrs: Sequence[str]) -> list[pulumi.Resource]:
        """Whoever deploys from inside the network: the cluster's security group admits only its own."""
        return [
            vpc.SecurityGroupIngressRule(
                f"{name}-api-{index}",
                security_group_id=group,
                description="API server",
                cidr_ipv4=cidr,
                ip_protocol="tcp",
                from_port=443,
                to_port=443,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for index, cidr in enumerate(cidrs)
        ]

    def _control_plane(self, name: str, args: ClusterArgs) -> eks.Cluster:
        # a name that somebody chose is meant; a computed one is kept when the stack gets another name
        kept = None if args.cluster_name else ["name"]
        called = args.cluster_name or plain_of_stack()
        role, attached = service_role(
            f"{name}-cluster", "eks.amazonaws.com", args.region, policies.CLUSTER, self
        )
        secrets = iam.RolePolicy(
            f"{name}-secrets",
            role=role.name,
            policy=pulumi.Output.json_dumps(policies.secrets_encryption(args.cluster_key_arn)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        # EKS would make it itself: kept for ever, and readable without our key
        logs = cloudwatch.LogGroup(
            f"{name}-logs",
            name=f"/aws/eks/{called}/cluster",
            kms_key_id=args.logs_key_arn,
            retention_in_days=args.log_retention_days,
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=kept),
        )
        return eks.Cluster(
            f"{name}-eks",
            name=called,
            role_arn=role.arn,
            version=args.version,
            vpc_config=_network(args),
            access_config=eks.ClusterAccessConfigArgs(
                authentication_mode="API", bootstrap_cluster_creator_admin_permissions=False
            ),
            encryption_config=eks.ClusterEncryptionConfigArgs(
                provider=eks.ClusterEncryptionConfigProviderArgs(
                    key_arn=cast("In[str]", args.cluster_key_arn)
                ),
                resources=["secrets"],
            ),
            enabled_cluster_log_types=list(_LOGS),
            bootstrap_self_managed_addons=False,
            upgrade_policy=eks.ClusterUpgradePolicyArgs(support_type="STANDARD"),
            zonal_shift_config=eks.ClusterZonalShiftConfigArgs(enabled=args.zonal_shift),
            deletion_protection=args.deletion_protection,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.protect,
                depends_on=[*attached, secrets, logs],
                ignore_changes=kept,
            ),
        )

    def _entries(self, name: str, cluster: eks.Cluster, args: ClusterArgs) -> list[pulumi.Resource]:
        rights = (
            ("admin", "AmazonEKSClusterAdminPolicy", args.admin_principals),
            ("viewer", "AmazonEKSViewPolicy", args.viewer_principals),
            ("auditor", "AmazonEKSAdminViewPolicy", args.auditor_principals),
        )
        return [
            self._entry(name, kind, arn, policy, cluster, args.region)
            for kind, policy, principals in rights
            for arn in principals
        ]

    def _entry(  # noqa: PLR0913, PLR0917  # an entry has these parts
        self, name: str, kind: str, arn: str, policy: str, cluster: eks.Cluster, region: str
    ) -> pulumi.Resource:
        """The entry and its rights. Its key is the principal, so it goes before it comes again."""
        label = f"{name}-{kind}-{facts.principal_name(arn)}"
        entry = eks.AccessEntry(
            label,
            cluster_name=cluster.name,
            principal_arn=arn,
            type="STANDARD",
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        return eks.AccessPolicyAssociation(
            label,
            cluster_name=cluster.name,
            principal_arn=entry.principal_arn,
            policy_arn=policies.access_policy(region, policy),
            access_scope=eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"),
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )

    def _kubernetes(self, name: str, access: _Access, args: ClusterArgs) -> Provider:
        config = facts.kubeconfig(
            access.name,
            access.endpoint,
            access.certificate_authority,
            region=args.region,
            role_arn=args.deployer_role_arn,
        )
        return Provider(
            f"{name}-kubernetes",
            kubeconfig=pulumi.Output.secret(pulumi.Output.json_dumps(config)),
            # another text of the kubeconfig is then no other cluster: nothing in it is replaced
            cluster_identifier=access.endpoint,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(access.ready)),
        )


def _adopt(existing: ExistingCluster) -> _Access:
    return _Access(
        existing.name,
        existing.arn,
        existing.endpoint,
        existing.certificate_authority,
        existing.security_group_id,
    )


def _network(args: ClusterArgs) -> eks.ClusterVpcConfigArgs:
    return eks.ClusterVpcConfigArgs(
        subnet_ids=cast("In[list[In[str]]]", args.subnet_ids),
        endpoint_private_access=True,
        endpoint_public_access=bool(args.endpoint_public_cidrs),
        public_access_cidrs=args.endpoint_public_cidrs or None,
    )


def _storage_class(name: str, cluster: Cluster, args: ClusterArgs) -> None:
    """The disks of whoever asks for one: gp3, our key, our tags, in the zone of the pod."""
    tags = enumerate(sorted(stack_tags(args.tags).items()), start=1)
    StorageClass(
        f"{name}-gp3",
        metadata=ObjectMetaArgs(
            name="gp3", annotations={"storageclass.kubernetes.io/is-default-class": "true"}
        ),
        provisioner="ebs.csi.aws.com",
        parameters={
            "type": "gp3",
            "encrypted": "true",
            "kmsKeyId": cast("In[str]", args.cluster_key_arn),
            # the driver's way to tags: github.com/kubernetes-sigs/aws-ebs-csi-driver, docs/tagging.md
            **{f"tagSpecification_{n}": f"{key}={value}" for n, (key, value) in tags},
        },
        volume_binding_mode="WaitForFirstConsumer",
        reclaim_policy="Delete",
        allow_volume_expansion=True,
        # a class's parameters never change: for another tag it would be made anew, and no volume be another
        opts=pulumi.ResourceOptions(parent=cluster, provider=cluster.provider, ignore_changes=["parameters"]),
    )
