"""What a store in the cluster consists of, whatever it stores."""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_kubernetes import apps, core, networking

from langgraph_components.ordering import after
from langgraph_components.pure import labels, local_stores
from langgraph_components.pure import network_policies as rules
from langgraph_components.pure.local_stores import Store
from langgraph_components.workload.scope import Scope

IMAGE_DIGEST = r"^sha256:[0-9a-f]{64}$"


@dataclass(frozen=True)
class Place:
    """Where a store is, on what, and for whom."""

    namespace: str
    workload_namespace: str
    size: str
    storage_class: str | None


@dataclass(frozen=True)
class Declared:
    """How the store is reached."""

    host: pulumi.Output[str]
    """Name of its Service; whoever uses it waits until the store serves."""
    namespace: pulumi.Output[str]
    secret_name: pulumi.Output[str]


def declare(
    parent: pulumi.ComponentResource, name: str, store: Store, place: Place, files: dict[str, Any]
) -> Declared:
    """A namespace of its own that enforces `restricted`, and in it the store, open to the workload alone."""
    scope = Scope(parent, name, pulumi.Output.from_input(place.namespace), labels.common(store.name))
    scope = scope.within(place.namespace)
    secret = _secret(scope, store, files)
    policies = _policies(scope, store, place)
    account = scope.declare(
        core.v1.ServiceAccount, "account", scope.metadata(store.name), automount_service_account_token=False
    )
    service = _service(scope, store)
    spec = local_stores.stateful_set(store, secret=secret, size=place.size, storage_class=place.storage_class)
    made = scope.declare(
        apps.v1.StatefulSet,
        "store",
        scope.metadata(store.name, "store"),
        scope.opts(depends_on=[account, service, *policies]),
        spec=spec,
    )
    return Declared(after(f"{store.name}.{place.namespace}.svc", made), scope.namespace, secret)


def _secret(scope: Scope, store: Store, files: dict[str, Any]) -> pulumi.Output[str]:
    name = f"{store.name}-files"
    values = {key: pulumi.Output.secret(value) for key, value in files.items()}
    made = scope.declare(core.v1.Secret, "secret", scope.metadata(name), string_data=values)
    return after(name, made)


def _policies(scope: Scope, store: Store, place: Place) -> list[pulumi.Resource]:
    callers = rules.pods(place.workload_namespace, {labels.NAME: labels.APPLICATION})
    own = rules.only_from(labels.selector("store", store.name), callers, store.port)
    wanted = (("deny", "default-deny", rules.default_deny()), ("policy", store.name, own))
    return [
        scope.declare(networking.v1.NetworkPolicy, logical, scope.metadata(name), spec=spec)
        for logical, name, spec in wanted
    ]


def _service(scope: Scope, store: Store) -> core.v1.Service:
    metadata = scope.metadata(store.name, "store")
    # the provider would wait for an endpoint, and the StatefulSet waits for this name
    metadata["annotations"] = {"pulumi.com/skipAwait": "true"}
    return scope.declare(core.v1.Service, "service", metadata, spec=local_stores.service(store))
