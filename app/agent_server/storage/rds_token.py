"""RDS IAM tokens: a password for one host and user, signed here, without a call to AWS."""

from dataclasses import dataclass
from datetime import datetime

from agent_server.storage.sigv4 import AwsCredentials, Scope, Signable, presigned_query

TOKEN_SECONDS = 900
"""How long RDS lets a token in; the session it opened goes on."""

_SERVICE = "rds-db"
_HTTPS = 443


@dataclass(frozen=True, slots=True)
class Target:
    """What a token opens: one user of one database server."""

    host: str
    port: int
    user: str
    region: str


def rds_token(credentials: AwsCredentials, target: Target, at: datetime) -> str:
    """Return the token: good from `at` (in UTC) for fifteen minutes, as long as the credentials are."""
    host = target.host.lower()
    request = Signable(
        method="GET",
        host=host if target.port == _HTTPS else f"{host}:{target.port}",
        query={"Action": "connect", "DBUser": target.user},
    )
    query = presigned_query(credentials, Scope(_SERVICE, target.region, at, TOKEN_SECONDS), request)
    return f"{target.host}:{target.port}/?{query}"
