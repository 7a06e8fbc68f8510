"""OpenAI's Chat Completions, as https://platform.openai.com/docs/api-reference/chat documents it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from app.support.script import Call, Cut, Data, Full, Refuse, Say, halves, require, words

Answer = Say | Call | Data | Refuse | Cut | Full


def check(headers: Mapping[str, str], body: dict[str, Any]) -> None:
    """Refuse what the service refuses."""
    require(headers.get("authorization", "").startswith("Bearer "), "no key")
    require(not (body["model"].startswith("gpt-6") and body.get("tools")), "tools need /v1/responses")
    called: set[str] = set()
    for message in body["messages"]:
        if message["role"] == "tool":
            require(message["tool_call_id"] in called, "a result without its call")
            called.remove(message["tool_call_id"])
        else:
            require(not called, "calls without a result")
        called |= {call["id"] for call in message.get("tool_calls") or []}
    require(not called, "calls without a result")


def plain(reply: Answer, body: dict[str, Any]) -> dict[str, Any]:
    """Return the whole answer."""
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
    match reply:
        case Refuse(text):
            message["refusal"] = text
        case Call(calls, text):
            message |= {"content": text or None, "tool_calls": _calls(calls)}
        case _:
            message["content"] = _text(reply, body)
    choice = {"index": 0, "message": message, "finish_reason": _finish(reply), "logprobs": None}
    return {**_base(body, "chat.completion"), "choices": [choice], "usage": USAGE}


def stream(reply: Answer, body: dict[str, Any]) -> Iterator[str]:
    """Yield the answer's server-sent events."""
    yield _chunk(body, {"role": "assistant", "content": "", "refusal": None})
    match reply:
        case Refuse(text):
            yield from (_chunk(body, {"refusal": word}) for word in words(text))
        case Call(calls, text):
            yield from (_chunk(body, {"content": word}) for word in words(text))
            for index, call in enumerate(_calls(calls)):
                head = {**call, "index": index, "function": {**call["function"], "arguments": ""}}
                yield _chunk(body, {"tool_calls": [head]})
                for part in halves(json.loads(call["function"]["arguments"])):
                    yield _chunk(body, {"tool_calls": [{"index": index, "function": {"arguments": part}}]})
        case _:
            yield from (_chunk(body, {"content": word}) for word in words(_text(reply, body)))
    if not isinstance(reply, Cut):
        yield _chunk(body, {}, _finish(reply))
        yield "data: [DONE]\n\n"


def _chunk(body: dict[str, Any], delta: dict[str, Any], finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
    return f"data: {json.dumps({**_base(body, 'chat.completion.chunk'), 'choices': [choice]})}\n\n"


def _text(reply: Say | Data | Cut | Full, body: dict[str, Any]) -> str:
    if not isinstance(reply, Data):
        return reply.text
    require(body.get("response_format", {}).get("type") == "json_schema", "no schema was asked for")
    return json.dumps(reply.data)


def _calls(calls: tuple[tuple[str, dict[str, Any]], ...]) -> list[dict[str, Any]]:
    return [
        {"id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": json.dumps(args)}}
        for index, (name, args) in enumerate(calls)
    ]


def _finish(reply: Answer) -> str:
    if isinstance(reply, Full):
        return "length"
    return "tool_calls" if isinstance(reply, Call) else "stop"


def _base(body: dict[str, Any], kind: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": kind,
        "created": 1,
        "model": body["model"],
        "service_tier": "default",
    }


USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
