"""Bar K3: who may talk to whom, told by the rendered policies alone."""

import json
import re

import pytest
from infra.infra_flows import Network, Outside, Pod
from infra.infra_workloads import cloud, documents, local, of_kind

from langgraph_components.pure import network_policies as rules
from langgraph_components.pure.network_policies import Far, Flows

NAME, PART = "app.kubernetes.io/name", "app.kubernetes.io/component"


def ours(part, namespace="langgraph"):
    return Pod(namespace, {NAME: "agent-server", PART: part})


API, WORKER, MIGRATION, RETENTION = map(ours, ("api", "worker", "migration", "retention"))
DNS = Pod("kube-system", {"k8s-app": "kube-dns"})
PROMETHEUS = Pod("monitoring", {NAME: "prometheus"})
GRAFANA = Pod("monitoring", {NAME: "grafana"})
STRANGER = Pod("default", {NAME: "agent-server", PART: "api"})
COLLECTOR = Pod("monitoring", {"app": "collector"})
NEIGHBOUR = Pod("langgraph", {NAME: "shell"})
DATABASE, CACHE, BALANCER = Outside("10.0.161.7"), Outside("10.0.162.7"), Outside("10.0.1.7")
ENDPOINT, IMDS, AGENT = Outside("10.0.200.7"), Outside("169.254.169.254"), Outside("169.254.170.23")
PROVIDER, PROVIDER6 = Outside("104.18.7.192"), Outside("2606:4700::6812:7c0")

ALLOWED = [
    (API, DNS, 53, "UDP"),
    (MIGRATION, DNS, 53, "TCP"),
    (API, DATABASE, 5432, "TCP"),
    (WORKER, DATABASE, 5432, "TCP"),
    (RETENTION, DATABASE, 5432, "TCP"),
    (MIGRATION, DATABASE, 5432, "TCP"),
    (API, CACHE, 6379, "TCP"),
    (API, AGENT, 80, "TCP"),
    (RETENTION, AGENT, 80, "TCP"),
    (WORKER, PROVIDER, 443, "TCP"),
    (RETENTION, PROVIDER, 443, "TCP"),  # it deletes in the bucket of attachments
    (API, PROVIDER6, 443, "TCP"),
    (API, COLLECTOR, 4318, "TCP"),
    (API, ENDPOINT, 443, "TCP"),
    (BALANCER, API, 8000, "TCP"),
    (PROMETHEUS, API, 9464, "TCP"),
    (PROMETHEUS, WORKER, 9464, "TCP"),
]
REFUSED = [
    (API, IMDS, 80, "TCP"),
    (API, IMDS, 443, "TCP"),
    (API, Outside("fd00:ec2::254"), 443, "TCP"),
    (API, Outside("10.0.160.7"), 443, "TCP"),
    (API, Outside("172.16.3.4"), 443, "TCP"),
    (WORKER, Outside("192.168.1.1"), 443, "TCP"),
    (WORKER, Outside("100.64.9.9"), 443, "TCP"),
    (API, PROVIDER, 80, "TCP"),
    (API, PROVIDER, 5432, "TCP"),
    (API, Outside("8.8.8.8"), 53, "UDP"),
    (API, GRAFANA, 4318, "TCP"),
    (API, WORKER, 8000, "TCP"),
    (MIGRATION, PROVIDER, 443, "TCP"),
    (MIGRATION, CACHE, 6379, "TCP"),
    (MIGRATION, AGENT, 80, "TCP"),
    (RETENTION, PROVIDER, 80, "TCP"),
    (RETENTION, CACHE, 6379, "TCP"),
    (STRANGER, API, 8000, "TCP"),
    (NEIGHBOUR, API, 8000, "TCP"),
    (NEIGHBOUR, DNS, 53, "UDP"),
    (BALANCER, WORKER, 8000, "TCP"),
    (BALANCER, API, 9464, "TCP"),
    (PROVIDER, API, 8000, "TCP"),
    (PROMETHEUS, API, 8000, "TCP"),
    (PROMETHEUS, MIGRATION, 9464, "TCP"),
    (GRAFANA, API, 9464, "TCP"),
]


