# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# reason: pulumi's monitor protocol is untyped protobuf
"""A resource monitor that writes down what a program declares, and creates nothing."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime import mocks
from pulumi.runtime.config import set_all_config
from pulumi.runtime.settings import set_root_resource
from pulumi.runtime.stack import run_in_stack

from lgp.planning.placeholders import outputs_of
from lgp.planning.values import from_wire

STACK = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Resource:
    """One registered resource; its `inputs` may hold `values.Secret`."""

    urn: str
    type: str
    name: str
    parent: str | None
    """The parent's URN; None under the stack itself."""
    provider: str | None
    """The URN of the provider instance that was chosen; None for a component or a default provider."""
    custom: bool
    protect: bool
    inputs: dict[str, Any]
    depends_on: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    ignore_changes: tuple[str, ...] = ()
    delete_before_replace: bool = False
    deleted_with: str | None = None
    additional_secret_outputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recording:
    """What a program declared: resources in the order of their URNs, and the stack's outputs."""

    project: str
    stack: str
    resources: tuple[Resource, ...]
    outputs: dict[str, Any]
    duplicates: tuple[str, ...] = ()
    """URNs that were registered more than once; the engine refuses those."""

    def of_type(self, type_: str) -> list[Resource]:
        """All resources of a type token."""
        return [resource for resource in self.resources if resource.type == type_]

    def named(self, name: str, type_: str | None = None) -> Resource:
        """The one resource of that name (and type); LookupError if there is none, or several."""
        found = [r for r in self.resources if r.name == name and type_ in (None, r.type)]
        if len(found) != 1:
            message = f"{len(found)} resources are named {name}"
            raise LookupError(message)
        return found[0]

    def by_urn(self, urn: str | None) -> Resource | None:
        """The resource of that URN."""
        return next((resource for resource in self.resources if resource.urn == urn), None)


class _Outputs(mocks.Mocks):
    """What the cloud would answer: typed placeholders; calls to it are refused."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """An id and properties."""
        return outputs_of(args.typ, args.name, args.inputs)

    def call(self, args: mocks.MockCallArgs) -> Any:
        """Refuse: a graph that needs answers cannot be planned offline."""
        message = f"{args.token}: a plan makes no calls to a cloud"
        raise NotImplementedError(message)


@dataclass
class _Notes:
    resources: dict[str, Resource] = field(default_factory=dict[str, Resource])
    duplicates: list[str] = field(default_factory=list[str])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])


class RecordingMonitor(mocks.MockMonitor):
    """Pulumi's mock monitor, which forgets parents, protection, providers and aliases, made to keep them."""

    def __init__(self) -> None:
        """Nothing is noted yet."""
        super().__init__(_Outputs())
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

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802  # the protocol's name
        """Keep the stack's own."""
        if f"::{STACK}::" in request.urn:
            self.notes.outputs = from_wire(request.outputs)
        return empty_pb2.Empty()

    def _note(self, request: Any) -> None:
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
            aliases=tuple(sorted(alias.urn or alias.spec.name for alias in request.aliases)),
            ignore_changes=tuple(request.ignoreChanges),
            delete_before_replace=request.deleteBeforeReplace,
            deleted_with=request.deletedWith or None,
            additional_secret_outputs=tuple(request.additionalSecretOutputs),
        )


Program = Callable[[], Awaitable[None] | None]


def record(
    program: Program,
    *,
    stack: str = "test",
    project: str = "langgraph-platform",
    config: Mapping[str, Any] | None = None,
    secret_keys: tuple[str, ...] = (),
) -> Recording:
    """Run a program and return what it declared; what it raises is raised.

    `config` has full keys (`project:platform`); values that are no strings go as JSON, as with the CLI.
    """
    return copy_context().run(_record, program, stack, project, dict(config or {}), secret_keys)


def _record(
    program: Program, stack: str, project: str, config: dict[str, Any], secret_keys: tuple[str, ...]
) -> Recording:
    monitor = RecordingMonitor()
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    set_all_config(texts, list(secret_keys))
    with _event_loop() as loop:
        mocks.set_mocks(monitor.mocks, project, stack, preview=True, monitor=monitor)
        set_root_resource(None)  # pyright: ignore[reportArgumentType]  # the program's own stack takes its place
        loop.run_until_complete(run_in_stack(program))
    notes = monitor.notes
    ordered = tuple(notes.resources[urn] for urn in sorted(notes.resources))
    return Recording(project, stack, ordered, notes.outputs, tuple(sorted(notes.duplicates)))


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
        loop.set_default_executor(thread)
        try:
            yield loop
        finally:
            set_root_resource(None)  # pyright: ignore[reportArgumentType]  # nothing reaches the next run
            asyncio.set_event_loop(None)
