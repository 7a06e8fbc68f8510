"""`make pictures`: docs/pictures from the stack `prod` as it is, or `--check` them."""

import io
import re
import sys
import warnings
from pathlib import Path
from typing import Any

from rich.console import Console

from lgp.planning.changes import show_comparison
from lgp.planning.compare import compare
from lgp.planning.drawing import drawn
from lgp.planning.program import plan
from lgp.planning.project import stack_file
from lgp.planning.recording import Recording
from lgp.planning.restaged import plan_with
from lgp.planning.yaml_text import read_mapping

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
STACK = "prod"
KEY = "langgraph-platform:platform"
COLUMNS = 112
"""Characters of the terminal."""


def pictures() -> dict[str, str]:
    """Each picture by its file: the stack drawn, and what a change of three settings would do to it."""
    now = plan(ROOT, STACK).recording
    return {"prod.svg": drawn(now), "plan.svg": _terminal(now, _changed())}


def _changed() -> Recording:
    """The stack with a larger machine, more pods, and another name of the database: which loses it."""
    config = read_mapping(ROOT / stack_file(STACK), "there is no such stack")["config"]
    config[KEY]["database"] |= {"instance_class": "db.m7g.2xlarge", "database": "agents"}
    config[KEY]["workload"] |= {"api": {"max_replicas": 60}}
    return plan_with(ROOT, STACK, config)


class _Terminal(Console):
    """Cuts lines at its width, as a person's eye does."""

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*objects, **{"no_wrap": True, "overflow": "ellipsis", "crop": True, **options})


def _terminal(before: Recording, after: Recording) -> str:
    console = _Terminal(
        record=True,
        width=COLUMNS,
        file=io.StringIO(),
        force_terminal=True,
        highlight=False,
        legacy_windows=False,
    )
    console.print(f"[bold]$ lgp plan {STACK} --diff main[/bold]")
    show_comparison(compare(before, after), console)
    picture = console.export_svg(title=f"lgp plan {STACK} --diff main", unique_id="plan")
    # the reader's own monospaced font: a picture in a README loads nothing
    picture = re.sub(r"\s*@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    head = '<svg role="img" '
    title = "<title>lgp plan prod --diff main: a database that would be replaced is red</title>"
    picture = picture.replace("<svg ", head, 1).replace(">", f">\n{title}", 1)
    return "\n".join(line.rstrip() for line in picture.splitlines()) + "\n"


def main() -> int:
    """Write them, or with `--check` say which are out of date (exit 1)."""
    warnings.simplefilter("ignore", DeprecationWarning)
    made = pictures()
    if "--check" not in sys.argv:
        PICTURES.mkdir(exist_ok=True)
        for name, text in made.items():
            (PICTURES / name).write_text(text, encoding="utf-8")
        return 0
    files = {name: PICTURES / name for name in made}
    stale = [
        name for name, path in files.items() if not path.is_file() or path.read_text("utf-8") != made[name]
    ]
    for name in stale:
        print(f"docs/pictures/{name} is not of today's stack: make pictures")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
