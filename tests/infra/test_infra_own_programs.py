"""What programs of other teams are spared: the identity's policy, the image's hash, a login's two files."""

import json

import pytest
from infra.infra_stacks import inputs, of_kind
from infra.infra_workloads import DIGEST, MASTER_ARN, cloud_args, documents, named

from langgraph_components import AgentWorkload, Attachments, PodIdentity, PostgresDatabase
from langgraph_components.agent_workload import AgentWorkloadArgs
from langgraph_components.errors import InvalidArgs
from langgraph_components.pure import iam

CLUSTER = "arn:aws:eks:eu-west-1:123456789012:cluster/shared"
ACCOUNT = {"account_id": "123456789012", "region": "eu-west-1"}
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1"
POSTGRES = {
    **ACCOUNT,
    "vpc_id": "vpc-1",
    "subnet_ids": ["subnet-1", "subnet-2"],
    "client_security_group_ids": ["sg-1"],
    "data_key_arn": KEY,
    "logs_key_arn": KEY,
}
SHARED = {"account_id": "123456789012", "cluster_name": "shared", "cluster_arn": CLUSTER}
LONGHAND = {
    "remote": {"username": MASTER_ARN, "password": MASTER_ARN},
    "properties": {"username": "username", "password": "password"},
}


def identity(**more):
    database = PostgresDatabase("agents-db", {**POSTGRES, **more})
    files = Attachments("agents-files", {**ACCOUNT, "data_key_arn": KEY})
    PodIdentity("agents", {**SHARED, "policies": [database.login_policy, files.access_policy]})


def test_an_identity_may_do_what_each_of_its_policies_allows_and_nothing_else(graph):
    (policy,) = of_kind(graph(identity), "aws:RolePolicy")
    actions = {one["Sid"]: one["Action"] for one in json.loads(policy.inputs["policy"])["Statement"]}
    assert ["rds-db:connect"] in actions.values()
    assert any("s3:PutObject" in allowed for allowed in actions.values())


def test_an_identity_is_of_one_account_of_one_cluster(graph):
    association = inputs(graph(identity), "aws:PodIdentityAssociation")
    assert (association["namespace"], association["serviceAccount"]) == ("langgraph", "agent-server")
    (trust,) = (
        role.inputs["assumeRolePolicy"]
        for role in of_kind(graph(identity), "aws:Role")
        if role.name == "agents-role"
    )
    assert CLUSTER in str(trust)


def test_a_database_with_passwords_adds_nothing_to_a_policy(graph):
    (policy,) = of_kind(graph(lambda: identity(credentials="secret")), "aws:RolePolicy")
    assert "rds-db" not in policy.inputs["policy"]
    assert "s3:PutObject" in policy.inputs["policy"]


def test_an_identity_that_may_do_nothing_is_refused():
    empty = json.dumps(iam.document())
    with pytest.raises(ValueError, match="leave the identity out"):
        iam.merged([empty, empty])


def test_a_login_is_short_for_its_two_files(graph):
    short = documents(graph(lambda: AgentWorkload("agent", cloud_args(master_secret={"login": MASTER_ARN}))))
    long = documents(graph(lambda: AgentWorkload("agent", cloud_args(master_secret=LONGHAND))))
    assert named(short, "ExternalSecret", "agent-server-master") == named(
        long, "ExternalSecret", "agent-server-master"
    )


def by_password(**more):
    database = {"host": "db.example", "auth": "file", "cidrs": ["10.0.0.0/16"]}
    AgentWorkload("agent", cloud_args(database=database, database_secret={"login": "role"}, **more))


def test_the_migration_gives_the_role_the_password_that_it_serves_with(graph):
    (job,) = (each for each in documents(graph(by_password)) if each["kind"] == "Job")
    volumes = {each["name"]: each for each in job["spec"]["template"]["spec"]["volumes"]}
    assert volumes["application"]["secret"]["secretName"] == "agent-server-database"


def of_image(image, **more):
    database = {"host": "db.example", "region": "eu-west-1", "cidrs": ["10.0.0.0/16"]}
    master = {"existing": "master"}
    return AgentWorkloadArgs.of({"image": image, "database": database, "master_secret": master, **more})


def test_a_digest_that_is_known_names_the_migration():
    assert of_image(f"registry.example/agent@sha256:{DIGEST}").names_migration() == DIGEST


def test_a_hash_that_is_given_names_it_rather():
    assert (
        of_image("registry.example/agent:v1", image_hash="abcdef012345").names_migration() == "abcdef012345"
    )


def test_a_tag_names_no_migration():
    with pytest.raises(InvalidArgs, match="image_hash: give 12 hex digits"):
        of_image("registry.example/agent:v1")
