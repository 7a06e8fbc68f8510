"""The way in: who may connect, what passes, and what the controller may do."""

import json

import pulumi
import pytest
from infra_schemas import problems

from langgraph_components.edge import Edge
from langgraph_components.edge_args import EdgeArgs
from langgraph_components.errors import InvalidArgs
from langgraph_components.pure import firewall, operator_policies

INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
LISTENER = "aws:lb/listener:Listener"
TARGETS = "aws:lb/targetGroup:TargetGroup"
RECORD = "aws:route53/record:Record"
RELEASE = "kubernetes:helm.sh/v3:Release"

ARGS = {
    "hostname": "agents.example.com",
    "zone_id": "Z123",
    "allowed_cidrs": ["203.0.113.0/24", "198.51.100.7/32"],
    "account_id": "123456789012",
    "region": "eu-west-1",
    "vpc_id": "vpc-1",
    "vpc_cidr": "10.0.0.0/16",
    "public_subnet_ids": ["subnet-public-a", "subnet-public-b"],
    "private_subnet_ids": ["subnet-private-a", "subnet-private-b"],
    "pod_security_group_id": "sg-pods",
    "cluster_name": "langgraph",
    "cluster_arn": "arn:aws:eks:eu-west-1:123456789012:cluster/langgraph",
}
GIVEN = {"zone_id": None, "certificate_arn": "arn:aws:acm:eu-west-1:123456789012:certificate/1"}


SEEN = {}


@pytest.fixture
def edge(graph):
    """`edge(**changes)`: the graph of a component with these arguments; the same ones are declared once."""

    def declare(**changes):
        args = {key: value for key, value in {**ARGS, **changes}.items() if value is not None}
        key = json.dumps(args, sort_keys=True)
        if key not in SEEN:
            SEEN[key] = graph(lambda: Edge("edge", args))
        return SEEN[key]

    return declare


def one(found, type_):
    (resource,) = found.of_type(type_)
    return resource.inputs


# who may connect


def test_only_the_named_networks_may_connect_and_only_on_the_two_ports(edge):
    found = edge()
    rules = [r.inputs for r in found.of_type(INGRESS) if "referencedSecurityGroupId" not in r.inputs]
    opened = {(rule["cidrIpv4"], rule["fromPort"], rule["toPort"], rule["ipProtocol"]) for rule in rules}
    assert opened == {(cidr, port, port, "tcp") for cidr in ARGS["allowed_cidrs"] for port in (80, 443)}


def test_the_balancer_connects_to_nothing_but_the_api_inside_the_vpc(edge):
    rule = one(edge(), EGRESS)
    assert (rule["cidrIpv4"], rule["fromPort"], rule["toPort"]) == ("10.0.0.0/16", 8000, 8000)


def test_the_pods_are_open_to_the_balancer_on_the_api_port_alone(edge):
    found = edge()
    balancer = found.named("edge-balancer")
    (rule,) = [r.inputs for r in found.of_type(INGRESS) if "referencedSecurityGroupId" in r.inputs]
    assert rule["securityGroupId"] == "sg-pods"
    assert (rule["fromPort"], rule["toPort"]) == (8000, 8000)
    assert rule["referencedSecurityGroupId"] not in {"sg-pods", None}
    assert balancer.urn in found.named("edge-to-pods").depends_on


def test_where_somebody_else_opens_the_pods_we_do_not(edge):
    found = edge(pod_security_group_id=None)
    assert not [r for r in found.of_type(INGRESS) if "referencedSecurityGroupId" in r.inputs]


def test_every_rule_says_what_it_is_for_and_none_is_inside_the_group(edge):
    found = edge()
    assert all(rule.inputs["description"] for rule in (*found.of_type(INGRESS), *found.of_type(EGRESS)))
    group = one(found, "aws:ec2/securityGroup:SecurityGroup")
    assert group["description"]
    assert not {"ingress", "egress"} & set(group)


# what passes


def test_the_balancer_waits_longer_than_a_client_and_shorter_than_keep_alive(edge):
    assert 300 < one(edge(), BALANCER)["idleTimeout"] < 330


