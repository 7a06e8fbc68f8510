"""JSON at the edges: what comes in comes back as it was sent, and whatever a graph yields goes out."""

import asyncio
import dataclasses
import gc
import json
import math
import re
import sys
import time
from collections import OrderedDict, UserDict, deque, namedtuple
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from ipaddress import ip_address
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any
from unittest.mock import MagicMock
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langgraph.types import Command, Interrupt, Send
from pydantic import BaseModel, SecretStr

from agent_server.core.errors import Invalid
from agent_server.core.jsonio import LARGE_BYTES, MAX_CONTAINERS, MAX_DEPTH, dumps, loads, refuse_unsafe_text

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


class Colour(Enum):
    RED = "red"
    BLUE = b"\xff"
    TORN = "\ud800"


class Level(IntEnum):
    HIGH = 5


class Word(StrEnum):
    YES = "yes"


Pair = namedtuple("Pair", "left right")


@dataclasses.dataclass
class Note:
    text: str
    inner: Any = None


class Model(BaseModel):
    name: Any
    secret: SecretStr = SecretStr("hunter2")


class Slotted:
    __slots__ = ("_hidden", "shown", "unset")

    def __init__(self, shown: Any) -> None:
        self.shown = shown
        self._hidden = "hidden"


class OneSlot:
    __slots__ = "name"  # noqa: PLC0205  # the form that iterates by letters


class Angry:
    """Raises whatever is asked of it."""

    def model_dump(self) -> None:
        msg = "no dump"
        raise ValueError(msg)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)  # pytest asks for these
        msg = f"no {name}"
        raise RuntimeError(msg)

    def __str__(self) -> str:
        msg = "no text"
        raise OSError(msg)

    def __hash__(self) -> int:
        return 1


class TornMapping(UserDict[str, Any]):
    def keys(self) -> Any:
        msg = "no keys"
        raise LookupError(msg)

    __iter__ = keys


def shown(value: Any) -> Any:
    return json.loads(dumps(value), parse_constant=pytest.fail)


def refused(body: bytes) -> str:
    with pytest.raises(Invalid) as caught:
        loads(body)
    assert caught.value.status == 422
    assert "\n" not in caught.value.detail
    return caught.value.detail


# What clients send


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"{'a': 1}", "line 1 column 2"),
        (b'{"a": 1} x', "Extra data"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b'"\x00"', "control character"),
        (b"\xff", "not UTF-8"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b'"\xc0\x80"', "not UTF-8"),
        ('"ä"'.encode("utf-16"), "not UTF-8"),
        (b'{"a": 1, "a": 2}', "repeats a key"),
        (b'[{"x": {"a": 1, "\\u0061": 2}}]', "repeats a key"),
        (b"NaN", "NaN"),
        (b"[Infinity]", "Infinity"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b"1e400", "too large"),
        (b"-1e400", "too large"),
        (b"18446744073709551616", "64 bits"),
        (b"-9223372036854775809", "64 bits"),
        (b"9" * 5000, "64 bits"),
        (b"-" + b"9" * 100_000, "64 bits"),
    ],
)
def test_what_is_not_sound_json_is_refused_with_its_reason(body: bytes, reason: str) -> None:
    assert reason in refused(body)
    assert reason in refused(body + b" " * LARGE_BYTES)


@pytest.mark.parametrize("number", [-(2**63), 2**63 - 1, 2**63, 2**64 - 1, 0, -1])
def test_integers_of_64_bits_come_back_exactly(number: int) -> None:
    value = loads(str(number).encode())
    assert (value, type(value)) == (number, int)
    assert dumps(value) == str(number).encode()


