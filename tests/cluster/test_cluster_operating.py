"""What `lgp status` and `lgp logs` see, and what docs/howto/operate.md says of kubectl, on a real API."""

import copy
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster.api import Document, Kube, eventually
from cluster.control_plane import ControlPlane
from cluster.kubelet import Logs, said, served_logs
from cluster.metrics import Metrics
from cluster.workload import Workload

from lgp.operating import health, log_streams
from lgp.operating.cluster import Cluster
from lgp.operating.exported import Declared
from lgp.operating.log_lines import Line
from lgp.operating.log_streams import Following, Wanted, recorded
from lgp.operating.programs import Programs

READY_SECONDS = 60.0


@pytest.fixture(scope="module")
def reached(plane: ControlPlane, production: Workload) -> Iterator[Cluster]:
    """The cluster as `lgp` reaches it, with the stack `prod` in it."""
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{plane.bin}{os.pathsep}{before}"
    namespace = production.of_kind("HorizontalPodAutoscaler")[0]["metadata"]["namespace"]
    yield Cluster(Programs(), ("--kubeconfig", str(plane.kubeconfig)), namespace)
    os.environ["PATH"] = before


@pytest.fixture
def logs(plane: ControlPlane, reached: Cluster) -> Iterator[Logs]:
    with served_logs(plane) as found:
        yield found


def kubectl(plane: ControlPlane, reached: Cluster, *arguments: str) -> str:
    return plane.kubectl("--namespace", reached.namespace, *arguments)


def declared(production: Workload) -> list[Declared]:
    return [
        Declared(each["metadata"]["name"], each["spec"]["template"]["spec"]["containers"][0]["image"], "")
        for each in production.of_kind("Deployment")
        if each["metadata"]["name"].startswith("agent-server")
    ]


def looked(reached: Cluster, production: Workload) -> health.Workload:
    answer = reached.read("get", health.KINDS, "--selector", health.SELECTOR)
    return health.judge(answer, declared(production))


def well(reached: Cluster, production: Workload) -> bool:
    return looked(reached, production).problems == []


def api_pods(reached: Cluster) -> set[str]:
    pods = reached.read("get", "pods", "--selector", "app.kubernetes.io/component=api")["items"]
    return {pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]}


def test_all_of_production_is_looked_at_and_well(reached: Cluster, production: Workload) -> None:
    eventually(lambda: well(reached, production), seconds=READY_SECONDS, what="well")
    found = looked(reached, production)
    assert {one.component for one in found.deployments} == {"api", "worker"}
    assert {one.outcome for one in found.jobs if one.component == "migration"} == {"complete"}
    assert [(one.least, one.most) for one in found.autoscalers] == [(3, 50)]
    assert [(one.desired, one.allowed) for one in found.budgets] == [(2, 1)]


def test_a_rollout_undone_is_told_and_done_again_is_well(
    reached: Cluster, production: Workload, plane: ControlPlane
) -> None:
    other = f"registry.example/agents@sha256:{'f' * 64}"
    kubectl(plane, reached, "set", "image", "deployment/agent-server", f"api={other}")
    kubectl(plane, reached, "rollout", "status", "deployment/agent-server", "--timeout=60s")
    problems = looked(reached, production).problems
    assert any("agent-server: runs registry.example/agents@sha256:ffffffffffff…" in line for line in problems)
    assert "1" in kubectl(plane, reached, "rollout", "history", "deployment/agent-server")
    kubectl(plane, reached, "rollout", "undo", "deployment/agent-server")
    kubectl(plane, reached, "rollout", "status", "deployment/agent-server", "--timeout=60s")
    eventually(lambda: well(reached, production), seconds=READY_SECONDS, what="well again")


def test_logs_of_all_pods_are_read_through_the_real_api(reached: Cluster, logs: Logs) -> None:
    pods = sorted(api_pods(reached))
    for number, pod in enumerate(pods):
        logs.lines[pod] = [said(pod, number), said(pod, number + 10)]
    found = list(recorded(reached, Wanted("api", since="1h", tail=7)))
    order = [f"{pod} {second}" for base in (0, 10) for second, pod in enumerate(pods, base)]
    assert [(line.fields or {})["event"] for line in found] == order
    assert {pod for pod, _ in logs.asked} == set(pods)
    assert all(query["timestamps"] == "true" and query["tailLines"] == "7" for _, query in logs.asked)
    assert all(query["sinceSeconds"] == "3600" for _, query in logs.asked)


