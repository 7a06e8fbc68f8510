"""Stores, external secrets, and the helper that holds every object to its schema."""

import re
from urllib.parse import quote_plus, unquote_plus, urlsplit

import pytest
from infra_schemas import problems, schemas

from langgraph_components.pure import stores
from langgraph_components.pure.stores import external_secret, store

ENTRIES = {
    "OPENAI_API_KEY": {"remote": "langgraph/prod/providers", "property": "openai"},
    "API_KEY_PEPPER": {"remote": "langgraph/prod/pepper"},
}
REDIS = {
    "redis_username": {"remote": "langgraph/prod/cache", "property": "username"},
    "redis_password": {"remote": "langgraph/prod/cache", "property": "password"},
}
PROVIDERS = {
    "aws": stores.aws("eu-west-1"),
    "vault": stores.vault("https://vault.example", "secret", "agents", mount="kubernetes", namespace="eso"),
    "vault with its own CA": stores.vault(
        "https://vault.example", "kv", "agents", mount="k8s", namespace="eso", ca_config_map="vault-ca"
    ),
    "gcp by federation": stores.gcp_federated(
        "project", "//iam.googleapis.com/projects/1/x", namespace="eso"
    ),
    "gcp on gke": stores.gcp_cluster("project", "cluster", "europe-west1", namespace="eso"),
}


@pytest.mark.parametrize("source", PROVIDERS)
def test_every_source_renders_a_store_that_its_definition_takes(source):
    assert problems(store("langgraph", PROVIDERS[source], ["langgraph"])) == []


def test_a_store_serves_the_namespaces_it_names_and_no_other():
    document = store("langgraph", stores.aws("eu-west-1"), ["langgraph", "monitoring"])
    assert document["spec"]["conditions"] == [{"namespaces": ["langgraph", "monitoring"]}]


def test_a_store_for_nobody_is_refused_because_it_would_be_one_for_everybody():
    with pytest.raises(ValueError, match="open to all"):
        store("langgraph", stores.aws("eu-west-1"), [])


def test_at_aws_the_operators_own_identity_is_the_only_credential():
    provider = store("langgraph", stores.aws("eu-west-1"), ["langgraph"])["spec"]["provider"]["aws"]
    assert provider == {"service": "SecretsManager", "region": "eu-west-1"}


def keys_of(node):
    """Every key of a document, at any depth."""
    if isinstance(node, dict):
        return set(node) | {key for value in node.values() for key in keys_of(value)}
    return {key for item in node for key in keys_of(item)} if isinstance(node, list) else set()


@pytest.mark.parametrize("source", PROVIDERS)
def test_no_source_is_logged_in_to_with_a_static_key(source):
    assert not keys_of(PROVIDERS[source]) & {"secretRef", "tokenSecretRef", "secretAccessKeySecretRef"}


@pytest.mark.parametrize("source", [name for name in PROVIDERS if name != "aws"])
def test_elsewhere_the_operators_account_logs_in_from_its_own_namespace(source):
    text = str(PROVIDERS[source])
    assert "'name': 'external-secrets', 'namespace': 'eso'" in text


def test_each_entry_becomes_one_file():
    document = external_secret("agent-server-env", "langgraph", "langgraph", ENTRIES)
    assert problems(document) == []
    assert document["spec"]["data"] == [
        {"secretKey": "API_KEY_PEPPER", "remoteRef": {"key": "langgraph/prod/pepper"}},
        {
            "secretKey": "OPENAI_API_KEY",
            "remoteRef": {"key": "langgraph/prod/providers", "property": "openai"},
        },
    ]
    assert "template" not in document["spec"]["target"]


def test_a_store_that_is_away_takes_no_secret_from_running_pods():
    target = external_secret("env", "langgraph", "langgraph", ENTRIES)["spec"]["target"]
    assert target == {"name": "env", "creationPolicy": "Owner", "deletionPolicy": "Retain"}


def test_a_rotated_secret_arrives_within_five_minutes_or_when_it_was_asked_for():
    assert external_secret("env", "n", "s", ENTRIES)["spec"]["refreshInterval"] == "5m"
    assert external_secret("env", "n", "s", ENTRIES, "1m")["spec"]["refreshInterval"] == "1m"


def test_a_template_adds_a_file_and_its_ingredients_are_none():
    template = {"REDIS_URL": stores.redis_url("cache.example", 6379)}
    document = external_secret("env", "n", "s", ENTRIES, template=template, ingredients=REDIS)
    assert problems(document) == []
    made = document["spec"]["target"]["template"]
    assert set(made["data"]) == {*ENTRIES, "REDIS_URL"}
    assert made["mergePolicy"] == "Replace"
    assert {item["secretKey"] for item in document["spec"]["data"]} == {*ENTRIES, *REDIS}


