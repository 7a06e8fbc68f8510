"""Whether a workload is well: what Kubernetes says of it, beside what Pulumi declared."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lgp.operating.exported import Declared
from lgp.operating.updates import short
from lgp.shapes import a_list, an_object

KINDS = "deployments,horizontalpodautoscalers,poddisruptionbudgets,jobs,pods"
"""What is asked for, in one question."""

SELECTOR = "app.kubernetes.io/name=agent-server"
"""All objects of ours in the workload's namespace."""

COMPONENT = "app.kubernetes.io/component"
_STUCK = {
    "CrashLoopBackOff": "`lgp logs --previous` shows why it ended",
    "ImagePullBackOff": "the image is not in the registry, or the nodes may not pull it",
    "ErrImagePull": "the image is not in the registry, or the nodes may not pull it",
    "ErrImageNeverPull": "the image is not on the node",
    "InvalidImageName": "platform.image.reference is none",
    "CreateContainerConfigError": "a Secret or ConfigMap is missing: `kubectl describe pod` names it",
    "CreateContainerError": "`kubectl describe pod` says why",
    "RunContainerError": "`kubectl describe pod` says why",
}
"""Why a container waits for longer than a moment → what to do."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Pods of one kind, as many as are wanted, or not yet."""

    name: str
    component: str
    image: str
    declared: str
    """The image that Pulumi declared; empty where the state does not know the Deployment."""
    wanted: int
    updated: int
    available: int
    settled: bool
    """Whether the last change has been rolled out."""


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod."""

    name: str
    component: str
    phase: str
    ready: bool
    restarts: int
    image: str
    """Digest that runs, as the node knows it; empty before it was pulled."""
    stuck: str
    """Why it does not get on; empty if it does."""


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """The HPA of the API."""

    name: str
    least: int
    most: int
    now: int
    target: str
    """`cpu 41 % of 70 %`."""
    working: bool


@dataclass(frozen=True, slots=True)
class Budget:
    """A PodDisruptionBudget."""

    name: str
    healthy: int
    desired: int
    allowed: int


@dataclass(frozen=True, slots=True)
class Job:
    """The migration, or a sweep."""

    name: str
    component: str
    outcome: str
    """`complete`, `failed` or `running`."""
    made: str
    """RFC 3339, UTC."""


@dataclass(frozen=True, slots=True)
class Workload:
    """All of it, and what is wrong."""

    deployments: list[Deployment]
    pods: list[Pod]
    autoscalers: list[Autoscaler]
    budgets: list[Budget]
    jobs: list[Job]
    problems: list[str]
    """Sentences; none if it is well."""
    notes: list[str]
    """What is worth knowing and no reason to act."""


def judge(answer: Any, declared: Sequence[Declared]) -> Workload:
    """What a `kubectl get KINDS` says."""
    of_kind: dict[str, list[dict[str, Any]]] = {}
    for item in map(an_object, a_list(an_object(answer).get("items"))):
        of_kind.setdefault(str(item.get("kind")), []).append(item)
    images = {one.name: one.image for one in declared}
    deployments = [_deployment(one, images) for one in of_kind.get("Deployment", [])]
    pods = [_pod(one) for one in of_kind.get("Pod", [])]
    scalers = [_autoscaler(one) for one in of_kind.get("HorizontalPodAutoscaler", [])]
    budgets = [_budget(one) for one in of_kind.get("PodDisruptionBudget", [])]
    jobs = [_job(one) for one in of_kind.get("Job", [])]
    absent = [one.name for one in declared if one.name not in {found.name for found in deployments}]
    problems = [
        *(f"{name}: is not in the cluster, though Pulumi made it: `pulumi up --refresh`" for name in absent),
        *(line for one in deployments for line in _of_deployment(one)),
        *(f"{one.name}: {one.stuck}" for one in pods if one.stuck),
        *(
            f"{one.name}: failed: `lgp logs --component {one.component}`"
            for one in jobs
            if one.outcome == "failed" and not _was_done_since(one, jobs)
        ),
        *(
            f"{one.name}: {one.healthy} healthy pods where {one.desired} are wanted at least"
            for one in budgets
            if one.healthy < one.desired
        ),
    ]
    return Workload(deployments, pods, scalers, budgets, jobs, problems, list(_notes(scalers, pods)))


def _was_done_since(failed: Job, jobs: Sequence[Job]) -> bool:
    """Whether a later sweep did what that one did not; a migration is done by no other."""
    later = (one for one in jobs if one.component == failed.component and one.made > failed.made)
    return failed.component == "retention" and any(one.outcome == "complete" for one in later)


def _of_deployment(one: Deployment) -> Iterator[str]:
    if one.declared and one.image != one.declared:
        yield (
            f"{one.name}: runs {short(one.image)}, Pulumi declares {short(one.declared)}: somebody changed "
            f"it behind Pulumi's back; to keep it `lgp rollback --version {version_of(one.image)}`, "
            "to undo it `lgp deploy --refresh`"
        )
    if not one.settled:
        pods = f"{one.updated} of {one.wanted} pods are of the last change, {one.available} available"
        yield f"{one.name}: is rolling out: {pods}"
    elif one.available < one.wanted:
        yield f"{one.name}: {one.available} of {one.wanted} pods are available"
    elif not one.wanted:
        yield f"{one.name}: is scaled to 0, which stops its autoscaler, too: `kubectl scale --replicas=1`"


def version_of(image: str) -> str:
    """What `lgp rollback --version` takes: the digest, or the whole reference where there is none."""
    digest = image.partition("@")[2]
    return digest or image


def _notes(scalers: Sequence[Autoscaler], pods: Sequence[Pod]) -> Iterator[str]:
    for one in scalers:
        if not one.working:
            yield f"{one.name}: the autoscaler knows no metrics: does `kubectl top pods` answer?"
        elif one.now >= one.most:
            yield f"{one.name}: the autoscaler is at its maximum, {one.most}: docs/howto/scale.md"
    for pod in pods:
        if pod.restarts and not pod.stuck:
            yield f"{pod.name}: was started again {pod.restarts} times: `lgp logs --previous`"


def _metadata(item: Mapping[str, Any]) -> dict[str, Any]:
    return an_object(item.get("metadata"))


def _component(item: Mapping[str, Any]) -> str:
    return str(an_object(_metadata(item).get("labels")).get(COMPONENT, ""))


def _number(found: Mapping[str, Any], key: str, default: int = 0) -> int:
    value = found.get(key, default)
    return value if isinstance(value, int) else default


def _containers(spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [an_object(one) for one in a_list(spec.get("containers"))]


def _deployment(item: dict[str, Any], declared: Mapping[str, str]) -> Deployment:
    spec, status = an_object(item.get("spec")), an_object(item.get("status"))
    name, wanted = str(_metadata(item).get("name")), _number(spec, "replicas", 1)
    containers = _containers(an_object(an_object(spec.get("template")).get("spec")))
    updated = _number(status, "updatedReplicas")
    seen = _number(status, "observedGeneration") >= _number(_metadata(item), "generation")
    return Deployment(
        name=name,
        component=_component(item),
        image=str(containers[0].get("image", "")) if containers else "",
        declared=declared.get(name, ""),
        wanted=wanted,
        updated=updated,
        available=_number(status, "availableReplicas"),
        settled=seen and updated == wanted == _number(status, "replicas"),
    )


def _pod(item: dict[str, Any]) -> Pod:
    status = an_object(item.get("status"))
    states = [an_object(one) for one in a_list(status.get("containerStatuses"))]
    conditions = _conditions(status)
    first = states[0] if states else {}
    return Pod(
        name=str(_metadata(item).get("name")),
        component=_component(item),
        phase="Terminating" if "deletionTimestamp" in _metadata(item) else str(status.get("phase", "")),
        ready=an_object(conditions.get("Ready")).get("status") == "True",
        restarts=sum(_number(one, "restartCount") for one in states),
        image=str(first.get("imageID", "")),
        stuck=_stuck(states, conditions),
    )


def _stuck(states: Sequence[dict[str, Any]], conditions: Mapping[str, Any]) -> str:
    for state in states:
        reason = str(an_object(an_object(state.get("state")).get("waiting")).get("reason", ""))
        if reason in _STUCK:
            return f"{reason}: {_STUCK[reason]}"
    scheduled = an_object(conditions.get("PodScheduled"))
    if scheduled.get("status") == "False":
        return f"fits on no node: {scheduled.get('message', scheduled.get('reason', ''))}"
    return ""


def _conditions(status: Mapping[str, Any]) -> dict[str, Any]:
    return {str(an_object(one).get("type")): one for one in a_list(status.get("conditions"))}


def _autoscaler(item: dict[str, Any]) -> Autoscaler:
    spec, status = an_object(item.get("spec")), an_object(item.get("status"))
    return Autoscaler(
        name=str(_metadata(item).get("name")),
        least=_number(spec, "minReplicas", 1),
        most=_number(spec, "maxReplicas"),
        now=_number(status, "currentReplicas"),
        target=", ".join(_targets(spec, status)),
        working=an_object(_conditions(status).get("ScalingActive")).get("status") == "True",
    )


def _targets(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[str]:
    now: dict[str, Any] = {}
    for one in a_list(status.get("currentMetrics")):
        resource = an_object(an_object(one).get("resource"))
        now[str(resource.get("name"))] = an_object(resource.get("current")).get("averageUtilization")
    for one in a_list(spec.get("metrics")):
        resource = an_object(an_object(one).get("resource"))
        if name := str(resource.get("name", "")):
            wanted = an_object(resource.get("target")).get("averageUtilization")
            yield f"{name} {'?' if now.get(name) is None else now[name]} % of {wanted} %"


def _budget(item: dict[str, Any]) -> Budget:
    status = an_object(item.get("status"))
    return Budget(
        name=str(_metadata(item).get("name")),
        healthy=_number(status, "currentHealthy"),
        desired=_number(status, "desiredHealthy"),
        allowed=_number(status, "disruptionsAllowed"),
    )


def _job(item: dict[str, Any]) -> Job:
    conditions = _conditions(an_object(item.get("status")))
    outcome = "running"
    for condition, word in (("Complete", "complete"), ("Failed", "failed")):
        if an_object(conditions.get(condition)).get("status") == "True":
            outcome = word
    made = str(_metadata(item).get("creationTimestamp", ""))
    return Job(str(_metadata(item).get("name")), _component(item), outcome, made)
