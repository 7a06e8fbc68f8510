"""The verbs over HTTP: what people see, what programs read, and the exit codes."""

import io
import json
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import jsonschema
import pytest
from cli_instance import Instance, Running, make_graphs

from langgraph_client import BadRequest, Interrupt, StreamEvent
from langgraph_client._errors import Problem
from lgp import output
from lgp.events import show_events
from lgp.main import VERBS, main
from lgp.remote import translated
from lgp.results import answers


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


Lgp = Callable[..., Done]


@pytest.fixture(scope="module")
def running(used_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    graphs = make_graphs(tmp_path_factory.mktemp("served") / "graphs")
    found = Instance(used_home, graphs)
    yield found.up()
    found.end()


@pytest.fixture
def lgp(running: Running, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Lgp:
    """`lgp` in this process: importing it anew for every line would take a second each."""
    for name, value in running.instance.environment.items():
        monkeypatch.setenv(name, value)
    output.out.cache_clear()
    output.people.cache_clear()

    def call(*arguments: str, stdin: str = "") -> Done:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = main(arguments)
        return Done(code, *capfd.readouterr())

    return call


def test_a_run_prints_its_result(lgp: Lgp) -> None:
    done = lgp("invoke", "echo", '{"a": 1}', "--thread", "t1")
    assert done.returncode == 0
    assert '"a": 1' in done.stdout
    assert "thread t1" in done.stdout


@pytest.mark.parametrize("argument", ["-", "@FILE"])
def test_the_input_may_come_from_stdin_or_a_file(lgp: Lgp, tmp_path: Path, argument: str) -> None:
    file = tmp_path / "input.json"
    file.write_text('{"from": "elsewhere"}')
    done = lgp("invoke", "echo", argument.replace("FILE", str(file)), "--json", stdin=file.read_text())
    assert json.loads(done.stdout)["result"] == {"echo": {"from": "elsewhere"}}


def test_json_is_one_document_and_nothing_else(lgp: Lgp) -> None:
    done = lgp("invoke", "echo", '{"ä": "ö"}', "--json")
    assert json.loads(done.stdout)["status"] == "success"
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_a_run_that_waits_shows_the_question_and_the_exact_answer(lgp: Lgp) -> None:
    done = lgp("invoke", "ask", "--sample", "invoice", "--thread", "it's me")
    assert done.returncode == 3
    assert "File it?" in done.stdout
    commands = re.findall(r"^  (\S*lgp resume .*)$", done.stdout, re.MULTILINE)
    assert len(commands) == 2
    answered = lgp(*shlex.split(commands[0])[1:], "--json")
    assert answered.returncode == 0
    assert json.loads(answered.stdout)["result"] == {
        "answer": {"a" * 32: {"decisions": [{"type": "approve"}]}}
    }


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        (["--reject", "too much"], {"a" * 32: {"decisions": [{"type": "reject", "message": "too much"}]}}),
        (["--interrupt", "abc=[1]", "--interrupt", 'def="x=y"'], {"abc": [1], "def": "x=y"}),
        (['{"decisions": []}'], {"decisions": []}),
        (["--sample", "invoice"], {"decisions": [{"type": "approve"}]}),
    ],
)
def test_the_ways_to_answer(lgp: Lgp, options: list[str], answer: object) -> None:
    lgp("invoke", "ask", "{}", "--thread", "t2")
    done = lgp("resume", "ask", "t2", *options, "--json")
    assert json.loads(done.stdout)["result"] == {"answer": answer}


def test_state_shows_what_a_thread_waits_for(lgp: Lgp) -> None:
    lgp("invoke", "ask", "{}", "--thread", "t3")
    done = lgp("state", "ask", "t3")
    assert done.returncode == 0
    assert "lgp resume ask t3 --approve" in done.stdout
    state = json.loads(lgp("state", "ask", "t3", "--json").stdout)
    assert state["interrupts"][0]["value"]["action_requests"]
    assert state["created_at"].startswith("2026-01-01T00:00:00")


