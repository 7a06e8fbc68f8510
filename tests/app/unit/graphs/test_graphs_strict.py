"""Strict msgpack: a state's types come back as they were, or the start or the write is refused by name."""

import dataclasses
import operator
import os
import re
import subprocess
import sys
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import ormsgpack
import pytest
from app.support.sample_graphs.typed_states import (
    Branch,
    Colour,
    Inner,
    Leaf,
    Level,
    OnlyBelow,
    Outer,
    Plain,
    Point,
    Private,
    Word,
    graph,
)
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde import jsonplus
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Interrupt, Overwrite, Send
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, RootModel, computed_field
from typing_extensions import TypedDict

from agent_server.core.errors import ConfigurationError, RunFailed
from agent_server.graphs.strict import StrictSerializer, Unreadable, Unregistered, serializer_for

HERE = __name__
NOW = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
SAMPLE: dict[str, Any] = {
    "messages": [HumanMessage("hi", id="1"), AIMessage("yo", id="2")],
    "branch": Branch(Leaf(Colour.RED), [Leaf(Colour.BLUE, (2, "b"))]),
    "maybe": Leaf(Colour.RED),
    "listed": [Outer(inner=None, Named="x"), Outer(inner=Inner(when=NOW, by_colour={Colour.RED: 1}))],
    "mapped": {"a": Inner(when=NOW)},
    "nested": {"a": [Point(1, Colour.RED), None]},
    "plain": Plain(leaf=Leaf(Colour.RED), rest=[Outer(inner=None)]),
    "levels": [Level.LOW, Level.HIGH],
    "word": Word.YES,
    "literal": "a",
    "identity": UUID(int=7),
    "price": Decimal("1.500"),
    "when": NOW,
    "day": date(2026, 1, 2),
    "length": timedelta(seconds=1, microseconds=2),
    "sets": {"a", "b"},
    "recent": deque([1, 2]),
    "pair": (1, ("a", "b")),
    "raw": b"\x00\xff",
    "anything": {"leaf": Leaf(Colour.BLUE), "list": [1, "x", None, 1.5]},
}


@dataclasses.dataclass
class Unnamed:
    x: Any = 1


class UnnamedModel(BaseModel):
    x: int = 1


@dataclasses.dataclass
class Holder:
    anything: Any = None


class Custom:
    def __repr__(self) -> str:
        return "Custom()"


class CustomDict(dict[str, int]):
    pass


@dataclasses.dataclass
class Computed:
    x: int
    twice: int = dataclasses.field(init=False)


@dataclasses.dataclass
class WithInitVar:
    x: int
    seed: dataclasses.InitVar[int] = 0


T = TypeVar("T")


class Box(BaseModel, Generic[T]):
    x: T


class Pathed(BaseModel):
    x: int = Field(validation_alias=AliasPath("a", 0))


class Everything(BaseModel):
    """A model with whatever `model_dump()` loses."""

    model_config = ConfigDict(extra="allow")

    one: int = Field(default=0, alias="One")
    two: int = Field(default=0, validation_alias=AliasChoices("Two", "zwei"), serialization_alias="deux")
    hidden: int = Field(default=0, exclude=True)
    anything: Any = None
    model: BaseModel | None = None

    @computed_field
    @property
    def sum(self) -> int:
        return self.one + self.two


class ByName(BaseModel):
    model_config = ConfigDict(populate_by_name=True, extra="forbid", frozen=True)

    one: int = Field(default=0, alias="One")

    @computed_field
    @property
    def twice(self) -> int:
        return 2 * self.one


class Root(RootModel[list[Leaf]]):
    pass


class Marker:
    """Stands in an annotation only."""

    def __init__(self, left: Any, right: Any) -> None:
        raise NotImplementedError


@dataclasses.dataclass
class Torn:
    x: "int |"  # noqa: F722  # no annotation at all
    y: "Nowhere"  # noqa: F821  # defined nowhere


