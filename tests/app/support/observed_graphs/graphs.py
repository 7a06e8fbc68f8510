"""Graphs to be looked at from outside: they log, call a model and a tool, fail, ask, and take their time."""

import asyncio
import logging
from itertools import pairwise
from typing import Any

import structlog
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict


class Asked(TypedDict, total=False):
    prompt: str
    answer: str
    seconds: float


class Parrot(BaseChatModel):
    """Repeats what it was told, and says what that has cost."""

    model_name: str = "parrot-1"

    @property
    def _llm_type(self) -> str:
        return "parrot"

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> Any:
        return {"ls_provider": "aviary", "ls_model_name": self.model_name, "ls_model_type": "chat"}

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        usage = {"input_tokens": 7, "output_tokens": 5, "total_tokens": 12}
        told = {"model_name": "parrot-1-2026", "finish_reason": "stop"}
        message = AIMessage(f"You said {messages[-1].content}", usage_metadata=usage, response_metadata=told)  # type: ignore[arg-type]  # its own form
        return ChatResult(generations=[ChatGeneration(message=message)])


@tool
def look_up(word: str) -> str:
    """Look a word up."""
    return f"{word}: a word"


async def think(state: Asked) -> Asked:
    logging.getLogger("graph.think").warning("a node thinks")
    structlog.get_logger().info("a node thinks aloud")
    answer = await Parrot().ainvoke(state.get("prompt", ""))
    return {"answer": str(answer.content)}


def search(state: Asked) -> Asked:
    """Not async: LangGraph runs it in a thread."""
    logging.getLogger("graph.search").warning("a node in a thread")
    look_up.invoke({"word": state.get("prompt", "")})
    return {}


def raise_it(state: Asked) -> Asked:
    msg = f"cannot do with {state.get('prompt')}"
    raise ValueError(msg)


def ask_it(state: Asked) -> Asked:
    return {"answer": interrupt({"question": state.get("prompt", "?")})}


async def wait_long(state: Asked) -> Asked:
    logging.getLogger("graph.wait").warning("a node waits")
    await asyncio.sleep(state.get("seconds", 0))
    logging.getLogger("graph.wait").warning("a node has waited")
    return {"answer": "waited"}


async def call_openai(state: Asked) -> Asked:
    from langchain_openai import ChatOpenAI  # noqa: PLC0415  # seconds that other tests do not need

    await ChatOpenAI(model="gpt-4o-mini", max_retries=0).ainvoke(state.get("prompt", ""))
    return {}


async def call_anthropic(state: Asked) -> Asked:
    from langchain_anthropic import ChatAnthropic  # noqa: PLC0415  # as above

    model = ChatAnthropic(model_name="claude-haiku-4-5", max_retries=0, timeout=10, stop=None)
    await model.ainvoke(state.get("prompt", ""))
    return {}


class Unknown:
    """A value that no checkpoint can carry."""

    def __repr__(self) -> str:
        return "an unknown"


def return_it(state: Asked) -> dict[str, Any]:
    return {"answer": Unknown()}


def graph_of(**nodes: Any) -> Any:
    builder = StateGraph(Asked)
    names = [START, *nodes, END]
    for name, node in nodes.items():
        builder.add_node(name, node)
    for before, after in pairwise(names):
        builder.add_edge(before, after)
    return builder.compile()


talk = graph_of(think=think, search=search)
fail = graph_of(break_down=raise_it)
openai = graph_of(call=call_openai)
anthropic = graph_of(call=call_anthropic)
ask = graph_of(question=ask_it)
wait = graph_of(first=wait_long, second=wait_long)
typed = graph_of(give=return_it)
