"""P10: a transaction pooler between the server and its database: PgBouncer, where it is installed."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

# The very tests of statements, saver and interrupts, by way of the pooler: they get the fixtures below.
from app.integration.test_http_interrupts import *  # noqa: F403  # all of its tests
from app.integration.test_storage_runs import *  # noqa: F403  # all of its tests
from app.integration.test_storage_saver import *  # noqa: F403  # all of its tests
from app.integration.test_storage_threads import *  # noqa: F403  # all of its tests
from app.support.storage_world import settings_for
from app.support.surface import GRAPHS, caller, new_thread, serving
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from support.ports import free_ports
from support.postgres import empty_database
from support.server import ServerProcess, servers

from agent_server.storage.database import Database, open_database
from agent_server.storage.migrate import migrate
from lgp.embedded import Cluster

Pooled = Callable[[str], str]
SETTINGS = """
[databases]
* = host={socket} port=5432
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = transaction
default_pool_size = 10
"""


@pytest.fixture(scope="module")
def pooled(postgres_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pooled]:
    """Turns the URL of a database of the cluster into that by way of PgBouncer in transaction mode."""
    command = shutil.which("pgbouncer")
    if command is None:
        pytest.skip("pgbouncer is not installed")
    folder, (port,) = tmp_path_factory.mktemp("pgbouncer"), free_ports(1)
    for part in (folder, *folder.parents[:2]):
        part.chmod(0o755)  # it runs as nobody
    info = conninfo_to_dict(postgres_cluster.url)
    users, settings = folder / "users.txt", folder / "pgbouncer.ini"
    users.write_text(f'"{info["user"]}" "{info["password"]}"\n')
    settings.write_text(SETTINGS.format(socket=info["host"], port=port, users=users))
    child = subprocess.Popen([command, "-q", "-u", "nobody", str(settings)])
    try:
        yield lambda url: make_conninfo(url, host="127.0.0.1", port=port)
    finally:
        child.terminate()
        child.wait()


@pytest.fixture
async def database(migrated_database: str, pooled: Pooled) -> AsyncIterator[Database]:
    """An open pool by way of the pooler."""
    settings = settings_for(pooled(migrated_database), database_direct_url=migrated_database)
    async with open_database(settings) as opened:
        yield opened


@pytest.fixture(scope="module")
def surface_database(postgres_cluster: Cluster) -> Iterator[str]:
    with empty_database(postgres_cluster) as url:
        asyncio.run(migrate(settings_for(url)))
        yield url


@pytest.fixture(scope="module")
def surface_server(surface_database: str, pooled: Pooled) -> Iterator[ServerProcess]:
    direct = {"DATABASE_DIRECT_URL": surface_database}
    with serving(pooled(surface_database), HEARTBEAT_SECONDS="0.3", **direct) as server:
        yield server


@pytest.fixture(scope="module")
def http(surface_server: ServerProcess) -> Iterator[httpx.Client]:
    with caller(surface_server) as client:
        yield client


def test_behind_a_transaction_pooler_sixty_runs_on_two_processes_end_well(
    pooled: Pooled, migrated_database: str
) -> None:
    with servers(pooled(migrated_database), GRAPHS, 2, DATABASE_DIRECT_URL=migrated_database) as pair:

        def one(number: int) -> str:
            answer = httpx.post(
                f"{pair[number % 2].url}/graphs/echo/invoke", json={"input": {"text": "a"}}, timeout=60
            )
            return answer.json()["status"]

        with ThreadPoolExecutor(10) as clients:
            assert set(clients.map(one, range(60))) == {"success"}
        listed = httpx.get(f"{pair[0].url}/threads", params={"limit": 1}).json()
        assert listed["total"] == 60
        assert "error" not in {
            line.partition('"level":"')[2].partition('"')[0] for line in pair[0].log().splitlines()
        }


def test_behind_it_threads_are_read_and_deleted(http: httpx.Client) -> None:
    thread = new_thread()
    body = {"input": {"text": "a"}, "thread_id": thread}
    with http.stream("POST", "/graphs/echo/stream", json=body) as answer:
        assert b"event: end" in answer.read()
    for part in ("state", "history"):
        assert http.get(f"/graphs/echo/{part}", params={"thread_id": thread}).status_code == 200
    assert http.delete(f"/threads/{thread}").status_code == 204
