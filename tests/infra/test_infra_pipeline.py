"""The roles of the pipelines: enough for every type of every stack, nothing beyond, never for themselves."""

import json
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from infra.infra_iam import (
    action,
    allowed,
    aws_policy,
    condition_keys,
    listed,
    matches,
    permits,
    reaches,
    statements,
)
from infra.infra_stacks import ON_AWS, changed, planned
from support.plans import ROOT, unwarned

from langgraph_components import InvalidArgs, PipelineAccess
from langgraph_components.pure import pipeline, pipeline_deploying, pipeline_reading
from langgraph_components.pure.pipeline_actions import NEEDS, SECRET_READS, reads, writes
from langgraph_components.pure.pipeline_scope import Scope
from lgp.planning.policy import policy_report
from lgp.planning.program import plan
from lgp.planning.values import revealed

ACCOUNT, REGION, ZONE = "111122223333", "eu-west-1", "Z0123456789EXAMPLE"
SCOPE = Scope(ACCOUNT, REGION, "langgraph-platform", "prod")
BOUNDARY = SCOPE.policies(SCOPE.policy("boundary"))[0]
POLICY_LIMIT, POLICIES_LIMIT, TRUST_LIMIT = 6_144, 10, 2_048
"""Characters of a policy without white space, policies of a role, characters of a trust (IAM quotas)."""


def documents(scope=SCOPE, zones=(ZONE,)):
    return {
        "boundary": pipeline.boundary(scope, ["langgraph/"]),
        "edge": pipeline_deploying.edge(scope, zones),
        "guard": pipeline.guard(scope, pipeline.GITHUB),
        "keys": pipeline_deploying.keys(scope),
        "look": pipeline_reading.look(scope, zones),
        "network": pipeline_deploying.network(scope),
        "roles": pipeline_deploying.roles(scope, BOUNDARY, pipeline.attached(scope)),
        "state-read": pipeline_reading.state(scope, "states", "key", "other", change=False),
        "state-write": pipeline_reading.state(scope, "states", "key", "other", change=True),
        "stores": pipeline_deploying.stores(scope),
        "values": pipeline_reading.secret_values(scope),
    }


DOCUMENTS = documents()


def of_role(purpose):
    return [DOCUMENTS[name] for name in pipeline.POLICIES[purpose]]


def resources(stack):
    return [each for each in planned(stack).resources if each.custom]


# Enough


def test_every_type_of_every_stack_has_its_actions():
    kinds = {each.type for stack in ON_AWS for each in resources(stack)}
    assert {kind for kind in kinds if kind.startswith(("aws:", "docker-build:"))} <= NEEDS.keys()


def test_every_action_is_one_of_aws():
    named = reads() | writes() | set(SECRET_READS) | allowed(DOCUMENTS["boundary"])
    assert [name for name in sorted(named) if "*" not in name and action(name) is None] == []


def test_a_deployment_may_do_all_that_the_types_need_but_change_who_may_take_a_role():
    missing = (reads() | writes() | set(SECRET_READS)) - allowed(*of_role("deploy"))
    assert missing == set(pipeline_deploying.BY_PEOPLE) == {"iam:UpdateAssumeRolePolicy"}


def test_the_search_for_drift_reads_all_that_a_refresh_reads():
    assert (reads() | set(SECRET_READS)) - allowed(*of_role("drift")) == set()


@pytest.mark.parametrize("stack", ON_AWS)
def test_whatever_has_a_computed_name_is_within_reach(stack):
    scope = Scope(ACCOUNT, REGION, "langgraph-platform", stack)
    own = [each for each in resources(stack) if each.type.startswith("aws:")]
    assert {each.name.partition("-")[0] for each in own} == {scope.platform}
    names = {"identifier", "replicationGroupId", "userId", "userGroupId", "repository", "bucket"}
    computed = [str(value) for each in own for key, value in each.inputs.items() if key in names]
    assert computed
    assert [name for name in computed if not name.startswith(f"{scope.named}-")] == []
    groups = [each.inputs["name"] for each in own if each.type.endswith(":LogGroup")]
    patterns = pipeline_reading.log_groups(scope)
    arns = [scope.arn("logs", f"log-group:{name}")[0] for name in groups]
    assert [arn for arn in arns if not any(matches(pattern, arn) for pattern in patterns)] == []
    kept = [each.inputs["namePrefix"] for each in own if each.type.endswith("secret:Secret")]
    assert kept
    assert all(name.startswith(f"{scope.project}/{scope.stack}/") for name in kept)


