"""`lgp plan --diff`: what changed, property by property, and what would replace a stateful resource."""

from textwrap import dedent

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
import pulumi_random as random
import pytest
from support.plans import Project, recorded

from lgp.planning.compare import Comparison, compare
from lgp.planning.paths import ABSENT, Difference, differences, within
from lgp.planning.replacements import RULES, effect_of, is_stateful
from lgp.planning.transfer import packed, unpacked

PROGRAM = dedent(
    """
    import pulumi
    import pulumi_random as random
    from pulumi_aws import ec2, rds

    config = pulumi.Config()
    pulumi.log.warn("said by both")
    vpc = ec2.Vpc("vpc", cidr_block=config.require("cidr"))
    ec2.Subnet("data", vpc_id=vpc.id, cidr_block="10.0.1.0/24")
    rds.Instance("database", instance_class=config.require("class"), engine="postgres", username="admin")
    pulumi.export("cidr", vpc.cidr_block)
    """
)
CONFIG = "{'demo:cidr': 10.0.0.0/16, 'demo:class': db.t4g.medium}"


@pytest.fixture
def project(tmp_path, capfd) -> Project:
    project = Project(tmp_path / "project", capfd).write(PROGRAM, config=CONFIG)
    project.commit()
    return project


def changes(found: Comparison) -> dict[str, dict[str, str]]:
    """By resource: its paths, each with its effect."""
    return {
        change.new.name: {each.path: each.effect for each in change.properties} for change in found.changed
    }


def diff(old, new, **options) -> Comparison:
    """The comparison of two programs."""
    return compare(recorded(old), recorded(new, **options))


# the verb


def test_an_unchanged_tree_has_no_difference(project):
    done = project.plan("--diff", "HEAD")
    assert (done.code, done.out) == (0, "no difference\n")
    assert done.err == "warning: said by both\n"


def test_one_changed_setting_is_named_with_both_values(project):
    project.write(PROGRAM, config=CONFIG.replace("t4g.medium", "r8g.large"))
    done = project.plan("--diff", "HEAD")
    assert done.code == 0
    assert done.out == (
        "~ aws:rds:Instance database\n"
        '    ~ instanceClass: "db.t4g.medium" → "db.r8g.large"\n'
        "0 added, 0 removed, 1 changed\n"
    )


def test_a_replacement_of_a_stateful_resource_is_named_and_what_hangs_on_it(project):
    project.write(PROGRAM, config=CONFIG.replace("10.0.0.0/16", "10.1.0.0/16"))
    lines = project.plan("--diff", "HEAD").out.splitlines()
    assert lines == [
        "~ aws:ec2:Subnet data may replace through aws:ec2/vpc:Vpc::vpc",
        "~ aws:ec2:Vpc vpc replaces",
        '    ~ cidrBlock: "10.0.0.0/16" → "10.1.0.0/16" replaces',
        '    ~ output cidr: "10.0.0.0/16" → "10.1.0.0/16"',
        "0 added, 0 removed, 2 changed; stateful: 1 replaced",
    ]


