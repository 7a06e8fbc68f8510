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
stacks: dict[str, Any] = account["stacks"]
for stack, others in ((one, stacks.keys() - {one}) for one in stacks):
    if alike := sorted(other for other in others if other.startswith(f"{stack}-")):
        message = (
            f"stacks: {alike[0]} begins as {stack} does, whose roles know what is theirs by how it begins"
        )
        raise ValueError(message)


def secrets_provider(key_arn: pulumi.Output[str]) -> pulumi.Output[str]:
    """What `pulumi stack init --secrets-provider` takes."""
    return pulumi.Output.format("awskms:///{0}?region={1}", key_arn, place["region"])


for stack, chosen in stacks.items():
    key = store.secrets_key(stack)
    access = PipelineAccess(
        stack,
        PipelineAccessArgs.of(
            {
                **place,
                **chosen,
                "repository": account["repository"],
                "stack": stack,
                "state_bucket": store.name,
                "secrets_key_arn": key,
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
            "secrets_provider": secrets_provider(key),
        },
    )
pulumi.export("backend", f"s3://{store.name}")
pulumi.export("secrets_provider", secrets_provider(store.key_arn))  # of this program's own stack
