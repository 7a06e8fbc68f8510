"""AWS credentials of this process: static ones, or those that the EKS Pod Identity agent hands out.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit

import structlog

from agent_server.core.errors import ConfigurationError, DatabaseUnavailable
from agent_server.core.settings import Settings
from agent_server.storage.sigv4 import AwsCredentials

AGENT_HOSTS = frozenset({"169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost"})
"""Beside the loopback addresses, all that a pod's token is ever sent to: the addresses that AWS documents."""
AGENT_SECONDS = 2.0
"""The longest the agent, which is on the same node, is waited for."""
REFRESH_SECONDS = 600
"""Credentials are fetched anew so long before they end."""
LAST_SECONDS = 60
"""Credentials that end sooner are used no more."""
RETRY_SECONDS = 10
"""The agent is left alone for so long after it failed, while what it gave is still good."""
_MAX_BYTES = 65536
_OK = 200

log = structlog.get_logger()


class Source(Protocol):
    """Where credentials come from."""

    async def get(self) -> AwsCredentials:
        """Return credentials that are good for a minute at least, or raise DatabaseUnavailable."""
        ...


class Static:
    """Credentials that the environment holds: they never change."""

    def __init__(self, credentials: AwsCredentials) -> None:
        self._credentials = credentials

    async def get(self) -> AwsCredentials:
        """Return them."""
        return self._credentials


class PodIdentity:
    """What the agent on the node gives to this pod, kept until shortly before it ends.

    Raises:
        ConfigurationError: the address is none of those that AWS documents.
    """

    def __init__(
        self, uri: str, token_file: Path | None, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._address = _checked(uri)
        self._token_file = token_file
        self._now = now
        self._lock = asyncio.Lock()
        self._credentials: AwsCredentials | None = None
        self._ends_at = datetime.min.replace(tzinfo=UTC)
        self._retry_at = 0.0

    async def get(self) -> AwsCredentials:
        """Return credentials; asks the agent at most once, however many connections are being made."""
        async with self._lock:
            left = self._ends_at - self._now()
            due = left < timedelta(seconds=REFRESH_SECONDS)
            good = self._credentials is not None and left > timedelta(seconds=LAST_SECONDS)
            if due and not (good and time.monotonic() < self._retry_at):
                await self._refresh(good=good)
            assert self._credentials is not None  # noqa: S101  # else the refresh has raised
            return self._credentials

    async def _refresh(self, *, good: bool) -> None:
        try:
            async with asyncio.timeout(AGENT_SECONDS):
                answer = await _ask(self._address, _token(self._token_file))
            self._credentials, self._ends_at = _read(answer)
        except (OSError, TimeoutError, ValueError) as error:
            reason = str(error) or type(error).__name__
            if not good:
                msg = f"The EKS Pod Identity agent gave no credentials: {reason}."
                raise DatabaseUnavailable(msg) from None
            self._retry_at = time.monotonic() + RETRY_SECONDS
            log.warning("AWS credentials were not renewed", reason=reason)


def credentials_of(settings: Settings) -> Source:
    """Return the source that the settings name. Raises as `PodIdentity`."""
    key, secret, session = (
        value.get_secret_value() if value else None
        for value in (settings.aws_access_key_id, settings.aws_secret_access_key, settings.aws_session_token)
    )
    if key and secret:
        return Static(AwsCredentials(key, secret, session))
    uri = settings.aws_container_credentials_full_uri or ""
    return PodIdentity(uri, settings.aws_container_authorization_token_file)


def _checked(uri: str) -> SplitResult:
    try:
        address = urlsplit(uri)
        sane = uri.isascii() and uri.isprintable() and " " not in uri and (address.port or 80) > 0
    except ValueError:
        sane, address = False, urlsplit("")
    if not (sane and address.scheme == "http" and _is_agent(address.hostname or "")):
        told = ", ".join(sorted(AGENT_HOSTS))
        msg = f"AWS_CONTAINER_CREDENTIALS_FULL_URI must be http:// to a loopback address or one of {told}."
        raise ConfigurationError(msg)
    return address


def _is_agent(host: str) -> bool:
    try:
        return host in AGENT_HOSTS or ip_address(host).is_loopback
    except ValueError:
        return False


def _token(file: Path | None) -> str:
    if file is None:
        return ""
    token = file.read_text().strip()
    if not (token.isascii() and token.isprintable()):
        msg = f"{file} holds no token"
        raise ValueError(msg)
    return token


async def _ask(address: SplitResult, token: str) -> bytes:
    """GET by HTTP/1.0: the answer ends with the connection, and no proxy ever sees the token."""
    path = (address.path or "/") + (f"?{address.query}" if address.query else "")
    lines = [f"GET {path} HTTP/1.0", f"Host: {address.netloc}", "Accept: application/json"]
    lines += [f"Authorization: {token}"] if token else []
    reader, writer = await asyncio.open_connection(address.hostname, address.port or 80)
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode())
        await writer.drain()
        return await _body(reader)
    finally:
        writer.close()


async def _body(reader: asyncio.StreamReader) -> bytes:
    answer = b""
    while len(answer) <= _MAX_BYTES and (part := await reader.read(_MAX_BYTES)):
        answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b"\r\n", 1)[0].split(b" ")
    if not status[0].startswith(b"HTTP/1.") or len(status) < 2 or not status[1].isdigit():  # noqa: PLR2004
        msg = "its answer is not HTTP"
        raise ValueError(msg)
    if int(status[1]) != _OK:
        msg = f"it answered with status {int(status[1])}"
        raise ValueError(msg)
    return body


def _read(body: bytes) -> tuple[AwsCredentials, datetime]:
    """The credentials and their end. Raises ValueError, in words that quote nothing."""
    try:
        told: dict[str, Any] = json.loads(body)
        ends_at = datetime.fromisoformat(str(told["Expiration"]))
        credentials = AwsCredentials(
            str(told["AccessKeyId"]), str(told["SecretAccessKey"]), str(told["Token"])
        )
    except (KeyError, TypeError, ValueError):
        msg = "its answer holds no credentials"
        raise ValueError(msg) from None
    return credentials, ends_at if ends_at.tzinfo else ends_at.replace(tzinfo=UTC)
