"""`lgp up` starts everything, says what to try, and takes everything back, PostgreSQL last."""

import json
import os
import re
import shlex
import signal
import socket
import stat
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import psycopg
import pytest
from cli_instance import SECONDS, Instance, Running, eventually, has_ended_pid
from support.ports import free_port

from lgp.embedded.process import has_ended


def test_it_serves_until_it_is_asked_to_stop(instance: Instance) -> None:
    running = instance.up()
    assert running.told["graphs"] == ["echo", "ask", "fail", "busy"]
    assert running.query("select current_user, current_setting('fsync')") == ("lgp", "on")
    server, postgres = running.server, instance.postgres
    code, said = running.stop()
    assert code == 0, said
    assert re.findall(r"^  (server|PostgreSQL 18) +stopped", said, re.MULTILINE) == [
        "server",
        "PostgreSQL 18",
    ]
    assert has_ended(server)
    assert postgres is not None
    assert has_ended(postgres)
    assert not (instance.home / "up.json").exists()


def test_the_next_start_finds_what_was_committed_and_migrates_nothing(new_instance: Instance) -> None:
    running = new_instance.up()
    running.query("create or replace view kept as select 42 as answer")
    running.stop()
    running = new_instance.up()
    assert running.query("select answer from kept") == (42,)
    assert running.query("select count(*) from agent.migrated") == (1,)
    running.stop()


def test_a_schema_with_another_fingerprint_is_migrated(instance: Instance) -> None:
    instance.up().stop()
    instance.extra["STANDIN_SCHEMA"] = "of-a-newer-release"
    running = instance.up()
    assert running.query("select count(*) from agent.migrations where name like '%newer%'") == (1,)
    running.stop()


def test_ctrl_c_to_the_whole_group_stops_postgres_last_and_cleanly(instance: Instance) -> None:
    running = instance.up()
    os.killpg(running.process.pid, signal.SIGINT)
    running.process.communicate(timeout=SECONDS)
    assert running.process.returncode == 0
    log = (instance.home / "postgres" / "postgres.log").read_text()
    assert "database system is shut down" in log
    assert "interrupted" not in log


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_during_the_start_leaves_nothing(new_instance: Instance, number: signal.Signals) -> None:
    new_instance.extra["STANDIN_MIGRATE_SECONDS"] = "20"
    process = new_instance.spawn("up", "--json")
    eventually((new_instance.home / "migrate.log").exists)
    process.send_signal(number)
    out, said = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (0, ""), said
    assert new_instance.postgres is None


def test_a_second_signal_does_not_wait_for_a_server_that_will_not_stop(instance: Instance) -> None:
    instance.extra["STANDIN_DEAF"] = "1"
    running = instance.up()
    running.process.send_signal(signal.SIGTERM)
    with pytest.raises(Exception, match="timed out"):
        running.process.communicate(timeout=1)
    code, _ = running.stop(signal.SIGTERM)
    assert code == 0
    assert instance.postgres is None


def test_the_server_that_dies_is_told_with_its_exit_code(instance: Instance) -> None:
    running = instance.up()
    running.server.kill()
    _, said = running.process.communicate(timeout=SECONDS)
    assert running.process.returncode == 1
    assert "the server ended with signal SIGKILL" in said
    assert instance.postgres is None


def test_a_graph_that_cannot_be_loaded_stops_the_start_with_its_name(instance: Instance) -> None:
    (instance.config.parent / "ask.py").write_text("raise ValueError('no such model')\n")
    done = instance.lgp("up")
    assert done.returncode == 1
    assert done.stderr.strip().endswith("graph ask cannot be loaded: no such model")
    assert instance.postgres is None


def test_after_a_kill_of_the_launcher_its_server_is_ended_and_postgres_adopted(instance: Instance) -> None:
    first = instance.up()
    first.query("create or replace view kept as select 7 as answer")
    server, postgres = first.server, instance.postgres
    first.process.kill()
    first.process.communicate()
    assert server.is_running()
    second = instance.up()
    assert has_ended(server)
    assert instance.postgres == postgres
    assert second.query("select answer from kept") == (7,)
    code, said = second.stop()
    assert code == 0
    assert "was still running" in said
    assert instance.postgres is None


