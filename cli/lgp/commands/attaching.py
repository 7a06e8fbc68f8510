"""`lgp attach`."""

from pathlib import Path
from typing import Annotated

import typer

from lgp.output import Machine, json_line, out
from lgp.progress import step
from lgp.remote import WAIT_SECONDS, Key, Timeout, Url, connected

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The file.")]


def attach(
    file: File,
    *,
    thread: Annotated[str, typer.Option(help="The thread whose runs may read it; it may be yet to begin.")],
    content_type: Annotated[
        str, typer.Option("--type", show_default=False, help="As text/csv; else told by the name.")
    ] = "",
    timeout: Timeout = WAIT_SECONDS,
    url: Url = "",
    key: Key = "",
    machine: Machine = False,
) -> int:
    """Attach a file to a thread and print the id that a graph takes."""
    with connected(url, key, timeout) as client, step(f"{file.name} is sent"):
        attachment = client.attachments.upload(thread, file, content_type=content_type or None)
    if machine:
        json_line(attachment)
    else:
        out().print(attachment.attachment_id)
    return 0
