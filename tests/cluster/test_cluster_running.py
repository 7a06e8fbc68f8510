"""What the controllers make of every stack: pods that become ready, Jobs that end, budgets that hold."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from cluster.api import Document, Kube, eventually
from cluster.control_plane import ControlPlane
from cluster.workload import Workload

READY_SECONDS = 60.0


@pytest.fixture
def running(plane: ControlPlane, workload: Workload, kube: Kube) -> Workload:
    """A stack all of whose Deployments are available, with the replicas its autoscaler wants at least."""
    for document in workload.of_kind("Deployment"):
        wanted = _least(workload, document)
        what = f"{wanted} available pods of {document['metadata']['name']}"
        eventually(lambda d=document, w=wanted: _available(kube, d) == w, seconds=READY_SECONDS, what=what)
    return workload


def test_every_deployment_becomes_available(running: Workload, kube: Kube) -> None:
    for document in running.of_kind("Deployment"):
        status = kube.read(document).body["status"]
        assert status.get("unavailableReplicas", 0) == 0
        assert status["observedGeneration"] >= 1


def test_every_stateful_set_becomes_ready(running: Workload, kube: Kube) -> None:
    for document in running.of_kind("StatefulSet"):
        eventually(
            lambda d=document: (
                kube.read(d).body["status"].get("readyReplicas") == d["spec"].get("replicas", 1)
            ),
            seconds=READY_SECONDS,
            what=f"{document['metadata']['name']} ready",
        )


def test_the_migration_completes(running: Workload, kube: Kube) -> None:
    jobs = running.of_kind("Job")
    assert jobs
    for job in jobs:
        eventually(
            lambda j=job: _complete(kube, j),
            seconds=READY_SECONDS,
            what=f"{job['metadata']['name']} complete",
        )


def test_a_job_of_every_schedule_completes(running: Workload, kube: Kube) -> None:
    for schedule in running.of_kind("CronJob"):
        names = {
            "name": f"{schedule['metadata']['name']}-now",
            "namespace": schedule["metadata"]["namespace"],
        }
        job = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": names,
            "spec": schedule["spec"]["jobTemplate"]["spec"],
        }
        assert kube.create(job).status == 201
        eventually(lambda j=job: _complete(kube, j), seconds=READY_SECONDS, what=f"{names['name']} complete")


def test_a_rollout_never_falls_below_the_replicas(running: Workload, kube: Kube) -> None:
    for document in running.of_kind("Deployment"):
        wanted = _least(running, document)
        if not wanted or document["spec"].get("strategy", {}).get("type") == "Recreate":
            continue
        old = {pod["metadata"]["name"] for pod in _pods(kube, document)}
        with _watched(kube, document) as seen:
            again = {"metadata": {"annotations": {"lgp-test/rollout": "again"}}}
            assert kube.merge(document, {"spec": {"template": again}}).status == 200
            eventually(lambda d=document: _rolled_out(kube, d), seconds=READY_SECONDS, what="rolled out")
        assert old.isdisjoint(pod["metadata"]["name"] for pod in _pods(kube, document))
        assert min(seen) >= wanted, seen


def test_evictions_stop_at_the_budget(running: Workload, kube: Kube, plane: ControlPlane) -> None:
    api = _autoscaled(running)
    replicas = _least(running, api)
    budgets = [each for each in running.of_kind("PodDisruptionBudget") if _covers(each, api)]
    if replicas < 3:
        assert budgets == [], "with fewer than three pods a budget would stop every drain"
        return
    (budget,) = budgets
    assert budget["spec"]["minAvailable"] == 2
    with _no_room(plane):  # else a fake node has the next pod ready within a tenth of a second
        eventually(lambda: _allowed(kube, budget) == 1, seconds=READY_SECONDS, what="one disruption allowed")
        first, second, third = (kube.evict(pod) for pod in _pods(kube, api))
    assert (first.status, second.status, third.status) == (201, 429, 429)
    assert "disruption budget" in second.message
    eventually(lambda: _available(kube, api) == replicas, seconds=READY_SECONDS, what="replaced")


def _least(workload: Workload, deployment: Document) -> int:
    """The replicas it has when nothing happens."""
    for scaler in workload.of_kind("HorizontalPodAutoscaler"):
        if scaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]:
            return int(scaler["spec"].get("minReplicas", 1))
    return int(deployment["spec"].get("replicas", 1))


def _autoscaled(workload: Workload) -> Document:
    (scaler,) = workload.of_kind("HorizontalPodAutoscaler")
    return workload.named("Deployment", scaler["spec"]["scaleTargetRef"]["name"])


def _available(kube: Kube, deployment: Document) -> int:
    return int(kube.read(deployment).body.get("status", {}).get("availableReplicas", 0))


def _rolled_out(kube: Kube, deployment: Document) -> bool:
    found = kube.read(deployment).body
    status, replicas = found["status"], found["spec"]["replicas"]
    counts = {status.get(key) for key in ("replicas", "updatedReplicas", "availableReplicas")}
    return status["observedGeneration"] >= found["metadata"]["generation"] and counts == {replicas}


def _complete(kube: Kube, job: Document) -> bool:
    conditions = kube.read(job).body.get("status", {}).get("conditions", [])
    return any(each["type"] == "Complete" and each["status"] == "True" for each in conditions)


def _pods(kube: Kube, deployment: Document) -> list[Document]:
    return kube.pods(deployment["metadata"]["namespace"], deployment["spec"]["selector"]["matchLabels"])


def _covers(budget: Document, deployment: Document) -> bool:
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    return budget["spec"]["selector"]["matchLabels"].items() <= labels.items()


def _allowed(kube: Kube, budget: Document) -> int:
    found = kube.read(budget).body
    current = found.get("status", {}).get("observedGeneration") == found["metadata"]["generation"]
    return int(found["status"]["disruptionsAllowed"]) if current else -1


@contextmanager
def _watched(kube: Kube, deployment: Document) -> Generator[list[int], None, None]:
    """The numbers of available pods that a watcher sees from the first state to the end of the block."""
    seen: list[int] = []
    began, ended = threading.Event(), threading.Event()

    def follow() -> None:
        for state in kube.watch(deployment, seconds=int(READY_SECONDS)):
            seen.append(int(state.get("status", {}).get("availableReplicas", 0)))
            began.set()
            if ended.is_set():
                return

    watcher = threading.Thread(target=follow, daemon=True)
    watcher.start()
    assert began.wait(READY_SECONDS)
    yield seen
    ended.set()
    # one more change lets the watcher see that it is over
    assert kube.merge(deployment, {"metadata": {"annotations": {"lgp-test/seen": "yes"}}}).status == 200
    watcher.join(READY_SECONDS)


@contextmanager
def _no_room(plane: ControlPlane) -> Generator[None, None, None]:
    """No node takes a new pod."""
    plane.kubectl("cordon", "--selector", "kubernetes.io/os=linux")
    try:
        yield
    finally:
        plane.kubectl("uncordon", "--selector", "kubernetes.io/os=linux")
