"""References of images and the rules of their repository, as plain functions."""

import hashlib
import re
from typing import Any

from langgraph_components.pure.content_hash import SHORT

_NAME = r"[a-z0-9][a-z0-9._-]*(:\d+)?(/[a-z0-9][a-z0-9._-]*)*"
_TAG = r":[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
_DIGEST = r"@sha256:(?P<digest>[0-9a-f]{64})"
_REFERENCE = re.compile(f"{_NAME}(?P<tag>{_TAG})?({_DIGEST})?")


def digest_of(reference: str) -> str | None:
    """The 64 hex digits of a reference's digest; None where it has only a tag.

    Raises:
        ValueError: it is no reference, or has neither.
    """
    found = _REFERENCE.fullmatch(reference)
    if found is None or not (found["digest"] or found["tag"]):
        message = "must be REGISTRY/NAME@sha256: and 64 hex digits, as a push or `crane digest` prints it"
        raise ValueError(message)
    return found["digest"]


def short_hash(reference: str) -> str:
    """Twelve hex digits that change with the reference: of its digest, or else of its words."""
    return (digest_of(reference) or hashlib.sha256(reference.encode()).hexdigest())[:SHORT]


def lifecycle(keep_last: int) -> dict[str, Any]:
    """The policy of a repository that keeps its newest images."""
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": keep_last}
    description = f"keep the newest {keep_last}"
    rule = {
        "rulePriority": 1,
        "description": description,
        "selection": selection,
        "action": {"type": "expire"},
    }
    return {"rules": [rule]}