def test_requests_that_are_not_what_they_seem_do_not_pass(edge):
    balancer = one(edge(), BALANCER)
    assert balancer["dropInvalidHeaderFields"] is True
    assert balancer["desyncMitigationMode"] == "strictest"
    assert balancer["enableHttp2"] is True
    assert balancer["loadBalancerType"] == "application"


@pytest.mark.parametrize(
    ("scheme", "internal", "subnets"),
    [
        ("internet-facing", False, ARGS["public_subnet_ids"]),
        ("internal", True, ARGS["private_subnet_ids"]),
    ],
)
def test_a_balancer_is_in_the_subnets_of_its_scheme(edge, scheme, internal, subnets):
    balancer = one(edge(scheme=scheme), BALANCER)
    assert (balancer["internal"], balancer["subnets"]) == (internal, subnets)


def test_deletion_protection_and_access_logs_are_there_when_asked_for(edge):
    plain = one(edge(), BALANCER)
    assert plain["enableDeletionProtection"] is False
    assert "accessLogs" not in plain
    full = one(edge(deletion_protection=True, access_logs_bucket="logs"), BALANCER)
    assert full["enableDeletionProtection"] is True
    assert full["accessLogs"] == {"bucket": "logs", "enabled": True, "prefix": "edge"}


def test_pods_are_targets_by_address_while_they_are_ready(edge):
    targets = one(edge(), TARGETS)
    assert (targets["targetType"], targets["port"], targets["protocol"]) == ("ip", 8000, "HTTP")
    assert (targets["healthCheck"]["path"], targets["healthCheck"]["matcher"]) == ("/ready", "200")
    assert targets["healthCheck"]["timeout"] < targets["healthCheck"]["interval"]
    assert targets["loadBalancingAlgorithmType"] == "least_outstanding_requests"


def test_a_leaving_pod_is_let_go_before_it_stops(edge):
    assert one(edge(), TARGETS)["deregistrationDelay"] <= 20 + 20
    assert one(edge(deregistration_seconds=10), TARGETS)["deregistrationDelay"] == 10


def test_only_tls_reaches_pods_and_plain_http_is_sent_there(edge):
    found = edge()
    https, http = found.named("edge-https").inputs, found.named("edge-http").inputs
    assert (https["port"], https["protocol"]) == (443, "HTTPS")
    assert https["sslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-2")
    (action,) = https["defaultActions"]
    assert action["type"] == "forward"
    assert found.named("edge-pods").urn in found.named("edge-https").depends_on
    (redirect,) = http["defaultActions"]
    assert redirect["type"] == "redirect"
    assert redirect["redirect"] == {"port": "443", "protocol": "HTTPS", "statusCode": "HTTP_301"}


def test_browsers_are_told_to_stay_with_tls_and_not_what_serves(edge):
    https = edge().named("edge-https").inputs
    assert https["routingHttpResponseStrictTransportSecurityHeaderValue"] == "max-age=31536000"
    assert https["routingHttpResponseServerEnabled"] is False


# names and certificate


def test_the_certificate_is_proved_in_the_zone_before_a_listener_has_it(edge):
    found = edge()
    certificate = one(found, "aws:acm/certificate:Certificate")
    assert (certificate["domainName"], certificate["validationMethod"]) == ("agents.example.com", "DNS")
    proof, proved = found.named("edge-proof"), found.named("edge-proved")
    assert proof.inputs["name"] == "_check.agents.example.com"
    assert (proof.inputs["type"], proof.inputs["records"]) == ("CNAME", ["_check.acm.invalid"])
    assert proof.inputs["zoneId"] == "Z123"
    assert proof.urn in proved.depends_on
    assert proved.urn in found.named("edge-https").depends_on


def test_the_name_follows_the_balancer(edge):
    record = edge().named("edge-address").inputs
    assert (record["name"], record["type"], record["zoneId"]) == ("agents.example.com", "A", "Z123")
    (alias,) = record["aliases"]
    assert alias["name"] == "edge-alb.elb.invalid"
    assert alias["evaluateTargetHealth"] is True