def test_a_stream_is_lines_of_json_or_lines_for_people(lgp: Lgp) -> None:
    done = lgp("stream", "echo", "{}", "--json")
    assert done.returncode == 0
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["event"] for event in events] == ["metadata", "updates", "messages", "messages", "end"]
    shown = lgp("stream", "echo", "{}").stdout
    assert "● classify" in shown
    assert "\nhello\n" in shown
    assert lgp("stream", "ask", "{}").returncode == 3


def test_lists(lgp: Lgp) -> None:
    names = [graph["name"] for graph in json.loads(lgp("graphs", "--json").stdout)["graphs"]]
    assert names == ["echo", "ask", "fail", "busy"]
    assert "The graph ask." in lgp("graphs").stdout
    assert lgp("graphs", "echo", "--mermaid").stdout == "graph TD;\n"
    assert json.loads(lgp("threads", "--json").stdout) == {"threads": [], "total": 0}
    assert json.loads(lgp("history", "ask", "t3", "--json").stdout)["history"][0]["thread_id"] == "t3"
    assert "c-1" in lgp("history", "ask", "t3").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["invok"], 2, "Did you mean 'invoke'?"),
        (["invoke", "eco", "{}"], 4, "Did you mean 'echo'?"),
        (["graphs", "eco"], 4, "did you mean 'echo'?"),
        (["invoke", "echo", "{"], 2, "the argument is no JSON"),
        (["invoke", "echo", "@/nothing"], 2, "cannot read /nothing"),
        (["invoke", "echo"], 2, "give one input"),
        (["attach", "/nonexistent/a.pdf", "--thread", "t"], 2, "does not exist"),
        (["invoke", "echo", "[]", "--attach", __file__], 2, "the input is an object"),
        (["invoke", "ask", "--sample", "nope"], 4, "there are invoice"),
        (["invoke", "fail", "{}"], 1, "node a raised ValueError"),
        (["stream", "fail", "{}"], 1, "node a raised ValueError"),
        (["stream", "echo", "{}", "--mode", "value"], 2, "no mode 'value'"),
        (["invoke", "busy", "{}"], 6, "is busy"),
        (["resume", "ask", "nobody", "--approve"], 6, "waits for nothing"),
        (["resume", "ask", "nobody", "1"], 6, "waits for nothing"),
        (["resume", "ask", "t"], 2, "give one answer"),
        (["resume", "ask", "t", "--interrupt", "abc"], 2, "not ID=JSON"),
        (["invoke", "echo", "{}", "--url", "http://127.0.0.1:9"], 5, "nothing answers at http://127.0.0.1:9"),
        (["invoke", "echo", "{}", "--url", "nonsense"], 2, "http:// or https://"),
        (["invoke", "echo", "{}", "--no-such"], 2, "No such option"),
    ],
)
def test_failures_are_one_line_with_an_exit_code(
    lgp: Lgp, arguments: list[str], code: int, line: str
) -> None:
    done = lgp(*arguments)
    assert done.returncode == code, done.stderr
    assert line in done.stderr
    assert done.stderr.count("\n") == 1
    told = lgp(*arguments, "--json")
    assert told.returncode == code
    assert json.loads(told.stdout.splitlines()[-1])["error"]["exit_code"] == code


def test_a_failure_names_its_run_to_programs(lgp: Lgp) -> None:
    error = json.loads(lgp("invoke", "fail", "{}", "--json").stdout)["error"]
    assert error["code"] == "run_failed"
    assert error["run_id"].startswith("run-")


@pytest.mark.parametrize("verb", ["keys", "audit", "migrate", "retention", "verify"])
def test_the_servers_own_verbs_get_the_database_that_runs_and_every_argument(
    running: Running, verb: str
) -> None:
    instance = replace(running.instance, extra={"STANDIN_TELL": "1"})
    told = json.loads(instance.lgp(verb, "list", "--json", "--help", "-x", "a b").stdout)
    assert told["arguments"] == [verb, "list", "--json", "--help", "-x", "a b"]
    assert told["DATABASE_URL"] == running.database_url
    assert told["API_KEY_PEPPER"] == (instance.home / "pepper").read_text()
    assert told["ATTACHMENTS_DIR"] == str(instance.home / "attachments")


