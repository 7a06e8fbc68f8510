"""What happens inside a graph, as spans: its nodes, its calls of models and tools.

The names are those of OpenTelemetry's semantic conventions for generative AI. Prompts, inputs and answers
are left out unless TRACE_CONTENT is on; so is what an exception says, for it may quote them.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, cast
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.tracers.context import register_configure_hook
from langgraph.errors import GraphBubbleUp
from opentelemetry.trace import Span, SpanKind, StatusCode, get_current_span, set_span_in_context
from typing_extensions import override

from agent_server.core.errors import shorten
from agent_server.core.jsonio import dumps
from agent_server.core.spans import Spans

CONTENT_CHARACTERS = 16_000
"""Of any input or answer, so much is in a span."""

_HANDLER: ContextVar["SpanHandler | None"] = ContextVar("span_handler", default=None)


@contextmanager
def traced_graph(spans: Spans) -> Generator[None]:
    """Make spans of what graphs do in this block, below the span that is open here."""
    _registered()
    token = _HANDLER.set(SpanHandler(spans, get_current_span()))
    try:
        yield
    finally:
        _HANDLER.reset(token)


@cache
def _registered() -> None:
    """Have LangChain look for a handler in our variable, once a process."""
    register_configure_hook(_HANDLER, inheritable=True)


class SpanHandler(BaseCallbackHandler):
    """Makes a span of each node, model call and tool call of one run; whatever is between them has none."""

    run_inline = True  # in the order in which things happen, not in threads

    def __init__(self, spans: Spans, root: Span) -> None:
        self._spans = spans
        self._root = root
        self._open: dict[UUID, Span] = {}
        self._known: dict[UUID, Span] = {}

    @override
    def on_chain_start(
        self,
        serialized: dict[str, Any] | None,
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Open a node's span."""
        node = (metadata or {}).get("langgraph_node")
        if node is None or kwargs.get("name") != node or not _is_step(tags):
            self._known[run_id] = self._parent(parent_run_id)
            return
        attributes = {"langgraph.node": node, "langgraph.step": (metadata or {}).get("langgraph_step", 0)}
        self._start(run_id, parent_run_id, f"node {node}", SpanKind.INTERNAL, attributes)
        self._tell(run_id, "langgraph.input", inputs)

    @override
    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Close it."""
        self._known.pop(run_id, None)
        self._tell(run_id, "langgraph.output", outputs)
        self._end(run_id)

    @override
    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Close it; an interrupt is no failure."""
        self._known.pop(run_id, None)
        self._end(run_id, error)

    @override
    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Open a chat model's span."""
        self._start_model(run_id, parent_run_id, "chat", metadata or {})
        self._tell(run_id, "gen_ai.input.messages", [message.model_dump() for message in messages[0]])

    @override
    def on_llm_start(
        self,
        serialized: dict[str, Any],
        prompts: list[str],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Open the span of a model that completes text."""
        self._start_model(run_id, parent_run_id, "text_completion", metadata or {})
        self._tell(run_id, "gen_ai.input.messages", prompts)

    @override
    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """Close it, with the tokens that were used."""
        message = _message(response)
        if message is not None and run_id in self._open:
            self._open[run_id].set_attributes(_used(message))
            self._tell(run_id, "gen_ai.output.messages", message.model_dump())
        self._end(run_id)

    @override
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Close it as failed."""
        self._end(run_id, error)

    @override
    def on_tool_start(
        self,
        serialized: dict[str, Any] | None,
        input_str: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        **kwargs: Any,
    ) -> None:
        """Open a tool's span."""
        name = str(kwargs.get("name") or (serialized or {}).get("name") or "tool")
        attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
        self._start(run_id, parent_run_id, f"execute_tool {name}", SpanKind.INTERNAL, attributes)
        self._tell(run_id, "gen_ai.tool.call.arguments", input_str)

    @override
    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Close it."""
        self._tell(run_id, "gen_ai.tool.call.result", output)
        self._end(run_id)

    @override
    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Close it as failed."""
        self._end(run_id, error)

    def _start_model(
        self, run_id: UUID, parent: UUID | None, operation: str, metadata: dict[str, Any]
    ) -> None:
        model = str(metadata.get("ls_model_name", ""))
        attributes = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": metadata.get("ls_provider"),
            "gen_ai.request.model": model,
            "gen_ai.request.temperature": metadata.get("ls_temperature"),
            "gen_ai.request.max_tokens": metadata.get("ls_max_tokens"),
        }
        self._start(run_id, parent, f"{operation} {model}".strip(), SpanKind.CLIENT, attributes)

    def _start(
        self, run_id: UUID, parent: UUID | None, name: str, kind: SpanKind, attributes: dict[str, Any]
    ) -> None:
        told = {key: value for key, value in attributes.items() if value not in {None, ""}}
        context = set_span_in_context(self._parent(parent))
        self._open[run_id] = self._spans.tracer.start_span(name, context, kind, told)

    def _parent(self, run_id: UUID | None) -> Span:
        if run_id is None:
            return self._root
        return self._open.get(run_id) or self._known.get(run_id, self._root)

    def _end(self, run_id: UUID, error: BaseException | None = None) -> None:
        span = self._open.pop(run_id, None)
        if span is None:
            return
        if error is not None and not isinstance(error, GraphBubbleUp):
            span.set_status(StatusCode.ERROR, str(error) if self._spans.with_content else None)
            span.set_attribute("error.type", type(error).__qualname__)
        span.end()

    def _tell(self, run_id: UUID, name: str, content: Any) -> None:
        """Add content to a span, where that is wanted."""
        if self._spans.with_content and run_id in self._open:
            text = content if isinstance(content, str) else dumps(content).decode()
            self._open[run_id].set_attribute(name, shorten(text, CONTENT_CHARACTERS))


def _is_step(tags: list[str] | None) -> bool:
    return any(tag.startswith("graph:step:") for tag in tags or ())


def _message(response: LLMResult) -> AIMessage | None:
    first = response.generations[0][0] if response.generations and response.generations[0] else None
    return (
        first.message if isinstance(first, ChatGeneration) and isinstance(first.message, AIMessage) else None
    )


def _used(message: AIMessage) -> dict[str, Any]:
    """What a model says about its answer, without the answer."""
    told = cast("dict[str, Any]", message.response_metadata)  # pyright: ignore[reportUnknownMemberType]  # LangChain's dict
    usage = cast("dict[str, Any]", message.usage_metadata or {})
    reason = told.get("finish_reason") or told.get("stop_reason")
    attributes = {
        "gen_ai.response.model": told.get("model_name") or told.get("model"),
        "gen_ai.response.id": told.get("id") or message.id,
        "gen_ai.response.finish_reasons": [reason] if reason else None,
        "gen_ai.usage.input_tokens": usage.get("input_tokens"),
        "gen_ai.usage.output_tokens": usage.get("output_tokens"),
    }
    return {key: value for key, value in attributes.items() if value is not None}
