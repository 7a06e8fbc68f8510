"""What reviews have found in the runs' life, each kept from coming back."""

import asyncio
import json
import signal
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from app.support.durable_world import client, ledger, made_ledger, new_ledger, start_on
from app.support.ledger import CONFIG, Ledger
from app.support.runs_client import begin, body_of, post, state
from app.support.storage_world import ALICE, begun, expire, new_run, runs_of, settings_for
from app.support.surface import GRAPHS
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from support.postgres import private_cluster
from support.server import ServerProcess, finish, start

from agent_server.core.principal import LOCAL
from agent_server.graphs.registry import load_graphs
from agent_server.runs.executor import Executor
from agent_server.runs.frames import parts
from agent_server.storage.database import Database, open_database
from agent_server.storage.queries import Query
from agent_server.storage.store import open_store
from lgp.embedded import Cluster

__all__ = ["client", "ledger", "new_ledger"]

HELLO = [{"role": "user", "content": "hello"}]
LEASE_SECONDS = 2
Client = httpx.AsyncClient


@pytest.fixture(scope="module")
def shared(ledger: Ledger) -> Iterator[ServerProcess]:
    """The server that no test stops. What lets it die fails all the tests after it."""
    server = start_on(ledger)
    server.wait_until_ready()
    yield server
    finish(server)


@contextmanager
def served(server: ServerProcess) -> Iterator[ServerProcess]:
    """A server that is gone afterwards."""
    try:
        yield server
    finally:
        finish(server)


async def cancelled(client: Client, server: ServerProcess, graph: str, run: str) -> dict[str, Any]:
    answer = await client.post(f"{server.url}/graphs/{graph}/runs/{run}/cancel")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_statement_that_is_itself_at_fault_fails_its_run_once(
    client: Client, ledger: Ledger, shared: ServerProcess
) -> None:
    mark = str(uuid4())
    async with asyncio.timeout(10):
        answer = await post(client, shared, "long_key/invoke", body_of(mark, mark=mark))
    assert (answer.status_code, answer.json()["code"]) == (500, "run_failed"), answer.text
    assert ledger.nodes(mark) == ["put"]


@pytest.mark.parametrize(
    "payload", ["run:x", "cancel:", "cancel:x", "nonsense", "", f"nonsense:{UUID(int=7)}"]
)
async def test_foreign_notifications_are_ignored(
    client: Client, ledger: Ledger, shared: ServerProcess, payload: str
) -> None:
    ledger.rows("select pg_notify('agent', %s)", payload)
    answer = await post(client, shared, "turns/invoke", body_of(turn=1))
    assert answer.status_code == 200, answer.text
    assert shared.child.poll() is None, shared.log()


async def test_an_update_of_the_state_whose_process_died_before_its_end_has_succeeded(
    client: Client, ledger: Ledger, shared: ServerProcess
) -> None:
    """Its checkpoint was written, and has a next node."""
    thread = str(uuid4())
    await post(client, shared, "notes/invoke", body_of(thread, note=thread))
    body = {"thread_id": thread, "values": {"notes": ["more"]}, "as_node": "__start__"}
    answer = await post(client, shared, "notes/state", body)
    assert (answer.status_code, answer.json()["next"]) == (200, ["note"]), answer.text
    run = str(ledger.runs_of(thread)[-1]["run_id"])
    ledger.rows(
        "update agent.runs set status = 'running', lease_expires_at = now() - interval '1 s', result = null,"
        " interrupts = null, finished_at = null where run_id = %s",
        run,
    )
    ended = await asyncio.to_thread(ledger.wait_for_end, run)
    assert (ended["status"], ended["attempt"], ended["error_detail"]) == ("success", 2, None)
    assert (await state(client, shared, "notes", thread))["values"]["notes"] == [thread, "more"]
    assert ledger.nodes(thread) == ["note"]


