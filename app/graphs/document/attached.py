"""From an attachment to the text of a document, or to why there is none."""

import asyncio
import csv
import json
import sys
from io import StringIO
from pathlib import Path

from agent_server.attachments import Attachment
from graphs.document import pdf_process
from graphs.document.normalise import MAX_CHARACTERS

PDF_SECONDS = 30.0
"""The longest a PDF is waited for, be it that its process gets no turn."""
PDFS_AT_ONCE = 2
"""Of one server: each may take `pdf_process.MEMORY_BYTES`."""
CELL = " | "

_pdfs = asyncio.Semaphore(PDFS_AT_ONCE)


class UnreadableError(Exception):
    """The attachment holds no text that can be read; the message says why, for people."""


async def text_of(attachment: Attachment) -> str:
    """Return the text: of a table with bars between its cells, of a PDF with its columns.

    At most one character more than is read of a document, so that the cut is seen.

    Raises:
        UnreadableError: a type without text, or a PDF that is encrypted, damaged, scanned or too large.
    """
    match attachment.content_type:
        case "application/pdf":
            return await _of_pdf(attachment.content)
        case "text/plain" | "text/markdown" | "application/json":
            return _decoded(attachment.content)
        case "text/csv":
            return await asyncio.to_thread(_of_table, _decoded(attachment.content))
        case "text/tab-separated-values":
            return await asyncio.to_thread(_of_table, _decoded(attachment.content), "\t")
        case other:
            message = f"No text can be read from {other}: attach a PDF or a text, or hand the text in."
            raise UnreadableError(message)


def _decoded(content: bytes) -> str:
    return content.decode("utf-8-sig", errors="replace")[: MAX_CHARACTERS + 1]


def _of_table(text: str, delimiter: str = "") -> str:
    """Put bars between the cells; of commas and semicolons, the one that the first line has more of."""
    first = text.partition("\n")[0]
    comma = "," if first.count(",") >= first.count(";") else ";"
    rows = csv.reader(StringIO(text, newline=""), delimiter=delimiter or comma)
    try:
        return "\n".join(CELL.join(cell.replace("\n", " ") for cell in row) for row in rows)
    except csv.Error:
        return text


async def _of_pdf(content: bytes) -> str:
    async with _pdfs:
        told = await _by_process(content)
    found: pdf_process.Told = json.loads(told) if told else {}
    if "text" not in found:
        raise UnreadableError(found.get("problem", "The PDF is damaged, or takes too much to be read."))
    return found["text"]


async def _by_process(content: bytes) -> bytes:
    """Return what the process tells; nothing if it fails. It knows nothing of this one's environment."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(Path(pdf_process.__file__)),
        str(MAX_CHARACTERS),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
    )
    try:
        async with asyncio.timeout(PDF_SECONDS):
            told, _ = await process.communicate(content)
    except TimeoutError:
        return b""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return told if process.returncode == 0 else b""