def test_a_certificate_that_is_there_is_used_and_no_zone_touched(edge):
    found = edge(**GIVEN)
    assert not found.of_type("aws:acm/certificate:Certificate")
    assert not found.of_type(RECORD)
    assert found.named("edge-https").inputs["certificateArn"] == GIVEN["certificate_arn"]


def test_a_certificate_that_is_there_and_a_zone_make_only_the_name(edge):
    found = edge(certificate_arn=GIVEN["certificate_arn"])
    assert [record.name for record in found.of_type(RECORD)] == ["edge-address"]


# the firewall


def test_a_firewall_is_there_when_asked_for(edge):
    assert not [r for r in edge().resources if r.type.startswith("aws:wafv2/")]
    given = edge(waf_arn="arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/x/1")
    association = one(given, "aws:wafv2/webAclAssociation:WebAclAssociation")
    assert association["webAclArn"].endswith("/x/1")
    assert not given.of_type("aws:wafv2/webAcl:WebAcl")
    made = edge(waf_managed_rules=True)
    acl = made.named("edge-waf")
    assert acl.inputs["scope"] == "REGIONAL"
    assert acl.urn in made.named("edge-waf-association").depends_on
    assert [rule["priority"] for rule in acl.inputs["rules"]] == [0, 1, 2]


def test_a_long_prompt_with_html_in_it_is_not_taken_for_an_attack(edge):
    (common,) = [
        rule
        for rule in edge(waf_managed_rules=True).named("edge-waf").inputs["rules"]
        if rule["name"] == "AWSManagedRulesCommonRuleSet"
    ]
    overrides = common["statement"]["managedRuleGroupStatement"]["ruleActionOverrides"]
    assert {override["name"] for override in overrides} == set(firewall.COUNTED)
    assert {"SizeRestrictions_BODY", "CrossSiteScripting_BODY"} <= set(firewall.COUNTED)
    assert all(set(override["actionToUse"]) == {"count"} for override in overrides)


def test_the_firewall_keeps_no_samples_of_what_customers_wrote():
    seen = [rule["visibility_config"] for rule in firewall.rules("edge")]
    assert all(view["sampled_requests_enabled"] is False for view in [*seen, firewall.visibility("edge")])
    assert len({view["metric_name"] for view in seen}) == len(seen)


# the controller


def policy_of(found):
    return json.loads(found.named("edge-controller-policy").inputs["policy"])


def test_the_controller_registers_pods_in_our_target_group_and_changes_nothing_else(edge):
    look, register = policy_of(edge())["Statement"]
    assert register["Action"] == [
        "elasticloadbalancing:DeregisterTargets",
        "elasticloadbalancing:RegisterTargets",
    ]
    assert register["Resource"] == ["arn:aws:lb:planned:000000000000:targetGroup/edge-pods"]
    assert look["Resource"] == ["*"]
    assert look["Action"] == list(operator_policies.REGISTRAR_LOOKS)


def test_what_may_be_done_everywhere_only_reads():
    assert all(action.split(":")[1].startswith("Describe") for action in operator_policies.EVERYWHERE)
    assert not [action for action in operator_policies.EVERYWHERE if "*" in action]


def test_the_controller_makes_no_balancers_classes_or_groups_and_holds_up_no_service(edge):
    values = one(edge(), RELEASE)["values"]
    assert values["enableServiceMutatorWebhook"] is False
    assert values["createIngressClassResource"] is False
    assert values["enableBackendSecurityGroup"] is False
    assert set(values["controllerConfig"]["featureGates"].values()) == {False}
    assert values["keepTLSSecret"] is True


def test_the_controller_needs_no_instance_metadata(edge):
    values = one(edge(), RELEASE)["values"]
    assert (values["clusterName"], values["region"], values["vpcId"]) == ("langgraph", "eu-west-1", "vpc-1")


