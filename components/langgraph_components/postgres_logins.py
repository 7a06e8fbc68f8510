"""Logins to PostgreSQL whose passwords are made here: each is a secret that pods get as files."""

from typing import Optional

import pulumi

from langgraph_components.data_access import kept_secret
from langgraph_components.passwords import alternating, password
from langgraph_components.postgres_args import Credentials, PostgresDatabaseArgs
from langgraph_components.pure import data_policies
from langgraph_components.pure.environment import active_role


def master_password(
    name: str, args: PostgresDatabaseArgs, *, parent: pulumi.Resource
) -> Optional[pulumi.Output[str]]:
    """The password of the role that migrates; None where RDS makes and keeps it."""
    if args.rds_keeps_password():
        return None
    return password(f"{name}-master-password", parent=parent, generation=1)


def master_secret(
    name: str,
    args: PostgresDatabaseArgs,
    made: pulumi.Output[str],
    *,
    parent: pulumi.Resource,
    after: pulumi.Resource,
) -> pulumi.Output[str]:
    """ARN of the secret with that password, told once the database knows it."""
    return kept_secret(
        f"{name}-master-login",
        parent=parent,
        description="The migration's login to PostgreSQL",
        key_arn=args.data_key_arn,
        recovery_days=args.secret_recovery_days,
        protect=args.protect,
        text=pulumi.Output.json_dumps({"username": args.master_username, "password": made}),
        after=[after],
    )


def application_secret(
    name: str, args: PostgresDatabaseArgs, *, parent: pulumi.Resource
) -> Optional[pulumi.Output[str]]:
    """ARN of the secret of the role that serves; None with `credentials: iam`."""
    if args.credentials is not Credentials.SECRET:
        return None
    _, serving = alternating(f"{name}-application", parent=parent, generation=args.generation)
    text = pulumi.Output.json_dumps(
        {
            "username": active_role(data_policies.APPLICATION_ROLE, args.generation),
            "password": serving,
        }
    )
    return kept_secret(
        f"{name}-application",
        parent=parent,
        description="The application's login to PostgreSQL",
        key_arn=args.data_key_arn,
        recovery_days=args.secret_recovery_days,
        protect=args.protect,
        text=text,
    )