async def test_a_cancelled_run_does_not_hide_an_interrupt_that_waits(
    client: Client, ledger: Ledger, shared: ServerProcess
) -> None:
    thread = str(uuid4())
    ledger.close_gate(thread, "held")
    run = await begin(client, shared, "ask_beside", body_of(thread, mark=thread))
    await asyncio.to_thread(ledger.wait_for_node, thread, "held")
    waits: LiteralString = (
        "select w.task_id from checkpoint_writes w join agent.threads t on t.thread_key::text = w.thread_id"
        " where w.channel = '__interrupt__' and t.thread_id = %s"
    )
    await asyncio.to_thread(ledger.until, lambda: ledger.rows(waits, thread), "nothing waits")
    assert (await cancelled(client, shared, "ask_beside", run))["status"] == "cancelled"
    found = await client.get(f"{shared.url}/threads", params={"status": "interrupted", "graph": "ask_beside"})
    assert thread in [one["thread_id"] for one in found.json()["threads"]], found.text
    ledger.open_gate(thread, "held")
    answer = await post(client, shared, "ask_beside/resume", {"thread_id": thread, "resume_data": "yes"})
    assert (answer.status_code, answer.json()["status"]) == (200, "success"), answer.text
    assert sorted(answer.json()["result"]["answers"]) == ["held", "yes"]


async def test_an_answer_that_was_cancelled_leaves_a_thread_that_still_waits(
    client: Client, ledger: Ledger, shared: ServerProcess
) -> None:
    thread = str(uuid4())
    await post(client, shared, "ask/invoke", body_of(thread, mark=thread))
    ledger.close_gate(thread, "answered")
    body = {"thread_id": thread, "resume_data": "first"}
    call = asyncio.create_task(post(client, shared, "ask/resume", body))
    await asyncio.to_thread(ledger.wait_for_node, thread, "answered first")
    await cancelled(client, shared, "ask", str(ledger.runs_of(thread)[-1]["run_id"]))
    assert (await call).json()["code"] == "run_cancelled"
    ledger.open_gate(thread, "answered")
    waits = bool((await state(client, shared, "ask", thread))["interrupts"])
    found = await client.get(f"{shared.url}/threads", params={"status": "interrupted", "graph": "ask"})
    assert (thread in [one["thread_id"] for one in found.json()["threads"]]) == waits
    answer = await post(client, shared, "ask/resume", {"thread_id": thread, "resume_data": "second"})
    assert (answer.status_code, answer.json()["status"]) == (200, "success"), answer.text


async def test_an_update_of_the_state_leaves_open_tool_calls_to_be_answered_before_the_next_input(
    client: Client, ledger: Ledger, shared: ServerProcess
) -> None:
    thread = str(uuid4())
    run = await begin(client, shared, "tools", body_of(thread, mark=thread, messages=HELLO))
    await asyncio.to_thread(ledger.wait_for_node, thread, "tools")
    await cancelled(client, shared, "tools", run)
    update = {"thread_id": thread, "values": {"mark": "quiet"}, "as_node": "model"}
    assert (await post(client, shared, "tools/state", update)).status_code == 200
    answer = await post(client, shared, "tools/invoke", body_of(thread, messages=HELLO))
    assert answer.status_code == 200, answer.text
    messages = answer.json()["result"]["messages"]
    assert [message["type"] for message in messages] == ["human", "ai", "tool", "tool", "human", "ai"]


async def test_a_node_that_raises_an_error_of_the_servers_own_has_failed_and_its_run_stays(
    client: Client, ledger: Ledger, shared: ServerProcess
) -> None:
    mark = str(uuid4())
    answer = await post(client, shared, "refusing/invoke", body_of(mark, mark=mark))
    assert (answer.status_code, answer.json()["code"]) == (500, "run_failed"), answer.text
    [run] = ledger.runs_of(mark)
    assert (run["status"], run["error_code"]) == ("error", "run_failed")
    assert ledger.nodes(mark) == ["refuse"]


