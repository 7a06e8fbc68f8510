"""Which files of a build context a builder gets: `.dockerignore`, by the rules of the builder itself.

https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

import posixpath
import re
from collections.abc import Sequence

_NEVER = re.compile(r"(?!)")
_PIECES = re.compile(r"\*\*/|\*\*|\\.|\[.[^\]]*\]|.", re.DOTALL)
_MEANINGS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


class Ignore:
    """The patterns of one `.dockerignore`: the last that matches a path, or a folder above it, decides."""

    def __init__(self, text: str) -> None:
        """Comments and empty lines mean nothing; `!` lets in again what a line before left out."""
        self._rules: list[tuple[re.Pattern[str], bool]] = []
        for line in text.removeprefix("\ufeff").splitlines():
            stripped = line.strip()
            if stripped and not line.startswith("#"):
                left_out = not stripped.startswith("!")
                pattern = _cleaned(stripped.removeprefix("!").strip())
                self._rules.append((_expression(pattern), left_out))

    @property
    def lets_in_again(self) -> bool:
        """Whether something may be wanted inside a folder that is left out."""
        return any(not left_out for _, left_out in self._rules)

    def leaves_out(self, path: str) -> bool:
        """Whether the builder does not get the path, which is relative to the context, with slashes."""
        candidates = _with_parents(path)
        left_out = False
        for pattern, verdict in self._rules:
            if verdict != left_out and any(pattern.fullmatch(candidate) for candidate in candidates):
                left_out = verdict
        return left_out


def _with_parents(path: str) -> Sequence[str]:
    parts = path.split("/")
    return ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]


def _cleaned(pattern: str) -> str:
    return posixpath.normpath(pattern).strip("/") if pattern else ""


def _expression(pattern: str) -> re.Pattern[str]:
    """`*` and `?` stop at a slash, `**` does not, `[…]` is a class; what is no pattern matches nothing."""
    try:
        return re.compile("".join(map(_meaning, _PIECES.findall(pattern))), re.DOTALL)
    except re.error:
        return _NEVER


def _meaning(piece: str) -> str:
    if piece.startswith("[") and len(piece) > 1:
        # in a class `[`, `&&`, `--`, `~~` and `||` are themselves, which Python may read otherwise one day
        return "[" + re.sub(r"([\[&~|]|--)", r"\\\1", piece[1:])
    return _MEANINGS.get(piece) or re.escape(piece[-1])
