"""Which pods of a workload have something to read."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lgp.operating.health import COMPONENT
from lgp.shapes import a_list, an_object


@dataclass(frozen=True, slots=True)
class Source:
    """The log of one container, in one of its lives."""

    pod: str
    component: str
    container: str
    life: int
    """How often it was started before."""
    running: bool = field(default=True, compare=False)
    """Whether more may come."""

    @property
    def short(self) -> str:
        """The end of the pod's name: what differs."""
        return f"{self.component}/{self.pod.rpartition('-')[2]}"


def sources(answer: Any, component: str = "", *, previous: bool = False) -> list[Source]:
    """The logs in a `kubectl get pods`, of containers that run or ran; `previous`: of a life before."""
    found = (source for pod in a_list(an_object(answer).get("items")) for source in _of(an_object(pod)))
    wanted = (one for one in found if not component or one.component == component)
    return [one for one in wanted if one.life or not previous]


def _of(pod: dict[str, Any]) -> Iterator[Source]:
    metadata, status = an_object(pod.get("metadata")), an_object(pod.get("status"))
    component = str(an_object(metadata.get("labels")).get(COMPONENT, ""))
    for state in map(an_object, a_list(status.get("containerStatuses"))):
        lives = state.get("restartCount")
        waits = "waiting" in an_object(state.get("state"))
        if waits and not lives:
            continue
        name, container = str(metadata.get("name")), str(state.get("name"))
        runs = "running" in an_object(state.get("state"))
        yield Source(name, component, container, lives if isinstance(lives, int) else 0, runs)
