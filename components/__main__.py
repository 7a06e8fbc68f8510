"""Hosts the components for programs in any language, as the Pulumi package `langgraph`.

Without this file the host would name the package after the distribution, which the type tokens do not.
"""

import sys

from pulumi.provider import main

from langgraph_components.plugin import Plugin

if __name__ == "__main__":
    main(Plugin(), sys.argv[1:])