def send_and_leave(server: ServerProcess, body: dict[str, Any], *, rudely: bool, after: float) -> None:
    """Ask for a stream and close the connection, unread; `rudely` with a reset."""
    at, content = urlsplit(server.url), json.dumps(body).encode()
    head = f"POST /graphs/notes/stream HTTP/1.1\r\nHost: {at.netloc}\r\nContent-Type: application/json\r\n"
    with socket.create_connection((at.hostname or "", at.port or 0)) as connection:
        connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        if rudely:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        time.sleep(after)


async def test_a_client_that_leaves_before_the_first_frame_has_its_run_cancelled(
    ledger: Ledger, shared: ServerProcess
) -> None:
    """A run that had not begun when its client left has no row."""
    marks = [str(uuid4()) for _ in range(10)]
    for number, mark in enumerate(marks):
        body = body_of(mark, note=mark, seconds=20, options={"on_disconnect": "cancel"})
        send_and_leave(shared, body, rudely=number % 2 == 1, after=number // 2 * 0.002)
    await asyncio.sleep(0.3)
    await asyncio.to_thread(ledger.until, lambda: ended_runs(ledger, marks), "a run goes on", 2)
    runs = ended_runs(ledger, marks)
    assert len(runs) >= 5
    assert {run["status"] for run in runs} == {"cancelled"}


def ended_runs(ledger: Ledger, threads: list[str]) -> list[dict[str, Any]]:
    """The runs of the threads; none as long as one goes on."""
    runs = [run for thread in threads for run in ledger.runs_of(thread)]
    return runs if all(run["finished_at"] for run in runs) else []


async def test_a_cancellation_that_comes_together_with_a_free_connection_is_not_lost(
    migrated_database: str,
) -> None:
    """Before Python 3.12 `asyncio.wait_for`, with which the pool waits, would lose it."""
    async with open_database(settings_for(migrated_database, pool_max_size=1)) as database:
        for turns in range(60):
            async with database.pool.connection():
                task = asyncio.create_task(database.one(Query("sleep", "select pg_sleep(0.01)", 5), {}))
                await asyncio.sleep(0.003)
            for _ in range(turns % 20):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


async def test_to_go_on_cannot_be_enqueued(client: Client, shared: ServerProcess) -> None:
    thread = str(uuid4())
    await post(client, shared, "ask/invoke", body_of(thread, mark=thread))
    body = {"input": None, "thread_id": thread, "on_busy": "enqueue"}
    answer = await post(client, shared, "ask/invoke", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), answer.text


async def test_a_crashed_run_that_is_claimed_by_a_process_about_to_stop_still_tells_of_the_gap(
    database: Database,
) -> None:
    runs = runs_of(database)
    run = new_run(graph="echo")
    claim = await runs.begin(ALICE, run, None, make_thread=True)
    assert claim is not None
    await expire(database, claim)
    [claim] = await runs.claim(limit=1, suspects=False, mine=[], graphs=["echo"])
    async with open_store(database) as stores, asyncio.TaskGroup() as group:
        settings = settings_for("postgresql://nobody")
        executor = Executor(load_graphs(GRAPHS), runs, stores, settings)
        executor.stopping.begin()
        executor.start(claim, group, sent_at=asyncio.get_running_loop().time())
    [chunk] = await runs.events_after(run.run_id, 0, 0)
    assert [frame.split(b"\n")[0] for frame in parts(chunk.frames)] == [b"event: gap", b"event: metadata"]
    record = await runs.get(ALICE, "echo", run.run_id)
    assert record is not None
    assert record.status == "pending"


def execute(cluster: Cluster, statement: LiteralString, database: str, *params: str) -> None:
    """Execute a statement on a database, over a connection to another one."""
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(database)), params or None)


def read_only(cluster: Cluster, url: str, *, on: bool) -> None:
    """Make a database what it is after a fail-over to a standby, or before."""
    name = str(conninfo_to_dict(url)["dbname"])
    word: LiteralString = "on" if on else "off"
    execute(cluster, "alter database {} set default_transaction_read_only = " + word, name)
    if on:
        terminate = "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s"
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            connection.execute(terminate, (name,))


