"""The balancer: its security group, targets, listeners and firewall."""

from typing import cast

import pulumi
from pulumi_aws import ec2, lb
from pulumi_aws.vpc import SecurityGroupEgressRule, SecurityGroupIngressRule

from langgraph_components.edge_args import EdgeArgs, Scheme
from langgraph_components.pure import firewall as rules

TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
"""TLS 1.3, and 1.2 with forward secrecy alone."""

_HSTS = "max-age=31536000"

_BALANCER = "Balancer of the API"
"""Of EC2's descriptions; an apostrophe is none of the characters that they may have."""


def security_group(name: str, args: EdgeArgs, *, parent: pulumi.Resource) -> ec2.SecurityGroup:
    """The balancer's: in from the allowed networks on 443 and 80, out to the pods' port of the VPC alone."""
    opts = pulumi.ResourceOptions(parent=parent)
    group = ec2.SecurityGroup(f"{name}-balancer", description=_BALANCER, vpc_id=args.vpc_id, opts=opts)
    for number, outside in ((443, "HTTPS"), (80, "HTTP, to be redirected")):
        for index, cidr in enumerate(args.allowed_cidrs):
            SecurityGroupIngressRule(
                f"{name}-in-{number}-{index}",
                security_group_id=group.id,
                description=outside,
                cidr_ipv4=cidr,
                ip_protocol="tcp",
                from_port=number,
                to_port=number,
                opts=opts,
            )
    SecurityGroupEgressRule(
        f"{name}-out",
        security_group_id=group.id,
        description="Pods",
        cidr_ipv4=args.vpc_cidr,
        ip_protocol="tcp",
        from_port=args.target_port,
        to_port=args.target_port,
        opts=opts,
    )
    if args.pod_security_group_id is not None:
        SecurityGroupIngressRule(
            f"{name}-to-pods",
            security_group_id=args.pod_security_group_id,
            description=_BALANCER,
            referenced_security_group_id=group.id,
            ip_protocol="tcp",
            from_port=args.target_port,
            to_port=args.target_port,
            opts=opts,
        )
    return group


def balancer(
    name: str, args: EdgeArgs, group: ec2.SecurityGroup, *, parent: pulumi.Resource
) -> lb.LoadBalancer:
    """The ALB; headers and requests that are not what they seem do not pass."""
    logs = None
    if args.access_logs_bucket is not None:
        logs = lb.LoadBalancerAccessLogsArgs(bucket=args.access_logs_bucket, prefix=name, enabled=True)
    return lb.LoadBalancer(
        f"{name}-alb",
        load_balancer_type="application",
        internal=args.scheme == Scheme.INTERNAL,
        subnets=args.subnets(),
        security_groups=[group.id],
        idle_timeout=args.idle_timeout_seconds,
        drop_invalid_header_fields=True,
        desync_mitigation_mode="strictest",
        enable_http2=True,
        enable_deletion_protection=args.deletion_protection,
        access_logs=logs,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def targets(name: str, args: EdgeArgs, *, parent: pulumi.Resource) -> lb.TargetGroup:
    """Pods by address. The least busy one gets the next request: a stream may last minutes."""
    return lb.TargetGroup(
        f"{name}-pods",
        target_type="ip",
        vpc_id=args.vpc_id,
        port=args.target_port,
        protocol="HTTP",
        deregistration_delay=args.deregistration_seconds,
        load_balancing_algorithm_type="least_outstanding_requests",
        health_check=lb.TargetGroupHealthCheckArgs(
            path=args.health_path,
            matcher="200",
            interval=10,
            timeout=5,
            healthy_threshold=2,
            unhealthy_threshold=3,
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )


def listeners(
    name: str,
    balancer: lb.LoadBalancer,
    targets: lb.TargetGroup,
    certificate_arn: pulumi.Input[str],
    *,
    parent: pulumi.Resource,
) -> None:
    """443 to the pods; 80 only says where 443 is."""
    opts = pulumi.ResourceOptions(parent=parent)
    lb.Listener(
        f"{name}-https",
        load_balancer_arn=balancer.arn,
        port=443,
        protocol="HTTPS",
        ssl_policy=TLS_POLICY,
        certificate_arn=certificate_arn,
        default_actions=[lb.ListenerDefaultActionArgs(type="forward", target_group_arn=targets.arn)],
        routing_http_response_server_enabled=False,
        routing_http_response_strict_transport_security_header_value=_HSTS,
        opts=opts,
    )
    redirect = lb.ListenerDefaultActionRedirectArgs(port="443", protocol="HTTPS", status_code="HTTP_301")
    lb.Listener(
        f"{name}-http",
        load_balancer_arn=balancer.arn,
        port=80,
        protocol="HTTP",
        default_actions=[lb.ListenerDefaultActionArgs(type="redirect", redirect=redirect)],
        opts=opts,
    )


def firewall(name: str, args: EdgeArgs, balancer: lb.LoadBalancer, *, parent: pulumi.Resource) -> None:
    """Put the given web ACL, or one of managed rules, before the balancer; or none."""
    acl = _managed_rules(name, parent=parent) if args.waf_managed_rules else args.waf_arn
    if acl is not None:
        from pulumi_aws import wafv2  # noqa: PLC0415  # a second of import, for those who have a firewall

        wafv2.WebAclAssociation(
            f"{name}-waf-association",
            web_acl_arn=acl,
            resource_arn=balancer.arn,
            opts=pulumi.ResourceOptions(parent=parent),
        )


def _managed_rules(name: str, *, parent: pulumi.Resource) -> pulumi.Output[str]:
    """ARN of a web ACL of AWS's managed rules."""
    from pulumi_aws import wafv2  # noqa: PLC0415  # a second of import, for those who have a firewall

    acl = wafv2.WebAcl(
        f"{name}-waf",
        scope="REGIONAL",
        default_action=wafv2.WebAclDefaultActionArgs(allow=wafv2.WebAclDefaultActionAllowArgs()),
        rules=cast("list[wafv2.WebAclRuleArgsDict]", rules.rules(name)),
        visibility_config=wafv2.WebAclVisibilityConfigArgs(**rules.visibility(name)),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return acl.arn
