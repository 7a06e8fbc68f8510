"""Which model is called: by the environment, cheaply without a key, and never a stale client."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from graphs.common import model
from graphs.common.model import (
    ADDRESSES,
    DEFAULTS,
    KEYS,
    WrongModelError,
    chat_model,
    chosen,
    load_chat_model,
)

APP = Path(model.__file__).parents[2]
PROVIDER_PACKAGES = ["anthropic", "langchain", "langchain_anthropic", "langchain_openai", "openai"]


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*KEYS.values(), *ADDRESSES, "AGENT_MODEL"):
        monkeypatch.delenv(name, raising=False)


async def test_without_a_key_there_is_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_MODEL", "openai:gpt-6-luna")
    assert chat_model() is None
    assert await load_chat_model() is None


def test_an_empty_key_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "")
    assert chosen() is None


@pytest.mark.parametrize("provider", KEYS)
def test_a_key_chooses_its_providers_default(monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    monkeypatch.setenv(KEYS[provider], "k")
    choice = chosen()
    assert choice is not None
    assert choice.model == DEFAULTS[provider]


@pytest.mark.parametrize("provider", KEYS)
def test_a_default_is_a_current_model_that_calls_tools(provider: str) -> None:
    profiles = import_module(f"langchain_{provider}.data._profiles")._PROFILES
    profile = profiles[DEFAULTS[provider].partition(":")[2]]
    assert profile["tool_calling"]
    assert profile.get("status") != "deprecated"


def test_agent_model_chooses_among_the_providers_with_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    monkeypatch.setenv("AGENT_MODEL", "anthropic:claude-sonnet-5-5")
    choice = chosen()
    assert choice is not None
    assert choice.model == "anthropic:claude-sonnet-5-5"


@pytest.mark.parametrize("wrong", ["gpt-6-luna", ":gpt-6-luna", "openai:"])
def test_a_misspelt_model_is_refused_with_an_example(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("AGENT_MODEL", wrong)
    with pytest.raises(WrongModelError, match="provider:model, such as openai:"):
        chat_model()


def test_a_model_without_its_providers_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("AGENT_MODEL", "anthropic:claude-haiku-5-5")
    with pytest.raises(WrongModelError, match="ANTHROPIC_API_KEY is not set"):
        chat_model()


@pytest.mark.parametrize("model", ["mistralai:mistral-large", "nobody:knows-it"])
def test_a_model_that_cannot_be_loaded_is_refused(monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("AGENT_MODEL", model)
    with pytest.raises(WrongModelError, match=f"{model} cannot be used"):
        chat_model()


async def test_the_client_is_kept_until_the_environment_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "first")
    first = chat_model()
    assert first is not None
    assert await load_chat_model() is first
    monkeypatch.setenv("OPENAI_API_KEY", "second")
    assert chat_model() is not first


@pytest.mark.parametrize("graph", ["support", "research"])
def test_a_graph_without_a_key_imports_no_providers_package(graph: str) -> None:
    code = (
        f"import sys; import graphs.{graph}.graph; from graphs.common.model import chat_model; chat_model();"
        f"print(sorted(set({PROVIDER_PACKAGES}) & set(sys.modules)))"
    )
    clean = {name: value for name, value in os.environ.items() if name not in KEYS.values()}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**clean, "PYTHONPATH": str(APP)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
