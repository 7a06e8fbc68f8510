"""The commands as they are run: real processes, a real PostgreSQL."""

import json
import os
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from agent_server.core.keys import is_well_formed

ROOT = Path(__file__).resolve().parents[3]
PEPPER = "pepper-" * 6
KEY = ("keys", "create", "--tenant", "t", "--expires-days", "1")
NOWHERE = "postgresql://me:hunter2@127.0.0.1:1/none"
QUICK = 0.2
"""Seconds of processor time: bound of help and usage errors, whatever else the machine does."""

GRAPH = """
from typing import TypedDict
from langgraph.graph import StateGraph
print("a graph's module may print")
class State(TypedDict):
    n: int
builder = StateGraph(State)
builder.add_node("a", lambda state: {})
builder.set_entry_point("a")
graph = builder.compile()
"""


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command with nothing but these settings; no command may leave a traceback."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "agent_server", *arguments],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def operator(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command that succeeds on a database."""
    done = run(*arguments, DATABASE_URL=url, API_KEY_PEPPER=PEPPER)
    assert (done.returncode, done.stderr if "--json" in arguments else "") == (0, ""), done.stderr
    return done


def machine(url: str, *arguments: str) -> Any:
    """What a command says to a program."""
    return json.loads(operator(url, *arguments, "--json").stdout)


