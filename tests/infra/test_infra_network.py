"""The network's graph: what is made, who can reach whom, and what waits for what."""

import json

import pulumi
import pytest

from langgraph_components.errors import InvalidArgs
from langgraph_components.network import Network, NetworkArgs

ARGS = {
    "account_id": "123456789012",
    "region": "eu-west-1",
    "logs_key_arn": "arn:aws:kms:eu-west-1:123456789012:key/logs",
}
EXISTING = {
    "vpc_id": "vpc-1",
    "vpc_cidr": "10.9.0.0/16",
    "public_subnet_ids": ["subnet-p"],
    "private_subnet_ids": ["subnet-a", "subnet-b"],
    "data_subnet_ids": ["subnet-d", "subnet-e"],
    "public_subnet_cidrs": ["10.9.0.0/24"],
    "private_subnet_cidrs": ["10.9.1.0/24", "10.9.2.0/24"],
    "data_subnet_cidrs": ["10.9.3.0/24", "10.9.4.0/24"],
}
OUTPUTS = (
    *("vpc_id", "vpc_cidr", "public_subnet_ids", "private_subnet_ids", "data_subnet_ids"),
    *("public_subnet_cidrs", "private_subnet_cidrs", "data_subnet_cidrs", "endpoint_security_group_id"),
)
SUBNET, ROUTE, TABLE = "aws:ec2/subnet:Subnet", "aws:ec2/route:Route", "aws:ec2/routeTable:RouteTable"
JOIN = "aws:ec2/routeTableAssociation:RouteTableAssociation"
NAT, ENDPOINT = "aws:ec2/natGateway:NatGateway", "aws:ec2/vpcEndpoint:VpcEndpoint"


@pytest.fixture
def network(graph):
    """`network(nat="single")`: the graph of a network with these arguments, its outputs exported."""

    def run(**args):
        def declare():
            made = Network("network", {**ARGS, **args})
            for output in OUTPUTS:
                pulumi.export(output, getattr(made, output))

        return graph(declare)

    return run


def tier(found, name):
    return [subnet for subnet in found.of_type(SUBNET) if subnet.name.startswith(f"network-{name}-")]


def table_of(found, subnet):
    joins = [j for j in found.of_type(JOIN) if j.inputs["subnetId"] == f"{subnet.name}-id"]
    assert len(joins) == 1
    return joins[0].inputs["routeTableId"]


def routes_of(found, subnet):
    table = table_of(found, subnet)
    return [route.inputs for route in found.of_type(ROUTE) if route.inputs["routeTableId"] == table]


def names(found, urns):
    return {found.by_urn(urn).name for urn in urns}


def test_there_are_three_tiers_over_three_zones(network):
    found = network()
    for name in ("public", "private", "data"):
        zones = [subnet.inputs["availabilityZone"] for subnet in tier(found, name)]
        assert zones == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    assert len(found.of_type(SUBNET)) == 9
    assert len({subnet.inputs["cidrBlock"] for subnet in found.of_type(SUBNET)}) == 9


def test_the_zones_can_be_named_and_be_two(network):
    found = network(availability_zones=["eu-west-1b", "eu-west-1d"])
    assert [s.inputs["availabilityZone"] for s in tier(found, "data")] == ["eu-west-1b", "eu-west-1d"]
    assert len(network(az_count=2).of_type(SUBNET)) == 6


def test_a_third_zone_changes_nothing_of_the_first_two(network):
    two = {(r.type, r.name): r.inputs for r in network(az_count=2).resources}
    three = {(r.type, r.name): r.inputs for r in network(az_count=3).resources}
    changed = [key for key, inputs in two.items() if three[key] != inputs]
    assert changed == [(ENDPOINT, "network-s3")]


def test_nothing_gets_a_public_address_by_being_started(network):
    assert [s.inputs["mapPublicIpOnLaunch"] for s in network().of_type(SUBNET)] == [False] * 9


