"""What a change does to resources that hold data, worst first, and what the engine refuses to do."""

from dataclasses import dataclass

from lgp.planning.comment.markup import code
from lgp.planning.compare import Comparison, ResourceChange, identity
from lgp.planning.recording import Resource
from lgp.planning.replacements import NOUNS, is_stateful

KEPT = "it is protected, so the engine refuses the whole update"


@dataclass(frozen=True)
class Grave:
    """One resource that holds data, and what becomes of it."""

    word: str
    """`DESTROYS`, `REPLACES`, `may replace`."""
    resource: Resource
    why: str
    """HTML."""

    @property
    def certain(self) -> bool:
        """Whether the plan alone shows it."""
        return self.word != "may replace"

    def headline(self) -> str:
        """`REPLACES the database <code>langgraph-database</code>`."""
        noun = NOUNS.get(self.resource.type, "resource")
        return f"<b>{self.word}</b> the {noun} {code(self.resource.name)}"

    def line(self) -> str:
        """The headline with its reason, and whether the engine lets it happen."""
        refused = f"; <b>{KEPT}</b>" if self.resource.protect else ""
        return f"{self.headline()}: {self.why}{refused}"


def grave(found: Comparison) -> list[Grave]:
    """What is destroyed, then what is replaced, then what may be."""
    destroyed = [Grave("DESTROYS", each, "it is no longer declared") for each in found.destroyed()]
    replaced = [Grave("REPLACES", each.old, _because(each, "replaces")) for each in found.replaced()]
    perhaps = [
        Grave("may replace", each.old, _because(each, "may replace"))
        for each in found.changed
        if each.effect == "may replace" and is_stateful(each.new.type)
    ]
    return [*destroyed, *replaced, *perhaps]


def _because(change: ResourceChange, effect: str) -> str:
    paths = [code(each.path) for each in change.properties if each.effect == effect]
    if paths:
        more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""  # noqa: PLR2004  # as many as fit a line
        return f"another {', '.join(paths[:3])}{more}"
    return f"it is made of the id of {code(identity(change.through or ''))}"
