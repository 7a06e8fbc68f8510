"""What keeps: PostgreSQL, Valkey, attachments, images, volumes."""

from collections.abc import Mapping, Sequence
from typing import Any

from lgp.costing.charge import Charge, Found, Json, Unpriced, World, given, hours, names
from lgp.costing.ranges import Range, exactly
from lgp.costing.usage import Usage
from lgp.planning.recording import Resource


def databases(resources: Sequence[Resource], world: World) -> Found:
    """Instances, twice with a standby; storage that grows with the runs; backups beyond it."""
    stored = world.usage.stored_gib(world.facts.kept)
    for resource in resources:
        inputs = given(resource)
        times = 2 if inputs.get("multiAz") else 1
        kind = str(inputs.get("instanceClass", ""))
        standby = " with a standby" if times > 1 else ""
        replica = " replica" if inputs.get("replicateSourceDb") else ""
        called = f"PostgreSQL{replica}, {kind}{standby}"
        yield Charge("database", called, hours(times), kind, names([resource]))
        start = float(inputs.get("allocatedStorage") or 20)
        most = max(start, float(inputs.get("maxAllocatedStorage") or start))
        size = stored.at_least(start).at_most(most)
        yield Charge(
            "database", f"its{replica} storage", size * times, "db_storage_gb", names([resource]), by_use=True
        )
        if not replica:
            yield _backups(resource, stored, size, world.usage)
    managed = [each for each in resources if given(each).get("manageMasterUserPassword")]
    if managed:
        yield Charge(
            "security", "secrets of the master users", exactly(len(managed)), "secret", names(managed)
        )


def _backups(resource: Resource, stored: Range, size: Range, usage: Usage) -> Charge:
    """As much as the storage is free; the log since the oldest backup comes on top of one copy."""
    days = float(given(resource).get("backupRetentionPeriod") or 0)
    log = usage.gib_kept("wal_kib_per_run", days)
    copies = stored + log if days else exactly(0)
    beyond = _beyond(copies, size)
    return Charge(
        "database", "backups beyond its size", beyond, "db_backup_gb", names([resource]), by_use=True
    )


def _beyond(copies: Range, size: Range) -> Range:
    """What is above the size; both grow from low to high, their distance need not."""
    low = max(0.0, copies.low - size.low)
    likely = max(low, copies.likely - size.likely)
    return Range(low, likely, max(likely, copies.high - size.high))


def caches(resources: Sequence[Resource], _: World) -> Found:
    """Nodes of Valkey."""
    for resource in resources:
        inputs = given(resource)
        kind, engine = str(inputs.get("nodeType", "")), inputs.get("engine")
        if engine != "valkey":
            yield Unpriced(resource.type, resource.name, f"the table has Valkey's prices, not {engine}'s")
            continue
        shards = int(inputs.get("numNodeGroups") or 1)
        count = int(
            inputs.get("numCacheClusters") or shards * (1 + int(inputs.get("replicasPerNodeGroup") or 0))
        )
        yield Charge("cache", f"Valkey, {kind}", hours(count), kind, names([resource]))


def buckets(resources: Sequence[Resource], world: World) -> Found:
    """Attachments: they lie there, are written once and read once."""
    found = names(resources)
    kept = world.usage.attached_gib(world.facts.kept)
    yield Charge("storage", "attachments", kept, "bucket_gb", found, by_use=True)
    attached = world.usage.of("attachment_kib_per_run").likely > 0
    thousands = world.usage.executions_per_month * (0.001 if attached else 0)
    yield Charge("storage", "attachments written", thousands, "bucket_puts", found, by_use=True)
    yield Charge("storage", "attachments read", thousands, "bucket_gets", found, by_use=True)


def registries(resources: Sequence[Resource], world: World) -> Found:
    """Images that are kept."""
    size = world.usage.of("registry_gb") * len(resources)
    yield Charge("storage", "images", size, "registry_gb", names(resources))


def charts(resources: Sequence[Resource], _: World) -> Found:
    """Volumes that charts claim: their templates' sizes, times their replicas."""
    claimed = [(resource, _claims(given(resource).get("values") or {})) for resource in resources]
    paid = [resource for resource, size in claimed if size]
    if paid:
        size = sum(size for _, size in claimed)
        yield Charge("storage", "volumes of monitoring", exactly(size), "volume_gb", names(paid))


def _claims(values: Any, replicas: float = 1) -> float:
    """GiB of every `volumeClaimTemplate` inside; the replicas are those of the mapping around it."""
    if not isinstance(values, Mapping):
        return 0
    inside: Json = dict(values)  # pyright: ignore[reportUnknownArgumentType]  # any YAML
    times = float(inside.get("replicas") or replicas)
    if "volumeClaimTemplate" in inside:
        asked = inside["volumeClaimTemplate"]["spec"]["resources"]["requests"]["storage"]
        return times * gib(str(asked))
    return sum(_claims(value, times) for value in inside.values())


def volumes(resources: Sequence[Resource], _: World) -> Found:
    """Claims that the stack makes itself; only where its cluster is on AWS."""
    size = sum(gib(str(given(each)["spec"]["resources"]["requests"]["storage"])) for each in resources)
    yield Charge("storage", "volumes", exactly(size), "volume_gb", names(resources))


UNITS = {"Mi": 1 / 1024, "Gi": 1.0, "Ti": 1024.0}


def gib(quantity: str) -> float:
    """Kubernetes' notation of storage in GiB."""
    for suffix, factor in UNITS.items():
        if quantity.endswith(suffix):
            return float(quantity.removesuffix(suffix)) * factor
    return float(quantity) / 1024**3
