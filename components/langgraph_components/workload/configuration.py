"""What the pods read: accounts, settings, secrets as files, and volumes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi_kubernetes import apiextensions, core

from langgraph_components.custom_objects import custom_object
from langgraph_components.ordering import after
from langgraph_components.pure import budget, environment, labels, pods, stores
from langgraph_components.workload import admission, fields
from langgraph_components.workload.parts import (
    DatabaseAuth,
    WorkloadAttachments,
    WorkloadSecret,
    WorkloadTracing,
    entry,
)
from langgraph_components.workload.scope import Scope

if TYPE_CHECKING:
    from langgraph_components.agent_workload import AgentWorkloadArgs

MASTER, DATABASE, APPLICATION = "master", "database", "application"


@dataclass(frozen=True)
class Configuration:
    """Names of what pods refer to."""

    account: pulumi.Output[str]
    migration_account: pulumi.Output[str]
    settings: pulumi.Output[str]
    """ConfigMap of the environment."""
    secrets: Mapping[str, pulumi.Output[str]]
    """Secret by what it is for."""
    serving: tuple[pods.Volume, ...]
    """Volumes of pods that serve, work and sweep."""
    migrating: tuple[pods.Volume, ...]
    """Volumes of the migration."""


def secrets(args: "AgentWorkloadArgs") -> dict[str, WorkloadSecret]:
    """All of them, by what they are for."""
    found = {MASTER: args.master_secret, DATABASE: args.database_secret, APPLICATION: args.application_secret}
    return {name: one for name, one in {**found, **args.environment_secrets}.items() if one is not None}


def declare(scope: Scope, args: "AgentWorkloadArgs") -> Configuration:
    """All of it; nothing here is a pod yet."""
    names = {name: _secret(scope, args, name, secret) for name, secret in secrets(args).items()}
    ca = _ca_bundle(scope, args)
    return Configuration(
        account=_account(scope, labels.SERVICE_ACCOUNT, "account"),
        migration_account=_account(scope, labels.MIGRATION_ACCOUNT, "migration-account"),
        settings=_immutable(scope, "settings", labels.APPLICATION, _environment(args)),
        secrets=names,
        serving=(*_serving(args, names), *ca, *_attachments(scope, args.attachments)),
        migrating=(*_migrating(names), *ca),
    )


def _account(scope: Scope, name: str, logical: str) -> pulumi.Output[str]:
    metadata = scope.metadata(name)
    account = scope.declare(core.v1.ServiceAccount, logical, metadata, automount_service_account_token=False)
    return after(name, account)


def _immutable(scope: Scope, logical: str, prefix: str, data: Mapping[str, Any]) -> pulumi.Output[str]:
    """A ConfigMap named by its content: changed settings are a new object, so pods roll.

    The old one goes when the rollout is done; pods that are still of the old version can restart until then.
    """
    name = pulumi.Output.all(**data).apply(lambda known: environment.hashed_name(prefix, known))
    made = scope.declare(core.v1.ConfigMap, logical, scope.metadata(name), data=dict(data), immutable=True)
    return after(name, made)


def _ca_bundle(scope: Scope, args: "AgentWorkloadArgs") -> list[pods.Volume]:
    if args.ca_bundle is None:
        return []
    name = _immutable(scope, "ca", "agent-server-ca", {"ca.pem": args.ca_bundle})
    return [pods.config_files("ca", environment.CA_FOLDER, name)]


def _secret(
    scope: Scope, args: "AgentWorkloadArgs", purpose: str, given: WorkloadSecret
) -> pulumi.Output[str]:
    """The name of the Secret; made by External Secrets, or here of values, or by somebody before us."""
    name = f"agent-server-{purpose}"
    if given.existing is not None:
        return pulumi.Output.from_input(given.existing)
    if given.stored:
        return after(name, _external_secret(scope, args, purpose, given))
    values = {key: pulumi.Output.secret(value) for key, value in given.values.items()}
    made = scope.declare(core.v1.Secret, f"{purpose}-secret", scope.metadata(name), string_data=values)
    return after(name, made)


def _external_secret(
    scope: Scope, args: "AgentWorkloadArgs", purpose: str, given: WorkloadSecret
) -> apiextensions.CustomResource:
    document = stores.external_secret(
        f"agent-server-{purpose}",
        scope.namespace,
        args.secret_store if given.store is None else given.store,
        given.entries(),
        args.secret_refresh,
        template=given.templates or None,
        ingredients=_ingredients(given) or None,
        labels=scope.labels,
    )
    return custom(scope, f"{purpose}-secret", document)


def _ingredients(given: WorkloadSecret) -> dict[str, dict[str, Any]]:
    return {name: entry(key, given.properties.get(name)) for name, key in given.ingredients.items()}


def custom(
    scope: Scope, logical: str, document: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None
) -> apiextensions.CustomResource:
    """An object of a kind that an operator defines."""
    return custom_object(f"{scope.name}-{logical}", document, opts or scope.opts())


def database_url(args: "AgentWorkloadArgs", host: Any, user: str | None) -> pulumi.Output[str]:
    """The database's URL as this user, or as one whose name is in a file."""
    database = args.database
    return pulumi.Output.all(host=host, port=database.port).apply(
        lambda known: environment.database_url(
            host=known["host"],
            port=int(known["port"]),
            name=database.name,
            user=user,
            ssl_mode=database.ssl.value,
            ca_file=database.ca_file if database.ssl.value == "verify-full" else None,
        )
    )


