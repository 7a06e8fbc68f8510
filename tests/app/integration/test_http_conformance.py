"""The server does what its OpenAPI document says, and nothing else: 300 requests of schemathesis."""

from collections.abc import Iterator

import pytest
from app.integration.test_http_access import PEPPER, command
from app.support.conformance import OPERATIONS, Route, Served, conforms, served
from app.support.surface import caller, serving
from schemathesis import GenerationMode

CASES = 8
"""Of each operation, both ways: some 300 in all."""


@pytest.fixture(scope="module")
def world(module_migrated_database: str) -> Iterator[Served]:
    made = command(
        module_migrated_database, "keys", "create", "--tenant", "acme", "--name", "alice", "--role", "admin"
    )
    with (
        serving(module_migrated_database, AUTH="keys", API_KEY_PEPPER=PEPPER, WAIT_SECONDS="2") as server,
        caller(server) as http,
    ):
        yield served(http, made["key"])


def test_every_route_is_described_and_no_other(world: Served) -> None:
    told = {(method.upper(), path) for path, methods in world.document["paths"].items() for method in methods}
    assert told == set(OPERATIONS)


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("route", sorted(OPERATIONS))
def test_it_answers_as_it_says(world: Served, route: Route, mode: GenerationMode) -> None:
    conforms(world, route, CASES, mode)
