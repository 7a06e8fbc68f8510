"""The role that serving processes log in as: all that they need and no more, made by `migrate`."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from app.support.roles import (
    as_role,
    as_superuser,
    execute,
    members_of_rds_iam,
    new_role,
    rds_iam,
    without_login,
)
from app.support.storage_world import settings_for
from app.support.surface import GRAPHS, caller, invoke, ok, resume, serving, state
from psycopg.errors import InsufficientPrivilege
from support.server import REPOSITORY, environment

from agent_server.core.errors import ConfigurationError
from agent_server.storage.migrate import migrate
from lgp.embedded import Cluster

PASSWORD = "of-the-application'role"
PEPPER = "p" * 32
TABLES = """
    select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('agent', 'public') and c.relkind in ('r', 'p') order by 1
"""
RIGHTS = """
    select c.oid::regclass::text, c.relacl::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('agent', 'public') and c.relkind in ('r', 'p')
    union all select nspname, nspacl::text from pg_namespace where nspname in ('agent', 'public')
    union all select datname, datacl::text from pg_database where datname = current_database()
    union all select 'default of ' || defaclnamespace::text, defaclacl::text from pg_default_acl order by 1
"""


@dataclass
class World:
    """An empty database, who migrates it, and the role that is to serve it."""

    master: str
    folder: Path
    role: str = field(default_factory=new_role)

    @property
    def database(self) -> str:
        return str(psycopg.conninfo.conninfo_to_dict(self.master)["dbname"])

    @property
    def application(self) -> str:
        return as_role(self.master, self.role, PASSWORD)

    def migrate(self, **more: object) -> list[str]:
        return asyncio.run(migrate(self.settings(**more)))

    def settings(self, *, password: str | None = PASSWORD, **more: object) -> Any:
        (self.folder / "password").write_text(password or "")
        file = self.folder / "password" if password else None
        return settings_for(
            self.master, application_role=self.role, application_role_password_file=file, **more
        )


@pytest.fixture
def world(postgres_cluster: Cluster, fresh_database: str, tmp_path: Path) -> World:
    return World(as_superuser(postgres_cluster, fresh_database), tmp_path)


def test_the_role_reads_and_writes_rows_and_changes_no_schema(world: World) -> None:
    world.migrate()
    tables = {name for (name,) in execute(world.master, TABLES)}
    rights = {
        table: {
            right
            for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
            if execute(
                world.master,
                "select has_table_privilege({role}, {table}, {right})",
                role=world.role,
                table=table,
                right=right,
            )[0][0]
        }
        for table in tables
    }
    rows = {"SELECT", "INSERT", "UPDATE", "DELETE"}
    narrower: dict[str, set[str]] = {"agent.audit_log": {"SELECT", "INSERT"}, "agent.migrations": {"SELECT"}}
    untouched = {"public.checkpoint_migrations", "public.store_migrations"}
    assert rights == {
        table: set[str]() if table in untouched else narrower.get(table, rows) for table in tables
    }
    assert len(tables) >= 14


@pytest.mark.parametrize(
    "statement",
    [
        "create table agent.mine (a int)",
        "create table public.mine (a int)",
        "create schema mine",
        "alter table agent.runs add column mine int",
        "drop table agent.runs",
        "drop table checkpoints",
        "truncate agent.runs",
        "create index on agent.runs (tenant)",
        "update agent.audit_log set subject = 'other'",
        "delete from agent.audit_log",
        "delete from agent.migrations",
        "create role another",
        "alter role postgres password 'mine'",
        "drop function agent.refuse_change() cascade",
        "set role postgres",
    ],
)
def test_the_role_is_refused(served: World, statement: Any) -> None:
    with pytest.raises(InsufficientPrivilege):
        execute(served.application, statement)


@pytest.fixture(scope="module")
def served(
    postgres_cluster: Cluster, module_database: str, tmp_path_factory: pytest.TempPathFactory
) -> World:
    """A migrated database of this module."""
    made = World(as_superuser(postgres_cluster, module_database), tmp_path_factory.mktemp("served"))
    made.migrate()
    return made


@pytest.fixture
def mounted(served: World) -> dict[str, str]:
    """What a pod is told: a URL without a login, and the files that hold it."""
    (served.folder / "username").write_text(served.role)
    (served.folder / "password").write_text(PASSWORD)
    return {
        "DATABASE_AUTH": "file",
        "DATABASE_USER_FILE": str(served.folder / "username"),
        "DATABASE_PASSWORD_FILE": str(served.folder / "password"),
    }


def test_a_server_of_that_role_serves(served: World, mounted: dict[str, str]) -> None:
    with serving(without_login(served.master), **mounted) as server, caller(server) as http:
        assert ok(invoke(http, "echo", {"text": "hello"}))["status"] == "success"
        waiting = ok(invoke(http, "ask", {}, thread_id="t"))
        assert waiting["status"] == "interrupted"
        ok(resume(http, "ask", "t", resume_data="yes"))
        assert state(http, "ask", "t")["next"] == []
        assert ok(invoke(http, "store", {"seen": "kept"}))["status"] == "success"
        assert http.delete("/threads/t").status_code == 204
        assert "error" not in {json.loads(line)["level"] for line in server.log().splitlines() if line}
    who = "select distinct usename from pg_stat_activity where datname = current_database()"
    assert world_of(served, who) <= {"postgres", served.role}


def world_of(served: World, statement: Any) -> set[str]:
    return {row[0] for row in execute(served.master, statement)}


@pytest.mark.parametrize(
    "command", ["retention", "audit", "keys list", "keys create --tenant acme --name test"]
)
def test_every_other_command_works_as_that_role(served: World, mounted: dict[str, str], command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "agent_server", *command.split(), "--json"],
        cwd=REPOSITORY / "app",
        env=environment(without_login(served.master), GRAPHS, API_KEY_PEPPER=PEPPER, **mounted),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


def test_a_second_time_changes_nothing(world: World) -> None:
    world.migrate()
    before = execute(world.master, RIGHTS)
    assert world.migrate() == []
    assert execute(world.master, RIGHTS) == before
    assert execute(world.application, "select count(*) from agent.runs") == [(0,)]


async def test_four_at_once_end_well(world: World) -> None:
    applied = await asyncio.gather(*(migrate(world.settings()) for _ in range(4)))
    assert sum(map(bool, applied)) == 1
    assert await asyncio.to_thread(execute, world.application, "select 1") == [(1,)]


def test_a_new_password_takes_the_place_of_the_old_one(world: World) -> None:
    world.migrate(password="an-older-one")
    world.migrate()
    execute(world.application, "select 1")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        execute(as_role(world.master, world.role, "an-older-one"), "select 1")


def test_roles_take_turns_and_the_one_before_stays_good(world: World) -> None:
    world.migrate()
    first = world.application
    world.role = new_role()
    world.migrate()
    for url in (first, world.application):
        execute(url, "insert into agent.retention (mark) values (current_user)")


def test_the_servers_log_never_has_the_password(world: World, postgres_cluster: Cluster) -> None:
    execute(world.master, "alter database {} set log_statement = 'all'", world.database)
    world.migrate()
    log = postgres_cluster.layout.log.read_text(errors="replace")
    assert f'alter role "{world.role}" password' in log
    assert PASSWORD not in log
    assert PASSWORD.replace("'", "''") not in log


def test_whoever_migrates_need_not_be_a_superuser(world: World) -> None:
    """As on RDS, whose master user may only make roles."""
    master = new_role()
    execute(world.master, "create role {} login createrole password {password}", master, password="m")
    execute(world.master, "grant create on database {} to {} with grant option", world.database, master)
    execute(world.master, "grant connect on database {} to {} with grant option", world.database, master)
    execute(world.master, "grant create, usage on schema public to {} with grant option", master)
    world.master = as_role(world.master, master, "m")
    world.migrate()
    world.migrate()
    assert execute(world.application, "select count(*) from agent.runs") == [(0,)]


def test_without_a_password_the_role_gets_the_login_of_rds_by_token(world: World) -> None:
    superuser = world.master
    with rds_iam(superuser):
        world.migrate()
        world.migrate(password=None)
        assert members_of_rds_iam(superuser) == {world.role}
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            execute(world.application, "select 1")
        world.migrate(password=None)
        assert members_of_rds_iam(superuser) == {world.role}
        world.migrate()
        assert members_of_rds_iam(superuser) == set(), "its members are let in by no password"
        execute(world.application, "select 1")


def test_iam_where_the_database_has_none_is_refused_with_what_to_do(world: World) -> None:
    with pytest.raises(ConfigurationError, match=r"no role rds_iam.*APPLICATION_ROLE_PASSWORD_FILE"):
        world.migrate(password=None)
    found = execute(world.master, "select from pg_roles where rolname = {role}", role=world.role)
    assert found == [], "half a role is none"


@pytest.mark.parametrize("right", ["superuser", "createrole", "createdb", "replication", "bypassrls"])
def test_a_role_that_may_do_more_than_serve_is_refused(world: World, right: str) -> None:
    make: Callable[..., Any] = execute
    make(world.master, "create role {} login " + right, world.role)
    with pytest.raises(ConfigurationError, match="may do more than serve"):
        world.migrate()


def test_the_role_that_migrates_does_not_serve(world: World) -> None:
    world.role = "postgres"
    with pytest.raises(ConfigurationError, match="is the role that migrates"):
        world.migrate()


def test_what_postgresql_refuses_is_one_line_without_the_password(world: World) -> None:
    world.role = "pg_reserved"
    with pytest.raises(ConfigurationError, match="PostgreSQL refused: role name") as caught:
        world.migrate()
    assert PASSWORD not in caught.value.detail


def test_without_a_role_to_make_none_is_made(world: World) -> None:
    roles = execute(world.master, "select rolname from pg_roles order by 1")
    asyncio.run(migrate(settings_for(world.master)))
    assert execute(world.master, "select rolname from pg_roles order by 1") == roles
