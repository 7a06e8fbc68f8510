"""Property values of a plan: plain JSON, and secrets in it that nothing prints."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

COMPUTED = "<computed>"
"""Stands for a value that only the cloud knows."""

MASK = "<secret>"
"""Stands for a secret, whatever it is."""


@dataclass(frozen=True)
class Secret:
    """A value that may be seen by the resource alone. Never printed: `repr` hides it."""

    value: Any

    def __repr__(self) -> str:
        """Nothing of the value."""
        return MASK


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
