"""In what order a stack has to be taken down, and why."""

from dataclasses import dataclass

from engine.state import Entry, State


@dataclass(frozen=True)
class Goes:
    """`first` is gone before the deletion of `then` begins; both are beginnings of type tokens."""

    first: str
    then: str
    why: str
    first_named: str = ""
    then_named: str = ""
    """What the logical name has to contain."""

    def __str__(self) -> str:
        first, then = (
            " ".join(filter(None, pair))
            for pair in ((self.first, self.first_named), (self.then, self.then_named))
        )
        return f"{first} before {then}: {self.why}"

    def pairs(self, state: State) -> list[tuple[Entry, Entry]]:
        """All pairs of resources that the rule is about."""
        firsts = [e for e in state.custom if e.type.startswith(self.first) and self.first_named in e.name]
        thens = [e for e in state.custom if e.type.startswith(self.then) and self.then_named in e.name]
        return [(first, then) for first in firsts for then in thens if first != then]

    def unsaid(self, state: State) -> list[str]:
        """The pairs that the state does not keep in order, whatever happened to happen."""
        return [
            f"{first} does not need {then}"
            for first, then in self.pairs(state)
            if then.urn not in state.outlived_by(first.urn)
        ]

    def broken(self, state: State, moments: list[tuple[str, str]]) -> list[str]:
        """The pairs that were deleted in another order. `moments` are `begun` and `done` with URNs."""
        at = {moment: index for index, moment in enumerate(moments)}
        return [
            f"{then} was begun before {first} was gone"
            for first, then in self.pairs(state)
            if at["done", first.urn] > at["begun", then.urn]
        ]
