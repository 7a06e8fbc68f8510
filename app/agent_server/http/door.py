"""What a port shows while its server starts and while it stops."""

from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Door:
    """ASGI application: one that knows how to wait, until the server's own is put in its place."""

    def __init__(self, waiting: ASGIApp) -> None:
        self._app = waiting
        self._is_closing: Callable[[], bool] = lambda: False

    def open(self, app: ASGIApp, is_closing: Callable[[], bool]) -> None:
        """Answer with `app` from now on; once `is_closing`, no connection outlives its answer.

        A client that keeps its connections would ask a process that stops again and again.
        """
        self._app, self._is_closing = app, is_closing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def send_closing(message: Message) -> None:
            if message["type"] == "http.response.start" and self._is_closing():
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, receive, send_closing)
