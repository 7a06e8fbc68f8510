"""`--out`: the plan as files. Kubernetes objects ready for `kubectl apply`, charts, and the AWS graph.

    DIR/kubernetes/NAMESPACE/KIND-NAME.yaml    `_cluster`, which sorts first, for objects of no namespace
    DIR/charts/NAME.yaml                       name, chart, version, repository, namespace, values
    DIR/aws.json                               everything else, with inputs and dependencies

No secret is written: in a Secret every value is a stand-in, so that the object stays valid.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lgp.errors import PlanFailed, UsageProblem
from lgp.planning.document import resource_document
from lgp.planning.recording import Recording, Resource
from lgp.planning.shape import is_chart, is_object, shown_inputs
from lgp.planning.yaml_text import written

MARK = ".lgp-plan"
"""Names a folder as written by a plan; no other folder with content is ever touched."""


def write_plan(recording: Recording, folder: Path) -> int:
    """Write all files and return how many; what an earlier plan left there goes first.

    Raises:
        UsageProblem: the folder holds something that is not a plan.
    """
    files = plan_files(recording)
    _prepare(folder)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return len(files)


def plan_files(recording: Recording) -> dict[str, str]:
    """The content of each file by its path."""
    files: dict[str, str] = {}
    for resource in recording.resources:
        if is_object(resource):
            manifest = shown_inputs(resource)
            name = _file_of(manifest, taken=files)
            files[name] = written(manifest)
        elif is_chart(resource):
            files[f"charts/{resource.name}.yaml"] = written(chart_of(resource))
    files["aws.json"] = graph_json(recording)
    return dict(sorted(files.items()))


def chart_of(resource: Resource) -> dict[str, Any]:
    """What `helm install` would be told."""
    inputs = shown_inputs(resource)
    options: dict[str, Any] = inputs.get("repositoryOpts") or {}
    told: dict[str, Any] = {
        "name": inputs.get("name", resource.name),
        "namespace": inputs.get("namespace"),
        "chart": inputs.get("chart"),
        "version": inputs.get("version"),
        "repository": options.get("repo"),
        "values": inputs.get("values") or {},
    }
    return {key: value for key, value in told.items() if value is not None}


def graph_json(recording: Recording) -> str:
    """Everything that is neither an object nor a chart: the components, the providers, the cloud."""
    graph = [r for r in recording.resources if not is_object(r) and not is_chart(r)]
    document = {
        "project": recording.project,
        "stack": recording.stack,
        "resources": [_node(resource) for resource in graph],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _node(resource: Resource) -> dict[str, Any]:
    return {
        "urn": resource.urn,
        **resource_document(resource),
        "dependencies": list(resource.depends_on),
        "references": {key: list(urns) for key, urns in resource.references.items()},
    }


def _file_of(manifest: Mapping[str, Any], taken: Mapping[str, str]) -> str:
    metadata: dict[str, Any] = manifest.get("metadata") or {}
    kind, name = str(manifest["kind"]).lower(), metadata.get("name")
    if not name:
        message = f"a {manifest['kind']} has no metadata.name: give it one, a file and a rename need it"
        raise PlanFailed(message)
    group = str(manifest["apiVersion"]).rpartition("/")[0] or "core"
    folder = f"kubernetes/{metadata.get('namespace') or '_cluster'}"
    for path in (f"{folder}/{kind}-{name}.yaml", f"{folder}/{kind}.{group}-{name}.yaml"):
        if path not in taken:
            return path
    message = f"two resources are the same {manifest['kind']} {metadata.get('namespace', '')}/{name}"
    raise PlanFailed(message)


def _prepare(folder: Path) -> None:
    """An empty folder; one with other content is refused."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()) and not (folder / MARK).is_file():
        message = f"{folder} holds files that are not a plan's: name an empty or new folder"
        raise UsageProblem(message)
    for part in ("kubernetes", "charts"):
        shutil.rmtree(folder / part, ignore_errors=True)
    (folder / MARK).write_text("Written by `lgp plan --out`, which replaces all of it.\n", encoding="utf-8")
