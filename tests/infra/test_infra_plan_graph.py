"""`lgp plan --graph`: a picture that is readable, true and the same each time."""

import re
import xml.etree.ElementTree as ET
from itertools import combinations, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from infra.infra_stacks import planned
from support.plans import Project

from lgp.planning.drawing import drawn
from lgp.planning.drawing.flow import flows, reduced
from lgp.planning.drawing.groups import OWN, Group, grouped
from lgp.planning.drawing.placing import Arrow, Box, Layout, Scene, Text
from lgp.planning.drawing.rows import WIDEST, in_rows
from lgp.planning.drawing.svg import WIDTH, scene_of
from lgp.planning.drawing.text import cut, width
from lgp.planning.recording import Recording, Resource

SVG = "{http://www.w3.org/2000/svg}"
STACKS = ("dev", "local", "prod")


def scene(recording: Recording) -> Scene:
    return scene_of(recording, grouped(recording))


def described(root: ET.Element) -> str:
    return (root.findtext(f"{SVG}desc") or "").partition(".")[2]


def boxes_by_title(group: Group) -> dict[str, Group]:
    return {group.title: group} | {k: v for each in group.groups for k, v in boxes_by_title(each).items()}


# what it shows


def test_every_resource_is_counted_in_exactly_one_box_and_each_component_has_one():
    recording = planned("prod")
    root = grouped(recording)
    leaves = [group for group in boxes_by_title(root).values() if not group.groups]
    counted = [r for r in recording.resources if r.custom and not r.type.startswith("pulumi:providers:")]
    assert root.number == len(counted) == sum(group.number for group in leaves)
    components = {r.type.rpartition(":")[2] for r in recording.resources if not r.custom}
    assert components | {"langgraph-platform", "Platform itself"} == boxes_by_title(root).keys()


def test_what_holds_data_is_first_in_its_box_and_marked_if_it_is_protected():
    database = boxes_by_title(grouped(planned("prod")))["PostgresDatabase"]
    first = database.lines[0]
    assert (first.text, first.colour, first.stateful, first.protected) == ("Instance", "aws", True, True)
    assert not any(line.stateful for line in database.lines[1:])
    unprotected = boxes_by_title(grouped(planned("dev")))["PostgresDatabase"].lines[0]
    assert (unprotected.stateful, unprotected.protected) == (True, False)


def test_an_arrow_leads_from_what_is_needed_to_what_needs_it_and_says_nothing_twice():
    recording = planned("prod")
    platform = next(each for each in recording.resources if each.type == "langgraph:index:Platform")
    names = {r.urn: r.type.rpartition(":")[2] for r in recording.resources}
    keys = [each.key for group in grouped(recording).groups for each in group.groups]
    found = {
        tuple(names.get(key, "itself") for key in edge)
        for edge in reduced(keys, flows(recording)[platform.urn])
    }
    assert {("Encryption", "Network"), ("Network", "Cluster"), ("Cluster", "PostgresDatabase")} <= found
    assert {
        ("SecretsOperator", "Observability"),
        ("Observability", "AgentWorkload"),
        ("ContainerImage", "AgentWorkload"),
    } <= found
    assert ("Network", "PostgresDatabase") not in found, "the way over the cluster says it"
    assert len(found) <= 20


@pytest.mark.parametrize("stack", STACKS)
def test_a_reader_who_does_not_see_it_is_told_the_boxes(stack):
    root = ET.fromstring(drawn(planned(stack)))
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == f"langgraph-platform, stack {stack}"
    assert "AgentWorkload (langgraph-workload): Namespace, " in described(root)


# how it looks


def bounds(text: Text) -> tuple[float, float, float, float]:
    return text.x, text.y - text.size, text.x + text.width, text.y + 0.3 * text.size


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def inside(inner: tuple[float, ...], box: Box) -> bool:
    x, y, right, bottom = inner
    return (
        box.x <= x and box.y <= y and right <= box.x + box.width + 0.1 and bottom <= box.y + box.height + 0.1
    )


