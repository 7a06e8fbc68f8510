"""Who asks, and what it may. Every query of a tenant's data takes a principal; without one there is none."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Role = Literal["viewer", "operator", "approver", "admin"]
Permission = Literal["read", "run", "answer", "write_state", "delete"]
"""`run`: whatever makes the graph work or stops it, and attachments. `answer`: what a run asks a human."""

MAY: Mapping[Role, frozenset[Permission]] = {
    "viewer": frozenset({"read"}),
    "operator": frozenset({"read", "run"}),
    "approver": frozenset({"read", "answer"}),
    "admin": frozenset({"read", "run", "answer", "write_state", "delete"}),
}
"""What each role may, the mightiest last. Who writes state can step over a question: that is for admins."""
ROLES: tuple[Role, ...] = tuple(MAY)


@dataclass(frozen=True, slots=True)
class Principal:
    """The tenant that owns what is read and written, the subject that acts for it, and what it may."""

    tenant: str
    subject: str
    """`key:NAME` of an API key, `sub:SUBJECT` of a token, `local` without either: they never meet."""
    role: Role = "viewer"
    """Who has been told nothing else may the least."""

    def may(self, permission: Permission) -> bool:
        """Whether its role includes this."""
        return permission in MAY[self.role]


LOCAL = Principal(tenant="local", subject="local", role="admin")
"""The one principal of `AUTH=none`."""


def mightiest(roles: Iterable[Role]) -> Role | None:
    """Return the one of several roles that holds; None of none."""
    return max(roles, key=ROLES.index, default=None)


def roles_with(permission: Permission) -> str:
    """Return who may do this, for people: `approver or admin`."""
    return " or ".join(role for role, may in MAY.items() if permission in may)