def test_without_a_database_they_say_so(folder: Path) -> None:
    done = Instance(folder / "state", folder).lgp("keys", "list")
    assert done.returncode == 5
    assert done.stderr == "lgp: no database: start one with `make up`, or set DATABASE_URL\n"


def test_validate_loads_the_graphs_of_a_file_without_a_server(folder: Path) -> None:
    config = make_graphs(folder / "graphs")
    instance = Instance(folder / "state", config)
    assert instance.lgp("validate", str(config.parent)).returncode == 0
    (config.parent / "ask.py").write_text("1/0")
    done = instance.lgp("validate", str(config))
    assert done.returncode == 1
    assert "graph ask cannot be loaded: division by zero" in done.stderr
    assert instance.lgp("validate", str(folder / "none.json")).returncode == 2


def test_help_lists_every_verb(lgp: Lgp) -> None:
    done = lgp("--help")
    assert done.returncode == 0
    assert all(re.search(rf"\b{verb}\b", done.stdout) for verb in VERBS)


def test_ctrl_c_while_watching_leaves_the_run_and_says_how_to_watch_on(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def events() -> Iterator[StreamEvent]:
        yield StreamEvent("metadata", {"run_id": "r-1", "thread_id": "t", "attempt": 1})
        raise KeyboardInterrupt

    output.people.cache_clear()
    assert show_events("echo", events(), machine=False) == 130
    assert "stream echo --run r-1" in capfd.readouterr().err


SCHEMAS = [
    {"type": "object", "properties": {"ok": {"type": "boolean"}, "note": {}}, "required": ["ok"]},
    {"type": "object", "properties": {"kind": {"enum": ["a", "b"]}}, "required": ["kind"]},
    {"$ref": "#/$defs/answer", "$defs": {"answer": {"type": "array", "minItems": 1, "items": {"const": 7}}}},
    {"anyOf": [{"type": "integer", "minimum": 3}, {"type": "null"}]},
    {"type": ["string", "null"]},
    {"type": "object"},
    {"$ref": "#"},
    {
        "type": "object",
        "required": ["deep"],
        "properties": {"deep": {"$ref": "#/$defs/d"}},
        "$defs": {"d": {"type": "object", "required": ["n"], "properties": {"n": {"type": "number"}}}},
    },
]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_answer_that_is_hinted_fits_the_question(schema: dict[str, object]) -> None:
    [command] = answers("ask", "t", (Interrupt(id="i", value="?", response_schema=schema),))
    given = json.loads(shlex.split(command)[-1])
    if schema != {"$ref": "#"}:
        jsonschema.validate(given, schema)


def test_what_a_422_says_is_told_once_and_what_it_leaves_open_too() -> None:
    body = {
        "errors": [{"field": "config.tags", "message": "too long"}, {"field": "input.x", "message": "no key"}]
    }
    error = BadRequest(
        Problem(status=422, code="invalid_request", detail="config.tags: too long.", body=body)
    )
    assert str(translated(error, "")) == "config.tags: too long.; input.x: no key"


def test_ids_are_never_cut(capfd: pytest.CaptureFixture[str]) -> None:
    output.out.cache_clear()
    long = ["0" * 36, "1" * 60, "success", "2026-01-01 00:00:00", "[x]"]
    output.table(["run", "thread", "status", "created", "error"], [long, ["é" * 36, "", "", "", ""]], 3)
    lines = capfd.readouterr().out.splitlines()
    assert lines[1].split() == " ".join(long).split()
    assert lines[0].index("thread") == lines[1].index("1" * 60)
    assert lines[-1] == "2 of 3"
