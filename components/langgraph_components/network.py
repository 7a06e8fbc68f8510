"""The network: three tiers of subnets over two or three zones, or one that is there already."""

from typing import Optional, Self, cast

import pulumi
from pulumi_aws import ec2
from pydantic import Field, field_validator, model_validator

from langgraph_components import network_access as access
from langgraph_components.args import Args, Defaulted, In
from langgraph_components.network_routes import Nat, Site, ids_after, title
from langgraph_components.pure import cidrs
from langgraph_components.pure.endpoints import EndpointService
from langgraph_components.pure.log_retention import retention


class ExistingNetwork(Args):
    """A network that another team keeps: nothing of it is made or changed."""

    vpc_id: In[str]
    """VPC, such as `vpc-0abc`."""
    vpc_cidr: In[str]
    """Its primary IPv4 range."""
    public_subnet_ids: In[list[In[str]]]
    """Subnets with a route to an internet gateway, one for each zone, for balancers."""
    private_subnet_ids: In[list[In[str]]]
    """Subnets with a route to a NAT gateway, one for each zone, for nodes and pods."""
    data_subnet_ids: In[list[In[str]]]
    """Subnets of the database and the cache, in two zones at least. May be the private ones."""
    public_subnet_cidrs: In[list[In[str]]]
    """IPv4 ranges of the public subnets."""
    private_subnet_cidrs: In[list[In[str]]]
    """IPv4 ranges of the private subnets, from which balancer, database and cache are reached."""
    data_subnet_cidrs: In[list[In[str]]]
    """IPv4 ranges of the data subnets, to which pods may connect."""
    endpoint_security_group_id: Optional[In[str]] = None
    """Security group of its interface endpoints. None: it has none."""


class NetworkSettings(Args):
    """How large the network is, and what its ways out are."""

    cidr: Defaulted[str] = "10.0.0.0/16"
    """IPv4 range of the VPC, /16 to /21, private. /16: every pod takes an address of it."""
    az_count: Defaulted[int] = Field(default=3, ge=2, le=cidrs.MAX_ZONES)
    """Zones (2 or 3), while `availability_zones` names none. 3: with one lost, two still agree."""
    availability_zones: Defaulted[list[str]] = Field(default=[])
    """Names of 2 or 3 zones. Empty: the region's `a`, `b`, `c`, which not every account has."""
    nat: Defaulted[Nat] = Nat.PER_AZ
    """`single` (cheap, one zone's loss cuts all), `per_az` or `regional`. Per zone: zones fail alone."""
    interface_endpoints: Defaulted[list[EndpointService]] = Field(default=[])
    """AWS services reached without the NAT gateway, each billed by zone and hour. None: cheapest."""
    flow_log_retention_days: Defaulted[int] = 365
    """Days that flow logs are kept, one of CloudWatch's steps. 365: a breach is found late."""
    protect: Defaulted[bool] = False
    """Whether Pulumi refuses to delete the VPC. Off: a stack that holds nothing yet can be destroyed."""
    existing: Optional[ExistingNetwork] = None
    """A network to use as it is. None: one is made."""

    @field_validator("flow_log_retention_days")
    @classmethod
    def _known_retention(cls, days: int) -> int:
        return retention(days)

    @field_validator("cidr")
    @classmethod
    def _fits(cls, cidr: str) -> str:
        cidrs.plan(cidr, cidrs.MAX_ZONES)
        return cidr

    @field_validator("interface_endpoints")
    @classmethod
    def _each_once(cls, services: list[EndpointService]) -> list[EndpointService]:
        return sorted(set(services))

    @model_validator(mode="after")
    def _zones_agree(self) -> Self:
        given = self.availability_zones
        if given and (len(given) not in {2, cidrs.MAX_ZONES} or len(set(given)) != len(given)):
            told = f"availability_zones: should be 2 or 3 different zones (got {', '.join(given)})"
            raise ValueError(told)
        if given and "az_count" in self.model_fields_set and self.az_count != len(given):
            told = f"availability_zones: names {len(given)}, but az_count is {self.az_count}: leave one out"
            raise ValueError(told)
        return self

    def zone_count(self) -> int:
        """How many zones there are; of an adopted network, as many as `az_count` says."""
        return len(self.availability_zones) or self.az_count


class NetworkArgs(NetworkSettings):
    """How large the network is, what its ways out are, and where it is."""

    account_id: str = Field(pattern=r"^\d{12}$")
    """AWS account, 12 digits. Required: roles name it, and a plan asks no cloud."""
    region: str
    """AWS region, such as `eu-west-1`. Required: endpoints and zones are named after it."""
    logs_key_arn: Optional[In[str]] = None
    """KMS key of the flow logs. Required, unless `existing` is given."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.existing is None and self.logs_key_arn is None:
            told = "logs_key_arn: is required, unless existing is given"
            raise ValueError(told)
        if self.interface_endpoints and self.region.startswith("cn-"):
            told = "interface_endpoints: their names differ in China; reach the services by the NAT gateway"
            raise ValueError(told)
        if elsewhere := [zone for zone in self.availability_zones if not zone.startswith(self.region)]:
            told = f"availability_zones: {elsewhere[0]} is not in {self.region}"
            raise ValueError(told)
        return self

    def zones(self) -> list[str]:
        """The zones' names, in the order of the subnets."""
        return self.availability_zones or [f"{self.region}{letter}" for letter in "abc"[: self.az_count]]