def rendered(template, values):
    """The two forms of Go template that are used: a field escaped for a URL, and an index."""
    text = re.sub(r"\{\{ \.(\w+) \| urlquery \}\}", lambda m: quote_plus(values[m[1]]), template)
    return re.sub(r'\{\{ index \. "([\w-]+)" \}\}', lambda m: values[m[1]], text)


def test_the_cache_address_survives_a_password_with_signs_of_a_url():
    values = {"redis_username": "agents", "redis_password": "p@ss:w/rd?#"}
    url = urlsplit(rendered(stores.redis_url("cache.example", 6379), values))
    assert (url.scheme, url.hostname, url.port, url.path) == ("rediss", "cache.example", 6379, "/0")
    assert unquote_plus(url.password) == values["redis_password"]


def test_with_a_template_the_other_files_are_what_the_store_says():
    document = external_secret("env", "n", "s", ENTRIES, template={"X": "y"})
    data = document["spec"]["target"]["template"]["data"]
    assert rendered(data["OPENAI_API_KEY"], {"OPENAI_API_KEY": "{{ sk }}"}) == "{{ sk }}"


def test_the_same_entries_in_another_order_are_the_same_object():
    turned = dict(reversed(list(ENTRIES.items())))
    assert external_secret("env", "n", "s", ENTRIES) == external_secret("env", "n", "s", turned)


# the helper


@pytest.mark.parametrize(
    ("api", "kind", "spec"),
    [
        (
            "monitoring.coreos.com/v1",
            "ServiceMonitor",
            {"selector": {"matchLabels": {"a": "b"}}, "endpoints": [{"port": "metrics", "interval": "30s"}]},
        ),
        (
            "monitoring.coreos.com/v1",
            "PodMonitor",
            {"selector": {}, "podMetricsEndpoints": [{"port": "metrics"}]},
        ),
        (
            "elbv2.k8s.aws/v1beta1",
            "TargetGroupBinding",
            {
                "serviceRef": {"name": "agent-server", "port": 8000},
                "targetGroupARN": "arn",
                "targetType": "ip",
            },
        ),
        ("policy/v1", "PodDisruptionBudget", {"minAvailable": 2, "selector": {"matchLabels": {"a": "b"}}}),
    ],
)
def test_objects_that_are_right_have_no_problems(api, kind, spec):
    document = {"apiVersion": api, "kind": kind, "metadata": {"name": "x", "namespace": "n"}, "spec": spec}
    assert problems(document) == []
    wrong = {**document, "spec": {**spec, "replicaz": 1}}
    assert any("replicaz" in problem for problem in problems(wrong))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"refreshInterval": 5}, "spec.refreshInterval: 5 is not of type 'string'"),
        (
            {"secretStoreRef": {"kind": "Store", "name": "s"}},
            "spec.secretStoreRef.kind: 'Store' is not one of",
        ),
        ({"target": {"creationPolicy": "Owned"}}, "spec.target.creationPolicy: 'Owned' is not one of"),
        (
            {"data": [{"secretKey": "a b", "remoteRef": {"key": "k"}}]},
            "spec.data[0].secretKey: 'a b' does not",
        ),
        ({"data": [{"secretKey": "a", "remoteRef": {"key": "k", "field": "f"}}]}, "'field' was unexpected"),
    ],
)
def test_a_wrong_field_of_a_custom_resource_is_told_with_its_path(change, said):
    document = external_secret("env", "n", "s", ENTRIES)
    document["spec"] |= change
    found = problems(document)
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"apiVersion": "v1", "kind": "ConfigMap"}, "apiVersion, kind and metadata.name are required"),
        (
            {"apiVersion": "v9", "kind": "Nothing", "metadata": {"name": "x"}},
            "v9 Nothing: there is no schema",
        ),
        (
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": 1}},
            "data.a: 1 is not of type",
        ),
    ],
)
def test_what_is_no_object_of_a_cluster_is_told(document, said):
    (found,) = problems(document)
    assert found.startswith(said)


def test_every_schema_says_what_it_is_for():
    assert {kind for _, kind in schemas()} == {
        *("ClusterSecretStore", "ExternalSecret", "PodMonitor", "PrometheusRule", "ServiceMonitor"),
        "TargetGroupBinding",
    }
