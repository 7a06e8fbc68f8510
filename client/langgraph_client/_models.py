"""What the server's answers become: small frozen records, times in UTC.

A field the server adds is ignored, a field the contract promises and that is missing is `UnexpectedAnswer`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeAlias, TypedDict, TypeVar

T = TypeVar("T")

RunStatus: TypeAlias = Literal[
    "pending", "running", "success", "interrupted", "error", "timeout", "cancelled"
]
ThreadStatus: TypeAlias = Literal["idle", "busy", "interrupted", "error"]
StreamMode: TypeAlias = Literal["values", "updates", "messages", "custom", "events"]
OnBusy: TypeAlias = Literal["reject", "enqueue"]
OnDisconnect: TypeAlias = Literal["continue", "cancel"]

ENDED: frozenset[RunStatus] = frozenset({"success", "interrupted", "error", "timeout", "cancelled"})


class RunConfig(TypedDict, total=False):
    """The keys of `config` that the server takes."""

    recursion_limit: int
    """Steps a run may take, 1 to 200; 50 by default."""
    tags: Sequence[str]
    metadata: Mapping[str, Any]
    context: Mapping[str, Any]
    """The graph's run-time context."""
    configurable: Mapping[str, Any]
    """What the graph's own config schema declares, and nothing else: the thread is `thread_id`'s business."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupt:
    """A question a graph waits for; its id is a key of `resume(interrupts=…)`."""

    id: str
    value: Any
    response_schema: Mapping[str, Any] | None = None
    """JSON Schema of an acceptable answer, where the graph gave one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """How a run ended, or where it stands when it was started with `background=True`."""

    thread_id: str
    run_id: str
    status: RunStatus
    interrupts: tuple[Interrupt, ...]
    result: Any
    """The graph's output; None while there is none."""

    @property
    def interrupted(self) -> bool:
        """Whether the run waits for a human: answer with `resume`."""
        return self.status == "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFault:
    """Why a run ended as `error`, `timeout` or `cancelled`."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as the server keeps it."""

    run_id: str
    thread_id: str
    graph: str
    status: RunStatus
    attempt: int
    """Which process in turn executes it; above 1 after a crash or a hand-over."""
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    created_by: str | None
    result: Any
    interrupts: tuple[Interrupt, ...]
    error: RunFault | None

    @property
    def ended(self) -> bool:
        """Whether its status is final."""
        return self.status in ENDED

    @property
    def interrupted(self) -> bool:
        """Whether it waits for a human: answer with `resume`."""
        return self.status == "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The name of one saved state; `checkpoint_id` is what `history(before=…)` takes."""

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A thread's state at one checkpoint."""

    thread_id: str
    values: Any
    next: tuple[str, ...]
    """The nodes that would run next; empty when the graph is through."""
    interrupts: tuple[Interrupt, ...]
    checkpoint: Checkpoint | None
    parent_checkpoint: Checkpoint | None
    created_at: datetime | None
    metadata: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A conversation, owned by one graph."""

    thread_id: str
    graph: str | None
    status: ThreadStatus
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file of a thread; `attachment_id` is what a graph takes."""

    attachment_id: str
    thread_id: str
    filename: str
    content_type: str
    size: int
    """Bytes."""
    created_by: str
    created_at: datetime
    stored: bool
    """Whether its content has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A graph the server offers; schemas are JSON Schema."""

    name: str
    description: str | None
    input_schema: Mapping[str, Any] | None
    output_schema: Mapping[str, Any] | None
    context_schema: Mapping[str, Any] | None
    config_schema: Mapping[str, Any] | None
    mermaid: str | None
    """Its drawing, as Mermaid source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a probe answered."""

    status: str
    version: str
    database: str | None = None
    """`connected`, from `ready` only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """Some of a longer list; iterating gives its items."""

    items: tuple[T, ...]
    total: int
    """How many there are on all pages."""

    def __iter__(self) -> Iterator[T]:
        """Go through the items of this page."""
        return iter(self.items)

    def __len__(self) -> int:
        """Return how many items this page holds."""
        return len(self.items)


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event of a run.

    `metadata` comes first and `end` last. `gap` says that a process died: what came after `data["after"]`
    (an event id, or None for the beginning) may differ from what follows, so throw away what was made of it.
    """

    event: str
    data: Any
    id: str = ""
    """Where this event stands: `join_stream(…, last_event_id=event.id)` goes on behind it."""

    @property
    def mode(self) -> str:
        """The name without the subgraph it came from."""
        return self.event.partition("|")[0]

    @property
    def namespace(self) -> tuple[str, ...]:
        """The path of the subgraph it came from; empty for the graph itself."""
        return tuple(self.event.split("|")[1:])
