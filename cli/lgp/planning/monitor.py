# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# reason: pulumi's monitor protocol is untyped protobuf
"""A resource monitor that writes down what a program declares, and creates nothing."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from logging import Logger
from typing import Any

import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime import mocks
from pulumi.runtime.config import set_all_config
from pulumi.runtime.settings import SETTINGS, set_root_resource
from pulumi.runtime.stack import run_in_stack

from lgp.errors import PlanFailed
from lgp.planning.placeholders import outputs_of
from lgp.planning.recording import Recording, Resource
from lgp.planning.wire import from_wire

__all__ = ["CloudAsked", "Program", "Recording", "RecordingMonitor", "Resource", "record"]

STACK = "pulumi:pulumi:Stack"
REFERENCE = "pulumi:pulumi:StackReference"

_NOT_RUN = "a plan runs no transforms: what they change is in `pulumi preview` alone"


class CloudAsked(PlanFailed):
    """The program needs an answer of a cloud while it builds its graph."""


class _Outputs(mocks.Mocks):
    """What the cloud would answer: typed placeholders; calls to it are refused."""

    def __init__(self, stacks: Mapping[str, Mapping[str, Any]]) -> None:
        self.stacks = stacks

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """An id and properties; of another stack the outputs that are known of it."""
        if args.typ == REFERENCE:
            name = str(args.inputs["name"])
            return name, {"name": name, "outputs": self._of_stack(name), "secretOutputNames": []}
        return outputs_of(args.typ, args.name, args.inputs)

    def call(self, args: mocks.MockCallArgs) -> Any:
        """Refuse: a graph that needs answers cannot be planned offline."""
        message = f"{args.token}: a plan asks no cloud; take the value from the stack's config"
        raise CloudAsked(message)

    def _of_stack(self, name: str) -> dict[str, Any]:
        if name not in self.stacks:
            message = f"{name}: a plan reads no other stack; take the value from the stack's config"
            raise CloudAsked(message)
        return dict(self.stacks[name])


@dataclass
class _Notes:
    resources: dict[str, Resource] = field(default_factory=dict[str, Resource])
    duplicates: list[str] = field(default_factory=list[str])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])

    def recording(self, project: str, stack: str) -> Recording:
        """All of it, in the order of the URNs: that of the calls is chance."""
        ordered = tuple(self.resources[urn] for urn in sorted(self.resources))
        return Recording(project, stack, ordered, self.outputs, tuple(sorted(self.duplicates)))


class RecordingMonitor(mocks.MockMonitor):
    """Pulumi's mock monitor, which forgets parents, protection, providers and aliases, made to keep them."""

    def __init__(self, stacks: Mapping[str, Mapping[str, Any]]) -> None:
        """Nothing is noted yet; `stacks` are the outputs of other stacks, by their names."""
        super().__init__(_Outputs(stacks))
        self.notes = _Notes()

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """As the engine makes it: with the types of all ancestors but the stack."""
        ancestors = parent.split("::")[2] if parent else STACK
        qualified = type_ if ancestors == STACK else f"{ancestors}${type_}"
        return "::".join([f"urn:pulumi:{pulumi.get_stack()}", pulumi.get_project(), qualified, name])

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # the protocol's name
        """Note it, and answer as the mock does."""
        if request.type != STACK:
            self._note(request)
        return super().RegisterResource(request)

    def RegisterStackTransform(self, request: Any) -> Any:  # noqa: N802  # the protocol's name
        """Say that it is not run: only the engine does."""
        pulumi.log.warn(_NOT_RUN)
        return super().RegisterStackTransform(request)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802  # the protocol's name
        """Keep the stack's own."""
        if f"::{STACK}::" in request.urn:
            self.notes.outputs = from_wire(request.outputs)
        return empty_pb2.Empty()

    def _note(self, request: Any) -> None:
        if request.transforms:
            pulumi.log.warn(_NOT_RUN)
        urn = self.make_urn(request.parent, request.type, request.name)
        if urn in self.notes.resources:
            self.notes.duplicates.append(urn)
        parent = request.parent if request.parent and f"::{STACK}::" not in request.parent else None
        self.notes.resources[urn] = Resource(
            urn=urn,
            type=request.type,
            name=request.name,
            parent=parent,
            provider=request.provider.rsplit("::", 1)[0] or None,
            custom=request.custom,
            protect=request.protect,
            inputs=from_wire(request.object),
            depends_on=tuple(sorted(request.dependencies)),
            references={
                key: tuple(sorted(found.urns))
                for key, found in sorted(request.propertyDependencies.items())
                if found.urns
            },
            aliases=self._aliases(request),
            ignore_changes=tuple(request.ignoreChanges),
            delete_before_replace=request.deleteBeforeReplace,
            deleted_with=request.deletedWith or None,
            additional_secret_outputs=tuple(request.additionalSecretOutputs),
        )

    def _aliases(self, request: Any) -> tuple[str, ...]:
        """All earlier URNs: by its own aliases, by those of its ancestors, and by both."""
        found = {alias.urn for alias in request.aliases if alias.urn}
        for alias in request.aliases:
            if not alias.urn:
                found |= set(self._urns_of(alias.spec, request))
        parent = self.notes.resources.get(request.parent)
        for earlier in parent.aliases if parent else ():
            found.add(self.make_urn(earlier, request.type, _renamed(request.name, request.parent, earlier)))
        return tuple(sorted(found))

    def _urns_of(self, spec: Any, request: Any) -> Generator[str, None, None]:
        """The URNs one alias stands for; where it names no parent, under every earlier one of the parent."""
        type_ = spec.type or request.type
        if spec.noParent or spec.parentUrn:
            yield self.make_urn("" if spec.noParent else spec.parentUrn, type_, spec.name or request.name)
            return
        yield self.make_urn(request.parent, type_, spec.name or request.name)
        parent = self.notes.resources.get(request.parent)
        for earlier in parent.aliases if parent else ():
            name = spec.name or _renamed(request.name, request.parent, earlier)
            yield self.make_urn(earlier, type_, name)


