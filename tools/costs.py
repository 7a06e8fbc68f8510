"""`make reference`: the figures in the pages, reckoned anew by `lgp cost`, or `--check` them.

A page says what it wants in a comment, and has it below in a block that this writes:

    <!-- cost: prod --runs-per-day 50000; table platform -->
    ```
    …
    ```
    <!-- /cost -->

After the semicolon: parts of the command's answer (`heading table carried platform`), or `prices`,
`sources`, `assumptions`, `scale`, `story` for Markdown. Text between the comments is replaced, nothing else.
"""

import re
import shlex
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from lgp.costing import Estimate, Usage, estimate, show
from lgp.costing.compare import Comparison, People, compare
from lgp.costing.tables import shipped_assumptions, shipped_prices, with_settings
from lgp.planning.program import plan
from lgp.planning.recording import Recording

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("docs/costs.md", "docs/choosing.md")
BLOCK = re.compile(r"(<!-- cost: ([^;>]*); ([a-z ]+) -->\n)(.*?)(<!-- /cost -->)", re.DOTALL)
SCALE = (0, 1_000, 8_000, 50_000, 200_000, 1_000_000)
"""Runs a day of the table that compares."""


@cache
def planned(stack: str) -> Recording:
    """The plan of a stack of this repository."""
    return plan(ROOT, stack).recording


def written(page: Path) -> str:
    """The page with every block as it should be."""
    return BLOCK.sub(lambda found: f"{found[1]}{_block(found[2], found[3])}{found[5]}", page.read_text())


def _block(arguments: str, parts: str) -> str:
    tables = {"prices": _prices, "sources": _sources, "assumptions": _assumptions}
    if not arguments.strip():
        return "".join(f"{line}\n" for line in tables[parts]())
    counted = {"scale": _scale, "story": _story}
    if parts in counted:
        return "".join(f"{line}\n" for line in counted[parts](arguments))
    stack, people, found = _asked(arguments)
    lines = list(_said(stack, found, people, parts.split()))
    return "".join(f"{line}\n" for line in ("```", *lines, "```"))


def _asked(arguments: str, runs: float | None = None) -> tuple[str, People, Estimate]:
    """What `lgp cost` would be told with these; only the options that the pages use."""
    stack, *rest = shlex.split(arguments)
    given = list(zip(rest[::2], rest[1::2], strict=True))
    named = dict(given)
    prices, assumptions = with_settings(
        shipped_prices(), shipped_assumptions(), [value for name, value in given if name == "--set"]
    )
    people = People(
        float(named.get("--engineer-hours", 0)),
        float(named.get("--hourly-rate", 0)),
        int(named.get("--seats", 1)),
    )
    runs = float(named["--runs-per-day"]) if runs is None else runs
    usage = Usage(runs, float(named.get("--resumes-per-run", 0)), assumptions)
    return stack, people, estimate(planned(stack), usage, prices)


def _said(stack: str, found: Estimate, people: People, parts: list[str]) -> Iterator[str]:
    for number, part in enumerate(parts):
        if number:
            yield ""
        if part == "platform":
            comparisons = compare(planned(stack), found, people)
            for each in comparisons:
                yield from show.compared(found, each, people)
        else:
            shown = {"heading": show.heading, "table": show.table, "carried": show.carried}
            yield from shown[part](found)


def _prices() -> Iterator[str]:
    table = shipped_prices()
    yield f"| price | USD, {table.region}, {table.as_of} | for | source |"
    yield "|---|---|---|---|"
    for key, price in table.prices.items():
        low, likely, high = (f"{each:g}" for each in (price.usd.low, price.usd.likely, price.usd.high))
        span = likely if low == high else f"{likely} ({low} to {high})"
        yield f"| `{key}` | {span} | {price.unit} | {price.source} |"


def _sources() -> Iterator[str]:
    yield "| | source |"
    yield "|---|---|"
    for key, text in shipped_prices().sources.items():
        yield f"| {key} | {text} |"


def _assumptions() -> Iterator[str]:
    yield "| assumption | low, likely, high | unit | where it is from |"
    yield "|---|---|---|---|"
    for key, each in shipped_assumptions().items():
        value = each.value
        exact = value.low == value.high
        span = f"{value.likely:g}" if exact else f"{value.low:g}, {value.likely:g}, {value.high:g}"
        yield f"| `{key}` | {span} | {each.unit} | {each.why} |"


def _scale(arguments: str) -> Iterator[str]:
    """Likely amounts, without and with people's time."""
    yield "| runs a day | this stack | with people | platform by runs | platform by units |"
    yield "|---|---|---|---|---|"
    for runs in SCALE:
        stack, people, found = _asked(arguments, runs)
        by_runs, by_units = compare(planned(stack), found, people)
        here = found.monthly.likely
        cells = [here, here + people.monthly, _likely(by_runs), _likely(by_units)]
        yield f"| {runs:,} | " + " | ".join(f"{each:,.0f}" for each in cells) + " |"


def _story(arguments: str) -> Iterator[str]:
    """What 40 % below the bill by runs leaves for people."""
    stack, people, found = _asked(arguments)
    by_runs, _ = compare(planned(stack), found, people)
    there, here = _likely(by_runs), found.monthly.likely
    left = 0.6 * there - here
    yield (
        f"40 % below the bill by runs is {0.6 * there:,.0f}. The stack takes {here:,.0f} of it; "
        f"{left:,.0f} are left for people: {left / people.rate:,.0f} hours at {people.rate:g}."
    )


def _likely(comparison: Comparison) -> float:
    return comparison.offer.monthly.likely


def main() -> int:
    """Write the pages, or with `--check` name those that differ."""
    differ = [
        page
        for page in PAGES
        if (ROOT / page).is_file() and written(ROOT / page) != (ROOT / page).read_text()
    ]
    if "--check" in sys.argv[1:]:
        for page in differ:
            print(f"{page}: its figures are not what `lgp cost` says: make reference")
        return 1 if differ else 0
    for page in differ:
        (ROOT / page).write_text(written(ROOT / page))
    return 0


if __name__ == "__main__":
    sys.exit(main())
