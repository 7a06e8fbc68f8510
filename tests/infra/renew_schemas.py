"""Take the schemas of the custom resources anew from the Go modules that publish them: run it, read the diff.

`.venv/bin/python tests/infra/renew_schemas.py` needs `go` and the module proxy; no test does.
"""

import json
import subprocess
from pathlib import Path

import yaml

SCHEMAS = Path(__file__).with_name("schemas")

ESO = ("github.com/external-secrets/external-secrets", "v1.3.2")
OPERATOR = ("github.com/prometheus-operator/prometheus-operator", "v0.85.0")

SOURCES = {
    "ClusterSecretStore": (*ESO, "config/crds/bases/external-secrets.io_clustersecretstores.yaml"),
    "ExternalSecret": (*ESO, "config/crds/bases/external-secrets.io_externalsecrets.yaml"),
    "PodMonitor": (*OPERATOR, "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml"),
    "PrometheusRule": (
        *OPERATOR,
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    ),
    "ServiceMonitor": (
        *OPERATOR,
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
    ),
}
PROVIDERS = {"aws", "gcpsm", "vault"}
"""The store's providers that are kept; their forty others are 90 % of its schema."""

DROPPED = ("description", "status", "example")


def main():
    for kind, (module, version, path) in SOURCES.items():
        definition = yaml.safe_load((folder(module, version) / path).read_text())
        (SCHEMAS / f"{kind}.json").write_text(
            json.dumps(excerpt(definition), indent=1, sort_keys=True) + "\n"
        )


def folder(module, version):
    command = ["go", "mod", "download", "-json", f"{module}@{version}"]
    return Path(json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["Dir"])


def excerpt(definition):
    """Version v1: what a document may say, without what it means."""
    spec = definition["spec"]
    (schema,) = (v["schema"]["openAPIV3Schema"] for v in spec["versions"] if v["name"] == "v1")
    schema["properties"].pop("status", None)
    kept = without_texts(schema)
    provider = kept["properties"]["spec"]["properties"].get("provider")
    if provider:
        provider["properties"] = {name: provider["properties"][name] for name in sorted(PROVIDERS)}
    return {"group": spec["group"], "version": "v1", "kind": spec["names"]["kind"], "schema": kept}


def without_texts(node):
    """Descriptions and examples are texts; a property that happens to be called so is an object."""
    if isinstance(node, list):
        return [without_texts(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: without_texts(value)
        for key, value in node.items()
        if not (key in DROPPED and isinstance(value, str))
    }


if __name__ == "__main__":
    main()
