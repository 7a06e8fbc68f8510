import json
import re

import pulumi
import pytest
from pulumi.provider.experimental.analyzer import Analyzer

from langgraph_components.errors import InvalidArgs
from langgraph_components.pure import data_policies
from langgraph_components.redis_cache import RedisCache
from lgp.planning.values import Secret, holds_secret, revealed

ARGS = {
    "vpc_id": "vpc-1",
    "subnet_ids": ["subnet-a", "subnet-b"],
    "client_security_group_ids": ["sg-nodes"],
    "data_key_arn": "arn:aws:kms:eu-west-1:123456789012:key/data",
}
GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
USER = "aws:elasticache/user:User"


def declared(graph, **more):
    return graph(lambda: RedisCache("cache", {**ARGS, **more}))


def nodes(found):
    return found.named("cache", GROUP).inputs


# K5


def test_by_default_it_is_encrypted_on_disk_and_on_the_wire_and_survives_a_zone(graph):
    expected = {
        "engine": "valkey",
        "engineVersion": "8.2",
        "atRestEncryptionEnabled": True,
        "kmsKeyId": ARGS["data_key_arn"],
        "transitEncryptionEnabled": True,
        "transitEncryptionMode": "required",
        "numCacheClusters": 2,
        "automaticFailoverEnabled": True,
        "multiAzEnabled": True,
        "snapshotRetentionLimit": 1,
        "replicationGroupId": "langgraph-platform-test-cache",
    }
    found = nodes(declared(graph))
    assert {key: found.get(key) for key in expected} == expected
    assert "authToken" not in found


def test_nothing_is_evicted_by_default(graph):
    (group,) = declared(graph).of_type("aws:elasticache/parameterGroup:ParameterGroup")
    assert group.inputs["family"] == "valkey8"
    assert group.inputs["parameters"] == [{"name": "maxmemory-policy", "value": "noeviction"}]


@pytest.mark.parametrize(
    ("engine", "version", "family"), [("valkey", "8.2", "valkey8"), ("redis", "7.1", "redis7")]
)
def test_without_a_version_it_is_one_that_the_engine_has(graph, engine, version, family):
    found = declared(graph, engine=engine)
    (group,) = found.of_type("aws:elasticache/parameterGroup:ParameterGroup")
    assert (nodes(found)["engineVersion"], group.inputs["family"]) == (version, family)


@pytest.mark.parametrize(
    ("engine", "version", "family"), [("valkey", "7.2", "valkey7"), ("redis", "7.0", "redis7")]
)
def test_the_parameters_are_of_the_family_of_the_engine(graph, engine, version, family):
    found = declared(graph, engine=engine, engine_version=version)
    (group,) = found.of_type("aws:elasticache/parameterGroup:ParameterGroup")
    assert group.inputs["family"] == family
    assert {user.inputs["engine"] for user in found.of_type(USER)} == {engine}


def test_one_node_alone_has_no_failover_and_no_snapshots_if_none_are_wanted(graph):
    found = nodes(declared(graph, replicas=0, multi_az=False, snapshot_days=0))
    assert (found["numCacheClusters"], found["automaticFailoverEnabled"], found["multiAzEnabled"]) == (
        1,
        False,
        False,
    )
    assert found["snapshotRetentionLimit"] == 0
    assert "snapshotWindow" not in found


def test_without_snapshots_their_window_keeps_nothing_from_being_maintained(graph):
    found = nodes(declared(graph, snapshot_days=0, maintenance_window="sun:01:00-sun:02:00"))
    assert found["maintenanceWindow"] == "sun:01:00-sun:02:00"


def test_only_the_clients_groups_come_in_and_nothing_goes_out(graph):
    found = declared(graph)
    (rule,) = found.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    assert rule.inputs["referencedSecurityGroupId"] == "sg-nodes"
    assert (rule.inputs["fromPort"], rule.inputs["toPort"]) == (6379, 6379)
    assert rule.inputs["description"]
    (group,) = found.of_type("aws:ec2/securityGroup:SecurityGroup")
    assert not {"ingress", "egress"} & set(group.inputs)


# Users


def test_the_user_that_nobody_names_is_off(graph):
    user = declared(graph).named("cache-default", USER).inputs
    assert user["userName"] == "default"
    assert user["accessString"].split() == ["off", "~nothing", "-@all"]
    assert "noPasswordRequired" not in user


def test_the_application_has_its_own_keys_and_channels_and_no_harmful_command(graph):
    words = declared(graph).named("cache-application", USER).inputs["accessString"].split()
    assert words[:4] == ["on", "~langgraph:*", "&langgraph:*", "-@all"]
    assert words[-2:] == ["-@admin", "-@dangerous"]
    allowed = {word[1:] for word in words if word.startswith("+")}
    assert not allowed & {"@all", "@admin", "@dangerous", "config", "keys", "flushall"}


def test_another_prefix_is_another_key_space(graph):
    user = declared(graph, key_prefix="agents.").named("cache-application", USER)
    assert user.inputs["accessString"] == data_policies.cache_access("agents.")
    assert "~agents.*" in user.inputs["accessString"].split()


def test_the_group_has_both_users_and_is_the_only_way_in(graph):
    found = declared(graph)
    (group,) = found.of_type("aws:elasticache/userGroup:UserGroup")
    users = {user.inputs["userId"] for user in found.of_type(USER)}
    assert set(group.inputs["userIds"]) == users
    assert nodes(found)["userGroupIds"] == [group.inputs["userGroupId"]]


