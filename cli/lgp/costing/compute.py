"""What runs: control planes, nodes and their disks."""

from collections.abc import Sequence

from lgp.costing.charge import Charge, Found, Json, World, given, hours, names
from lgp.costing.ranges import exactly
from lgp.costing.usage import HOURS_A_MONTH
from lgp.planning.recording import Resource


def clusters(resources: Sequence[Resource], _: World) -> Found:
    """Control planes, in standard support."""
    yield Charge(
        "compute",
        "Kubernetes control plane",
        hours(len(resources)),
        "eks_cluster_hour",
        names(resources),
    )


def node_groups(resources: Sequence[Resource], world: World) -> Found:
    """Nodes as the runs need them, and their disks. Of several types the first stands for all."""
    count = world.capacity.nodes or exactly(0)
    spot = any(given(each).get("capacityType") == "SPOT" for each in resources)
    share = world.usage.of("spot_share") if spot else exactly(1)
    kind = str(given(resources[0])["instanceTypes"][0])
    what = f"nodes, {kind}" + (", Spot (hours x share)" if spot else "")
    yield Charge("compute", what, count * HOURS_A_MONTH * share, f"ec2.{kind}", names(resources), by_use=True)
    disks = [_disk(template) for template in world.recording.of_type("aws:ec2/launchTemplate:LaunchTemplate")]
    yield Charge(
        "compute",
        "disks of the nodes",
        count * max(disks, default=20),
        "node_disk_gb",
        names(resources),
        by_use=True,
    )


def _disk(template: Resource) -> float:
    mapped: list[Json] = given(template).get("blockDeviceMappings") or []
    return float(sum(each.get("ebs", {}).get("volumeSize", 0) for each in mapped))
