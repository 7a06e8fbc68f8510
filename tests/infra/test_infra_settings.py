import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from infra.infra_settings import (
    KEY,
    SAMPLES,
    STACKS,
    form_of,
    objects,
    put,
    refusal,
    settings,
    stack_settings,
)
from pydantic import SecretStr, ValidationError

from langgraph_components import Platform
from langgraph_components.args import Args
from langgraph_components.errors import InvalidSettings, PlatformError
from langgraph_components.settings import Environment, PlatformSettings
from lgp.planning.monitor import record

ALL = settings()
PATHS = {each.path for each in ALL}


def of(stack, changes=None):
    return PlatformSettings.of(stack_settings(stack, changes))


def at(model, path):
    for step in path.split("."):
        if isinstance(model, dict):
            model = model[step]
        else:
            model = model[int(step)] if isinstance(model, list) else getattr(model, step)
    return model.model_dump(exclude_unset=True) if isinstance(model, Args) else model


@pytest.mark.parametrize("stack", STACKS)
def test_what_the_file_of_a_stack_says_is_valid_and_what_it_is_for(stack):
    assert of(stack).environment == stack
    assert of(stack).on_aws is (stack != "local")


def test_the_settings_hold_every_component_that_a_stack_is_made_of():
    paths = set(objects())
    assert {"network", "encryption", "cluster", "database", "cache", "secrets", "monitoring"} <= paths
    assert {"edge", "attachments", "image", "workload", "node_autoscaler", "local.postgres"} <= paths
    assert len(ALL) > 150


# Round trips

LETTERS = "aZ09 \n'\"\\{}:#-é漢\0"
"""Of texts: what YAML and JSON escape. A table of all of Unicode takes its first user seconds to make."""

CHOICES = {
    "tags": st.dictionaries(st.text("a-z", min_size=1, max_size=9), st.text(LETTERS, max_size=9), max_size=3),
    "network.az_count": st.sampled_from([2, 3]),
    "network.nat": st.sampled_from(["single", "per_az", "regional"]),
    "network.interface_endpoints": st.sampled_from([[], ["sts"], ["logs", "sts"]]),
    "encryption.rotation_days": st.integers(90, 2560),
    "encryption.protect": st.booleans(),
    "cluster.viewer_principals": st.sampled_from([[], ["arn:aws:iam::111122223333:role/previews"]]),
    "cluster.nodes.disk_gib": st.integers(20, 16384),
    "cluster.zonal_shift": st.booleans(),
    "node_autoscaler.idle_minutes": st.integers(1, 1440),
    "database.instance_class": st.sampled_from(["db.t4g.medium", "db.m8g.large", "db.r8g.4xlarge"]),
    "database.credentials": st.sampled_from(["iam", "secret"]),
    "database.replicas": st.integers(0, 5),
    "database.backup_days": st.integers(1, 35),
    "database.log_retention_days": st.sampled_from([7, 30, 365]),
    "cache.replicas": st.integers(1, 5),
    "cache.engine": st.sampled_from(["valkey", "redis"]),
    "secrets.replicas": st.integers(1, 5),
    "environment_secrets": st.dictionaries(st.sampled_from(["OPENAI_API_KEY", "A_KEY"]), st.just("a/key")),
    "monitoring.retention_days": st.integers(1, 365),
    "monitoring.existing": st.sampled_from([None, {"namespace": "theirs"}]),
    "edge.scheme": st.sampled_from(["internet-facing", "internal"]),
    "edge.idle_timeout_seconds": st.integers(301, 329),
    "attachments.expire_days": st.integers(0, 9999),
    "image.keep_last": st.integers(2, 1000),
    "charts.registry_mirror": st.sampled_from([None, "mirror.example"]),
    "workload.namespace": st.sampled_from(["agents-a", "agents-of-a-team"]),
    "workload.log_level": st.sampled_from(["DEBUG", "INFO", "WARNING", "ERROR"]),
    "workload.pool_max_size": st.integers(5, 10),
    "workload.api.max_replicas": st.integers(2, 6),
    "workload.retention.runs_days": st.integers(1, 9999),
    "workload.tolerations.0.key": st.text(LETTERS, min_size=1, max_size=9),
    "workload.callers.x.port": st.integers(1, 65535),
}
"""Paths of settings that can be chosen on their own, and what can be chosen."""

