"""From a claimed run to what its graph has to do: decided under the lease, on a state that stands still."""

from functools import cached_property
from typing import Any, cast

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.constants import START
from langgraph.errors import InvalidUpdateError
from langgraph.types import StateSnapshot

from agent_server.core.errors import InvalidInput, LeaseLost, NothingToResume, SelfApproval
from agent_server.core.jsonio import dumps
from agent_server.graphs.execution import Progress, Step, answers_of, is_finished
from agent_server.graphs.pregel import Graph
from agent_server.graphs.registry import LoadedGraph
from agent_server.runs.answers import AcceptedBody, answers_for, waiting
from agent_server.runs.requests import InputBody, ResumeBody, RunConfig, StateBody, stored
from agent_server.storage.runs import Claim, RunStore
from agent_server.storage.saver import run_of_latest_checkpoint

_NOT_EXECUTED = "Not executed: the run ended before this call was made."


class Planner:
    """Decides for one claimed run. `graph` carries the run's own saver."""

    def __init__(
        self,
        store: RunStore,
        claim: Claim,
        loaded: LoadedGraph,
        graph: Graph,
        *,
        forbid_self_approval: bool = False,
    ) -> None:
        self._store = store
        self._claim = claim
        self._loaded = loaded
        self._graph = graph
        self._forbid_self_approval = forbid_self_approval

    async def plan(self) -> Step | Progress:
        """Return the step to execute, or what has come of the run if nothing is left of it.

        Raises:
            NothingToResume, Invalid, SelfApproval: the run is refused and has executed nothing.
            LeaseLost: another process has the run.
        """
        if await self._has_checkpoint():
            return await self._go_on()
        if self._claim.kind == "state":
            return await self._update_state()
        body = self._body
        return await (self._resume(body) if isinstance(body, AcceptedBody) else self._begin(body))

    def seconds(self, most: float) -> float:
        """Return how long the run may take over all its attempts: `most`, or less if its client says so."""
        wanted = None if self._claim.kind == "state" else self._body.config.timeout_seconds
        return most if wanted is None else min(wanted, most)

    @cached_property
    def _body(self) -> InputBody | AcceptedBody:
        """What was asked for, of a run that executes its graph."""
        return stored(AcceptedBody if self._claim.kind == "resume" else InputBody, self._claim.payload)

    async def _has_checkpoint(self) -> bool:
        """Whether an earlier attempt of this run got as far as a checkpoint."""
        if self._claim.attempt == 1:
            return False
        return (
            await run_of_latest_checkpoint(self._store.database, self._claim.thread_key) == self._claim.run_id
        )

    async def _go_on(self) -> Step | Progress:
        """Continue an earlier attempt; what it had finished is not executed again."""
        snapshot = await self._snapshot()
        if self._claim.kind == "state":
            return _progress_of(snapshot)  # its checkpoint is all that there was to be done
        if _is_over(snapshot, self._graph) or await self._is_after_breakpoint(snapshot):
            return _progress_of(snapshot)
        return self._step(None)

    async def _is_after_breakpoint(self, snapshot: StateSnapshot) -> bool:
        """Whether a node that the graph stops after was executed for the newest checkpoint."""
        after, parent = self._graph.interrupt_after_nodes, snapshot.parent_config
        if not after or parent is None or (snapshot.metadata or {}).get("source") != "loop":
            return False
        executed = {task.name for task in (await self._graph.aget_state(parent)).tasks} - {START}
        return bool(executed if after == "*" else executed & set(after))

    async def _update_state(self) -> Progress:
        body = stored(StateBody, self._claim.payload)
        if self._forbid_self_approval and waiting(await self._snapshot()):
            await self._refuse_own()  # what is written may step over the question
        try:
            await self._graph.aupdate_state(self._config(RunConfig()), body.values, as_node=body.as_node)
        except (InvalidUpdateError, TypeError, ValueError) as error:  # also of the graph's own reducers
            msg = "The graph cannot take this update: check 'values', and name a node in 'as_node'."
            raise InvalidInput(msg) from error
        return _progress_of(await self._snapshot())

    async def _begin(self, body: InputBody) -> Step:
        if body.input is not None:
            return self._step(await self._closing(body.input))
        if is_finished(await self._snapshot()):
            raise NothingToResume(self._claim.thread_id)
        return self._step(None)

    async def _resume(self, body: AcceptedBody) -> Step:
        pending = waiting(await self._snapshot())
        if body.accepted:
            left = {key: answer for key, answer in (body.interrupts or {}).items() if key in pending}
            return self._step(answers_of(left) if left else None)
        answers = answers_for(body, self._claim.thread_id, pending)
        if self._forbid_self_approval:
            await self._refuse_own()
        await self._accept(body, answers)
        return self._step(answers_of(answers))

    async def _refuse_own(self) -> None:
        if await self._store.refuse_own(self._claim):
            msg = "Who has brought this thread to its question may not answer it."
            raise SelfApproval(msg)

    async def _accept(self, body: ResumeBody, answers: dict[str, Any]) -> None:
        kept = body.model_dump(exclude={"resume_data"}) | {"interrupts": answers, "accepted": True}
        detail = {"graph": self._claim.graph, "answers": answers}
        if not await self._store.accept_resume(self._claim, dumps(kept).decode(), dumps(detail).decode()):
            msg = "the lease was lost before the answer was recorded"
            raise LeaseLost(msg)

    async def _closing(self, new_input: Any) -> Any:
        """Put an answer before new messages for each tool call that a cut-short run has left open.

        Providers refuse a conversation in which a call has no result.
        """
        if self._claim.last_outcome in {None, "success"} or not isinstance(new_input, dict):
            return new_input
        given = cast("dict[str, Any]", new_input)
        closing = _closing_messages((await self._snapshot()).values) if "messages" in given else []
        if not closing:
            return given
        added: Any = given["messages"]
        more = cast("list[Any]", added) if isinstance(added, list) else [added]
        return {**given, "messages": [*closing, *more]}

    async def _snapshot(self) -> StateSnapshot:
        return await self._graph.aget_state(self._config(RunConfig()), subgraphs=True)

    def _step(self, graph_input: Any) -> Step:
        return Step(
            input=graph_input,
            config=self._config(self._body.config),
            context=self._body.config.context,
            modes=frozenset(self._body.stream_mode),
            subgraphs=self._body.subgraphs,
            durability=self._loaded.durability,
        )

    def _config(self, config: RunConfig) -> RunnableConfig:
        return RunnableConfig(
            configurable={
                **config.configurable,
                "thread_id": str(self._claim.thread_key),
                "checkpoint_ns": "",
            },
            recursion_limit=config.recursion_limit,
            tags=config.tags,
            metadata={**config.metadata, "run_id": str(self._claim.run_id)},
        )