@pytest.mark.parametrize("stack", ON_AWS)
def test_policies_that_roles_get_and_services_that_take_roles_are_those_that_are_allowed(stack):
    given = {each.inputs["policyArn"] for each in resources(stack) if "policyArn" in each.inputs}
    attached = {arn for arn in given if ":cluster-access-policy/" not in arn}
    assert attached <= set(pipeline.attached(SCOPE))
    roles = [each for each in resources(stack) if each.type == "aws:iam/role:Role"]
    trust = [json.loads(revealed(each.inputs["assumeRolePolicy"]))["Statement"][0] for each in roles]
    services = {each["Principal"]["Service"].removesuffix(".amazonaws.com") for each in trust}
    # nodes are EC2's, but it is EKS that is handed their role
    assert services - {"ec2"} <= set(pipeline_deploying.PASSED_TO)


@pytest.mark.parametrize("stack", ON_AWS)
def test_the_boundary_cuts_nothing_off_that_a_role_of_the_stack_does(stack):
    within = allowed(DOCUMENTS["boundary"])
    inline = [each for each in resources(stack) if each.type == "aws:iam/rolePolicy:RolePolicy"]
    wanted = allowed(*(json.loads(revealed(each.inputs["policy"])) for each in inline))
    wanted |= {name for policy in pipeline.ATTACHED for name in aws_policy(policy)}
    over = {name for name in wanted if not any(matches(pattern, name) for pattern in within)}
    # for classic balancers of Services, which nothing here makes; it would be a right of IAM
    assert over == {"iam:CreateServiceLinkedRole"}


# Nothing beyond


def test_a_preview_reads_and_lists_and_decrypts_its_state():
    levels = {name: action(name).level for name in allowed(*of_role("preview"))}
    assert {name for name, level in levels.items() if level not in {"Read", "List"}} == {"kms:Decrypt"}
    decrypts = [s for s in statements(*of_role("preview")) if "kms:Decrypt" in s["Action"]]
    assert [s["Resource"] for s in decrypts] == [["key"], ["other"]], "the state's own keys, and no others"


def test_a_preview_asks_for_no_value_of_a_secret():
    assert "secretsmanager:GetSecretValue" not in allowed(*of_role("preview"))


def test_the_search_for_drift_changes_nothing():
    levels = {action(name).level for name in allowed(*of_role("drift")) - {"kms:Decrypt"}}
    assert levels == {"Read", "List"}


def test_a_deployment_may_do_nothing_that_no_type_needs():
    of_state = allowed(DOCUMENTS["state-write"])
    beyond = allowed(*of_role("deploy")) - reads() - writes() - set(SECRET_READS) - of_state
    assert beyond == {"kms:GenerateDataKeyWithoutPlaintext"}, "how RDS and EC2 make disks"


WIDE = {
    "Look": "AWS lets nobody limit it",
    "Unlimited": "AWS lets nobody limit it",
    "StartNodes": "only from a launch template, and without a role",
    "NamesAreThere": "the id of a change is AWS's own",
}
"""Statements about everything, without a tag, and why."""


@pytest.mark.parametrize("name", sorted(set(DOCUMENTS) - {"boundary", "guard"}))
def test_every_statement_names_its_resources_or_their_tags(name):
    for statement in statements(DOCUMENTS[name]):
        tagged = any("ResourceTag/" in key or "RequestTag/" in key for key in condition_keys(statement))
        names = [arn.split(":", 5)[-1] for arn in statement["Resource"]]
        wide = [name for name in names if re.fullmatch(r"([a-z-]+[/:])?\*", name)]
        assert tagged or not wide or statement["Sid"] in WIDE, statement["Sid"]
    assert all("*" not in name for name in allowed(DOCUMENTS[name])), "no action has a wildcard"


