"""`lgp plan --markdown`: what a reviewer reads first, and that nobody's text does anything in it."""

import json
import re
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from infra.infra_comments import check_harmless, seen
from infra.infra_stacks import changed, planned
from support.plans import Project, unwarned

from lgp.planning.comment.bounded import LIMIT, Section, fitted
from lgp.planning.comment.cost import cost_sections
from lgp.planning.comment.difference import comment_on_difference
from lgp.planning.comment.markup import LINE, code, fence
from lgp.planning.comment.overview import comment_on_plan
from lgp.planning.compare import compare
from lgp.planning.program import plan
from lgp.planning.recording import Recording, Resource
from lgp.planning.replacements import NOUNS, RULES
from lgp.planning.values import Secret
from lgp.planning.wording import shown

PROGRAM = dedent(
    """
    import pulumi
    import pulumi_random as random
    from pulumi_aws import ec2, rds

    config = pulumi.Config()
    vpc = ec2.Vpc("vpc", cidr_block=config.require("cidr"))
    ec2.Subnet("data", vpc_id=vpc.id, cidr_block="10.0.1.0/24")
    rds.Instance("database", instance_class=config.require("class"), engine="postgres", username="admin",
        password=config.get_secret("password"), opts=pulumi.ResourceOptions(protect=True))
    pulumi.export("cidr", vpc.cidr_block)
    """
)
CONFIG = "{'demo:cidr': 10.0.0.0/16, 'demo:class': db.t4g.medium}"
DATABASE = "aws:rds/instance:Instance"


@pytest.fixture
def project(tmp_path, capfd) -> Project:
    return Project(tmp_path / "project", capfd).write(PROGRAM, config=CONFIG)


def difference(project: Project, program: str, config: str = CONFIG) -> str:
    """The comment on another program or config; planned here: a process for each would import Pulumi anew."""
    with unwarned():
        before = plan(project.folder, "dev").recording
        after = plan(project.write(program, config=config).folder, "dev").recording
    return comment_on_difference(compare(before, after), "dev", "HEAD", more=cost_sections(before, after))


def resource(
    name: str = "it", type_: str = "aws:sqs/queue:Queue", parent: str | None = None, **fields
) -> Resource:
    """A resource of a stack."""
    chain = f"{parent.split('::')[2]}${type_}" if parent else type_
    options = {"provider": None, "custom": True, "protect": False, "inputs": {}, **fields}
    return Resource(f"urn:pulumi:dev::demo::{chain}::{name}", type_, name, parent, **options)


def recording(*resources: Resource, **outputs) -> Recording:
    return Recording("demo", "dev", tuple(sorted(resources, key=lambda each: each.urn)), outputs)


def comment(old: Recording, new: Recording, stack: str = "dev", against: str = "main") -> str:
    return comment_on_difference(compare(old, new), stack, against)


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


# what it says


def test_the_verdict_is_the_first_line_under_the_heading(project):
    text = difference(project, PROGRAM)
    assert lines(text)[:3] == [
        "<!-- lgp-plan:dev -->",
        "<h3>Plan of <code>dev</code>, compared with <code>HEAD</code></h3>",
        "<p><b>Nothing changes.</b></p>",
    ]
    assert len(lines(text)) == 4


def test_a_replaced_database_is_named_before_anything_else(project):
    text = difference(project, PROGRAM.replace('"postgres"', '"mysql"').replace('"data"', '"other"'))
    assert lines(text)[2].startswith(
        "<p>⚠️ <b>DESTROYS</b> the subnet <code>data</code> and 1 more that hold data."
    )
    graves = [line for line in lines(text) if line.startswith("<li>")]
    assert graves == [
        "<li><b>DESTROYS</b> the subnet <code>data</code>: it is no longer declared</li>",
        "<li><b>REPLACES</b> the database <code>database</code>: another <code>engine</code>; "
        "<b>it is protected, so the engine refuses the whole update</b></li>",
    ]
    assert text.index("[!CAUTION]") < text.index("<li>") < text.index("<table>") < text.index("```diff")
    assert '!   engine: replaces\n-   engine: "postgres"\n+   engine: "mysql"\n' in text


