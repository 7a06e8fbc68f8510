"""Names and counts as people read them, in a comment as in a picture."""

LONGEST = 160
"""Characters of an inline text; more are cut off, with an ellipsis in their place."""


def shown(text: str, longest: int = LONGEST) -> str:
    """The text on one line; what is invisible or turns the direction of writing is told by its number."""
    cut = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return "".join(_visible(character) for character in cut)


def counted(number: int, one: str) -> str:
    """`1 resource`, `3 resources`."""
    return f"{number:,} {one if number == 1 else one + 's'}"


def _visible(character: str) -> str:
    return character if character.isprintable() else f"\\u{ord(character):04x}"
