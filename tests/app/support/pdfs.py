"""PDFs for tests: written by hand, as plain as can be, and some that no honest program makes."""

import zlib
from collections.abc import Sequence
from io import BytesIO

from pypdf import PdfReader, PdfWriter

LINES_A_PAGE = 54


def pdf(text: str) -> bytes:
    """A PDF that shows the text in Courier, 54 lines a page."""
    lines = text.split("\n")
    pages = [lines[at : at + LINES_A_PAGE] for at in range(0, len(lines), LINES_A_PAGE)]
    return pdf_of([_shown(page) for page in pages])


def pdf_of(streams: Sequence[bytes], filters: str = "") -> bytes:
    """A PDF with a page for each content stream."""
    kids = " ".join(f"{4 + 2 * at} 0 R" for at in range(len(streams)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(streams)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
    ]
    for at, stream in enumerate(streams):
        page = f"/Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * at} 0 R"
        objects.append(f"<< /Type /Page {page} /Resources << /Font << /F1 3 0 R >> >> >>".encode())
        objects.append(f"<< /Length {len(stream)} {filters} >>\nstream\n".encode() + stream + b"\nendstream")
    return _file(objects)


def encrypted(content: bytes, password: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(BytesIO(content)))
    writer.encrypt(password, algorithm="AES-256")
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def scanned() -> bytes:
    """One page with a grey rectangle, and no text."""
    return pdf_of([b"0.5 g 50 50 400 400 re f"])


def bomb() -> bytes:
    """A page of 70 million operators in some 200 kB."""
    stream = zlib.compress(b"BT ET q Q " * 7_000_000, 9)
    return pdf_of([stream] * 20, "/Filter /FlateDecode")


def loop() -> bytes:
    """A tree of pages that leads back into itself."""
    return _file(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 9999999 >>",
        ]
    )


def _shown(lines: Sequence[str]) -> bytes:
    shown = ["BT /F1 10 Tf 14 TL 40 750 Td"]
    for line in lines:
        escaped = line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        shown.append(f"({escaped}) Tj T*")
    return "\n".join([*shown, "ET"]).encode("cp1252")


def _file(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n")
    places: list[int] = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    table = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n".encode()
    return bytes(out)
