"""Every rule with a stack that breaks it: the whole sentence, and that what it says mends it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from infra.infra_settings import SAMPLES, STACKS, refusal, stack_settings

from langgraph_components import rules
from langgraph_components.pure import budget
from langgraph_components.pure.instance_classes import MEMORY_GIB, nominal_connections
from langgraph_components.settings import PlatformSettings

DIGEST = "registry.example/agent@sha256:" + "3f1a" * 16
ROLE = "arn:aws:iam::111122223333:role/platform-admin"
CONTROLLER = "aws-load-balancer-controller"

# stack, settings that break a rule, its whole sentence, settings that mend it as the sentence says
BROKEN = {
    # the connections
    "pool too small": (
        "dev",
        {"workload.pool_max_size": 3},
        "workload.pool_max_size: use at least 4; with fewer connections a process queues behind itself",
        {"workload.pool_max_size": 4},
    ),
    "pods of the specification on a small class": (
        "dev",
        {"workload.pool_max_size": 20, "workload.api.max_replicas": 50, "cluster.nodes.max_size": 60},
        "database.instance_class: the database (db.t4g.medium): 1140 connections are wanted (api "
        "51 pods * (20 + 2) + retention 1 pods * (4 + 2) + 12 fixed), 324 may be planned with (72 "
        "% of 450): make the pools at most 4, or let api have at most 12 replicas, or take "
        "instance class db.t4g.xlarge",
        {"database.instance_class": "db.t4g.xlarge"},
    ),
    "workers": (
        "dev",
        {"workload.workers.replicas": 20, "cluster.nodes.max_size": 60},
        "database.instance_class: the database (db.t4g.medium): 354 connections are wanted (api 7 "
        "pods * (10 + 2) + worker 21 pods * (10 + 2) + retention 1 pods * (4 + 2) + 12 fixed), 324 "
        "may be planned with (72 % of 450): make the pools at most 8, or let worker have at most "
        "17 replicas, or take instance class db.t4g.large",
        {"workload.workers.replicas": 17},
    ),
    "an adopted database": (
        "dev",
        {"database.existing": SAMPLES["database.existing"] | {"max_connections": 100}},
        "database.existing.max_connections: the database: 102 connections are wanted (api 7 pods * "
        "(10 + 2) + retention 1 pods * (4 + 2) + 12 fixed), 72 may be planned with (72 % of 100): "
        "make the pools at most 5, or let api have at most 3 replicas, or let it admit at least 142",
        {"workload.pool_max_size": 5},
    ),
    "connections that are set": (
        "dev",
        {"database.max_connections": 100},
        "database.max_connections: the database: 102 connections are wanted (api 7 pods * (10 + 2) + "
        "retention 1 pods * (4 + 2) + 12 fixed), 72 may be planned with (72 % of 100): make the pools at "
        "most 5, or let api have at most 3 replicas, or let it admit at least 142",
        {"database.max_connections": 142},
    ),
    "the database beside a local workload": (
        "local",
        {"local.postgres.max_connections": 50},
        "local.postgres.max_connections: the database: 46 connections are wanted (api 4 pods * (5 + 2) + "
        "retention 1 pods * (4 + 2) + 12 fixed), 36 may be planned with (72 % of 50): let api have at "
        "most 1 replicas, or let it admit at least 64",
        {"local.postgres.max_connections": 64},
    ),
    # namespaces
    "monitoring with the workload": (
        "prod",
        {"monitoring.namespace": "langgraph"},
        "monitoring.namespace: langgraph is workload.namespace too; name another",
        {"monitoring.namespace": "metrics"},
    ),
    "operators with each other": (
        "dev",
        {"node_autoscaler.operator_namespace": "external-secrets"},
        "node_autoscaler.operator_namespace: external-secrets is secrets.operator_namespace too; "
        "name another",
        {"node_autoscaler.operator_namespace": "nodes"},
    ),
    "the workload with the balancer's controller": (
        "prod",
        {"workload.namespace": CONTROLLER},
        f"workload.namespace: {CONTROLLER} is the load balancer controller's too; name another",
        {"workload.namespace": "agents"},
    ),
    "stores with each other": (
        "local",
        {"local.redis.namespace": "langgraph-postgres"},
        "local.redis.namespace: langgraph-postgres is local.postgres.namespace too; name another",
        {"local.redis.namespace": "cache"},
    ),
    "a namespace of Kubernetes": (
        "dev",
        {"workload.namespace": "default"},
        "workload.namespace: default is Kubernetes' own; name another",
        {"workload.namespace": "agents"},
    ),
    # times
    "a balancer that waits less than clients": (
        "prod",
        {"edge.idle_timeout_seconds": 60},
        "edge.idle_timeout_seconds: the balancer's idle time (60 s) must be above the client's "
        "time-out (300 s)",
        {"edge.idle_timeout_seconds": 301},
    ),
    "a balancer that waits longer than the server": (
        "prod",
        {"edge.idle_timeout_seconds": 4000},
        "edge.idle_timeout_seconds: keep-alive (330 s) must be above the balancer's idle time (4000 s)",
        {"edge.idle_timeout_seconds": 329},
    ),
    "a pod that is killed while requests end": (
        "prod",
        {"edge.deregistration_seconds": 300},
        "edge.deregistration_seconds: the deregistration delay (300 s) must end within preStop and "
        "drain (40 s)",
        {"edge.deregistration_seconds": 40},
    ),
    # local
    **{
        f"{name} in local": (
            "local",
            {name: value},
            f"{name}: is on AWS; leave it out of `local`",
            {name: None},
        )
        for name, value in {
            "account_id": "111122223333",
            "region": "eu-west-1",
            "network": {"az_count": 2},
            "encryption": {},
            "cluster": {},
            "node_autoscaler": {},
            "database": {"replicas": 1},
            "cache": {},
            "edge": SAMPLES["edge"],
            "attachments": {},
        }.items()
    },
    "a store in local": (
        "local",
        {"secrets": {"source": "aws"}},
        "secrets.source: `local` has no store; use kubernetes, or leave it out",
        {"secrets.source": "kubernetes"},
    ),
    "keys of a store in local": (
        "local",
        {"environment_secrets": {"OPENAI_API_KEY": "a/key"}},
        "environment_secrets: `local` has no store; use `pulumi config set --secret openaiApiKey`",
        {"environment_secrets": None},
    ),
    "monitoring installed in local": (
        "local",
        {"monitoring": {}},
        "monitoring.existing: say what the cluster has; nothing is installed into one that is not ours",
        {"monitoring.existing": {"namespace": "prometheus"}},
    ),
    "a registry in local": (
        "local",
        {"image": {}},
        "image.repository: set it to false, as the registry would be on AWS; or name image.reference",
        {"image.repository": False},
    ),
    # AWS
    "no account": (
        "dev",
        {"account_id": None},
        "account_id: is required unless environment is local",
        {"account_id": "111122223333"},
    ),
    "no region": (
        "prod",
        {"region": None},
        "region: is required unless environment is local",
        {"region": "eu-west-1"},
    ),
    "the cluster of local on AWS": (
        "dev",
        {"local": {"context": "kind"}},
        "local: is for the environment `local`; leave it out of dev",
        {"local": None},
    ),
    "nobody may enter": (
        "dev",
        {"cluster.admin_principals": []},
        "cluster.admin_principals: name at least one role, the deploying one among them",
        {"cluster.admin_principals": [ROLE]},
    ),
    "an image for another processor": (
        "dev",
        {"image.build.platforms": ["linux/amd64"]},
        "image.build.platforms: the nodes need linux/arm64",
        {"image.build.platforms": ["linux/amd64", "linux/arm64"]},
    ),
    "an image on no registry": (
        "dev",
        {"image.repository": False},
        "image.repository: leave it out; what is pushed nowhere is on no node",
        {"image.repository": None},
    ),
    "too few nodes": (
        "prod",
        {"cluster.nodes.max_size": 8},
        "cluster.nodes.max_size: 8 nodes do not hold 51 pods of 500m CPU and their neighbours: use "
        "at least 9, larger instance_types, or a lower workload.api.max_replicas",
        {"cluster.nodes.max_size": 9},
    ),
    "nodes that do not follow": (
        "dev",
        {"node_autoscaler": None},
        "cluster.nodes.min_size: 2 nodes do not hold 7 pods of 500m CPU and their neighbours: use "
        "at least 3, larger instance_types, a node_autoscaler, or a lower workload.api.max_replicas",
        {"node_autoscaler": {}},
    ),
    "nodes that are fixed": (
        "dev",
        {"node_autoscaler": None, "cluster.nodes.desired_size": 2},
        "cluster.nodes.desired_size: 2 nodes do not hold 7 pods of 500m CPU and their neighbours: "
        "use at least 3, larger instance_types, a node_autoscaler, or a lower workload.api.max_replicas",
        {"cluster.nodes.desired_size": 3},
    ),
    "a pod that is larger than a node": (
        "dev",
        {"workload.api.cpu_request": "2"},
        "cluster.nodes.instance_types: a pod fits on no node of t4g.large: use larger ones, or lower "
        "workload.api.cpu_request and workload.workers.cpu_request",
        {"workload.api.cpu_request": "600m"},
    ),
    "no store on AWS": (
        "dev",
        {"secrets.source": "kubernetes"},
        "secrets.source: kubernetes is for `local`; on AWS use aws, vault or gcp",
        {"secrets.source": "aws"},
    ),
    "another store without the pepper": (
        "dev",
        {
            "secrets": {"source": "vault", "vault": SAMPLES["secrets.vault"]},
            "database.existing": SAMPLES["database.existing"],
        },
        "environment_secrets.API_KEY_PEPPER: is required: nothing is made in vault",
        {"environment_secrets.API_KEY_PEPPER": "langgraph/pepper"},
    ),
    "another store that is there, and none for what AWS keeps": (
        "dev",
        {
            "secrets": {"source": "gcp", "existing_store": "company"},
            "environment_secrets.API_KEY_PEPPER": "pepper",
        },
        "secrets.existing_aws_store: is required: company reads gcp, and AWS Secrets Manager keeps the "
        "logins of database and cache",
        {"secrets.existing_aws_store": "company-aws"},
    ),
    # prod
    "one database": (
        "prod",
        {"database.multi_az": False},
        "database.multi_az: set it to true; in prod the loss of a zone loses no database",
        {"database.multi_az": True},
    ),
    "one way out": (
        "prod",
        {"network.nat": "single"},
        "network.nat: use per_az or regional; in prod the loss of a zone cuts nobody off",
        {"network.nat": "regional"},
    ),
    "one cache": (
        "prod",
        {"cache.replicas": 0, "cache.multi_az": False},
        "cache.replicas: use at least 1; in prod the loss of a zone loses no cache",
        {"cache.replicas": 1, "cache.multi_az": True},
    ),
    "a cache in one zone": (
        "prod",
        {"cache.multi_az": False},
        "cache.multi_az: set it to true; in prod the loss of a zone loses no cache",
        {"cache.multi_az": True},
    ),
    "fewer pods than zones": (
        "prod",
        {"workload.api.min_replicas": 2},
        "workload.api.min_replicas: use at least 3, one for each zone; in prod a zone can go",
        {"workload.api.min_replicas": 3},
    ),
    "fewer nodes than zones": (
        "prod",
        {"cluster.nodes.min_size": 1},
        "cluster.nodes.min_size: use at least 3, one for each zone; in prod a zone can go",
        {"cluster.nodes.min_size": 3},
    ),
    "few backups": (
        "prod",
        {"database.backup_days": 13},
        "database.backup_days: keep at least 14 in prod",
        {"database.backup_days": 14},
    ),
    **{
        f"{path} off": ("prod", {path: False}, f"{path}: set it to true in prod", {path: True})
        for path in (
            "database.deletion_protection",
            "database.final_snapshot",
            "database.protect",
            "cluster.deletion_protection",
        )
    },
    "keys that can be deleted": (
        "prod",
        {"encryption.protect": False},
        "encryption.protect: set it to true in prod: without its key every backup is lost",
        {"encryption.protect": True},
    ),
    "a bucket that goes with all that is in it": (
        "prod",
        {"attachments.force_destroy": True},
        "attachments.force_destroy: set it to false in prod",
        {"attachments.force_destroy": False},
    ),
    "open to all without a firewall": (
        "prod",
        {"edge.waf_managed_rules": False},
        "edge.allowed_cidrs: name the networks, or put a firewall before it: edge.waf_managed_rules",
        {"edge.allowed_cidrs": ["203.0.113.0/24"]},
    ),
    "open to all in two halves": (
        "prod",
        {"edge.waf_managed_rules": False, "edge.allowed_cidrs": ["0.0.0.0/1", "128.0.0.0/1"]},
        "edge.allowed_cidrs: name the networks, or put a firewall before it: edge.waf_managed_rules",
        {"edge.waf_arn": "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/a/1"},
    ),
    "an image by a tag": (
        "prod",
        {"image": {"reference": "registry.example/agent:v1", "mutable_tag": True}},
        "image.reference: name it by digest (…@sha256:…), or build it here",
        {"image": {"reference": DIGEST}},
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_is_told_in_one_sentence_that_says_what_mends_it(case):
    stack, breaking, sentence, mending = BROKEN[case]
    assert refusal(stack_settings(stack, breaking)) == [f"platform.{sentence}"]
    assert refusal(stack_settings(stack, breaking | mending)) == []


def test_every_rule_has_a_stack_that_breaks_it(monkeypatch):
    """Without the rule, what it refuses is taken: no other one refuses it too."""
    every = {*rules.ALWAYS, *rules.LOCAL, *rules.AWS, *rules.PROD}
    broken = set()
    for stack, breaking, _, _ in BROKEN.values():
        document = stack_settings(stack, breaking)
        with monkeypatch.context() as patch:
            for name in ("ALWAYS", "LOCAL", "AWS", "PROD"):
                patch.setattr(rules, name, ())
            settings = PlatformSettings.of(document)
        broken |= {rule.__name__ for rule in every if list(rule(settings))}
    assert broken == {rule.__name__ for rule in every}


def test_all_that_is_broken_is_told_at_once_line_by_line():
    faults = {"database.multi_az": False, "network.nat": "single", "edge.deregistration_seconds": 90}
    lines = refusal(stack_settings("prod", faults))
    assert {line.partition(": ")[0] for line in lines} == {f"platform.{path}" for path in faults}
    assert len(lines) == len(faults)


def test_what_is_for_prod_alone_is_allowed_in_dev():
    loose = {
        "database.multi_az": False,
        "workload.api.min_replicas": 1,
        "cluster.nodes.min_size": 1,
        "edge": SAMPLES["edge"] | {"allowed_cidrs": ["0.0.0.0/0"]},
        "image": {"reference": "registry.example/agent:v1", "mutable_tag": True},
        "attachments.force_destroy": True,
    }
    assert refusal(stack_settings("dev", loose)) == []


ADOPTED = {path: SAMPLES[path] for path in ("network.existing", "cluster.existing", "database.existing")}


def test_what_another_team_keeps_is_not_held_to_our_rules():
    for stack in ("dev", "prod"):
        theirs = {
            **ADOPTED,
            "cluster.admin_principals": [],
            "cluster.deletion_protection": False,
            "cluster.nodes": {"min_size": 1, "max_size": 1},
            "database.multi_az": False,
            "database.replicas": 0,
            "network.nat": "single",
            "monitoring.existing": {"namespace": "langgraph"},
            "image.build.platforms": ["linux/amd64"],
            "secrets.existing_store": "theirs",
            "secrets.operator_namespace": "langgraph",
        }
        assert refusal(stack_settings(stack, theirs)) == []


def test_the_example_of_a_closed_network_with_a_vault_is_valid():
    vault = {
        **ADOPTED,
        "secrets": {"source": "vault", "vault": SAMPLES["secrets.vault"]},
        "environment_secrets.API_KEY_PEPPER": "langgraph/pepper",
        "charts": {"chart_mirror": "oci://mirror.example/charts", "registry_mirror": "mirror.example"},
        "workload.provider_egress": False,
    }
    assert refusal(stack_settings("dev", vault)) == []


# The connections, over all settings


def connections(settings):
    """Counted anew, from the settings alone: every pod's pool and the two beside it."""
    workload, pool = settings.workload, settings.workload.pool_max_size + 2
    workers = workload.workers.replicas
    surge = workers > 0 and workload.workers.strategy == "RollingUpdate"
    return (workload.api.max_replicas + 1 + workers + surge) * pool + 6 + 12


