"""PostgreSQL of the system, which speaks TLS as the embedded one does not: for tests of just that."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import trustme
from psycopg.conninfo import make_conninfo
from support.ports import free_ports

from lgp.account import postgres_account

PASSWORD = "secret of the role"
START_SECONDS = 30.0


@dataclass(frozen=True)
class TlsPostgres:
    """A server on 127.0.0.1 whose certificate is for `localhost` alone."""

    programs: Path
    folder: Path
    port: int
    ca: Path
    other_ca: Path

    def url(self, **more: str) -> str:
        """As a deployment has it, with what differs."""
        usual = {
            "host": "localhost",
            "port": str(self.port),
            "user": "postgres",
            "password": PASSWORD,
            "dbname": "postgres",
            "sslmode": "verify-full",
            "sslrootcert": str(self.ca),
        }
        return make_conninfo("", **{**usual, **more})

    def speak_tls(self, *, tls: bool) -> None:
        """Change that in the running server."""
        with psycopg.connect(self.url(sslmode="prefer", sslrootcert=""), autocommit=True) as connection:
            connection.execute(f"alter system set ssl = {'on' if tls else 'off'}")  # pyright: ignore[reportArgumentType]  # one of two
            connection.execute("select pg_reload_conf()")
        deadline = time.monotonic() + START_SECONDS
        while self._speaks_tls() != tls:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def _speaks_tls(self) -> bool:
        with psycopg.connect(self.url(sslmode="prefer", sslrootcert="")) as connection:
            return connection.pgconn.ssl_in_use


def newest_programs() -> Path:
    """The folder with the newest `postgres` that is installed, or a skip by that name."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not found:
        pytest.skip("no PostgreSQL of the system's packages is installed")
    return found[-1].parent


@contextmanager
def tls_postgres() -> Generator[TlsPostgres]:
    """A started one; gone afterwards."""
    folder, account = Path(tempfile.mkdtemp(prefix="lgp-tls-")), postgres_account()
    ca, other = trustme.CA(), trustme.CA()
    made = TlsPostgres(
        newest_programs(), folder, free_ports(1)[0], folder / "ca.pem", folder / "other-ca.pem"
    )
    ca.cert_pem.write_to_path(str(made.ca))
    other.cert_pem.write_to_path(str(made.other_ca))
    certificate = ca.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(str(folder / "server.key"))
    certificate.cert_chain_pems[0].write_to_path(str(folder / "server.pem"))
    (folder / "password").write_text(PASSWORD)
    (folder / "server.key").chmod(0o600)
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, account.uid, account.gid)
    folder.chmod(0o755)
    try:
        yield from _running(made)
    finally:
        shutil.rmtree(folder)


def _running(made: TlsPostgres) -> Generator[TlsPostgres]:
    data, options = made.folder / "data", postgres_account().spawn_options()
    initdb = ["initdb", "-D", str(data), "-U", "postgres", "-A", "scram-sha-256", "--no-sync"]
    told = {
        "listen_addresses": "127.0.0.1",
        "port": str(made.port),
        "unix_socket_directories": "",
        "ssl": "on",
        "ssl_cert_file": str(made.folder / "server.pem"),
        "ssl_key_file": str(made.folder / "server.key"),
        "fsync": "off",
    }
    subprocess.run(
        [str(made.programs / initdb[0]), *initdb[1:], f"--pwfile={made.folder / 'password'}"],
        check=True,
        capture_output=True,
        cwd=made.folder,
        **options,
    )
    with (data / "postgresql.conf").open("a") as settings:  # not as options: those cannot be changed later
        settings.writelines(f"{name} = '{value}'\n" for name, value in told.items())
    child = subprocess.Popen(
        [str(made.programs / "postgres"), "-D", str(data)],
        stderr=subprocess.DEVNULL,
        cwd=made.folder,
        **options,
    )
    try:
        _wait(made)
        yield made
    finally:
        child.terminate()
        child.wait(START_SECONDS)


def _wait(made: TlsPostgres) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(made.url()).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return
