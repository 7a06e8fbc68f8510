"""The parser against the WHATWG text: its own examples, and a slow reading of the rules as the oracle."""

import time
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from langgraph_client._sse import Frame, SSEParser


def parse(*chunks: bytes) -> list[Frame]:
    parser = SSEParser()
    return [frame for chunk in chunks for frame in parser.feed(chunk)]


def by_the_book(stream: bytes) -> list[Frame]:
    """Read the whole stream at once, word for word as section 9.2.6 has it; the id is the frame's own."""
    text = stream.decode("utf-8", "replace").removeprefix("\ufeff")
    *lines, _unfinished = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    frames: list[Frame] = []
    data, event, own = "", "", None
    for line in lines:
        if not line:
            if data:
                frames.append(Frame(event or "message", data[:-1], own))
            data, event, own = "", "", None
            continue
        name, colon, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if colon and not name:
            continue
        if name == "data":
            data += value + "\n"
        elif name == "event":
            event = value
        elif name == "id" and "\0" not in value:
            own = value
    return frames


WHATWG = [
    (b"data: YHOO\ndata: +2\ndata: 10\n\n", [Frame("message", "YHOO\n+2\n10", None)]),
    (
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n",
        [Frame("message", "first event", "1"), Frame("message", "second event", "")],
    ),
    (b"data\n\ndata\ndata\n\ndata:", [Frame("message", "", None), Frame("message", "\n", None)]),
    (b"data:test\n\ndata: test\n\n", [Frame("message", "test", None)] * 2),
    (b"event: add\ndata: 73857293\n\n", [Frame("add", "73857293", None)]),
]


@pytest.mark.parametrize(("stream", "frames"), WHATWG)
@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_the_examples_of_the_standard(stream: bytes, frames: list[Frame], end: bytes) -> None:
    assert parse(stream.replace(b"\n", end)) == frames


@pytest.mark.parametrize(
    ("stream", "frames"),
    [
        (b"\xef\xbb\xbfdata: x\n\n", [Frame("message", "x", None)]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: x\n\n", []),
        (b"\n\xef\xbb\xbfdata: x\n\n", []),
        (b"id: a\0b\ndata: x\n\n", [Frame("message", "x", None)]),
        (b"event: e\n\ndata: x\n\n", [Frame("message", "x", None)]),
        (b"id: 7\n\ndata: x\n\n", [Frame("message", "x", None)]),
        (b"Data: x\nwhat: y\n:data: z\n\n", []),
        ("data: \u2028\u0085\x0b\n\n".encode(), [Frame("message", "\u2028\u0085\x0b", None)]),
        (b"data: \xff\n\n", [Frame("message", "\ufffd", None)]),
        (b"data: half an event", []),
    ],
)
def test_corners_of_the_standard(stream: bytes, frames: list[Frame]) -> None:
    assert parse(stream) == frames
    assert by_the_book(stream) == frames


PIECES = st.sampled_from(
    [
        *(
            b"\n",
            b"\r",
            b"\r\n",
            b"\n\n",
            b":",
            b" ",
            b"\0",
            b"x",
            b"7",
            b"data",
            b"event",
            b"id",
            b"data: ",
            b"id: 1-",
        ),
        *(b"event: values", b"\xef\xbb\xbf", b"\xc3\xa9", b"\xc3", b"\xf0\x9f\x98\x80", b"\xff"),
    ]
)


@settings(max_examples=400, deadline=None)
@given(stream=st.lists(PIECES, max_size=40).map(b"".join), cuts=st.lists(st.integers(0, 120), max_size=8))
@example(stream=b"data: x\r\n\r\n", cuts=[8, 9, 10])
@example(stream=b"\xef\xbb\xbfdata: \xf0\x9f\x98\x80\r\r", cuts=[1, 2, 10, 11])
def test_any_bytes_cut_anywhere_read_as_by_the_book(stream: bytes, cuts: list[int]) -> None:
    ends = [0, *sorted(cuts), len(stream)]
    chunks = [stream[start:end] for start, end in pairwise(ends)]
    assert parse(*chunks) == by_the_book(stream)


LINES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20)
NAMES = LINES.filter(lambda name: name != "")
IDS = st.none() | LINES.filter(lambda text: "\0" not in text)


@settings(max_examples=200, deadline=None)
@given(
    sent=st.lists(
        st.builds(Frame, NAMES, st.lists(LINES, min_size=1, max_size=3).map("\n".join), IDS), max_size=5
    ),
    end=st.sampled_from(["\n", "\r", "\r\n"]),
    size=st.integers(1, 9),
)
def test_what_was_written_is_read(sent: list[Frame], end: str, size: int) -> None:
    text = "\ufeff: hello" + end
    for frame in sent:
        text += f"event: {frame.event}{end}" + "".join(
            f"data: {line}{end}" for line in frame.data.split("\n")
        )
        text += (f"id: {frame.id}{end}" if frame.id is not None else "") + f": beat{end}{end}"
    raw = text.encode()
    assert parse(*(raw[at : at + size] for at in range(0, len(raw), size))) == sent


def test_a_frame_is_given_as_soon_as_its_last_byte_is_there() -> None:
    parser = SSEParser()
    assert parser.feed(b"data: x\r") == []
    assert parser.feed(b"\r") == [Frame("message", "x", None)]
    assert parser.feed(b"\n") == []
    assert parser.feed(b"data: y\n\n") == [Frame("message", "y", None)]


@pytest.mark.parametrize(
    ("line", "seconds"),
    [(b"1500", 1.5), (b"", None), (b"-1", None), (b"\xd9\xa1", None), (b"9" * 5000, None)],
)
def test_retry_is_read_in_milliseconds(line: bytes, seconds: float | None) -> None:
    parser = SSEParser()
    parser.feed(b"retry: " + line + b"\n\n")
    assert parser.retry == seconds


def test_a_long_line_in_many_pieces_takes_time_in_proportion() -> None:
    parser = SSEParser()
    parser.feed(b"data: ")
    began = time.perf_counter()
    for _ in range(20_000):
        parser.feed(b"x" * 1000)
    (frame,) = parser.feed(b"\n\n")
    assert len(frame.data) == 20_000_000
    assert time.perf_counter() - began < 5
