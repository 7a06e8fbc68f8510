"""RDS IAM tokens: a password for one host and user, signed here (AWS Signature Version 4), no call to AWS.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

TOKEN_SECONDS = 900
"""How long RDS lets a token in; the session it opened goes on."""

_ALGORITHM = "AWS4-HMAC-SHA256"
_SERVICE = "rds-db"
_HTTPS = 443


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    """An access key; `session_token` belongs to temporary ones. Nothing secret is shown by `repr`."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Target:
    """What a token opens: one user of one database server."""

    host: str
    port: int
    user: str
    region: str


def rds_token(credentials: AwsCredentials, target: Target, at: datetime) -> str:
    """Return the token: good from `at` (in UTC) for fifteen minutes, as long as the credentials are."""
    stamp = at.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{target.region}/{_SERVICE}/aws4_request"
    parameters = {
        "Action": "connect",
        "DBUser": target.user,
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{credentials.access_key_id}/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(TOKEN_SECONDS),
        "X-Amz-SignedHeaders": "host",
    }
    if credentials.session_token is not None:
        parameters["X-Amz-Security-Token"] = credentials.session_token
    request = _canonical_request(target, parameters)
    to_sign = "\n".join((_ALGORITHM, stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
    signature = hmac.new(_signing_key(credentials, scope), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{target.host}:{target.port}/?{_query(parameters)}&X-Amz-Signature={signature}"


def _canonical_request(target: Target, parameters: dict[str, str]) -> str:
    host = target.host.lower()
    signed_host = host if target.port == _HTTPS else f"{host}:{target.port}"
    nothing = hashlib.sha256(b"").hexdigest()
    query = _query(dict(sorted(parameters.items())))
    return "\n".join(("GET", "/", query, f"host:{signed_host}", "", "host", nothing))


def _query(parameters: dict[str, str]) -> str:
    return "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in parameters.items())


def _signing_key(credentials: AwsCredentials, scope: str) -> bytes:
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
