"""One embedded PostgreSQL: made once, started or adopted, stopped cleanly."""

import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psycopg

from lgp.embedded.binaries import MAJOR, program_folder
from lgp.embedded.layout import Layout
from lgp.embedded.process import (
    clear_remains,
    end_process,
    find_postmaster,
    program_environment,
    spawn_postgres,
)
from lgp.errors import EmbeddedProblem
from lgp.folders import kept_secret, write_private

ROLE = "lgp"
"""Owner of the database, no superuser: as in production, nothing may depend on being one."""

START_SECONDS = 60.0
"""Longest start, recovery after a crash included."""

POLL_SECONDS = 0.01

STOP_STEPS = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
"""Fast shutdown; then immediate, which the next start recovers from; then the kernel's."""

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "512MB",
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
    "cluster_name": "lgp",
}
_FORGETFUL = {"fsync": "off", "full_page_writes": "off"}
"""A kill of PostgreSQL still loses nothing: only the machine's own crash does."""


class Cluster:
    """The PostgreSQL of a layout. `start`, then hand `url` to whoever needs a database, then `stop`."""

    def __init__(
        self, layout: Layout, *, durable: bool = True, settings: dict[str, str] | None = None
    ) -> None:
        """With `durable=False` a crash of the machine may lose or spoil the data: for tests only."""
        self.layout = layout
        self._durable = durable
        self._settings = _SETTINGS | ({} if durable else _FORGETFUL) | (settings or {})
        self._child: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def url(self) -> str:
        """The libpq URL of the database `lgp`, with the password: never print it."""
        return self.url_of(ROLE)

    def url_of(self, database: str) -> str:
        """The libpq URL of a database of this cluster, for the role that owns it."""
        password = kept_secret(self.layout.keep / "password")
        host = quote(str(self.layout.socket), safe="")
        return f"postgresql://{ROLE}:{quote(password, safe='')}@/{database}?host={host}&port=5432"

    @property
    def pid(self) -> int | None:
        """The running PostgreSQL's pid."""
        process = find_postmaster(self.layout.data)
        return None if process is None else process.pid

    def start(self) -> bool:
        """Return once it answers; True if it was started, False if one that still ran was adopted."""
        data = self.layout.data
        if not data.exists():
            self._make_data()
        self._check_version()
        if find_postmaster(data) is not None and self._answers_while(
            lambda: find_postmaster(data) is not None
        ):
            return False
        self._reap()
        clear_remains(data, self.layout.socket)
        child = self._child = self._spawn()
        if not self._answers_while(lambda: child.poll() is None):
            message = f"PostgreSQL did not start: {self._last_words()}"
            raise EmbeddedProblem(message)
        return True

    def stop(self) -> None:
        """End it, cleanly if it lets us; what is committed survives either way."""
        process = find_postmaster(self.layout.data)
        if process is None:
            self._reap()
            return
        worked = end_process(process, STOP_STEPS)
        self._reap()
        if worked is None:
            message = f"PostgreSQL (pid {process.pid}) cannot be ended"
            raise EmbeddedProblem(message)

    def _reap(self) -> None:
        if self._child is not None:
            self._child.wait(STOP_STEPS[-1][1])
            self._child = None

    def _program(self, name: str) -> str:
        return str(program_folder(self.layout.binaries) / name)

    def _check_version(self) -> None:
        version = (self.layout.data / "PG_VERSION").read_text().strip()
        if version != str(MAJOR):
            made = f"{self.layout.data} was made by PostgreSQL {version}; this release runs {MAJOR}"
            message = f"{made}: dump it with the old release, or move the folder away"
            raise EmbeddedProblem(message)

    def _make_data(self) -> None:
        """Make the data folder whole or not at all: what a killed attempt left is thrown away by the next."""
        home = self.layout.home
        for remains in home.glob("new-*"):
            _remove(remains)
        fresh = home / f"new-{secrets.token_hex(4)}"
        password = fresh.with_suffix(".password")
        write_private(password, kept_secret(self.layout.keep / "superuser-password"), self.layout.account)
        try:
            self._run(self._initdb(fresh, password))
            self._run(self._single_user(fresh), self._first_statements())
        finally:
            password.unlink()
        fresh.rename(self.layout.data)

    def _initdb(self, data: Path, password: Path) -> list[str]:
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8"]
        access = ["--username=postgres", "--auth=scram-sha-256", f"--pwfile={password}"]
        haste = [] if self._durable else ["--no-sync"]
        return [self._program("initdb"), f"--pgdata={data}", *access, *locale, "--no-instructions", *haste]

    def _single_user(self, data: Path) -> list[str]:
        return [self._program("postgres"), "--single", "-D", str(data), *self._options(), "postgres"]

    def _first_statements(self) -> str:
        password = kept_secret(self.layout.keep / "password")
        role = f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{password}'"
        return f"{role};\nCREATE DATABASE {ROLE} OWNER {ROLE};\n"

    def _run(self, command: list[str], statements: str = "") -> None:
        done = subprocess.run(
            command,
            cwd=self.layout.home,
            env=program_environment(),
            input=statements,
            capture_output=True,
            text=True,
            check=False,
            umask=0o077,
            start_new_session=True,
            **self.layout.account.spawn_options(),
        )
        output = done.stdout + done.stderr
        self._mark_log()
        if done.returncode != 0 or "ERROR:" in output:
            with self.layout.log.open("a") as log:
                log.write(output)
            message = f"{Path(command[0]).name} failed (exit {done.returncode}): {self._last_words()}"
            raise EmbeddedProblem(message)

    def _options(self) -> list[str]:
        return [f"--{name}={value}" for name, value in self._settings.items()]

    def _spawn(self) -> subprocess.Popen[bytes]:
        layout = self.layout
        self._mark_log()
        options = ["-D", str(layout.data), "-k", str(layout.socket), *self._options()]
        return spawn_postgres([self._program("postgres"), *options], layout.account, layout.home, layout.log)

    def _answers_while(self, alive: Callable[[], bool]) -> bool:
        """Wait until it lets us in; False if it is gone before."""
        deadline = time.monotonic() + START_SECONDS
        while (trouble := self._connect()) is not None:
            if not alive():
                return False
            if time.monotonic() > deadline or "password authentication failed" in trouble:
                message = f"PostgreSQL does not let us in: {trouble} (see {self.layout.log})"
                raise EmbeddedProblem(message)
            time.sleep(POLL_SECONDS)
        return True

    def _connect(self) -> str | None:
        """None once the database answers with our password, else why it does not."""
        if not (self.layout.socket / ".s.PGSQL.5432").exists():
            return "no socket yet"
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError as error:
            return str(error).replace("\n", " ")
        return None

    def _mark_log(self) -> None:
        """What is logged from here on is about this start."""
        log = self.layout.log
        self._log_start = log.stat().st_size if log.exists() else 0

    def _last_words(self) -> str:
        log = self.layout.log
        said = log.read_bytes()[self._log_start :] or log.read_bytes()  # begun anew in between
        lines = said.decode(errors="replace").splitlines()
        telling = [line for line in lines if "FATAL" in line or "error" in line.lower()]
        return f"{(telling or lines or ['it said nothing'])[-1]} (see {log})"


def _remove(remains: Path) -> None:
    """Remove a folder or a file; an `initdb` whose starter was killed may still be writing there."""
    shutil.rmtree(remains, ignore_errors=True)
    if remains.is_file():
        remains.unlink()
