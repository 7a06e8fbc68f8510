"""The image's recipe: stages, user, health, what is copied; and that what it installs and copies can run."""

import ast
import json
import re
import shlex
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from langgraph_components.pure.content_hash import context_files
from langgraph_components.pure.dockerignore import Ignore

APP = Path(__file__).parents[2] / "app"
CONTRACT = (APP.parent / "docs" / "contract.md").read_text()


def instructions() -> list[tuple[str, str]]:
    """Instruction and arguments, lines joined, comments left out."""
    text = re.sub(r"^\s*#.*\n", "", (APP / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines if line.strip())]


def stages() -> dict[str, list[tuple[str, str]]]:
    """The instructions of each stage, by its name; of what is before the first one, by ``."""
    found: dict[str, list[tuple[str, str]]] = {"": []}
    for word, rest in instructions():
        if word == "FROM":
            found[rest.split(" AS ")[1]] = []
        list(found.values())[-1].append((word, rest))
    return found


def final() -> list[tuple[str, str]]:
    return list(stages().values())[-1]


def one(word: str) -> str:
    (found,) = [rest for name, rest in final() if name == word]
    return found


def test_the_base_image_is_pinned_by_a_digest_with_its_source_and_can_be_mirrored():
    registry, python = stages()[""]
    assert registry == ("ARG", "REGISTRY=docker.io")
    assert re.fullmatch(r"PYTHON=library/python@sha256:[0-9a-f]{64}", python[1])
    images = [rest.split(" AS ")[0] for word, rest in instructions() if word == "FROM"]
    assert [image for image in images if image not in stages()] == ["${REGISTRY}/${PYTHON}"]
    text = (APP / "Dockerfile").read_text()
    assert re.search(
        r"^# https://github\.com/docker-library/repo-info/blob/[0-9a-f]{40}/\S+$", text, re.MULTILINE
    )
    assert not text.startswith("# syntax"), "a frontend is an image from outside"


def test_what_is_installed_is_locked_by_hashes_and_nothing_is_compiled():
    installs = [
        rest for _, rest in instructions() if re.search(r"\b(pip|uv|apt-get|apk|conda)\b.* install", rest)
    ]
    (install,) = installs
    assert install.endswith(
        "install --no-compile --require-hashes --only-binary=:all: -r /build/requirements.lock"
    )
    lock = (APP / "requirements.lock").read_text()
    pins = re.findall(r"^[a-z0-9][\w.\-\[\]]*==", lock, re.MULTILINE)
    assert len(pins) > 50
    assert len(re.findall(r"^[a-z0-9].*\\\n +--hash=sha256:", lock, re.MULTILINE)) == len(pins)
    assert "boto" not in lock


def test_the_list_of_parts_in_the_image_is_that_of_its_lock():
    parts = json.loads((APP / "sbom.cdx.json").read_text())
    assert parts["bomFormat"] == "CycloneDX"
    pins = re.findall(r"^([a-z0-9][^\s;]*)==([^\s;]+)", (APP / "requirements.lock").read_text(), re.MULTILINE)
    assert sorted((part["name"], part["version"]) for part in parts["components"]) == sorted(pins)
    assert ("COPY", "requirements.lock sbom.cdx.json /opt/server/") in final()


def test_the_final_stage_takes_the_environment_of_the_builder_and_runs_no_installer():
    assert ("COPY", "--from=builder /opt/venv /opt/venv") in final()
    runs = " ".join(rest for word, rest in final() if word == "RUN")
    assert not re.search(r"\b(pip|uv|apt-get|apk) install|\b(gcc|make|curl|wget)\b", runs)


def test_an_index_and_its_credentials_are_secrets_of_the_steps_that_install():
    steps = [
        rest for word, rest in instructions() if word == "RUN" and re.search(r"\bpip\b.* install ", rest)
    ]
    assert steps
    assert all("--mount=type=secret,id=pip" in step for step in steps)
    assert ("ENV", "PIP_CONFIG_FILE=/run/secrets/pip") in [
        (word, rest.split(" ")[0]) for word, rest in stages()["builder"] if word == "ENV"
    ]
    assert not any("secret" in rest for _, rest in final())


