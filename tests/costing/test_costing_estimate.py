"""The estimate as a whole: it adds up, keeps its order, grows with the runs, drops nothing silently."""

import json
import re
from dataclasses import replace

import pytest
from costing.costing_world import ON_AWS, estimated, of, recording, resource, usage
from hypothesis import given, settings
from hypothesis import strategies as st
from infra.infra_stacks import changed, planned
from support.plans import ROOT

from lgp.costing import Usage, difference, estimate
from lgp.costing.catalogue import FREE, NOT_PRICED, RULES
from lgp.costing.compare import People, compare
from lgp.costing.document import difference_document, estimate_document
from lgp.costing.ranges import Range, exactly
from lgp.costing.show import told
from lgp.costing.tables import shipped_assumptions, shipped_prices

RUNS = st.floats(min_value=0, max_value=1e7)
MULTIPLES = st.dictionaries(st.sampled_from(sorted(shipped_assumptions())), st.floats(0, 100), max_size=4)


def altered(runs: float, factors: dict[str, float]) -> Usage:
    """Assumptions multiplied."""
    assumptions = {
        key: replace(each, value=each.value * factors.get(key, 1))
        for key, each in shipped_assumptions().items()
    }
    return Usage(runs, 0.1, assumptions)


def ordered(value: Range) -> bool:
    return 0 <= value.low <= value.likely <= value.high


@settings(max_examples=60, deadline=None)
@given(stack=st.sampled_from(ON_AWS), runs=RUNS, factors=MULTIPLES)
def test_lines_add_up_to_the_total_and_every_range_is_in_order(stack, runs, factors):
    found = estimate(planned(stack), altered(runs, factors))
    for bound in ("low", "likely", "high"):
        assert getattr(found.monthly, bound) == pytest.approx(
            sum(getattr(line.monthly, bound) for line in found.lines), abs=0.005
        )
    assert all(ordered(line.monthly) and ordered(line.charge.quantity) for line in found.lines)
    capacity = found.capacity
    assert all(ordered(each) for each in vars(capacity).values() if isinstance(each, Range))


@settings(max_examples=60, deadline=None)
@given(stack=st.sampled_from(ON_AWS), runs=RUNS, more=RUNS, factors=MULTIPLES)
def test_more_runs_never_cost_less(stack, runs, more, factors):
    few = estimate(planned(stack), altered(runs, factors))
    many = estimate(planned(stack), altered(runs + more, factors))
    for one, other in zip(few.lines, many.lines, strict=True):
        assert one.charge.what == other.charge.what
        assert one.monthly.low <= other.monthly.low
        assert one.monthly.likely <= other.monthly.likely
        assert one.monthly.high <= other.monthly.high


@settings(max_examples=40, deadline=None)
@given(runs=RUNS, more=RUNS)
def test_only_what_is_said_to_grow_with_the_runs_does(runs, more):
    few, many = estimate(planned("prod"), Usage(runs)), estimate(planned("prod"), Usage(runs + more))
    for one, other in zip(few.lines, many.lines, strict=True):
        if not one.charge.by_use and one.charge.group != "logs":
            assert one.monthly == other.monthly


@pytest.mark.parametrize("runs", [0, 1_000, 50_000, 1_000_000])
def test_dev_costs_less_than_prod(runs):
    dev, prod = estimated("dev", runs).monthly, estimated("prod", runs).monthly
    assert dev.low < prod.low
    assert dev.likely < prod.likely
    assert dev.high < prod.high


@pytest.mark.parametrize("stack", ["dev", "prod", "local"])
def test_every_type_of_aws_in_a_stack_is_priced_free_or_not_priced_with_a_reason(stack):
    declared = {
        each.type for each in planned(stack).resources if each.custom and each.type.startswith("aws:")
    }
    unknown = declared - {*RULES, *FREE, *NOT_PRICED}
    assert not unknown, f"add to cli/lgp/costing/catalogue.py: {sorted(unknown)}"


