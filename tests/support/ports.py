"""Ports for what cannot be told to take any."""

import socket
from contextlib import ExitStack


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """So many ports, each another one, that nobody listens on just now."""
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server((host, 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in taken]


def free_port() -> int:
    """One of them."""
    return free_ports(1)[0]
