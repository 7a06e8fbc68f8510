"""`lgp plan`."""

from logging import WARNING
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lgp.output import Machine, escape, json_line, note, out, people
from lgp.paths import ROOT

if TYPE_CHECKING:
    from lgp.planning.program import Planned

Stack = Annotated[str, typer.Argument(metavar="[STACK]", help="The stack, by its Pulumi.STACK.yaml.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", show_default=False, help="Write manifests, charts and graph here."),
]
Folder = Annotated[
    Path,
    typer.Option("--cwd", metavar="DIR", show_default=False, help="The project's folder, if not the clone."),
]


def plan(stack: Stack = "dev", *, written: Out = None, cwd: Folder = ROOT, machine: Machine = False) -> int:
    """Show what `pulumi up` would declare: no account, no cluster, no network."""
    from lgp.planning import program  # noqa: PLC0415  # other verbs start without it

    planned = program.plan(cwd.resolve(), stack)
    _tell(planned)
    if written is not None:
        from lgp.planning.files import write_plan  # noqa: PLC0415

        note(f"{write_plan(planned.recording, written)} files in {written}")
    if machine:
        from lgp.planning.document import plan_document  # noqa: PLC0415

        json_line(plan_document(planned.recording))
    else:
        from lgp.planning.tree import show_plan  # noqa: PLC0415

        show_plan(planned.recording, out())
    return 0


def _tell(planned: "Planned") -> None:
    """What the program said, on stderr."""
    for message in planned.messages:
        if message.level >= WARNING:
            people().print(f"[yellow]warning:[/yellow] {escape(message.text)}")
        else:
            note(message.text)
