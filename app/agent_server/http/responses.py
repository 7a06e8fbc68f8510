"""The contract's answers as JSON. What a run's row keeps as JSON goes out as it is."""

from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.responses import Response

from agent_server.core.errors import ServerError, restored
from agent_server.core.jsonio import dumps
from agent_server.runs.replay import RunRef
from agent_server.storage.attachments import AttachmentRecord
from agent_server.storage.runs import Outcome, RunRecord
from agent_server.storage.threads import ThreadRecord

_NOTHING = b"null"


def location(graph: str, run_id: object) -> dict[str, str]:
    """Return the header that names a run."""
    return {"Location": f"/graphs/{graph}/runs/{run_id}"}


def json_response(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer anything, also what a graph holds."""
    return Response(dumps(content), status, headers, "application/json")


def run_answer(ref: RunRef, outcome: Outcome) -> Response:
    """Answer a call with what its run came to."""
    body = {
        "thread_id": ref.thread_id,
        "run_id": str(ref.run_id),
        "status": outcome.status,
        "interrupts": orjson.Fragment(outcome.interrupts or b"[]"),
        "result": orjson.Fragment(outcome.result or _NOTHING),
    }
    return Response(orjson.dumps(body), 200, location(ref.graph, ref.run_id), "application/json")


def run_error(ref: RunRef, outcome: Outcome) -> ServerError:
    """Return the error of a run that failed, with its ids."""
    ids = {"run_id": str(ref.run_id), "thread_id": ref.thread_id}
    return restored(outcome.error_code or "run_failed", outcome.error_detail or "", **ids)


def run_json(run: RunRecord) -> dict[str, Any]:
    """Return a Run."""
    outcome = run.outcome
    error = {"code": outcome.error_code, "detail": outcome.error_detail} if outcome.error_code else None
    return {
        "run_id": str(run.run_id),
        "thread_id": run.thread_id,
        "graph": run.graph,
        "status": run.status,
        "attempt": run.attempt,
        "created_at": _time(run.created_at),
        "started_at": _time(run.started_at),
        "finished_at": _time(run.finished_at),
        "created_by": run.created_by,
        "result": orjson.Fragment(outcome.result or _NOTHING),
        "interrupts": orjson.Fragment(outcome.interrupts or b"[]"),
        "error": error,
    }


def run_response(run: RunRecord, status: int = 200) -> Response:
    """Answer one Run."""
    return Response(orjson.dumps(run_json(run)), status, location(run.graph, run.run_id), "application/json")


def thread_json(thread: ThreadRecord) -> dict[str, Any]:
    """Return a Thread."""
    return {
        "thread_id": thread.thread_id,
        "graph": thread.graph,
        "status": thread.status,
        "created_at": _time(thread.created_at),
        "updated_at": _time(thread.updated_at),
    }


def attachment_json(attachment: AttachmentRecord) -> dict[str, Any]:
    """Return an Attachment."""
    return {
        "attachment_id": str(attachment.attachment_id),
        "thread_id": attachment.thread_id,
        "filename": attachment.filename,
        "content_type": attachment.content_type,
        "size": attachment.size,
        "created_by": attachment.created_by,
        "created_at": utc(attachment.created_at),
        "stored": attachment.stored_at is not None,
    }


def utc(moment: datetime) -> str:
    """Tell a time in UTC: PostgreSQL tells it in the time zone of the database."""
    return moment.astimezone(UTC).isoformat()


def _time(moment: datetime | None) -> str | None:
    return utc(moment) if moment else None
