"""pulumi, kubectl and aws that say what the real ones once said, and note down how they are called."""

import json
import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parent / "recorded"

PROGRAM = """#!{python} -SE
import json, os, sys
here, name = {folder!r}, os.path.basename(sys.argv[0])
words = sys.argv[1:]
with open(here + "/calls", "a") as calls:
    calls.write(json.dumps([name, *words]) + "\\n")
for number, rule in enumerate(json.load(open(here + "/" + name + ".json"))):
    rest, used = iter(words), here + "/used-" + name + "-" + str(number)
    if not all(word in rest for word in rule["words"]) or (rule["once"] and os.path.exists(used)):
        continue
    if rule["once"]:
        open(used, "w").close()
    if rule["shell"]:
        os.execv("/bin/sh", ["sh", "-c", rule["shell"], name, *words])
    sys.stdout.write(rule["out"])
    sys.stderr.write(rule["err"])
    sys.exit(rule["code"])
sys.stderr.write("not expected: " + " ".join([name, *words]) + "\\n")
sys.exit(97)
"""


def recording(name: str) -> dict[str, Any]:
    """An answer of the real program: `command`, `version`, `code`, `stdout` (JSON as it is), `stderr`."""
    return json.loads((RECORDED / f"{name}.json").read_text())


@dataclass(frozen=True)
class Stage:
    """A folder of programs, for PATH."""

    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "bin"

    def plays(self, program: str, words: str, played: str = "", **more: Any) -> None:
        """When called with these words in this order, among others, it answers with a recording, or as told.

        `out`, `err` and `code` instead of a recording; `shell` is executed instead; `once` is for one call.
        Earlier rules go first.
        """
        told = recording(played) if played else {"stdout": "", "stderr": "", "code": 0}
        out = told["stdout"] if isinstance(told["stdout"], str) else json.dumps(told["stdout"])
        rule = {"words": shlex.split(words), "once": False, "shell": "", "out": out}
        rule |= {"err": told["stderr"], "code": told["code"]} | more
        rules = self.folder / f"{program}.json"
        known = json.loads(rules.read_text()) if rules.exists() else []
        rules.write_text(json.dumps([*known, rule]))
        self._install(program)

    def calls(self, *programs: str) -> list[str]:
        """What was called, as a shell takes it; of these programs only, or of all."""
        file = self.folder / "calls"
        found = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        return [shlex.join(call) for call in found if not programs or call[0] in programs]

    def _install(self, program: str) -> None:
        self.path.mkdir(exist_ok=True)
        file = self.path / program
        if not file.exists():
            file.write_text(PROGRAM.format(python=sys.executable, folder=str(self.folder)))
            file.chmod(0o755)


def local_stack(stage: Stage) -> Path:
    """The recorded stack `local`, on the recorded cluster; returns the program's folder with its settings."""
    for words, played in (
        ("stack export", "export"),
        ("stack history", "history"),
        ("config --json", "config"),
        ("preview", "preview"),
        ("up", "up"),
    ):
        stage.plays("pulumi", words, played)
    program = stage.folder / "program"
    program.mkdir(exist_ok=True)
    (program / "Pulumi.yaml").write_text("name: langgraph-platform\nruntime: python\n")
    settings = program / "Pulumi.local.yaml"
    settings.write_text("# mine\nconfig: {}\n")
    stage.plays("pulumi", "config set", shell=f"printf '%s\\n' \"$*\" >> {settings}")
    stage.plays("pulumi", "config rm", shell=f"printf '%s\\n' \"$*\" >> {settings}")
    for words, played in (
        ("config current-context", "current-context"),
        ("get namespace", "namespace"),
    ):
        stage.plays("kubectl", words, played)
    return program


def on_path(stage: Stage) -> str:
    """PATH with these programs, and otherwise only what a shell needs."""
    return os.pathsep.join([str(stage.path), "/usr/bin", "/bin"])
