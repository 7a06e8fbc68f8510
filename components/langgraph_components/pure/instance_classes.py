"""RDS instance classes that the connection budget knows, and how many connections each admits.

Memory is that of the EC2 type of the same name, in the Amazon EC2 Instance Types guide ("Specifications for
Amazon EC2 general purpose instances", and memory optimized: 8 GiB a vCPU); the RDS user guide ("Hardware
specifications for DB instance classes") has the same. Looked up 2026-11-23.
"""

from collections.abc import Mapping

GIB = 1024**3

BYTES_PER_CONNECTION = 9_531_392
"""Of RDS' default `max_connections`, `LEAST({DBInstanceClassMemory/9531392}, 5000)`.

https://docs.aws.amazon.com/prescriptive-guidance/latest/tuning-postgresql-parameters/max-connections.html
"""

DEFAULT_LIMIT = 5000
"""The most that default gives, from 64 GiB on; more needs `max_connections` to be set."""

_BURSTABLE = {"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16, "2xlarge": 32}
_GENERAL = {
    "large": 8,
    "xlarge": 16,
    "2xlarge": 32,
    "4xlarge": 64,
    "8xlarge": 128,
    "12xlarge": 192,
    "16xlarge": 256,
}
_GENERAL_LARGER = {"24xlarge": 384, "48xlarge": 768}


def _family(name: str, gib: Mapping[str, int], times: int = 1) -> dict[str, int]:
    return {f"db.{name}.{size}": memory * times for size, memory in gib.items()}


MEMORY_GIB: Mapping[str, int] = {
    **_family("t4g", _BURSTABLE),
    **_family("m7g", _GENERAL),
    **_family("m8g", _GENERAL | _GENERAL_LARGER),
    **_family("r7g", _GENERAL, times=2),
    **_family("r8g", _GENERAL | _GENERAL_LARGER, times=2),
}
"""Instance class → GiB of memory."""


def nominal_connections(instance_class: str) -> int | None:
    """`max_connections` by RDS' formula on the class' full memory; None for an unknown class."""
    memory = MEMORY_GIB.get(instance_class)
    return None if memory is None else min(memory * GIB // BYTES_PER_CONNECTION, DEFAULT_LIMIT)


def smallest_with(connections: int, like: str = "") -> str | None:
    """The class of least memory that nominally admits so many, of the family of `like` if it has one."""
    fitting = [name for name in MEMORY_GIB if (nominal_connections(name) or 0) >= connections]
    same = [name for name in fitting if family_of(name) == family_of(like)]
    return min(same or fitting, key=lambda name: MEMORY_GIB[name], default=None)


def family_of(instance_class: str) -> str:
    """`db.m8g` of `db.m8g.large`."""
    return instance_class.rpartition(".")[0]
