"""VPC, subnets, security groups."""

import ipaddress
from typing import Any

from langgraph_policy.model import Fault, Faults, Resource, Stack, of_resource, of_stack
from langgraph_policy.reading import must_not_be_on, undecided
from langgraph_policy.values import Hidden, Node, number

VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
OLD_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
FLOW_LOG = "aws:ec2/flowLog:FlowLog"
NAT = "aws:ec2/natGateway:NatGateway"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
ROUTE = "aws:ec2/route:Route"
ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"
TABLES = ("aws:ec2/routeTable:RouteTable", "aws:ec2/defaultRouteTable:DefaultRouteTable")
PREFIX_LIST = "aws:ec2/managedPrefixList:ManagedPrefixList"
PREFIX_ENTRY = "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry"
SUBNET_GROUPS = ("aws:rds/subnetGroup:SubnetGroup", "aws:elasticache/subnetGroup:SubnetGroup")

PUBLIC_PORTS = frozenset({80, 443})
_WIDEST = {4: 8, 6: 16}
"""Bits of a prefix: a public network that is wider than this is called everyone."""


def is_everyone(cidr: Any) -> bool:
    """Whether a network is the internet, or so much of it that it makes no difference."""
    try:
        network = ipaddress.ip_network(str(cidr), strict=False)
    except ValueError:
        return False
    return not network.is_private and network.prefixlen < _WIDEST[network.version]


def _openings(resource: Resource) -> list[Node]:
    """The ways in that a resource makes: itself, or those it lists."""
    if resource.type == INGRESS:
        return [resource.root]
    if resource.type == OLD_RULE:
        return [resource.root] if resource.root.seen("type") == "ingress" else []
    return list(resource.root.each("ingress"))


def _sources(opening: Node) -> list[Any]:
    keys = ("cidrIpv4", "cidrIpv6", "cidrBlocks", "ipv6CidrBlocks")
    return [value for key in keys for value in opening.values(key)]


def _is_open(opening: Node) -> bool:
    return any(is_everyone(source) for source in _sources(opening))


def _ports(opening: Node) -> str:
    protocol = opening.seen("ipProtocol") or opening.seen("protocol")
    if str(protocol) in {"-1", "all"}:
        return "all"
    first, last = (number(opening.seen(key)) for key in ("fromPort", "toPort"))
    return f"{first:g}" if first == last else f"{first:g} to {last:g}"


@of_resource(INGRESS, OLD_RULE, GROUP, DEFAULT_GROUP, PREFIX_LIST, PREFIX_ENTRY)
def open_ports(resource: Resource) -> Faults:
    """What is open to the internet is 443 and 80, and nothing else.

    Why: every other port is found and tried within hours: a database, a node, a metrics port.

    Fix: name the network or the security group that needs it, instead of 0.0.0.0/0.
    """
    if resource.type in (PREFIX_LIST, PREFIX_ENTRY):
        entries = resource.root.each("entries") if resource.type == PREFIX_LIST else [resource.root]
        if any(is_everyone(entry.seen("cidr")) for entry in entries):
            yield Fault("the list has everyone, and with it each group that names it")
        return
    for opening in _openings(resource):
        if _is_open(opening) and _ports(opening) not in {f"{port}" for port in PUBLIC_PORTS}:
            yield Fault(f"port {_ports(opening)} is open to everyone")


@of_stack()
def open_only_at_the_balancer(stack: Stack) -> Faults:
    """A security group that is open to the internet is a load balancer's.

    Why: 443 of a node or a database is as open as any other port; only the balancer is made for strangers.

    Fix: let in the balancer's security group, not the internet.
    """
    balancers = stack.of(BALANCER)
    for resource in stack.of(INGRESS, OLD_RULE, GROUP):
        opened = any(_is_open(opening) for opening in _openings(resource))
        urns = (
            {resource.urn} if resource.type == GROUP else set(resource.references.get("securityGroupId", ()))
        )
        of_balancer = any(urns & set(each.references.get("securityGroups", ())) for each in balancers)
        if opened and not of_balancer:
            yield Fault("it opens a group that belongs to no load balancer", resource)