def test_the_controllers_pods_are_restricted_and_get_their_identity_before_they_start(edge):
    found = edge()
    (namespace,) = found.of_type("kubernetes:core/v1:Namespace")
    assert problems(namespace.inputs) == []
    assert namespace.inputs["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    (release,) = found.of_type(RELEASE)
    rights = {found.named(f"edge-controller-{part}").urn for part in ("identity", "policy")}
    assert {namespace.urn, *rights} <= set(release.depends_on)
    security = release.inputs["values"]["securityContext"]
    assert (security["runAsNonRoot"], security["capabilities"]) == (True, {"drop": ["ALL"]})
    association = found.named("edge-controller-identity").inputs
    assert association["serviceAccount"] == release.inputs["values"]["serviceAccount"]["name"]
    assert association["namespace"] == release.inputs["namespace"]


def test_a_cluster_that_has_the_controller_gets_no_second_one(edge):
    found = edge(install_controller=False, cluster_name=None, cluster_arn=None)
    assert not [r for r in found.resources if r.type.startswith(("kubernetes:", "aws:iam", "aws:eks"))]


def test_a_closed_network_gets_the_controller_from_its_mirrors(edge):
    release = one(edge(chart_mirror="oci://r.example/charts", registry_mirror="r.example"), RELEASE)
    assert release["chart"] == "oci://r.example/charts/aws-load-balancer-controller"
    assert release["values"]["image"]["repository"] == "r.example/eks/aws-load-balancer-controller"
    assert release["version"] == "3.5.0"


# all of it


def test_what_others_need_is_told(graph):
    def program():
        component = Edge("edge", ARGS)
        pulumi.export("dns", component.dns_name)
        pulumi.export("targets", component.target_group_arn)
        pulumi.export("group", component.security_group_id)

    assert graph(program).outputs == {
        "dns": "edge-alb.elb.invalid",
        "targets": "arn:aws:lb:planned:000000000000:targetGroup/edge-pods",
        "group": "edge-balancer-id",
    }


def test_everything_is_a_child_of_the_component_and_nothing_is_protected(edge):
    found = edge(waf_managed_rules=True)
    component = found.named("edge")
    assert {r.parent for r in found.resources if r is not component} == {component.urn}
    assert not [r for r in found.resources if r.protect]
    assert found.duplicates == ()


def test_networks_that_other_resources_compute_are_waited_for(graph):
    def program():
        subnets = [pulumi.Output.from_input(f"subnet-{zone}") for zone in "ab"]
        Edge("edge", {**ARGS, "vpc_id": pulumi.Output.from_input("vpc-later"), "public_subnet_ids": subnets})

    found = graph(program)
    assert one(found, BALANCER)["subnets"] == ["subnet-a", "subnet-b"]
    assert one(found, TARGETS)["vpcId"] == "vpc-later"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hostname": "agents"}, "EdgeArgs.hostname: "),
        ({"hostname": "https://agents.example.com"}, "EdgeArgs.hostname: "),
        ({"zone_id": None}, "EdgeArgs: needs zone_id, where a certificate can be proved, or certificate_arn"),
        ({"allowed_cidrs": []}, "EdgeArgs.allowed_cidrs: "),
        ({"allowed_cidrs": ["203.0.113.7/24"]}, "EdgeArgs.allowed_cidrs: 203.0.113.7/24 has host bits set"),
        ({"allowed_cidrs": ["everyone"]}, "EdgeArgs.allowed_cidrs: "),
        ({"public_subnet_ids": None}, "EdgeArgs: needs public_subnet_ids"),
        ({"scheme": "internal", "private_subnet_ids": None}, "EdgeArgs: needs private_subnet_ids"),
        ({"cluster_arn": None}, "EdgeArgs: needs cluster_arn"),
        (
            {"waf_arn": "arn:x", "waf_managed_rules": True},
            "EdgeArgs.waf_managed_rules: there is waf_arn already",
        ),
        ({"idle_timeout_seconds": 5000}, "should be less than or equal to 4000 (got 5000)"),
        ({"health_path": "ready"}, "EdgeArgs.health_path: "),
        ({"scheme": "public"}, "EdgeArgs.scheme: "),
        ({"port": 80}, "EdgeArgs.port: there is no such setting"),
    ],
)
def test_wrong_arguments_are_refused_with_the_path_and_what_is_allowed(changes, said):
    args = {key: value for key, value in {**ARGS, **changes}.items() if value is not None}
    with pytest.raises(InvalidArgs) as refused:
        EdgeArgs.of(args)
    assert said in str(refused.value)
