"""What an instance type's name says: processor, virtual CPUs, and how much of them pods get."""

import pytest

from langgraph_components.pure import machines
from langgraph_components.pure.machines import (
    allocatable_millicores,
    architecture,
    architecture_of_image,
    vcpus,
)

X86 = [
    "m7i.large",
    "m7i-flex.large",
    "m7a.medium",
    "t3a.medium",
    "g4dn.xlarge",
    "u7in-16tb.224xlarge",
]
ARM = ["m7g.large", "t4g.medium", "c8gn.xlarge", "x2gd.medium", "im4gn.large", "is4gen.medium", "g5g.metal"]


@pytest.mark.parametrize("machine", X86)
def test_a_letter_g_elsewhere_is_no_graviton(machine):
    assert architecture(machine) == "amd64"


@pytest.mark.parametrize("machine", [*ARM, "a1.large", "hpc7g.4xlarge", "r8gb.large"])
def test_graviton_is_a_g_after_the_generation_and_the_first_family(machine):
    assert architecture(machine) == "arm64"


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("AL2023_x86_64_STANDARD", "amd64"),
        ("AL2023_ARM_64_STANDARD", "arm64"),
        ("BOTTLEROCKET_x86_64", "amd64"),
        ("BOTTLEROCKET_ARM_64", "arm64"),
    ],
)
def test_an_image_of_a_system_says_its_processor(image, said):
    assert architecture_of_image(image) == said


# as EC2 lists them: `ec2_instance_types.go` of kubernetes/autoscaler, cluster-autoscaler-1.36.1
@pytest.mark.parametrize(
    ("machine", "count"),
    [
        *(("t3.nano", 2), ("t3a.micro", 2), ("t4g.small", 2), ("t3.medium", 2), ("t4g.medium", 2)),
        *(("t2.nano", 1), ("t2.micro", 1), ("t2.small", 1), ("t2.medium", 2), ("t1.micro", 1)),
        *(("m7g.medium", 1), ("c7g.medium", 1), ("r7g.medium", 1), ("a1.medium", 1), ("x2gd.medium", 1)),
        *(("m7i.large", 2), ("m7g.large", 2), ("t3.large", 2), ("m7i-flex.large", 2)),
        *(("m7i.xlarge", 4), ("r7g.xlarge", 4), ("t3.xlarge", 4)),
        *(("m7i.2xlarge", 8), ("c7i.4xlarge", 16), ("m5.12xlarge", 48), ("m7i.48xlarge", 192)),
        *(("c5.9xlarge", 36), ("u-6tb1.56xlarge", 224), ("u7in-16tb.224xlarge", 896)),
    ],
)
def test_a_size_says_how_many_cpus_there_are(machine, count):
    assert vcpus(machine) == count


@pytest.mark.parametrize("family", ["m7a", "c7a", "r7a", "m8a"])
def test_a_medium_of_newer_amd_machines_has_one_although_it_is_x86(family):
    assert (vcpus(f"{family}.medium"), architecture(f"{family}.medium")) == (1, "amd64")


@pytest.mark.parametrize(
    ("machine", "count"),
    [
        *(("c4.8xlarge", 36), ("d2.8xlarge", 36), ("c1.medium", 2), ("c1.xlarge", 8)),
        *(("m2.xlarge", 2), ("m2.2xlarge", 4), ("m2.4xlarge", 8)),
    ],
)
def test_old_machines_that_are_exceptions_are_known(machine, count):
    assert vcpus(machine) == count


@pytest.mark.parametrize(
    "machine", ["m5.metal", "c7i.metal-24xl", "m7i", "", "m7i.huge", "m7i.x-large", "large"]
)
def test_what_the_name_does_not_say_is_unknown_and_not_guessed(machine):
    assert vcpus(machine) is None
    assert allocatable_millicores(machine) is None


@pytest.mark.parametrize(
    ("machine", "millicores"),
    [
        ("m7g.medium", 940),
        ("m7i.large", 1930),
        ("t3.medium", 1930),
        ("m7i.xlarge", 3920),
        ("m7i.2xlarge", 7910),
        ("m7i.4xlarge", 15_890),
        ("m7i.48xlarge", 191_450),
    ],
)
def test_the_kubelet_keeps_less_and_less_of_each_further_cpu(machine, millicores):
    assert allocatable_millicores(machine) == millicores


def test_a_larger_machine_offers_more_and_a_larger_share_of_itself():
    sizes = ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge", "48xlarge"]
    offered = [allocatable_millicores(f"m7i.{size}") for size in sizes]
    shares = [
        millicores / (vcpus(f"m7i.{size}") * 1000) for millicores, size in zip(offered, sizes, strict=True)
    ]
    assert offered == sorted(set(offered))
    assert shares == sorted(shares)
    assert all(0.9 < share < 1 for share in shares)


@pytest.mark.parametrize(("cpu", "said"), [("500m", 500), ("2", 2000), ("0.5", 500), ("2000m", 2000)])
def test_cpu_is_read_as_kubernetes_writes_it(cpu, said):
    assert machines.millicores(cpu) == said


def test_pods_are_packed_whole_into_what_a_node_has_left():
    # 1930 less 400 holds three of 500
    assert machines.nodes_needed([(3, 500)], ["m7g.large"]) == 1
    assert machines.nodes_needed([(4, 500)], ["m7g.large"]) == 2
    assert machines.nodes_needed([(51, 500), (2, 500)], ["m7g.large"]) == 18


def test_the_smallest_type_of_a_group_decides():
    assert machines.nodes_needed([(8, 500)], ["m7g.2xlarge", "m7g.large"]) == 3


def test_a_pod_that_fits_on_no_node_needs_more_of_them_than_there_can_be():
    assert machines.nodes_needed([(1, 4000)], ["m7g.large"]) > 1000


def test_of_a_type_whose_cpus_are_unknown_nothing_is_said():
    assert machines.nodes_needed([(9, 500)], ["m7g.metal"]) is None