def test_what_may_be_replaced_is_a_warning_with_its_cause(project):
    text = difference(project, PROGRAM, CONFIG.replace("10.0.0.0/16", "10.1.0.0/16"))
    assert (
        "<li><b>may replace</b> the subnet <code>data</code>: "
        "it is made of the id of <code>aws:ec2/vpc:Vpc::vpc</code></li>"
    ) in text
    assert '-   cidr: "10.0.0.0/16"\n+   cidr: "10.1.0.0/16"' in text, "the output is a diff, too"
    only = comment(
        recording(resource("a", "aws:rds/instance:Instance", inputs={"region": "a"})),
        recording(resource("a", "aws:rds/instance:Instance", inputs={"region": "b"})),
    )
    assert "[!WARNING]" in only
    assert "[!CAUTION]" not in only


def test_added_and_removed_are_listed_by_component():
    owner = resource("db", "langgraph:index:PostgresDatabase", custom=False)
    ours = [resource(name, parent=owner.urn) for name in ("a", "b")]
    text = comment(recording(owner), recording(owner, *ours, resource("alone")))
    assert "<p><b>3 added.</b></p>" in text
    assert seen(text).fences == [
        "@@ the stack @@\n+ aws:sqs:Queue alone\n",
        "@@ PostgresDatabase db @@\n+ aws:sqs:Queue a\n+ aws:sqs:Queue b\n",
    ]


def test_an_object_of_kubernetes_is_shown_as_its_yaml():
    def settings_of(level: str) -> Resource:
        data = {"A": "1", "B": "2", "C": "3", "LOG_LEVEL": level, "Z": "9"}
        inputs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": data}
        return resource("settings", "kubernetes:core/v1:ConfigMap", inputs=inputs)

    (block,) = seen(comment(recording(settings_of("INFO")), recording(settings_of("DEBUG")))).fences
    assert block.splitlines() == [
        "@@ kubernetes:core/v1:ConfigMap settings @@",
        "   B: '2'",
        "   C: '3'",
        "-  LOG_LEVEL: INFO",
        "+  LOG_LEVEL: DEBUG",
        "   Z: '9'",
    ]


def test_json_inside_an_object_is_shown_by_its_paths():
    def dashboard(title: str) -> Resource:
        text = json.dumps({"title": title, "rows": [1] * 400})
        inputs = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "a"},
            "data": {"d.json": text},
        }
        return resource("a", "kubernetes:core/v1:ConfigMap", inputs=inputs)

    (block,) = seen(comment(recording(dashboard("old")), recording(dashboard("new")))).fences
    assert block.splitlines()[1:] == [
        '-   data["d.json"].title: "old"',
        '+   data["d.json"].title: "new"',
    ]


def test_a_rename_that_an_alias_declares_is_no_replacement():
    old = resource("old", DATABASE, inputs={"engine": "postgres"})
    new = resource("new", DATABASE, inputs={"engine": "postgres"}, aliases=(old.urn,))
    text = comment(recording(old), recording(new))
    assert "<p><b>1 changed.</b></p>" in text
    assert "renamed from <code>old</code>" in text


def test_no_secret_is_in_a_comment(project):
    secret = resource("s", inputs={"value": Secret("hunter-2"), "plain": "a"})
    other = resource("s", inputs={"value": Secret("hunter-3"), "plain": "b"})
    assert "hunter" not in comment(recording(secret), recording(other, out=Secret("hunter-4")))
    assert "hunter" not in comment_on_plan(recording(secret, out=Secret("hunter-4")))


