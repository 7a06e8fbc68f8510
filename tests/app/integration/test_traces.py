"""A request, its run, the nodes and the models in it are one trace, whoever executes the run."""

import time
from collections.abc import Iterator

import httpx
import pytest
from app.support.observed_world import lines_of, observed, run
from app.support.trace_receivers import Receiver, Span, receiver
from support.server import ServerProcess

CANARY = "canary-prompt-7f3a"
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "200"}
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


@pytest.fixture
def otlp() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture(scope="module")
def shared(module_migrated_database: str) -> Iterator[tuple[ServerProcess, Receiver]]:
    """A server with its receiver, for tests that need nothing else of them."""
    more = {"OTEL_SERVICE_NAME": "claims", "OTEL_EXPORTER_OTLP_HEADERS": "x-key=abc"}
    with receiver() as found, observed(module_migrated_database, **traced(found, **more)) as server:
        yield server, found


def traced(otlp: Receiver, **more: str) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": otlp.url, **SOON, **more}


def only(spans: list[Span]) -> Span:
    assert len(spans) == 1, spans
    return spans[0]


def test_a_request_its_run_its_nodes_and_its_model_are_one_trace(
    shared: tuple[ServerProcess, Receiver],
) -> None:
    server, otlp = shared
    answer = run(server, "talk", CANARY, "t-1", Traceparent=TRACEPARENT)
    otlp.wait_for(lambda it: it.named("POST /graphs/{name}/invoke"))
    log = lines_of(server.log())
    request = only(otlp.named("POST /graphs/{name}/invoke"))
    assert (request.trace_id, request.parent_id) == (TRACE, PARENT)
    assert request.service == "claims"
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["langgraph.request_id"] == answer.headers["x-request-id"]
    execution = only(otlp.named("invoke_agent talk"))
    assert execution.parent_id == request.span_id
    assert execution.attributes["langgraph.run_id"] == answer.json()["run_id"]
    assert execution.attributes["gen_ai.conversation.id"] == "t-1"
    assert execution.attributes["langgraph.status"] == "success"
    node, other = only(otlp.named("node think")), only(otlp.named("node search"))
    assert node.parent_id == other.parent_id == execution.span_id
    model = only(otlp.named("chat parrot-1"))
    assert model.parent_id == node.span_id
    assert (
        model.attributes
        | {
            "gen_ai.provider.name": "aviary",
            "gen_ai.response.model": "parrot-1-2026",
            "gen_ai.usage.input_tokens": 7,
            "gen_ai.usage.output_tokens": 5,
            "gen_ai.response.finish_reasons": ["stop"],
        }
        == model.attributes
    )
    assert only(otlp.named("execute_tool look_up")).parent_id == other.span_id
    assert {span.trace_id for span in otlp.spans if span.name != "GET /ready"} == {TRACE}
    assert CANARY not in otlp.everything
    assert otlp.requests[0].path == "/v1/traces"
    assert otlp.requests[0].headers["x-key"] == "abc"
    assert {line["trace_id"] for line in log if line.get("run_id")} == {TRACE}


def test_content_is_in_traces_only_when_it_is_wanted(migrated_database: str, otlp: Receiver) -> None:
    with observed(migrated_database, **traced(otlp, TRACE_CONTENT="true")) as server:
        run(server, "talk", CANARY, "t-1")
        run(server, "fail", CANARY, "t-2")
        otlp.wait_for(lambda it: it.named("chat parrot-1") and it.named("node break_down"))
    assert CANARY in only(otlp.named("chat parrot-1")).attributes["gen_ai.input.messages"]
    assert CANARY in only(otlp.named("chat parrot-1")).attributes["gen_ai.output.messages"]
    assert CANARY in only(otlp.named("node think")).attributes["langgraph.input"]


def test_a_failure_is_an_error_without_its_words_and_an_interrupt_is_none(
    shared: tuple[ServerProcess, Receiver],
) -> None:
    server, otlp = shared
    run(server, "fail", CANARY, "t-2")
    run(server, "ask", CANARY, "t-3")
    otlp.wait_for(lambda it: it.named("invoke_agent fail") and it.named("invoke_agent ask"))
    node = only(otlp.named("node break_down"))
    assert (node.status, node.attributes["error.type"]) == (2, "ValueError")
    failed, asked = only(otlp.named("invoke_agent fail")), only(otlp.named("invoke_agent ask"))
    assert (failed.status, failed.attributes["langgraph.status"]) == (2, "error")
    assert (asked.status, asked.attributes["langgraph.status"]) == (0, "interrupted")
    assert only(otlp.named("node question")).status == 0
    assert CANARY not in otlp.everything