sizes = st.fixed_dictionaries(
    {
        "workload.pool_max_size": st.integers(1, 40),
        "workload.api.max_replicas": st.integers(2, 120),
        "workload.workers.replicas": st.integers(0, 30),
        "workload.workers.strategy": st.sampled_from(["RollingUpdate", "Recreate"]),
        "database.instance_class": st.sampled_from(sorted(MEMORY_GIB)),
        "database.replicas": st.integers(0, 2),
        "cluster.nodes.max_size": st.just(450),
    }
)


@given(sizes)
def test_settings_that_pass_never_want_more_connections_than_may_be_planned_with(changes):
    document = stack_settings("dev", changes)
    lines = refusal(document)
    nominal = nominal_connections(changes["database.instance_class"]) or 0
    if lines:
        assert {line.partition(": ")[0] for line in lines} <= {
            "platform.database.instance_class",
            "platform.workload.pool_max_size",
        }
        return
    wanted = connections(PlatformSettings.of(document))
    assert wanted <= 0.72 * nominal
    assert wanted == budget.wanted(rules.fleets(PlatformSettings.of(document)))


ADVICE = {
    r"make the pools at most (\d+)": lambda found: {"workload.pool_max_size": int(found)},
    r"let api have at most (\d+) replicas": lambda found: {"workload.api.max_replicas": int(found)},
    r"let worker have at most (\d+) replicas": lambda found: {"workload.workers.replicas": int(found)},
    r"take instance class (\S+)$": lambda found: {"database.instance_class": found},
}


