"""Calls to a language model that end: with a usable answer, or with `ModelUnavailableError`.

    ModelUnavailableError     the model gave nothing to use; the caller works by rule instead
    ├── ModelRefusedError
    ├── ModelBusyError
    ├── ModelSlowError
    └── ModelFailedError

A provider's own errors never leave this module, so that no graph depends on a provider's package.
"""

import asyncio
import logging
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, cast

from langchain_core.exceptions import ModelRateLimitError, ModelTimeoutError
from langchain_core.messages import AIMessage, AnyMessage
from langgraph.constants import TAG_NOSTREAM
from pydantic import BaseModel, ValidationError

from graphs.common.model import WrongModelError, load_chat_model

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

logger = logging.getLogger(__name__)

CALL_SECONDS: float = 100
"""The longest one call may take with all its retries, in seconds. The clients obey a provider's
Retry-After (OpenAI's up to two minutes, Anthropic's up to 49 days), so this must be kept here."""

Schema = TypeVar("Schema", bound=BaseModel)


class ModelUnavailableError(Exception):
    """The language model gave no usable answer; the text is a sentence that a customer may read."""

    reason: ClassVar[str]
    sentence: ClassVar[str]

    def __init__(self) -> None:
        """Say the class's sentence."""
        super().__init__(self.sentence)


class ModelRefusedError(ModelUnavailableError):
    """The provider marks the answer as a refusal."""

    reason = "refused"
    sentence = "The language model refused to answer."


class ModelBusyError(ModelUnavailableError):
    """The provider answered 429 until the tries were used up."""

    reason = "busy"
    sentence = "The language model was too busy."


class ModelSlowError(ModelUnavailableError):
    """The call took longer than `CALL_SECONDS`, or the provider was silent for too long."""

    reason = "slow"
    sentence = "The language model took too long."


class ModelFailedError(ModelUnavailableError):
    """Anything else: no connection, 5xx, a rejected key, an answer that is empty or breaks its schema."""

    reason = "failed"
    sentence = "The language model could not be used."


async def usable_model() -> "BaseChatModel | None":
    """Return the model that the environment names, or None without a key.

    Raises:
        ModelUnavailableError: AGENT_MODEL cannot be used; the log says why.
    """
    try:
        return await load_chat_model()
    except WrongModelError as error:
        logger.warning("working by rule: %s", error)
        raise ModelFailedError from error


async def ask(
    model: "BaseChatModel", messages: Sequence[AnyMessage], tools: Sequence[dict[str, Any]]
) -> AIMessage:
    """Return the model's next message: some text, or calls of `tools` with arguments that are JSON.

    Tokens reach `stream_mode="messages"` while they arrive.

    Raises:
        ModelUnavailableError: it refused, failed, said nothing or not all, or took `CALL_SECONDS`.
    """
    with _translated():
        async with asyncio.timeout(CALL_SECONDS):
            reply = await model.bind_tools(tools).ainvoke(list(messages))
    _check(reply)
    # A refusal that OpenAI streams through Chat Completions arrives as an empty message: the client drops it.
    if reply.invalid_tool_calls or not (reply.text.strip() or reply.tool_calls):
        raise ModelFailedError
    return reply


async def ask_structured(
    model: "BaseChatModel", messages: Sequence[AnyMessage], schema: type[Schema]
) -> Schema:
    """Return the model's answer as a valid `schema`. Its tokens are kept out of `stream_mode="messages"`.

    Providers enforce the schema strictly: each field must be required, and have no bounds on its length.

    Raises:
        ModelUnavailableError: it refused, failed, broke the schema, said not all, or took `CALL_SECONDS`.
    """
    with _translated():
        # As a dict: a class makes the OpenAI client warn about each answer that it streams.
        runnable = model.with_structured_output(
            schema.model_json_schema(), method=_method(model), include_raw=True, strict=True
        )
        async with asyncio.timeout(CALL_SECONDS):
            answer = await runnable.ainvoke(list(messages), config={"tags": [TAG_NOSTREAM]})
    result = cast("dict[str, Any]", answer)
    _check(result["raw"])
    try:
        return schema.model_validate(result["parsed"])
    except ValidationError as error:
        logger.warning("the model's answer does not fit %s", schema.__name__)
        raise ModelFailedError from error


def _check(reply: AIMessage) -> None:
    if refused(reply):
        raise ModelRefusedError
    # The parsers would complete half an answer to valid JSON.
    if truncated(reply):
        logger.warning("the model's answer was cut off by its limit of tokens")
        raise ModelFailedError


def truncated(reply: AIMessage) -> bool:
    """Tell whether the answer ends where the limit of tokens was reached, each provider in its own way."""
    end = reply.response_metadata
    by_chat_completions = end.get("finish_reason") == "length"
    by_responses = end.get("status") == "incomplete"
    by_anthropic = end.get("stop_reason") in {"max_tokens", "model_context_window_exceeded"}
    return by_chat_completions or by_responses or by_anthropic


def refused(reply: AIMessage) -> bool:
    """Tell whether the provider marks this answer as a refusal, each in its own way."""
    if reply.additional_kwargs.get("refusal"):  # OpenAI, Chat Completions
        return True
    if reply.response_metadata.get("stop_reason") == "refusal":  # Anthropic
        return True
    if reply.response_metadata.get("finish_reason") == "content_filter":  # OpenAI and its gateways
        return True
    blocks = reply.content if isinstance(reply.content, list) else []
    return any(_is_refusal(block) for block in blocks)  # OpenAI, Responses


def _is_refusal(block: "str | dict[str, Any]") -> bool:
    if isinstance(block, str):
        return False
    value = block.get("value")
    nested = isinstance(value, dict) and "refusal" in value
    return block.get("type") == "refusal" or nested


def _method(model: "BaseChatModel") -> Literal["json_schema", "function_calling"]:
    """Choose the provider's own structured output where the model's profile promises it, else a tool call."""
    return "json_schema" if (model.profile or {}).get("structured_output", True) else "function_calling"


@contextmanager
def _translated() -> Generator[None, None, None]:
    try:
        yield
    except Exception as error:  # SDK, transport and parser may raise anything; all of it means "no answer"
        # Only the kind: an error's text may hold parts of the prompt or of the key.
        logger.warning("model call failed: %s", type(error).__name__)
        raise _kind(error) from error


def _kind(error: Exception) -> ModelUnavailableError:
    if isinstance(error, ModelRateLimitError):
        return ModelBusyError()
    return ModelSlowError() if isinstance(error, ModelTimeoutError | TimeoutError) else ModelFailedError()
