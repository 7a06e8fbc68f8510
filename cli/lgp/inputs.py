"""What a command line names: JSON as it is, from a file or from stdin, and a langgraph.json."""

import json
import sys
from pathlib import Path
from typing import Any

from lgp.errors import UsageProblem


def read_json(argument: str) -> Any:
    """The value of `JSON`, `@file` or `-`."""
    if argument == "-":
        return _parsed(sys.stdin.read(), "stdin")
    if argument.startswith("@"):
        try:
            return _parsed(Path(argument[1:]).read_text(), argument[1:])
        except OSError as error:
            message = f"cannot read {argument[1:]}: {error.strerror}"
            raise UsageProblem(message) from None
    return _parsed(argument, "the argument")


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        hint = """; text is quoted, as in '"yes"'""" if text[:1].isalpha() else ""
        message = f"{where} is no JSON: {error}{hint}"
        raise UsageProblem(message) from None


def read_pairs(pairs: list[str]) -> dict[str, Any]:
    """Interrupt ids and their answers, from `ID=JSON` each."""
    answers: dict[str, Any] = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator or not name:
            message = f"{pair!r} is not ID=JSON"
            raise UsageProblem(message)
        answers[name] = read_json(value)
    return answers


def config_file(config: Path) -> Path:
    """The absolute path of a langgraph.json, or of the one in a folder; it must be there."""
    file = (config / "langgraph.json" if config.is_dir() else config).absolute()
    if not file.is_file():
        message = f"there is no file {config}: CONFIG must be the path of a langgraph.json"
        raise UsageProblem(message)
    return file
