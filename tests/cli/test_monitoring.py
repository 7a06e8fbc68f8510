"""`lgp up --monitoring`: the real Prometheus beside the server, and nothing of it left behind.

Grafana is a stand-in that writes down how it was started: no real one was at hand.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
import yaml
from cli_instance import SECONDS, Instance, Running, eventually, has_ended_pid, make_graphs

from lgp.errors import ProgramFailed
from lgp.launcher import METRICS_PORT
from lgp.monitoring import Beside, keeper
from lgp.monitoring.grafana import find_grafana
from lgp.monitoring.program import Program
from lgp.monitoring.prometheus import JOB, RULES, configuration, require_prometheus, start_prometheus
from lgp.server_process import Address
from lgp.service import REVIVE_SECONDS
from lgp.signals import Signals

prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None,
    reason="prometheus is not installed (Debian: apt-get install prometheus)",
)


@pytest.fixture
def watched(instance: Instance) -> Instance:
    """An instance that has metrics, on any port that is free, and no Grafana."""
    instance.extra |= {"METRICS_PORT": "", "MONITORING": "1", "PATH": path_without(instance.home, "grafana")}
    return instance


@pytest.fixture
def another() -> Iterator[Instance]:
    """Another clone on the same machine."""
    folder = Path(tempfile.mkdtemp(prefix="lgp-", dir="/tmp"))
    found = Instance(folder / "state", make_graphs(folder / "graphs"))
    yield found
    found.remove()
    shutil.rmtree(folder)


def path_without(home: Path, *names: str) -> str:
    """PATH with a folder in place of those that have one of these programs."""
    kept = home.parent / "bin"
    kept.mkdir(exist_ok=True)
    folders = [Path(folder) for folder in os.environ["PATH"].split(os.pathsep)]
    clean = [folder for folder in folders if not any((folder / name).exists() for name in names)]
    return os.pathsep.join(map(str, [kept, *clean]))


def asked(running: Running, path: str) -> Any:
    return httpx.get(f"{running.told['prometheus_url']}/api/v1/{path}").json()["data"]


def prometheus_of(instance: Instance) -> psutil.Process:
    (found,) = prometheus_of_all(instance)
    return found


def prometheus_of_all(instance: Instance) -> list[psutil.Process]:
    data = instance.home / "monitoring" / "prometheus"
    return [
        process
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] == "prometheus"
        and f"--storage.tsdb.path={data}" in (process.info["cmdline"] or [])
    ]


@prometheus
def test_it_is_told_of_the_server_and_the_rules_and_ends_before_postgres(watched: Instance) -> None:
    running = watched.up("up")
    config = yaml.safe_load(asked(running, "status/config")["yaml"])
    (job,) = config["scrape_configs"]
    assert job["static_configs"][0]["targets"] == [urlsplit(running.told["metrics_url"]).netloc]
    assert (job["job_name"], job["scrape_interval"]) == (JOB, "5s")
    rules = [rule for group in asked(running, "rules")["groups"] for rule in group["rules"]]
    assert {"LangGraphHighErrorRate", "LangGraphSlowResponses"} <= {rule["name"] for rule in rules}
    assert not [rule["lastError"] for rule in rules if rule.get("lastError")]
    open_ports = prometheus_of(watched).net_connections("inet")
    listening = {port.laddr.ip for port in open_ports if port.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}
    _, said = running.stop()
    assert re.findall(r"^  (\w+).* stopped", said, re.MULTILINE) == ["server", "Prometheus", "PostgreSQL"]


@prometheus
def test_it_ends_when_its_launcher_is_killed_and_the_next_one_has_its_data(
    watched: Instance,
) -> None:
    running = watched.up("up")
    first = prometheus_of(watched)
    running.process.kill()
    running.process.communicate()
    again = watched.up("up")
    assert has_ended_pid(first.pid)
    assert prometheus_of(watched).pid != first.pid
    os.killpg(again.process.pid, signal.SIGINT)
    again.process.communicate(timeout=SECONDS)
    assert again.process.returncode == 0
    assert not prometheus_of_all(watched)


@prometheus
def test_the_server_goes_on_without_it_and_two_clones_do_not_meet(
    watched: Instance, another: Instance
) -> None:
    another.extra |= watched.extra
    with ExitStack() as stack:
        with suppress(OSError):  # somebody else has it
            stack.enter_context(socket.create_server(("127.0.0.1", METRICS_PORT)))
        one, other = watched.up("up"), another.up("dev")
    assert len({one.told["prometheus_url"], other.told["prometheus_url"]}) == 2
    assert (
        len({one.told["metrics_url"], other.told["metrics_url"], f"http://127.0.0.1:{METRICS_PORT}/metrics"})
        == 3
    )
    prometheus_of(watched).kill()
    time.sleep(REVIVE_SECONDS + 1)
    assert httpx.get(f"{one.url}/ready").status_code == 200
    _, said = one.stop()
    assert re.search("Prometheus ended: .*; the server goes on", said)
    other.stop()


def test_without_prometheus_nothing_starts_and_one_line_says_how_to_get_it(new_instance: Instance) -> None:
    new_instance.extra["PATH"] = path_without(new_instance.home, "prometheus")
    done = new_instance.lgp("up", "--monitoring")
    assert done.returncode == 1
    assert re.fullmatch(r"lgp: Prometheus is not installed: .*apt-get install prometheus.*\n", done.stderr)
    assert not new_instance.home.exists()


@prometheus
def test_a_wish_that_cannot_be_met_is_a_line(watched: Instance) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        watched.extra["PROMETHEUS_PORT"] = port
        done = watched.lgp("up")
        assert (
            f"port {port} is taken by another program: choose another one with PROMETHEUS_PORT="
            in done.stderr
        )
    watched.extra["METRICS_PORT"] = "0"
    done = watched.lgp("up")
    assert (done.returncode, done.stderr.splitlines()[-1][:15]) == (2, "lgp: MONITORING")
    assert watched.postgres is None


GRAFANA = """#!{python}
import json, os, sys, time
told = {{"arguments": sys.argv[1:], "settings": dict(os.environ)}}
with open(os.environ["GF_PATHS_DATA"] + "/told.json.new", "w") as file:
    json.dump(told, file)
