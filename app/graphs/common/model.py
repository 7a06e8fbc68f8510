"""Which language model the bundled graphs call, if any.

This is the only reader of the variables that name a model; the rest of the graphs asks here.
Addresses and further options of the providers' clients stay where their documentation puts them:
`OPENAI_API_BASE`, else `OPENAI_BASE_URL`; `ANTHROPIC_API_URL`, else `ANTHROPIC_BASE_URL`. Without one of them
LangChain's `LANGSMITH_GATEWAY`, if it is set, sends every call through LangSmith.
"""

import asyncio
import os
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypedDict

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
"""The variable that holds a provider's key. With both set and no AGENT_MODEL, the first one counts."""

DEFAULTS = {"openai": "openai:gpt-6-luna", "anthropic": "anthropic:claude-haiku-5-5"}
"""The newest small model of each provider that calls tools and is not marked deprecated, by the profiles
that the packages ship: `langchain_openai/data/_profiles.py` 1.7.3, `langchain_anthropic/data/_profiles.py`
1.7.7. A test holds these names to the installed profiles."""

ADDRESSES = (
    "OPENAI_API_BASE",
    "OPENAI_BASE_URL",
    "ANTHROPIC_API_URL",
    "ANTHROPIC_BASE_URL",
    "LANGSMITH_GATEWAY",
)
"""Read by the clients themselves; listed so that a changed address makes a new client."""

REQUEST_SECONDS: float = 60
"""The longest silence of a provider within one HTTP request, in seconds."""

MAX_RETRIES = 2
"""Further tries of one call after 408, 409, 429, 5xx or a lost connection, as Retry-After asks."""


ANTHROPIC_MAX_TOKENS = 16_000
"""Anthropic's API demands a bound on the answer, in tokens; the client's own is the model's limit."""


class WrongModelError(ValueError):
    """AGENT_MODEL cannot be used: misspelt, or its key or package is missing. The text holds no secret."""


class Choice(NamedTuple):
    """A model and everything of the environment that its client depends on."""

    model: str
    environment: tuple[str | None, ...]


def chat_model() -> "BaseChatModel | None":
    """Return the model that the environment names, or None without a key.

    The first call with a key imports the provider's package, which takes seconds: in async code use
    `load_chat_model`. Later calls return the same client until the environment changes.

    Raises:
        WrongModelError: AGENT_MODEL is not `provider:model`, or its provider's key or package is missing.
    """
    choice = chosen()
    return None if choice is None else _client(choice)


async def load_chat_model() -> "BaseChatModel | None":
    """Do what `chat_model` does without holding up the event loop while packages are imported."""
    return None if chosen() is None else await asyncio.to_thread(chat_model)


def configured() -> bool:
    """Tell whether a model is wanted, without checking that it can be used; False means to work by rule."""
    return bool(_present())


def _present() -> list[str]:
    return [provider for provider, key in KEYS.items() if os.environ.get(key)]


def chosen() -> Choice | None:
    """Return what `chat_model` would build, without building it; None means to work by rule."""
    present = _present()
    if not present:
        return None
    model = os.environ.get("AGENT_MODEL") or DEFAULTS[present[0]]
    _check(model, present)
    return Choice(model, tuple(os.environ.get(name) for name in (*KEYS.values(), *ADDRESSES)))


def _check(model: str, present: list[str]) -> None:
    provider, colon, name = model.partition(":")
    if not (provider and colon and name):
        msg = f"AGENT_MODEL must be provider:model, such as {DEFAULTS['openai']}, not {model!r}"
        raise WrongModelError(msg)
    if provider in KEYS and provider not in present:
        msg = f"AGENT_MODEL names {provider}, but {KEYS[provider]} is not set"
        raise WrongModelError(msg)


class _Common(TypedDict):
    timeout: float
    max_retries: int


@lru_cache(maxsize=2)
def _client(choice: Choice) -> "BaseChatModel":
    # The import costs one to three seconds and 20 to 40 MB, which a server without a key must not pay.
    from langchain.chat_models import init_chat_model  # noqa: PLC0415 (see the line above)

    model, common = choice.model, _Common(timeout=REQUEST_SECONDS, max_retries=MAX_RETRIES)
    try:
        if model.startswith("anthropic:"):
            return init_chat_model(model, max_tokens=ANTHROPIC_MAX_TOKENS, **common)
        if model.startswith("openai:gpt-"):
            # OpenAI's Responses API, where these models' tools work, keeps every answer unless told not to.
            return init_chat_model(model, store=False, **common)
        return init_chat_model(model, **common)
    except (ImportError, ValueError) as error:
        msg = f"AGENT_MODEL={model} cannot be used: its provider is unknown or its package not installed"
        raise WrongModelError(msg) from error