def test_a_replacement_is_red_where_there_is_colour(project, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    project.write(PROGRAM, config=CONFIG.replace("10.0.0.0/16", "10.1.0.0/16"))
    assert "\x1b[1;31mreplaces\x1b[0m" in project.plan("--diff", "HEAD").out


def test_the_difference_is_a_document_too(project):
    program = PROGRAM.replace('engine="postgres"', 'engine="mysql"').replace('"data"', '"other"')
    project.write(program + 'pulumi.export("new", 1)\n', config=CONFIG)
    document = project.plan("--diff", "HEAD", "--json").document
    assert list(document) == ["stack", "against", "added", "removed", "changed", "outputs"]
    assert (document["stack"], document["against"]) == ("dev", "HEAD")
    assert [(each["type"], each["name"]) for each in document["added"]] == [
        ("aws:ec2/subnet:Subnet", "other")
    ]
    assert [each["name"] for each in document["removed"]] == ["data"]
    assert document["changed"] == [
        {
            "type": "aws:rds/instance:Instance",
            "name": "database",
            "parent": None,
            "effect": "replaces",
            "through": None,
            "renamed_from": None,
            "properties": [
                {"path": "engine", "op": "~", "old": "postgres", "new": "mysql", "effect": "replaces"}
            ],
        }
    ]
    assert document["outputs"] == [{"path": "new", "op": "+", "new": 1}]


def test_a_stateful_resource_that_goes_is_said_to_lose_what_it_holds(project):
    project.write(PROGRAM.replace('ec2.Subnet("data"', 'ec2.Subnet("other"'), config=CONFIG)
    lines = project.plan("--diff", "HEAD").out.splitlines()
    assert lines[:2] == ["+ aws:ec2:Subnet other", "- aws:ec2:Subnet data destroys what it holds"]
    assert lines[-1].endswith("stateful: 1 destroyed")


def test_the_other_revision_runs_with_its_own_components(project):
    package = project.folder / "components" / "plan_sizes"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("LENGTH = 10\n")
    program = (
        "import pulumi_random as random, plan_sizes\nrandom.RandomPassword('it', length=plan_sizes.LENGTH)\n"
    )
    project.write(program)
    project.commit()
    (package / "__init__.py").write_text("LENGTH = 12\n")
    assert "~ length: 10 → 12" in project.plan("--diff", "HEAD").out


def test_a_subfolder_of_a_repository_is_compared_with_itself(tmp_path, capfd):
    outer = Project(tmp_path / "outer", capfd).write("import pulumi")
    inner = Project(outer.folder / "inner", capfd).write(PROGRAM, config=CONFIG)
    outer.commit()
    inner.write(PROGRAM, config=CONFIG.replace("t4g.medium", "r8g.large"))
    assert "1 changed" in inner.plan("--diff", "HEAD").out


def test_nothing_of_a_comparison_is_left_in_the_repository(project):
    (project.folder / ".git/hooks/post-checkout").write_text("#!/bin/sh\ntouch ran\n")
    (project.folder / ".git/hooks/post-checkout").chmod(0o755)
    before = project.git("status", "--porcelain")
    project.plan("--diff", "HEAD")
    assert project.plan("--diff", ":nothing").code == 0
    assert project.git("status", "--porcelain") == before
    project.write("raise ValueError").plan("--diff", "HEAD")
    assert project.git("worktree", "list").count("\n") == 0
    assert not (project.folder / "ran").exists()


def test_a_revision_without_the_stack_has_nothing(project):
    project.write(PROGRAM, config=CONFIG, stack="prod")
    done = project.plan("prod", "--diff", "HEAD")
    assert "HEAD has no Pulumi.prod.yaml: everything is new" in done.err
    assert done.out.endswith("3 added, 0 removed, 0 changed\n")


def test_another_stack_can_be_compared_with(project):
    project.write(PROGRAM, config=CONFIG.replace("t4g.medium", "r8g.large"), stack="prod")
    for other in ("HEAD:dev", ":dev"):
        assert "1 changed" in project.plan("prod", "--diff", other).out


def test_an_unknown_revision_is_named(project):
    done = project.plan("--diff", "nowhere")
    assert done.code == 2
    assert done.err.startswith("lgp: there is no revision 'nowhere' in ")


def test_a_revision_whose_program_fails_says_so(project):
    project.write("raise ValueError('boom')")
    project.commit()
    done = project.write("import pulumi").plan("--diff", "HEAD")
    assert (done.code, done.err) == (1, "lgp: at HEAD: __main__.py:1: ValueError: boom\n")


def test_a_revision_whose_config_is_wrong_says_so(project):
    project.write(PROGRAM, config="{}")
    project.commit()
    done = project.write("import pulumi").plan("--diff", "HEAD")
    assert (done.code, done.err) == (
        2,
        "lgp: at HEAD: Missing required configuration variable 'demo:cidr'\n",
    )


# resources


def test_a_rename_with_an_alias_is_the_same_resource_and_its_children_too():
    class Part(pulumi.ComponentResource):
        def __init__(self, name, aliases=None):
            super().__init__("test:index:Part", name, {}, pulumi.ResourceOptions(aliases=aliases))
            random.RandomPassword(f"{name}-key", length=8, opts=pulumi.ResourceOptions(parent=self))
            aws.s3.Bucket("store", opts=pulumi.ResourceOptions(parent=self))

    found = diff(lambda: Part("old"), lambda: Part("new", [pulumi.Alias(name="old")]))
    assert (found.added, found.removed) == ((), ())
    assert [(change.old.name, change.new.name) for change in found.changed] == [
        ("old-key", "new-key"),
        ("old", "new"),
    ]
    assert all(change.renamed and not change.properties for change in found.changed)


def test_what_is_made_of_a_renamed_resource_does_not_differ_though_the_plan_s_stand_ins_do():
    def network(name: str, aliases=None):
        def program():
            vpc = aws.ec2.Vpc(name, cidr_block="10.0.0.0/16", opts=pulumi.ResourceOptions(aliases=aliases))
            aws.ec2.Subnet("data", vpc_id=vpc.id, cidr_block="10.0.1.0/24")

        return program

    assert changes(diff(network("old"), network("new", [pulumi.Alias(name="old")]))) == {"new": {}}
    assert "data" in changes(diff(network("old"), network("new"))), "without an alias it is another network"


@pytest.mark.parametrize(
    "alias",
    [
        pulumi.Alias(name="old"),
        pulumi.Alias(name="old", type_="random:index/randomId:RandomId"),
        "urn:pulumi:test::langgraph-platform::random:index/randomId:RandomId::old",
    ],
)
def test_every_form_of_an_alias_is_known(alias):
    found = diff(
        lambda: random.RandomId("old", byte_length=4),
        lambda: random.RandomId("new", byte_length=4, opts=pulumi.ResourceOptions(aliases=[alias])),
    )
    assert [(change.old.name, change.new.name) for change in found.changed] == [("old", "new")]


def test_a_resource_that_moved_under_a_component_is_the_same_by_its_alias():
    def moved() -> None:
        parent = pulumi.ComponentResource("test:index:Part", "part")
        moved = [pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)]
        random.RandomId("id", byte_length=4, opts=pulumi.ResourceOptions(parent=parent, aliases=moved))

    found = diff(lambda: random.RandomId("id", byte_length=4), moved)
    assert [resource.name for resource in found.added] == ["part"]
    assert found.removed == ()
    assert [change.renamed for change in found.changed] == [True]


