"""The file `langgraph.json`: the keys of the managed platform's file, each honoured or refused by name.

| key | here |
|---|---|
| `graphs` | loaded; a value is `path:object`, or `{"path", "description", "durability"}` |
| `dependencies` | folders join the import path, requirements are checked as installed |
| `env` | a file or a map; what the environment already has wins |
| `python_version` | compared with the interpreter |
| `checkpointer` | `serde.allowed_msgpack_modules` |
| `pip_config`, `pip_config_file`, `dockerfile_lines`, `base_image`, `image_distro`, `keep_pkg_tools`, `pip_installer`, `$schema` | for the build of an image; no effect on a running server |
| `http`, `auth`, `store`, `ui`, `ui_config`, `webhooks`, `encryption`, `node_version`, `api_version` | refused: the message says what to use instead |
"""  # noqa: E501  # a table row is one line

import difflib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from agent_server.core.errors import ConfigurationError

REFUSED = {
    "http": "CORS is ALLOWED_ORIGINS; routes of your own belong in a service of their own",
    "auth": "access is the environment variable AUTH",
    "store": "the store has no semantic index and no expiry yet",
    "ui": "not served here",
    "ui_config": "not served here",
    "webhooks": "not sent yet",
    "encryption": "not supported yet; encrypt the database's storage",
    "node_version": "only Python graphs are served",
    "api_version": "the version of this server is that of its image",
}

Durability = Literal["sync", "async", "exit"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GraphEntry(_Strict):
    """One graph of the file."""

    path: str
    """`./file.py:object` relative to the file, or `package.module:object`."""
    description: str | None = None
    durability: Durability = "sync"
    """`async` and `exit` are faster; the promises on crashes and side effects hold for `sync` only."""


def _entry(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


class SerdeEntry(_Strict):
    """What checkpoints may hold beyond the types that the graphs' states name."""

    allowed_msgpack_modules: tuple[tuple[str, str], ...] = ()
    """`["module", "Class"]` pairs."""


class CheckpointerEntry(_Strict):
    """The `checkpointer` key."""

    serde: SerdeEntry = SerdeEntry()


class GraphsFile(_Strict):
    """A checked `langgraph.json`."""

    graphs: Annotated[dict[str, Annotated[GraphEntry, BeforeValidator(_entry)]], Field(min_length=1)]
    dependencies: tuple[str, ...] = ()
    env: str | dict[str, str] = Field(default_factory=dict)
    python_version: Annotated[str, Field(pattern=r"^[0-9]{1,3}\.[0-9]{1,3}(\.[0-9]{1,3})?$")] | None = None
    checkpointer: CheckpointerEntry = CheckpointerEntry()
    pip_config: Any = None
    pip_config_file: Any = None
    dockerfile_lines: Any = None
    base_image: Any = None
    image_distro: Any = None
    keep_pkg_tools: Any = None
    pip_installer: Any = None
    schema_: Any = Field(default=None, alias="$schema")


def read_graphs_file(path: Path) -> GraphsFile:
    """Read and check the file.

    Raises:
        ConfigurationError: one sentence that names the file and the key.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_unique)
    except RecursionError:
        msg = f"{path} is nested too deeply."
        raise ConfigurationError(msg) from None
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}."
        raise ConfigurationError(msg) from None
    except ValueError as error:
        msg = f"{path} is not JSON: {error}."
        raise ConfigurationError(msg) from None
    if not isinstance(content, dict):
        msg = f"{path} must hold a JSON object."
        raise ConfigurationError(msg)
    return _checked(path, content)  # pyright: ignore[reportUnknownArgumentType]  # any JSON object


def _checked(path: Path, content: dict[str, Any]) -> GraphsFile:
    for key in content:
        if key in REFUSED:
            msg = f"{path}: the key {key!r} is not supported: {REFUSED[key]}."
            raise ConfigurationError(msg)
    try:
        return GraphsFile.model_validate(content)
    except ValidationError as error:
        wrong = _most_telling(error)
        where = ".".join(str(part) for part in wrong["loc"])
        msg = f"{path}: {where}: {wrong['msg']}{_suggestion(wrong['type'], wrong['loc'])}."
        raise ConfigurationError(msg) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        msg = f"the key {next(name for name in names if names.count(name) > 1)!r} is there twice"
        raise ValueError(msg)
    return result


def _most_telling(error: ValidationError) -> ErrorDetails:
    """Of what is wrong with the first wrong key, the deepest: a union complains once for each member."""
    errors = error.errors(include_url=False, include_input=False)
    return max(
        (item for item in errors if item["loc"][:1] == errors[0]["loc"][:1]), key=lambda e: len(e["loc"])
    )


def _suggestion(kind: str, location: tuple[int | str, ...]) -> str:
    if kind != "extra_forbidden":
        return ""
    near = difflib.get_close_matches(str(location[-1]), _known(location), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _known(location: tuple[int | str, ...]) -> list[str]:
    """The names of the keys that may stand where this one does."""
    if len(location) == 1:
        return [*(field.alias or name for name, field in GraphsFile.model_fields.items()), *REFUSED]
    if location[0] == "graphs":
        return list(GraphEntry.model_fields)
    return list((SerdeEntry if "serde" in location else CheckpointerEntry).model_fields)
