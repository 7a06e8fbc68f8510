"""`lgp plan`."""

import sys
from importlib.util import find_spec
from logging import WARNING
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lgp.errors import PlanFailed, UsageProblem
from lgp.output import Machine, escape, json_line, note, out, people
from lgp.paths import ROOT

if TYPE_CHECKING:
    from lgp.planning.compare import Comparison
    from lgp.planning.recording import Recording

Stack = Annotated[str, typer.Argument(metavar="[STACK]", help="The stack, by its Pulumi.STACK.yaml.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", show_default=False, help="Write manifests, charts and graph here."),
]
Folder = Annotated[
    Path,
    typer.Option("--cwd", metavar="DIR", show_default=False, help="The project's folder, if not the clone."),
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


def plan(
    stack: Stack = "dev",
    *,
    written: Out = None,
    against: Revision = "",
    cwd: Folder = ROOT,
    machine: Machine = False,
    markdown: Markdown = False,
) -> int:
    """Show what `pulumi up` would declare: no account, no cluster, no network."""
    folder = cwd.resolve()
    check_extra("plan")
    if machine and markdown:
        message = "--json and --markdown are two forms of one answer: name one of them"
        raise UsageProblem(message)
    form = "json" if machine else "markdown" if markdown else "people"
    if against:
        found = _compared(folder, stack, against, written)
        _tell_difference(found, stack, against, form)
    else:
        _tell(_planned(folder, stack, written), form)
    return 0


def _tell(recording: "Recording", form: str) -> None:
    from lgp.planning import document, tree  # noqa: PLC0415  # every other verb starts without them
    from lgp.planning.comment.overview import comment_on_plan  # noqa: PLC0415  # as above

    if form == "json":
        json_line(document.plan_document(recording))
    elif form == "markdown":
        sys.stdout.write(comment_on_plan(recording))
    else:
        tree.show_plan(recording, out())


def _tell_difference(found: "Comparison", stack: str, against: str, form: str) -> None:
    from lgp.planning import changes, document  # noqa: PLC0415  # as above
    from lgp.planning.comment.difference import comment_on_difference  # noqa: PLC0415  # as above

    if form == "json":
        json_line(document.comparison_document(found, stack, against))
    elif form == "markdown":
        sys.stdout.write(comment_on_difference(found, stack, against))
    else:
        changes.show_comparison(found, out())


def check_extra(verb: str) -> None:
    """Refuse a verb that plans, where what it plans with is not installed."""
    if not all(find_spec(name) for name in ("yaml", "pulumi", "pydantic")):
        cure = "pip install 'lgp[plan]', or `make setup` in the clone"
        message = f"`lgp {verb}` needs Pulumi's packages: {cure}"
        raise PlanFailed(message)


def _compared(folder: Path, stack: str, against: str, written: Path | None) -> "Comparison":
    """Both plans at once, each in a process of its own, then what differs."""
    from lgp.planning import compare, revisions  # noqa: PLC0415  # as above

    with revisions.planned_at(folder, against, stack) as other:
        recording = _planned(folder, stack, written)
        before = other()
    if before.note:
        note(before.note)
    return compare.compare(before.recording, recording)


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