class Network(pulumi.ComponentResource):
    """Public subnets for balancers, private ones for nodes, and data subnets that no route leads out of."""

    vpc_id: pulumi.Output[str]
    """The VPC."""
    vpc_cidr: pulumi.Output[str]
    """IPv4 range of the VPC."""
    public_subnet_ids: pulumi.Output[list[str]]
    """Subnets of balancers, one for each zone; known when their route to the internet is there."""
    private_subnet_ids: pulumi.Output[list[str]]
    """Subnets of nodes and pods, one for each zone; known when their way out is there."""
    data_subnet_ids: pulumi.Output[list[str]]
    """Subnets of the database and the cache, one for each zone."""
    public_subnet_cidrs: pulumi.Output[list[str]]
    """IPv4 ranges of the public subnets."""
    private_subnet_cidrs: pulumi.Output[list[str]]
    """IPv4 ranges of the private subnets."""
    data_subnet_cidrs: pulumi.Output[list[str]]
    """IPv4 ranges of the data subnets."""
    endpoint_security_group_id: pulumi.Output[Optional[str]]
    """Security group of the interface endpoints, if there are any."""

    def __init__(self, name: str, args: NetworkArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        """Declare the network, or nothing where `existing` is given."""
        super().__init__("langgraph:index:Network", name, {}, opts)
        settings = NetworkArgs.of(args)
        if settings.existing is None:
            self._create(name, settings)
        else:
            self._adopt(settings.existing)
        self.register_outputs(
            {
                "vpcId": self.vpc_id,
                "vpcCidr": self.vpc_cidr,
                "publicSubnetIds": self.public_subnet_ids,
                "privateSubnetIds": self.private_subnet_ids,
                "dataSubnetIds": self.data_subnet_ids,
                "publicSubnetCidrs": self.public_subnet_cidrs,
                "privateSubnetCidrs": self.private_subnet_cidrs,
                "dataSubnetCidrs": self.data_subnet_cidrs,
                "endpointSecurityGroupId": self.endpoint_security_group_id,
            }
        )

    def _adopt(self, existing: ExistingNetwork) -> None:
        self.vpc_id = pulumi.Output.from_input(existing.vpc_id)
        self.vpc_cidr = pulumi.Output.from_input(existing.vpc_cidr)
        self.public_subnet_ids = _texts(existing.public_subnet_ids)
        self.private_subnet_ids = _texts(existing.private_subnet_ids)
        self.data_subnet_ids = _texts(existing.data_subnet_ids)
        self.public_subnet_cidrs = _texts(existing.public_subnet_cidrs)
        self.private_subnet_cidrs = _texts(existing.private_subnet_cidrs)
        self.data_subnet_cidrs = _texts(existing.data_subnet_cidrs)
        self.endpoint_security_group_id = pulumi.Output.from_input(existing.endpoint_security_group_id)

    def _create(self, name: str, args: NetworkArgs) -> None:
        zones = args.zones()
        plan = cidrs.plan(args.cidr, len(zones))
        vpc = self._vpc(name, args)
        site = Site(name, args.region, vpc.id, zones, self)
        gateway = site.internet_gateway()
        public, outward = site.public_tier(plan.public, gateway)
        private, inward = site.private_tier(plan.private, site.nat(args.nat, public, gateway))
        data, isolated = site.data_tier(plan.data)
        storage = access.storage_endpoint(site, [table.id for table in inward.tables])
        access.flow_logs(
            site, args.account_id, args.flow_log_retention_days, cast("In[str]", args.logs_key_arn)
        )
        self.vpc_id, self.vpc_cidr = vpc.id, pulumi.Output.from_input(args.cidr)
        self.public_subnet_ids = ids_after(public, outward.parts)
        self.private_subnet_ids = ids_after(private, [*inward.parts, storage])
        self.data_subnet_ids = ids_after(data, isolated.parts)
        self.public_subnet_cidrs = _texts(list(plan.public))
        self.private_subnet_cidrs = _texts(list(plan.private))
        self.data_subnet_cidrs = _texts(list(plan.data))
        self.endpoint_security_group_id = access.interface_endpoints(
            site, args.interface_endpoints, [subnet.id for subnet in private], plan.private
        )

    def _vpc(self, name: str, args: NetworkArgs) -> ec2.Vpc:
        vpc = ec2.Vpc(
            f"{name}-vpc",
            cidr_block=args.cidr,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=title(name),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        # without rules: what forgets to name its security group reaches nothing, and nothing reaches it
        ec2.DefaultSecurityGroup(
            f"{name}-default",
            vpc_id=vpc.id,
            ingress=[],
            egress=[],
            tags=title(f"{name}-default-closed"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return vpc


def _texts(values: In[list[In[str]]]) -> pulumi.Output[list[str]]:
    return cast("pulumi.Output[list[str]]", pulumi.Output.from_input(values))
