"""Adoption: what is there already is not made, and what needs it is wired to it, by settings alone."""

import json
from typing import Any

import pytest
from infra_settings import SAMPLES, stack_settings
from infra_workloads import documents, named, of_kind

from langgraph_components.platform import Platform
from lgp.planning.recording import Recording, Resource

DIGEST = "3f1a" * 16
REFERENCE = f"registry.example/agent@sha256:{DIGEST}"
CERTIFICATE = "arn:aws:acm:eu-west-1:111122223333:certificate/theirs"
FIREWALL = "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/theirs/1"
MASTER = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:theirs-AbCdEf"
LABELS = {"release": "theirs"}

NETWORK = {"network.existing": SAMPLES["network.existing"]}
CLUSTER = {"cluster.existing": SAMPLES["cluster.existing"], "cluster.admin_principals": None}
DATABASE = {
    "database.existing": {**SAMPLES["database.existing"], "master_secret_arn": MASTER},
    "database.replicas": None,
}
PROMETHEUS = {
    "monitoring": {
        "existing": {
            "namespace": "observability",
            "service_monitor_labels": LABELS,
            "prometheus_pod_labels": {"app": "their-prometheus"},
        }
    }
}
STORE = {"secrets": {"existing_store": "company"}}
IMAGE = {"image": {"reference": REFERENCE}}
WAY_IN = {
    "edge": {
        "hostname": "agents.example.com",
        "certificate_arn": CERTIFICATE,
        "waf_arn": FIREWALL,
        "allowed_cidrs": ["0.0.0.0/0"],
        "install_controller": False,
    }
}
EVERYTHING = {
    **NETWORK,
    **CLUSTER,
    **DATABASE,
    **PROMETHEUS,
    **STORE,
    **IMAGE,
    "edge": None,
    "cache": None,
    "attachments": None,
    "node_autoscaler": None,
}
CASES: dict[str, dict[str, Any]] = {
    "nothing": IMAGE,
    "network": {**IMAGE, **NETWORK},
    "cluster": {**IMAGE, **CLUSTER, "node_autoscaler": None},
    "cluster and network": {**IMAGE, **CLUSTER, **NETWORK, "node_autoscaler": None},
    "database": {**IMAGE, **DATABASE},
    "prometheus": {**IMAGE, **PROMETHEUS},
    "store": {**IMAGE, **STORE},
    "way in": {**IMAGE, **WAY_IN},
    "everything": EVERYTHING,
    "everything, and the pepper": {**EVERYTHING, "environment_secrets.API_KEY_PEPPER": "agents/pepper"},
}


@pytest.fixture
def adopted(graph, _made) -> Any:
    """The plan of the stack `prod` with one of the cases; each is made once."""

    def of(case: str, **more: Any) -> Recording:
        key = (case, json.dumps(more, sort_keys=True))
        if key not in _made:
            settings = stack_settings("prod", {**CASES[case], **more})
            _made[key] = graph(lambda: Platform("langgraph", settings))
        return _made[key]

    return of


@pytest.fixture(scope="module")
def _made() -> dict[Any, Recording]:
    return {}


def found_of(recording: Recording) -> list[dict[str, Any]]:
    """The Kubernetes objects, without charts."""
    return [each for each in documents(recording) if "kind" in each]


def types(recording: Recording, *beginnings: str) -> set[str]:
    return {each.type for each in recording.resources if each.type.startswith(beginnings)}


def policy(recording: Recording, name: str) -> dict[str, Any]:
    return named(found_of(recording), "NetworkPolicy", name)["spec"]


def peers(spec: dict[str, Any]) -> list[str]:
    """Networks that a policy lets pods reach, or be reached from."""
    (rule,) = spec.get("egress") or spec["ingress"]
    return [each["ipBlock"]["cidr"] for each in rule.get("to") or rule["from"]]


def keys(recording: Recording) -> set[str]:
    return {key.name.removeprefix("langgraph-encryption-") for key in recording.of_type("aws:kms/key:Key")}


