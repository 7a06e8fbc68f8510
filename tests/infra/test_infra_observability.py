"""The monitoring: what it watches, who is told, and that no secret is in a chart's values."""

import json

import pulumi
import pytest
from infra.infra_stacks import planned
from infra_schemas import problems

from langgraph_components.errors import InvalidArgs
from langgraph_components.observability import Observability, ObservabilityArgs
from langgraph_components.pure import monitoring
from langgraph_components.pure.monitoring import Receiver, ReceiverKind
from lgp.planning.values import Secret

RELEASE = "kubernetes:helm.sh/v3:Release"
EXTERNAL = "kubernetes:external-secrets.io/v1:ExternalSecret"

SLACK = {"name": "team", "kind": "slack", "channel": "#alerts", "remote": "langgraph/prod/slack"}
DUTY = {"name": "duty", "kind": "pagerduty", "secret_name": "pagerduty", "severities": ["critical"]}
FULL = {
    "store_name": "langgraph",
    "receivers": [SLACK, DUTY],
    "grafana_admin_remote": "langgraph/prod/grafana",
}


@pytest.fixture
def monitored(graph):
    def declare(args=None):
        return graph(lambda: Observability("monitoring", args or {}))

    return declare


def values_of(found):
    return found.named("monitoring-stack", RELEASE).inputs["values"]


# what it watches


def test_monitors_and_rules_of_every_namespace_are_taken_whatever_their_labels(monitored):
    spec = values_of(monitored())["prometheus"]["prometheusSpec"]
    kinds = ("rule", "serviceMonitor", "podMonitor", "probe", "scrapeConfig")
    assert [spec[f"{kind}SelectorNilUsesHelmValues"] for kind in kinds] == [False] * 5


def test_what_eks_hides_is_not_watched_so_no_alert_fires_for_ever(monitored):
    values = values_of(monitored())
    for part in ("kubeControllerManager", "kubeScheduler", "kubeEtcd", "kubeProxy"):
        assert values[part] == {"enabled": False}
    assert set(values["defaultRules"]["rules"].values()) == {False}
    assert {"etcd", "kubeProxy"} <= set(values["defaultRules"]["rules"])


def test_a_full_volume_loses_the_oldest_metrics_and_not_the_newest(monitored):
    spec = values_of(monitored({"storage_gib": 100, "retention_days": 30}))["prometheus"]["prometheusSpec"]
    claim = spec["storageSpec"]["volumeClaimTemplate"]["spec"]
    assert (spec["retention"], spec["retentionSize"]) == ("30d", "85000MB")
    assert claim["resources"] == {"requests": {"storage": "100Gi"}}


def test_the_class_of_the_volumes_is_the_clusters_default_or_the_one_that_is_named():
    sizes = monitoring.Sizes(retention_days=1, storage_gib=10, replicas=1)
    assert "storageClassName" not in json.dumps(monitoring.stack_values(sizes, [], node_exporter=True))
    named = monitoring.Sizes(retention_days=1, storage_gib=10, replicas=1, storage_class="gp3")
    values = monitoring.stack_values(named, [], node_exporter=True)
    assert json.dumps(values).count('"storageClassName": "gp3"') == 2


def test_several_replicas_of_both_keep_a_budget(monitored):
    for replicas, several in ((1, False), (3, True)):
        values = values_of(monitored({"replicas": replicas}))
        assert values["prometheus"]["prometheusSpec"]["replicas"] == replicas
        assert values["alertmanager"]["alertmanagerSpec"]["replicas"] == replicas
        assert values["prometheus"]["podDisruptionBudget"] == {"enabled": several}


# who is told


def test_nobody_is_told_by_default_and_the_configuration_is_still_whole():
    config = monitoring.alertmanager_config([])
    assert config["route"]["receiver"] == "null"
    assert [receiver["name"] for receiver in config["receivers"]] == ["null"]


def test_each_receiver_is_told_of_its_severities_and_does_not_hide_alerts_from_the_next(monitored):
    config = values_of(monitored(FULL))["alertmanager"]["config"]
    watchdog, team, duty = config["route"]["routes"]
    assert watchdog["receiver"] == "null"
    assert (team["matchers"], team["continue"]) == (['severity =~ "critical|warning"'], True)
    assert (duty["matchers"], duty["continue"]) == (['severity =~ "critical"'], True)
    assert {route["receiver"] for route in config["route"]["routes"]} <= {
        receiver["name"] for receiver in config["receivers"]
    }


@pytest.mark.parametrize(
    ("kind", "field", "where"),
    [
        (ReceiverKind.SLACK, "slack_configs", "api_url_file"),
        (ReceiverKind.PAGERDUTY, "pagerduty_configs", "routing_key_file"),
        (ReceiverKind.WEBHOOK, "webhook_configs", "url_file"),
    ],
)
def test_an_address_is_a_file_of_a_mounted_secret(kind, field, where):
    receiver = Receiver("team", kind, "mine", "value", ("critical",), channel="#x")
    _, found = monitoring.alertmanager_config([receiver])["receivers"]
    assert found[field][0][where] == "/etc/alertmanager/secrets/mine/value"
    assert found[field][0]["send_resolved"] is True


