"""`lgp logs`: many pods in the order of time, through rollouts and broken connections, in bounded memory."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from recorded_programs import Stage, local_stack, on_path

from lgp import output
from lgp.main import main
from lgp.operating.log_lines import for_people, for_programs, parsed
from lgp.operating.pods import Source, sources

SOURCE = Source("agent-server-5d9-abcde", "api", "api", 0)


def pod(name: str, component: str = "api", *, restarts: int = 0, state: str = "running") -> dict[str, Any]:
    labels = {"app.kubernetes.io/component": component}
    container = {"name": component, "restartCount": restarts, "state": {state: {}}}
    return {"metadata": {"name": name, "labels": labels}, "status": {"containerStatuses": [container]}}


def pods(*found: dict[str, Any]) -> str:
    return json.dumps({"items": list(found)})


def line(second: int, event: str, **more: Any) -> str:
    fields = {"event": event, "level": "info", "timestamp": f"2026-11-23T22:00:{second:02}Z", **more}
    return f"2026-11-23T22:00:{second:02}.000000000Z {json.dumps(fields)}"


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    found = Stage(tmp_path)
    local_stack(found)
    monkeypatch.setenv("PATH", on_path(found))
    output.out.cache_clear()
    output.people.cache_clear()
    return found


Logs = Callable[..., tuple[int, str, str]]


@pytest.fixture
def logs(stage: Stage, capfd: pytest.CaptureFixture[str]) -> Logs:
    def call(*arguments: str) -> tuple[int, str, str]:
        program = str(stage.folder / "program")
        code = main(["logs", "--env", "local", "--cwd", program, "--context", "test", *arguments])
        return code, *capfd.readouterr()

    return call


def says(stage: Stage, name: str, *lines: str, **more: Any) -> None:
    stage.plays("kubectl", f"logs {name}", out="".join(f"{one}\n" for one in lines), **more)


def test_lines_of_all_pods_come_in_the_order_of_time(stage: Stage, logs: Logs) -> None:
    stage.plays("kubectl", "get pods", out=pods(pod("s-1-aaaaa"), pod("w-1-bbbbb", "worker")))
    says(stage, "s-1-aaaaa", line(1, "first"), line(3, "third"))
    says(stage, "w-1-bbbbb", line(2, "second"), line(4, "fourth"))
    code, out, _ = logs()
    assert code == 0
    assert [one.split()[3] for one in out.splitlines()] == ["first", "second", "third", "fourth"]
    assert out.splitlines()[1].startswith("22:00:02.000 worker/bbbbb info ")
    here = "kubectl --context test --namespace langgraph"
    assert sorted(call for call in stage.calls("kubectl") if " logs " in call) == [
        f"{here} logs s-1-aaaaa --container api --timestamps --tail=200",
        f"{here} logs w-1-bbbbb --container worker --timestamps --tail=200",
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--since", "10m"), "--tail=-1 --since=10m"),
        (("--tail", "5"), "--tail=5"),
        (("--run", "r-1"), "--tail=-1"),
        (("--since", "1h", "--tail", "9"), "--tail=9 --since=1h"),
    ],
)
def test_what_is_read_of_a_pod_is_told_to_kubectl(
    stage: Stage, logs: Logs, arguments: tuple[str, ...], expected: str
) -> None:
    stage.plays("kubectl", "get pods", out=pods(pod("s-1-aaaaa")))
    says(stage, "s-1-aaaaa")
    assert logs(*arguments)[0] == 0
    assert stage.calls("kubectl")[-1].endswith(f"logs s-1-aaaaa --container api --timestamps {expected}")


def test_of_one_run_only_its_lines_are_shown_in_whichever_pod(stage: Stage, logs: Logs) -> None:
    stage.plays("kubectl", "get pods", out=pods(pod("s-1-aaaaa"), pod("s-1-bbbbb")))
    says(stage, "s-1-aaaaa", line(1, "mine", run_id="r-1"), line(2, "names r-1", run_id="r-2"))
    plain = "2026-11-23T22:00:04.000000000Z Traceback of r-1"
    says(stage, "s-1-bbbbb", line(3, "mine too", run_id="r-1"), plain, line(5, "no run"))
    _, out, _ = logs("--run", "r-1", "--json")
    told = [json.loads(one) for one in out.splitlines()]
    assert [one.get("event", one.get("text")) for one in told] == ["mine", "mine too", "Traceback of r-1"]
    assert [one["pod"] for one in told] == ["s-1-aaaaa", "s-1-bbbbb", "s-1-bbbbb"]


def test_the_life_before_is_read_of_what_was_started_again_alone(stage: Stage, logs: Logs) -> None:
    waits = pod("s-1-bbbbb", restarts=3, state="waiting")
    stage.plays("kubectl", "get pods", out=pods(pod("s-1-aaaaa"), waits))
    says(stage, "s-1-bbbbb", line(1, "the end"))
    _, out, _ = logs("--previous")
    assert "the end" in out
    assert [call for call in stage.calls("kubectl") if " logs s-1-aaaaa" in call] == []
    assert stage.calls("kubectl")[-1].endswith("--previous")


def test_components_can_be_chosen_and_none_is_told(stage: Stage, logs: Logs) -> None:
    stage.plays("kubectl", "get pods", out=pods(pod("s-1-aaaaa"), pod("m-1-ccccc", "migration")))
    says(stage, "m-1-ccccc", line(1, "migrated"))
    assert "migrated" in logs("--component", "migration")[1]
    code, _, err = logs("--component", "worker")
    assert (code, "there is no pod with a log of worker in langgraph" in err) == (4, True)
    assert "there is no container that was started again of the workload" in logs("--previous")[2]
    assert logs("--component", "other")[0] == 2


def test_a_log_that_cannot_be_read_is_a_failure_after_the_others_were_shown(stage: Stage, logs: Logs) -> None:
    stage.plays("kubectl", "get pods", out=pods(pod("s-1-aaaaa"), pod("s-1-bbbbb")))
    says(stage, "s-1-aaaaa", line(1, "here"))
    says(stage, "s-1-bbbbb", err="Error from server: away\n", code=1)
    code, out, err = logs()
    assert code == 1
    assert "here" in out
    assert "Error from server: away" in err
    assert "lgp: kubectl could not read s-1-bbbbb" in err


# Following: in a process of its own, as it never ends by itself.


class Follower:
    """`lgp logs --follow` and the lines it has shown."""

    def __init__(self, stage: Stage, *arguments: str) -> None:
        program = str(stage.folder / "program")
        self.file = stage.folder / "shown"
        code = (
            "import sys; from lgp.operating import log_streams; log_streams.LOOK_SECONDS = 0.2;"
            "from lgp.main import main; sys.exit(main(sys.argv[1:]))"
        )
        words = ["logs", "--follow", "--env", "local", "--cwd", program, "--context", "test", "--json"]
        with self.file.open("wb") as out, (stage.folder / "stderr").open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-c", code, *words, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    def until(self, *wanted: str, seconds: float = 60) -> list[dict[str, Any]]:
        """Its lines, once all these events are among them."""
        deadline = time.monotonic() + seconds
        while True:
            whole = self.file.read_bytes().decode().rpartition("\n")[0].splitlines()
            found = [json.loads(one) for one in whole]
            if set(wanted) <= {one.get("event", one.get("text")) for one in found}:
                return found
            assert time.monotonic() < deadline, (wanted, found[-5:], self.errors())
            assert self.process.poll() is None, self.errors()
            time.sleep(0.05)

    def errors(self) -> str:
        return self.file.with_name("stderr").read_text()

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


Follow = Callable[..., Follower]


@pytest.fixture
def follow(stage: Stage) -> Iterator[Follow]:
    running: list[Follower] = []

    def begin(*arguments: str) -> Follower:
        running.append(Follower(stage, *arguments))
        return running[-1]

    yield begin
    for one in running:
        one.process.kill()
        one.process.wait()


def listed(stage: Stage) -> Path:
    """A file that `kubectl get pods` prints, to be changed while it is followed."""
    file = stage.folder / "pods"
    stage.plays("kubectl", "get pods", shell=f"cat {file}")
    return file


def replaced(file: Path, text: str) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    fresh.rename(file)


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_pods_of_a_later_rollout_are_followed_from_their_first_line(stage: Stage, follow: Follow) -> None:
    file = listed(stage)
    replaced(file, pods(pod("s-1-aaaaa")))
    stage.plays("kubectl", "logs s-1-aaaaa", shell=f"echo '{line(1, 'old')}'; exec sleep 60")
    stage.plays("kubectl", "logs s-2-bbbbb", shell=f"echo '{line(2, 'new')}'; exec sleep 60")
    follower = follow()
    follower.until("old")
    replaced(file, pods(pod("s-2-bbbbb")))
    follower.until("old", "new")
    assert "api/bbbbb: a new pod (s-2-bbbbb)" in follower.errors()
    first, second = (call for call in stage.calls("kubectl") if " logs " in call)
    assert first.endswith("--follow --tail=200")
    assert second.endswith("--follow --tail=-1")
    processes = children(follower.process.pid)
    assert follower.stop() == 130
    assert [one for one in processes if Path(f"/proc/{one}").exists()] == [], "its kubectls end with it"


def test_a_kubectl_that_dies_goes_on_where_it_was_and_no_line_comes_twice(
    stage: Stage, follow: Follow
) -> None:
    replaced(listed(stage), pods(pod("s-1-aaaaa")))
    resumed = "--since-time=2026-11-23T22:00:02.000000000Z"
    first = "\n".join((line(1, "one"), line(2, "two")))
    again = "\n".join((line(2, "two"), line(3, "three")))
    stage.plays("kubectl", f"logs s-1-aaaaa {resumed}", shell=f"echo '{again}'; exec sleep 60")
    stage.plays("kubectl", "logs s-1-aaaaa", shell=f"echo '{first}'; kill -9 $$")
    follower = follow()
    found = follower.until("three")
    assert [one["event"] for one in found] == ["one", "two", "three"]
    assert "the connection broke, it goes on" in follower.errors()


def test_a_container_that_ended_is_not_read_again_and_its_next_life_is(stage: Stage, follow: Follow) -> None:
    file = listed(stage)
    replaced(file, pods(pod("s-1-aaaaa")))
    stage.plays("kubectl", "logs s-1-aaaaa", shell=f"echo '{line(1, 'life one')}'", once=True)
    stage.plays("kubectl", "logs s-1-aaaaa", shell=f"echo '{line(2, 'life two')}'; exec sleep 60")
    replaced(file, pods(pod("s-1-aaaaa", state="terminated")))
    follower = follow()
    follower.until("life one")
    time.sleep(1)
    assert len([call for call in stage.calls("kubectl") if " logs " in call]) == 1
    replaced(file, pods(pod("s-1-aaaaa", restarts=1)))
    follower.until("life one", "life two")


def test_an_api_that_is_away_for_a_moment_is_borne_and_for_longer_is_an_error(
    stage: Stage, follow: Follow
) -> None:
    stage.plays("kubectl", "get pods", out=pods(pod("s-1-aaaaa")), once=True)
    stage.plays("kubectl", "get pods", err="dial tcp: connection refused\n", code=1, once=True)
    stage.plays("kubectl", "get pods", out=pods(pod("s-1-aaaaa"), pod("s-1-bbbbb")), once=True)
    stage.plays("kubectl", "get pods", err="dial tcp: connection refused\n", code=1)
    stage.plays("kubectl", "logs s-1-aaaaa", shell=f"echo '{line(1, 'one')}'; exec sleep 60")
    stage.plays("kubectl", "logs s-1-bbbbb", shell=f"echo '{line(2, 'two')}'; exec sleep 60")
    follower = follow()
    assert follower.process.wait(60) == 5
    shown = [json.loads(one).get("event") for one in follower.file.read_text().splitlines()]
    assert shown[:2] == ["one", "two"], follower.errors()
    assert "the Kubernetes API does not answer" in follower.errors()


def test_gigabytes_pass_through_without_staying(stage: Stage, follow: Follow) -> None:
    replaced(listed(stage), pods(pod("s-1-aaaaa")))
    endless = line(1, "x" * 2000)
    huge = "head -c 200000000 /dev/zero | tr '\\0' y; echo"
    shell = f"{huge}; yes '{endless}' | head -n 5000; echo '{line(2, 'end')}'; exec sleep 60"
    stage.plays("kubectl", "logs s-1-aaaaa", shell=shell)
    follower = follow("--tail", "0")
    follower.until("end", seconds=120)
    status = Path(f"/proc/{follower.process.pid}/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    assert peak < 160, f"{peak:.0f} MiB at most, for 210 MB that passed through"
    assert follower.stop(signal.SIGTERM) in (-signal.SIGTERM, 130, 143)


# Lines, for people and for programs.


def shown(raw: str) -> list[str]:
    return [text.plain for text in for_people(parsed(SOURCE, raw))]


def test_a_line_for_people_has_time_pod_level_event_and_fields() -> None:
    assert shown(line(7, "run claimed", run_id="r-1", crashed=False, level="warning")) == [
        "22:00:07.000 api/abcde warni run claimed  run_id=r-1 crashed=false"
    ]


def test_an_exception_is_its_type_and_the_places_nearest_to_it() -> None:
    frames = [{"filename": f"{letter}.py", "lineno": 1, "name": "f"} for letter in "abcde"]
    found = shown(
        line(1, "failed", exception=[{"exc_type": "KeyError", "exc_value": "'x'", "frames": frames}])
    )
    assert found[1:] == ["    KeyError: 'x'"] + [f"      {letter}.py:1 in f" for letter in "cde"]
    assert shown(line(1, "failed", exception="a\nb\nc\nd"))[1:] == ["    b", "    c", "    d"]


@pytest.mark.parametrize("text", ["plain text", "{broken", "{}", "[1]", "", "5", '"x"'])
def test_what_is_no_object_is_shown_as_it_is(text: str) -> None:
    raw = f"2026-11-23T22:00:01.000000000Z {text}"
    assert shown(raw) == [f"22:00:01.000 api/abcde {text}"]
    assert for_programs(parsed(SOURCE, raw))["text"] == text


def test_no_line_colours_the_terminal_or_forges_another() -> None:
    evil = "\x1b[31mred\x1b]0;title\x07\r\x9b2J"
    for raw in (line(1, evil, field=evil, **{evil: 1}), f"2026-11-23T22:00:01.000000000Z {evil}"):
        for text in shown(raw):
            assert not [character for character in text if ord(character) < 32 or 127 <= ord(character) < 160]
    assert "\\x1b[31mred" in shown(line(1, evil))[0]


def test_markup_in_a_line_is_text() -> None:
    assert "[bold]x[/bold]" in shown(line(1, "[bold]x[/bold]"))[0]


def test_which_containers_have_a_log_is_read_from_the_pods() -> None:
    answer = json.loads(pods(pod("a"), pod("b", state="waiting"), pod("c", restarts=1, state="waiting")))
    assert [one.pod for one in sources(answer)] == ["a", "c"]
    assert [one.pod for one in sources(answer, previous=True)] == ["c"]
    assert sources({"items": [{}, 5, {"status": {"containerStatuses": [{}]}}]}) != []
