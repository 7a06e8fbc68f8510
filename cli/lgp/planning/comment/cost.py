"""The part of a comment that tells what a change costs, by the price table of `lgp cost`."""

from lgp.costing import Change, Usage, difference, estimate
from lgp.costing.estimating import on_aws
from lgp.costing.ranges import Range
from lgp.planning.comment.bounded import Section
from lgp.planning.comment.markup import code, columns, row
from lgp.planning.recording import Recording


def cost_sections(before: Recording, after: Recording) -> list[Section]:
    """How much more or less the stack costs a month before its first run, and where; or nothing."""
    if not on_aws(before) and not on_aws(after):
        return []
    usage = Usage(runs_per_day=0)
    old, new = estimate(before, usage), estimate(after, usage)
    found = difference(old, new)
    was, becomes = round(found.before.likely), round(found.after.likely)
    if was == becomes:
        return []
    more = "more" if becomes > was else "less"
    where = f"list prices of {code(new.prices.region)}, {code(str(new.prices.as_of))}, before the first run"
    title = f"<b>About {abs(becomes - was):,} USD a month {more}</b>: {was:,} → {becomes:,} ({where})"
    rows = [row([code(each.group), code(each.what), usd]) for each in found.changes if (usd := _usd(each))]
    return [Section(title, rows, "line", wrap=columns("", "what", "USD a month"))]


def _usd(change: Change) -> str:
    before, after = _likely(change.before), _likely(change.after)
    return "" if before == after else f"{before} → {after}"


def _likely(amount: Range | None) -> str:
    return f"{amount.likely if amount else 0:,.2f}"