def test_every_secret_that_a_route_names_is_mounted_and_is_there_first(monitored):
    found = monitored(FULL)
    stack = found.named("monitoring-stack", RELEASE)
    mounted = stack.inputs["values"]["alertmanager"]["alertmanagerSpec"]["secrets"]
    assert mounted == ["alertmanager-team", "pagerduty"]
    fetched = found.of_type(EXTERNAL)
    assert {secret.inputs["metadata"]["name"] for secret in fetched} == {"alertmanager-team", "grafana-admin"}
    assert {secret.urn for secret in fetched} <= set(stack.depends_on)
    for secret in fetched:
        assert problems(secret.inputs) == []
        assert secret.inputs["spec"]["secretStoreRef"]["name"] == "langgraph"


# Grafana


def test_no_password_is_in_the_values(monitored):
    for args in ({}, FULL):
        text = json.dumps(values_of(monitored(args)))
        assert "adminPassword" not in text
        assert "-result" not in text
        assert "password" not in text.replace("passwordKey", "").replace("admin-password", "")


def test_the_admins_password_is_made_once_and_is_a_secret_wherever_it_is(monitored):
    found = monitored()
    password = found.named("monitoring-grafana-password", "random:index/randomPassword:RandomPassword")
    assert (password.inputs["length"], password.inputs["special"]) == (40, False)
    secret = found.named("monitoring-grafana-admin", "kubernetes:core/v1:Secret")
    assert isinstance(secret.inputs["stringData"], Secret) or isinstance(
        secret.inputs["stringData"]["admin-password"], Secret
    )
    assert secret.urn in found.named("monitoring-stack", RELEASE).depends_on


def test_the_admins_login_may_come_from_the_store(monitored):
    found = monitored(FULL)
    assert not found.of_type("random:index/randomPassword:RandomPassword")
    login = found.named("monitoring-grafana-admin", EXTERNAL).inputs["spec"]["data"]
    assert {item["secretKey"]: item["remoteRef"]["property"] for item in login} == {
        "admin-user": "username",
        "admin-password": "password",
    }
    admin = values_of(found)["grafana"]["admin"]
    assert admin["existingSecret"] == found.named("monitoring-grafana-admin").inputs["metadata"]["name"]


def test_grafana_reads_config_maps_and_no_secret_of_the_cluster(monitored):
    found = monitored()
    (role,) = found.of_type("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole")
    assert problems(role.inputs) == []
    assert [rule["resources"] for rule in role.inputs["rules"]] == [["configmaps"]]
    assert role.inputs["rules"][0]["verbs"] == ["get", "list", "watch"]
    grafana = values_of(found)["grafana"]
    assert grafana["rbac"]["useExistingClusterRole"] == role.inputs["metadata"]["name"]
    assert {sidecar["resource"] for sidecar in grafana["sidecar"].values()} == {"configmap"}


def test_dashboards_are_found_by_the_label_that_ours_bear(monitored):
    sidecar = values_of(monitored())["grafana"]["sidecar"]["dashboards"]
    assert (sidecar["label"], sidecar["labelValue"]) == ("grafana_dashboard", "1")
    assert sidecar["searchNamespace"] == "ALL"


def test_nothing_counts_the_secrets_of_the_cluster(monitored):
    assert values_of(monitored())["kube-state-metrics"]["collectorsExclude"] == ["secrets"]


# how it is installed


def test_the_definitions_are_a_chart_of_their_own_and_come_first(monitored):
    found = monitored()
    definitions, stack = found.named("monitoring-crds", RELEASE), found.named("monitoring-stack", RELEASE)
    assert (definitions.inputs["chart"], definitions.inputs["version"]) == (
        "prometheus-operator-crds",
        "31.0.1",
    )
    assert (stack.inputs["chart"], stack.inputs["version"]) == ("kube-prometheus-stack", "88.5.3")
    assert stack.inputs["values"]["crds"] == {"enabled": False}
    assert definitions.urn in stack.depends_on
    assert stack.inputs["atomic"] is True


@pytest.mark.parametrize(("node_exporter", "level"), [(True, "privileged"), (False, "baseline")])
def test_the_namespace_admits_what_measuring_nodes_needs_and_no_more(monitored, node_exporter, level):
    found = monitored({"node_exporter": node_exporter})
    (namespace,) = found.of_type("kubernetes:core/v1:Namespace")
    labels = namespace.inputs["metadata"]["labels"]
    assert problems(namespace.inputs) == []
    modes = ("enforce", "audit", "warn")
    assert {labels[f"pod-security.kubernetes.io/{mode}"] for mode in modes} == {level}
    assert {labels[f"pod-security.kubernetes.io/{mode}-version"] for mode in modes} == {"v1.36"}
    assert values_of(found)["nodeExporter"] == {"enabled": node_exporter}


