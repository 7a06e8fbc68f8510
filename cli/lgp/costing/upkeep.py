"""What guards and tells: keys, secrets, logs."""

from collections.abc import Sequence

from lgp.costing.charge import Charge, Found, World, given, names
from lgp.costing.ranges import Range, exactly
from lgp.costing.usage import HOURS_A_MONTH
from lgp.planning.recording import Resource


def keys(resources: Sequence[Resource], _: World) -> Found:
    """Keys of ours."""
    yield Charge("security", "keys", exactly(len(resources)), "key", names(resources))


def secrets(resources: Sequence[Resource], _: World) -> Found:
    """Secrets that the stack makes."""
    yield Charge("security", "secrets of the stack", exactly(len(resources)), "secret", names(resources))


def external_secrets(resources: Sequence[Resource], _: World) -> Found:
    """Secrets that you made, as far as the plan names them, and how often the operator reads all of them."""
    data = [(each, entry) for each in resources for entry in given(each).get("spec", {}).get("data") or ()]
    keys_read = {str(entry["remoteRef"]["key"]) for _, entry in data}
    yours = sorted(key for key in keys_read if not key.startswith("arn:"))
    if yours:
        yield Charge("security", "secrets that you made", exactly(len(yours)), "secret", tuple(yours))
    calls = sum(_reads_a_month(given(each)["spec"].get("refreshInterval", "1h")) for each, _ in data)
    if calls:
        yield Charge(
            "security", "reading of secrets", exactly(calls / 10_000), "secret_calls", names(resources)
        )


def _reads_a_month(interval: str) -> float:
    seconds = {"s": 1, "m": 60, "h": 3600}
    every = float(interval[:-1]) * seconds.get(interval[-1], 3600)
    return HOURS_A_MONTH * 3600 / every if every else 0


def log_groups(resources: Sequence[Resource], world: World) -> Found:
    """What is taken in, and kept for each group's time: Kubernetes' own log, PostgreSQL's, the network's."""
    nodes = world.capacity.nodes or exactly(1)
    taken = {
        "/aws/eks/": ("log of Kubernetes", world.usage.of("control_plane_log_gb")),
        "/aws/rds/": ("log of PostgreSQL", world.usage.of("database_log_gb")),
        "": ("log of the network", nodes * world.usage.of("flow_log_gb_per_node")),
    }
    left = list(resources)
    for prefix, (what, size) in taken.items():
        mine = [each for each in left if str(given(each).get("name", "")).startswith(prefix)]
        left = [each for each in left if each not in mine]
        yield from _log(what, mine, size)


def _log(what: str, groups: Sequence[Resource], taken: Range) -> Found:
    if groups:
        yield Charge("logs", what, taken, "log_gb", names(groups))
        days = max(float(given(each).get("retentionInDays") or YEAR) for each in groups)
        kept = taken * (min(days, YEAR) / 30)
        yield Charge("logs", f"{what}, kept {days:.0f} days", kept, "log_kept_gb", names(groups))


YEAR = 365
"""Days; what is kept longer is counted as if the stack were a year old."""
