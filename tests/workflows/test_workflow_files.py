"""What each workflow may do: pinned actions, rights with names, no secret beside a stranger's code."""

import re

import pytest
import yaml
from workflows.workflow_files import ACTIONS, FOLDER, ROOT, SCRIPTS, WORKFLOWS, Job, job, jobs, parsed, texts

FILES = [*(FOLDER / name for name in WORKFLOWS), *ACTIONS]
JOBS = jobs()
CALLED = [each for each in JOBS if "uses" in each.told]
RUNNING = [each for each in JOBS if "uses" not in each.told]
WRITES = {
    ("preview.yml", "preview"): {"id-token"},
    ("comment.yml", "post"): {"pull-requests"},
    ("deploy.yml", "dev"): {"id-token"},
    ("deploy.yml", "prod"): {"id-token"},
    ("update.yml", "up"): {"id-token"},
    ("drift.yml", "look"): {"id-token"},
    ("drift.yml", "report"): {"issues"},
}
"""Every right to write that any job has; all others can read, or nothing."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_action_is_pinned_by_a_whole_digest_with_its_version(path):
    lines = [line.strip().removeprefix("- ") for line in path.read_text().splitlines()]
    used = [line for line in lines if line.startswith("uses:") and "./" not in line]
    pinned = r"uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+"
    assert [line for line in used if not re.fullmatch(pinned, line)] == []


def test_one_action_has_one_digest():
    found = re.findall(r"uses: (\S+)@(\S+) # (\S+)", "\n".join(path.read_text() for path in FILES))
    assert found
    assert len({name for name, _, _ in found}) == len(set(found))


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_has_no_rights_and_each_job_names_its_own(name):
    assert parsed(name)["permissions"] == {}
    assert all("permissions" in told for told in parsed(name)["jobs"].values())


@pytest.mark.parametrize("one", JOBS, ids=str)
def test_only_the_jobs_that_must_can_write_anything(one: Job):
    can = {right for right, level in one.permissions.items() if level != "read"}
    assert can == WRITES.get((one.workflow, one.name), set())


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_right_has_its_reason_beside_it(name):
    rights = re.findall(r"^\s+[a-z-]+: (?:read|write)\b.*$", (FOLDER / name).read_text(), re.MULTILINE)
    assert [line for line in rights if " # " not in line] == []


@pytest.mark.parametrize("one", RUNNING, ids=str)
def test_a_job_ends_by_itself(one: Job):
    assert 0 < one.told["timeout-minutes"] <= 120


@pytest.mark.parametrize("one", RUNNING, ids=str)
def test_no_clone_keeps_the_token(one: Job):
    clones = [step for step in one.steps if "actions/checkout@" in step.get("uses", "")]
    assert clones
    assert all(step["with"]["persist-credentials"] is False for step in clones)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_script_has_an_expression_in_it(path):
    """Expressions are put in before a shell reads the text: a branch's name would be code."""
    document = yaml.safe_load(path.read_text())
    steps = document.get("runs", {}).get("steps", [])
    steps += [step for told in document.get("jobs", {}).values() for step in told.get("steps", [])]
    runs = [step["run"] for step in steps if "run" in step]
    assert [text for text in runs if "${{" in text or "\n" in text.strip()] == []


@pytest.mark.parametrize("name", WORKFLOWS)
def test_no_workflow_has_a_stored_secret(name):
    """AWS trusts the job itself; the only token is the one that GitHub makes for the job."""
    assert [text for text in texts(parsed(name)) if "secrets" in text] == []
    assert "pull_request_target" not in parsed(name)["on"]


def test_the_job_that_runs_the_code_of_a_fork_can_read_the_clone_and_nothing_else():
    plan = job("preview.yml", "plan")
    assert plan.permissions == {"contents": "read"}
    assert "environment" not in plan.told
    assert plan.told["env"] == {"STACK": "${{ matrix.stack }}"}
    assert not [text for text in texts(plan.told) if re.search(r"vars\.|github\.token|credentials@", text)]


def test_what_asks_aws_on_a_pull_request_is_a_branch_of_this_repository_with_an_environment():
    preview = job("preview.yml", "preview")
    assert "github.event.pull_request.head.repo.full_name == github.repository" in preview.told["if"]
    assert "dependabot[bot]" in preview.told["if"]
    assert preview.told["environment"] == "preview-${{ matrix.stack }}"


def test_the_job_that_may_comment_runs_nothing_of_the_pull_request():
    assert set(parsed("comment.yml")["on"]) == {"workflow_run"}
    post = job("comment.yml", "post")
    clone = next(step for step in post.steps if "actions/checkout@" in step.get("uses", ""))
    assert set(clone["with"]) == {"persist-credentials", "sparse-checkout"}, "the default branch, no ref"
    assert [step["run"] for step in post.steps if "run" in step] == ["python3 tools/pull_request_comment.py"]
    assert not [step for step in post.steps if "download-artifact" in step.get("uses", "")]


def test_comments_are_posted_after_the_workflow_that_makes_them():
    assert parsed("comment.yml")["on"]["workflow_run"]["workflows"] == [parsed("preview.yml")["name"]]


def test_aws_is_asked_by_environments_alone_and_only_from_main_where_it_changes_or_tells_secrets():
    asking = {str(each): each.told for each in RUNNING if each.permissions.get("id-token") == "write"}
    assert {name: told["environment"] for name, told in asking.items()} == {
        "preview-preview": "preview-${{ matrix.stack }}",
        "drift-look": "drift-${{ matrix.stack }}",
        "update-up": "${{ inputs.stack }}",
    }
    assert all("refs/heads/main" in asking[name]["if"] for name in ("drift-look", "update-up"))


def test_one_update_of_a_stack_at_a_time_and_none_is_interrupted():
    assert job("update.yml", "up").told["concurrency"] == {
        "group": "stack-${{ inputs.stack }}",
        "cancel-in-progress": False,
    }


def test_prod_comes_after_dev_and_nothing_before_the_tests():
    deploy = {each.name: each.told for each in JOBS if each.workflow == "deploy.yml"}
    assert deploy["ci"]["uses"] == "./.github/workflows/ci.yml"
    assert deploy["dev"]["needs"] == "ci"
    assert deploy["prod"]["needs"] == ["ci", "dev"]
    assert "needs.ci.result == 'success'" in deploy["prod"]["if"]
    assert parsed("deploy.yml")["on"] == {"push": {"branches": ["main"]}}


@pytest.mark.parametrize("one", CALLED, ids=str)
def test_a_called_workflow_gets_what_its_jobs_ask_for(one: Job):
    called = parsed(one.told["uses"].rpartition("/")[2])
    needed = {
        right: level for told in called["jobs"].values() for right, level in told["permissions"].items()
    }
    assert one.permissions == needed


def test_credentials_come_after_everything_was_installed():
    (action,) = ACTIONS
    steps = yaml.safe_load(action.read_text())["runs"]["steps"]
    order = [step.get("run") or step["uses"].partition("@")[0] for step in steps]
    assert order.index("make setup") < order.index("aws-actions/configure-aws-credentials")


def test_the_cli_has_the_version_of_the_sdk():
    (locked,) = re.findall(r"^pulumi==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert (ROOT / ".pulumi.version").read_text().strip() == locked


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_stops_at_the_first_fault_and_is_small(path):
    text = path.read_text()
    assert "set -euo pipefail" in text
    assert len(text.splitlines()) <= 45
    assert path.stat().st_mode & 0o111
    assert any(f".github/scripts/{path.name}" in file.read_text() for file in FILES)
