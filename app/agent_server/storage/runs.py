"""The runs and their queue. A run's row, its thread's status and its last events change in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from psycopg.errors import UniqueViolation
from psycopg.rows import DictRow

from agent_server.core.errors import ThreadBusy, ThreadOfAnotherGraph, TooManyRuns, UnknownThread
from agent_server.core.principal import Principal
from agent_server.storage.database import Connection, Database, KeepingCancellation, execute
from agent_server.storage.queries import load

_SQL = load("runs")
_TRIES = 5
RUNS_RETRY_SECONDS = 5
"""When a tenant of too many runs is to ask again."""

Kind = Literal["input", "resume", "state"]
Status = Literal["pending", "running", "success", "interrupted", "error", "timeout", "cancelled"]
SUSPECT_CRASHES = 2
"""As in the query `claim`."""
ENDED: frozenset[str] = frozenset({"success", "interrupted", "error", "timeout", "cancelled"})


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a client asks for, before it is a row. `payload` is JSON text."""

    run_id: UUID
    thread_id: str
    graph: str
    kind: Kind
    payload: str
    request_id: str
    enqueue: bool = False
    traceparent: str | None = None
    """W3C traceparent of the request."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The client's key on one route, with the fingerprint of the body that it came with."""

    route: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that this process holds under a lease; `attempt` is the fencing token."""

    run_id: UUID
    thread_key: UUID
    thread_id: str
    principal: Principal
    graph: str
    kind: Kind
    payload: str
    attempt: int
    thread_is_new: bool = False
    after_crash: bool = False
    cancel_requested: bool = False
    """Whether the process that held it before was asked to stop it."""
    watched: bool = False
    last_outcome: str | None = None
    """How the run before this one ended on the thread."""
    elapsed: float = 0.0
    """Seconds since the run first began."""
    crashes: int = 0
    """How many processes died with it."""
    request_id: str = ""
    """Of the request that began it."""
    traceparent: str | None = None
    """W3C traceparent of that request."""

    @property
    def is_suspect(self) -> bool:
        """Whether it was there when two processes died, and so may be what killed them."""
        return self.crashes >= SUSPECT_CRASHES


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. `result` and `interrupts` are JSON."""

    status: Status
    result: bytes | None = None
    interrupts: bytes | None = None
    error_code: str | None = None
    error_detail: str | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive frames of one attempt's event log."""

    attempt: int
    first_seq: int
    last_seq: int
    frames: bytes


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as it stands in the database."""

    run_id: UUID
    thread_id: str
    graph: str
    status: Status
    attempt: int
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    outcome: Outcome

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in ENDED


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which part of a list is wanted."""

    thread_id: str | None = None
    status: str | None = None
    limit: int = 20
    offset: int = 0


