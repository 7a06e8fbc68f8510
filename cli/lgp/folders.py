"""Folders that nobody else can enter, checked before anything secret goes in."""

import os
import secrets
import stat
from pathlib import Path

from lgp.account import Account
from lgp.errors import FolderUnusable

PRIVATE = 0o700
PRIVATE_FILE = 0o600
SHARED = 0o755


def private_folder(path: Path, account: Account) -> Path:
    """A real folder of this account alone (0700): made when missing, refused when it is anything else."""
    _make(path, PRIVATE, account)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        message = f"{path} is not a real folder (a link, or a file): remove it"
        raise FolderUnusable(message)
    if found.st_uid != account.uid:
        message = f"{path} belongs to uid {found.st_uid}, not to {account.name}: it is not used"
        raise FolderUnusable(message)
    if stat.S_IMODE(found.st_mode) & 0o077:
        message = f"{path} is open to others (mode {stat.S_IMODE(found.st_mode):o}): make it 700"
        raise FolderUnusable(message)
    return path


def shared_folder(path: Path) -> Path:
    """A folder of ours that others may read but not write (0755), with its parents."""
    for folder in (*reversed(path.parents), path):
        _make(folder, SHARED, None)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        message = f"{path} is not a folder that only we can write: it is not used"
        raise FolderUnusable(message)
    return path


def _make(path: Path, mode: int, account: Account | None) -> None:
    try:
        path.mkdir(mode=mode)
    except FileExistsError:
        return
    except OSError as error:
        message = f"cannot make the folder {path}: {error.strerror}"
        raise FolderUnusable(message) from None
    path.chmod(mode)
    if account is not None and not account.is_ours:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def write_private(path: Path, content: str, account: Account | None = None) -> None:
    """Write a new file (0600) that follows no link; an existing one is an error."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
    with os.fdopen(descriptor, "w") as file:
        if account is not None and not account.is_ours:
            os.fchown(descriptor, account.uid, account.gid)
        file.write(content)


def kept_secret(path: Path) -> str:
    """The secret in this file (0600), made on the first call: 32 random bytes, safe in a URL."""
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        write_private(fresh, secrets.token_urlsafe(32))
        fresh.rename(path)
    return path.read_text().strip()