def test_the_data_subnets_have_no_route_out(network):
    found = network()
    assert [routes_of(found, subnet) for subnet in tier(found, "data")] == [[], [], []]
    tables = {table_of(found, subnet) for subnet in tier(found, "data")}
    gateway = found.named("network-s3")
    assert tables.isdisjoint(gateway.inputs["routeTableIds"])
    inline = [t for t in found.of_type(TABLE) if t.inputs.get("routes") or t.inputs.get("propagatingVgws")]
    assert inline == []


def test_only_the_public_subnets_lead_to_the_internet_gateway(network):
    found = network()
    for subnet in found.of_type(SUBNET):
        direct = [route for route in routes_of(found, subnet) if "gatewayId" in route]
        assert bool(direct) == subnet.name.startswith("network-public-")


@pytest.mark.parametrize(
    ("nat", "gateways"),
    [
        ("single", ["network-nat-1-id"] * 3),
        ("per_az", ["network-nat-1-id", "network-nat-2-id", "network-nat-3-id"]),
        ("regional", ["network-nat-id"] * 3),
    ],
)
def test_the_private_subnets_leave_by_the_nat_that_was_chosen(network, nat, gateways):
    found = network(nat=nat)
    leaving = [routes_of(found, subnet) for subnet in tier(found, "private")]
    assert [[route["natGatewayId"] for route in routes] for routes in leaving] == [[g] for g in gateways]
    assert len(found.of_type(NAT)) == len(set(gateways))


def test_a_zonal_nat_has_an_address_and_lies_in_the_public_subnet_of_its_zone(network):
    found = network(nat="per_az")
    lying = [nat.inputs["subnetId"] for nat in found.of_type(NAT)]
    assert lying == ["network-public-1-id", "network-public-2-id", "network-public-3-id"]
    assert len(found.of_type("aws:ec2/eip:Eip")) == 3


def test_a_regional_nat_is_of_the_network_and_has_no_subnet_or_address_of_ours(network):
    found = network(nat="regional")
    (nat,) = found.of_type(NAT)
    assert nat.inputs["availabilityMode"] == "regional"
    assert nat.inputs["vpcId"] == "network-vpc-id"
    assert not {"subnetId", "allocationId"} & set(nat.inputs)
    assert found.of_type("aws:ec2/eip:Eip") == []


def test_another_nat_replaces_no_subnet_and_no_table(network):
    kept = {SUBNET, TABLE, JOIN}
    graphs = [
        [(r.name, r.inputs) for r in network(nat=nat).resources if r.type in kept]
        for nat in ("single", "per_az", "regional")
    ]
    assert graphs[0] == graphs[1] == graphs[2]


def test_nat_gateways_wait_for_the_internet_gateway(network):
    for nat in ("single", "regional"):
        found = network(nat=nat)
        for gateway in found.of_type(NAT):
            assert "network-internet" in names(found, gateway.depends_on)


def test_the_load_balancer_controller_finds_its_subnets_by_their_tags(network):
    found = network()
    for subnet in found.of_type(SUBNET):
        roles = {
            key: value for key, value in subnet.inputs["tags"].items() if key.startswith("kubernetes.io")
        }
        expected = {
            "public": {"kubernetes.io/role/elb": "1"},
            "private": {"kubernetes.io/role/internal-elb": "1"},
        }
        assert roles == expected.get(subnet.name.split("-")[1], {})


