"""What the cluster, its nodes and its add-ons may do: AWS's own policies where AWS keeps them, else ours."""

from typing import Any

from langgraph_components.pure.iam import Policy, allow, document, partition

CLUSTER = ("AmazonEKSClusterPolicy",)
NODE = ("AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodePolicy")
"""Join the cluster and pull images: neither the network's policy, which is the CNI's alone, nor a shell."""
NETWORK = ("AmazonEKS_CNI_Policy",)
VOLUMES = ("AmazonEBSCSIDriverPolicyV2",)
"""Since April 2026; only volumes that the driver itself made (kubernetes-sigs/aws-ebs-csi-driver#2918)."""

DISK_KEY_OPERATIONS = (
    "CreateGrant",
    "Decrypt",
    "DescribeKey",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
)
"""What the service that starts nodes does with the key of their disks."""


def managed(region: str, policy: str) -> str:
    """ARN of a policy that AWS keeps."""
    return f"arn:{partition(region)}:iam::aws:policy/{policy}"


def access_policy(region: str, policy: str) -> str:
    """ARN of a policy of EKS's own access entries, such as `AmazonEKSClusterAdminPolicy`."""
    return f"arn:{partition(region)}:eks::aws:cluster-access-policy/{policy}"


def node_starter(account_id: str, region: str) -> str:
    """ARN of the service-linked role that starts a node group's machines."""
    path = "aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    return f"arn:{partition(region)}:iam::{account_id}:role/{path}"


def secrets_encryption(key_arn: Any) -> Policy:
    """The control plane encrypts the Kubernetes secrets with this key."""
    actions = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:ListGrants")
    return document(allow("SecretsKey", actions, [key_arn]))


def encrypted_volumes(key_arn: Any) -> Policy:
    """The driver makes volumes that are encrypted with this key, and lets EC2 use it to attach them."""
    use = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")
    grants = ("kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant")
    for_aws = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    return document(
        allow("VolumesKey", use, [key_arn]),
        allow("AttachVolumes", grants, [key_arn], conditions=for_aws),
    )
