"""Valkey inside the cluster, for the stack that needs no cloud."""

from typing import Optional

import pulumi
from pydantic import Field

from langgraph_components import local_store
from langgraph_components.args import Args, Defaulted
from langgraph_components.passwords import password
from langgraph_components.pure import local_stores
from langgraph_components.workload.parts import DNS_LABEL, MEMORY


class LocalRedisArgs(Args):
    """Which Valkey, where, and who may reach it."""

    namespace: Defaulted[str] = Field(default="langgraph-redis", pattern=DNS_LABEL)
    """Namespace of its own; it is made here and enforces Pod Security `restricted`."""

    workload_namespace: Defaulted[str] = Field(default="langgraph", pattern=DNS_LABEL)
    """Namespace whose server pods may connect; nobody else can."""

    image: Defaulted[str] = "valkey/valkey:8.2"
    """The project's own image in its Debian form (user 999)."""

    image_digest: Optional[str] = Field(default=None, pattern=local_store.IMAGE_DIGEST)
    """Digest that pins the image, as `docker buildx imagetools inspect IMAGE` prints it. None: the tag."""

    memory: Defaulted[str] = Field(default="192mb", pattern=r"^\d+(mb|gb)$")
    """Memory for data, in Valkey's unit, below the pod's 512Mi. Nothing is evicted: above it writes fail."""

    storage_size: Defaulted[str] = Field(default="1Gi", pattern=MEMORY)
    """Size of the volume."""

    storage_class: Optional[str] = None
    """Storage class of the volume. None: the cluster's default."""


class LocalRedis(pulumi.ComponentResource):
    """One Valkey pod on a volume, reached in the clear by the workload's pods alone."""

    host: pulumi.Output[str]
    """Host name inside the cluster."""
    port: pulumi.Output[int]
    """TCP port."""
    namespace: pulumi.Output[str]
    """Namespace it runs in."""
    secret_name: pulumi.Output[str]
    """Secret of its own namespace with its settings."""
    url: pulumi.Output[str]
    """`redis://:password@host:port/0`, a secret: the workload's REDIS_URL."""

    def __init__(
        self, name: str, args: LocalRedisArgs, opts: Optional[pulumi.ResourceOptions] = None
    ) -> None:
        """Declare it in a namespace of its own."""
        super().__init__("langgraph:index:LocalRedis", name, {}, opts)
        settings = LocalRedisArgs.of(args)
        made = pulumi.Output.secret(password(f"{name}-password", parent=self))
        memory = settings.memory
        image = local_stores.image(settings.image, settings.image_digest)
        declared = local_store.declare(
            self,
            name,
            local_stores.valkey(image),
            local_store.Place(
                settings.namespace,
                settings.workload_namespace,
                settings.storage_size,
                settings.storage_class,
            ),
            {"valkey.conf": made.apply(lambda known: local_stores.valkey_settings(known, memory))},
        )
        self.host = declared.host
        self.namespace = declared.namespace
        self.secret_name = declared.secret_name
        self.port = pulumi.Output.from_input(local_stores.VALKEY_PORT)
        self.url = pulumi.Output.format("redis://:{0}@{1}:{2}/0", made, self.host, self.port)
        self.register_outputs(
            {
                "host": self.host,
                "port": self.port,
                "namespace": self.namespace,
                "secretName": self.secret_name,
                "url": self.url,
            }
        )
