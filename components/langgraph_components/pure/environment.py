"""Environment variables of the server's processes, by the contract between the two halves."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

ENV_FILES = "/run/secrets/env"
"""Each file here becomes an environment variable of its name when a process starts."""
DATABASE_FILES = "/run/secrets/database"
APPLICATION_FILES = "/run/secrets/application"
ATTACHMENTS_FOLDER = "/var/lib/attachments"
CA_FOLDER = "/etc/ssl/private-ca"
CA_FILE = f"{CA_FOLDER}/ca.pem"

SECRETS = frozenset(
    {
        "API_KEY_PEPPER",
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "LANGCHAIN_API_KEY",
        "LANGSMITH_API_KEY",
        "REDIS_URL",
    }
)
"""Only files carry these."""

OURS = frozenset(
    {
        "HOST",
        "PORT",
        "METRICS_PORT",
        "OIDC_ROLES",
        "RATE_LIMIT_REPLICAS",
        "LOG_FORMAT",
        "LANGGRAPH_CONFIG",
        "DATABASE_URL",
        "DATABASE_READ_URL",
        "DATABASE_DIRECT_URL",
        "DATABASE_AUTH",
        "DATABASE_USER_FILE",
        "DATABASE_PASSWORD_FILE",
        "APPLICATION_ROLE",
        "APPLICATION_ROLE_PASSWORD_FILE",
        "CHECKPOINT_PARTITIONS",
        "POOL_MIN_SIZE",
        "POOL_MAX_SIZE",
        "WORKER_CONCURRENCY",
        "AWS_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LEASE_SECONDS",
        "LEASE_RENEW_SECONDS",
        "DRAIN_SECONDS",
        "SHUTDOWN_SECONDS",
        "KEEP_ALIVE_SECONDS",
        "HEARTBEAT_SECONDS",
        "WAIT_SECONDS",
        "LANGCHAIN_TRACING_V2",
        "LANGCHAIN_PROJECT",
        "LANGCHAIN_ENDPOINT",
        "ATTACHMENTS_BUCKET",
        "ATTACHMENTS_DIR",
        "REDIS_CA_FILE",
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "HTTPS_PROXY",
        "NO_PROXY",
        "RETENTION_SWEEP_SECONDS",
    }
)
"""Made here of several fields; a field that is a variable by itself says so (`workload.fields`)."""

_HASH_DIGITS = 10


def database_url(  # noqa: PLR0913  # a URL has these parts
    *, host: str, port: int, name: str, user: str | None, ssl_mode: str, ca_file: str | None
) -> str:
    """A libpq URL without a password; without a user where that comes from a file too.

    >>> database_url(host="db", port=5432, name="x", user="a", ssl_mode="disable", ca_file=None)
    'postgresql://a@db:5432/x?sslmode=disable'
    """
    query = {"sslmode": ssl_mode} | ({"sslrootcert": ca_file} if ca_file else {})
    who = f"{quote(user, safe='')}@" if user else ""
    return f"postgresql://{who}{host}:{port}/{quote(name, safe='')}?{urlencode(query, safe='/')}"


def active_role(user: str, generation: int) -> str:
    """The role that serves: `user` itself, or of the two alternating ones `_a` for odd generations."""
    if not generation:
        return user
    return f"{user}_{'a' if generation % 2 else 'b'}"


def login(auth: str, region: Any) -> dict[str, Any]:
    """How a process logs in to the database: with a token of IAM, or with a mounted file."""
    if auth == "iam":
        return {"DATABASE_AUTH": "iam", "AWS_REGION": region}
    return {
        "DATABASE_AUTH": "file",
        "DATABASE_USER_FILE": f"{DATABASE_FILES}/username",
        "DATABASE_PASSWORD_FILE": f"{DATABASE_FILES}/password",
    }


def migration(*, url: Any, role: str, with_password: bool) -> dict[str, Any]:
    """Environment of the migration: the master's files, and the role that it makes or renews."""
    password = {"APPLICATION_ROLE_PASSWORD_FILE": f"{APPLICATION_FILES}/password"} if with_password else {}
    return {"DATABASE_URL": url, **login("file", None), "APPLICATION_ROLE": role, **password}


def tracing(*, enabled: bool, project: str, endpoint: str | None) -> dict[str, str]:
    """LangSmith's settings; its key is a secret and no part of them."""
    if not enabled:
        return {"LANGCHAIN_TRACING_V2": "false"}
    found = {"LANGCHAIN_TRACING_V2": "true", "LANGCHAIN_PROJECT": project}
    return found | ({"LANGCHAIN_ENDPOINT": endpoint} if endpoint else {})


def proxy(url: Any, more: Iterable[str]) -> dict[str, Any]:
    """HTTPS through a proxy, but for the cluster, the node's agents and what is named."""
    near = ["localhost", "127.0.0.1", "169.254.170.23", ".svc", ".cluster.local", *more]
    return {"HTTPS_PROXY": url, "NO_PROXY": ",".join(near)}


def private_ca() -> dict[str, str]:
    """The mounted bundle in the place of the image's roots, for every client library in use."""
    return {"SSL_CERT_FILE": CA_FILE, "REQUESTS_CA_BUNDLE": CA_FILE}


def reserved(given: Iterable[str], fields: Collection[str] = ()) -> list[str]:
    """Which names are set by us, by `fields` or otherwise, or are secrets, and so cannot be set besides."""
    return sorted(name for name in given if name in SECRETS | OURS or name in fields)


def hashed_name(prefix: str, data: Mapping[str, str]) -> str:
    """A name that changes with the content: a new object then, and new pods, and the old ones keep theirs."""
    text = json.dumps(dict(data), sort_keys=True, separators=(",", ":"))
    return f"{prefix}-{hashlib.sha256(text.encode()).hexdigest()[:_HASH_DIGITS]}"
