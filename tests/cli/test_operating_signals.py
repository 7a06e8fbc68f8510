"""A stop in the middle: the program that changes something is told once, and ends before `lgp` does."""

import os
import pty
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from recorded_programs import Stage, local_stack, on_path

LONG = """
import os, signal, sys, time
reader, writer = os.pipe()
os.set_blocking(writer, False)
signal.set_wakeup_fd(writer)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda *_: None)
def tell(word):
    with open(sys.argv[1], "a") as told:
        told.write(word + "\\n")
tell("alone" if os.getpgrp() == os.getpid() else "in a group")
tell("begun")
for each in os.read(reader, 100):
    tell("told")
time.sleep(0.5)
os.set_blocking(reader, False)
try:
    for each in os.read(reader, 100):
        tell("told again")
except BlockingIOError:
    tell("finished")
sys.exit(255)
"""
"""A pulumi that counts each signal it gets, and ends half a second after the first."""

TAKES_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);os.execv(sys.argv[1], sys.argv[1:])"
)
AT_TERMINAL = (sys.executable, "-c", TAKES_TERMINAL)
"""A program that makes its stdin the terminal that controls it, as that of a shell does."""


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    found = Stage(tmp_path)
    (tmp_path / "long.py").write_text(LONG)
    long = shlex.join([sys.executable, "-SE", str(tmp_path / "long.py"), str(tmp_path / "told")])
    found.plays("pulumi", "up --skip-preview", shell=f"exec {long}")
    local_stack(found)
    monkeypatch.setenv("PATH", on_path(found))
    return found


def told(stage: Stage) -> list[str]:
    file = stage.folder / "told"
    return file.read_text().splitlines() if file.exists() else []


def until(stage: Stage, word: str) -> None:
    deadline = time.monotonic() + 60
    while word not in told(stage):
        assert time.monotonic() < deadline, told(stage)
        time.sleep(0.05)


def command(stage: Stage) -> list[str]:
    program = str(stage.folder / "program")
    return [sys.executable, "-m", "lgp", "deploy", "--env", "local", "--yes", "--cwd", program]


@contextmanager
def running(stage: Stage, stdin: int = subprocess.DEVNULL) -> "Iterator[subprocess.Popen[bytes]]":
    """`lgp deploy` in a session of its own; with a terminal as stdin, that is the one that controls it."""
    with (stage.folder / "output").open("wb") as out:
        process = subprocess.Popen(
            [*(AT_TERMINAL if stdin >= 0 else ()), *command(stage)],
            stdin=stdin,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("number", "to"),
    [
        (signal.SIGINT, os.kill),
        (signal.SIGINT, os.killpg),
        (signal.SIGTERM, os.killpg),
        (signal.SIGHUP, os.kill),
    ],
    ids=["int", "int-to-all", "term-to-all", "hup"],
)
def test_without_a_terminal_a_stop_is_passed_on_once(stage: Stage, number: int, to: object) -> None:
    with running(stage) as process:
        until(stage, "begun")
        to(process.pid, number)  # pyright: ignore[reportCallIssue]  # one of two functions of the same shape
        assert process.wait(30) == 130
    assert told(stage) == ["alone", "begun", "told", "finished"]
    said = (stage.folder / "output").read_text()
    assert "stopped; pulumi was told, and has ended (255): `lgp status` says how far it got" in said


def test_ctrl_c_at_a_terminal_reaches_the_program_once(stage: Stage) -> None:
    master, slave = pty.openpty()
    try:
        with running(stage, slave) as process:
            until(stage, "begun")
            os.write(master, b"\x03")
            assert process.wait(30) == 130
    finally:
        os.close(master)
        os.close(slave)
    assert told(stage) == ["in a group", "begun", "told", "finished"]


def test_a_program_that_ends_by_itself_keeps_its_code(stage: Stage) -> None:
    (stage.folder / "long.py").write_text("raise SystemExit(255)")
    done = subprocess.run(
        command(stage), stdin=subprocess.DEVNULL, capture_output=True, check=False, text=True
    )
    assert done.returncode == 1
    assert "pulumi up failed with 255: its last lines say why" in done.stderr
