"""The External Secrets Operator and the stores that only our namespaces may read."""

import json
from typing import Any, Optional

import pulumi
from pulumi_kubernetes import core
from pulumi_kubernetes.helm import v3 as helm

from langgraph_components import charts
from langgraph_components.custom_objects import custom_object
from langgraph_components.ordering import after
from langgraph_components.pod_role import pod_role
from langgraph_components.pure import labels, operator_policies, stores
from langgraph_components.pure.stores import SecretSource
from langgraph_components.secrets_args import SecretsOperatorArgs

_IMAGE = "ghcr.io/external-secrets/external-secrets"
_REQUESTS = {"requests": {"cpu": "25m", "memory": "96Mi"}, "limits": {"memory": "256Mi"}}

_CRDS_ONLY = {
    "installCRDs": True,
    "createOperator": False,
    "webhook": {"create": False},
    "certController": {"create": False},
    "rbac": {"create": False, "servicebindings": {"create": False}},
    "serviceAccount": {"create": False},
    # else helm deletes them with the release, and with them every ExternalSecret and its Secret
    "crds": {"annotations": {"helm.sh/resource-policy": "keep"}},
}
"""The definitions apart from the operator, so that it can be removed, rolled back or replaced without them.

There is no chart of the definitions alone; the operator's own, with all else switched off, is one. They are
templates in it and no `crds/` folder, so helm upgrades them.
"""


class SecretsOperator(pulumi.ComponentResource):
    """External Secrets, with stores that read only what they were given and serve only our namespaces."""

    store_name: pulumi.Output[str]
    """Name of the ClusterSecretStore; empty where the source is `kubernetes`."""
    aws_store_name: pulumi.Output[str]
    """Name of the one of AWS Secrets Manager, the same with the source `aws`; empty if there is none."""
    namespace: pulumi.Output[str]
    """Namespace of the operator; empty where none was installed."""

    def __init__(
        self, name: str, args: SecretsOperatorArgs, opts: Optional[pulumi.ResourceOptions] = None
    ) -> None:
        """Declare the role, the definitions, the operator and the store, in that order."""
        super().__init__("langgraph:index:SecretsOperator", name, {}, opts)
        settings = SecretsOperatorArgs.of(args)
        self.store_name = pulumi.Output.from_input(settings.existing_store or "")
        self.aws_store_name = pulumi.Output.from_input(settings.aws_store())
        self.namespace = pulumi.Output.from_input("")
        if settings.installs():
            operator = self._install(name, settings)
            self.namespace = after(settings.operator_namespace, operator)
            self.store_name = self._store(name, settings, settings.store_name, _provider(settings), operator)
            self.aws_store_name = self._aws_store(name, settings, operator)
        self.register_outputs(
            {
                "storeName": self.store_name,
                "awsStoreName": self.aws_store_name,
                "namespace": self.namespace,
            }
        )

    def _install(self, name: str, args: SecretsOperatorArgs) -> pulumi.Resource:
        opts = pulumi.ResourceOptions(parent=self)
        namespace = core.v1.Namespace(
            f"{name}-namespace",
            metadata={
                "name": args.operator_namespace,
                "labels": labels.common("external-secrets") | labels.restricted_namespace(),
            },
            opts=opts,
        )
        before: list[pulumi.Resource] = [namespace]
        if args.reads_aws():
            before.extend(self._identity(name, args))
        return self._operator(name, args, before)

    def _aws_store(
        self, name: str, args: SecretsOperatorArgs, operator: pulumi.Resource
    ) -> pulumi.Output[str]:
        """The one that there is, with the source `aws`; else a second one, if there is AWS at all."""
        if args.source == SecretSource.AWS:
            return self.store_name
        if not args.reads_aws():
            return pulumi.Output.from_input("")
        return self._store(f"{name}-aws", args, args.aws_store(), stores.aws(args.region or ""), operator)

    def _store(
        self,
        name: str,
        args: SecretsOperatorArgs,
        called: str,
        provider: stores.Json,
        operator: pulumi.Resource,
    ) -> pulumi.Output[str]:
        """Its name: whoever names the store waits for it, as its definitions have to be there."""
        store = stores.store(called, provider, args.namespaces)
        # its webhook answers for the store, and destroys come in the opposite order
        opts = pulumi.ResourceOptions(parent=self, depends_on=[operator])
        return after(called, custom_object(f"{name}-store", store, opts))

    def _identity(self, name: str, args: SecretsOperatorArgs) -> list[pulumi.Resource]:
        region = args.region or ""
        policy = pulumi.Output.all(args.secret_arn_prefixes, args.kms_key_arns).apply(
            lambda arns: json.dumps(
                operator_policies.secrets_reader(arns[0], [*arns[1], *args.kms_arns], region)
            )
        )
        _, ready = pod_role(
            name,
            parent=self,
            account_id=args.account_id or "",
            cluster_name=args.cluster_name or "",
            cluster_arn=args.cluster_arn or "",
            namespace=args.operator_namespace,
            service_account=stores.SERVICE_ACCOUNT,
            policy=policy,
        )
        return ready

    def _operator(self, name: str, args: SecretsOperatorArgs, before: list[pulumi.Resource]) -> helm.Release:
        definitions = charts.install(
            f"{name}-crds",
            charts.EXTERNAL_SECRETS,
            _CRDS_ONLY,
            args=args,
            namespace=args.operator_namespace,
            parent=self,
            depends_on=before[:1],
            release="external-secrets-crds",
        )
        return charts.install(
            f"{name}-operator",
            charts.EXTERNAL_SECRETS,
            operator_values(args),
            args=args,
            namespace=args.operator_namespace,
            parent=self,
            depends_on=[*before, definitions],
        )


def operator_values(args: SecretsOperatorArgs) -> dict[str, Any]:
    """The operator's chart values: it syncs into namespaces, and neither pushes nor generates secrets."""
    image = {"repository": charts.mirrored(_IMAGE, args.registry_mirror)}
    several = args.replicas > 1
    pods = {"image": image, "resources": _REQUESTS, "podDisruptionBudget": {"enabled": several}}
    return {
        **pods,
        "installCRDs": False,
        "replicaCount": args.replicas,
        "leaderElect": several,
        "concurrent": 5,
        "livenessProbe": {"enabled": True},
        # the monitoring's own ServiceMonitor finds it; the chart's would be left out, as its kind comes later
        "metrics": {"service": {"enabled": True}},
        "serviceAccount": {"create": True, "name": stores.SERVICE_ACCOUNT},
        # its own identity is all it has at AWS; elsewhere it logs in with a token of its account
        "rbac": {"serviceAccountTokenCreate": args.source != SecretSource.AWS},
        "processPushSecret": False,
        "processClusterPushSecret": False,
        "processClusterExternalSecret": False,
        "processClusterGenerator": False,
        "webhook": {**pods, "replicaCount": args.replicas},
        "certController": {"image": image, "resources": _REQUESTS},
    }


def _provider(args: SecretsOperatorArgs) -> stores.Json:
    """What the store says of its source."""
    namespace = args.operator_namespace
    if args.vault is not None:
        given = args.vault
        return stores.vault(
            given.server,
            given.path,
            given.role,
            mount=given.mount,
            namespace=namespace,
            ca_config_map=given.ca_config_map,
        )
    if args.gcp is None:
        return stores.aws(args.region or "")
    if args.gcp.audience is not None:
        return stores.gcp_federated(args.gcp.project, args.gcp.audience, namespace=namespace)
    cluster, location = args.gcp.cluster or "", args.gcp.location or ""
    return stores.gcp_cluster(args.gcp.project, cluster, location, namespace=namespace)