chosen = st.sets(st.sampled_from(sorted(CHOICES))).flatmap(
    lambda paths: st.fixed_dictionaries({path: CHOICES[path] for path in sorted(paths)})
)


@given(chosen)
def test_any_choice_is_read_as_it_was_written_and_survives_being_written_again(changes):
    document = stack_settings("dev", changes)
    model = PlatformSettings.of(document)
    written = model.model_dump(mode="json", exclude_unset=True)
    assert PlatformSettings.of(written) == model
    assert {path: at(model, path) for path in changes} == changes


def numbers():
    """Paths of what is a number, a switch or a choice, each with anything it admits alone."""
    found = {}
    for each in ALL:
        if each.form is bool:
            found[each.path] = st.booleans()
        elif each.form is int:
            low = each.limit("ge") or 0
            found[each.path] = st.integers(low, min(each.limit("le") or low + 400, low + 400))
        elif each.form is float:
            low = each.limit("ge") or each.limit("gt") or 0
            found[each.path] = st.floats(low, each.limit("le") or low + 400, exclude_min=True)
        elif each.a_wrong_type() == "nonsense":
            found[each.path] = st.sampled_from([str(value) for value in each.form])
    return found


ANY = numbers()


@given(
    st.sampled_from(STACKS),
    st.sets(st.sampled_from(sorted(ANY)), max_size=5).flatmap(
        lambda paths: st.fixed_dictionaries({path: ANY[path] for path in sorted(paths)})
    ),
)
def test_whatever_is_combined_is_valid_or_refused_line_by_line_with_paths_of_settings(stack, changes):
    document = stack_settings(stack, changes)
    if lines := refusal(document):
        for line in lines:
            path, _, told = line.partition(": ")
            assert path == "platform" or path.removeprefix("platform.") in PATHS | set(objects()), line
            assert told
        return
    model = PlatformSettings.of(document)
    assert PlatformSettings.of(model.model_dump(mode="json", exclude_unset=True)) == model


# Refusals


@pytest.mark.parametrize("path", objects())
def test_an_unknown_key_is_refused_at_any_depth(path):
    unknown = f"{path}.colour".lstrip(".")
    assert refusal(stack_settings("prod", {unknown: "red"})) == [
        f"platform.{unknown}: there is no such setting"
    ]


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.path)
def test_a_wrong_type_is_one_line_with_the_path(each):
    (line,) = refusal(stack_settings("prod", {each.path: each.a_wrong_type()}))
    assert line.startswith(f"platform.{each.path}: should be ")


LISTS = [each for each in ALL if getattr(each.form, "__origin__", None) in (list, dict)]


@pytest.mark.parametrize("each", LISTS, ids=lambda each: each.path)
def test_a_wrong_item_is_named_by_its_place(each):
    in_list = each.form.__origin__ is list
    lines = refusal(stack_settings("prod", {each.path: [[]] if in_list else {"x": []}}))
    assert [line.partition(": ")[0] for line in lines] == [f"platform.{each.path}.{0 if in_list else 'x'}"]


BOUNDED = [
    (each, bound, each.limit(bound) + step, words)
    for each in ALL
    for bound, step, words in (("ge", -1, "greater than or equal to"), ("le", 1, "less than or equal to"))
    if each.limit(bound) is not None
]


@pytest.mark.parametrize(
    ("each", "bound", "value", "words"), BOUNDED, ids=[f"{each.path}-{bound}" for each, bound, *_ in BOUNDED]
)
def test_a_number_out_of_range_is_refused_with_the_range(each, bound, value, words):
    assert refusal(stack_settings("prod", {each.path: value})) == [
        f"platform.{each.path}: should be {words} {each.limit(bound)} (got {value})"
    ]