def the(recording: Recording, type_: str) -> Resource:
    (one,) = recording.of_type(type_)
    return one


# One at a time


def test_an_adopted_network_is_not_made_and_everything_lies_in_it(adopted):
    found, theirs = adopted("network"), SAMPLES["network.existing"]
    made = types(found, "aws:ec2/") - {
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:ec2/launchTemplate:LaunchTemplate",
    }
    assert made == set()
    assert (
        the(found, "aws:eks/cluster:Cluster").inputs["vpcConfig"]["subnetIds"]
        == (theirs["private_subnet_ids"])
    )
    for type_ in ("aws:rds/subnetGroup:SubnetGroup", "aws:elasticache/subnetGroup:SubnetGroup"):
        assert the(found, type_).inputs["subnetIds"] == theirs["data_subnet_ids"]
    assert the(found, "aws:lb/loadBalancer:LoadBalancer").inputs["subnets"] == theirs["public_subnet_ids"]
    assert the(found, "aws:lb/targetGroup:TargetGroup").inputs["vpcId"] == theirs["vpc_id"]
    groups = found.of_type("aws:ec2/securityGroup:SecurityGroup")
    assert {group.inputs["vpcId"] for group in groups} == {theirs["vpc_id"]}


def test_pods_in_an_adopted_network_talk_to_its_ranges(adopted):
    found, theirs = adopted("network"), SAMPLES["network.existing"]
    assert peers(policy(found, "agent-server-database")) == theirs["data_subnet_cidrs"]
    assert peers(policy(found, "agent-server-redis")) == theirs["data_subnet_cidrs"]
    assert peers(policy(found, "agent-server-from-balancer")) == theirs["public_subnet_cidrs"]


def test_an_adopted_network_has_interface_endpoints_only_if_it_says_so(adopted):
    names = {each["metadata"]["name"] for each in of_kind(found_of(adopted("network")), "NetworkPolicy")}
    assert "agent-server-to-interface-endpoints" not in names
    said = adopted("network", **{"network.existing.endpoint_security_group_id": "sg-endpoints"})
    more = {each["metadata"]["name"] for each in of_kind(found_of(said), "NetworkPolicy")} - names
    assert len(more) == 1
    assert peers(policy(said, more.pop())) == SAMPLES["network.existing"]["private_subnet_cidrs"]


def test_an_adopted_cluster_is_not_made_and_the_workload_is_declared_in_it(adopted):
    found, theirs = adopted("cluster"), SAMPLES["cluster.existing"]
    assert types(found, "aws:eks/") == {"aws:eks/podIdentityAssociation:PodIdentityAssociation"}
    assert types(found, "aws:ec2/launchTemplate", "kubernetes:storage.k8s.io/", "aws:kms/grant") == set()
    provider = the(found, "pulumi:providers:kubernetes")
    assert provider.inputs["clusterIdentifier"] == theirs["endpoint"]
    objects = [each for each in found.resources if each.type.startswith("kubernetes:")]
    assert {each.provider for each in objects} == {provider.urn}


def test_pods_get_their_identity_from_an_adopted_cluster(adopted):
    found, theirs = adopted("cluster"), SAMPLES["cluster.existing"]
    identities = found.of_type("aws:eks/podIdentityAssociation:PodIdentityAssociation")
    assert {each.inputs["clusterName"] for each in identities} == {theirs["name"]}
    trust = found.named("langgraph-server-role", "aws:iam/role:Role").inputs["assumeRolePolicy"]
    assert theirs["arn"] in trust


def test_database_cache_and_balancer_know_the_nodes_of_an_adopted_cluster(adopted):
    found, theirs = adopted("cluster"), SAMPLES["cluster.existing"]
    rules = {
        each.name: each.inputs
        for each in found.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    }
    for client in ("langgraph-database-client-0", "langgraph-cache-client-0"):
        assert rules[client]["referencedSecurityGroupId"] == theirs["security_group_id"]
    assert rules["langgraph-edge-to-pods"]["securityGroupId"] == theirs["security_group_id"]


