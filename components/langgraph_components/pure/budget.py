"""Numbers that belong together: all processes' connections to one database, and the times of a request.

Each check returns sentences that say what to change; none means that all fits.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from langgraph_components.pure.instance_classes import smallest_with

OUTSIDE_THE_POOL = 2
"""Connections of a process besides its pool: lease renewal and LISTEN."""

FIXED = 12
"""Connections that are nobody's pods: 3 superuser, 5 operators, 2 exporter, 1 migration, 1 spare."""

SHARE_PERCENT = 72
"""Of the nominal `max_connections`: the real one is about a tenth lower, and a fifth of it stays free."""

LEAST_POOL = 4
"""Connections below which a process queues behind itself."""

SWEEP_POOL = 4
"""Connections of the retention job's pool; there is one such job at a time."""

API_PORT = 8000
METRICS_PORT = 9464


@dataclass(frozen=True)
class Fleet:
    """Processes that connect to the database: a Deployment, a Job or a CronJob."""

    name: str
    """As in the sentences: `api`, `worker`, `retention`."""
    replicas: int
    """The most there can be: `maxReplicas` of the autoscaler, or `replicas`."""
    pool: int
    """The most connections of one process' pool."""
    surge: int = 0
    """Pods more than `replicas` during a rollout."""
    processes: int = 1
    """Processes in a pod, each with a pool of its own."""

    @property
    def pods(self) -> int:
        """The most pods at one time."""
        return self.replicas + self.surge

    @property
    def clients(self) -> int:
        """The most processes at one time."""
        return self.pods * self.processes

    @property
    def connections(self) -> int:
        """The most connections at one time."""
        return self.clients * (self.pool + OUTSIDE_THE_POOL)


@dataclass(frozen=True)
class Fit:
    """What would fit; each alone is enough."""

    pool: int | None
    """The largest pool that all processes could have, at least `LEAST_POOL`; None where there is none."""
    replicas: int | None
    """The most replicas that the largest fleet could have, at least 1; None where there are none."""
    instance_class: str | None
    """The smallest known instance class for what is wanted; None where none is large enough."""


def wanted(fleets: Sequence[Fleet]) -> int:
    """Connections of all fleets at their largest, during a rollout, and the fixed ones."""
    return sum(fleet.connections for fleet in fleets) + FIXED


def planned(max_connections: int) -> int:
    """Of the nominal `max_connections`, how many may be planned with."""
    return max_connections * SHARE_PERCENT // 100