def test_the_default_security_group_has_no_rules(network):
    (group,) = network().of_type("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
    assert (group.inputs["ingress"], group.inputs["egress"]) == ([], [])


def test_storage_is_always_reached_without_the_nat(network):
    found = network()
    (endpoint,) = found.of_type(ENDPOINT)
    assert endpoint.inputs["vpcEndpointType"] == "Gateway"
    assert endpoint.inputs["serviceName"] == "com.amazonaws.eu-west-1.s3"
    assert endpoint.inputs["routeTableIds"] == [table_of(found, subnet) for subnet in tier(found, "private")]
    assert found.outputs.get("endpoint_security_group_id") is None


def test_interface_endpoints_answer_the_private_subnets_on_443_and_nobody_else(network):
    found = network(interface_endpoints=["sts", "ecr.api", "sts"])
    made = [e for e in found.of_type(ENDPOINT) if e.inputs["vpcEndpointType"] == "Interface"]
    assert [e.name for e in made] == ["network-ecr-api", "network-sts"]
    assert all(e.inputs["privateDnsEnabled"] for e in made)
    assert all(e.inputs["securityGroupIds"] == ["network-endpoints-id"] for e in made)
    assert all(e.inputs["subnetIds"] == [f"{s.name}-id" for s in tier(found, "private")] for e in made)
    rules = found.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    assert [rule.inputs["cidrIpv4"] for rule in rules] == [
        s.inputs["cidrBlock"] for s in tier(found, "private")
    ]
    assert {(r.inputs["fromPort"], r.inputs["toPort"], r.inputs["ipProtocol"]) for r in rules} == {
        (443, 443, "tcp")
    }
    assert all(rule.inputs["description"] for rule in rules)
    assert found.of_type("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule") == []
    (group,) = found.of_type("aws:ec2/securityGroup:SecurityGroup")
    assert group.inputs["description"]
    assert not {"ingress", "egress"} & set(group.inputs)
    assert found.outputs["endpoint_security_group_id"] == "network-endpoints-id"


def test_every_connection_is_logged_under_the_logs_key(network):
    found = network()
    (log,) = found.of_type("aws:ec2/flowLog:FlowLog")
    assert (log.inputs["trafficType"], log.inputs["vpcId"]) == ("ALL", "network-vpc-id")
    (group,) = found.of_type("aws:cloudwatch/logGroup:LogGroup")
    assert group.inputs["kmsKeyId"] == ARGS["logs_key_arn"]
    assert group.inputs["retentionInDays"] == 365
    assert log.inputs["logDestination"] == "arn:aws:cloudwatch:planned:000000000000:logGroup/network-flow"


def test_the_role_of_the_flow_logs_writes_to_their_group_alone(network):
    found = network()
    (role,) = found.of_type("aws:iam/role:Role")
    (trust,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert trust["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}
    assert trust["Condition"]["ArnLike"]["aws:SourceArn"] == (
        "arn:aws:ec2:eu-west-1:123456789012:vpc-flow-log/*"
    )
    (policy,) = found.of_type("aws:iam/rolePolicy:RolePolicy")
    (statement,) = json.loads(policy.inputs["policy"])["Statement"]
    group = "arn:aws:cloudwatch:planned:000000000000:logGroup/network-flow"
    assert statement["Resource"] == [group, f"{group}:*"]
    assert all(action.startswith("logs:") and "*" not in action for action in statement["Action"])
    (log,) = found.of_type("aws:ec2/flowLog:FlowLog")
    assert policy.urn in log.depends_on


def test_who_takes_a_subnet_waits_for_its_way_out(graph):
    def declare():
        made = Network("network", ARGS)
        for name in ("public", "private", "data"):
            ids = getattr(made, f"{name}_subnet_ids")
            pulumi.CustomResource("test:index:User", f"{name}-user", {"subnetIds": ids})

    found = graph(declare)
    waited = {
        name: {
            (found.by_urn(urn).type, found.by_urn(urn).name) for urn in found.named(f"{name}-user").depends_on
        }
        for name in ("public", "private", "data")
    }
    assert {(ROUTE, "network-public"), (JOIN, "network-public-3")} <= waited["public"]
    assert {(ROUTE, "network-private-1"), (JOIN, "network-private-3"), (ENDPOINT, "network-s3")} <= (
        waited["private"]
    )
    assert (JOIN, "network-data-2") in waited["data"]


def test_the_outputs_name_every_subnet_in_the_order_of_the_zones(network):
    outputs = network(az_count=2).outputs
    assert outputs["vpc_id"] == "network-vpc-id"
    assert outputs["vpc_cidr"] == "10.0.0.0/16"
    assert outputs["public_subnet_ids"] == ["network-public-1-id", "network-public-2-id"]
    assert outputs["private_subnet_ids"] == ["network-private-1-id", "network-private-2-id"]
    assert outputs["data_subnet_ids"] == ["network-data-1-id", "network-data-2-id"]
    assert outputs["private_subnet_cidrs"] == ["10.0.0.0/19", "10.0.32.0/19"]


def test_an_existing_network_is_used_and_nothing_is_made(network):
    found = network(existing={**EXISTING, "endpoint_security_group_id": "sg-1"}, logs_key_arn=None)
    assert [resource.name for resource in found.resources] == ["network"]
    assert found.outputs == {**EXISTING, "endpoint_security_group_id": "sg-1"}


def test_an_existing_network_may_be_known_only_later(graph):
    def declare():
        vpc = pulumi.Output.from_input("vpc-of-another-stack")
        made = Network("network", NetworkArgs(**ARGS, existing={**EXISTING, "vpc_id": vpc}))
        pulumi.export("vpc", made.vpc_id)

    assert graph(declare).outputs["vpc"] == "vpc-of-another-stack"


def test_all_parts_are_the_networks_children_and_only_the_vpc_is_protected(network):
    found = network(protect=True, interface_endpoints=["kms"])
    component = found.named("network")
    assert {r.parent for r in found.resources if r is not component} == {component.urn}
    assert {r.type for r in found.resources if r.protect} == {"aws:ec2/vpc:Vpc"}
    assert [r.name for r in network().resources if r.protect] == []
    assert found.duplicates == ()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"az_count": 1}, "NetworkArgs.az_count: should be greater than or equal to 2 (got 1)"),
        ({"az_count": 4}, "NetworkArgs.az_count: should be less than or equal to 3 (got 4)"),
        ({"cidr": "10.0.0.0/24"}, "NetworkArgs.cidr: 10.0.0.0/24 is too small"),
        ({"nat": "none"}, "NetworkArgs.nat: should be 'single', 'per_az' or 'regional' (got 'none')"),
        ({"interface_endpoints": ["s4"]}, "NetworkArgs.interface_endpoints.0: should be 'autoscaling'"),
        ({"flow_log_retention_days": 99}, "NetworkArgs.flow_log_retention_days: should be one of 1, 3"),
        ({"logs_key_arn": None}, "NetworkArgs.logs_key_arn: is required, unless existing is given"),
        (
            {"availability_zones": ["eu-west-1a"]},
            "NetworkArgs.availability_zones: should be 2 or 3 different",
        ),
        ({"availability_zones": ["eu-west-1a"] * 2}, "NetworkArgs.availability_zones: should be 2 or 3 diff"),
        (
            {"availability_zones": ["eu-west-1a", "us-east-1b"]},
            "NetworkArgs.availability_zones: us-east-1b is not in eu-west-1",
        ),
        (
            {"availability_zones": ["eu-west-1a", "eu-west-1b"], "az_count": 3},
            "NetworkArgs.availability_zones: names 2, but az_count is 3: leave one out",
        ),
        (
            {"region": "cn-north-1", "interface_endpoints": ["sts"]},
            "NetworkArgs.interface_endpoints: their names differ in China",
        ),
        ({"existing": {"vpc_id": "vpc-1"}}, "NetworkArgs.existing.vpc_cidr: is required"),
        ({"subnets": 3}, "NetworkArgs.subnets: there is no such setting"),
    ],
)
def test_wrong_arguments_are_refused_with_the_path_and_what_is_allowed(network, wrong, said):
    with pytest.raises(InvalidArgs) as refused:
        network(**wrong)
    assert str(refused.value).startswith(said)
