"""The state of a stack, put together from what Pulumi and Kubernetes know, and shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape

from lgp.operating import alerts, cluster, health
from lgp.operating.alerts import Alert
from lgp.operating.exported import Exported
from lgp.operating.health import Pod, Workload
from lgp.operating.stack import Stack
from lgp.operating.updates import Update, image_named, short
from lgp.output import table


@dataclass(frozen=True, slots=True)
class Report:
    """One look at a stack."""

    stack: str
    environment: str
    url: str
    image: str
    """What Pulumi declared last."""
    update: Update | None
    """The last one."""
    workload: Workload
    problems: list[str]
    """Everything that is wrong, the workload's first."""
    notes: list[str]
    alerts: list[Alert]
    """Those that fire; a critical one is a problem."""

    @property
    def healthy(self) -> bool:
        """Whether nothing is to be done."""
        return not self.problems


def look(stack: Stack, context: str = "") -> Report:
    """Ask Pulumi and the cluster.

    Raises:
        LgpError: one of them could not be asked; nothing is known of the workload then.
    """
    exported, updates, settings = stack.exported(), stack.updates(), stack.settings()
    with cluster.opened(exported, settings, stack.programs, context) as reached:
        answer = reached.read("get", health.KINDS, "--selector", health.SELECTOR)
        fires = alerts.firing(reached, settings)
    workload = health.judge(answer, exported.deployments())
    last = updates[-1] if updates else None
    return Report(
        stack=stack.name,
        environment=exported.output("environment"),
        url=exported.output("url"),
        image=exported.output("image"),
        update=last,
        workload=workload,
        problems=[*workload.problems, *_of_pulumi(exported, last), *_of_alerts(fires, critical=True)],
        notes=[
            *workload.notes,
            *_undeployed(stack, exported, settings),
            *_of_alerts(fires, critical=False),
            *(["Prometheus could not be asked whether alerts fire"] if fires is None else []),
        ],
        alerts=fires or [],
    )


def _of_pulumi(exported: Exported, last: Update | None) -> Iterator[str]:
    if last is not None and last.result == "failed":
        yield f"the last {last.kind} failed: `lgp deploy` tries again, `lgp rollback` goes back"
    if exported.pending:
        yield f"an update was cut short ({', '.join(exported.pending)}): `pulumi refresh`, then `lgp deploy`"


def _of_alerts(fires: list[Alert] | None, *, critical: bool) -> Iterator[str]:
    for one in fires or []:
        if (one.severity == "critical") is critical:
            yield f"{one}: docs/howto/README.md has its page"


def _undeployed(stack: Stack, exported: Exported, settings: dict[str, Any]) -> Iterator[str]:
    named = image_named(settings)
    if named and named != exported.output("image"):
        yield f"{stack.file.name} names {short(named)}, which is not deployed: `lgp deploy`"


def document(report: Report) -> dict[str, Any]:
    """For programs."""
    parts = ("deployments", "pods", "autoscalers", "budgets", "jobs")
    return {
        "stack": report.stack,
        "environment": report.environment,
        "healthy": report.healthy,
        "url": report.url or None,
        "image": report.image,
        "update": report.update,
        **{part: getattr(report.workload, part) for part in parts},
        "alerts": report.alerts,
        "problems": report.problems,
        "notes": report.notes,
    }


def show(report: Report, console: Console) -> None:
    """For people."""
    workload, update = report.workload, report.update
    console.print(f"[bold]{escape(report.stack)}[/bold] ({report.environment})  {escape(report.url)}")
    console.print(f"[dim]image[/dim]   {escape(short(report.image))}")
    if update is not None:
        console.print(f"[dim]{update.kind}[/dim]  {escape(told(update))}")
    console.print()
    rows = [
        [one.name, f"{one.available}/{one.wanted}", short(one.image), "" if one.settled else "rolling out"]
        for one in workload.deployments
    ]
    table(["deployment", "available", "image", ""], rows)
    console.print()
    rows = [
        [
            pod.name,
            pod.phase if not pod.stuck else pod.stuck.partition(":")[0],
            _ready(pod),
            str(pod.restarts),
        ]
        for pod in workload.pods
    ]
    if rows:
        table(["pod", "phase", "ready", "restarts"], rows)
        console.print()
    for line in _guards(workload):
        console.print(line, markup=False)
    for line in report.notes:
        console.print(f"[yellow]note[/yellow]     {escape(line)}")
    for line in report.problems:
        console.print(f"[red]problem[/red]  {escape(line)}")
    if report.healthy:
        console.print("[green]healthy[/green]")


def told(update: Update) -> str:
    """Result, time, number, message and commit, as far as Pulumi knows them."""
    number = f"#{update.number}" if update.number else ""
    when = update.ended.replace("T", " ").partition(".")[0]
    commit = f"commit {update.commit[:12]}" if update.commit else ""
    return "  ".join(part for part in (update.result, when, number, update.message, commit) if part)


def _guards(workload: Workload) -> Iterator[str]:
    for one in workload.autoscalers:
        yield f"autoscaler {one.name}: {one.now} of {one.least} to {one.most} pods, {one.target}"
    for one in workload.budgets:
        yield f"budget {one.name}: {one.healthy} healthy, {one.desired} needed, {one.allowed} may be evicted"
    for one in workload.jobs:
        yield f"job {one.name}: {one.outcome}"


def _ready(pod: Pod) -> str:
    return "" if pod.phase == "Succeeded" else "yes" if pod.ready else "no"