def test_a_closed_network_gets_all_images_from_one_registry(monitored):
    values = values_of(monitored({"registry_mirror": "registry.example"}))
    assert values["global"] == {"imageRegistry": "registry.example"}
    assert values_of(monitored())["global"] == {"imageRegistry": ""}


def test_every_container_that_we_size_has_a_memory_limit_and_no_cpu_limit(monitored):
    found = []

    def collect(node):
        if isinstance(node, dict):
            found.extend([node] if {"requests", "limits"} <= set(node) else [])
            for value in node.values():
                collect(value)

    collect(values_of(monitored()))
    assert len(found) == 5
    assert {tuple(resources["limits"]) for resources in found} == {("memory",)}
    assert {tuple(sorted(resources["requests"])) for resources in found} == {("cpu", "memory")}


def test_everything_is_a_child_of_the_component_and_nothing_is_protected(monitored):
    found = monitored(FULL)
    component = found.named("monitoring")
    assert {r.parent for r in found.resources if r is not component} == {component.urn}
    assert not [r for r in found.resources if r.protect]
    assert found.duplicates == ()


# which secrets are not renewed

MONITOR = "kubernetes:monitoring.coreos.com/v1:ServiceMonitor"


def test_the_secrets_operator_is_read_and_its_series_name_the_secrets_namespace(monitored):
    found = monitored({"secrets_operator_namespace": "external-secrets"})
    monitor = found.named("monitoring-secrets-operator", MONITOR)
    assert problems(monitor.inputs) == []
    assert monitor.inputs["metadata"]["namespace"] == "external-secrets"
    (endpoint,) = monitor.inputs["spec"]["endpoints"]
    assert (endpoint["port"], endpoint["honorLabels"]) == ("metrics", True)
    # which needs the definitions, and goes before them
    assert found.named("monitoring-stack", RELEASE).urn in monitor.depends_on
    assert not monitored().of_type(MONITOR)


def test_a_prometheus_that_is_there_is_told_of_it_by_its_labels(monitored):
    existing = {"namespace": "watch", "service_monitor_labels": {"release": "kps"}}
    found = monitored({"existing": existing, "secrets_operator_namespace": "external-secrets"})
    (monitor,) = found.of_type(MONITOR)
    assert monitor.inputs["metadata"]["labels"]["release"] == "kps"


@pytest.mark.parametrize(("stack", "watched"), [("dev", 0), ("prod", 1), ("local", 0)])
def test_where_there_is_both_an_operator_and_a_monitoring_one_reads_the_other(stack, watched):
    monitors = planned(stack).of_type(MONITOR)
    names = [monitor.inputs["metadata"]["name"] for monitor in monitors]
    assert names.count("external-secrets") == watched


# the one that is there


def test_a_prometheus_that_is_there_is_used_and_nothing_installed(graph):
    existing = {
        "namespace": "observability",
        "service_monitor_labels": {"release": "kps"},
        "prometheus_pod_labels": {"app": "prometheus"},
    }
    made = []

    def program():
        made.append(Observability("monitoring", {"existing": existing}))
        pulumi.export("namespace", made[0].namespace)

    found = graph(program)
    assert len(found.resources) == 1
    assert found.outputs == {"namespace": "observability"}
    assert made[0].service_monitor_labels == {"release": "kps"}
    assert made[0].prometheus_pod_labels == {"app": "prometheus"}


def test_ours_says_which_pods_read_metrics_and_asks_for_no_label(graph):
    made = []
    graph(lambda: made.append(Observability("monitoring", {})))
    assert made[0].prometheus_pod_labels == {"app.kubernetes.io/name": "prometheus"}
    assert made[0].service_monitor_labels == {}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"receivers": [SLACK]}, "ObservabilityArgs.store_name: is required, where team is"),
        (
            {"grafana_admin_remote": "x"},
            "ObservabilityArgs.store_name: is required, where grafana_admin_remote is",
        ),
        ({"receivers": [{**DUTY, "remote": "x"}]}, "receivers.0: needs either secret_name or remote"),
        (
            {"receivers": [{"name": "d", "kind": "webhook"}]},
            "receivers.0: needs either secret_name or remote",
        ),
        ({"receivers": [{**DUTY, "kind": "slack"}]}, "receivers.0: slack needs a channel"),
        ({"receivers": [{**DUTY, "kind": "pigeon"}]}, "receivers.0.kind: "),
        ({"receivers": [{**DUTY, "severities": []}]}, "receivers.0.severities: "),
        (
            {"retention_days": 0},
            "ObservabilityArgs.retention_days: should be greater than or equal to 1 (got 0)",
        ),
        ({"storage_gib": 1}, "ObservabilityArgs.storage_gib: "),
        ({"replicas": 9}, "ObservabilityArgs.replicas: "),
        ({"existing": {}}, "ObservabilityArgs.existing.namespace: is required"),
        ({"grafana_password": "x"}, "ObservabilityArgs.grafana_password: there is no such setting"),
    ],
)
def test_wrong_arguments_are_refused_with_the_path_and_what_is_allowed(args, said):
    with pytest.raises(InvalidArgs) as refused:
        ObservabilityArgs.of(args)
    assert said in str(refused.value)
