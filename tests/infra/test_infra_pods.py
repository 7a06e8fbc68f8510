import hashlib

import pytest

from langgraph_components.pure import autoscaling, environment, jobs, labels, local_stores, pods
from langgraph_components.pure.labels import Part


def asked(probe):
    http = probe["httpGet"]
    numbers = [
        probe.get(key)
        for key in ("initialDelaySeconds", "periodSeconds", "timeoutSeconds", "failureThreshold")
    ]
    return http["path"], http["port"], *numbers


def test_the_probes_are_those_that_were_asked_for():
    probes = pods.server_probes()
    assert asked(probes["livenessProbe"]) == ("/health", "http", 10, 30, 5, 3)
    assert asked(probes["readinessProbe"]) == ("/ready", "http", 5, 10, 5, 3)
    assert asked(probes["startupProbe"])[:4] == ("/health", "http", 5, 5)
    assert probes["startupProbe"]["failureThreshold"] == 30


def test_a_pod_stops_serving_by_a_sleep_without_a_shell():
    assert pods.pre_stop(20) == {"lifecycle": {"preStop": {"sleep": {"seconds": 20}}}}


def test_pods_prefer_other_zones_and_hosts_and_count_their_own_version_only():
    spread = pods.spread(labels.selector(Part.API))
    (zone,) = spread["topologySpreadConstraints"]
    assert (zone["topologyKey"], zone["whenUnsatisfiable"]) == (
        "topology.kubernetes.io/zone",
        "ScheduleAnyway",
    )
    assert zone["matchLabelKeys"] == ["pod-template-hash"]
    (term,) = spread["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert term["podAffinityTerm"]["topologyKey"] == "kubernetes.io/hostname"
    assert term["podAffinityTerm"]["labelSelector"]["matchLabels"] == labels.selector(Part.API)


def test_secret_files_are_read_by_the_group_alone():
    volume = pods.projected_secrets("env", "/run/secrets/env", [("a", False), ("b", True)])
    assert volume.mount() == {"name": "env", "mountPath": "/run/secrets/env", "readOnly": True}
    source = volume.volume()["projected"]
    assert source["defaultMode"] == 0o440
    assert source["sources"] == [{"secret": {"name": "a"}}, {"secret": {"name": "b", "optional": True}}]


def pod(**more):
    container = pods.Container(
        "api", "image", pods.resources("1", "1Gi", "1Gi"), volumes=[pods.scratch("1Mi")]
    )
    return pods.Pod(container, "api", "account", more=more).template()["spec"]


def test_a_pod_without_wishes_has_no_empty_fields():
    assert not {"nodeSelector", "tolerations", "priorityClassName", "imagePullSecrets"} & pod().keys()
    (container,) = pod()["containers"]
    assert not {"env", "ports", "command", "args", "envFrom"} & container.keys()
    assert container["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]


def test_a_pod_goes_where_it_is_told():
    assert pod(nodeSelector={"pool": "agents"})["nodeSelector"] == {"pool": "agents"}
    assert pods.toleration("agents", None, None) == {"key": "agents", "operator": "Exists"}
    equal = {"key": "agents", "operator": "Equal", "value": "yes", "effect": "NoSchedule"}
    assert pods.toleration("agents", "yes", "NoSchedule") == equal


def test_the_autoscaler_has_the_rules_that_were_asked_for():
    spec = autoscaling.autoscaler("api", min_replicas=3, max_replicas=50, cpu_percent=70, memory_percent=None)
    assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 50)
    (metric,) = spec["metrics"]
    assert (metric["resource"]["name"], metric["resource"]["target"]["averageUtilization"]) == ("cpu", 70)
    up, down = spec["behavior"]["scaleUp"], spec["behavior"]["scaleDown"]
    assert (up["stabilizationWindowSeconds"], up["selectPolicy"]) == (60, "Max")
    assert [(p["type"], p["value"], p["periodSeconds"]) for p in up["policies"]] == [
        ("Percent", 100, 60),
        ("Pods", 4, 60),
    ]
    assert down["stabilizationWindowSeconds"] == 300
    assert [(p["type"], p["value"], p["periodSeconds"]) for p in down["policies"]] == [("Percent", 25, 60)]


def test_memory_is_a_metric_only_when_it_is_asked_for():
    spec = autoscaling.autoscaler("api", min_replicas=3, max_replicas=50, cpu_percent=70, memory_percent=80)
    assert [metric["resource"]["name"] for metric in spec["metrics"]] == ["cpu", "memory"]
    assert spec["metrics"][1]["resource"]["target"]["averageUtilization"] == 80


@pytest.mark.parametrize(("pods_", "kept"), [(1, None), (2, None), (3, 2), (50, 2)])
def test_a_disruption_budget_never_stops_every_drain(pods_, kept):
    assert autoscaling.min_available(pods_) == kept


def test_a_rollout_never_has_fewer_pods_than_wanted():
    spec = autoscaling.deployment({}, {}, strategy=autoscaling.rolling())
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert "replicas" not in spec
    assert autoscaling.deployment({}, {}, strategy={}, replicas=0)["replicas"] == 0


@pytest.mark.parametrize(
    ("image_hash", "generation", "name"),
    [
        ("sha256:" + "0123456789abcdef" * 4, 0, "agent-migrate-0123456789ab"),
        ("0123456789ab", 0, "agent-migrate-0123456789ab"),
        ("0123456789ab", 7, "agent-migrate-0123456789ab-7"),
    ],
)
def test_a_migration_is_named_by_the_image_and_the_turn(image_hash, generation, name):
    assert jobs.migration_name(image_hash, generation) == name


@pytest.mark.parametrize("wrong", ["", "v1.2.3", "0123456789a", "sha512:" + "a" * 64, "A" * 12])
def test_a_migration_is_never_named_by_something_that_moves(wrong):
    with pytest.raises(ValueError, match="hex digits"):
        jobs.migration_name(wrong, 0)


def test_a_finished_migration_can_be_read_for_a_week_and_a_stuck_one_ends():
    spec = jobs.migration({})
    assert spec["ttlSecondsAfterFinished"] == 604_800
    assert spec["activeDeadlineSeconds"] == 900
    assert spec["backoffLimit"] == 4


def test_sweeps_never_overlap():
    spec = jobs.sweep({}, schedule="*/15 * * * *", time_zone="Etc/UTC")
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] < 15 * 60


