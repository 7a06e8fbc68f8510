"""The name of the way in, and its certificate, in a Route 53 zone."""

from typing import Optional

import pulumi
from pulumi_aws import acm, lb, route53


def certificate(
    name: str, hostname: str, zone_id: pulumi.Input[str], *, parent: pulumi.Resource
) -> pulumi.Output[str]:
    """ARN of a certificate, once the zone's record has proved it; AWS renews it while the record is there."""
    opts = pulumi.ResourceOptions(parent=parent)
    made = acm.Certificate(f"{name}-certificate", domain_name=hostname, validation_method="DNS", opts=opts)
    # of one name there is one proof
    proof = made.domain_validation_options[0]
    record = route53.Record(
        f"{name}-proof",
        zone_id=zone_id,
        name=_known(proof.resource_record_name),
        type=_known(proof.resource_record_type),
        records=[_known(proof.resource_record_value)],
        ttl=300,
        # the same name in another stack has the same proof
        allow_overwrite=True,
        opts=opts,
    )
    proved = acm.CertificateValidation(
        f"{name}-proved", certificate_arn=made.arn, validation_record_fqdns=[record.fqdn], opts=opts
    )
    return proved.certificate_arn


def address(
    name: str,
    hostname: str,
    zone_id: pulumi.Input[str],
    balancer: lb.LoadBalancer,
    *,
    parent: pulumi.Resource,
) -> None:
    """The name's record: an alias, which follows the balancer's addresses."""
    alias = route53.RecordAliasArgs(
        name=balancer.dns_name, zone_id=balancer.zone_id, evaluate_target_health=True
    )
    route53.Record(
        f"{name}-address",
        zone_id=zone_id,
        name=hostname,
        type="A",
        aliases=[alias],
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _known(value: pulumi.Output[Optional[str]]) -> pulumi.Output[str]:
    """The SDK types what a certificate always has as optional."""
    return value.apply(lambda text: text or "")