@pytest.fixture
def network(graph):
    return Network(of_kind(documents(graph(cloud)), "NetworkPolicy"))


def test_of_all_flows_exactly_those_that_are_needed_are_allowed(network):
    assert [flow for flow in ALLOWED if not network.allows(*flow)] == []
    assert [flow for flow in REFUSED if network.allows(*flow)] == []


def test_the_sweeps_reach_nothing_afar_where_there_is_no_bucket(graph):
    without = Network(of_kind(documents(graph(lambda: cloud(attachments=None))), "NetworkPolicy"))
    assert without.allows(API, PROVIDER, 443, "TCP")
    assert not without.allows(RETENTION, PROVIDER, 443, "TCP")
    assert not without.allows(RETENTION, ENDPOINT, 443, "TCP")


def test_the_matrix_holds_every_policy_without_one_some_flow_is_refused(graph):
    policies = of_kind(documents(graph(cloud)), "NetworkPolicy")
    for left_out in policies:
        rest = Network([policy for policy in policies if policy is not left_out])
        changed = [f for f in ALLOWED if not rest.allows(*f)] + [f for f in REFUSED if rest.allows(*f)]
        assert changed, left_out["metadata"]["name"]


def test_stores_in_the_cluster_are_open_to_the_workload_alone_and_reach_nothing(graph):
    network = Network(of_kind(documents(graph(local)), "NetworkPolicy"))
    postgres = Pod("langgraph-postgres", {NAME: "postgres", PART: "store"})
    valkey = Pod("langgraph-redis", {NAME: "valkey", PART: "store"})
    assert network.allows(API, postgres, 5432)
    assert network.allows(MIGRATION, postgres, 5432)
    assert network.allows(API, valkey, 6379)
    for far in (DNS, API, PROVIDER, IMDS, valkey):
        assert not network.allows(postgres, far, 443)
        assert not network.allows(postgres, far, 53, "UDP")
    assert not network.allows(STRANGER, postgres, 5432)
    assert not network.allows(NEIGHBOUR, postgres, 5432)
    assert not network.allows(API, postgres, 22)
    assert not network.allows(MIGRATION, valkey, 6379)


def test_without_a_balancer_or_prometheus_nobody_gets_in_but_named_callers(graph):
    ingress = {"namespace": "ingress", "pod_labels": {"app": "gateway"}}
    network = Network(of_kind(documents(graph(lambda: local(callers={"gateway": ingress}))), "NetworkPolicy"))
    assert network.allows(Pod("ingress", {"app": "gateway"}), API, 8000)
    assert not network.allows(Pod("ingress", {"app": "other"}), API, 8000)
    assert not network.allows(Pod("ingress", {"app": "gateway"}), WORKER, 8000)
    assert not network.allows(BALANCER, API, 8000)
    assert not network.allows(PROMETHEUS, API, 9464)
    assert not network.allows(API, AGENT, 80)


def test_behind_an_egress_proxy_the_proxy_is_the_only_way_out(graph):
    def program():
        cloud(
            provider_egress=False,
            egress_proxy={"cidrs": ["10.9.0.5/32"], "port": 3128},
            egress_proxy_url="http://proxy.example:3128",
        )

    found = documents(graph(program))
    network = Network(of_kind(found, "NetworkPolicy"))
    assert network.allows(API, Outside("10.9.0.5"), 3128)
    assert not network.allows(API, PROVIDER, 443)
    assert not network.allows(MIGRATION, Outside("10.9.0.5"), 3128)
    (settings,) = (c["data"] for c in of_kind(found, "ConfigMap") if "HOST" in c["data"])
    assert settings["HTTPS_PROXY"] == "http://proxy.example:3128"
    assert "169.254.170.23" in settings["NO_PROXY"].split(",")


