"""What the workload is given, wherever it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from langgraph_components.passwords import password
from langgraph_components.settings import PlatformSettings

PEPPER_LENGTH = 48
"""Characters; the server refuses less than 32."""


@dataclass(frozen=True)
class Base:
    """The component that all of it is part of, and its settings."""

    parent: pulumi.ComponentResource
    name: str
    settings: PlatformSettings

    @property
    def account(self) -> dict[str, str]:
        """Account and region, as parts on AWS are given them; a rule of the settings has them there."""
        return {"account_id": self.settings.account_id or "", "region": self.settings.region or ""}

    def called(self, part: str) -> str:
        """Logical name of a part."""
        return f"{self.name}-{part}"

    def opts(self, **more: Any) -> pulumi.ResourceOptions:
        """Options of a part."""
        return pulumi.ResourceOptions(parent=self.parent, **more)

    def pepper(self) -> pulumi.Output[str]:
        """Secret of the API keys' HMAC; a new one would make every key useless, so it never changes."""
        return password(self.called("api-key-pepper"), parent=self.parent, length=PEPPER_LENGTH)


@dataclass(frozen=True)
class Ground:
    """What the workload stands on."""

    provider: kubernetes.Provider
    """Of the cluster."""
    wired: Mapping[str, Any]
    """Arguments of the workload that are no choice of the stack."""
    waits_for: tuple[pulumi.Resource, ...]
    """What is there before the workload."""
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Outputs of the platform, by name; those that are missing are None."""
