"""Both clients against the real server: all that they promise, and a server that stops in the middle."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import uuid4

import pytest
from app.support.surface import GRAPHS
from support.postgres import module_database, postgres_cluster
from support.server import REPOSITORY, ServerProcess, environment, servers

import langgraph_client as api

__all__ = ["module_database", "postgres_cluster"]
Connect = Callable[..., Any]
SHORT = {"SURFACE_FOLDER": "/nonexistent", "WAIT_SECONDS": "1", "HEARTBEAT_SECONDS": "0.5"}


@pytest.fixture(scope="module")
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated database of this module."""
    url: str = request.getfixturevalue("module_database")
    subprocess.run(
        [sys.executable, "-P", "-m", "agent_server", "migrate"],
        cwd=REPOSITORY / "app",
        env=environment(url, GRAPHS),
        check=True,
        capture_output=True,
    )
    return url


@pytest.fixture(scope="module")
def server(database_url: str) -> Iterator[ServerProcess]:
    """A server whose waits are so short that calls have to ask again."""
    with servers(database_url, GRAPHS, **SHORT) as started:
        yield started[0]


@pytest.fixture
def real(connect: Connect, server: ServerProcess) -> Any:
    """A client of it."""
    return connect(server.url, timeout=60.0, retry=api.Retry())


def thread() -> str:
    return f"thread-{uuid4()}"


async def test_a_run_and_all_that_is_known_of_it(real: Any) -> None:
    thread_id = thread()
    result = await real.invoke("echo", {"text": "a"}, thread_id, {"tags": ["t"]}, stream_mode="values")
    assert result == api.RunResult(
        thread_id=thread_id,
        run_id=result.run_id,
        status="success",
        interrupts=(),
        result={"text": "a!", "items": ["first", "second"]},
    )
    run = await real.get_run("echo", result.run_id)
    assert (run.status, run.attempt, run.error, run.created_by, run.ended) == (
        "success",
        1,
        None,
        "local",
        True,
    )
    assert run.created_at.utcoffset() is not None
    assert (await real.runs("echo", thread_id=thread_id)).items == (run,)
    state = await real.get_state("echo", thread_id)
    assert state.values == result.result
    history = await real.history("echo", thread_id)
    assert history[0] == state
    assert history[0].parent_checkpoint == history[1].checkpoint
    before = history[1].checkpoint.checkpoint_id
    assert await real.history("echo", thread_id, before=before) == history[2:]
    written = await real.update_state("echo", thread_id, {"n": 1}, as_node="first")
    assert (written.next, written.values["n"]) == (("second",), 1)
    threads = await real.threads(graph="echo", limit=1)
    assert (threads.items[0].thread_id, threads.items[0].status) == (thread_id, "idle")
    await real.delete_thread(thread_id)
    with pytest.raises(api.NotFound):
        await real.get_state("echo", thread_id)


async def test_what_the_server_tells_of_itself(real: Any) -> None:
    graphs = {graph.name: graph for graph in await real.graphs()}
    assert "first" in graphs["echo"].mermaid
    assert graphs["context"].context_schema["required"] == ["user"]
    assert (await real.health()).status == "healthy"
    assert (await real.ready()).database == "connected"


@pytest.mark.parametrize("answer", [None, False, 0, "", {"a" * 32: 1}])
async def test_a_question_is_answered(real: Any, answer: Any) -> None:
    result = await real.invoke("ask", {}, thread_id := thread())
    assert result.interrupted
    assert result.interrupts[0].value == {"question": "?"}
    assert (await real.resume("ask", thread_id, answer)).result == {"answers": [answer]}


async def test_several_questions_are_answered_by_id(real: Any) -> None:
    left, right = (await real.invoke("parallel", {}, thread_id := thread())).interrupts
    with pytest.raises(api.BadRequest) as refused:
        await real.resume("parallel", thread_id, 1)
    assert refused.value.code == "several_interrupts"
    half = await real.resume("parallel", thread_id, interrupts={left.id: 1})
    assert half.interrupts == (right,)
    assert (await real.resume("parallel", thread_id, interrupts={right.id: 2})).status == "success"


