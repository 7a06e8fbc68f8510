"""The AWS Load Balancer Controller, which puts pods into the one target group and does nothing else."""

import json
from typing import Any

import pulumi
from pulumi_kubernetes import core

from langgraph_components import charts
from langgraph_components.edge_args import EdgeArgs
from langgraph_components.pod_role import pod_role
from langgraph_components.pure import labels, operator_policies
from langgraph_components.pure.labels import LOAD_BALANCER_CONTROLLER as _CONTROLLER

_IMAGE = "public.ecr.aws/eks/aws-load-balancer-controller"


def controller(
    name: str, args: EdgeArgs, target_group_arn: pulumi.Output[str], *, parent: pulumi.Resource
) -> None:
    """Its namespace, identity and chart; helm installs the chart's definitions once and keeps them."""
    namespace = core.v1.Namespace(
        f"{name}-namespace",
        metadata={"name": _CONTROLLER, "labels": labels.common(_CONTROLLER) | labels.restricted_namespace()},
        opts=pulumi.ResourceOptions(parent=parent),
    )
    _, ready = pod_role(
        f"{name}-controller",
        parent=parent,
        account_id=args.account_id,
        cluster_name=args.cluster_name or "",
        cluster_arn=args.cluster_arn or "",
        namespace=_CONTROLLER,
        service_account=_CONTROLLER,
        policy=target_group_arn.apply(lambda arn: json.dumps(operator_policies.target_registrar(arn))),
    )
    charts.install(
        f"{name}-controller",
        charts.LOAD_BALANCER_CONTROLLER,
        controller_values(args),
        args=args,
        namespace=_CONTROLLER,
        parent=parent,
        depends_on=[namespace, *ready],
    )


def controller_values(args: EdgeArgs) -> dict[str, Any]:
    """The controller's chart values: target group bindings, and nothing that makes balancers of its own."""
    return {
        "image": {"repository": charts.mirrored(_IMAGE, args.registry_mirror)},
        "clusterName": args.cluster_name,
        "region": args.region,
        "vpcId": args.vpc_id,
        "replicaCount": args.controller_replicas,
        "serviceAccount": {"create": True, "name": _CONTROLLER},
        # this webhook refuses every Service of the cluster while the controller starts
        "enableServiceMutatorWebhook": False,
        # made anew at each upgrade otherwise, while old pods still serve with the old one
        "keepTLSSecret": True,
        "createIngressClassResource": False,
        "ingressClassParams": {"create": False},
        "disableIngressClassAnnotation": True,
        "enableBackendSecurityGroup": False,
        "enableShield": False,
        "enableWaf": False,
        "enableWafv2": False,
        "controllerConfig": {
            "featureGates": {"EnableServiceController": False, "NLBGatewayAPI": False, "ALBGatewayAPI": False}
        },
        "podDisruptionBudget": {"maxUnavailable": 1},
        "podSecurityContext": {"fsGroup": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
        "securityContext": {
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
    }
