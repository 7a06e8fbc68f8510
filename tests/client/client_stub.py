"""A server of the contract's shapes on a free loopback port, with faults that a test scripts."""

import asyncio
import json
import threading
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

Handler = Callable[[Request], Awaitable[Response]]
Fault = Callable[[Request, Handler], Awaitable[Response]]

NOW = "2026-01-02T03:04:05.678901Z"
QUESTION = {"id": "ask-1", "value": {"question": "Pay?"}, "response_schema": {"type": "boolean"}}


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Cut:
    """How one connection of a stream ends early: behind so many events, or inside the next one."""

    after: int
    how: Literal["close", "abort", "half then close", "half then abort"]


@dataclass(frozen=True)
class Event:
    """One event of a run's log."""

    id: str
    event: str
    data: Any

    def frame(self) -> bytes:
        return f"event: {self.event}\ndata: {json.dumps(self.data)}\nid: {self.id}\n\n".encode()

    def is_behind(self, last: str) -> bool:
        place = [int(part) for part in self.id.split("-")]
        return "-" not in last.lstrip("-") or place > [int(part) for part in last.split("-")]


def a_log(run_id: str, thread_id: str, *middle: Event, status: str = "success") -> list[Event]:
    """Return a whole log: `metadata`, the events given, `end`."""
    names = {"run_id": run_id, "thread_id": thread_id}
    interrupts = [QUESTION] if status == "interrupted" else []
    return [
        Event("1-1", "metadata", {**names, "attempt": 1}),
        *(middle or [Event(f"1-{seq}", "updates", {"step": seq}) for seq in (2, 3, 4)]),
        Event("9-9", "end", {**names, "status": status, "interrupts": interrupts}),
    ]


