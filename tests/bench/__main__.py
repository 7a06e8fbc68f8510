"""`python -m tests.bench`: measure, print the report as Markdown, exit 1 if a promise was not reached."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from tests.bench.bars import bars
from tests.bench.databases import bench_databases
from tests.bench.measure import measure
from tests.bench.plan import FULL, QUICK, SYSTEMS, names, plan
from tests.bench.report import as_json, markdown
from tests.bench.systems import BenchError


def main() -> int:
    """Do what the command line says."""
    options = _parse()
    pace = QUICK if options.quick else FULL
    pace = replace(pace, rounds=options.rounds or pace.rounds)
    chosen = plan(pace, options.only, options.systems)
    try:
        with bench_databases() as databases:
            settings = databases.settings()
            book = measure(databases, chosen, _say)
    except BenchError as problem:
        sys.stderr.write(f"\n{problem}\n")
        return 2
    _say("")
    sys.stdout.write(markdown(book, pace, settings))
    if options.json:
        options.json.write_text(json.dumps(as_json(book, pace, settings), indent=1) + "\n")
    return 0 if all(bar.reached for bar in bars(book)) else 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="under two minutes instead of ten; for developing"
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="interleaved rounds (5, quick: 3)")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        choices=names(FULL),
        metavar="CELL",
        help=", ".join(names(FULL)),
    )
    parser.add_argument(
        "--systems",
        type=lambda text: [name for name in SYSTEMS if name in text.split(",")],
        default=list(SYSTEMS),
        help=f"comma-separated, of {','.join(SYSTEMS)}",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    return parser.parse_args()


def _say(line: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{line}")
    elif line:
        sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
