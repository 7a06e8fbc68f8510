"""The routes of the contract, §3."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from typing import Literal

from fastapi import APIRouter
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from agent_server.core.errors import Draining, Invalid, StillRunning, UnknownRun
from agent_server.core.jsonio import refuse_unsafe_text
from agent_server.core.metrics import OPEN_STREAMS
from agent_server.core.principal import Principal
from agent_server.http import bodies
from agent_server.http.access import Access
from agent_server.http.attachments import attachment_routes
from agent_server.http.description import document
from agent_server.http.envelope import is_last
from agent_server.http.guard import Route, make_guarded
from agent_server.http.responses import (
    json_response,
    location,
    run_answer,
    run_error,
    run_json,
    run_response,
    thread_json,
)
from agent_server.http.slots import StreamSlots
from agent_server.runs.engine import Engine
from agent_server.runs.replay import START, Position, RunRef
from agent_server.runs.requests import Bounds, InputBody, ResumeBody, StateBody, parse
from agent_server.runs.service import Call, Handle
from agent_server.storage.runs import Outcome, PageQuery
from agent_server.storage.threads import ThreadQuery, ThreadStore


class _Text(Convertor[str]):
    """The rest of a path, whatever it holds: Starlette's own `path` stops at a line break."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("text", _Text())

OnDisconnect = Literal["continue", "cancel"]
STREAM_HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


def make_router(engine: Engine, access: Access) -> APIRouter:
    """Return the routes over an engine; each says what its caller's role has to include."""
    endpoints = _Endpoints(engine)
    graph = "/graphs/{name}"
    return make_guarded(
        access,
        engine.rates,
        (
            Route("GET", "/openapi.json", "read", endpoints.openapi),
            Route("GET", "/graphs", "read", endpoints.graphs),
            Route("POST", f"{graph}/invoke", "run", endpoints.invoke, InputBody),
            Route("POST", f"{graph}/stream", "run", endpoints.stream, InputBody),
            Route("POST", f"{graph}/resume", "answer", endpoints.resume, ResumeBody),
            Route("GET", f"{graph}/state", "read", endpoints.state),
            Route("POST", f"{graph}/state", "write_state", endpoints.update_state, StateBody),
            Route("GET", f"{graph}/history", "read", endpoints.history),
            Route("GET", f"{graph}/runs", "read", endpoints.runs),
            Route("GET", f"{graph}/runs/{{run_id}}", "read", endpoints.run),
            Route("GET", f"{graph}/runs/{{run_id}}/stream", "read", endpoints.run_stream),
            Route("POST", f"{graph}/runs/{{run_id}}/cancel", "run", endpoints.cancel),
            Route("GET", "/threads", "read", endpoints.threads),
            Route("DELETE", "/threads/{thread_id:text}", "delete", endpoints.delete_thread),
            *attachment_routes(engine),
        ),
    )


