"""The comments of a pull request, on a GitHub of the test's own: from strangers come texts, nothing else."""

import io
import re
import sys
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workflows.github_stub import GitHub
from workflows.workflow_files import ROOT

sys.path.insert(0, str(ROOT / "tools"))  # a script of a workflow has its neighbours beside it, and no package

from disarm import GAP, disarmed, shortened

SHA = "0123456789abcdef0123456789abcdef01234567"
EVENT = {"RUN_ID": "77", "HEAD_SHA": SHA, "HEAD_OWNER": "stranger", "HEAD_BRANCH": "fix"}
SCRIPT = "pull_request_comment.py"
PLAN = "<h3>Plan of <code>dev</code></h3>\n\n```diff\n-   a: 1\n+   a: <computed>\n```\n"


@pytest.fixture
def pull(hub: GitHub) -> GitHub:
    hub.pull(7, owner="stranger", branch="fix", sha=SHA)
    return hub


@pytest.fixture
def branch(hub: GitHub) -> GitHub:
    """A pull request from a branch of the repository itself."""
    hub.pull(7, owner="acme", branch="fix", sha=SHA)
    return hub


OURS = EVENT | {"HEAD_OWNER": "acme"}


def test_a_branch_of_the_repository_has_a_preview_and_no_earlier_one_stays(branch, run):
    branch.artifact("plan-dev", PLAN)
    branch.artifact("preview-prod", "nothing is replaced")
    assert run(SCRIPT, **OURS).returncode == 0
    first = [body.partition("\n")[0] for body in branch.bodies(7)]
    assert first == ["<!-- lgp-plan:dev -->", "<!-- lgp-plan:prod -->", "<!-- lgp-preview:prod -->"]
    assert "nothing is replaced" in branch.bodies(7)[2]
    branch.artifacts.clear()
    assert run(SCRIPT, **OURS).returncode == 0
    assert len(branch.bodies(7)) == 3
    assert "could not be made" in branch.bodies(7)[2]
    assert "nothing is replaced" not in branch.bodies(7)[2]


@pytest.mark.parametrize("deleted", [False, True], ids=["there", "deleted"])
def test_a_fork_cannot_hand_in_a_preview_of_its_own(pull, run, deleted):
    """AWS was never asked, and a preview is what reviewers believe."""
    if deleted:
        pull.pulls[0]["head"]["repo"] = None
    pull.artifact("plan-dev", PLAN)
    pull.artifact("preview-prod", "nothing is replaced")
    assert run(SCRIPT, **EVENT).returncode == 0
    assert [body for body in pull.bodies(7) if "replaced" in body or "lgp-preview" in body] == []


def test_each_text_is_a_comment_and_the_next_run_edits_it(pull, run):
    pull.artifact("plan-dev", PLAN)
    pull.artifact("plan-prod", PLAN)
    assert run(SCRIPT, **EVENT).returncode == 0
    first = [body.partition("\n")[0] for body in pull.bodies(7)]
    assert first == ["<!-- lgp-plan:dev -->", "<!-- lgp-plan:prod -->"]
    assert "-   a: 1" in pull.bodies(7)[0]
    pull.artifacts.clear()
    pull.artifact("plan-dev", "Nothing changes.")
    pull.artifact("plan-prod", PLAN)
    run(SCRIPT, **EVENT)
    assert len(pull.bodies(7)) == 2
    assert "Nothing changes." in pull.bodies(7)[0]
    assert pull.leaked == [], "the storage of artifacts was sent the token"


def test_an_earlier_comment_is_found_on_a_later_page(pull, run):
    pull.comment(7, "<!-- lgp-plan:dev -->\nold")
    for _ in range(130):
        pull.comments[7].insert(0, {"id": 1, "body": "talk", "user": {"login": "a", "type": "User"}})
    pull.artifact("plan-dev", PLAN)
    run(SCRIPT, **EVENT)
    assert [body for body in pull.bodies(7) if "old" in body] == []
    assert len([body for body in pull.bodies(7) if body.startswith("<!-- lgp-plan:dev -->")]) == 1


def test_a_comment_of_somebody_else_with_the_marker_is_not_touched(pull, run):
    somebody = {"login": "stranger", "type": "User"}
    another = {"login": "github-actions[bot]-", "type": "Bot"}
    theirs = [pull.comment(7, "<!-- lgp-plan:dev -->\nmine", user) for user in (somebody, another)]
    pull.artifact("plan-dev", PLAN)
    run(SCRIPT, **EVENT)
    assert [comment["body"] for comment in theirs] == ["<!-- lgp-plan:dev -->\nmine"] * 2
    assert len(pull.bodies(7)) == 4, "dev and prod are new ones"


def test_a_plan_that_is_missing_is_told_and_a_preview_that_is_missing_is_not(pull, run):
    run(SCRIPT, **EVENT)
    assert len(pull.bodies(7)) == 2
    assert all("could not be made" in body and "/actions/runs/77" in body for body in pull.bodies(7))


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"HEAD_SHA": "f" * 40}, id="older-commit"),
        pytest.param({"HEAD_BRANCH": "other"}, id="other-branch"),
        pytest.param({"HEAD_OWNER": "victim"}, id="other-owner"),
    ],
)
def test_a_run_that_is_not_of_the_newest_commit_posts_nothing(pull, run, event):
    pull.pull(8, owner="victim", branch="fix", sha="a" * 40)
    pull.artifact("plan-dev", PLAN)
    done = run(SCRIPT, **EVENT | event)
    assert done.returncode == 0
    assert "no comment" in done.stdout
    assert pull.bodies(7) == pull.bodies(8) == []


