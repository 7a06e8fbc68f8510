"""Stacks that are insecure in an unusual form are found; secure ones in an unusual form are let pass."""

import json

import pytest
from policy.policy_resources import CONTAINER, DEPLOYMENT, made

from langgraph_policy import RULES, Hidden, Stack
from langgraph_policy.check import findings_of

BY_NAME = {rule.name: rule for rule in RULES}
OTHER = "arn:aws:iam::444455556666"
GITHUB = {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}
AUD, SUB = (f"token.actions.githubusercontent.com:{claim}" for claim in ("aud", "sub"))
FOR_AWS = {AUD: "sts.amazonaws.com"}
REPOSITORY = "repo:acme/platform:environment:prod"
EVERYWHERE = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
BUCKET = made("aws:s3/bucket:Bucket", {"bucket": "files"}, "bucket")


STRICT = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def document(*statements):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}


def granting(**statement):
    return [made("aws:iam/rolePolicy:RolePolicy", {"policy": json.dumps(document(statement))})]


def trusting(principal, **condition):
    statement = {"Principal": principal, "Action": "sts:AssumeRole", "Condition": condition}
    return [made("aws:iam/role:Role", {"assumeRolePolicy": json.dumps(document(statement))})]


def everyone(**condition):
    statement = {"Principal": {"AWS": "*"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::files/*"}
    told = document({**statement, "Condition": condition})
    return [made("aws:s3/bucketPolicy:BucketPolicy", {"policy": told})]


def pod(spec=None, **container):
    template = DEPLOYMENT["spec"]["template"]
    inputs = {**template, "spec": {**template["spec"], "containers": [CONTAINER | container], **(spec or {})}}
    return [made("kubernetes:core/v1:Pod", {"metadata": {"namespace": "agents"}, **inputs})]


def context(**more):
    return {"securityContext": CONTAINER["securityContext"] | more}


def env(name, value):
    return pod(env=[{"name": name, "value": value}])


def config(name, value):
    return [made("kubernetes:core/v1:ConfigMap", {"data": {name: value}})]


def tls(**statement):
    denied = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    denied["Condition"] = {"Bool": {"aws:SecureTransport": "false"}}
    told = json.dumps({"Statement": {**denied, **statement}})
    return [BUCKET, made("aws:s3/bucketPolicy:BucketPolicy", {"policy": told}, to={"bucket": BUCKET})]


TABLE = {"routes": [{"cidrBlock": "0.0.0.0/0", "natGatewayId": "nat"}]}
SUBNET = made("aws:ec2/subnet:Subnet", {}, "subnet")


def routed(inputs):
    table = made("aws:ec2/routeTable:RouteTable", inputs, "table")
    to = {"routeTableId": table, "subnetId": SUBNET}
    tabled = made("aws:ec2/routeTableAssociation:RouteTableAssociation", {}, "tabled", to=to)
    group = made("aws:rds/subnetGroup:SubnetGroup", {}, "group", to={"subnetIds": SUBNET})
    return [SUBNET, table, tabled, group]


def ingress(*sources):
    spec = {"ingress": [{"from": list(sources), "ports": [{"port": 8000}]}]}
    return [made("kubernetes:networking.k8s.io/v1:NetworkPolicy", {"spec": spec})]


def release(**values):
    return [made("kubernetes:helm.sh/v3:Release", {"chart": "x", "version": "1.2.3", "values": values})]


INSECURE = {
    "actions-by-question-mark": ("iam-actions", granting(Action="iam:Put?olePolicy", Resource="x")),
    "resources-by-question-mark": (
        "iam-resources",
        granting(Action="s3:GetObject", Resource="arn:aws:secretsmanager:eu-west-1:1:secret:?*"),
    ),
    "resources-of-every-parent": (
        "iam-resources",
        granting(Action="logs:GetLogEvents", Resource="arn:aws:logs:eu-west-1:1:log-group:*:log-stream:*"),
    ),
    "all-but-a-tag": (
        "iam-resources",
        granting(**EVERYWHERE, Condition={"StringNotEquals": {"aws:ResourceTag/stack": "prod"}}),
    ),
    "no-tag": (
        "iam-resources",
        granting(**EVERYWHERE, Condition={"Null": {"aws:ResourceTag/stack": "true"}}),
    ),
    "any-tag": (
        "iam-resources",
        granting(**EVERYWHERE, Condition={"StringLike": {"aws:ResourceTag/stack": "*"}}),
    ),
    "tag-if-there": (
        "iam-resources",
        granting(**EVERYWHERE, Condition={"StringEqualsIfExists": {"aws:RequestTag/stack": "prod"}}),
    ),
    "all-of-no-tags": (
        "iam-resources",
        granting(**EVERYWHERE, Condition={"ForAllValues:StringEquals": {"aws:ResourceTag/stack": "prod"}}),
    ),
    "one-statement": (
        "iam-actions",
        [made("aws:iam/policy:Policy", {"policy": {"Statement": {**EVERYWHERE, "Action": "*"}}})],
    ),
    "inline-of-a-role": (
        "iam-actions",
        [made("aws:iam/role:Role", {"inlinePolicies": [{"policy": json.dumps(document({"Action": "*"}))}]})],
    ),
    "inline-of-a-role-everywhere": (
        "iam-resources",
        [made("aws:iam/role:Role", {"inlinePolicies": [{"policy": json.dumps(document(EVERYWHERE))}]})],
    ),
    "of-a-user-that-is-there": (
        "iam-actions",
        [made("aws:iam/userPolicy:UserPolicy", {"policy": document({"Action": "*"})})],
    ),
    "administrator-by-a-list": (
        "iam-no-administrators",
        [made("aws:iam/role:Role", {"managedPolicyArns": [ADMINISTRATOR]})],
    ),
    "administrator-who-is-there": (
        "iam-no-administrators",
        [made("aws:iam/userPolicyAttachment:UserPolicyAttachment", {"policyArn": ADMINISTRATOR})],
    ),
    "policy-in-the-secret": (
        "iam-no-public-principal",
        [made("aws:secretsmanager/secret:Secret", {"policy": document({"Principal": "*", "Action": "x:Y"})})],
    ),
    "policy-of-a-key": (
        "iam-no-public-principal",
        [made("aws:kms/keyPolicy:KeyPolicy", {"policy": document({"Principal": {"AWS": ["*"]}})})],
    ),
    "everyone-with-tls": ("iam-no-public-principal", everyone(Bool={"aws:SecureTransport": "true"})),
    "everyone-but-one": (
        "iam-no-public-principal",
        everyone(StringNotEquals={"aws:PrincipalOrgID": "o-1234567890"}),
    ),
    "everyone-of-any-organisation": (
        "iam-no-public-principal",
        everyone(StringLike={"aws:PrincipalOrgID": "*"}),
    ),
    "account-with-tls": (
        "iam-trust",
        trusting({"AWS": f"{OTHER}:root"}, Bool={"aws:SecureTransport": "true"}),
    ),
    "any-repository": (
        "iam-trust",
        trusting(GITHUB, StringEquals=FOR_AWS, StringLike={SUB: "repo:acme/*:environment:prod"}),
    ),
    "any-letter": (
        "iam-trust",
        trusting(GITHUB, StringEquals=FOR_AWS, StringLike={SUB: "repo:acme/platfor?:environment:prod"}),
    ),
    "any-subject-but-one": (
        "iam-trust",
        trusting(GITHUB, StringEquals=FOR_AWS, StringNotEquals={SUB: REPOSITORY}),
    ),
    "subject-if-there": (
        "iam-trust",
        trusting(GITHUB, StringEquals=FOR_AWS, StringEqualsIfExists={SUB: REPOSITORY}),
    ),
    "route-in-the-table": ("data-isolated", routed(TABLE)),
    "route-in-the-table-v6": (
        "data-isolated",
        routed({"routes": [{"ipv6CidrBlock": "::/0", "egressOnlyGatewayId": "way-out"}]}),
    ),
    "prefix-list": (
        "open-ports",
        [made("aws:ec2/managedPrefixList:ManagedPrefixList", {"entries": [{"cidr": "0.0.0.0/0"}]})],
    ),
    "prefix-list-entry": (
        "open-ports",
        [made("aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry", {"cidr": "::/0"})],
    ),
    "two-halves-v6": (
        "open-ports",
        [
            made(
                "aws:ec2/securityGroup:SecurityGroup",
                {
                    "ingress": [
                        {
                            "protocol": "tcp",
                            "fromPort": 1,
                            "toPort": 9,
                            "ipv6CidrBlocks": ["8000::/1", "::/1"],
                        }
                    ]
                },
            )
        ],
    ),
    "replica-set": (
        "pod-restricted",
        [made("kubernetes:apps/v1:ReplicaSet", {"spec": {"template": {"spec": {"hostNetwork": True}}}})],
    ),
    "ephemeral": (
        "pod-restricted",
        pod({"ephemeralContainers": [CONTAINER | context(privileged=True)]}),
    ),
    "initial-as-root": ("pod-restricted", pod({"initContainers": [CONTAINER | context(runAsUser=0)]})),
    "proc": ("pod-restricted", pod(**context(procMount="Unmasked"))),
    "apparmor": ("pod-restricted", pod(**context(appArmorProfile={"type": "Unconfined"}))),
    "selinux": ("pod-restricted", pod(**context(seLinuxOptions={"type": "spc_t"}))),
    "windows": ("pod-restricted", pod(**context(windowsOptions={"hostProcess": True}))),
    "sysctls": (
        "pod-restricted",
        pod({"securityContext": {**STRICT, "sysctls": [{"name": "kernel.msgmax", "value": "1"}]}}),
    ),
    "from-everywhere": ("network-policy-narrow", ingress({"ipBlock": {"cidr": "0.0.0.0/0"}})),
    "from-all-namespaces": ("network-policy-narrow", ingress({"namespaceSelector": {}})),
    "bound-to-all-accounts": (
        "rbac-bound-narrowly",
        [
            made(
                "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
                {
                    "roleRef": {"name": "view"},
                    "subjects": [{"kind": "Group", "name": "system:serviceaccounts"}],
                },
            )
        ],
    ),
    "tls-for-one": ("bucket-tls", tls(Principal={"AWS": f"{OTHER}:role/x"})),
    "tls-sometimes": (
        "bucket-tls",
        tls(
            Condition={
                "Bool": {"aws:SecureTransport": "false"},
                "IpAddress": {"aws:SourceIp": "192.0.2.1/32"},
            }
        ),
    ),
    "access-key": ("secrets-not-in-the-clear", env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG")),
    "passphrase": ("secrets-not-in-the-clear", env("PULUMI_CONFIG_PASSPHRASE", "hunter22")),
    "url-without-user": ("secrets-not-in-the-clear", env("REDIS_URL", "redis://:hunter2@cache:6379")),
    "langsmith": ("secrets-not-in-the-clear", env("X", "lsv2_sk_0123456789abcdef0123456789abcdef_01")),
    "github": ("secrets-not-in-the-clear", env("X", "github_pat_0123456789abcdefABCDEF_0123")),
    "google": ("secrets-not-in-the-clear", env("X", "AIza" + "a" * 35)),
    "dsn": ("secrets-not-in-the-clear", env("X", "host=db user=app password=hunter22 dbname=x")),
    "argument": ("secrets-not-in-the-clear", pod(args=["--dsn", "postgresql://app:hunter2@db/agents"])),
    "in-a-file": ("secrets-not-in-the-clear", config("app.yaml", "database:\n  password: hunter22\n")),
    "parameter-in-the-clear": (
        "secrets-not-in-the-clear",
        [made("aws:ssm/parameter:Parameter", {"name": "X_TOKEN", "type": "String", "insecureValue": "abc"})],
    ),
    "chart": ("secrets-not-in-the-clear", release(grafana={"adminPassword": "hunter2"})),
}
SECURE = {
    "trust-with-an-external-id": (
        "iam-trust",
        trusting({"AWS": f"{OTHER}:root"}, StringEquals={"sts:ExternalId": "x"}),
    ),
    "trust-in-one-role-of-an-account": (
        "iam-trust",
        trusting({"AWS": f"{OTHER}:root"}, ArnEquals={"aws:PrincipalArn": f"{OTHER}:role/x"}),
    ),
    "everyone-of-the-organisation": (
        "iam-no-public-principal",
        everyone(StringEquals={"aws:PrincipalOrgID": "o-1234567890"}),
    ),
    "everyone-through-an-endpoint": (
        "iam-no-public-principal",
        everyone(StringEquals={"aws:SourceVpce": "vpce-1"}),
    ),
    "tagged": (
        "iam-resources",
        granting(**EVERYWHERE, Condition={"StringEquals": {"aws:ResourceTag/stack": ["prod"]}}),
    ),
    "a-role-without-inline-policies": ("iam-actions", [made("aws:iam/role:Role", {"name": "x"})]),
    "a-table-without-a-way-out": (
        "data-isolated",
        routed({"routes": [{"cidrBlock": "10.0.0.0/8", "transitGatewayId": "tgw"}]}),
    ),
    "a-prefix-list-of-ours": (
        "open-ports",
        [made("aws:ec2/managedPrefixList:ManagedPrefixList", {"entries": [{"cidr": "10.0.0.0/8"}]})],
    ),
    "the-pod-says-it": (
        "pod-restricted",
        pod(
            {"securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "Localhost"}}},
            **context(
                procMount="Default",
                appArmorProfile={"type": "RuntimeDefault"},
                seLinuxOptions={"level": "s0:c1,c2"},
            ),
        ),
    ),
    "from-the-subnets": ("network-policy-narrow", ingress({"ipBlock": {"cidr": "10.0.0.0/16"}})),
    "from-one-app-anywhere": (
        "network-policy-narrow",
        ingress({"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "prometheus"}}}),
    ),
    "url-of-a-variable": ("secrets-not-in-the-clear", env("URL", "postgresql://app:$(DB_PASSWORD)@db/x")),
    "place-of-a-password": (
        "secrets-not-in-the-clear",
        config("app.yaml", "password_file: /run/secrets/p\n"),
    ),
    "password-of-a-variable": ("secrets-not-in-the-clear", config("app.yaml", "password: ${DB_PASSWORD}\n")),
    "bound-of-tokens": ("secrets-not-in-the-clear", env("MAX_TOKENS", "4096")),
    "id-of-an-access-key": ("secrets-not-in-the-clear", env("KEY_ARN", "arn:aws:kms:eu-west-1:1:key/1")),
    "chart-with-a-secret-elsewhere": (
        "secrets-not-in-the-clear",
        release(admin={"existingSecret": "grafana-admin", "passwordKey": "password"}),
    ),
    "tls-by-aws": ("bucket-tls", tls(Principal={"AWS": "*"})),
    "encryption-of-an-older-provider": (
        "bucket-versions",
        [
            BUCKET,
            made(
                "aws:s3/bucketVersioningV2:BucketVersioningV2",
                {"versioningConfiguration": {"status": "Enabled"}},
                to={"bucket": BUCKET},
            ),
        ],
    ),
}


def found(name, resources):
    return [each for each in findings_of(BY_NAME[name], Stack(tuple(resources))) if not each.undecided]


@pytest.mark.parametrize("case", sorted(INSECURE))
def test_what_is_insecure_in_an_unusual_form_is_found(case):
    assert found(*INSECURE[case])


@pytest.mark.parametrize("case", sorted(SECURE))
def test_what_is_secure_in_an_unusual_form_is_let_pass(case):
    assert found(*SECURE[case]) == []


def test_inline_policies_that_cannot_be_seen_are_told():
    role = made("aws:iam/role:Role", {"inlinePolicies": Hidden.UNKNOWN})
    assert [each.undecided for each in findings_of(BY_NAME["iam-actions"], Stack((role,)))] == [True]
