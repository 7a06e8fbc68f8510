"""`lgp deploy`, `status`, `rollback`, `destroy`: each command they give, and what they make of the answer."""

import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from recorded_programs import Stage, local_stack, on_path, recording

from lgp import output
from lgp.main import main
from lgp.paths import ROOT, program_folder

FIRST, SECOND = (f"registry.example/agents@sha256:{letter * 64}" for letter in "ab")
IN = ("--context", "test", "--namespace", "langgraph")
LOOK = (
    "kubectl --context test --namespace langgraph get "
    "deployments,horizontalpodautoscalers,poddisruptionbudgets,jobs,pods "
    "--selector app.kubernetes.io/name=agent-server --output json --request-timeout=20s"
)
NAMESPACE = (
    "kubectl --context test --namespace langgraph get namespace langgraph --output json --request-timeout=20s"
)


class Done(NamedTuple):
    code: int
    out: str
    err: str


Lgp = Callable[..., Done]


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    found = Stage(tmp_path)
    found.path.mkdir()
    monkeypatch.setenv("PATH", on_path(found))
    monkeypatch.delenv("PULUMI_STACK", raising=False)
    return found


@pytest.fixture
def lgp(stage: Stage, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Lgp:
    program = stage.folder / "program"
    program.mkdir(exist_ok=True)
    monkeypatch.chdir(program)
    output.out.cache_clear()
    output.people.cache_clear()

    def call(*arguments: str, typed: str | None = None) -> Done:
        monkeypatch.setattr("sys.stdin", io.StringIO("") if typed is None else Terminal(typed))
        code = main([arguments[0], "--cwd", str(program), *arguments[1:]])
        return Done(code, *capfd.readouterr())

    return call


@pytest.fixture
def local(stage: Stage) -> Path:
    """The recorded stack and cluster; gives the stack's file."""
    program = local_stack(stage)
    stage.plays("kubectl", "get --selector", "workload")
    return program / "Pulumi.local.yaml"


def test_status_asks_pulumi_and_the_cluster_and_says_that_all_is_well(
    lgp: Lgp, local: Path, stage: Stage
) -> None:
    done = lgp("status", "--env", "local")
    assert done.code == 0
    assert "healthy" in done.out
    assert "registry.example/agents@sha256:bbbbbbbbbbbb…" in done.out
    assert stage.calls() == [
        "pulumi stack export --stack local --non-interactive",
        "pulumi stack history --json --page-size 100 --stack local --non-interactive",
        "pulumi config --json --stack local --non-interactive",
        "kubectl config current-context",
        NAMESPACE,
        LOOK,
    ]
    shown = [line[2:] for line in done.err.splitlines() if line.startswith("$ ")]
    assert shown == stage.calls(), "each command is shown as it was given"
    assert "test, kubectl's current one, is asked" in done.err


def test_status_for_programs_is_one_document_and_exit_1_if_not_well(
    lgp: Lgp, local: Path, stage: Stage
) -> None:
    assert json.loads(lgp("status", "--env", "local", "--json").out)["healthy"] is True
    (stage.folder / "kubectl.json").write_text(
        (stage.folder / "kubectl.json").read_text().replace('"get", "--selector"', '"never"')
    )
    stage.plays("kubectl", "get --selector", "workload-undone")
    done = lgp("status", "--env", "local", "--json")
    told = json.loads(done.out)
    assert (done.code, told["healthy"]) == (1, False)
    assert "Pulumi declares" in told["problems"][0]
    assert told["deployments"][0]["image"] == FIRST
    assert told["deployments"][0]["declared"] == SECOND


def test_status_can_wait_until_it_is_well(
    lgp: Lgp, local: Path, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lgp.commands.observing.AGAIN_SECONDS", 0.01)
    rules = json.loads((stage.folder / "kubectl.json").read_text())
    rolling = json.dumps(recording("workload")["stdout"]).replace(
        '"updatedReplicas": 1', '"updatedReplicas": 0'
    )
    once = {"words": ["get", "--selector"], "once": True, "shell": "", "out": rolling, "err": "", "code": 0}
    rules.insert(0, once)
    (stage.folder / "kubectl.json").write_text(json.dumps(rules))
    assert lgp("status", "--env", "local", "--wait", "30").code == 0
    assert stage.calls("kubectl").count(LOOK) == 2


def test_a_terminal_of_ascii_shows_what_it_can(local: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lgp", "status", "--cwd", str(local.parent), "--env", "local"],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT / "cli")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "bbbbbbbbbbbb?" in done.stdout) == (0, True), done.stderr


def test_status_refuses_the_cluster_of_another_stack(lgp: Lgp, local: Path, stage: Stage) -> None:
    rules = (stage.folder / "kubectl.json").read_text()
    uid = recording("namespace")["stdout"]["metadata"]["uid"]
    (stage.folder / "kubectl.json").write_text(rules.replace(uid, "0000-of-another-cluster"))
    done = lgp("status", "--env", "local")
    assert done.code == 6
    assert "is not the one that Pulumi made: another cluster?" in done.err
    assert LOOK not in stage.calls()


def test_a_named_context_is_used_and_the_current_one_not_asked(lgp: Lgp, local: Path, stage: Stage) -> None:
    assert lgp("status", "--env", "local", "--context", "mine").code == 0
    assert [" --context mine " in call for call in stage.calls("kubectl")] == [True, True]


def test_deploy_shows_the_preview_asks_and_brings_the_stack_up(lgp: Lgp, local: Path, stage: Stage) -> None:
    done = lgp("deploy", "--env", "local", typed="y\n")
    assert done.code == 0
    assert stage.calls("pulumi")[:3] == [
        "pulumi config --json --stack local --non-interactive",
        "pulumi preview --stack local",
        "pulumi up --yes --skip-preview --message 'lgp deploy' --stack local",
    ]
    assert done.out.index("45 unchanged") < done.out.index("healthy")
    assert "Change the stack local? (y/N)" in done.err


@pytest.mark.parametrize("typed", ["n\n", "\n", "", "local\n"])
def test_without_a_yes_nothing_is_changed(lgp: Lgp, local: Path, stage: Stage, typed: str) -> None:
    before = local.read_bytes()
    done = lgp("rollback", "--env", "local", typed=typed)
    assert (done.code, "nothing was changed" in done.err) == (1, True)
    assert [call for call in stage.calls("pulumi") if "pulumi up" in call] == []
    assert local.read_bytes() == before, "the stack's file is as it was, comments too"


def test_prod_wants_its_name_typed(lgp: Lgp, local: Path, stage: Stage) -> None:
    rules = (stage.folder / "pulumi.json").read_text()
    (stage.folder / "pulumi.json").write_text(
        rules.replace('\\"environment\\": \\"local\\"', '\\"environment\\": \\"prod\\"')
    )
    assert lgp("deploy", "--env", "local", typed="y\n").code == 1
    assert "type local to go on" in lgp("deploy", "--env", "local", typed="y\n").err
    assert lgp("deploy", "--env", "local", typed="local\n").code == 0


@pytest.mark.parametrize(
    ("verb", "how"), [("deploy", "--yes"), ("rollback", "--yes"), ("destroy", "--confirm STACK")]
)
def test_where_nobody_can_be_asked_nothing_begins(
    lgp: Lgp, local: Path, stage: Stage, verb: str, how: str
) -> None:
    done = lgp(verb, "--env", "local")
    assert done.code == 2
    assert f"there is no terminal to ask at: give {how}" in done.err
    assert stage.calls() == []


def test_a_preview_changes_nothing_and_a_failed_one_stops(lgp: Lgp, local: Path, stage: Stage) -> None:
    assert lgp("deploy", "--env", "local", "--preview").code == 0
    assert not [call for call in stage.calls("pulumi") if " up " in call]
    rules = json.loads((stage.folder / "pulumi.json").read_text())
    failing = {**rules[0], "words": ["preview"], "code": 255, "out": "", "err": "error: no\n"}
    (stage.folder / "pulumi.json").write_text(json.dumps([failing, *rules]))
    before = local.read_bytes()
    done = lgp("rollback", "--env", "local", "--yes")
    assert done.code == 1
    assert "pulumi preview failed with 255: its last lines say why" in done.err
    assert local.read_bytes() == before
    assert not [call for call in stage.calls("pulumi") if " up " in call]


def test_a_dry_run_shows_what_it_would_do_and_runs_only_what_reads(
    lgp: Lgp, local: Path, stage: Stage
) -> None:
    before = local.read_bytes()
    done = lgp("rollback", "--env", "local", "--dry-run")
    assert done.code == 0
    assert f"$ pulumi config set --path platform.image.reference {FIRST} --stack local" in done.err
    assert "$ pulumi up --yes --skip-preview --message" in done.err
    assert {call.split()[1] for call in stage.calls("pulumi")} == {"config", "stack"}
    assert not [call for call in stage.calls("pulumi") if "config set" in call]
    assert local.read_bytes() == before


def test_rollback_names_the_image_before_and_lets_pulumi_bring_it(
    lgp: Lgp, local: Path, stage: Stage
) -> None:
    done = lgp("rollback", "--env", "local", "--yes")
    assert done.code == 0
    assert stage.calls("pulumi")[:6] == [
        "pulumi config --json --stack local --non-interactive",
        "pulumi stack history --json --page-size 100 --stack local --non-interactive",
        "pulumi stack export --stack local --non-interactive",
        f"pulumi config set --path platform.image.reference {FIRST} --stack local --non-interactive",
        "pulumi preview --stack local",
        f"pulumi up --yes --skip-preview --message 'lgp rollback to {FIRST}' --stack local",
    ]
    assert f"platform.image.reference {FIRST}" in local.read_text()
    assert "Pulumi.local.yaml has changed: commit it" in done.err
    assert "the database keeps its schema" in done.err


def test_rollback_lists_the_versions(lgp: Lgp, local: Path) -> None:
    lines = lgp("rollback", "--list", "--env", "local").out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [
        f"registry.example/agents@sha256:{letter * 12}…" for letter in "ba"
    ]
    assert "declared" in lines[1]
    told = json.loads(lgp("rollback", "--list", "--env", "local", "--json").out)
    assert told["declared"] == SECOND
    assert [one["image"] for one in told["versions"]] == [SECOND, FIRST]


@pytest.mark.parametrize(
    ("version", "code", "expected"),
    [
        ("sha256:aaaaaaa", 0, FIRST),
        (f"sha256:{'c' * 64}", 0, f"registry.example/agents@sha256:{'c' * 64}"),
        (f"other.example/x@sha256:{'d' * 64}", 0, f"other.example/x@sha256:{'d' * 64}"),
        ("sha256:eeeeeee", 4, "there is no version 'sha256:eeeeeee'"),
        ("v2", 4, "there is no version 'v2'"),
        (SECOND, 6, "is what Pulumi declares already"),
    ],
    ids=["beginning", "in-the-registry", "elsewhere", "unknown", "unknown-tag", "same"],
)
def test_rollback_goes_where_it_is_told_or_says_that_it_cannot(
    lgp: Lgp, local: Path, version: str, code: int, expected: str
) -> None:
    done = lgp("rollback", "--env", "local", "--version", version, "--yes")
    assert done.code == code
    assert expected in (local.read_text() if code == 0 else done.err)


def test_without_a_version_before_rollback_refuses(lgp: Lgp, local: Path, stage: Stage) -> None:
    rules = (stage.folder / "pulumi.json").read_text()
    (stage.folder / "pulumi.json").write_text(rules.replace("a" * 64, "b" * 64))
    done = lgp("rollback", "--env", "local", "--yes")
    assert done.code == 6
    assert "there is no version before this one" in done.err


def test_of_an_image_that_the_stack_builds_rollback_tells_both_ways(
    lgp: Lgp, local: Path, stage: Stage
) -> None:
    stage.plays("pulumi", "--stack prod config", "config-prod")
    rules = json.loads((stage.folder / "pulumi.json").read_text())
    for name, words in (("config-prod", ["config", "--json", "prod"]), ("export-prod", ["export", "prod"])):
        out = json.dumps(recording(name)["stdout"])
        rules.insert(0, {"words": words, "once": False, "shell": "", "out": out, "err": "", "code": 0})
    (stage.folder / "pulumi.json").write_text(json.dumps(rules))
    done = lgp("rollback", "--env", "prod", "--yes")
    assert done.code == 6
    assert "git revert" in done.err
    assert "--version sha256:… of an image that its repository still has" in done.err
    named = lgp("rollback", "--env", "prod", "--version", f"sha256:{'c' * 64}", "--dry-run")
    assert named.code == 0
    shown = "\n".join(line for line in named.err.splitlines() if "config" in line)
    repository = recording("export-prod")["stdout"]["deployment"]["resources"][0]["outputs"]["repository_url"]
    assert f"platform.image.reference {repository}@sha256:{'c' * 64}" in shown
    assert "config rm --path platform.image.build" in shown
    assert "config set --path platform.image.repository true" in shown, "else Pulumi deletes the repository"


def test_a_failed_up_says_that_the_file_names_the_new_image(lgp: Lgp, local: Path, stage: Stage) -> None:
    rules = json.loads((stage.folder / "pulumi.json").read_text())
    failing = {**rules[0], "words": ["up", "--message"], "code": 255, "out": "", "err": ""}
    (stage.folder / "pulumi.json").write_text(json.dumps([failing, *rules]))
    done = lgp("rollback", "--env", "local", "--yes")
    assert done.code == 1
    assert "pulumi up failed with 255" in done.err
    assert "Pulumi.local.yaml names that image: `lgp deploy` tries again" in done.err
    assert FIRST in local.read_text()


def test_a_rollback_that_did_not_get_through_is_not_followed_by_one_further_back(
    lgp: Lgp, local: Path, stage: Stage
) -> None:
    rules = json.loads((stage.folder / "pulumi.json").read_text())
    [settings] = [rule for rule in rules if rule["words"] == ["config", "--json"]]
    going_back = {**settings, "out": settings["out"].replace("b" * 64, "a" * 64)}
    (stage.folder / "pulumi.json").write_text(json.dumps([going_back, *rules]))
    done = lgp("rollback", "--env", "local", "--yes")
    assert done.code == 6
    assert "goes back to registry.example/agents@sha256:aaaaaaaaaaaa… already" in done.err
    assert "`lgp deploy` finishes it" in done.err
    assert not [call for call in stage.calls("pulumi") if " up " in call]


@pytest.mark.parametrize(
    "words",
    [("deploy", "--preview"), ("deploy", "--dry-run"), ("rollback", "--dry-run")],
    ids=["preview", "dry-run", "rollback"],
)
def test_what_changes_nothing_is_one_document_for_programs_too(
    lgp: Lgp, local: Path, words: tuple[str, ...]
) -> None:
    done = lgp(*words, "--env", "local", "--json")
    assert (done.code, json.loads(done.out)) == (0, {"stack": "local", "changed": False})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_terminal_that_goes_at_the_question_leaves_the_stacks_file_as_it_was(
    lgp: Lgp, local: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    before = local.read_bytes()

    def gone(*_: object) -> None:
        assert local.read_bytes() != before, "the preview was of the older image"
        os.kill(os.getpid(), number)

    monkeypatch.setattr("lgp.operating.asking.confirm", gone)
    handlers = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)
    assert lgp("rollback", "--env", "local", typed="").code == 130
    assert local.read_bytes() == before
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)) == handlers


def test_in_the_folder_of_another_program_it_is_that_program(
    lgp: Lgp, local: Path, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = local.parent / "deeper"
    inner.mkdir()
    monkeypatch.chdir(inner)
    assert main(["status", "--env", "local"]) == 0
    assert {call.split(" ")[2] for call in stage.calls("pulumi")} == {str(local.parent)}
    monkeypatch.chdir(stage.folder)
    assert program_folder(None) == ROOT, "anywhere else it is the clone"


def test_a_cluster_that_is_not_reached_does_not_turn_a_deployment_into_a_failure(
    lgp: Lgp, stage: Stage
) -> None:
    local_stack(stage)
    (stage.folder / "kubectl.json").unlink()
    stage.plays("kubectl", "current-context", "current-context")
    stage.plays("kubectl", "get", "unreachable")
    done = lgp("deploy", "--env", "local", "--yes")
    assert done.code == 0
    assert "deployed; its pods could not be looked at: the Kubernetes API does not answer" in done.err


def test_destroy_tells_what_goes_and_asks_for_the_name(lgp: Lgp, local: Path, stage: Stage) -> None:
    stage.plays("pulumi", "destroy", out="destroyed\n")
    assert lgp("destroy", "--env", "local", typed="yes\n").code == 1
    assert stage.calls("pulumi")[-1] == "pulumi destroy --preview-only --stack local"
    done = lgp("destroy", "--env", "local", typed="local\n")
    assert done.code == 0
    assert stage.calls("pulumi")[-2:] == [
        "pulumi destroy --preview-only --stack local",
        "pulumi destroy --yes --stack local",
    ]
    assert "the data of a store in the cluster" in done.err
    assert lgp("destroy", "--env", "local", "--confirm", "dev").code == 2
    assert lgp("destroy", "--env", "local", "--confirm", "local").code == 0


def test_destroy_refuses_what_is_protected_before_anything_goes(lgp: Lgp, stage: Stage) -> None:
    stage.plays("pulumi", "stack export", "export-prod")
    done = lgp("destroy", "--env", "prod", "--confirm", "prod")
    assert done.code == 6
    assert "prod is protected (" in done.err
    assert "docs/howto/take-it-down.md" in done.err
    assert "the final snapshot langgraph-platform-prod-langgraph-database-final" in done.err
    assert stage.calls("pulumi") == ["pulumi stack export --stack prod --non-interactive"]


@pytest.mark.parametrize(
    ("played", "code", "expected"),
    [
        ("stack-unknown", 4, "no stack named 'nope' found: `pulumi stack ls` lists them"),
        ("logged-out", 6, "pulumi is not logged in: `pulumi login`"),
        ("project-missing", 2, "there is no Pulumi.yaml here: --cwd DIR"),
        ("passphrase-wrong", 6, "PULUMI_CONFIG_PASSPHRASE"),
    ],
)
def test_what_pulumi_refuses_is_one_line_that_says_what_to_do(
    lgp: Lgp, stage: Stage, played: str, code: int, expected: str
) -> None:
    stage.plays("pulumi", "", played)
    done = lgp("status", "--env", "nope")
    assert done.code == code
    (line,) = [line for line in done.err.splitlines() if line.startswith("lgp:")]
    assert expected in line


def test_without_a_selected_stack_it_says_how_to_name_one(lgp: Lgp, stage: Stage) -> None:
    stage.plays("pulumi", "stack --show-name", "stack-unselected")
    done = lgp("status")
    assert done.code == 2
    assert "no stack is selected: --env STACK, or `pulumi stack select STACK`" in done.err


@pytest.mark.parametrize(
    ("played", "code", "expected"),
    [
        ("unreachable", 5, "the Kubernetes API does not answer"),
        ("unauthorized", 6, "does not know these credentials"),
        ("context-unknown", 4, "context was not found"),
        ("namespace-unknown", 4, "not found"),
    ],
)
def test_what_kubectl_refuses_is_one_line_that_says_what_to_do(
    lgp: Lgp, stage: Stage, played: str, code: int, expected: str
) -> None:
    local_stack(stage)
    (stage.folder / "kubectl.json").unlink()
    stage.plays("kubectl", "get", played)
    done = lgp("status", "--env", "local", "--context", "test")
    assert done.code == code
    (line,) = [line for line in done.err.splitlines() if line.startswith("lgp:")]
    assert expected in line


@pytest.mark.parametrize("name", ["a b", "a;b", "--help-me", "a/b/c/d", "ä", "a\nb"])
def test_a_name_that_no_stack_can_have_reaches_no_program(lgp: Lgp, stage: Stage, name: str) -> None:
    done = lgp("status", f"--env={name}")
    assert done.code == 2
    assert "is no stack's name" in done.err
    assert stage.calls() == []


def test_a_program_that_is_not_there_is_told_with_where_to_get_it(
    lgp: Lgp, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(stage.path))
    done = lgp("status", "--env", "local")
    assert done.code == 1
    assert "pulumi is not on PATH: https://www.pulumi.com/docs/iac/download-install/" in done.err
    program = local_stack(stage)
    (stage.path / "kubectl").unlink()
    assert program.is_dir()
    assert (
        "kubectl is not on PATH: https://kubernetes.io/docs/tasks/tools/"
        in lgp("status", "--env", "local").err
    )


def test_on_aws_the_cluster_is_reached_by_a_kubeconfig_of_its_own_that_is_gone_afterwards(
    lgp: Lgp, stage: Stage
) -> None:
    for words, played in (
        ("stack export", "export-prod"),
        ("stack history", "history"),
        ("config", "config-prod"),
    ):
        stage.plays("pulumi", words, played)
    stage.plays("aws", "eks update-kubeconfig", shell='for file; do :; done; touch "$file"')
    stage.plays("kubectl", "get namespace", out='{"metadata": {}}')
    stage.plays("kubectl", "get --selector", "workload")
    lgp("status", "--env", "prod")
    (asked,) = stage.calls("aws")
    words = shlex.split(asked)
    outputs = recording("export-prod")["stdout"]["deployment"]["resources"][0]["outputs"]
    assert words[:-1] == [
        *("aws", "eks", "update-kubeconfig", "--region", outputs["region"]),
        *("--name", outputs["cluster_name"], "--kubeconfig"),
    ]
    assert all(f"--kubeconfig {words[-1]} " in call for call in stage.calls("kubectl"))
    assert not Path(words[-1]).exists()


def test_without_the_aws_program_a_context_is_offered(lgp: Lgp, stage: Stage, monkeypatch: Any) -> None:
    for words, played in (
        ("stack export", "export-prod"),
        ("stack history", "history"),
        ("config", "config-prod"),
    ):
        stage.plays("pulumi", words, played)
    monkeypatch.setenv("PATH", str(stage.path))
    done = lgp("status", "--env", "prod")
    assert done.code == 1
    assert re.search("aws is not on PATH: .*name a context of your kubeconfig with --context", done.err)


def test_no_secret_of_the_state_is_shown(lgp: Lgp, local: Path) -> None:
    done = lgp("status", "--env", "local", "--json")
    hidden = re.findall(r'"ciphertext": ?"([^"]+)"', json.dumps(recording("export")["stdout"]))
    assert hidden, "the recorded state has secrets, encrypted"
    assert not [text for text in hidden if text in done.out + done.err]


DOCKER = """
case "$*" in
  *"image inspect --format"*) echo "registry.example/mine@sha256:{digest}" ;;
  *"image inspect"*) exit 1 ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "agent.py").write_text("graph = 1\n")
    (folder / "langgraph.json").write_text(json.dumps({"graphs": {"agent": "./agent.py:graph"}}))
    return folder


def test_a_project_is_built_pushed_and_named_by_its_digest(
    lgp: Lgp, local: Path, stage: Stage, project: Path
) -> None:
    stage.plays("docker", "", shell=DOCKER.format(digest="d" * 64))
    tag = ("--tag", "registry.example/mine")
    done = lgp("deploy", "--env", "local", "--project", str(project), *tag, "--yes")
    assert done.code == 0, done.err
    image = f"registry.example/mine@sha256:{'d' * 64}"
    build, push = (call for call in stage.calls("docker") if " build " in call or " push " in call)
    assert re.fullmatch(r"docker push registry\.example/mine:[0-9a-f]{64}", push)
    assert push.rpartition(" ")[2] in build
    assert f"pulumi up --yes --skip-preview --message 'lgp deploy {image}' --stack local" in stage.calls(
        "pulumi"
    )
    assert f"platform.image.reference {image}" in local.read_text()
    assert "mutable_tag" not in local.read_text()


def test_a_push_whose_digest_nobody_tells_deploys_nothing(
    lgp: Lgp, local: Path, stage: Stage, project: Path
) -> None:
    stage.plays("docker", "", shell=DOCKER.format(digest="d" * 64).replace("mine@", "another@"))
    tag = ("--tag", "registry.example/mine")
    done = lgp("deploy", "--env", "local", "--project", str(project), *tag, "--yes")
    assert done.code == 1
    assert "was pushed, and nobody told its digest" in done.err
    assert not [call for call in stage.calls("pulumi") if " up " in call or " set " in call]


def test_in_local_an_image_without_a_registry_is_loaded_into_the_cluster_and_named_by_its_hash(
    lgp: Lgp, local: Path, stage: Stage, project: Path
) -> None:
    rules = (stage.folder / "pulumi.json").read_text()
    named = rules.replace('\\"redis\\": {}', '\\"redis\\": {}, \\"context\\": \\"kind-a\\"')
    (stage.folder / "pulumi.json").write_text(named)
    stage.plays("docker", "", shell=DOCKER.format(digest="d" * 64))
    stage.plays("kind", "load docker-image", out="loaded\n")
    done = lgp("deploy", "--env", "local", "--project", str(project), "--yes")
    assert done.code == 0, done.err
    (loaded,) = stage.calls("kind")
    image = loaded.split()[3]
    assert re.fullmatch(r"langgraph-mine:[0-9a-f]{64}", image)
    assert loaded == f"kind load docker-image {image} --name a"
    assert f"platform.image.reference {image}" in local.read_text()
    assert "platform.image.mutable_tag true" in local.read_text()


def test_a_project_for_a_stack_without_a_registry_wants_to_know_where(
    lgp: Lgp, local: Path, stage: Stage, project: Path
) -> None:
    rules = (stage.folder / "pulumi.json").read_text()
    prod = rules.replace('\\"environment\\": \\"local\\"', '\\"environment\\": \\"prod\\"')
    (stage.folder / "pulumi.json").write_text(prod)
    done = lgp("deploy", "--env", "local", "--project", str(project), "--yes")
    assert done.code == 2
    assert "where shall the image be pushed? --tag REGISTRY/NAME" in done.err


def alert(name: str, severity: str, **more: str) -> dict[str, Any]:
    labels = {"alertname": name, "severity": severity, **more}
    return {"state": "firing", "labels": labels, "annotations": {"summary": f"{name} of it"}}


def test_alerts_that_fire_are_told_and_a_critical_one_is_not_well(
    lgp: Lgp, local: Path, stage: Stage
) -> None:
    rules = (stage.folder / "pulumi.json").read_text()
    watched = rules.replace(
        '\\"redis\\": {}', '\\"redis\\": {}}, \\"monitoring\\": {\\"namespace\\": \\"watch\\"'
    )
    (stage.folder / "pulumi.json").write_text(watched)
    found = [
        alert("LangGraphSlowResponses", "warning"),
        alert("LangGraphSlowResponses", "warning"),
        alert("KubePodCrashLooping", "critical", namespace="langgraph"),
        alert("Watchdog", "critical"),
        {**alert("LangGraphHighErrorRate", "critical"), "state": "pending"},
    ]
    stage.plays("kubectl", "get --raw", out=json.dumps({"data": {"alerts": found}}), once=True)
    told = lgp("status", "--env", "local", "--json")
    assert told.code == 1
    assert json.loads(told.out)["problems"] == [
        "KubePodCrashLooping fires: KubePodCrashLooping of it: docs/howto/README.md has its page"
    ]
    assert [one["name"] for one in json.loads(told.out)["alerts"]] == [
        "LangGraphSlowResponses",
        "KubePodCrashLooping",
    ]
    path = "/api/v1/namespaces/watch/services/prometheus-operated:web/proxy/api/v1/alerts"
    assert f"get --raw {path} --request-timeout=20s" in stage.calls("kubectl")[-1]
    stage.plays("kubectl", "get --raw", err="Error from server (NotFound): no service\n", code=1)
    silent = lgp("status", "--env", "local", "--json")
    assert silent.code == 0
    assert "Prometheus could not be asked whether alerts fire" in json.loads(silent.out)["notes"]
