"""Graphs that tell what their nodes see of an attachment."""

import hashlib
from typing import Any

from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from agent_server.attachments import Attachment, read, read_sync


class Wanted(TypedDict, total=False):
    attachment_id: str
    seen: dict[str, Any]


def told(found: Attachment) -> Wanted:
    return {
        "seen": {
            "filename": found.filename,
            "content_type": found.content_type,
            "sha256": hashlib.sha256(found.content).hexdigest(),
        }
    }


async def look(state: Wanted) -> Wanted:
    return told(await read(state["attachment_id"])) if state.get("attachment_id") else {}


def look_in_a_thread(state: Wanted) -> Wanted:
    return told(read_sync(state["attachment_id"])) if state.get("attachment_id") else {}


def make(node: Any) -> Any:
    builder = StateGraph(Wanted)
    builder.add_node("look", node)
    builder.add_edge(START, "look")
    builder.add_edge("look", END)
    return builder.compile()


reader = make(look)
sync_reader = make(look_in_a_thread)
