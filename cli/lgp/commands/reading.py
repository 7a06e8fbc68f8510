"""The verbs that look at threads and runs, and the few that change them."""

from typing import Annotated, Any

import typer

import langgraph_client as api
from lgp.inputs import read_json
from lgp.output import Machine, document, json_line, out, table
from lgp.remote import Key, Url, connected
from lgp.results import show_questions

Graph = Annotated[str, typer.Argument(help="One of `lgp graphs`.")]
ThreadId = Annotated[str, typer.Argument(help="The thread.")]
Limit = Annotated[int, typer.Option(min=1, max=100, help="How many at most.")]
Offset = Annotated[int, typer.Option(min=0, help="How many to skip.")]
Status = Annotated[str, typer.Option(show_default=False, help="Only those in this status.")]


def threads(
    *,
    graph: Annotated[str, typer.Option(show_default=False, help="Only those of this graph.")] = "",
    status: Status = "",
    delete: Annotated[str, typer.Option(metavar="THREAD", show_default=False, help="Delete this one.")] = "",
    limit: Limit = 20,
    offset: Offset = 0,
    url: Url = "",
    key: Key = "",
    machine: Machine = False,
) -> None:
    """List your threads, or delete one with everything it holds."""
    wanted: dict[str, Any] = {"graph": graph or None, "status": status or None}
    with connected(url, key) as client:
        if delete:
            client.delete_thread(delete)
            _tell({"deleted": delete}, f"deleted thread {delete}", machine=machine)
            return
        page = client.threads(limit=limit, offset=offset, **wanted)
    if machine:
        json_line({"threads": page.items, "total": page.total})
        return
    rows = [[one.thread_id, one.graph or "", one.status, _time(one.updated_at)] for one in page]
    table(["thread", "graph", "status", "updated"], rows, page.total)


def runs(
    graph: Graph,
    run_id: Annotated[str, typer.Argument(metavar="[RUN]", show_default=False, help="Show this one.")] = "",
    *,
    thread: Annotated[str, typer.Option(show_default=False, help="Only those of this thread.")] = "",
    status: Status = "",
    wait: Annotated[float, typer.Option(min=0, max=60, help="Seconds to wait for the run's end.")] = 0,
    limit: Limit = 20,
    offset: Offset = 0,
    url: Url = "",
    key: Key = "",
    machine: Machine = False,
) -> None:
    """List the runs of a graph, newest first, or show one."""
    wanted: dict[str, Any] = {"thread_id": thread or None, "status": status or None}
    with connected(url, key) as client:
        if run_id:
            _show(client.get_run(graph, run_id, wait=wait), machine=machine)
            return
        page = client.runs(graph, limit=limit, offset=offset, **wanted)
    if machine:
        json_line({"runs": page.items, "total": page.total})
        return
    rows = [[one.run_id, one.thread_id, one.status, _time(one.created_at), _fault(one)] for one in page]
    table(["run", "thread", "status", "created", "error"], rows, page.total)


def cancel(
    graph: Graph,
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run.")],
    *,
    url: Url = "",
    key: Key = "",
    machine: Machine = False,
) -> None:
    """Stop a run."""
    with connected(url, key) as client:
        run = client.cancel(graph, run_id)
    _tell(run, f"run {run.run_id} is {run.status}", machine=machine)


def state(
    graph: Graph,
    thread: ThreadId,
    *,
    update: Annotated[
        str, typer.Option(metavar="JSON | @FILE | -", show_default=False, help="Write these values first.")
    ] = "",
    as_node: Annotated[str, typer.Option(show_default=False, help="With --update: as if by this node.")] = "",
    url: Url = "",
    key: Key = "",
    machine: Machine = False,
) -> None:
    """Show the state of a thread and what it waits for."""
    with connected(url, key) as client:
        if update:
            found = client.update_state(graph, thread, read_json(update), as_node or None)
        else:
            found = client.get_state(graph, thread)
    if machine:
        json_line(found)
        return
    document(found.values)
    if found.interrupts:
        show_questions(graph, thread, found.interrupts)
    elif found.next:
        out().print(f"[dim]next: {', '.join(found.next)}[/dim]")


def history(
    graph: Graph,
    thread: ThreadId,
    *,
    limit: Limit = 10,
    before: Annotated[str, typer.Option(show_default=False, help="Only those older than this id.")] = "",
    url: Url = "",
    key: Key = "",
    machine: Machine = False,
) -> None:
    """List the states a thread went through, newest first."""
    with connected(url, key) as client:
        found = client.history(graph, thread, limit=limit, before=before or None)
    if machine:
        json_line({"history": found})
        return
    rows = [[_checkpoint(one), _time(one.created_at), _step(one), ", ".join(one.next)] for one in found]
    table(["checkpoint", "created", "step", "next"], rows, len(found))


def _show(run: api.Run, *, machine: bool) -> None:
    if machine:
        json_line(run)
    else:
        document(run)


def _tell(value: Any, line: str, *, machine: bool) -> None:
    if machine:
        json_line(value)
    else:
        out().print(line, markup=False)


def _time(value: Any) -> str:
    return "" if value is None else value.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _fault(run: api.Run) -> str:
    return "" if run.error is None else run.error.code


def _checkpoint(state: api.State) -> str:
    return "" if state.checkpoint is None else state.checkpoint.checkpoint_id


def _step(state: api.State) -> str:
    return str((state.metadata or {}).get("step", ""))
