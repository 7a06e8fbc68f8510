"""Documents that come as attachments: what is read of them, and what is told of those that cannot be."""

import asyncio
import os
import time

import pytest
from app.support import pdfs

from agent_server.attachments import Attachment
from agent_server.core.errors import UnknownAttachment
from graphs.document import agents, attached
from graphs.document.attached import UnreadableError, text_of
from graphs.document.normalise import MAX_CHARACTERS
from graphs.document.page import read

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def attachment(content: bytes, content_type: str = "text/plain") -> Attachment:
    return Attachment("id", "Rechnung 17.pdf", content_type, content)


@pytest.fixture
def attach(monkeypatch: pytest.MonkeyPatch):
    """Return a function that puts a content where the graph reads attachments."""

    def put(content: bytes, content_type: str = PDF) -> dict[str, str]:
        async def found(attachment_id: str) -> Attachment:
            assert attachment_id == "id"
            return attachment(content, content_type)

        monkeypatch.setattr(agents, "read_attachment", found)
        return {"attachment_id": "id"}

    return put


async def hand_in(desk, given: dict[str, str]):
    return await desk.graph.ainvoke(given, desk.config)


@pytest.mark.parametrize("content_type", [PDF, "text/plain", "text/markdown"])
async def test_an_attached_invoice_is_filed_like_a_text(desk, clean_invoice, attach, content_type):
    content = pdfs.pdf(clean_invoice) if content_type == PDF else clean_invoice.encode()
    result = await hand_in(desk, attach(content, content_type))
    assert result["status"] == "filed"
    assert result["issues"] == []
    (record,) = await desk.filings()
    assert record["origin"] == "Rechnung 17.pdf"
    assert record["fields"]["total"] == "160.8"


async def test_a_named_source_comes_before_the_files_name(desk, clean_invoice, attach):
    await hand_in(desk, {**attach(pdfs.pdf(clean_invoice)), "source": "mail-17"})
    (record,) = await desk.filings()
    assert record["origin"] == "mail-17"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (pdfs.scanned(), "holds no text"),
        (pdfs.encrypted(pdfs.pdf("secret"), "password"), "encrypted"),
        (b"%PDF-1.7\nnothing of a PDF", "damaged"),
        (pdfs.loop(), "damaged"),
        (pdfs.pdf("x\n" * 54 * 501), "more than 500 pages"),
    ],
    ids=["scan", "encrypted", "damaged", "endless", "long"],
)
async def test_a_pdf_without_readable_text_waits_for_a_person_who_is_told_why(desk, attach, content, why):
    result = await hand_in(desk, attach(content))
    assert "__interrupt__" in result
    assert result["issues"][0]["code"] == "unreadable"
    assert result["issues"][0]["field"] == "attachment"
    assert why in result["issues"][0]["message"]
    assert await desk.filings() == []
    ended = await desk.answer({"type": "reject", "message": "Ask for the text."})
    assert ended["status"] == "rejected"


async def test_a_person_can_put_in_what_could_not_be_read(desk, attach):
    await hand_in(desk, attach(pdfs.scanned()))
    fields = {
        "document_type": "receipt",
        "parties": [{"role": "seller", "name": "Northwind Traders"}],
        "issue_date": "2025-03-03",
        "currency": "EUR",
        "line_items": [{"description": "Tape", "quantity": "1", "unit_price": "9", "amount": "9"}],
        "total": "9",
    }
    ended = await desk.answer({"type": "edit", "edited_action": {"name": "file_document", "args": fields}})
    assert ended["issues"] == []
    assert ended["status"] == "filed"


async def test_the_next_document_of_a_thread_knows_nothing_of_the_one_before(desk, clean_invoice, attach):
    await hand_in(desk, attach(pdfs.scanned()))
    await desk.answer({"type": "reject"})
    result = await desk.hand_in(clean_invoice)
    assert result["issues"] == []
    assert result["status"] == "filed"
    assert (await desk.graph.aget_state(desk.config)).values.get("attachment_id") is None


