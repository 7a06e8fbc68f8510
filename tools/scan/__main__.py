"""`make scan`: checkov on the plans of all stacks, on the Dockerfile and on the workflows, without a network.

checkov has an environment of its own, `.scan`: its many packages are neither the server's nor the tests'.
It reads Kubernetes' objects as `lgp plan --out` writes them, and AWS's resources in Terraform's language.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from hcl import exported
from scanner import ROOT, checked, install
from verdict import SKIPS, failures, listed, skips, verdict


def staged(folder: Path) -> list[str]:
    """Everything that is scanned, in one folder; the names of the stacks in it."""
    stacks = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))
    for stack in stacks:
        plan = [ROOT / ".venv" / "bin" / "lgp", "plan", stack, "--out", folder / stack]
        done = subprocess.run(plan, check=False, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"scan: the plan of {stack} fails: {done.stderr.strip()}")
        aws = folder / stack / "aws.json"
        (folder / stack / "main.tf").write_text(exported(json.loads(aws.read_text())["resources"]))
        # neither is anything that checkov knows
        aws.unlink()
        shutil.rmtree(folder / stack / "charts", ignore_errors=True)
    (folder / "app").mkdir()
    shutil.copy(ROOT / "app" / "Dockerfile", folder / "app")
    shutil.copytree(ROOT / ".github", folder / ".github")
    return stacks


def main() -> int:
    """Print what is wrong; exit 1 if anything is."""
    install()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        stacks = staged(folder)
        reports = checked(folder)
    known = skips(SKIPS.read_text())
    lines = verdict(failures(reports, stacks), known)
    sys.stdout.writelines(f"scan: {line}\n" for line in lines)
    passed = sum(each["summary"]["passed"] for each in listed(reports))
    told = f"{passed} checks passed, {len(known)} skipped with a reason, {len(lines)} to mend"
    sys.stdout.write(f"scan: {told}\n")
    return int(bool(lines))


if __name__ == "__main__":
    sys.exit(main())
