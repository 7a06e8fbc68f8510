"""The server's image: built from the folder of the server and pushed to a registry, or one that is there."""

import json
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any, Optional, Self

import pulumi
from pulumi_aws import ecr
from pydantic import Field, field_validator, model_validator

from langgraph_components.args import Args, Defaulted, In
from langgraph_components.errors import InvalidArgs, MissingExtra
from langgraph_components.physical_names import of_stack
from langgraph_components.pure import images
from langgraph_components.pure.content_hash import SHORT, content_hash
from langgraph_components.pure.naming import physical

REPOSITORY_LIMIT = 256
"""Characters of a repository's name."""


class ImagePlatform(StrEnum):
    """What an image is built for."""

    AMD64 = "linux/amd64"
    """Intel and AMD."""
    ARM64 = "linux/arm64"
    """AWS Graviton, Apple silicon."""


class ImageBuild(Args):
    """How the image is built, by the Docker or BuildKit of the machine that runs Pulumi."""

    context: Defaulted[str] = "app"
    """Folder of the build context, relative to the Pulumi program. `app`: the server of this repository."""

    dockerfile: Defaulted[str] = "Dockerfile"
    """Path of the Dockerfile, relative to the context."""

    platforms: Defaulted[list[ImagePlatform]] = Field(default=[ImagePlatform.AMD64], min_length=1)
    """What it is built for, `linux/amd64` or `linux/arm64`. amd64: what the default nodes are."""

    build_args: Defaulted[dict[str, str]] = Field(default_factory=dict)
    """`ARG` → value; no secrets, they are in the image's history. `PYTHON` pins the base image by digest."""


class ImageSettings(Args):
    """Which image, and the repository that holds it."""

    reference: Optional[str] = None
    """An image that is there already, by digest: `REGISTRY/NAME@sha256:…`. None: it is built."""

    mutable_tag: Defaulted[bool] = False
    """Whether `reference` may be a tag alone. Off: a tag may point to another image tomorrow."""

    build: Optional[ImageBuild] = None
    """How it is built. None, without a `reference`: from `app/`, for `linux/amd64`."""

    repository: Optional[bool] = None
    """Whether an ECR repository is made. None: where the image is built. False with a build: the image is
    loaded into the Docker of this machine and pushed nowhere, for a cluster that shares it."""

    keep_last: Defaulted[int] = Field(default=30, ge=2, le=1000)
    """Images (2 to 1000) the repository keeps. 30: a month of daily deployments to go back to."""

    force_delete: Defaulted[bool] = False
    """Whether a repository with images in it can be deleted. Off: running pods could not be rescheduled."""

    protect: Defaulted[bool] = False
    """Whether Pulumi refuses to delete the repository. Off: a stack can be destroyed."""

    registry_mirror: Optional[str] = Field(
        default=None, pattern=r"^[a-z0-9][a-z0-9.-]*(:\d+)?(/[a-z0-9._-]+)*$"
    )
    """Registry, no scheme, that has the base image under its usual path, for closed networks, such as
    `mirror.example/docker`. None: docker.io."""

    @field_validator("reference")
    @classmethod
    def _is_a_reference(cls, value: Optional[str]) -> Optional[str]:
        if value is not None:
            images.digest_of(value)
        return value

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.reference is not None and self.build is not None:
            message = "reference, build: give one of them: an image that is there, or how to build it"
            raise ValueError(message)
        if self.reference is not None and not self.mutable_tag and images.digest_of(self.reference) is None:
            message = "reference: name it by digest (…@sha256:…), or set mutable_tag where a tag will do"
            raise ValueError(message)
        return self

    def builds(self) -> Optional[ImageBuild]:
        """How the image is built; None if it is there already."""
        return None if self.reference is not None else self.build or ImageBuild()

    def platforms_built(self) -> tuple[str, ...]:
        """What the image is built for; empty if it is there already."""
        build = self.builds()
        return tuple(build.platforms) if build else ()

    def has_repository(self) -> bool:
        """Whether an ECR repository is made."""
        return self.repository if self.repository is not None else self.reference is None

    def is_by_digest(self) -> bool:
        """Whether the pods are told a digest."""
        if self.reference is not None:
            return images.digest_of(self.reference) is not None
        return self.has_repository()


class ContainerImageArgs(ImageSettings):
    """Which image, the repository that holds it, and the key of its layers."""

    kms_key_arn: Optional[In[str]] = None
    """KMS key of the repository. None: a key of AWS's own."""


