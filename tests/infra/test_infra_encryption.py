import json

import pytest

from langgraph_components.encryption import Encryption, EncryptionArgs
from langgraph_components.errors import InvalidArgs

ARGS = {"account_id": "123456789012", "region": "eu-west-1"}


def test_there_is_a_rotating_key_and_an_alias_for_each_domain(graph):
    found = graph(lambda: Encryption("keys", ARGS))
    keys = found.of_type("aws:kms/key:Key")
    assert [key.name for key in keys] == ["keys-cluster", "keys-data", "keys-logs", "keys-registry"]
    assert all(key.inputs["enableKeyRotation"] for key in keys)
    aliases = found.of_type("aws:kms/alias:Alias")
    assert {alias.name: alias.references["targetKeyId"] for alias in aliases} == {
        f"{key.name}-alias": (key.urn,) for key in keys
    }
    component = found.named("keys")
    assert {resource.parent for resource in found.resources if resource is not component} == {component.urn}


@pytest.mark.parametrize("domains", [[], ["logs"], ["registry", "data", "data"]])
def test_only_the_keys_that_are_asked_for_are_made(graph, domains):
    found = graph(lambda: Encryption("keys", {**ARGS, "domains": domains}))
    assert {key.name for key in found.of_type("aws:kms/key:Key")} == {f"keys-{domain}" for domain in domains}
    assert len(found.of_type("aws:kms/alias:Alias")) == len(set(domains))


def test_only_the_logs_key_is_open_to_a_service_and_only_for_this_account(graph):
    found = graph(lambda: Encryption("keys", ARGS))
    policies = {key.name: json.loads(key.inputs["policy"]) for key in found.of_type("aws:kms/key:Key")}
    services = {
        name: [s for s in p["Statement"] if "Service" in s["Principal"]] for name, p in policies.items()
    }
    assert [name for name, found in services.items() if found] == ["keys-logs"]
    (logs,) = services["keys-logs"]
    assert logs["Principal"]["Service"] == "logs.eu-west-1.amazonaws.com"
    assert logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"].startswith(
        "arn:aws:logs:eu-west-1:123456789012:"
    )


def test_no_principal_is_everyone(graph):
    found = graph(lambda: Encryption("keys", ARGS))
    for key in found.of_type("aws:kms/key:Key"):
        assert "*" not in [s["Principal"].get("AWS") for s in json.loads(key.inputs["policy"])["Statement"]]


def test_the_keys_are_protected_and_the_aliases_are_not(graph):
    found = graph(lambda: Encryption("keys", EncryptionArgs(**ARGS, protect=True)))
    assert {r.type for r in found.resources if r.protect} == {"aws:kms/key:Key"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"deletion_window_days": 3},
            "EncryptionArgs.deletion_window_days: should be greater than or equal to 7 (got 3)",
        ),
        ({"account_id": "12"}, "EncryptionArgs.account_id: "),
        ({"colour": "red"}, "EncryptionArgs.colour: there is no such setting"),
    ],
)
def test_wrong_arguments_are_refused_with_the_path_and_what_is_allowed(graph, wrong, said):
    with pytest.raises(InvalidArgs, match="^" + said.replace("(", r"\(").replace(")", r"\)")):
        graph(lambda: Encryption("keys", {**ARGS, **wrong}))


def test_nothing_given_for_a_field_with_a_default_is_the_default(graph):
    found = graph(lambda: Encryption("keys", {**ARGS, "rotation_days": None}))
    assert found.named("keys-data").inputs["rotationPeriodInDays"] == 365