def test_it_runs_as_nobody_special_in_the_contracts_folder_on_the_contracts_ports():
    assert one("USER") == "1000:1000"
    assert one("WORKDIR") == "/app"
    assert one("EXPOSE") == "8000 9464"
    words = [word for word, _ in final()]
    assert not {"RUN", "COPY"} & set(words[words.index("USER") :]), "nothing is made after it"
    assert not any("--chown" in rest for _, rest in final()), "the process cannot change its own code"
    assert json.loads(one("CMD")) == ["python", "-m", "agent_server", "serve"]
    told = " ".join(rest for word, rest in final() if word == "ENV")
    environment = dict(part.split("=", 1) for part in shlex.split(told))
    assert environment["LANGGRAPH_CONFIG"] == "/app/langgraph.json"
    assert environment["HOST"] == "0.0.0.0"
    assert environment["PATH"].startswith("/opt/project/bin:")
    assert environment["PYTHONSAFEPATH"] == "1", (
        "no file of the folder /app stands in for a module of the server"
    )
    assert "uid 1000, gid 1000" in CONTRACT
    assert "`LANGGRAPH_CONFIG=/app/langgraph.json`" in CONTRACT


def test_its_health_is_asked_by_python_at_the_liveness_probe_past_any_proxy():
    options, _, command = one("HEALTHCHECK").partition("CMD ")
    assert set(options.split()) == {"--interval=30s", "--timeout=10s", "--start-period=20s", "--retries=3"}
    program, flag, source = json.loads(command)
    assert (program, flag) == ("python", "-c")
    ast.parse(source)
    assert "/health" in source
    assert "ProxyHandler({})" in source


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (None, 1)])
def test_the_health_command_says_what_the_server_says(status, code):
    asked = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    source = json.loads(one("HEALTHCHECK").partition("CMD ")[2])[2]
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        port = server.server_address[1]
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        asked_port = port if status else 1
        done = subprocess.run(
            [sys.executable, "-I", "-c", source],
            env={"PORT": str(asked_port), "http_proxy": "http://127.0.0.1:1"},
            check=False,
            capture_output=True,
        )
        server.shutdown()
        serving.join()
    assert done.returncode == code
    assert asked == (["/health"] if status else [])


def test_everything_that_is_copied_is_there_and_gets_into_the_context():
    ignore = Ignore((APP / ".dockerignore").read_text())
    files = context_files(APP, "Dockerfile")
    for word, rest in instructions():
        if word == "COPY" and "--from" not in rest:
            *sources, _ = rest.split()
            for source in sources:
                path = source.strip("./") if source.startswith("./") else source
                assert (APP / path).exists(), path
                assert not ignore.leaves_out(path), path
                assert any(file == path or file.startswith(f"{path}/") for file in files), path


@pytest.mark.parametrize(
    "path",
    [
        *(".env", ".git/config", "agent_server/__pycache__/a.pyc", "graphs/a/__pycache__/b.cpython-311.pyc"),
        *(
            "new_folder/secret.pem",
            "pepper",
            "Dockerfile",
            ".dockerignore",
            "certs/README.md",
            "pyproject.toml",
        ),
    ],
)
def test_nothing_else_gets_into_the_context(path):
    assert Ignore((APP / ".dockerignore").read_text()).leaves_out(path)


def test_no_secret_is_an_argument_or_in_the_environment():
    said = " ".join(rest for word, rest in instructions() if word in {"ARG", "ENV", "LABEL"})
    said = said.replace("=/run/secrets/pip ", " ")
    assert not re.search(r"(?i)secret|password|token|api_?key|pepper|DATABASE", said)
    assert "ADD" not in {word for word, _ in instructions()}


def test_each_instruction_is_one_a_builder_knows():
    known = {
        "ARG",
        "CMD",
        "COPY",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "RUN",
        "STOPSIGNAL",
        "USER",
        "WORKDIR",
    }
    assert {word for word, _ in instructions()} <= known
    assert one("STOPSIGNAL") == "SIGTERM"
