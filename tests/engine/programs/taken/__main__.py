"""One object with a fixed name, under the logical name that the config gives, and perhaps an alias."""

import pulumi
import pulumi_kubernetes as kubernetes

config = pulumi.Config()
formerly = config.get("formerly")
kubernetes.core.v1.ConfigMap(
    config.require("called"),
    metadata={"name": "settings", "namespace": "default"},
    data={"LOG_LEVEL": "INFO"},
    opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name=formerly)] if formerly else None),
)
