"""B1: the database's password changes under load: nothing fails, and the old login's connections end."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from app.support.roles import as_superuser, execute, new_role, without_login
from app.support.steady_load import steady_load
from app.support.storage_world import settings_for
from app.support.surface import serving
from support.server import ServerProcess

from agent_server.storage.migrate import migrate
from lgp.embedded import Cluster

TURNS = 3
DRAINED_SECONDS = 60.0
OPEN = "select count(*) from pg_stat_activity where usename = {role}"


class Mounted:
    """Two roles that take turns, and the two files that a pod has mounted."""

    def __init__(self, superuser: str, folder: Path) -> None:
        self.superuser, self.folder = superuser, folder
        self.roles = (new_role(), new_role())
        self.turn = 0

    @property
    def active(self) -> str:
        return self.roles[self.turn % 2]

    def write(self, password: str) -> None:
        """As a mounted Secret changes: both files at once, though a reader may see one before the other."""
        for name, value in (("username", self.active), ("password", password)):
            fresh = self.folder / f"{name}.new"
            fresh.write_text(value)
            fresh.rename(self.folder / name)

    async def set_password(self, password: str) -> None:
        """As the migration does it for the role whose turn it is: both roles have the same rights."""
        file = self.folder / "application"
        file.write_text(password)
        told = {"application_role": self.active, "application_role_password_file": file}
        await migrate(settings_for(self.superuser, **told))

    def open_of(self, role: str) -> int:
        return execute(self.superuser, OPEN, role=role)[0][0]


@pytest.fixture
async def mounted(postgres_cluster: Cluster, migrated_database: str, tmp_path: Path) -> Mounted:
    made = Mounted(as_superuser(postgres_cluster, migrated_database), tmp_path)
    await made.set_password("password 0")
    made.write("password 0")
    return made


@pytest.fixture
def server(migrated_database: str, mounted: Mounted) -> Iterator[ServerProcess]:
    files = {
        "DATABASE_AUTH": "file",
        "DATABASE_USER_FILE": str(mounted.folder / "username"),
        "DATABASE_PASSWORD_FILE": str(mounted.folder / "password"),
        "DATABASE_READ_URL": without_login(migrated_database),
    }
    with serving(without_login(migrated_database), **files) as started:
        yield started


async def until_gone(mounted: Mounted, role: str) -> float:
    """The seconds until no connection is the role's."""
    began = time.monotonic()
    while mounted.open_of(role):
        assert time.monotonic() - began < DRAINED_SECONDS
        await asyncio.sleep(0.1)
    return time.monotonic() - began


async def test_three_turns_of_two_roles_under_load_fail_nothing_and_end_the_old_connections(
    mounted: Mounted, server: ServerProcess
) -> None:
    gone: list[float] = []
    async with steady_load(server.url) as load:
        for turn in range(1, TURNS + 1):
            before = mounted.active
            assert mounted.open_of(before) > 0
            mounted.turn = turn
            await mounted.set_password(f"password {turn}")
            mounted.write(f"password {turn}")
            gone.append(await until_gone(mounted, before))
            assert mounted.open_of(mounted.active) > 0
            execute(mounted.superuser, "alter role {} nologin", before)
            await asyncio.sleep(1)
    print(f"B1: {TURNS} turns: {load}; the old role's connections gone after {max(gone):.1f} s")
    assert load.failed == []
    assert len(load.answers) > 20 * TURNS
    assert max(gone) <= DRAINED_SECONDS


async def test_a_file_that_changes_before_the_role_costs_nothing(
    mounted: Mounted, server: ServerProcess
) -> None:
    """The order is wrong, and open connections bridge it."""
    before = mounted.active
    async with steady_load(server.url) as load:
        mounted.turn = 1
        mounted.write("password 1")
        await asyncio.sleep(5)
        assert mounted.open_of(before) > 0
        await mounted.set_password("password 1")
        await until_gone(mounted, before)
    assert load.failed == []
    assert "is not let in yet" in server.log()
    assert "password 1" not in server.log()


async def test_the_same_roles_new_password_is_taken_up_too(mounted: Mounted, server: ServerProcess) -> None:
    """Until the file follows nobody new is let in, and open connections must do: no way to rotate."""
    async with steady_load(server.url) as load:
        await mounted.set_password("password 1")
        await asyncio.sleep(3)
        mounted.write("password 1")
        await asyncio.sleep(4)
    assert load.failed == []
    assert "the connections change to the new login" in server.log()
