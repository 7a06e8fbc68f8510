"""A role in AWS that one service account of one cluster gets, through EKS Pod Identity."""

import pulumi
from pulumi_aws import eks, iam

from langgraph_components.pure import iam as policies


def pod_role(  # noqa: PLR0913  # what an identity is made of
    name: str,
    *,
    parent: pulumi.Resource,
    account_id: str,
    cluster_name: pulumi.Input[str],
    cluster_arn: pulumi.Input[str],
    namespace: str,
    service_account: str,
    policy: pulumi.Input[str],
) -> tuple[iam.Role, list[pulumi.Resource]]:
    """The role with `policy` (JSON), and what its pods wait for: the association and the policy.

    Pods get credentials when they are created, and only then. An association is known everywhere some
    seconds after it was made (EKS API, CreatePodIdentityAssociation), so it waits for nothing but the role:
    not for the policy, which names what is made late, such as a database.
    """
    trust = pulumi.Output.json_dumps(
        policies.trust_pod_identity(
            account_id, cluster_arn, namespace=namespace, service_account=service_account
        )
    )
    opts = pulumi.ResourceOptions(parent=parent)
    role = iam.Role(f"{name}-role", assume_role_policy=trust, opts=opts)
    attached = iam.RolePolicy(f"{name}-policy", role=role.name, policy=policy, opts=opts)
    association = eks.PodIdentityAssociation(
        f"{name}-identity",
        cluster_name=cluster_name,
        namespace=namespace,
        service_account=service_account,
        role_arn=role.arn,
        opts=opts,
    )
    return role, [association, attached]