def only_line(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of a command that failed."""
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["keys", "create", "--help"], 0),
        ([], 2),
        (["fly"], 2),
        (["keys"], 2),
        (["keys", "create", "--tenant", "t"], 2),
        (["keys", "create", "--tenant", "a.b", "--name", "n"], 2),
        (["keys", "create", "--tenant", "t", "--name", "n", "--expires-days", "0"], 2),
        (["keys", "create", "--tenant", "t", "--name", "n", "--expires-days", "nan"], 2),
        (["keys", "revoke", "no-uuid"], 2),
        (["audit", "--limit", "0"], 2),
        (["serve", "--port", "1"], 2),
    ],
)
def test_help_and_usage_errors_are_told_at_once(arguments: list[str], code: int) -> None:
    took: list[float] = []
    for _ in range(5):
        before = _processor_seconds()
        done = run(*arguments)
        took.append(_processor_seconds() - before)
        assert done.returncode == code
        assert "usage: python -m agent_server" in (done.stderr if code else done.stdout)
        if took[-1] < QUICK:
            return
    assert min(took) < QUICK


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize(
    "command", ["serve", "worker", "migrate", "retention", "audit", "graphs", "keys list"]
)
def test_every_command_takes_json(command: str) -> None:
    assert "--json" in run(*command.split(), "--help").stdout


@pytest.mark.parametrize(
    "command", ["serve", "worker", "migrate", "retention", "audit", "graphs", "keys list"]
)
def test_a_wrong_setting_is_one_line(command: str) -> None:
    line = only_line(run(*command.split(), DATABASE_URL=NOWHERE, POOL_MIN_SIZE="many"))
    assert line.startswith("agent_server: The environment is not usable: POOL_MIN_SIZE")
    assert "many" not in line


@pytest.mark.parametrize("command", ["migrate", "retention", "audit", "keys list"])
def test_a_database_that_is_not_there_is_one_line_without_its_password(command: str) -> None:
    started = time.monotonic()
    line = only_line(run(*command.split(), DATABASE_URL=NOWHERE, API_KEY_PEPPER=PEPPER))
    assert line == "agent_server: The database at 127.0.0.1 port 1 is not available: nothing listens there."
    assert time.monotonic() - started < 8


@pytest.mark.parametrize("command", ["retention", "audit", "keys list"])
def test_a_database_that_is_not_migrated_is_one_line_that_says_what_to_do(
    fresh_database: str, command: str
) -> None:
    line = only_line(run(*command.split(), DATABASE_URL=fresh_database, API_KEY_PEPPER=PEPPER))
    assert line.endswith("run `python -m agent_server migrate` first.")


def test_keys_need_a_pepper(migrated_database: str) -> None:
    for pepper in ("", "short"):
        line = only_line(run("keys", "list", DATABASE_URL=migrated_database, API_KEY_PEPPER=pepper))
        assert "API_KEY_PEPPER" in line


def test_nothing_is_served_unguarded() -> None:
    done = run("serve", DATABASE_URL=NOWHERE, HOST="0.0.0.0")
    assert "AUTH=none is admitted on a loopback HOST only" in only_line(done)


def test_migrate_says_what_it_applied_and_does_nothing_twice(fresh_database: str) -> None:
    assert machine(fresh_database, "migrate")["applied"][0] == "0001_runs"
    assert machine(fresh_database, "migrate") == {"applied": []}
    assert operator(fresh_database, "migrate").stdout == "up to date\n"


def test_a_key_is_printed_once_and_alone_on_stdout(migrated_database: str) -> None:
    done = operator(migrated_database, "keys", "create", "--tenant", "acme", "--name", "ci")
    assert is_well_formed(done.stdout.removesuffix("\n"))
    assert "of tenant acme, admin, without an end; it is not shown again" in done.stderr
    key = done.stdout.strip()
    listed = operator(migrated_database, "keys", "list").stdout
    assert key[:8] in listed
    assert key not in listed


def test_a_key_has_the_role_that_it_was_made_with(migrated_database: str) -> None:
    create = ("keys", "create", "--tenant", "acme", "--name", "ci")
    for role in ("viewer", "operator", "approver", "admin"):
        assert machine(migrated_database, *create, "--role", role)["role"] == role
    assert machine(migrated_database, *create)["role"] == "admin"
    listed = machine(migrated_database, "keys", "list")["keys"]
    assert [key["role"] for key in listed] == ["viewer", "operator", "approver", "admin", "admin"]
    entries = machine(migrated_database, "audit")["entries"]
    assert [entry["detail"]["role"] for entry in reversed(entries)] == [key["role"] for key in listed]


def test_keys_are_made_listed_and_revoked(migrated_database: str) -> None:
    made = machine(
        migrated_database, "keys", "create", "--tenant", "acme", "--name", "ci", "--expires-days", "30"
    )
    assert is_well_formed(made.pop("key"))
    assert made["expires_at"].endswith("Z")
    machine(migrated_database, "keys", "create", "--tenant", "other", "--name", "ci")
    assert machine(migrated_database, "keys", "list", "--tenant", "acme") == {"keys": [made]}
    assert len(machine(migrated_database, "keys", "list")["keys"]) == 2
    revoked = machine(migrated_database, "keys", "revoke", made["key_id"])
    assert (revoked["key_id"], revoked["status"]) == (made["key_id"], "revoked")
    assert "revoked: lgp_" in operator(migrated_database, "keys", "revoke", made["key_id"]).stdout
    [kept] = machine(migrated_database, "keys", "list", "--tenant", "acme")["keys"]
    assert kept == revoked


def test_an_unknown_key_cannot_be_revoked(migrated_database: str) -> None:
    unknown = "00000000-0000-0000-0000-000000000000"
    done = run("keys", "revoke", unknown, DATABASE_URL=migrated_database, API_KEY_PEPPER=PEPPER)
    assert only_line(done) == f"agent_server: There is no key {unknown}."


def test_the_audit_tells_who_made_which_key(migrated_database: str) -> None:
    for tenant in ("acme", "other", "acme"):
        made = machine(migrated_database, "keys", "create", "--tenant", tenant, "--name", "ci")
    machine(migrated_database, "keys", "revoke", made["key_id"])
    entries = machine(migrated_database, "audit", "--tenant", "acme", "--limit", "2")["entries"]
    assert [(entry["subject"], entry["action"]) for entry in entries] == [
        ("operator", "key.revoke"),
        ("operator", "key.create"),
    ]
    assert entries[0]["target"] == made["key_id"]
    before = str(entries[-1]["entry"])
    assert len(machine(migrated_database, "audit", "--before", before)["entries"]) == 2
    assert "key.revoke" in operator(migrated_database, "audit").stdout


def test_retention_counts_what_it_deleted(migrated_database: str) -> None:
    with psycopg.connect(migrated_database) as connection:
        connection.execute(
            "insert into agent.threads (thread_key, tenant, thread_id, graph, updated_at)"
            " values (gen_random_uuid(), 't', 't', 'g', now() - interval '2 days')"
        )
    sweeping = {"DATABASE_URL": migrated_database, "RETENTION_THREADS_DAYS": "1"}
    counts = {"events": 0, "idempotency_keys": 0, "runs": 0, "checkpoints": 0, "threads": 1, "attachments": 0}
    assert json.loads(run("retention", "--json", **sweeping).stdout) == {"swept": counts}
    assert run("retention", **sweeping).stdout == (
        "deleted: 0 events, 0 idempotency keys, 0 runs, 0 checkpoints, 0 threads, 0 attachments\n"
    )


def test_retention_leaves_it_to_the_process_that_is_at_it(migrated_database: str) -> None:
    with psycopg.connect(migrated_database) as connection:
        connection.execute(
            "insert into agent.retention (mark, at) values ('turn', now() + interval '1 minute')"
        )
    assert machine(migrated_database, "retention") == {"swept": None}


def graphs_file(folder: Path, graph: str = GRAPH) -> str:
    (folder / "some_graph.py").write_text(graph)
    config = folder / "langgraph.json"
    config.write_text(json.dumps({"graphs": {"some": "./some_graph.py:graph"}}))
    return str(config)


def test_graphs_are_described_without_a_database(tmp_path: Path) -> None:
    settings = {"DATABASE_URL": NOWHERE, "LANGGRAPH_CONFIG": graphs_file(tmp_path)}
    done = run("graphs", "--json", **settings)
    assert done.returncode == 0
    [graph] = json.loads(done.stdout)["graphs"]
    told = ["name", "description", "input_schema", "output_schema", "context_schema", "mermaid"]
    assert list(graph) == told
    assert (graph["name"], list(graph["input_schema"]["properties"])) == ("some", ["n"])
    assert run("graphs", **settings).stdout.splitlines()[1].startswith("some")


def test_a_graph_that_cannot_be_loaded_is_one_line(tmp_path: Path) -> None:
    config = graphs_file(tmp_path, "raise ValueError('two\\nlines')")
    done = run("graphs", "--json", DATABASE_URL=NOWHERE, LANGGRAPH_CONFIG=config)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "graph 'some'" in line
    assert [told["graph"] for told in json.loads(done.stdout)["problems"]] == ["some"]


def test_the_commands_that_need_no_langgraph_do_not_import_it(migrated_database: str) -> None:
    script = (
        "import sys; from agent_server.__main__ import main; code = main(sys.argv[1:]);"
        "sys.exit(code or any(name.startswith(('langgraph', 'langchain')) for name in sys.modules))"
    )
    environment = {**os.environ, "DATABASE_URL": migrated_database, "API_KEY_PEPPER": PEPPER}
    for command in ("keys list", "audit", "retention"):
        done = subprocess.run(
            [sys.executable, "-c", script, *command.split()],
            env=environment,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_times_are_in_utc_whatever_the_databases_time_zone_is(migrated_database: str) -> None:
    with psycopg.connect(migrated_database, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("alter database {} set timezone to 'Asia/Kolkata'").format(name))
    made = machine(migrated_database, *KEY, "--name", "n")
    told = [made["created_at"], made["expires_at"]]
    told += [key["created_at"] for key in machine(migrated_database, "keys", "list")["keys"]]
    told += [entry["at"] for entry in machine(migrated_database, "audit")["entries"]]
    assert len(told) == 4
    assert all(moment.endswith("Z") for moment in told), told
    now = datetime.now(UTC)
    assert f" {now:%Y-%m-%d %H:}" in operator(migrated_database, "audit").stdout or now.minute == 0
    created = operator(migrated_database, *KEY, "--name", "m")
    assert f"until {now + timedelta(days=1):%Y-%m-%d %H:}" in created.stderr or now.minute == 0
