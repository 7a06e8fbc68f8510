"""`lgp plan`."""

import sys
from importlib.util import find_spec
from logging import WARNING
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lgp.errors import PlanFailed, UsageProblem
from lgp.operating.options import Folder
from lgp.output import Machine, escape, json_line, note, out, people
from lgp.paths import program_folder

if TYPE_CHECKING:
    from langgraph_policy import Report
    from lgp.planning.comment.bounded import Section
    from lgp.planning.recording import Recording

Stack = Annotated[str, typer.Argument(metavar="[STACK]", help="The stack, by its Pulumi.STACK.yaml.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", show_default=False, help="Write manifests, charts and graph here."),
]
Revision = Annotated[
    str,
    typer.Option(
        "--diff", metavar="REV", show_default=False, help="Compare with a git revision, REV or REV:STACK."
    ),
]
Markdown = Annotated[
    bool, typer.Option("--markdown", help="Text for a comment on a pull request, in GitHub's Markdown.")
]
Graph = Annotated[
    Path | None,
    typer.Option("--graph", metavar="FILE.svg", show_default=False, help="Draw the stack into this file."),
]
Policy = Annotated[
    bool, typer.Option("--policy", help="Check the rules, too; exit code 1 if a mandatory one is broken.")
]


def plan(
    stack: Stack = "dev",
    *,
    written: Out = None,
    against: Revision = "",
    cwd: Folder = None,
    machine: Machine = False,
    markdown: Markdown = False,
    policy: Policy = False,
    drawn: Graph = None,
) -> int:
    """Show what `pulumi up` would declare: no account, no cluster, no network."""
    folder = program_folder(cwd)
    check_extra("plan")
    if machine and markdown:
        message = "--json and --markdown are two forms of one answer: name one of them"
        raise UsageProblem(message)
    if drawn is not None and drawn.suffix != ".svg":
        message = f"--graph {drawn}: the picture is SVG: name a file that ends with .svg"
        raise UsageProblem(message)
    form = "json" if machine else "markdown" if markdown else "people"
    if against:
        before, recording = _both(folder, stack, against, written)
        _draw(recording, drawn)
        report = _judged(recording) if policy else None
        _tell_difference(before, recording, stack, against, form, report=report)
    else:
        recording = _planned(folder, stack, written)
        _draw(recording, drawn)
        report = _judged(recording) if policy else None
        _tell(recording, form, report)
    return int(report is not None and report.refused)


def _draw(recording: "Recording", file: Path | None) -> None:
    from lgp.planning.drawing import drawn  # noqa: PLC0415  # every other verb starts without it

    if file is not None:
        file.write_text(drawn(recording), encoding="utf-8")
        note(f"drawn in {file}")


def _judged(recording: "Recording") -> "Report":
    from lgp.planning.policy import policy_report  # noqa: PLC0415  # every other verb starts without it

    return policy_report(recording)


def _tell(recording: "Recording", form: str, report: "Report | None") -> None:
    from lgp.planning import document, tree  # noqa: PLC0415  # as above
    from lgp.planning.comment.overview import comment_on_plan  # noqa: PLC0415  # as above

    if form == "json":
        _tell_document(document.plan_document(recording), report)
    elif form == "markdown":
        sys.stdout.write(comment_on_plan(recording, more=_sections(report)))
    else:
        tree.show_plan(recording, out())
        _tell_policy(report)


def _tell_difference(
    before: "Recording",
    recording: "Recording",
    stack: str,
    against: str,
    form: str,
    *,
    report: "Report | None",
) -> None:
    from lgp.planning import changes, compare, document  # noqa: PLC0415  # as above
    from lgp.planning.comment import cost, difference  # noqa: PLC0415  # as above

    found = compare.compare(before, recording)
    if form == "json":
        _tell_document(document.comparison_document(found, stack, against), report)
    elif form == "markdown":
        more = [*_sections(report), *cost.cost_sections(before, recording)]
        sys.stdout.write(difference.comment_on_difference(found, stack, against, more=more))
    else:
        changes.show_comparison(found, out())
        _tell_policy(report)


def _tell_document(document: dict[str, Any], report: "Report | None") -> None:
    from lgp.planning.policy_text import policy_document  # noqa: PLC0415  # as above

    json_line(document if report is None else {**document, "policy": policy_document(report)})


def _tell_policy(report: "Report | None") -> None:
    from lgp.planning.policy_text import show_policy  # noqa: PLC0415  # as above

    if report is not None:
        show_policy(report, out())


def _sections(report: "Report | None") -> "list[Section]":
    from lgp.planning.comment.policy import policy_sections  # noqa: PLC0415  # as above

    return [] if report is None else policy_sections(report)


def check_extra(verb: str) -> None:
    """Refuse a verb that plans, where what it plans with is not installed."""
    if not all(find_spec(name) for name in ("yaml", "pulumi", "pydantic")):
        cure = "`make setup` in the clone, or docs/howto/import-components.md"
        message = f"`lgp {verb}` needs Pulumi's packages: {cure}"
        raise PlanFailed(message)


def _both(folder: Path, stack: str, against: str, written: Path | None) -> "tuple[Recording, Recording]":
    """The other revision's plan and that of this tree, made at once, each in a process of its own."""
    from lgp.planning import revisions  # noqa: PLC0415  # as above

    with revisions.planned_at(folder, against, stack) as other:
        recording = _planned(folder, stack, written)
        before = other()
    if before.note:
        note(before.note)
    return before.recording, recording


def _planned(folder: Path, stack: str, written: Path | None) -> "Recording":
    """The plan of this tree; what the program said is on stderr, and the files are written."""
    from lgp.planning import files, program  # noqa: PLC0415  # as above

    planned = program.plan(folder, stack)
    for message in planned.messages:
        if message.level >= WARNING:
            people().print(f"[yellow]warning:[/yellow] {escape(message.text)}")
        else:
            note(message.text)
    if written is not None:
        note(f"{files.write_plan(planned.recording, written)} files in {written}")
    return planned.recording