@dataclass
class Stub:
    """The server's whole memory; a test reads what was asked and scripts what goes wrong."""

    url: str = ""
    api_key: str | None = None
    seen: list[Seen] = field(default_factory=list)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, tuple[Any, str]] = field(default_factory=dict)
    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: deque[Fault] = field(default_factory=deque)
    cuts: deque[Cut] = field(default_factory=deque)
    logs: deque[list[Event]] = field(default_factory=deque)
    """What each next connection of a stream finds; the default log when there is none."""
    polls_until_end: int = 2
    heartbeat: tuple[int, float] = (0, 0.0)
    """How many comments come before each event, and how many seconds apart."""
    heartbeat_from: int = 0
    """The first event of a connection that they come before."""
    location: str = "{path}"
    hung_up: threading.Event = field(default_factory=threading.Event)
    """Set when a stream's reader went away before its end."""
    server: uvicorn.Server | None = None

    def paths(self, method: str | None = None) -> list[str]:
        return [seen.path for seen in self.seen if method in {None, seen.method}]

    def abort(self, request: Request) -> None:
        """Cut the connection of a request, as a process that dies does."""
        assert self.server
        for connection in list(self.server.server_state.connections):
            if getattr(connection, "client", None) == tuple(request.client or ()):
                connection.transport.abort()

    # ------------------------------------------------------------------ faults

    def refuse(self, status: int, code: str = "", *, times: int = 1, **headers: str) -> None:
        """Answer the next requests with a problem, or with a proxy's page when there is no code."""

        async def fault(_request: Request, _handler: Handler) -> Response:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            if not code:
                return Response("<h1>Bad luck</h1>", status, sent, "text/html")
            return JSONResponse(
                {"detail": f"because {code}", "code": code, "request_id": "req-1"}, status, sent
            )

        self.faults.extend([fault] * times)

    def hang_up(self, *, times: int = 1, carried_out: bool = False) -> None:
        """Cut the next connections before their answer, with the request carried out or not."""

        async def fault(request: Request, handler: Handler) -> Response:
            if carried_out:
                await handler(request)
            self.abort(request)
            await asyncio.sleep(0.01)
            return Response()

        self.faults.extend([fault] * times)

    def stall(self, seconds: float) -> None:
        """Take so long for the next answer."""

        async def fault(request: Request, handler: Handler) -> Response:
            await asyncio.sleep(seconds)
            return await handler(request)

        self.faults.append(fault)

    # ------------------------------------------------------------------ contract

    def app(self) -> Starlette:
        run = "/graphs/{name}/runs/{run_id}"
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/health", self.health),
            ("GET", "/ready", self.ready),
            ("GET", "/graphs", self.graphs),
            ("POST", "/graphs/{name}/invoke", self.invoke),
            ("POST", "/graphs/{name}/resume", self.invoke),
            ("POST", "/graphs/{name}/stream", self.stream),
            ("GET", "/graphs/{name}/state", self.get_state),
            ("POST", "/graphs/{name}/state", self.post_state),
            ("GET", "/graphs/{name}/history", self.history),
            ("GET", "/graphs/{name}/runs", self.list_runs),
            ("GET", run, self.get_run),
            ("GET", run + "/stream", self.join_stream),
            ("POST", run + "/cancel", self.cancel),
            ("GET", "/threads", self.threads),
            ("DELETE", "/threads/{thread_id:path}", self.delete),
        ]
        return Starlette(routes=[Route(path, self.guarded(h), methods=[verb]) for verb, path, h in table])

    def guarded(self, handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            raw = await request.body()
            body = json.loads(raw) if raw else None
            headers = dict(request.headers)
            raw_path = request.scope["raw_path"].decode().partition("?")[0]
            self.seen.append(Seen(request.method, raw_path, dict(request.query_params), headers, body))
            if self.faults:
                return await self.faults.popleft()(request, handler)
            if self.api_key and headers.get("authorization") != f"Bearer {self.api_key}":
                return problem(401, "unauthenticated")
            return await handler(request)

        return guarded

    async def health(self, _request: Request) -> Response:
        return JSONResponse({"status": "healthy", "version": "1.2.3"})

    async def ready(self, _request: Request) -> Response:
        return JSONResponse({"status": "ready", "version": "1.2.3", "database": "connected"})

    async def graphs(self, _request: Request) -> Response:
        schemas = ("input_schema", "output_schema", "context_schema", "config_schema")
        empty = {schema: {"type": "object"} for schema in schemas}
        return JSONResponse(
            {"graphs": [{"name": "echo", "description": "Echo", "mermaid": "graph", **empty}]}
        )

    async def invoke(self, request: Request) -> Response:
        run = await self.started(request)
        if isinstance(run, Response):
            return run
        headers = {"Location": self.location_of(run)}
        if request.headers.get("prefer") == "respond-async":
            return JSONResponse({**run, "status": "running"}, 202, headers)
        if run["graph"] == "slow":
            return problem(504, "still_running", headers, run_id=run["run_id"])
        if run["status"] == "error":
            return problem(500, run["error"]["code"], headers, run_id=run["run_id"])
        kept = ("thread_id", "run_id", "status", "interrupts", "result")
        return JSONResponse({name: run[name] for name in kept}, headers=headers)

    async def stream(self, request: Request) -> Response:
        run = await self.started(request)
        return run if isinstance(run, Response) else self.events(request, run)

    async def join_stream(self, request: Request) -> Response:
        run = self.runs.get(request.path_params["run_id"])
        return problem(404, "unknown_run") if run is None else self.events(request, run)

    async def started(self, request: Request) -> dict[str, Any] | Response:
        """Return the run of this request: another one's when the key was seen before."""
        body = await request.json()
        name = request.path_params["name"]
        key = request.headers.get("idempotency-key", str(uuid.uuid4()))
        if key in self.keys:
            known, run_id = self.keys[key]
            return self.runs[run_id] if known == body else problem(422, "idempotency_key_reused")
        if name == "nowhere":
            return problem(404, "unknown_graph", known=["echo"])
        run = self.a_run(name, body)
        self.keys[key] = body, run["run_id"]
        return run

    def a_run(self, graph: str, body: dict[str, Any]) -> dict[str, Any]:
        """Run a graph to its end: `approve` asks, `broken` fails, `slow` takes a few polls, others echo."""
        resumed = "resume_data" in body or "interrupts" in body
        asks = graph == "approve" and not resumed
        status = "interrupted" if asks else "error" if graph == "broken" else "success"
        answer = body.get("resume_data", body.get("interrupts"))
        run: dict[str, Any] = {
            "run_id": f"run-{len(self.runs) + 1}",
            "thread_id": body.get("thread_id") or str(uuid.uuid4()),
            "graph": graph,
            "status": status,
            "attempt": 1,
            "created_at": NOW,
            "started_at": NOW,
            "finished_at": None,
            "created_by": "key-1",
            "result": None if status != "success" else {"answer": answer} if resumed else body["input"],
            "interrupts": [QUESTION] if asks else [],
            "error": {"code": "run_failed", "detail": "it broke"} if status == "error" else None,
        }
        self.runs[run["run_id"]] = run
        return run

    def location_of(self, run: dict[str, Any]) -> str:
        return self.location.format(path=f"/graphs/{run['graph']}/runs/{run['run_id']}")

    def events(self, request: Request, run: dict[str, Any]) -> Response:
        log = (
            self.logs.popleft() if self.logs else a_log(run["run_id"], run["thread_id"], status=run["status"])
        )
        last = request.headers.get("last-event-id", "0")
        cut = self.cuts.popleft() if self.cuts else None
        headers = {"Location": self.location_of(run), "X-Accel-Buffering": "no"}
        body = self.body(request, [event for event in log if event.is_behind(last)], cut)
        return StreamingResponse(body, headers=headers, media_type="text/event-stream")

    async def body(self, request: Request, events: list[Event], cut: Cut | None) -> AsyncIterator[bytes]:
        try:
            for number, event in enumerate(events):
                for _ in range(self.heartbeat[0] if number >= self.heartbeat_from else 0):
                    yield b": heartbeat\n\n"
                    await asyncio.sleep(self.heartbeat[1])
                if cut is not None and number == cut.after:
                    yield event.frame()[:12] if cut.how.startswith("half") else b": \n"
                    await asyncio.sleep(0.02)
                    if cut.how.endswith("abort"):
                        self.abort(request)
                        await asyncio.sleep(0.01)
                    return
                yield event.frame()
        except asyncio.CancelledError:
            self.hung_up.set()
            raise

    async def get_run(self, request: Request) -> Response:
        run = self.runs.get(request.path_params["run_id"])
        if run is None:
            return problem(404, "unknown_run")
        if run["graph"] == "slow" and self.polls_until_end > 0:
            self.polls_until_end -= 1
            return JSONResponse({**run, "status": "running", "result": None})
        return JSONResponse(run)

    async def list_runs(self, _request: Request) -> Response:
        return JSONResponse({"runs": list(reversed(self.runs.values())), "total": 41})

    async def cancel(self, request: Request) -> Response:
        run = self.runs[request.path_params["run_id"]]
        if run["status"] == "cancelled":
            return problem(409, "run_finished", run_id=run["run_id"])
        run["status"] = "cancelled"
        return JSONResponse(run)

    async def get_state(self, request: Request) -> Response:
        state = self.states.get(request.query_params["thread_id"])
        return problem(404, "unknown_thread") if state is None else JSONResponse(state)

    async def post_state(self, request: Request) -> Response:
        body = await request.json()
        return JSONResponse(self.a_state(body["thread_id"], body["values"], body.get("as_node")))

    def a_state(self, thread_id: str, values: Any, node: str | None = None) -> dict[str, Any]:
        known = self.states.get(thread_id)
        names = {"thread_id": thread_id, "checkpoint_ns": ""}
        state: dict[str, Any] = {
            "thread_id": thread_id,
            "values": values,
            "next": [node] if node else [],
            "interrupts": [],
            "checkpoint": {**names, "checkpoint_id": str(uuid.uuid4())},
            "parent_checkpoint": known["checkpoint"] if known else None,
            "created_at": NOW,
            "metadata": {"step": 1},
        }
        self.states[thread_id] = state
        return state

    async def history(self, request: Request) -> Response:
        return JSONResponse({"history": [self.states[request.query_params["thread_id"]]] * 2})

    async def threads(self, _request: Request) -> Response:
        times = {"created_at": NOW, "updated_at": NOW}
        known = [{"thread_id": name, "graph": "echo", "status": "idle", **times} for name in self.states]
        return JSONResponse({"threads": known, "total": len(known)})

    async def delete(self, request: Request) -> Response:
        known = self.states.pop(request.path_params["thread_id"], None)
        return problem(404, "unknown_thread") if known is None else Response(status_code=204)


def problem(status: int, code: str, headers: dict[str, str] | None = None, **fields: Any) -> Response:
    """Return an error as the contract has it."""
    body = {"detail": f"because {code}", "code": code, "request_id": "req-1", **fields}
    return JSONResponse(body, status, headers)


@contextmanager
def serving() -> Iterator[Callable[[], Stub]]:
    """Serve from a thread until the block is left; give what puts a new stub behind the address."""
    current: list[ASGIApp] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await current[-1](scope, receive, send)

    config = uvicorn.Config(
        app,
        port=0,
        http="h11",
        loop="asyncio",
        lifespan="off",
        log_level="critical",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="stub", daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the stub did not start"
        threading.Event().wait(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]

    def fresh() -> Stub:
        stub = Stub(url=f"http://127.0.0.1:{port}", server=server)
        current[:] = [stub.app()]
        return stub

    try:
        yield fresh
    finally:
        server.should_exit = True
        thread.join(5)
