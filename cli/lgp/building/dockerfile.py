"""The Dockerfile of a project: the server's own, with the stage `project` written anew."""

import re
from collections.abc import Iterable
from itertools import pairwise

from lgp.building.checks import is_package
from lgp.building.project import Project
from lgp.building.recipe import Recipe

_STAGE = re.compile(r"^FROM .* AS (?P<name>\w+)\n", re.MULTILINE)
_INSTALL = """\
RUN --mount=type=secret,id=pip --mount=type=secret,id=ca \\
    python -m pip --python /opt/project/bin/python install \\
        --constraint /build/constraints.txt --requirement /build/project.txt \\
    && python -m pip --python /opt/project/bin/python check
"""
_CHECK = """\
# A graph that cannot be loaded fails the build.
RUN DATABASE_URL=postgresql://nowhere.invalid/none python -m agent_server graphs
"""


def render(server: str, project: Project, recipe: Recipe, *, check: bool) -> str:
    """The text, from that of the server's Dockerfile."""
    stages = _stages(server)
    stages["base"] += "".join(f"{line}\n" for line in recipe.lines) + ("\n" if recipe.lines else "")
    stages["project"] = "\n".join(_project_stage(project, recipe)) + "\n\n"
    place = (
        f"WORKDIR {project.in_image(project.folder)}\nENV LANGGRAPH_CONFIG={project.in_image(project.file)}\n"
    )
    return "".join(stages.values()) + place + (_CHECK if check else "")


def _stages(text: str) -> dict[str, str]:
    """The text of each stage by its name, comments above the next one included; the head by ``."""
    starts = [(match["name"], match.start()) for match in _STAGE.finditer(text)]
    bounds = [("", 0), *starts, ("end", len(text))]
    return {name: text[start:after] for (name, start), (_, after) in pairwise(bounds)}


def _project_stage(project: Project, recipe: Recipe) -> Iterable[str]:
    yield "FROM builder AS project"
    yield "COPY project.txt constraints.txt indexes.txt /build/"
    yield "COPY project /app"
    yield f"WORKDIR {project.in_image(project.folder)}"
    if requirements_of(project, recipe):
        yield _INSTALL.rstrip()
    yield "RUN python -m compileall -q --invalidation-mode unchecked-hash /app"


def requirements_of(project: Project, recipe: Recipe) -> list[str]:
    """What pip installs, as lines of a requirements file; folders as they lie, so there is one copy."""
    lines = [*project.requirements, *recipe.kept_tools]
    for folder in project.folders:
        place = project.in_image(folder)
        if is_package(folder):
            lines.append(f"--editable {place}")
        elif (folder / "requirements.txt").is_file():
            lines.append(f"--requirement {place}/requirements.txt")
    return lines
