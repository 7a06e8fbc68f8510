"""`lgp validate`."""

import json
import subprocess
from pathlib import Path
from typing import Annotated, Any

import typer

from lgp.building.checks import check_project
from lgp.building.findings import Finding, error, errors_among
from lgp.building.project import Project, read_project
from lgp.commands.graphs import ConfigArgument
from lgp.inputs import config_file
from lgp.output import Machine, escape, json_line, out, people
from lgp.paths import BUNDLED_CONFIG, shown
from lgp.progress import step
from lgp.server_command import offline_environment, server_command
from lgp.shapes import a_list, an_object
from lgp.state import clone_state

Load = Annotated[bool, typer.Option("--load/--no-load", help="Import the graphs here, as a server would.")]


def validate(config: ConfigArgument = BUNDLED_CONFIG, *, load: Load = True, machine: Machine = False) -> int:
    """Say what would fail: in the file, in the build of an image, at the start of a server."""
    project = read_project(config_file(config))
    findings = check_project(project)
    graphs: list[Any] = []
    if load:
        graphs, wrong = _loaded(project.file)
        findings += _unsaid(wrong, findings)
    failed = bool(errors_among(findings))
    if machine:
        json_line({"valid": not failed, "findings": findings, "graphs": graphs})
    else:
        _tell(project, findings, graphs)
    return int(failed)


def _loaded(file: Path) -> tuple[list[Any], list[Finding]]:
    """The graphs as the server describes them, and what it says of those that cannot be loaded."""
    with step("loading the graphs"):
        done = subprocess.run(
            server_command("graphs", "--json"),
            env=offline_environment(clone_state(), file),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        told = an_object(json.loads(done.stdout))
    except ValueError:
        told = {}
    problems = [an_object(problem) for problem in a_list(told.get("problems"))]
    wrong = [_of_graph(str(problem.get("graph")), str(problem.get("detail"))) for problem in problems]
    if done.returncode != 0 and not wrong:
        lines = done.stderr.strip().splitlines() or [f"the server ended with {done.returncode}"]
        wrong = [error("langgraph.json", lines[-1].removeprefix("agent_server: "))]
    return a_list(told.get("graphs")), wrong


def _of_graph(name: str, detail: str) -> Finding:
    return error(f"graphs.{name}", detail.removeprefix(f"graph {name!r}: "))


def _unsaid(wrong: list[Finding], said: list[Finding]) -> list[Finding]:
    """Without the graphs of which an error is known already: it is the same one."""
    known = {finding.where for finding in errors_among(said)}
    return [finding for finding in wrong if finding.where not in known]


def _tell(project: Project, findings: list[Finding], graphs: list[Any]) -> None:
    for finding in findings:
        colour = "red" if finding.level == "error" else "yellow"
        people().print(
            f"[bold {colour}]{finding.level}[/bold {colour}] {escape(' '.join(str(finding).split()))}"
        )
    if not errors_among(findings):
        names = ", ".join(str(an_object(graph).get("name")) for graph in graphs)
        out().print(
            f"[green]valid[/green] {escape(shown(project.file))}{escape(f': {names}') if names else ''}"
        )
