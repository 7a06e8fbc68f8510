"""`lgp dev` starts the server anew when the graphs change, and PostgreSQL stays."""

import psutil
import pytest
from cli_instance import Instance, Running, eventually, has_ended_pid

from lgp.embedded.process import has_ended


def next_server(running: Running, last: psutil.Process) -> psutil.Process:
    """The server after this one, once it serves."""
    eventually(lambda: running.instance.record["server"]["pid"] != last.pid)
    eventually(lambda: running.instance.lgp("graphs", "--json").returncode == 0)
    return running.server


@pytest.mark.parametrize("name", ["ask.py", "langgraph.json", ".env"])
def test_a_change_starts_the_server_anew_and_postgres_stays(instance: Instance, name: str) -> None:
    running = instance.up("dev")
    server, postgres = running.server, instance.postgres
    file = instance.config.parent / name
    file.write_text((file.read_text() if file.exists() else "") + "\n")
    assert next_server(running, server).pid != server.pid
    assert has_ended(server)
    assert instance.postgres == postgres
    code, said = running.stop()
    assert code == 0
    assert f"{name} changed" in said


def test_a_graph_that_fails_to_load_is_told_and_the_next_change_mends_it(instance: Instance) -> None:
    running = instance.up("dev")
    server = running.server
    (instance.config.parent / "ask.py").write_text("import no_such_thing\n")
    eventually(lambda: has_ended_pid(server.pid))
    broken = eventually(lambda: instance.record["server"]["pid"] != server.pid and instance.record["server"])
    eventually(lambda: has_ended_pid(broken["pid"]))
    assert running.process.poll() is None
    (instance.config.parent / "ask.py").write_text("graph = 2\n")
    assert next_server(running, psutil.Process(running.process.pid)).is_running()
    code, said = running.stop()
    assert code == 0
    assert "graph ask cannot be loaded: No module named 'no_such_thing'; waiting for a change" in said


def test_a_graph_that_fails_at_the_first_start_is_waited_for_too(instance: Instance) -> None:
    (instance.config.parent / "ask.py").write_text("1/0\n")
    process = instance.spawn("dev", "--json")
    eventually((instance.home / "up.json").exists)
    eventually(lambda: "division by zero" in (instance.home / "server.log").read_text())
    (instance.config.parent / "ask.py").write_text("graph = 2\n")
    eventually(lambda: instance.lgp("graphs", "--json").returncode == 0)
    process.terminate()
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "division by zero; waiting for a change" in said


def test_files_that_are_no_graphs_change_nothing(instance: Instance) -> None:
    running = instance.up("dev")
    server = running.server
    (instance.config.parent / "notes.txt").write_text("x")
    (instance.config.parent / "__pycache__").mkdir()
    (instance.config.parent / "__pycache__" / "ask.cpython-311.py").write_text("x")
    (instance.config.parent / "echo.py").write_text("graph = 3\n")
    assert next_server(running, server).pid != server.pid
    _, said = running.stop()
    assert said.count("changed") == 1
