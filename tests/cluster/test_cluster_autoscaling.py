"""The real autoscaler on the API of production, told by a stub what its pods use.

A minute lasts four seconds here: every number of seconds in the rules is divided by fifteen. How many pods a
step may add or take away stays as it is.
"""

import copy
import time
from itertools import pairwise

import pytest
from cluster.api import Document, Kube, eventually
from cluster.metrics import Metrics
from cluster.workload import Workload

QUICKER = 15
MINUTE = 60 / QUICKER
"""Seconds that stand for one minute."""

SLACK_SECONDS = 2.5
"""What the autoscaler, which looks every second, and a busy machine may add to a step."""

RULES = {
    "scaleUp": {
        "stabilizationWindowSeconds": 60,
        "selectPolicy": "Max",
        "policies": [
            {"type": "Percent", "value": 100, "periodSeconds": 60},
            {"type": "Pods", "value": 4, "periodSeconds": 60},
        ],
    },
    "scaleDown": {
        "stabilizationWindowSeconds": 300,
        "policies": [{"type": "Percent", "value": 25, "periodSeconds": 60}],
    },
}


@pytest.fixture
def scaler(production: Workload) -> Document:
    """The autoscaler of the API, as rendered."""
    (found,) = production.of_kind("HorizontalPodAutoscaler")
    return found


@pytest.fixture
def api(production: Workload, scaler: Document) -> Document:
    """What it scales."""
    return production.named("Deployment", scaler["spec"]["scaleTargetRef"]["name"])


@pytest.fixture
def quick(scaler: Document) -> Document:
    """The same autoscaler in quicker time."""
    found = copy.deepcopy(scaler)
    for rules in found["spec"]["behavior"].values():
        rules["stabilizationWindowSeconds"] //= QUICKER
        for policy in rules["policies"]:
            policy["periodSeconds"] //= QUICKER
    return found


def test_the_rules_are_those_that_were_promised(scaler: Document, kube: Kube) -> None:
    spec = kube.apply(scaler, dry_run=True).body["spec"]
    rules = {way: {key: spec["behavior"][way][key] for key in RULES[way]} for way in RULES}
    assert rules == RULES
    assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 50)
    target = {"type": "Utilization", "averageUtilization": 70}
    assert spec["metrics"] == [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]


def test_the_deployment_leaves_its_replicas_to_the_autoscaler(api: Document) -> None:
    assert "replicas" not in api["spec"]


def test_load_takes_it_from_3_to_50_and_rest_back_again(
    quick: Document, api: Document, kube: Kube, metrics: Metrics
) -> None:
    assert kube.apply(quick).status == 200
    request = _cpu_request(api)
    metrics.cpu_millis = request // 10
    eventually(lambda: _is_active(kube, quick), seconds=30, what="the autoscaler gets metrics")
    eventually(lambda: _replicas(kube, api) == 3, seconds=30, what="three pods at rest")

    metrics.cpu_millis = request * 10  # so much that pods which are not counted yet make no difference
    upward = _steps(kube, api, until=50, seconds=6 * MINUTE + 10)
    assert [count for _, count in upward] == [3, 7, 14, 28, 50]
    assert upward[1][0] - upward[0][0] >= MINUTE - 1, "raised before the window of a minute was over"
    assert all(
        MINUTE - 1 <= after[0] - before[0] <= MINUTE + SLACK_SECONDS for before, after in pairwise(upward[1:])
    )

    metrics.cpu_millis = request // 10
    downward = _steps(kube, api, until=27, seconds=8 * MINUTE + 10)
    assert [count for _, count in downward] == [50, 37, 27]
    assert downward[1][0] - downward[0][0] >= 5 * MINUTE - 1, "lowered before the window of 300 s was over"
    assert downward[2][0] - downward[1][0] >= MINUTE - 1


def _steps(kube: Kube, deployment: Document, *, until: int, seconds: float) -> list[tuple[float, int]]:
    """When it wanted how many pods, from now on until it wants that number."""
    steps = [(time.monotonic(), _replicas(kube, deployment))]
    while steps[-1][1] != until and time.monotonic() < steps[0][0] + seconds:
        if (count := _replicas(kube, deployment)) != steps[-1][1]:
            steps.append((time.monotonic(), count))
        time.sleep(0.1)
    return steps


def _replicas(kube: Kube, deployment: Document) -> int:
    return int(kube.read(deployment).body["spec"]["replicas"])


def _is_active(kube: Kube, scaler: Document) -> bool:
    conditions = kube.read(scaler).body.get("status", {}).get("conditions", [])
    return any(each["type"] == "ScalingActive" and each["status"] == "True" for each in conditions)


def _cpu_request(deployment: Document) -> int:
    """Thousandths of a core that all containers of a pod ask for together."""
    containers = deployment["spec"]["template"]["spec"]["containers"]
    (request,) = (container["resources"]["requests"]["cpu"] for container in containers)
    return int(request.removesuffix("m")) if request.endswith("m") else int(float(request) * 1000)
