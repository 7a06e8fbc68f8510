"""The graphs against the providers' wire formats, over real HTTP on the loopback interface.

Each model below goes another way on the wire: OpenAI's small current model uses Responses for tools and Chat
Completions for schemas, its predecessor Chat Completions for both; Anthropic's small model gets a schema as a
forced tool, its larger one, which may not be forced, as an output format.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from app.support.provider_stubs import ProviderStub, provider
from app.support.script import Call, Cut, Data, Fail, Full, Refuse, Reply, Say, Silence
from app.support.with_models import BUSY, CONFIG, DOWN, conversation, streamed, use, ways
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command

from graphs.common import calls
from graphs.common.calls import (
    ModelBusyError,
    ModelFailedError,
    ModelRefusedError,
    ModelSlowError,
    ModelUnavailableError,
    ask,
    ask_structured,
)
from graphs.common.model import DEFAULTS, chat_model, load_chat_model
from graphs.document.graph import build as document
from graphs.document.model_reading import FieldsAnswer
from graphs.research.graph import graph as research
from graphs.research.prompts import Plan
from graphs.support.graph import build
from graphs.support.nodes import MAX_ROUNDS
from graphs.support.tools import TOOLS

SMALL = tuple(DEFAULTS.values())
MODELS = (*SMALL, "openai:gpt-5.4-mini", "anthropic:claude-sonnet-5-5")
QUESTION = "What is a legal hold?"
SEARCH = Call((("search_handbook", {"query": "legal hold"}),), text="Let me look.")
ANSWER = Say("Nothing is deleted while a legal hold lasts [retention#legal-hold].")


@pytest.fixture
def stub() -> Iterator[ProviderStub]:
    with provider() as running:
        yield running
    assert running.refusals == []


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest, stub: ProviderStub, monkeypatch: pytest.MonkeyPatch) -> str:
    """Point the environment at the stub, for one of the models."""
    return use(request.param, stub, monkeypatch)


@pytest.fixture(params=SMALL)
def small_model(request: pytest.FixtureRequest, stub: ProviderStub, monkeypatch: pytest.MonkeyPatch) -> str:
    return use(request.param, stub, monkeypatch)


async def loaded() -> Any:
    model = await load_chat_model()
    assert model is not None
    return model


async def say(text: str, graph: Any = None) -> dict[str, Any]:
    """Run one turn of the support graph, without streaming."""
    talk = graph or conversation()
    return await talk.ainvoke({"messages": [{"role": "user", "content": text}]}, CONFIG)


# the model itself


@pytest.mark.usefixtures("model")
async def test_it_answers_whole_and_token_by_token(stub: ProviderStub) -> None:
    stub.follow([Say("one two three")])
    client = await loaded()
    assert (await client.ainvoke("Hi")).text == "one two three"
    pieces = [str(chunk.text) async for chunk in client.astream("Hi")]
    assert [piece for piece in pieces if piece] == ["one ", "two ", "three"]


async def test_what_is_sent(small_model: str, stub: ProviderStub) -> None:
    stub.follow([Say("Hi")])
    await ask(await loaded(), [HumanMessage("Hi")], TOOLS)
    (request,) = stub.requests
    assert request.body["model"] == small_model.partition(":")[2]
    if small_model.startswith("openai:"):
        assert (request.path, request.body["store"]) == ("/v1/responses", False)
    else:
        assert (request.path, request.body["max_tokens"]) == ("/v1/messages", 16_000)
    assert "key-of-the-test" in request.headers.get("authorization", request.headers.get("x-api-key", ""))


@pytest.mark.parametrize(
    ("small_model", "variable", "suffix"),
    [(SMALL[0], "OPENAI_API_BASE", "/v1"), (SMALL[1], "ANTHROPIC_API_URL", "")],
    indirect=["small_model"],
)
@pytest.mark.usefixtures("small_model")
async def test_the_first_address_variable_wins(
    stub: ProviderStub, monkeypatch: pytest.MonkeyPatch, variable: str, suffix: str
) -> None:
    monkeypatch.setenv(variable, stub.url + suffix)
    for other in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL"):
        monkeypatch.setenv(other, "http://127.0.0.1:9/nobody-listens")
    stub.follow([Say("Hi")])
    assert (await ask(await loaded(), [HumanMessage("Hi")], TOOLS)).text == "Hi"


@pytest.mark.usefixtures("small_model")
async def test_it_waits_as_long_as_the_provider_asks_and_tries_again(stub: ProviderStub) -> None:
    stub.follow([Fail(429, {"retry-after": "0.7"}), Say("Hi")])
    started = time.monotonic()
    assert (await ask(await loaded(), [HumanMessage("Hi")], TOOLS)).text == "Hi"
    assert time.monotonic() - started >= 0.7
    assert len(stub.requests) == 2


FAILURES: list[tuple[Reply, type[ModelUnavailableError]]] = [
    (BUSY, ModelBusyError),
    (Refuse(), ModelRefusedError),
    (DOWN, ModelFailedError),
    (Fail(401), ModelFailedError),
    (Say("no JSON"), ModelFailedError),
    (Full('{"sub_questions": ["a"'), ModelFailedError),
    (Data({"sub_questions": 7}), ModelFailedError),
]


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(("reply", "error"), FAILURES)
async def test_a_schema_is_kept_or_the_model_is_unavailable(
    stub: ProviderStub, reply: Reply, error: type[ModelUnavailableError]
) -> None:
    stub.follow([reply])
    with pytest.raises(error):
        await ask_structured(await loaded(), [HumanMessage("Hi")], Plan)


@pytest.mark.usefixtures("model")
async def test_a_refusal_is_told_from_a_failure(stub: ProviderStub) -> None:
    stub.follow([Refuse()])
    with pytest.raises(ModelRefusedError):
        await ask(await loaded(), [HumanMessage("Hi")], TOOLS)


@pytest.mark.usefixtures("small_model")
async def test_a_call_ends_although_the_provider_says_to_wait_for_an_hour(
    stub: ProviderStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "CALL_SECONDS", 0.3)
    for reply in (Fail(429, {"retry-after": "100"}), Silence(20)):
        stub.follow([reply])
        with pytest.raises(ModelSlowError):
            await ask(await loaded(), [HumanMessage("Hi")], TOOLS)


# the support conversation


async def test_support_searches_and_answers_with_a_citation(model: str, stub: ProviderStub) -> None:
    stub.follow([SEARCH, ANSWER])
    result = await say(QUESTION)
    assert (result["reply"], result["outcome"], result["notes"]) == (ANSWER.text, "answered", [])
    assert [each["id"] for each in result["citations"]] == ["retention#legal-hold"]
    assert "When a legal hold is placed" in json.dumps(stub.requests[1].body)
    assert all(request.path == tools_path(model) for request in stub.requests)


def tools_path(model: str) -> str:
    if model.startswith("anthropic:"):
        return "/v1/messages"
    return "/v1/responses" if model.startswith("openai:gpt-6") else "/v1/chat/completions"


@pytest.mark.usefixtures("model")
async def test_support_streams_tokens_and_keeps_plain_messages(stub: ProviderStub) -> None:
    stub.follow([SEARCH, ANSWER])
    graph = conversation()
    tokens, values = await streamed(graph, {"messages": [{"role": "user", "content": QUESTION}]})
    assert "".join(tokens) == SEARCH.text + ANSWER.text
    assert len(tokens) == len(f"{SEARCH.text} {ANSWER.text}".split())
    assert [message.content for message in values["messages"]] == [QUESTION, ANSWER.text]
    assert values["work"] == []
    assert all(request.body["stream"] for request in stub.requests)


@pytest.mark.usefixtures("model")
async def test_support_goes_on_from_the_checkpoint_between_a_call_and_its_result(stub: ProviderStub) -> None:
    stub.follow([SEARCH, ANSWER])
    saver = InMemorySaver()
    await say(QUESTION, build().compile(checkpointer=saver, interrupt_before=["search"]))
    assert len(stub.requests) == 1
    result = await build().compile(checkpointer=saver).ainvoke(None, CONFIG)
    assert result["reply"] == ANSWER.text


@pytest.mark.usefixtures("model")
async def test_support_answers_several_calls_at_once(stub: ProviderStub) -> None:
    wrong = (("rm", {}), ("search_handbook", {"query": 7}))
    stub.follow([Call((*SEARCH.calls, *wrong)), ANSWER])
    assert (await say(QUESTION))["reply"] == ANSWER.text
    assert json.dumps(stub.requests[1].body).count("Error: call search_handbook") == 2


@pytest.mark.usefixtures("model")
async def test_support_drops_an_invented_citation(stub: ProviderStub) -> None:
    stub.follow([SEARCH, Say("So it is [refunds#always] and [retention#legal-hold].")])
    result = await say(QUESTION)
    assert result["reply"] == "So it is and [retention#legal-hold]."
    assert result["notes"] == ["An invented citation was removed: refunds#always."]


@pytest.mark.usefixtures("model")
async def test_support_hands_over_when_the_model_asks_for_it(stub: ProviderStub) -> None:
    stub.follow([Call((("search_handbook", {"query": "x"}), ("escalate", {"draft": "We will see."})))])
    graph = conversation()
    (interrupt,) = (await say("My case is special", graph))["__interrupt__"]
    assert interrupt.value["action_requests"][0]["args"] == {"draft": "We will see."}
    result = await graph.ainvoke(Command(resume={"decisions": [{"type": "approve"}]}), CONFIG)
    assert result["reply"] == "We will see."
    stub.follow([ANSWER])
    assert (await say(QUESTION, graph))["outcome"] == "answered"


@pytest.mark.usefixtures("model")
async def test_support_does_not_ask_a_model_whether_to_hand_over(stub: ProviderStub) -> None:
    assert (await say("I want to talk to a person"))["__interrupt__"]
    assert stub.requests == []


SUPPORT_FAILURES: dict[str, tuple[list[Reply], str]] = {
    "refusal": ([Refuse()], "refused to answer|could not be used"),
    "busy": ([BUSY], "was too busy"),
    "busy-later": ([SEARCH, BUSY], "was too busy"),
    "down": ([SEARCH, DOWN], "could not be used"),
    "cut": ([SEARCH, Cut("Nothing is")], "could not be used"),
    "full": ([SEARCH, Full("Nothing is deleted unless")], "could not be used"),
    "blank": ([Say(" ")], "could not be used"),
}


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(("script", "note", "streaming"), ways(SUPPORT_FAILURES))
async def test_support_loses_no_message_when_the_model_fails(
    stub: ProviderStub, script: list[Reply], note: str, *, streaming: bool
) -> None:
    stub.follow(script)
    body = {"messages": [{"role": "user", "content": QUESTION}]}
    result = (await streamed(conversation(), body))[1] if streaming else await say(QUESTION)
    assert result["outcome"] == "answered"
    assert "nothing that belongs to it is deleted" in result["reply"]
    assert [each["id"] for each in result["citations"]] == ["retention#legal-hold"]
    assert any(part in result["reply"] and part in result["notes"][0] for part in note.split("|"))


@pytest.mark.usefixtures("small_model")
async def test_support_stops_a_model_that_searches_for_ever(stub: ProviderStub) -> None:
    stub.follow([SEARCH])
    assert (await say(QUESTION))["outcome"] == "answered"
    assert len(stub.requests) == MAX_ROUNDS


@pytest.mark.usefixtures("small_model")
async def test_the_loop_stays_free_while_a_provider_is_silent(
    stub: ProviderStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "CALL_SECONDS", 0.5)
    stub.follow([Silence(20)])
    await loaded()
    ticks = 0
    turn = asyncio.create_task(say(QUESTION))
    while not turn.done():
        await asyncio.sleep(0.01)
        ticks += 1
    assert (await turn)["notes"][0].startswith("The language model took too long.")
    assert ticks > 10


# research

PLAN = Data({"sub_questions": ["legal hold", "how long invoices are kept"]})
DRAFT = Data(
    {
        "claims": [
            {"text": "Nothing is deleted.", "passages": ["retention#legal-hold", "made#up"]},
            {"text": "Ten years.", "passages": ["retention#how-long-documents-are-kept"]},
        ]
    }
)


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("streaming", [False, True], ids=["plain", "streaming"])
async def test_research_checks_what_the_model_cites(stub: ProviderStub, *, streaming: bool) -> None:
    stub.follow([PLAN, DRAFT])
    body = {"question": "What about deletion?"}
    tokens, result = await streamed(research, body) if streaming else ([], await research.ainvoke(body))
    assert result["answer"] == "Nothing is deleted. [1]\n\nTen years. [2]"
    assert [(each["number"], each["id"]) for each in result["citations"]] == [
        (1, "retention#legal-hold"),
        (2, "retention#how-long-documents-are-kept"),
    ]
    assert result["notes"] == ["An invented citation was dropped: made#up."]
    assert tokens == []


RESEARCH_FAILURES: dict[str, tuple[list[Reply], str]] = {
    "refuses-plan": ([Refuse(), DRAFT], "refused to answer. The question was split by rule."),
    "refuses-answer": ([PLAN, Refuse()], "refused to answer. The passages are quoted instead."),
    "busy": ([PLAN, BUSY], "was too busy. The passages are quoted instead."),
    "cut": ([PLAN, Cut('{"claims": [')], "could not be used. The passages are quoted instead."),
    "empty": ([PLAN, Data({"claims": []})], "wrote nothing. The passages are quoted instead."),
}


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(("script", "note", "streaming"), ways(RESEARCH_FAILURES))
async def test_research_goes_on_by_rule_when_the_model_fails(
    stub: ProviderStub, script: list[Reply], note: str, *, streaming: bool
) -> None:
    stub.follow(script)
    body = {"question": QUESTION}
    result = (await streamed(research, body))[1] if streaming else await research.ainvoke(body)
    assert "retention#legal-hold" in [each["id"] for each in result["citations"]]
    assert result["notes"][0] == f"The language model {note}"


@pytest.mark.usefixtures("small_model")
async def test_research_asks_no_model_about_nothing(stub: ProviderStub) -> None:
    result = await research.ainvoke({"question": "?"})
    assert result["citations"] == []
    assert stub.requests == []


# documents

INVOICE = """INVOICE
Seller: Acme Supplies Ltd
Bill to: Northwind GmbH
Invoice number: INV-2031
Invoice date: 2026-11-02
Due date: 2026-12-02
Currency: EUR