def parts(arrow: Arrow) -> list[tuple[float, float, float, float]]:
    """The rectangles in which an arrow's pieces are: a curve stays between its two ends."""
    pairs = pairwise(arrow.points)
    return [(min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])) for a, b in pairs]


def check_readable(found: Scene) -> None:
    """No text meets another one, an arrow or a border, and nothing is outside."""
    texts = [bounds(text) for text in found.texts]
    assert not [pair for pair in combinations(texts, 2) if overlap(*pair)]
    page = Box(0, 0, found.width, found.height)
    assert all(inside(text, page) for text in texts)
    for box in found.boxes:
        assert inside((box.x, box.y, box.x + box.width, box.y + box.height), page)
        for text in texts:
            assert inside(text, box) or not overlap(
                text, (box.x, box.y, box.x + box.width, box.y + box.height)
            )
    leaves = [
        (b.x, b.y, b.x + b.width, b.y + b.height)
        for b in found.boxes
        if not any(o is not b and inside((o.x, o.y, o.x + o.width, o.y + o.height), b) for o in found.boxes)
    ]
    for arrow in found.arrows:
        assert all(b[1] >= a[1] for a, b in pairwise(arrow.points)), "it leads down"
        for part in parts(arrow):
            assert not [text for text in texts if overlap(text, part)]
            assert not [leaf for leaf in leaves if overlap(leaf, part)]


@pytest.mark.parametrize("stack", STACKS)
def test_no_text_of_our_stacks_meets_another_an_arrow_or_a_border(stack):
    found = scene(planned(stack))
    check_readable(found)
    assert found.width == WIDTH
    assert len(found.texts) > 30


@pytest.mark.parametrize("stack", STACKS)
def test_the_same_plan_is_the_same_bytes(stack):
    recording = planned(stack)
    again = Recording(recording.project, recording.stack, recording.resources, recording.outputs)
    assert drawn(recording) == drawn(again)
    assert len(drawn(recording).encode()) < 60_000


def test_it_brings_nothing_from_elsewhere_and_has_colours_for_both_backgrounds():
    text = drawn(planned("prod"))
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"@font-face|@import|<script|<image|<foreignObject|href|url\(", text)
    light, _, dark = text.partition("@media (prefers-color-scheme:dark)")
    for name in (
        ".page",
        ".d0",
        ".d1",
        ".title",
        ".line",
        ".kind",
        ".arrow",
        ".aws",
        ".kubernetes",
        ".chart",
    ):
        assert f"{name}{{" in light or f"{name}," in light
        assert f"{name}{{" in dark or f"{name}," in dark