def test_a_run_that_another_process_takes_over_stays_in_its_trace(
    migrated_database: str, otlp: Receiver
) -> None:
    more = traced(otlp)
    with observed(migrated_database, **more) as leaving, observed(migrated_database, **more) as living:
        body = {"input": {"seconds": 1}, "thread_id": "t-1"}
        headers = {"Prefer": "respond-async", "Traceparent": TRACEPARENT}
        answer = httpx.post(f"{leaving.url}/graphs/wait/invoke", json=body, headers=headers).json()
        assert leaving.terminate() == 0
        url = f"{living.url}/graphs/wait/runs/{answer['run_id']}"
        assert httpx.get(url, params={"wait": 20}, timeout=30).json()["status"] == "success"
        parts = otlp.wait_for(lambda it: len(found := it.named("invoke_agent wait")) == 2 and found)
    assert {part.trace_id for part in parts} == {TRACE}
    told = {part.attributes["langgraph.attempt"]: part.attributes["langgraph.status"] for part in parts}
    assert told == {1: "handed_over", 2: "success"}


def test_a_receiver_that_is_away_is_one_line_and_costs_no_run(migrated_database: str) -> None:
    nowhere = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_TIMEOUT": "1", **SOON}
    with observed(migrated_database, **nowhere) as server:
        began = time.monotonic()
        for number in range(5):
            assert run(server, "talk", CANARY, f"t-{number}").status_code == 200
            time.sleep(0.4)
        assert time.monotonic() - began < 20
        deadline = time.monotonic() + 10
        while not (told := complaints(server)) and time.monotonic() < deadline:
            time.sleep(0.1)
        began = time.monotonic()
        assert server.terminate() == 0
        assert time.monotonic() - began < 5, "SHUTDOWN_SECONDS"
        assert len(complaints(server)) == len(told) == 1


def complaints(server: ServerProcess) -> list[str]:
    return [
        line["event"] for line in lines_of(server.log()) if "traces" in line["event"] or "export" in str(line)
    ]


def test_what_is_left_is_sent_at_a_stop(migrated_database: str, otlp: Receiver) -> None:
    with observed(migrated_database, **traced(otlp, OTEL_BSP_SCHEDULE_DELAY="60000")) as server:
        run(server, "talk", CANARY, "t-1")
        assert otlp.spans == []
        assert server.terminate() == 0
    assert otlp.named("invoke_agent talk")


@pytest.mark.parametrize(
    "told", [{}, {"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_SAMPLER": "always_off"}], ids=str
)
def test_no_traces_where_none_are_wanted(
    migrated_database: str, otlp: Receiver, told: dict[str, str]
) -> None:
    endpoint = traced(otlp) if told else {}
    with observed(migrated_database, **endpoint, **told) as server:
        assert run(server, "talk", CANARY, "t-1").status_code == 200
        assert server.terminate() == 0
    assert otlp.requests == []


def test_a_client_that_does_not_sample_is_obeyed(shared: tuple[ServerProcess, Receiver]) -> None:
    server, otlp = shared
    before = len(otlp.named("invoke_agent talk"))
    run(server, "talk", CANARY, "t-4", Traceparent=f"00-{TRACE}-{PARENT}-00")
    run(server, "typed", CANARY, "t-5")
    otlp.wait_for(lambda it: it.named("invoke_agent typed"))
    assert len(otlp.named("invoke_agent talk")) == before


def test_the_traces_address_alone_will_do_and_its_service_has_a_name(
    migrated_database: str, otlp: Receiver
) -> None:
    told = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{otlp.url}/v1/mine", "OTEL_RESOURCE_ATTRIBUTES": "a=b"}
    with observed(migrated_database, **told) as server:
        run(server, "talk", CANARY, "t-1")
        assert server.terminate() == 0
    assert otlp.requests[0].path == "/v1/mine"
    assert otlp.spans[0].service == "agent-server"
