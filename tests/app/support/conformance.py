"""schemathesis on a live server: every operation of its own OpenAPI document, asked by an admin."""

from dataclasses import dataclass
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, assume, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from agent_server.http.description import OPERATIONS

GRAPHS = ("anything", "echo", "ask", "parallel", "nothing", "é/ü")
OPEN = {route for route, operation in OPERATIONS.items() if operation.is_open}
UNCHECKED = {
    "positive_data_acceptance",  # what a graph takes is in its own schema, which the document leaves open
    "not_a_server_error",  # asked for below: 501 is what a server without attachments answers
}

Route = tuple[str, str]


@dataclass(frozen=True)
class Served:
    """A server, who asks it, and what it says of itself."""

    url: str
    headers: dict[str, str]
    document: dict[str, Any]
    run_ids: tuple[str, ...]
    thread_ids: tuple[str, ...]


def served(http: httpx.Client, key: str) -> Served:
    """Look at a server, and leave it some runs to be asked about."""
    headers = {"Authorization": f"Bearer {key}"}
    told = http.get("/openapi.json", headers=headers).json()
    runs = [
        http.post(f"/graphs/{graph}/invoke", json={"input": {}}, headers=headers).json()
        for graph in ("echo", "ask", "echo")
    ]
    return Served(
        str(http.base_url).rstrip("/"),
        headers,
        told,
        tuple(run["run_id"] for run in runs),
        tuple(run["thread_id"] for run in runs),
    )


def conforms(
    world: Served, route: Route, cases: int, mode: GenerationMode, *, chance: int = 20261123
) -> None:
    """Send so many requests that the document admits, or does not; each answer is one that it tells."""
    method, path = route
    load_all_checks()
    checks = [
        check
        for name, check in zip(CHECKS.get_all_names(), CHECKS.get_all(), strict=True)
        if name not in UNCHECKED
    ]
    operation = schemathesis.openapi.from_dict(world.document)[path][method]

    told = world.document["paths"][path][method.lower()]
    queries = {each["name"] for each in told["parameters"] if each["in"] == "query"}

    @seed(chance)
    @settings(max_examples=cases, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=mode), st.data())
    def asked(case: schemathesis.Case, data: st.DataObject) -> None:
        known = {"name": GRAPHS, "run_id": world.run_ids, "thread_id": world.thread_ids}
        for name, values in known.items():
            if name in (case.path_parameters or {}) and data.draw(st.integers(0, 3)):
                case.path_parameters[name] = data.draw(st.sampled_from(values))
        # what a query has beyond what is told of it is not looked at
        assume(mode is GenerationMode.POSITIVE or not set(case.query or {}) - queries)
        answer = case.call(base_url=world.url, headers=world.headers)
        case.validate_response(answer, checks=checks, headers=world.headers)
        assert answer.status_code < 500 or answer.status_code == 501, answer.text

    if mode is GenerationMode.NEGATIVE and not (told["parameters"] or "requestBody" in told):
        return  # there is no way to ask it wrongly
    asked()
