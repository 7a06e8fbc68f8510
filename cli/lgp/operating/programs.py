"""Other people's programs: each command is shown before it runs, so that it can be repeated by hand."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM

from lgp.errors import Interrupted, ProgramMissing
from lgp.output import note
from lgp.signals import Signals

WHENCE = {
    "pulumi": "https://www.pulumi.com/docs/iac/download-install/",
    "kubectl": "https://kubernetes.io/docs/tasks/tools/",
    "aws": "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html, "
    "or name a context of your kubeconfig with --context",
}
"""Where each program comes from, for whoever lacks it."""

WAIT_SECONDS = 60.0
"""A child's end ends a wait; this is for a signal that was lost."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program said."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Programs:
    """Runs programs. With `dry_run` those that would change something are shown only."""

    dry_run: bool = False
    machine: bool = False
    """Whether stdout is a program's: then what others say goes to stderr."""

    def ask(self, *command: str, shown: bool = True) -> Answer:
        """Run what only reads, without a terminal, so that nothing can wait for an answer nobody sees.

        Raises:
            ProgramMissing: it is not on PATH.
        """
        if shown:
            self.show(command)
        return self._answer(command)

    def settle(self, *command: str) -> Answer:
        """Run what changes a file of this machine and says little."""
        self.show(command)
        return Answer(0, "", "") if self.dry_run else self._answer(command)

    def _answer(self, command: Sequence[str]) -> Answer:
        done = subprocess.run(
            [_found(command[0]), *command[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
            errors="replace",
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def change(self, *command: str) -> int:
        """Run what may change something, on this terminal; its exit code, or 0 for what is only shown.

        A stop signal reaches it once and is waited for: half-way, Pulumi would leave its lock and operations
        without a known end. On a terminal Ctrl-C goes to it by itself; elsewhere it gets a process group of
        its own, or a signal to the group of `lgp` would be its second one, which means haste.

        Raises:
            ProgramMissing: it is not on PATH.
            Interrupted: a stop signal came; the program has ended.
        """
        program = _found(command[0])
        self.show(command)
        if self.dry_run:
            return 0
        on_terminal = sys.stdin.isatty()
        with Signals() as signals:
            child = subprocess.Popen(
                [program, *command[1:]],
                stdin=None if on_terminal else subprocess.DEVNULL,
                stdout=sys.stderr if self.machine else None,
                process_group=None if on_terminal else 0,
            )
            passed_on = 0
            while child.poll() is None:
                signals.wait(WAIT_SECONDS)
                for signal in signals.stops[passed_on:]:
                    if not on_terminal or signal == SIGTERM:
                        child.send_signal(signal)
                passed_on = len(signals.stops)
        if signals.stops:
            how = f"{command[0]} was told, and has ended ({child.returncode})"
            message = f"stopped; {how}: `lgp status` says how far it got"
            raise Interrupted(message)
        return child.returncode

    def show(self, command: Sequence[str]) -> None:
        """Tell the command as a shell takes it."""
        note(f"$ {shlex.join(command)}")


def _found(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        message = f"{name} is not on PATH: {WHENCE.get(name, 'install it')}"
        raise ProgramMissing(message)
    return path


def at_folder(folder: Path, flag: str) -> list[str]:
    """The option that makes a program work in that folder; none where it is the current one."""
    return [] if folder == Path.cwd() else [flag, str(folder)]