def _is_over(snapshot: StateSnapshot, graph: Graph) -> bool:
    """Whether the run has ended or waits, so that only its outcome was not stored."""
    if is_finished(snapshot):
        return True
    before = graph.interrupt_before_nodes
    if before and (before == "*" or set(before) & set(snapshot.next)):
        return True  # a checkpoint of this run at a breakpoint: it stopped here
    unfinished = [task for task in snapshot.tasks if task.result is None]
    return bool(unfinished) and all(task.interrupts for task in unfinished)


def _progress_of(snapshot: StateSnapshot) -> Progress:
    return Progress(
        values=snapshot.values,
        stopped=not is_finished(snapshot),
        interrupts=list(waiting(snapshot).values()),
    )


def _closing_messages(values: Any) -> list[ToolMessage]:
    """Answer the calls of the last AI message of a state that nobody has answered."""
    state = cast("dict[str, Any]", values) if isinstance(values, dict) else {}
    messages = state.get("messages")
    if not isinstance(messages, list):
        return []
    history = [item for item in cast("list[Any]", messages) if isinstance(item, BaseMessage)]
    answered = {item.tool_call_id for item in history if isinstance(item, ToolMessage)}
    last = next((item for item in reversed(history) if isinstance(item, AIMessage)), None)
    calls = last.tool_calls if last else []
    return [
        ToolMessage(_NOT_EXECUTED, tool_call_id=call["id"], name=call["name"], status="error")
        for call in calls
        if call["id"] and call["id"] not in answered
    ]
