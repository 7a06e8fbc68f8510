"""Secrets that a platform mounts as files become the environment that everything here reads.

A file can be changed, is in no `kubectl describe` and in no child's environment until we put it there.
"""

import os
import re
from pathlib import Path

from agent_server.core.errors import ConfigurationError

SECRET_FILES = Path("/run/secrets/env")
"""Each file is one variable: `API_KEY_PEPPER`, `OPENAI_API_KEY`, …"""

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")


def adopt_secret_files(folder: Path) -> None:
    """Set a variable for each file of the folder that is named like one; those that are set already stay.

    A line's end after the value is no part of it. Without the folder nothing happens.

    Raises:
        ConfigurationError: a file cannot be read, or holds a NUL; it is named, its content is not shown.
    """
    if not folder.is_dir():
        return
    for file in sorted(folder.iterdir()):
        if _VARIABLE.fullmatch(file.name) and not os.environ.get(file.name):
            os.environ[file.name] = _value(file)


def _value(file: Path) -> str:
    try:
        value = os.fsdecode(file.read_bytes()).rstrip("\r\n")
    except OSError as error:
        msg = f"The secret file {file} cannot be read: {error.strerror}."
        raise ConfigurationError(msg) from None
    if "\0" in value:
        msg = f"The secret file {file} holds a NUL."
        raise ConfigurationError(msg)
    return value
