"""RDS IAM tokens: byte for byte what AWS's own library signs."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace

import botocore.auth
import pytest
from botocore.credentials import Credentials
from botocore.hooks import HierarchicalEmitter
from botocore.model import ServiceId
from botocore.signers import RequestSigner, generate_db_auth_token
from hypothesis import given
from hypothesis import strategies as st

from agent_server.storage.rds_token import Target, rds_token
from agent_server.storage.sigv4 import AwsCredentials

AT = datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC)
STATIC = AwsCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
TEMPORARY = AwsCredentials("ASIAEXAMPLE", "another/secret+key", "IQoJb3JpZ2lu//token+with/signs==")
HOST = "langgraph.cluster-1.eu-west-1.rds.amazonaws.com"

Signer = Callable[[AwsCredentials, Target, datetime], str]


@pytest.fixture(scope="module")
def botocores() -> Signer:
    """What botocore makes of the same, at a time that stands still."""

    emitter = HierarchicalEmitter()  # the signer only refers to it

    def sign(credentials: AwsCredentials, target: Target, at: datetime) -> str:
        signer = RequestSigner(
            ServiceId("RDS"),
            target.region,
            "rds",
            "v4",
            Credentials(credentials.access_key_id, credentials.secret_access_key, credentials.session_token),
            emitter,
        )
        client = SimpleNamespace(_request_signer=signer, meta=SimpleNamespace(region_name="nowhere"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(botocore.auth, "get_current_datetime", lambda: at.replace(tzinfo=None))
            return generate_db_auth_token(client, target.host, target.port, target.user, target.region)

    return sign


@pytest.mark.parametrize("credentials", [STATIC, TEMPORARY], ids=["static", "temporary"])
@pytest.mark.parametrize(
    "target",
    [
        Target(HOST, 5432, "langgraph_app", "eu-west-1"),
        Target("db.us-east-1.rds.amazonaws.com", 6543, "langgraph_app_a", "us-east-1"),
        Target("db.cn-north-1.rds.amazonaws.com.cn", 5432, "app", "cn-north-1"),
        Target("db.us-gov-west-1.rds.amazonaws.com", 443, "app", "us-gov-west-1"),
        Target("Upper.Case.Example", 5432, "Mixed Case/+&=?%~*é", "ap-southeast-3"),
    ],
    ids=lambda target: target.region,
)
def test_a_token_is_what_aws_would_sign(
    botocores: Signer, credentials: AwsCredentials, target: Target
) -> None:
    assert rds_token(credentials, target, AT) == botocores(credentials, target, AT)


@given(
    user=st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=63),
    session=st.none() | st.text(st.sampled_from("abcXYZ019+/="), min_size=1, max_size=80),
    at=st.datetimes(datetime(2020, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # hypothesis wants them naive
)
def test_any_user_and_moment_is_signed_as_aws_would(
    botocores: Signer, user: str, session: str | None, at: datetime
) -> None:
    credentials = AwsCredentials("AKIDEXAMPLE", "secret", session)
    target = Target(HOST, 5432, user, "eu-central-1")
    assert rds_token(credentials, target, at) == botocores(credentials, target, at)


def test_a_token_is_another_one_for_each_of_its_parts() -> None:
    target = Target(HOST, 5432, "app", "eu-west-1")
    tokens = {
        rds_token(STATIC, target, AT),
        rds_token(TEMPORARY, target, AT),
        rds_token(STATIC, target, AT.replace(second=7)),
        rds_token(STATIC, Target(HOST, 5432, "other", "eu-west-1"), AT),
        rds_token(STATIC, Target(HOST, 5433, "app", "eu-west-1"), AT),
        rds_token(STATIC, Target(HOST, 5432, "app", "eu-west-2"), AT),
    }
    assert len({token.rpartition("=")[2] for token in tokens}) == 6


def test_credentials_show_no_secret() -> None:
    assert TEMPORARY.secret_access_key not in repr(TEMPORARY)
    assert str(TEMPORARY.session_token) not in f"{TEMPORARY} {TEMPORARY!r}"
