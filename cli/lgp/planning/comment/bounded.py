"""A text of a bounded length: the most important first, and an honest count of what is left out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

LIMIT = 65_536
"""Bytes of a comment. GitHub refuses more than as many characters: `body is too long (maximum is 65536
characters)` (https://github.com/danger/danger/issues/424); a character is at least one byte."""


@dataclass(frozen=True)
class Section:
    """A heading and what is below it, the most important first."""

    title: str
    """HTML of one line, ours or escaped; it is in sight when the section is folded."""
    parts: Sequence[str]
    """Blocks of Markdown or HTML, each complete in itself."""
    noun: str
    """What one part is about: `resource`."""
    folded: bool = True
    wrap: Callable[[list[str]], str] = field(default="\n\n".join)
    """Makes one text of the parts."""

    def text(self, number: int) -> str:
        """The section with its first parts only, and a line for those left out."""
        blocks = [self.wrap(list(self.parts[:number]))] if number else []
        if left := len(self.parts) - number:
            many = f"{left} more {self.noun}{'s' * (left != 1)}"
            many = f"{left} more {self.noun}{'s' * (left != 1)}"
            blocks.append(f"… {many}, for which this comment has no room.")
        if not self.folded:
            return "\n\n".join([f"<h4>{self.title}</h4>", *blocks])
        return "\n\n".join([f"<details><summary>{self.title}</summary>", *blocks, "</details>"])


def fitted(head: Sequence[str], sections: Sequence[Section], foot: str, limit: int = LIMIT) -> str:
    """All of it if it fits; else each section in turn with as much as there is room for.

    Every section keeps its title and its count, however little room is left.
    """
    shown = [0] * len(sections)

    def text() -> str:
        bodies = [each.text(number) for each, number in zip(sections, shown, strict=True) if each.parts]
        return "\n\n".join([*head, *bodies, foot]) + "\n"

    for place, section in enumerate(sections):
        fits, above = 0, len(section.parts) + 1
        while above - fits > 1:
            shown[place] = (fits + above) // 2
            if len(text().encode()) <= limit:
                fits = shown[place]
            else:
                above = shown[place]
        shown[place] = fits
    return text()
