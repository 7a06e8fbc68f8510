"""Bodies of the requests that execute something; a run's row keeps its own, for whoever takes it over."""

from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Literal, Self, TypeVar, cast

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from agent_server.core.errors import Invalid, shorten

RECURSION_LIMIT = 50
RESERVED_METADATA = frozenset(
    {
        *("run_id", "thread_id", "source", "step", "parents", "writes"),
        *("checkpoint_id", "checkpoint_ns", "checkpoint_map"),
        *("counters_since_delta_snapshot", "delta_writes_versioned"),
        *("revision_id", "usage_metadata"),
    }
)
"""Set by us or by LangGraph in a checkpoint's metadata, or read from there: a thread may depend on them.
The last two are what LangSmith is told of a run without its content."""
RESERVED_METADATA_PREFIXES = ("langgraph_", "lc_", "ls_", "__")
"""Of what LangGraph and LangChain tell of a node, a model or an agent, and read back where they stream it."""
RESERVED_CONFIGURABLE = ("thread_id", "checkpoint_id", "checkpoint_ns", "checkpoint_map")
"""They name a checkpoint: not even a config schema that declares them opens them to clients."""

TAGS_MAX = 100
KEYS_MAX = 100
"""Of `metadata` and of `configurable`."""
ERRORS_MAX = 20
"""Of the wrong fields of one body, so many are told."""
DETAIL_CHARACTERS = 2000
FIELD_CHARACTERS = 200

Mode = Literal["values", "updates", "messages", "custom", "events"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Above what a client may ask for."""

    recursion_limit: int
    """Supersteps."""
    timeout_seconds: float
    """Wall clock of a run over all its attempts."""


def _bounded(value: Any, info: ValidationInfo) -> Any:
    """Hold a field below its bound. What a run's row keeps was so when it came, and is not asked again."""
    bound = getattr(info.context, str(info.field_name), None)
    if value is not None and bound is not None and value > bound:
        msg = f"Input should be less than or equal to {bound:g}"
        raise ValueError(msg)
    return value


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _thread_id(value: object) -> object:
    if value in {".", ".."}:
        msg = "'.' and '..' are path segments, not thread ids"
        raise ValueError(msg)
    return value


def _metadata(value: object) -> object:
    for key in cast("dict[object, object]", value) if isinstance(value, dict) else ():
        if key in RESERVED_METADATA or str(key).startswith(RESERVED_METADATA_PREFIXES):
            msg = f"{key!r} is set by the server"
            raise ValueError(msg)
    return value  # pyright: ignore[reportUnknownVariableType]  # checked by the field's own type


def _configurable(value: object) -> object:
    for key in cast("dict[object, object]", value) if isinstance(value, dict) else ():
        if key in RESERVED_CONFIGURABLE or str(key).startswith("__"):
            msg = f"{key!r} is LangGraph's own"
            raise ValueError(msg)
    return value  # pyright: ignore[reportUnknownVariableType]  # checked by the field's own type


ThreadId = Annotated[str, Field(min_length=1, max_length=255), BeforeValidator(_thread_id)]
Modes = Annotated[list[Mode], Field(min_length=1, max_length=5), BeforeValidator(_listed)]
Keys = Annotated[dict[str, Any], Field(max_length=KEYS_MAX)]


class Body(BaseModel):
    """A body whose every field is named here: anything else is refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _few(cls, content: object) -> object:
        """Leave out unknown fields beyond those that are told: pydantic makes an error of each."""
        if not isinstance(content, dict) or len(cast("dict[str, Any]", content)) <= ERRORS_MAX:
            return content  # pyright: ignore[reportUnknownVariableType]  # checked by pydantic
        fields = cast("dict[str, Any]", content)
        unknown = (key for key in fields if key not in cls.model_fields)
        left = {*islice(unknown, ERRORS_MAX), *cls.model_fields}
        return {key: fields[key] for key in left if key in fields}


B = TypeVar("B", bound=Body)


class RunConfig(Body):
    """What of LangGraph's config a client may set."""

    recursion_limit: Annotated[int, Field(ge=1), AfterValidator(_bounded)] = RECURSION_LIMIT
    """Supersteps at most."""
    timeout_seconds: Annotated[
        Annotated[float, Field(gt=0, allow_inf_nan=False)] | None, AfterValidator(_bounded)
    ] = None
    """Wall clock over all attempts; without, the server's own."""
    tags: Annotated[list[str], Field(max_length=TAGS_MAX)] = []
    metadata: Annotated[Keys, BeforeValidator(_metadata)] = {}
    """For events and traces; its strings, numbers and booleans are kept with every checkpoint of the run."""
    context: dict[str, Any] | None = None
    """The graph's run-time context, checked against its schema."""
    configurable: Annotated[Keys, BeforeValidator(_configurable)] = {}
    """Keys that the graph's config schema declares, and no others."""


class _Run(Body):
    config: RunConfig = Field(default_factory=RunConfig)
    stream_mode: Modes = ["updates"]
    """What the run's log holds."""
    subgraphs: bool = False
    """Whether events of subgraphs are logged too."""
    on_disconnect: Literal["continue", "cancel"] = "continue"

    @model_validator(mode="after")
    def _default_below(self, info: ValidationInfo) -> Self:
        """Hold the default below the bound, too."""
        if isinstance(info.context, Bounds) and self.config.recursion_limit > info.context.recursion_limit:
            update = {"recursion_limit": info.context.recursion_limit}
            self.config = self.config.model_copy(update=update)
        return self


class InputBody(_Run):
    """Of `invoke` and `stream`."""

    input: Any
    """The graph's input; null goes on from the last checkpoint."""
    thread_id: ThreadId | None = None
    on_busy: Literal["reject", "enqueue"] = "reject"


class ResumeBody(_Run):
    """Of `resume`: either field, never both."""

    thread_id: ThreadId
    resume_data: Any = None
    """The answer to the one interrupt that waits."""
    interrupts: dict[str, Any] | None = None
    """Answers by interrupt id."""


class StateBody(Body):
    """Of `POST state`."""

    thread_id: ThreadId
    values: dict[str, Any] | None
    as_node: str | None = None


def parse(model: type[B], content: Any, bounds: Bounds | None = None) -> B:
    """Check a body; raises Invalid with `errors: [{field, message}]`."""
    if not isinstance(content, dict):
        msg = "The body must be a JSON object."
        raise Invalid(msg)
    try:
        return model.model_validate(content, context=bounds)
    except ValidationError as error:
        errors = [
            {
                "field": shorten(".".join(str(part) for part in item["loc"]), FIELD_CHARACTERS),
                "message": item["msg"],
            }
            for item in error.errors(include_url=False, include_input=False, include_context=False)[
                :ERRORS_MAX
            ]
        ]
        detail = "; ".join(f"{item['field']}: {item['message']}" for item in errors)
        msg = f"The body is not valid: {shorten(detail, DETAIL_CHARACTERS)}."
        raise Invalid(msg, errors=errors) from None


def stored(model: type[B], payload: str) -> B:
    """Read the body that a run's row keeps."""
    return model.model_validate(orjson.loads(payload))
