"""`lgp cost --json`: the estimate as one document. Amounts are USD a month, as low, likely and high."""

from typing import Any

from lgp.costing.compare import Comparison, People
from lgp.costing.estimating import Difference, Estimate, Line
from lgp.costing.ranges import Range

Json = dict[str, Any]


def estimate_document(found: Estimate, comparisons: tuple[Comparison, ...], people: People) -> Json:
    """The keys below; every `{"low", "likely", "high"}` is in this order of size.

    `lines` have group, what, resources, quantity, unit, price, usd, source, by_use, monthly; the sum of their
    `monthly` is `monthly`. `capacity` holds what the runs take and null for what the stack does not declare.
    `managed` has an entry a price model, with its parts, what it does not count, and the break-even in runs a
    day: null where there is none, 0 where the stack is always the cheaper one. `prices` has all by key.
    """
    return {
        "stack": found.stack,
        "runs_per_day": found.usage.runs_per_day,
        "resumes_per_run": found.usage.resumes_per_run,
        "region": found.facts.region,
        "prices_of": {"region": found.prices.region, "as_of": found.prices.as_of.isoformat()},
        "monthly": span(found.monthly),
        "lines": [_line(line) for line in found.lines],
        "not_priced": [
            {"type": each.type, "name": each.name, "reason": each.reason} for each in found.unpriced
        ],
        "free": list(found.free),
        "capacity": _capacity(found),
        "people": {
            "hours": people.hours,
            "rate": people.rate,
            "monthly": people.monthly,
            "seats": people.seats,
        },
        "managed": [_comparison(each) for each in comparisons],
        "assumptions": {
            key: {**span(each.value), "unit": each.unit, "why": each.why}
            for key, each in found.usage.assumptions.items()
        },
        "prices": {
            key: {**span(each.usd), "unit": each.unit, "source": each.source}
            for key, each in found.prices.prices.items()
        },
        "sources": dict(found.prices.sources),
    }


def span(value: Range) -> Json:
    """The three of it."""
    return {"low": value.low, "likely": value.likely, "high": value.high}


def _maybe(value: Range | None) -> Json | None:
    return span(value) if value else None


def _line(line: Line) -> Json:
    return {
        "group": line.charge.group,
        "what": line.charge.what,
        "resources": list(line.charge.resources),
        "quantity": span(line.charge.quantity),
        "unit": line.price.unit,
        "price": line.price.key,
        "usd": span(line.price.usd),
        "source": line.price.source,
        "by_use": line.charge.by_use,
        "monthly": span(line.monthly),
    }


def _capacity(found: Estimate) -> Json:
    capacity = found.capacity
    return {
        "runs_per_second": span(capacity.runs_per_second),
        "cores": span(capacity.cores),
        "pods": _maybe(capacity.pods),
        "nodes": _maybe(capacity.nodes),
        "database_share": _maybe(capacity.database_share),
        "carries_runs_per_day": _maybe(capacity.carries),
        "warnings": list(capacity.warnings),
    }


def _comparison(found: Comparison) -> Json:
    return {
        "model": found.offer.model,
        "note": found.offer.note,
        "monthly": span(found.offer.monthly),
        "parts": [
            {
                "what": part.what,
                "quantity": span(part.quantity),
                "usd": span(part.usd),
                "monthly": span(part.monthly),
            }
            for part in found.offer.parts
        ],
        "not_counted": list(found.offer.not_counted),
        "cheaper_from_runs_per_day": {
            "without_people": found.break_even.without_people,
            "with_people": found.break_even.with_people,
        },
        "people_hours_paid": found.people_hours_paid,
    }


def difference_document(found: Difference, stack: str, against: str) -> Json:
    """`{"stack", "against", "before", "after", "changes": [{"group", "what", "before", "after"}]}`.

    `before` or `after` of a change is null where there is no such line.
    """
    return {
        "stack": stack,
        "against": against,
        "before": span(found.before),
        "after": span(found.after),
        "changes": [
            {
                "group": change.group,
                "what": change.what,
                "before": _maybe(change.before),
                "after": _maybe(change.after),
            }
            for change in found.changes
        ],
    }