def nominal_for(connections: int) -> int:
    """The least nominal `max_connections` of which so many may be planned with."""
    return -(-connections * 100 // SHARE_PERCENT)


def fit(fleets: Sequence[Fleet], max_connections: int, instance_class: str = "") -> Fit:
    """What would fit: a pool on this database, replicas on this database, or a class for these fleets."""
    return Fit(
        pool=_largest_pool(fleets, max_connections),
        replicas=_most_replicas(fleets, max_connections),
        instance_class=smallest_with(nominal_for(wanted(fleets)), instance_class),
    )


def check_connections(
    fleets: Sequence[Fleet],
    max_connections: int,
    instance_class: str = "",
    *,
    database: str = "the database",
    is_set: bool = False,
) -> list[str]:
    """Whether all fleets at their largest fit, and every pool can work; a read replica is checked alike.

    `max_connections` is the nominal one of `instance_class`; where `is_set`, another class changes nothing.
    """
    small = [
        f"{fleet.name}: a pool of {fleet.pool} is too small, {LEAST_POOL} connections are the least"
        for fleet in fleets
        if fleet.pool < LEAST_POOL
    ]
    if wanted(fleets) <= planned(max_connections):
        return small
    found = fit(fleets, max_connections, instance_class)
    enough = f"let it admit at least {nominal_for(wanted(fleets))}"
    instead = enough if is_set else found.instance_class and f"take instance class {found.instance_class}"
    options = _options(found, _largest(fleets), instead or "")
    terms = " + ".join([*map(_term, fleets), f"{FIXED} fixed"])
    which = f"{database} ({instance_class})" if instance_class else database
    return [
        *small,
        (
            f"{which}: {wanted(fleets)} connections are wanted ({terms}), {planned(max_connections)} "
            f"may be planned with ({SHARE_PERCENT} % of {max_connections}): {options}"
        ),
    ]


def _term(fleet: Fleet) -> str:
    processes = f" * {fleet.processes} processes" if fleet.processes > 1 else ""
    return f"{fleet.name} {fleet.pods} pods{processes} * ({fleet.pool} + {OUTSIDE_THE_POOL})"


def _largest(fleets: Sequence[Fleet]) -> Fleet:
    return max(fleets, key=lambda fleet: fleet.connections)


def _largest_pool(fleets: Sequence[Fleet], max_connections: int) -> int | None:
    clients = sum(fleet.clients for fleet in fleets)
    if not clients:
        return None
    pool = (planned(max_connections) - FIXED) // clients - OUTSIDE_THE_POOL
    return pool if pool >= LEAST_POOL else None


def _most_replicas(fleets: Sequence[Fleet], max_connections: int) -> int | None:
    if not fleets:
        return None
    largest = _largest(fleets)
    others = wanted(fleets) - largest.connections
    pods = (planned(max_connections) - others) // (largest.processes * (largest.pool + OUTSIDE_THE_POOL))
    replicas = pods - largest.surge
    return replicas if replicas >= 1 else None


def _options(found: Fit, largest: Fleet, instead: str) -> str:
    options = [
        f"make the pools at most {found.pool}" if found.pool is not None else "",
        f"let {largest.name} have at most {found.replicas} replicas" if found.replicas is not None else "",
        instead,
    ]
    told = [option for option in options if option]
    return ", or ".join(told) or "make the pools smaller and the pods fewer, no instance class has so many"


@dataclass(frozen=True)
class Times:
    """Seconds, all of them; the defaults are those of the server and of `docs/contract.md`."""

    wait: int = 290
    """The longest an answer is waited for in one request."""
    client_timeout: int = 300
    """The client gives up."""
    balancer_idle: int = 310
    """The balancer closes a silent connection."""
    keep_alive: int = 330
    """The server closes an idle connection: after the balancer, which would else send into a closed one."""
    heartbeat: int = 15
    """A comment on a silent stream."""
    pre_stop: int = 20
    """A stopping pod goes on serving while the balancer learns of it."""
    drain: int = 20
    """After SIGTERM, how long a run may get to its next step."""
    close: int = 10
    """After the drain: streams end, leases and connections are given back."""
    slack: int = 10
    """Before the kubelet kills, for a process that is late."""
    shutdown: int = 30
    """After SIGTERM, how long the server takes at most."""
    grace: int = 60
    """From the start of the deletion to the kill: the pod's `terminationGracePeriodSeconds`."""
    deregistration_delay: int = 30
    """How long the balancer lets requests of a leaving pod end."""
    lease: int = 15
    """A run's claim lives so long without a renewal."""
    lease_renew: int = 5
    """How often it is renewed."""


TIMES = Times()
"""As shipped: what the server is told, and what the balancer's settings are held to."""


def check_times(times: Times) -> list[str]:
    """What does not hold together, as sentences with the numbers."""
    t = times
    stop = t.pre_stop + t.shutdown + t.slack
    rules = [
        (min(vars(t).values()) > 0, "every duration must be at least 1 s"),
        (
            t.wait < t.client_timeout,
            f"wait ({t.wait} s) must be below the client's time-out ({t.client_timeout} s)",
        ),
        (
            t.client_timeout < t.balancer_idle,
            f"the balancer's idle time ({t.balancer_idle} s) must be above the client's time-out "
            f"({t.client_timeout} s)",
        ),
        (
            t.balancer_idle < t.keep_alive,
            f"keep-alive ({t.keep_alive} s) must be above the balancer's idle time ({t.balancer_idle} s)",
        ),
        (
            t.heartbeat * 2 < t.balancer_idle,
            f"two heartbeats of {t.heartbeat} s must fit in the balancer's idle time ({t.balancer_idle} s)",
        ),
        (
            t.drain + t.close <= t.shutdown,
            f"shutdown ({t.shutdown} s) must hold drain ({t.drain} s) and close ({t.close} s)",
        ),
        (
            stop <= t.grace,
            f"grace ({t.grace} s) must be at least {stop} s: preStop, shutdown and slack",
        ),
        (
            t.deregistration_delay <= t.pre_stop + t.drain,
            f"the deregistration delay ({t.deregistration_delay} s) must end within preStop and drain "
            f"({t.pre_stop + t.drain} s)",
        ),
        (
            t.lease_renew * 3 <= t.lease,
            f"a lease ({t.lease} s) must outlive two missed renewals: renew at most every {t.lease // 3} s, "
            f"not {t.lease_renew} s",
        ),
    ]
    return [sentence for holds, sentence in rules if not holds]


def server_environment(times: Times, *, pool_min: int, pool_max: int) -> dict[str, str]:
    """The environment variables of the server that these numbers set."""
    return {
        "PORT": str(API_PORT),
        "METRICS_PORT": str(METRICS_PORT),
        "POOL_MIN_SIZE": str(pool_min),
        "POOL_MAX_SIZE": str(pool_max),
        "LEASE_SECONDS": str(times.lease),
        "LEASE_RENEW_SECONDS": str(times.lease_renew),
        "DRAIN_SECONDS": str(times.drain),
        "SHUTDOWN_SECONDS": str(times.shutdown),
        "KEEP_ALIVE_SECONDS": str(times.keep_alive),
        "HEARTBEAT_SECONDS": str(times.heartbeat),
        "WAIT_SECONDS": str(times.wait),
    }
