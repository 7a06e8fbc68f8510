"""Contents of attachments in a folder: `TENANT/ATTACHMENT/SHA256`, all names ours and none a client's.

A content is written beside its place and renamed, so a reader sees a whole one or none. What a crash left
behind lies in the attachment's own folder and goes with it.
"""

import asyncio
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from agent_server.core.errors import BodyTooLarge, ConfigurationError, Invalid, NoContent, StorageUnavailable
from agent_server.core.media import ContentCheck
from agent_server.storage.attachments import AttachmentRecord

WRITE_BYTES = 2**20
"""So much is gathered before it is written, in one go and in a thread."""

_FILES = ThreadPoolExecutor(max_workers=4, thread_name_prefix="file")
"""Apart from the threads of nodes, which may all be taken for long."""
_UPLOAD = ".upload-"

T = TypeVar("T")


class Folder:
    """The folder ATTACHMENTS_DIR."""

    name = "folder"

    def __init__(self, root: Path) -> None:
        """Raises ConfigurationError unless it is there and can be written."""
        self._root = root
        try:
            with tempfile.TemporaryFile(dir=root):
                pass
        except OSError as error:
            msg = f"ATTACHMENTS_DIR {root} cannot be written: {error.strerror}."
            raise ConfigurationError(msg) from None

    async def receive(self, record: AttachmentRecord, parts: AsyncIterator[bytes]) -> bytes:
        """Store a content, which must be as long and of the type as was told; return its SHA-256.

        Nothing is left of a content that is refused or cut short.

        Raises:
            BodyTooLarge: it is longer; no more than that is read.
            Invalid: it is shorter.
            UnsupportedMediaType: it is of another type.
            StorageUnavailable: the folder is full or away.
        """
        upload = await _in_thread(partial(_Upload, self._of(record), record))
        try:
            gathered = bytearray()
            async for part in parts:
                gathered += part
                if len(gathered) >= WRITE_BYTES:
                    await _in_thread(partial(upload.write, bytes(gathered)))
                    gathered.clear()
            await _in_thread(partial(upload.write, bytes(gathered)))
            return await _in_thread(upload.keep)
        finally:
            # A thread cannot be cancelled: what it still writes goes to a file that has no name any more.
            await asyncio.shield(_in_thread(upload.discard))

    async def holds(self, record: AttachmentRecord) -> bool:
        """Whether the content is there, as long as was told."""
        if record.stored_at is None:
            return False
        return await _in_thread(partial(_is_whole, self.path(record), record.size))

    def path(self, record: AttachmentRecord) -> Path:
        """Where the content is; raises NoContent unless it has been stored."""
        if record.stored_at is None or record.sha256 is None:
            raise NoContent(str(record.attachment_id))
        return self._of(record) / record.sha256.hex()

    async def found(self, record: AttachmentRecord) -> Path:
        """Where the content is; raises NoContent, also where it was lost, cut short or made a link."""
        path = self.path(record)
        if not await _in_thread(partial(_is_whole, path, record.size)):
            raise NoContent(str(record.attachment_id))
        return path

    async def read(self, record: AttachmentRecord) -> bytes:
        """Return the content; raises NoContent, and StorageUnavailable where it cannot be read."""
        content = await _in_thread(partial(_read, self.path(record)))
        if content is None:
            raise NoContent(str(record.attachment_id))
        return content

    async def remove(self, record: AttachmentRecord) -> None:
        """Remove the content and whatever else was left there; nothing there is as good."""
        await _in_thread(partial(_remove, self._of(record)))

    async def tidy(self, record: AttachmentRecord, sha256: bytes) -> None:
        """Remove all but the content that was taken: what came second, what a crash left."""
        await _in_thread(partial(_tidy, self._of(record), sha256.hex()))

    def _of(self, record: AttachmentRecord) -> Path:
        return self._root / record.tenant_key / str(record.attachment_id)


class _Upload:
    """One content on its way in; every method blocks."""

    def __init__(self, folder: Path, record: AttachmentRecord) -> None:
        for made in (folder.parent, folder):
            made.mkdir(mode=0o700, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=_UPLOAD, dir=folder)  # 0600
        self._file: BinaryIO = os.fdopen(descriptor, "wb")
        self._path = Path(name)
        self._size = record.size
        self._check = ContentCheck(record.content_type)
        self._digest = hashlib.sha256()

    def write(self, part: bytes) -> None:
        if self._file.tell() + len(part) > self._size:
            msg = f"The content is longer than the {self._size} bytes that were told."
            raise BodyTooLarge(msg)
        self._check.feed(part)
        self._digest.update(part)
        self._file.write(part)

    def keep(self) -> bytes:
        """Put it where it belongs, on the disk itself."""
        if self._file.tell() != self._size:
            msg = f"The content has {self._file.tell()} bytes, not the {self._size} that were told."
            raise Invalid(msg, errors=[{"field": "size", "message": msg}])
        self._check.end()
        self._file.flush()
        os.fsync(self._file.fileno())
        with suppress(FileNotFoundError):  # tidied away: another content was taken, as its mark will tell
            self._path.replace(self._path.with_name(self._digest.hexdigest()))
        _sync(self._path.parent)
        return self._digest.digest()

    def discard(self) -> None:
        """Close it; remove it, unless it was kept."""
        self._file.close()
        self._path.unlink(missing_ok=True)
        with suppress(OSError):  # something else is there
            self._path.parent.rmdir()


def _is_whole(path: Path, size: int) -> bool:
    with suppress(FileNotFoundError):
        found = path.lstat()
        return stat.S_ISREG(found.st_mode) and found.st_size == size
    return False


def _read(path: Path) -> bytes | None:
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return None


def _tidy(folder: Path, kept: str) -> None:
    for path in folder.iterdir():
        if path.name != kept:
            path.unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def _sync(folder: Path) -> None:
    """Have the folder's names on the disk, too, where it can be asked for that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


async def _in_thread(work: Callable[[], T]) -> T:
    try:
        return await asyncio.get_running_loop().run_in_executor(_FILES, work)
    except OSError as error:
        msg = f"The folder of attachments failed: {error.strerror}."
        raise StorageUnavailable(msg) from None
