"""A private PostgreSQL 18 of this clone: no network, no trust, no container.

The binaries come from a wheel; `initdb`, the start and the stop are ours.
"""

from lgp.embedded.cluster import Cluster
from lgp.embedded.layout import Layout, clone_layout, private_layout

__all__ = ["Cluster", "Layout", "clone_layout", "private_layout"]
