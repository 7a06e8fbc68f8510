"""Attachments in a folder: what comes in, what goes out, and that nothing is left of what was refused."""

import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from app.support import attaching
from app.support.attaching import (
    GRAPHS,
    PDF,
    PNG,
    TEXT,
    add,
    attached,
    begin_thread,
    described,
    files_in,
    put,
    seen,
    what_is_seen,
)
from app.support.surface import caller, ok, problem
from support.server import REPOSITORY, ServerProcess, environment

BIG = 2_000_003
"""Above what is written in one go."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("attachments")


@pytest.fixture(scope="module")
def server(module_migrated_database: str, folder: Path) -> Iterator[ServerProcess]:
    told = {"ATTACHMENTS_DIR": str(folder), "ATTACHMENT_BYTES": str(BIG)}
    with attaching.keeping(module_migrated_database, **told) as started:
        yield started


@pytest.fixture
def http(server: ServerProcess) -> Iterator[httpx.Client]:
    with caller(server) as client:
        yield client


def raw(server: ServerProcess, attachment: object, *headers: str) -> socket.socket:
    """A connection that has sent the head of an upload."""
    parts = urlsplit(server.url)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=10)
    path = attachment["upload"]["url"]  # type: ignore[index]
    lines = [f"PUT {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: text/plain", *headers]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    return connection


def status_of(connection: socket.socket) -> int:
    return int(connection.recv(4096).split(b" ")[1])


def test_a_content_comes_back_as_it_was_with_its_name_and_type(http: httpx.Client) -> None:
    attachment = add(http, PDF, filename="Rechnung März.pdf", content_type="application/pdf")
    assert attachment["stored"] is False
    assert attachment["created_by"] == "local"
    assert set(attachment["upload"]) == {"method", "url", "headers", "expires_at"}
    assert put(http, attachment, PDF).status_code == 204
    told = ok(http.get(f"/attachments/{attachment['attachment_id']}"))
    assert told == {**{k: v for k, v in attachment.items() if k != "upload"}, "stored": True}
    answer = http.get(f"/attachments/{attachment['attachment_id']}/content")
    assert answer.content == PDF
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == "attachment; filename*=utf-8''Rechnung%20M%C3%A4rz.pdf"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_a_part_of_a_content_can_be_had(http: httpx.Client) -> None:
    attachment = attached(http, PDF, content_type="application/pdf")
    answer = http.get(f"{attachment['upload']['url']}", headers={"Range": "bytes=0-7"})
    assert (answer.status_code, answer.content) == (206, b"%PDF-1.7")


@pytest.mark.parametrize("graph", ["reader", "sync_reader"])
def test_a_node_reads_what_is_attached_to_its_thread(http: httpx.Client, graph: str) -> None:
    attachment = attached(http)
    found = ok(seen(http, attachment, graph))["result"]["seen"]
    assert found == what_is_seen(TEXT)


def test_a_node_reads_nothing_of_another_thread(http: httpx.Client) -> None:
    attachment = attached(http)
    begin_thread(http)
    failed = problem(seen(http, attachment, thread_id=attaching.new_thread()), 500, "run_failed")
    assert failed["detail"] == f"There is no attachment '{attachment['attachment_id']}'."


def test_a_node_is_told_that_a_content_has_not_come(http: httpx.Client) -> None:
    failed = problem(seen(http, add(http)), 500, "run_failed")
    assert "has not been stored" in failed["detail"]


def test_a_node_gets_no_content_that_was_changed_on_the_disk(http: httpx.Client, folder: Path) -> None:
    attachment = attached(http)
    (file,) = files_in(next(folder.glob(f"*/{attachment['attachment_id']}")))
    file.write_bytes(TEXT.replace(b"20.00", b"99.00"))
    assert "has not been stored" in problem(seen(http, attachment), 500, "run_failed")["detail"]


def test_files_are_ours_alone_and_no_name_of_them_is_the_clients(http: httpx.Client, folder: Path) -> None:
    attachment = attached(http, filename="../../etc/passwd", thread_id="../../thread")
    assert attachment["filename"] == "passwd"
    (file,) = files_in(next(folder.glob(f"*/{attachment['attachment_id']}")))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for parent in (file.parent, file.parent.parent):
        assert stat.S_IMODE(parent.stat().st_mode) == 0o700
    assert {len(part) for part in file.relative_to(folder).parts} == {32, 36, 64}
    assert "passwd" not in str(file)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("C:\\Users\\me\\scan.pdf", "scan.pdf"),
        ('a"b\r\nSet-Cookie: x=1.txt', 'a"b  Set-Cookie: x=1.txt'),
        ("invoice\u202efdp.exe", "invoice_fdp.exe"),
        ("Bild\u202f12.png", "Bild 12.png"),
    ],
)
def test_names_are_made_fit_to_be_shown(http: httpx.Client, given: str, shown: str) -> None:
    attachment = attached(http, filename=given)
    assert attachment["filename"] == shown
    answer = http.get(attachment["upload"]["url"])
    assert "set-cookie" not in answer.headers
    assert answer.headers["content-disposition"].isascii()


@pytest.mark.parametrize("name", ["..", "a/..", "/", "  ", "\u200b/ "])
def test_what_is_no_name_is_refused(http: httpx.Client, name: str) -> None:
    answer = http.post("/attachments", json=described(TEXT, filename=name))
    assert problem(answer, 422, "invalid_request")["errors"][0]["field"] == "filename"


@pytest.mark.parametrize(
    "content_type",
    ["text/html", "image/svg+xml", "application/octet-stream", "text/plain; charset=utf-16", "pdf", "*/*"],
)
def test_types_that_are_not_listed_are_refused(http: httpx.Client, content_type: str) -> None:
    answer = http.post("/attachments", json=described(TEXT, content_type=content_type))
    assert "application/pdf" in problem(answer, 415, "unsupported_media_type")["detail"]


@pytest.mark.parametrize(("size", "status"), [(0, 422), (-1, 422), (BIG, 201), (BIG + 1, 413)])
def test_the_size_is_bounded_before_anything_is_sent(http: httpx.Client, size: int, status: int) -> None:
    assert http.post("/attachments", json=described(b"", size=size)).status_code == status


@pytest.mark.parametrize("field", ["thread_id", "filename", "content_type", "size"])
def test_every_field_is_required(http: httpx.Client, field: str) -> None:
    body = described(TEXT)
    del body[field]
    answer = http.post("/attachments", json=body)
    assert problem(answer, 422, "invalid_request")["errors"][0]["field"] == field


def test_the_largest_content_is_taken_and_also_in_chunks_without_a_length(http: httpx.Client) -> None:
    content = b"x" * BIG
    attachment = add(http, content)
    chunks = (content[at : at + 70_000] for at in range(0, BIG, 70_000))
    answer = put(http, attachment, chunks, **{"Content-Length": "", "Transfer-Encoding": "chunked"})
    assert answer.status_code == 204
    assert http.get(attachment["upload"]["url"]).content == content


@pytest.mark.parametrize(
    ("content", "headers", "refusal"),
    [
        (TEXT + b"x", {"Content-Length": str(len(TEXT) + 1)}, (413, "body_too_large")),
        (TEXT[:-1], {"Content-Length": str(len(TEXT) - 1)}, (422, "invalid_request")),
        ([TEXT, b"x"], {"Content-Length": "", "Transfer-Encoding": "chunked"}, (413, "body_too_large")),
        ([TEXT[:-1]], {"Content-Length": "", "Transfer-Encoding": "chunked"}, (422, "invalid_request")),
        (TEXT, {"Content-Type": "application/json"}, (415, "unsupported_media_type")),
        (TEXT, {"Content-Type": "text/html"}, (415, "unsupported_media_type")),
        (TEXT, {"Content-Type": ""}, (415, "unsupported_media_type")),
        (TEXT, {"Content-Encoding": "gzip"}, (415, "unsupported_media_type")),
        (b"\xff" * len(TEXT), {}, (415, "unsupported_media_type")),
        (b"\0" * len(TEXT), {}, (415, "unsupported_media_type")),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_not_as_it_was_told_is_refused_and_leaves_nothing(
    http: httpx.Client, folder: Path, content: object, headers: dict[str, str], refusal: tuple[int, str]
) -> None:
    attachment = add(http)
    problem(put(http, attachment, content, **headers), *refusal)
    assert ok(http.get(f"/attachments/{attachment['attachment_id']}"))["stored"] is False
    assert files_in(folder / attachment["attachment_id"]) == []
    assert list(folder.glob(f"*/{attachment['attachment_id']}")) == []
    assert put(http, attachment).status_code == 204


@pytest.mark.parametrize("said", ["application/pdf", "image/png", "image/jpeg", "image/webp", "image/tiff"])
def test_a_content_that_begins_as_another_type_is_refused(http: httpx.Client, said: str) -> None:
    content = PDF if said == "image/png" else PNG
    attachment = add(http, content, content_type=said)
    problem(put(http, attachment, content), 415, "unsupported_media_type")


def test_a_content_that_is_too_long_is_refused_before_it_is_read(
    server: ServerProcess, http: httpx.Client
) -> None:
    with raw(server, add(http), f"Content-Length: {2**40}") as connection:
        assert status_of(connection) == 413


def test_a_client_that_leaves_in_the_middle_leaves_nothing(
    server: ServerProcess, http: httpx.Client, folder: Path
) -> None:
    content = b"x" * BIG
    attachment = add(http, content)
    with raw(server, attachment, f"Content-Length: {BIG}") as connection:
        connection.sendall(content[: BIG - 10])
        deadline = time.monotonic() + 10
        while not list(folder.glob(f"*/{attachment['attachment_id']}/.upload-*")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    deadline = time.monotonic() + 10
    while list(folder.glob(f"*/{attachment['attachment_id']}")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert put(http, attachment, content).status_code == 204


def test_the_same_content_may_come_twice_and_another_may_not(http: httpx.Client, folder: Path) -> None:
    attachment = attached(http)
    assert put(http, attachment).status_code == 204
    problem(put(http, attachment, TEXT.upper()), 409, "attachment_stored")
    assert http.get(attachment["upload"]["url"]).content == TEXT
    assert len(files_in(next(folder.glob(f"*/{attachment['attachment_id']}")))) == 1


def test_of_several_contents_at_once_one_is_taken_whole(server: ServerProcess, folder: Path) -> None:
    contents = [bytes([65 + at]) * BIG for at in range(6)]
    with caller(server) as http, ThreadPoolExecutor(6) as clients:
        attachment = add(http, contents[0])
        answers = list(clients.map(lambda content: put(http, attachment, content).status_code, contents))
        assert sorted(answers) == [204, 409, 409, 409, 409, 409]
        taken = contents[answers.index(204)]
        assert http.get(attachment["upload"]["url"]).content == taken
    assert len(files_in(next(folder.glob(f"*/{attachment['attachment_id']}")))) == 1


def test_no_content_is_404_and_so_is_what_is_no_id(http: httpx.Client) -> None:
    attachment = add(http)
    problem(http.get(attachment["upload"]["url"]), 404, "unknown_attachment")
    for path in ("/attachments/nonsense", "/attachments/nonsense/content", f"/attachments/{'0' * 32}"):
        problem(http.get(path), 404, "unknown_attachment")


def test_a_content_that_was_lost_is_404(http: httpx.Client, folder: Path) -> None:
    attachment = attached(http)
    files_in(next(folder.glob(f"*/{attachment['attachment_id']}")))[0].unlink()
    problem(http.get(attachment["upload"]["url"]), 404, "unknown_attachment")


@pytest.mark.parametrize("become", ["a link", "shorter"])
def test_a_file_that_is_not_the_one_that_came_is_not_sent(
    http: httpx.Client, folder: Path, tmp_path: Path, become: str
) -> None:
    attachment = attached(http)
    file = files_in(next(folder.glob(f"*/{attachment['attachment_id']}")))[0]
    if become == "a link":
        other = tmp_path / "other"
        other.write_bytes(file.read_bytes())
        file.unlink()
        file.symlink_to(other)
    else:
        file.write_bytes(b"")
    problem(http.get(attachment["upload"]["url"]), 404, "unknown_attachment")


def test_a_deleted_attachment_is_gone_at_once(http: httpx.Client) -> None:
    attachment = attached(http)
    path = f"/attachments/{attachment['attachment_id']}"
    assert http.delete(path).status_code == 204
    for answer in (http.get(path), http.get(f"{path}/content"), http.delete(path), put(http, attachment)):
        problem(answer, 404, "unknown_attachment")
    problem(seen(http, attachment), 500, "run_failed")


def test_without_a_place_there_is_none(module_migrated_database: str) -> None:
    with attaching.keeping(module_migrated_database) as server, caller(server) as http:
        path = f"/attachments/{'0' * 32}"
        for answer in (
            http.post("/attachments", json=described(TEXT)),
            http.get(path),
            http.get(f"{path}/content"),
            http.put(f"{path}/content", content=TEXT),
            http.delete(path),
        ):
            problem(answer, 501, "attachments_unavailable")
        attachment = {"attachment_id": "0" * 32, "thread_id": attaching.new_thread()}
        failed = problem(seen(http, attachment), 500, "run_failed")
        assert "neither ATTACHMENTS_BUCKET nor ATTACHMENTS_DIR" in failed["detail"]


@pytest.mark.parametrize(("command", "kind"), [("serve", "missing"), ("worker", "a file")])
def test_a_folder_that_cannot_be_written_ends_the_start_with_one_line(
    module_migrated_database: str, tmp_path: Path, kind: str, command: str
) -> None:
    wrong = tmp_path / "wrong"
    if kind == "a file":
        wrong.write_text("")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "agent_server", command],
        cwd=REPOSITORY / "app",
        env=environment(module_migrated_database, GRAPHS, ATTACHMENTS_DIR=str(wrong)),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    last = (done.stderr or done.stdout).strip().splitlines()[-1]
    assert f"ATTACHMENTS_DIR {wrong} cannot be written" in last
    assert "Traceback" not in done.stderr
