"""A Pulumi engine with a home, a backend and a PATH of its own, and one program in it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from engine.echo_outputs import STATEFUL
from engine.state import State
from pulumi import automation
from pulumi.automation.events import EngineEvent, OpType, StepEventMetadata

ROOT = Path(__file__).resolve().parents[2]
ENGINE_SECONDS = 900
"""Of one test: an operation on a whole stack takes some ten seconds, several times that on a busy machine."""
CANARY = "canary-of-a-model-key-0123456789"
"""A secret of the stack's configuration that may be read nowhere but in the cluster's Secret."""
PASSPHRASE = "no secret: a passphrase of tests"
ECHOED = ("aws", "docker-build", "kubernetes")
"""Packages that the echo provider plays; it claims the version of the SDK."""
PROJECT_FILES = ("__main__.py", "Pulumi.yaml", "app", "components")
"""What a stack program needs of the repository: itself, the components, and the image's build context."""
_DERIVED = ("__pycache__", "*.egg-info", "venv")


def missing() -> str | None:
    """Why no engine can be started here; None if one can."""
    absent = [name for name in ("pulumi", "pulumi-language-python") if shutil.which(name) is None]
    return f"not on PATH: {', '.join(absent)}; tests/engine/README.md says how to get it" if absent else None


@dataclass
class Told:
    """What the engine told about one operation: all its text, and its events in order."""

    lines: list[str] = field(default_factory=list)
    events: list[EngineEvent] = field(default_factory=list)

    def arguments(self) -> dict[str, Any]:
        """To be passed to any operation of a stack."""
        return {"on_output": self.lines.append, "on_error": self.lines.append, "on_event": self.events.append}

    def text(self) -> str:
        """Everything a person would see, and the messages of all events."""
        messages = [event.diagnostic_event.message for event in self.events if event.diagnostic_event]
        return "\n".join([*self.lines, *messages])

    def steps(self) -> list[StepEventMetadata]:
        """What was begun, in order, or in a preview would be; without what stays the same."""
        begun = [event.resource_pre_event.metadata for event in self.events if event.resource_pre_event]
        return [step for step in begun if step.op != OpType.SAME]

    def names(self, op: OpType) -> set[str]:
        """Logical names of what that was done to."""
        return {step.urn.split("::", 3)[3] for step in self.steps() if step.op == op}

    def changes(self) -> list[str]:
        """`replace kms:Key database` and so on, for a message."""
        return [f"{step.op.value} {step.type} {step.urn.split('::', 3)[3]}" for step in self.steps()]

    def lost(self) -> list[str]:
        """The steps that would take away, or make anew, something that holds data."""
        mild = {OpType.UPDATE, OpType.REFRESH}
        return [f"{s.op.value} {s.urn}" for s in self.steps() if s.type in STATEFUL and s.op not in mild]

    def moments(self) -> list[tuple[str, str]]:
        """`begun` and `done` with URNs, in the order of the events: for what is deleted."""
        found: list[tuple[str, str]] = []
        for event in self.events:
            for word, told in (("begun", event.resource_pre_event), ("done", event.res_outputs_event)):
                if told and told.metadata.op == OpType.DELETE:
                    found.append((word, told.metadata.urn))
        return found


@dataclass(frozen=True)
class World:
    """A folder with everything in it: a copy of the folder is a copy of the world, but for real clusters."""

    base: Path
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def program(self) -> Path:
        return self.base / "program"

    def variables(self) -> dict[str, str]:
        """The environment of the engine: nothing of this machine's accounts and clusters gets in."""
        return {
            "AWS_EC2_METADATA_DISABLED": "true",
            "KUBECONFIG": "/dev/null",
            "PATH": os.pathsep.join([str(self.base / "plugins"), os.environ["PATH"]]),
            "PULUMI_BACKEND_URL": f"file://{self.base / 'backend'}",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_HOME": str(self.base / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            # the components as they were copied: an edit of the repository meanwhile is no drift
            "PYTHONPATH": str(self.program / "components"),
            **self.env,
        }

    def stack(self, name: str) -> automation.Stack:
        """The stack of that name in this world, made if it is not there yet."""
        options = automation.LocalWorkspaceOptions(
            env_vars=self.variables(),
            pulumi_home=str(self.base / "home"),
            secrets_provider="passphrase",
            pulumi_command=automation.PulumiCommand(skip_version_check=True),
        )
        return automation.create_or_select_stack(name, work_dir=str(self.program), opts=options)

    def pulumi(self, *arguments: str) -> str:
        """What the command line prints on stdout. Raises CalledProcessError, with stderr, if it fails."""
        command = ["pulumi", "--non-interactive", "--cwd", str(self.program), *arguments]
        env = {**os.environ, **self.variables()}
        return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout

    def exported(self, stack: str) -> str:
        """The state as `pulumi stack export` prints it: secrets encrypted."""
        return self.pulumi("stack", "export", "--stack", stack)

    def state(self, stack: str) -> State:
        """The same, to be asked."""
        return State(json.loads(self.exported(stack)))

    def copy(self, to: Path) -> "World":
        """Another world in which the same has happened."""
        shutil.copytree(self.base, to, symlinks=True)
        return World(to, self.env)


