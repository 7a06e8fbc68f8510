"""Logs of many pods at once, in bounded memory: one kubectl for each pod, and those that come later too.

`kubectl logs --follow --selector` follows the pods that there were when it began, and ends with them. Here
the pods are asked for again and again, and a new one is followed from its first line.
"""

import heapq
import subprocess
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from queue import Empty, Full, Queue
from typing import IO

from lgp.errors import CannotConnect, NotFound, ProgramFailed
from lgp.operating.cluster import Cluster
from lgp.operating.health import SELECTOR
from lgp.operating.log_lines import LINE_CHARACTERS, Line, parsed
from lgp.operating.pods import Source, sources
from lgp.output import note

MOST = 60
"""Pods whose logs are read at once: a kubectl for each."""

LOOK_SECONDS = 3.0
"""Between two questions for new pods; what a new pod has said before is read from its log's beginning."""

WAITING_LINES = 1000
"""Lines that may wait for a slow terminal; then the kubectls wait, and the nodes keep the rest."""

TRIES = 3
"""Failures in a row to ask for pods, before it is given up."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is read of each pod."""

    component: str = ""
    """`api`, `worker`, `migration` or `retention`; empty for all."""
    since: str = ""
    """`10m`, `2h`: nothing older; empty for all that is kept."""
    tail: int = -1
    """The last lines of each pod; -1 for all."""
    previous: bool = False
    """Of containers that were started again: the life before."""

    @property
    def options(self) -> list[str]:
        """For kubectl."""
        since = [f"--since={self.since}"] if self.since else []
        previous = ["--previous"] if self.previous else []
        return [f"--tail={self.tail}", *since, *previous]


def recorded(cluster: Cluster, wanted: Wanted) -> Generator[Line, None, None]:
    """What the pods have said, in the order of time.

    Raises:
        NotFound: there is no such pod.
        ProgramFailed: the log of one of them could not be read; kubectl has told why.
        LgpError: as `Cluster.read`.
    """
    found = _bounded(_asked(cluster, wanted))
    if not found:
        what = "container that was started again" if wanted.previous else "pod with a log"
        message = f"there is no {what} of {wanted.component or 'the workload'} in {cluster.namespace}"
        raise NotFound(message)
    cluster.programs.show(cluster.command("logs", "POD", "--timestamps", *wanted.options))
    with ExitStack() as stack:
        logs = [stack.enter_context(_reading(_command(cluster, one, *wanted.options), one)) for one in found]
        yield from heapq.merge(*(log.lines() for log in logs), key=lambda line: line.time)
        if failed := [log.source.pod for log in logs if log.code()]:
            message = f"kubectl could not read {', '.join(failed)}"
            raise ProgramFailed(message)


@dataclass(slots=True)
class _Log:
    """A kubectl that reads the log of one container."""

    source: Source
    child: "subprocess.Popen[str]"

    def lines(self) -> Iterator[Line]:
        """Each line as it comes, to the end."""
        stream: IO[str] | None = self.child.stdout
        while stream and (raw := stream.readline(LINE_CHARACTERS)):
            whole = raw.endswith("\n")
            yield parsed(self.source, raw)
            while not whole and (rest := stream.readline(LINE_CHARACTERS)):
                whole = rest.endswith("\n")

    def code(self) -> int:
        """Its exit code, once it has ended."""
        return self.child.wait()


@contextmanager
def _reading(command: Sequence[str], source: Source) -> Generator[_Log, None, None]:
    """A kubectl for the block; what goes wrong it tells on stderr itself."""
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace", bufsize=1
    )
    try:
        with child:
            yield _Log(source, child)
            child.terminate()
    finally:
        child.kill()


def _command(cluster: Cluster, source: Source, *options: str) -> list[str]:
    return cluster.command("logs", source.pod, "--container", source.container, "--timestamps", *options)


def _asked(cluster: Cluster, wanted: Wanted, *, shown: bool = True) -> list[Source]:
    answer = cluster.read("get", "pods", "--selector", SELECTOR, shown=shown)
    return sources(answer, wanted.component, previous=wanted.previous)


def _bounded(found: list[Source]) -> list[Source]:
    if len(found) > MOST:
        note(f"{len(found)} pods: {MOST} of them are read; --component leaves others out")
    return found[:MOST]


@dataclass(slots=True)
class Following:
    """The pods that are followed, and what they say."""

    cluster: Cluster
    wanted: Wanted
    _lines: "Queue[Line]" = field(default_factory=lambda: Queue(WAITING_LINES))
    _last: dict[Source, str] = field(default_factory=dict[Source, str])
    """Each log that was begun, and the time of its last line."""
    _open: set[Source] = field(default_factory=set[Source])
    """Those that a kubectl reads."""
    _children: "set[subprocess.Popen[str]]" = field(default_factory=set["subprocess.Popen[str]"])
    _stopped: threading.Event = field(default_factory=threading.Event)

    def lines(self) -> Generator[Line, None, None]:
        """What they say, without end; close it to stop.

        Raises:
            LgpError: as `Cluster.read`, if it was so three times in a row.
        """
        self.cluster.programs.show(self.cluster.command("logs", "POD", "--follow", *self.wanted.options))
        failures, look = 0, 0.0
        try:
            while True:
                if (now := time.monotonic()) >= look:
                    failures, look = self._look(failures), now + LOOK_SECONDS
                with suppress(Empty):
                    yield self._lines.get(timeout=max(0.05, look - now))
        finally:
            self._stopped.set()
            for child in list(self._children):
                child.kill()

    def _look(self, failures: int) -> int:
        """Follow what is new, and go on with what broke; the number of failures in a row."""
        first = not self._last
        try:
            found = _asked(self.cluster, self.wanted, shown=first)
        except (CannotConnect, ProgramFailed):
            if first or failures + 1 >= TRIES:
                raise
            return failures + 1
        for gone in self._last.keys() - set(found) - self._open:
            del self._last[gone]
        for source in _bounded(found):
            if source in self._open or (source in self._last and not source.running):
                continue
            self._begin(source, first=first)
        return 0

    def _begin(self, source: Source, *, first: bool) -> None:
        """A thread that reads it; a pod that came later from its first line, a broken log where it broke."""
        last = self._last.setdefault(source, "")
        options = self.wanted.options if first else ["--tail=-1"]
        if not first:
            what = "the connection broke, it goes on" if last else "a new pod"
            note(f"{source.short}: {what} ({source.pod})")
        resumed = [f"--since-time={last}"] if last else []
        command = _command(self.cluster, source, "--follow", *options, *resumed)
        self._open.add(source)
        threading.Thread(target=self._follow, args=(source, command, last), daemon=True).start()

    def _follow(self, source: Source, command: Sequence[str], last: str) -> None:
        try:
            with _reading(command, source) as log:
                self._children.add(log.child)
                for line in log.lines():
                    if line.time <= last and line.time:
                        continue
                    if not self._put(line):
                        return
                    self._last[source] = line.time or self._last[source]
                self._children.discard(log.child)
        finally:
            self._open.discard(source)

    def _put(self, line: Line) -> bool:
        """Hand a line over; False once nobody wants any."""
        while not self._stopped.is_set():
            with suppress(Full):
                self._lines.put(line, timeout=0.5)
                return True
        return False
