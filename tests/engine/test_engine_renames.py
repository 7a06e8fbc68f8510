"""A component that gets another name keeps what it holds, if the alias that goes with the rename is given."""

from pathlib import Path

import pytest
from engine.world import ENGINE_SECONDS, Told, World, new_world, with_program
from pulumi.automation import CommandError, ConfigValue, Stack

pytestmark = pytest.mark.timeout(ENGINE_SECONDS)

DOMAINS = ("cluster", "data", "logs", "registry")
ALL = 1 + 1 + 2 * len(DOMAINS)
"""Resources: the stack, the component, a key and its alias for each domain."""


def called(stack: Stack, name: str, formerly: str = "") -> None:
    stack.set_all_config({"called": ConfigValue(name), "formerly": ConfigValue(formerly)})


def keys(world: World) -> set[str]:
    return {entry.name for entry in world.state("dev").of("aws:kms/key:Key")}


@pytest.fixture(scope="module")
def first(engine: None, tmp_path_factory: pytest.TempPathFactory) -> World:
    world = with_program(new_world(tmp_path_factory.mktemp("renamed") / "world"), "renamed")
    stack = world.stack("dev")
    called(stack, "keys")
    assert stack.up().summary.resource_changes == {"create": ALL}
    return world


@pytest.fixture
def before(first: World, tmp_path: Path) -> World:
    """A world in which the component is called `keys`."""
    return first.copy(tmp_path / "world")


def test_a_rename_with_an_alias_replaces_nothing(before: World) -> None:
    stack = before.stack("dev")
    called(stack, "vault", formerly="keys")
    told = Told()
    assert stack.preview(**told.arguments()).change_summary == {"same": ALL}
    assert told.changes() == []
    assert stack.up().summary.resource_changes == {"same": ALL}
    assert keys(before) == {f"vault-{domain}" for domain in DOMAINS}


def test_a_rename_without_one_would_take_the_keys_and_protection_keeps_them(before: World) -> None:
    stack, told = before.stack("dev"), Told()
    called(stack, "vault")
    with pytest.raises(CommandError, match="protect"):
        stack.up(**told.arguments())
    assert told.lost()
    assert {f"keys-{domain}" for domain in DOMAINS} <= keys(before)
