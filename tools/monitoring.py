"""`make reference`: what app/monitoring/ has from the components' rules and dashboards, or `--check` it.

For a Prometheus and a Grafana outside Kubernetes: `make up MONITORING=1`, Compose, or one that runs already.
"""

import sys
from pathlib import Path

import yaml

from langgraph_components.pure import alerts, dashboards

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "app" / "monitoring"
HEAD = """# Made by `make reference` from components/langgraph_components/pure/alerting; do not edit.
# For a Prometheus outside Kubernetes that scrapes the server as the job `agent-server`.
"""


class _Readable(yaml.SafeDumper):
    """A query of several lines as it was written."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Readable.add_representer(str, _text)


def files() -> dict[Path, str]:
    """Path → content. Equal rules and dashboards give equal files."""
    rules = yaml.dump(alerts.rule_file(), Dumper=_Readable, sort_keys=False, width=110)
    boards = dashboards.files(dashboards.Site(alerts.RUNBOOKS, kubernetes=False))
    return {
        FOLDER / "rules.yaml": HEAD + rules,
        **{FOLDER / "dashboards" / name: text for name, text in boards.items()},
    }


def main() -> int:
    """Write the files, or with `--check` say which are not current."""
    wanted = files()
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            sys.stderr.write(f"monitoring: {path.relative_to(ROOT)} is not current (run `make reference`)\n")
        return int(bool(stale))
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