os.rename(file.name, file.name.removesuffix(".new"))
time.sleep(600)
"""


@prometheus
def test_grafana_gets_prometheus_and_the_dashboards_and_changes_nothing(watched: Instance) -> None:
    programs = Path(watched.extra["PATH"].split(os.pathsep)[0])
    (programs / "grafana").write_text(GRAFANA.format(python=sys.executable))
    (programs / "grafana").chmod(0o755)
    home = programs.parent / "share" / "grafana"
    (home / "conf").mkdir(parents=True)
    (home / "conf" / "defaults.ini").touch()
    running = watched.up("up")
    folder = watched.home / "monitoring" / "grafana"
    eventually((folder / "told.json").exists)
    told = json.loads((folder / "told.json").read_text())
    assert told["arguments"] == ["server", f"--homepath={home.resolve()}"]
    settings = told["settings"]
    assert (
        running.told["grafana_url"]
        == f"http://{settings['GF_SERVER_HTTP_ADDR']}:{settings['GF_SERVER_HTTP_PORT']}"
    )
    assert settings["GF_SERVER_HTTP_ADDR"] == "127.0.0.1"
    assert settings["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert settings["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    provisioned = Path(settings["GF_PATHS_PROVISIONING"])
    (source,) = json.loads((provisioned / "datasources" / "prometheus.yaml").read_text())["datasources"]
    assert source["url"] == running.told["prometheus_url"]
    (provider,) = json.loads((provisioned / "dashboards" / "langgraph.yaml").read_text())["providers"]
    assert {file.name for file in Path(provider["options"]["path"]).iterdir()} == {
        "langgraph-service.json",
        "langgraph-graphs.json",
    }
    _, said = running.stop()
    assert re.findall(r"^  (\w+).* stopped", said, re.MULTILINE)[1:3] == ["Grafana", "Prometheus"]


# its parts


def test_the_rules_ask_for_what_is_scraped() -> None:
    assert set(re.findall(r'job="([^"]*)"', RULES.read_text())) == {JOB}
    for host, target in (("0.0.0.0", "127.0.0.1:9"), ("::", "[::1]:9"), ("10.0.0.7", "10.0.0.7:9")):
        (scraped,) = configuration(Address(host, 9))["scrape_configs"]
        assert scraped["static_configs"] == [{"targets": [target]}]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[list[Program]]:
    started: list[Program] = []
    yield started
    for program in started:
        program.end()


def test_a_program_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path, kept: list[Program]) -> None:
    (tmp_path / "it").mkdir()
    program = Program.start("It", ["sh", "-c", "echo no such option; exit 3"], tmp_path / "it")
    kept.append(program)
    eventually(lambda: program.ended)
    assert program.obituary() == f"It ended: no such option (see {tmp_path / 'it.log'})"


def test_a_folder_is_one_programs_alone(
    tmp_path: Path, kept: list[Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lgp.monitoring.program.FREED_SECONDS", 0.2)
    (tmp_path / "it").mkdir()
    kept.append(Program.start("It", ["sleep", "60"], tmp_path / "it"))
    with pytest.raises(ProgramFailed, match="another It still uses"):
        Program.start("It", ["sleep", "60"], tmp_path / "it")
    kept[0].end()
    kept.append(Program.start("It", ["sleep", "60"], tmp_path / "it"))


@pytest.mark.parametrize("how", ["stdin", "signal"])
def test_the_keeper_ends_what_it_keeps(how: str) -> None:
    told = "import time, os; print(os.getpid(), flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-I", keeper.__file__, sys.executable, "-c", told],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        pid = int(child.stdout.readline())
        if how == "stdin":
            child.stdin.close()
        else:
            child.terminate()
        assert child.wait(SECONDS) == 128 + signal.SIGTERM
        assert has_ended_pid(pid)


def test_a_program_that_does_not_get_ready_is_told_with_its_log(
    tmp_path: Path, kept: list[Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lgp.monitoring.program.READY_SECONDS", 0.3)
    (tmp_path / "it").mkdir()
    kept.append(Program.start("It", ["sleep", "60"], tmp_path / "it"))
    with Signals() as signals, pytest.raises(ProgramFailed, match=r"It was not ready within .*it\.log"):
        kept[0].wait_until_ready(Address("127.0.0.1", 1), "/", signals)


@prometheus
def test_a_port_that_is_taken_in_the_meantime_is_what_it_says_itself(
    tmp_path: Path, kept: list[Program]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, Signals() as signals:
        address = Address("127.0.0.1", taken.getsockname()[1])
        kept.append(
            start_prometheus(require_prometheus(), address, Address("127.0.0.1", 9), tmp_path / "prometheus")
        )
        with pytest.raises(ProgramFailed, match="address already in use"):
            kept[0].wait_until_ready(address, "/-/ready", signals)


def test_its_log_is_begun_anew_when_it_is_long(
    tmp_path: Path, kept: list[Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lgp.monitoring.program.LOG_LIMIT", 10)
    (tmp_path / "it").mkdir()
    for word in ("the first one", "the second one"):
        kept.append(Program.start("It", ["echo", word], tmp_path / "it"))
        eventually(lambda: kept[-1].ended)
    assert (tmp_path / "it.log").read_text() == "the second one\n"
    kept.append(Program.start("It", ["echo", "short"], tmp_path / "it"))
    monkeypatch.setattr("lgp.monitoring.program.LOG_LIMIT", 1000)
    eventually(lambda: kept[-1].ended)
    kept.append(Program.start("It", ["false"], tmp_path / "it"))
    eventually(lambda: kept[-1].ended)
    assert kept[-1].obituary().startswith("It ended: it said nothing")


def test_a_death_is_told_once(
    tmp_path: Path, kept: list[Program], capsys: pytest.CaptureFixture[str]
) -> None:
    beside = Beside()
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    kept.append(Program.start("One", ["echo", "out of room"], tmp_path / "one"))
    kept.append(Program.start("Other", ["sleep", "60"], tmp_path / "other"))
    for program in kept:
        beside.add(program)
    eventually(lambda: kept[0].ended)
    told = ""
    for _ in range(3):
        beside.tell_of_the_dead()
        told += capsys.readouterr().err.replace("\n", "")
    assert told.count("One ended: out of room") == 1
    assert "Other" not in told


@pytest.mark.parametrize(
    ("program", "home", "command"),
    [
        ("bin/grafana", "share/grafana", ["server"]),  # Homebrew
        ("bin/grafana", ".", ["server"]),  # an archive
        ("sbin/grafana-server", "share/grafana", []),  # before version 9.4
    ],
)
def test_grafana_is_found_with_its_own_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, home: str, command: list[str]
) -> None:
    installed = tmp_path / program
    installed.parent.mkdir(parents=True)
    installed.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(installed.parent))
    if not Path("/usr/share/grafana/conf/defaults.ini").exists():
        assert find_grafana() is None  # its files are missing
        (tmp_path / home / "conf").mkdir(parents=True)
        (tmp_path / home / "conf" / "defaults.ini").touch()
        assert find_grafana() == [str(installed), *command, f"--homepath={(tmp_path / home).resolve()}"]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_grafana() is None
