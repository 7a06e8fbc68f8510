"""The account PostgreSQL runs under; it refuses to run as root."""

import os
import pwd
from dataclasses import dataclass
from typing import TypedDict

from lgp.errors import EmbeddedProblem

UNPRIVILEGED = "nobody"
"""Who runs PostgreSQL for root: an account every system has, because `initdb` looks its own uid up."""


class SpawnOptions(TypedDict, total=False):
    """Arguments of `subprocess` that change the account of a child."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """A uid with a passwd entry."""

    uid: int
    gid: int
    name: str

    @property
    def is_ours(self) -> bool:
        """Whether this process runs under it."""
        return self.uid == os.geteuid()

    def spawn_options(self) -> SpawnOptions:
        """What makes a child of ours run under it, with no group but its own."""
        return {} if self.is_ours else {"user": self.uid, "group": self.gid, "extra_groups": []}


def postgres_account() -> Account:
    """This process's own account; for root, the unprivileged one."""
    uid = os.geteuid()
    try:
        entry = pwd.getpwnam(UNPRIVILEGED) if uid == 0 else pwd.getpwuid(uid)
    except KeyError:
        who = f"an account named {UNPRIVILEGED}" if uid == 0 else f"an /etc/passwd entry for uid {uid}"
        message = f"the embedded PostgreSQL needs {who}; or give DATABASE_URL=… to use your own database"
        raise EmbeddedProblem(message) from None
    return Account(entry.pw_uid, entry.pw_gid, entry.pw_name)
