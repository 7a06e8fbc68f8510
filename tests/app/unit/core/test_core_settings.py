"""The environment: what is wrong stops the start with one line that names it and tells no secret."""

import os
from collections.abc import Callable

import pytest
from pydantic import ValidationError

from agent_server.core.errors import ConfigurationError
from agent_server.core.settings import Settings, read_settings

PASSWORD = "s3cret-of-the-database"  # of no database
URL = f"postgresql://agent:{PASSWORD}@db:5432/agent"
PEPPER = "p" * 16 + "epper-of-32-characters"
Environment = Callable[..., None]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    """Leave nothing of ours in the environment but a DATABASE_URL and what the test sets."""
    for name in list(os.environ):
        if name.lower() in Settings.model_fields:
            monkeypatch.delenv(name)
    monkeypatch.setenv("DATABASE_URL", URL)

    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return put


def refusal() -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_settings()
    detail = caught.value.detail
    assert "\n" not in detail
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__, "a traceback would show the value"
    return detail


def test_a_database_url_is_all_that_is_needed(environment: Environment) -> None:
    settings = read_settings()
    assert settings.dsn == settings.direct_dsn == URL
    settings.require_safe_exposure()


def test_the_direct_url_is_its_own_where_it_is_given(environment: Environment) -> None:
    environment(DATABASE_DIRECT_URL="postgresql://direct/agent")
    assert read_settings().direct_dsn == "postgresql://direct/agent"
    assert read_settings().dsn == URL


def test_without_a_database_url_the_line_names_it(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    assert "DATABASE_URL" in refusal()


@pytest.mark.parametrize("name", ["DATABASE_URL", "DATABASE_DIRECT_URL"])
@pytest.mark.parametrize(
    "value", [f"postgresql//agent:{PASSWORD}@db", f"{PASSWORD}", f"host=db passwort={PASSWORD}"]
)
def test_a_url_that_libpq_cannot_read_is_refused_unseen(
    environment: Environment, name: str, value: str
) -> None:
    environment(**{name: value})
    detail = refusal()
    assert name in detail
    assert PASSWORD not in detail


@pytest.mark.parametrize(
    "value", ["host=db dbname=agent", "postgres:///agent?host=/run/pg", "postgresql://[::1]/a"]
)
def test_every_form_of_libpq_url_is_taken(environment: Environment, value: str) -> None:
    environment(DATABASE_URL=value)
    assert read_settings().dsn == value


NUMBERS = [name for name, field in Settings.model_fields.items() if field.annotation in (int, float)]


@pytest.mark.parametrize("name", [*NUMBERS, "auth", "log_level", "log_format"])
@pytest.mark.parametrize("value", ["wrong-value", "-1", "nan", "inf", "1;2"])
def test_a_wrong_value_stops_the_start_by_name_and_is_not_shown(
    environment: Environment, name: str, value: str
) -> None:
    environment(**{name.upper(): value})
    detail = refusal()
    assert name.upper() in detail
    assert "wrong-value" not in detail


ZERO_MEANS_NONE = {
    *("port", "metrics_port", "checkpoint_partitions", "tenant_runs_max", "tenant_streams_max"),
    *(name for name in NUMBERS if name.startswith("retention")),
}


@pytest.mark.parametrize("name", [name for name in NUMBERS if name not in ZERO_MEANS_NONE])
def test_a_number_that_must_be_positive_is_not_zero(environment: Environment, name: str) -> None:
    environment(**{name.upper(): "0"})
    assert name.upper() in refusal()


@pytest.mark.parametrize(
    "name", sorted(ZERO_MEANS_NONE - {"retention_events_seconds", "retention_idempotency_seconds"})
)
def test_zero_switches_it_off(environment: Environment, name: str) -> None:
    environment(**{name.upper(): "0"})
    assert getattr(read_settings(), name) == 0


@pytest.mark.parametrize("port", ["65536", "8000.5", "http"])
def test_a_port_is_a_port(environment: Environment, port: str) -> None:
    environment(PORT=port)
    assert "PORT" in refusal()


def test_all_wrong_values_are_named_at_once(environment: Environment) -> None:
    environment(PORT="x", AUTH="y", LEASE_SECONDS="z")
    assert all(name in refusal() for name in ("PORT", "AUTH", "LEASE_SECONDS"))


def test_values_that_do_not_fit_each_other_are_named_beside_wrong_ones(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    environment(PORT="x", POOL_MIN_SIZE="30", LEASE_RENEW_SECONDS="14")
    told = ("DATABASE_URL", "PORT", "POOL_MIN_SIZE is above", "LEASE_RENEW_SECONDS must")
    assert all(refusal().count(part) == 1 for part in told)
    assert "Value error" not in refusal(), "pydantic's words"


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"POOL_MIN_SIZE": "21"}, ("POOL_MIN_SIZE", "POOL_MAX_SIZE")),
        ({"POOL_MAX_SIZE": "4"}, ("POOL_MIN_SIZE", "POOL_MAX_SIZE")),
        ({"LEASE_SECONDS": "9"}, ("LEASE_RENEW_SECONDS", "LEASE_SECONDS")),
        ({"LEASE_RENEW_SECONDS": "7.6"}, ("LEASE_RENEW_SECONDS", "LEASE_SECONDS")),
    ],
)
def test_numbers_that_belong_together_are_held_to_it(
    environment: Environment, values: dict[str, str], named: tuple[str, ...]
) -> None:
    environment(**values)
    assert all(name in refusal() for name in named)


