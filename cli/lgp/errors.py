"""What `lgp` says no to. Each error is one line for a person; the edge in `main.py` prints it and exits.

LgpError                    exit 1
├── UsageProblem            exit 2   the command line, its input or a file it names is wrong
├── RunFailed               exit 1   the run ended as error, timeout or cancelled
├── NotFound                exit 4   no such graph, thread, run, sample, stack or version
├── CannotConnect           exit 5   nothing answers at the address, or its database is away
├── Refused                 exit 6   the server, the thread, the stack or the cluster forbids it
├── TimeIsOver              exit 7   the time to wait is over; the run goes on
├── AlreadyRunning          exit 1   another `lgp up` holds this clone
├── PortTaken               exit 1   something else listens there
├── ServerDied              exit 1   the server process ended by itself
├── ProgramMissing          exit 1   pulumi, kubectl, aws or an image engine is not on PATH
├── ProgramFailed           exit 1   one of them did not succeed
├── Interrupted             exit 130 stopped by a signal; the program that ran was told, and has ended
├── PlanFailed              exit 1   the stack's program raised, or the engine would refuse what it declares
├── BuildFailed             exit 1   the engine could not build or push the image
├── FolderUnusable          exit 1   a folder is read-only, or someone else's
└── EmbeddedProblem         exit 1   PostgreSQL could not be made, started or stopped
"""

from typing import Any


class LgpError(Exception):
    """An expected failure, told in one line. `extra` is what a program may want to know beside it."""

    exit_code = 1

    def __init__(self, message: str, **extra: Any) -> None:
        """Say what is wrong, and what to do about it."""
        super().__init__(message)
        self.extra = extra


class UsageProblem(LgpError):
    """The command line, its input or a file it names is wrong."""

    exit_code = 2


class RunFailed(LgpError):
    """The run ended as error, timeout or cancelled."""


class NotFound(LgpError):
    """No such graph, thread, run, sample, stack or version."""

    exit_code = 4


class CannotConnect(LgpError):
    """Nothing answers at the address, or its database is away."""

    exit_code = 5


class Refused(LgpError):
    """The server, the state of the thread, the stack or the cluster forbids it."""

    exit_code = 6


class TimeIsOver(LgpError):
    """The time to wait is over; the run goes on."""

    exit_code = 7


class AlreadyRunning(LgpError):
    """Another `lgp up` holds this clone."""


class PortTaken(LgpError):
    """Something else listens on the address."""


class ServerDied(LgpError):
    """The server process ended by itself."""


class ProgramMissing(LgpError):
    """A program of others is not on PATH."""


class ProgramFailed(LgpError):
    """A program of others did not succeed."""


class Interrupted(LgpError):
    """Stopped by a signal; the program that ran was told, and has ended."""

    exit_code = 130


class PlanFailed(LgpError):
    """The stack's program raised, or the engine would refuse what it declares."""


class BuildFailed(LgpError):
    """The engine could not build or push the image."""


class FolderUnusable(LgpError):
    """A folder is read-only, a link, or someone else's."""


class EmbeddedProblem(LgpError):
    """The embedded PostgreSQL could not be made, started or stopped."""
