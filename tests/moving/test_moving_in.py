"""The code of the pages on moving and choosing: a real server here, the vendor's own SDK there."""

import json
import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from langgraph_sdk import get_client, get_sync_client
from moving.moving_world import Elsewhere, code_of, elsewhere
from support.plans import ROOT
from support.postgres import empty_database
from support.server import finish, servers, start

from langgraph_client import BadRequest, LangGraphClient, SyncLangGraphClient

MOVE_IN, CHOOSING = "docs/howto/move-in.md", "docs/choosing.md"
QUESTION = {"role": "user", "content": "Who approves an invoice?"}

CHAT = """
from langgraph.graph import END, START, MessagesState, StateGraph


def answer(state: MessagesState) -> dict:
    return {"messages": [{"role": "assistant", "content": f"{len(state['messages'])} messages so far"}]}


graph = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer").add_edge("answer", END)
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory, postgres_cluster) -> Iterator[str]:
    """The address of a server with a chat as anyone writes it, and the bundled support."""
    folder = tmp_path_factory.mktemp("graphs")
    (folder / "chat.py").write_text(CHAT)
    graphs = folder / "langgraph.json"
    (folder / "app").symlink_to(ROOT / "app")
    paths = {"chat": "./chat.py:graph", "support": "graphs.support.graph:graph"}
    graphs.write_text(json.dumps({"graphs": paths, "dependencies": ["./app"]}))
    with empty_database(postgres_cluster) as database:
        prepared = start(database, graphs, command="migrate", AUTH="none")
        assert prepared.child.wait(120) == 0, prepared.log()
        finish(prepared)
        with servers(database, graphs, 1, AUTH="none") as (server,):
            yield server.url


@pytest.fixture
def there() -> Iterator[Elsewhere]:
    with elsewhere() as state:
        yield state


def talked(there: Elsewhere, *, waits: bool = False) -> str:
    """A conversation on the other platform, with the messages as it has them."""
    thread_id = str(uuid4())
    messages = [
        {"type": "human", "id": "h1", "content": "Who approves travel?", "additional_kwargs": {}},
        {"type": "ai", "id": "a1", "content": "Your lead.", "tool_calls": [], "response_metadata": {}},
    ]
    there.threads[thread_id] = {
        "thread_id": thread_id,
        "status": "interrupted" if waits else "idle",
        "metadata": {"graph_id": "support"},
        "created_at": "2026-11-01T00:00:00+00:00",
        "values": {"messages": messages},
        "next": ["hand_over"] if waits else [],
    }
    return thread_id


@pytest.fixture
def both(here, there) -> Iterator[tuple]:
    with SyncLangGraphClient(here, "unused") as own, get_sync_client(url=there.url, api_key="k") as theirs:
        yield own, theirs


def said(client: SyncLangGraphClient, thread_id: str) -> list[str]:
    return [message["content"] for message in client.get_state("chat", thread_id).values["messages"]]


def test_the_first_turn_here_takes_along_what_was_said_there(both, there):
    own, theirs = both
    thread_id = talked(there)
    answer = code_of(MOVE_IN)["next_turn"](own, theirs, "chat", thread_id, QUESTION)
    assert answer.thread_id == thread_id
    assert answer.result["messages"][-1]["content"] == "3 messages so far"
    assert said(own, thread_id)[:3] == ["Who approves travel?", "Your lead.", QUESTION["content"]]
    kept = own.get_state("chat", thread_id).values["messages"][:2]
    assert [message["id"] for message in kept] == ["h1", "a1"]
    assert there.keys == {"k"}


def test_the_turns_after_it_ask_the_other_platform_nothing(both, there):
    own, theirs = both
    thread_id = talked(there)
    turn = code_of(MOVE_IN)["next_turn"]
    turn(own, theirs, "chat", thread_id, QUESTION)
    there.asked.clear()
    turn(own, theirs, "chat", thread_id, {"role": "user", "content": "And above 100,000 EUR?"})
    assert there.asked == []
    texts = said(own, thread_id)
    assert texts.count("Who approves travel?") == 1
    assert texts[-1] == "5 messages so far"


def test_a_graph_that_takes_a_persons_messages_alone_refuses_the_models(both, there):
    own, theirs = both
    with pytest.raises(BadRequest, match="messages"):
        code_of(MOVE_IN)["next_turn"](own, theirs, "support", talked(there), QUESTION)


def test_a_conversation_that_waits_for_an_answer_there_is_not_taken_along(both, there):
    own, theirs = both
    thread_id = talked(there, waits=True)
    with pytest.raises(RuntimeError, match="answer it there first"):
        code_of(MOVE_IN)["next_turn"](own, theirs, "chat", thread_id, QUESTION)
    assert thread_id not in [thread.thread_id for thread in own.threads(limit=100).items]


def test_the_export_has_every_thread_once_whatever_the_page(both, there):
    _, theirs = both
    ids = sorted(talked(there) for _ in range(7))
    for page in (1, 3, 7, 100):
        lines = [json.loads(line) for line in code_of(MOVE_IN)["export"](theirs, page)]
        assert [line["thread_id"] for line in lines] == ids
    assert lines[0]["values"]["messages"][1]["content"] == "Your lead."
    assert lines[0]["metadata"] == {"graph_id": "support"}


async def test_each_flow_goes_to_its_side_and_one_that_nobody_placed_to_none(here, there):
    page = code_of(CHOOSING)
    own, theirs = page["Here"](here, "unused"), page["There"](there.url, "k")
    flows = page["Flows"](own, theirs, sensitive={"chat"}, simple={"research", "chat"})
    async with own.client, theirs.client:
        mine = await flows.run("chat", {"messages": [QUESTION]}, str(uuid4()))
        assert mine["messages"][-1]["content"] == "1 messages so far"
        assert there.asked == []
        thread_id = str(uuid4())
        answered = await flows.run("research", {"question": "x"}, thread_id)
        assert answered == {"answered": {"question": "x"}, "by": "research"}
        assert there.asked[0][1] == f"/threads/{thread_id}/runs/wait"
        assert there.asked[0][2]["if_not_exists"] == "create"
        with pytest.raises(KeyError):
            await flows.run("document", {}, thread_id)


async def test_every_call_in_the_table_exists_on_its_side():
    """Left the vendor's SDK, right the client of this platform."""
    text = (ROOT / MOVE_IN).read_text()
    rows = [line for line in text.splitlines() if re.match(r"\| `(threads|runs|multitask)", line)]
    assert len(rows) >= 11
    async with get_client(url="http://127.0.0.1:9", api_key="k") as theirs:
        for row in rows:
            left, right = row.strip("| ").split(" | ")
            for part, name in re.findall(r"\b(threads|runs)\.(\w+)", left):
                assert hasattr(getattr(theirs, part), name), row
            for name in re.findall(r"`(\w+)(?=[(`])", right):
                known = hasattr(LangGraphClient, name) or name in {
                    "result",
                    "interrupts",
                    "run_id",
                    "events",
                    "on_busy",
                }
                assert known, (row, name)