def url(**changes):
    given = {
        "host": "db",
        "port": 5432,
        "name": "langgraph",
        "user": "langgraph_app",
        "ssl_mode": "verify-full",
    }
    return environment.database_url(**{**given, "ca_file": "/app/certs/rds-global-bundle.pem", **changes})


def test_the_url_of_the_database_has_no_password_and_verifies_the_server():
    assert url() == (
        "postgresql://langgraph_app@db:5432/langgraph"
        "?sslmode=verify-full&sslrootcert=/app/certs/rds-global-bundle.pem"
    )
    assert (
        url(user=None, ca_file=None, ssl_mode="disable") == "postgresql://db:5432/langgraph?sslmode=disable"
    )
    assert url(name="a/b?c").startswith("postgresql://langgraph_app@db:5432/a%2Fb%3Fc?")


@pytest.mark.parametrize(("generation", "role"), [(0, "app"), (1, "app_a"), (2, "app_b"), (3, "app_a")])
def test_two_roles_take_turns(generation, role):
    assert environment.active_role("app", generation) == role


def test_a_name_changes_with_the_content_and_with_nothing_else():
    one, again = ({"A": "1", "B": "2"}, {"B": "2", "A": "1"})
    assert environment.hashed_name("x", one) == environment.hashed_name("x", again)
    assert environment.hashed_name("x", one) != environment.hashed_name("x", {**one, "A": "2"})
    text = b'{"A":"1","B":"2"}'
    assert environment.hashed_name("x", one) == f"x-{hashlib.sha256(text).hexdigest()[:10]}"


def test_what_is_ours_or_secret_cannot_be_set_besides():
    assert environment.reserved(["AGENT_MODEL", "PORT", "OPENAI_API_KEY"]) == ["OPENAI_API_KEY", "PORT"]
    assert environment.reserved(["STATEMENT_TIMEOUT_SECONDS", "MAX_CRASHES"]) == []


def test_the_cache_evicts_nothing_and_its_password_is_in_a_file():
    store = local_stores.valkey("valkey/valkey:8.2")
    assert store.command == ["valkey-server", "/run/secrets/store/valkey.conf"]
    lines = local_stores.valkey_settings("pw", "192mb").splitlines()
    assert {"requirepass pw", "maxmemory-policy noeviction", "appendonly yes"} <= set(lines)


def test_an_image_is_pinned_by_its_digest_if_one_is_given():
    assert local_stores.image("postgres:18", None) == "postgres:18"
    assert local_stores.image("postgres:18", "sha256:0") == "postgres:18@sha256:0"
