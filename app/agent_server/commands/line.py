"""The command line: its verbs, their arguments, and what they print on a mistake. Standard library only."""

import argparse
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from agent_server.core.keys import NAME, TENANT
from agent_server.core.principal import ROLES

_LIMIT = range(1, 1001)
_LONGEST = timedelta(days=36500)


class Verbs(Protocol):
    """What `add_subparsers` returns; argparse has no public name for it."""

    def add_parser(self, name: str, *, help: str, description: str) -> argparse.ArgumentParser:  # noqa: A002  # argparse's
        """Return the parser of one verb."""
        ...


def parser() -> argparse.ArgumentParser:
    """Return the parser; what it parsed names its function in `module` and `function`."""
    top = argparse.ArgumentParser(
        prog="python -m agent_server",
        description="Serves LangGraph graphs over HTTP, with runs that survive the death of a process.",
        epilog="Settings come from the environment (docs/contract.md, section 2). "
        "Exit codes: 0 done, 1 failed, 2 usage.",
    )
    verbs = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = _verb(verbs, "serve", "serving", "Answer requests, and execute runs that nobody else executes.")
    serve.add_argument("--no-worker", action="store_true", help="Only the runs that came by a request here.")
    _verb(verbs, "worker", "serving", "Execute enqueued and orphaned runs; answer only the probes.")
    _verb(verbs, "migrate", "upkeep", "Bring the database's schema up to date.")
    _verb(verbs, "retention", "upkeep", "Delete what is older than its time, once.")
    _verb(
        verbs, "graphs", "graphs", "Load every graph of LANGGRAPH_CONFIG and describe it; opens no database."
    )
    _add_verify(verbs)
    _add_audit(verbs)
    _add_keys(verbs)
    return top


def _verb(verbs: Verbs, name: str, module: str, text: str, function: str = "") -> argparse.ArgumentParser:
    made = verbs.add_parser(name, help=text, description=text)
    made.add_argument("--json", action="store_true", dest="machine", help="Nothing but JSON on stdout.")
    made.set_defaults(module=module, function=function or name)
    return made


def _add_verify(verbs: Verbs) -> None:
    text = (
        "Tell whether a database, such as a restored one, could be served; changes nothing, executes nothing."
    )
    verify = _verb(verbs, "verify", "verify", text)
    verify.add_argument(
        "--limit",
        type=_limit,
        default=1000,
        metavar="N",
        help="Read so many threads and attachments, the newest: 1 to 1000 (1000).",
    )


def _add_audit(verbs: Verbs) -> None:
    audit = _verb(verbs, "audit", "audit", "Show who approved what, and which keys were made.")
    audit.add_argument("--tenant", type=_like(TENANT, "a tenant"), help="Only this one.")
    audit.add_argument(
        "--limit", type=_limit, default=50, metavar="N", help="At most so many, 1 to 1000 (50)."
    )
    audit.add_argument("--before", type=int, metavar="ENTRY", help="Only entries older than this number.")


def _add_keys(verbs: Verbs) -> None:
    text = "Create, list and revoke API keys."
    keys = verbs.add_parser("keys", help=text, description=text)
    actions = keys.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = _verb(actions, "create", "keys", "Make a key and print it: it cannot be shown again.")
    create.add_argument(
        "--tenant", type=_like(TENANT, "a tenant"), required=True, help="Whose data it opens."
    )
    create.add_argument(
        "--name", type=_like(NAME, "a name"), required=True, help="Who the audit says has acted."
    )
    create.add_argument(
        "--role", choices=ROLES, default="admin", help="What it may (admin: all of it in its tenant)."
    )
    create.add_argument(
        "--expires-days", type=_days, metavar="DAYS", help="Its life; without, it has no end."
    )
    listing = _verb(actions, "list", "keys", "List the keys, without what is secret of them.", "list_keys")
    listing.add_argument("--tenant", type=_like(TENANT, "a tenant"), help="Only this one's.")
    revoke = _verb(actions, "revoke", "keys", "End a key: within 5 s it opens nothing any more.")
    revoke.add_argument("key_id", type=_uuid, metavar="KEY_ID", help="As `keys list` has it.")


def _like(pattern: "re.Pattern[str]", what: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            msg = f"{text!r} is not {what}: it must match {pattern.pattern}"
            raise argparse.ArgumentTypeError(msg)
        return text

    return check


def _limit(text: str) -> int:
    if not text.isdecimal() or int(text) not in _LIMIT:
        msg = f"{text!r} is not a number from 1 to 1000"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _days(text: str) -> timedelta:
    try:
        life = timedelta(days=float(text))
    except (ValueError, OverflowError):
        life = timedelta(0)
    if not timedelta(seconds=1) <= life <= _LONGEST:
        msg = f"{text!r} is not a number of days above 0 and up to {_LONGEST.days}"
        raise argparse.ArgumentTypeError(msg)
    return life


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        msg = f"{text!r} is not the id of a key"
        raise argparse.ArgumentTypeError(msg) from None
