"""pip's configuration while an image is built: a secret of the build, never a layer of the image."""

import configparser
import re
from collections.abc import Iterable
from pathlib import Path

from lgp.building.recipe import Recipe
from lgp.errors import UsageProblem

CA_FILE = "/run/secrets/ca"
"""Where the build's steps find the CA bundle that was handed in."""

_LOGIN = re.compile(r"(?<=://)[^\s/@]+@")


def pip_settings(recipe: Recipe, files: Iterable[Path], *, ca: bool) -> str:
    """The text of pip's configuration: the files' in order, a later one wins, then the options.

    Raises:
        UsageProblem: a file is no configuration of pip.
    """
    parser = configparser.RawConfigParser()
    parser["global"] = {}
    for file in (*files, *([recipe.pip_file] if recipe.pip_file else [])):
        try:
            parser.read_string(file.read_text(encoding="utf-8"))
        except (configparser.Error, ValueError):
            message = f"{file} is no configuration of pip"
            raise UsageProblem(message) from None
    parser["global"].update(dict(recipe.pip_options))
    if ca:
        parser["global"]["cert"] = CA_FILE
    return "\n".join(_told(parser))


def _told(parser: configparser.RawConfigParser) -> Iterable[str]:
    for section in parser.sections():
        yield f"[{section}]"
        yield from (f"{name} = {_indented(value)}" for name, value in sorted(parser[section].items()))


def _indented(value: str) -> str:
    return "\n    ".join(line.strip() for line in value.strip().splitlines())


def without_logins(text: str) -> str:
    """The same, with no user and no password in its addresses: for what may be read by anybody."""
    return _LOGIN.sub("", text)


def has_login(text: str) -> bool:
    """Whether an address in it holds a user or a password."""
    return _LOGIN.search(text) is not None
