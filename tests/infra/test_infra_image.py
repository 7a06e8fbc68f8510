"""The image by digest: built and tagged by its content, or one that is there; and the repository of it."""

import json
import sys
from pathlib import Path

import pytest

from langgraph_components.container_image import ContainerImage, ContainerImageArgs, ImageSettings
from langgraph_components.errors import InvalidArgs, MissingExtra
from langgraph_components.pure import images

DIGEST = "0123456789abcdef" * 4
BY_DIGEST = f"registry.example/team/agent@sha256:{DIGEST}"
BY_TAG = "registry.example:5000/team/agent:v1"
REPOSITORY = "aws:ecr/repository:Repository"
IMAGE = "docker-build:index:Image"


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program's folder with a build context in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "app" / "main.py").write_text("print(1)\n")
    return tmp_path / "app"


def declared(graph, **args):
    """What a program with one image declares, with what the image tells it."""
    told = {}

    def program():
        image = ContainerImage("image", args)
        told["content_hash"] = image.content_hash
        image.reference.apply(lambda value: told.update(reference=value))
        image.repository_url.apply(lambda value: told.update(repository_url=value))

    return graph(program), told


def test_an_image_that_is_there_is_taken_by_its_digest_and_nothing_is_declared(graph):
    found, told = declared(graph, reference=BY_DIGEST)
    assert [resource.type for resource in found.resources] == ["langgraph:index:ContainerImage"]
    assert told == {"reference": BY_DIGEST, "content_hash": DIGEST[:12], "repository_url": ""}


def test_an_image_with_a_tag_and_a_digest_is_by_digest(graph):
    both = f"registry.example/agent:v1@sha256:{DIGEST}"
    _, told = declared(graph, reference=both)
    assert (told["reference"], told["content_hash"]) == (both, DIGEST[:12])


@pytest.mark.parametrize(
    "reference",
    [
        "agent",
        "registry.example/agent",
        "registry.example/agent@sha256:123",
        f"registry.example/agent@sha256:{DIGEST.upper()}",
        f"registry.example/agent@md5:{DIGEST}",
        f"https://registry.example/agent@sha256:{DIGEST}",
        f"Registry/Agent@sha256:{DIGEST}",
        f"registry.example/agent@sha256:{DIGEST} ",
        "",
    ],
)
def test_what_is_no_reference_is_refused_with_what_one_looks_like(graph, reference):
    with pytest.raises(InvalidArgs, match=r"^ContainerImageArgs\.reference: must be REGISTRY/NAME@sha256:"):
        declared(graph, reference=reference, mutable_tag=True)


def test_a_tag_is_refused_unless_it_was_asked_for(graph):
    with pytest.raises(InvalidArgs, match=r"name it by digest.*or set mutable_tag"):
        declared(graph, reference=BY_TAG)
    _, told = declared(graph, reference=BY_TAG, mutable_tag=True)
    assert told["reference"] == BY_TAG
    assert told["content_hash"] == images.short_hash(BY_TAG)
    assert len(bytes.fromhex(told["content_hash"])) == 6
    assert images.short_hash(BY_TAG) != images.short_hash(BY_TAG.replace("v1", "v2"))


def test_by_default_it_is_built_from_app_and_pushed_by_the_tag_of_its_content(graph, context):
    found, told = declared(graph)
    (image,), (repository,) = found.of_type(IMAGE), found.of_type(REPOSITORY)
    (tag,) = image.inputs["tags"]
    assert tag.rpartition(":")[2][:12] == told["content_hash"]
    assert len(bytes.fromhex(tag.rpartition(":")[2])) == 32
    assert image.inputs["context"] == {"location": "app"}, "not absolute: the same on every machine"
    assert image.inputs["dockerfile"] == {"location": "app/Dockerfile"}
    assert image.inputs["platforms"] == ["linux/amd64"]
    assert (image.inputs["push"], image.inputs["load"]) == (True, False)
    assert image.inputs["buildOnPreview"] is False
    assert "registries" not in image.inputs, "no token of ours in the state: Docker's own credentials push"
    component = found.named("image")
    assert {image.parent, repository.parent} == {component.urn}
    assert "@sha256:" in told["reference"]


def test_an_unchanged_folder_is_an_unchanged_image_and_a_changed_one_another(graph, context):
    before, told_before = declared(graph)
    again, _ = declared(graph)
    assert before.resources == again.resources
    (context / "main.py").write_text("print(2)\n")
    after, told_after = declared(graph)
    assert told_after["content_hash"] != told_before["content_hash"]
    assert after.of_type(IMAGE) != before.of_type(IMAGE)
    assert after.of_type(REPOSITORY) == before.of_type(REPOSITORY)


def test_platforms_arguments_and_the_dockerfile_are_the_builds(graph, context):
    (context / "Other").write_text("FROM scratch\n")
    build = {
        "dockerfile": "Other",
        "platforms": ["linux/arm64", "linux/amd64"],
        "build_args": {"PYTHON": "library/python@sha256:1"},
    }
    found, told = declared(graph, build=build)
    (image,) = found.of_type(IMAGE)
    assert image.inputs["platforms"] == ["linux/arm64", "linux/amd64"]
    assert image.inputs["buildArgs"] == {"PYTHON": "library/python@sha256:1"}
    assert image.inputs["dockerfile"] == {"location": "app/Other"}
    assert told["content_hash"] != declared(graph)[1]["content_hash"]