def test_every_type_of_aws_that_a_component_may_declare_is_in_the_catalogue():
    """By the calls in the components' source: some types are in no stack of this repository."""
    known = {
        tuple(re.split(r"[:/]", type_)[i] for i in (1, 3))
        for type_ in {*RULES, *FREE, *NOT_PRICED}
        if type_.startswith("aws:")
    }
    called = set()
    for path in sorted((ROOT / "components" / "langgraph_components").rglob("*.py")):
        text = path.read_text()
        called |= set(re.findall(r"\baws\.([a-z0-9]+)\.([A-Z]\w+)\(", text))
        for module, alias in re.findall(r"from pulumi_aws import ([a-z0-9]+)(?: as (\w+))?", text):
            called |= {(module, name) for name in re.findall(rf"\b{alias or module}\.([A-Z]\w+)\(", text)}
    arguments = {each for each in called if each[1].endswith("Args") or each[1] == "Provider"}
    assert len(called - arguments) > 30
    unknown = called - arguments - known
    assert not unknown, f"add to cli/lgp/costing/catalogue.py: {sorted(unknown)}"


def test_no_type_has_two_answers():
    assert not RULES.keys() & FREE.keys()
    assert not RULES.keys() & NOT_PRICED.keys()
    assert not FREE.keys() & NOT_PRICED.keys()


def test_a_type_that_nobody_looked_up_is_told_and_not_dropped():
    found = estimate(recording(resource("aws:sagemaker/endpoint:Endpoint", "model")), usage(10))
    assert [(each.type, each.name) for each in found.unpriced] == [
        ("aws:sagemaker/endpoint:Endpoint", "model")
    ]
    assert any(
        "not priced: model: this type is not in the catalogue" in line for line in told(found, (), People())
    )


def test_an_instance_without_a_price_is_told_with_the_way_to_give_one():
    database = resource(
        "aws:rds/instance:Instance", "database", instanceClass="db.r8g.large", allocatedStorage=20
    )
    found = estimate(recording(database), usage(0))
    assert [each.reason for each in found.unpriced] == [
        "PostgreSQL, db.r8g.large: the table has no price db.r8g.large: give it with --set db.r8g.large=USD"
    ]
    assert "its storage" in {line.charge.what for line in found.lines}


@pytest.mark.parametrize("stack", ON_AWS)
def test_all_that_the_stacks_declare_is_priced(stack):
    assert estimated(stack, 50_000).unpriced == ()


@pytest.mark.parametrize("stack", ON_AWS)
def test_the_table_shows_every_line_of_the_document_that_costs_anything(stack):
    found = estimated(stack, 50_000)
    document = estimate_document(found, compare(planned(stack), found, People()), People())
    shown = "\n".join(told(found, (), People()))
    for line in document["lines"]:
        amount = f"{line['monthly']['likely']:,.2f}"
        row = [each for each in shown.splitlines() if each.startswith(f"  {line['what']} ")]
        assert len(row) == bool(line["monthly"]["high"])
        assert all(each.split()[-2] == amount for each in row)
    total = next(each for each in shown.splitlines() if each.startswith("total"))
    assert total.split()[1:] == [f"{document['monthly'][each]:,.2f}" for each in ("low", "likely", "high")]


def test_the_document_has_the_keys_that_it_promises():
    found = estimated("prod", 50_000)
    document = json.loads(
        json.dumps(estimate_document(found, compare(planned("prod"), found, People()), People()))
    )
    assert set(document) == {
        "stack", "runs_per_day", "resumes_per_run", "region", "prices_of", "monthly", "lines", "not_priced",
        "free", "capacity", "people", "managed", "assumptions", "prices", "sources",
    }  # fmt: skip
    assert set(document["lines"][0]) == {
        "group", "what", "resources", "quantity", "unit", "price", "usd", "source", "by_use", "monthly",
    }  # fmt: skip
    assert set(document["capacity"]) == {
        "runs_per_second", "cores", "pods", "nodes", "database_share", "carries_runs_per_day", "warnings",
    }  # fmt: skip
    assert [each["model"] for each in document["managed"]] == ["by runs", "by units"]
    assert {line["source"] for line in document["lines"]} <= document["sources"].keys()


def test_an_estimate_is_the_same_each_time():
    assert estimate(planned("prod"), Usage(777)) == estimate(planned("prod"), Usage(777))


def test_every_price_is_used_and_every_line_has_one():
    used = {line.price.key for stack in ON_AWS for line in estimated(stack).lines}
    used |= {"managed_run", "managed_uptime_minute", "managed_seat", "compute_unit", "storage_unit"}
    spare = {key for key in shipped_prices().prices if not key.startswith(("ec2.", "db.", "cache."))} - used
    assert spare == set()


