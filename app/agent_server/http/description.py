"""What OpenAPI tells of the routes: they read their requests themselves, so FastAPI sees nothing of them.

A new route has a line in OPERATIONS; a test asks for it.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

from agent_server.http.bodies import KEY_CHARACTERS, LIMIT_MAX
from agent_server.http.response_schemas import COUNT, OBJECT, SCHEMAS, Schema, many, ref, shape

_PARAMETER = re.compile(r"{(\w+)")
_ALWAYS = (400, 401, 403, 429, 431, 500, 503)
"""Of every route but the probes."""
_BODY = (408, 413, 415, 422)
_BEGUN = (404, 409, 504)
"""Of what begins a run and waits for it."""

_THREAD_ID: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": r"^(?!\.{1,2}$)[^\u0000]*$",
}
_TEXT: Schema = {"type": "string", "pattern": r"^[^\u0000]*$"}
_LIMIT: Schema = {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter or a header."""

    name: str
    schema: Schema
    place: str = "query"
    required: bool = False

    def described(self) -> Schema:
        """Return it as OpenAPI has it."""
        told = {"name": self.name, "in": self.place, "schema": self.schema, "required": self.required}
        return told | ({"allowEmptyValue": False} if self.place == "query" else {})


THREAD = Parameter("thread_id", _THREAD_ID, required=True)
PAGE = (
    Parameter("limit", {**_LIMIT, "default": 20}),
    Parameter("offset", {"type": "integer", "minimum": 0, "maximum": 2**31 - 1, "default": 0}),
)
STATUS = Parameter("status", _TEXT)
KEY = Parameter("Idempotency-Key", {"type": "string", "minLength": 1, "maxLength": KEY_CHARACTERS}, "header")
PREFER = Parameter("Prefer", {"type": "string"}, "header")
AFTER = Parameter("Last-Event-ID", {"type": "string", "pattern": r"^(-1|0|[0-9]{1,9}-[0-9]{1,9})$"}, "header")


@dataclass(frozen=True, slots=True)
class Operation:
    """One route: what it answers by status, what it takes beside its path and body, and how it refuses."""

    answers: dict[int, Schema | None]
    takes: tuple[Parameter, ...] = ()
    refuses: tuple[int, ...] = ()
    media: str = "application/json"
    is_open: bool = False
    """Whether it asks for no credentials, and refuses nobody."""

    def responses(self) -> Schema:
        """Return its answers and problems as OpenAPI has them."""
        told: dict[str, Any] = {
            str(status): _response(status, self.media, schema) for status, schema in self.answers.items()
        }
        refusals = self.refuses if self.is_open else sorted({*_ALWAYS, *self.refuses})
        problems = {str(code): _response(code, "application/json", ref("Problem")) for code in refusals}
        return told | problems


