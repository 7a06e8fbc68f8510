"""What is well and what is not, from what the real kubectl says of the real API server's objects."""

import copy
from typing import Any

import pytest
from recorded_programs import recording

from lgp.operating import leaving
from lgp.operating.exported import Declared, Exported
from lgp.operating.health import Workload, judge

FIRST, SECOND = (f"registry.example/agents@sha256:{letter * 64}" for letter in "ab")


def declared() -> list[Declared]:
    return Exported(recording("export")["stdout"]).deployments()


def judged(played: str = "workload", change: Any = None) -> Workload:
    answer = copy.deepcopy(recording(played)["stdout"])
    if change is not None:
        for item in answer["items"]:
            change(item)
    return judge(answer, declared())


def test_the_state_tells_what_pulumi_declared_and_where() -> None:
    exported = Exported(recording("export")["stdout"])
    assert declared() == [Declared("agent-server", SECOND, "api")]
    assert exported.outputs["image"] == SECOND
    assert exported.uid_of_namespace() == recording("namespace")["stdout"]["metadata"]["uid"]
    assert not exported.builds
    assert exported.protected() == []


def test_a_settled_workload_is_well() -> None:
    found = judged()
    assert found.problems == []
    (deployment,) = found.deployments
    assert (deployment.image, deployment.available, deployment.settled) == (SECOND, 1, True)
    assert {job.outcome for job in found.jobs} == {"complete"}
    assert [pod.phase for pod in found.pods if pod.component == "api"] == ["Running"]
    assert [(one.least, one.most) for one in found.autoscalers] == [(1, 3)]


def test_a_rollout_undone_behind_pulumis_back_is_seen_with_both_ways_out() -> None:
    (problem,) = judged("workload-undone").problems
    assert problem.startswith(
        "agent-server: runs registry.example/agents@sha256:aaaaaaaaaaaa…, Pulumi declares "
    )
    assert f"lgp rollback --version sha256:{'a' * 64}" in problem
    assert "lgp deploy --refresh" in problem


@pytest.mark.parametrize(
    ("component", "well"), [("retention", True), ("migration", False)], ids=["a sweep", "a migration"]
)
def test_a_sweep_that_failed_is_no_problem_once_a_later_one_was_complete(component: str, well: bool) -> None:
    answer = copy.deepcopy(recording("workload")["stdout"])
    jobs = [item for item in answer["items"] if item["kind"] == "Job"]
    before, after = copy.deepcopy(jobs[0]), copy.deepcopy(jobs[0])
    for item, minute, outcome in ((before, 1, "Failed"), (after, 2, "Complete")):
        item["metadata"]["name"] = f"{component}-{minute}"
        item["metadata"]["labels"]["app.kubernetes.io/component"] = component
        item["metadata"]["creationTimestamp"] = f"2026-11-23T03:{minute:02}:00Z"
        item["status"]["conditions"] = [{"type": outcome, "status": "True"}]
    answer["items"] += [before, after]
    assert (judge(answer, declared()).problems == []) is well


def test_a_deployment_scaled_to_zero_is_not_well() -> None:
    problems = judged("workload-scaled-to-zero").problems
    assert any("is scaled to 0, which stops its autoscaler" in line for line in problems)


def of_kind(kind: str, path: str, value: Any) -> Any:
    """A change of every object of that kind."""

    def change(item: dict[str, Any]) -> None:
        if item["kind"] != kind or item["metadata"]["labels"]["app.kubernetes.io/component"] == "retention":
            return
        *parents, last = path.split(".")
        for parent in parents:
            item = item[parent]
        item[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            of_kind("Deployment", "status.updatedReplicas", 0),
            "is rolling out: 0 of 1 pods are of the last change",
        ),
        (of_kind("Deployment", "status.observedGeneration", 0), "is rolling out"),
        (of_kind("Deployment", "status.availableReplicas", 0), "0 of 1 pods are available"),
        (of_kind("Job", "status.conditions", [{"type": "Failed", "status": "True"}]), "failed: `lgp logs"),
        (
            of_kind(
                "Pod", "status.containerStatuses", [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]
            ),
            "CrashLoopBackOff: `lgp logs --previous` shows why",
        ),
        (
            of_kind(
                "Pod", "status.containerStatuses", [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]
            ),
            "ImagePullBackOff: the image is not in the registry",
        ),
        (
            of_kind(
                "Pod",
                "status.conditions",
                [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes"}],
            ),
            "fits on no node: 0/3 nodes",
        ),
        (of_kind("Deployment", "metadata.name", "other"), "agent-server: is not in the cluster"),
    ],
    ids=["rolling", "unseen", "down", "job", "crash", "pull", "no-room", "gone"],
)
def test_each_thing_that_is_wrong_is_told_with_what_to_do(change: Any, expected: str) -> None:
    assert any(expected in line for line in judged(change=change).problems)


def test_an_autoscaler_at_its_end_and_restarts_are_worth_a_note() -> None:
    full = judged(change=of_kind("HorizontalPodAutoscaler", "status.currentReplicas", 3))
    assert full.problems == []
    working = [{"type": "ScalingActive", "status": "True"}]

    def change(item: dict[str, Any]) -> None:
        of_kind("HorizontalPodAutoscaler", "status.conditions", working)(item)
        of_kind("HorizontalPodAutoscaler", "status.currentReplicas", 3)(item)
        of_kind("Pod", "status.containerStatuses", [{"restartCount": 2, "state": {"running": {}}}])(item)

    notes = judged(change=change).notes
    assert any("at its maximum, 3" in line for line in notes)
    assert any("was started again 2 times" in line for line in notes)


def test_objects_of_another_shape_are_no_crash() -> None:
    assert judge({"items": [{"kind": "Deployment"}, {"kind": "Pod"}, {}, 5]}, []).deployments[0].wanted == 1
    assert judge(None, []).problems == []
    assert Exported(None).outputs == {}


def test_what_goes_and_what_stays_is_read_from_the_state() -> None:
    exported = Exported(recording("export-prod")["stdout"])
    going, staying = "\n".join(leaving.going(exported)), "\n".join(leaving.staying(exported))
    assert "the database: threads, runs, checkpoints" in going
    assert "the attachments" in going
    assert "the final snapshot langgraph-platform-prod-langgraph-database-final" in staying
    assert "4 KMS keys, deleted in 30 days" in staying
    assert any("aws:rds/instance:Instance" in line for line in exported.protected())
    small = copy.deepcopy(recording("export-prod")["stdout"])
    for one in small["deployment"]["resources"]:
        one["inputs"] = {**one.get("inputs", {}), "skipFinalSnapshot": True}
    assert any(line.startswith("NO snapshot") for line in leaving.staying(Exported(small)))
