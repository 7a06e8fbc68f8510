"""`lgp status` and `lgp logs`: they change nothing."""

import sys
import time
from contextlib import closing
from enum import StrEnum
from typing import Annotated

import typer

from lgp.operating import report
from lgp.operating.cluster import Cluster, opened
from lgp.operating.log_lines import Line, for_people, for_programs, of_run
from lgp.operating.log_streams import Following, Wanted, recorded
from lgp.operating.options import Context, Env, Folder
from lgp.operating.programs import Programs
from lgp.operating.stack import Stack
from lgp.output import Machine, json_line, out
from lgp.paths import program_folder

AGAIN_SECONDS = 5.0
"""Between two looks of `lgp status --wait`."""


class Part(StrEnum):
    """Whose logs."""

    ALL = ""
    API = "api"
    WORKER = "worker"
    MIGRATION = "migration"
    RETENTION = "retention"


Wait = Annotated[
    float, typer.Option(min=0, max=3600, metavar="SECONDS", help="Look again until it is well, for so long.")
]


def status(
    *,
    env: Env = "",
    wait: Wait = 0,
    context: Context = "",
    cwd: Folder = None,
    machine: Machine = False,
) -> int:
    """Show what runs of a stack, and beside it what Pulumi declared; exit code 1 if it is not well."""
    stack = Stack.opened(env, program_folder(cwd), Programs())
    deadline = time.monotonic() + wait
    while not (found := report.look(stack, context)).healthy and time.monotonic() < deadline:
        time.sleep(AGAIN_SECONDS)
    if machine:
        json_line(report.document(found))
    else:
        report.show(found, out())
    return 0 if found.healthy else 1


Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on, with pods that come later, too.")]
RunId = Annotated[str, typer.Option("--run", metavar="RUN", show_default=False, help="Only of this run.")]
Since = Annotated[
    str, typer.Option(metavar="10m | 2h", show_default=False, help="Nothing older; then --tail is all.")
]
Tail = Annotated[int | None, typer.Option(min=0, show_default="200", help="The last lines of each pod.")]
Previous = Annotated[
    bool, typer.Option("--previous", "-p", help="Of containers that were started again: before.")
]
Component = Annotated[Part, typer.Option(show_default="all", help="Only of these pods.")]


def logs(
    *,
    env: Env = "",
    follow: Follow = False,
    run: RunId = "",
    since: Since = "",
    tail: Tail = None,
    previous: Previous = False,
    component: Component = Part.ALL,
    context: Context = "",
    cwd: Folder = None,
    machine: Machine = False,
) -> int:
    """Show the logs of a stack's pods, in the order of time."""
    stack = Stack.opened(env, program_folder(cwd), Programs())
    everything = bool(since or run)
    lines = tail if tail is not None else -1 if everything else 200
    wanted = Wanted(component.value, since, lines, previous)
    with opened(stack.exported(), stack.settings(), stack.programs, context) as cluster:
        _show(cluster, wanted, run, follow=follow, machine=machine)
    return 0


def _show(cluster: Cluster, wanted: Wanted, run: str, *, follow: bool, machine: bool) -> None:
    is_wanted = of_run(run) if run else None
    lines = Following(cluster, wanted).lines() if follow else recorded(cluster, wanted)
    with closing(lines):
        for line in lines:
            if is_wanted is None or is_wanted(line):
                _tell(line, machine=machine)


def _tell(line: Line, *, machine: bool) -> None:
    if machine:
        json_line(for_programs(line))
        return
    for text in for_people(line):
        out().print(text)
    sys.stdout.flush()
