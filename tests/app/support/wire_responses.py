"""OpenAI's Responses, as https://platform.openai.com/docs/api-reference/responses documents it."""

import json
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from app.support.script import Call, Cut, Data, Full, Refuse, Say, halves, require, words

Answer = Say | Call | Data | Refuse | Cut | Full


def check(headers: Mapping[str, str], body: dict[str, Any]) -> None:
    """Refuse what the service refuses."""
    require(headers.get("authorization", "").startswith("Bearer "), "no key")
    called: set[str] = set()
    for item in body["input"]:
        if item.get("type") == "function_call":
            called.add(item["call_id"])
        if item.get("type") == "function_call_output":
            require(item["call_id"] in called, "a result without its call")
            called.remove(item["call_id"])
    require(not called, "calls without a result")


def plain(reply: Answer, body: dict[str, Any]) -> dict[str, Any]:
    """Return the whole answer."""
    return _response(body, _status(reply), _output(reply, body))


def stream(reply: Answer, body: dict[str, Any]) -> Iterator[str]:
    """Yield the answer's server-sent events."""
    numbers = count()
    for event in _events(reply, body):
        data = json.dumps({**event, "sequence_number": next(numbers)})
        yield f"event: {event['type']}\ndata: {data}\n\n"


def _events(reply: Answer, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"type": "response.created", "response": _response(body, "in_progress", [])}
    yield {"type": "response.in_progress", "response": _response(body, "in_progress", [])}
    items = _output(reply, body)
    for index, item in enumerate(items):
        parts = _message_events if item["type"] == "message" else _call_events
        yield from parts(item, index, cut=isinstance(reply, Cut))
    if not isinstance(reply, Cut):
        status = _status(reply)
        yield {"type": f"response.{status}", "response": _response(body, status, items)}


def _status(reply: Answer) -> str:
    return "incomplete" if isinstance(reply, Full) else "completed"


def _message_events(item: dict[str, Any], index: int, *, cut: bool) -> Iterator[dict[str, Any]]:
    empty = {**item, "status": "in_progress", "content": []}
    yield {"type": "response.output_item.added", "output_index": index, "item": empty}
    (part,) = item["content"]
    key, kind = ("text", "output_text") if part["type"] == "output_text" else ("refusal", "refusal")
    at = {"item_id": item["id"], "output_index": index, "content_index": 0}
    extra = {"logprobs": []} if kind == "output_text" else {}
    yield {"type": "response.content_part.added", **at, "part": {**part, key: ""}}
    for word in words(part[key]):
        yield {"type": f"response.{kind}.delta", **at, **extra, "delta": word}
    if not cut:
        yield {"type": f"response.{kind}.done", **at, **extra, key: part[key]}
        yield {"type": "response.content_part.done", **at, "part": part}
        yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _call_events(item: dict[str, Any], index: int, *, cut: bool) -> Iterator[dict[str, Any]]:
    at = {"item_id": item["id"], "output_index": index}
    empty = {**item, "status": "in_progress", "arguments": ""}
    yield {"type": "response.output_item.added", "output_index": index, "item": empty}
    for part in halves(json.loads(item["arguments"])):
        yield {"type": "response.function_call_arguments.delta", **at, "delta": part}
    if not cut:
        done = {**at, "name": item["name"], "arguments": item["arguments"]}
        yield {"type": "response.function_call_arguments.done", **done}
        yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _output(reply: Answer, body: dict[str, Any]) -> list[dict[str, Any]]:
    match reply:
        case Refuse(text):
            return [_message({"type": "refusal", "refusal": text})]
        case Call(calls, text):
            said = [_text(text)] if text else []
            return [*said, *(_call(index, *call) for index, call in enumerate(calls))]
        case Data(data):
            asked = body.get("text", {}).get("format", {}).get("type")
            require(asked == "json_schema", "no schema was asked for")
            return [_text(json.dumps(data))]
        case Say(text) | Cut(text) | Full(text):
            return [_text(text)]


def _text(text: str) -> dict[str, Any]:
    return _message({"type": "output_text", "text": text, "annotations": [], "logprobs": []})


def _message(part: dict[str, Any]) -> dict[str, Any]:
    return {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [part]}


def _call(index: int, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    ids = {"id": f"fc_{index}", "call_id": f"call_{index}"}
    return {
        **ids,
        "type": "function_call",
        "status": "completed",
        "name": name,
        "arguments": json.dumps(arguments),
    }


def _response(body: dict[str, Any], status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "instructions": None,
        "metadata": {},
        "model": body["model"],
        "output": output,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "top_p": 1.0,
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools", []),
        "text": body.get("text", {"format": {"type": "text"}}),
        "usage": None if status == "in_progress" else USAGE,
    }


USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 3,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 12,
}
