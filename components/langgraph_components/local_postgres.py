"""Postgres inside the cluster, for the stack that needs no cloud."""

from typing import Optional

import pulumi
from pydantic import Field

from langgraph_components import local_store
from langgraph_components.args import Args, Defaulted
from langgraph_components.passwords import password
from langgraph_components.pure import local_stores
from langgraph_components.workload.parts import DNS_LABEL, MEMORY


class LocalPostgresArgs(Args):
    """Which Postgres, where, and who may reach it."""

    namespace: Defaulted[str] = Field(default="langgraph-postgres", pattern=DNS_LABEL)
    """Namespace of its own; it is made here and enforces Pod Security `restricted`."""

    workload_namespace: Defaulted[str] = Field(default="langgraph", pattern=DNS_LABEL)
    """Namespace whose server pods may connect; nobody else can."""

    database: Defaulted[str] = Field(default="langgraph", pattern=r"^[a-z_][a-z0-9_]{0,62}$")
    """Database that is made at the first start."""

    application_role: Defaulted[str] = Field(default="langgraph_app", pattern=r"^[a-z_][a-z0-9_]{0,62}$")
    """Role that serves; the workload's migration makes it with the password that is made here."""

    image: Defaulted[str] = "postgres:18"
    """Docker's official image, 18 or newer, in its Debian form (user 999)."""

    image_digest: Optional[str] = Field(default=None, pattern=local_store.IMAGE_DIGEST)
    """Digest that pins the image, as `docker buildx imagetools inspect IMAGE` prints it. None: the tag."""

    max_connections: Defaulted[int] = Field(default=200, ge=20, le=1000)
    """Connections of the server. 200: three pods with pools of 20 and what a rollout adds."""

    storage_size: Defaulted[str] = Field(default="2Gi", pattern=MEMORY)
    """Size of the volume."""

    storage_class: Optional[str] = None
    """Storage class of the volume. None: the cluster's default."""


class LocalPostgres(pulumi.ComponentResource):
    """One Postgres pod on a volume. It has no copy and no backup: nothing that matters belongs in it.

    Connections are in the clear (`sslmode=disable`): they do not leave the cluster, and only the workload's
    pods are let in. Its passwords are in Pulumi's state, encrypted.
    """

    host: pulumi.Output[str]
    """Host name inside the cluster."""
    port: pulumi.Output[int]
    """TCP port."""
    namespace: pulumi.Output[str]
    """Namespace it runs in."""
    database: pulumi.Output[str]
    """Database."""
    max_connections: pulumi.Output[int]
    """Connections that it takes."""
    secret_name: pulumi.Output[str]
    """Secret of its own namespace with the superuser's `password`."""
    master_username: pulumi.Output[str]
    """Superuser, for the migration."""
    master_password: pulumi.Output[str]
    """Its password, a secret."""
    application_username: pulumi.Output[str]
    """Role that serves."""
    application_password: pulumi.Output[str]
    """Its password, a secret."""

    def __init__(
        self, name: str, args: LocalPostgresArgs, opts: Optional[pulumi.ResourceOptions] = None
    ) -> None:
        """Declare it in a namespace of its own."""
        super().__init__("langgraph:index:LocalPostgres", name, {}, opts)
        settings = LocalPostgresArgs.of(args)
        self.master_password = self._password(f"{name}-master-password")
        self.application_password = self._password(f"{name}-application-password")
        image = local_stores.image(settings.image, settings.image_digest)
        declared = local_store.declare(
            self,
            name,
            local_stores.postgres(image, settings.database, settings.max_connections),
            local_store.Place(
                settings.namespace,
                settings.workload_namespace,
                settings.storage_size,
                settings.storage_class,
            ),
            {"password": self.master_password},
        )
        self.host = declared.host
        self.namespace = declared.namespace
        self.secret_name = declared.secret_name
        self.port = pulumi.Output.from_input(local_stores.POSTGRES_PORT)
        self.database = pulumi.Output.from_input(settings.database)
        self.max_connections = pulumi.Output.from_input(settings.max_connections)
        self.master_username = pulumi.Output.from_input("postgres")
        self.application_username = pulumi.Output.from_input(settings.application_role)
        self.register_outputs(
            {
                "host": self.host,
                "port": self.port,
                "namespace": self.namespace,
                "database": self.database,
                "maxConnections": self.max_connections,
                "secretName": self.secret_name,
                "masterUsername": self.master_username,
                "masterPassword": self.master_password,
                "applicationUsername": self.application_username,
                "applicationPassword": self.application_password,
            }
        )

    def _password(self, logical: str) -> pulumi.Output[str]:
        return pulumi.Output.secret(password(logical, parent=self))
