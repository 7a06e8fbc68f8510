"""What takes long for a large body, kept off the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from agent_server.core.jsonio import LARGE_BYTES

T = TypeVar("T")

_READERS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="body")
"""Apart from the threads of nodes, which may all be taken for long."""


async def by_size(size: int, work: Callable[[], T]) -> T:
    """Return what `work` returns: done at once for a body of up to LARGE_BYTES, else in a thread."""
    if size <= LARGE_BYTES:
        return work()
    return await asyncio.get_running_loop().run_in_executor(_READERS, work)