PATTERNED = [each for each in ALL if each.limit("pattern")]


@pytest.mark.parametrize("each", PATTERNED, ids=lambda each: each.path)
def test_a_text_of_another_form_is_refused_with_the_form(each):
    assert refusal(stack_settings("prod", {each.path: "\n ?"})) == [
        f"platform.{each.path}: String should match pattern '{each.limit('pattern')}' (got '\\n ?')"
    ]


def test_a_setting_that_is_missing_is_named():
    required = [each for each in ALL if each.info.is_required()]
    assert {each.path for each in required} >= {"environment", "edge.hostname", "edge.allowed_cidrs"}
    for each in required:
        if each.path != "environment":
            parent, _, name = each.path.rpartition(".")
            sample = {key: value for key, value in SAMPLES[parent].items() if key != name}
            document = stack_settings("prod")
            put(document, parent, sample)
            assert f"platform.{each.path}: is required" in refusal(document), each.path
    assert refusal({}) == ["platform.environment: is required"]


def test_digits_that_are_meant_as_text_may_be_written_as_a_number():
    """`pulumi config set --path platform.tags.cost-centre 4711` stores one where no text was before."""
    numbers = {"account_id": 444455556666, "tags.cost-centre": 4711, "workload.environment.MAX_CRASHES": 5}
    found = of("dev", numbers)
    assert {path: at(found, path) for path in numbers} == {path: str(one) for path, one in numbers.items()}
    for wrong in (44445555666, 4444.5, True):
        (line,) = refusal(stack_settings("dev", {"account_id": wrong}))
        assert line.startswith("platform.account_id: ")


def test_several_faults_are_as_many_lines():
    faults = {
        "colour": "red",
        "network.az_count": 7,
        "workload.api.min_replicas": 0,
        "database.multi_az": "?",
    }
    assert {line.partition(": ")[0] for line in refusal(stack_settings("prod", faults))} == {
        f"platform.{path}" for path in faults
    }
    assert len(refusal(stack_settings("prod", faults))) == len(faults)


@pytest.mark.parametrize(("given", "told"), [([], "[]"), (5, "5"), ("dev", "'dev'")])
def test_what_is_no_object_is_refused_as_a_whole(given, told):
    (line,) = refusal(given)
    assert line.startswith("platform: should be ")
    assert line.endswith(f"(got {told})")


# What every field keeps to

OPTIONAL = [each for each in ALL if not each.info.is_required()]


def test_null_is_the_default():
    for each in OPTIONAL:
        if each.path in {"account_id", "region"}:
            continue  # required on AWS
        document = stack_settings("dev", {each.path: None})
        without = stack_settings("dev")
        put(without, each.path, None)
        node = without
        *steps, last = each.path.split(".")
        for step in steps:
            node = node[int(step)] if isinstance(node, list) else node[step]
        del node[last]
        assert refusal(document) == refusal(without), each.path
        if not refusal(document):
            assert PlatformSettings.of(document) == PlatformSettings.of(without), each.path


def test_a_model_is_taken_as_it_is_and_a_dict_works_like_it():
    model = of("prod")
    assert PlatformSettings.of(model) is model
    assert PlatformSettings.model_validate(stack_settings("prod")) == model
    parts = {name: getattr(model, name) for name in model.model_fields_set}
    assert PlatformSettings.of(parts) == model


def test_nothing_of_it_can_be_changed():
    model = of("prod")
    for owner, name in (
        (model, "region"),
        (model.database, "replicas"),
        (model.workload.api, "max_replicas"),
    ):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(owner, name, getattr(owner, name))


