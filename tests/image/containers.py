"""buildah and podman with a storage of their own, and a stand-in for the base image."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

CACHE = Path.home() / ".cache" / "lgp" / "image"
PROGRAMS = ("buildah", "podman", "runc", "debootstrap")
PACKAGES = "python3,python3-pip,python3-venv,ca-certificates,netbase,tzdata"
STAND_IN = "localhost/lgp-stand-in"
LIMITS = '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]\n'
ENGINE = '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
BUILD_SECONDS = 900


def missing_program() -> str | None:
    """The first program that the tests need and this machine has not."""
    search = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return next((name for name in PROGRAMS if shutil.which(name, path=search) is None), None)


@dataclass(frozen=True)
class Engines:
    """The two programs, in an environment where they need no systemd, network bridge or registry."""

    environment: dict[str, str]

    def run(self, *command: str, check: bool = True, seconds: float = BUILD_SECONDS) -> str:
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False, timeout=seconds
        )
        if check and done.returncode != 0:
            tail = f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
            said = f"{' '.join(command)} ended with {done.returncode}\n{tail}"
            raise AssertionError(said)
        return done.stdout

    def code(self, *command: str) -> int:
        return subprocess.run(command, env=self.environment, capture_output=True, check=False).returncode


def open_engines(cache: Path = CACHE) -> Engines:
    """The engines, with overlay where the file system can, else with vfs."""
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "containers.conf").write_text(LIMITS + ENGINE)
    environment = dict(os.environ)
    environment |= {"CONTAINERS_STORAGE_CONF": str(cache / "storage.conf"), "BUILDAH_ISOLATION": "chroot"}
    environment |= {"CONTAINERS_CONF": str(cache / "containers.conf"), "LC_ALL": "C.UTF-8"}
    engines = Engines(environment)
    for driver in ("overlay", "vfs"):
        roots = f'graphroot = "{cache}/{driver}"\nrunroot = "{cache}/{driver}-run"\n'
        (cache / "storage.conf").write_text(f'[storage]\ndriver = "{driver}"\n{roots}')
        if engines.code("buildah", "images") == 0:
            return engines
    message = "neither overlay nor vfs works as storage of buildah"
    raise AssertionError(message)


def stand_in_base(engines: Engines, cache: Path = CACHE) -> str:
    """The stand-in's name by digest; bootstrapped when it is not there."""
    tag = f"{STAND_IN}:{sha256(PACKAGES.encode()).hexdigest()[:12]}"
    if engines.code("podman", "image", "exists", tag) != 0:
        _make_base(engines, tag, cache / "rootfs")
    digest = engines.run("podman", "image", "inspect", "--format", "{{.Digest}}", tag).strip()
    return f"{STAND_IN}@{digest}"


def _make_base(engines: Engines, tag: str, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    engines.run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(folder))
    # as the official image has it: `python`, and no downloaded packages
    (folder / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    for leftover in (folder / "var/cache/apt/archives").glob("*.deb"):
        leftover.unlink()
    container = engines.run("buildah", "from", "scratch").strip()
    engines.run("tar", "-C", str(folder), "-c", "-f", f"{folder}.tar", ".")
    engines.run("buildah", "add", container, f"{folder}.tar", "/")
    path = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
    engines.run("buildah", "config", "--env", f"PATH={path}", "--cmd", "python", container)
    engines.run("buildah", "commit", "--format", "docker", "--rm", container, tag)
    shutil.rmtree(folder)
    Path(f"{folder}.tar").unlink()
