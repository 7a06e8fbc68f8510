"""What a server's metrics say, as Prometheus reads them."""

import httpx
from prometheus_client.parser import text_string_to_metric_families
from support.server import ServerProcess

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]
"""Values by a sample's name and its labels."""


def scrape(server: ServerProcess) -> Series:
    """All series of a server."""
    answer = httpx.get(server.metrics_url, timeout=10)
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(series: Series, sample: str, **labels: str) -> float | None:
    """The value of one; None where there is none."""
    return series.get((sample, frozenset(labels.items())))


def total(series: Series, sample: str, **labels: str) -> float:
    """The sum over all series of the sample that have these labels."""
    wanted = frozenset(labels.items())
    return sum(number for (name, found), number in series.items() if name == sample and wanted <= found)
