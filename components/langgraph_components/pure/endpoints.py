"""AWS services that a private subnet can reach without a NAT gateway."""

from enum import StrEnum


class EndpointService(StrEnum):
    """A service with an interface endpoint: about one network interface a zone, billed by the hour."""

    AUTOSCALING = "autoscaling"
    EC2 = "ec2"
    ECR_API = "ecr.api"
    ECR_DKR = "ecr.dkr"
    EKS = "eks"
    EKS_AUTH = "eks-auth"
    ELASTIC_LOAD_BALANCING = "elasticloadbalancing"
    KMS = "kms"
    LOGS = "logs"
    RDS = "rds"
    SECRETS_MANAGER = "secretsmanager"
    STS = "sts"


def service_name(region: str, service: str) -> str:
    """`com.amazonaws.eu-west-1.ecr.api`: the endpoint service of an AWS service, `s3` among them."""
    return f"com.amazonaws.{region}.{service}"
