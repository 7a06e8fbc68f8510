"""AWS Signature Version 4 in the query of a URL: whoever has it may make that one request, for a while.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

_ALGORITHM = "AWS4-HMAC-SHA256"

EMPTY = hashlib.sha256(b"").hexdigest()
"""What is signed as the payload of a request without one."""
UNSIGNED = "UNSIGNED-PAYLOAD"
"""What S3 wants there instead: a URL may be made before its content is known."""


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    """An access key; `session_token` belongs to temporary ones. Nothing secret is shown by `repr`."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where and when a signature holds."""

    service: str
    region: str
    at: datetime
    """In UTC."""
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Signable:
    """A request as it will be sent: with these headers exactly, and any others beside them."""

    method: str
    host: str
    """The Host header: lower case, and no port where it is the scheme's own."""
    path: str = "/"
    """As it stands in the URL, quoted."""
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """By lower-case name, without `host`."""
    payload: str = EMPTY


def presigned_query(credentials: AwsCredentials, scope: Scope, request: Signable) -> str:
    """Return the request's whole query: its own parameters, and those that sign it."""
    stamp = scope.at.strftime("%Y%m%dT%H%M%SZ")
    area = f"{stamp[:8]}/{scope.region}/{scope.service}/aws4_request"
    headers = dict(sorted({**request.headers, "host": request.host}.items()))
    parameters = {
        **request.query,
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{credentials.access_key_id}/{area}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(scope.seconds),
        "X-Amz-SignedHeaders": ";".join(headers),
    }
    if credentials.session_token is not None:
        parameters["X-Amz-Security-Token"] = credentials.session_token
    canonical = "\n".join(
        (
            request.method,
            request.path,
            _query(dict(sorted(parameters.items()))),
            *(f"{name}:{' '.join(value.split())}" for name, value in headers.items()),
            "",
            ";".join(headers),
            request.payload,
        )
    )
    to_sign = "\n".join((_ALGORITHM, stamp, area, hashlib.sha256(canonical.encode()).hexdigest()))
    signature = hmac.new(_signing_key(credentials, area), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{_query(parameters)}&X-Amz-Signature={signature}"


def _query(parameters: Mapping[str, str]) -> str:
    return "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in parameters.items())


def _signing_key(credentials: AwsCredentials, area: str) -> bytes:
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in area.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