_GRAPH = "/graphs/{name}"
_RUN = f"{_GRAPH}/runs/{{run_id}}"
_FILE = "/attachments/{attachment_id}"
_STREAM: Schema = {"description": "Server-sent events: event, data (JSON on one line), most with an id."}

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("GET", "/health"): Operation({200: ref("Health")}, is_open=True),
    ("GET", "/ready"): Operation({200: ref("Ready")}, refuses=(503,), is_open=True),
    ("GET", "/openapi.json"): Operation({200: OBJECT}),
    ("GET", "/graphs"): Operation({200: shape(graphs=many(ref("Graph")))}),
    ("POST", f"{_GRAPH}/invoke"): Operation(
        {200: ref("RunAnswer"), 202: ref("Run")}, (KEY, PREFER), (*_BODY, *_BEGUN)
    ),
    ("POST", f"{_GRAPH}/stream"): Operation({200: _STREAM}, (KEY,), (*_BODY, *_BEGUN), "text/event-stream"),
    ("POST", f"{_GRAPH}/resume"): Operation(
        {200: ref("RunAnswer"), 202: ref("Run")}, (KEY, PREFER), (*_BODY, *_BEGUN)
    ),
    ("GET", f"{_GRAPH}/state"): Operation({200: ref("State")}, (THREAD,), (404, 422)),
    ("POST", f"{_GRAPH}/state"): Operation({200: ref("State")}, refuses=(*_BODY, *_BEGUN)),
    ("GET", f"{_GRAPH}/history"): Operation(
        {200: shape(history=many(ref("State")))},
        (THREAD, Parameter("limit", {**_LIMIT, "default": 10}), Parameter("before", _TEXT)),
        (404, 422),
    ),
    ("GET", f"{_GRAPH}/runs"): Operation(
        {200: shape(runs=many(ref("Run")), total=COUNT)},
        (Parameter("thread_id", _TEXT), STATUS, *PAGE),
        (404, 422),
    ),
    ("GET", _RUN): Operation(
        {200: ref("Run")}, (Parameter("wait", {"type": "number", "minimum": 0, "default": 0}),), (404, 422)
    ),
    ("GET", f"{_RUN}/stream"): Operation({200: _STREAM}, (AFTER,), (404, 422), "text/event-stream"),
    ("POST", f"{_RUN}/cancel"): Operation({200: ref("Run")}, refuses=(404, 409)),
    ("GET", "/threads"): Operation(
        {200: shape(threads=many(ref("Thread")), total=COUNT)},
        (Parameter("graph", _TEXT), STATUS, *PAGE),
        (422,),
    ),
    ("DELETE", "/threads/{thread_id}"): Operation({204: None}, refuses=(404, 409, 422)),
    ("POST", "/attachments"): Operation({201: ref("NewAttachment")}, refuses=(*_BODY, 404, 501)),
    ("GET", _FILE): Operation({200: ref("Attachment")}, refuses=(404, 501)),
    ("DELETE", _FILE): Operation({204: None}, refuses=(404, 501)),
    ("PUT", f"{_FILE}/content"): Operation({204: None}, refuses=(*_BODY, 404, 405, 409, 501)),
    ("GET", f"{_FILE}/content"): Operation(
        {200: {"type": "string", "format": "binary"}, 307: None}, refuses=(404, 501), media="*/*"
    ),
}


def described(path: str, body: type[BaseModel] | None) -> dict[str, Any]:
    """Return the parameters of a route's path and the schema of its JSON body, without references."""
    told: dict[str, Any] = {
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
            for name in _PARAMETER.findall(path)
        ]
    }
    if body is not None:
        schema = body.model_json_schema()
        told["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _inlined(schema, schema.pop("$defs", {}))}},
        }
    return told


def document(found: dict[str, Any], *, is_guarded: bool) -> dict[str, Any]:
    """Return FastAPI's document with what OPERATIONS knows: parameters, answers, problems, credentials."""
    told = {**found, "components": {"schemas": SCHEMAS}}
    if is_guarded:
        told["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
        told["security"] = [{"bearer": []}]
    told["paths"] = {
        path: {method: _completed(method, path, operation) for method, operation in methods.items()}
        for path, methods in found["paths"].items()
    }
    return told


def _completed(method: str, path: str, found: dict[str, Any]) -> dict[str, Any]:
    known = OPERATIONS[method.upper(), path]
    told = {
        **found,
        "parameters": [*found.get("parameters", []), *(each.described() for each in known.takes)],
        "responses": known.responses(),
    }
    return told | ({"security": []} if known.is_open else {})


def _response(status: int, media: str, schema: Schema | None) -> Schema:
    told: Schema = {"description": HTTPStatus(status).phrase}
    return told | ({"content": {media: {"schema": schema}}} if schema is not None else {})


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """Put definitions where they are named: inside OpenAPI `#/$defs` would mean another place."""
    if isinstance(schema, list):
        return [_inlined(item, definitions) for item in schema]  # pyright: ignore[reportUnknownVariableType]  # JSON
    if not isinstance(schema, dict):
        return schema
    named = schema.get("$ref", "").removeprefix("#/$defs/")  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]  # JSON
    if named:
        return _inlined(definitions[named], definitions)
    return {key: _inlined(item, definitions) for key, item in schema.items()}  # pyright: ignore[reportUnknownVariableType]  # JSON
