"""The hash of a build context: the same wherever the same would be built, another where it would not."""

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langgraph_components.pure.content_hash import content_hash, context_files
from langgraph_components.pure.dockerignore import Ignore

ROOT = Path(__file__).parents[2]
FILES = {
    "Dockerfile": "FROM scratch\n",
    "main.py": "print(1)\n",
    "package/one.py": "one = 1\n",
    "package/data/two.txt": "two\n",
    "notes/README.md": "# Notes\n",
    ".dockerignore": "notes\n**/__pycache__\n.dockerignore\n",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def hash_of(folder: Path, **changed: object) -> str:
    options = {"dockerfile": "Dockerfile", "platforms": ["linux/amd64"], "build_args": {}, **changed}
    return content_hash(folder, **options)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    return write(tmp_path / "context", FILES)


def test_it_is_64_hex_digits_and_stays(context: Path):
    assert len(bytes.fromhex(hash_of(context))) == 32
    assert hash_of(context) == hash_of(context)
    # written down: another machine, another day, the same digits
    assert hash_of(context) == "31b4ea5de404eb28d82c5d85f9a0e167b1c6915d31cc3bb87de5b969c985e63a"


def test_where_the_folder_is_and_in_which_order_it_was_made_is_no_matter(context: Path, tmp_path: Path):
    shuffled = list(FILES.items())
    random.Random(4).shuffle(shuffled)
    assert hash_of(write(tmp_path / "elsewhere" / "deeper", dict(shuffled))) == hash_of(context)


def test_times_owners_and_the_umasks_bits_are_no_matter(context: Path):
    before = hash_of(context)
    os.utime(context / "main.py", (1, 1))
    (context / "main.py").chmod(0o664)
    (context / "package").chmod(0o700)
    (context / "package" / "empty").mkdir()
    assert hash_of(context) == before


def test_git_is_no_matter(context: Path):
    write(context, {".dockerignore": FILES[".dockerignore"] + ".git\n"})
    before = hash_of(context)
    subprocess.run(["git", "init", "-q", str(context)], check=True)
    subprocess.run(["git", "-C", str(context), "add", "-A"], check=True)
    assert hash_of(context) == before


@pytest.mark.parametrize("path", ["main.py", "package/one.py", "package/data/two.txt", "Dockerfile"])
def test_a_changed_byte_is_another_image(context: Path, path: str):
    before = hash_of(context)
    (context / path).write_text(FILES[path] + "#")
    assert hash_of(context) != before


def test_a_name_a_mode_and_a_link_count(context: Path):
    seen = {hash_of(context)}
    (context / "main.py").rename(context / "other.py")
    seen.add(hash_of(context))
    (context / "other.py").chmod(0o755)
    seen.add(hash_of(context))
    (context / "link.py").symlink_to("other.py")
    seen.add(hash_of(context))
    (context / "link.py").unlink()
    (context / "link.py").symlink_to("package/one.py")
    seen.add(hash_of(context))
    (context / "link.py").unlink()
    shutil.copy(context / "other.py", context / "link.py")
    seen.add(hash_of(context))
    assert len(seen) == 6


def test_a_link_to_a_folder_is_a_link_and_is_not_followed(context: Path, tmp_path: Path):
    outside = write(tmp_path / "outside", {"secret": "s"})
    (context / "linked").symlink_to(outside)
    before = hash_of(context)
    assert "linked" in context_files(context, "Dockerfile")
    (outside / "secret").write_text("changed")
    assert hash_of(context) == before


def test_what_the_builder_never_gets_is_no_matter(context: Path):
    before = hash_of(context)
    write(context, {"notes/more.md": "x", "package/__pycache__/one.pyc": "x", "notes/deep/er.md": "x"})
    assert hash_of(context) == before


def test_platforms_arguments_and_the_dockerfiles_name_count_in_any_order(context: Path):
    write(context, {"Other": FILES["Dockerfile"]})
    one = hash_of(context, platforms=["linux/arm64", "linux/amd64"], build_args={"A": "1", "B": "2"})
    same = hash_of(context, platforms=["linux/amd64", "linux/arm64"], build_args={"B": "2", "A": "1"})
    assert one == same
    others = [
        hash_of(context),
        hash_of(context, platforms=["linux/arm64"]),
        hash_of(context, build_args={"A": "1"}),
        hash_of(context, build_args={"A": "", "1": ""}),
        hash_of(context, dockerfile="Other"),
    ]
    assert len({one, *others}) == 6


def test_an_ignore_file_of_the_dockerfile_itself_comes_first(context: Path):
    write(context, {"Dockerfile.dockerignore": "package"})
    assert not any(path.startswith("package") for path in context_files(context, "Dockerfile"))
    assert "notes/README.md" in context_files(context, "Dockerfile")


def test_a_dockerfile_that_the_context_leaves_out_counts_all_the_same(context: Path):
    write(context, {".dockerignore": "*\n!main.py\n"})
    assert context_files(context, "Dockerfile") == ["main.py"]
    before = hash_of(context)
    (context / "Dockerfile").write_text("FROM other\n")
    assert hash_of(context) != before


@pytest.mark.parametrize(("folder", "dockerfile"), [("none", "Dockerfile"), ("context", "None")])
def test_what_is_not_there_is_named(context: Path, folder: str, dockerfile: str):
    with pytest.raises(FileNotFoundError):
        content_hash(context.parent / folder, dockerfile=dockerfile, platforms=[], build_args={})


# The builder's own rules: https://docs.docker.com/build/concepts/context/#dockerignore-files


@pytest.mark.parametrize(
    ("patterns", "left_out", "let_in"),
    [
        ("temp", ["temp", "temp/a", "temp/a/b"], ["a/temp", "temps"]),
        ("*/temp*", ["a/temporary.txt", "a/temp/b"], ["temp", "a/b/temp"]),
        ("*/*/temp*", ["a/b/temporary.txt"], ["a/temp", "a/b/c/temp"]),
        ("temp?", ["tempa", "tempb/c"], ["temp", "tempaa"]),
        ("**/*.go", ["a.go", "a/b.go", "a/b/c.go"], ["a.gox", "go"]),
        ("**/__pycache__", ["__pycache__/a", "a/b/__pycache__/c.pyc"], ["pycache"]),
        ("a/**", ["a/b", "a/b/c"], ["b"]),
        ("a/**/z", ["a/z", "a/b/z", "a/b/c/z"], ["z", "b/a/z"]),
        ("/rooted/", ["rooted", "rooted/a"], ["a/rooted"]),
        ("./dotted/../other", ["other/a"], ["dotted"]),
        ("*.md\n!README.md", ["a.md"], ["README.md", "docs/a.md"]),
        ("*.md\n!README*.md\nREADME-secret.md", ["README-secret.md"], ["README.md"]),
        ("*.md\nREADME-secret.md\n!README*.md", ["a.md"], ["README-secret.md"]),
        ("*\n!src\nsrc/tests", ["a", "b/c", "src/tests/a"], ["src/a"]),
        ("# a comment\n\n  spaced  \n", ["spaced"], ["# a comment", "a"]),
        ("[ab].txt", ["a.txt", "b.txt"], ["c.txt", "ab.txt"]),
        ("[^a].txt", ["b.txt"], ["a.txt"]),
        ("file\\*", ["file*"], ["files", "file\\a"]),
        ("a.b", ["a.b"], ["aXb"]),
        ("**", ["a", "a/b"], []),
        ("", [], ["a", "a/b"]),
    ],
)
def test_patterns_mean_what_they_mean_to_the_builder(patterns: str, left_out: list[str], let_in: list[str]):
    ignore = Ignore(patterns)
    assert [path for path in left_out if not ignore.leaves_out(path)] == []
    assert [path for path in let_in if ignore.leaves_out(path)] == []


@given(
    st.text(st.sampled_from("ab/*?[]!\\^#. \n-"), max_size=20), st.text(st.sampled_from("ab/."), min_size=1)
)
def test_no_pattern_is_a_reason_to_fail(pattern: str, path: str):
    assert Ignore(pattern).leaves_out(path) in {True, False}


def test_the_servers_context_is_what_its_image_is_made_of_and_nothing_else():
    files = context_files(ROOT / "app", "Dockerfile")
    assert {path.split("/")[0] for path in files} == {
        *("agent_server", "certs", "graphs", "langgraph.json", "requirements.lock", "sbom.cdx.json")
    }
    assert not [path for path in files if path.endswith((".pyc", ".env", "README.md"))]
    listed = subprocess.run(
        ["git", "ls-files", "app"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    committed = {path.removeprefix("app/") for path in listed}
    assert "agent_server/storage/migrations/0001_runs.sql" in files
    assert {path for path in committed if path.startswith("agent_server/")} <= {
        *files,
        *(path for path in committed if not (ROOT / "app" / path).exists()),
    }
