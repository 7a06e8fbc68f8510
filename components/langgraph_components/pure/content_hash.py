"""The hash of what an image is built from: the same on every machine, with or without git."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from langgraph_components.pure.dockerignore import Ignore

SHORT = 12
"""Hex digits that name a build where a name must be short: 48 bits."""


def content_hash(
    context: Path, *, dockerfile: str, platforms: Sequence[str], build_args: Mapping[str, str]
) -> str:
    """Return 64 hex digits of everything that a build's result depends on.

    Of each file that `.dockerignore` lets in: its path, whether it may be executed, its bytes; of a link
    its target. Not: times, owners, the umask's bits, empty folders, the order of the file system.

    Raises:
        FileNotFoundError: there is no such folder, or no such Dockerfile in it.
    """
    if not context.is_dir():
        raise FileNotFoundError(context)
    records = _Records()
    records.add("dockerfile", dockerfile, (context / dockerfile).read_bytes())
    for platform in sorted(platforms):
        records.add("platform", platform)
    for name, value in sorted(build_args.items()):
        records.add("argument", name, value.encode())
    for path in context_files(context, dockerfile):
        records.add_file(context, path)
    return records.digest.hexdigest()


def context_files(context: Path, dockerfile: str) -> list[str]:
    """Return what the builder gets, in order: paths with slashes, relative to the context."""
    return files_let_in(context, _ignore(context, dockerfile))


def files_let_in(context: Path, ignore: Ignore) -> list[str]:
    """Return the files and links of a folder that are not left out, in order, as `context_files` does."""
    return sorted(_walk(context, ignore))


def _ignore(context: Path, dockerfile: str) -> Ignore:
    for name in (f"{dockerfile}.dockerignore", ".dockerignore"):
        if (context / name).is_file():
            return Ignore((context / name).read_text())
    return Ignore("")


def _walk(context: Path, ignore: Ignore) -> Iterator[str]:
    for folder, folders, files in os.walk(context):
        base = Path(folder).relative_to(context)
        linked = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in [*files, *linked]:
            path = (base / name).as_posix()
            kind = context / path
            if (kind.is_symlink() or kind.is_file()) and not ignore.leaves_out(path):
                yield path
        if not ignore.lets_in_again:
            folders[:] = [name for name in folders if not ignore.leaves_out((base / name).as_posix())]


class _Records:
    """What is hashed: records whose parts cannot run into each other."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def add(self, kind: str, name: str, content: bytes = b"") -> None:
        for part in (kind.encode(), name.encode(), hashlib.sha256(content).digest()):
            self.digest.update(len(part).to_bytes(8, "big") + part)

    def add_file(self, context: Path, path: str) -> None:
        file = context / path
        if file.is_symlink():
            self.add("link", path, str(file.readlink()).encode())
            return
        kind = "program" if file.stat().st_mode & 0o100 else "file"
        self.add(kind, path, file.read_bytes())