def test_what_is_looked_at_everywhere_is_what_aws_lets_nobody_limit():
    for sid in ("Look", "Unlimited"):
        (found,) = [s for s in statements(*DOCUMENTS.values()) if s["Sid"] == sid]
        assert [name for name in found["Action"] if action(name).limited] == []
        assert condition_keys(found) == {"aws:RequestedRegion"}


@pytest.mark.parametrize("name", sorted(set(DOCUMENTS) - {"guard"}))
def test_every_condition_is_one_that_its_actions_know(name):
    """Else it is never met, and the statement allows nothing."""
    for statement in statements(DOCUMENTS[name]):
        if statement["Sid"] == "NotAnotherStack":
            continue  # about all actions; where one does not know tags, nothing is refused
        keys = {key.split("/")[0].lower() for key in condition_keys(statement)} - {"aws:requestedregion"}
        for each in listed(statement["Action"]):
            variants = [each] if "*" not in each else [each.rstrip("*"), f"{each.rstrip('*')}From"]
            known = set().union(*(found.keys for one in variants if (found := action(one))))
            assert keys <= known, f"{statement['Sid']}: {each}"


INTO = {"ec2:CreateRoute", "ec2:CreateLaunchTemplateVersion", "kms:CreateGrant"}
"""What is made only in, or of, something that is there."""


def test_what_makes_something_does_not_ask_for_tags_of_what_is_not_there_yet():
    made = {name for name in writes() if re.match(r"[a-z0-9-]+:(Allocate|Create|Request)", name)} - INTO
    possible = [
        set(s["Action"])
        for s in statements(*of_role("deploy"))
        if s["Effect"] == "Allow"
        and not any("ResourceTag/" in key for key in s.get("Condition", {}).get("StringEquals", {}))
    ]
    assert made - set().union(*possible) == set()


def test_nothing_of_another_stack_is_within_reach_by_name():
    other = ("db:langgraph-platform-dev-langgraph-database", "secret:langgraph-platform/dev/x-abcdef")
    arns = [*SCOPE.arn("rds", other[0]), *SCOPE.arn("secretsmanager", other[1])]
    arns += SCOPE.buckets("langgraph-platform-dev-files", "states/.pulumi/stacks/langgraph-platform/dev.json")
    arns += SCOPE.arn("eks", "cluster/langgraph-platform-dev", "nodegroup/langgraph-platform-dev/a/b")
    by_name = [s for s in statements(*of_role("deploy")) if s["Resource"] != ["*"] and s["Effect"] == "Allow"]
    assert [(s["Sid"], arn) for s in by_name for arn in arns if reaches(s, arn)] == []


def test_the_state_of_a_stack_is_all_of_the_state_that_a_preview_reads_and_it_writes_none():
    found = {s["Sid"]: s for s in statements(DOCUMENTS["state-read"])}
    assert allowed(DOCUMENTS["state-read"]) == {"s3:ListBucket", "s3:GetObject", "kms:Decrypt"}
    assert reaches(found["StateRead"], SCOPE.buckets("states/.pulumi/stacks/langgraph-platform/prod.json")[0])
    assert reaches(found["StateRead"], SCOPE.buckets("states/.pulumi/meta.yaml")[0])
    write = {s["Sid"]: s for s in statements(DOCUMENTS["state-write"])}["StateWrite"]
    assert not reaches(write, SCOPE.buckets("states/.pulumi/meta.yaml")[0])


# Never for themselves

OWN = [
    *SCOPE.roles(*map(SCOPE.role, pipeline.PURPOSES)),
    *SCOPE.policies(*(SCOPE.policy(name) for name in DOCUMENTS)),
    SCOPE.provider(pipeline.GITHUB),
]


