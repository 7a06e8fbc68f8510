"""One stack, by Pulumi's own command line: its settings, history and state are asked there, never guessed."""

import json
import re
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lgp.errors import LgpError, NotFound, ProgramFailed, Refused, UsageProblem
from lgp.operating.exported import Exported
from lgp.operating.programs import Answer, Programs, at_folder
from lgp.operating.updates import Update, platform_settings, read_updates
from lgp.shapes import an_object
from lgp.signals import interrupting

HISTORY = 100
"""Updates that are looked at: those further back are no longer what one goes back to."""

_REFRESH = ("--refresh",)
_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*){0,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the settings: `path` gets `value`, or goes if that is None."""

    path: str
    value: str | None

    def __str__(self) -> str:
        """Show it as a person reads it."""
        return f"- platform.{self.path}" if self.value is None else f"platform.{self.path}: {self.value}"


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that there is, and the folder of its program."""

    name: str
    folder: Path
    programs: Programs

    @classmethod
    def opened(cls, name: str, folder: Path, programs: Programs) -> "Stack":
        """The stack of that name, or the one that is selected.

        Raises:
            UsageProblem: the name is none, none is selected, or the folder has no program.
            NotFound: there is no such stack.
            Refused: Pulumi is not logged in.
        """
        if name and not _NAME.fullmatch(name):
            message = (
                f"{name!r} is no stack's name: letters, digits, '.', '_', '-', perhaps ORG/PROJECT/ before"
            )
            raise UsageProblem(message)
        chosen = name or _read(cls("", folder, programs).ask("stack", "--show-name")).strip()
        return cls(chosen, folder, programs)

    def ask(self, *arguments: str) -> Answer:
        """What the command says, without any question of its own."""
        return self.programs.ask("pulumi", *self._command(arguments), "--non-interactive")

    def exported(self) -> Exported:
        """Its state. Raises as `opened`, if it is not there."""
        return Exported(_json(self.ask("stack", "export")))

    def updates(self) -> list[Update]:
        """Its last updates, the oldest first."""
        return read_updates(_json(self.ask("stack", "history", "--json", "--page-size", str(HISTORY))))

    def settings(self) -> dict[str, Any]:
        """The platform's settings, as the stack's file has them."""
        return platform_settings(an_object(_json(self.ask("config", "--json"))))

    def preview(self, *, refresh: bool = False) -> None:
        """Show what an `up` would do; with `refresh` it looks first at what is there.

        Raises:
            ProgramFailed: it would fail; Pulumi has told why.
        """
        self._do("preview", *_REFRESH[:refresh])

    def up(self, message: str, *, refresh: bool = False) -> None:
        """Bring everything to what the program and the settings say; the preview has been shown.

        Raises:
            ProgramFailed: it did not get there; Pulumi has told why.
        """
        self._do("up", "--yes", "--skip-preview", *_REFRESH[:refresh], "--message", message)

    def preview_destroy(self) -> None:
        """Show what would be deleted. Raises ProgramFailed if something is protected."""
        self._do("destroy", "--preview-only")

    def destroy(self) -> None:
        """Delete it all, after a preview of Pulumi's own: what is protected stops it before anything goes."""
        self._do("destroy", "--yes")

    def set(self, settings: Sequence[Setting]) -> None:
        """Write settings into the stack's file, by Pulumi."""
        for one in settings:
            words = ("rm",) if one.value is None else ("set",)
            value = () if one.value is None else (one.value,)
            command = self._command(("config", *words, "--path", f"platform.{one.path}", *value))
            _read(self.programs.settle("pulumi", *command, "--non-interactive"))

    @contextmanager
    def tentative(self, settings: Sequence[Setting]) -> Generator[Callable[[], None], None, None]:
        """These settings in the stack's file; as it was, if the block ends without a call of the function."""
        before = self.file.read_bytes() if settings and self.file.is_file() else None
        kept: list[bool] = []
        with interrupting():
            try:
                self.set(settings)
                yield lambda: kept.append(True)
            finally:
                if before is not None and not kept:
                    self.file.write_bytes(before)

    @property
    def file(self) -> Path:
        """Where its settings are."""
        return self.folder / f"Pulumi.{self.name.rpartition('/')[2]}.yaml"

    def _do(self, *arguments: str) -> None:
        code = self.programs.change("pulumi", *self._command(arguments))
        if code:
            message = f"pulumi {arguments[0]} failed with {code}: its last lines say why"
            raise ProgramFailed(message, exit_code_of_pulumi=code)

    def _command(self, arguments: Sequence[str]) -> list[str]:
        stack = ["--stack", self.name] if self.name else []
        return [*at_folder(self.folder, "--cwd"), *arguments, *stack]


def _json(answer: Answer) -> Any:
    text = _read(answer)
    try:
        return json.loads(text)
    except ValueError:
        message = "pulumi answered with something that is no JSON: is it a version before 3.100?"
        raise ProgramFailed(message) from None


def _read(answer: Answer) -> str:
    if answer.code == 0:
        return answer.out
    raise _problem(answer)


_LOGIN = "pulumi is not logged in: `pulumi login`, or `pulumi login s3://BUCKET`"
_KNOWN: tuple[tuple[str, type[LgpError], str], ...] = (
    ("no stack selected", UsageProblem, "no stack is selected: --env STACK, or `pulumi stack select STACK`"),
    ("no Pulumi.yaml project file", UsageProblem, "there is no Pulumi.yaml here: --cwd DIR of the program"),
    ("no stack named", NotFound, "{line}: `pulumi stack ls` lists them, `pulumi stack init NAME` makes one"),
    ("PULUMI_ACCESS_TOKEN must be set", Refused, _LOGIN),
    ("incorrect passphrase", Refused, "the passphrase of the stack is another one: PULUMI_CONFIG_PASSPHRASE"),
    ("passphrase must be set", Refused, "its secrets need PULUMI_CONFIG_PASSPHRASE, or …_FILE"),
    ("currently locked", Refused, "another update of the stack runs; if it died: `pulumi cancel`"),
)
"""What pulumi's error says → which error, and what to do."""


def _problem(answer: Answer) -> LgpError:
    lines = [line.removeprefix("error: ") for line in answer.err.splitlines() if line.startswith("error: ")]
    line = lines[-1] if lines else f"it ended with {answer.code}"
    for words, kind, told in _KNOWN:
        if words in answer.err:
            return kind(told.format(line=line))
    return ProgramFailed(f"pulumi: {line}")
