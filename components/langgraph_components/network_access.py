"""What a network tells about itself, and the services it reaches without the internet."""

from collections.abc import Sequence
from typing import Optional

import pulumi
from pulumi_aws import cloudwatch, ec2, iam, vpc

from langgraph_components.args import In
from langgraph_components.network_routes import Site, title
from langgraph_components.physical_names import path_of_stack
from langgraph_components.pure import flow_logs as policies
from langgraph_components.pure.endpoints import service_name

_HTTPS = 443


def storage_endpoint(site: Site, table_ids: Sequence[pulumi.Output[str]]) -> ec2.VpcEndpoint:
    """S3, where images' layers lie, without the NAT gateway's price: free, so always there."""
    return ec2.VpcEndpoint(
        f"{site.name}-s3",
        vpc_id=site.vpc_id,
        vpc_endpoint_type="Gateway",
        service_name=service_name(site.region, "s3"),
        route_table_ids=list(table_ids),
        tags=title(f"{site.name}-s3"),
        opts=site.options(),
    )


def interface_endpoints(
    site: Site, services: Sequence[str], subnet_ids: Sequence[pulumi.Output[str]], callers: Sequence[str]
) -> pulumi.Output[Optional[str]]:
    """The endpoints under their services' own names, open on 443 to the private subnets alone.

    Returns the id of their security group, or None where there are none.
    """
    if not services:
        return pulumi.Output.from_input(None)
    group = _endpoint_group(site, callers)
    for service in services:
        label = f"{site.name}-{service.replace('.', '-')}"
        ec2.VpcEndpoint(
            label,
            vpc_id=site.vpc_id,
            vpc_endpoint_type="Interface",
            service_name=service_name(site.region, service),
            subnet_ids=list(subnet_ids),
            security_group_ids=[group.id],
            private_dns_enabled=True,
            tags=title(label),
            opts=site.options(),
        )
    return group.id


def _endpoint_group(site: Site, callers: Sequence[str]) -> ec2.SecurityGroup:
    group = ec2.SecurityGroup(
        f"{site.name}-endpoints",
        description="Interface endpoints of AWS services",
        vpc_id=site.vpc_id,
        tags=title(f"{site.name}-endpoints"),
        opts=site.options(),
    )
    for number, cidr in enumerate(callers, 1):
        vpc.SecurityGroupIngressRule(
            f"{site.name}-endpoints-{number}",
            security_group_id=group.id,
            description="HTTPS from nodes and pods",
            cidr_ipv4=cidr,
            ip_protocol="tcp",
            from_port=_HTTPS,
            to_port=_HTTPS,
            opts=site.options(),
        )
    return group


def flow_logs(site: Site, account_id: str, retention_days: int, key_arn: In[str]) -> None:
    """Every connection, accepted or refused, to a log group of its own."""
    group = cloudwatch.LogGroup(
        f"{site.name}-flow",
        name=f"/{path_of_stack(site.name)}-flow",
        kms_key_id=key_arn,
        retention_in_days=retention_days,
        opts=site.options(ignore_changes=["name"]),
    )
    role = iam.Role(
        f"{site.name}-flow",
        description="Flow logs to CloudWatch",
        assume_role_policy=pulumi.Output.json_dumps(policies.trust_flow_logs(account_id, site.region)),
        opts=site.options(),
    )
    allowed = iam.RolePolicy(
        f"{site.name}-flow",
        role=role.name,
        policy=pulumi.Output.json_dumps(
            policies.write_flow_logs(group.arn, pulumi.Output.concat(group.arn, ":*"))
        ),
        opts=site.options(),
    )
    ec2.FlowLog(
        f"{site.name}-flow",
        vpc_id=site.vpc_id,
        traffic_type="ALL",
        log_destination=group.arn,
        iam_role_arn=role.arn,
        tags=title(f"{site.name}-flow"),
        opts=site.options(allowed),
    )