def test_no_secret_of_the_plan_is_in_the_document():
    document = json.dumps(estimate_document(estimated("prod"), (), People()))
    assert "password" not in document
    assert "arn:aws" not in document


class TestDifference:
    def test_a_smaller_database_is_one_line_that_goes_and_one_that_comes(self):
        cheaper = estimate(
            changed("prod", {"database.instance_class": "db.m7g.large", "workload.api.max_replicas": 20}),
            Usage(0),
        )
        found = difference(estimated("prod"), cheaper)
        named = {change.what: change for change in found.changes}
        gone, new = (named[f"PostgreSQL, db.m7g.{size} with a standby"] for size in ("xlarge", "large"))
        assert (gone.before.likely, gone.after) == (492.02, None)
        assert (new.before, new.after.likely) == (None, 245.28)
        assert found.after.likely - found.before.likely == pytest.approx(245.28 - 492.02)

    def test_the_changes_are_the_whole_difference(self):
        found = difference(estimated("dev", 1000), estimated("prod", 1000))
        nothing = exactly(0)
        moved = sum((c.after or nothing).likely - (c.before or nothing).likely for c in found.changes)
        assert moved == pytest.approx(found.after.likely - found.before.likely, abs=0.01)

    def test_its_document_has_both_sums_and_null_for_a_line_that_is_not_there(self):
        document = difference_document(difference(estimated("dev"), estimated("prod")), "prod", ":dev")
        changes = {each["what"]: each for each in document["changes"]}
        assert document["after"]["likely"] > document["before"]["likely"] > 0
        assert changes["balancer"]["before"] is None
        assert changes["balancer"]["after"]["likely"] == 16.43

    def test_equal_plans_differ_in_nothing(self):
        assert difference(estimated("dev"), estimated("dev")).changes == ()


class TestCapacity:
    def test_pods_follow_the_busiest_hour_and_the_autoscalers_target(self):
        found = estimate(planned("prod"), usage(864_000, peak_factor=2, server_ms_per_run=100)).capacity
        # 20 runs a second take 2 cores; each pod may use 70 % of 500m
        assert found.runs_per_second.likely == pytest.approx(20)
        assert found.cores.likely == pytest.approx(2)
        assert found.pods.likely == 6

    def test_a_resume_is_as_much_work_as_a_run(self):
        one = estimate(planned("prod"), Usage(1000, 1)).capacity
        assert one.cores == estimate(planned("prod"), Usage(2000)).capacity.cores

    def test_more_pods_than_there_may_be_is_a_warning_with_the_setting(self):
        found = estimate(planned("prod"), usage(10_000_000, server_ms_per_run=500)).capacity
        assert any("workload.api.max_replicas" in line for line in found.warnings)

    def test_a_database_that_is_too_busy_is_a_warning_with_the_setting(self):
        found = estimate(planned("dev"), usage(5_000_000, database_ms_per_run=20)).capacity
        assert found.database_share.likely > 0.6
        assert any("database.instance_class" in line for line in found.warnings)

    @pytest.mark.parametrize("stack", ON_AWS)
    def test_what_it_carries_is_where_the_warnings_begin(self, stack):
        most = estimated(stack).capacity.carries.likely
        assert not estimate(planned(stack), Usage(most * 0.99)).capacity.warnings
        assert estimate(planned(stack), Usage(most * 1.05)).capacity.warnings

    def test_a_stack_without_a_workload_says_so(self):
        found = estimate(recording(resource("aws:ec2/vpc:Vpc", "vpc")), usage(1000)).capacity
        assert (found.pods, found.nodes, found.database_share, found.carries) == (None, None, None, None)

    def test_nodes_of_an_unknown_type_are_the_least_number(self):
        odd = resource(
            "aws:eks/nodeGroup:NodeGroup",
            "nodes",
            instanceTypes=["x9z.metal"],
            scalingConfig={"minSize": 2, "maxSize": 9, "desiredSize": 4},
        )
        assert estimate(recording(odd), usage(1000)).capacity.nodes == exactly(4)
        assert "nodes, x9z.metal" not in of(0, odd)
