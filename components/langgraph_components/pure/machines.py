"""Which processor an instance type has, how much of it pods get, and which one an image is for."""

import re
from collections.abc import Sequence

_GRAVITON = re.compile(r"^[a-z]+\d+g[a-z]*\.")
"""`m7g`, `t4g`, `c8gn`: a `g` after the generation is AWS's ARM processor (EC2, "Instance type names")."""


def architecture(instance_type: str) -> str:
    """`arm64` or `amd64` of an EC2 instance type such as `m7g.large`."""
    return "arm64" if _GRAVITON.match(instance_type) or instance_type.startswith("a1.") else "amd64"


def architecture_of_image(ami_type: str) -> str:
    """`arm64` or `amd64` of an EKS AMI type such as `AL2023_ARM_64_STANDARD`."""
    return "arm64" if "_ARM_64" in ami_type else "amd64"


_SIZE = re.compile(r"^(\d*)xlarge$")
_BURSTABLE = re.compile(r"^t(?:3|3a|4g)$")
_SMALL = ("nano", "micro", "small", "medium")
_ODD = {
    "c1.medium": 2,
    "c1.xlarge": 8,
    "c4.8xlarge": 36,
    "d2.8xlarge": 36,
    "m2.xlarge": 2,
    "m2.2xlarge": 4,
    "m2.4xlarge": 8,
    "t2.medium": 2,
}
"""Types of old generations whose size says something else."""


def vcpus(instance_type: str) -> int | None:
    """Virtual CPUs of an EC2 instance type, from its size; None of bare metal and of what is no size.

    The rule and its exceptions hold for all types but bare metal that EC2 listed on 2026-01-22, as in
    `ec2_instance_types.go` of github.com/kubernetes/autoscaler at cluster-autoscaler-1.36.1: of the mediums,
    only the burstable ones have 2, and `m7a.medium`, though x86, has 1.
    """
    family, _, size = instance_type.partition(".")
    if instance_type in _ODD:
        return _ODD[instance_type]
    if size in _SMALL:
        return 2 if _BURSTABLE.match(family) else 1
    if size == "large":
        return 2
    found = _SIZE.match(size)
    return 4 * int(found[1] or 1) if found else None


_RESERVED = ((0, 1000, 600), (1000, 2000, 100), (2000, 4000, 50), (4000, None, 25))
"""From, to (thousandths of a CPU) and ten-thousandths of it: 6 % of the first CPU, then 1, 0.5 and 0.25 %."""


def allocatable_millicores(instance_type: str) -> int | None:
    """What a node of this type offers to pods, in thousandths of a CPU; None where `vcpus` is unknown.

    The rest is reserved for the kubelet: `getCPUMillicoresToReserve` in `nodeadm/internal/kubelet/config.go`
    of github.com/awslabs/amazon-eks-ami (81fec2e). DaemonSets are not subtracted: they are pods.
    """
    count = vcpus(instance_type)
    if count is None:
        return None
    total = count * 1000
    return total - sum(
        max(min(total, end or total) - start, 0) * share // 10_000 for start, end, share in _RESERVED
    )


SYSTEM_MILLICORES = 400
"""Allowance on each node for what runs on all of them, and for its share of the operators."""


def millicores(cpu: str) -> int:
    """Kubernetes' notation of CPU, `500m` or `2`, in thousandths."""
    return int(cpu[:-1]) if cpu.endswith("m") else round(float(cpu) * 1000)


def nodes_needed(pods: Sequence[tuple[int, int]], instance_types: Sequence[str]) -> int | None:
    """How many nodes of the smallest of these types hold so many pods of so many thousandths each, by CPU.

    None where a type's CPUs are unknown; `IMPOSSIBLE` where a pod fits on no node.
    """
    offered = [allocatable_millicores(kind) for kind in instance_types]
    known = [millis for millis in offered if millis is not None]
    if len(known) < len(offered):
        return None
    room = min(known) - SYSTEM_MILLICORES
    found = 0
    for count, each in pods:
        fitting = room // max(each, 1)
        found += -(-count // fitting) if fitting > 0 else IMPOSSIBLE
    return found


IMPOSSIBLE = 10**9
"""More nodes than any group has: a pod fits on none."""
