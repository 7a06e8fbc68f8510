"""The policy pack in the real engine: what keeps the rules passes, what breaks one is not made."""

import json
from pathlib import Path
from typing import Any

import pytest
from engine.world import ENGINE_SECONDS, Told, World, with_program, with_project
from pulumi.automation import CommandError, ConfigValue, Stack

pytestmark = pytest.mark.timeout(ENGINE_SECONDS)


@pytest.fixture
def policed(world: World) -> Stack:
    """A small program that keeps every rule unless its config asks otherwise."""
    return with_program(world, "policed").stack("prod")


def asked(stack: Stack, **config: Any) -> Stack:
    for name, value in config.items():
        stack.set_config(name, ConfigValue(json.dumps(value)))
    return stack


def excepted(stack: Stack, *exceptions: dict[str, Any]) -> Stack:
    """The stack with exceptions in its file, as a person writes them."""
    stack.set_config("langgraph-policy:exceptions", ConfigValue(json.dumps(exceptions)))
    return stack


@pytest.mark.parametrize("name", ["dev", "prod", "local"])
def test_the_stacks_keep_every_rule_and_say_which_cannot_be_told_yet(
    name: str, world: World, pack: Path
) -> None:
    told = Told()
    stack = with_project(world, name).stack(name)
    stack.preview(policy_packs=[str(pack)], **told.arguments())
    text = told.text()
    assert "[mandatory]" not in text
    if name != "local":  # it has no image and no role that the cloud has yet to name
        assert "values-known" in text
        assert "iam-trust: " in text


def test_what_breaks_a_rule_is_refused_with_the_reason_and_the_cure(policed: Stack, pack: Path) -> None:
    told = Told()
    with pytest.raises(CommandError):
        asked(policed, loose=True).preview(policy_packs=[str(pack)], **told.arguments())
    text = told.text()
    assert "logs-kept" in text
    assert "endless: retentionInDays is not set" in text
    assert "Fix: retentionInDays: a number of days." in text
    assert "kept: " not in text


def test_an_update_stops_before_what_breaks_a_rule_is_made(policed: Stack, pack: Path, world: World) -> None:
    with pytest.raises(CommandError, match="logs-kept"):
        asked(policed, loose=True).up(policy_packs=[str(pack)])
    assert "endless" not in {entry.name for entry in world.state("prod").custom}


def test_what_is_missing_beside_a_resource_is_found_too(policed: Stack, pack: Path) -> None:
    told = Told()
    with pytest.raises(CommandError):
        asked(policed, unseen=True).preview(policy_packs=[str(pack)], **told.arguments())
    assert "unseen: it has no flow log" in told.text()
    assert "unseen: nothing closes its default security group" in told.text()


def test_an_exception_in_the_stacks_file_counts_and_one_without_use_is_told(
    policed: Stack, pack: Path
) -> None:
    told = Told()
    reason = "this group is emptied by hand every month"
    excepted(
        asked(policed, loose=True),
        {"rule": "logs-kept", "resources": ["endless"], "reason": reason},
        {"rule": "logs-kept", "resources": ["nobody"], "reason": reason},
    ).preview(policy_packs=[str(pack)], **told.arguments())
    assert "nobody: the exception from logs-kept excepts nothing" in told.text()
    assert "endless: " not in told.text()


def test_an_exception_without_a_reason_is_refused(policed: Stack, pack: Path) -> None:
    told = Told()
    with pytest.raises(CommandError):
        excepted(policed, {"rule": "logs-kept", "resources": ["kept"]}).preview(
            policy_packs=[str(pack)], **told.arguments()
        )
    assert "reason: must be a sentence" in told.text()


def test_the_packs_configuration_sets_a_rules_level_and_excepts(
    policed: Stack, pack: Path, tmp_path: Path
) -> None:
    told, file = Told(), tmp_path / "config.json"
    exception = {"resources": ["unseen"], "reason": "nothing runs in this network yet"}
    file.write_text(
        json.dumps({"flow-logs": {"exceptions": [exception]}, "default-group-closed": "advisory"})
    )
    asked(policed, unseen=True).preview(
        policy_packs=[str(pack)], policy_pack_configs=[str(file)], **told.arguments()
    )
    assert "has no flow log" not in told.text()
    assert "[advisory]  default-group-closed" in told.text()
