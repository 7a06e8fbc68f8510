"""Which version a rollback goes to, from what the real `pulumi stack history` says."""

from dataclasses import replace
from typing import Any

import pytest
from recorded_programs import recording

from lgp.operating.exported import Exported
from lgp.operating.releasing import loading, platform_for, settings_for
from lgp.operating.updates import Update, chosen, previous, read_updates, short, versions

A, B, C, D = (f"r.example/agents@sha256:{letter * 64}" for letter in "abcd")


def update(image: str | None, number: int, **more: Any) -> Update:
    found = Update(number, "update", "succeeded", f"2026-11-23T22:{number:02}:00.000Z", "", image, "")
    return replace(found, **more)


def history(*images: str | None) -> list[Update]:
    return [update(image, number) for number, image in enumerate(images, 1)]


def test_the_real_history_tells_each_updates_image_the_oldest_first() -> None:
    found = read_updates(recording("history")["stdout"])
    assert [one.image for one in found] == [
        f"registry.example/agents@sha256:{'a' * 64}",
        f"registry.example/agents@sha256:{'b' * 64}",
    ]
    assert [one.deployed for one in found] == [True, True]
    assert found[-1].message == f"lgp deploy {found[-1].image}"
    assert [one.image for one in versions(found)] == [one.image for one in found]


@pytest.mark.parametrize(
    ("images", "declared", "expected"),
    [
        ((A, B), B, A),
        ((A, B, B, B), B, A),
        ((A, B, A), A, None),
        ((A, B, C, B), B, A),
        ((A, B, C, A, D), D, A),
        ((A,), B, A),
        ((A, None, B), B, A),
        ((None, None), None, None),
        ((A,), A, None),
        ((), A, None),
    ],
    ids=["one", "settings", "twice", "there", "anew", "never-worked", "built", "all-built", "first", "none"],
)
def test_a_rollback_goes_to_what_worked_before_and_never_to_what_one_went_back_from(
    images: tuple[str | None, ...], declared: str | None, expected: str | None
) -> None:
    found = previous(versions(history(*images)), declared or "")
    assert (found.image if found else None) == expected


def test_what_failed_was_destroyed_or_only_looked_at_is_no_version() -> None:
    no_versions = [
        update(B, 2, result="failed"),
        update(B, 3, kind="refresh"),
        update(B, 4, kind="destroy"),
        update(B, 5, result="in-progress", ended=""),
    ]
    assert [one.image for one in versions([update(A, 1), *no_versions])] == [A]


def test_versions_that_one_went_back_from_are_shown_and_marked() -> None:
    found = {one.image: one.rolled_back for one in versions(history(A, B, C, A))}
    assert found == {A: False, B: True, C: True}
    again = {one.image: one.rolled_back for one in versions(history(A, B, A, B))}
    assert again == {A: False, B: False}, "deployed again it is one's own again"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (B, B),
        (f"sha256:{'b' * 64}", B),
        ("sha256:bbbbbb", B),
        ("bbbbbbbb", B),
        ("2", B),
        ("v1", "r.example/agents:v1"),
        ("bb", None),
        ("9", None),
        ("", None),
        ("0", None),
    ],
)
def test_a_version_is_named_by_digest_its_beginning_tag_or_update(wanted: str, expected: str | None) -> None:
    found = versions([update(A, 1), update(B, 2), update("r.example/agents:v1", 0)])
    one = chosen(found, wanted)
    assert (one.image if one else None) == expected


def test_of_an_image_one_reads_the_name_and_the_digests_beginning() -> None:
    assert short(A) == "r.example/agents@sha256:aaaaaaaaaaaa…"
    assert short("agent-server:local") == "agent-server:local"


def test_history_of_another_shape_is_no_version() -> None:
    assert read_updates({"error": 1}) == []
    odd = read_updates([{}, {"config": {"x:platform": {"value": "no json"}}}, {"config": {"x:platform": 5}}])
    assert [one.image for one in odd] == [None, None, None]


def with_repository() -> Exported:
    outputs = {"repository_url": "1.dkr.ecr.example/agents"}
    return Exported({"deployment": {"resources": [{"type": "pulumi:pulumi:Stack", "outputs": outputs}]}})


def changes(image: str, settings: dict[str, Any], exported: Exported) -> dict[str, str | None]:
    return {one.path: one.value for one in settings_for(image, settings, exported)}


def test_a_stack_that_built_its_image_keeps_the_repository_that_the_named_one_is_in() -> None:
    built = {"image": {"build": {"platforms": ["linux/arm64"]}, "force_delete": True}}
    assert changes(A, built, with_repository()) == {
        "image.reference": A,
        "image.build": None,
        "image.repository": "true",
    }
    named = {"image": {"reference": B, "repository": True}}
    assert changes(A, named, with_repository()) == {"image.reference": A}
    assert changes("a:local", {}, Exported({})) == {"image.reference": "a:local", "image.mutable_tag": "true"}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"environment": "dev", "image": {"build": {"platforms": ["linux/arm64"]}}}, "linux/arm64"),
        (
            {"environment": "prod", "cluster": {"nodes": {"ami_type": "AL2023_ARM_64_STANDARD"}}},
            "linux/arm64",
        ),
        (
            {"environment": "prod", "cluster": {"nodes": {"ami_type": "AL2023_x86_64_STANDARD"}}},
            "linux/amd64",
        ),
        ({"environment": "local"}, ""),
    ],
    ids=["built", "arm", "intel", "local"],
)
def test_an_image_is_built_for_the_nodes_that_shall_run_it(settings: dict[str, Any], expected: str) -> None:
    assert platform_for(settings) == expected


def test_an_image_without_a_registry_is_taken_into_the_cluster_that_the_context_names() -> None:
    assert loading("a:1", "kind-mine") == ["kind", "load", "docker-image", "a:1", "--name", "mine"]
    assert loading("a:1", "k3d-mine") == ["k3d", "image", "import", "a:1", "--cluster", "mine"]
    assert loading("a:1", "minikube") == ["minikube", "image", "load", "a:1"]
    assert loading("a:1", "elsewhere") is None
