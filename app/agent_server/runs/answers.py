"""Resuming: which interrupts wait, and whether what a client sent answers them."""

from collections.abc import Iterator
from typing import Any

from langgraph.types import Interrupt, StateSnapshot

from agent_server.core.errors import Invalid, NothingToResume, SeveralInterrupts, UnknownInterrupt
from agent_server.graphs.checks import check_answer
from agent_server.runs.requests import ResumeBody


class AcceptedBody(ResumeBody):
    """The body of a resume as its run keeps it once the answers fit: each has its interrupt's id."""

    accepted: bool = False


def waiting(snapshot: StateSnapshot) -> dict[str, Interrupt]:
    """Return by id the interrupts that wait for an answer.

    Of a subgraph its own word counts: while its node goes on after an answer, the parent still shows
    the interrupt as unanswered.
    """
    return {interrupt.id: interrupt for interrupt in _waiting(snapshot)}


def answers_for(body: ResumeBody, thread_id: str, pending: dict[str, Interrupt]) -> dict[str, Any]:
    """Return the answers by interrupt id.

    Raises:
        NothingToResume: nothing waits.
        SeveralInterrupts: several wait and the body does not say which it answers.
        UnknownInterrupt: an answer for an interrupt that does not wait.
        InvalidAnswer: an answer does not fit its interrupt's response schema.
    """
    if not pending:
        raise NothingToResume(thread_id)
    answers = body.interrupts if body.interrupts is not None else _only(body, pending)
    if not answers:
        msg = "'interrupts' names no interrupt."
        raise UnknownInterrupt(msg, waiting=sorted(pending))
    for interrupt_id, answer in answers.items():
        if interrupt_id not in pending:
            msg = f"No interrupt {interrupt_id!r} waits on this thread."
            raise UnknownInterrupt(msg, waiting=sorted(pending))
        check_answer(interrupt_id, answer, pending[interrupt_id].response_schema)
    return answers


def check_form(body: ResumeBody) -> None:
    """Raise Invalid unless the body has exactly one of its two forms."""
    if ("resume_data" in body.model_fields_set) == (body.interrupts is not None):
        msg = "The body must have either 'resume_data' or 'interrupts'."
        raise Invalid(msg, errors=[{"field": "resume_data", "message": msg}])


def _only(body: ResumeBody, pending: dict[str, Interrupt]) -> dict[str, Any]:
    if len(pending) > 1:
        msg = "Several interrupts wait: answer them by id in 'interrupts'."
        raise SeveralInterrupts(msg, waiting=sorted(pending))
    return {next(iter(pending)): body.resume_data}


def _waiting(snapshot: StateSnapshot) -> Iterator[Interrupt]:
    for task in snapshot.tasks:
        if isinstance(task.state, StateSnapshot):
            yield from _waiting(task.state)
        else:
            yield from task.interrupts
