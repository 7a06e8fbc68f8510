"""The subnets of a network, and the ways out of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import pulumi
from pulumi_aws import ec2

from langgraph_components.physical_names import plain_of_stack

_EVERYWHERE = "0.0.0.0/0"


class Nat(StrEnum):
    """How private subnets reach the internet."""

    SINGLE = "single"
    PER_AZ = "per_az"
    REGIONAL = "regional"


@dataclass(frozen=True)
class Ways:
    """The routing of one tier."""

    tables: list[ec2.RouteTable]
    parts: list[pulumi.CustomResource] = field(default_factory=list[pulumi.CustomResource])
    """Routes and associations: a machine that starts before them reaches nothing."""


@dataclass(frozen=True)
class Site:
    """The VPC in which a network's parts are declared.

    Parts are numbered from 1 in the order of the zones: a third zone renames none of the first two.
    """

    name: str
    region: str
    vpc_id: pulumi.Output[str]
    zones: list[str]
    parent: pulumi.Resource

    def options(
        self, *depends_on: pulumi.Resource, ignore_changes: Sequence[str] = ()
    ) -> pulumi.ResourceOptions:
        """A child of the network."""
        return pulumi.ResourceOptions(
            parent=self.parent, depends_on=list(depends_on), ignore_changes=list(ignore_changes)
        )

    def internet_gateway(self) -> ec2.InternetGateway:
        """The way out of the public subnets."""
        return ec2.InternetGateway(
            f"{self.name}-internet", vpc_id=self.vpc_id, tags=title(self.name), opts=self.options()
        )

    def public_tier(
        self, ranges: Sequence[str], gateway: ec2.InternetGateway
    ) -> tuple[list[ec2.Subnet], Ways]:
        """Subnets for balancers and NAT gateways: one table, one route."""
        subnets = self._subnets("public", ranges, {"kubernetes.io/role/elb": "1"})
        table = self._table("public")
        route = ec2.Route(
            f"{self.name}-public",
            route_table_id=table.id,
            destination_cidr_block=_EVERYWHERE,
            gateway_id=gateway.id,
            opts=self.options(),
        )
        return subnets, Ways([table], [route, *self._associate("public", subnets, [table] * len(subnets))])

    def private_tier(
        self, ranges: Sequence[str], gateways: Sequence[ec2.NatGateway]
    ) -> tuple[list[ec2.Subnet], Ways]:
        """Subnets for nodes: a table for each zone, so that a change of `nat` changes routes alone."""
        subnets = self._subnets("private", ranges, {"kubernetes.io/role/internal-elb": "1"})
        tables = [self._table(f"private-{number}") for number in _numbers(subnets)]
        routes = [
            ec2.Route(
                f"{self.name}-private-{number}",
                route_table_id=table.id,
                destination_cidr_block=_EVERYWHERE,
                nat_gateway_id=gateways[(number - 1) % len(gateways)].id,
                opts=self.options(),
            )
            for number, table in enumerate(tables, 1)
        ]
        return subnets, Ways(tables, [*routes, *self._associate("private", subnets, tables)])

    def data_tier(self, ranges: Sequence[str]) -> tuple[list[ec2.Subnet], Ways]:
        """Subnets for the database and the cache: a table without any route but the VPC's own."""
        subnets = self._subnets("data", ranges, {})
        table = self._table("data")
        return subnets, Ways([table], [*self._associate("data", subnets, [table] * len(subnets))])

    def nat(
        self, kind: Nat, public: Sequence[ec2.Subnet], gateway: ec2.InternetGateway
    ) -> list[ec2.NatGateway]:
        """One gateway for all zones, one for each, or one that AWS spreads over the zones in use."""
        if kind == Nat.REGIONAL:
            return [
                ec2.NatGateway(
                    f"{self.name}-nat",
                    availability_mode="regional",
                    vpc_id=self.vpc_id,
                    tags=title(f"{self.name}-nat"),
                    opts=self.options(gateway),
                )
            ]
        wanted = public[:1] if kind == Nat.SINGLE else public
        return [self._zonal_nat(number, subnet, gateway) for number, subnet in enumerate(wanted, 1)]

    def _zonal_nat(self, number: int, subnet: ec2.Subnet, gateway: ec2.InternetGateway) -> ec2.NatGateway:
        label = f"{self.name}-nat-{number}"
        # its own resource: when the gateway is replaced, others' allow lists still hold
        address = ec2.Eip(label, domain="vpc", tags=title(label), opts=self.options(gateway))
        return ec2.NatGateway(
            label,
            subnet_id=subnet.id,
            allocation_id=address.allocation_id,
            tags=title(label),
            opts=self.options(gateway),
        )

    def _subnets(self, tier: str, ranges: Sequence[str], tags: Mapping[str, str]) -> list[ec2.Subnet]:
        return [
            ec2.Subnet(
                f"{self.name}-{tier}-{number}",
                vpc_id=self.vpc_id,
                availability_zone=zone,
                cidr_block=cidr,
                map_public_ip_on_launch=False,
                tags={**title(f"{self.name}-{tier}-{zone}"), **tags},
                opts=self.options(),
            )
            for number, (zone, cidr) in enumerate(zip(self.zones, ranges, strict=True), 1)
        ]

    def _table(self, label: str) -> ec2.RouteTable:
        full = f"{self.name}-{label}"
        return ec2.RouteTable(full, vpc_id=self.vpc_id, tags=title(full), opts=self.options())

    def _associate(
        self, tier: str, subnets: Sequence[ec2.Subnet], tables: Sequence[ec2.RouteTable]
    ) -> list[ec2.RouteTableAssociation]:
        return [
            ec2.RouteTableAssociation(
                f"{self.name}-{tier}-{number}",
                subnet_id=subnet.id,
                route_table_id=table.id,
                opts=self.options(),
            )
            for number, (subnet, table) in enumerate(zip(subnets, tables, strict=True), 1)
        ]


def title(name: str) -> dict[str, str]:
    """The tag that AWS's console shows."""
    return {"Name": plain_of_stack(name)}


def ids_after(
    subnets: Sequence[ec2.Subnet], parts: Sequence[pulumi.CustomResource]
) -> pulumi.Output[list[str]]:
    """The subnets' ids; whatever takes them waits for these parts too, and goes before them."""
    waited = pulumi.Output.all(*(subnet.id for subnet in subnets), *(part.id for part in parts))
    return waited.apply(lambda found: list(found[: len(subnets)]))


def _numbers(subnets: Sequence[ec2.Subnet]) -> range:
    return range(1, len(subnets) + 1)
