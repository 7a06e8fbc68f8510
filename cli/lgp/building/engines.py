"""What builds images: docker, podman or buildah, whichever is there."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lgp.errors import BuildFailed, UsageProblem

NAMES = ("docker", "podman", "buildah")
_EXISTS = {
    "docker": ("image", "inspect"),
    "podman": ("image", "exists"),
    "buildah": ("inspect", "--type", "image"),
}


@dataclass(frozen=True, slots=True)
class Order:
    """One build."""

    context: Path
    tags: Sequence[str]
    arguments: Mapping[str, str]
    secrets: Mapping[str, Path]
    platform: str = ""
    """`linux/amd64`; empty for the machine's own."""
    anew: bool = False
    """Whether no step of an earlier build is used again, so that indexes are asked again."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One of the three; each command fails with BuildFailed."""

    name: str

    def has(self, image: str) -> bool:
        """Whether the image is there already."""
        return _quiet(self.name, *_EXISTS[self.name], image) == 0

    def build(self, order: Order) -> None:
        """Build and tag; what the engine says goes to stderr."""
        # without it podman and buildah would leave the health check out
        flags = [] if self.name == "docker" else ["--format", "docker", "--layers"]
        flags += ["--no-cache"] if order.anew else []
        flags += ["--platform", order.platform] if order.platform else []
        flags += [word for tag in order.tags for word in ("--tag", tag)]
        flags += [word for pair in order.arguments.items() for word in ("--build-arg", "=".join(pair))]
        flags += [
            word for key, file in order.secrets.items() for word in ("--secret", f"id={key},src={file}")
        ]
        self._run("build", *flags, "--file", str(order.context / "Dockerfile"), str(order.context))

    def tag(self, image: str, name: str) -> None:
        """Give an image another name."""
        self._run("tag", image, name)

    def push(self, image: str) -> str:
        """Send it to its registry, with the login that the engine has; its digest there, `sha256:…`.

        podman and buildah compress layers while they send them, so only a push knows the digest.
        """
        if self.name == "docker":
            self._run("push", image)
            return self._pushed_by_docker(image)
        with tempfile.TemporaryDirectory(prefix="lgp-push-") as folder:
            file = Path(folder, "digest")
            self._run("push", "--digestfile", str(file), image)
            return file.read_text().strip() if file.is_file() else ""

    def _pushed_by_docker(self, image: str) -> str:
        """Where it has several registries, that of this one."""
        form = "{{range .RepoDigests}}{{println .}}{{end}}"
        asked = subprocess.run(
            [self.name, "image", "inspect", "--format", form, image],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
        )
        names = (line.partition("@") for line in asked.stdout.split())
        return next((digest for name, _, digest in names if name == image.rpartition(":")[0]), "")

    def _run(self, *arguments: str) -> None:
        environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
        done = subprocess.run(
            [self.name, *arguments], env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False
        )
        if done.returncode != 0:
            message = f"{self.name} {arguments[0]} failed with {done.returncode}: its last lines say why"
            raise BuildFailed(message)


def find_engine(wanted: str = "") -> Engine:
    """The engine of that name, one of NAMES, or the first that is there and answers.

    Raises:
        UsageProblem: there is none.
    """
    for name in [wanted] if wanted else NAMES:
        if shutil.which(name) and _quiet(name, "version") == 0:
            return Engine(name)
    message = (
        f"{wanted} is not installed, or does not answer"
        if wanted
        else "neither docker nor podman nor buildah is there, or its service does not run: install one, "
        "or write the build context for a builder elsewhere with --out DIR"
    )
    raise UsageProblem(message)


def _quiet(*command: str) -> int:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode
