"""The checks of `make check` find what they are for."""

from pathlib import Path

import check_lock
import figures
import pytest
from packaging.requirements import Requirement

LOCK = "alpha==1.5 \\\n    --hash=sha256:00\nbeta==2.0 ; sys_platform == 'win32' \\\n    --hash=sha256:11\n"


def test_the_locks_of_this_clone_are_fresh() -> None:
    assert list(check_lock.troubles()) == []


@pytest.mark.parametrize(
    ("requirement", "trouble"),
    [
        ("alpha>=1", []),
        ("Alpha[extra]>=1,<2", []),
        ("alpha>=1.6", ["lock: alpha>=1.6 is not met by 1.5"]),
        ("gamma", ["lock: gamma is not locked"]),
    ],
)
def test_a_requirement_that_no_pin_meets_is_found(requirement: str, trouble: list[str]) -> None:
    locked = check_lock.pins(LOCK)
    assert list(check_lock._unmet("lock", Requirement(requirement), locked)) == trouble


def test_an_address_and_a_missing_hash_are_found() -> None:
    assert list(check_lock._form("lock", LOCK)) == []
    assert list(check_lock._form("lock", "--index-url https://x\nalpha==1.5\n")) == [
        "lock: names an address",
        "lock: alpha has no hash",
    ]


def measured(text: str, tmp_path: Path) -> figures.Figures:
    path = tmp_path / "module.py"
    path.write_text(text)
    return figures.measure([path])


def test_the_figures_leave_out_an_environment_that_pulumi_installed(tmp_path: Path) -> None:
    for name in ("ours.py", "venv/lib/theirs.py", "venv/pyvenv.cfg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert figures.modules_of(tmp_path) == [tmp_path / "ours.py"]


def test_the_figures_count_what_they_say(tmp_path: Path) -> None:
    found = measured(
        "def a() -> None:\n    try:\n        pass\n    except (OSError, Exception):\n        pass\n"
        "def b():\n    with suppress(BaseException):\n        pass\n",
        tmp_path,
    )
    assert (found.lines, found.functions, found.annotated, found.broad) == (8, [5, 3], 1, 2)
    assert list(found.missed()) == ["functions without return annotation 1 > 0", "broad excepts 2 > 1"]


def test_long_functions_and_modules_are_missed_bars(tmp_path: Path) -> None:
    found = measured("def a() -> None:\n" + "    x = 1\n" * 500, tmp_path)
    assert [miss.split(" ")[:2] for miss in found.missed()] == [
        ["function", "median"],
        ["function", "p90"],
        ["function", "max"],
        ["module", "p90"],
        ["module", "max"],
    ]


def test_the_ninetieth_of_a_hundred() -> None:
    assert figures.percentile(range(1, 101), 90) == 90
    assert figures.percentile([5], 90) == 5
