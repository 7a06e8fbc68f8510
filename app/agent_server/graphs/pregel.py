"""The part of LangGraph's `Pregel` that this server uses, with types that a checker can follow."""

# pyright: reportMissingTypeStubs=false
# langgraph has types, but no stubs for a checker to find under every layout of its namespace package.

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, Protocol, Self, cast

from langchain_core.runnables import RunnableConfig
from langgraph.graph import StateGraph
from langgraph.pregel import Pregel
from langgraph.types import StateSnapshot


class Drawing(Protocol):
    """What `get_graph()` returns."""

    def draw_mermaid(self) -> str:
        """Return the drawing as Mermaid text."""
        ...


class Graph(Protocol):
    """A compiled graph. The docstrings of `langgraph.pregel.Pregel` hold."""

    channels: Mapping[str, Any]
    nodes: Mapping[str, Any]
    context_schema: type[Any] | None
    output_channels: str | Sequence[str]
    interrupt_before_nodes: str | Sequence[str]
    interrupt_after_nodes: str | Sequence[str]
    builder: Any

    def copy(self, update: dict[str, Any]) -> Self: ...  # noqa: D102  # as in Pregel, and so below
    def astream(self, input: Any, config: RunnableConfig, **options: Any) -> AsyncIterator[Any]: ...  # noqa: A002, D102
    def astream_events(  # noqa: D102
        self,
        input: Any,  # noqa: A002
        config: RunnableConfig,
        **options: Any,
    ) -> AsyncIterator[dict[str, Any]]: ...
    async def aget_state(self, config: RunnableConfig, *, subgraphs: bool = False) -> StateSnapshot: ...  # noqa: D102
    def aget_state_history(  # noqa: D102
        self, config: RunnableConfig, *, before: RunnableConfig | None = None, limit: int | None = None
    ) -> AsyncIterator[StateSnapshot]: ...
    async def aupdate_state(  # noqa: D102
        self, config: RunnableConfig, values: Any, as_node: str | None = None
    ) -> RunnableConfig: ...
    def get_subgraphs(self, *, recurse: bool = False) -> Iterator[tuple[str, "Graph"]]: ...  # noqa: D102
    def get_graph(self) -> Drawing: ...  # noqa: D102
    def get_input_jsonschema(self) -> dict[str, Any]: ...  # noqa: D102
    def get_output_jsonschema(self) -> dict[str, Any]: ...  # noqa: D102
    def get_context_jsonschema(self) -> dict[str, Any] | None: ...  # noqa: D102


def compiled(made: object) -> Graph | None:
    """Return a compiled graph, or a builder compiled; None for anything else."""
    if isinstance(made, StateGraph):
        return cast("Graph", cast("Any", made).compile())
    return cast("Graph", made) if isinstance(made, Pregel) else None


def is_graph(found: object) -> bool:
    """Whether the object is a graph or a builder, and so no factory, though it may be callable."""
    return isinstance(found, (Pregel, StateGraph))
