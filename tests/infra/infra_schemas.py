"""What is wrong with a Kubernetes object, without a cluster: `problems(document)`, from any test.

Built-in kinds are held to the API of Kubernetes 1.36, custom ones to the schemas in `schemas/`; a field that
does not exist is a problem in both. What a webhook or a definition's CEL rule would refuse is not found here.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate

VERSION = "1.36"
SCHEMAS = Path(__file__).with_name("schemas")


def problems(document: dict[str, Any]) -> list[str]:
    """One line for each fault: `spec.replicaz: …`. Empty: the API server's schemas take it."""
    api, kind = document.get("apiVersion", ""), document.get("kind", "")
    if not api or not kind or not document.get("metadata", {}).get("name"):
        return ["apiVersion, kind and metadata.name are required"]
    custom = schemas().get((api, kind))
    if custom is not None:
        faults = jsonschema.Draft202012Validator(custom).iter_errors(document)
        return [_line(fault) for fault in sorted(faults, key=lambda fault: list(map(str, fault.path)))]
    try:
        kubernetes_validate.validate(document, VERSION, strict=True)
    except kubernetes_validate.ValidationError as fault:
        return [_line(fault)]
    except kubernetes_validate.SchemaNotFoundError:
        return [f"{api} {kind}: there is no schema"]
    return []


@cache
def schemas() -> dict[tuple[str, str], dict[str, Any]]:
    """`(apiVersion, kind)` → JSON schema of the custom resources that are known."""
    found = {}
    for path in sorted(SCHEMAS.glob("*.json")):
        definition = json.loads(path.read_text())
        key = (f"{definition['group']}/{definition['version']}", definition["kind"])
        schema = _strict(definition["schema"])
        # the API server's own, which a definition does not spell out
        schema["properties"]["metadata"] = {"type": "object", "required": ["name"]}
        found[key] = schema
    return found


def _strict(node: Any) -> Any:
    """The schema with unknown fields refused, as the API server does under strict validation."""
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: _strict(value) for key, value in node.items()}
    open_ = made.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in made
    if made.get("type") == "object" and isinstance(made.get("properties"), dict) and not open_:
        made["additionalProperties"] = False
    if made.get("nullable") is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    return made


def _line(fault: Any) -> str:
    path = re.sub(r"\.\[", "[", ".".join(f"[{p}]" if isinstance(p, int) else str(p) for p in fault.path))
    return f"{path or 'document'}: {fault.message}"