def test_a_pull_request_into_another_repository_is_not_ours(hub, run):
    hub.pull(7, owner="stranger", branch="fix", sha=SHA, base="stranger/platform")
    hub.artifact("plan-dev", PLAN)
    run(SCRIPT, **EVENT)
    assert hub.bodies(7) == []


def test_the_artifact_cannot_choose_the_pull_request(pull, run):
    pull.pull(8, owner="victim", branch="main", sha="b" * 40)
    pull.artifact("plan-dev", "8", file="number.md")
    pull.artifact("plan-prod", "number: 8\n<!-- lgp-plan:dev -->")
    run(SCRIPT, **EVENT)
    assert pull.bodies(8) == []
    assert len(pull.bodies(7)) == 2


def bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("plan.md", "w") as file:
        for _ in range(200):
            file.write(b"a" * 1_000_000)
    return buffer.getvalue()


def broken() -> bytes:
    """A text whose compressed part is something else."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("plan.md", "a" * 1_000)
    packed = bytearray(buffer.getvalue())
    begin = 30 + len("plan.md")
    packed[begin : begin + 4] = b"\xff" * 4
    return bytes(packed)


def outside() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../plan.md", "outside")
    return buffer.getvalue()


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(bomb(), id="bomb"),
        pytest.param(outside(), id="outside"),
        pytest.param(broken(), id="broken"),
        pytest.param(b"no archive", id="no-archive"),
        pytest.param(b"", id="empty"),
        pytest.param(b"PK\x03\x04" + b"\x00" * 2_000_000, id="too-long"),
    ],
)
def test_an_artifact_that_is_no_text_harms_nothing(pull, run, packed):
    pull.artifact("plan-dev", packed, size=10)
    done = run(SCRIPT, **EVENT)
    assert done.returncode == 0, done.stderr
    assert len(pull.bodies(7)) == 2
    assert all(len(body) <= 65_536 and "outside" not in body for body in pull.bodies(7))


def test_an_artifact_of_another_name_is_not_even_fetched(pull, run):
    pull.artifact("plan-dev\n", "x")
    pull.artifact("secrets", "x")
    run(SCRIPT, **EVENT)
    assert [line for line in pull.asked if line.endswith("/zip")] == []


def test_a_long_text_is_cut_at_a_line_and_says_so(pull, run):
    pull.artifact("plan-dev", "```diff\n" + "".join(f"+ line {n}\n" for n in range(20_000)))
    assert run(SCRIPT, **EVENT).returncode == 0
    body = pull.bodies(7)[0]
    assert len(body) <= 65_536
    assert "more characters are in the run" in body
    assert body.count("```") == 2, "the fence is closed"


def test_a_refusal_of_github_ends_the_run_with_its_words(pull, run):
    pull.artifact("plan-dev", PLAN)
    done = run(SCRIPT, **EVENT, GITHUB_TOKEN="another")
    assert done.returncode != 0
    assert "401" in done.stderr
    assert "another" not in done.stderr


ATTACKS = [
    "@acme/owners please merge",
    "&#64;octocat &commat;octocat &#x40;octocat",
    "see #1 and GH-2 and other/repository#3",
    "[click](https://evil.example) ![](https://evil.example/p.png)",
    "[click][1]\n\n[1]: //evil.example 'x'\n[1] : //evil.example",
    "<img src=https://evil.example/p.png> <a href='//evil.example'>x</a> <script>x</script>",
    "<details open onclick=x> <code class=x> <DETAILS> <p/onclick=x>",
    "www.evil.example mailto:a@evil.example HTTPS://evil.example",
    "<!-- lgp-plan:prod --> <!-- unclosed",
    "user\u202etxt.exe \u2066x\u2069 @\u200bx",
    "```\n</code></pre>@team\n```\n@team",
    "/approve\n > /lgtm\n",
]
LIVE = (
    r"@\w(?<!@s)",
    r"#\d",
    r"\bGH-\d",
    r"\]\s*[(\[:]",
    r"://",
    r"\bwww\.",
    r"<!--",
    r"mailto:",
    r"<[a-z]+[ /]",
    r"&#?\w+;",
    r"(?m)^[\s>]*/[a-z]",
)


@pytest.mark.parametrize("text", ATTACKS)
def test_what_would_do_something_is_only_read(text):
    shown = disarmed(text)
    assert [pattern for pattern in LIVE if re.search(pattern, shown, re.IGNORECASE)] == []


@given(
    st.lists(st.sampled_from([*"@#<>&[]()!:/;\n \u200bab1", "GH-", "www.", "<!--", "-->", "&#64;", "<b>"]))
)
def test_no_mixture_of_signs_does_anything(parts):
    shown = disarmed("".join(parts))
    assert not re.search(r"@\w|#\d|\]\s*[(\[:]|://|<!--|&#64;|GH-\d|<a|<b[^>]", shown)


@pytest.mark.parametrize(
    "text", [PLAN, "a <b>b</b> `c@sha256:00`\n<details><summary>x</summary>\n</details>\n"]
)
def test_a_plans_own_text_stays_what_it_is(text):
    assert disarmed(text).replace(GAP, "") == text


@given(st.text(alphabet="ab`\n", max_size=400), st.integers(min_value=220, max_value=300))
def test_a_shortened_text_is_within_its_limit(text, limit):
    assert len(shortened(text, limit)) <= limit
