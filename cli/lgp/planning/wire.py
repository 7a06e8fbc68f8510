"""Property values as the engine's wire format carries them, turned into plain ones."""

from typing import Any

from google.protobuf.struct_pb2 import ListValue, Struct
from pulumi.runtime import rpc

from lgp.planning.values import COMPUTED, Secret

# The wire's signatures are protocol constants that the SDK keeps to itself
# (pulumi/pulumi, sdk/python/lib/pulumi/runtime/rpc.py).
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  # the signature of secrets, not one of them
_RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
_ASSET = "c44067f5952c0a294b673a41bacd8c17"


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
