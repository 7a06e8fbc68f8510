"""Anthropic's Messages, as https://docs.anthropic.com/en/api/messages documents it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from app.support.script import Call, Cut, Data, Full, Refuse, Say, halves, require, words

Answer = Say | Call | Data | Refuse | Cut | Full


def check(headers: Mapping[str, str], body: dict[str, Any]) -> None:
    """Refuse what the service refuses."""
    # The service takes both; the SDK sends the first until 1.x and the second from 2.x on.
    require(headers.get("x-api-key") or headers.get("authorization", "").startswith("Bearer "), "no key")
    require(headers.get("anthropic-version"), "no version")
    require(isinstance(body.get("max_tokens"), int), "max_tokens is required")
    require(body["messages"][0]["role"] == "user", "the first message must be the user's")
    called: set[str] = set()
    for message in body["messages"]:
        content = message["content"]
        require(content, "a message must not be empty")
        blocks = content if isinstance(content, list) else []
        results = {block["tool_use_id"] for block in blocks if block["type"] == "tool_result"}
        require(results == called, "calls and results do not fit")
        called = {block["id"] for block in blocks if block["type"] == "tool_use"}
    require(not called, "calls without a result")
    require(body.get("tools") or not _uses_tools(body), "tool blocks need tools")


def _uses_tools(body: dict[str, Any]) -> bool:
    contents = [message["content"] for message in body["messages"]]
    return any(block["type"] == "tool_use" for each in contents if isinstance(each, list) for block in each)


def plain(reply: Answer, body: dict[str, Any]) -> dict[str, Any]:
    """Return the whole answer."""
    content = _content(reply, body)
    return {**_base(body), "content": content, "stop_reason": _stop(reply, content), "usage": USAGE}


def stream(reply: Answer, body: dict[str, Any]) -> Iterator[str]:
    """Yield the answer's server-sent events."""
    for event in _events(reply, body):
        yield f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"


def _events(reply: Answer, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    content = _content(reply, body)
    started = {**_base(body), "content": [], "stop_reason": None, "usage": {**USAGE, "output_tokens": 1}}
    yield {"type": "message_start", "message": started}
    yield {"type": "ping"}
    for index, block in enumerate(content):
        yield from _block_events(index, block)
    if not isinstance(reply, Cut):
        delta = {"stop_reason": _stop(reply, content), "stop_sequence": None}
        yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 3}}
        yield {"type": "message_stop"}


def _block_events(index: int, block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if block["type"] == "text":
        empty = {**block, "text": ""}
        deltas = [{"type": "text_delta", "text": word} for word in words(block["text"])]
    else:
        empty = {**block, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": part} for part in halves(block["input"])]
    yield {"type": "content_block_start", "index": index, "content_block": empty}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def _content(reply: Answer, body: dict[str, Any]) -> list[dict[str, Any]]:
    match reply:
        case Call(calls, text):
            said = [{"type": "text", "text": text}] if text else []
            return [*said, *(_use(index, *call) for index, call in enumerate(calls))]
        case Data(data):
            return [_structured(data, body)]
        case Say(text) | Cut(text) | Full(text):
            return [{"type": "text", "text": text}]
        case Refuse():
            return []


def _structured(data: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Answer through the forced tool, or as JSON text if the request has an output format."""
    if body.get("output_config", {}).get("format", {}).get("type") == "json_schema":
        return {"type": "text", "text": json.dumps(data)}
    choice = body.get("tool_choice", {})
    require(choice.get("type") == "tool", "no schema was asked for")
    return _use(0, choice["name"], data)


def _use(index: int, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": arguments}


def _stop(reply: Answer, content: list[dict[str, Any]]) -> str:
    if isinstance(reply, Refuse):
        return "refusal"
    if isinstance(reply, Full):
        return "max_tokens"
    return "tool_use" if content[-1]["type"] == "tool_use" else "end_turn"


def _base(body: dict[str, Any]) -> dict[str, Any]:
    fixed = {"id": "msg_1", "type": "message", "role": "assistant", "stop_sequence": None}
    return {**fixed, "model": body["model"]}


USAGE = {"input_tokens": 9, "output_tokens": 3}
