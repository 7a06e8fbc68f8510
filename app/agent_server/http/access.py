"""Who asks, and whether it may: API keys, or with `AUTH=none` only this machine."""

from collections.abc import Collection

from starlette.requests import Request

from agent_server.core.errors import Forbidden, ForbiddenOrigin, Unauthenticated
from agent_server.core.principal import LOCAL, Principal
from agent_server.core.settings import LOOPBACK_HOSTS
from agent_server.storage.keys import KeyStore


class Access:
    """Finds the principal of a request; without a key store every caller on this machine is LOCAL."""

    def __init__(self, keys: KeyStore | None, allowed_origins: Collection[str]) -> None:
        self._keys = keys
        self._allowed_origins = frozenset(allowed_origins)

    async def principal(self, request: Request) -> Principal:
        """Return who asks.

        Raises:
            Unauthenticated: no usable key.
            Forbidden, ForbiddenOrigin: with `AUTH=none`, a host name or a web page from elsewhere.
        """
        if self._keys is None:
            self._require_local(request)
            return LOCAL
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        principal = await self._keys.verify(token.strip()) if scheme.lower() == "bearer" else None
        if principal is None:
            msg = "A valid API key is required: Authorization: Bearer lgp_…"
            raise Unauthenticated(msg)
        return principal

    def _require_local(self, request: Request) -> None:
        """Keep web pages out that reach this port by a name of theirs (DNS rebinding) or by a link."""
        host = request.headers.get("host", "")
        if _name(host) not in LOOPBACK_HOSTS:
            msg = "Without keys this server answers on a loopback host name only."
            raise Forbidden(msg)
        origin = request.headers.get("origin")
        if origin is not None and origin != f"http://{host}" and origin not in self._allowed_origins:
            msg = "This origin is not in ALLOWED_ORIGINS."
            raise ForbiddenOrigin(msg)


def _name(host: str) -> str:
    """Return a Host header's name without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()