def contrast(one: str, other: str) -> float:
    """Of two colours, as WCAG reckons it."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_and_signs_stand_out_from_their_background(scheme):
    style = re.search("<style>(.*)</style>", drawn(planned("local")))[1]
    part = style.partition("@media")[0 if scheme == "light" else 2]
    colours = {
        name: colour
        for names, colour in re.findall(r"([.\w,-]+)\{(?:fill|stroke):(#[0-9a-f]{6})", part)
        for name in names.split(",")
    }
    for background in (".page", ".d0", ".d1"):
        for words in (".title", ".name", ".line", ".kind"):
            assert contrast(colours[words], colours[background]) >= 4.5, "WCAG 2.2, 1.4.3"
        for sign in (".aws", ".kubernetes", ".chart", ".other", ".arrow", ".stateful", ".lock"):
            assert contrast(colours[sign], colours[background]) >= 3, "WCAG 2.2, 1.4.11"


# whatever is declared


def of_edges(count: int, edges: list[tuple[int, int]], name: str = "c") -> Recording:
    """Components that refer to each other, each with a few resources."""
    urns = [f"urn:pulumi:dev::demo::x:index:C::{name}{i}" for i in range(count)]
    components = [
        Resource(urn, "x:index:C", f"{name}{i}", None, None, False, False, {}) for i, urn in enumerate(urns)
    ]
    resources: list[Resource] = []
    for i, urn in enumerate(urns):
        needs = tuple(
            f"{urns[a].replace('x:index:C::', 'x:index:C$aws:a/b:Thing::')}-0" for a, b in edges if b == i
        )
        for j in range(1 + i % 9):
            own = f"{urn.replace('x:index:C::', 'x:index:C$aws:a/b:Thing::')}-{j}"
            type_ = f"aws:a/b:{'Thing' * (j % 4 + 1)}{j}"
            resources.append(
                Resource(own, type_, f"{name}{i}-{j}", urn, None, True, False, {}, depends_on=needs)
            )
    return Recording("demo", "dev", (*components, *resources), {})


pairs = st.tuples(st.integers(0, 9), st.integers(0, 9))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10), st.lists(pairs, max_size=25), st.text(max_size=30))
def test_any_stack_is_drawn_readably(count, edges, name):
    known = [(a, b) for a, b in edges if a < count and b < count]
    recording = of_edges(count, known, name.replace("::", ""))
    check_readable(scene(recording))
    assert ET.fromstring(drawn(recording)).tag == f"{SVG}svg"


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10), st.lists(pairs, max_size=25))
def test_rows_hold_every_box_once_and_arrows_lead_down(count, edges):
    nodes = [f"n{i}" for i in range(count)]
    ways = reduced(nodes, {(f"n{a}", f"n{b}") for a, b in edges if a < count > b and a != b})
    rows = in_rows(nodes, ways)
    level = {place.key: i for i, row in enumerate(rows) for place in row if not place.passing}
    assert sorted(level) == sorted(nodes)
    assert all(level[a] < level[b] for a, b in ways)
    assert all(sum(not place.passing for place in row) <= WIDEST for row in rows)


def test_boxes_in_boxes_in_boxes():
    outer = Resource("urn:pulumi:d::p::x:index:A::a", "x:index:A", "a", None, None, False, False, {})
    middle = Resource(
        "urn:pulumi:d::p::x:index:A$x:index:B::b", "x:index:B", "b", outer.urn, None, False, False, {}
    )
    inner = Resource(
        "urn:pulumi:d::p::x:index:A$x:index:B$x:index:C::c",
        "x:index:C",
        "c",
        middle.urn,
        None,
        False,
        False,
        {},
    )
    leaf = Resource(f"{inner.urn}$t", "aws:s3/bucket:Bucket", "t", inner.urn, None, True, True, {})
    own = Resource(f"{outer.urn}$o", "aws:kms/key:Key", "o", outer.urn, None, True, False, {})
    recording = Recording("p", "d", (outer, middle, inner, leaf, own), {})
    check_readable(scene(recording))
    titles = boxes_by_title(grouped(recording))
    assert titles["A"].groups[-1].key == outer.urn + OWN
    assert titles["C"].lines[0].protected


def test_a_layout_that_puts_texts_upon_each_other_is_noticed():
    found = Scene(WIDTH)
    Layout({}, found).fill(grouped(planned("local")), (0, 0), WIDTH)
    found.height = 2000
    found.texts.append(found.texts[0])
    with pytest.raises(AssertionError):
        check_readable(found)


def test_what_has_no_room_is_cut_with_an_ellipsis():
    assert cut("short", 12, 100) == "short"
    told = cut("BucketServerSideEncryptionConfiguration", 12, 100)
    assert told.endswith("…")
    assert width(told, 12) <= 100


# the verb


def test_the_verb_writes_the_file_and_says_so_beside_the_plan(tmp_path, capfd):
    project = Project(tmp_path / "project", capfd).write("import pulumi_random as r\nr.RandomPet('pet')\n")
    done = project.plan("--graph", str(tmp_path / "it.svg"), "--json")
    assert done.code == 0
    assert done.document["resources"][0]["name"] == "pet"
    assert done.err == f"drawn in {tmp_path / 'it.svg'}\n"
    assert ET.parse(tmp_path / "it.svg").getroot().tag == f"{SVG}svg"


def test_another_kind_of_picture_is_refused_with_what_to_do(tmp_path, capfd):
    project = Project(tmp_path / "project", capfd).write("")
    done = project.plan("--graph", "it.png")
    assert done.code == 2
    assert done.err == "lgp: --graph it.png: the picture is SVG: name a file that ends with .svg\n"
