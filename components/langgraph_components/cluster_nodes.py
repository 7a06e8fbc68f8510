"""The machines of a cluster: a role that can do little, disks with our key, metadata closed to pods."""

from collections.abc import Sequence
from typing import cast

import pulumi
from pulumi_aws import ec2, eks, iam, kms

from langgraph_components.args import In
from langgraph_components.cluster_args import ClusterArgs, NodeSettings
from langgraph_components.physical_names import stack_tags
from langgraph_components.pure import cluster_policies as policies
from langgraph_components.pure.iam import trust_service

_PREFIX_LIMIT = 37
"""Characters; EKS adds its own to make 63."""
_ROOT, _BOTTLEROCKET_DATA = "/dev/xvda", "/dev/xvdb"


def service_role(
    name: str, service: str, region: str, managed: Sequence[str], parent: pulumi.Resource
) -> tuple[iam.Role, list[iam.RolePolicyAttachment]]:
    """A role of an AWS service, with policies that AWS keeps."""
    opts = pulumi.ResourceOptions(parent=parent)
    role = iam.Role(name, assume_role_policy=pulumi.Output.json_dumps(trust_service(service)), opts=opts)
    return role, attach(name, role, region, managed, parent)


def attach(
    name: str, role: iam.Role, region: str, managed: Sequence[str], parent: pulumi.Resource
) -> list[iam.RolePolicyAttachment]:
    """Policies that AWS keeps, each by its own name."""
    return [
        iam.RolePolicyAttachment(
            f"{name}-{policy}",
            role=role.name,
            policy_arn=policies.managed(region, policy),
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for policy in managed
    ]


def node_group(
    name: str,
    cluster: eks.Cluster,
    args: ClusterArgs,
    before: Sequence[pulumi.Resource],
    parent: pulumi.Resource,
) -> eks.NodeGroup:
    """The nodes. They start after `before`, and a change that AWS makes by replacing them overlaps.

    The instance types are the group's and not the template's: only so can there be several.
    """
    role, attached = service_role(f"{name}-node", "ec2.amazonaws.com", args.region, policies.NODE, parent)
    template = _template(name, cluster, args, parent)
    nodes = args.nodes
    return eks.NodeGroup(
        f"{name}-nodes",
        cluster_name=cluster.name,
        # unique in its cluster is enough: the name of the stack is not in it
        node_group_name_prefix=f"{name}-"[:_PREFIX_LIMIT],
        node_role_arn=role.arn,
        subnet_ids=cast("In[list[In[str]]]", args.subnet_ids),
        # the nodes follow the control plane; without it they would stay behind
        version=cluster.version,
        ami_type=nodes.ami_type,
        capacity_type=nodes.capacity_type,
        instance_types=nodes.instance_types,
        scaling_config=eks.NodeGroupScalingConfigArgs(
            min_size=nodes.min_size,
            max_size=nodes.max_size,
            desired_size=nodes.desired_size or nodes.min_size,
        ),
        update_config=eks.NodeGroupUpdateConfigArgs(max_unavailable_percentage=33),
        node_repair_config=eks.NodeGroupNodeRepairConfigArgs(enabled=True),
        launch_template=eks.NodeGroupLaunchTemplateArgs(
            id=template.id, version=template.latest_version.apply(str)
        ),
        opts=pulumi.ResourceOptions(
            parent=parent,
            depends_on=[*before, *attached, _disk_grant(name, args, parent)],
            # without a size of ours, a node autoscaler's decision is no drift
            ignore_changes=None if nodes.desired_size else ["scalingConfig.desiredSize"],
        ),
    )


def _disk_grant(name: str, args: ClusterArgs, parent: pulumi.Resource) -> kms.Grant:
    """Nodes with disks under a key of ours start only if the service that starts them may use it."""
    before: list[pulumi.Resource] = []
    if args.create_node_starter:
        starter = iam.ServiceLinkedRole(
            f"{name}-node-starter",
            aws_service_name="autoscaling.amazonaws.com",
            # the account's, not the stack's: others may have come to rely on it
            opts=pulumi.ResourceOptions(parent=parent, retain_on_delete=True),
        )
        before.append(starter)
    return kms.Grant(
        f"{name}-node-disks",
        key_id=cast("In[str]", args.cluster_key_arn),
        grantee_principal=policies.node_starter(args.account_id, args.region),
        operations=list(policies.DISK_KEY_OPERATIONS),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=before),
    )


def _template(
    name: str, cluster: eks.Cluster, args: ClusterArgs, parent: pulumi.Resource
) -> ec2.LaunchTemplate:
    tags = {**stack_tags(args.tags), "Name": pulumi.Output.concat(cluster.name, "-node")}
    return ec2.LaunchTemplate(
        f"{name}-node",
        update_default_version=True,
        block_device_mappings=_disks(args.nodes, cast("In[str]", args.cluster_key_arn)),
        # hop limit 1: an answer does not reach a pod, so no pod borrows the node's role
        metadata_options=ec2.LaunchTemplateMetadataOptionsArgs(
            http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
        ),
        # a provider's default tags do not reach what the template makes
        tag_specifications=[
            ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=tags)
            for kind in ("instance", "volume", "network-interface")
        ],
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _disks(nodes: NodeSettings, key_arn: In[str]) -> list[ec2.LaunchTemplateBlockDeviceMappingArgs]:
    """Bottlerocket keeps its system, of a size of its own, apart from images and logs."""
    if "BOTTLEROCKET" in nodes.ami_type:
        return [_disk(_ROOT, None, key_arn), _disk(_BOTTLEROCKET_DATA, nodes.disk_gib, key_arn)]
    return [_disk(_ROOT, nodes.disk_gib, key_arn)]


def _disk(device: str, gib: int | None, key_arn: In[str]) -> ec2.LaunchTemplateBlockDeviceMappingArgs:
    return ec2.LaunchTemplateBlockDeviceMappingArgs(
        device_name=device,
        ebs=ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
            delete_on_termination="true",
            encrypted="true",
            kms_key_id=key_arn,
            volume_size=gib,
            volume_type="gp3",
        ),
    )
