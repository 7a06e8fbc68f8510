"""The managed platform's two price models, and from where on the stack is the cheaper one."""

import pytest
from costing.costing_world import estimated, usage
from hypothesis import given, settings
from hypothesis import strategies as st
from infra.infra_stacks import planned

from lgp.costing import Usage, estimate
from lgp.costing.compare import MOST_RUNS, People, compare
from lgp.costing.managed import offers
from lgp.costing.tables import shipped_assumptions, shipped_prices, with_settings


def parts(offer):
    return {part.what: part.monthly.likely for part in offer.parts}


def offered(use: Usage, seats: int = 1, *given: str):
    prices, _ = with_settings(shipped_prices(), shipped_assumptions(), given)
    found = estimate(planned("prod"), use, prices)
    return offers(use, found.capacity, prices, seats)


def compared(use: Usage, people: People, stack: str = "prod"):
    return compare(planned(stack), estimate(planned(stack), use), people)


def test_fifty_thousand_runs_a_day_are_7604_dollars_by_runs():
    by_runs, _ = offered(Usage(50_000))
    assert parts(by_runs)["runs"] == 7604.17
    assert by_runs.monthly.likely == pytest.approx(7604.17 + 157.68 + 39)


def test_a_resume_is_another_run():
    by_runs, _ = offered(Usage(50_000, 0.2))
    assert parts(by_runs)["resumes, each of them another run"] == 1520.83


def test_by_units_the_smallest_deployment_is_the_least_there_is():
    _, by_units = offered(Usage(0))
    # 3 vCPU x 0.045, 6 GiB x 0.006, at 1.50; 1 vCPU x 0.177, 4 GiB x 0.025, at 1.00; 730 hours
    assert parts(by_units)["runtime compute, units"] == pytest.approx(3 * 0.045 * 730 * 1.5, abs=0.01)
    assert parts(by_units)["database memory, units"] == pytest.approx(4 * 0.025 * 730, abs=0.01)
    assert by_units.monthly.likely == pytest.approx(428.46)


def test_by_units_it_grows_with_the_processors_that_runs_keep_busy():
    _, idle = offered(Usage(0))
    _, busy = offered(usage(864_000, server_ms_per_run=900, run_seconds=1))
    # 9 cores on average at 75 % of 3 vCPU are four times the smallest one
    assert parts(busy)["runtime compute, units"] == pytest.approx(
        4 * parts(idle)["runtime compute, units"], abs=0.05
    )
    assert parts(busy)["database compute, units"] == parts(idle)["database compute, units"]


def test_by_units_it_grows_with_the_runs_that_go_on_at_the_same_time():
    _, idle = offered(Usage(0))
    _, waiting = offered(usage(86_400, run_seconds=60, managed_runs_at_once=20))
    assert parts(waiting)["runtime memory, units"] == pytest.approx(
        3 * parts(idle)["runtime memory, units"], abs=0.05
    )
    assert parts(waiting)["database memory, units"] == parts(idle)["database memory, units"]


def test_seats_are_counted_in_both():
    for offer in offered(Usage(0), 5):
        assert parts(offer)["seats"] == 195


def test_traces_are_told_as_not_counted_until_they_have_a_price():
    _, without = offered(Usage(1000))
    _, priced = offered(Usage(1000), 1, "managed_traces_1000=5")
    assert any("managed_traces_1000" in each for each in without.not_counted)
    assert not any("managed_traces_1000" in each for each in priced.not_counted)
    assert parts(priced)["thousands of traces"] == pytest.approx(152.08)


def test_unit_prices_are_inputs():
    _, dear = offered(Usage(0), 1, "compute_unit=3", "storage_unit=2")
    _, usual = offered(Usage(0))
    assert dear.monthly.likely - 39 == pytest.approx(2 * (usual.monthly.likely - 39), abs=0.02)


def test_nobody_is_told_that_calls_of_models_are_in_it():
    assert all("calls of models" in offer.not_counted for offer in offered(Usage(1)))


def saving(use: Usage, number: int, paid: float = 0.0, stack: str = "prod") -> float:
    found = estimate(planned(stack), use)
    return offers(use, found.capacity, found.prices, 1)[number].monthly.likely - found.monthly.likely - paid


@settings(max_examples=6, deadline=None)
@given(stack=st.sampled_from(["dev", "prod"]), resumes=st.floats(0, 2), hours=st.floats(0, 200))
def test_at_the_break_even_it_pays_and_one_run_before_it_does_not(stack, resumes, hours):
    people = People(hours, 100)
    even = compared(Usage(10_000, resumes), people, stack)[0].break_even
    for runs, paid in ((even.without_people, 0.0), (even.with_people, people.monthly)):
        if runs:
            assert saving(Usage(runs, resumes), 0, paid, stack) >= 0
            assert saving(Usage(runs - 1, resumes), 0, paid, stack) < 0


def test_people_make_it_pay_later():
    even = compared(Usage(50_000), People(40, 90))[0].break_even
    assert even.without_people < even.with_people


def test_more_resumes_make_it_pay_earlier():
    few, many = (compared(Usage(50_000, x), People())[0].break_even.without_people for x in (0, 1))
    assert many < few


def test_there_may_be_none_and_then_it_is_said():
    by_units = compared(usage(50_000, run_seconds=1), People())[1]
    assert by_units.break_even.without_people is None
    assert by_units.people_hours_paid is None


def test_a_stack_that_costs_nothing_here_pays_from_the_first_run():
    assert compared(Usage(10), People(), "local")[0].break_even.without_people == 0


def test_the_saving_is_told_in_hours_of_people():
    by_runs = compared(Usage(50_000), People(0, 100))[0]
    assert by_runs.people_hours_paid == pytest.approx(
        (by_runs.offer.monthly.likely - estimated("prod", 50_000).monthly.likely) / 100
    )


def test_nobody_looks_beyond_what_the_stack_carries():
    by_runs = compared(Usage(0), People(10**6, 10**3))[0]
    assert by_runs.break_even.with_people is None
    assert estimated("prod").capacity.carries.likely < MOST_RUNS
