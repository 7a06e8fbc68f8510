"""How a stack looks: SVG with colours for light and dark, the reader's fonts, words for screen readers."""

from collections.abc import Iterable
from xml.sax.saxutils import escape

from lgp.planning.drawing.flow import flows
from lgp.planning.drawing.groups import Group, grouped
from lgp.planning.drawing.placing import LARGE, NORMAL, PAD, Arrow, Box, Layout, Scene, Sign, Text
from lgp.planning.drawing.text import cut
from lgp.planning.recording import Recording
from lgp.planning.shape import kinds_of
from lgp.planning.wording import counted, shown

WIDTH = 1060.0
"""Pixels; GitHub shows a README some 830 wide, in which the smallest letters are still 8.6 high."""
TOP = 66.0
BOTTOM = 52.0

_LIGHT = {
    ".page": "fill:#ffffff",
    ".d0": "fill:#f6f8fa;stroke:#d1d9e0",
    ".d1": "fill:#ffffff;stroke:#d1d9e0",
    ".title,.name": "fill:#1f2328",
    ".line": "fill:#1f2328",
    ".kind": "fill:#59636e",
    ".arrow": "stroke:#818b98",
    ".head": "fill:#818b98",
    ".aws": "fill:#d4661a",
    ".kubernetes": "fill:#0969da",
    ".chart": "fill:#8250df",
    ".other": "fill:#818b98",
    ".stateful": "stroke:#1a7f37",
    ".protected": "stroke:#1a7f37",
    ".lock": "fill:#1a7f37",
}
_DARK = {
    ".page": "fill:#0d1117",
    ".d0": "fill:#151b23;stroke:#3d444d",
    ".d1": "fill:#0d1117;stroke:#3d444d",
    ".title,.name": "fill:#f0f6fc",
    ".line": "fill:#f0f6fc",
    ".kind": "fill:#9198a1",
    ".arrow": "stroke:#656c76",
    ".head": "fill:#656c76",
    ".aws": "fill:#f0883e",
    ".kubernetes": "fill:#4493f8",
    ".chart": "fill:#ab7df8",
    ".other": "fill:#656c76",
    ".stateful": "stroke:#3fb950",
    ".protected": "stroke:#3fb950",
    ".lock": "fill:#3fb950",
}
_FONT = "font-family:ui-sans-serif,system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif"

_LEGEND = (
    *(("aws", "AWS"), ("kubernetes", "Kubernetes"), ("chart", "chart"), ("other", "other")),
    *(("stateful", "holds data"), ("protected", "protected"), ("arrow", "is needed by")),
)


def drawn(recording: Recording) -> str:
    """The picture of a stack as an SVG document."""
    root = grouped(recording)
    scene = scene_of(recording, root)
    title = f"{root.title}, {root.name}"
    parts = [
        f"<title>{_text(title)}</title>",
        f"<desc>{_text(_described(recording, root))}</desc>",
        f"<style>{_style()}</style>",
        f'<rect class="page" width="{_n(scene.width)}" height="{_n(scene.height)}" rx="8"/>',
        *_boxes(scene.boxes),
        *map(_arrow, scene.arrows),
        *map(_sign, scene.signs),
        *map(_words, scene.texts),
    ]
    size = f'width="{_n(scene.width)}" height="{_n(scene.height)}"'
    view = f'viewBox="0 0 {_n(scene.width)} {_n(scene.height)}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view} role="img">'
    return "\n".join([head, *parts, "</svg>", ""])


def scene_of(recording: Recording, root: Group) -> Scene:
    """Everything with its place."""
    scene = Scene(WIDTH)
    inside = Layout(flows(recording), scene).fill(root, (PAD, TOP), WIDTH - 2 * PAD)
    scene.height = TOP + inside + BOTTOM
    counts = ", ".join(f"{number} {kind}" for kind, number in kinds_of(recording.resources).items())
    total = f"{counted(len(recording.resources), 'resource')}: {counts}"
    room = WIDTH - 2 * PAD
    scene.texts += [
        Text(
            PAD + 2, 30, cut(f"{root.title} · {root.name}", LARGE, room, bold=True), LARGE, "title", bold=True
        ),
        Text(PAD + 2, 50, cut(total, NORMAL - 1, room), NORMAL - 1, "kind"),
    ]
    _legend(scene, scene.height - 20)
    return scene


