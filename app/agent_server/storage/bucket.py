"""Contents of attachments in S3: clients write and read them there, by URLs that are signed here.

Every request of our own is made by such a URL, too: one way to sign.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import quote, urlsplit

import httpx
import structlog

from agent_server.core.errors import (
    ConfigurationError,
    DatabaseUnavailable,
    NoContent,
    StorageUnavailable,
)
from agent_server.core.settings import Settings
from agent_server.storage.attachments import AttachmentRecord
from agent_server.storage.aws_credentials import Source, credentials_of
from agent_server.storage.sigv4 import UNSIGNED, Scope, Signable, presigned_query

UPLOAD_SECONDS = 600
"""How long a client may begin to upload. Credentials are renewed as long before they end."""
DOWNLOAD_SECONDS = 300
"""How long a client may begin to download."""
OWN_SECONDS = 60
"""Of our own requests' URLs."""
ANSWER_SECONDS = 60.0
"""The longest one of them takes, content included."""
PREFIX = "attachments"

_TIMEOUT = httpx.Timeout(10.0, connect=3.0)
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_SIZE = re.compile(rb"<Size>(\d+)</Size>")
_NOT_FOUND = 404

log = structlog.get_logger()

Method = Literal["GET", "PUT", "DELETE"]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a bucket is: `base` is the URL without the path, to which `path` is put before each key."""

    base: str
    host: str
    path: str
    region: str


class Bucket:
    """The bucket ATTACHMENTS_BUCKET."""

    def __init__(self, name: str, address: Address, source: Source, http: httpx.AsyncClient) -> None:
        self.name = f"s3://{name}"
        self._address = address
        self._source = source
        self._http = http

    async def upload_url(self, record: AttachmentRecord) -> tuple[str, dict[str, str], datetime]:
        """Return where a client puts the content, with which headers, and until when.

        S3 holds it to the signed headers: to the length, to the type, and to being the first.
        """
        headers = {
            "Content-Length": str(record.size),
            "Content-Type": record.content_type,
            "If-None-Match": "*",
        }
        signed = {name.lower(): value for name, value in headers.items()}
        now = datetime.now(UTC)
        url = await self._url("PUT", _key(record), headers=signed, seconds=UPLOAD_SECONDS, now=now)
        return url, headers, now + timedelta(seconds=UPLOAD_SECONDS)

    async def download_url(self, record: AttachmentRecord) -> str:
        """Return where a client gets the content, as a file of its name and type and never as a page."""
        shown = {
            "response-content-disposition": f"attachment; filename*=utf-8''{quote(record.filename, safe='')}",
            "response-content-type": record.content_type,
        }
        return await self._url("GET", _key(record), query=shown, seconds=DOWNLOAD_SECONDS)

    async def holds(self, record: AttachmentRecord) -> bool:
        """Whether the content is there, as long as was told; raises StorageUnavailable.

        By a list: S3 answers 403 for an object that is not there to whoever may list only some.
        """
        query = {"list-type": "2", "max-keys": "1", "prefix": _key(record)}
        async with self._answer("GET", "", query) as answer:
            found = _SIZE.search(await answer.aread())
        return found is not None and int(found[1]) == record.size

    async def read(self, record: AttachmentRecord) -> bytes:
        """Return the content, of no more than the told size.

        Raises:
            NoContent: it is not there, or longer.
            StorageUnavailable: S3 does not answer, or refuses.
        """
        content = bytearray()
        async with self._answer("GET", _key(record)) as answer:
            if answer.status_code == _NOT_FOUND:
                raise NoContent(str(record.attachment_id))
            async for part in answer.aiter_raw():
                content += part
                if len(content) > record.size:
                    raise NoContent(str(record.attachment_id))
        return bytes(content)

    async def remove(self, record: AttachmentRecord) -> None:
        """Remove the content; nothing there is as good. Raises StorageUnavailable."""
        async with self._answer("DELETE", _key(record)):
            pass

    @asynccontextmanager
    async def _answer(
        self, method: Method, key: str, query: Mapping[str, str] | None = None
    ) -> AsyncGenerator[httpx.Response]:
        """Send one request; yields an answer that is good, or says that there is no such object."""
        url = await self._url(method, key, query=query or {}, seconds=OWN_SECONDS)
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self._http.stream(method, url) as answer:
                if not answer.is_success and (answer.status_code != _NOT_FOUND or not key):
                    log.warning("S3 refused", method=method, status=answer.status_code)
                    raise StorageUnavailable(_REFUSED)
                yield answer
        except (httpx.HTTPError, TimeoutError) as error:
            log.warning("S3 did not answer", method=method, reason=type(error).__name__)
            raise StorageUnavailable(_AWAY) from None

    async def _url(  # noqa: PLR0913  # the parts of one request
        self,
        method: Method,
        key: str,
        *,
        seconds: int,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        now: datetime | None = None,
    ) -> str:
        try:
            credentials = await self._source.get()
        except DatabaseUnavailable as error:
            raise StorageUnavailable(error.detail) from None
        path = f"{self._address.path}/{key}"
        request = Signable(
            method=method,
            host=self._address.host,
            path=path,
            query=query or {},
            headers=headers or {},
            payload=UNSIGNED,
        )
        scope = Scope("s3", self._address.region, now or datetime.now(UTC), seconds)
        return f"{self._address.base}{path}?{presigned_query(credentials, scope, request)}"


_REFUSED = "Where the attachments are kept refused; its server's log tells more."
_AWAY = "Where the attachments are kept does not answer."


@asynccontextmanager
async def open_bucket(settings: Settings) -> AsyncGenerator[Bucket]:
    """The bucket for as long as the block lasts; no request is made yet. Raises ConfigurationError."""
    name = settings.attachments_bucket or ""
    address = address_of(name, settings.aws_region or "", settings.aws_endpoint_url_s3)
    async with httpx.AsyncClient(timeout=_TIMEOUT) as http:
        yield Bucket(name, address, credentials_of(settings), http)


def address_of(bucket: str, region: str, endpoint: str | None) -> Address:
    """Return where a bucket is: in the host's name at Amazon's, in the path at any other server.

    Raises:
        ConfigurationError: no bucket may be named so, or the endpoint is no `http(s)://host[:port]`.
    """
    if not _NAME.fullmatch(bucket):
        msg = "ATTACHMENTS_BUCKET is no bucket's name: 3 to 63 lower-case letters, digits, hyphens and dots."
        raise ConfigurationError(msg)
    if endpoint is not None:
        return _elsewhere(bucket, region, endpoint)
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    host = f"s3.{region}.{suffix}"
    if "." in bucket:  # no certificate of Amazon's has such a name
        return Address(f"https://{host}", host, f"/{bucket}", region)
    return Address(f"https://{bucket}.{host}", f"{bucket}.{host}", "", region)


def _elsewhere(bucket: str, region: str, endpoint: str) -> Address:
    try:
        parts = urlsplit(endpoint)
        usual = {"http": 80, "https": 443}[parts.scheme]
        port = parts.port or usual
    except (KeyError, ValueError):
        parts, usual, port = urlsplit(""), 0, 0
    if (
        not parts.hostname
        or "@" in parts.netloc
        or parts.query
        or parts.fragment
        or parts.path not in {"", "/"}
    ):
        msg = "AWS_ENDPOINT_URL_S3 must be http(s)://host or http(s)://host:port."
        raise ConfigurationError(msg)
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    host = name if port == usual else f"{name}:{port}"
    return Address(f"{parts.scheme}://{host}", host, f"/{bucket}", region)


def _key(record: AttachmentRecord) -> str:
    return f"{PREFIX}/{record.tenant_key}/{record.attachment_id}"