async def test_an_unknown_attachment_is_the_runs_failure(desk, monkeypatch):
    async def none(attachment_id: str) -> Attachment:
        raise UnknownAttachment(attachment_id)

    monkeypatch.setattr(agents, "read_attachment", none)
    with pytest.raises(UnknownAttachment):
        await hand_in(desk, {"attachment_id": "id"})


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("text/csv", b'Item,Qty,Amount\r\n"Tape, blue",4,9.00\r\n'),
        ("text/csv", '\ufeffItem;Qty;Amount\n"Tape, blue";4;9.00\n'.encode()),
        ("text/tab-separated-values", b'Item\tQty\tAmount\n"Tape, blue"\t4\t9.00\n'),
    ],
    ids=["commas", "semicolons", "tabs"],
)
async def test_a_tables_cells_are_columns(content_type, content):
    text = await text_of(attachment(content, content_type))
    assert text == "Item | Qty | Amount\nTape, blue | 4 | 9.00"
    assert [cell.text for cell in read(text).lines[1].cells] == ["Tape, blue", "4", "9.00"]


@pytest.mark.parametrize("content_type", ["image/png", DOCX])
async def test_a_type_without_text_is_named(content_type):
    with pytest.raises(UnreadableError, match="No text can be read from"):
        await text_of(attachment(b"", content_type))


@pytest.mark.parametrize("content_type", [PDF, "text/plain", "text/csv"])
async def test_one_character_beyond_what_is_read_is_kept_so_that_the_cut_is_seen(content_type):
    text = "a line of some length\n" * (MAX_CHARACTERS // 20)
    content = pdfs.pdf(text) if content_type == PDF else text.encode()
    assert len(await text_of(attachment(content, content_type))) == MAX_CHARACTERS + 1


async def test_the_columns_of_a_pdf_stay_columns():
    text = await text_of(attachment(pdfs.pdf("Item      Qty    Amount\nTape        4      9.00"), PDF))
    assert [cell.text for cell in read(text).lines[1].cells] == ["Tape", "4", "9.00"]


async def test_a_pdf_that_swells_is_stopped_by_its_memory_or_its_time(monkeypatch):
    monkeypatch.setattr(attached, "PDF_SECONDS", 4.0)
    began = time.monotonic()
    with pytest.raises(UnreadableError, match="takes too much"):
        await text_of(attachment(pdfs.bomb(), PDF))
    assert time.monotonic() - began < 8


async def test_a_pdf_that_takes_too_long_is_given_up_and_its_process_is_gone(monkeypatch, tmp_path):
    stuck(monkeypatch, tmp_path)
    monkeypatch.setattr(attached, "PDF_SECONDS", 1.0)
    with pytest.raises(UnreadableError, match="takes too much"):
        await text_of(attachment(b"%PDF-", PDF))
    assert _gone(int((tmp_path / "pid").read_text()))


async def test_the_process_of_a_run_that_is_stopped_is_gone(monkeypatch, tmp_path):
    stuck(monkeypatch, tmp_path)
    reading = asyncio.create_task(text_of(attachment(b"%PDF-", PDF)))
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():  # noqa: ASYNC110  # a process tells
        await asyncio.sleep(0.02)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert _gone(int((tmp_path / "pid").read_text()))


async def test_the_process_knows_nothing_of_the_servers_environment(monkeypatch, tmp_path):
    telling = tmp_path / "telling.py"
    telling.write_text("import os, json; print(json.dumps({'text': json.dumps(sorted(os.environ))}))")
    monkeypatch.setenv("API_KEY_PEPPER", "a secret of the server")
    monkeypatch.setattr(attached.pdf_process, "__file__", str(telling))
    assert "PEPPER" not in await text_of(attachment(b"%PDF-", PDF))


def stuck(monkeypatch, folder):
    """Have a process in the place of the one that reads, which never ends, and tells its pid in a file."""
    program = folder / "stuck.py"
    written = f"open({str(folder / 'pid')!r}, 'w').write(str(os.getpid()))"
    program.write_text(f"import os, time; {written}; time.sleep(60)")
    monkeypatch.setattr(attached.pdf_process, "__file__", str(program))


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
