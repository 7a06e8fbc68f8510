"""The load balancer."""

from langgraph_policy.model import Fault, Faults, Resource, of_resource
from langgraph_policy.reading import must, must_be_on
from langgraph_policy.values import shown

LISTENER = "aws:lb/listener:Listener"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
GOOD_TLS = ("ELBSecurityPolicy-TLS13-1-2-", "ELBSecurityPolicy-TLS13-1-3-")
"""AWS's policies with TLS 1.3, and 1.2 at least: `aws elbv2 describe-ssl-policies`."""


@of_resource(LISTENER)
def balancer_tls(resource: Resource) -> Faults:
    """A listener speaks TLS 1.2 or newer; one that does not only sends people to the one that does.

    Why: keys and documents pass here, on networks that nobody knows.

    Fix: protocol: HTTPS with an sslPolicy that begins with ELBSecurityPolicy-TLS13-1-2, and a redirect on 80.
    """
    root = resource.root
    if root.seen("protocol") in ("HTTPS", "TLS"):
        yield from must(root, "sslPolicy", lambda value: str(value).startswith(GOOD_TLS), f"{GOOD_TLS[0]}…")
        return
    for action in root.each("defaultActions"):
        if action.seen("type") != "redirect" or action.seen("redirect.protocol") != "HTTPS":
            yield Fault(
                f"{shown(root.at('protocol'))} on port {shown(root.at('port'))} is not redirected to HTTPS"
            )


@of_resource(BALANCER)
def balancer_strict(resource: Resource) -> Faults:
    """A balancer drops headers that are not valid HTTP.

    Why: two programs that read a malformed request differently can be made to see two requests in it.

    Fix: dropInvalidHeaderFields: true.
    """
    if resource.root.seen("loadBalancerType") in (None, "application"):
        yield from must_be_on(resource.root, "dropInvalidHeaderFields")


@of_resource(BALANCER, strict_only=True)
def balancer_deletion_protection(resource: Resource) -> Faults:
    """In prod, AWS refuses to delete the balancer.

    Why: a new one has another address, and every client waits for DNS.

    Fix: edge.deletion_protection: true.
    """
    yield from must_be_on(resource.root, "enableDeletionProtection")
