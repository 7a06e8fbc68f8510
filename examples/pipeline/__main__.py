"""One AWS account: where Pulumi's state is, and the roles of the workflows. People run it, no pipeline."""

from typing import Any

import pulumi
import pulumi_aws as aws
from state_store import StateStore

from langgraph_components import PipelineAccess, PipelineAccessArgs

account: dict[str, Any] = pulumi.Config().require_object("account")
place = {name: str(account[name]) for name in ("account_id", "region")}
provider = aws.Provider(
    "aws",
    region=place["region"],
    allowed_account_ids=[place["account_id"]],
    # not the tags of the stacks: what has those, a deployment may change
    default_tags=aws.ProviderDefaultTagsArgs(
        tags={"project": pulumi.get_project(), "stack": pulumi.get_stack()}
    ),
)
ours = pulumi.ResourceOptions(provider=provider)
store = StateStore("state", str(account["state_bucket"]).lower(), place["account_id"], ours)
github = account.get("provider_arn")
for stack, chosen in account["stacks"].items():
    access = PipelineAccess(
        stack,
        PipelineAccessArgs.of(
            {
                **place,
                **chosen,
                "repository": account["repository"],
                "stack": stack,
                "state_bucket": store.name,
                "secrets_key_arn": store.key_arn,
                "state_key_arn": store.key_arn,
                "provider_arn": github,
            }
        ),
        ours,
    )
    # an account has one provider of GitHub; the first stack makes it
    github = github or f"arn:aws:iam::{place['account_id']}:oidc-provider/token.actions.githubusercontent.com"
    pulumi.export(
        stack,
        {
            "preview": access.preview_role_arn,
            "drift": access.drift_role_arn,
            "deploy": access.deploy_role_arn,
            "boundary": access.boundary_arn,
        },
    )
pulumi.export("backend", f"s3://{store.name}")
pulumi.export(
    "secrets_provider", pulumi.Output.format("awskms:///{0}?region={1}", store.key_arn, place["region"])
)