def test_in_a_closed_network_the_base_image_comes_from_the_mirror(graph, context):
    found, told = declared(graph, registry_mirror="mirror.example/docker")
    assert found.of_type(IMAGE)[0].inputs["buildArgs"] == {"REGISTRY": "mirror.example/docker"}
    assert told["content_hash"] != declared(graph)[1]["content_hash"]
    own = {"build_args": {"REGISTRY": "other.example"}}
    found, _ = declared(graph, registry_mirror="mirror.example/docker", build=own)
    assert found.of_type(IMAGE)[0].inputs["buildArgs"] == {"REGISTRY": "other.example"}


def test_without_a_repository_the_image_stays_in_the_docker_of_this_machine(graph, context):
    found, told = declared(graph, repository=False)
    (image,) = found.of_type(IMAGE)
    assert found.of_type(REPOSITORY) == []
    assert (image.inputs["push"], image.inputs["load"]) == (False, True)
    assert image.inputs["tags"][0].startswith("langgraph-platform-image:")
    assert told["reference"] == image.inputs["tags"][0]


def test_the_repository_keeps_what_was_pushed_and_its_newest_images(graph, context):
    found, _ = declared(graph, kms_key_arn="arn:aws:kms:eu-west-1:123456789012:key/1", keep_last=7)
    (repository,) = found.of_type(REPOSITORY)
    assert repository.inputs["imageTagMutability"] == "IMMUTABLE"
    assert repository.inputs["imageScanningConfiguration"] == {"scanOnPush": True}
    assert repository.inputs["encryptionConfigurations"] == [
        {"encryptionType": "KMS", "kmsKey": "arn:aws:kms:eu-west-1:123456789012:key/1"}
    ]
    assert repository.inputs["name"] == "langgraph-platform-test-image"
    assert repository.inputs["forceDelete"] is False
    assert not repository.protect
    (lifecycle,) = found.of_type("aws:ecr/lifecyclePolicy:LifecyclePolicy")
    (rule,) = json.loads(lifecycle.inputs["policy"])["rules"]
    assert rule["selection"] == {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 7}
    assert rule["action"] == {"type": "expire"}


def test_only_the_repository_is_protected_and_only_if_asked(graph, context):
    found, _ = declared(graph, protect=True, force_delete=True)
    assert {resource.type for resource in found.resources if resource.protect} == {REPOSITORY}
    assert found.of_type(REPOSITORY)[0].inputs["forceDelete"] is True


def test_a_repository_for_images_that_a_pipeline_pushes(graph):
    found, told = declared(graph, reference=BY_DIGEST, repository=True)
    assert len(found.of_type(REPOSITORY)) == 1
    assert found.of_type(IMAGE) == []
    assert told["reference"] == BY_DIGEST


def test_without_the_extra_the_build_says_what_to_install_and_a_digest_needs_none(
    graph, context, monkeypatch
):
    monkeypatch.setitem(sys.modules, "pulumi_docker_build", None)
    with pytest.raises(MissingExtra, match=r"pip install pulumi-docker-build"):
        declared(graph)
    assert declared(graph, reference=BY_DIGEST)[1]["reference"] == BY_DIGEST


@pytest.mark.parametrize(
    ("build", "missing"), [({"context": "elsewhere"}, "elsewhere"), ({"dockerfile": "None"}, "app/None")]
)
def test_a_context_that_is_not_there_is_named(graph, context, build, missing):
    with pytest.raises(InvalidArgs, match=rf"build\.context: there is no {missing} \(from /"):
        declared(graph, build=build)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"reference": BY_DIGEST, "build": {}}, "ContainerImageArgs: reference, build: give one of them"),
        ({"build": {"platforms": ["windows/amd64"]}}, "ContainerImageArgs.build.platforms.0: "),
        ({"build": {"platforms": []}}, "ContainerImageArgs.build.platforms: "),
        ({"build": {"colour": "red"}}, "ContainerImageArgs.build.colour: there is no such setting"),
        ({"keep_last": 1}, "ContainerImageArgs.keep_last: should be greater than or equal to 2 (got 1)"),
        ({"registry_mirror": "https://mirror.example"}, "ContainerImageArgs.registry_mirror: "),
    ],
)
def test_wrong_arguments_are_refused_with_the_path(graph, context, wrong, said):
    with pytest.raises(InvalidArgs) as caught:
        declared(graph, **wrong)
    assert str(caught.value).startswith(said)


def test_what_a_stack_chooses_says_what_the_rules_ask():
    assert ImageSettings().is_by_digest()
    assert ImageSettings().platforms_built() == ("linux/amd64",)
    there = ImageSettings(reference=BY_DIGEST)
    assert (there.is_by_digest(), there.platforms_built(), there.has_repository()) == (True, (), False)
    assert not ImageSettings(reference=BY_TAG, mutable_tag=True).is_by_digest()
    assert not ImageSettings(repository=False).is_by_digest()
    chosen = ContainerImageArgs(reference=BY_DIGEST, kms_key_arn="arn")
    assert chosen.has_repository() is False
