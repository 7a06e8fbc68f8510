"""JSON schemas of what the routes answer, as OpenAPI has them: docs/contract.md, section 3."""

from typing import Any

Schema = dict[str, Any]

ANYTHING: Schema = {}
TEXT: Schema = {"type": "string"}
TIME: Schema = {"type": "string", "format": "date-time"}
UUID: Schema = {"type": "string", "format": "uuid"}
COUNT: Schema = {"type": "integer", "minimum": 0}
OBJECT: Schema = {"type": "object"}


def ref(name: str) -> Schema:
    """Name a schema of SCHEMAS."""
    return {"$ref": f"#/components/schemas/{name}"}


def many(items: Schema) -> Schema:
    """Return the schema of an array."""
    return {"type": "array", "items": items}


def shape(optional: dict[str, Schema] | None = None, /, **fields: Schema) -> Schema:
    """Return the schema of an object that has all of `fields`, perhaps `optional` ones, and nothing else."""
    properties = {**fields, **(optional or {})}
    return {
        "type": "object",
        "properties": properties,
        "required": list(fields),
        "additionalProperties": False,
    }


def or_null(schema: Schema) -> Schema:
    """Return the schema of what may be null instead."""
    return {"anyOf": [schema, {"type": "null"}]}


_ATTACHMENT: dict[str, Schema] = {
    "attachment_id": UUID,
    "thread_id": TEXT,
    "filename": TEXT,
    "content_type": TEXT,
    "size": COUNT,
    "created_by": TEXT,
    "created_at": TIME,
    "stored": {"type": "boolean"},
}

SCHEMAS: dict[str, Schema] = {
    "Problem": shape(
        {
            "errors": many(shape(field=TEXT, message=TEXT)),
            "known": many(TEXT),
            "waiting": many(TEXT),
            "run_id": UUID,
            "thread_id": TEXT,
        },
        detail=TEXT,
        code=TEXT,
        request_id=TEXT,
    ),
    "Health": shape(status={"const": "healthy"}, version=TEXT),
    "Ready": shape(status={"const": "ready"}, version=TEXT, database={"const": "connected"}),
    "Interrupt": shape(id=TEXT, value=ANYTHING, response_schema=ANYTHING),
    "Graph": shape(
        name=TEXT,
        description=or_null(TEXT),
        input_schema=ANYTHING,
        output_schema=ANYTHING,
        context_schema=ANYTHING,
        mermaid=or_null(TEXT),
    ),
    "RunAnswer": shape(
        thread_id=TEXT,
        run_id=UUID,
        status={"enum": ["success", "interrupted"]},
        interrupts=many(ref("Interrupt")),
        result=ANYTHING,
    ),
    "Run": shape(
        run_id=UUID,
        thread_id=TEXT,
        graph=TEXT,
        status={
            "enum": ["pending", "running", "success", "interrupted", "error", "timeout", "cancelled"],
        },
        attempt=COUNT,
        created_at=TIME,
        started_at=or_null(TIME),
        finished_at=or_null(TIME),
        created_by=TEXT,
        result=ANYTHING,
        interrupts=many(ref("Interrupt")),
        error=or_null(shape(code=TEXT, detail=TEXT)),
    ),
    "Checkpoint": shape(thread_id=TEXT, checkpoint_ns=TEXT, checkpoint_id=or_null(TEXT)),
    "State": shape(
        thread_id=TEXT,
        values=ANYTHING,
        next=many(TEXT),
        interrupts=many(ref("Interrupt")),
        checkpoint=or_null(ref("Checkpoint")),
        parent_checkpoint=or_null(ref("Checkpoint")),
        created_at=or_null(TIME),
        metadata=or_null(OBJECT),
    ),
    "Thread": shape(
        thread_id=TEXT,
        graph=TEXT,
        status={"enum": ["idle", "busy", "interrupted", "error"]},
        created_at=TIME,
        updated_at=TIME,
    ),
    "Attachment": shape(**_ATTACHMENT),
    "NewAttachment": shape(
        **_ATTACHMENT,
        upload=shape(
            method={"const": "PUT"},
            url=TEXT,
            headers={"type": "object", "additionalProperties": TEXT},
            expires_at=TIME,
        ),
    ),
}
