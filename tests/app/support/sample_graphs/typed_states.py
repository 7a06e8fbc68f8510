"""A state of every kind of type that a checkpoint can carry, in a graph and in its subgraph."""

import operator
from collections import deque
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Literal, NamedTuple, NewType, NotRequired
from uuid import UUID

from langchain_core.messages import AnyMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import interrupt
from pydantic import BaseModel, Field
from typing_extensions import TypedDict


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Word(StrEnum):
    YES = "yes"


class Point(NamedTuple):
    x: int
    colour: Colour


@dataclass
class Leaf:
    colour: Colour
    pair: tuple[int, str] = (1, "a")


@dataclass(frozen=True, slots=True)
class Branch:
    leaf: Leaf
    leaves: list[Leaf] = field(default_factory=list)


class Inner(BaseModel):
    when: datetime
    by_colour: dict[Colour, int] = Field(default_factory=dict)


class Outer(BaseModel):
    inner: Inner | None
    price: Decimal = Decimal("1.10")
    named: str = Field(default="n", alias="Named")


class Plain(TypedDict):
    leaf: Leaf
    rest: NotRequired[list[Outer]]


Identity = NewType("Identity", UUID)


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    branch: Branch
    maybe: Leaf | None
    listed: Annotated[list[Outer], operator.add]
    mapped: dict[str, Inner]
    nested: dict[str, list[Point | None]]
    plain: Plain
    levels: list[Level]
    word: Word
    literal: Literal["a", "b"]
    identity: Identity
    price: Decimal
    when: datetime
    day: date
    length: timedelta
    sets: set[str]
    recent: deque[int]
    pair: tuple[int, tuple[str, ...]]
    raw: bytes
    anything: Any
    inside: "OnlyBelow"


@dataclass
class OnlyBelow:
    """Named by the subgraph's private state too."""

    text: str


@dataclass
class Private:
    text: str


class SubState(TypedDict, total=False):
    inside: OnlyBelow
    private: Private


def work(state: SubState) -> SubState:
    return {"private": Private("p")}


def ask(state: SubState) -> SubState:
    assert isinstance(state["private"], Private)
    return {"inside": OnlyBelow(interrupt({"question": "?"}))}


def subgraph() -> Any:
    builder = StateGraph(SubState)
    builder.add_node("work", work)
    builder.add_node("ask", ask)
    builder.add_edge(START, "work")
    builder.add_edge("work", "ask")
    builder.add_edge("ask", END)
    return builder.compile()


def keep(state: State) -> State:
    return {}


def build() -> Any:
    builder = StateGraph(State)
    builder.add_node("keep", keep)
    builder.add_node("sub", subgraph())
    builder.add_edge(START, "keep")
    builder.add_edge("keep", "sub")
    builder.add_edge("sub", END)
    return builder


graph = build().compile()