def test_a_resolver_that_is_no_pod_can_be_named():
    specs = rules.workload(
        Flows(database=Far(rules.networks(["10.0.0.0/24"]), 5432), dns_cidrs=["169.254.20.10/32"])
    )
    network = Network([{"metadata": {"namespace": "langgraph"}, "spec": spec} for spec in specs.values()])
    assert network.allows(API, Outside("169.254.20.10"), 53, "UDP")
    assert not network.allows(API, Outside("169.254.20.10"), 80)


def test_no_two_rules_share_a_network_with_exceptions(graph):
    """The agent of the Amazon VPC CNI would merge them."""
    blocks = [
        peer["ipBlock"]
        for policy in of_kind(documents(graph(cloud)), "NetworkPolicy")
        for rule in policy["spec"].get("egress", [])
        for peer in rule.get("to", [])
        if "ipBlock" in peer
    ]
    excepting = [block["cidr"] for block in blocks if "except" in block]
    assert excepting == ["0.0.0.0/0"]
    assert [block["cidr"] for block in blocks].count("0.0.0.0/0") == 1


def test_no_network_of_ipv6_has_exceptions(graph):
    """The agent of the Amazon VPC CNI updates nothing of a pod any more that has one (its issue 631)."""
    for program in (cloud, local):
        for policy in of_kind(documents(graph(program)), "NetworkPolicy"):
            text = json.dumps(policy["spec"])
            assert not any(":" in found for found in re.findall(r'"except": \[([^]]*)\]', text)), text


@pytest.mark.parametrize(
    ("address", "open_"),
    [
        ("2606:4700::6810:84e5", True),
        ("64:ff9b::cb00:7101", True),
        ("64:ff9b:1::a00:1", False),
        ("::1", False),
        ("fd00:ec2::254", False),
        ("fe80::1", False),
        ("ff02::1", False),
    ],
)
def test_the_internet_is_reached_in_ipv6_too_and_nothing_private(network, address, open_):
    assert network.allows(API, Outside(address), 443) is open_


def policy(spec, namespace="a"):
    return {"metadata": {"namespace": namespace}, "spec": spec}


X, Y = Pod("a", {"app": "x"}), Pod("b", {"app": "y"}, ip="10.1.0.1")


def test_the_evaluator_leaves_open_what_no_policy_selects():
    assert Network([]).allows(X, Y, 1)
    assert Network([policy(rules.default_deny(), "c")]).allows(X, Y, 1)


def test_the_evaluator_refuses_a_selected_pod_by_direction():
    network = Network([policy({"podSelector": {}, "policyTypes": ["Ingress"]})])
    assert network.allows(X, Y, 1)
    assert not network.allows(Y, X, 1)


def test_the_evaluator_takes_the_union_and_needs_both_sides():
    allow = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": [{"port": 1, "endPort": 3}]}]}
    network = Network([policy(rules.default_deny()), policy(allow)])
    assert network.allows(X, Y, 2)
    assert not network.allows(X, Y, 4)
    assert not network.allows(X, Y, 2, "UDP")
    assert not Network([*network.policies, policy(rules.default_deny(), "b")]).allows(X, Y, 2)


@pytest.mark.parametrize(
    ("peer", "open_"),
    [
        ({"podSelector": {}}, False),
        ({"namespaceSelector": {}}, True),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "b"}}}, True),
        ({"namespaceSelector": {"matchLabels": {"team": "z"}}}, True),
        ({"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "x"}}}, False),
        ({"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}}, False),
        ({"ipBlock": {"cidr": "10.0.0.0/8"}}, True),
        ({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}, False),
        ({"ipBlock": {"cidr": "::/0"}}, False),
    ],
)
def test_the_evaluator_reads_peers(peer, open_):
    rule = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [peer]}]}
    assert Network([policy(rule)], {"b": {"team": "z"}}).allows(X, Y, 1) is open_
