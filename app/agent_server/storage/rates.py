"""How many requests a caller and its tenant may send: counted in Redis for all processes, or here alone.

A moving window: of any period of its length never more than its rate is admitted, and the moment at which
the next request will be is known exactly. Redis holds a list of at most `rate` times for each caller.

What is sent to Redis, with keys that begin with `langgraph:` (the server's ACL has to admit it):
HELLO or AUTH, CLIENT SETINFO, SELECT for a database other than 0, EVALSHA and SCRIPT LOAD, and from the two
scripts of the library `limits` LINDEX, LPUSH, LTRIM and EXPIRE.
"""

import asyncio
import hashlib
import math
import time
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import limits
import structlog
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from agent_server.core import metrics
from agent_server.core.errors import RateLimited
from agent_server.core.principal import Principal
from agent_server.core.settings import Settings

PREFIX = "langgraph"
REDIS_SECONDS = 0.2
"""The longest a request waits for Redis, connecting included."""
PAUSE_SECONDS = 2.0
"""How long Redis is left alone once it has failed; then one request tries it again."""
CONNECTIONS = 20
_FORGOTTEN = 2

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `amount` requests in any `seconds`."""

    amount: int
    seconds: int

    @classmethod
    def of(cls, text: str) -> "Rate":
        """Read `600/minute`; the settings have seen that it can be read."""
        item = limits.parse(text)
        return cls(item.amount, item.get_expiry())

    def part(self, of: int) -> "Rate":
        """Return one process's part of it, 1 at least."""
        return Rate(max(1, self.amount // of), self.seconds)


Demand = tuple[str, Rate]
"""A caller, by a name that holds nothing of it, and what it may."""


class LocalWindows:
    """The windows of this process. Those that are over are forgotten, some with every request."""

    def __init__(self) -> None:
        self._windows: OrderedDict[str, tuple[int, deque[float]]] = OrderedDict()

    def wait(self, who: str, rate: Rate, now: float) -> float:
        """Count a request; return 0, or the seconds until one would be admitted: then it is not counted."""
        self._forget(now)
        _, times = self._windows.setdefault(who, (rate.seconds, deque()))
        self._windows.move_to_end(who)
        while times and times[0] <= now - rate.seconds:
            times.popleft()
        if len(times) >= rate.amount:
            return times[0] + rate.seconds - now
        times.append(now)
        return 0.0

    def _forget(self, now: float) -> None:
        for _ in range(_FORGOTTEN):
            who, (seconds, times) = next(iter(self._windows.items()), ("", (0, deque([now]))))
            if times[-1] > now - seconds:
                return
            self._windows.pop(who, None)


class SharedWindows:
    """The windows of all processes, in Redis. Its errors are RedisError and OSError."""

    def __init__(self, pool: BlockingConnectionPool) -> None:
        options: dict[str, Any] = {"connection_pool": pool}  # which their annotation leaves out
        storage = RedisStorage("async+redis://", implementation="redispy", key_prefix=PREFIX, **options)
        self._limiter = MovingWindowRateLimiter(storage)

    async def wait(self, who: str, rate: Rate) -> float:
        """Do as `LocalWindows.wait`, for all processes."""
        item = limits.RateLimitItemPerSecond(rate.amount, rate.seconds, "rate")
        if await self._limiter.hit(item, who):
            return 0.0
        stats = await self._limiter.get_window_stats(item, who)
        return max(stats.reset_time - time.time(), 0.001)


class Rates:
    """What callers and tenants may, by the settings; with Redis away each process admits its part."""

    def __init__(self, settings: Settings, shared: SharedWindows | None) -> None:
        self._caller = Rate.of(settings.rate_limit_caller) if settings.rate_limit_caller else None
        self._tenant = Rate.of(settings.rate_limit_tenant) if settings.rate_limit_tenant else None
        self._parts = settings.rate_limit_replicas
        self._local = LocalWindows()
        self._shared = shared
        self._is_away = False
        self._away_until = 0.0

    async def admit(self, principal: Principal) -> None:
        """Count a request; raises RateLimited, with the seconds until one will be admitted."""
        demands = self._demands(principal)
        if not demands:
            return
        wait = await self._wait_shared(demands)
        if wait is None:
            now = time.monotonic()
            wait = _first(self._local.wait(who, rate.part(self._parts), now) for who, rate in demands)
        if wait:
            msg = "Too many requests: the rate limit of this caller or its tenant is reached."
            raise RateLimited(msg, retry_after=math.ceil(wait))

    def _demands(self, principal: Principal) -> list[Demand]:
        demands: list[Demand] = []
        if self._caller is not None:
            demands.append((_name("caller", principal.tenant, principal.subject), self._caller))
        if self._tenant is not None:
            demands.append((_name("tenant", principal.tenant), self._tenant))
        return demands

    async def _wait_shared(self, demands: Sequence[Demand]) -> float | None:
        """Ask Redis; None where there is none, or it has failed within the last PAUSE_SECONDS."""
        if self._shared is None or time.monotonic() < self._away_until:
            return None
        if self._is_away:
            self._away_until = time.monotonic() + PAUSE_SECONDS  # others do not wait for this try
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                wait = await self._first_shared(self._shared, demands)
        except (RedisError, OSError) as error:  # of OSError, TimeoutError is one
            self._failed(type(error).__name__)
            return None
        if self._is_away:
            self._is_away, self._away_until = False, 0.0
            log.info("redis is back")
        return wait

    async def _first_shared(self, shared: SharedWindows, demands: Sequence[Demand]) -> float:
        for who, rate in demands:
            if wait := await shared.wait(who, rate):
                return wait
        return 0.0

    def _failed(self, reason: str) -> None:
        metrics.REDIS_FAILURES.inc()
        self._away_until = time.monotonic() + PAUSE_SECONDS
        if not self._is_away:
            self._is_away = True
            log.warning("redis is away: each process counts for itself", reason=reason)


@asynccontextmanager
async def open_rates(settings: Settings) -> AsyncGenerator[Rates]:
    """Return the rate limits of this process; Redis is asked by the first request, and not before."""
    pool = _pool(settings)
    try:
        yield Rates(settings, SharedWindows(pool) if pool is not None else None)
    finally:
        if pool is not None:
            await pool.disconnect()


def _pool(settings: Settings) -> BlockingConnectionPool | None:
    if settings.redis_url is None or not (settings.rate_limit_caller or settings.rate_limit_tenant):
        return None
    url = settings.redis_url.get_secret_value()
    tls = {"ssl_cert_reqs": "required", "ssl_check_hostname": True} if url.startswith("rediss:") else {}
    if tls and settings.redis_ca_file is not None:
        tls["ssl_ca_certs"] = str(settings.redis_ca_file)
    made = cast("Any", BlockingConnectionPool).from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=REDIS_SECONDS,
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
        # a connection that was idle may have been closed by the other side: once more, on a new one
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        **tls,
    )
    return cast("BlockingConnectionPool", made)  # its own annotation is not whole


def _name(*parts: str) -> str:
    """Name a window: of what a token says nothing goes to Redis, and no length or separator matters."""
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:32]


def _first(waits: Iterable[float]) -> float:
    return next((wait for wait in waits if wait), 0.0)
