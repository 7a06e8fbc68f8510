"""Every type of resource: what it is charged for, that it is free, or why it is not priced."""

from collections.abc import Mapping

from lgp.costing.charge import Rule
from lgp.costing.compute import clusters, node_groups
from lgp.costing.network import addresses, balancers, endpoints, firewalls, gateways, networks, records
from lgp.costing.stores import buckets, caches, charts, databases, registries, volumes
from lgp.costing.upkeep import external_secrets, keys, log_groups, secrets

RULES: Mapping[str, Rule] = {
    "aws:eks/cluster:Cluster": clusters,
    "aws:eks/nodeGroup:NodeGroup": node_groups,
    "aws:rds/instance:Instance": databases,
    "aws:elasticache/replicationGroup:ReplicationGroup": caches,
    "aws:ec2/vpc:Vpc": networks,
    "aws:ec2/natGateway:NatGateway": gateways,
    "aws:ec2/eip:Eip": addresses,
    "aws:ec2/vpcEndpoint:VpcEndpoint": endpoints,
    "aws:lb/loadBalancer:LoadBalancer": balancers,
    "aws:wafv2/webAcl:WebAcl": firewalls,
    "aws:route53/record:Record": records,
    "aws:kms/key:Key": keys,
    "aws:secretsmanager/secret:Secret": secrets,
    "kubernetes:external-secrets.io/v1:ExternalSecret": external_secrets,
    "aws:s3/bucket:Bucket": buckets,
    "aws:ecr/repository:Repository": registries,
    "aws:cloudwatch/logGroup:LogGroup": log_groups,
    "kubernetes:helm.sh/v3:Release": charts,
    "kubernetes:core/v1:PersistentVolumeClaim": volumes,
}
"""In the order of the table."""

_NO_CHARGE = "has no price of its own"
_PART = "part of what it belongs to"

FREE: Mapping[str, str] = {
    "aws:acm/certificate:Certificate": "a public certificate of a balancer is free",
    "aws:acm/certificateValidation:CertificateValidation": _NO_CHARGE,
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": _NO_CHARGE,
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _NO_CHARGE,
    "aws:ec2/flowLog:FlowLog": "charged as the log that it writes",
    "aws:ec2/internetGateway:InternetGateway": _NO_CHARGE,
    "aws:ec2/launchTemplate:LaunchTemplate": "its disks are counted with the nodes",
    "aws:ec2/route:Route": _NO_CHARGE,
    "aws:ec2/routeTable:RouteTable": _NO_CHARGE,
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _NO_CHARGE,
    "aws:ec2/securityGroup:SecurityGroup": _NO_CHARGE,
    "aws:ec2/subnet:Subnet": _NO_CHARGE,
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": _NO_CHARGE,
    "aws:eks/accessEntry:AccessEntry": _NO_CHARGE,
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": _NO_CHARGE,
    "aws:eks/addon:Addon": "AWS's own add-ons are free; their pods run on the nodes",
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": _NO_CHARGE,
    "aws:elasticache/parameterGroup:ParameterGroup": _NO_CHARGE,
    "aws:elasticache/subnetGroup:SubnetGroup": _NO_CHARGE,
    "aws:elasticache/user:User": _NO_CHARGE,
    "aws:elasticache/userGroup:UserGroup": _NO_CHARGE,
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": _NO_CHARGE,
    "aws:iam/policy:Policy": _NO_CHARGE,
    "aws:iam/role:Role": _NO_CHARGE,
    "aws:iam/rolePolicy:RolePolicy": _NO_CHARGE,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _NO_CHARGE,
    "aws:kms/alias:Alias": _NO_CHARGE,
    "aws:kms/grant:Grant": _NO_CHARGE,
    "aws:lb/listener:Listener": _PART,
    "aws:lb/listenerCertificate:ListenerCertificate": _PART,
    "aws:lb/listenerRule:ListenerRule": _PART,
    "aws:lb/targetGroup:TargetGroup": _PART,
    "aws:rds/parameterGroup:ParameterGroup": _NO_CHARGE,
    "aws:rds/subnetGroup:SubnetGroup": _NO_CHARGE,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _PART,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _PART,
    "aws:s3/bucketPolicy:BucketPolicy": _PART,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _PART,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _PART,
    "aws:s3/bucketVersioning:BucketVersioning": _PART,
    "aws:secretsmanager/secretPolicy:SecretPolicy": _PART,
    "aws:secretsmanager/secretRotation:SecretRotation": _PART,
    "aws:secretsmanager/secretVersion:SecretVersion": _PART,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _NO_CHARGE,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _NO_CHARGE,
    "aws:wafv2/webAclAssociation:WebAclAssociation": _PART,
}
"""AWS types without a charge, and why."""

NOT_PRICED: Mapping[str, str] = {
    "aws:backup/plan:Plan": "backups cost what they hold; AWS Backup's price per GB is not in the table",
    "aws:backup/vault:Vault": "backups cost what they hold; AWS Backup's price per GB is not in the table",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "alarms are not in the table",
    "aws:sns/topic:Topic": "messages are not in the table",
}
"""AWS types that cost something which the table does not hold, and why."""


def why_not(type_: str) -> str:
    """The reason that is told of a type which has no rule and is not free."""
    return NOT_PRICED.get(type_, "this type is not in the catalogue: look it up before you rely on the sum")
