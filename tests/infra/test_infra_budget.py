from dataclasses import asdict, fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langgraph_components.pure import budget
from langgraph_components.pure.budget import Fleet, Times, check_connections, check_times, server_environment
from langgraph_components.pure.instance_classes import (
    DEFAULT_LIMIT,
    MEMORY_GIB,
    family_of,
    nominal_connections,
    smallest_with,
)
from langgraph_components.pure.naming import physical

API = Fleet("api", replicas=50, surge=1, pool=20)
THE_SPECIFICATION = Fleet("api", replicas=50, surge=1, pool=20, processes=4)

fleets = st.lists(
    st.builds(
        Fleet,
        name=st.sampled_from(["api", "worker", "retention"]),
        replicas=st.integers(1, 100),
        surge=st.integers(0, 25),
        pool=st.integers(budget.LEAST_POOL, 50),
        processes=st.integers(1, 4),
    ),
    min_size=1,
    max_size=4,
)
limits = st.integers(50, 20_000)


@pytest.mark.parametrize(("gib", "connections"), [(4, 450), (8, 901), (16, 1802), (32, 3604), (64, 5000)])
def test_a_class_admits_what_the_default_of_rds_makes_of_its_memory(gib, connections):
    names = [name for name, memory in MEMORY_GIB.items() if memory == gib]
    assert names
    assert {nominal_connections(name) for name in names} == {connections}


@pytest.mark.parametrize(
    ("name", "gib"),
    [
        ("db.t4g.micro", 1),
        ("db.t4g.medium", 4),
        ("db.m7g.large", 8),
        ("db.m8g.16xlarge", 256),
        ("db.m8g.48xlarge", 768),
        ("db.r7g.xlarge", 32),
        ("db.r8g.large", 16),
        ("db.r8g.48xlarge", 1536),
    ],
)
def test_the_memory_of_a_class_is_that_of_its_type(name, gib):
    assert MEMORY_GIB[name] == gib


def test_no_class_is_said_to_admit_more_than_the_default_does():
    assert max(nominal_connections(name) or 0 for name in MEMORY_GIB) == DEFAULT_LIMIT == 5000
    assert nominal_connections("db.x2g.large") is None


@pytest.mark.parametrize(("gib", "pool"), [(4, 6), (8, 12), (16, 25)])
def test_for_fifty_pods_the_pool_is_what_was_computed_by_hand_less_the_two_outside_it(gib, pool):
    limit = gib * 1024**3 // 9_531_392
    found = budget.fit([API], limit)
    assert found.pool == pool - budget.OUTSIDE_THE_POOL


@pytest.mark.parametrize("name", sorted(MEMORY_GIB))
def test_four_processes_in_each_of_fifty_pods_fit_no_class(name):
    limit = nominal_connections(name)
    assert limit is not None
    said = check_connections([THE_SPECIFICATION], limit, name)
    assert len(said) == 1
    assert "take instance class" not in said[0]


def test_the_sentence_says_what_is_wanted_what_there_is_and_what_to_change():
    assert check_connections([THE_SPECIFICATION], 3604, "db.m8g.2xlarge") == [
        "the database (db.m8g.2xlarge): 4500 connections are wanted "
        "(api 51 pods * 4 processes * (20 + 2) + 12 fixed), 2594 may be planned with (72 % of 3604): "
        "make the pools at most 10, or let api have at most 28 replicas"
    ]
    assert check_connections([API], 450, "db.t4g.medium", database="the read replica") == [
        "the read replica (db.t4g.medium): 1134 connections are wanted (api 51 pods * (20 + 2) + 12 fixed), "
        "324 may be planned with (72 % of 450): make the pools at most 4, "
        "or let api have at most 13 replicas, or take instance class db.t4g.xlarge"
    ]


def test_where_nothing_alone_would_fit_the_sentence_says_that_too():
    (said,) = check_connections([THE_SPECIFICATION, replace(THE_SPECIFICATION, name="worker")], 50)
    assert said.endswith("make the pools smaller and the pods fewer, no instance class has so many")


def test_workers_and_retention_are_counted_and_named():
    all_of_them = [
        Fleet("api", replicas=10, surge=1, pool=10),
        Fleet("worker", replicas=4, surge=1, pool=20),
        Fleet("retention", replicas=1, pool=4),
    ]
    assert budget.wanted(all_of_them) == 11 * 12 + 5 * 22 + 1 * 6 + 12
    (said,) = check_connections(all_of_them, 225)
    assert "api 11 pods * (10 + 2) + worker 5 pods * (20 + 2) + retention 1 pods * (4 + 2) + 12 fixed" in said


def test_a_pool_below_four_is_refused_even_where_it_fits():
    assert check_connections([Fleet("api", replicas=3, pool=3)], 5000) == [
        "api: a pool of 3 is too small, 4 connections are the least"
    ]


@given(fleets, limits)
def test_the_share_is_never_exceeded_where_nothing_is_said(given_fleets, limit):
    total = sum(f.pods * f.processes * (f.pool + 2) for f in given_fleets) + 12
    assert (not check_connections(given_fleets, limit)) == (total <= 0.72 * limit)


@given(fleets, limits)
def test_the_pool_that_is_named_fits_and_one_more_does_not(given_fleets, limit):
    found = budget.fit(given_fleets, limit)
    if found.pool is None:
        assert check_connections([replace(f, pool=budget.LEAST_POOL) for f in given_fleets], limit)
        return
    assert not check_connections([replace(f, pool=found.pool) for f in given_fleets], limit)
    assert check_connections([replace(f, pool=found.pool + 1) for f in given_fleets], limit)


