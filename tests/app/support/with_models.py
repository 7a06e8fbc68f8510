"""The environment and the runs that tests of the graphs with a model need."""

from typing import Any

import pytest
from app.support.provider_stubs import ProviderStub
from app.support.script import Cut, Fail, Reply
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver

from graphs.common.model import ADDRESSES, KEYS
from graphs.support.graph import build

BUSY = Fail(429, {"retry-after-ms": "1"})
DOWN = Fail(503, {"retry-after-ms": "1"})
CONFIG: Any = {"configurable": {"thread_id": "1"}}


def use(name: str, stub: ProviderStub, monkeypatch: pytest.MonkeyPatch) -> str:
    """Point the environment at the stub, for the model `name`; return the name."""
    for variable in (*KEYS.values(), *ADDRESSES):
        monkeypatch.delenv(variable, raising=False)
    provider_name = name.partition(":")[0]
    monkeypatch.setenv("AGENT_MODEL", name)
    monkeypatch.setenv(KEYS[provider_name], "key-of-the-test")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{stub.url}/v1")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", stub.url)
    return name


def conversation() -> Any:
    """Return the support graph with a memory of its own."""
    return build().compile(checkpointer=InMemorySaver())


async def streamed(graph: Any, body: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """Run `graph` with streaming; return the tokens of its model and the final values."""
    tokens: list[str] = []
    values: dict[str, Any] = {}
    async for mode, event in graph.astream(body, CONFIG, stream_mode=["messages", "values"]):
        if mode == "values":
            values = event
        elif isinstance(event[0], AIMessage) and event[0].text:
            tokens.append(str(event[0].text))
    return tokens, values


def ways(scripts: dict[str, tuple[list[Reply], str]]) -> list[Any]:
    """Return each script with and without streaming, but a lost connection only where half of it arrives."""
    return [
        pytest.param(script, note, streaming, id=f"{name}-{'streaming' if streaming else 'plain'}")
        for name, (script, note) in scripts.items()
        for streaming in (True, False)
        if streaming or not isinstance(script[-1], Cut)
    ]
