"""The embedded PostgreSQL lets nobody else in, survives every kill, and is never half made."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from cli_instance import eventually

from lgp.embedded import Cluster, Layout, clone_layout, private_layout
from lgp.embedded.process import end_process, find_postmaster, has_ended
from lgp.errors import EmbeddedProblem, FolderUnusable

AS_ROOT = os.geteuid() == 0


@pytest.fixture(scope="module")
def shared() -> Iterator[Cluster]:
    """A cluster that tests may stop, kill and start again."""
    folder = Path(tempfile.mkdtemp(prefix="lgp-", dir="/tmp"))
    cluster = Cluster(private_layout(folder), durable=False)
    yield cluster
    cluster.stop()
    shutil.rmtree(folder)


@pytest.fixture
def cluster(shared: Cluster) -> Cluster:
    shared.start()
    return shared


def value(cluster: Cluster, query: str, url: str | None = None) -> object:
    with psycopg.connect(url or cluster.url) as connection:
        row = connection.execute(query).fetchone()  # pyright: ignore[reportArgumentType]  # the test's own
        assert row is not None
        return row[0]


def postmaster(cluster: Cluster) -> psutil.Process:
    found = find_postmaster(cluster.layout.data)
    assert found is not None
    return found


def test_it_is_postgres_18_reached_by_a_socket_only_as_no_superuser(cluster: Cluster) -> None:
    assert str(value(cluster, "select version()")).startswith("PostgreSQL 18")
    assert value(cluster, "select current_setting('listen_addresses')") == ""
    assert value(cluster, "select rolsuper from pg_roles where rolname = current_user") is False
    assert not [one for one in postmaster(cluster).net_connections() if one.family != 1]


def test_every_login_needs_the_password_by_scram(cluster: Cluster) -> None:
    rules = "select string_agg(distinct auth_method, ',') from pg_hba_file_rules"
    superuser = (cluster.layout.keep / "superuser-password").read_text()
    url = (
        cluster.url_of("postgres")
        .replace("lgp:", "postgres:")
        .replace((cluster.layout.keep / "password").read_text(), superuser)
    )
    assert value(cluster, rules, url) == "scram-sha-256"
    assert str(value(cluster, "select rolpassword from pg_authid where rolname = 'lgp'", url)).startswith(
        "SCRAM"
    )
    for wrong in (cluster.url.replace("lgp:", "lgp:x"), f"host={cluster.layout.socket} user=postgres"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(wrong)


def test_its_folders_are_closed_to_everyone_else(cluster: Cluster) -> None:
    layout = cluster.layout
    for folder in (layout.home, layout.data, layout.socket):
        found = folder.stat()
        assert stat.S_IMODE(found.st_mode) == 0o700, folder
        assert found.st_uid == layout.account.uid, folder
    for secret in ("password", "superuser-password"):
        assert stat.S_IMODE((layout.keep / secret).stat().st_mode) == 0o600
    assert not list(layout.home.glob("*password*"))
    assert (postmaster(cluster).uids().real == 0) is False


def test_no_password_is_on_any_command_line(cluster: Cluster) -> None:
    password = (cluster.layout.keep / "password").read_text()
    assert password not in " ".join(postmaster(cluster).cmdline())


def test_a_stop_is_clean_and_the_next_start_needs_no_recovery(cluster: Cluster) -> None:
    value(cluster, "select 1")
    cluster.stop()
    log = cluster.layout.log
    size = log.stat().st_size
    assert cluster.start() is True
    assert "database system was shut down at" in log.read_text()[size:]
    assert "not properly shut down" not in log.read_text()[size:]


def test_a_client_that_stays_connected_does_not_hold_up_the_stop(cluster: Cluster) -> None:
    connection = psycopg.connect(cluster.url)
    started = time.monotonic()
    cluster.stop()
    assert time.monotonic() - started < 5
    with pytest.raises(psycopg.OperationalError):
        connection.execute("select 1")
    connection.close()


def test_one_that_still_runs_is_adopted(cluster: Cluster) -> None:
    first = postmaster(cluster)
    second = Cluster(cluster.layout, durable=False)
    assert second.start() is False
    assert postmaster(cluster) == first
    second.stop()
    eventually(lambda: find_postmaster(cluster.layout.data) is None)


def test_a_killed_one_recovers_what_was_committed(cluster: Cluster) -> None:
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        connection.execute("create table if not exists kept as select 42 as answer")
    postmaster(cluster).kill()
    assert cluster.start() is True
    assert value(cluster, "select answer from kept") == 42


def test_killed_with_a_query_under_way_its_orphans_are_waited_for(cluster: Cluster) -> None:
    busy = psycopg.connect(cluster.url)
    backend = psutil.Process(busy.info.backend_pid)
    backend.suspend()
    postmaster(cluster).kill()
    started = time.monotonic()
    waker = threading.Timer(1, backend.resume)
    waker.start()
    assert cluster.start() is True
    waker.join()
    assert time.monotonic() - started > 0.8
    assert value(cluster, "select 1") == 1
    busy.close()


def test_a_lock_file_that_names_a_strangers_pid_does_not_prevent_the_start(cluster: Cluster) -> None:
    cluster.stop()
    account = cluster.layout.account
    stranger = subprocess.Popen(["sleep", "60"], cwd="/", **account.spawn_options())
    lock = f"{stranger.pid}\n{cluster.layout.data}\n1\n5432\n{cluster.layout.socket}\n\n0 0\nready\n"
    try:
        for file in (cluster.layout.data / "postmaster.pid", cluster.layout.socket / ".s.PGSQL.5432.lock"):
            file.write_text(lock)
        assert cluster.start() is True
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_the_data_of_another_version_is_refused_in_one_line(cluster: Cluster) -> None:
    cluster.stop()
    file = cluster.layout.data / "PG_VERSION"
    file.write_text("16\n")
    try:
        with pytest.raises(EmbeddedProblem, match="was made by PostgreSQL 16; this release runs 18"):
            cluster.start()
    finally:
        file.write_text("18\n")


def test_a_process_whose_remains_nobody_collects_counts_as_ended() -> None:
    code = "import subprocess, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
    careless = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert careless.stdout is not None
    process = psutil.Process(int(careless.stdout.readline()))
    try:
        assert end_process(process, ((signal.SIGTERM, 5.0),)) == signal.SIGTERM
        assert process.status() == psutil.STATUS_ZOMBIE
    finally:
        careless.kill()
        careless.communicate()


def test_a_start_that_fails_says_why(cluster: Cluster) -> None:
    cluster.stop()
    wrong = Cluster(cluster.layout, settings={"max_connections": "nonsense"})
    with pytest.raises(EmbeddedProblem, match="max_connections"):
        wrong.start()


def test_a_half_made_cluster_is_made_again(folder: Path) -> None:
    layout = private_layout(folder)
    remains = layout.home / "new-1234"
    remains.mkdir()
    (remains / "PG_VERSION").write_text("18\n")
    (layout.home / "new-1234.password").write_text("left")
    cluster = Cluster(layout, durable=False)
    assert cluster.start() is True
    cluster.stop()
    assert sorted(path.name for path in layout.home.iterdir()) == ["data", "socket"]


def test_ctrl_c_at_the_terminal_never_reaches_it(cluster: Cluster) -> None:
    pid = postmaster(cluster).pid
    assert os.getsid(pid) == pid
    assert os.getsid(pid) != os.getsid(0)


def test_a_long_path_gets_a_short_socket(folder: Path) -> None:
    deep = folder / ("a-rather-long-name/" * 12)
    deep.mkdir(parents=True)
    for path in (deep, *deep.parents):
        if path.is_relative_to(folder):
            path.chmod(0o755)
    layout = private_layout(deep)
    assert len(str(layout.home)) > 200
    cluster = Cluster(layout, durable=False)
    try:
        cluster.start()
        assert value(cluster, "select 1") == 1
        assert stat.S_IMODE(layout.socket.stat().st_mode) == 0o700
    finally:
        cluster.stop()
        layout.socket.rmdir()


def test_the_environment_of_the_caller_does_not_lead_it_astray(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.stop()
    for name in ("PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "LC_ALL"):
        monkeypatch.setenv(name, "/nonsense")
    assert cluster.start() is True
    assert value(cluster, "select current_database()") == "lgp"


@pytest.mark.skipif(not AS_ROOT, reason="only root runs PostgreSQL as another account")
def test_for_root_it_runs_as_nobody_outside_roots_home(tmp_path: Path) -> None:
    layout = clone_layout(tmp_path)
    try:
        assert layout.account.name == "nobody"
        assert layout.home.parent == Path("/var/lib/lgp/clusters")
        assert clone_layout(tmp_path).home == layout.home
        assert layout.binaries == Path("/var/lib/lgp/binaries")
        for program in layout.binaries.rglob("postgres"):
            assert program.stat().st_uid == 0
    finally:
        forget(layout)


@pytest.mark.skipif(not AS_ROOT, reason="only root keeps the data outside the clone")
def test_a_moved_clone_keeps_its_data_and_a_copied_one_gets_its_own(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    first = clone_layout(tmp_path / "first")
    (tmp_path / "first").rename(tmp_path / "moved")
    assert clone_layout(tmp_path / "moved").home == first.home
    shutil.copytree(tmp_path / "moved", tmp_path / "copy")
    (tmp_path / "copy" / "postgres").chmod(0o700)
    copy = clone_layout(tmp_path / "copy")
    assert copy.home != first.home
    assert clone_layout(tmp_path / "moved").home == first.home
    forget(first)
    forget(copy)


def forget(layout: Layout) -> None:
    shutil.rmtree(layout.home)
    layout.home.with_suffix(".clone").unlink()


@pytest.mark.skipif(not AS_ROOT, reason="only root can make a folder of someone else")
def test_a_socket_folder_of_someone_else_is_not_used(folder: Path) -> None:
    layout = private_layout(folder)
    os.chown(layout.socket, 12345, 12345)
    with pytest.raises(FolderUnusable, match="belongs to uid 12345"):
        private_layout(folder)


def test_a_socket_folder_that_is_a_link_is_not_used(folder: Path) -> None:
    layout = private_layout(folder)
    layout.socket.rmdir()
    (folder / "elsewhere").mkdir()
    layout.socket.symlink_to(folder / "elsewhere")
    with pytest.raises(FolderUnusable, match="not a real folder"):
        private_layout(folder)


def test_a_socket_folder_that_others_may_enter_is_not_used(folder: Path) -> None:
    layout = private_layout(folder)
    layout.socket.chmod(0o755)
    with pytest.raises(FolderUnusable, match="open to others"):
        private_layout(folder)


def test_a_postgres_that_ignores_the_stop_is_ended_all_the_same(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = ((signal.SIGINT, 0.2), (signal.SIGQUIT, 0.2), (signal.SIGKILL, 5.0))
    monkeypatch.setattr("lgp.embedded.cluster.STOP_STEPS", steps)
    process = postmaster(cluster)
    process.suspend()
    cluster.stop()
    assert has_ended(process)
    monkeypatch.undo()
    assert cluster.start() is True