Description            Qty   Unit price   Amount
Paper A4                10        4.00     40.00
Toner                    1       60.00     60.00

Subtotal                                 100.00 EUR
VAT 19%                                   19.00 EUR
Total                                    119.00 EUR
"""
SILENT: dict[str, Any] = {
    name: [] if str(field.annotation).startswith("list") else None
    for name, field in FieldsAnswer.model_fields.items()
}
KIND = Data({"document_type": "invoice"})
CALM = Data({"concerns": []})


def reading(**fields: object) -> Data:
    """Return what a model reads; the rules fill up what it does not state."""
    return Data({**SILENT, **fields})


async def file_document() -> dict[str, Any]:
    graph = document().compile(checkpointer=InMemorySaver(), store=InMemoryStore())
    return await graph.ainvoke({"text": INVOICE}, CONFIG)


@pytest.mark.usefixtures("model")
async def test_a_document_is_read_by_the_model_and_checked_by_rule(stub: ProviderStub) -> None:
    stub.follow([KIND, reading(number="INV-2031", total="119.00"), CALM])
    result = await file_document()
    assert (result["document_type"], result["fields"]["number"]) == ("invoice", "INV-2031")
    assert (result["status"], result["issues"], result["notes"]) == ("filed", [], [])
    assert len(stub.requests) == 3
    assert all("INV-2031" in json.dumps(request.body) for request in stub.requests)


@pytest.mark.usefixtures("small_model")
async def test_a_total_that_the_model_invents_is_shown_to_a_person(stub: ProviderStub) -> None:
    stub.follow([KIND, reading(total="9119.00"), CALM])
    result = await file_document()
    assert result["issues"] != []
    assert len(result["__interrupt__"]) == 1


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("streaming", [False, True], ids=["plain", "streaming"])
@pytest.mark.parametrize(
    ("reply", "note"),
    [(Refuse(), "refused to answer."), (BUSY, "was too busy."), (Full("{"), "could not be used.")],
    ids=["refusal", "busy", "full"],
)
async def test_a_document_is_read_by_rule_when_the_model_fails(
    stub: ProviderStub, reply: Reply, note: str, *, streaming: bool
) -> None:
    stub.follow([reply])
    graph = document().compile(checkpointer=InMemorySaver(), store=InMemoryStore())
    body = {"text": INVOICE}
    tokens, result = await streamed(graph, body) if streaming else ([], await graph.ainvoke(body, CONFIG))
    assert (result["status"], result["fields"]["total"], tokens) == ("filed", "119", [])
    assert len(result["notes"]) == 3
    assert all(each.endswith(f"The language model {note}") for each in result["notes"])


def test_the_client_of_the_tests_is_not_the_real_one(small_model: str, stub: ProviderStub) -> None:
    client: Any = chat_model()
    anthropic = small_model.startswith("anthropic:")
    address = client.anthropic_api_url if anthropic else client.root_client.base_url
    assert str(address).startswith(stub.url)