class ContainerImage(pulumi.ComponentResource):
    """An image by its digest, so that what was tested is what runs.

    A built image is tagged by the hash of its build context, so an unchanged folder is no change on any
    machine. It is pushed with the credentials that Docker has on the machine that runs Pulumi (`docker
    login`, or better `amazon-ecr-credential-helper`): a token in the graph would be asked for at each
    preview, be in the state, and be another one each time.

    In Python there is also `content_hash`: 12 hex digits of that hash or of the digest, known at once.
    """

    reference: pulumi.Output[str]
    """The image, with its digest unless a tag was asked for."""
    repository_url: pulumi.Output[str]
    """The ECR repository, without a tag; empty if none is made."""

    def __init__(
        self, name: str, args: ContainerImageArgs, opts: Optional[pulumi.ResourceOptions] = None
    ) -> None:
        """Declare the repository and the image.

        Raises:
            InvalidArgs: the build context or its Dockerfile is not there.
            MissingExtra: the image is to be built, and pulumi-docker-build is not installed.
        """
        super().__init__("langgraph:index:ContainerImage", name, {}, opts)
        settings = ContainerImageArgs.of(args)
        self.repository_url = pulumi.Output.from_input("")
        if settings.has_repository():
            self.repository_url = self._repository(name, settings)
        build = settings.builds()
        if build is None:
            self.reference = pulumi.Output.from_input(settings.reference or "")
            self.content_hash = images.short_hash(settings.reference or "")
        else:
            arguments = _arguments(build, settings.registry_mirror)
            tag = _hash(build, arguments)
            self.reference = self._image(name, settings, build, arguments, tag)
            self.content_hash = tag[:SHORT]
        self.register_outputs({"reference": self.reference, "repositoryUrl": self.repository_url})

    def _repository(self, name: str, args: ContainerImageArgs) -> pulumi.Output[str]:
        repository = ecr.Repository(
            f"{name}-repository",
            name=of_stack(name, limit=REPOSITORY_LIMIT),
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration=ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
            encryption_configurations=[
                ecr.RepositoryEncryptionConfigurationArgs(encryption_type="KMS", kms_key=args.kms_key_arn)
            ],
            force_delete=args.force_delete,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect, ignore_changes=["name"]),
        )
        ecr.LifecyclePolicy(
            f"{name}-lifecycle",
            repository=repository.name,
            policy=json.dumps(images.lifecycle(args.keep_last)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return repository.repository_url

    def _image(
        self, name: str, settings: ImageSettings, build: ImageBuild, arguments: dict[str, str], tag: str
    ) -> pulumi.Output[str]:
        docker_build = _docker_build()
        pushed = settings.has_repository()
        local = physical(pulumi.get_project(), name, limit=REPOSITORY_LIMIT)
        full = pulumi.Output.concat(self.repository_url if pushed else local, ":", tag)
        image = docker_build.Image(
            f"{name}-build",
            context=docker_build.BuildContextArgs(location=build.context),
            dockerfile=docker_build.DockerfileArgs(location=f"{build.context}/{build.dockerfile}"),
            platforms=[docker_build.Platform(str(platform)) for platform in build.platforms],
            build_args=arguments,
            tags=[full],
            push=pushed,
            load=not pushed,
            build_on_preview=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return image.ref if pushed else _after(image, full)


def _after(image: Any, text: pulumi.Output[str]) -> pulumi.Output[str]:
    """The text, once the image is there."""
    return pulumi.Output.all(text, image.context_hash).apply(lambda both: str(both[0]))


def _arguments(build: ImageBuild, registry_mirror: Optional[str]) -> dict[str, str]:
    """The build's arguments; the mirror is the Dockerfile's `REGISTRY`."""
    mirror = {"REGISTRY": registry_mirror} if registry_mirror else {}
    return {**mirror, **build.build_args}


def _hash(build: ImageBuild, arguments: dict[str, str]) -> str:
    context = Path(build.context)
    try:
        return content_hash(
            context, dockerfile=build.dockerfile, platforms=build.platforms, build_args=arguments
        )
    except FileNotFoundError as error:
        message = (
            f"ContainerImageArgs.build.context: there is no {error.filename or error} (from {Path.cwd()})"
        )
        raise InvalidArgs(message) from None


def _docker_build() -> Any:
    try:
        return import_module("pulumi_docker_build")
    except ImportError:
        message = (
            "building the image needs pulumi-docker-build: pip install pulumi-docker-build, "
            "or name an image that is there already by `reference`"
        )
        raise MissingExtra(message) from None
