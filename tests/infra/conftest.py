"""What the tests of the infrastructure share: a component's graph, recorded by the plan's own monitor."""

import warnings
from collections.abc import Callable
from typing import Any

import pytest

from lgp.planning.monitor import Recording, record

Graph = Callable[[Callable[[], Any]], Recording]


@pytest.fixture
def graph() -> Graph:
    """`graph(lambda: Encryption("keys", {...}))` runs the program and returns what it declared."""

    def run(program: Callable[[], Any], **options: Any) -> Recording:
        def declare() -> None:
            program()

        with warnings.catch_warnings():
            # the SDK's own annotations; no code of ours is in the warning's frame
            warnings.filterwarnings("ignore", category=DeprecationWarning, module="pulumi")
            return record(declare, **options)

    return run
