"""URLs of S3: byte for byte what AWS's own library signs."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import botocore.auth
import botocore.session
import httpx
import pytest
from botocore.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_server.core.errors import ConfigurationError
from agent_server.storage import bucket as module
from agent_server.storage.attachments import AttachmentRecord
from agent_server.storage.aws_credentials import Static
from agent_server.storage.bucket import Bucket, address_of
from agent_server.storage.sigv4 import AwsCredentials

AT = datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC)
STATIC = AwsCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
TEMPORARY = AwsCredentials("ASIAEXAMPLE", "another/secret+key", "IQoJb3JpZ2lu//token+with/signs==")
Where = tuple[str, str, str | None]
PLACES: list[Where] = [
    ("bucket-1", "eu-west-1", None),
    ("bucket-1", "us-east-1", None),
    ("with.dots", "us-west-2", None),
    ("bucket-1", "cn-north-1", None),
    ("bucket-1", "eu-west-1", "http://127.0.0.1:9000"),
    ("bucket-1", "eu-west-1", "https://s3.example:443"),
    ("bucket-1", "eu-west-1", "https://s3.example/"),
]


class Noon(datetime):
    """A time that stands still."""

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return AT


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "datetime", Noon)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: AT.replace(tzinfo=None))


def record(**more: Any) -> AttachmentRecord:
    told: dict[str, Any] = {
        "attachment_id": UUID(int=17),
        "tenant": "acme",
        "thread_id": "t",
        "filename": "note.txt",
        "content_type": "text/plain",
        "size": 7,
        "sha256": None,
        "created_by": "alice",
        "created_at": AT,
        "stored_at": None,
    }
    return AttachmentRecord(**told | more)


def ours(place: Where, credentials: AwsCredentials) -> Bucket:
    return Bucket(place[0], address_of(*place), Static(credentials), httpx.AsyncClient())


def theirs(place: Where, credentials: AwsCredentials, call: str, seconds: int, **parameters: Any) -> str:
    """botocore leaves the scheme's own port in a URL, and out of what it signs."""
    bucket, region, endpoint = place
    client = botocore.session.get_session().create_client(
        "s3",
        region,
        endpoint_url=endpoint,
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token,
        config=Config(
            signature_version="s3v4",
            s3={
                "addressing_style": "path" if endpoint or "." in bucket else "virtual",
                "us_east_1_regional_endpoint": "regional",
            },
        ),
    )
    url: str = client.generate_presigned_url(call, {"Bucket": bucket, **parameters}, seconds)
    return url.replace(":443/", "/")


def parts(url: str) -> tuple[str, dict[str, str]]:
    """The address, and the parameters whatever their order: the signature covers them in its own."""
    found = httpx.URL(url)
    return str(found.copy_with(query=None)), dict(found.params)


def key(found: AttachmentRecord) -> str:
    return f"attachments/{found.tenant_key}/{found.attachment_id}"


@pytest.mark.parametrize("credentials", [STATIC, TEMPORARY], ids=["static", "temporary"])
@pytest.mark.parametrize("place", PLACES, ids=str)
async def test_an_upload_is_signed_as_aws_would(place: Where, credentials: AwsCredentials) -> None:
    found = record(content_type="application/pdf", size=26214400)
    url, headers, ends_at = await ours(place, credentials).upload_url(found)
    parameters = {"ContentLength": found.size, "ContentType": found.content_type, "IfNoneMatch": "*"}
    expected = theirs(place, credentials, "put_object", 600, Key=key(found), **parameters)
    assert url == expected
    signed = dict(httpx.URL(url).params)["X-Amz-SignedHeaders"]
    assert signed == "content-length;content-type;host;if-none-match"
    assert {name.lower() for name in headers} == set(signed.split(";")) - {"host"}
    assert (ends_at - AT).total_seconds() == 600


@settings(deadline=None, max_examples=40)
@given(name=st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=255))
async def test_a_download_is_signed_as_aws_would_whatever_the_files_name(name: str) -> None:
    found, place = record(filename=name), PLACES[0]
    url = await ours(place, TEMPORARY).download_url(found)
    asked = dict(httpx.URL(url).params)
    assert asked["response-content-disposition"].isascii()
    shown = {
        "ResponseContentDisposition": asked["response-content-disposition"],
        "ResponseContentType": "text/plain",
    }
    assert parts(url) == parts(theirs(place, TEMPORARY, "get_object", 300, Key=key(found), **shown))


@pytest.mark.parametrize("place", PLACES, ids=str)
async def test_our_own_requests_are_signed_as_aws_would(place: Where) -> None:
    found, bucket = record(), ours(place, STATIC)
    for method, call in (("GET", "get_object"), ("DELETE", "delete_object")):
        url = await bucket._url(method, key(found), seconds=60)
        assert url == theirs(place, STATIC, call, 60, Key=key(found))
    query = {"list-type": "2", "max-keys": "1", "prefix": key(found)}
    url = await bucket._url("GET", "", query=query, seconds=60)
    listed = theirs(place, STATIC, "list_objects_v2", 60, MaxKeys=1, Prefix=key(found))
    theirs_path, theirs_query = parts(listed)
    path, asked = parts(url)
    assert path.rstrip("/") == theirs_path.rstrip("/")
    if path == theirs_path:
        assert {k: v for k, v in theirs_query.items() if k != "encoding-type"}.keys() == asked.keys()


@pytest.mark.parametrize("name", ["Upper", "ab", "a_b", "-ab", "a/b", "a" * 64, "bücket"])
def test_what_is_no_buckets_name_stops_the_start(name: str) -> None:
    with pytest.raises(ConfigurationError, match="ATTACHMENTS_BUCKET"):
        address_of(name, "eu-west-1", None)


@pytest.mark.parametrize(
    "endpoint",
    [
        *("s3.example", "ftp://s3.example", "https://user:secret@s3.example", "https://s3.example/a?b"),
        *("http://[", "https://h:x"),
    ],
)
def test_what_is_no_endpoint_stops_the_start_and_is_not_shown(endpoint: str) -> None:
    with pytest.raises(ConfigurationError, match="AWS_ENDPOINT_URL_S3") as raised:
        address_of("bucket-1", "eu-west-1", endpoint)
    assert "secret" not in str(raised.value)