async def test_a_database_that_only_reads_is_away_for_a_while(
    client: Client, ledger: Ledger, shared: ServerProcess, postgres_cluster: Cluster
) -> None:
    """As a primary that has become a standby; for longer than a lease."""
    mark = str(uuid4())
    run = await begin(client, shared, "notes", body_of(mark, note=mark, seconds=1))
    await asyncio.to_thread(ledger.wait_for_node, mark, "note")
    read_only(postgres_cluster, ledger.url, on=True)
    try:
        until = time.monotonic() + LEASE_SECONDS + 1
        while time.monotonic() < until:
            answer = await post(client, shared, "turns/invoke", body_of(turn=1))
            assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable"), answer.text
    finally:
        read_only(postgres_cluster, ledger.url, on=False)
    answer = await post(client, shared, "turns/invoke", body_of(turn=1))
    while answer.status_code == 503 and time.monotonic() < until + 10:
        answer = await post(client, shared, "turns/invoke", body_of(turn=1))
    assert answer.status_code == 200, answer.text
    ended = await asyncio.to_thread(ledger.wait_for_end, run)
    assert (ended["status"], ended["crashes"]) == ("success", 0)
    assert ledger.effects(mark) == ["note"]
    assert shared.child.poll() is None


async def test_what_kills_its_process_each_time_takes_nobody_with_it(
    client: Client, new_ledger: Ledger
) -> None:
    killer, innocents = str(uuid4()), [str(uuid4()) for _ in range(4)]
    marks = [*innocents[:2], killer, *innocents[2:]]
    for mark in marks:
        new_ledger.close_gate(mark, "gate")
    with served(start_on(new_ledger)) as server:
        server.wait_until_ready()
        runs = [
            await begin(client, server, "killer", body_of(mark, mark=mark, asks=mark == killer))
            for mark in marks
        ]
        for mark in marks:
            await asyncio.to_thread(new_ledger.wait_for_node, mark, "gate")
        new_ledger.open_gate(killer, "gate")
        assert await asyncio.to_thread(server.child.wait, 10) == 9
    with served(start_on(new_ledger)) as server:
        assert await asyncio.to_thread(server.child.wait, 20) == 9
    for mark in innocents:
        new_ledger.open_gate(mark, "gate")
    with served(start_on(new_ledger)) as server:
        assert await asyncio.to_thread(server.child.wait, 20) == 9
    with served(start_on(new_ledger)):
        ended = [await asyncio.to_thread(new_ledger.wait_for_end, run) for run in runs]
    assert [run["status"] for run in ended] == ["success", "success", "error", "success", "success"]
    assert (ended[2]["error_code"], ended[2]["crashes"]) == ("poison", 3)
    assert new_ledger.nodes(killer) == ["gate"] * 3


async def test_a_run_of_a_graph_that_is_served_no_more_can_be_looked_at_and_stopped(
    client: Client, new_ledger: Ledger, tmp_path: Path
) -> None:
    thread, run = str(uuid4()), ""
    async with open_database(settings_for(new_ledger.url)) as database:
        claim = await begun(runs_of(database), thread, who=LOCAL)
        await expire(database, claim)
        run = str(claim.run_id)
    (tmp_path / "langgraph.json").write_text('{"graphs": {"turns": "./graphs.py:turns"}}')
    (tmp_path / "graphs.py").write_bytes((CONFIG.parent / "graphs.py").read_bytes())
    smaller = start(new_ledger.url, tmp_path / "langgraph.json", LEDGER_URL=new_ledger.url)
    with served(smaller) as server:
        server.wait_until_ready()
        path = f"{server.url}/graphs/graph/runs"
        assert (await client.get(f"{path}/{run}")).json()["status"] == "running"
        assert (await client.delete(f"{server.url}/threads/{thread}")).status_code == 409
        for unknown in (await client.get(f"{path}/{uuid4()}"), await client.post(f"{path}/{uuid4()}/cancel")):
            assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_graph"), unknown.text
        other = await client.get(f"{server.url}/graphs/turns/runs/{run}")
        assert (other.status_code, other.json()["code"]) == (404, "unknown_run"), other.text
        assert (await cancelled(client, server, "graph", run))["status"] == "cancelled"
        assert (await client.delete(f"{server.url}/threads/{thread}")).status_code == 204


