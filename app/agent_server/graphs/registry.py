"""The graphs of this process: loaded, checked and described once, at the start."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from langgraph.constants import END
from langgraph.store.base import BaseStore
from pydantic import BaseModel, ValidationError

from agent_server.core.errors import ConfigurationError, InvalidInput, UnknownGraph
from agent_server.graphs.checks import Shape
from agent_server.graphs.config import Durability, GraphEntry, read_graphs_file
from agent_server.graphs.loading import blaming, import_graph, prepare_process
from agent_server.graphs.pregel import Graph
from agent_server.graphs.schemas import context_schema, declared, input_schema, names_own_input, output_schema
from agent_server.graphs.strict import StrictSerializer, TypeName, require_strict_mode, serializer_for
from agent_server.storage.saver import ReadOnlySaver

_NO_KEYS: dict[str, Any] = {"type": "object", "properties": {}}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LoadedGraph:
    """One graph, with all that is told about it. Schemas are JSON Schema."""

    name: str
    description: str
    durability: Durability
    graph: Graph
    serde: StrictSerializer
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
    context_schema: dict[str, Any] | None
    """Of `config.context`, and of `config.configurable`: LangGraph has made one of the two."""
    mermaid: str
    input_shape: Shape
    context_shape: Shape
    configurable_shape: Shape

    def bound(self, saver: ReadOnlySaver, store: BaseStore | None = None) -> Graph:
        """Return the graph with a saver of its own: some 30 µs, against 400 for compiling it again.

        The saver must carry this graph's `serde`; a copy forgets the allow-list that compiling derived.
        """
        return self.graph.copy({"checkpointer": saver, "store": store})

    def described(self) -> dict[str, Any]:
        """Return what `GET /graphs` tells of it."""
        told = ("name", "description", "input_schema", "output_schema", "context_schema", "mermaid")
        return {field: getattr(self, field) for field in told}

    def check_input(self, value: Any) -> None:
        """Raise InvalidInput unless the graph's input schema admits the value."""
        self.input_shape.check("input", value)
        model = declared(self.graph, "input_schema")
        if isinstance(model, type) and issubclass(model, BaseModel):
            try:
                model.model_validate(value)
            except ValidationError as error:
                raise InvalidInput(_sentence(error)) from None
            except Exception as error:  # a validator of the graph's own may raise anything
                log.warning("a validator failed", graph=self.name, exc_info=error)
                msg = "input: the graph's own validators do not take it."
                raise InvalidInput(msg) from error

    def check_values(self, values: dict[str, Any] | None) -> None:
        """Raise InvalidInput unless every key names a channel of the graph's state."""
        for key in values or {}:
            if key not in self.graph.channels or key.startswith("__") or ":" in key:
                msg = f"values: the graph's state has no key {key!r}."
                raise InvalidInput(msg, errors=[{"field": f"values.{key}", "message": "unknown key"}])

    def check_node(self, name: str | None) -> None:
        """Raise InvalidInput unless an update may be made as this node; LangGraph knows names beyond them."""
        if name is not None and name not in self.graph.nodes and name != END:
            names = ", ".join(sorted(self.graph.nodes))
            msg = f"as_node: the graph has no node {name!r}; there are: {names}."
            raise InvalidInput(msg, errors=[{"field": "as_node", "message": "unknown node"}])

    def check_config(self, context: dict[str, Any] | None, configurable: dict[str, Any]) -> None:
        """Raise InvalidInput unless the graph declares every key, with such a value."""
        if context is not None:
            self.context_shape.check("config.context", context)
        if configurable:
            self.configurable_shape.check("config.configurable", configurable)


class Registry(Mapping[str, LoadedGraph]):
    """The graphs by name."""

    def __init__(self, graphs: dict[str, LoadedGraph]) -> None:
        self._graphs = graphs

    def named(self, name: str) -> LoadedGraph:
        """Return the graph, or raise UnknownGraph with the known names."""
        if name not in self._graphs:
            raise UnknownGraph(name, sorted(self._graphs))
        return self._graphs[name]

    def __getitem__(self, name: str) -> LoadedGraph:
        """Return the graph, or raise KeyError."""
        return self._graphs[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._graphs)

    def __len__(self) -> int:
        """Count the graphs."""
        return len(self._graphs)


def load_graphs(path: Path) -> Registry:
    """Load every graph of a `langgraph.json`.

    Raises:
        ConfigurationError: one sentence that names the file's key or the graph that is wrong.
    """
    graphs: dict[str, LoadedGraph] = {}
    for name, loaded in load_each(path):
        if isinstance(loaded, ConfigurationError):
            raise loaded
        graphs[name] = loaded
    log.info("graphs loaded", graphs=sorted(graphs))
    return Registry(graphs)


def load_each(path: Path) -> Iterator[tuple[str, LoadedGraph | ConfigurationError]]:
    """Load the graphs of a `langgraph.json` one after the other: each by its name, or what is wrong with it.

    Raises:
        ConfigurationError: what concerns all of them: the file, its environment, its dependencies.
    """
    require_strict_mode()
    file = read_graphs_file(path)
    folder = path.resolve().parent
    prepare_process(file, folder)
    extra = file.checkpointer.serde.allowed_msgpack_modules
    for name, entry in file.graphs.items():
        try:
            yield name, _load(name, entry, folder, extra)
        except ConfigurationError as error:
            yield name, error


def _load(name: str, entry: GraphEntry, folder: Path, extra: tuple[TypeName, ...]) -> LoadedGraph:
    if not _NAME.fullmatch(name):
        msg = f"graph {name!r}: a name has 1 to 64 letters, digits, _ and -."
        raise ConfigurationError(msg)
    graph, documentation = import_graph(name, entry.path, folder)
    serde = serializer_for(name, graph, extra)
    with blaming(f"graph {name!r} cannot be described"):
        return LoadedGraph(
            name=name,
            description=entry.description or documentation,
            durability=entry.durability,
            graph=graph,
            serde=serde,
            mermaid=graph.get_graph().draw_mermaid(),
            **_schemas(graph),
        )


def _schemas(graph: Graph) -> dict[str, Any]:
    given, context = input_schema(graph), context_schema(graph)
    return {
        "input_schema": given,
        "output_schema": output_schema(graph),
        "context_schema": context,
        "input_shape": Shape(given, required=names_own_input(graph)),
        "context_shape": Shape(context or _NO_KEYS, required=True),
        "configurable_shape": Shape(context or _NO_KEYS, required=False),
    }


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"input.{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