def test_after_a_kill_of_everything_the_next_start_recovers(instance: Instance) -> None:
    first = instance.up()
    first.query("create or replace view kept as select 7 as answer")
    postgres = instance.postgres
    assert postgres is not None
    for victim in (first.process, first.server, postgres):
        victim.kill()
    first.process.communicate()
    second = instance.up()
    assert second.query("select answer from kept") == (7,)
    second.stop()


def test_a_pid_that_now_means_another_process_is_left_alone(instance: Instance) -> None:
    instance.up().stop()
    bystander = psutil.Popen(["sleep", "60"])
    try:
        record = {"url": "http://127.0.0.1:1", "config": "x", "database_url": "x", "data": None}
        record["server"] = {"pid": bystander.pid, "started": bystander.create_time() - 3600}
        (instance.home / "up.json").write_text(json.dumps(record))
        instance.up().stop()
        assert bystander.is_running()
    finally:
        bystander.kill()
        bystander.wait()


def test_a_second_up_names_the_first(instance: Instance) -> None:
    running = instance.up()
    done = instance.lgp("up")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"already running (pid {running.process.pid}) at {running.url}" in done.stderr
    assert running.stop()[0] == 0


def test_a_taken_port_is_told_before_anything_starts(new_instance: Instance) -> None:
    other = new_instance.up()
    port = other.url.rsplit(":", 1)[1]
    newcomer = Instance(new_instance.home.parent / "newcomer", new_instance.config)
    done = newcomer.lgp("up", "--port", port)
    assert done.returncode == 1
    advice = f"choose another one with PORT={int(port) + 1}"
    assert done.stderr == f"lgp: port {port} is taken by another program: {advice}\n"
    assert not (newcomer.home / "postgres").exists()
    other.stop()


def test_the_metrics_are_where_their_port_says(instance: Instance) -> None:
    port = free_port()
    instance.extra["METRICS_PORT"] = str(port)
    running = instance.up()
    assert running.told["metrics_url"] == f"http://127.0.0.1:{port}/metrics"
    assert running.server.environ()["METRICS_PORT"] == str(port)
    running.stop()


def test_a_port_for_metrics_that_was_asked_for_and_is_taken_is_told(instance: Instance) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = instance.lgp("up", "--metrics-port", str(port))
    advice = f"choose another one with METRICS_PORT={port + 1}"
    assert done.stderr == f"lgp: port {port} is taken by another program: {advice}\n"
    assert done.returncode == 1


def test_metrics_and_requests_do_not_share_a_port(instance: Instance) -> None:
    port = str(free_port())
    done = instance.lgp("up", "--port", port, "--metrics-port", port)
    assert done.returncode == 1
    assert "METRICS_PORT" in done.stderr


def test_a_second_instance_starts_without_metrics_where_their_usual_port_is_taken(instance: Instance) -> None:
    instance.extra["METRICS_PORT"] = ""  # as if it were not set
    with ExitStack() as stack:
        with suppress(OSError):  # another program has it: just as well
            stack.enter_context(socket.create_server(("127.0.0.1", 9464)))
        running = instance.up()
        assert running.told["metrics_url"] is None
        code, said = running.stop()
    assert code == 0
    assert "no metrics: port 9464 is taken" in said


def test_a_missing_config_is_told(instance: Instance) -> None:
    instance.config = instance.home / "nothing.json"
    done = instance.lgp("up")
    assert done.returncode == 2
    assert "CONFIG must be the path of a langgraph.json" in done.stderr


def test_a_database_of_ones_own_is_migrated_and_no_other_is_started(
    new_instance: Instance, fresh_database: str
) -> None:
    new_instance.extra |= {"DATABASE_URL": fresh_database, "DATABASE_DIRECT_URL": fresh_database}
    running = new_instance.up()
    assert running.database_url == fresh_database
    assert running.query("select count(*) from agent.migrated") == (1,)
    assert running.stop()[0] == 0
    assert not (new_instance.home / "postgres").exists()
    with psycopg.connect(fresh_database) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_database_that_is_away_is_told_without_its_password(instance: Instance) -> None:
    instance.extra["DATABASE_URL"] = "postgresql://me:hunter2@127.0.0.1:1/nowhere"
    done = instance.lgp("up")
    assert done.returncode == 5
    assert "the database does not answer" in done.stderr
    assert "hunter2" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_direct_url_of_another_database_does_not_leak_into_the_embedded_one(instance: Instance) -> None:
    instance.extra["DATABASE_DIRECT_URL"] = "postgresql://nowhere.invalid/x"
    running = instance.up()
    assert "DATABASE_DIRECT_URL" not in running.server.environ()
    running.stop()


