"""Where a run's time goes in a server, for whoever makes it faster.

`python -m tests.bench.profile --graph g1 --concurrency 10` samples the server's Python stacks under load, by
processor time, and shows which package and which of our functions the samples fall in.
`python -m tests.bench.profile --statements` shows the statements that one run sends, with PostgreSQL's times.
"""

import argparse
import json
import re
import runpy
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from types import FrameType

from tests.bench.databases import bench_databases
from tests.bench.jobs import Job
from tests.bench.systems import COMMANDS, Log, System, Worker, migrate, server, worker

INTERVAL = 0.002
"""Seconds of processor time between two samples."""

STATEMENT_RUNS = 20
"""Runs whose statements are averaged."""

SHOWN = 45
"""Lines of a table."""

LOGGED = {"log_min_duration_statement": "0", "log_line_prefix": "@@%d "}
_ENTRY = re.compile(
    r"^@@test_\d+ LOG:  duration: ([\d.]+) ms  (parse|bind|execute|statement)[^:]*: (.*)", re.DOTALL
)


class Sampler:
    """Counts stacks from SIGUSR1 on, and writes them at SIGUSR2."""

    def __init__(self, output: Path) -> None:
        """Write there."""
        self._output = output
        self._packages: Counter[str] = Counter()
        self._innermost: Counter[str] = Counter()
        self._ours: Counter[str] = Counter()

    def install(self) -> None:
        """Wait for SIGUSR1."""
        signal.signal(signal.SIGPROF, self._sample)
        signal.signal(signal.SIGUSR1, lambda *_: signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL))
        signal.signal(signal.SIGUSR2, lambda *_: self._write())

    def _sample(self, _: int, frame: FrameType | None) -> None:
        if frame is None:
            return
        self._packages[_package(frame)] += 1
        self._innermost[_function(frame)] += 1
        seen: set[str] = set()
        while frame is not None:
            if _package(frame) in {"agent_server", "langgraph", "psycopg", "uvicorn"}:
                seen.add(_function(frame))
            frame = frame.f_back
        self._ours.update(seen)

    def _write(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        tables = {
            "package of the innermost frame": self._packages.most_common(SHOWN // 2),
            "innermost function": self._innermost.most_common(SHOWN),
            "anywhere on the stack": self._ours.most_common(2 * SHOWN),
        }
        draft = self._output.with_suffix(".draft")
        draft.write_text(json.dumps({"samples": self._packages.total(), "tables": tables}))
        draft.rename(self._output)


def _package(frame: FrameType) -> str:
    path = frame.f_code.co_filename
    for marker in ("site-packages/", "/app/", "/lib/python3"):
        _, found, rest = path.partition(marker)
        if found:
            parts = rest.split("/")
            return parts[1] if marker == "/lib/python3" and len(parts) > 1 else parts[0]
    return path.rsplit("/", 1)[-1]


def _function(frame: FrameType) -> str:
    code = frame.f_code
    return f"{'/'.join(code.co_filename.rsplit('/', 3)[1:])}:{code.co_qualname}"


def sample(name: str, job: Job) -> None:
    """Sample a server under a job and print the tables."""
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile() as log, ExitStack() as stack:
        output = Path(folder) / "samples.json"
        COMMANDS[name] = ["-m", "tests.bench.profile", "--inside", str(output), *COMMANDS[name]]
        url = stack.enter_context(stack.enter_context(bench_databases()).database())
        load = stack.enter_context(worker("tests.bench.load"))
        _prepare(name, url, log)
        with server(name, url, log) as (pid, port, _):
            system = System(name, url, pid, load, port)
            system.do(Job(action="invoke", graph="g1", concurrency=5, count=100))
            system.signal(signal.SIGUSR1)
            before = system.cpu_seconds()
            outcome = system.do(job)
            used = (system.cpu_seconds() - before) * 1000 / max(1, outcome.completed)
            system.signal(signal.SIGUSR2)
            while not output.exists():
                time.sleep(0.05)
        sys.stdout.write(f"{outcome.rate:.1f}/s, {used:.2f} ms of CPU per answer, {outcome.errors} wrong\n")
        found = json.loads(output.read_text())
        _print_samples(found["tables"], used / max(1, found["samples"]))


def _print_samples(tables: dict[str, list[tuple[str, int]]], scale: float) -> None:
    """`scale` is what one sample stands for; the kernel's clock is coarser than the interval asked for."""
    for title, rows in tables.items():
        sys.stdout.write(f"\n{title}: ms of CPU per answer\n")
        for name, samples in rows:
            sys.stdout.write(f"{samples * scale:8.3f}  {name}\n")


def statements(name: str, graph: str) -> None:
    """Print the statements of one run, averaged."""
    with tempfile.NamedTemporaryFile() as log, ExitStack() as stack:
        databases = stack.enter_context(bench_databases(LOGGED))
        url = stack.enter_context(databases.database())
        system = _statement_system(stack, name, url, log)
        system.do(Job(action="invoke", graph=graph, concurrency=1, count=STATEMENT_RUNS))
        seen = databases.log.stat().st_size
        system.do(Job(action="invoke", graph=graph, concurrency=1, count=STATEMENT_RUNS))
        entries = databases.log.read_text()[seen:]
    _print_statements(entries)


def _statement_system(stack: ExitStack, name: str, url: str, log: Log) -> System:
    if name == "floor":
        floor = stack.enter_context(worker("tests.bench.floor", url))
        return System(name, url, floor.pid, floor)
    load: Worker = stack.enter_context(worker("tests.bench.load"))
    _prepare(name, url, log)
    pid, port, _ = stack.enter_context(server(name, url, log))
    return System(name, url, pid, load, port)


def _print_statements(log: str) -> None:
    counts: Counter[str] = Counter()
    times: Counter[str] = Counter()
    starts = [match.start() for match in re.finditer(r"^@@", log, re.MULTILINE)]
    for begin, end in pairwise([*starts, len(log)]):
        match = _ENTRY.match(log[begin:end])
        if match:
            text = " ".join(match[3].split())[:150]
            times[text] += float(match[1])  # pyright: ignore[reportArgumentType]  # a counter of milliseconds
            counts[text] += match[2] in {"execute", "statement"}
    total = sum(counts.values()) / STATEMENT_RUNS
    sys.stdout.write(f"{total:.1f} statements and {sum(times.values()) / STATEMENT_RUNS:.2f} ms per run\n")
    for text, count in counts.most_common():
        sys.stdout.write(f"{count / STATEMENT_RUNS:6.2f} x {times[text] / max(1, count):7.3f} ms  {text}\n")


def _prepare(name: str, url: str, log: Log) -> None:
    if name == "ours":
        migrate(url, log)


def _inside(output: str, command: list[str]) -> None:
    """Be the server, sampled: `command` is that of `COMMANDS`."""
    Sampler(Path(output)).install()
    _, module, *rest = command
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def main() -> None:
    """Do what the command line says."""
    if sys.argv[1:2] == ["--inside"]:
        _inside(sys.argv[2], sys.argv[3:])
        return
    parser = argparse.ArgumentParser(prog="python -m tests.bench.profile", description=__doc__)
    parser.add_argument("--system", choices=[*COMMANDS, "floor"], default="ours")
    parser.add_argument("--graph", choices=("g1", "g5"), default="g1")
    parser.add_argument("--concurrency", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--statements", action="store_true", help="the statements of a run instead")
    options = parser.parse_args()
    if options.statements:
        statements(options.system, options.graph)
        return
    size = {"concurrency": options.concurrency, "seconds": options.seconds}
    sample(options.system, Job(action="invoke", graph=options.graph, **size))


if __name__ == "__main__":
    main()