def test_a_real_rollout_and_a_broken_connection_are_followed(
    reached: Cluster, logs: Logs, plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_streams, "LOOK_SECONDS", 0.3)
    old, seen = sorted(api_pods(reached)), list[Line]()
    following = Following(reached, Wanted("api")).lines()
    ended = threading.Event()

    def read() -> None:
        for line in following:
            seen.append(line)
            if ended.is_set():
                following.close()
                return

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        has = {line.source.pod for line in seen}
        eventually(
            lambda: {line.source.pod for line in seen} >= set(old), seconds=30, what=f"all of {old}, {has}"
        )
        logs.broken.add(old[0])
        logs.lines[old[0]] = [said(old[0]), said(old[0], 1)]
        wanted = f"{old[0]} 1"
        eventually(lambda: wanted in _events(seen), seconds=30, what="the broken one goes on")
        assert _events(seen).count(f"{old[0]} 0") == 1, "no line twice"
        kubectl(plane, reached, "rollout", "restart", "deployment/agent-server")
        kubectl(plane, reached, "rollout", "status", "deployment/agent-server", "--timeout=60s")
        new = api_pods(reached)
        assert new.isdisjoint(old)
        eventually(lambda: {line.source.pod for line in seen} >= new, seconds=30, what="the new pods")
    finally:
        ended.set()
        for pod in api_pods(reached):
            logs.lines[pod] = [said(pod), said(pod, 59)]
        reader.join(30)
    assert not reader.is_alive()


def _events(seen: list[Line]) -> list[str]:
    return [str((line.fields or {}).get("event")) for line in seen]


def test_scaling_by_hand_holds_until_the_autoscaler_counts_and_zero_stops_it(
    reached: Cluster, production: Workload, plane: ControlPlane, kube: Kube, metrics: Metrics
) -> None:
    metrics.cpu_millis = 1
    (scaler,) = production.of_kind("HorizontalPodAutoscaler")
    quick = copy.deepcopy(scaler)
    for rules in quick["spec"]["behavior"].values():
        rules["stabilizationWindowSeconds"] = 0
        for policy in rules["policies"]:
            policy["periodSeconds"] = 1
    assert kube.apply(quick).status == 200
    eventually(lambda: _condition(reached, "ScalingActive") == "True", seconds=30, what="metrics")
    kubectl(plane, reached, "scale", "deployment/agent-server", "--replicas=5")
    eventually(lambda: _replicas(reached) == 3, seconds=30, what="the autoscaler's number")
    kubectl(plane, reached, "scale", "deployment/agent-server", "--replicas=0")
    eventually(lambda: _condition(reached, "ScalingActive") == "False", seconds=30, what="disabled")
    assert _replicas(reached) == 0
    problems = looked(reached, production).problems
    assert any("is scaled to 0, which stops its autoscaler" in line for line in problems)
    kubectl(plane, reached, "scale", "deployment/agent-server", "--replicas=1")
    eventually(lambda: _replicas(reached) == 3, seconds=30, what="its least number again")


def _scaler(reached: Cluster) -> Document:
    return reached.read("get", "hpa", "agent-server")


def _condition(reached: Cluster, name: str) -> str:
    conditions = _scaler(reached).get("status", {}).get("conditions", [])
    return next((each["status"] for each in conditions if each["type"] == name), "")


def _replicas(reached: Cluster) -> int:
    return int(reached.read("get", "deployment", "agent-server")["spec"]["replicas"])


def test_what_a_reader_of_the_page_is_told_to_type_is_what_kubectl_takes(
    reached: Cluster, plane: ControlPlane, logs: Logs
) -> None:
    for command in ("get pods", "get hpa", "rollout history deploy/agent-server", "logs deploy/agent-server"):
        assert kubectl(plane, reached, *command.split())
    folder = Path(str(plane.folder)) / "rendered"
    folder.mkdir()
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "of-a-plan"}, "data": {}}
    (folder / "one.yaml").write_text(json.dumps(config))
    assert "configmap/of-a-plan created" in kubectl(plane, reached, "apply", "--filename", str(folder))
