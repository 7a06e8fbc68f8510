"""`lgp plan`."""

from importlib.util import find_spec
from logging import WARNING
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lgp.errors import PlanFailed
from lgp.output import Machine, escape, json_line, note, out, people
from lgp.paths import ROOT

if TYPE_CHECKING:
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


def plan(
    stack: Stack = "dev",
    *,
    written: Out = None,
    against: Revision = "",
    cwd: Folder = ROOT,
    machine: Machine = False,
) -> int:
    """Show what `pulumi up` would declare: no account, no cluster, no network."""
    folder = cwd.resolve()
    _check_extra()
    if against:
        return _compare(folder, stack, against, written, machine=machine)
    recording = _planned(folder, stack, written)
    if machine:
        from lgp.planning.document import plan_document  # noqa: PLC0415  # as below

        json_line(plan_document(recording))
    else:
        from lgp.planning.tree import show_plan  # noqa: PLC0415  # as below

        show_plan(recording, out())
    return 0


def _check_extra() -> None:
    if not all(find_spec(name) for name in ("yaml", "pulumi", "pydantic")):
        message = "`lgp plan` needs Pulumi's packages: pip install 'lgp[plan]', or `make setup` in the clone"
        raise PlanFailed(message)


def _compare(folder: Path, stack: str, against: str, written: Path | None, *, machine: bool) -> int:
    """Both plans at once, each in a process of its own, then what differs."""
    from lgp.planning import changes, compare, document, revisions  # noqa: PLC0415  # as below

    with revisions.planned_at(folder, against, stack) as other:
        recording = _planned(folder, stack, written)
        before = other()
    if before.note:
        note(before.note)
    found = compare.compare(before.recording, recording)
    if machine:
        json_line(document.comparison_document(found, stack, against))
    else:
        changes.show_comparison(found, out())
    return 0


def _planned(folder: Path, stack: str, written: Path | None) -> "Recording":
    """The plan of this tree; what the program said is on stderr, and the files are written."""
    from lgp.planning import files, program  # noqa: PLC0415  # every other verb starts without them

    planned = program.plan(folder, stack)
    for message in planned.messages:
        if message.level >= WARNING:
            people().print(f"[yellow]warning:[/yellow] {escape(message.text)}")
        else:
            note(message.text)
    if written is not None:
        note(f"{files.write_plan(planned.recording, written)} files in {written}")
    return planned.recording