IAM = {
    "DATABASE_URL": "postgresql://app@db.example/agent",
    "DATABASE_AUTH": "iam",
    "AWS_REGION": "eu-west-1",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
}


def test_iam_with_all_that_it_needs_is_taken(environment: Environment) -> None:
    environment(**IAM)
    assert read_settings().database_auth == "iam"
    static = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": PASSWORD}
    environment(AWS_CONTAINER_CREDENTIALS_FULL_URI="", **static)
    assert read_settings().database_auth == "iam"
    assert PASSWORD not in repr(read_settings())


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"AWS_REGION": ""}, "DATABASE_AUTH=iam needs AWS_REGION"),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": ""}, "needs AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        (
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "", "AWS_ACCESS_KEY_ID": "AKID"},
            "needs AWS_CONTAINER_CREDENTIALS_FULL_URI",
        ),
        ({"DATABASE_URL": "postgresql://db.example/agent"}, "a user in DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://app@/agent"}, "one host and a user in DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://app@one,two/agent"}, "one host and a user in DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://app@/agent?host=/run/pg"}, "one host and a user in DATABASE_URL"),
        ({"DATABASE_DIRECT_URL": "postgresql://db.example/agent"}, "a user in DATABASE_DIRECT_URL"),
    ],
)
def test_iam_without_what_it_needs_is_refused_by_its_name(
    environment: Environment, values: dict[str, str], named: str
) -> None:
    environment(**{**IAM, **values})
    assert named in refusal()


def test_credentials_of_aws_mean_nothing_without_iam(environment: Environment) -> None:
    """EKS sets them in every pod with an association, whatever it is for."""
    environment(AWS_CONTAINER_CREDENTIALS_FULL_URI="https://elsewhere.example/")
    assert read_settings().database_auth == "url"


def test_half_a_lease_between_renewals_is_enough(environment: Environment) -> None:
    environment(LEASE_SECONDS="10", LEASE_RENEW_SECONDS="5", POOL_MIN_SIZE="20")
    assert read_settings().lease_renew_seconds == 5


def test_an_empty_variable_is_an_unset_one(environment: Environment) -> None:
    environment(PORT="", AUTH="", ALLOWED_ORIGINS="", API_KEY_PEPPER="")
    settings = read_settings()
    assert (settings.port, settings.auth, settings.allowed_origins) == (8000, "none", ())
    assert settings.api_key_pepper is None


def test_unknown_variables_are_ignored(environment: Environment) -> None:
    environment(POOL_MAX="x", LANGGRAPH_WHATEVER="1")
    read_settings()


def test_origins_are_split_at_commas(environment: Environment) -> None:
    environment(ALLOWED_ORIGINS=" https://a.example, ,http://b.example:3000 ,")
    assert read_settings().allowed_origins == ("https://a.example", "http://b.example:3000")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org", "127.0.0.1.example.org"])
def test_open_access_is_refused_beyond_the_machine_itself(environment: Environment, host: str) -> None:
    environment(HOST=host)
    with pytest.raises(ConfigurationError, match="AUTH=keys") as caught:
        read_settings().require_safe_exposure()
    assert host in caught.value.detail


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_open_access_is_admitted_on_the_machine_itself(environment: Environment, host: str) -> None:
    environment(HOST=host)
    read_settings().require_safe_exposure()


@pytest.mark.parametrize("pepper", ["", "short-secret", "x" * 31])
def test_keys_without_a_long_pepper_are_refused_and_the_pepper_not_shown(
    environment: Environment, pepper: str
) -> None:
    environment(AUTH="keys", API_KEY_PEPPER=pepper)
    with pytest.raises(ConfigurationError, match="API_KEY_PEPPER") as caught:
        read_settings().require_safe_exposure()
    assert not pepper or pepper not in caught.value.detail


def test_keys_with_a_pepper_may_be_served_anywhere(environment: Environment) -> None:
    environment(AUTH="keys", API_KEY_PEPPER=PEPPER, HOST="0.0.0.0")  # the case in hand
    settings = read_settings()
    settings.require_safe_exposure()
    assert settings.require_pepper() == PEPPER.encode()


def test_a_url_that_is_no_text_is_refused_unseen(environment: Environment) -> None:
    environment(DATABASE_URL=os.fsdecode(b"postgresql:/" + PASSWORD.encode() + b"\xff"))
    detail = refusal()
    assert "DATABASE_URL" in detail
    assert PASSWORD not in detail
    detail.encode()


def test_a_pepper_may_be_any_bytes(environment: Environment) -> None:
    environment(API_KEY_PEPPER=os.fsdecode(b"\xff" * 32))
    assert read_settings().require_pepper() == b"\xff" * 32


def test_no_secret_is_in_what_settings_show(environment: Environment) -> None:
    environment(API_KEY_PEPPER=PEPPER, DATABASE_DIRECT_URL=URL)
    settings = read_settings()
    for text in (repr(settings), str(settings), settings.model_dump_json()):
        assert PASSWORD not in text
        assert PEPPER not in text


def test_settings_do_not_change(environment: Environment) -> None:
    with pytest.raises(ValidationError):
        read_settings().port = 1
