"""How wide a text is, at most: nobody knows with which font it is shown."""

from lgp.planning.wording import shown

_WIDTHS = (
    (0.42, "ijlI.,:;'|! -()[]/tfr\""),
    (0.66, "abcdeghknopqsuvxyzJLTFE0123456789?"),
    (0.78, "ABCDGHKNOPQRSUVXYZ&_+<>=~^*#$"),
)
"""Ems of a character, as wide as in DejaVu Sans, the widest of the usual fonts; anything else takes one."""

_EMS = {character: ems for ems, characters in _WIDTHS for character in characters}

BOLD = 1.12
"""How much wider bold letters are."""


def width(text: str, size: float, *, bold: bool = False) -> float:
    """The most that the text takes, in the unit of its size."""
    return sum(_EMS.get(character, 1.0) for character in text) * size * (BOLD if bold else 1)


def cut(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """The text, or as much of its beginning as has room."""
    kept = shown(text, 1000)
    if width(kept, size, bold=bold) <= room:
        return kept
    while kept and width(f"{kept}…", size, bold=bold) > room:
        kept = kept[:-1]
    return f"{kept}…"