@pytest.mark.parametrize("arn", OWN, ids=lambda arn: arn.rpartition("/")[2])
def test_no_pipeline_can_change_its_roles_policies_boundary_or_provider(arn):
    about = [s for s in statements(*of_role("deploy")) if reaches(s, arn)]
    iam = [s["Sid"] for s in about if any(name.startswith("iam:") for name in listed(s.get("Action")))]
    assert iam == ["NotWithoutBoundary"]
    (denied,) = [s for s in about if s["Sid"] == "NotItself"]
    assert denied["Effect"] == "Deny"
    assert denied["NotAction"] == ["iam:Get*", "iam:List*"]


def test_a_role_is_made_and_given_rights_only_under_the_boundary():
    found = {s["Sid"]: s for s in statements(DOCUMENTS["roles"])}
    for sid in ("MakeRole", "ChangeRights", "AttachKnown"):
        assert found[sid]["Condition"]["StringEquals"]["iam:PermissionsBoundary"] == BOUNDARY, sid
    rights = {
        name for s in found.values() for name in s["Action"] if "Policy" in name and "Assume" not in name
    }
    bounded = {n for sid in ("MakeRole", "ChangeRights", "AttachKnown") for n in found[sid]["Action"]}
    assert rights <= bounded
    assert not allowed(DOCUMENTS["roles"]) & {"iam:CreateUser", "iam:CreatePolicy", "iam:CreatePolicyVersion"}
    assert set(found["PassRole"]["Condition"]["StringEquals"]) == {"iam:PassedToService"}


def test_the_boundary_has_nothing_of_iam_and_no_other_role():
    services = {name.partition(":")[0] for name in allowed(DOCUMENTS["boundary"])}
    assert not services & {"iam", "sts", "organizations", "account", "lambda", "cloudformation"}
    assert "ec2:RunInstances" not in allowed(DOCUMENTS["boundary"])


TAGGED = {"aws:ResourceTag/project": SCOPE.project, "aws:ResourceTag/stack": SCOPE.stack}
ASKED = {"aws:RequestTag/project": SCOPE.project, "aws:RequestTag/stack": SCOPE.stack}
ANOTHER = TAGGED | {"aws:ResourceTag/stack": "dev"}
GROUP, TEMPLATE, SUBNET = SCOPE.arn("ec2", "security-group/sg-1", "launch-template/lt-1", "subnet/subnet-1")
(KEY,) = SCOPE.arn("kms", "key/1")
ROLE = SCOPE.roles("langgraph-platform-admin")[0]
BY_TEMPLATE = {"ec2:LaunchTemplate": TEMPLATE}
KEYS_OF_TAGS = {"aws:TagKeys": ["project", "stack"]}


