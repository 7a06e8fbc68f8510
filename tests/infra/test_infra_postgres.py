import json

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.provider.experimental.analyzer import Analyzer

from langgraph_components.errors import InvalidArgs
from langgraph_components.postgres_args import PostgresDatabaseArgs
from langgraph_components.postgres_database import PostgresDatabase
from langgraph_components.pure import data_policies
from lgp.planning.values import Secret, holds_secret, revealed

ARGS = {
    "account_id": "123456789012",
    "region": "eu-west-1",
    "vpc_id": "vpc-1",
    "subnet_ids": ["subnet-a", "subnet-b"],
    "client_security_group_ids": ["sg-nodes"],
    "data_key_arn": "arn:aws:kms:eu-west-1:123456789012:key/data",
    "logs_key_arn": "arn:aws:kms:eu-west-1:123456789012:key/logs",
}
EXISTING = {
    "account_id": "123456789012",
    "region": "eu-west-1",
    "existing": {
        "host": "db.internal",
        "master_secret_arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:theirs",
        "security_group_id": "sg-theirs",
        "max_connections": 300,
        "resource_id": "db-THEIRS",
    },
}
INSTANCE = "aws:rds/instance:Instance"


def declared(graph, **more):
    return graph(lambda: PostgresDatabase("database", {**ARGS, **more}))


def primary(found):
    return found.named("database", INSTANCE)


def outputs_of(graph, args):
    """What a component hands on, exported by a program and read from its stack."""

    def program():
        database = PostgresDatabase("database", args)
        for key in PostgresDatabase.__annotations__:
            pulumi.export(key, getattr(database, key))
        pulumi.export("statements", database.login_statements())

    return graph(program).outputs


def parameters(found):
    (group,) = found.of_type("aws:rds/parameterGroup:ParameterGroup")
    return {p["name"]: (p["value"], p["applyMethod"]) for p in group.inputs["parameters"]}


# K5: what a database of ours is unless it is told otherwise


def test_by_default_it_is_encrypted_private_redundant_backed_up_and_hard_to_delete(graph):
    inputs = primary(declared(graph)).inputs
    expected = {
        "storageEncrypted": True,
        "kmsKeyId": ARGS["data_key_arn"],
        "publiclyAccessible": False,
        "multiAz": True,
        "deletionProtection": True,
        "skipFinalSnapshot": False,
        "finalSnapshotIdentifier": "langgraph-platform-test-database-final",
        "backupRetentionPeriod": 14,
        "deleteAutomatedBackups": False,
        "copyTagsToSnapshot": True,
        "storageType": "gp3",
        "iamDatabaseAuthenticationEnabled": True,
        "performanceInsightsEnabled": True,
        "performanceInsightsKmsKeyId": ARGS["data_key_arn"],
        "databaseInsightsMode": "standard",
        "monitoringInterval": 60,
        "caCertIdentifier": "rds-ca-rsa2048-g1",
        "enabledCloudwatchLogsExports": ["postgresql", "upgrade"],
        "engine": "postgres",
        "engineVersion": "18",
        "autoMinorVersionUpgrade": True,
    }
    assert {key: inputs.get(key) for key in expected} == expected


def test_tls_is_forced_slow_statements_are_logged_without_values_and_idle_transactions_end(graph):
    assert parameters(declared(graph)) == {
        "rds.force_ssl": ("1", "pending-reboot"),
        "log_statement": ("ddl", "immediate"),
        "log_lock_waits": ("1", "immediate"),
        "log_min_duration_statement": ("1000", "immediate"),
        "log_parameter_max_length": ("0", "immediate"),
        "idle_in_transaction_session_timeout": ("30000", "immediate"),
    }


def test_a_limit_that_is_set_is_told_to_the_server_at_its_next_restart(graph):
    assert parameters(declared(graph, max_connections=800))["max_connections"] == ("800", "pending-reboot")


def test_blue_green_can_replicate_to_another_major_version(graph):
    found = parameters(declared(graph, blue_green=True))
    assert found["rds.logical_replication"] == ("1", "pending-reboot")


