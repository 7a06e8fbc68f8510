"""A `docker` for app/compose-rollout.sh that acts on the running `Composition`: the verbs that it uses.

`with docker_for(project) as (docker, path):` makes a folder for PATH. What it does not know fails, so that a
script that asks for more than was thought of is a failed test.
"""

import argparse
import json
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from support.compose import ENTRYPOINT, Composition

_PROGRAM = """#!{python}
import json, socket, sys
with socket.socket(socket.AF_UNIX) as asked:
    asked.connect("{address}")
    asked.sendall(json.dumps(sys.argv[1:]).encode() + b"\\n")
    answer = json.loads(asked.makefile().readline())
sys.stdout.write(answer["output"])
sys.exit(answer["code"])
"""


class Docker:
    """The verbs."""

    def __init__(self, project: Composition) -> None:
        self._project = project
        self.asked: list[list[str]] = []

    def do(self, words: list[str]) -> str:
        """Carry out one line; what it prints."""
        self.asked.append(words)
        verbs: dict[str, Callable[[list[str]], str]] = {
            "compose run": self._run,
            "compose ps": self._ps,
            "compose up": self._up,
            "compose exec": self._exec,
            "inspect": self._inspect,
            "stop": self._stop,
            "rm": self._rm,
        }
        many = 2 if words[0] == "compose" else 1
        return verbs[" ".join(words[:many])](words[many:])

    def _run(self, words: list[str]) -> str:
        assert words[:-1] == ["--rm", "--no-TTY"]
        one = self._project.start(words[-1], 99)
        assert one.child is not None
        code = one.child.wait(60)
        del self._project.containers[one.name]
        assert code == 0, one.output()
        return ""

    def _ps(self, words: list[str]) -> str:
        assert words[0] == "--quiet"
        return "".join(f"{name}\n" for name in self._project.names(words[1]))

    def _up(self, words: list[str]) -> str:
        given = argparse.ArgumentParser()
        for flag in ("--detach", "--no-deps", "--no-recreate", "--wait"):
            given.add_argument(flag, required=True, action="store_true")
        given.add_argument("--scale")
        given.add_argument("service")
        found = given.parse_args(words)
        service, _, count = found.scale.partition("=")
        assert service == found.service
        while len(self._project.names(service)) < int(count):
            taken = {self._project.containers[name].number for name in self._project.names(service)}
            self._project.wait_until_healthy(self._project.start(service, max(taken) + 1))
        return ""

    def _exec(self, words: list[str]) -> str:
        given = argparse.ArgumentParser()
        given.add_argument("--no-TTY", required=True, action="store_true")
        given.add_argument("--env", action="append", default=[])
        given.add_argument("service")
        given.add_argument("command", nargs=argparse.REMAINDER)
        found = given.parse_args(words)
        (name,) = self._project.names(found.service)
        line = ["sh", "-ec", ENTRYPOINT] if found.command[0].endswith(".sh") else found.command
        more = dict(one.split("=", 1) for one in found.env)
        return self._project.inside(name, *line, **more)

    def _inspect(self, words: list[str]) -> str:
        assert words[0] == "--format"
        assert '"langgraph_outside"' in words[1]
        return self._project.containers[words[2]].address + "\n"

    def _stop(self, words: list[str]) -> str:
        (name,) = words
        assert self._project.stop(name) == 0, self._project.containers[name].output()
        return f"{name}\n"

    def _rm(self, words: list[str]) -> str:
        (name,) = words
        del self._project.containers[name]
        return f"{name}\n"


@contextmanager
def docker_for(project: Composition) -> Iterator[tuple[Docker, str]]:
    """The verbs, and a folder with the program `docker`, which the script finds first in PATH."""
    docker = Docker(project)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            words = json.loads(self.rfile.readline())
            try:
                answer = {"output": docker.do(words), "code": 0}
            except (AssertionError, KeyError, SystemExit, subprocess.SubprocessError) as error:
                answer = {"output": f"docker {words}: {error!r}\n", "code": 1}
            self.wfile.write(json.dumps(answer).encode() + b"\n")

    folder = Path(tempfile.mkdtemp(prefix="lgp-docker-"))
    address = folder / "socket"
    program = folder / "docker"
    program.write_text(_PROGRAM.format(python=sys.executable, address=address))
    program.chmod(0o755)
    server = socketserver.ThreadingUnixStreamServer(str(address), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield docker, str(folder)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        shutil.rmtree(folder)
