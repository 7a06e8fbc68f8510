"""What watches the server while it runs, from its start to its end."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lgp.monitoring.grafana import find_grafana, grafana_address, start_grafana
from lgp.monitoring.program import Program
from lgp.monitoring.prometheus import require_prometheus, start_prometheus
from lgp.output import note
from lgp.progress import step
from lgp.server_process import Address
from lgp.signals import Signals


@dataclass
class Beside:
    """Where it is reached; None for what does not run."""

    prometheus_url: str | None = None
    grafana_url: str | None = None
    _programs: list[Program] = field(default_factory=list[Program])

    def tell_of_the_dead(self) -> None:
        """Say once of each that has ended by itself; the server goes on without it."""
        for program in [program for program in self._programs if program.ended]:
            self._programs.remove(program)
            note(f"{program.obituary()}; the server goes on")

    def add(self, program: Program) -> None:
        """Look after it from now on."""
        self._programs.append(program)


@contextmanager
def monitored(
    address: Address | None, metrics: Address | None, folder: Path, signals: Signals
) -> Generator[Beside, None, None]:
    """Prometheus at this address, and Grafana if it is there, both gone afterwards; without one, nothing."""
    beside = Beside()
    if address is None or metrics is None:
        yield beside
        return
    with ExitStack() as stack:
        with step("Prometheus") as told:
            prometheus = start_prometheus(require_prometheus(), address, metrics, folder / "prometheus")
            stack.callback(_end, prometheus)
            prometheus.wait_until_ready(address, "/-/ready", signals)
            told("started")
        beside.prometheus_url = address.url
        beside.add(prometheus)
        command = find_grafana()
        if command is not None:
            where = grafana_address()
            grafana = start_grafana(command, where, address, folder / "grafana")
            stack.callback(_end, grafana)
            beside.grafana_url = where.url
            beside.add(grafana)
        yield beside


def _end(program: Program) -> None:
    if not program.ended:
        with step(program.name) as told:
            program.end()
            told("stopped")
    program.end()
