"""From successful answers to records. Raises `UnexpectedAnswer` for what the contract does not know."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar, cast

from langgraph_client._errors import UnexpectedAnswer, run_error
from langgraph_client._flow import Reply
from langgraph_client._models import (
    ENDED,
    Attachment,
    Checkpoint,
    Graph,
    Health,
    Interrupt,
    Page,
    Run,
    RunFault,
    RunResult,
    State,
    Thread,
)

T = TypeVar("T")
Fields = Mapping[str, Any]

_BAD_ENDS = {"error": "run_failed", "timeout": "run_timeout", "cancelled": "run_cancelled"}


def body_of(reply: Reply) -> Fields:
    """Return the JSON object of an answer."""
    try:
        return object_of(json.loads(reply.body), "the answer")
    except ValueError as error:
        message = f"the answer with status {reply.status} is not JSON"
        raise UnexpectedAnswer(message) from error


def run_result(fields: Fields) -> RunResult:
    """Read a Run answer, or the same part of a Run."""
    return RunResult(
        thread_id=text(fields, "thread_id"),
        run_id=text(fields, "run_id"),
        status=cast("Any", text(fields, "status")),
        interrupts=_interrupts(fields),
        result=fields.get("result"),
    )


def settled(fields: Fields) -> RunResult | None:
    """Read a Run as `invoke` would have answered: None until it ended, the error of a bad end raised."""
    result = run_result(fields)
    if result.status not in ENDED:
        return None
    raise_bad_end(fields)
    return result


def raise_bad_end(fields: Fields) -> None:
    """Raise the error of a run whose status is `error`, `timeout` or `cancelled`."""
    status = text(fields, "status")
    if status not in _BAD_ENDS:
        return
    fault = fault_of(fields.get("error")) or RunFault(
        code=_BAD_ENDS[status], detail=f"the run ended as {status}"
    )
    raise run_error(fault.code, fault.detail, run_id=fields.get("run_id"), body=fields)


def run(fields: Fields) -> Run:
    """Read a Run."""
    return Run(
        run_id=text(fields, "run_id"),
        thread_id=text(fields, "thread_id"),
        graph=text(fields, "graph"),
        status=cast("Any", text(fields, "status")),
        attempt=_whole(fields, "attempt"),
        created_at=_time(fields, "created_at"),
        started_at=_time_or_none(fields, "started_at"),
        finished_at=_time_or_none(fields, "finished_at"),
        created_by=_text_or_none(fields, "created_by"),
        result=fields.get("result"),
        interrupts=_interrupts(fields),
        error=fault_of(fields.get("error")),
    )


def state(fields: Fields) -> State:
    """Read a State."""
    return State(
        thread_id=text(fields, "thread_id"),
        values=fields.get("values"),
        next=_texts(fields, "next"),
        interrupts=_interrupts(fields),
        checkpoint=_checkpoint(fields.get("checkpoint")),
        parent_checkpoint=_checkpoint(fields.get("parent_checkpoint")),
        created_at=_time_or_none(fields, "created_at"),
        metadata=_object_or_none(fields, "metadata"),
    )


def thread(fields: Fields) -> Thread:
    """Read a Thread."""
    return Thread(
        thread_id=text(fields, "thread_id"),
        graph=_text_or_none(fields, "graph"),
        status=cast("Any", text(fields, "status")),
        created_at=_time(fields, "created_at"),
        updated_at=_time(fields, "updated_at"),
    )


def attachment(fields: Fields) -> Attachment:
    """Read an Attachment."""
    return Attachment(
        attachment_id=text(fields, "attachment_id"),
        thread_id=text(fields, "thread_id"),
        filename=text(fields, "filename"),
        content_type=text(fields, "content_type"),
        size=_whole(fields, "size"),
        created_by=text(fields, "created_by"),
        created_at=_time(fields, "created_at"),
        stored=fields.get("stored") is True,
    )


def graph(fields: Fields) -> Graph:
    """Read one entry of `GET /graphs`."""
    return Graph(
        name=text(fields, "name"),
        description=_text_or_none(fields, "description"),
        input_schema=_object_or_none(fields, "input_schema"),
        output_schema=_object_or_none(fields, "output_schema"),
        context_schema=_object_or_none(fields, "context_schema"),
        config_schema=_object_or_none(fields, "config_schema"),
        mermaid=_text_or_none(fields, "mermaid"),
    )


def health(fields: Fields) -> Health:
    """Read the answer of a probe."""
    return Health(
        status=text(fields, "status"),
        version=text(fields, "version"),
        database=_text_or_none(fields, "database"),
    )


def page(fields: Fields, name: str, read: Callable[[Fields], T]) -> Page[T]:
    """Read a page of a list."""
    return Page(items=many(fields, name, read), total=_whole(fields, "total"))


def many(fields: Fields, name: str, read: Callable[[Fields], T]) -> tuple[T, ...]:
    """Read a list of objects."""
    return tuple(read(object_of(item, name)) for item in _list(fields.get(name), name))


def fault_of(value: object) -> RunFault | None:
    """Read `{"code", "detail"}`, or nothing."""
    if value is None:
        return None
    fields = object_of(value, "error")
    return RunFault(code=text(fields, "code"), detail=text(fields, "detail"))


def _interrupts(fields: Fields) -> tuple[Interrupt, ...]:
    return many(fields, "interrupts", _interrupt) if fields.get("interrupts") is not None else ()


def _interrupt(fields: Fields) -> Interrupt:
    return Interrupt(
        id=text(fields, "id"),
        value=fields.get("value"),
        response_schema=_object_or_none(fields, "response_schema"),
    )


def _checkpoint(value: object) -> Checkpoint | None:
    if value is None:
        return None
    fields = object_of(value, "checkpoint")
    return Checkpoint(
        thread_id=text(fields, "thread_id"),
        checkpoint_ns=text(fields, "checkpoint_ns"),
        checkpoint_id=text(fields, "checkpoint_id"),
    )


def object_of(value: object, what: str) -> Fields:
    """Return the value if it is a JSON object."""
    if not isinstance(value, dict):
        message = f"{what} is not an object"
        raise UnexpectedAnswer(message)
    return cast("Fields", value)


def text(fields: Fields, name: str) -> str:
    """Read a string."""
    value = fields.get(name)
    if not isinstance(value, str):
        message = f"{name} is not a string"
        raise UnexpectedAnswer(message)
    return value


def _text_or_none(fields: Fields, name: str) -> str | None:
    return None if fields.get(name) is None else text(fields, name)


def _texts(fields: Fields, name: str) -> tuple[str, ...]:
    items = _list(fields.get(name) or [], name)
    return tuple(text({name: item}, name) for item in items)


def _object_or_none(fields: Fields, name: str) -> Fields | None:
    return None if fields.get(name) is None else object_of(fields[name], name)


def _list(value: object, what: str) -> list[object]:
    if not isinstance(value, list):
        message = f"{what} is not a list"
        raise UnexpectedAnswer(message)
    return cast("list[object]", value)


def _whole(fields: Fields, name: str) -> int:
    value = fields.get(name)
    if not isinstance(value, int):
        message = f"{name} is not a whole number"
        raise UnexpectedAnswer(message)
    return value


def _time(fields: Fields, name: str) -> datetime:
    try:
        return datetime.fromisoformat(text(fields, name))
    except ValueError as error:
        message = f"{name} is not a time"
        raise UnexpectedAnswer(message) from error


def _time_or_none(fields: Fields, name: str) -> datetime | None:
    return None if fields.get(name) is None else _time(fields, name)
