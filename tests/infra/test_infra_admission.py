"""Who is admitted to the API and how much of it each may take: what pods are told, and what is refused."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import limits
import pytest
import redis
from infra.infra_flows import Network, Outside, Pod
from infra.infra_workloads import cloud, documents, local, of_kind
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from agent_server.core.settings import Settings
from agent_server.storage.bucket import PREFIX
from langgraph_components.attachments import AttachmentsSettings
from langgraph_components.errors import InvalidArgs
from langgraph_components.pure import data_policies
from langgraph_components.redis_cache import RedisSettings
from langgraph_components.workload.admission import Role, Signature, WorkloadLimits, WorkloadOidc

OIDC = {"issuer": "https://login.example/realms/ours", "audience": "agents"}
API = Pod("langgraph", {"app.kubernetes.io/name": "agent-server", "app.kubernetes.io/component": "api"})


def told(graph: Any, program: Any = cloud, **changes: Any) -> dict[str, str]:
    """The ConfigMap of the pods."""
    found = documents(graph(lambda: program(**changes)))
    (settings,) = [each["data"] for each in of_kind(found, "ConfigMap") if "AUTH" in each.get("data", {})]
    return settings


def read_by_the_server(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What the server makes of it, which refuses what it does not understand."""
    given_by_eks = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials"}
    for name, value in (environment | given_by_eks).items():
        monkeypatch.setenv(name, value)
    return Settings()  # pyright: ignore[reportCallIssue]  # the environment supplies the fields


def test_tokens_of_an_issuer_are_told_as_the_server_reads_them(graph, monkeypatch):
    oidc = {
        **OIDC,
        "jwks_url": "https://login.example/keys",
        "algorithms": ["ES256"],
        "tenant_claim": "=acme",
        "role_claim": "realm_access.roles",
        "roles": {"agents-admin": "admin", "staff": "viewer"},
    }
    settings = read_by_the_server(told(graph, auth="oidc", oidc=oidc), monkeypatch)
    assert settings.auth == "oidc"
    assert (settings.oidc_issuer, settings.oidc_audience) == (OIDC["issuer"], OIDC["audience"])
    assert settings.oidc_jwks_url == "https://login.example/keys"
    assert settings.oidc_algorithms == ("ES256",)
    assert (settings.oidc_tenant_claim, settings.oidc_role_claim) == ("=acme", "realm_access.roles")
    assert settings.oidc_roles == ("agents-admin=admin", "staff=viewer")


def test_with_keys_nothing_is_said_of_tokens(graph):
    assert not [name for name in told(graph) if name.startswith("OIDC_")]


def test_limits_are_told_as_the_server_reads_them(graph, monkeypatch):
    given = {"caller_rate": "600/minute", "tenant_rate": "5000/hour", "tenant_runs": 50, "body_bytes": 4096}
    settings = read_by_the_server(told(graph, limits=given, forbid_self_approval=True), monkeypatch)
    assert (settings.rate_limit_caller, settings.rate_limit_tenant) == ("600/minute", "5000/hour")
    assert (settings.tenant_runs_max, settings.max_body_bytes) == (50, 4096)
    assert settings.forbid_self_approval


def test_a_rate_is_shared_by_the_fewest_pods_there_are(graph):
    assert told(graph)["RATE_LIMIT_REPLICAS"] == "3"
    assert told(graph, api={"min_replicas": 7, "max_replicas": 20})["RATE_LIMIT_REPLICAS"] == "7"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("tenant_runs", "tenant_runs_max"),
        ("tenant_streams", "tenant_streams_max"),
        ("body_bytes", "max_body_bytes"),
        ("recursion", "recursion_limit_max"),
        ("caller_rate", "rate_limit_caller"),
        ("tenant_rate", "rate_limit_tenant"),
    ],
)
def test_what_is_not_said_is_the_servers_own_default(ours: str, theirs: str):
    assert getattr(WorkloadLimits(), ours) == Settings.model_fields[theirs].default


def test_claims_that_are_not_said_are_the_servers_own(graph):
    oidc = WorkloadOidc.of(OIDC)
    for name in ("subject_claim", "tenant_claim", "role_claim"):
        assert getattr(oidc, name) == Settings.model_fields[f"oidc_{name}"].default
    assert [one.value for one in oidc.algorithms] == list(Settings.model_fields["oidc_algorithms"].default)


def test_roles_and_signatures_are_those_of_the_server():
    from agent_server.core.oidc import ALGORITHMS  # noqa: PLC0415  # what is compared
    from agent_server.core.principal import ROLES  # noqa: PLC0415

    assert {role.value for role in Role} == set(ROLES)
    assert {one.value for one in Signature} == set(ALGORITHMS)