def _legend(scene: Scene, y: float) -> None:
    x = PAD + 6
    for style, word in _LEGEND:
        scene.signs.append(Sign(x, y, style))
        told = Text(x + 14, y + 4, word, NORMAL - 1, "kind")
        scene.texts.append(told)
        x = told.x + told.width + 18


def _described(recording: Recording, root: Group) -> str:
    """For those who do not see it: the boxes with what is in them, from the outermost."""
    return f"{counted(len(recording.resources), 'resource')}. {' '.join(_sentences(root))}"


def _sentences(group: Group) -> Iterable[str]:
    inside = [each.title for each in group.groups] or [line.text for line in group.lines]
    yield f"{group.title} ({group.name}): {', '.join(inside)}."
    for each in group.groups:
        yield from _sentences(each)


def _style() -> str:
    rules = [
        f"text{{{_FONT}}}",
        ".arrow{fill:none;stroke-width:1.5}",
        ".stateful,.protected{fill:none;stroke-width:1.4}",
        *(f"{name}{{{look}}}" for name, look in _LIGHT.items()),
        "@media (prefers-color-scheme:dark){",
        *(f"{name}{{{look}}}" for name, look in _DARK.items()),
        "}",
    ]
    return "".join(rules)


def _boxes(boxes: Iterable[Box]) -> Iterable[str]:
    """The outer ones first; their colours take turns."""
    ordered = sorted(boxes, key=lambda box: -box.width * box.height)
    for box in ordered:
        depth = sum(1 for other in ordered if other is not box and _inside(box, other))
        size = f'x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" height="{_n(box.height)}"'
        yield f'<rect class="d{depth % 2}" {size} rx="8"/>'


def _inside(box: Box, other: Box) -> bool:
    across = other.x <= box.x and box.x + box.width <= other.x + other.width
    return across and other.y <= box.y and box.y + box.height <= other.y + other.height


def _arrow(arrow: Arrow) -> str:
    (x, y), *others = arrow.points
    way = f"M{_n(x)} {_n(y)}"
    for i, (to_x, to_y) in enumerate(others):
        last = i == len(others) - 1
        end = to_y - 7 if last else to_y
        middle = (y + end) / 2
        way += (
            f"C{_n(x)} {_n(middle)} {_n(to_x)} {_n(middle)} {_n(to_x)} {_n(end)}"
            if i % 2 == 0
            else f"V{_n(end)}"
        )
        x, y = to_x, to_y
    return f'<path class="arrow" d="{way}"/>{_head(x, y)}'


def _head(x: float, y: float) -> str:
    return f'<path class="head" d="M{_n(x)} {_n(y - 1)}l-4.5 -8h9z"/>'


def _sign(sign: Sign) -> str:
    x, y = sign.x, sign.y
    if sign.style == "stateful":
        way = f"M{_n(x - 4)} {_n(y - 3)}v6a4 2 0 0 0 8 0v-6a4 2 0 0 0 -8 0a4 2 0 0 0 8 0"
        return f'<path class="stateful" d="{way}"/>'
    if sign.style == "protected":
        body = f'<rect class="lock" x="{_n(x - 4)}" y="{_n(y - 1)}" width="8" height="6" rx="1"/>'
        return f'<path class="protected" d="M{_n(x - 2.4)} {_n(y - 1)}v-1.6a2.4 2.4 0 0 1 4.8 0v1.6"/>{body}'
    if sign.style == "arrow":
        return f'<path class="arrow" d="M{_n(x)} {_n(y - 6)}v6"/>{_head(x, y + 7)}'
    return f'<circle class="{sign.style}" cx="{_n(x)}" cy="{_n(y)}" r="4"/>'


def _words(text: Text) -> str:
    weight = ' font-weight="600"' if text.bold else ""
    place = f'x="{_n(text.x)}" y="{_n(text.y)}" font-size="{_n(text.size)}"'
    return f'<text class="{text.style}" {place}{weight}>{_text(text.text)}</text>'


def _text(text: str) -> str:
    return escape(shown(text, 100_000))


def _n(number: float) -> str:
    """A tenth of a pixel is enough."""
    return f"{round(number, 1):g}"
