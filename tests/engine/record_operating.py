"""Records what the real pulumi and kubectl say to `lgp`, for the tests that play them: run it by hand.

    PATH=/where/pulumi/is:$PATH PYTHONPATH=tests python -m engine.record_operating

writes tests/cli/recorded/*.json, one answer each: the command, the version of the program, what it printed.
"""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cluster.control_plane import ControlPlane, control_plane
from engine.world import CANARY, ROOT, World, new_world, with_project
from pulumi.automation import ConfigValue

FOLDER = ROOT / "tests" / "cli" / "recorded"
KINDS = "deployments,horizontalpodautoscalers,poddisruptionbudgets,jobs,pods"
SELECTED = ("--selector", "app.kubernetes.io/name=agent-server", "--output", "json")
FIRST, SECOND = (f"registry.example/agents@sha256:{digit * 64}" for digit in "ab")
NOISE = ("sourcePosition", "stackTrace", "managedFields", "propertyDependencies", "dependencies")
"""Keys that are left out of a recording: nothing of ours reads them, and they are most of it."""


def main() -> None:
    """Make both worlds, ask, and write."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        with control_plane() as plane:
            world = with_project(
                new_world(
                    base / "local", echoed=("docker-build",), env={"KUBECONFIG": str(plane.kubeconfig)}
                ),
                "local",
            )
            _record_local(world, plane)
        prod = with_project(new_world(base / "prod"), "prod")
        prod.stack("prod").up()
        _record(prod, "export-prod", "pulumi", "stack", "export", "--stack", "prod", keep=_few)
        _record(prod, "config-prod", "pulumi", "config", "--json", "--stack", "prod")
        _record(prod, "destroy-protected", "pulumi", "destroy", "--yes", "--stack", "prod")
        _record_problems(prod)


def _record_local(world: World, plane: ControlPlane) -> None:
    stack, bin_ = world.stack("local"), plane.bin
    stack.set_config("openaiApiKey", ConfigValue(CANARY, secret=True))
    stack.set_config("platform.image.mutable_tag", ConfigValue("false"), path=True)
    for image in (FIRST, SECOND):
        stack.set_config("platform.image.reference", ConfigValue(image), path=True)
        stack.up(message=f"lgp deploy {image}")
    time.sleep(5)

    def kubectl(name: str, *arguments: str) -> None:
        _record(world, name, str(bin_ / "kubectl"), *arguments)

    _record(world, "export", "pulumi", "stack", "export", "--stack", "local", keep=_few)
    _record(world, "history", "pulumi", "stack", "history", "--json", "--stack", "local")
    _record(world, "config", "pulumi", "config", "--json", "--stack", "local")
    _record(world, "preview", "pulumi", "preview", "--stack", "local")
    _record(world, "up", "pulumi", "up", "--yes", "--skip-preview", "--stack", "local")
    kubectl("current-context", "config", "current-context")
    kubectl("namespace", "get", "namespace", "langgraph", "--output", "json")
    kubectl("workload", "get", KINDS, "--namespace", "langgraph", *SELECTED)
    kubectl("namespace-unknown", "get", "namespace", "nowhere", "--output", "json")
    kubectl("context-unknown", "--context", "elsewhere", "get", "namespace", "langgraph", "--output", "json")
    kubectl("unreachable", "--server", "https://127.0.0.1:1", "get", "namespace", "x", "--output", "json")
    kubectl("unauthorized", "--token", "nobody's", "get", "namespace", "langgraph", "--output", "json")
    plane.kubectl("--namespace", "langgraph", "rollout", "undo", "deployment/agent-server")
    plane.kubectl("--namespace", "langgraph", "rollout", "status", "deployment/agent-server")
    time.sleep(5)
    kubectl("workload-undone", "get", KINDS, "--namespace", "langgraph", *SELECTED)
    plane.kubectl("--namespace", "langgraph", "scale", "deployment/agent-server", "--replicas=0")
    time.sleep(5)
    kubectl("workload-scaled-to-zero", "get", KINDS, "--namespace", "langgraph", *SELECTED)


def _record_problems(world: World) -> None:
    _record(world, "stack-unknown", "pulumi", "stack", "export", "--stack", "nope")
    world.pulumi("stack", "unselect")
    _record(world, "stack-unselected", "pulumi", "stack", "--show-name")
    _record(world, "project-missing", "pulumi", "--cwd", "/", "stack", "--show-name")
    away = {"PULUMI_BACKEND_URL": "", "PULUMI_HOME": str(world.base / "empty")}
    _record(world, "logged-out", "pulumi", "stack", "export", "--stack", "prod", env=away)
    wrong = {"PULUMI_CONFIG_PASSPHRASE": "another"}
    _record(world, "passphrase-wrong", "pulumi", "up", "--yes", "--stack", "prod", env=wrong)


def _record(
    world: World,
    name: str,
    *command: str,
    env: Mapping[str, str] | None = None,
    keep: Callable[[Any], Any] = lambda document: document,
) -> None:
    where = {**os.environ, **world.variables(), **(env or {})}
    full = [command[0], *(["--non-interactive"] if command[0] == "pulumi" else []), *command[1:]]
    done = subprocess.run(full, env=where, cwd=world.program, check=False, capture_output=True, text=True)
    version = subprocess.run(
        [command[0], *(["version"] if command[0] == "pulumi" else ["version", "--client"])],
        env=where,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\n")[0]
    told = {
        "command": " ".join([Path(command[0]).name, *full[1:]]),
        "version": version,
        "code": done.returncode,
    }
    told["stdout"] = _quiet(done.stdout, keep)
    told["stderr"] = done.stderr
    (FOLDER / f"{name}.json").write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")


def _quiet(text: str, keep: Callable[[Any], Any]) -> Any:
    """JSON as it is but for the noise; other text without what is of this machine."""
    try:
        return keep(_without_noise(json.loads(text)))
    except ValueError:
        return "\n".join(line for line in text.splitlines() if "warning:" not in line) + "\n"


def _without_noise(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_noise(item) for key, item in value.items() if key not in NOISE}
    if isinstance(value, list):
        return [_without_noise(item) for item in value]
    return value


def _few(document: Any) -> Any:
    """Of a large state, what holds data, what runs, and the stack itself; of each its first inputs."""
    wanted = (
        *("pulumi:pulumi:Stack", "docker-build:", "aws:rds/instance:", "aws:kms/key:", "aws:s3/bucket:"),
        *("aws:eks/cluster:", "aws:ecr/repository:", "kubernetes:apps/v1:", "kubernetes:core/v1:Namespace"),
        "kubernetes:core/v1:Secret",
    )
    resources = document["deployment"]["resources"]
    document["deployment"]["resources"] = [one for one in resources if one["type"].startswith(wanted)]
    return document


if __name__ == "__main__":
    main()
