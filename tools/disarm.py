"""Text of strangers, made fit to be posted by a bot: it can be read, and does nothing.

A comment of a bot notifies whom it mentions, links where it likes, loads pictures, refers to other issues.
None of that may be decided by the author of a pull request. What would do so is broken by a zero-width
space; of tags only those stay that a plan is made of. Who copies from the text copies the spaces, too.
"""

import re

GAP = "\u200b"
TAGS = (
    *("details", "summary", "h3", "h4", "p", "br", "b", "code", "pre", "sub", "ul", "li"),
    *("table", "thead", "tbody", "tr", "th", "td"),
)
"""What a plan's text is made of, beside Markdown; without any attribute."""

_COMMENT = re.compile(r"<!--.*?(-->|$)", re.DOTALL)
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Control characters, and those that turn the direction of writing: a name would not be what it seems."""

_BREAKS = (
    # a tag; a parser takes `<` for text where no letter, `/`, `!` or `?` comes next
    (re.compile(rf"<(?=[A-Za-z/!?])(?!(?:/?(?:{'|'.join(TAGS)})|details open)>)"), f"<{GAP}"),
    # an entity: GitHub looks for mentions when `&#64;` is an `@` already
    (re.compile(r"&(?=#?\w+;)(?!(?:lt|gt|amp|quot|nbsp|#39|#x27|#124);)"), f"&{GAP}"),
    (re.compile(r"@(?=\w)(?!sha256:)"), f"@{GAP}"),  # a mention, an address of mail
    (re.compile(r"#(?=\d)"), f"#{GAP}"),  # an issue
    (re.compile(r"(GH)-(?=\d)", re.IGNORECASE), rf"\1{GAP}-"),  # an issue, too
    (re.compile(r"\](?=\s*[(\[:])"), f"]{GAP}"),  # a link, a picture, a definition of one
    (re.compile(r":(?=//)"), f":{GAP}"),  # an address
    (re.compile(r"(www)\.", re.IGNORECASE), rf"\1{GAP}."),
    (re.compile(r"(mailto|xmpp):", re.IGNORECASE), rf"\1{GAP}:"),
    (
        re.compile(r"^([\s>]*)/(?=[a-z])", re.IGNORECASE | re.MULTILINE),
        rf"\1{GAP}/",
    ),  # an order to another bot
)


def disarmed(text: str) -> str:
    """The same text without mentions, links, pictures, references, other tags and hidden comments."""
    shown = _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    shown = _COMMENT.sub("", shown)
    for pattern, instead in _BREAKS:
        shown = pattern.sub(instead, shown)
    return shown


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters: the beginning, and a line that says what is missing."""
    if len(text) <= limit:
        return text
    kept = text[: limit - 200]
    kept = kept[: kept.rfind("\n") + 1] or kept
    fences = re.findall(r"^`{3,}", kept, re.MULTILINE)
    close = fences[-1] if len(fences) % 2 else ""
    return f"{kept}\n{close}\n\n… {len(text) - len(kept):,} more characters are in the run.\n"
