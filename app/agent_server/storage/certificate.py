"""Until when the certificate is good that the database shows to whoever connects."""

import asyncio
import contextlib
import ssl
import struct
from datetime import datetime

from cryptography import x509
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from agent_server.storage.login import POSTGRES_PORT

SECONDS = 5.0
"""The longest that finding it out takes."""

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""Length and code of PostgreSQL's SSLRequest (its documentation, "Message Formats")."""


async def certificate_expiry(dsn: str) -> datetime | None:
    """Return when it is over; None where TLS is off or nothing can be told, as of several hosts.

    Nobody is logged in and nothing is verified here: a certificate that is over already is told, too.
    """
    try:
        parts = conninfo_to_dict(dsn)
    except ProgrammingError:
        return None
    host = str(parts.get("host") or "")
    if not host or host.startswith(("/", "@")) or "," in host or parts.get("sslmode") == "disable":
        return None
    try:
        async with asyncio.timeout(SECONDS):
            shown = await _shown(host, int(str(parts.get("port") or POSTGRES_PORT)))
    except (OSError, EOFError):  # no answer, no TLS, or one that ends half-way
        return None
    return x509.load_der_x509_certificate(shown).not_valid_after_utc if shown else None


async def _shown(host: str, port: int) -> bytes | None:
    """The certificate in DER; None where the server speaks no TLS."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(_SSL_REQUEST)
        if await reader.readexactly(1) != b"S":
            return None
        await writer.start_tls(_unverified())
        return writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.close()
        with contextlib.suppress(OSError, EOFError):
            await writer.wait_closed()


def _unverified() -> ssl.SSLContext:
    """Looks at the certificate and sends nothing afterwards."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
