"""The way in: balancer, certificate and firewall, and the controller that tells where the pods are."""

from typing import Optional

import pulumi

from langgraph_components import edge_balancer, edge_names
from langgraph_components.edge_args import EdgeArgs
from langgraph_components.edge_controller import controller


class Edge(pulumi.ComponentResource):
    """An ALB that speaks TLS 1.2 and 1.3, waits for slow runs, and knows pods by their addresses.

    Pods are put into the target group by a TargetGroupBinding without `networking`: their security group is
    opened here, and the controller may not change any.
    """

    dns_name: pulumi.Output[str]
    """The balancer's own name, for a CNAME where no zone was given."""
    target_group_arn: pulumi.Output[str]
    """Target group (type `ip`) of the pods."""
    security_group_id: pulumi.Output[str]
    """Security group of the balancer."""

    def __init__(self, name: str, args: EdgeArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        """Declare the balancer, its listeners and names, its firewall, and the controller."""
        super().__init__("langgraph:index:Edge", name, {}, opts)
        given = EdgeArgs.of(args)
        group = edge_balancer.security_group(name, given, parent=self)
        balancer = edge_balancer.balancer(name, given, group, parent=self)
        targets = edge_balancer.targets(name, given, parent=self)
        certificate = given.certificate_arn
        if certificate is None:
            certificate = edge_names.certificate(name, given.hostname, given.zone_id or "", parent=self)
        edge_balancer.listeners(name, balancer, targets, certificate, parent=self)
        if given.zone_id is not None:
            edge_names.address(name, given.hostname, given.zone_id, balancer, parent=self)
        edge_balancer.firewall(name, given, balancer, parent=self)
        if given.install_controller:
            controller(name, given, targets.arn, parent=self)
        self.dns_name = balancer.dns_name
        self.target_group_arn = targets.arn
        self.security_group_id = group.id
        self.register_outputs(
            {
                "dnsName": self.dns_name,
                "targetGroupArn": self.target_group_arn,
                "securityGroupId": self.security_group_id,
            }
        )
