"""A log group under a key of ours; by config another that never ends, and a VPC without a flow log."""

import pulumi
import pulumi_aws as aws

config = pulumi.Config()
tags = {"project": pulumi.get_project(), "stack": pulumi.get_stack()}
provider = aws.Provider(
    "aws",
    region="eu-west-1",
    allowed_account_ids=["123456789012"],
    default_tags=aws.ProviderDefaultTagsArgs(tags=tags),
)
opts = pulumi.ResourceOptions(provider=provider, protect=True)
key = aws.kms.Key("key", enable_key_rotation=True, opts=opts)
aws.cloudwatch.LogGroup("kept", retention_in_days=365, kms_key_id=key.arn, opts=opts)
if config.get_bool("loose"):
    aws.cloudwatch.LogGroup("endless", kms_key_id=key.arn, opts=opts)
if config.get_bool("unseen"):
    aws.ec2.Vpc("unseen", cidr_block="10.0.0.0/16", opts=opts)