@of_stack()
def default_group_closed(stack: Stack) -> Faults:
    """The default security group of a VPC lets nothing through.

    Why: what is started without a group gets that one, and AWS opens it among its members.

    Fix: a DefaultSecurityGroup for the VPC with ingress: [] and egress: [].
    """
    groups = stack.of(DEFAULT_GROUP)
    for group in groups:
        for key in ("ingress", "egress"):
            if group.root.values(key):
                yield Fault(f"{key} is not empty", group)
    for vpc in stack.of(VPC):
        if not any(group.refers("vpcId", vpc) for group in groups):
            yield Fault("nothing closes its default security group", vpc)


@of_stack()
def flow_logs(stack: Stack) -> Faults:
    """A VPC's traffic is logged, what was refused and what was let through.

    Why: after an incident it is the only record of who spoke to whom.

    Fix: a FlowLog for the VPC with trafficType: ALL.
    """
    logs = stack.of(FLOW_LOG)
    for log in logs:
        if log.root.at("trafficType") not in ("ALL", Hidden.UNKNOWN):
            yield Fault("trafficType is not ALL", log)
    for vpc in stack.of(VPC):
        if not any(log.refers("vpcId", vpc) for log in logs):
            yield Fault("it has no flow log", vpc)


@of_resource(SUBNET)
def subnets_private(resource: Resource) -> Faults:
    """No subnet gives public addresses to what is started in it.

    Why: a node in the wrong subnet would be on the internet without anybody having asked for it.

    Fix: mapPublicIpOnLaunch: false; what needs an address, a NAT gateway or a balancer, gets one by name.
    """
    yield from must_not_be_on(resource.root, "mapPublicIpOnLaunch")


@of_stack(strict_only=True)
def nat_in_every_zone(stack: Stack) -> Faults:
    """In prod, every zone has its own way out.

    Why: with one NAT gateway the loss of its zone cuts all zones from the model providers, and traffic
    between zones is paid.

    Fix: network.nat: per_az.
    """
    gateways = stack.of(NAT)
    zones = [subnet.root.at("availabilityZone") for subnet in stack.of(SUBNET)]
    regional = any(gateway.root.at("availabilityMode") == "regional" for gateway in gateways)
    if Hidden.UNKNOWN in zones:
        yield undecided("availabilityZone of the subnets")
    elif gateways and not regional and len(gateways) < (many := len(set(map(str, zones)))):
        yield Fault(f"{len(gateways)} NAT gateways for {many} zones", gateways[0])


@of_stack()
def data_isolated(stack: Stack) -> Faults:
    """Subnets of databases and caches have no way to the internet.

    Why: stolen data has to go somewhere; from there it cannot, and nothing can be let in by mistake.

    Fix: a route table without a default route for the subnets of the subnet group.
    """
    routed = {
        urn
        for route in stack.of(ROUTE)
        if is_everyone(route.root.at("destinationCidrBlock"))
        or is_everyone(route.root.at("destinationIpv6CidrBlock"))
        for urn in route.references.get("routeTableId", ())
    }
    routed |= {table.urn for table in stack.of(*TABLES) if _has_way_out(table)}
    reaching = {
        urn
        for each in stack.of(ASSOCIATION)
        if routed & set(each.references.get("routeTableId", ()))
        for urn in each.references.get("subnetId", ())
    }
    for group in stack.of(*SUBNET_GROUPS):
        for urn in sorted(reaching & set(group.references.get("subnetIds", ()))):
            yield Fault(f"{urn.rpartition('::')[2]} has a route to the internet", group)


def _has_way_out(table: Resource) -> bool:
    """Whether a default route is among those that a table lists itself."""
    keys = ("cidrBlock", "ipv6CidrBlock")
    return any(is_everyone(route.at(key)) for route in table.root.each("routes") for key in keys)