def test_without_another_revision_the_comment_tells_what_the_stack_is(project):
    done = project.plan("--markdown")
    assert done.code == 0
    texts = check_harmless(done.out)
    assert "aws:rds:Instance" in texts
    assert "<td>database</td>" in done.out
    assert "<td>protected</td>" in done.out
    assert lines(done.out)[2] == "<p><b>3 resources</b>: <code>3 aws</code>.</p>"


def test_two_forms_of_one_answer_are_refused(project):
    done = project.plan("--json", "--markdown")
    assert done.code == 2
    assert (
        done.document["error"]["detail"]
        == "--json and --markdown are two forms of one answer: name one of them"
    )


def test_what_a_change_costs_is_told_by_the_lines_that_differ(project):
    text = difference(project, PROGRAM, CONFIG.replace("t4g.medium", "t4g.large"))
    check_harmless(text)
    told = re.search(r"<b>About (\d+) USD a month more</b>: (\d+) → (\d+) \(list prices of", text)
    more, before, after = map(int, told.groups())
    assert more == after - before > 0
    assert "db.t4g.large" in text
    assert text.index("<h4>1 changed resource</h4>") < text.index("USD a month more") < text.index("```diff")


def test_a_change_that_costs_nothing_says_nothing_of_money(project):
    renamed = PROGRAM.replace('"cidr"', '"range"').replace('require("range")', 'require("cidr")')
    text = difference(project, renamed)
    assert "Nothing changes" not in text
    assert "USD" not in text


def test_a_broken_rule_comes_before_the_changes_and_their_cost_and_fails_the_verb(project):
    project.commit()
    public = PROGRAM.replace('engine="postgres"', 'engine="postgres", publicly_accessible=True')
    project.write(public, config=CONFIG.replace("t4g.medium", "t4g.large"))
    done = project.plan("--diff", "HEAD", "--markdown", "--policy")
    assert done.code == 1
    check_harmless(done.out)
    found = [
        done.out.index(each) for each in ("⛔", "<h4>1 changed resource</h4>", "USD a month more", "```diff")
    ]
    assert found == sorted(found)


@pytest.mark.parametrize("stack", ["dev", "prod", "local"])
def test_the_comment_on_each_of_our_stacks_has_room_and_shape(stack):
    text = comment_on_plan(planned(stack))
    check_harmless(text)
    assert "no room" not in text
    check_harmless(comment(recording(), planned(stack)))


def test_what_holds_data_has_a_word_that_people_know():
    assert NOUNS.keys() == RULES.keys()


# what it never does

NASTY = [
    *("@team", "@org/team", "#1", "GH-1", "https://evil.example", "www.evil.example", "a@evil.example"),
    *(
        "](https://evil.example)",
        "![](https://evil.example/pixel)",
        "<img src=x>",
        "</code><b>",
        "</details>",
    ),
    *(
        "|",
        "\\|",
        "`",
        "```",
        "````\n",
        "~~~",
        "\n\n# heading",
        "\r\n\r\n> quote",
        "\u2028",
        "\u202e",
        "\x00",
    ),
    *(
        "-->",
        "<!--",
        "&lt;",
        "&#64;team",
        "*a*",
        "__b__",
        "~~c~~",
        "[^1]",
        "- [ ] a",
        ":tada:",
        "\t",
        "\ufeff",
    ),
    *("</table>", "</pre>", "<script>", "$x$", "@@ -1 +1 @@", "\ud800"),
]
texts = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=8)), max_size=6).map("".join)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(texts, min_size=6, max_size=6))
def test_no_text_of_anyone_becomes_markdown_html_a_mention_or_a_link(drawn):
    name, key, old, new, stack, package = drawn
    type_ = f"{package.replace(':', '')}:a/b:C"
    owner = resource(f"owner{name}".replace("::", ""), f"x:index:{package.replace(':', '')}", custom=False)
    nasty = {"name": name, "parent": owner.urn}
    before = recording(
        owner,
        resource(type_=type_, inputs={key: old}, **nasty),
        resource(type_=DATABASE, inputs={"engine": old}, **nasty),
        resource(type_="kubernetes:core/v1:Namespace", **nasty),
        **{f"a{key}": old},
    )
    after = recording(
        owner,
        resource(type_=type_, inputs={key: new}, **nasty),
        resource(type_=DATABASE, inputs={"engine": new}, **nasty),
        resource(type_="aws:kms/key:Key", **nasty),
        **{f"a{key}": new},
    )
    text = comment(before, after, stack, new)
    check_harmless(text)
    check_harmless(comment_on_plan(after))
    for block in seen(text).fences:
        assert not [line for line in block.splitlines() if line[:1] not in "@+-! "]