async def waiting_run(ledger: Ledger) -> str:
    """A run of half a minute that waits for a process."""
    payload = json.dumps(body_of(mark="waiting", seconds=30))
    run = replace(new_run(str(uuid4()), graph="six"), payload=payload)
    async with open_database(settings_for(ledger.url)) as database:
        runs = runs_of(database)
        claim = await runs.begin(LOCAL, run, None, make_thread=True)
        assert claim is not None
        await runs.release(claim, None)
    return str(run.run_id)


def stopped_early(ledger: Ledger, seconds: float, *, claimed: bool) -> None:
    """Stop a server so long after its start, or after it has claimed a run."""
    with served(start_on(ledger, WORKER_CONCURRENCY="1", POOL_MIN_SIZE="1", DRAIN_SECONDS="0.2")) as server:
        if claimed:
            ledger.until(lambda: "run claimed" in server.log(), "nothing was claimed")
        time.sleep(seconds)
        code = server.terminate(5)
        # until Python has imported the server nobody hears signals, and there is nothing to be handed over.
        assert code == 0 or (code == -signal.SIGTERM and not claimed and not server.log()), server.log()


async def test_a_stop_before_the_start_is_over_is_no_crash(new_ledger: Ledger) -> None:
    runs = [await waiting_run(new_ledger) for _ in range(3)]
    moments = [(seconds, False) for seconds in (0.5, 1.0, 1.5, 2.0, 2.5)]
    moments += [(seconds, True) for seconds in (0, 0.005, 0.02, 0.05, 0.1)]
    two = asyncio.Semaphore(2)

    async def stop(seconds: float, *, claimed: bool) -> None:
        async with two:
            await asyncio.to_thread(stopped_early, new_ledger, seconds, claimed=claimed)

    await asyncio.gather(*(stop(seconds, claimed=claimed) for seconds, claimed in moments))
    left = [new_ledger.run(run) for run in runs]
    assert [(run["status"], run["crashes"]) for run in left] == [("pending", 0)] * 3
    assert sum(run["attempt"] for run in left) >= 8  # three of them handed over by these runs' first process


async def test_an_outage_longer_than_a_lease_is_nobodys_crash(client: Client) -> None:
    """Both processes live: who waits is sent to the run's Location, and the run goes on."""
    with private_cluster() as cluster, made_ledger(cluster) as own:
        lease = {"LEASE_SECONDS": "3"}
        with served(start_on(own, **lease)) as one, served(start_on(own, **lease)) as two:
            one.wait_until_ready()
            two.wait_until_ready()
            marks = [str(uuid4()) for _ in range(6)]
            bodies = [body_of(mark, note=mark, seconds=1) for mark in marks]
            turns = zip((one, two) * 3, bodies, strict=True)
            calls = [
                asyncio.create_task(post(client, server, "notes/invoke", body)) for server, body in turns
            ]
            for mark in marks:
                await asyncio.to_thread(own.wait_for_node, mark, "note")
            await asyncio.to_thread(cluster.stop)
            await asyncio.sleep(2 * 3 + 1)
            await asyncio.to_thread(cluster.start)
            for call in calls:
                await told_to_come_back(client, two, await call)
        assert own.one("select sum(crashes) from agent.runs") == 0
        assert [own.effects(mark) for mark in marks] == [["note"]] * 6


async def told_to_come_back(client: Client, server: ServerProcess, answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable"), answer.text
    found = await client.get(f"{server.url}{answer.headers['location']}", params={"wait": 20})
    assert found.json()["status"] == "success", found.text
