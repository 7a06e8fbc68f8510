"""Who asks: by an API key, by a token of an issuer, or with `AUTH=none` from this machine only."""

from collections.abc import Collection

from starlette.requests import Request

from agent_server.core.addresses import LOOPBACK_HOSTS
from agent_server.core.errors import Forbidden, ForbiddenOrigin, Unauthenticated
from agent_server.core.keys import PREFIX
from agent_server.core.principal import LOCAL, Principal
from agent_server.core.settings import Settings
from agent_server.http.tokens import Tokens
from agent_server.storage.database import Database
from agent_server.storage.keys import KeyStore


class Access:
    """Finds the principal of a request; without keys and tokens whoever is on this machine is LOCAL."""

    def __init__(
        self, keys: KeyStore | None, tokens: Tokens | None, allowed_origins: Collection[str]
    ) -> None:
        self._keys = keys
        self._tokens = tokens
        self._allowed_origins = frozenset(allowed_origins)

    async def principal(self, request: Request) -> Principal:
        """Return who asks.

        Raises:
            Unauthenticated: nothing that is good: what is wrong with it is told to nobody.
            ForbiddenRole, IssuerUnavailable: of tokens, as `Tokens.verify` has it.
            Forbidden, ForbiddenOrigin: with `AUTH=none`, a host name or a web page from elsewhere.
        """
        if self._keys is None and self._tokens is None:
            self._require_local(request)
            return LOCAL
        principal = await self._verified(_bearer(request))
        if principal is None:
            what = "token is required: Authorization: Bearer …"
            if self._tokens is None:
                what = "API key is required: Authorization: Bearer lgp_…"
            msg = f"A valid {what}"
            raise Unauthenticated(msg)
        return principal

    async def _verified(self, token: str) -> Principal | None:
        if self._keys is not None and (self._tokens is None or token.startswith(PREFIX)):
            return await self._keys.verify(token)
        return await self._tokens.verify(token) if self._tokens is not None else None

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


def make_access(settings: Settings, database: Database) -> Access:
    """Return the way in that the settings name; raises ConfigurationError for unusable ones."""
    keys = KeyStore(database, settings.require_pepper()) if settings.admits_keys else None
    tokens = Tokens(settings.require_oidc()) if settings.auth == "oidc" else None
    return Access(keys, tokens, settings.allowed_origins)


def _bearer(request: Request) -> str:
    """Return the one token of a request; of two headers nobody knows which one counts."""
    given = request.headers.getlist("authorization")
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    return token.strip() if scheme.lower() == "bearer" else ""


def _name(host: str) -> str:
    """Return a Host header's name without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()
