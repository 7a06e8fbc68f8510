"""The components as a plugin: what a program in another language gets from them, and what it is told."""

from pathlib import Path

import pytest
from engine.world import ENGINE_SECONDS, Told, World, new_world, with_plugin, with_program
from pulumi.automation import CommandError, ConfigValue

pytestmark = pytest.mark.timeout(ENGINE_SECONDS)


@pytest.fixture
def world(engine: None, tmp_path: Path) -> World:
    return with_plugin(with_program(new_world(tmp_path / "world"), "remote"))


def test_a_program_that_knows_only_the_schema_gets_the_component(world: World) -> None:
    stack = world.stack("dev")
    stack.set_config("days", ConfigValue("14"))
    assert "arn:aws:kms:" in stack.up().outputs["key"].value
    keys = world.state("dev").of("aws:kms/key:Key")
    assert {entry.raw["inputs"]["deletionWindowInDays"] for entry in keys} == {14}
    assert {entry.raw["parent"].rsplit("::", 2)[1] for entry in keys} == {"langgraph:index:Encryption"}


def test_a_value_that_is_not_allowed_fails_the_preview_with_its_field(world: World) -> None:
    stack, told = world.stack("dev"), Told()
    stack.set_config("days", ConfigValue("3"))
    with pytest.raises(CommandError):
        stack.preview(**told.arguments())
    assert "EncryptionArgs.deletion_window_days: should be greater than or equal to 7" in told.text()
