"""A comment as a Markdown parser sees it: which HTML it holds, and which text stands where."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from markdown_it import MarkdownIt

OURS = {
    *("b", "code", "details", "h3", "h4", "li", "p", "sub", "summary", "table", "td", "th", "tr", "ul"),
}
"""The elements that a comment of ours has in its HTML."""

MARKDOWN = {
    "blockquote_close",
    "blockquote_open",
    "fence",
    "html_block",
    "inline",
    "paragraph_close",
    "paragraph_open",
}
"""The blocks of Markdown that it has."""

SENTENCES = re.compile(
    r"\[!(CAUTION|WARNING)\]\n\*\*[\w ,.]+\*\* [\w ,.:]+(`pulumi preview` knows\.)?"
    r"|… \d+ more [a-z ]+, for which this comment has no room\."
)
"""All that it says in Markdown itself."""


@dataclass
class Seen:
    """What is left of a comment when the parser has done its work."""

    blocks: list[str] = field(default_factory=list)
    html: str = ""
    fences: list[str] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)


def seen(comment: str) -> Seen:
    """Parsed as CommonMark with tables, HTML allowed: what GitHub does before it cleans up."""
    found = Seen()
    for token in MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(comment):
        found.blocks.append(token.type)
        if token.type == "html_block":
            found.html += token.content
        elif token.type == "fence":
            found.fences.append(token.content)
        elif token.type == "inline":
            found.inline.append(token.content)
    return found


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.comments: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in OURS, tag
        assert not attrs, attrs
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data))

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def check_harmless(comment: str) -> list[str]:
    """Assert that it has the structure of ours and no other; return the texts inside `<code>`."""
    found = seen(comment)
    assert {*found.blocks} <= MARKDOWN
    for text in found.inline:
        assert SENTENCES.fullmatch(text), text
    elements = _Elements()
    elements.feed(found.html)
    elements.close()
    assert elements.open == []
    assert len(elements.comments) == 1
    assert comment.isprintable() or not [c for c in comment if not c.isprintable() and c != "\n"]
    for owner, text in elements.texts:
        assert owner == "code" or not set(text) & set("@<>`|[]"), text
    return [text for owner, text in elements.texts if owner == "code"]
