"""How much of a stack so many runs a day take: cores, pods, nodes, PostgreSQL; and how many it carries.

Processor time alone decides, for that is what was measured. Runs that wait for a model use none; memory, the
models' rate limits and your own blocking code are other bounds, which only a test with your graph can find.
"""

from dataclasses import dataclass

from langgraph_components.pure.machines import IMPOSSIBLE, nodes_needed
from lgp.costing.facts import Facts, Nodes, Pods
from lgp.costing.ranges import Range, exactly
from lgp.costing.usage import Usage

SECONDS_A_DAY = 86_400
DATABASE_SHARE = 0.6
"""How busy PostgreSQL's cores may be in the busiest hour, so that a checkpoint or a vacuum still fits."""


@dataclass(frozen=True)
class Capacity:
    """What the runs take; None where the stack does not declare it."""

    runs_per_second: Range
    """In the busiest hour, resumes included."""
    cores: Range
    """Of the servers, in the busiest hour."""
    mean_cores: Range
    pods: Range | None
    """In the busiest hour, as the autoscaler would want them."""
    nodes: Range | None
    """Paid for: by the day's mean, at `high` by the busiest hour all day; never more than there may be."""
    database_share: Range | None
    """How busy PostgreSQL's cores are in the busiest hour; 1 is all of them."""
    carries: Range | None
    """Runs a day that end pods or PostgreSQL in the busiest hour; `low` by the high figures."""
    warnings: tuple[str, ...]


def capacity_of(facts: Facts, usage: Usage) -> Capacity:
    """Reckon it."""
    peak = usage.executions_per_day * usage.of("peak_factor").at_least(1) * (1 / SECONDS_A_DAY)
    mean = usage.executions_per_day * (1 / SECONDS_A_DAY)
    per_run = usage.of("server_ms_per_run") * 0.001
    cores, mean_cores = peak * per_run, mean * per_run
    pods = facts.pods
    share = _database_share(facts, peak, usage)
    wanted = cores.each(pods.needed) if pods else None
    return Capacity(
        runs_per_second=peak,
        cores=cores,
        mean_cores=mean_cores,
        pods=wanted,
        nodes=_nodes(facts, Range(mean_cores.low, mean_cores.likely, cores.high)),
        database_share=share,
        carries=_carries(facts, usage),
        warnings=tuple(_warnings(facts, wanted, share)),
    )


def _database_share(facts: Facts, peak: Range, usage: Usage) -> Range | None:
    if not facts.database_vcpus:
        return None
    return peak * usage.of("database_ms_per_run") * (0.001 / facts.database_vcpus)


def _nodes(facts: Facts, cores: Range) -> Range | None:
    """Of the group's own size; at least the group's least, at most its most."""
    nodes, pods = facts.nodes, facts.pods
    if nodes is None:
        return None
    if pods is None:
        return exactly(nodes.fewest)
    return cores.each(lambda each: _held(nodes, pods, facts.workers, each)).at_most(nodes.most)


def _held(nodes: Nodes, pods: Pods, workers: tuple[tuple[int, int], ...], cores: float) -> float:
    wanted = [(min(pods.needed(cores), pods.most), pods.request_millicores), *workers]
    needed = nodes_needed(wanted, nodes.instance_types)
    return nodes.fewest if needed is None or needed >= IMPOSSIBLE else max(nodes.fewest, needed)


def _carries(facts: Facts, usage: Usage) -> Range | None:
    if facts.pods is None and not facts.database_vcpus:
        return None
    server, database = usage.of("server_ms_per_run"), usage.of("database_ms_per_run")
    peak = usage.of("peak_factor").at_least(1)
    ends = [
        _runs_a_day(facts, usage, server.high, database.high, peak.high),
        _runs_a_day(facts, usage, server.likely, database.likely, peak.likely),
        _runs_a_day(facts, usage, server.low, database.low, peak.low),
    ]
    return Range(*ends)


def _runs_a_day(facts: Facts, usage: Usage, server_ms: float, database_ms: float, peak: float) -> float:
    bounds: list[float] = []
    if facts.pods:
        cores = facts.pods.most * facts.pods.request_millicores * facts.pods.target / 1000
        bounds.append(cores * 1000 / max(server_ms, _LEAST))
    if facts.database_vcpus:
        bounds.append(facts.database_vcpus * DATABASE_SHARE * 1000 / max(database_ms, _LEAST))
    return min(bounds) * SECONDS_A_DAY / (peak * (1 + usage.resumes_per_run)) // 1


_LEAST = 1e-6
"""Milliseconds; a run that is told to need none still divides."""


def _warnings(facts: Facts, pods: Range | None, database: Range | None) -> list[str]:
    said: list[str] = []
    if facts.pods and pods and pods.likely > facts.pods.most:
        said.append(
            f"{pods.likely:.0f} pods are needed in the busiest hour, and there may be {facts.pods.most}: "
            "raise workload.api.max_replicas, and the nodes and the database with it"
        )
    if database and database.likely > DATABASE_SHARE:
        said.append(
            f"PostgreSQL is {database.likely:.0%} busy in the busiest hour: "
            "take a larger database.instance_class"
        )
    return said
