"""The plan of a stack with another configuration than its file has, the file untouched."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lgp.planning.program import MAIN, plan
from lgp.planning.project import PROJECT_FILE, stack_file
from lgp.planning.recording import Recording
from lgp.planning.yaml_text import written


def plan_with(folder: Path, stack: str, config: Mapping[str, Any]) -> Recording:
    """The plan of the folder's program with this configuration, by full key; what it says is dropped.

    Raises:
        UsageProblem: the program refuses the configuration.
        PlanFailed: the program fails.
    """
    with TemporaryDirectory(prefix="lgp-plan-") as temporary:
        copy = Path(temporary)
        for name in (MAIN, PROJECT_FILE):
            shutil.copy(folder / name, copy)
        for name in ("app", "components"):
            if (folder / name).is_dir():
                (copy / name).symlink_to((folder / name).resolve())
        (copy / stack_file(stack)).write_text(written({"config": dict(config)}), encoding="utf-8")
        return plan(copy, stack).recording