class RunStore:
    """The statements on `agent.runs`."""

    def __init__(
        self, database: Database, *, lease_seconds: float, max_crashes: int, tenant_runs_max: int = 0
    ) -> None:
        """Bind them to a pool; at most `tenant_runs_max` runs of a tenant pend and run, 0 sets no bound."""
        self.database = database
        self.tenant_runs_max = tenant_runs_max
        self.lease_seconds = lease_seconds
        self.max_crashes = max_crashes

    async def begin(
        self, principal: Principal, run: NewRun, key: IdempotencyKey | None, *, make_thread: bool
    ) -> Claim | None:
        """Insert the run, claimed by this process; None when it was enqueued and waits its turn.

        Raises:
            ThreadBusy: another run of the thread runs or waits, and this one does not enqueue; with a
                key, look for the key first.
            TooManyRuns: the tenant has as many as it may; alike.
            ThreadOfAnotherGraph, UnknownThread: as they say.
        """
        query = _SQL["begin" if make_thread else "begin_on_thread"]
        params = self._begin_params(principal, run, key)
        for _ in range(_TRIES):
            try:
                row = await self.database.one(query, params)
            except UniqueViolation as error:
                if error.diag.constraint_name == "idempotency_keys_pkey":
                    raise ThreadBusy(run.thread_id) from None
                continue  # lost a race for the thread: the winner is visible to the next look
            return self._begun(principal, run, _admitted(row, run, make_thread=make_thread))
        raise ThreadBusy(run.thread_id)

    def _begin_params(self, principal: Principal, run: NewRun, key: IdempotencyKey | None) -> dict[str, Any]:
        return {
            "run_id": run.run_id,
            "new_key": uuid4(),  # of a new thread; never its run's id, which clients see
            "tenant": principal.tenant,
            "subject": principal.subject,
            "thread_id": run.thread_id,
            "graph": run.graph,
            "kind": run.kind,
            "payload": run.payload,
            "request_id": run.request_id,
            "traceparent": run.traceparent,
            "enqueue": run.enqueue,
            "runs_max": self.tenant_runs_max,
            "lease": self.lease_seconds,
            "route": key.route if key else None,
            "key": key.key if key else None,
            "fingerprint": key.fingerprint if key else None,
        }

    def _begun(self, principal: Principal, run: NewRun, row: DictRow) -> Claim | None:
        if row["run_status"] is None:
            raise ThreadBusy(run.thread_id)
        if row["run_status"] == "pending":
            return None
        return Claim(
            run_id=run.run_id,
            thread_key=row["thread_key"],
            thread_id=run.thread_id,
            principal=principal,
            graph=run.graph,
            kind=run.kind,
            payload=run.payload,
            attempt=1,
            thread_is_new=row["is_new"],
            last_outcome=row["last_outcome"],
            request_id=run.request_id,
            traceparent=run.traceparent,
        )

    async def by_key(
        self, principal: Principal, key: IdempotencyKey, *, seconds: float
    ) -> tuple[UUID, str] | None:
        """Return the run that came with this key within `seconds`, and its body's fingerprint."""
        params = {"tenant": principal.tenant, "route": key.route, "key": key.key, "seconds": seconds}
        row = await self.database.one(_SQL["by_key"], params)
        if row is None:
            await self.database.all(_SQL["drop_expired_key"], params)
            return None
        return row["run_id"], row["fingerprint"]

    async def accept_resume(self, claim: Claim, payload: str, detail: str) -> bool:
        """Record who answered what, in the audit log and in the run; False when the lease is lost."""
        who = claim.principal
        owner = {"tenant": who.tenant, "subject": who.subject}
        params = {**_token(claim), **owner, "payload": payload, "detail": detail}
        return await self.database.one(_SQL["accept_resume"], params) is not None

    async def refuse_own(self, claim: Claim) -> bool:
        """Whether who began this run has brought the thread to what waits; the audit log then says so."""
        return await self.database.one(_SQL["refuse_own"], _token(claim)) is not None

    async def abandon(self, claim: Claim) -> None:
        """Delete a run that was refused before it executed anything."""
        await self.database.all(_SQL["abandon"], _token(claim))

    async def claim(
        self, *, limit: int, suspects: bool, mine: Sequence[UUID], graphs: Sequence[str]
    ) -> list[Claim]:
        """Take up to `limit` runs of `graphs` that nobody executes, none of `mine`.

        Either suspects only, or none of them: see `Claim.is_suspect`.
        """
        params = {
            "graphs": list(graphs),
            "limit": limit,
            "suspects": suspects,
            "mine": list(mine),
            "lease": self.lease_seconds,
            "max_crashes": self.max_crashes,
        }
        try:
            rows = await self.database.all(_SQL["claim"], params)
        except UniqueViolation:
            return []  # another run of the thread began meanwhile; the next look sees it
        return [_claimed(row) for row in rows]

    async def end_lost(self, *, mine: Sequence[UUID], run_seconds: float) -> list[tuple[UUID, Status]]:
        """End the runs that nobody holds and nobody will take up: poison, cancelled, out of time."""
        params = {
            "mine": list(mine),
            "lease": self.lease_seconds,
            "max_crashes": self.max_crashes,
            "run_seconds": run_seconds,
        }
        return [(row["run_id"], row["status"]) for row in await self.database.all(_SQL["end_lost"], params)]

    async def finish(self, claim: Claim, outcome: Outcome, last: Chunk | None, *, thread_status: str) -> bool:
        """Store the outcome; False when another process holds the run by now."""
        params = {
            **_token(claim),
            **_chunk(last),
            "status": outcome.status,
            "result": _text(outcome.result),
            "interrupts": _text(outcome.interrupts),
            "error_code": outcome.error_code,
            "error_detail": outcome.error_detail,
            "thread_status": thread_status,
        }
        if await self.database.one(_SQL["finish"], params) is not None:
            return True
        # The first execution may have been committed, and only its answer lost.
        known = {name: params[name] for name in ("run_id", "attempt", "status", "error_code")}
        return await self.database.one(_SQL["finished"], known) is not None

    async def release(self, claim: Claim, last: Chunk | None) -> None:
        """Give the run back to the queue, for another process to go on with."""
        await self.database.all(_SQL["release"], {**_token(claim), **_chunk(last)})

    async def append_events(self, claim: Claim, chunk: Chunk) -> bool:
        """Store frames; False when another process holds the run by now."""
        return await self.database.one(_SQL["append_events"], {**_token(claim), **_chunk(chunk)}) is not None

    async def events_after(self, run_id: UUID, attempt: int, seq: int) -> list[Chunk]:
        """Return the next chunks that hold events after `attempt-seq`: up to 50, of 5 MiB or so."""
        params = {"run_id": run_id, "attempt": attempt, "seq": seq}
        return [
            Chunk(row["attempt"], row["first_seq"], row["last_seq"], bytes(row["frames"]))
            for row in await self.database.all(_SQL["events_after"], params)
        ]

    async def last_event(self, run_id: UUID) -> tuple[int, int] | None:
        """Return attempt and seq of the newest stored event."""
        row = await self.database.one(_SQL["last_event"], {"run_id": run_id})
        return (row["attempt"], row["last_seq"]) if row else None

    async def get(self, principal: Principal, graph: str, run_id: UUID) -> RunRecord | None:
        """Return the run if it is the principal's and the graph's."""
        params = {"run_id": run_id, "tenant": principal.tenant, "graph": graph}
        row = await self.database.one(_SQL["get"], params)
        return _record(row) if row else None

    async def watch(self, principal: Principal, run_id: UUID) -> None:
        """Ask the process that executes the run to notify others of its news."""
        await self.database.all(_SQL["watch"], {"run_id": run_id, "tenant": principal.tenant})

    async def page(self, principal: Principal, graph: str, query: PageQuery) -> tuple[list[RunRecord], int]:
        """Return a page of the graph's runs, newest first, and how many there are."""
        params = {
            "tenant": principal.tenant,
            "graph": graph,
            "thread_id": query.thread_id,
            "status": query.status,
            "limit": query.limit,
            "offset": query.offset,
        }
        rows = await self.database.all(_SQL["page"], params)
        return [_record(row) for row in rows if row["run_id"]], rows[0]["total"]

    async def request_cancel(self, principal: Principal, graph: str, run_id: UUID) -> str | None:
        """Cancel a waiting run or ask a running one to stop; returns its status before, None if unknown."""
        params = {"run_id": run_id, "tenant": principal.tenant, "graph": graph, "token": uuid4()}
        row = await self.database.one(_SQL["request_cancel"], params)
        return row["status"] if row else None


