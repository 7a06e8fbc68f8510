"""`lgp up` as root and as another user, and in folders it may not use."""

import os
import signal
import stat
from pathlib import Path

import pytest
from cli_instance import Instance, make_graphs, read_only

from lgp.errors import FolderUnusable
from lgp.state import State

AS_ROOT = os.geteuid() == 0
NEEDS_ROOT = pytest.mark.skipif(not AS_ROOT, reason="only root can make what another account may not use")


def test_another_account_serves_from_its_own_folder(other_account: Instance) -> None:
    running = other_account.up()
    postgres = other_account.postgres
    assert postgres is not None
    assert postgres.uids().real == 65534
    assert running.server.uids().real == 65534
    assert other_account.data == other_account.home / "postgres" / "data"
    assert stat.S_IMODE(other_account.data.stat().st_mode) == 0o700
    assert running.query("select 1") == (1,)
    code, said = running.stop(signal.SIGINT)
    assert code == 0, said
    assert other_account.postgres is None


def test_another_account_recovers_from_a_kill_of_everything(other_account: Instance) -> None:
    first = other_account.up()
    first.query("create table kept as select 7 as answer")
    postgres = other_account.postgres
    assert postgres is not None
    for victim in (first.process, first.server, postgres):
        victim.kill()
    first.process.communicate()
    second = other_account.up()
    assert second.query("select answer from kept") == (7,)
    assert second.stop()[0] == 0


def test_an_account_without_an_entry_is_told_what_is_missing(other_account: Instance) -> None:
    home = other_account.home.parent
    os.chown(home, 54321, 54321)
    other_account.account = {"user": 54321, "group": 54321, "extra_groups": []}
    done = other_account.lgp("up")
    assert done.returncode == 1
    assert "needs an /etc/passwd entry for uid 54321" in done.stderr
    assert "DATABASE_URL" in done.stderr


@NEEDS_ROOT
def test_for_root_only_postgres_runs_as_nobody(instance: Instance) -> None:
    running = instance.up()
    postgres = instance.postgres
    assert postgres is not None
    assert postgres.username() == "nobody"
    assert instance.data.is_relative_to("/var/lib/lgp/clusters")
    assert running.server.uids().real == 0
    assert running.stop()[0] == 0


@NEEDS_ROOT
def test_a_read_only_folder_is_one_line(folder: Path, new_instance: Instance) -> None:
    with read_only(folder) as mounted:
        new_instance.home = mounted / "state"
        done = new_instance.lgp("up")
        assert done.returncode == 1
        assert done.stderr == f"lgp: cannot write {mounted / 'state'}: Read-only file system\n"
        new_instance.home = folder / "state"


@pytest.mark.skipif(AS_ROOT, reason="no mode of a folder keeps root out")
def test_a_folder_without_write_permission_is_one_line(new_instance: Instance) -> None:
    new_instance.home.parent.chmod(0o555)
    done = new_instance.lgp("up")
    new_instance.home.parent.chmod(0o755)
    assert done.returncode == 1
    assert "Permission denied" in done.stderr


@NEEDS_ROOT
def test_a_state_folder_of_another_user_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    os.chown(tmp_path / "state", 12345, 12345)
    with pytest.raises(FolderUnusable, match="belongs to another user"):
        State(tmp_path / "state").open()


def test_a_clone_at_a_long_path_serves(folder: Path) -> None:
    deep = folder / ("a-rather-long-name/" * 12)
    deep.mkdir(parents=True)
    from_deep = Instance(deep / "state", make_graphs(deep / "graphs"))
    try:
        running = from_deep.up()
        assert running.query("select 1") == (1,)
        assert running.stop()[0] == 0
    finally:
        from_deep.remove()
