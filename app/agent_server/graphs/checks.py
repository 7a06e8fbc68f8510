"""What a client hands to a graph, held against what the graph declares, before anything is stored."""

# pyright: reportUnknownVariableType=false
# jsonschema's best_match() is annotated in part only.

import json
import re
from collections.abc import Iterable
from itertools import islice
from typing import Any, cast

import structlog
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from referencing import Registry
from referencing.exceptions import Unresolvable

from agent_server.core.errors import InvalidAnswer, InvalidInput, shorten

ERRORS_MAX = 20
"""Of what does not fit, so much is looked at for the best error to tell."""
_MESSAGE = '"#/$defs/AIMessage"'
"""LangChain's own schema of messages lists their stored form; clients may write them more simply."""
UNUSABLE_MAX = 100
_NOTHING_ELSE: Registry[Any] = Registry()
"""References lead to the schema itself only: jsonschema's default fetches others, by HTTP or from files."""
_UNUSABLE = (SchemaError, Unresolvable, RecursionError, re.error, ValueError)
"""What a schema that is none raises, or one with a reference that leads nowhere or in a circle."""
_BREAK = "\n"
_unusable: set[str] = set()

log = structlog.get_logger()


class Shape:
    """A JSON Schema that names every key of an object."""

    def __init__(self, schema: dict[str, Any], *, required: bool) -> None:
        """Take a graph's schema; `required` says whether its required keys are meant for clients."""
        self.is_object = "properties" in schema
        self.keys = frozenset(cast("dict[str, Any]", schema.get("properties", {})))
        self._validator = _validator(_for_clients(schema, required=required))

    def check(self, what: str, value: Any) -> None:
        """Raise InvalidInput, which says where `value` does not fit."""
        if self.is_object and isinstance(value, dict):
            _refuse_unknown(what, cast("dict[str, Any]", value), self.keys)
        error = _first(self._validator, value)
        if error is not None:
            path = ".".join((what, *(str(part) for part in error.absolute_path)))
            msg = f"{path}: {error.message[:300]}"
            raise InvalidInput(msg, errors=[{"field": path, "message": error.message[:300]}])


def check_answer(interrupt_id: str, answer: Any, schema: Any) -> None:
    """Raise InvalidAnswer unless the answer fits the interrupt's response schema, if it has one."""
    if not isinstance(schema, dict):
        return
    error = _first(_validator(cast("dict[str, Any]", schema)), answer, checked=False)
    if error is not None:
        path = ".".join(("answer", *(str(part) for part in error.absolute_path)))
        msg = f"The answer to interrupt {interrupt_id} does not fit: {path}: {error.message[:300]}"
        raise InvalidAnswer(msg, errors=[{"field": path, "message": error.message[:300]}])


def _refuse_unknown(what: str, value: dict[str, Any], known: Iterable[str]) -> None:
    unknown = sorted(set(value) - set(known))
    if unknown:
        names = ", ".join(sorted(known)) or "none"
        msg = f"{what}: there is no key {shorten(unknown[0], 200)!r}; the graph takes: {names}."
        raise InvalidInput(
            msg,
            errors=[
                {"field": f"{what}.{shorten(key, 200)}", "message": "unknown key"}
                for key in unknown[:ERRORS_MAX]
            ],
        )


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(schema, registry=_NOTHING_ELSE)


def _first(validator: Draft202012Validator, value: Any, *, checked: bool = True) -> ValidationError | None:
    """Return what fits least; None also where the schema is not usable: its author promised nothing then."""
    try:
        if not checked:
            Draft202012Validator.check_schema(cast("Any", validator).schema)
        errors = islice(cast("Any", validator).iter_errors(value), ERRORS_MAX)
        return cast("ValidationError | None", cast("Any", best_match)(errors))
    except _UNUSABLE as error:
        _tell_once(validator, error)
        return None


def _tell_once(validator: Draft202012Validator, error: Exception) -> None:
    reason = f"{type(error).__name__}: {shorten(str(error).partition(_BREAK)[0], 200)}"
    if reason not in _unusable and len(_unusable) < UNUSABLE_MAX:
        _unusable.add(reason)
        title = cast("Any", validator).schema.get("title")
        log.warning("a graph's schema is not usable: nothing is held against it", title=title, reason=reason)


def _for_clients(schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    changed = dict(schema)
    if not required:
        changed.pop("required", None)
    properties = cast("dict[str, Any]", schema.get("properties", {}))
    if properties:
        changed["properties"] = {
            key: {} if _MESSAGE in json.dumps(part) else part for key, part in properties.items()
        }
    return {} if _MESSAGE in json.dumps({**changed, "$defs": None}) else changed
