"""Where the parts of one embedded PostgreSQL lie."""

import os
import re
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lgp.account import Account, postgres_account
from lgp.folders import private_folder, shared_folder

SYSTEM_HOME = Path("/var/lib/lgp")
"""For root: data and binaries outside root's home, which no other account can enter."""

SOCKET_PATH_LIMIT = 100
"""Bytes of a socket's path that every system takes (107 on Linux, 103 on macOS)."""

SOCKET_NAME = ".s.PGSQL.5432"
_PLAIN_PATH = re.compile(r"[\w/.@+-]+")


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one cluster: `keep` is ours, `home` and `socket` belong to PostgreSQL's account."""

    account: Account
    keep: Path
    home: Path
    socket: Path
    binaries: Path | None
    """Where the binaries are copied for an account that cannot read our own; None uses them in place."""

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """What PostgreSQL says."""
        return self.keep / "postgres.log"


def clone_layout(state: Path) -> Layout:
    """The cluster of a clone, under its state folder; for root, its data under `/var/lib/lgp`."""
    keep = state / "postgres"
    account = postgres_account()
    private_folder(keep, _ourselves(account))
    identity = _identity(keep, account)
    if account.is_ours:
        return _layout(account, keep, keep, identity)
    return _layout(account, keep, shared_folder(SYSTEM_HOME / "clusters") / identity, identity)


def private_layout(folder: Path) -> Layout:
    """A throw-away cluster in an empty folder that PostgreSQL's account can reach (tests)."""
    account = postgres_account()
    folder.chmod(0o755)
    keep = private_folder(folder / "keep", _ourselves(account))
    return _layout(account, keep, folder / "home", secrets.token_hex(6))


def _layout(account: Account, keep: Path, home: Path, identity: str) -> Layout:
    private_folder(home, account)
    socket = private_folder(_socket_folder(home, identity), account)
    binaries = None if account.is_ours else SYSTEM_HOME / "binaries"
    return Layout(account=account, keep=keep, home=home, socket=socket, binaries=binaries)


def _ourselves(account: Account) -> Account:
    return account if account.is_ours else Account(os.geteuid(), os.getegid(), "root")


def _socket_folder(home: Path, identity: str) -> Path:
    """Beside the data where the path is short and plain enough for a socket, else in the temporary folder."""
    beside = home / "socket"
    plain = _PLAIN_PATH.fullmatch(str(beside)) is not None
    if plain and len(os.fsencode(beside / SOCKET_NAME)) <= SOCKET_PATH_LIMIT:
        return beside
    name = f"lgp-{identity}"
    wished = Path(tempfile.gettempdir()) / name
    short = len(os.fsencode(wished / SOCKET_NAME)) <= SOCKET_PATH_LIMIT
    return wished if short else Path("/tmp") / name  # noqa: S108  # verified as ours alone before use


def _identity(keep: Path, account: Account) -> str:
    """A random name of this clone's cluster. It moves with the clone; a copy of the clone gets its own."""
    file = keep / "identity"
    identity = file.read_text().strip() if file.exists() else ""
    if account.is_ours:
        return identity or _new_identity(file)
    marker = shared_folder(SYSTEM_HOME / "clusters") / f"{identity}.clone"
    if not identity or _belongs_to_another(marker, file):
        identity = _new_identity(file)
        marker = marker.with_name(f"{identity}.clone")
    marker.write_text(str(file.resolve()))
    return identity


def _new_identity(file: Path) -> str:
    identity = secrets.token_hex(6)
    file.write_text(identity)
    return identity


def _belongs_to_another(marker: Path, file: Path) -> bool:
    """Whether the clone that made this cluster still lies elsewhere: ours is a copy of it."""
    if not marker.exists():
        return False
    first = Path(marker.read_text())
    return first != file.resolve() and first.exists() and first.read_text() == file.read_text()