@given(fleets, limits)
def test_the_replicas_that_are_named_fit_and_one_more_does_not(given_fleets, limit):
    found = budget.fit(given_fleets, limit)
    largest = max(range(len(given_fleets)), key=lambda i: given_fleets[i].connections)

    def with_replicas(count):
        return [replace(f, replicas=count) if i == largest else f for i, f in enumerate(given_fleets)]

    if found.replicas is None:
        assert check_connections(with_replicas(1), limit)
        return
    assert not check_connections(with_replicas(found.replicas), limit)
    assert check_connections(with_replicas(found.replicas + 1), limit)


@given(fleets, st.sampled_from(sorted(MEMORY_GIB)))
def test_the_class_that_is_named_is_the_smallest_that_fits(given_fleets, like):
    found = budget.fit(given_fleets, nominal_connections(like) or 0, like).instance_class

    def fits(name):
        return not check_connections(given_fleets, nominal_connections(name) or 0)

    if found is None:
        assert not any(map(fits, MEMORY_GIB))
        return
    assert fits(found)
    smaller = [name for name in MEMORY_GIB if MEMORY_GIB[name] < MEMORY_GIB[found]]
    same_family = [name for name in smaller if family_of(name) == family_of(found)]
    assert not any(map(fits, same_family))
    if family_of(found) != family_of(like):
        assert not any(fits(name) for name in MEMORY_GIB if family_of(name) == family_of(like))


def test_a_class_of_another_family_is_named_only_where_ones_own_has_none():
    assert smallest_with(3000, "db.t4g.medium") == "db.t4g.2xlarge"
    assert smallest_with(4000, "db.t4g.medium") in {"db.m7g.4xlarge", "db.r7g.2xlarge", "db.m8g.4xlarge"}
    assert smallest_with(5001) is None


# The time budget


def test_the_numbers_of_the_contract_hold_together():
    assert check_times(Times()) == []
    told = asdict(Times())
    assert (told["client_timeout"], told["balancer_idle"], told["keep_alive"]) == (300, 310, 330)
    assert (told["pre_stop"], told["drain"], told["shutdown"], told["grace"]) == (20, 20, 30, 60)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"wait": 300}, "wait (300 s) must be below the client's time-out (300 s)"),
        (
            {"balancer_idle": 300},
            "the balancer's idle time (300 s) must be above the client's time-out (300 s)",
        ),
        ({"keep_alive": 75}, "keep-alive (75 s) must be above the balancer's idle time (310 s)"),
        ({"heartbeat": 155}, "two heartbeats of 155 s must fit in the balancer's idle time (310 s)"),
        ({"drain": 25}, "shutdown (30 s) must hold drain (25 s) and close (10 s)"),
        ({"grace": 30}, "grace (30 s) must be at least 60 s: preStop, shutdown and slack"),
        (
            {"deregistration_delay": 300},
            "the deregistration delay (300 s) must end within preStop and drain (40 s)",
        ),
        (
            {"lease_renew": 6},
            "a lease (15 s) must outlive two missed renewals: renew at most every 5 s, not 6 s",
        ),
        ({"heartbeat": 0}, "every duration must be at least 1 s"),
    ],
)
def test_one_number_that_does_not_fit_gets_its_sentence(wrong, said):
    assert check_times(replace(Times(), **wrong)) == [said]


@given(st.builds(Times, **{field.name: st.integers(1, 400) for field in fields(Times)}))
def test_times_that_pass_keep_every_order_of_the_rollout(times):
    if check_times(times):
        return
    assert 2 * times.heartbeat < times.balancer_idle
    assert times.wait < times.client_timeout < times.balancer_idle < times.keep_alive
    assert times.grace >= times.pre_stop + times.drain + times.close + times.slack
    assert times.deregistration_delay <= times.pre_stop + times.drain
    assert times.lease >= 3 * times.lease_renew


def test_the_server_is_told_the_same_numbers():
    assert server_environment(Times(), pool_min=5, pool_max=20) == {
        "PORT": "8000",
        "METRICS_PORT": "9464",
        "POOL_MIN_SIZE": "5",
        "POOL_MAX_SIZE": "20",
        "LEASE_SECONDS": "15",
        "LEASE_RENEW_SECONDS": "5",
        "DRAIN_SECONDS": "20",
        "SHUTDOWN_SECONDS": "30",
        "KEEP_ALIVE_SECONDS": "330",
        "HEARTBEAT_SECONDS": "15",
        "WAIT_SECONDS": "290",
    }


# Names


@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=3), st.integers(12, 63))
def test_a_physical_name_is_one_that_every_service_admits(parts, limit):
    try:
        name = physical(*parts, limit=limit)
    except ValueError:
        assert not any(c.isascii() and c.isalnum() for c in "".join(parts).lower())
        return
    assert len(name) <= limit
    assert name[0].isalpha()
    assert name[-1] != "-"
    assert "--" not in name
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_long_names_that_differ_at_their_end_stay_different():
    first, second = (physical("a" * 40, end, limit=20) for end in ("one", "two"))
    assert first != second
    assert physical("Acme Platform", "prod", limit=40) == "acme-platform-prod"
