"""What the stores of the data tier share: who reaches them, and how a secret of theirs is kept."""

from collections.abc import Sequence

import pulumi
from pulumi_aws import ec2, secretsmanager, vpc

from langgraph_components.args import In
from langgraph_components.ordering import after as known_after
from langgraph_components.physical_names import path_of_stack


def client_only_group(  # noqa: PLR0913  # whom, to what, where
    name: str,
    *,
    parent: pulumi.Resource,
    description: str,
    port: int,
    vpc_id: pulumi.Input[str] | None,
    clients: Sequence[In[str]],
) -> tuple[ec2.SecurityGroup, list[vpc.SecurityGroupIngressRule]]:
    """A security group that admits other groups on one port and has no way out: what answers needs none.

    Whoever connects waits for its rules, and goes before them: a pod that drains is still admitted.
    """
    group = ec2.SecurityGroup(
        f"{name}-access",
        description=description,
        vpc_id=vpc_id,
        tags={"Name": name},
        opts=pulumi.ResourceOptions(parent=parent),
    )
    rules = [
        vpc.SecurityGroupIngressRule(
            f"{name}-client-{index}",
            security_group_id=group.id,
            referenced_security_group_id=client,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=f"{description}: clients on port {port}",
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for index, client in enumerate(clients)
    ]
    return group, rules


def kept_secret(  # noqa: PLR0913  # a secret is its name, its key, its protection and its text
    name: str,
    *,
    parent: pulumi.Resource,
    description: str,
    key_arn: pulumi.Input[str] | None,
    recovery_days: int,
    protect: bool,
    text: pulumi.Output[str],
    after: Sequence[pulumi.Resource] = (),
) -> pulumi.Output[str]:
    """A secret with that text, and its ARN: whoever reads it waits for the text, and goes before it.

    The text changes only once `after` has.

    AWS adds letters to the name: a deleted secret holds on to its name until it cannot be recovered.
    """
    secret = secretsmanager.Secret(
        name,
        name_prefix=f"{path_of_stack(name)}-",
        description=description,
        kms_key_id=key_arn,
        recovery_window_in_days=recovery_days,
        opts=pulumi.ResourceOptions(parent=parent, protect=protect, ignore_changes=["namePrefix"]),
    )
    version = secretsmanager.SecretVersion(
        f"{name}-value",
        secret_id=secret.id,
        secret_string=text,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=list(after)),
    )
    return known_after(secret.arn, version)
