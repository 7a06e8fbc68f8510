"""No secret is readable in what the engine keeps, prints or hands out."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from engine.world import CANARY, ENGINE_SECONDS, Deployed

pytestmark = pytest.mark.timeout(ENGINE_SECONDS)

_SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The key under which a state marks a value that is not plain."""


def secrets_in(value: Any) -> Iterator[str]:
    """All texts in an export with `--show-secrets` that are secret."""
    if isinstance(value, dict):
        if _SIGNATURE in value:
            yield from texts_in(json.loads(value["plaintext"]))
        else:
            for item in value.values():
                yield from secrets_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from secrets_in(item)


def texts_in(value: Any) -> Iterator[str]:
    """All texts in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts_in(item)


def readings(secret: str) -> set[str]:
    """How a secret may stand in a text: as it is, as JSON has it, and as a Kubernetes Secret has it."""
    encoded = base64.b64encode(secret.encode()).decode()
    return {secret, json.dumps(secret)[1:-1], encoded.rstrip("=")}


def test_no_secret_is_readable_in_the_state_or_in_what_was_printed(deployed: Deployed) -> None:
    shown = json.loads(deployed.world.pulumi("stack", "export", "--show-secrets", "--stack", deployed.name))
    secrets = {CANARY, *(text for text in secrets_in(shown) if len(text) > 8)}
    assert len(secrets) > 1
    exported, printed = deployed.world.exported(deployed.name), deployed.told.text()
    kept = "".join(file.read_text() for file in (deployed.world.base / "backend").rglob("*.json"))
    assert deployed.name in kept
    found = [
        (place, secret[:3] + "…")
        for secret in secrets
        for reading in readings(secret)
        for place, text in {"export": exported, "printed": printed, "backend": kept}.items()
        if reading in text
    ]
    assert found == []
