"""Secrets mounted as files become the environment; nothing of them is shown, and what is set stays."""

import os
from pathlib import Path

import pytest

from agent_server import __main__ as process
from agent_server.core.errors import ConfigurationError
from agent_server.core.secret_files import SECRET_FILES, adopt_secret_files

SECRET = "a-secret-value"
NAMES = ("OPENAI_API_KEY", "API_KEY_PEPPER", "TEST_OF_SECRETS")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "")  # undone at the end, also where the test's subject set it
        monkeypatch.delenv(name)


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    """A folder as the kubelet makes it: links through `..data` into a dated folder."""
    dated = tmp_path / "..2026_11_23"
    dated.mkdir()
    (tmp_path / "..data").symlink_to(dated)
    for name in ("OPENAI_API_KEY", "API_KEY_PEPPER"):
        (dated / name).write_text(f"{SECRET} of {name}\n")
        (tmp_path / name).symlink_to(Path("..data") / name)
    return tmp_path


def test_each_file_is_a_variable_without_the_end_of_its_line(mounted: Path) -> None:
    adopt_secret_files(mounted)
    assert os.environ["OPENAI_API_KEY"] == f"{SECRET} of OPENAI_API_KEY"
    assert os.environ["API_KEY_PEPPER"] == f"{SECRET} of API_KEY_PEPPER"


def test_what_is_set_already_stays_and_an_empty_one_is_not_set(
    mounted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "mine")
    monkeypatch.setenv("API_KEY_PEPPER", "")
    adopt_secret_files(mounted)
    assert os.environ["OPENAI_API_KEY"] == "mine"
    assert os.environ["API_KEY_PEPPER"].startswith(SECRET)


def test_files_that_are_not_named_like_a_variable_are_left_alone(mounted: Path) -> None:
    for name in ("lower", "1ST", "WITH-DASH", ".HIDDEN", "A=B"):
        (mounted / name).write_text(SECRET)
    before = set(os.environ)
    adopt_secret_files(mounted)
    assert set(os.environ) - before == {"OPENAI_API_KEY", "API_KEY_PEPPER"}


def test_without_the_folder_nothing_happens(tmp_path: Path) -> None:
    before = dict(os.environ)
    adopt_secret_files(tmp_path / "none")
    assert dict(os.environ) == before


def test_bytes_that_are_no_text_are_kept_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "TEST_OF_SECRETS").write_bytes(b"\xff\xfe")
    adopt_secret_files(tmp_path)
    assert os.environb[b"TEST_OF_SECRETS"] == b"\xff\xfe"


@pytest.mark.parametrize("content", [None, b"a\0b"])
def test_a_file_that_cannot_be_used_is_named_and_not_shown(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "TEST_OF_SECRETS"
    file.mkdir() if content is None else file.write_bytes(content)
    with pytest.raises(ConfigurationError, match="TEST_OF_SECRETS") as caught:
        adopt_secret_files(tmp_path)
    assert "\0" not in caught.value.detail


def test_every_command_begins_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Path("/run/secrets/env") == SECRET_FILES
    monkeypatch.setattr(process, "SECRET_FILES", tmp_path)
    (tmp_path / "TEST_OF_SECRETS").mkdir()
    assert process.main(["retention"]) == 1
    assert capsys.readouterr().err.startswith("agent_server: The secret file")