@pytest.mark.parametrize(
    ("name", "arn", "context"),
    [
        pytest.param("ec2:CreateTags", GROUP, ASKED, id="adopt-a-group"),
        pytest.param("ec2:AuthorizeSecurityGroupIngress", GROUP, {}, id="open-a-group"),
        pytest.param("ec2:AuthorizeSecurityGroupIngress", GROUP, ANOTHER, id="open-a-group-of-another"),
        pytest.param("ec2:RunInstances", SUBNET, ANOTHER | BY_TEMPLATE, id="start-beside-another"),
        pytest.param("kms:TagResource", KEY, {**ASKED, "kms:ResourceAliases": "alias/x"}, id="adopt-a-key"),
        pytest.param("kms:Decrypt", KEY, ANOTHER, id="key-of-another"),
        pytest.param("kms:PutKeyPolicy", KEY, {}, id="open-a-key"),
        pytest.param("iam:UpdateAssumeRolePolicy", ROLE, {}, id="take-a-role"),
        pytest.param("iam:UpdateAssumeRolePolicy", ROLE, TAGGED, id="take-an-adopted-role"),
        pytest.param("iam:PutRolePolicy", ROLE, TAGGED, id="widen-a-role-without-a-boundary"),
        pytest.param("iam:CreateRole", ROLE, ASKED, id="a-role-without-a-boundary"),
        pytest.param("iam:PassRole", ROLE, {"iam:PassedToService": "ec2.amazonaws.com"}, id="pass-to-ec2"),
        pytest.param("iam:PassRole", ROLE, {"iam:PassedToService": "lambda.amazonaws.com"}, id="to-lambda"),
        pytest.param("iam:CreatePolicyVersion", BOUNDARY, {}, id="widen-the-boundary"),
        pytest.param("iam:UpdateAssumeRolePolicy", SCOPE.roles(SCOPE.role("deploy"))[0], TAGGED, id="itself"),
        pytest.param("eks:CreateAccessEntry", SCOPE.arn("eks", "cluster/other")[0], {}, id="enter-another"),
        pytest.param(
            "s3:PutObject",
            SCOPE.buckets("states/.pulumi/stacks/langgraph-platform/prod.eu.json")[0],
            {},
            id="state-of-another",
        ),
        pytest.param("s3:PutObject", SCOPE.buckets("states/.pulumi/meta.yaml")[0], {}, id="state-meta"),
        pytest.param("kms:Decrypt", "other", {}, id="key-of-the-bucket-for-what-is-not-in-it"),
    ],
)
def test_a_stolen_deployment_cannot(name, arn, context):
    assert not permits(of_role("deploy"), name, arn, context)


@pytest.mark.parametrize(
    ("name", "arn", "context"),
    [
        pytest.param("ec2:AuthorizeSecurityGroupIngress", GROUP, TAGGED, id="open-its-group"),
        pytest.param("ec2:RunInstances", SUBNET, TAGGED | BY_TEMPLATE, id="start-a-node"),
        pytest.param("ec2:RunInstances", SUBNET, BY_TEMPLATE, id="start-a-node-in-a-network-without-tags"),
        pytest.param("kms:TagResource", KEY, ASKED, id="tag-a-new-key"),
        pytest.param(
            "kms:TagResource", KEY, {**ASKED, **TAGGED, "kms:ResourceAliases": "alias/x"}, id="tag-its-key"
        ),
        pytest.param(
            "iam:CreateRole", ROLE, {**ASKED, "iam:PermissionsBoundary": BOUNDARY}, id="make-a-role"
        ),
        pytest.param(
            "s3:PutObject",
            SCOPE.buckets("states/.pulumi/stacks/langgraph-platform/prod.json.bak")[0],
            {},
            id="write-its-state",
        ),
        pytest.param("kms:Decrypt", "other", {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}, id="read-it"),
    ],
)
def test_a_deployment_can(name, arn, context):
    assert permits(of_role("deploy"), name, arn, context)


@pytest.mark.parametrize(
    ("context", "may"),
    [
        pytest.param({**KEYS_OF_TAGS, "ec2:CreateAction": "CreateVolume"}, True, id="on-what-it-makes"),
        pytest.param({"aws:TagKeys": ["node.k8s.amazonaws.com/instance_id"]}, True, id="other-tags"),
        pytest.param(KEYS_OF_TAGS, False, id="on-what-is-there"),
    ],
)
def test_a_role_of_the_stack_gives_the_stacks_tags_to_nothing_that_is_there(context, may):
    """Else a deployment could make such a role, let it tag, and change what is tagged."""
    context = context | {"aws:RequestedRegion": REGION}
    assert permits([DOCUMENTS["boundary"]], "ec2:CreateTags", GROUP, context) is may


def test_a_role_of_the_stack_reaches_nothing_of_another_stack_of_the_project():
    context = {"aws:RequestedRegion": REGION}
    open_it = ([DOCUMENTS["boundary"]], "ec2:AuthorizeSecurityGroupIngress", GROUP)
    assert permits(*open_it, context | TAGGED)
    assert permits(*open_it, context | {"aws:ResourceTag/stack": "dev", "aws:ResourceTag/project": "theirs"})
    assert not permits(*open_it, context | ANOTHER)