async def renew_leases(
    connection: Connection, claims: Sequence[Claim], *, lease_seconds: float
) -> dict[UUID, bool]:
    """Renew the leases that are still held; returns for each whether its cancellation is asked for."""
    params = {
        "run_ids": [claim.run_id for claim in claims],
        "attempts": [claim.attempt for claim in claims],
        "lease": lease_seconds,
    }
    with KeepingCancellation():
        rows = await execute(connection, _SQL["renew"], params)
    return {row["run_id"]: row["cancel_requested"] for row in rows}


def _admitted(row: DictRow | None, run: NewRun, *, make_thread: bool) -> DictRow:
    """Return what `begin` tells of a thread that takes the run, or raise why there is none."""
    if row is None or row["is_full"]:
        msg = "This tenant has as many pending and running runs as it may; try again when some have ended."
        raise TooManyRuns(msg, retry_after=RUNS_RETRY_SECONDS)
    if row["thread_key"] is None:
        raise (ThreadOfAnotherGraph if make_thread else UnknownThread)(run.thread_id)
    return row


def _token(claim: Claim) -> dict[str, Any]:
    return {"run_id": claim.run_id, "attempt": claim.attempt}


def _chunk(chunk: Chunk | None) -> dict[str, Any]:
    if chunk is None:
        return {"first_seq": None, "last_seq": None, "frames": None}
    return {"first_seq": chunk.first_seq, "last_seq": chunk.last_seq, "frames": chunk.frames}


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


def _bytes(value: str | None) -> bytes | None:
    return None if value is None else value.encode()


def _claimed(row: DictRow) -> Claim:
    return Claim(
        run_id=row["run_id"],
        thread_key=row["thread_key"],
        thread_id=row["thread_id"],
        principal=Principal(tenant=row["tenant"], subject=row["created_by"]),
        graph=row["graph"],
        kind=row["kind"],
        payload=row["payload"],
        attempt=row["attempt"],
        after_crash=row["crashed"],
        cancel_requested=row["cancel_requested"],
        watched=row["watched"],
        last_outcome=row["last_outcome"],
        elapsed=row["elapsed"],
        crashes=row["crashes"],
        request_id=row["request_id"],
        traceparent=row["traceparent"],
    )


def _record(row: DictRow) -> RunRecord:
    outcome = Outcome(
        row["status"],
        _bytes(row["result"]),
        _bytes(row["interrupts"]),
        row["error_code"],
        row["error_detail"],
    )
    return RunRecord(
        run_id=row["run_id"],
        thread_id=row["thread_id"],
        graph=row["graph"],
        status=row["status"],
        attempt=row["attempt"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        outcome=outcome,
    )
