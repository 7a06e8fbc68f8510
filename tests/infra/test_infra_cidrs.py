"""The address plan, for every network that may be asked for."""

from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langgraph_components.pure import cidrs
from langgraph_components.pure.endpoints import EndpointService, service_name
from langgraph_components.pure.log_retention import RETENTION_DAYS, retention

PRIVATE = [IPv4Network("10.0.0.0/8"), IPv4Network("172.16.0.0/12"), IPv4Network("192.168.0.0/16")]
TIERS = ("public", "private", "data")


@st.composite
def networks(draw):
    """Any private network of a size that is admitted."""
    prefix = draw(st.integers(cidrs.LARGEST, cidrs.SMALLEST))
    outer = draw(st.sampled_from(PRIVATE))
    count = 2 ** (prefix - outer.prefixlen)
    first = int(outer.network_address) + draw(st.integers(0, count - 1)) * 2 ** (32 - prefix)
    return str(IPv4Network((first, prefix)))


def subnets(plan):
    return [IPv4Network(cidr) for tier in TIERS for cidr in getattr(plan, tier)]


@given(networks(), st.integers(2, 3))
def test_no_subnet_overlaps_another_and_all_lie_in_the_network(cidr, zones):
    found = subnets(cidrs.plan(cidr, zones))
    assert len(found) == zones * len(TIERS)
    assert all(subnet.subnet_of(IPv4Network(cidr)) for subnet in found)
    pairs = [(one, other) for i, one in enumerate(found) for other in found[i + 1 :]]
    assert not any(one.overlaps(other) for one, other in pairs)


@given(networks(), st.integers(2, 3))
def test_pods_have_room_and_no_subnet_is_too_small_for_a_balancer(cidr, zones):
    plan = cidrs.plan(cidr, zones)
    assert all(IPv4Network(cidr).num_addresses >= 256 for cidr in plan.private)
    # AWS asks for a /27 and 8 free addresses in each subnet of a balancer, and keeps 5 for itself
    assert all(IPv4Network(cidr).prefixlen <= 27 for cidr in (*plan.public, *plan.data))


@given(networks())
def test_a_third_zone_moves_no_subnet_of_the_first_two(cidr):
    two, three = cidrs.plan(cidr, 2), cidrs.plan(cidr, 3)
    for tier in TIERS:
        assert getattr(three, tier)[:2] == getattr(two, tier)


@given(networks())
def test_half_of_the_network_is_left_for_growth(cidr):
    taken = sum(subnet.num_addresses for subnet in subnets(cidrs.plan(cidr, 3)))
    assert taken <= IPv4Network(cidr).num_addresses / 2


def test_the_plan_of_the_default_network_is_what_the_page_says():
    plan = cidrs.plan("10.0.0.0/16", 3)
    assert plan.private == ("10.0.0.0/19", "10.0.32.0/19", "10.0.64.0/19")
    assert plan.public == ("10.0.96.0/22", "10.0.100.0/22", "10.0.104.0/22")
    assert plan.data == ("10.0.108.0/22", "10.0.112.0/22", "10.0.116.0/22")


@pytest.mark.parametrize(
    ("cidr", "said"),
    [
        ("10.0.0.0/22", "10.0.0.0/22 is too small: 3 zones with a private /24, a public /27 and a data /27"),
        ("10.0.0.0/15", "10.0.0.0/15 is too large: AWS makes no VPC larger than a /16"),
        (
            "10.0.1.0/16",
            "should be an IPv4 network such as 10.0.0.0/16, its host bits zero (got '10.0.1.0/16')",
        ),
        ("fd00::/16", "should be an IPv4 network"),
        ("ten", "should be an IPv4 network"),
        (
            "8.8.0.0/16",
            "should lie in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10 (got '8.8.0.0/16')",
        ),
        ("172.0.0.0/16", "should lie in"),
    ],
)
def test_a_network_that_cannot_be_divided_is_refused_with_what_would_do(cidr, said):
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # the whole text is compared
        cidrs.plan(cidr, 3)
    assert str(refused.value).startswith(said)


@given(st.integers(22, 28))
def test_every_network_below_the_smallest_is_refused(prefix):
    with pytest.raises(ValueError, match="too small"):
        cidrs.plan(f"10.0.0.0/{prefix}", 2)


@pytest.mark.parametrize("zones", [0, 4])
def test_a_number_of_zones_without_a_plan_is_refused(zones):
    with pytest.raises(ValueError, match=f"should be 1 to 3 zones \\(got {zones}\\)"):
        cidrs.plan("10.0.0.0/16", zones)


@pytest.mark.parametrize("cidr", ["203.0.113.0/24", "198.51.100.7/32", "8.0.0.0/8"])
def test_a_range_that_is_not_the_world_may_be_let_in(cidr):
    assert cidrs.closed(cidr) == cidr


@pytest.mark.parametrize("cidr", ["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "4.0.0.0/7"])
def test_the_world_is_refused_in_one_piece_and_in_two(cidr):
    with pytest.raises(ValueError, match="is open to the world"):
        cidrs.closed(cidr)


@pytest.mark.parametrize("cidr", ["203.0.113.1/24", "::/0", "office"])
def test_what_is_no_range_is_refused(cidr):
    with pytest.raises(ValueError, match="should be an IPv4 range"):
        cidrs.closed(cidr)


def test_an_endpoint_has_the_name_of_its_region_and_service():
    assert service_name("eu-west-1", EndpointService.ECR_API) == "com.amazonaws.eu-west-1.ecr.api"
    assert len({service_name("eu-west-1", service) for service in EndpointService}) == len(EndpointService)


def test_logs_are_kept_for_a_time_that_cloudwatch_knows():
    assert [retention(days) for days in RETENTION_DAYS] == list(RETENTION_DAYS)
    with pytest.raises(ValueError, match=r"should be one of 1, 3, 5, .*3653 days \(got 99\)"):
        retention(99)
