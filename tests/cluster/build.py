"""The programs of a real Kubernetes, built from pinned Go modules and kept outside the repository.

`python -m tests.cluster.build` builds what is missing and says where it is. Each part is kept in a folder
named after the hash of all that goes into it, so a second run, another branch or a CI cache finds it.

    ProgramsError
    ├── GoMissing      there is no Go here: what needs the programs is skipped with this reason
    └── BuildFailed    Go is here and did not build them: what needs the programs fails
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).resolve().parent
VERSION = "v1.36.3"
"""Of Kubernetes: what go.mod pins. Without it in the binary the server calls itself v0.0.0."""

PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
"""The names by which the one binary is called."""

STAGES = (
    "node/fast/node-initialize.yaml",
    "pod/fast/pod-ready.yaml",
    "pod/fast/pod-complete.yaml",
    "pod/fast/pod-delete.yaml",
)
"""What fake nodes do with nodes and pods. The kwok binary brings none of its own."""

CRDS = {
    "github.com/external-secrets/external-secrets": (
        "config/crds/bases",
        ("external-secrets.io_clustersecretstores.yaml", "external-secrets.io_externalsecrets.yaml"),
    ),
    "github.com/prometheus-operator/prometheus-operator": (
        "example/prometheus-operator-crd",
        (
            "monitoring.coreos.com_prometheusrules.yaml",
            "monitoring.coreos.com_servicemonitors.yaml",
        ),
    ),
}
"""Module to its folder of definitions and the files that are used: each one more costs the server 12 MB."""


class ProgramsError(Exception):
    """There are no programs to test with."""


class GoMissing(ProgramsError):
    """There is no Go here: what needs the programs is skipped with this reason."""

    def __init__(self) -> None:
        super().__init__("Go is not on PATH: with it, `make test-cluster` builds Kubernetes from Go modules")


class BuildFailed(ProgramsError):
    """Go is here and did not build them: what needs the programs fails."""

    def __init__(self, command: str, said: str) -> None:
        super().__init__(f"{command}:\n{said}")


@dataclass(frozen=True)
class Programs:
    """Where the programs and files are. All of them are read only and shared by everyone."""

    bin: Path
    """Folder of `etcd`, `kube-apiserver`, `kube-controller-manager`, `kube-scheduler` and `kubectl`."""

    kwok: Path
    stages: Path
    crds: Path
    """Folder of the CustomResourceDefinitions, one YAML file each."""


@dataclass(frozen=True)
class Part:
    """One folder of the cache."""

    name: str
    settings: tuple[str, ...]
    """What goes into it besides the Go files."""

    make: Callable[[Path], None]

    def folder(self, go: str) -> Path:
        """Named after the hash of the Go files, the settings and the Go version."""
        source = SOURCES if self.name == "kube" else SOURCES / self.name
        found = hashlib.sha256(json.dumps([go, self.settings]).encode())
        for file in (*sorted(source.glob("*.go")), source / "go.mod", source / "go.sum"):
            found.update(file.read_bytes())
        return cache() / f"{self.name}-{found.hexdigest()[:16]}"


def programs() -> Programs:
    """The programs; what is missing is built first, which takes ten minutes on two cores.

    Raises:
        GoMissing: there is no Go on PATH.
        BuildFailed: with what Go said.
    """
    go = _go_facts()
    kube, kwok, crds = (_kept(part, part.folder(go)) for part in _parts())
    return Programs(bin=kube, kwok=kwok / "kwok", stages=kwok / "stages.yaml", crds=crds)


def are_built() -> bool:
    """Whether `programs()` would answer at once."""
    try:
        go = _go_facts()
    except GoMissing:
        return False
    return all(part.folder(go).is_dir() for part in _parts())


def _parts() -> tuple[Part, Part, Part]:
    return (
        Part("kube", _link_flags(), _build_kube),
        Part("kwok", STAGES, _build_kwok),
        Part("crds", (json.dumps(CRDS),), _copy_crds),
    )


def cache() -> Path:
    """The folder that a CI job keeps between runs."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "lgp" / "cluster"


def _go_facts() -> str:
    if not shutil.which("go"):
        raise GoMissing
    return _run(SOURCES, "go", "env", "GOVERSION", "GOOS", "GOARCH")


def _link_flags() -> tuple[str, ...]:
    package = "k8s.io/component-base/version"
    major, minor, _ = VERSION.removeprefix("v").split(".")
    values = {"gitVersion": VERSION, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return ("-s", "-w", *(f"-X={package}.{key}={value}" for key, value in values.items()))


def _kept(part: Part, folder: Path) -> Path:
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.parent / "lock"):
        if not folder.is_dir():
            _make(folder, part.make)
    return folder


def _make(folder: Path, make: Callable[[Path], None]) -> None:
    """The folder appears complete or not at all."""
    started = time.monotonic()
    new = Path(tempfile.mkdtemp(prefix="new-", dir=folder.parent))
    try:
        make(new)
        new.chmod(0o755)
        new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    sys.stderr.write(f"{folder.name}: made in {time.monotonic() - started:.0f} s\n")


@contextmanager
def _alone(lock: Path) -> Generator[None, None, None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build_kube(folder: Path) -> None:
    sys.stderr.write(f"building Kubernetes {VERSION}: about ten minutes on two cores, once\n")
    _go_build(SOURCES, folder / "kube", ".", _link_flags())
    for part in PARTS:
        (folder / part).symlink_to("kube")


def _build_kwok(folder: Path) -> None:
    source = SOURCES / "kwok"
    _go_build(source, folder / "kwok", "sigs.k8s.io/kwok/cmd/kwok", ("-s", "-w"))
    stages = _module_folder(source, "sigs.k8s.io/kwok") / "kustomize" / "stage"
    (folder / "stages.yaml").write_text("---\n".join((stages / stage).read_text() for stage in STAGES))


def _copy_crds(folder: Path) -> None:
    for module, (inside, files) in CRDS.items():
        source = _module_folder(SOURCES / "crds", module) / inside
        for file in files:
            shutil.copyfile(source / file, folder / file)


def _go_build(source: Path, target: Path, package: str, flags: tuple[str, ...]) -> None:
    _run(source, "go", "build", "-trimpath", "-ldflags", " ".join(flags), "-o", str(target), package)


def _module_folder(source: Path, module: str) -> Path:
    """Where the module's files are, fetched and held to go.sum."""
    return Path(json.loads(_run(source, "go", "mod", "download", "-json", module))["Dir"])


def _run(source: Path, *command: str) -> str:
    """Run it there, below everyone else's priority; return what it printed."""
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"}
    done = subprocess.run(
        ("nice", "-n", "5", *command),
        cwd=source,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise BuildFailed(" ".join(command), done.stderr[-4000:])
    return done.stdout


def main() -> int:
    """Build what is missing. Where there is no Go, say so and leave it to the tests to be skipped."""
    try:
        found = programs()
    except GoMissing as problem:
        sys.stderr.write(f"{problem}\n")
        return 0
    except BuildFailed as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    sys.stdout.write(f"Kubernetes {VERSION}: {found.bin}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
