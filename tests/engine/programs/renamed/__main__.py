"""One component under the name that the config gives; `renamed:formerly` is the alias of a rename."""

import pulumi

from langgraph_components import Encryption

config = pulumi.Config()
formerly = config.get("formerly")
Encryption(
    config.require("called"),
    {"account_id": "123456789012", "region": "eu-west-1", "protect": True},
    pulumi.ResourceOptions(aliases=[pulumi.Alias(name=formerly)] if formerly else None),
)