async def test_a_stream_of_every_mode(real: Any) -> None:
    modes = ["values", "updates", "messages", "custom", "events"]
    given = {"messages": [{"role": "user", "content": "hi"}]}
    events = [event async for event in real.stream("outer_chat", given, stream_mode=modes, subgraphs=True)]
    assert {event.mode for event in events} == {"metadata", *modes, "end"}
    assert any(event.namespace for event in events)
    tokens = [event.data[0]["content"] for event in events if event.mode == "messages"]
    assert "".join(tokens) == "one two three"
    run_id = events[0].data["run_id"]
    middle = events[len(events) // 2]
    rest = [event async for event in real.join_stream("outer_chat", run_id, middle.id)]
    assert rest == events[len(events) // 2 + 1 :]


async def test_a_long_run_is_waited_for_over_many_requests(real: Any) -> None:
    result = await real.invoke("slow", {"seconds": 2.5})
    assert result.result["said"] == "good morning"


async def test_a_run_in_the_background_is_joined_or_cancelled(real: Any) -> None:
    begun = await real.invoke("slow", {"seconds": 0.5}, background=True)
    assert begun.status in {"running", "success"}
    assert (await real.join("slow", begun.run_id)).status == "success"
    endless = await real.invoke("slow", {"seconds": 600}, background=True)
    with pytest.raises(api.TimedOut):
        await real.join("slow", endless.run_id, timeout=0.5)
    assert (await real.cancel("slow", endless.run_id)).status == "cancelled"
    with pytest.raises(api.RunCancelled):
        await real.join("slow", endless.run_id)
    with pytest.raises(api.RunFinished):
        await real.cancel("slow", begun.run_id)


async def test_failures_have_their_names(real: Any) -> None:
    with pytest.raises(api.RunFailed) as failed:
        await real.invoke("secret", {}, thread_id := thread())
    assert failed.value.run_id
    with pytest.raises(api.RunFailed):
        _ = [event async for event in real.stream("secret", {})]
    with pytest.raises(api.ThreadOfAnotherGraph):
        await real.invoke("echo", {}, thread_id)
    with pytest.raises(api.NothingToResume):
        await real.resume("secret", thread_id, 1)
    with pytest.raises(api.BadRequest) as invalid:
        await real.invoke("echo", {"nothing": 1})
    assert invalid.value.code == "invalid_input"
    with pytest.raises(api.NotFound) as unknown:
        await real.invoke("nothing", {})
    assert "echo" in unknown.value.body["known"]
    await real.invoke("slow", {"seconds": 30}, busy := thread(), background=True)
    with pytest.raises(api.ThreadBusy):
        await real.invoke("slow", {}, busy)


async def test_the_same_key_joins_the_same_run(real: Any) -> None:
    key = str(uuid4())
    first = await real.invoke("echo", {}, idempotency_key=key)
    assert await real.invoke("echo", {}, idempotency_key=key) == first


@pytest.mark.parametrize(("drain", "attempt"), [("0.2", 2), ("4", 1)], ids=["cut short", "in time"])
async def test_a_stream_and_a_call_outlive_the_server_they_began_at(
    connect: Connect, server: ServerProcess, database_url: str, drain: str, attempt: int
) -> None:
    with servers(database_url, GRAPHS, **SHORT, DRAIN_SECONDS=drain) as [first]:
        async with front(first.url) as address:
            client = connect(address.url, timeout=60.0, retry=api.Retry())
            waiting = asyncio.ensure_future(client.invoke("slow", {"seconds": 2}))
            events: list[api.StreamEvent] = []
            given = {"count": 40, "pause": 0.03}
            async for event in client.stream("many", given, stream_mode="custom"):
                events.append(event)
                if len(events) == 10:
                    address.url_behind = server.url
                    first.child.terminate()
            assert (await waiting).result["said"] == "good morning"
        assert first.child.wait(20) == 0
    assert events[-1].event == "end"
    assert events[-1].data["status"] == "success"
    positions = [tuple(map(int, event.id.split("-"))) for event in events[:-1]]
    assert positions == sorted(set(positions))
    assert max(attempt for attempt, _ in positions) == attempt
    numbers = [
        event.data["number"]
        for event in events
        if event.mode == "custom" and event.id.startswith(f"{attempt}-")
    ]
    assert numbers == list(range(40))
    assert "drain" not in {event.event for event in events}


class Front:
    """What stands before servers: it passes connections on to one of them."""

    def __init__(self, url_behind: str) -> None:
        self.url_behind = url_behind
        self.url = ""
        self.links: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = int(self.url_behind.rpartition(":")[2])
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        pumps = [
            asyncio.ensure_future(pump(reader, up_writer)),
            asyncio.ensure_future(pump(up_reader, writer)),
        ]
        self.links.update(pumps)
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for end in (writer, up_writer):
            end.close()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)


@asynccontextmanager
async def front(url_behind: str) -> AsyncIterator[Front]:
    made = Front(url_behind)
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield made
    listening.close()
    for link in made.links:
        link.cancel()
    await asyncio.gather(*made.links, return_exceptions=True)
