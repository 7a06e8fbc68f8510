"""A database restored beside the lost one takes its place in the state, as the page on restoring has it."""

import json

import pytest
from engine.world import ENGINE_SECONDS, Deployed, Told
from pulumi.automation.events import OpType

pytestmark = pytest.mark.timeout(ENGINE_SECONDS)

DATABASE = "aws:rds/instance:Instance"
OTHERS = ("aws:iam/", "kubernetes:")
"""What may change: who may log in to it, and where the workload and its secrets look for it."""


def test_the_restored_database_is_the_stacks_own_and_nothing_is_lost(prod: Deployed) -> None:
    [database] = prod.state().of(DATABASE)
    before = str(database.raw["outputs"]["resourceId"])
    after = f"db-RESTORED{before.removeprefix('db-')[:10]}"
    text = prod.world.exported("prod").replace(before, after)
    file = prod.world.base / "state.json"
    file.write_text(text)
    prod.world.pulumi("stack", "import", "--stack", "prod", "--file", str(file))

    told = Told()
    prod.stack().up(**told.arguments())
    assert told.lost() == []
    assert told.names(OpType.REPLACE) == set()
    assert all(step.type.startswith(OTHERS) for step in told.steps()), told.changes()
    state = prod.state()
    [database] = state.of(DATABASE)
    assert database.raw["outputs"]["resourceId"] == after
    assert database.protect
    assert before not in json.dumps([entry.raw for entry in state.entries.values()])
