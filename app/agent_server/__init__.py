"""The agent server: LangGraph graphs over HTTP, with runs that survive the process that started them.

Layers, each importing only those to its right: http → runs → graphs → storage → core.
"""

import os

__version__ = "0.1.0"

# langgraph reads this once, at its import: without it, bytes in a checkpoint can name any callable
# (GHSA-g48c-2wqr-h844). An explicit false value is refused at the start, in graphs/registry.py.
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")
