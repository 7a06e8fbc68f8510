"""Queries of the dashboards: of the chosen namespaces, over what Grafana takes for a rate's window."""

from collections.abc import Sequence

SELECTED = 'namespace=~"$namespace"'
"""All namespaces mean `.*`, which a process without that label, outside Kubernetes, matches too."""

WINDOW = "$__rate_interval"
"""Grafana's: at least four scrapes, at least a step of the graph, so that no increase falls between two."""

SHOWN = "$__range"
"""Grafana's: the time that the dashboard shows."""


def of(metric: str, *matchers: str) -> str:
    """The series of a metric."""
    return f"{metric}{{{','.join((SELECTED, *matchers))}}}"


def rate(metric: str, *matchers: str, by: Sequence[str] = (), window: str = WINDOW) -> str:
    """How fast a counter grows, per second, over all processes."""
    return _sum(f"rate({of(metric, *matchers)}[{window}])", by)


def increase(metric: str, *matchers: str, by: Sequence[str] = (), window: str = WINDOW) -> str:
    """By how much a counter grew, over all processes."""
    return _sum(f"increase({of(metric, *matchers)}[{window}])", by)


def quantile(
    share: float, histogram: str, *matchers: str, by: Sequence[str] = (), window: str = WINDOW
) -> str:
    """What so great a share of the observations stayed below; nothing where there was none."""
    buckets = rate(f"{histogram}_bucket", *matchers, by=(*by, "le"), window=window)
    return f"histogram_quantile({share}, {buckets}) >= 0"


def mean(histogram: str, *matchers: str, by: Sequence[str] = (), window: str = WINDOW) -> str:
    """The mean of the observations; nothing where there was none."""
    count = rate(f"{histogram}_count", *matchers, by=by, window=window)
    return f"{rate(f'{histogram}_sum', *matchers, by=by, window=window)} / ({count} > 0)"


def share_of(counter: str, matcher: str, *matchers: str, by: Sequence[str] = (), window: str = WINDOW) -> str:
    """The part of a counter's growth that the first matcher selects; nothing where it did not grow."""
    whole = rate(counter, *matchers, by=by, window=window)
    part = rate(counter, matcher, *matchers, by=by, window=window)
    return f"({part} or {whole} * 0) / ({whole} > 0)"


def top(number: int, expr: str, label: str, ranked: str) -> str:
    """Of a query by this label, the greatest by `ranked`, over all the time that is shown.

    At its end: ranked at each point, others would come and go, and what is stacked would have holes.
    """
    return f"{expr} and on ({label}) topk({number}, {ranked.replace(f'[{SHOWN}]', f'[{SHOWN}] @ end()')})"


def highest(gauge: str, *matchers: str, by: Sequence[str] = ()) -> str:
    """Of a gauge that every process tells alike, as it is the whole database's."""
    return f"max{_by(by)} ({of(gauge, *matchers)})"


def _sum(expr: str, by: Sequence[str]) -> str:
    return f"sum{_by(by)} ({expr})"


def _by(labels: Sequence[str]) -> str:
    return f" by ({', '.join(labels)})" if labels else ""
