"""A team's agents in a VPC and a cluster that others run: a database, an identity, and the server."""

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from langgraph_components import (
    AgentWorkload,
    AgentWorkloadArgs,
    PodIdentity,
    PodIdentityArgs,
    PostgresDatabase,
    PostgresDatabaseArgs,
)


@dataclass(frozen=True, kw_only=True)
class Foundation:
    """What the platform team runs: in the configuration, as a plan that asks nobody cannot read its stack."""

    account_id: str
    region: str
    vpc_id: str
    data_subnet_ids: list[str]
    data_subnet_cidrs: list[str]
    data_key_arn: str
    logs_key_arn: str
    cluster_name: str
    cluster_arn: str
    kube_context: str
    node_security_group_id: str
    secret_store: str


def owned(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    """This cluster admits no object without an owner: a transform says what no argument says."""
    if not args.type_.startswith("kubernetes:"):
        return None
    props: dict[str, Any] = dict(args.props)
    labels = {**props["metadata"].get("labels", {}), "owner": OWNER}
    props["metadata"] = {**props["metadata"], "labels": labels}
    return pulumi.ResourceTransformResult(props, args.opts)


OWNER = "team-agents"
config = pulumi.Config()
there = Foundation(**config.require_object("foundation"))

account = aws.Provider(
    "account",
    region=there.region,
    allowed_account_ids=[there.account_id],  # another account's credentials are refused
    default_tags={
        "tags": {"project": pulumi.get_project(), "stack": pulumi.get_stack(), "owner": OWNER},
    },
)
cluster = kubernetes.Provider(
    "cluster", context=there.kube_context, cluster_identifier=there.cluster_arn, enable_server_side_apply=True
)

database = PostgresDatabase(
    "agents-db",
    PostgresDatabaseArgs.of(
        {
            "account_id": there.account_id,
            "region": there.region,
            "vpc_id": there.vpc_id,
            "subnet_ids": there.data_subnet_ids,
            "client_security_group_ids": [there.node_security_group_id],
            "data_key_arn": there.data_key_arn,
            "logs_key_arn": there.logs_key_arn,
            **(config.get_object("database") or {}),
        }
    ),
    pulumi.ResourceOptions(provider=account),
)
identity = PodIdentity(
    "agents",
    PodIdentityArgs(
        account_id=there.account_id,
        cluster_name=there.cluster_name,
        cluster_arn=there.cluster_arn,
        policies=[database.login_policy],
    ),
    pulumi.ResourceOptions(provider=account),
)
workload = AgentWorkload(
    "agents",
    AgentWorkloadArgs.of(
        {
            "image": config.require("image"),
            "database": {
                "host": database.host,
                "read_host": database.read_host,
                "region": there.region,
                "cidrs": there.data_subnet_cidrs,
            },
            "secret_store": there.secret_store,
            "master_secret": {"login": database.master_secret_arn},
            "environment_secrets": {
                "env": {"remote": {"API_KEY_PEPPER": "agents/pepper", "OPENAI_API_KEY": "agents/openai"}}
            },
            **(config.get_object("workload") or {}),
        }
    ),
    # pods get their credentials when they are made: the identity comes first
    pulumi.ResourceOptions(provider=cluster, depends_on=[identity], transforms=[owned]),
)

pulumi.export("url", workload.url)
pulumi.export("database_host", database.host)
