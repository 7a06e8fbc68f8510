"""What the stand-in's graphs do: echo, ask (waits for an approval), fail, slow."""

import itertools
from typing import Any

NOW = "2026-01-01T00:00:00Z"
QUESTION = {
    "action_requests": [{"name": "file_document", "args": {"total": "9.00"}, "description": "File it?"}],
    "review_configs": [{"action_name": "file_document", "allowed_decisions": ["approve", "reject"]}],
}
INTERRUPT = {"id": "a" * 32, "value": QUESTION, "response_schema": None}

waiting: dict[str, str] = {}
_numbers = itertools.count(1)


def problem(status: int, code: str, detail: str, **more: Any) -> tuple[int, dict[str, Any]]:
    return status, {"detail": detail, "code": code, "request_id": "req-1", **more}


def start(graph: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    thread = body.get("thread_id") or "made-up"
    run = {"thread_id": thread, "run_id": f"run-{next(_numbers)}", "status": "success", "interrupts": []}
    if graph == "fail":
        return problem(500, "run_failed", "node a raised ValueError", run_id=run["run_id"])
    if graph == "busy":
        return problem(409, "thread_busy", f"thread {thread} is busy")
    if graph == "ask":
        waiting[thread] = graph
        return 200, {**run, "status": "interrupted", "interrupts": [INTERRUPT], "result": None}
    return 200, {**run, "result": {"echo": body["input"]}}


def resume(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    if waiting.pop(body["thread_id"], None) is None:
        return problem(409, "nothing_to_resume", "the thread waits for nothing")
    answer = body.get("resume_data", body.get("interrupts"))
    run = {"thread_id": body["thread_id"], "run_id": f"run-{next(_numbers)}", "status": "success"}
    return 200, {**run, "interrupts": [], "result": {"answer": answer}}


def state(thread: str) -> tuple[int, dict[str, Any]]:
    waits = thread in waiting
    return 200, {
        "thread_id": thread,
        "values": {"seen": thread},
        "next": ["review"] if waits else [],
        "interrupts": [INTERRUPT] if waits else [],
        "checkpoint": {"thread_id": thread, "checkpoint_ns": "", "checkpoint_id": "c-1"},
        "parent_checkpoint": None,
        "created_at": NOW,
        "metadata": {"step": 1},
    }


def events(graph: str, body: dict[str, Any]) -> list[tuple[str, Any]]:
    status, answer = start(graph, body)
    head = {"run_id": answer.get("run_id", "run-x"), "thread_id": answer.get("thread_id", "t"), "attempt": 1}
    if status != 200:
        return [("metadata", head), ("error", {"code": answer["code"], "detail": answer["detail"]})]
    end = {name: answer[name] for name in ("run_id", "thread_id", "status", "interrupts")}
    chunks = [("messages", [{"content": word, "type": "AIMessageChunk"}, {}]) for word in ("hel", "lo")]
    return [("metadata", head), ("updates", {"classify": {"kind": "invoice"}}), *chunks, ("end", end)]
