"""Physical names: computed from project, stack and part, and cut to what a service admits."""

import hashlib
import re


def physical(*parts: str, limit: int) -> str:
    """Parts joined by hyphens: lower case letters, digits, single hyphens, a letter first, `limit` at most.

    What is too long ends in eight digits of its hash, so two long names that differ stay different.

    Raises:
        ValueError: nothing is left of the parts.
    """
    name = re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")
    if not name:
        message = f"no name can be made of {parts!r}"
        raise ValueError(message)
    if not name[0].isalpha():
        name = f"n-{name}"
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: limit - 9].rstrip('-')}-{digest}"