def _environment(args: "AgentWorkloadArgs") -> dict[str, Any]:
    """Everything that is not a secret: fields that are variables, and what is made of several."""
    found = {
        **budget.server_environment(budget.TIMES, pool_min=args.least_pool(), pool_max=args.pool_max_size),
        "HOST": "0.0.0.0",  # noqa: S104  # network policies decide who reaches it
        **fields.variables(args),
        **admission.environment(args),
        "LOG_FORMAT": "json",
        "WORKER_CONCURRENCY": str(args.api.concurrency),
        "RETENTION_SWEEP_SECONDS": "0",  # the CronJob sweeps
        **_database(args),
        **_langsmith(args.tracing),
        **_connections(args),
        **args.environment,
    }
    return dict(sorted(found.items()))


def _langsmith(given: WorkloadTracing) -> dict[str, str]:
    return environment.tracing(enabled=given.enabled, project=given.project, endpoint=given.endpoint)


def _database(args: "AgentWorkloadArgs") -> dict[str, Any]:
    database = args.database
    user = database.user if database.auth is DatabaseAuth.IAM else None
    found = environment.login(database.auth.value, database.region)
    found["DATABASE_URL"] = database_url(args, database.host, user)
    if database.read_host is not None:
        found["DATABASE_READ_URL"] = database_url(args, database.read_host, user)
    return found


def _connections(args: "AgentWorkloadArgs") -> dict[str, Any]:
    """What else pods talk to, and how."""
    found: dict[str, Any] = {}
    if args.redis is not None and args.redis.ca_file is not None:
        found["REDIS_CA_FILE"] = args.redis.ca_file
    if args.attachments is not None:
        found |= _place(args.attachments)
    if args.ca_bundle is not None:
        found |= environment.private_ca()
    if args.egress_proxy_url is not None:
        found |= environment.proxy(args.egress_proxy_url, args.no_proxy)
    return found


def _place(given: WorkloadAttachments) -> dict[str, Any]:
    """Where the contents of attachments are."""
    if given.bucket is None:
        return {"ATTACHMENTS_DIR": environment.ATTACHMENTS_FOLDER}
    return {"ATTACHMENTS_BUCKET": given.bucket, "AWS_REGION": given.region}


def _serving(args: "AgentWorkloadArgs", names: Mapping[str, Any]) -> list[pods.Volume]:
    found = [pods.scratch("256Mi")]
    given = [(names[name], secret.optional) for name, secret in args.environment_secrets.items()]
    if given:
        found.append(pods.projected_secrets("environment", environment.ENV_FILES, given))
    if DATABASE in names:
        found.append(pods.secret_files("database", environment.DATABASE_FILES, names[DATABASE]))
    return found


def _migrating(names: Mapping[str, Any]) -> list[pods.Volume]:
    found = [
        pods.scratch("64Mi"),
        pods.secret_files("master", environment.DATABASE_FILES, names[MASTER]),
    ]
    if given := names.get(APPLICATION, names.get(DATABASE)):
        found.append(pods.secret_files("application", environment.APPLICATION_FILES, given))
    return found


def _attachments(scope: Scope, given: WorkloadAttachments | None) -> list[pods.Volume]:
    if given is None or given.volume_size is None:
        return []
    name = "agent-server-attachments"
    spec: dict[str, Any] = {
        "accessModes": [given.access.value],
        "resources": {"requests": {"storage": given.volume_size}},
        **({"storageClassName": given.storage_class} if given.storage_class else {}),
    }
    metadata = scope.metadata(name)
    # many classes bind a claim when its first pod comes, and pods come after it
    metadata["annotations"] = {"pulumi.com/skipAwait": "true"}
    claim = scope.declare(core.v1.PersistentVolumeClaim, "attachments", metadata, spec=spec)
    source = {"persistentVolumeClaim": {"claimName": after(name, claim)}}
    return [pods.Volume("attachments", environment.ATTACHMENTS_FOLDER, source, writable=True)]
