"""What a stack is told: the project's `Pulumi.yaml` with its declared config, and `Pulumi.STACK.yaml`.

The engine applies types, defaults and required values before a program runs; without one it is done here.
A `secure:` value stays encrypted: the program gets a stand-in of the declared type, marked as secret.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from lgp.errors import UsageProblem
from lgp.planning.values import MASK
from lgp.planning.yaml_text import read_mapping

PROJECT_FILE = "Pulumi.yaml"


@dataclass(frozen=True)
class StackInputs:
    """All that a program reads from outside itself."""

    project: str
    stack: str
    program: Path
    """The folder of `__main__.py`."""
    config: dict[str, Any]
    """By full key, `project:platform`; the secret ones are stand-ins."""
    secret_keys: tuple[str, ...]


def read_stack(folder: Path, stack: str) -> StackInputs:
    """The inputs of a stack.

    Raises:
        UsageProblem: no project or stack of that name, or a config value is missing or of another type.
    """
    described = read_mapping(
        folder / PROJECT_FILE, f"{folder} has no {PROJECT_FILE}: it is no Pulumi project"
    )
    project = str(described.get("name") or "")
    if not project:
        message = f"{PROJECT_FILE}: name: is required"
        raise UsageProblem(message)
    given = _given(folder, stack)
    declared: dict[str, Any] = described.get("config") or {}
    rules = {_full(project, key): rule for key, rule in declared.items()}
    config, secret = _resolved(stack_file(stack), given, rules)
    program = folder / str(described.get("main") or ".")
    return StackInputs(project, stack, program, config, tuple(sorted(secret)))


def stacks(folder: Path) -> list[str]:
    """The stacks that have a file here."""
    found = (path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in folder.glob("Pulumi.*.yaml"))
    return sorted(name for name in found if name)


def stack_file(stack: str) -> str:
    """The file of a stack."""
    return f"Pulumi.{stack}.yaml"


def _given(folder: Path, stack: str) -> dict[str, Any]:
    """The config of the stack's file, by full key."""
    known = ", ".join(stacks(folder)) or "none"
    name = stack_file(stack)
    content = read_mapping(folder / name, f"there is no stack {stack!r} ({name}); there are: {known}")
    given: dict[str, Any] = content.get("config") or {}
    for key in given:
        if ":" not in key:
            message = f"{name}: config.{key}: a key is written with its project: `project:{key}`"
            raise UsageProblem(message)
    return given


def _full(project: str, key: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _resolved(
    file: str, given: Mapping[str, Any], declared: Mapping[str, Any]
) -> tuple[dict[str, Any], set[str]]:
    """The values by key, and which keys are secret."""
    config: dict[str, Any] = {}
    secret: set[str] = set()
    for key in sorted({*given, *declared}):
        rule = _Rule.of(key, declared.get(key))
        value = given.get(key, rule.default)
        if value is None:
            if rule.required:
                message = f"{file}: {key}: is required ({rule.type}){rule.told}"
                raise UsageProblem(message)
            continue
        if rule.secret or _is_secure(value) or any(_secure_parts(value)):
            secret.add(key)
        config[key] = _stand_in(value, rule.type) if rule.secret else _hidden(value, rule.type)
        if not _FITS[rule.type](config[key]):
            message = f"{file}: {key}: must be of type {rule.type} (got {_shown(config[key])})"
            raise UsageProblem(message)
    return config, secret


@dataclass(frozen=True)
class _Rule:
    """What `Pulumi.yaml` declares for a key."""

    type: str = "any"
    default: Any = None
    secret: bool = False
    required: bool = False
    told: str = ""

    @classmethod
    def of(cls, key: str, declared: Any) -> "_Rule":
        if not isinstance(declared, dict):
            return cls(default=declared)
        rule = cast("dict[str, Any]", declared)
        type_ = str(rule.get("type", "any"))
        if type_ not in _FITS:
            message = f"{PROJECT_FILE}: config.{key}.type: must be one of {', '.join(sorted(_FITS))}"
            raise UsageProblem(message)
        default = rule.get("default", rule.get("value"))
        told = " ".join(str(rule.get("description", "")).split())
        return cls(type_, default, rule.get("secret") is True, "type" in rule, told and f": {told}")


def as_json(value: Any) -> Any:
    """`pulumi config set` stores everything as text; a text that is JSON stands for its value."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _is_integer(value: Any) -> bool:
    return isinstance(as_json(value), int) and not isinstance(as_json(value), bool)


_FITS: dict[str, Callable[[Any], bool]] = {
    "any": lambda _: True,
    "string": lambda value: not isinstance(value, dict | list),
    "integer": _is_integer,
    "boolean": lambda value: isinstance(as_json(value), bool),
    "array": lambda value: isinstance(as_json(value), list),
    "object": lambda value: isinstance(as_json(value), dict),
}
_STAND_INS: dict[str, Any] = {"integer": 0, "boolean": False, "array": [], "object": {}}


def _is_secure(value: Any) -> bool:
    return isinstance(value, dict) and set(cast("dict[str, Any]", value)) == {"secure"}


def _secure_parts(value: Any) -> Iterator[bool]:
    """One True for each encrypted value inside."""
    if _is_secure(value):
        yield True
    elif isinstance(value, dict):
        for item in cast("dict[str, Any]", value).values():
            yield from _secure_parts(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _secure_parts(item)


def _hidden(value: Any, type_: str = "any") -> Any:
    """The value with a stand-in for each encrypted part."""
    if _is_secure(value):
        return _stand_in(value, type_)
    if isinstance(value, dict):
        return {key: _hidden(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_hidden(item) for item in cast("list[Any]", value)]
    return value


def _stand_in(_: Any, type_: str) -> Any:
    return _STAND_INS.get(type_, MASK)


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"  # noqa: PLR2004  # fits a line
