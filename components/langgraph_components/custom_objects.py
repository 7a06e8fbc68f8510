"""Objects of kinds that an operator defines."""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_kubernetes import apiextensions


def custom_object(
    logical_name: str, document: Mapping[str, Any], opts: pulumi.ResourceOptions
) -> apiextensions.CustomResource:
    """The object of a whole document, as Kubernetes reads it."""
    return apiextensions.CustomResource(
        logical_name,
        api_version=document["apiVersion"],
        kind=document["kind"],
        metadata=document["metadata"],
        spec=document["spec"],
        opts=opts,
    )
