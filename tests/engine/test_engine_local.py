"""The stack without AWS, on a real Kubernetes API, by the real provider: a story in the order of the file."""

import base64
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from cluster.api import Document, Kube, eventually, opened
from cluster.build import GoMissing
from cluster.control_plane import ControlPlane, OpensslMissing, control_plane
from cluster.metrics import served_metrics
from engine.world import CANARY, ENGINE_SECONDS, Told, World, new_world, with_project
from pulumi.automation import ConfigValue, Stack

pytestmark = pytest.mark.timeout(ENGINE_SECONDS)

NAMESPACE = "langgraph"
API = "agent-server"
SETTLED_SECONDS = 60


@dataclass(frozen=True)
class Local:
    """The stack `local`, and the cluster it is in."""

    world: World
    plane: ControlPlane
    kube: Kube
    first: Told
    """What its first `up` told."""

    def stack(self) -> Stack:
        return self.world.stack("local")

    def all_of(self, kind: str) -> list[Document]:
        """The objects of that kind in the workload's namespace."""
        asked = ("get", kind, "--namespace", NAMESPACE, "--output", "json")
        return json.loads(self.plane.kubectl(*asked))["items"]

    def named(self, kind: str, name: str) -> Document:
        """The one of that name."""
        return next(found for found in self.all_of(kind) if found["metadata"]["name"] == name)

    def preview(self, *, refresh: bool = False) -> list[str]:
        """What would change."""
        told = Told()
        self.stack().preview(refresh=refresh, **told.arguments())
        return [change for change in told.changes() if not change.startswith("refresh")]


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
def local(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    env = {"KUBECONFIG": str(plane.kubeconfig)}
    base = tmp_path_factory.mktemp("local") / "world"
    world = with_project(new_world(base, echoed=("docker-build",), env=env), "local")
    stack, told = world.stack("local"), Told()
    stack.set_config("openaiApiKey", ConfigValue(CANARY, secret=True))
    with opened(plane.bin / "kubectl", plane.kubeconfig) as kube:
        stack.up(**told.arguments())
        yield Local(world, plane, kube, told)


def test_up_brings_it_all_to_readiness(local: Local) -> None:
    deployment = local.named("deployment", API)
    assert deployment["status"]["readyReplicas"] >= 1
    assert all("Complete" in conditions(job) for job in local.all_of("job"))
    assert local.preview() == []
    assert local.preview() == []


def conditions(found: Document) -> set[str]:
    """Those that are true."""
    return {each["type"] for each in found["status"]["conditions"] if each["status"] == "True"}


def test_the_model_key_is_in_its_secret_and_nowhere_else(local: Local) -> None:
    holders = [s["metadata"]["name"] for s in local.all_of("secret") if CANARY in decoded(s)]
    assert len(holders) == 1
    assert CANARY not in json.dumps(local.all_of("deployment,job,cronjob,configmap,pod"))
    assert CANARY not in local.world.exported("local")
    assert CANARY not in local.first.text()


def test_pods_that_the_autoscaler_added_are_no_change(local: Local) -> None:
    scaler = local.named("hpa", API)
    most = scaler["spec"]["maxReplicas"]
    with served_metrics(local.plane, local.kube) as metrics:
        metrics.cpu_millis = 100_000
        eventually(lambda: replicas(local) == most, seconds=SETTLED_SECONDS, what=f"{most} replicas")
        assert local.preview() == []
        assert set(local.stack().up().summary.resource_changes or {}) == {"same"}
    assert replicas(local) == most


def replicas(local: Local) -> int:
    return local.named("deployment", API)["spec"]["replicas"]


def test_a_changed_setting_rolls_the_pods_and_keeps_their_number(local: Local) -> None:
    before, number = pods(local), replicas(local)
    local.stack().set_config("platform.workload.log_level", ConfigValue("DEBUG"), path=True)
    told = Told()
    local.stack().up(**told.arguments())
    assert [change for change in told.changes() if change.startswith("replace")] == [
        "replace kubernetes:core/v1:ConfigMap langgraph-workload-settings"
    ]
    eventually(lambda: not pods(local) & before, seconds=SETTLED_SECONDS, what="the old pods are gone")
    assert replicas(local) == number
    assert local.preview() == []


def pods(local: Local) -> set[str]:
    return {
        pod["metadata"]["name"] for pod in local.kube.pods(NAMESPACE, {"app.kubernetes.io/component": "api"})
    }


def test_a_migration_that_was_swept_is_no_change_until_a_refresh_looks_for_it(local: Local) -> None:
    eventually(
        lambda: "Available" in conditions(local.named("deployment", API)), seconds=60, what="available"
    )
    local.plane.kubectl("delete", "job", "--all", "--namespace", NAMESPACE)
    assert local.preview() == []
    assert local.preview(refresh=True) == ["create kubernetes:batch/v1:Job langgraph-workload-migration"]


def test_down_leaves_nothing_behind(local: Local) -> None:
    mine = {entry.raw["id"] for entry in local.world.state("local").of("kubernetes:core/v1:Namespace")}
    assert mine
    local.stack().destroy()
    left = json.loads(local.plane.kubectl("get", "namespaces", "--output", "json"))["items"]
    assert not mine & {namespace["metadata"]["name"] for namespace in left}
    assert local.world.state("local").custom == []


def decoded(secret: Document) -> str:
    """The values of a Secret, as they are."""
    return json.dumps([base64.b64decode(value).decode() for value in (secret.get("data") or {}).values()])
