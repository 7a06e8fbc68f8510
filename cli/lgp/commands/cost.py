"""`lgp cost`."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lgp.commands.plan import Revision, Stack, check_extra
from lgp.errors import UsageProblem
from lgp.operating.options import Folder
from lgp.output import Machine, json_line, note, out
from lgp.paths import program_folder

if TYPE_CHECKING:
    from lgp.costing import Usage
    from lgp.costing.compare import People
    from lgp.costing.tables import PriceTable
    from lgp.planning.recording import Recording

Runs = Annotated[
    float, typer.Option("--runs-per-day", metavar="N", show_default=False, help="Runs that clients begin.")
]
Resumes = Annotated[
    float, typer.Option("--resumes-per-run", metavar="X", help="Answers of people, or of programs, a run.")
]
Seats = Annotated[int, typer.Option("--seats", metavar="N", help="People who would sign in to the platform.")]
Hours = Annotated[
    float, typer.Option("--engineer-hours", metavar="H", help="A month, for operating it yourself.")
]
Rate = Annotated[float, typer.Option("--hourly-rate", metavar="USD", help="What such an hour costs.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=NUMBER", show_default=False, help="An assumption or a price, again and again."
    ),
]
Prices = Annotated[
    Path | None,
    typer.Option(
        "--prices", metavar="FILE", show_default=False, help="Prices of yours, as TOML: another region."
    ),
]

MOST = 1e9
"""Of any number on the command line: beyond it is a slip of the finger."""


def cost(
    stack: Stack = "dev",
    *,
    runs_per_day: Runs,
    resumes_per_run: Resumes = 0,
    seats: Seats = 1,
    engineer_hours: Hours = 0,
    hourly_rate: Rate = 0,
    settings: Settings = None,
    prices: Prices = None,
    against: Revision = "",
    cwd: Folder = None,
    machine: Machine = False,
) -> int:
    """Estimate what a stack costs a month, beside the managed platform: no account, no network."""
    _check_numbers(
        {
            "--runs-per-day": runs_per_day,
            "--resumes-per-run": resumes_per_run,
            "--seats": seats,
            "--engineer-hours": engineer_hours,
            "--hourly-rate": hourly_rate,
        }
    )
    check_extra("cost")
    from lgp.costing.compare import People  # noqa: PLC0415  # every other verb starts without it
    from lgp.costing.tables import shipped_assumptions, shipped_prices, with_file, with_settings  # noqa: PLC0415
    from lgp.costing.usage import Usage  # noqa: PLC0415

    table = with_file(shipped_prices(), prices) if prices else shipped_prices()
    table, assumptions = with_settings(table, shipped_assumptions(), settings or [])
    usage = Usage(runs_per_day, resumes_per_run, assumptions)
    people = People(engineer_hours, hourly_rate, seats)
    folder = program_folder(cwd)
    if against:
        return _compare(folder, stack, against, usage, table, machine=machine)
    return _estimate(_planned(folder, stack), usage, table, people, machine=machine)


def _check_numbers(given: dict[str, float]) -> None:
    for option, value in given.items():
        if not math.isfinite(value) or not 0 <= value <= MOST:
            message = f"{option} {value:g}: give a number from 0 to {MOST:,.0f}"
            raise UsageProblem(message)


def _planned(folder: Path, stack: str) -> "Recording":
    from lgp.planning import program  # noqa: PLC0415  # Pulumi takes a second to import

    return program.plan(folder, stack).recording


def _estimate(
    recording: "Recording", usage: "Usage", table: "PriceTable", people: "People", *, machine: bool
) -> int:
    from lgp.costing import compare, document, estimate, show  # noqa: PLC0415  # as above

    found = estimate(recording, usage, table)
    comparisons = compare.compare(recording, found, people)
    if machine:
        json_line(document.estimate_document(found, comparisons, people))
    else:
        for line in show.told(found, comparisons, people):
            out().print(line, markup=False)
    return 0


def _compare(
    folder: Path, stack: str, against: str, usage: "Usage", table: "PriceTable", *, machine: bool
) -> int:
    """Both plans at the same use and prices: what a change to the infrastructure costs."""
    from lgp.costing import difference, document, estimate, show  # noqa: PLC0415  # as above
    from lgp.planning import revisions  # noqa: PLC0415

    with revisions.planned_at(folder, against, stack) as other:
        recording = _planned(folder, stack)
        before = other()
    if before.note:
        note(before.note)
    found = difference(estimate(before.recording, usage, table), estimate(recording, usage, table))
    if machine:
        json_line(document.difference_document(found, stack, against))
    else:
        for line in show.told_difference(found):
            out().print(line, markup=False)
    return 0