REFERENCES = {
    "environment_secrets",  # variable → key in the store
    "secrets",  # which store
    "database.secret_recovery_days",
    "cache.secret_recovery_days",
    "database.existing.master_secret_arn",
    "monitoring.receivers.0.secret_name",
    "workload.secret_refresh",
    "workload.image_pull_secrets",
    "cache.key_prefix",
    "workload.tolerations.0.key",
}
"""Called after a secret or a key, and holding none: where it is, how long it is kept, labels."""


def test_no_setting_holds_a_secret():
    telling = ("secret", "password", "token", "credential", "pepper", "key")
    named = {each.path for each in ALL if any(word in each.path.rpartition(".")[2] for word in telling)}
    told = {"database.credentials", "database.existing.application_secret_arn", "workload.allow_credentials"}
    assert named - REFERENCES == told & PATHS
    assert not [each.path for each in ALL if form_of(each.info.annotation) is SecretStr]


# Reading them


def loaded(config):
    found = []
    record(lambda: found.append(PlatformSettings.load()), config=config)
    return found[0]


@pytest.mark.parametrize("stack", STACKS)
def test_they_are_read_from_the_object_platform_of_the_configuration(stack):
    assert loaded({KEY: stack_settings(stack)}) == of(stack)


def test_a_secret_among_them_is_refused_before_it_is_in_the_clear():
    config = {KEY: stack_settings("local")}
    with pytest.raises(InvalidSettings, match=r"^platform: holds a secret, settings are none: ") as caught:
        record(lambda: PlatformSettings.load() and None, config=config, secret_keys=(KEY,))
    assert "agent-server" not in str(caught.value)


def test_a_configuration_of_ones_own_can_be_read():
    found = []
    config = {"other:platform": stack_settings("local")}
    record(lambda: found.append(PlatformSettings.load(pulumi.Config("other"))), config=config)
    assert found == [of("local")]


def test_what_is_wrong_in_the_configuration_is_a_refusal_with_paths():
    with pytest.raises(InvalidSettings, match=r"^platform\.network\.az_count: should be less than"):
        loaded({KEY: stack_settings("dev", {"network.az_count": 4})})
    with pytest.raises(pulumi.ConfigMissingError, match="langgraph-platform:platform"):
        loaded({})


def test_the_platform_takes_a_dict_too_and_refuses_it_like_the_configuration():
    with pytest.raises(PlatformError, match=r"^platform\.environment: is required$"):
        record(lambda: Platform("p", {"tags": {}}))  # pyright: ignore[reportArgumentType]  # a dict works


# What they say of themselves


def test_the_pepper_is_made_unless_the_store_has_one():
    assert of("dev").makes_pepper
    assert not of("dev", {"environment_secrets.API_KEY_PEPPER": "a/pepper"}).makes_pepper


def test_namespaces_that_read_the_store_are_named_only_if_they_do():
    assert of("prod").namespaces_with_secrets() == ["langgraph"]
    receiver = {"name": "ops", "kind": "webhook", "remote": "ops/hook"}
    with_one = of("prod", {"monitoring.receivers.0": receiver, "workload.namespace": "agents"})
    assert with_one.namespaces_with_secrets() == ["agents", "monitoring"]


def test_secrets_of_the_store_are_named_by_where_their_arns_begin():
    arn = "arn:aws:secretsmanager:eu-west-1:999988887777:secret:theirs-AbCdEf"
    found = of(
        "prod",
        {
            "environment_secrets": {"A_KEY": "acme/a", "B_KEY": arn, "C_KEY": "acme/a"},
            "monitoring.receivers.0": {"name": "ops", "kind": "webhook", "remote": "ops/hook"},
        },
    )
    ours = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"
    assert found.stored_secret_arns() == [f"{ours}acme/a-??????", arn, f"{ours}ops/hook-??????"]


def test_secrets_of_another_partition_are_named_in_it():
    found = of("dev", {"region": "cn-north-1", "environment_secrets": {"A_KEY": "a"}})
    assert found.stored_secret_arns() == ["arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:a-??????"]


def test_environments_are_the_three_stacks():
    assert tuple(Environment) == STACKS
