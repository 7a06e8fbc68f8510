"""A stack's program, run here as the engine would run it, and its failures as one line each."""

import gc
import os
import runpy
import sys
import traceback
import warnings
from collections.abc import Generator, Sequence
from contextlib import chdir, contextmanager, redirect_stdout
from dataclasses import dataclass
from logging import ERROR, Handler, Logger, LogRecord
from pathlib import Path
from typing import NoReturn

from pydantic import ValidationError

from lgp.errors import LgpError, PlanFailed, UsageProblem
from lgp.planning.project import StackInputs, as_json, read_stack
from lgp.planning.recording import Recording

MAIN = "__main__.py"
HIDDEN = ("AWS_", "KUBE", "PULUMI_", "HELM_")
"""Variables of these names are hidden from a program: the same input gives the same plan wherever it runs."""

NO_DEFAULTS = "pulumi:disable-default-providers"
"""Config: packages whose resources must name their provider; `*` is all."""

_REFUSALS = {"PlatformError", "ConfigMissingError", "ConfigTypeError"}
"""Errors about the configuration, by name: another revision has classes of its own."""


@dataclass(frozen=True)
class Message:
    """A line the program logged with `pulumi.log`."""

    level: int
    """Of Python's `logging`."""
    text: str


@dataclass(frozen=True)
class Planned:
    """What a program declared, and what it said meanwhile (each line once, in order)."""

    recording: Recording
    messages: tuple[Message, ...]


def plan(folder: Path, stack: str) -> Planned:
    """Run the program of a stack, with no account, no cluster and no network.

    Raises:
        UsageProblem: the folder, the stack or its config is wrong.
        PlanFailed: the program raised, logged an error, or declared the same resource twice.
    """
    inputs = read_stack(folder, stack)
    if not (inputs.program / MAIN).is_file():
        way = "programs in Python are planned offline, others by `pulumi preview`"
        message = f"{inputs.program} has no {MAIN}: {way}"
        raise UsageProblem(message)
    said = _Said()
    recording = _recorded(inputs, said)
    _check(recording, said)
    _check_providers(recording, as_json(inputs.config.get(NO_DEFAULTS)) or [])
    return Planned(recording, tuple(dict.fromkeys(said.messages)))


class _Said(Handler):
    """Keeps what the program logs."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Message] = []

    def emit(self, record: LogRecord) -> None:
        self.messages.append(Message(record.levelno, record.getMessage()))

    def logger(self) -> Logger:
        """A logger that has only this handler."""
        logger = Logger("lgp.plan", level=20)
        logger.addHandler(self)
        return logger


def _recorded(inputs: StackInputs, said: _Said) -> Recording:
    program = inputs.program
    # a program that fails leaves those of whatever waited for what failed
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    with _as_the_engine(program):
        try:
            from lgp.planning.monitor import record  # noqa: PLC0415  # Pulumi takes a second to import

            return record(
                lambda: _main(program),
                stack=inputs.stack,
                project=inputs.project,
                config=inputs.config,
                secret_keys=inputs.secret_keys,
                logger=said.logger(),
            )
        except (Exception, SystemExit) as error:  # noqa: BLE001  # a program may raise anything; becomes one line
            _refuse(error, program)


def _main(program: Path) -> None:
    runpy.run_path(str(program / MAIN), run_name="__main__")


@contextmanager
def _as_the_engine(program: Path) -> Generator[None, None, None]:
    """In the program's folder, with its own components first, stdout kept clean, no credentials."""
    folders = [str(program), *(str(path) for path in [program / "components"] if path.is_dir())]
    kept, path = dict(os.environ), list(sys.path)
    for name in [name for name in kept if name.startswith(HIDDEN)]:
        del os.environ[name]
    sys.path[:0] = folders
    try:
        with chdir(program), redirect_stdout(sys.stderr), _no_collections():
            yield
    finally:
        sys.path[:] = path
        os.environ.clear()
        os.environ.update(kept)


@contextmanager
def _no_collections() -> Generator[None, None, None]:
    """Imports make millions of objects that stay: to look for garbage there takes a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _check(recording: Recording, said: _Said) -> None:
    errors = [message.text for message in said.messages if message.level >= ERROR]
    if errors:
        raise PlanFailed(errors[0])
    if recording.duplicates:
        urn = recording.duplicates[0]
        message = f"two resources have the same name: {urn} is declared more than once"
        raise PlanFailed(message)


def _check_providers(recording: Recording, disabled: Sequence[str]) -> None:
    """As the engine: a resource that names no provider takes the default one, unless that is disabled."""
    for resource in recording.resources:
        package = resource.type.partition(":")[0]
        defaults = resource.custom and package != "pulumi" and resource.provider is None
        if defaults and {package, "*"} & set(disabled):
            message = f"{resource.urn} has no explicit provider, and {NO_DEFAULTS} forbids the default one"
            raise PlanFailed(message)


def _refuse(error: BaseException, program: Path) -> NoReturn:
    if isinstance(error, LgpError):
        raise error
    if names := {type_.__name__ for type_ in type(error).__mro__} & {*_REFUSALS, "RunError"}:
        refused = UsageProblem if names & _REFUSALS else PlanFailed
        raise refused("; ".join(_sentences(str(error)))) from None
    if isinstance(error, ModuleNotFoundError) and _distribution(error.name):
        message = f"the package {_distribution(error.name)} is not installed: `make setup`, or pip install it"
        raise PlanFailed(message) from None
    message = f"{_place(error, program)}: {_told(error)}"
    raise PlanFailed(message) from None


def _told(error: BaseException) -> str:
    """The last line of its traceback; of a model's refusal the first fault with its field."""
    if isinstance(error, ValidationError):
        fault = error.errors()[0]
        return f"{'.'.join([error.title, *map(str, fault['loc'])])}: {fault['msg']}"
    return _sentences("".join(traceback.format_exception_only(error)))[-1]


def _sentences(text: str) -> list[str]:
    """The lines of a message, without the engine's and pydantic's advice."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    advice = ("please set a value using", "For further information visit")
    return [line for line in lines if not line.startswith(advice)] or ["failed"]


def _distribution(module: str | None) -> str | None:
    """`pulumi_aws.rds` → `pulumi-aws`; None for what is no package of Pulumi's."""
    name = (module or "").partition(".")[0].replace("_", "-")
    return name if name == "pulumi" or name.startswith("pulumi-") else None


def _place(error: BaseException, program: Path) -> str:
    """`__main__.py:12`: the innermost line that belongs to the program."""
    frames = [(Path(f.filename), f.lineno) for f in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        frames.append((Path(error.filename), error.lineno))
    own = [frame for frame in frames if _is_own(frame[0], program)]
    path, line = (own or frames)[-1]
    return f"{path.relative_to(program) if own else path}:{line}"


def _is_own(path: Path, program: Path) -> bool:
    inside = path.is_relative_to(program) and "site-packages" not in path.parts
    return inside and "lgp" not in path.relative_to(program).parts[:2]
