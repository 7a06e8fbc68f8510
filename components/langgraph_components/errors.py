"""What a preview is refused for: each error is the sentence its reader needs, with the field's path.

PlatformError
├── InvalidArgs      the arguments of a component: unknown key, wrong type, value out of range
├── InvalidSettings  the stack's configuration `platform`, alone or in its combination
├── MissingExtra     an optional package is not installed
└── MissingOutput    a stack that is read shows not what a platform does
"""

import re

from pydantic import ValidationError
from pydantic_core import ErrorDetails


class PlatformError(Exception):
    """Anything this package refuses."""


class InvalidArgs(PlatformError):
    """`NetworkArgs.az_count: should be less than or equal to 3 (got 5)`, one line for each field."""


class InvalidSettings(PlatformError):
    """`platform.database.instance_class: …`, one line for each field or rule."""


class MissingExtra(PlatformError):
    """Names the extra to install."""


class MissingOutput(PlatformError):
    """Names the stack and the output."""


def explain(error: ValidationError, root: str) -> str:
    """One line for each fault: the field's path, what is allowed, what was given (never a secret)."""
    faults = [fault for fault in error.errors() if not _is_other_form(fault)]
    return "\n".join(dict.fromkeys(_line(root, fault) for fault in faults))


def _is_other_form(fault: ErrorDetails) -> bool:
    """`In[str]` also takes an output or an awaitable; that a value is neither is not worth telling."""
    return fault["type"] == "is_instance_of" and fault.get("ctx", {}).get("class") in {"Awaitable", "Output"}


def _line(root: str, fault: ErrorDetails) -> str:
    path = ".".join([root, *(str(part) for part in fault["loc"] if not _is_form(part))])
    if fault["type"] == "extra_forbidden":
        return f"{path}: there is no such setting"
    if fault["type"] == "missing":
        return f"{path}: is required"
    text = fault["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if fault["type"] == "value_error" and _NAMES_A_FIELD.match(text):
        return "\n".join(f"{path}.{line}" for line in text.splitlines())
    told = fault["type"] == "value_error" or isinstance(fault["input"], dict)
    return f"{path}: {text}" if told else f"{path}: {text} (got {fault['input']!r})"


_NAMES_A_FIELD = re.compile(r"[A-Za-z_0-9]+(\.[A-Za-z_0-9]+)*: ")
"""A rule over several fields begins its sentences with the one to change."""

_FORMS = {"str", "int", "float", "bool"}


def _is_form(part: int | str) -> bool:
    """Pydantic adds to the path which form of a value it tried."""
    return isinstance(part, str) and (part in _FORMS or "[" in part)
