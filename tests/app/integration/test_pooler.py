"""A transaction pooler between the server and its database: PgBouncer, where it is installed."""

import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from app.support.surface import GRAPHS
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from support.server import servers

PORT = 6439


@pytest.fixture
def pooled(migrated_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The database by way of PgBouncer in transaction mode."""
    command = shutil.which("pgbouncer")
    if command is None:
        pytest.skip("pgbouncer is not installed")
    info = conninfo_to_dict(migrated_database)
    folder = tmp_path_factory.mktemp("pgbouncer")
    for part in (folder, *folder.parents[:2]):
        part.chmod(0o755)  # it runs as nobody
    users, settings = folder / "users.txt", folder / "pgbouncer.ini"
    users.write_text(f'"{info["user"]}" "{info["password"]}"\n')
    settings.write_text(
        f"[databases]\n* = host={info['host']} port={info.get('port', 5432)}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {PORT}\nunix_socket_dir =\n"
        f"auth_type = plain\nauth_file = {users}\npool_mode = transaction\ndefault_pool_size = 10\n"
    )
    child = subprocess.Popen([command, "-q", "-u", "nobody", str(settings)])
    try:
        yield make_conninfo(migrated_database, host="127.0.0.1", port=PORT)
    finally:
        child.terminate()
        child.wait()


def test_behind_a_transaction_pooler_everything_works(pooled: str, migrated_database: str) -> None:
    with servers(pooled, GRAPHS, 2, DATABASE_DIRECT_URL=migrated_database) as pair:

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
