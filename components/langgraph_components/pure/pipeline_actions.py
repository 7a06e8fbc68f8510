"""Which actions of AWS each type of resource needs: to be read, and to be made, changed and deleted.

From Terraform's provider for AWS, which Pulumi's is made of, by the mapping of the project pike
(github.com/JamesWoolfenden/pike at 085701b, `src/mapping/aws/resource/`), as far as the components set a
property; corrected where the provider's source calls more. A test has a row here for each type of each stack,
and each action in AWS's own reference.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Needs:
    """The actions of one type."""

    reads: tuple[str, ...]
    """To refresh it: a preview with a refresh, a search for drift."""
    writes: tuple[str, ...]
    """To make, change, tag and delete it."""


def _needs(service: str, reads: str, writes: str) -> Needs:
    def whole(names: str) -> tuple[str, ...]:
        return tuple(name if ":" in name else f"{service}:{name}" for name in names.split())

    return Needs(whole(reads), whole(writes))


_GROUP_RULES = "AuthorizeSecurityGroup{0} RevokeSecurityGroup{0}"
_TAGS = "CreateTags DeleteTags"

_EC2 = {
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": (
        "DescribeSecurityGroups DescribeSecurityGroupRules",
        f"{_GROUP_RULES.format('Ingress')} {_GROUP_RULES.format('Egress')} {_TAGS}",
    ),
    "aws:ec2/eip:Eip": (
        "DescribeAddresses DescribeAddressesAttribute",
        f"AllocateAddress ReleaseAddress DisassociateAddress {_TAGS}",
    ),
    "aws:ec2/flowLog:FlowLog": ("DescribeFlowLogs", f"CreateFlowLogs DeleteFlowLogs iam:PassRole {_TAGS}"),
    "aws:ec2/internetGateway:InternetGateway": (
        "DescribeInternetGateways",
        f"CreateInternetGateway DeleteInternetGateway AttachInternetGateway DetachInternetGateway {_TAGS}",
    ),
    "aws:ec2/launchTemplate:LaunchTemplate": (
        "DescribeLaunchTemplates DescribeLaunchTemplateVersions DescribeInstanceTypes",
        f"CreateLaunchTemplate CreateLaunchTemplateVersion ModifyLaunchTemplate DeleteLaunchTemplate {_TAGS}",
    ),
    "aws:ec2/natGateway:NatGateway": (
        "DescribeNatGateways",
        f"CreateNatGateway DeleteNatGateway {_TAGS}",
    ),
    "aws:ec2/route:Route": ("DescribeRouteTables", "CreateRoute ReplaceRoute DeleteRoute"),
    "aws:ec2/routeTable:RouteTable": (
        "DescribeRouteTables",
        f"CreateRouteTable DeleteRouteTable {_TAGS}",
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": (
        "DescribeRouteTables",
        "AssociateRouteTable DisassociateRouteTable ReplaceRouteTableAssociation",
    ),
    "aws:ec2/securityGroup:SecurityGroup": (
        "DescribeSecurityGroups DescribeSecurityGroupRules DescribeNetworkInterfaces",
        f"CreateSecurityGroup DeleteSecurityGroup {_GROUP_RULES.format('Egress')} {_TAGS}",
    ),
    "aws:ec2/subnet:Subnet": (
        "DescribeSubnets DescribeNetworkInterfaces",
        f"CreateSubnet DeleteSubnet ModifySubnetAttribute {_TAGS}",
    ),
    "aws:ec2/vpc:Vpc": (
        "DescribeVpcs DescribeVpcAttribute DescribeNetworkAcls DescribeRouteTables DescribeSecurityGroups",
        f"CreateVpc DeleteVpc ModifyVpcAttribute {_TAGS}",
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": (
        "DescribeVpcEndpoints DescribePrefixLists",
        f"CreateVpcEndpoint ModifyVpcEndpoint DeleteVpcEndpoints {_TAGS}",
    ),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": (
        "DescribeSecurityGroupRules",
        f"{_GROUP_RULES.format('Egress')} ModifySecurityGroupRules {_TAGS}",
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": (
        "DescribeSecurityGroupRules",
        f"{_GROUP_RULES.format('Ingress')} ModifySecurityGroupRules {_TAGS}",
    ),
}

_EKS = {
    "aws:eks/accessEntry:AccessEntry": (
        "DescribeAccessEntry",
        "CreateAccessEntry UpdateAccessEntry DeleteAccessEntry TagResource UntagResource",
    ),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": (
        "ListAssociatedAccessPolicies",
        "AssociateAccessPolicy DisassociateAccessPolicy",
    ),
    "aws:eks/addon:Addon": (
        "DescribeAddon DescribeAddonVersions DescribeUpdate DescribePodIdentityAssociation",
        "CreateAddon UpdateAddon DeleteAddon CreatePodIdentityAssociation UpdatePodIdentityAssociation "
        "DeletePodIdentityAssociation iam:PassRole iam:GetRole TagResource UntagResource",
    ),
    "aws:eks/cluster:Cluster": (
        "DescribeCluster DescribeUpdate ec2:DescribeSubnets ec2:DescribeVpcs",
        "CreateCluster DeleteCluster UpdateClusterConfig UpdateClusterVersion iam:PassRole iam:GetRole "
        "iam:CreateServiceLinkedRole kms:DescribeKey kms:CreateGrant TagResource UntagResource",
    ),
    "aws:eks/nodeGroup:NodeGroup": (
        "DescribeNodegroup DescribeUpdate ec2:DescribeSubnets ec2:DescribeLaunchTemplateVersions",
        "CreateNodegroup UpdateNodegroupConfig UpdateNodegroupVersion DeleteNodegroup ec2:RunInstances "
        "iam:PassRole iam:GetRole iam:ListAttachedRolePolicies iam:CreateServiceLinkedRole "
        "TagResource UntagResource",
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": (
        "DescribePodIdentityAssociation",
        "CreatePodIdentityAssociation UpdatePodIdentityAssociation DeletePodIdentityAssociation iam:PassRole "
        "iam:GetRole TagResource UntagResource",
    ),
}

_ELASTICACHE = {
    "aws:elasticache/parameterGroup:ParameterGroup": (
        "DescribeCacheParameterGroups DescribeCacheParameters ListTagsForResource",
        "CreateCacheParameterGroup ModifyCacheParameterGroup DeleteCacheParameterGroup",
    ),
    "aws:elasticache/replicationGroup:ReplicationGroup": (
        "DescribeReplicationGroups DescribeCacheClusters ListTagsForResource",
        "CreateReplicationGroup ModifyReplicationGroup DeleteReplicationGroup IncreaseReplicaCount "
        "DecreaseReplicaCount iam:CreateServiceLinkedRole kms:DescribeKey kms:CreateGrant",
    ),
    "aws:elasticache/subnetGroup:SubnetGroup": (
        "DescribeCacheSubnetGroups ListTagsForResource",
        "CreateCacheSubnetGroup ModifyCacheSubnetGroup DeleteCacheSubnetGroup",
    ),
    "aws:elasticache/user:User": (
        "DescribeUsers ListTagsForResource",
        "CreateUser ModifyUser DeleteUser",
    ),
    "aws:elasticache/userGroup:UserGroup": (
        "DescribeUserGroups ListTagsForResource",
        "CreateUserGroup ModifyUserGroup DeleteUserGroup",
    ),
}

_RDS = {
    "aws:rds/instance:Instance": (
        "DescribeDBInstances ListTagsForResource ec2:DescribeAccountAttributes ec2:DescribeAvailabilityZones "
        "ec2:DescribeInternetGateways ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcs "
        "ec2:DescribeVpcAttribute",
        "CreateDBInstance CreateDBInstanceReadReplica ModifyDBInstance RebootDBInstance DeleteDBInstance "
        "CreateDBSnapshot iam:PassRole iam:CreateServiceLinkedRole kms:DescribeKey kms:CreateGrant "
        "secretsmanager:CreateSecret secretsmanager:TagResource",
    ),
    "aws:rds/parameterGroup:ParameterGroup": (
        "DescribeDBParameterGroups DescribeDBParameters ListTagsForResource",
        "CreateDBParameterGroup ModifyDBParameterGroup ResetDBParameterGroup DeleteDBParameterGroup",
    ),
    "aws:rds/subnetGroup:SubnetGroup": (
        "DescribeDBSubnetGroups ListTagsForResource",
        "CreateDBSubnetGroup ModifyDBSubnetGroup DeleteDBSubnetGroup",
    ),
}

_BALANCING = {
    "aws:lb/listener:Listener": (
        "DescribeListeners DescribeListenerAttributes DescribeTags",
        "CreateListener ModifyListener ModifyListenerAttributes DeleteListener",
    ),
    "aws:lb/loadBalancer:LoadBalancer": (
        "DescribeLoadBalancers DescribeLoadBalancerAttributes DescribeCapacityReservation DescribeTags "
        "ec2:DescribeNetworkInterfaces ec2:DescribeAccountAttributes ec2:DescribeAvailabilityZones "
        "ec2:DescribeInternetGateways ec2:DescribeAddresses",
        "CreateLoadBalancer ModifyLoadBalancerAttributes SetSecurityGroups SetSubnets SetIpAddressType "
        "DeleteLoadBalancer iam:CreateServiceLinkedRole",
    ),
    "aws:lb/targetGroup:TargetGroup": (
        "DescribeTargetGroups DescribeTargetGroupAttributes DescribeTargetHealth DescribeTags",
        "CreateTargetGroup ModifyTargetGroup ModifyTargetGroupAttributes DeleteTargetGroup",
    ),
}

_S3 = {
    "aws:s3/bucket:Bucket": (
        "ListBucket ListTagsForResource GetBucketAcl GetBucketCORS GetBucketLocation GetBucketLogging "
        "GetBucketObjectLockConfiguration GetBucketPolicy GetBucketRequestPayment GetBucketTagging "
        "GetBucketVersioning GetBucketWebsite GetAccelerateConfiguration GetEncryptionConfiguration "
        "GetLifecycleConfiguration GetReplicationConfiguration",
        "CreateBucket DeleteBucket PutBucketTagging ListBucketVersions DeleteObject DeleteObjectVersion",
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": (
        "GetLifecycleConfiguration",
        "PutLifecycleConfiguration",
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": (
        "GetBucketOwnershipControls",
        "PutBucketOwnershipControls",
    ),
    "aws:s3/bucketPolicy:BucketPolicy": ("GetBucketPolicy", "PutBucketPolicy DeleteBucketPolicy"),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": (
        "GetBucketPublicAccessBlock",
        "PutBucketPublicAccessBlock",
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "GetEncryptionConfiguration",
        "PutEncryptionConfiguration",
    ),
    "aws:s3/bucketVersioning:BucketVersioning": ("GetBucketVersioning", "PutBucketVersioning"),
}

_IAM = {
    "aws:iam/role:Role": (
        "GetRole ListRolePolicies ListAttachedRolePolicies",
        "CreateRole UpdateRole UpdateAssumeRolePolicy PutRolePermissionsBoundary DeleteRole "
        "ListInstanceProfilesForRole TagRole UntagRole",
    ),
    "aws:iam/rolePolicy:RolePolicy": ("GetRolePolicy", "PutRolePolicy DeleteRolePolicy"),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": (
        "ListAttachedRolePolicies",
        "AttachRolePolicy DetachRolePolicy",
    ),
    "aws:iam/serviceLinkedRole:ServiceLinkedRole": ("GetRole", "CreateServiceLinkedRole"),
}

_KMS = {
    "aws:kms/alias:Alias": ("ListAliases", "CreateAlias UpdateAlias DeleteAlias"),
    "aws:kms/grant:Grant": ("ListGrants", "CreateGrant RevokeGrant"),
    "aws:kms/key:Key": (
        "DescribeKey GetKeyPolicy GetKeyRotationStatus ListResourceTags",
        "CreateKey PutKeyPolicy EnableKeyRotation UpdateKeyDescription ScheduleKeyDeletion "
        "TagResource UntagResource",
    ),
}

_SECRETS = {
    "aws:secretsmanager/secret:Secret": (
        "DescribeSecret GetResourcePolicy",
        "CreateSecret UpdateSecret DeleteSecret TagResource UntagResource",
    ),
    # its provider reads the value back, after each change and at each refresh (`secret_version.go`)
    "aws:secretsmanager/secretVersion:SecretVersion": (
        "GetSecretValue kms:Decrypt",
        "PutSecretValue UpdateSecretVersionStage kms:GenerateDataKey",
    ),
    "aws:secretsmanager/secretRotation:SecretRotation": ("DescribeSecret", "RotateSecret CancelRotateSecret"),
}

_OTHERS = {
    "acm": {
        "aws:acm/certificate:Certificate": (
            "DescribeCertificate ListTagsForCertificate",
            "RequestCertificate DeleteCertificate AddTagsToCertificate RemoveTagsFromCertificate",
        ),
        "aws:acm/certificateValidation:CertificateValidation": ("DescribeCertificate", ""),
    },
    "ecr": {
        "aws:ecr/lifecyclePolicy:LifecyclePolicy": (
            "GetLifecyclePolicy",
            "PutLifecyclePolicy DeleteLifecyclePolicy",
        ),
        "aws:ecr/repository:Repository": (
            "DescribeRepositories ListTagsForResource",
            "CreateRepository DeleteRepository PutImageScanningConfiguration PutImageTagMutability "
            "TagResource UntagResource kms:DescribeKey kms:CreateGrant",
        ),
        # the image is pushed by Docker, with the login that the role asks for
        "docker-build:index:Image": (
            "",
            "GetAuthorizationToken BatchCheckLayerAvailability BatchGetImage GetDownloadUrlForLayer "
            "InitiateLayerUpload UploadLayerPart CompleteLayerUpload PutImage",
        ),
    },
    "logs": {
        "aws:cloudwatch/logGroup:LogGroup": (
            "DescribeLogGroups ListTagsForResource",
            "CreateLogGroup DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy AssociateKmsKey "
            "DisassociateKmsKey TagResource UntagResource",
        ),
    },
    "route53": {
        "aws:route53/record:Record": (
            "GetHostedZone ListResourceRecordSets",
            "ChangeResourceRecordSets GetChange",
        ),
    },
    "wafv2": {
        "aws:wafv2/webAcl:WebAcl": (
            "GetWebACL ListTagsForResource",
            "CreateWebACL UpdateWebACL DeleteWebACL TagResource UntagResource",
        ),
        "aws:wafv2/webAclAssociation:WebAclAssociation": (
            "GetWebACLForResource",
            "AssociateWebACL DisassociateWebACL elasticloadbalancing:SetWebAcl",
        ),
    },
}

_SERVICE_TAGS = {
    "elasticache": "AddTagsToResource RemoveTagsFromResource",
    "rds": "AddTagsToResource RemoveTagsFromResource",
    "elasticloadbalancing": "AddTags RemoveTags",
}
"""Of services whose types are all tagged."""

NEEDS: dict[str, Needs] = {
    kind: _needs(service, reads, f"{writes} {_SERVICE_TAGS.get(service, '')}")
    for service, kinds in {
        "ec2": _EC2,
        "eks": _EKS,
        "elasticache": _ELASTICACHE,
        "elasticloadbalancing": _BALANCING,
        "iam": _IAM,
        "kms": _KMS,
        "rds": _RDS,
        "s3": _S3,
        "secretsmanager": _SECRETS,
        **_OTHERS,
    }.items()
    for kind, (reads, writes) in kinds.items()
}
"""Pulumi's type → what it needs."""

SECRET_READS = ("secretsmanager:GetSecretValue", "kms:Decrypt")
"""Reads that tell a secret: they are not of a preview."""


def reads() -> frozenset[str]:
    """All that a refresh calls, but for what tells a secret."""
    return frozenset(action for each in NEEDS.values() for action in each.reads) - frozenset(SECRET_READS)


def writes() -> frozenset[str]:
    """All that an update calls beside."""
    return frozenset(action for each in NEEDS.values() for action in each.writes)
