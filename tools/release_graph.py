"""`make release-graph`: what the stacks are in the release that is cut now, to compare upgrades with."""

import sys
import tomllib
import warnings
from pathlib import Path

from lgp.planning.program import plan
from lgp.planning.project import stack_file
from lgp.planning.releases.baseline import baseline_text
from lgp.planning.yaml_text import read_mapping

ROOT = Path(__file__).resolve().parent.parent
GRAPHS = ROOT / "releases" / "graph"
ANNOUNCED = ROOT / "releases" / "announced.toml"
STACKS = ("dev", "prod", "local")
HEAD = """\
# What the next release does to stacks of the last one that loses data or stops an upgrade, and what to do.
# Each entry stands in CHANGELOG.md, too; docs/howto/release.md has the form. `make release-graph` empties it.
"""


def main() -> int:
    """Write the graphs of this version, and begin with no announcements anew."""
    warnings.simplefilter("ignore", DeprecationWarning)
    version = tomllib.loads((ROOT / "components" / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    GRAPHS.mkdir(parents=True, exist_ok=True)
    for stack in STACKS:
        config = read_mapping(ROOT / stack_file(stack), f"there is no stack {stack}")["config"]
        text = baseline_text(version, config, plan(ROOT, stack).recording)
        (GRAPHS / f"{stack}.json").write_text(text, encoding="utf-8")
        print(f"releases/graph/{stack}.json: {stack} of {version}")
    ANNOUNCED.write_text(HEAD, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
