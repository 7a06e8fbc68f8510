"""Small plans to estimate, and estimates of the real ones."""

from dataclasses import replace
from functools import cache
from typing import Any

from infra.infra_stacks import planned

from lgp.costing import Estimate, Usage, estimate
from lgp.costing.ranges import exactly
from lgp.costing.tables import shipped_assumptions
from lgp.planning.recording import Recording, Resource

ON_AWS = ("dev", "prod")


def resource(type_: str, name: str, /, **inputs: Any) -> Resource:
    """A resource that names nothing but its inputs."""
    urn = f"urn:pulumi:test::cost::{type_}::{name}"
    return Resource(urn, type_, name, None, None, custom=True, protect=False, inputs=inputs)


def recording(*resources: Resource, region: str = "us-east-1") -> Recording:
    """A plan of these."""
    return Recording("cost", "test", tuple(resources), {"region": region})


def usage(runs: float = 0, resumes: float = 0, **given: float) -> Usage:
    """So many runs a day, with assumptions replaced by exact numbers."""
    assumptions = dict(shipped_assumptions())
    for key, value in given.items():
        assumptions[key] = replace(assumptions[key], value=exactly(value))
    return Usage(runs, resumes, assumptions)


@cache
def estimated(stack: str, runs: float = 0) -> Estimate:
    """Of a stack of this repository, with what ships."""
    return estimate(planned(stack), Usage(runs))


def lines(found: Estimate) -> dict[str, tuple[float, float]]:
    """Likely quantity and amount of each line, by its name."""
    return {each.charge.what: (each.charge.quantity.likely, each.monthly.likely) for each in found.lines}


def of(runs: float, *resources: Resource, **given: float) -> dict[str, tuple[float, float]]:
    """The lines of a plan of these resources."""
    return lines(estimate(recording(*resources), usage(runs, **given)))