# Within AWS's limits


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
@pytest.mark.parametrize("size", ["usual", "longest"])
def test_a_policy_is_no_longer_than_aws_takes(name, size):
    longest = Scope(ACCOUNT, "ap-southeast-1", "p" * 26, "s" * 20, "l" * 15)
    found = DOCUMENTS if size == "usual" else documents(longest, [ZONE, ZONE])
    assert len(json.dumps(found[name], separators=(",", ":"))) <= POLICY_LIMIT


@given(st.text("abc-/_.XYZ09", min_size=1, max_size=60), st.text("abcXYZ", min_size=1, max_size=60))
def test_names_of_roles_are_within_their_limit_and_begin_as_none_of_the_stack_does(project, stack):
    scope = Scope(ACCOUNT, REGION, project, stack)
    names = [scope.role(purpose) for purpose in pipeline.PURPOSES]
    assert len(set(names)) == 3
    assert all(re.fullmatch(r"pipeline-[a-z0-9-]{1,55}", name) for name in names)


def test_statements_have_names_of_their_own_in_letters():
    for name, document in DOCUMENTS.items():
        sids = [s["Sid"] for s in statements(document)]
        assert len(set(sids)) == len(sids), name
        assert all(sid.isalnum() for sid in sids), name


# The component

ARGS = {
    "repository": "acme/platform",
    "stack": "prod",
    "account_id": ACCOUNT,
    "region": REGION,
    "state_bucket": "acme-pulumi-state",
    "secrets_key_arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234",
    "hosted_zone_ids": [ZONE],
}


@pytest.fixture
def access(graph):
    def declared(**changes):
        made = {}

        def program():
            made["it"] = PipelineAccess("prod", {**ARGS, **changes})

        return graph(program)

    return declared


def of(recording, kind):
    return {each.name: each for each in recording.resources if each.type == kind}


def test_each_role_is_of_one_environment_of_one_repository(access):
    roles = of(access(), "aws:iam/role:Role")
    subjects = {}
    for name, role in roles.items():
        text = revealed(role.inputs["assumeRolePolicy"])
        assert len(text) <= TRUST_LIMIT
        (statement,) = json.loads(text)["Statement"]
        assert statement["Action"] == ["sts:AssumeRoleWithWebIdentity"]
        assert list(statement["Condition"]) == ["StringEquals"]
        subjects[name] = statement["Condition"]["StringEquals"]
    issuer = "token.actions.githubusercontent.com"
    assert {name: found[f"{issuer}:sub"] for name, found in subjects.items()} == {
        "prod-preview": "repo:acme/platform:environment:preview-prod",
        "prod-drift": "repo:acme/platform:environment:drift-prod",
        "prod-deploy": "repo:acme/platform:environment:prod",
    }
    assert {found[f"{issuer}:aud"] for found in subjects.values()} == {"sts.amazonaws.com"}


def test_the_environments_are_those_of_the_workflows():
    named = set()
    for workflow in ("preview", "drift", "update"):
        jobs = yaml.safe_load((ROOT / f".github/workflows/{workflow}.yml").read_text())["jobs"].values()
        named |= {
            re.sub(r"\$\{\{.*?\}\}", "prod", job["environment"]) for job in jobs if "environment" in job
        }
    assert named == {pipeline.environment(purpose, "prod") for purpose in pipeline.PURPOSES}


def test_each_role_has_its_policies_and_no_more_than_aws_lets_it_have(access):
    found = access()
    attached = {}
    for name in of(found, "aws:iam/rolePolicyAttachment:RolePolicyAttachment"):
        _, purpose, policy = name.split("-", 2)
        attached.setdefault(purpose, set()).add(policy)
    assert attached == {purpose: set(names) for purpose, names in pipeline.POLICIES.items()}
    assert max(map(len, attached.values())) < POLICIES_LIMIT