def test_a_rename_without_an_alias_is_another_resource():
    found = diff(lambda: aws.kms.Key("old"), lambda: aws.kms.Key("new"))
    assert ([r.name for r in found.added], [r.name for r in found.removed]) == (["new"], ["old"])
    assert [resource.name for resource in found.destroyed()] == ["old"]


def test_the_name_of_the_stack_is_no_difference():
    def program() -> None:
        provider = kubernetes.Provider("k")
        options = pulumi.ResourceOptions(provider=provider, deleted_with=provider)
        kubernetes.core.v1.ConfigMap("map", metadata={"name": "map"}, opts=options)

    assert diff(program, program, stack="renamed", project="another").is_empty()


def test_what_a_program_says_beside_the_inputs_is_compared():
    def program(**options) -> None:
        kubernetes.Provider("k")
        aws.kms.Key("key", opts=pulumi.ResourceOptions(**options))

    found = diff(program, lambda: program(protect=True, ignore_changes=["tags"], delete_before_replace=True))
    assert changes(found) == {
        "key": {"options.protect": "", "options.ignoreChanges[0]": "", "options.deleteBeforeReplace": ""}
    }


def test_an_ignored_change_replaces_nothing():
    def program(user) -> None:
        options = pulumi.ResourceOptions(ignore_changes=["username", "tags"])
        aws.rds.Instance("db", instance_class="x", username=user, tags={"a": user}, opts=options)

    found = diff(lambda: program("a"), lambda: program("b"))
    assert changes(found) == {"db": {"username": "ignored", "tags.a": "ignored"}}
    assert found.replaced() == []


