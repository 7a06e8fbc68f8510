"""The fixtures of the durability tests, for the long ones; the seed before them and a table after them."""

import pytest
from app.support.durable_world import client, ledger, new_ledger
from chaos_report import SEED, table
from support.postgres import postgres_cluster

__all__ = ["client", "ledger", "new_ledger", "postgres_cluster"]


def pytest_report_header() -> str:
    return f"chaos: SEED={SEED}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section(f"chaos, SEED={SEED}")
    for line in table():
        terminalreporter.write_line(line)