def test_an_adopted_cluster_demands_nobody_who_may_enter_and_makes_no_key_of_its_own(adopted):
    assert keys(adopted("cluster")) == {"data", "logs"}
    assert keys(adopted("nothing")) == {"data", "logs", "cluster"}


def test_an_adopted_network_and_cluster_need_each_other_in_nothing(adopted):
    found = adopted("cluster and network")
    assert types(found, "aws:eks/") == {"aws:eks/podIdentityAssociation:PodIdentityAssociation"}
    assert types(found, "aws:ec2/") == {"aws:ec2/securityGroup:SecurityGroup"}
    assert keys(found) == {"data", "logs"}


def test_an_adopted_database_is_not_made_and_its_login_is_read(adopted):
    found, theirs = adopted("database"), SAMPLES["database.existing"]
    assert types(found, "aws:rds/") == set()
    assert [each.name for each in found.resources if "database" in each.name and each.custom] == [
        "langgraph-workload-policy-agent-server-database"
    ]
    secret = named(found_of(found), "ExternalSecret", "agent-server-master")
    assert {each["remoteRef"]["key"] for each in secret["spec"]["data"]} == {MASTER}
    reader = found.named("langgraph-secrets-policy", "aws:iam/rolePolicy:RolePolicy").inputs["policy"]
    assert f"{MASTER}*" in reader
    login = found.named("langgraph-server-policy", "aws:iam/rolePolicy:RolePolicy").inputs["policy"]
    assert f"dbuser:{theirs['resource_id']}/langgraph_app" in login
    settings = next(
        each for each in of_kind(found_of(found), "ConfigMap") if "DATABASE_URL" in each.get("data", {})
    )
    assert f"@{theirs['host']}:5432/langgraph" in settings["data"]["DATABASE_URL"]


def test_an_adopted_database_is_reached_where_it_is(adopted):
    """In the data subnets, unless it says otherwise: it may be in another network."""
    made = peers(policy(adopted("nothing"), "agent-server-database"))
    assert peers(policy(adopted("database"), "agent-server-database")) == made
    elsewhere = adopted("database", **{"database.existing.cidrs": ["192.0.2.0/24"]})
    assert peers(policy(elsewhere, "agent-server-database")) == ["192.0.2.0/24"]


def test_keys_of_others_secrets_are_the_operator_s_to_use(adopted):
    key = "arn:aws:kms:eu-west-1:111122223333:key/theirs"
    found = adopted("database", **{"secrets.kms_arns": [key]})
    reader = found.named("langgraph-secrets-policy", "aws:iam/rolePolicy:RolePolicy").inputs["policy"]
    assert key in json.loads(reader)["Statement"][1]["Resource"]


