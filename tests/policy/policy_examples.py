"""For every rule something that keeps it, and something that breaks it."""

from policy.policy_resources import (
    AWS_KEY,
    BUDGET,
    CACHE,
    CLASS,
    CLUSTER,
    DATABASE,
    DENY,
    DEPLOYMENT,
    FIRST,
    KEY,
    POD,
    TEMPLATE,
    Json,
    changed,
    made,
    policy,
)

from langgraph_policy import Hidden, Resource

RDS = "aws:rds/instance:Instance"
REDIS = "aws:elasticache/replicationGroup:ReplicationGroup"
EKS = "aws:eks/cluster:Cluster"
LAUNCH = "aws:ec2/launchTemplate:LaunchTemplate"
STORAGE_CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"
DEPLOY = "kubernetes:apps/v1:Deployment"
PARAMETERS = "aws:rds/parameterGroup:ParameterGroup"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
LISTENER = "aws:lb/listener:Listener"
REPOSITORY = "aws:ecr/repository:Repository"
LOGS = "aws:cloudwatch/logGroup:LogGroup"
KMS = "aws:kms/key:Key"
SECRET = "aws:secretsmanager/secret:Secret"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
PROVIDER = "pulumi:providers:aws"
NAMESPACE = "kubernetes:core/v1:Namespace"
NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
PDB = "kubernetes:policy/v1:PodDisruptionBudget"
RBAC = "kubernetes:rbac.authorization.k8s.io/v1:"
CHART = "kubernetes:helm.sh/v3:Release"

Example = tuple[list[Resource], list[Resource]]


def _of(type_: str, good: Json, **bad: object) -> Example:
    """One resource, and the same with another value."""
    return [made(type_, good)], [made(type_, changed(good, **bad))]


def _of_database(**bad: object) -> Example:
    return _of(RDS, DATABASE, **bad)


def _of_pod(**bad: object) -> Example:
    return _of(
        DEPLOY, DEPLOYMENT, **{key.replace("first", FIRST).replace("pod", POD): bad[key] for key in bad}
    )


BUCKET = made("aws:s3/bucket:Bucket", {"bucket": "files"}, "bucket")
TLS_ONLY = (
    '{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*",'
    ' "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}'
)


def _of_bucket(kind: str, good: Json, bad: Json) -> Example:
    type_ = f"aws:s3/{kind[0].lower()}{kind[1:]}:{kind}"
    beside = made(type_, good, "beside", to={"bucket": BUCKET})
    return [BUCKET, beside], [BUCKET, made(type_, bad, "beside", to={"bucket": BUCKET})]


BLOCKED = dict.fromkeys(
    ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True
)
ENCRYPTED: Json = {
    "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY}}]
}
VPC = made("aws:ec2/vpc:Vpc", {}, "vpc")
DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
OPEN: Json = {"cidrIpv4": "0.0.0.0/0", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443}
OF_BALANCER = made(GROUP, {}, "balancer")
OPENED = made(INGRESS, OPEN, to={"securityGroupId": OF_BALANCER})
SUBNETS = [made("aws:ec2/subnet:Subnet", {"availabilityZone": zone}, zone) for zone in ("a", "b")]
NAT = "aws:ec2/natGateway:NatGateway"
TABLE = made("aws:ec2/routeTable:RouteTable", {}, "table")
TABLED = made(
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
    {},
    "tabled",
    to={"routeTableId": TABLE, "subnetId": SUBNETS[0]},
)
DATA = made("aws:rds/subnetGroup:SubnetGroup", {}, "data", to={"subnetIds": SUBNETS[0]})
OUT = made("aws:ec2/route:Route", {"destinationCidrBlock": "0.0.0.0/0"}, "out", to={"routeTableId": TABLE})


def _trusting(**statement: object) -> list[Resource]:
    return [made(ROLE, {"assumeRolePolicy": policy(**statement)})]


