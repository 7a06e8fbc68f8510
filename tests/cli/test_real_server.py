"""`lgp` with the real server and its PostgreSQL: verbs, the banner's commands, processes that are killed."""

import json
import os
import re
import shlex
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cli_instance import ROOT, STANDIN, Instance, Running, eventually
from conftest import new_folder

BUNDLED = ROOT / "app" / "langgraph.json"
SURFACE = ROOT / "tests" / "app" / "support" / "surface_graphs" / "langgraph.json"
QUICK = {"LEASE_SECONDS": "2", "LEASE_RENEW_SECONDS": "0.5", "SURFACE_FOLDER": "/nonexistent"}


class RealInstance(Instance):
    """An instance whose server is ours."""

    @property
    def environment(self) -> dict[str, str]:
        found = super().environment
        paths = [path for path in found["PYTHONPATH"].split(os.pathsep) if path != str(STANDIN)]
        return {**found, "PYTHONPATH": os.pathsep.join([str(ROOT / "app"), *paths])}


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A state folder that the tests of the module share."""
    folder = new_folder()
    yield folder / "state"
    RealInstance(folder / "state", BUNDLED).remove()
    subprocess.run(["rm", "-rf", str(folder)], check=True)


class Serving:
    """A `lgp up` with the bundled graphs, and what its banner says."""

    def __init__(self, instance: RealInstance) -> None:
        self.instance = instance
        self.process = instance.spawn("up", "--quiet")
        assert self.process.stdout is not None
        self.banner = ""
        for line in self.process.stdout:
            self.banner += line
            if "Ctrl-C" in line:
                return
        pytest.fail(f"{self.banner}{self.process.communicate()[1]}")

    def json(self, *arguments: str, code: int = 0) -> Any:
        """The one document that a verb prints with --json."""
        done = self.instance.lgp(*arguments, "--json")
        assert done.returncode == code, done.stderr + done.stdout
        assert done.stdout.count("\n") == 1
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def up(home: Path) -> Iterator[Serving]:
    instance = RealInstance(home, BUNDLED, extra=QUICK)
    yield Serving(instance)
    instance.end()


def test_the_three_commands_of_the_banner_work(up: Serving) -> None:
    commands = re.findall(r"^ *(invoke|approve|watch) +(.+)$", up.banner, re.MULTILINE)
    assert [verb for verb, _ in commands] == ["invoke", "approve", "watch"]
    codes = [up.instance.lgp(*shlex.split(line)[1:]).returncode for _, line in commands]
    assert codes == [3, 0, 0]


def test_a_run_from_its_question_to_its_deletion(up: Serving) -> None:
    asked = up.json("invoke", "document", "--sample", "needs_approval", "--thread", "cli-1", code=3)
    assert (asked["thread_id"], asked["status"]) == ("cli-1", "interrupted")
    state = up.json("state", "document", "cli-1")
    assert [one["id"] for one in state["interrupts"]] == [one["id"] for one in asked["interrupts"]]
    answered = up.json("resume", "document", "cli-1", "--approve")
    assert answered["status"] == "success"
    runs = up.json("runs", "document", "--thread", "cli-1")
    assert (runs["total"], [run["status"] for run in runs["runs"]]) == (2, ["success", "interrupted"])
    assert up.json("runs", "document", answered["run_id"])["result"] == answered["result"]
    assert len(up.json("history", "document", "cli-1", "--limit", "2")["history"]) == 2
    entries = up.json("audit")["entries"]
    assert ("interrupt.answer", "cli-1") in [(entry["action"], entry["target"]) for entry in entries]
    assert "cli-1" in [thread["thread_id"] for thread in up.json("threads")["threads"]]
    assert up.json("threads", "--delete", "cli-1") == {"deleted": "cli-1"}
    assert up.json("state", "document", "cli-1", code=4)["error"]["code"] == "unknown_thread"


def test_a_stream_is_a_line_an_event(up: Serving) -> None:
    done = up.instance.lgp("stream", "support", "--sample", "question", "--json")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert (events[0]["event"], events[-1]["event"]) == ("metadata", "end")
    again = up.instance.lgp("stream", "support", "--run", events[0]["data"]["run_id"], "--json")
    assert again.stdout == done.stdout


@pytest.mark.parametrize(
    ("graph", "sample"),
    [
        (folder.name, file.stem)
        for folder in sorted((BUNDLED.parent / "graphs/samples").iterdir())
        for file in sorted(folder.glob("*.json"))
        if not file.stem.endswith(".resume")
    ],
)
def test_every_sample_runs(up: Serving, graph: str, sample: str) -> None:
    done = up.instance.lgp("invoke", graph, "--sample", sample, "--json")
    assert done.returncode in {0, 3}, done.stdout
    assert json.loads(done.stdout)["status"] in {"success", "interrupted"}


INVOICE = BUNDLED.parent / "graphs/samples/document/invoice.pdf"


def test_a_pdf_is_attached_read_and_filed(up: Serving) -> None:
    found = up.json("invoke", "document", "--attach", str(INVOICE))
    assert (found["status"], found["result"]["status"]) == ("success", "filed")
    assert found["result"]["fields"]["total"] == "180"
    assert found["result"]["issues"] == []
    folder = up.instance.home / "attachments"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (file,) = (path for path in folder.rglob("*") if path.is_file())
    assert file.read_bytes() == INVOICE.read_bytes()


def test_a_file_is_attached_first_and_named_later(up: Serving) -> None:
    done = up.instance.lgp("attach", str(INVOICE), "--thread", "cli-attached")
    assert done.returncode == 0, done.stderr
    given = json.dumps({"attachment_id": done.stdout.strip(), "source": "mail"})
    found = up.json("invoke", "document", given, "--thread", "cli-attached")
    assert found["result"]["document_type"] == "invoice"
    told = up.json("attach", str(INVOICE), "--thread", "cli-attached", "--type", "application/pdf")
    assert (told["filename"], told["stored"]) == ("invoice.pdf", True)
    both = json.dumps({"attachment_id": "x", "text": "y"})
    assert up.instance.lgp("invoke", "document", both).returncode == 2
    assert up.instance.lgp("invoke", "document", "{}").returncode == 2
    assert up.instance.lgp("attach", str(BUNDLED.parent / "Dockerfile"), "--thread", "t").returncode == 2


def test_keys_are_made_listed_and_revoked(up: Serving) -> None:
    made = up.json("keys", "create", "--tenant", "acme", "--name", "alice")
    assert made["key"].startswith("lgp_")
    assert [key["key_id"] for key in up.json("keys", "list", "--tenant", "acme")["keys"]] == [made["key_id"]]
    assert up.json("keys", "revoke", made["key_id"])["status"] == "revoked"


def test_what_needs_no_run(up: Serving) -> None:
    named = [graph["name"] for graph in up.json("graphs")["graphs"]]
    assert sorted(named) == ["document", "research", "support"]
    assert up.json("graphs", "support")["mermaid"]
    assert set(up.json("retention")["swept"].values()) == {0}
    assert up.json("migrate") == {"applied": []}
    assert [graph["name"] for graph in up.json("validate", str(BUNDLED))["graphs"]] == named
    assert up.json("invoke", "suport", "{}", code=4)["error"]["code"] == "unknown_graph"


def begun(running: Running) -> str:
    """The address of a run that has begun and takes a while."""
    answer = httpx.post(
        f"{running.url}/graphs/slow/invoke",
        json={"input": {"seconds": 2}},
        headers={"Prefer": "respond-async"},
    )
    assert answer.json()["status"] == "running", answer.text
    return answer.headers["location"]


@pytest.mark.parametrize(
    "victims", [["server"], ["postgres"], ["launcher", "server", "postgres"]], ids="+".join
)
def test_what_had_begun_is_finished_whatever_is_killed(home: Path, up: Serving, victims: list[str]) -> None:
    if up.process.poll() is None:
        up.process.send_signal(signal.SIGTERM)
        up.process.communicate(timeout=30)
        assert up.process.returncode == 0
    instance = RealInstance(home, SURFACE, extra=QUICK)
    try:
        running = instance.up()
        location = begun(running)
        postgres = instance.postgres
        assert postgres is not None
        killed = {"server": running.server.pid, "postgres": postgres.pid, "launcher": running.process.pid}
        for victim in victims:
            os.kill(killed[victim], signal.SIGKILL)
        again = running
        if victims != ["postgres"]:  # which the launcher starts again by itself
            running.process.communicate(timeout=30)
            again = instance.up()
        run = eventually(lambda: ended(again, location))
        assert (run["status"], run["result"]["said"]) == ("success", "good morning")
        assert again.stop()[0] == 0
        assert instance.postgres is None
    finally:
        instance.end()


def ended(running: Running, location: str) -> Any:
    """The run, once it has ended; the server may still be without its database."""
    answer = httpx.get(f"{running.url}{location}", timeout=30)
    if answer.status_code == 503:
        return None
    return None if answer.json()["status"] in {"pending", "running"} else answer.json()
