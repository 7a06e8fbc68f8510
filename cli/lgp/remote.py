"""The server over HTTP, as `langgraph_client` sees it, with failures in the terms of the command line."""

from collections.abc import Generator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer

import langgraph_client as api
from lgp.errors import CannotConnect, LgpError, NotFound, Refused, RunFailed, TimeIsOver, UsageProblem
from lgp.paths import BUNDLED_CONFIG
from lgp.shapes import a_list, an_object
from lgp.state import clone_state

DEFAULT_URL = "http://127.0.0.1:8000"
Url = Annotated[
    str, typer.Option(envvar="LGP_URL", show_default=False, help="The server; else the running `lgp up`.")
]
Key = Annotated[
    str, typer.Option(envvar="LGP_API_KEY", show_default=False, help="API key, where one is needed.")
]
Timeout = Annotated[float, typer.Option(min=0.1, help="Seconds to wait for the end of a run.")]
WAIT_SECONDS = 300.0


@contextmanager
def connected(
    url: str, key: str, timeout: float = WAIT_SECONDS
) -> Generator[api.SyncLangGraphClient, None, None]:
    """A client of the server that was asked for, else of the running `lgp up`, else of the usual address.

    A server that does not answer at all is told at once; one that goes away later is waited for.
    """
    address = url or running_url() or DEFAULT_URL
    try:
        with api.SyncLangGraphClient(address, key or None, timeout=timeout) as client:
            client.health()
            yield client
    except api.LangGraphError as error:
        raise translated(error, address) from error
    except ValueError as error:
        raise UsageProblem(str(error)) from error


def running_url() -> str | None:
    """Where the running `lgp up` of this clone serves."""
    record = clone_state().read()
    return None if record is None else record.url


def running_config() -> Path:
    """The langgraph.json it serves; the bundled one if none runs."""
    record = clone_state().read()
    return BUNDLED_CONFIG if record is None else Path(record.config)


def translated(error: api.LangGraphError, address: str) -> LgpError:
    """The same failure with the exit code it has here."""
    if isinstance(error, api.ApiError):
        return _of_answer(error)
    if isinstance(error, api.TimedOut):
        return TimeIsOver(f"{error}; it goes on: `lgp runs`", run_id=error.run_id)
    if isinstance(error, api.ConnectionFailed):
        return CannotConnect(f"nothing answers at {address}: start it with `make up`, or give --url")
    return LgpError(str(error))


_KINDS: tuple[tuple[tuple[type[api.ApiError], ...], type[LgpError]], ...] = (
    ((api.RunFailed, api.RunTimedOut, api.RunCancelled), RunFailed),
    ((api.NotFound,), NotFound),
    ((api.BadRequest,), UsageProblem),
    ((api.TooMany,), Refused),
    ((api.Unavailable,), CannotConnect),
    ((api.Conflict, api.Unauthenticated, api.Forbidden), Refused),
)


def _of_answer(error: api.ApiError) -> LgpError:
    kind = next((ours for theirs, ours in _KINDS if isinstance(error, theirs)), LgpError)
    body = an_object(error.body)
    extra = {"code": error.code, "run_id": error.run_id, "request_id": error.request_id}
    known = {name: value for name, value in extra.items() if value}
    return kind(f"{error.detail}{_fields(error.detail, body)}{_nearest(error, body)}", **known)


def _fields(detail: str, body: dict[str, Any]) -> str:
    """Which fields of the body were wrong, where the detail leaves it open."""
    errors = [an_object(item) for item in a_list(body.get("errors"))]
    open_ones = [item for item in errors if str(item.get("message")) not in detail]
    return "".join(f"; {item.get('field')}: {item.get('message')}" for item in open_ones[:3])


def _nearest(error: api.ApiError, body: dict[str, Any]) -> str:
    known = [str(name) for name in a_list(body.get("known"))]
    if error.code != "unknown_graph" or not known:
        return ""
    wanted = next((word for word in error.detail.replace("'", '"').split('"')[1::2]), "")
    near = get_close_matches(wanted, known, n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else f" There are {', '.join(known)}."