@pytest.mark.parametrize("name", ["cache", "a-rather-long-name-for-a-cache-of-a-platform"])
def test_every_physical_name_is_one_that_elasticache_admits(graph, name):
    found = graph(lambda: RedisCache(name, ARGS), stack="production-eu-west-1")
    names = [
        r.inputs[k]
        for r in found.resources
        for k in ("userId", "userGroupId", "replicationGroupId")
        if k in r.inputs
    ]
    assert len(set(names)) == len(names) == 4
    for given in names:
        assert re.fullmatch(r"[a-z](-?[a-z0-9])*", given)
        assert len(given) <= 40


# The secret


def secret_of(found):
    (version,) = found.of_type("aws:secretsmanager/secretVersion:SecretVersion")
    assert isinstance(version.inputs["secretString"], Secret)
    return json.loads(revealed(version.inputs["secretString"]))


def test_the_secret_is_all_that_a_client_needs(graph):
    assert secret_of(declared(graph)) == {
        "username": "langgraph",
        "password": "cache-password-a-result",
        "host": "cache.cache.invalid",
        "port": 6379,
        "url": "rediss://langgraph:cache-password-a-result@cache.cache.invalid:6379/0",
    }


def test_the_secret_is_told_only_once_the_cache_knows_the_password(graph):
    found = declared(graph)
    (version,) = found.of_type("aws:secretsmanager/secretVersion:SecretVersion")
    assert found.named("cache-application", USER).urn in version.depends_on


@pytest.mark.parametrize(
    ("generation", "serving", "made"),
    [(1, "a", {"a": "1", "b": "0"}), (2, "b", {"a": "1", "b": "2"}), (3, "a", {"a": "3", "b": "2"})],
)
def test_a_new_generation_serves_while_the_one_before_is_still_valid(graph, generation, serving, made):
    found = declared(graph, generation=generation)
    keepers = {
        slot: found.named(f"cache-password-{slot}").inputs["keepers"]["generation"] for slot in ("a", "b")
    }
    assert keepers == made
    assert secret_of(found)["password"] == f"cache-password-{serving}-result"
    valid = revealed(found.named("cache-application", USER).inputs["passwords"])
    assert valid == ["cache-password-a-result", "cache-password-b-result"]


def test_passwords_are_secret_wherever_they_go(graph):
    found = declared(graph)
    plain = json.dumps([r.inputs for r in found.resources], default=repr)
    assert "-result" not in plain
    assert {r.type for r in found.resources if holds_secret(r.inputs)} == {
        USER,
        "aws:secretsmanager/secretVersion:SecretVersion",
    }


def test_a_password_can_stand_in_a_url(graph):
    for made in declared(graph).of_type("random:index/randomPassword:RandomPassword"):
        assert made.inputs["special"] is False
        assert 16 <= made.inputs["length"] <= 128


# The component


def test_only_the_nodes_and_the_secret_are_protected(graph):
    found = declared(graph, protect=True)
    assert {r.type for r in found.resources if r.protect} == {GROUP, "aws:secretsmanager/secret:Secret"}


def test_every_child_belongs_to_the_component(graph):
    found = declared(graph)
    component = found.named("cache", "langgraph:index:RedisCache")
    assert {r.parent for r in found.resources if r is not component} == {component.urn}
    assert found.duplicates == ()


def test_the_outputs_hold_no_secret(graph):
    def program():
        cache = RedisCache("cache", ARGS)
        for key in RedisCache.__annotations__:
            pulumi.export(key, getattr(cache, key))

    told = graph(program).outputs
    assert (told["host"], told["port"]) == ("cache.cache.invalid", 6379)
    assert told["security_group_id"] == "cache-access-id"
    assert told["secret_arn"].endswith("secret:cache-login")
    assert not holds_secret(told)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"replicas": 6}, "RedisCacheArgs.replicas: should be less than or equal to 5 (got 6)"),
        (
            {"replicas": 0},
            "RedisCacheArgs.multi_az: needs a replica: set replicas to 1 or more, or multi_az to false",
        ),
        (
            {"engine_version": "6.2"},
            "RedisCacheArgs.engine_version: should be 7.0 or later: older ones hide no channel (got 6.2)",
        ),
        (
            {"engine": "redis", "engine_version": "8.2"},
            "RedisCacheArgs.engine_version: should be 7.0 or 7.1: Redis OSS ends there (got 8.2)",
        ),
        (
            {"snapshot_window": "1-2"},
            "RedisCacheArgs.snapshot_window: should be hh:mm-hh:mm in UTC (got '1-2')",
        ),
        (
            {"maintenance_window": "5-6"},
            "RedisCacheArgs.maintenance_window: should be ddd:hh:mm-ddd:hh:mm in UTC (got '5-6')",
        ),
        (
            {"maintenance_window": "sun:00:30-sun:01:30"},
            "RedisCacheArgs.maintenance_window: should not overlap the daily window 01:00-02:00 "
            "(got 'sun:00:30-sun:01:30')",
        ),
        (
            {"secret_recovery_days": 3},
            "RedisCacheArgs.secret_recovery_days: should be 0 or 7 to 30 (got 3)",
        ),
        ({"subnet_ids": None}, "RedisCacheArgs.subnet_ids: is required"),
        ({"tls": False}, "RedisCacheArgs.tls: there is no such setting"),
    ],
)
def test_wrong_arguments_are_refused_with_the_path_and_what_is_allowed(graph, wrong, said):
    with pytest.raises(InvalidArgs) as caught:
        declared(graph, **wrong)
    assert str(caught.value) == said


def test_the_schema_of_other_languages_has_every_argument_and_output():
    definition = Analyzer("langgraph").analyze_component(RedisCache)
    needed = {key for key, value in definition.inputs.items() if not value.optional}
    assert needed == {"vpcId", "subnetIds", "dataKeyArn"}
    assert set(definition.outputs) == {"host", "port", "secretArn", "securityGroupId"}