def test_the_master_password_is_made_and_kept_by_rds(graph):
    found = declared(graph)
    inputs = primary(found).inputs
    assert inputs["manageMasterUserPassword"] is True
    assert inputs["masterUserSecretKmsKeyId"] == ARGS["data_key_arn"]
    assert not {"password", "passwordWo"} & set(inputs)
    assert found.of_type("random:index/randomPassword:RandomPassword") == []
    assert not any(holds_secret(resource.inputs) for resource in found.resources)


def test_the_log_groups_are_there_before_rds_makes_its_own(graph):
    found = declared(graph)
    groups = found.of_type("aws:cloudwatch/logGroup:LogGroup")
    assert {group.inputs["name"] for group in groups} == {
        "/aws/rds/instance/langgraph-platform-test-database/postgresql",
        "/aws/rds/instance/langgraph-platform-test-database/upgrade",
    }
    assert {group.inputs["retentionInDays"] for group in groups} == {365}
    assert {group.inputs["kmsKeyId"] for group in groups} == {ARGS["logs_key_arn"]}
    assert {group.urn for group in groups} <= set(primary(found).depends_on)


def test_enhanced_monitoring_has_a_role_that_only_rds_assumes(graph):
    found = declared(graph)
    (role,) = found.of_type("aws:iam/role:Role")
    (statement,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Service": "monitoring.rds.amazonaws.com"}
    assert list(statement["Condition"]["StringEquals"]) == ["aws:SourceAccount"]
    (attached,) = found.of_type("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    assert attached.urn in primary(found).depends_on
    off = declared(graph, monitoring_interval_seconds=0)
    assert off.of_type("aws:iam/role:Role") == []
    assert "monitoringRoleArn" not in primary(off).inputs


def test_what_is_not_wanted_is_off(graph):
    found = declared(
        graph,
        insights="off",
        multi_az=False,
        deletion_protection=False,
        final_snapshot=False,
        backup_days=0,
    )
    inputs = primary(found).inputs
    assert inputs["performanceInsightsEnabled"] is False
    assert "databaseInsightsMode" not in inputs
    assert (inputs["multiAz"], inputs["deletionProtection"], inputs["backupRetentionPeriod"]) == (
        False,
        False,
        0,
    )
    assert inputs["skipFinalSnapshot"] is True
    # named all the same: the name is kept from the start, and who wants a snapshot later has it
    assert inputs["finalSnapshotIdentifier"] == f"{inputs['identifier']}-final"
    assert "finalSnapshotIdentifier" in primary(found).ignore_changes


def test_advanced_insights_keep_as_long_as_they_must(graph):
    inputs = primary(declared(graph, insights="advanced")).inputs
    assert (inputs["databaseInsightsMode"], inputs["performanceInsightsRetentionPeriod"]) == ("advanced", 465)


# Network


def test_only_the_clients_groups_come_in_on_one_port_and_nothing_goes_out(graph):
    found = declared(graph, client_security_group_ids=["sg-nodes", "sg-bastion"])
    rules = found.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    assert {rule.inputs["referencedSecurityGroupId"] for rule in rules} == {"sg-nodes", "sg-bastion"}
    for rule in rules:
        assert (rule.inputs["fromPort"], rule.inputs["toPort"], rule.inputs["ipProtocol"]) == (
            5432,
            5432,
            "tcp",
        )
        assert rule.inputs["description"]
        assert not {"cidrIpv4", "cidrIpv6"} & set(rule.inputs)
    (group,) = found.of_type("aws:ec2/securityGroup:SecurityGroup")
    assert not {"ingress", "egress"} & set(group.inputs)
    assert found.of_type("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule") == []


# Versions and identity


def test_a_version_that_rds_chose_is_left_alone_unless_an_upgrade_is_wanted(graph):
    assert "engineVersion" in primary(declared(graph)).ignore_changes
    wanted = primary(declared(graph, engine_major=19, allow_major_version_upgrade=True))
    assert "engineVersion" not in wanted.ignore_changes
    assert wanted.inputs["allowMajorVersionUpgrade"] is True


def test_only_the_data_is_protected(graph):
    found = declared(graph, protect=True, replicas=1, credentials="secret")
    assert {(r.type, r.name) for r in found.resources if r.protect} == {
        (INSTANCE, "database"),
        ("aws:secretsmanager/secret:Secret", "database-application"),
        ("aws:secretsmanager/secret:Secret", "database-master-login"),
    }


def test_every_child_belongs_to_the_component(graph):
    found = declared(graph, replicas=2, credentials="secret")
    component = found.named("database", "langgraph:index:PostgresDatabase")
    assert {r.parent for r in found.resources if r is not component} == {component.urn}
    assert found.duplicates == ()


def test_blue_green_is_asked_for_only_where_it_is_wanted(graph):
    assert "blueGreenUpdate" not in primary(declared(graph)).inputs
    assert primary(declared(graph, blue_green=True)).inputs["blueGreenUpdate"] == {"enabled": True}


# Replicas


def test_replicas_follow_the_primary_and_are_as_closed_as_it_is(graph):
    found = declared(graph, replicas=2)
    copies = [found.named(f"database-replica-{index}", INSTANCE) for index in range(2)]
    same = ("instanceClass", "storageEncrypted", "publiclyAccessible", "parameterGroupName")
    for copy in copies:
        assert copy.inputs["replicateSourceDb"] == primary(found).inputs["identifier"]
        assert copy.inputs["skipFinalSnapshot"] is True
        assert not {"username", "dbName", "engineVersion", "dbSubnetGroupName"} & set(copy.inputs)
        assert [copy.inputs[key] for key in same] == [primary(found).inputs[key] for key in same]
        assert copy.inputs["vpcSecurityGroupIds"] == primary(found).inputs["vpcSecurityGroupIds"]
    assert len({copy.inputs["identifier"] for copy in copies}) == 2


def test_replicas_are_not_told_their_key_and_can_be_taken_away_again(graph):
    """RDS: "Your request does not require the KMS key parameter", for a copy in the same region."""
    copy = declared(graph, replicas=1, deletion_protection=True).named("database-replica-0", INSTANCE).inputs
    assert "kmsKeyId" not in copy
    assert (copy["storageEncrypted"], copy["deletionProtection"]) == (True, False)


@pytest.mark.parametrize("copied", [{"replicas": 1}, {"blue_green": True}])
def test_of_a_database_that_is_copied_rds_cannot_keep_the_password_so_it_is_made_here(graph, copied):
    found = declared(graph, **copied)
    inputs = primary(found).inputs
    assert not {"manageMasterUserPassword", "masterUserSecretKmsKeyId"} & set(inputs)
    assert isinstance(inputs["password"], Secret)
    version = found.named("database-master-login-value")
    assert primary(found).urn in version.depends_on
    assert json.loads(revealed(version.inputs["secretString"])) == {
        "username": "langgraph_master",
        "password": revealed(inputs["password"]),
    }
    told = outputs_of(graph, {**ARGS, **copied})["master_secret_arn"]
    assert told != outputs_of(graph, ARGS)["master_secret_arn"]


def test_copies_have_no_password_of_their_own(graph):
    copy = declared(graph, replicas=1).named("database-replica-0", INSTANCE).inputs
    assert not {"password", "manageMasterUserPassword", "masterUserSecretKmsKeyId"} & set(copy)


def test_reads_go_to_the_first_replica(graph):
    assert outputs_of(graph, {**ARGS, "replicas": 2})["read_host"] == "database-replica-0.rds.invalid"
    assert "read_host" not in outputs_of(graph, ARGS)


# Outputs


def test_the_outputs_are_those_of_the_primary(graph):
    told = outputs_of(graph, {**ARGS, "instance_class": "db.m8g.large"})
    assert told["host"] == "database.rds.invalid"
    assert (told["port"], told["database"], told["max_connections"]) == (5432, "langgraph", 901)
    assert told["resource_id"] == "db-database"
    assert told["master_secret_arn"].endswith("secret:database-master")
    assert told["security_group_id"] == "database-access-id"
    assert not holds_secret(told)


def test_an_existing_database_is_taken_as_it_is(graph):
    found = graph(lambda: PostgresDatabase("database", EXISTING))
    assert [resource.name for resource in found.resources] == ["database"]
    told = outputs_of(graph, EXISTING)
    assert (told["host"], told["port"], told["database"]) == ("db.internal", 5432, "langgraph")
    assert (told["max_connections"], told["security_group_id"]) == (300, "sg-theirs")
    assert told["statements"][0]["Resource"] == [
        "arn:aws:rds-db:eu-west-1:123456789012:dbuser:db-THEIRS/langgraph_app"
    ]


# K4: the application's login


def test_the_application_logs_in_as_exactly_its_role_on_exactly_these_instances(graph):
    (statement,) = outputs_of(graph, {**ARGS, "replicas": 1})["statements"]
    assert statement == {
        "Sid": "DatabaseLogin",
        "Effect": "Allow",
        "Action": ["rds-db:connect"],
        "Resource": [
            "arn:aws:rds-db:eu-west-1:123456789012:dbuser:db-database/langgraph_app",
            "arn:aws:rds-db:eu-west-1:123456789012:dbuser:db-database-replica-0/langgraph_app",
        ],
    }


@pytest.mark.parametrize(("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")])
def test_the_login_is_named_in_the_partition_of_the_region(region, partition):
    arn = data_policies.database_user_arn(region, "123456789012", "db-X")
    assert arn == f"arn:{partition}:rds-db:{region}:123456789012:dbuser:db-X/langgraph_app"


# The two alternating roles


def secret_of(found):
    (version,) = found.of_type("aws:secretsmanager/secretVersion:SecretVersion")
    text = version.inputs["secretString"]
    assert isinstance(text, Secret)
    return json.loads(revealed(text))


def keepers(found):
    passwords = found.of_type("random:index/randomPassword:RandomPassword")
    return {made.name[-1]: made.inputs["keepers"]["generation"] for made in passwords}


@pytest.mark.parametrize(
    ("generation", "role", "slots"),
    [
        (1, "a", {"a": "1", "b": "0"}),
        (2, "b", {"a": "1", "b": "2"}),
        (3, "a", {"a": "3", "b": "2"}),
        (4, "b", {"a": "3", "b": "4"}),
    ],
)
def test_each_turn_renews_one_password_and_leaves_the_one_that_still_serves(graph, generation, role, slots):
    found = declared(graph, credentials="secret", generation=generation)
    assert keepers(found) == slots
    assert secret_of(found) == {
        "username": f"langgraph_app_{role}",
        "password": f"database-application-{role}-result",
    }


@given(st.integers(1, 10_000))
def test_a_turn_never_touches_the_password_that_serves(generation):
    now, then = data_policies.slot_generations(generation), data_policies.slot_generations(generation + 1)
    serving = now.index(generation)
    assert then[serving] == generation
    assert then[1 - serving] == generation + 1


def test_going_back_one_generation_finds_the_password_that_was(graph):
    before, after = (keepers(declared(graph, credentials="secret", generation=n)) for n in (3, 2))
    assert before["b"] == after["b"]


def test_with_a_secret_nobody_logs_in_through_iam(graph):
    found = declared(graph, credentials="secret")
    assert primary(found).inputs["iamDatabaseAuthenticationEnabled"] is False
    told = outputs_of(graph, {**ARGS, "credentials": "secret"})
    assert told["statements"] == []
    assert told["application_secret_arn"].endswith("secret:database-application")
    assert "application_secret_arn" not in outputs_of(graph, ARGS)


def test_the_secret_is_encrypted_with_our_key_and_its_text_is_never_shown(graph):
    found = declared(graph, credentials="secret")
    (secret,) = found.of_type("aws:secretsmanager/secret:Secret")
    assert secret.inputs["kmsKeyId"] == ARGS["data_key_arn"]
    assert secret.inputs["namePrefix"] == "langgraph-platform/test/database-application-"
    holding = [r.type for r in found.resources if holds_secret(r.inputs)]
    assert holding == ["aws:secretsmanager/secretVersion:SecretVersion"]


# What is refused

UNKNOWN = (
    "PostgresDatabaseArgs.max_connections: is required for db.x2g.large: "
    "only the classes of db.m7g, db.m8g, db.r7g, db.r8g, db.t4g are known"
)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"instance_class": "db.x2g.large"}, UNKNOWN),
        ({"replicas": 6}, "PostgresDatabaseArgs.replicas: should be less than or equal to 5 (got 6)"),
        (
            {"replicas": 1, "backup_days": 0},
            "PostgresDatabaseArgs.replicas: needs backups: set backup_days to 1 or more",
        ),
        (
            {"blue_green": True, "backup_days": 0},
            "PostgresDatabaseArgs.blue_green: needs backups: set backup_days to 1 or more",
        ),
        (
            {"storage_gib": 600},
            "PostgresDatabaseArgs.max_storage_gib: should be at least storage_gib, 600 (got 500)",
        ),
        (
            {"monitoring_interval_seconds": 20},
            "PostgresDatabaseArgs.monitoring_interval_seconds: should be one of 0, 1, 5, 10, 15, 30, 60 "
            "(got 20)",
        ),
        (
            {"backup_window": "2-3"},
            "PostgresDatabaseArgs.backup_window: should be hh:mm-hh:mm in UTC (got '2-3')",
        ),
        (
            {"maintenance_window": "3-4"},
            "PostgresDatabaseArgs.maintenance_window: should be ddd:hh:mm-ddd:hh:mm in UTC (got '3-4')",
        ),
        (
            {"maintenance_window": "mon:02:30-mon:03:30"},
            "PostgresDatabaseArgs.maintenance_window: should not overlap the daily window 02:00-03:00 "
            "(got 'mon:02:30-mon:03:30')",
        ),
        (
            {"secret_recovery_days": 3},
            "PostgresDatabaseArgs.secret_recovery_days: should be 0 or 7 to 30 (got 3)",
        ),
        ({"vpc_id": None}, "PostgresDatabaseArgs.vpc_id: is required unless there is an existing database"),
        (
            {"credentials": "x"},
            "PostgresDatabaseArgs.credentials: should be 'iam' or 'secret' (got 'x')",
        ),
        ({"colour": "red"}, "PostgresDatabaseArgs.colour: there is no such setting"),
    ],
)
def test_wrong_arguments_are_refused_with_the_path_and_what_is_allowed(graph, wrong, said):
    with pytest.raises(InvalidArgs) as caught:
        declared(graph, **wrong)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"resource_id": None}, "resource_id is required, or credentials: secret"),
        ({"read_host": "ro.internal"}, "read_resource_id is required with read_host, or credentials: secret"),
    ],
)
def test_an_existing_database_needs_a_name_that_iam_knows(change, said):
    wrong = {**EXISTING, "existing": {**EXISTING["existing"], **change}}
    with pytest.raises(InvalidArgs) as caught:
        PostgresDatabaseArgs.of(wrong)
    assert str(caught.value) == f"PostgresDatabaseArgs.existing: {said}"
    PostgresDatabaseArgs.of({**wrong, "credentials": "secret"})


def test_an_unknown_class_is_admitted_with_its_limit(graph):
    told = outputs_of(graph, {**ARGS, "instance_class": "db.x2g.large", "max_connections": 700})
    assert told["max_connections"] == 700


# Other languages


def test_the_schema_of_other_languages_has_every_argument_and_output():
    analyzer = Analyzer("langgraph")
    definition = analyzer.analyze_component(PostgresDatabase)
    needed = {key for key, value in definition.inputs.items() if not value.optional}
    assert needed == {"accountId", "region"}
    assert definition.inputs["clientSecurityGroupIds"].items.plain is not True
    optional = {key for key, value in definition.outputs.items() if value.optional}
    assert optional == {"readHost", "applicationSecretArn", "resourceId"}
    assert len(definition.inputs) == len(PostgresDatabaseArgs.model_fields)