class _Endpoints:
    """One method a route; each is told who asks, and may."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadStore(engine.database)
        self._wait_seconds = engine.settings.wait_seconds
        self._slots = StreamSlots(engine.settings.tenant_streams_max)
        self._bounds = Bounds(engine.settings.recursion_limit_max, engine.settings.run_timeout_seconds)

    async def openapi(self, _principal: Principal, request: Request) -> Response:
        """Describe the routes and the bodies that they take."""
        is_guarded = self._engine.settings.auth != "none"
        return json_response(document(request.app.openapi(), is_guarded=is_guarded))

    async def graphs(self, _principal: Principal, _request: Request) -> Response:
        """List the graphs with their schemas and drawings."""
        return json_response({"graphs": [graph.described() for graph in self._engine.registry.values()]})

    async def invoke(self, principal: Principal, request: Request) -> Response:
        """Run a graph and answer when it has ended or waits for a human."""
        call = await self._call(principal, request)
        body = parse(InputBody, call.content, self._bounds)
        handle = await self._engine.runs.begin(call, body)
        return await self._answer(request, handle, body.on_disconnect)

    async def stream(self, principal: Principal, request: Request) -> Response:
        """Run a graph and send its events as they happen."""
        call = await self._call(principal, request)
        body = parse(InputBody, {"stream_mode": ["events"], **call.content}, self._bounds)
        with ExitStack() as slot:
            slot.enter_context(self._slots.taken(principal))
            handle = await self._engine.runs.begin(call, body)
            return self._streaming(handle, START, body.on_disconnect, slot.pop_all())

    async def resume(self, principal: Principal, request: Request) -> Response:
        """Answer what waits, and run on."""
        call = await self._call(principal, request)
        body = parse(ResumeBody, call.content, self._bounds)
        handle = await self._engine.runs.resume(call, body)
        return await self._answer(request, handle, body.on_disconnect)

    async def state(self, principal: Principal, request: Request) -> Response:
        """Show a thread's state."""
        graph = self._graph_of(request)
        return json_response(await self._engine.states.state(principal, graph, bodies.thread_id_of(request)))

    async def update_state(self, principal: Principal, request: Request) -> Response:
        """Write to a thread's state as one of its nodes would."""
        call = await self._call(principal, request)
        body = parse(StateBody, call.content, self._bounds)
        handle = await self._engine.runs.update_state(call, body)
        await self._end_of(handle)
        state = await self._engine.states.state(call.principal, call.graph, body.thread_id)
        return json_response(state, headers=location(call.graph, handle.ref.run_id))

    async def history(self, principal: Principal, request: Request) -> Response:
        """Show the states that a thread went through, newest first."""
        graph = self._graph_of(request)
        states = await self._engine.states.history(
            principal,
            graph,
            bodies.thread_id_of(request),
            limit=bodies.limit_of(request, 10),
            before=bodies.text_of(request, "before"),
        )
        return json_response({"history": states})

    async def runs(self, principal: Principal, request: Request) -> Response:
        """List a graph's runs, newest first."""
        graph = self._graph_of(request)
        query = PageQuery(
            thread_id=bodies.text_of(request, "thread_id"),
            status=bodies.text_of(request, "status"),
            limit=bodies.limit_of(request, 20),
            offset=bodies.offset_of(request),
        )
        found, total = await self._engine.runs.page(principal, graph, query)
        return json_response({"runs": [run_json(run) for run in found], "total": total})

    async def run(self, principal: Principal, request: Request) -> Response:
        """Show a run; with `wait`, once it has ended or that time is over."""
        graph = await self._graph_of_run(principal, request)
        run_id = bodies.run_id_of(request)
        run = await self._engine.runs.get(principal, graph, run_id)
        seconds = min(bodies.wait_of(request), self._wait_seconds)
        if seconds and not run.ended:
            with suppress(Draining):  # before the time is over: then it is told as it stands
                await self._engine.runs.wait(Handle(RunRef.of(principal, run)), seconds)
            run = await self._engine.runs.get(principal, graph, run_id)
        return run_response(run)

    async def run_stream(self, principal: Principal, request: Request) -> Response:
        """Send a run's events from the start, or after Last-Event-ID."""
        graph = await self._graph_of_run(principal, request)
        position = bodies.last_event_of(request)
        with ExitStack() as slot:
            slot.enter_context(self._slots.taken(principal))
            handle = await self._engine.runs.follow(principal, graph, bodies.run_id_of(request))
            return self._streaming(handle, position, "continue", slot.pop_all())

    async def cancel(self, principal: Principal, request: Request) -> Response:
        """Stop a run."""
        graph = await self._graph_of_run(principal, request)
        return run_response(await self._engine.runs.cancel(principal, graph, bodies.run_id_of(request)))

    async def threads(self, principal: Principal, request: Request) -> Response:
        """List the caller's threads, newest first."""
        query = ThreadQuery(
            graph=bodies.text_of(request, "graph"),
            status=bodies.text_of(request, "status"),
            limit=bodies.limit_of(request, 20),
            offset=bodies.offset_of(request),
        )
        found, total = await self._threads.page(principal, query)
        return json_response({"threads": [thread_json(thread) for thread in found], "total": total})

    async def delete_thread(self, principal: Principal, request: Request) -> Response:
        """Delete a thread with all that is kept of it."""
        thread_id = bodies.checked_thread_id(request.path_params["thread_id"])
        await self._threads.delete(principal, thread_id)
        return Response(status_code=204)

    def _graph_of(self, request: Request) -> str:
        """Return the graph of the path, which has to exist."""
        return self._engine.registry.named(request.path_params["name"]).name

    async def _graph_of_run(self, principal: Principal, request: Request) -> str:
        """The same for a run, which outlives its graph: one that is no longer served can still be stopped."""
        graph: str = request.path_params["name"]
        if graph not in self._engine.registry:
            try:
                refuse_unsafe_text(graph, "name")
                await self._engine.runs.get(principal, graph, bodies.run_id_of(request))
            except (Invalid, UnknownRun):
                self._engine.registry.named(graph)
        return graph

    async def _call(self, principal: Principal, request: Request) -> Call:
        graph = self._graph_of(request)
        content, size = await bodies.content_of(request, self._engine.settings.max_body_bytes)
        return Call(
            principal=principal,
            graph=graph,
            route=request.url.path,
            request_id=request.scope["request_id"],
            content=content,
            size=size,
            idempotency_key=bodies.idempotency_key_of(request),
        )

    async def _answer(self, request: Request, handle: Handle, on_disconnect: OnDisconnect) -> Response:
        ref = handle.ref
        if "respond-async" in request.headers.get("prefer", ""):
            return run_response(await self._engine.runs.get(ref.principal, ref.graph, ref.run_id), 202)
        watch = asyncio.create_task(self._cancel_if_left(request, ref)) if on_disconnect == "cancel" else None
        try:
            return run_answer(ref, await self._end_of(handle))
        finally:
            if watch is not None:
                watch.cancel()

    async def _end_of(self, handle: Handle) -> Outcome:
        """Wait for a run; raises its error, or StillRunning."""
        outcome = await self._engine.runs.wait(handle, self._wait_seconds)
        if outcome is None:
            raise _still_running(handle.ref)
        if outcome.error_code is not None:
            raise run_error(handle.ref, outcome)
        return outcome

    async def _cancel_if_left(self, request: Request, ref: RunRef) -> None:
        """Cancel the run when its client leaves; whoever waits for it then sees it end."""
        await _until_left(request)
        self._engine.runs.cancel_soon(ref)

    def _streaming(
        self, handle: Handle, after: Position, on_disconnect: OnDisconnect, slot: ExitStack
    ) -> Response:
        """Answer with a run's frames; `slot` is closed when the stream is, however it ends."""
        headers = {**STREAM_HEADERS, **location(handle.ref.graph, handle.ref.run_id)}
        frames = self._engine.runs.stream(handle, after)
        response = _EventStream(frames, headers=headers, media_type="text/event-stream")
        response.slot = slot
        if on_disconnect == "cancel":
            response.on_left = partial(self._cancel_left, handle.ref)
        return response

    def _cancel_left(self, ref: RunRef) -> None:
        """Cancel a run whose stream broke off, unless it was told to go elsewhere."""
        if not self._engine.draining:
            self._engine.runs.cancel_soon(ref)


class _EventStream(StreamingResponse):
    """A stream that knows whether its client has left before its end, be it before the first frame."""

    slot: ExitStack
    on_left: Callable[[], None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        with OPEN_STREAMS.track_inprogress():
            await self._send(scope, receive, send)

    async def _send(self, scope: Scope, receive: Receive, send: Send) -> None:
        whole = False

        async def send_noting(message: Message) -> None:
            nonlocal whole
            await send(message)
            whole = is_last(message)

        try:
            await super().__call__(scope, receive, send_noting)
        finally:
            self.slot.close()
            if self.on_left is not None and not whole:
                self.on_left()


async def _until_left(request: Request) -> None:
    """Wait until the client has closed the connection."""
    while not await request.is_disconnected():  # noqa: ASYNC110  # a receive() cannot be shared with the body's
        await asyncio.sleep(0.2)


def _still_running(ref: RunRef) -> StillRunning:
    msg = "The run goes on; ask at its Location."
    return StillRunning(msg, run_id=str(ref.run_id), thread_id=ref.thread_id)
