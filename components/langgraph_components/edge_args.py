"""What is said of the way in: its name, for whom it is, and where."""

from enum import StrEnum
from ipaddress import IPv4Network
from typing import Optional, Self

from pydantic import Field, field_validator, model_validator

from langgraph_components.args import Args, Defaulted, In
from langgraph_components.charts import ChartMirrors
from langgraph_components.pure.budget import API_PORT, Times


class Scheme(StrEnum):
    """Who can reach the balancer's addresses."""

    INTERNET_FACING = "internet-facing"
    INTERNAL = "internal"


class EdgeSettings(Args):
    """Under which name, and for whom."""

    hostname: str = Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")
    """Name of the API, such as `agents.example.com`. Required: the certificate is for it."""

    zone_id: Optional[In[str]] = None
    """Route 53 zone of the name, for its record and the certificate's. None: you point the name."""

    certificate_arn: Optional[In[str]] = None
    """Certificate that is there already. None: one is made, and proved by a record in the zone."""

    scheme: Defaulted[Scheme] = Scheme.INTERNET_FACING
    """`internet-facing` (public subnets) or `internal` (private ones). The first: clients are outside."""

    allowed_cidrs: list[str] = Field(min_length=1)
    """IPv4 networks that may connect, such as `203.0.113.0/24`. Required: open to all must be said."""

    idle_timeout_seconds: Defaulted[int] = Field(default=Times.balancer_idle, ge=1, le=4000)
    """Seconds (1 to 4000) of silence that end a connection. 310: client 300 < this < keep-alive 330."""

    deregistration_seconds: Defaulted[int] = Field(default=Times.deregistration_delay, ge=0, le=3600)
    """Seconds that a leaving pod's open requests get. 30: within its preStop 20 and drain 20."""

    waf_arn: Optional[In[str]] = None
    """Web ACL that is there already. None: `waf_managed_rules` decides."""

    waf_managed_rules: Defaulted[bool] = False
    """Whether a firewall of AWS's managed rules is made. Off: it is billed by rule and request."""

    access_logs_bucket: Optional[In[str]] = None
    """S3 bucket, with a policy for the region's balancers, for access logs. None: none are written."""

    deletion_protection: Defaulted[bool] = False
    """Whether AWS refuses to delete the balancer. Off: a stack can be destroyed."""

    install_controller: Defaulted[bool] = True
    """Whether the AWS Load Balancer Controller is installed. On; off where the cluster has one."""

    controller_replicas: Defaulted[int] = Field(default=2, ge=1, le=3)
    """Pods (1 to 3) of the controller, of which one leads. 2: without it no new pod gets requests."""

    @field_validator("allowed_cidrs")
    @classmethod
    def _networks(cls, given: list[str]) -> list[str]:
        return [str(IPv4Network(cidr)) for cidr in given]

    @model_validator(mode="after")
    def _some_certificate(self) -> Self:
        if self.zone_id is None and self.certificate_arn is None:
            message = "needs zone_id, where a certificate can be proved, or certificate_arn"
            raise ValueError(message)
        if self.waf_arn is not None and self.waf_managed_rules:
            message = "waf_managed_rules: there is waf_arn already; a balancer has one"
            raise ValueError(message)
        return self


class EdgeArgs(EdgeSettings, ChartMirrors):
    """Under which name and for whom, in which network, before which cluster."""

    account_id: str = Field(pattern=r"^\d{12}$")
    """AWS account, 12 digits. Required: the controller's role trusts pods of this account alone."""

    region: str
    """AWS region, such as `eu-west-1`. Required: the controller cannot ask the nodes (IMDS hop limit 1)."""

    vpc_id: In[str]
    """VPC of balancer and pods. Required."""

    vpc_cidr: In[str]
    """Its IPv4 range: the balancer can connect to nothing outside. Required."""

    public_subnet_ids: Optional[In[list[In[str]]]] = None
    """Subnets, in two zones at least, of an internet-facing balancer. Required for that scheme."""

    private_subnet_ids: Optional[In[list[In[str]]]] = None
    """Subnets, in two zones at least, of an internal balancer. Required for that scheme."""

    pod_security_group_id: Optional[In[str]] = None
    """Security group of the pods (the cluster's own); it gets the one rule that lets the balancer in.

    None: somebody else lets it in.
    """

    target_port: Defaulted[int] = Field(default=API_PORT, ge=1, le=65535)
    """Port of the pods. 8000: the API's."""

    health_path: Defaulted[str] = Field(default="/ready", pattern="^/")
    """Path that answers 200 where requests are welcome. `/ready`: 503 while a pod drains."""

    cluster_name: Optional[In[str]] = None
    """Name of the EKS cluster. Required where the controller is installed."""

    cluster_arn: Optional[In[str]] = None
    """ARN of the EKS cluster. Required where the controller is installed."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        public = self.scheme == Scheme.INTERNET_FACING
        wanted = {"public_subnet_ids" if public else "private_subnet_ids"}
        if self.install_controller:
            wanted |= {"cluster_name", "cluster_arn"}
        missing = sorted(name for name in wanted if getattr(self, name) is None)
        if missing:
            message = f"needs {', '.join(missing)}"
            raise ValueError(message)
        return self

    def subnets(self) -> In[list[In[str]]]:
        """The subnets of the scheme."""
        public = self.scheme == Scheme.INTERNET_FACING
        return (self.public_subnet_ids if public else self.private_subnet_ids) or []
