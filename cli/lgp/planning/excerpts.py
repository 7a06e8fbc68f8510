"""A value on one line, and of two long ones the part in which they differ."""

import json
from typing import Any

from lgp.planning.paths import ABSENT

WIDTH = 80
"""Characters shown of a value; `--json` has it whole."""


def excerpt(value: Any) -> str:
    """The beginning of a value, as JSON."""
    return _cut(_text(value), 0)


def excerpts(old: Any, new: Any) -> tuple[str, str]:
    """Both values; of long ones the part around the first place where they differ."""
    before, after = _text(old), _text(new)
    same = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
    start = max(0, same - WIDTH // 4) if max(len(before), len(after)) > WIDTH else 0
    return _cut(before, start), _cut(after, start)


def _text(value: Any) -> str:
    return "" if value is ABSENT else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _cut(text: str, start: int) -> str:
    end = start + WIDTH
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")