@dataclass(frozen=True)
class Deployed:
    """A stack of this repository after its first `up`."""

    name: str
    world: World
    told: Told
    outputs: automation.OutputMap

    def copy(self, to: Path) -> "Deployed":
        """The same in a world of its own, to be changed."""
        return replace(self, world=self.world.copy(to))

    def stack(self) -> automation.Stack:
        return self.world.stack(self.name)

    def state(self) -> State:
        return self.world.state(self.name)


def new_world(base: Path, *, echoed: tuple[str, ...] = ECHOED, env: Mapping[str, str] | None = None) -> World:
    """An empty world with echo providers for `echoed`, and for `random` unless the real one is on PATH."""
    for folder in ("program", "backend", "home", "plugins"):
        (base / folder).mkdir(parents=True)
    absent = () if shutil.which("pulumi-resource-random") else ("random",)
    for package in {*echoed, *absent}:
        _write_plugin(base / "plugins", package)
    return World(base, dict(env or {}))


def _write_plugin(folder: Path, package: str) -> None:
    claimed = version(f"pulumi-{package}")
    path = folder / f"pulumi-resource-{package}"
    module = f"PYTHONPATH={ROOT / 'tests'} exec {sys.executable} -m engine.echo {package} {claimed}"
    path.write_text(f"#!/bin/sh\n{module}\n")
    path.chmod(0o755)


def with_project(world: World, stack: str) -> World:
    """The world with this repository's stack program and the settings of one of its stacks."""
    for name in PROJECT_FILES:
        source, target = ROOT / name, world.program / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns(*_DERIVED))
        else:
            shutil.copy2(source, target)
    return _with_environment(world, stack)


def _with_environment(world: World, stack: str) -> World:
    settings = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
    for key in ("secretsprovider", "encryptedkey", "encryptionsalt"):  # the world has its own passphrase
        settings.pop(key, None)
    (world.program / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(settings))
    (world.program / ".venv").symlink_to(Path(sys.prefix))
    return world


def with_program(world: World, name: str) -> World:
    """The world with one of the small programs in `tests/engine/programs`."""
    shutil.copytree(Path(__file__).parent / "programs" / name, world.program, dirs_exist_ok=True)
    (world.program / ".venv").symlink_to(Path(sys.prefix))
    return world


def with_example(world: World, name: str) -> World:
    """The world with one of the programs in `examples`, and the components where it looks for them.

    One with packages is installed as its reader would do it, from the registries: that takes a minute.
    """
    derived = shutil.ignore_patterns(*_DERIVED, "node_modules", "sdks", "bin")
    shutil.copytree(ROOT / "components", world.base / "components", ignore=derived)
    shutil.copytree(ROOT / "examples" / name, world.base / "examples" / name, ignore=derived)
    world.program.rmdir()
    world.program.symlink_to(Path("examples") / name)
    if "packages" in yaml.safe_load((world.program / "Pulumi.yaml").read_text()):
        world.pulumi("install")
    else:
        (world.program / ".venv").symlink_to(Path(sys.prefix))
        world = replace(world, env={**world.env, "PYTHONPATH": str(world.base / "components")})
    return world


def with_plugin(world: World) -> World:
    """The world with the components beside the program, as a plugin that has an environment."""
    folder = world.program / "components"
    shutil.copytree(ROOT / "components", folder, ignore=shutil.ignore_patterns(*_DERIVED))
    (folder / "venv").symlink_to(Path(sys.prefix))  # where a Python plugin has it unless told otherwise
    return world