@given(sizes)
def test_any_of_what_the_sentence_offers_is_enough(changes):
    lines = refusal(stack_settings("dev", changes))
    if not lines or "workload.pool_max_size" in lines[0]:
        return
    offered = [
        change(found[1]) for pattern, change in ADVICE.items() if (found := re.search(pattern, lines[0]))
    ]
    assert offered or "no instance class has so many" in lines[0]
    for mending in offered:
        # the least of one pod is the stack's own choice, which no sentence can know
        assert refusal(stack_settings("dev", {**changes, "workload.api.min_replicas": 1, **mending})) == []


def test_a_read_replica_has_the_same_budget_as_the_primary():
    for replicas in (0, 1, 5):
        settings = PlatformSettings.of(stack_settings("prod", {"database.replicas": replicas}))
        assert rules.fleets(settings) == [
            budget.Fleet("api", 50, 12, surge=1),
            budget.Fleet("worker", 1, 12, surge=1),
            budget.Fleet("retention", 1, budget.SWEEP_POOL),
        ]


def test_workers_that_are_recreated_have_no_surge():
    changes = {"workload.workers.strategy": "Recreate", "workload.workers.replicas": 4}
    settings = PlatformSettings.of(stack_settings("prod", changes))
    assert budget.Fleet("worker", 4, 12) in rules.fleets(settings)


@pytest.mark.parametrize("stack", STACKS)
def test_the_stacks_themselves_keep_every_rule(stack):
    assert rules.broken(PlatformSettings.of(stack_settings(stack))) == []