def test_secrets_are_files_of_ours_alone_and_never_shown(instance: Instance) -> None:
    process = instance.spawn("up")
    eventually((instance.home / "up.json").exists)
    secrets = [(instance.home / name).read_text() for name in ("pepper", "postgres/password")]
    process.terminate()
    out, said = process.communicate(timeout=SECONDS)
    assert all(secret not in out + said for secret in secrets)
    assert all(len(secret) >= 32 for secret in secrets)
    for file in ("pepper", "postgres/password", "postgres/superuser-password", "server.log", "lock"):
        assert stat.S_IMODE((instance.home / file).stat().st_mode) == 0o600, file
    assert stat.S_IMODE(instance.home.stat().st_mode) == 0o700


def test_the_commands_it_prints_work_as_they_are(instance: Instance) -> None:
    process = instance.spawn("up")
    assert process.stdout is not None
    lines: list[str] = []
    while not any("Ctrl-C stops" in line for line in lines):
        lines.append(process.stdout.readline())
    commands = dict(re.findall(r"^  (invoke|approve|watch) +(.*)$", "".join(lines), re.MULTILINE))
    codes = {}
    for name, command in commands.items():
        words = shlex.split(command)
        assert Path(words[0]).name == "lgp"
        codes[name] = instance.lgp(*words[1:]).returncode
    process.terminate()
    process.communicate(timeout=SECONDS)
    assert codes == {"invoke": 3, "approve": 0, "watch": 3}


def test_the_servers_log_is_shown_below_the_banner_and_kept(instance: Instance) -> None:
    process = instance.spawn("up")
    assert process.stdout is not None
    seen = ""
    while "serving as" not in seen:
        seen += process.stdout.readline()
    assert seen.index("Ctrl-C stops") < seen.index("serving as")
    process.terminate()
    process.communicate(timeout=SECONDS)
    assert "serving as" in (instance.home / "server.log").read_text()


def test_a_postgres_that_is_killed_is_started_again_below_the_server(instance: Instance) -> None:
    running = instance.up()
    running.query("create or replace view kept as select 7 as answer")
    server, postgres = running.server, instance.postgres
    assert postgres is not None
    postgres.kill()
    eventually(lambda: instance.postgres not in (None, postgres))
    eventually(lambda: attempt(running, "select answer from kept") == (7,))
    assert running.server == server
    assert running.stop()[0] == 0
    assert instance.postgres is None


def attempt(running: Running, statement: str) -> object:
    try:
        return running.query(statement)
    except psycopg.OperationalError as error:
        return error


def test_it_stops_with_the_make_that_started_it_and_the_next_one_waits_for_that(instance: Instance) -> None:
    lgp = f"{shlex.quote(instance.python)} -m lgp up --json"
    script = f"LGP_PARENT=$PPID exec {lgp}"
    make = f"import subprocess; subprocess.run(['sh', '-c', {script!r}])"
    parent = subprocess.Popen([sys.executable, "-c", make], env=instance.environment, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = json.loads(parent.stdout.readline())["pid"]
    server = psutil.Process(instance.record["server"]["pid"])
    parent.kill()
    parent.communicate()
    second = instance.up()
    assert has_ended(server)
    eventually(lambda: has_ended_pid(pid))
    assert second.stop()[0] == 0


def test_killed_while_the_cluster_is_made_the_next_start_makes_it_anew(new_instance: Instance) -> None:
    first = new_instance.spawn("up", "--json")
    identity = new_instance.home / "postgres" / "identity"
    eventually(identity.exists)
    eventually(lambda: list(new_instance.data.parent.glob("new-*/base")))
    first.kill()
    first.communicate()
    running = new_instance.up()
    assert running.query("select current_database()") == ("lgp",)
    assert running.stop()[0] == 0
