"""Graphs that answer, stream and fail: what the tests of the HTTP surface run."""

import asyncio
import operator
import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langgraph.config import get_config
from langgraph.func import entrypoint
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.runtime import Runtime, get_runtime
from langgraph.types import StreamWriter
from pydantic import BaseModel, Field, field_validator
from typing_extensions import TypedDict

SECRET = "s3cr3t-in-an-exception"
WORDS = ("one ", "two ", "three")


class Echo(TypedDict, total=False):
    text: str
    n: int
    items: Annotated[list[str], operator.add]
    anything: Any


def first(state: Echo) -> Echo:
    return {"items": ["first"]}


def second(state: Echo) -> Echo:
    return {"items": ["second"], "text": state.get("text", "") + "!"}


def make_echo() -> Any:
    builder = StateGraph(Echo)
    builder.add_node("first", first)
    builder.add_node("second", second)
    builder.add_edge(START, "first")
    builder.add_edge("first", "second")
    builder.add_edge("second", END)
    return builder


class Speaker(BaseChatModel):
    """A chat model that says the same three words, token by token."""

    @property
    def _llm_type(self) -> str:
        return "speaker"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage("".join(WORDS)))])

    def _stream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        for word in WORDS:
            yield ChatGenerationChunk(message=AIMessageChunk(word))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for word in WORDS:
            chunk = ChatGenerationChunk(message=AIMessageChunk(word))
            if run_manager:
                await run_manager.on_llm_new_token(word, chunk=chunk)
            yield chunk


async def speak(state: MessagesState, writer: StreamWriter) -> dict[str, Any]:
    writer({"progress": 1})
    return {"messages": [await Speaker().ainvoke(state["messages"])]}


def make_chat() -> Any:
    builder = StateGraph(MessagesState)
    builder.add_node("speak", speak)
    builder.add_edge(START, "speak")
    builder.add_edge("speak", END)
    return builder


def make_outer_chat() -> Any:
    builder = StateGraph(MessagesState)
    builder.add_node("inner", make_chat().compile())
    builder.add_edge(START, "inner")
    builder.add_edge("inner", END)
    return builder


class Many(TypedDict, total=False):
    count: int
    size: int
    pause: float
    done: int


async def emit(state: Many, writer: StreamWriter) -> Many:
    for number in range(state.get("count", 0)):
        writer({"number": number, "padding": "x" * state.get("size", 0)})
        await asyncio.sleep(state.get("pause", 0))
    return {"done": state.get("count", 0)}


def make_many() -> Any:
    builder = StateGraph(Many)
    builder.add_node("emit", emit)
    builder.add_edge(START, "emit")
    builder.add_edge("emit", END)
    return builder


class Slow(TypedDict, total=False):
    seconds: float
    said: str
    loops: bool


async def sleep(state: Slow) -> Slow:
    await asyncio.sleep(state.get("seconds", 0))
    return {"said": "good morning"}


def make_slow() -> Any:
    builder = StateGraph(Slow)
    builder.add_node("sleep", sleep)
    builder.add_edge(START, "sleep")
    builder.add_conditional_edges(
        "sleep", lambda state: "sleep" if state.get("loops") else END, ["sleep", END]
    )
    return builder


class Fault(TypedDict, total=False):
    text: str


def leak(state: Fault) -> Fault:
    raise RuntimeError(SECRET)


def make_secret() -> Any:
    builder = StateGraph(Fault)
    builder.add_node("leak", leak)
    builder.add_edge(START, "leak")
    return builder


class Flaky(TypedDict, total=False):
    name: str
    steps: Annotated[list[str], operator.add]


def prepare(state: Flaky) -> Flaky:
    return {"steps": ["prepared"]}


def fail_once(state: Flaky) -> Flaky:
    """Fails as long as there is no file of that name; makes it."""
    mark = Path(os.environ["SURFACE_FOLDER"]) / state["name"]
    if not mark.exists():
        mark.touch()
        raise RuntimeError(SECRET)
    return {"steps": ["done"]}


def make_flaky() -> Any:
    builder = StateGraph(Flaky)
    builder.add_node("prepare", prepare)
    builder.add_node("fail_once", fail_once)
    builder.add_edge(START, "prepare")
    builder.add_edge("prepare", "fail_once")
    builder.add_edge("fail_once", END)
    return builder


class Order(BaseModel):
    """A pydantic state: its own validators hold, too."""

    amount: int = Field(ge=0)
    note: str = ""

    @field_validator("note")
    @classmethod
    def _odd(cls, value: str) -> str:
        if value == "odd":
            raise TypeError(SECRET)  # no ValueError: pydantic lets it through
        return value


def take(state: Order) -> dict[str, Any]:
    return {"note": f"took {state.amount}"}


def make_typed() -> Any:
    builder = StateGraph(Order)
    builder.add_node("take", take)
    builder.add_edge(START, "take")
    builder.add_edge("take", END)
    return builder


@dataclass
class Wanted:
    """A run-time context with a required key."""

    user: str
    tone: str = "kind"


class Seen(TypedDict, total=False):
    seen: Any


def look(state: Seen, runtime: Runtime[Wanted]) -> Seen:
    context = runtime.context
    return {"seen": None if context is None else [context.user, context.tone]}


def make_context() -> Any:
    builder = StateGraph(Seen, context_schema=Wanted)
    builder.add_node("look", look)
    builder.add_edge(START, "look")
    builder.add_edge("look", END)
    return builder


class Settings(TypedDict, total=False):
    """An old graph's config schema, which names what is ours."""

    user: str
    thread_id: str
    checkpoint_id: str


def make_configured() -> Any:
    builder = StateGraph(Seen, context_schema=Settings)
    builder.add_node("show", show_config)
    builder.add_edge(START, "show")
    builder.add_edge("show", END)
    return builder


def show_config(state: Seen) -> Seen:
    configurable = get_config()["configurable"]
    return {"seen": {key: configurable.get(key) for key in ("user", "checkpoint_id")}}


async def remember(state: Seen) -> Seen:
    store = get_runtime().store
    assert store is not None
    await store.aput(("notes",), f"{time.monotonic_ns()}", {"text": state.get("seen")})
    found = await store.asearch(("notes",), limit=100)
    return {"seen": sorted(str(item.value["text"]) for item in found)}


def make_store() -> Any:
    builder = StateGraph(Seen)
    builder.add_node("remember", remember)
    builder.add_edge(START, "remember")
    builder.add_edge("remember", END)
    return builder


@entrypoint()
async def anything(value: Any) -> Any:
    """Takes any JSON and gives it back."""
    return {"given": value}


echo = make_echo().compile()
stepped = make_echo().compile(interrupt_before=["second"])
chat = make_chat().compile()
outer_chat = make_outer_chat().compile()
many = make_many().compile()
slow = make_slow().compile()
secret = make_secret().compile()
flaky = make_flaky().compile()
typed = make_typed().compile()
context = make_context().compile()
configured = make_configured().compile()
store = make_store().compile()