def test_the_sign_of_minus_zero_comes_back() -> None:
    assert math.copysign(1, loads(b"-0")) == -1
    assert dumps(loads(b"-0")) == b"-0.0"
    assert type(loads(b"0")) is int


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (rb'"\u0000"', "body:"),
        (rb'{"a": ["x", "\u0000"]}', "body.a[1]:"),
        (rb'{"a\u0000": 1}', "body (a key):"),
        (rb'"\ud800"', "body:"),
        (rb'"\uDFFF"', "body:"),
        (rb'{"a": {"b": "\udc00\ud800"}}', "body.a.b:"),
        (rb'{"\ud83d": 1}', "body (a key):"),
    ],
)
def test_nul_and_lone_surrogates_are_refused_where_they_stand(body: bytes, where: str) -> None:
    detail = refused(body)
    assert detail.startswith(where)
    detail.encode()


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (rb'"\ud83d\ude00"', "😀"),
        (rb'"\\u0000"', r"\u0000"),
        (rb'"\\ud800"', r"\ud800"),
        ('"ä😀\u2028"'.encode(), "ä😀\u2028"),
        (rb'"\u0001"', "\x01"),
    ],
)
def test_text_that_only_looks_unsafe_is_taken(body: bytes, value: str) -> None:
    assert loads(body) == value


@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}")])
def test_the_deepest_nesting_admitted_can_be_written_again(brackets: tuple[str, str]) -> None:
    opening, closing = brackets
    body = (opening * MAX_DEPTH + "1" + closing * MAX_DEPTH).encode()
    assert dumps(loads(body)) == body
    assert dumps([loads(body), "\ud800"])  # the mending, too, is deep enough not to fail


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 300, 900, 990, 5_000, 200_000])
@pytest.mark.parametrize("leaf", ["1", r'"\u0000"'])
def test_nesting_beyond_it_is_refused_and_never_exhausts_the_stack(depth: int, leaf: str) -> None:
    assert refused(("[" * depth + leaf + "]" * depth).encode()) == "The body is nested too deeply."
    assert refused(('{"a":' * depth + leaf + "}" * depth).encode()) == "The body is nested too deeply."


def test_a_reason_never_repeats_the_body() -> None:
    for body in (b'{"password": "hunter2" "x"}', b'{"password": "hunter2", "a": NaN}', b'"hunter2\xff"'):
        assert "hunter2" not in refused(body)


LARGE = {
    "integers": b"[" + b"1," * 2**20 + b"1]",
    "keys": b"{" + b",".join(b'"%d":0' % number for number in range(300_000)) + b"}",
    "strings": b"[" + b'"a",' * 2**20 + b'"a"]',
    "a long text": b'["' + b"a" * 2**24 + b'\\ud83d\\ude00"]',
    "a long list under a long key": b'{"' + b"k" * 2**20 + b'":[' + b'"a",' * 2**20 + b'"\\ud83d\\ude00"]}',
    "lists": b"[" + b"[]," * 2**21 + b"[]]",
    "objects in lists": b"[" + b'[{"a":1}],' * 2**20 + b"0]",
}


