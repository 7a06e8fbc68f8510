"""Runs a program until its own stdin is closed: the end of whoever started it, however that came, ends both.

`python keeper.py COMMAND…`. Nothing of `lgp` is imported: it stays as small as it can be.
"""

import os
import signal
import subprocess
import sys
import threading
from types import FrameType

STOP_SECONDS = 15.0
"""How long the program may take to stop before it is killed."""


def keep(command: list[str]) -> int:
    """Return the program's exit code; 128 and the signal's number if one ended it."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def stop(_number: int, _frame: FrameType | None) -> None:
        child.terminate()

    signal.signal(signal.SIGTERM, stop)
    threading.Thread(target=_end_with_stdin, args=(child,), daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


def _end_with_stdin(child: subprocess.Popen[bytes]) -> None:
    # without a buffer: a thread that holds one's lock cannot be left behind at the exit
    while os.read(0, 4096):
        pass
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    sys.exit(keep(sys.argv[1:]))
