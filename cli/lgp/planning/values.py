"""Property values as the engine's wire format carries them, turned into plain ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.struct_pb2 import ListValue, Struct
from pulumi.runtime import rpc

COMPUTED = "<computed>"
"""Stands for a value that only the cloud knows."""

MASK = "<secret>"
"""Stands for a secret, whatever it is."""

# The wire's signatures are protocol constants that the SDK keeps to itself
# (pulumi/pulumi, sdk/python/lib/pulumi/runtime/rpc.py).
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  # the signature of secrets, not one of them
_RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
_ASSET = "c44067f5952c0a294b673a41bacd8c17"


@dataclass(frozen=True)
class Secret:
    """A value that may be seen by the resource alone. Never printed: `repr` hides it."""

    value: Any

    def __repr__(self) -> str:
        """Nothing of the value."""
        return MASK


def from_wire(value: Any) -> Any:
    """A property as plain Python: `Secret` around secrets, `COMPUTED` for unknowns, whole numbers as int."""
    if isinstance(value, Struct):
        return _from_struct(value)
    if isinstance(value, ListValue):
        return [from_wire(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return COMPUTED if value == rpc.UNKNOWN else value


def _from_struct(struct: Struct) -> Any:
    fields = {key: struct[key] for key in sorted(struct.fields)}
    match fields.get(_SIGNATURE):
        case None:
            return {key: from_wire(value) for key, value in fields.items()}
        case signature if signature == _SECRET:
            return Secret(from_wire(fields["value"]))
        case signature if signature == _RESOURCE:
            return f"${{{_urn_name(str(fields['urn']))}}}"
        case signature if signature == _ASSET:
            return next(from_wire(fields[key]) for key in ("text", "path", "uri") if fields.get(key))
        case _:
            return {key: from_wire(value) for key, value in fields.items() if key != _SIGNATURE}


def _urn_name(urn: str) -> str:
    return urn.rsplit("::", 1)[-1]


def masked(value: Any) -> Any:
    """The same value with `MASK` in the place of each secret."""
    return _mapped(value, _hide)


def revealed(value: Any) -> Any:
    """The same value with its secrets in the clear: for resources' own checks, never for output."""
    return _mapped(value, _show)


def holds_secret(value: Any) -> bool:
    """Whether a secret is anywhere inside."""
    return masked(value) != revealed(value)


def _hide(_: Secret) -> Any:
    return MASK


def _show(secret: Secret) -> Any:
    return revealed(secret.value)


def _mapped(value: Any, on_secret: Callable[[Secret], Any]) -> Any:
    if isinstance(value, Secret):
        return on_secret(value)
    if isinstance(value, Mapping):
        return {key: _mapped(item, on_secret) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]  # any JSON
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_mapped(item, on_secret) for item in value]  # pyright: ignore[reportUnknownVariableType]  # any JSON
    return value