@pytest.fixture
def small_heap() -> Iterator[None]:
    """What three thousand tests have left behind would make each of the collector's rounds long."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.parametrize("body", LARGE.values(), ids=LARGE.keys())
async def test_other_tasks_go_on_while_a_large_body_is_read(body: bytes, small_heap: None) -> None:
    reading = asyncio.create_task(asyncio.to_thread(loads, body))
    longest, last = 0.0, time.monotonic()
    while not reading.done():
        await asyncio.sleep(0.001)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    assert longest < 0.3  # 50 ms at most on an idle machine
    assert reading.exception() is None or "arrays and objects" in str(reading.exception())


def test_a_body_has_no_more_arrays_and_objects_than_the_garbage_collector_bears() -> None:
    inner = b"[]," * (MAX_CONTAINERS // 2) + b"{}," * (MAX_CONTAINERS // 2 - 1)
    assert len(loads(b"[" + inner + b"0]")) == MAX_CONTAINERS
    assert "250,000 arrays and objects" in refused(b"[" + inner + b"{}, 0]")


def test_where_an_unsafe_text_stands_is_told_shortly() -> None:
    body = b'{"' + b"k" * 100_000 + b'": ["\\u0000"]}'
    assert len(refused(body)) < 400


def test_values_made_elsewhere_are_held_to_the_same_text() -> None:
    refuse_unsafe_text({"a": ["fine", 1, None]})
    with pytest.raises(Invalid, match=r"^input\.a\[0\]:"):
        refuse_unsafe_text({"a": ["\x00"]}, "input")


@given(JSON)
def test_json_values_survive_being_written_and_read(value: Any) -> None:
    assert loads(dumps(value)) == value


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_reading_raises_nothing_but_invalid(body: bytes) -> None:
    try:
        loads(body)
    except Invalid:
        return


# What graphs yield


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None),
        ([float("inf")], [None]),
        (b"\xff\x00", "/wA="),
        (bytearray(b"a"), "YQ=="),
        (memoryview(b"abcd")[::2], "YWM="),
        ("\ud800x", "\ufffdx"),
        ({"\udfff": 1}, {"\ufffd": 1}),
        (2**64, str(2**64)),
        (-(2**63) - 1, str(-(2**63) - 1)),
        ((1, (2,)), [1, [2]]),
        (frozenset({1}), [1]),
        (deque([1, 2]), [1, 2]),
        (Decimal("1.50"), "1.50"),
        (1 + 2j, "1+2j"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        (date(2026, 1, 2), "2026-01-02"),
        (clock(1, 2, tzinfo=UTC), "01:02:00Z"),
        (timedelta(seconds=90), "PT1M30S"),
        (PurePosixPath("/a/b"), "/a/b"),
        (ip_address("::1"), "::1"),
        (re.compile("a+"), "a+"),
        (Colour.RED, "red"),
        (Colour.BLUE, "/w=="),
        ([Colour.TORN], ["\ufffd"]),
        ({Colour.RED: Level.HIGH, "\ud800": Level.HIGH}, {"red": 5, "\ufffd": 5}),
        ([Word.YES, "\ud800"], ["yes", "\ufffd"]),
        (Pair(1, 2), [1, 2]),
        (Note("a", Note("b")), {"text": "a", "inner": {"text": "b", "inner": None}}),
        (Note("\ud800", b"x"), {"text": "\ufffd", "inner": "eA=="}),
        (OrderedDict(a=1), {"a": 1}),
        (UserDict(a={1}), {"a": [1]}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (ValueError("secret"), {"error": "ValueError"}),
        (Slotted({1}), {"shown": [1], "unset": None}),
        (OneSlot(), "<OneSlot>"),
        (object(), "<object>"),
        (Model, "<Model>"),
        ([int, Note], ["<int>", "<Note>"]),
        (dumps, "<function>"),
        (iter([1]), "<list_iterator>"),
        (Angry(), "<Angry>"),
        ({"fine": 1, "torn": TornMapping()}, {"fine": 1, "torn": "<TornMapping>"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_json_cannot_carry_is_shown_as_near_as_it_can(value: Any, expected: Any) -> None:
    assert shown(value) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (1, "1"),
        (None, "null"),
        (True, "true"),
        (1.5, "1.5"),
        (Colour.RED, "red"),
        (UUID(int=1), str(UUID(int=1))),
        ((1, 2), "<tuple>"),
        (b"k", "<bytes>"),
        (Angry(), "<Angry>"),
        (2**70, "<int>"),
    ],
)
@pytest.mark.parametrize("beside", ["fine", "\ud800"])
def test_a_key_is_spelled_alike_whatever_stands_beside_it(key: Any, expected: str, beside: str) -> None:
    assert list(shown({key: beside})) == [expected]


def test_messages_go_out_as_their_model_dump() -> None:
    message = AIMessage("hi", id="1", tool_calls=[{"name": "f", "args": {"x": 1}, "id": "c"}])
    assert shown(message) == json.loads(json.dumps(message.model_dump()))
    assert shown({"messages": [HumanMessage("\ud800")]})["messages"][0]["content"] == "\ufffd"
    assert shown((AIMessageChunk("a"), {"step": 1}))[0]["type"] == "AIMessageChunk"


def test_an_interrupt_whose_schema_is_a_class_goes_out() -> None:
    assert shown({"__interrupt__": (Interrupt("v", id="i", response_schema=Model),)}) == {
        "__interrupt__": [{"value": "v", "id": "i", "response_schema": "<Model>"}]
    }


def test_the_parts_of_langgraph_go_out() -> None:
    assert shown(Send("node", {"a": {1}}))["node"] == "node"
    assert shown(Command(goto="x", update={"m": b"x"}))["update"] == {"m": "eA=="}


def test_a_secret_is_not_written() -> None:
    for value in (Model(name="n"), SecretStr("hunter2"), Model(name=b"\xff"), [Model(name="\ud800")]):
        assert b"hunter2" not in dumps(value)


def test_an_integer_that_python_will_not_print_goes_out() -> None:
    assert shown(10**5000).startswith("0x")
    assert shown({"n": -(10**5000)})["n"].startswith("-0x")


def test_an_enum_of_integers_beside_something_mended_takes_no_time() -> None:
    started = time.monotonic()
    assert shown([Level.HIGH, "\ud800"]) == [5, "\ufffd"]
    assert time.monotonic() - started < 1


def _cyclic_list() -> Any:
    value: list[Any] = []
    value += [value, value]
    return value


def _cyclic_dict() -> Any:
    value: dict[str, Any] = {}
    value.update(a=value, b=value, c={1})
    return value


def _cyclic_note() -> Any:
    note = Note("n")
    note.inner = [note, note]
    return note


def _cyclic_slots() -> Any:
    value = Slotted(None)
    value.shown = {"x": value, "y": value}
    return value


def _cyclic_model() -> Any:
    model = Model(name=None)
    model.name = [model, model]
    return model


@pytest.mark.parametrize("make", [_cyclic_list, _cyclic_dict, _cyclic_note, _cyclic_slots, _cyclic_model])
def test_a_cycle_is_cut_and_not_unrolled(make: Callable[[], Any]) -> None:
    started = time.monotonic()
    assert b"<" in dumps(make())
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "wrap",
    [lambda v: [v], lambda v: {"a": v}, lambda v: Note("x", v), lambda v: {"\ud800": v}, Slotted],
)
def test_any_depth_goes_out_cut_short(wrap: Callable[[Any], Any]) -> None:
    value: Any = 1
    for _ in range(5_000):
        value = wrap(value)
    assert b"<too deep>" in dumps(value)
    while value != 1:  # taken apart by hand: the collector would recurse
        value = (
            value.shown
            if isinstance(value, Slotted)
            else getattr(value, "inner", None)
            or next(iter(value.values() if isinstance(value, dict) else value))
        )


def test_an_object_that_answers_to_every_name_goes_out() -> None:
    assert shown({"m": MagicMock()})["m"]


def test_numpy_goes_out_as_lists() -> None:
    numpy = pytest.importorskip("numpy")
    assert shown({"a": numpy.arange(3), "b": numpy.float32(1.5), "c": {1}}) == {
        "a": [0, 1, 2],
        "b": 1.5,
        "c": [1],
    }


KEYS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.dates()
    | st.sampled_from(Colour)
)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary()
    | st.decimals()
    | st.complex_numbers()
    | st.datetimes(timezones=st.timezones())
    | st.times(timezones=st.timezones())
    | st.timedeltas()
    | st.uuids()
    | st.sampled_from([*Colour, *Level, *Word])
    | st.builds(ValueError, st.text())
    | st.builds(Angry)
    | st.sampled_from([Model, Note, int]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.tuples(inner, inner)
        | st.builds(Note, st.text(), inner)
        | st.builds(Slotted, inner)
        | st.builds(Pair, inner, inner)
        | st.builds(UserDict, st.dictionaries(st.text(), inner, max_size=2))
        | st.builds(Model, name=inner)
    ),
    max_leaves=15,
)


@settings(deadline=None, max_examples=300)
@given(ANYTHING)
def test_whatever_a_graph_yields_becomes_json_that_every_reader_takes(value: Any) -> None:
    text = dumps(value).decode()
    json.loads(text, parse_constant=pytest.fail)
    assert "\n" not in text


def test_writing_leaves_the_interpreters_limits_alone() -> None:
    before = (sys.getrecursionlimit(), sys.get_int_max_str_digits())
    dumps([10**5000, "\ud800", _cyclic_list()])
    assert (sys.getrecursionlimit(), sys.get_int_max_str_digits()) == before
