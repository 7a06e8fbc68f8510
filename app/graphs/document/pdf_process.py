"""Runs as a process of its own: a PDF comes by stdin, its text goes to stdout as JSON.

A PDF may be made to take all memory and all time: here it takes what this process may have, and no more.
Any failure is an exit code other than 0.
"""

import json
import resource
import sys
from io import BytesIO

PAGES = 500
CPU_SECONDS = 20
MEMORY_BYTES = 768 * 2**20

Told = dict[str, str]


def main() -> None:
    """Tell `{"text"}`, or `{"problem"}` in words for people."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    told = text_of(sys.stdin.buffer.read(), int(sys.argv[1]))
    sys.stdout.write(json.dumps(told))


def text_of(content: bytes, characters: int) -> Told:
    """Return the text, page by page until there are more than `characters`; raises whatever pypdf raises."""
    from pypdf import PdfReader  # noqa: PLC0415  # within the limits

    reader = PdfReader(BytesIO(content))
    if reader.is_encrypted and not reader.decrypt(""):
        return {"problem": "The PDF is encrypted, and opens only with a password."}
    if len(reader.pages) > PAGES:
        return {"problem": f"The PDF has more than {PAGES} pages."}
    text = ""
    for page in reader.pages:
        text += page.extract_text(extraction_mode="layout") + "\n"
        if len(text) > characters:
            break
    if not text.strip():
        return {"problem": "The PDF holds no text: it may be a scan. Hand the text in instead."}
    return {"text": text[: characters + 1]}


if __name__ == "__main__":
    main()
