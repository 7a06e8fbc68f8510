"""Objects of the External Secrets Operator: where secrets are, and which of them become which files."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

Json = dict[str, Any]

API = "external-secrets.io/v1"
SERVICE_ACCOUNT = "external-secrets"
"""The operator's own account: it alone reads the store, no workload does."""

REFRESH = "5m"
"""How old a file can be after its secret was rotated (a kubelet adds up to a minute)."""


class SecretSource(StrEnum):
    """Where secrets come from."""

    AWS = "aws"
    VAULT = "vault"
    GCP = "gcp"
    KUBERNETES = "kubernetes"


def reference(given: str) -> tuple[str, str | None]:
    """`key#property` as key and property; the property is None where all of the secret is meant."""
    key, _, field = given.partition("#")
    return key, field or None


def aws(region: str) -> Json:
    """AWS Secrets Manager, with the operator's own Pod Identity: no `auth` block, and no keys."""
    return {"aws": {"service": "SecretsManager", "region": region}}


def vault(  # noqa: PLR0913  # what a login is made of
    server: str, path: str, role: str, *, mount: str, namespace: str, ca_config_map: str | None = None
) -> Json:
    """HashiCorp Vault (KV v2), logged in by the operator's service account in `namespace`.

    `ca_config_map` names a ConfigMap there whose `ca.crt` signed the server's certificate.
    """
    account = {"name": SERVICE_ACCOUNT, "namespace": namespace, "audiences": ["vault"]}
    login = {"kubernetes": {"mountPath": mount, "role": role, "serviceAccountRef": account}}
    found: Json = {"server": server, "path": path, "version": "v2", "auth": login}
    if ca_config_map:
        found["caProvider"] = {
            "type": "ConfigMap",
            "name": ca_config_map,
            "namespace": namespace,
            "key": "ca.crt",
        }
    return {"vault": found}


def gcp_federated(project: str, audience: str, *, namespace: str) -> Json:
    """Google Secret Manager for a cluster elsewhere; the pool provider `audience` trusts its tokens."""
    account = {"name": SERVICE_ACCOUNT, "namespace": namespace, "audiences": [audience]}
    federation = {"audience": audience, "serviceAccountRef": account}
    return {"gcpsm": {"projectID": project, "auth": {"workloadIdentityFederation": federation}}}


def gcp_cluster(project: str, cluster: str, location: str, *, namespace: str) -> Json:
    """Google Secret Manager for a GKE cluster with workload identity."""
    identity = {
        "clusterProjectID": project,
        "clusterName": cluster,
        "clusterLocation": location,
        "serviceAccountRef": {"name": SERVICE_ACCOUNT, "namespace": namespace},
    }
    return {"gcpsm": {"projectID": project, "auth": {"workloadIdentity": identity}}}


def store(name: str, provider: Json, namespaces: Sequence[Any]) -> Json:
    """A ClusterSecretStore that only these namespaces may use; never one that all may use.

    Raises:
        ValueError: no namespace: without a condition the operator lets every namespace in.
    """
    if not namespaces:
        message = "a store without namespaces would be open to all of them"
        raise ValueError(message)
    return {
        "apiVersion": API,
        "kind": "ClusterSecretStore",
        "metadata": {"name": name},
        "spec": {"provider": provider, "conditions": [{"namespaces": list(namespaces)}]},
    }


def external_secret(  # noqa: PLR0913  # what the object is made of
    name: str,
    namespace: Any,
    store: Any,
    entries: Mapping[str, Mapping[str, Any]],
    refresh: str = REFRESH,
    *,
    template: Mapping[str, Any] | None = None,
    ingredients: Mapping[str, Mapping[str, Any]] | None = None,
    labels: Mapping[str, str] | None = None,
) -> Json:
    """An ExternalSecret that keeps a Secret of the same name: one key, so one file, for each of `entries`.

    An entry is `{"remote": key in the store, "property": field of its JSON}`, `property` optional. `template`
    adds keys made of `ingredients`, which are fetched like entries but become no keys: `{{ .password }}`.

    If store or secret is away, the Secret stays as it was (`Retain`); it goes with this object (`Owner`).
    """
    fetched = {**entries, **(ingredients or {})}
    target: Json = {"name": name, "creationPolicy": "Owner", "deletionPolicy": "Retain"}
    if template:
        kept = {key: _verbatim(key) for key in sorted(entries)}
        # what this template does not name is left out of the Secret: ingredients never become files
        target["template"] = {"engineVersion": "v2", "mergePolicy": "Replace", "data": {**kept, **template}}
    return {
        "apiVersion": API,
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels or {})},
        "spec": {
            "refreshInterval": refresh,
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": store},
            "target": target,
            "data": [_fetched(key, fetched[key]) for key in sorted(fetched)],
        },
    }


REDIS_LOGIN = ("redis_username", "redis_password")
"""Ingredients of `redis_url`."""


def redis_url(host: str, port: int) -> str:
    """Template of `REDIS_URL` from the ingredients `REDIS_LOGIN`, which it escapes for a URL."""
    login = ":".join(f"{{{{ .{ingredient} | urlquery }}}}" for ingredient in REDIS_LOGIN)
    return f"rediss://{login}@{host}:{port}/0"


def _fetched(key: str, entry: Mapping[str, Any]) -> Json:
    reference = {"key": entry["remote"]}
    if entry.get("property"):
        reference["property"] = entry["property"]
    return {"secretKey": key, "remoteRef": reference}


def _verbatim(key: str) -> str:
    """`index`, because a key with a dash is no field name in a template."""
    return f'{{{{ index . "{key}" }}}}'
