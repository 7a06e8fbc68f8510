"""Runs the plan: rounds, memory, starts; then holds every database against what was answered."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import psutil
from tests.bench.databases import Databases, Expected, stored
from tests.bench.figures import Book, Trial
from tests.bench.jobs import Job, Outcome
from tests.bench.plan import FLOOR, LISTING, OURS, Cell, Pace, Plan, memory_job, turned
from tests.bench.systems import (
    ROOT,
    Log,
    System,
    Worker,
    environment,
    migrate,
    server,
    start_floor,
    start_server,
    worker,
)

Say = Callable[[str], None]
"""Tells whoever waits what is going on."""

IMPORTS = {"import of langgraph and its saver": "import langgraph.graph, langgraph.checkpoint.postgres.aio"}
"""What every start pays for, whatever the server."""


@dataclass(slots=True)
class Bench:
    """One benchmark in progress."""

    databases: Databases
    pace: Pace
    say: Say
    log: Log
    book: Book = field(default_factory=Book)
    systems: dict[str, System] = field(default_factory=dict[str, System])
    expected: dict[str, Expected] = field(default_factory=dict[str, Expected])

    def rounds(self, cells: Sequence[Cell]) -> None:
        """Every cell on every system, once a round."""
        for number in range(self.pace.rounds):
            for cell in cells:
                for name in turned(cell.systems, number):
                    trial = self._trial(number, cell, self.systems[name])
                    self.book.trials.append(trial)
                    result = f"{trial.outcome.rate:.1f}/s, {trial.outcome.errors} wrong"
                    self.say(f"round {number + 1}/{self.pace.rounds}  {cell.name}  {name}  {result}")

    def weigh(self) -> None:
        """Memory at rest and after the runs. To be done first: these runs are everyone's warm-up."""
        for name, system in self.systems.items():
            self.say(f"memory of {name}")
            rest = system.resident_mib()
            self.do(system, memory_job(self.pace))
            self.book.memory[name] = (rest, system.resident_mib())

    def do(self, system: System, job: Job) -> Outcome:
        """Do a job and remember what it must have left in the database."""
        outcome = system.do(job)
        self.expected[system.name] = self.expected[system.name].after(job, outcome.completed)
        if outcome.errors:
            fault = f"{outcome.errors} wrong answers of {system.name}: {outcome.first_error}"
            self.book.faults.append(fault)
        return outcome

    def verify(self) -> None:
        """Hold every database against what was answered."""
        for name, system in self.systems.items():
            faults = stored(system.url, has_runs=name == OURS).faults(self.expected[name])
            self.book.faults.extend(f"{name}: {fault}" for fault in faults)

    def _trial(self, number: int, cell: Cell, system: System) -> Trial:
        own, postgres = system.cpu_seconds(), _family_cpu(self.databases.pid)
        outcome = self.do(system, cell.job)
        answers = max(1, outcome.completed + outcome.errors)
        return Trial(
            round=number,
            cell=cell.name,
            system=system.name,
            outcome=outcome,
            server_cpu=(system.cpu_seconds() - own) * 1000 / answers,
            postgres_cpu=(_family_cpu(self.databases.pid) - postgres) * 1000 / answers,
        )

    @contextmanager
    def started(self, names: Sequence[str]) -> Iterator[None]:
        """The systems run, each on a database of its own."""
        with ExitStack() as stack:
            load = stack.enter_context(worker("tests.bench.load"))
            for name in names:
                self.say(f"starting {name}")
                self.systems[name] = self._start(stack, name, load)
                self.expected[name] = Expected()
            yield

    def _start(self, stack: ExitStack, name: str, load: Worker) -> System:
        url = stack.enter_context(self.databases.database())
        if name == FLOOR:
            return start_floor(stack, url)
        return start_server(stack, name, url, load, self.log)

    def starts(self, names: Sequence[str]) -> None:
        """Seconds of imports, and of whole starts until ready."""
        with self.databases.database() as url:
            migrate(url, self.log)
            for _ in range(self.pace.starts):
                for title, statement in IMPORTS.items():
                    self.say(title)
                    self.book.starts.setdefault(title, []).append(_import_seconds(statement, url))
                for name in (OURS, LISTING):
                    if name in names:
                        self.say(f"start of {name}")
                        with server(name, url, self.log) as (_, _, seconds):
                            self.book.starts.setdefault(f"start of {name} until /ready", []).append(seconds)


def measure(databases: Databases, plan: Plan, say: Say) -> Book:
    """Carry out a plan; what the servers say goes to a file that is kept only while it runs."""
    with tempfile.NamedTemporaryFile(prefix="bench-", suffix=".log") as log:
        bench = Bench(databases, plan.pace, say, log)
        if plan.start and OURS in plan.systems:
            bench.starts(plan.systems)
        with bench.started(plan.systems):
            if plan.memory:
                bench.weigh()
            bench.rounds(plan.cells)
            say("checking the databases")
            bench.verify()
        return bench.book


def _import_seconds(statement: str, url: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], cwd=ROOT, env=environment(url, 0), check=True)
    return time.perf_counter() - began


def _family_cpu(pid: int) -> float:
    """Processor seconds of a process, its living children and those it has buried."""
    postmaster = psutil.Process(pid)
    own = postmaster.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in postmaster.children():
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total
