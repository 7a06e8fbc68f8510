"""The figures as Markdown for docs/promises.md, and as JSON."""

import math
import os
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.bench.bars import bars
from tests.bench.figures import Book, median
from tests.bench.plan import APPROVAL, FIRST_TOKEN, FLOOR, LISTING, TOKEN_RATE, Pace

PACKAGES = (
    "langgraph",
    "langgraph-checkpoint-postgres",
    "psycopg",
    "psycopg-pool",
    "fastapi",
    "uvicorn",
    "uvloop",
)
STREAMS = (FIRST_TOKEN, TOKEN_RATE, APPROVAL)


def machine() -> dict[str, str]:
    """Where and when."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": f"{_processor()}, {os.cpu_count()} logical",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }


def markdown(book: Book, pace: Pace, postgres: dict[str, str]) -> str:
    """The whole report."""
    sections = [
        _heading(pace, postgres),
        _bars(book),
        _throughput(book),
        _streams(book),
        _memory(book, pace),
        _starts(book),
    ]
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def as_json(book: Book, pace: Pace, postgres: dict[str, str]) -> dict[str, Any]:
    """All figures, round by round."""
    return {
        "machine": machine(),
        "postgres": postgres,
        "rounds": pace.rounds,
        "bars": [
            {"promise": bar.promise, "figure": bar.figure, "reached": bar.reached} for bar in bars(book)
        ],
        "cells": [_cell(book, cell, system) for cell in book.cells() for system in book.systems(cell)],
        "memory_mib": {name: {"rest": rest, "after": after} for name, (rest, after) in book.memory.items()},
        "starts_seconds": book.starts,
        "faults": book.faults,
    }


def _cell(book: Book, cell: str, system: str) -> dict[str, Any]:
    own, postgres = book.cpu(cell, system)
    figures = {
        "cell": cell,
        "system": system,
        "rates": [trial.outcome.rate for trial in book.of(cell, system)],
        "p50": book.latency(cell, system, 50),
        "p95": book.latency(cell, system, 95),
        "p99": book.latency(cell, system, 99),
        "errors": book.errors(cell, system),
        "server_cpu_ms": own,
        "postgres_cpu_ms": postgres,
        "first_event_ms": book.mark(cell, system, "first_event"),
        "first_token_ms": book.mark(cell, system, "first_token"),
    }
    return {name: None if _is_nan(value) else value for name, value in figures.items()}


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _heading(pace: Pace, postgres: dict[str, str]) -> list[str]:
    facts = machine()
    versions = ", ".join(f"{package} {facts[package]}" for package in PACKAGES)
    settings = ", ".join(f"{name} {value}" for name, value in postgres.items() if name != "server_version")
    return [
        f"Measured {facts['date']} on {facts['processor']} ({facts['system']}),",
        "client, server and database together.",
        f"Python {facts['python']}, PostgreSQL {postgres['server_version']} ({settings}),",
        f"{versions}.",
        f"{pace.rounds} interleaved rounds, {pace.seconds:g} s a cell; a new thread per run; pools of 5-20.",
        "`floor`: bare `graph.ainvoke`, a saver per run, `sync`, no HTTP. `ours`: `sync`.",
        "`listing`: its own default durability (`async`). `floor-http`: the floor behind one route.",
    ]


def _bars(book: Book) -> list[str]:
    rows = [(bar.promise, bar.figure, "yes" if bar.reached else "**no**") for bar in bars(book)]
    return list(_table(("promise", "measured: median (min to max)", "reached"), rows))


def _throughput(book: Book) -> list[str]:
    head = (
        "cell",
        "system",
        "runs/s",
        "p50 / p95 / p99 ms",
        "x floor",
        "x listing",
        "CPU ms: own + PG",
        "wrong",
    )
    rows = [
        _throughput_row(book, cell, system)
        for cell in book.cells()
        if cell not in STREAMS
        for system in book.systems(cell)
    ]
    return list(_table(head, rows)) if rows else []


def _throughput_row(book: Book, cell: str, system: str) -> tuple[str, ...]:
    own, postgres = book.cpu(cell, system)
    return (
        cell,
        system,
        f"{book.rate(cell, system):.1f}",
        " / ".join(f"{book.latency(cell, system, percent):.1f}" for percent in (50, 95, 99)),
        _ratio(book, cell, system, FLOOR),
        _ratio(book, cell, system, LISTING),
        f"{own:.1f} + {postgres:.1f}",
        str(book.errors(cell, system)),
    )


def _ratio(book: Book, cell: str, system: str, base: str) -> str:
    spread = None if system == base else book.ratio(cell, system, base)
    return "" if spread is None else str(spread)


def _streams(book: Book) -> list[str]:
    systems = list(dict.fromkeys(system for cell in STREAMS for system in book.systems(cell)))
    head = (
        "system",
        "first event ms",
        "first token ms",
        "events/s at 20 streams",
        "interrupt + resume p50 / p95 ms",
    )
    return list(_table(head, [_stream_row(book, system) for system in systems])) if systems else []


def _stream_row(book: Book, system: str) -> tuple[str, ...]:
    return (
        system,
        _number(book.mark(FIRST_TOKEN, system, "first_event")),
        _number(book.mark(FIRST_TOKEN, system, "first_token"), "never"),
        f"{book.events(TOKEN_RATE, system):.0f}" if book.of(TOKEN_RATE, system) else "",
        " / ".join(_number(book.latency(APPROVAL, system, percent)) for percent in (50, 95)),
    )


def _memory(book: Book, pace: Pace) -> list[str]:
    head = ("system", "MiB at rest", f"MiB after {pace.memory_runs:,} runs")
    rows = [(name, f"{rest:.0f}", f"{after:.0f}") for name, (rest, after) in book.memory.items()]
    return list(_table(head, rows)) if rows else []


def _starts(book: Book) -> list[str]:
    rows = [(title, f"{median(seconds):.2f}") for title, seconds in book.starts.items()]
    return list(_table(("what", "s"), rows)) if rows else []


def _number(value: float, absent: str = "") -> str:
    return absent if math.isnan(value) else f"{value:.1f}"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    for row in (head, ("---",) * len(head), *rows):
        yield "| " + " | ".join(row) + " |"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()