def test_what_is_read_from_an_ignored_property_does_not_change_either():
    def program(stack) -> None:
        key = aws.kms.Key("key")
        options = pulumi.ResourceOptions(ignore_changes=["bucket"])
        bucket = aws.s3.Bucket("b", bucket=f"files-{stack}", opts=options)
        statement = pulumi.Output.json_dumps(
            {"Resource": bucket.bucket.apply(lambda name: f"arn:::{name}/*")}
        )
        aws.s3.BucketPolicy("reads", bucket=bucket.bucket, policy=statement)
        aws.s3.BucketPolicy("guesses", bucket=f"files-{stack}", policy=key.arn)
        aws.s3.BucketPolicy("mixes", bucket=bucket.bucket.apply(lambda name: f"{name}-{stack}"), policy="p")

    assert changes(diff(lambda: program("dev"), lambda: program("prod"))) == {
        "b": {"bucket": "ignored"},
        "guesses": {"bucket": ""},
        "mixes": {"bucket": ""},
        "reads": {"bucket": "ignored", "policy.Resource": "ignored"},
    }


def test_secrets_differ_in_no_visible_way():
    def program(secret) -> None:
        data = {"a": pulumi.Output.secret(secret)}
        kubernetes.core.v1.Secret("s", metadata={"name": "s"}, string_data=data)

    assert diff(lambda: program("hush"), lambda: program("hush-hush")).is_empty()


def test_a_plan_survives_the_way_between_two_processes():
    def program() -> None:
        key = aws.kms.Key("key", opts=pulumi.ResourceOptions(protect=True, aliases=[pulumi.Alias(name="k")]))
        aws.s3.Bucket("store", tags={"key": key.arn}, opts=pulumi.ResourceOptions(ignore_changes=["tags"]))
        random.RandomPassword("password", length=8, keepers={"a": pulumi.Output.secret("hush")})
        pulumi.export("key", key.arn)

    there = recorded(program)
    here = unpacked(packed(there))
    assert "hush" not in str(packed(there))
    assert compare(there, here).is_empty()
    assert [(r.urn, r.references, r.aliases, r.ignore_changes) for r in here.resources] == [
        (r.urn, r.references, r.aliases, r.ignore_changes) for r in there.resources
    ]


def test_a_protected_resource_that_would_be_replaced_is_said_to_be_refused(project):
    program = (
        "import pulumi as p, pulumi_aws as a\na.s3.Bucket('b', p.ResourceOptions(protect=True), bucket={!r})"
    )
    project.write(program.format("one"))
    project.commit()
    done = project.write(program.format("two")).plan("--diff", "HEAD")
    assert "~ aws:s3:Bucket b replaces and it is protected: the engine refuses\n" in done.out


def test_a_new_cluster_replaces_all_that_is_in_it():
    def program(cluster) -> None:
        options = pulumi.ResourceOptions(provider=kubernetes.Provider("k", cluster_identifier=cluster))
        kubernetes.core.v1.Namespace("agents", metadata={"name": "agents"}, opts=options)
        kubernetes.core.v1.ConfigMap("map", metadata={"name": "map"}, opts=options)

    found = diff(lambda: program("one"), lambda: program("two"))
    assert {change.new.name: change.effect for change in found.changed} == {
        "agents": "may replace",
        "k": "replaces",
    }


