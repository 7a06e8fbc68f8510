"""uvicorn's HTTP protocol within bounds: of a head's size and time, and of what follows an early answer.

uvicorn reads a head of any size for any time. Here a head has HEADERS headers and HEAD_BYTES in all, its
request line included, and arrives within HEAD_SECONDS, or its connection ends with 431 or 408; what is no
HTTP ends with 400. An answer that comes before its request's body is whole, as a refusal does, reaches the
client although it still sends: what comes is thrown away for LINGER_SECONDS, and then the connection is
closed. If it were closed at once, the kernel would reset it, and the client lose the answer.
"""

import asyncio
from collections.abc import Callable
from typing import NoReturn, cast
from uuid import uuid4

import httptools
import orjson
import structlog
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from agent_server.core.errors import HeadersTooLarge, MalformedRequest, RequestTimeout, ServerError
from agent_server.core.metrics import REFUSED_REQUESTS

HEADERS = 100
HEAD_BYTES = 32 * 2**10
HEAD_SECONDS = 25.0
AHEAD = 32
"""So many requests may be sent ahead of the answer before them. One packet could hold thousands, each of
which costs a hundred times its bytes while it waits."""
LINGER_SECONDS = 5.0

log = structlog.get_logger()


class _Transport:
    """A transport whose `close` is the protocol's: uvicorn closes where we may have to linger."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.inner = transport
        self.lingers = False
        self.close = close
        self.write = transport.write
        self.get_extra_info = transport.get_extra_info
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading

    def is_closing(self) -> bool:
        """Whether nothing more is to be written."""
        return self.lingers or self.inner.is_closing()


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    _wire: _Transport
    _timer: asyncio.TimerHandle | None = None
    """Ends a head that does not arrive, or a connection that lingers."""
    _in_head = False
    _parts_bytes = 0
    """Of what is known of the head that is being read."""
    _later_bytes = 0
    """Of what came for it after its first piece: a header is only known when it is whole."""
    _refusal: ServerError | None = None
    _answered: RequestResponseCycle | None = None
    """The request that is answered at this time; uvicorn's `cycle` is the newest one."""
    _is_deaf = False
    """Whether whatever comes is thrown away."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; a connection over which nothing comes has the life of an idle one."""
        self._wire = _Transport(cast("asyncio.Transport", transport), self._close)
        super().connection_made(cast("asyncio.Transport", self._wire))
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """End; who still answers is told, also where uvicorn tells only the newest request."""
        self._stop_timer()
        self._give_up()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read, and see how long the head has become."""
        if self._is_deaf:
            return
        if self._in_head:
            self._later_bytes += len(data)
        parser = cast("httptools.HttpRequestParser", self.parser)  # None, but not while something comes
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # nobody here speaks anything else: it is answered as any request
        except httptools.HttpParserError:
            self._refuse(self._refusal or _malformed())
        if self._in_head and not self._is_deaf:
            if self._later_bytes > HEAD_BYTES:
                self._refuse(_headers_too_large())
            elif self._timer is None:
                self._timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def on_message_begin(self) -> None:
        """Begin a head: not before is a connection anything but idle, for line breaks may precede it."""
        self._unset_keepalive_if_required()
        super().on_message_begin()
        self._in_head, self._parts_bytes, self._later_bytes = True, 0, 0

    def on_url(self, url: bytes) -> None:
        """Take a part of the request line."""
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header."""
        super().on_header(name, value)
        self._count(len(name) + len(value) + 4)

    def on_headers_complete(self) -> None:
        """End the head, and begin to answer."""
        if cast("httptools.HttpRequestParser", self.parser).get_http_version() not in {"1.0", "1.1"}:
            self._raise(_malformed())
        self._in_head = False
        self._stop_timer()
        self._unset_keepalive_if_required()  # the answer before it may have ended meanwhile
        super().on_headers_complete()
        if len(self.pipeline) > AHEAD:
            self._raise(MalformedRequest(f"At most {AHEAD} requests are sent ahead of an answer."))

    def on_message_complete(self) -> None:
        """Note that the body is whole; if its answer was earlier, the connection is idle from now on."""
        early = self.cycle.response_complete
        super().on_message_complete()
        if early:
            self.cycle.more_body = False
            self._stop_timer()
            self._await_request()

    def on_response_complete(self) -> None:
        """Go on with the next request; the rest of this one's body has LINGER_SECONDS to arrive."""
        super().on_response_complete()
        cycle = self.cycle
        if cycle.response_complete and cycle.more_body and not self._wire.is_closing():
            self._timer = self._timer or self.loop.call_later(LINGER_SECONDS, self._wire.inner.close)

    def shutdown(self) -> None:
        """End the connection after the answer that is under way."""
        if self._wire.lingers:
            self._wire.inner.close()
        else:
            super().shutdown()

    def _count(self, size: int) -> None:
        self._parts_bytes += size
        if self._parts_bytes > HEAD_BYTES or len(self.headers) > HEADERS:
            self._raise(_headers_too_large())

    def _raise(self, refusal: ServerError) -> NoReturn:
        """End the parser's work from one of its callbacks; `data_received` answers."""
        self._refusal = refusal
        raise refusal

    def _head_is_late(self) -> None:
        self._timer = None
        self._refuse(RequestTimeout(f"The request's head did not arrive within {HEAD_SECONDS:g} s."))

    def _refuse(self, error: ServerError) -> None:
        """Answer with a problem where that is possible, and end the connection."""
        self._is_deaf = True
        self._stop_timer()
        cycle = self._open_cycle
        if cycle is not None and self._in_head:
            cycle.keep_alive = False  # an earlier request's answer is under way: the connection ends with it
            return
        if cycle is not None:
            self._give_up()  # its body is broken, or it is one too many
        if cycle is None or not (cycle.response_started or self.pipeline):
            self._wire.write(_problem(error))
        self._linger()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def _give_up(self) -> None:
        """Whatever is still answered on this connection goes nowhere."""
        for cycle in (self._answered, self._last_cycle):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()

    def _close(self) -> None:
        """Close the connection; while a body still arrives, only our side of it."""
        if self._last_cycle is not None and self._last_cycle.more_body:
            self._linger()
        else:
            self._wire.inner.close()

    @property
    def _last_cycle(self) -> RequestResponseCycle | None:
        return self.cycle  # which is None, whatever uvicorn calls it, before the first request

    @property
    def _open_cycle(self) -> RequestResponseCycle | None:
        """The newest request's, while it is not answered."""
        cycle = self._last_cycle
        return None if cycle is None or cycle.response_complete else cycle

    def _linger(self) -> None:
        self._is_deaf = True
        self._stop_timer()
        if self._wire.is_closing():
            return
        self._wire.lingers = True
        self._wire.inner.write_eof()
        self.flow.resume_reading()
        self._timer = self.loop.call_later(LINGER_SECONDS, self._wire.inner.close)

    def _await_request(self) -> None:
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _malformed() -> MalformedRequest:
    return MalformedRequest("This is no HTTP/1.1 request.")


def _headers_too_large() -> HeadersTooLarge:
    return HeadersTooLarge(
        f"A request has at most {HEADERS} headers, and {HEAD_BYTES} bytes of them together."
    )


def _problem(error: ServerError) -> bytes:
    """Write a refusal as `http/problems.py` words it; no request is known that it could be an answer to."""
    request_id = uuid4().hex
    body = orjson.dumps({"detail": error.detail, "code": error.code, "request_id": request_id})
    log.info("request refused", status=error.status, code=error.code, request_id=request_id)
    if isinstance(error, HeadersTooLarge):
        REFUSED_REQUESTS.labels(error.code).inc()
    head = (
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        f"x-request-id: {request_id}\r\nconnection: close\r\n\r\n"
    )
    return STATUS_LINE[error.status] + head.encode() + body
