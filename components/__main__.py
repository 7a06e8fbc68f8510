"""Hosts the components for programs in any language, as the Pulumi package `langgraph`.

Without this file the host would name the package after the distribution, which the type tokens do not.
"""

from importlib.metadata import version

import pulumi
from pulumi.provider.experimental import component_provider_host

import langgraph_components

COMPONENTS = [
    found
    for name in langgraph_components.__all__
    if isinstance(found := getattr(langgraph_components, name), type)
    and issubclass(found, pulumi.ComponentResource)
]

if __name__ == "__main__":
    component_provider_host(name="langgraph", components=COMPONENTS, version=version("langgraph-components"))
