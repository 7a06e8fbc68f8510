"""Fixtures of the document graph's tests; puts the corpus' modules on the path."""

import itertools
import sys
from pathlib import Path

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command

from graphs.document import agents
from graphs.document.graph import build

sys.path.insert(0, str(Path(__file__).parent))

CLEAN_INVOICE = """INVOICE
Invoice number: A-17
Invoice date: 2025-03-03
Due date: 2025-04-02
Seller: Northwind Traders Ltd
Buyer: Alder & Finch LLC

Description | Qty | Unit price | Amount
Steel bracket | 10 | 12.50 | 125.00
Packing tape | 4 | 2.25 | 9.00

Subtotal: 134.00
VAT 20%: 26.80
Total: £160.80
"""

WRONG_INVOICE = CLEAN_INVOICE.replace("Total: £160.80", "Total: £170.80")

_threads = itertools.count()


@pytest.fixture(autouse=True)
def _without_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work by rule, whatever keys the machine has."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AGENT_MODEL"):
        monkeypatch.delenv(name, raising=False)


class Desk:
    """The compiled graph with a saver and a store, on one thread of its own."""

    def __init__(self) -> None:
        self.store = InMemoryStore()
        self.graph = build().compile(checkpointer=InMemorySaver(), store=self.store)
        self.config = {"configurable": {"thread_id": f"thread-{next(_threads)}"}}

    async def hand_in(self, text: str, **more: str) -> dict:
        return await self.graph.ainvoke({"text": text, **more}, self.config)

    async def answer(self, *decisions: dict) -> dict:
        return await self.answer_with({"decisions": list(decisions)})

    async def answer_with(self, value: object) -> dict:
        state = await self.graph.aget_state(self.config)
        (interrupt,) = state.interrupts
        return await self.graph.ainvoke(Command(resume={interrupt.id: value}), self.config)

    async def question(self) -> dict:
        """Return the value of the one waiting interrupt."""
        state = await self.graph.aget_state(self.config)
        (interrupt,) = state.interrupts
        return interrupt.value

    async def filings(self) -> list[dict]:
        return [item.value for item in await self.store.asearch(("filings",), limit=100)]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def clean_invoice() -> str:
    return CLEAN_INVOICE


@pytest.fixture
def wrong_invoice() -> str:
    return WRONG_INVOICE


@pytest.fixture
def fixed_day(monkeypatch: pytest.MonkeyPatch):
    """Return a function that sets the day on which documents are judged."""
    return lambda day: monkeypatch.setattr(agents, "today", lambda: day)
