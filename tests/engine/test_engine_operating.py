"""`lgp deploy`, `status`, `rollback`, `destroy` with the real engine, then on a real Kubernetes API."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cluster.build import GoMissing
from cluster.control_plane import ControlPlane, OpensslMissing, control_plane
from engine.world import ENGINE_SECONDS, ROOT, Deployed, World, new_world, with_project

pytestmark = pytest.mark.timeout(ENGINE_SECONDS)

FIRST, SECOND, THIRD = (f"registry.example/agents@sha256:{letter * 64}" for letter in "abc")
DOCKER = """#!/bin/sh
case "$*" in
  *"image inspect --format"*) cat "{pushed}" ;;
  *"image inspect"*) exit 1 ;;
  *) echo "docker $*" >> "{calls}" ;;
esac
"""
"""Builds and pushes nothing, and tells the digest that a registry would have given."""


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out.splitlines()[-1])


def lgp(world: World, *arguments: str) -> Done:
    """The command, in the world's environment, without a terminal."""
    env = {**os.environ, **world.variables(), "PYTHONPATH": str(ROOT / "cli")}
    command = [sys.executable, "-m", "lgp", *arguments, "--cwd", str(world.program)]
    done = subprocess.run(
        command, env=env, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    return Done(done.returncode, done.stdout, done.stderr)


def interrupted(world: World, *arguments: str, at: str) -> int:
    """The exit code of the command, which got SIGINT once it had printed that."""
    env = {**os.environ, **world.variables(), "PYTHONPATH": str(ROOT / "cli")}
    command = [sys.executable, "-m", "lgp", *arguments, "--cwd", str(world.program)]
    with subprocess.Popen(
        command,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        sent = False
        for line in process.stdout:
            if at in line and not sent:
                os.killpg(process.pid, signal.SIGINT)
                sent = True
        assert sent
        return process.wait()


def declared(world: World, stack: str) -> set[str]:
    """The images of the pods, as the state has them."""
    found = world.state(stack).of("kubernetes:apps/v1:Deployment")
    specs = (one.raw["inputs"]["spec"]["template"]["spec"] for one in found)
    return {spec["containers"][0]["image"] for spec in specs}


@pytest.fixture
def dev(deploy: Callable[[str], Deployed], tmp_path: Path) -> World:
    """The stack on AWS, with a docker that pushes nothing."""
    world = deploy("dev").copy(tmp_path / "copy").world
    docker = world.base / "plugins" / "docker"
    docker.write_text(DOCKER.format(pushed=world.base / "pushed", calls=world.base / "docker-calls"))
    docker.chmod(0o755)
    return world


def pushed(world: World, letter: str) -> str:
    """What the next push gives."""
    repository = json.loads(world.pulumi("stack", "output", "--json", "--stack", "dev"))["repository_url"]
    image = f"{repository}@sha256:{letter * 64}"
    (world.base / "pushed").write_text(f"{image}\n")
    return image


def test_from_a_built_image_to_named_ones_back_again_and_down(dev: World) -> None:
    refused = lgp(dev, "rollback", "--env", "dev", "--yes")
    assert refused.code == 6, refused.err
    assert "the stack builds its image" in refused.err
    kept = {entry.urn for entry in dev.state("dev").of("aws:")}

    images: list[str] = []
    for letter in "ab":
        images.append(pushed(dev, letter))
        done = lgp(dev, "deploy", "--env", "dev", "--project", str(ROOT / "app"), "--yes")
        assert done.code == 0, done.err
        assert declared(dev, "dev") == {images[-1]}
    calls = (dev.base / "docker-calls").read_text().splitlines()
    build, push = (next(call for call in calls if f"docker {verb} " in call) for verb in ("build", "push"))
    assert "--platform linux/arm64" in build, "for the nodes of the stack, not for this machine"
    assert push.startswith(f"docker push {images[0].partition('@')[0]}:")
    assert kept <= dev.state("dev").entries.keys(), "the repository that the images are in, above all"

    listed = lgp(dev, "rollback", "--list", "--env", "dev", "--json").json
    assert [one["image"] for one in listed["versions"]] == images[::-1]
    back = lgp(dev, "rollback", "--env", "dev", "--yes")
    assert back.code == 0, back.err
    assert declared(dev, "dev") == {images[0]}
    again = lgp(dev, "rollback", "--env", "dev", "--yes")
    assert (again.code, "there is no version before this one" in again.err) == (6, True)

    assert interrupted(dev, "destroy", "--env", "dev", "--confirm", "dev", at="deleted (") == 130
    left = dev.state("dev").custom
    assert left, "it was stopped in the middle"
    assert "pending_operations" not in json.loads(dev.exported("dev"))["deployment"], "what it began it ended"
    gone = lgp(dev, "destroy", "--env", "dev", "--confirm", "dev")
    assert gone.code == 0, gone.err
    assert dev.state("dev").custom == []


def test_prod_is_refused_with_its_protected_parts_before_anything_goes(prod: Deployed) -> None:
    before = prod.state().entries.keys()
    done = lgp(prod.world, "destroy", "--env", "prod", "--confirm", "prod")
    assert done.code == 6
    assert "prod is protected" in done.err
    assert prod.state().entries.keys() == before


def test_a_preview_that_fails_leaves_the_stacks_file_as_it_was(dev: World) -> None:
    file = dev.program / "Pulumi.dev.yaml"
    before = file.read_bytes()
    (dev.program / "__main__.py").write_text("raise SystemExit('broken')\n")
    done = lgp(dev, "rollback", "--env", "dev", "--version", f"sha256:{'c' * 64}", "--yes")
    assert done.code == 1
    assert "pulumi preview failed" in done.err
    assert file.read_bytes() == before


# On a real API server: a story in the order of the file.


@pytest.fixture(scope="module")
def plane(engine: None) -> Iterator[ControlPlane]:
    if shutil.which("pulumi-resource-kubernetes") is None:
        pytest.skip("not on PATH: pulumi-resource-kubernetes; tests/engine/README.md says how to get it")
    try:
        with control_plane() as found:
            yield found
    except (GoMissing, OpensslMissing) as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="module")
def local(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The stack `local` after deployments of the first and the second image."""
    base = tmp_path_factory.mktemp("operated") / "world"
    path = os.pathsep.join([str(base / "plugins"), str(plane.bin), os.environ["PATH"]])
    env = {"KUBECONFIG": str(plane.kubeconfig), "PATH": path}
    world = with_project(new_world(base, echoed=("docker-build",), env=env), "local")
    world.stack("local")
    for image in (FIRST, SECOND):
        world.pulumi("config", "set", "--path", "platform.image.reference", image, "--stack", "local")
        done = lgp(world, "deploy", "--env", "local", "--yes")
        assert done.code in (0, 1), done.err  # 1: the old pod may still be going
    return world


def kubectl(plane: ControlPlane, *arguments: str) -> str:
    return plane.kubectl("--namespace", "langgraph", *arguments)


def undone(plane: ControlPlane) -> None:
    kubectl(plane, "rollout", "undo", "deployment/agent-server")
    kubectl(plane, "rollout", "status", "deployment/agent-server", "--timeout=60s")


def running(plane: ControlPlane) -> str:
    query = "jsonpath={.spec.template.spec.containers[0].image}"
    return kubectl(plane, "get", "deployment", "agent-server", "--output", query)


def test_status_is_that_of_the_cluster(local: World) -> None:
    done = lgp(local, "status", "--env", "local", "--json", "--wait", "60")
    assert done.code == 0, done.err
    assert done.json["image"] == SECOND
    assert [one["component"] for one in done.json["deployments"]] == ["api"]
    assert {one["outcome"] for one in done.json["jobs"]} == {"complete"}


def test_an_undone_rollout_is_seen_by_status_and_not_by_pulumi(local: World, plane: ControlPlane) -> None:
    undone(plane)
    assert running(plane) == FIRST
    done = lgp(local, "status", "--env", "local", "--json")
    assert done.code == 1
    assert "Pulumi declares" in done.json["problems"][0]
    assert "unchanged" in (seen := local.pulumi("preview", "--stack", "local"))
    assert "to update" not in seen


def test_deploy_with_refresh_undoes_it(local: World, plane: ControlPlane) -> None:
    done = lgp(local, "deploy", "--env", "local", "--refresh", "--yes")
    assert done.code in (0, 1), done.err
    assert running(plane) == SECOND
    assert lgp(local, "status", "--env", "local", "--wait", "60").code == 0


def test_rollback_makes_an_undone_rollout_pulumis_own(local: World, plane: ControlPlane) -> None:
    undone(plane)
    done = lgp(local, "rollback", "--env", "local", "--yes")
    assert done.code in (0, 1), done.err
    assert running(plane) == FIRST
    assert lgp(local, "status", "--env", "local", "--wait", "60").code == 0
    assert "to update" not in local.pulumi("preview", "--stack", "local")
    local.pulumi("config", "set", "--path", "platform.image.reference", THIRD, "--stack", "local")
    assert lgp(local, "deploy", "--env", "local", "--yes").code in (0, 1)
    assert running(plane) == THIRD, "no conflict with what kubectl wrote"


def test_the_namespace_of_another_cluster_is_refused(local: World, plane: ControlPlane) -> None:
    with control_plane(nodes=0, crds=False) as other:
        other.kubectl("create", "namespace", "langgraph")
        elsewhere = World(local.base, {**local.env, "KUBECONFIG": str(other.kubeconfig)})
        done = lgp(elsewhere, "status", "--env", "local")
    assert done.code == 6
    assert "is not the one that Pulumi made: another cluster?" in done.err