@pytest.mark.parametrize("type_", sorted(RULES))
def test_every_path_of_the_table_has_its_effect_and_no_other_path_has(type_):
    rule = RULES[type_]
    for paths, effect in ((rule.replaces, "replaces"), (rule.perhaps, "may replace")):
        for path in paths:
            assert effect_of(type_, Difference(path, 1, 2)) == effect
            assert effect_of(type_, Difference(f"{path}[0].deeper", 1, 2)) == effect
            assert effect_of(type_, Difference(f"{path}Other", 1, 2)) != effect or f"{path}Other" in paths
            assert effect_of(type_, Difference(path, 1, 2), (path.partition(".")[0],)) == "ignored"
    assert effect_of(type_, Difference("tags.Name", 1, 2)) == ""
    assert not set(rule.replaces) & set(rule.perhaps)
    assert is_stateful(type_)


@pytest.mark.parametrize("type_", sorted(t for t in RULES if t.startswith("aws:")))
def test_every_path_of_the_table_is_an_input_of_the_resource(type_):
    """A renamed argument would make a rule silent."""
    module, name = type_.split(":")[1].partition("/")[0], type_.rpartition(":")[2]
    resource = getattr(getattr(aws, module), name)
    known = {_camel(name) for name in resource._internal_init.__annotations__}
    rule = RULES[type_]
    assert {path.partition(".")[0] for path in (*rule.replaces, *rule.perhaps)} <= known


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def test_an_unknown_type_is_never_said_to_be_replaced():
    assert effect_of("aws:sqs/queue:Queue", Difference("name", 1, 2)) == ""
    assert not is_stateful("aws:sqs/queue:Queue")


# paths


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        (1, 1, []),
        (1, True, [""]),
        ({"a": 1}, {"a": 2, "b": 3}, ["a", "b"]),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3, 4]}}, ["a.b[1]", "a.b[2]"]),
        ({"a.b/c": 1}, {"a.b/c": 2}, ['["a.b/c"]']),
        ({"m": {"x y": 1}}, {"m": {}}, ['m["x y"]']),
        ([{"name": "a", "v": 1}, {"name": "b"}], [{"name": "b"}, {"name": "a", "v": 2}], ["[a].v"]),
        ([{"name": "a"}, {"name": "b"}], [{"name": "a"}], ["[b]"]),
        ([{"name": "a"}, {"name": "b"}], [{"name": "b"}, {"name": "a"}], [""]),
        ([{"name": "a", "v": 1}, {"name": "a"}], [{"name": "a", "v": 2}, {"name": "a"}], ["[0].v"]),
        ([], [1], ["[0]"]),
        ({"p": '{"S": [{"A": "x"}]}'}, {"p": '{"S": [{"A": "y"}]}'}, ["p.S[0].A"]),
        ({"p": '{"a": 1}'}, {"p": '{"a":1}'}, ["p"]),
        ({"p": "{not json"}, {"p": "{nor this"}, ["p"]),
        ({"p": "text"}, {"p": '{"a": 1}'}, ["p"]),
        ({"a": None}, {}, ["a"]),
        ({"a": [1]}, {"a": {"0": 1}}, ["a"]),
    ],
)
def test_differences_are_told_by_their_paths(old, new, paths):
    assert [each.path for each in differences(old, new)] == paths


def test_what_is_absent_is_not_null():
    (found,) = differences({"a": None}, {})
    assert (found.old, found.new) == (None, ABSENT)
    assert repr(ABSENT) == "nothing"


@pytest.mark.parametrize(
    ("path", "outer", "inside"),
    [
        ("spec", "spec", True),
        ("spec.a", "spec", True),
        ("spec[0]", "spec", True),
        ("specific", "spec", False),
        ("sp", "spec", False),
        ("spec.containers[api].image", "spec.containers[*].image", True),
        ("spec.containers[api].imagePullPolicy", "spec.containers[*].image", False),
        ("a.b", "a+b", False),
    ],
)
def test_a_path_is_within_another_by_whole_steps(path, outer, inside):
    assert within(path, outer) is inside