def test_the_policies_are_the_documents(access):
    policies = of(access(), "aws:iam/policy:Policy")
    assert set(policies) == {f"prod-{name}" for name in DOCUMENTS}
    for name in ("look", "network", "roles", "guard", "boundary"):
        told = revealed(policies[f"prod-{name}"].inputs["policy"])
        assert json.loads(told) == DOCUMENTS[name]
        assert policies[f"prod-{name}"].inputs["name"] == SCOPE.policy(name)
        assert len(told) <= POLICY_LIMIT


def test_the_provider_is_made_once_an_account(access):
    kind = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
    (provider,) = of(access(), kind).values()
    assert provider.inputs["url"] == "https://token.actions.githubusercontent.com"
    assert provider.inputs["clientIdLists"] == ["sts.amazonaws.com"]
    there = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
    assert of(access(provider_arn=there), kind) == {}


def test_a_server_of_ones_own_has_its_own_issuer(access):
    found = access(issuer="github.acme.example/_services/token")
    text = revealed(of(found, "aws:iam/role:Role")["prod-deploy"].inputs["assumeRolePolicy"])
    assert '"github.acme.example/_services/token:sub": "repo:acme/platform:environment:prod"' in text


@pytest.mark.parametrize(
    "wrong",
    [
        {"repository": "acme/*"},
        {"repository": "acme"},
        {"stack": "*"},
        {"stack": "prod:ref"},
        {"account_id": "1"},
        {"deploy_hours": 13},
        {"state_bucket": "langgraph-platform-prod-state"},
        {"state_bucket": "acme-dev-state", "project": "acme", "stack": "dev"},
    ],
    ids=str,
)
def test_what_would_trust_more_is_refused(access, wrong):
    with pytest.raises(InvalidArgs):
        access(**wrong)


# The boundary in a stack


@pytest.mark.parametrize("stack", ON_AWS)
def test_with_a_boundary_every_role_of_a_stack_has_it(stack):
    bounded = changed(stack, {"permissions_boundary_arn": BOUNDARY})
    kinds = {kind: [r for r in bounded.resources if r.type == kind] for kind in ("aws:iam/role:Role",)}
    assert {role.inputs["permissionsBoundary"] for role in kinds["aws:iam/role:Role"]} == {BOUNDARY}
    others = [r.name for r in bounded.resources if "permissionsBoundary" in r.inputs]
    assert len(others) == len(kinds["aws:iam/role:Role"])
    assert not any("permissionsBoundary" in each.inputs for each in planned(stack).resources)
    assert len(bounded.resources) == len(planned(stack).resources)


# The program that declares it


@pytest.fixture(scope="module")
def example():
    with unwarned():
        return plan(ROOT / "examples" / "pipeline", "dev").recording


def test_the_example_keeps_the_rules_and_gives_each_stack_its_roles(example):
    report = policy_report(example)
    assert [finding for finding in report.findings if finding.level == "mandatory"] == []
    assert {"dev", "prod", "backend", "secrets_provider"} == set(example.outputs)
    names = {each.inputs["name"] for each in example.resources if each.type == "aws:iam/role:Role"}
    assert names == {f"pipeline-langgraph-platform-{s}-{p}" for s in ON_AWS for p in pipeline.PURPOSES}
    providers = [each for each in example.resources if each.type.endswith(":OpenIdConnectProvider")]
    assert len(providers) == 1


def test_each_stack_of_the_example_has_a_key_of_its_own_for_its_secrets(example):
    """`secure:` values are in the repository: a preview of dev may not have the key of prod's."""
    policies = {each.name: each for each in example.resources if each.type == "aws:iam/policy:Policy"}
    references = [set(policies[f"{stack}-state-read"].references["policy"]) for stack in ON_AWS]
    own = [{urn.rpartition("::")[2] for urn in found} for found in references]
    assert own == [{"state-key", f"state-{stack}-secrets"} for stack in ON_AWS]


def test_what_the_example_makes_has_not_the_tags_by_which_a_deployment_may_change_things(example):
    (provider,) = [each for each in example.resources if each.type == "pulumi:providers:aws"]
    assert json.loads(provider.inputs["defaultTags"])["tags"]["project"] != SCOPE.project
