"""What carries: NAT, addresses, endpoints, zones, the balancer and its firewall, names."""

from collections.abc import Sequence

from lgp.costing.charge import Charge, Found, World, given, hours, names
from lgp.costing.ranges import Range, exactly
from lgp.costing.usage import HOURS_A_MONTH
from lgp.planning.recording import Resource


def gateways(resources: Sequence[Resource], world: World) -> Found:
    """NAT: hours, what passes to models and tracing and back, and what of it leaves AWS."""
    found = names(resources)
    yield Charge("network", "NAT gateways", hours(len(resources)), "nat_hour", found)
    sent = world.usage.gib_per_month("model_sent_kib_per_run")
    if world.facts.traced:
        sent += world.usage.gib_per_month("trace_kib_per_run")
    passed = sent + world.usage.gib_per_month("model_received_kib_per_run")
    yield Charge("network", "data through NAT", passed, "nat_gb", found, by_use=True)
    yield Charge("network", "of it, data to the internet", sent, "egress_gb", found, by_use=True)


def addresses(resources: Sequence[Resource], _: World) -> Found:
    """Public IPv4 addresses that are declared by themselves."""
    yield Charge(
        "network",
        "public addresses of NAT",
        hours(len(resources)),
        "public_ipv4_hour",
        names(resources),
    )


def endpoints(resources: Sequence[Resource], _: World) -> Found:
    """Interface endpoints, by zone; gateway endpoints are free."""
    paid = [each for each in resources if given(each).get("vpcEndpointType") == "Interface"]
    zones = sum(len(given(each).get("subnetIds") or ()) for each in paid)
    if paid:
        yield Charge("network", "interface endpoints", hours(zones), "endpoint_hour", names(paid))


def networks(resources: Sequence[Resource], world: World) -> Found:
    """What crosses zones between server and database."""
    yield Charge(
        "network",
        "data between zones",
        world.usage.gib_per_month("zone_kib_per_run"),
        "zone_gb",
        names(resources),
        by_use=True,
    )


GIB_PER_HOUR, CONNECTIONS_PER_SECOND = 1, 25
"""What one unit of a balancer's capacity carries; the larger counts. Its other two come later."""


def balancers(resources: Sequence[Resource], world: World) -> Found:
    """Hours, units of capacity by the day's mean, addresses, and answers to the internet."""
    found = names(resources)
    yield Charge("edge", "balancer", hours(len(resources)), "balancer_hour", found)
    traffic = world.usage.gib_per_month("body_kib_per_run") * (1 / HOURS_A_MONTH)
    connections = world.usage.requests_per_month() * (1 / (HOURS_A_MONTH * 3600))
    by_traffic = traffic * (1 / GIB_PER_HOUR)
    by_connections = connections * (1 / CONNECTIONS_PER_SECOND)
    units = Range(
        max(by_traffic.low, by_connections.low),
        max(by_traffic.likely, by_connections.likely),
        max(by_traffic.high, by_connections.high),
    )
    yield Charge(
        "edge", "its units of capacity", units * HOURS_A_MONTH, "balancer_unit_hour", found, by_use=True
    )
    public = [each for each in resources if not given(each).get("internal")]
    zones = sum(len(given(each).get("subnets") or ()) for each in public)
    if public:
        yield Charge("edge", "its public addresses", hours(zones), "public_ipv4_hour", names(public))
        answers = world.usage.gib_per_month("body_kib_per_run")
        yield Charge("edge", "answers to the internet", answers, "egress_gb", names(public), by_use=True)


def firewalls(resources: Sequence[Resource], world: World) -> Found:
    """The firewall, its rules, and requests."""
    found = names(resources)
    rules = sum(len(given(each).get("rules") or ()) for each in resources)
    yield Charge("edge", "firewall", exactly(len(resources)), "firewall", found)
    yield Charge("edge", "its rules", exactly(rules), "firewall_rule", found)
    millions = world.usage.requests_per_month() * 1e-6
    yield Charge("edge", "requests through it", millions, "firewall_million", found, by_use=True)


def records(resources: Sequence[Resource], world: World) -> Found:
    """Queries of the names, at most one a request; the zone is yours."""
    millions = world.usage.requests_per_month() * 1e-6
    yield Charge(
        "edge",
        "queries of its name",
        Range(0, millions.likely * 0.1, millions.high),
        "dns_million",
        names(resources),
        by_use=True,
    )
