"""Who asks. Every query of a tenant's data takes one; a query without it does not exist."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """The tenant that owns what is read and written, and the subject that acts for it."""

    tenant: str
    subject: str


LOCAL = Principal(tenant="local", subject="local")
"""The one principal of `AUTH=none`."""