def _renamed(name: str, parent: str, earlier: str) -> str:
    """A child named after its parent was named after the parent's earlier name, as the engine has it."""
    now, before = parent.rsplit("::", 1)[-1], earlier.rsplit("::", 1)[-1]
    return before + name.removeprefix(now) if name.startswith(now) else name


Program = Callable[[], Awaitable[None] | None]


def record(  # noqa: PLR0913  # each has a default, and a caller names those it needs
    program: Program,
    *,
    stack: str = "test",
    project: str = "langgraph-platform",
    config: Mapping[str, Any] | None = None,
    secret_keys: tuple[str, ...] = (),
    logger: Logger | None = None,
    stacks: Mapping[str, Mapping[str, Any]] | None = None,
) -> Recording:
    """Run a program and return what it declared; what it raises is raised.

    `config` has full keys (`project:platform`); values that are no strings go as JSON, as with the CLI.
    `pulumi.log` writes to `logger`. `stacks` has the outputs of other stacks, which a program may read.
    """
    texts = {key: _as_text(value) for key, value in (config or {}).items()}
    monitor = RecordingMonitor(stacks or {})

    def run() -> None:
        set_all_config(texts, list(secret_keys))
        with _event_loop() as loop:
            _forget()
            mocks.set_mocks(monitor.mocks, project, stack, preview=True, logger=logger, monitor=monitor)
            set_root_resource(None)  # pyright: ignore[reportArgumentType]  # the program's own stack takes its place
            loop.run_until_complete(run_in_stack(program))

    copy_context().run(run)
    shown = {key: value for key, value in (config or {}).items() if key not in secret_keys}
    return replace(monitor.notes.recording(project, stack), config=shown)


def _as_text(value: Any) -> str:
    """As the engine hands config to a program: keys of an object in order."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)


def _forget() -> None:
    """Drop what an earlier program left: one that failed leaves its tasks, on a loop that is closed."""
    settings: Any = SETTINGS
    settings.rpc_manager.clear()
    settings.outputs.clear()


@contextmanager
def _event_loop() -> Generator[asyncio.AbstractEventLoop, None, None]:
    """A loop whose calls to the monitor run in one thread, so in a stable order; all of it closed at the end.

    The mock monitor awaits in the thread that calls it, so that thread has a loop of its own.
    """
    with (
        closing(asyncio.new_event_loop()) as loop,
        closing(asyncio.new_event_loop()) as inner,
        ThreadPoolExecutor(1, initializer=asyncio.set_event_loop, initargs=(inner,)) as thread,
    ):
        asyncio.set_event_loop(loop)
        # what waited for what failed would complain too, task by task; the program's end tells the cause
        loop.set_exception_handler(_say_nothing)
        loop.set_default_executor(thread)
        try:
            yield loop
        finally:
            set_root_resource(None)  # pyright: ignore[reportArgumentType]  # nothing reaches the next run
            asyncio.set_event_loop(None)


def _say_nothing(_: asyncio.AbstractEventLoop, __: dict[str, Any]) -> None:
    """An event loop's handler of exceptions that no task asked for."""