EXAMPLES: dict[str, Example] = {
    "balancer-deletion-protection": _of(
        BALANCER, {"enableDeletionProtection": True}, enableDeletionProtection=False
    ),
    "balancer-strict": _of(BALANCER, {"dropInvalidHeaderFields": True}, dropInvalidHeaderFields=None),
    "balancer-tls": _of(
        LISTENER,
        {"protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06"},
        sslPolicy="ELBSecurityPolicy-2016-08",
    ),
    "bucket-owner": _of_bucket(
        "BucketOwnershipControls",
        {"rule": {"objectOwnership": "BucketOwnerEnforced"}},
        {"rule": {"objectOwnership": "ObjectWriter"}},
    ),
    "bucket-own-key": _of_bucket(
        "BucketServerSideEncryptionConfiguration",
        ENCRYPTED,
        {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]},
    ),
    "bucket-private": _of_bucket(
        "BucketPublicAccessBlock", BLOCKED, changed(BLOCKED, blockPublicPolicy=False)
    ),
    "bucket-tls": _of_bucket("BucketPolicy", {"policy": TLS_ONLY}, {"policy": policy(Action="s3:GetObject")}),
    "bucket-versions": _of_bucket(
        "BucketVersioning",
        {"versioningConfiguration": {"status": "Enabled"}},
        {"versioningConfiguration": {"status": "Suspended"}},
    ),
    "cache-backed-up": _of(REDIS, CACHE, snapshotRetentionLimit=0),
    "cache-failover": _of(REDIS, CACHE, numCacheClusters=1),
    "cache-login": _of(REDIS, CACHE, userGroupIds=None),
    "cache-own-key": _of(REDIS, CACHE, kmsKeyId=None),
    "cache-private": _of(REDIS, CACHE, subnetGroupName=None),
    "cache-tls": _of(REDIS, CACHE, transitEncryptionMode="preferred"),
    "charts-pinned": _of(
        CHART,
        {"chart": "operator", "version": "1.2.3", "repositoryOpts": {"repo": "https://charts.example.com"}},
        version="^1.2.0",
    ),
    "cluster-access": _of(EKS, CLUSTER, accessConfig__authenticationMode="API_AND_CONFIG_MAP"),
    "cluster-deletion-protection": _of(EKS, CLUSTER, deletionProtection=False),
    "cluster-endpoint": _of(EKS, CLUSTER, vpcConfig__publicAccessCidrs=["0.0.0.0/0"]),
    "cluster-logs": _of(EKS, CLUSTER, enabledClusterLogTypes=["api"]),
    "cluster-secrets-own-key": _of(EKS, CLUSTER, encryptionConfig=None),
    "data-isolated": ([TABLE, TABLED, DATA, *SUBNETS], [TABLE, TABLED, DATA, OUT, *SUBNETS]),
    "database-backed-up": _of_database(backupRetentionPeriod=0),
    "database-backed-up-for-a-week": _of_database(backupRetentionPeriod=6),
    "database-deletion-protection": _of_database(deletionProtection=None),
    "database-final-snapshot": _of_database(skipFinalSnapshot=True),
    "database-logs": _of_database(enabledCloudwatchLogsExports=None),
    "database-multi-az": _of_database(multiAz=False),
    "database-own-key": _of_database(masterUserSecretKmsKeyId=AWS_KEY),
    "database-parameters": _of_database(parameterGroupName="default.postgres18"),
    "database-private": _of_database(publiclyAccessible=True),
    "database-tls": _of(
        PARAMETERS,
        {"family": "postgres18", "parameters": [{"name": "rds.force_ssl", "value": "1"}]},
        parameters=[{"name": "rds.force_ssl", "value": "0"}],
    ),
    "default-group-closed": (
        [VPC, made(DEFAULT_GROUP, {"ingress": [], "egress": []}, to={"vpcId": VPC})],
        [VPC],
    ),
    "disks-own-key": _of(LAUNCH, TEMPLATE, blockDeviceMappings__0__ebs__encrypted="false"),
    "disruption-budget": ([made(DEPLOY, DEPLOYMENT), made(PDB, BUDGET)], [made(DEPLOY, DEPLOYMENT)]),
    "flow-logs": (
        [VPC, made("aws:ec2/flowLog:FlowLog", {"trafficType": "ALL"}, to={"vpcId": VPC})],
        [VPC, made("aws:ec2/flowLog:FlowLog", {"trafficType": "REJECT"}, to={"vpcId": VPC})],
    ),
    "iam-actions": _of(
        ROLE_POLICY,
        {
            "policy": policy(
                Action=["s3:GetObject", "kms:GenerateDataKey*"], Resource=["arn:aws:s3:::files/*"]
            )
        },
        policy=policy(Action="s3:*", Resource=["arn:aws:s3:::files/*"]),
    ),
    "iam-no-administrators": _of(
        ATTACHMENT,
        {"policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"},
        policyArn="arn:aws:iam::aws:policy/AdministratorAccess",
    ),
    "iam-no-public-principal": _of(
        "aws:ecr/repositoryPolicy:RepositoryPolicy",
        {
            "policy": policy(
                Principal={"AWS": "arn:aws:iam::111122223333:role/puller"}, Action="ecr:BatchGetImage"
            )
        },
        policy=policy(Principal="*", Action="ecr:BatchGetImage"),
    ),
    "iam-no-users": ([made(ROLE, {})], [made("aws:iam/accessKey:AccessKey", {"user": "ci"})]),
    "iam-resources": _of(
        ROLE_POLICY,
        {"policy": policy(Action="ec2:DescribeVpcs", Resource="*")},
        policy=policy(Action="secretsmanager:GetSecretValue", Resource="*"),
    ),
    "iam-trust": (
        _trusting(
            Principal={"Service": "pods.eks.amazonaws.com"},
            Condition={"StringEquals": {"aws:SourceAccount": "111122223333"}},
        ),
        _trusting(Principal={"Service": "pods.eks.amazonaws.com"}),
    ),
    "image-by-digest": _of_pod(first__image="agents:1.2.3"),
    "key-deletion-window": _of(KMS, {"deletionWindowInDays": 30}, deletionWindowInDays=7),
    "key-rotation": _of(KMS, {"enableKeyRotation": True}, enableKeyRotation=None),
    "logs-kept": _of(LOGS, {"retentionInDays": 7}, retentionInDays=None),
    "logs-kept-a-year": _of(LOGS, {"retentionInDays": 365}, retentionInDays=30),
    "logs-own-key": _of(LOGS, {"kmsKeyId": KEY}, kmsKeyId=None),
    "namespace-restricted": _of(
        NAMESPACE,
        {
            "metadata": {
                "labels": {
                    "pod-security.kubernetes.io/enforce": "restricted",
                    "pod-security.kubernetes.io/enforce-version": "v1.36",
                }
            }
        },
        metadata__labels={"pod-security.kubernetes.io/enforce": "baseline"},
    ),
    "nat-in-every-zone": (
        [*SUBNETS, made(NAT, {}, "nat-a"), made(NAT, {}, "nat-b")],
        [*SUBNETS, made(NAT, {}, "nat-a")],
    ),
    "network-default-deny": (
        [made(DEPLOY, DEPLOYMENT), made(NETWORK_POLICY, DENY)],
        [made(DEPLOY, DEPLOYMENT), made(NETWORK_POLICY, changed(DENY, spec__policyTypes=["Ingress"]))],
    ),
    "network-policy-narrow": _of(
        NETWORK_POLICY,
        {"spec": {"egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/16"}}], "ports": [{"port": 5432}]}]}},
        spec__egress=[{"ports": [{"port": 443}]}],
    ),
    "nodes-metadata": _of(LAUNCH, TEMPLATE, metadataOptions__httpTokens="optional"),
    "nodes-no-ssh": (
        [made("aws:eks/nodeGroup:NodeGroup", {})],
        [made("aws:eks/nodeGroup:NodeGroup", {"remoteAccess": {"ec2SshKey": "mine"}})],
    ),
    "nodes-tagged": _of(LAUNCH, TEMPLATE, tagSpecifications__1__tags={"project": "p"}),
    "open-only-at-the-balancer": (
        [OPENED, OF_BALANCER, made(BALANCER, {}, "alb", to={"securityGroups": OF_BALANCER})],
        [OPENED, OF_BALANCER],
    ),
    "open-ports": _of(INGRESS, OPEN, toPort=5432),
    "outputs-without-secrets": ([], []),
    "pod-probes": _of_pod(first__readinessProbe=None),
    "pod-read-only": _of_pod(first__securityContext__readOnlyRootFilesystem=None),
    "pod-resources": _of_pod(first__resources__limits=None),
    "pod-restricted": _of_pod(pod__securityContext__seccompProfile=None),
    "pod-without-token": _of_pod(pod__automountServiceAccountToken=None),
    "provider-account": _of(PROVIDER, {"allowedAccountIds": '["111122223333"]'}, allowedAccountIds="[]"),
    "provider-named": (
        [made(RDS, DATABASE, provider="urn:the-provider")],
        [made(RDS, DATABASE)],
    ),
    "provider-tags": _of(
        PROVIDER,
        {"defaultTags": '{"tags": {"project": "p", "stack": "s"}}'},
        defaultTags='{"tags": {"project": "p"}}',
    ),
    "rbac-bound-narrowly": _of(
        f"{RBAC}ClusterRoleBinding",
        {"roleRef": {"name": "reader"}, "subjects": [{"name": "server"}]},
        roleRef__name="cluster-admin",
    ),
    "rbac-narrow": _of(
        f"{RBAC}ClusterRole",
        {"rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]},
        rules__0__verbs=["*"],
    ),
    "registry-immutable": _of(REPOSITORY, {"imageTagMutability": "IMMUTABLE"}, imageTagMutability="MUTABLE"),
    "registry-own-key": _of(
        REPOSITORY,
        {"encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": KEY}]},
        encryptionConfigurations=[{"encryptionType": "AES256"}],
    ),
    "registry-scans": _of(
        REPOSITORY,
        {"imageScanningConfiguration": {"scanOnPush": True}},
        imageScanningConfiguration__scanOnPush=False,
    ),
    "secret-own-key": _of(SECRET, {"kmsKeyId": KEY}, kmsKeyId="alias/aws/secretsmanager"),
    "secret-recovery": _of(SECRET, {"recoveryWindowInDays": 7}, recoveryWindowInDays=0),
    "secret-store-limited": _of(
        "kubernetes:external-secrets.io/v1:ClusterSecretStore",
        {"spec": {"conditions": [{"namespaces": ["agents"]}]}},
        spec__conditions=[],
    ),
    "secrets-not-in-the-clear": _of(
        "kubernetes:core/v1:ConfigMap",
        {"data": {"OPENAI_API_KEY_FILE": "/run/secrets/key", "ALLOW_CREDENTIALS": "true"}},
        data={"DATABASE_URL": "postgresql://app:hunter2@db:5432/agents"},
    ),
    "service-internal": _of(
        "kubernetes:core/v1:Service", {"spec": {"type": "ClusterIP"}}, spec__type="LoadBalancer"
    ),
    "state-protected": (
        [made(RDS, DATABASE, protect=True)],
        [made(RDS, DATABASE)],
    ),
    "subnets-private": _of("aws:ec2/subnet:Subnet", {"mapPublicIpOnLaunch": False}, mapPublicIpOnLaunch=True),
    "volumes-own-key": _of(STORAGE_CLASS, CLASS, parameters__kmsKeyId=None),
    "volumes-tagged": _of(STORAGE_CLASS, CLASS, parameters__tagSpecification_2=None),
}

OUTPUTS: dict[str, tuple[Json, Json]] = {
    "outputs-without-secrets": (
        {"secret_arn": "arn:aws:secretsmanager:…", "host": Hidden.UNKNOWN},
        {"password": "hunter2"},
    )
}
"""What the stack puts out in the examples of a rule about that."""
