"""The stack program: settings in, one platform, outputs out. `lgp plan` runs it offline."""

import pulumi
import pulumi_aws as aws

from langgraph_components import Platform, PlatformSettings


def account(settings: PlatformSettings) -> list[pulumi.ProviderResource]:
    """The one AWS account and region of the stack; another account's credentials are refused."""
    if settings.region is None or settings.account_id is None:
        return []  # the stack `local`; a rule of the settings demands both of the others
    tags = {"project": pulumi.get_project(), "stack": pulumi.get_stack(), **settings.tags}
    provider = aws.Provider(
        "aws",
        region=settings.region,
        allowed_account_ids=[settings.account_id],
        default_tags=aws.ProviderDefaultTagsArgs(tags=tags),
    )
    return [provider]


settings = PlatformSettings.load()
platform = Platform("langgraph", settings, pulumi.ResourceOptions(providers=account(settings)))
platform.outputs.export()