def test_traces_hold_no_content_unless_it_is_asked_for(graph):
    assert told(graph)["TRACE_CONTENT"] == "false"
    traced = told(graph, tracing={"otlp_endpoint": "http://collector.monitoring.svc:4318", "content": True})
    assert traced["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://collector.monitoring.svc:4318"
    assert traced["TRACE_CONTENT"] == "true"


def test_attachments_have_the_region_that_requests_are_signed_for(graph):
    settings = told(graph, attachments={"bucket": "files", "region": "eu-west-3", "max_bytes": 1000})
    assert (settings["ATTACHMENTS_BUCKET"], settings["AWS_REGION"]) == ("files", "eu-west-3")
    assert settings["ATTACHMENT_BYTES"] == "1000"


def test_the_first_migration_is_told_how_many_partitions_to_make(graph):
    found = documents(graph(lambda: local(checkpoint_partitions=16)))
    (job,) = of_kind(found, "Job")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert {"name": "CHECKPOINT_PARTITIONS", "value": "16"} in container["env"]


def test_an_issuer_inside_is_reached_and_one_outside_is_the_internets(graph):
    inside = {**OIDC, "peer": {"cidrs": ["10.7.0.0/16"], "port": 8443}}
    network = Network(of_kind(documents(graph(lambda: cloud(auth="oidc", oidc=inside))), "NetworkPolicy"))
    assert network.allows(API, Outside("10.7.1.1"), 8443, "TCP")
    assert not network.allows(API, Outside("10.7.1.1"), 443, "TCP")
    without = Network(of_kind(documents(graph(lambda: cloud(auth="oidc", oidc=OIDC))), "NetworkPolicy"))
    assert not without.allows(API, Outside("10.7.1.1"), 8443, "TCP")
    assert without.allows(API, Outside("104.18.7.192"), 443, "TCP")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"auth": "oidc"}, "oidc: is required by auth: oidc"),
        ({"oidc": OIDC}, "auth: set it to oidc, or leave oidc out"),
        ({"auth": "oidc", "oidc": {"issuer": "http://login.example", "audience": "a"}}, "oidc.issuer"),
        ({"auth": "oidc", "oidc": {"issuer": OIDC["issuer"]}}, "oidc.audience"),
        ({"auth": "oidc", "oidc": {**OIDC, "algorithms": ["HS256"]}}, "oidc.algorithms"),
        ({"auth": "oidc", "oidc": {**OIDC, "algorithms": []}}, "oidc.algorithms"),
        ({"auth": "oidc", "oidc": {**OIDC, "roles": {"a": "owner"}}}, "oidc.roles"),
        ({"auth": "oidc", "oidc": {**OIDC, "roles": {"a,b": "admin"}}}, "oidc.roles: a,b"),
        ({"auth": "oidc", "oidc": OIDC, "provider_egress": False}, "oidc.peer: say where the issuer is"),
        ({"limits": {"caller_rate": "many"}}, "limits.caller_rate"),
        ({"limits": {"body_bytes": 10}}, "limits.body_bytes"),
        (
            {"allowed_origins": ["*"], "allow_credentials": True},
            "allow_credentials: name the allowed_origins",
        ),
        ({"checkpoint_partitions": 1}, "checkpoint_partitions: use 0"),
        ({"attachments": {"bucket": "files"}}, "attachments.region: is required by bucket"),
        (
            {"collector": None, "tracing": {"otlp_endpoint": "http://otel.monitoring.svc:4318"}},
            "collector: say where tracing.otlp_endpoint is",
        ),
        ({"environment": {"OIDC_ISSUER": "https://x"}}, "environment: OIDC_ISSUER cannot be set here"),
        (
            {"environment": {"RATE_LIMIT_REPLICAS": "1"}},
            "environment: RATE_LIMIT_REPLICAS cannot be set here",
        ),
    ],
)
def test_what_does_not_fit_together_is_one_sentence(graph, changes: dict[str, Any], told: str):
    with pytest.raises(InvalidArgs) as refused:
        graph(lambda: cloud(**changes))
    assert told in str(refused.value)


def test_a_public_receiver_of_traces_needs_no_collector(graph):
    cloud_told = told(graph, collector=None, tracing={"otlp_endpoint": "https://otel.example"})
    assert cloud_told["OTEL_EXPORTER_OTLP_ENDPOINT"] == "https://otel.example"


def test_the_bucket_is_opened_where_the_server_keeps_its_objects():
    assert AttachmentsSettings().prefix == f"{PREFIX}/"


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[str]:
    """A redis-server whose one user has the rights that ElastiCache is told to give."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    allowed = data_policies.cache_access(RedisSettings().key_prefix)
    users = [f"user {data_policies.CACHE_USER} {allowed} >secret", f"user default {data_policies.NOBODY}"]
    (tmp_path / "users.acl").write_text("\n".join(users) + "\n")
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    child = subprocess.Popen(
        [program, *options, "--aclfile", str(tmp_path / "users.acl")], stdout=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 20
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert time.monotonic() < deadline
            assert child.poll() is None
            time.sleep(0.05)
        yield f"redis://{data_policies.CACHE_USER}:secret@127.0.0.1:{port}/0"
    finally:
        child.terminate()
        child.wait()


def test_the_caches_user_may_do_what_rate_limits_need(cache: str):
    prefix = RedisSettings().key_prefix
    storage = RedisStorage(cache, key_prefix=f"{prefix}limits")
    limiter, rate = MovingWindowRateLimiter(storage), limits.parse("2/minute")
    with storage.storage:
        assert [limiter.hit(rate, "caller") for _ in range(3)] == [True, True, False]
        assert limiter.get_window_stats(rate, "caller").remaining == 0


def test_the_caches_user_may_do_nothing_else(cache: str):
    with redis.Redis.from_url(cache) as user:
        assert user.set(f"{RedisSettings().key_prefix}a", 1)
        for forbidden in (("SET", "other", "1"), ("FLUSHALL",), ("CONFIG", "GET", "*"), ("KEYS", "*")):
            with pytest.raises(redis.exceptions.NoPermissionError):
                user.execute_command(*forbidden)
