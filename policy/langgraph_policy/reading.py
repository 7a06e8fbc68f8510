"""The questions that most rules ask."""

from collections.abc import Callable, Iterator
from typing import Any

from langgraph_policy.model import Fault, Faults
from langgraph_policy.values import Hidden, Node, number, plain, shown

_ON, _OFF = (True,), (False,)
UNDECIDED = "is known only once it is deployed"


def undecided(path: str) -> Fault:
    """What is said of a value that cannot be seen."""
    return Fault(f"{path} {UNDECIDED}", undecided=True)


def must_be(node: Node, path: str, *wanted: Any, absent: Any = None) -> Faults:
    """The value is one of these; where it is not set, it counts as `absent`."""
    allowed = " or ".join(shown(each) for each in wanted)
    return must(node, path, lambda value: plain(value) in wanted, allowed, absent=absent)


def must_be_on(node: Node, path: str) -> Faults:
    """The flag is true."""
    return must_be(node, path, *_ON)


def must_be_off(node: Node, path: str) -> Faults:
    """The flag is false, and said to be."""
    return must_be(node, path, *_OFF)


def must_not_be_on(node: Node, path: str) -> Faults:
    """The flag is false, or not set."""
    return must_be(node, path, *_OFF, absent="false")


def must_reach(node: Node, path: str, least: float) -> Faults:
    """The number is at least that."""
    return must(node, path, lambda value: number(value) >= least, f"at least {least:g}")


def must_be_set(node: Node, path: str) -> Faults:
    """There is a value; one that is known only later is one."""
    if node.at(path) in (None, "", [], {}):
        yield Fault(f"{node.part(path).path} is not set")


def must(
    node: Node, path: str, test: Callable[[Any], bool], wanted: str, *, absent: Any = None
) -> Iterator[Fault]:
    """The value passes a test; a hidden one is undecided."""
    value = node.at(path)
    value = absent if value is None else value
    full = node.part(path).path
    if isinstance(value, Hidden):
        yield undecided(full)
    elif not test(value):
        yield Fault(f"{full} is {shown(value)}, not {wanted}")


def must_have_own_key(node: Node, path: str) -> Faults:
    """A KMS key is named, and AWS does not keep it; one that is yet to be made is one of ours."""
    key = node.at(path)
    full = node.part(path).path
    if key in (None, ""):
        yield Fault(f"{full} is not set: AWS takes a key of its own")
    elif isinstance(key, str) and "alias/aws/" in key:
        yield Fault(f"{full} is {shown(key)}, a key that AWS keeps")
