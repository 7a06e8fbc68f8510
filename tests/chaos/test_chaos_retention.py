"""R16: a thread of a thousand turns stays as large as one of two hundred; a deleted one leaves nothing."""

from typing import LiteralString
from uuid import uuid4

import httpx
import pytest
from app.support.durable_world import start_on
from app.support.ledger import Ledger
from app.support.runs_client import body_of, post
from app.support.storage_world import settings_for
from chaos_report import Row, note
from support.server import finish

from agent_server.storage.database import open_database
from agent_server.storage.retention import RetentionPolicy, sweep

TURNS = 1000
SWEEP_EVERY = 100
MAX_CHECKPOINTS = 60
POLICY = RetentionPolicy(
    events=0, idempotency_keys=0, runs=0, history=None, max_checkpoints=MAX_CHECKPOINTS, threads=None
)
TABLES: tuple[LiteralString, ...] = (
    "public.checkpoints",
    "public.checkpoint_blobs",
    "public.checkpoint_writes",
    "agent.threads",
    "agent.runs",
    "agent.run_events",
    "agent.idempotency_keys",
)


def rows(ledger: Ledger) -> dict[str, int]:
    """The database holds this one thread."""
    return {table: ledger.rows("select count(*) as rows from " + table)[0]["rows"] for table in TABLES}


def size(ledger: Ledger) -> int:
    """Bytes of all rows, dead ones left out."""
    return sum(
        ledger.rows("select coalesce(sum(pg_column_size(t)), 0)::bigint as bytes from " + table + " t")[0][
            "bytes"
        ]
        for table in TABLES
    )


@pytest.mark.timeout(600)
async def test_a_thousand_turns_on_one_thread_stay_bounded(
    client: httpx.AsyncClient, new_ledger: Ledger
) -> None:
    server, thread = start_on(new_ledger, EVENT_FLUSH_MS="20"), str(uuid4())
    grown: dict[int, int] = {}
    kept: dict[int, dict[str, int]] = {}
    began = 0
    try:
        server.wait_until_ready()
        async with open_database(settings_for(new_ledger.url)) as database:
            for turn in range(1, TURNS + 1):
                answer = await post(
                    client,
                    server,
                    "turns/invoke",
                    body_of(thread, mark=thread, turn=turn),
                    idempotency_key=f"{turn}",
                )
                assert answer.json()["result"]["last"][-1] == turn, answer.text
                if turn % SWEEP_EVERY == 0:
                    grown[turn] = size(new_ledger) - began
                    await sweep(database, POLICY)
                    kept[turn], began = rows(new_ledger), size(new_ledger)
        print(
            f"R16: bytes per turn {grown[200] / 100:.0f} in 100-200, {grown[TURNS] / 100:.0f} in the last 100"
        )
        print(f"R16: rows kept after 200 turns {kept[200]}, after {TURNS} {kept[TURNS]}")
        assert grown[TURNS] <= 1.1 * grown[200]
        assert all(kept[TURNS][table] <= kept[200][table] for table in TABLES)
        assert kept[TURNS]["public.checkpoints"] <= MAX_CHECKPOINTS
        answer = await client.delete(f"{server.url}/threads/{thread}")
        assert answer.status_code == 204
        assert rows(new_ledger) == dict.fromkeys(TABLES, 0)
        note(Row(f"R16, {TURNS} turns on one thread", TURNS, 0, 0))
    finally:
        finish(server)
