"""An object with a fixed name, renamed without an alias, stops the update: as the tests of a release say."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster.build import GoMissing
from cluster.control_plane import ControlPlane, OpensslMissing, control_plane
from engine.world import ENGINE_SECONDS, World, new_world, with_program
from pulumi.automation import CommandError, ConfigValue
from support.plans import unwarned

from lgp.planning.recording import Recording
from lgp.planning.releases.alarms import Alarm, alarms
from lgp.planning.releases.baseline import baseline_text, read_baseline
from lgp.planning.restaged import plan_with

pytestmark = pytest.mark.timeout(ENGINE_SECONDS)

PROGRAM = Path(__file__).parent / "programs" / "taken"


@pytest.fixture(scope="module")
def plane(engine: None) -> Iterator[ControlPlane]:
    if shutil.which("pulumi-resource-kubernetes") is None:
        pytest.skip("not on PATH: pulumi-resource-kubernetes; tests/engine/README.md says how to get it")
    try:
        with control_plane() as found:
            yield found
    except (GoMissing, OpensslMissing) as problem:
        pytest.skip(str(problem))


@pytest.fixture
def released(plane: ControlPlane, tmp_path: Path) -> Iterator[World]:
    """A world in which the object is called `old`; nothing is left of it afterwards."""
    world = with_program(
        new_world(tmp_path / "world", echoed=(), env={"KUBECONFIG": str(plane.kubeconfig)}), "taken"
    )
    stack = world.stack("dev")
    stack.set_config("called", ConfigValue("old"))
    stack.up()
    yield world
    stack.destroy()


def planned(called: str, formerly: str = "") -> Recording:
    config = {"taken:called": called, **({"taken:formerly": formerly} if formerly else {})}
    with unwarned():
        return plan_with(PROGRAM, "dev", config)


def said(new: Recording) -> list[Alarm]:
    return alarms(read_baseline(baseline_text("1", {}, planned("old"))), new)


def test_without_an_alias_the_name_is_taken_and_the_update_fails(released: World) -> None:
    (alarm,) = said(planned("new"))
    assert (alarm.word, alarm.resource) == ("renames", "kubernetes:core/v1:ConfigMap old")
    assert "its name default/settings is taken" in alarm.why
    stack = released.stack("dev")
    stack.set_config("called", ConfigValue("new"))
    with pytest.raises(CommandError, match="already exists"):
        stack.up()


def test_with_an_alias_nothing_changes(released: World) -> None:
    assert said(planned("new", formerly="old")) == []
    stack = released.stack("dev")
    stack.set_all_config({"called": ConfigValue("new"), "formerly": ConfigValue("old")})
    assert stack.up().summary.resource_changes == {"same": 2}
