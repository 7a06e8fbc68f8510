"""The shell steps of the workflows, as they stand there, on a real clone of this repository."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from workflows.workflow_files import ROOT, job

BASH = shutil.which("bash")


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone at the merge of a pull request into its base, two commits deep, as on a runner."""
    origin, clone = tmp_path_factory.mktemp("origin") / "repo", tmp_path_factory.mktemp("clone") / "repo"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", f"file://{ROOT}", str(origin)], check=True)
    git(origin, "checkout", "--quiet", "-b", "fix")
    stack = origin / "Pulumi.dev.yaml"
    stack.write_text(stack.read_text().replace("max_size: 4", "max_size: 5"))
    git(origin, "commit", "--quiet", "--all", "--message", "one more node")
    git(origin, "checkout", "--quiet", "-")
    git(origin, "merge", "--quiet", "--no-ff", "--message", "merge", "fix")
    subprocess.run(["git", "clone", "--quiet", "--depth=2", f"file://{origin}", str(clone)], check=True)
    (clone / ".venv").symlink_to(ROOT / ".venv")
    return clone


def step(workflow: str, name: str, script: str) -> str:
    (found,) = [s["run"] for s in job(workflow, name).steps if script in s.get("run", "")]
    return found


def run(folder: Path, text: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """As a runner does; the packages of this repository that are in the clone come first."""
    packages = os.pathsep.join(str(folder / name) for name in ("cli", "components", "policy"))
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": packages, **environment}
    command = [BASH or "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_a_pull_request_is_compared_with_what_it_is_merged_into(merged: Path, tmp_path: Path):
    summary = tmp_path / "summary.md"
    done = run(merged, step("preview.yml", "plan", "plan.sh"), STACK="dev", GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 0, done.stderr
    text = (merged / "comment" / "plan.md").read_text()
    assert text.startswith("<!-- lgp-plan:dev -->")
    assert "1 changed" in text
    assert "maxSize" in text
    assert summary.read_text() == text


def with_program(merged: Path, folder: Path, program: str) -> Path:
    """A clone whose program is this one and before was a queue: ours takes seconds to plan, twice."""
    clone = folder / "clone"
    shutil.copytree(merged, clone, symlinks=True)
    (clone / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")
    (clone / "Pulumi.dev.yaml").write_text("config: {}\n")
    for text in (QUEUE, program):
        (clone / "__main__.py").write_text(text)
        git(clone, "commit", "--quiet", "--all", "--message", "another program")
    return clone


QUEUE = "import pulumi\nfrom pulumi_aws import iam, sqs\nsqs.Queue('it')\n"


def test_a_plan_that_cannot_be_made_says_why_and_fails(merged: Path, tmp_path: Path):
    clone = with_program(merged, tmp_path, f"{QUEUE}pulumi.Config().require('size')\n")
    done = run(clone, step("preview.yml", "plan", "plan.sh"), STACK="dev")
    assert done.returncode != 0
    text = (clone / "comment" / "plan.md").read_text()
    assert "could not be made" in text
    assert "demo:size" in text
    assert text.count("````````") == 2


def test_a_broken_rule_fails_the_job_and_is_in_the_text(merged: Path, tmp_path: Path):
    clone = with_program(merged, tmp_path, f"{QUEUE}iam.User('someone')\n")
    done = run(clone, step("preview.yml", "plan", "plan.sh"), STACK="dev")
    assert done.returncode == 1, done.stderr
    text = (clone / "comment" / "plan.md").read_text()
    assert "iam-no-users" in text
    assert "1 added" in text


SAID = """\
    +-aws:rds/instance:Instance: (replace)
        [id=db]
        [urn=urn:pulumi:prod::platform::langgraph:index:PostgresDatabase$aws:rds/instance:Instance::database]
    - aws:s3/bucket:Bucket: (delete)
        [urn=urn:pulumi:prod::platform::aws:s3/bucket:Bucket::files]
    ~ aws:s3/bucket:Bucket: (update)
        [urn=urn:pulumi:prod::platform::aws:s3/bucket:Bucket::other]
"""
NOISE = "      + aws:sqs/queue:Queue: (create)\n" * 3_000


def test_what_a_preview_replaces_or_deletes_is_before_a_diff_that_is_too_long(tmp_path: Path):
    (tmp_path / "told").write_text(f"{SAID}{NOISE}````````\n</details>\nResources:\n    +-1 to replace\n")
    (tmp_path / "pulumi").write_text(f"#!/bin/sh\ncat {tmp_path}/told\n")
    (tmp_path / "pulumi").chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = run(tmp_path, f"{ROOT}/.github/scripts/preview.sh prod {tmp_path}/text.md", PATH=path)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "text.md").read_text()
    head, _, diff = text.partition("<details>")
    assert "    +-1 to replace\n" in head
    assert (
        "    (replace) aws:rds/instance:Instance database\n    (delete) aws:s3/bucket:Bucket files\n" in head
    )
    assert "other" not in head
    assert diff.count("\n````````") == 2, "a fence ends where it should"


@pytest.mark.parametrize(
    ("region", "host"), [("eu-west-1", "amazonaws.com"), ("cn-north-1", "amazonaws.com.cn")]
)
def test_the_registrys_password_is_on_no_command_line(tmp_path: Path, region: str, host: str):
    for name, text in {"aws": 'echo "a password"', "docker": 'echo "$@" >said; cat >heard'}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    script = ROOT / ".github/scripts/registry_login.sh"
    done = run(tmp_path, str(script), PATH=path, AWS_REGION=region, ACCOUNT="111122223333")
    assert done.returncode == 0, done.stderr
    said = (tmp_path / "said").read_text()
    assert said == f"login --username AWS --password-stdin 111122223333.dkr.ecr.{region}.{host}\n"
    assert (tmp_path / "heard").read_text() == "a password\n"


def test_the_composite_action_is_what_the_workflows_call():
    action = yaml.safe_load((ROOT / ".github/actions/stack/action.yml").read_text())
    for workflow, name in (("preview.yml", "preview"), ("update.yml", "up"), ("drift.yml", "look")):
        (used,) = [s for s in job(workflow, name).steps if s.get("uses") == "./.github/actions/stack"]
        assert {"role", "region"} <= used["with"].keys() <= action["inputs"].keys()
