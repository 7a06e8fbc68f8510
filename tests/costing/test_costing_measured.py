"""The assumptions that are called measured, measured again: bytes closely, processor time within reason."""

import pytest
from tests.bench.databases import bench_databases
from tests.bench.per_run import measure

from lgp.costing.tables import shipped_assumptions

RUNS = 60

BYTES = {
    "body_kib": "body_kib_per_run",
    "wire_kib": "zone_kib_per_run",
    "wal_kib": "wal_kib_per_run",
    "stored_history_kib": "stored_history_kib_per_run",
    "stored_run_kib": "stored_run_kib_per_run",
    "stored_events_kib": "stored_events_kib_per_run",
    "stored_thread_kib": "stored_thread_kib_per_run",
}


@pytest.fixture(scope="module")
def figures() -> dict[str, float]:
    with bench_databases() as databases:
        return measure(databases, "document", RUNS)


@pytest.mark.parametrize("figure", BYTES)
def test_a_run_moves_and_leaves_as_many_bytes_as_is_assumed(figures, figure):
    """Within a third; few runs leave half-filled pages and indexes."""
    likely = shipped_assumptions()[BYTES[figure]].value.likely
    assert figures[figure] == pytest.approx(likely, rel=0.35), figures


@pytest.mark.parametrize(
    ("figure", "key"), [("server_ms", "server_ms_per_run"), ("database_ms", "database_ms_per_run")]
)
def test_a_run_takes_as_much_processor_time_as_is_assumed(figures, figure, key):
    """Machines differ, and tests run beside each other: three times off is a change of the server."""
    likely = shipped_assumptions()[key].value.likely
    assert likely / 3 <= figures[figure] <= likely * 3, figures