@settings(max_examples=100, deadline=None)
@given(texts)
def test_a_text_is_shown_whole_and_on_one_line(text):
    told = shown(text, 10_000)
    assert told.isprintable()
    assert told == "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
    (block,) = seen(fence([text, "+ b"])).fences
    assert block.splitlines() == [shown(text, LINE), "+ b"]


def test_a_line_of_backticks_does_not_end_a_fence():
    named = recording(**{"```": 1, "````` @team": 2})
    assert seen(comment_on_plan(named)).fences == ["```\n````` @team\n"]
    check_harmless(comment_on_plan(named))


def test_a_stack_s_name_cannot_end_the_hidden_comment():
    (first, *_) = comment(recording(), recording(), stack="a --> @team").splitlines()
    assert first == "<!-- lgp-plan:a%20--%3E%20%40team -->"


def test_what_turns_the_direction_of_writing_is_told_by_its_number():
    assert code("a\u202eb") == "<code>a\\u202eb</code>"


# how long it is


def test_a_comment_is_never_longer_than_github_takes_and_says_what_is_left_out():
    def many(value: str) -> Recording:
        huge = [resource(f"queue-{i}", inputs={f"key{j}": value * 50 for j in range(30)}) for i in range(300)]
        return recording(*huge, resource("database", DATABASE, inputs={"engine": value}))

    text = comment(many("a"), many("😀"))
    assert LIMIT - 9000 < len(text.encode()) <= LIMIT
    check_harmless(text)
    assert "<b>REPLACES</b> the database <code>database</code>" in text
    left = [int(each) for each in re.findall(r"… (\d+) more changed resources, for which", text)]
    blocks = len(seen(text).fences)
    assert left[-1] + blocks == 301
    assert "</details>" in text
    assert "lgp plan dev --diff main" in text, "how to see all of it is always there"


@given(st.lists(st.lists(st.text("abc", max_size=300), max_size=8), max_size=5), st.integers(900, 3000))
def test_sections_in_the_order_of_their_weight_have_what_fits(sizes, limit):
    sections = [Section(f"title{i}", parts, "part") for i, parts in enumerate(sizes)]
    text = fitted(["head"], sections, "foot", limit)
    assert len(text) <= limit
    assert text.endswith("foot\n")
    for i, parts in enumerate(sizes):
        assert (f"title{i}" in text) == bool(parts)


# a real change of a real stack

VERDICT = (
    "<p>⚠️ <b>DESTROYS</b> the database <code>langgraph-database-replica-0</code> and 1 more that hold data. "
    "6 removed, 8 changed.</p>"
)
SECRET = (
    "<li><b>DESTROYS</b> the secret <code>langgraph-database-master-login</code>: it is no longer declared; "
    "<b>it is protected, so the engine refuses the whole update</b></li>"
)


def test_a_replica_that_goes_is_told_with_the_login_that_goes_with_it():
    text = comment(changed("prod", {"database.replicas": 1}), planned("prod"), "prod")
    check_harmless(text)
    assert lines(text)[2] == VERDICT
    assert SECRET in text
    assert '-   password: "<secret>"' in text
    assert re.search(
        r"\n-            name: agent-server-\w{10}\n\+            name: agent-server-\w{10}\n", text
    )
