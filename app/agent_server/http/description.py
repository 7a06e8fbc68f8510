"""What OpenAPI tells of the routes: they read their requests themselves, so FastAPI sees nothing of them."""

import re
from typing import Any

from pydantic import BaseModel

_PARAMETER = re.compile(r"{(\w+)")


def described(path: str, body: type[BaseModel] | None) -> dict[str, Any]:
    """Return the parameters of a route's path and the schema of its JSON body, without references."""
    told: dict[str, Any] = {
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
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