def serde(*types: type[Any]) -> StrictSerializer:
    return StrictSerializer(allowed_msgpack_modules=[(cls.__module__, cls.__name__) for cls in types])


def graph_of(annotation: Any) -> Any:
    builder: Any = StateGraph(TypedDict("S", {"value": annotation}))  # made for each case
    builder.add_node("node", lambda state: {})
    builder.add_edge(START, "node")
    return builder.compile()


def back(serializer: StrictSerializer, value: Any) -> Any:
    return serializer.loads_typed(serializer.dumps_typed(value))


def types_in(value: Any) -> Any:
    """The types of a value and of all that is in it."""
    if isinstance(value, dict):
        return dict, {key: types_in(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value), [types_in(item) for item in value]
    if dataclasses.is_dataclass(value):
        return type(value), [types_in(getattr(value, field.name)) for field in dataclasses.fields(value)]
    return type(value)


# What survives


@pytest.mark.parametrize("channel", SAMPLE)
def test_a_value_of_every_annotated_type_comes_back_equal_and_of_its_type(channel: str) -> None:
    value = back(serializer_for("typed", graph, ()), SAMPLE[channel])
    assert value == SAMPLE[channel]
    assert types_in(value) == types_in(SAMPLE[channel])


async def test_a_thread_comes_back_with_its_types_from_a_graph_and_its_subgraph() -> None:
    serializer = serializer_for("typed", graph, ())
    bound = graph.copy({"checkpointer": InMemorySaver(serde=serializer)})
    config: Any = {"configurable": {"thread_id": "1"}}
    await bound.ainvoke(SAMPLE, config)
    state = await bound.aget_state(config, subgraphs=True)
    assert {key: state.values[key] for key in SAMPLE} == SAMPLE
    assert types_in(state.values["branch"]) == types_in(SAMPLE["branch"])
    assert state.tasks[0].state.values["private"] == Private("p")
    await bound.ainvoke(Command(resume={state.interrupts[0].id: "answer"}), config)
    assert (await bound.aget_state(config)).values["inside"] == OnlyBelow("answer")


def test_types_that_only_a_subgraph_names_are_admitted() -> None:
    assert back(serializer_for("typed", graph, ()), Private("x")) == Private("x")


@pytest.mark.parametrize(
    "value",
    [
        (),
        (1, (2, [3, (4,)])),
        {"a": (1,)},
        [({"b": (b"x", None)},)],
        {(1, 2): (3,)},
        frozenset({(1, 2)}),
        deque([(1,)]),
        re.compile("a+", re.IGNORECASE),
        ZoneInfo("UTC"),
        Send("node", {"a": (1,)}),
        Interrupt("v", id="i"),
        Command(resume={"i": (1,)}),
        Overwrite([(1,)]),
        None,
        b"x",
        bytearray(b"x"),
    ],
    ids=repr,
)
def test_tuples_and_langgraphs_own_objects_come_back_as_they_were(value: Any) -> None:
    found = back(serde(), value)
    assert found == value
    assert types_in(found) == types_in(value)


@pytest.mark.parametrize(
    "value",
    [
        Everything(One=1, Two=2, hidden=3, anything=Leaf(Colour.RED), model=ByName(one=1), more=(1,)),
        Everything(),
        ByName(one=4),
        Root([Leaf(Colour.RED)]),
        Box[int](x=1),
        Holder(Everything(anything=[ByName()])),
    ],
    ids=repr,
)
def test_a_model_comes_back_with_all_that_its_dump_would_lose(value: Any) -> None:
    found = back(serde(Everything, ByName, Root, Leaf, Colour, Box[int], Holder), value)
    assert found == value
    assert not isinstance(value, Everything) or type(found.anything) is type(value.anything)


def test_a_delta_snapshot_comes_back_with_its_value() -> None:
    found = back(serde(), _DeltaSnapshot((1, [(2,)])))
    assert isinstance(found, _DeltaSnapshot)
    assert found.value == (1, [(2,)])


def test_an_error_of_a_node_can_be_written() -> None:
    assert back(serde(), ValueError("x")) == "ValueError('x')"


def test_an_array_of_numpy_comes_back() -> None:
    numpy = pytest.importorskip("numpy")
    assert (back(serde(), {"a": numpy.arange(4)})["a"] == numpy.arange(4)).all()


def test_what_langgraph_itself_wrote_is_read() -> None:
    value = {"a": [Leaf(Colour.RED)], "m": HumanMessage("x", id="1"), "t": NOW}
    stock = jsonplus.JsonPlusSerializer().dumps_typed(value)
    assert serializer_for("typed", graph, ()).loads_typed(stock)["t"] == NOW
    assert type(serializer_for("typed", graph, ()).loads_typed(stock)["a"][0]) is Leaf


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False)
)
VALUES = st.recursive(
    SCALARS | st.sampled_from([*Colour, *Level, Word.YES]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        | st.builds(Holder, inner)
        | st.builds(Point, st.integers(0, 9), inner)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_any_combination_of_admitted_types_comes_back(value: Any) -> None:
    serializer = serde(Holder, Point, Colour, Level, Word)
    assert types_in(back(serializer, value)) == types_in(value)
    assert back(serializer, value) == value


# What is refused at the start


@pytest.mark.parametrize(
    ("annotation", "named"),
    [
        (Custom, "Custom"),
        (list[Custom], "Custom"),
        (dict[str, Custom | None], "Custom"),
        (Annotated[list[Custom], operator.add], "Custom"),
        (tuple[int, Custom], "Custom"),
        (CustomDict, "CustomDict"),
        (OrderedDict[str, int], "OrderedDict"),
        (defaultdict[str, int], "defaultdict"),
        (Computed, "Computed"),
        (WithInitVar, "WithInitVar"),
        (Pathed, "Pathed"),
        (dict[Colour, int], "Colour"),
        (dict[UUID, int], "UUID"),
        (ValueError, "ValueError"),
        (type, "type"),
    ],
    ids=str,
)
def test_a_type_that_no_checkpoint_carries_stops_the_start_by_name(annotation: Any, named: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        serializer_for("shop", graph_of(annotation), ())
    assert "'shop'" in caught.value.detail
    assert named in caught.value.detail


def test_a_class_made_inside_a_function_stops_the_start_by_name() -> None:
    @dataclasses.dataclass
    class Local:
        x: int

    with pytest.raises(ConfigurationError, match="Local, which must be defined at the top of a module"):
        serializer_for("shop", graph_of(Local), ())


@pytest.mark.parametrize(
    "annotation",
    [
        Any,
        object,
        dict[str, Any],
        dict[Any, Any],
        dict[int | str, Any],
        Callable[[], int],
        Annotated[int, Marker],
        Annotated[dict[str, Annotated[Leaf, Marker]], Marker],
        Torn,
        T,
        None,
        "int",
    ],
    ids=str,
)
def test_an_annotation_that_says_nothing_against_it_is_let_be(annotation: Any) -> None:
    serializer_for("shop", graph_of(annotation), ())


# What is refused when it is written


@pytest.mark.parametrize(
    "wrap",
    [
        lambda value: value,
        lambda value: [value],
        lambda value: {"a": {"b": (value,)}},
        Holder,
        lambda value: Everything(anything=[value]),
        lambda value: Holder([Holder({"a": value})]),
        lambda value: deque([value]),
        lambda value: Send("node", value),
        lambda value: Interrupt(value, id="i"),
        lambda value: Command(update={"a": value}),
        lambda value: _DeltaSnapshot([value]),
    ],
)
@pytest.mark.parametrize("value", [Unnamed(), UnnamedModel(), Custom(), Custom], ids=repr)
def test_a_value_of_an_unknown_type_is_refused_by_name_however_deep(
    wrap: Callable[[Any], Any], value: Any
) -> None:
    cls = type(value)
    with pytest.raises(Unregistered, match=re.escape(f"{cls.__module__}.{cls.__qualname__}")):
        serde(Holder, Everything).dumps_typed(wrap(value))


def test_the_refusal_fails_a_run_and_says_what_to_do() -> None:
    with pytest.raises(RunFailed, match=r"allowed_msgpack_modules") as caught:
        serde().dumps_typed(Unnamed())
    assert caught.value.code == "run_failed"


async def test_an_unknown_type_behind_any_fails_its_run() -> None:
    builder: Any = StateGraph(TypedDict("S", {"value": Any}))  # local to this test
    builder.add_node("node", lambda state: {"value": Holder(Unnamed())})
    builder.add_edge(START, "node")
    made = builder.compile()
    bound = made.copy({"checkpointer": InMemorySaver(serde=serializer_for("g", made, [(HERE, "Holder")]))})
    with pytest.raises(Unregistered, match="Unnamed"):
        await bound.ainvoke({"value": 1}, {"configurable": {"thread_id": "1"}})


def test_one_refusal_leaves_nothing_behind_for_the_next_write() -> None:
    serializer = serde()
    with pytest.raises(Unregistered):
        serializer.dumps_typed(Unnamed())
    with pytest.raises(ormsgpack.MsgpackEncodeError):
        serializer.dumps_typed(2**70)
    assert back(serializer, [1]) == [1]


# What is refused when it is read


@pytest.mark.parametrize(
    "value", [Unnamed(), UnnamedModel(), [Unnamed()], {"a": Holder(Unnamed())}], ids=repr
)
def test_a_stored_value_of_an_unknown_type_raises_and_never_becomes_a_dict(value: Any) -> None:
    stored = jsonplus.JsonPlusSerializer().dumps_typed(value)
    with pytest.raises(Unreadable, match="Unnamed"):
        serde(Holder).loads_typed(stored)


def test_stored_bytes_cannot_call_anything() -> None:
    evil = ormsgpack.packb(("os", "system", ("exit 1",)))
    stored = ormsgpack.packb(ormsgpack.Ext(jsonplus.EXT_CONSTRUCTOR_POS_ARGS, evil))
    with pytest.raises(Unreadable, match=r"os\.system"):
        serde().loads_typed(("msgpack", stored))
    method = ormsgpack.packb(("builtins", "str", "x", "upper"))
    stored = ormsgpack.packb(ormsgpack.Ext(jsonplus.EXT_METHOD_SINGLE_ARG, method))
    with pytest.raises(Unreadable):
        serde().loads_typed(("msgpack", stored))


def test_pickled_bytes_are_not_read() -> None:
    with pytest.raises(Unreadable, match="pickle"):
        serde().loads_typed(("pickle", b"\x80\x04K\x01."))


# What is listed in the file


def test_listed_types_are_admitted() -> None:
    serializer = serializer_for("g", graph_of(Any), [(HERE, "Unnamed")])
    assert back(serializer, Unnamed((1,))) == Unnamed((1,))


def test_a_widened_copy_admits_more_and_the_first_one_does_not() -> None:
    first = serde()
    second = first.with_msgpack_allowlist([Unnamed])
    assert back(second, [Unnamed(Unnamed())]) == [Unnamed(Unnamed())]  # pyright: ignore[reportArgumentType]  # is one
    with pytest.raises(Unregistered):
        first.dumps_typed(Unnamed())


def test_langgraph_makes_no_copy_of_a_serializer_that_admits_all_already() -> None:
    serializer = serializer_for("typed", graph, ())
    saver = InMemorySaver(serde=serializer)
    assert saver.with_allowlist(graph._serde_allowlist).serde is serializer


# The mode itself


@pytest.mark.parametrize(("value", "loads"), [("false", False), ("", False), ("1", True)])
def test_strict_mode_switched_off_stops_the_start(value: str, loads: bool) -> None:
    code = "from agent_server.graphs.strict import require_strict_mode; require_strict_mode()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "LANGGRAPH_STRICT_MSGPACK": value},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode == 0) is loads
    assert loads or "ConfigurationError: LANGGRAPH_STRICT_MSGPACK" in done.stderr