def test_an_adopted_prometheus_is_not_installed_and_finds_monitor_and_rules_by_its_labels(adopted):
    found = adopted("prometheus")
    made = [each.name for each in found.resources if each.name.startswith("langgraph-monitoring-")]
    assert made == ["langgraph-monitoring-secrets-operator"]
    monitors, rules = (of_kind(found_of(found), kind) for kind in ("ServiceMonitor", "PrometheusRule"))
    assert {each["metadata"]["name"] for each in monitors} == {"external-secrets", "agent-server"}
    assert all(each["metadata"]["labels"].items() >= LABELS.items() for each in [*monitors, *rules])
    (rule,) = policy(found, "agent-server-metrics")["ingress"]
    (scraper,) = rule["from"]
    assert scraper["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "observability"}
    assert scraper["podSelector"]["matchLabels"] == {"app": "their-prometheus"}


def test_an_adopted_store_is_named_and_no_operator_installed(adopted):
    found = adopted("store")
    assert [each.name for each in found.resources if each.name.startswith("langgraph-secrets")] == [
        "langgraph-secrets"
    ]
    users = of_kind(found_of(found), "ExternalSecret")
    assert {each["spec"]["secretStoreRef"]["name"] for each in users} == {"company"}
    assert len(users) >= 3


def test_a_prebuilt_image_runs_by_its_digest_and_has_no_registry(adopted):
    found = adopted("nothing")
    assert types(found, "aws:ecr/", "docker-build:") == set()
    assert "registry" not in keys(found)
    images = {
        container["image"]
        for each in of_kind(found_of(found), "Deployment", "Job")
        for container in each["spec"]["template"]["spec"]["containers"]
    }
    assert images == {REFERENCE}
    (job,) = of_kind(found_of(found), "Job")
    assert DIGEST[:8] in job["metadata"]["name"]


def test_an_adopted_certificate_and_firewall_are_used_and_none_is_made(adopted):
    found = adopted("way in")
    assert types(found, "aws:acm/", "aws:route53/") == set()
    assert types(found, "aws:wafv2/") == {"aws:wafv2/webAclAssociation:WebAclAssociation"}
    assert the(found, "aws:wafv2/webAclAssociation:WebAclAssociation").inputs["webAclArn"] == FIREWALL
    listeners = {each.inputs["port"]: each.inputs for each in found.of_type("aws:lb/listener:Listener")}
    assert listeners[443]["certificateArn"] == CERTIFICATE
    assert not [each for each in found.resources if each.name.startswith("langgraph-edge-controller")]
    assert len(of_kind(found_of(found), "TargetGroupBinding")) == 1


# All together


def test_with_everything_adopted_only_workload_secrets_and_identity_are_made(adopted):
    found = adopted("everything")
    assert types(found, "aws:") == {
        "aws:iam/role:Role",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:eks/podIdentityAssociation:PodIdentityAssociation",
        "aws:secretsmanager/secret:Secret",
        "aws:secretsmanager/secretVersion:SecretVersion",
        "aws:kms/key:Key",
        "aws:kms/alias:Alias",
    }
    assert keys(found) == {"data"}
    assert the(found, "aws:secretsmanager/secret:Secret").name == "langgraph-api-key-pepper"
    objects = [each for each in found.resources if each.type.startswith("kubernetes:")]
    assert {each.name.startswith("langgraph-workload") for each in objects} == {True}
    assert types(found, "kubernetes:helm.sh/") == set()


def test_with_the_pepper_adopted_too_only_an_identity_is_made_in_aws(adopted):
    found = adopted("everything, and the pepper")
    assert types(found, "aws:") == {
        "aws:iam/role:Role",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:eks/podIdentityAssociation:PodIdentityAssociation",
    }
    assert types(found, "random:") == set()


@pytest.mark.parametrize("case", CASES)
def test_no_case_has_a_key_that_nothing_uses(adopted, case):
    found = adopted(case)
    used = {
        urn
        for each in found.resources
        if not each.type.startswith("aws:kms/alias")
        for urns in each.references.values()
        for urn in urns
    }
    assert {key.name for key in found.of_type("aws:kms/key:Key") if key.urn not in used} == set()


@pytest.mark.parametrize("case", CASES)
def test_every_case_has_the_whole_workload(adopted, case):
    kinds = {each["kind"] for each in found_of(adopted(case))}
    assert kinds >= {"Deployment", "Job", "Service", "HorizontalPodAutoscaler", "NetworkPolicy", "CronJob"}


# Closed networks

CLOSED = {
    "charts": {"chart_mirror": "oci://mirror.example/charts", "registry_mirror": "mirror.example/public"},
    "workload.ca_bundle": "-----BEGIN CERTIFICATE-----\nours\n-----END CERTIFICATE-----\n",
    "workload.provider_egress": False,
    "workload.egress_proxy": {"cidrs": ["10.9.0.7/32"], "port": 3128},
    "workload.egress_proxy_url": "http://proxy.internal:3128",
    "workload.no_proxy": ["git.internal"],
}


@pytest.fixture
def closed(adopted) -> Recording:
    return adopted("nothing", **CLOSED)


def test_in_a_closed_network_every_chart_and_its_images_come_from_the_mirror(closed):
    releases = closed.of_type("kubernetes:helm.sh/v3:Release")
    assert len(releases) >= 6
    for release in releases:
        assert release.inputs["chart"].startswith("oci://mirror.example/charts/"), release.name
        assert "repositoryOpts" not in release.inputs
        text = json.dumps(release.inputs["values"])
        assert not [
            host for host in ("ghcr.io", "quay.io", "public.ecr.aws", "registry.k8s.io") if host in text
        ]


def test_in_a_closed_network_pods_trust_its_roots_and_leave_through_its_proxy(closed):
    found = found_of(closed)
    (settings,) = [each["data"] for each in of_kind(found, "ConfigMap") if "AUTH" in each.get("data", {})]
    assert settings["HTTPS_PROXY"] == "http://proxy.internal:3128"
    assert "git.internal" in settings["NO_PROXY"].split(",")
    (bundle,) = [each["data"] for each in of_kind(found, "ConfigMap") if "ca.pem" in each.get("data", {})]
    assert bundle["ca.pem"] == CLOSED["workload.ca_bundle"]
    for owner in of_kind(found, "Deployment", "Job"):
        volumes = [each["name"] for each in owner["spec"]["template"]["spec"]["volumes"]]
        assert "ca" in volumes


def test_in_a_closed_network_nothing_leaves_but_by_the_proxy_and_the_endpoints(closed):
    names = {each["metadata"]["name"] for each in of_kind(found_of(closed), "NetworkPolicy")}
    assert "agent-server-providers" not in names
    (proxy,) = [name for name in names if "proxy" in name]
    assert peers(policy(closed, proxy)) == ["10.9.0.7/32"]
    assert policy(closed, proxy)["egress"][0]["ports"][0]["port"] == 3128
    (endpoints,) = [name for name in names if "endpoint" in name]
    made = [each for each in closed.resources if each.type == "aws:ec2/vpcEndpoint:VpcEndpoint"]
    assert len(made) == 1 + 5
    private = [
        each.inputs["cidrBlock"]
        for each in closed.of_type("aws:ec2/subnet:Subnet")
        if each.name.startswith("langgraph-network-private")
    ]
    assert peers(policy(closed, endpoints)) == private


def test_in_a_closed_network_the_image_is_built_from_the_mirror_s_base(graph):
    settings = stack_settings("prod", {"image.registry_mirror": "mirror.example/docker"})
    found = graph(lambda: Platform("langgraph", settings))
    assert the(found, "docker-build:index:Image").inputs["buildArgs"] == {"REGISTRY": "mirror.example/docker"}


# Alerts


def links(recording: Recording) -> set[str]:
    (rule,) = of_kind(found_of(recording), "PrometheusRule")
    rules = [each for group in rule["spec"]["groups"] for each in group["rules"]]
    return {each["annotations"]["runbook_url"] for each in rules if "alert" in each}


def test_alerts_link_to_the_pages_where_they_are_said_to_be(adopted):
    base = "https://git.example/platform/blob/main/docs/howto"
    assert all(link.startswith("docs/howto/") for link in links(adopted("nothing")))
    for case in ("nothing", "prometheus"):
        found = links(adopted(case, **{"monitoring.runbooks_url": f"{base}/"}))
        assert f"{base}/many-errors.md" in found
        assert all(link.startswith(f"{base}/") for link in found)


def test_alerts_of_a_local_stack_link_there_too(graph):
    base = "https://git.example/howto"
    changes = {"monitoring": {"existing": {"namespace": "monitoring"}, "runbooks_url": base}}
    found = graph(lambda: Platform("langgraph", stack_settings("local", changes)))
    assert all(link.startswith(f"{base}/") for link in links(found))
