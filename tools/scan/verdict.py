"""What checkov found, less what is skipped with a reason; and the reasons that are of no use."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SKIPS = Path(__file__).with_name("skips.toml")


@dataclass(frozen=True)
class Failure:
    """A check that a resource does not pass."""

    check: str
    kind: str
    """`Deployment`, `aws_db_instance`, `FROM`."""
    stack: str
    """`dev`, `prod`, `local`; empty for what belongs to none."""
    resource: str
    told: str
    """What checkov says must be so."""


@dataclass(frozen=True)
class Skip:
    """A check that need not be passed by a kind of resources, and why."""

    check: str
    kind: str
    stack: str
    """Of this stack only; of all if it is empty."""
    reason: str

    def covers(self, failure: Failure) -> bool:
        """Whether it is about that."""
        same = (failure.check, failure.kind) == (self.check, self.kind)
        return same and self.stack in {"", failure.stack}


def skips(text: str) -> list[Skip]:
    """Those of the file.

    Raises:
        ValueError: one has no reason.
    """
    found = [
        Skip(check, kind.strip(), stack.strip(), " ".join(reason.split()))
        for check, reasons in tomllib.loads(text).items()
        for of, reason in reasons.items()
        for stack, kinds in [of.split(":") if ":" in of else ("", of)]
        for kind in kinds.split(",")
    ]
    for each in found:
        if not each.reason:
            message = f"{each.check}: {each.kind}: a skip needs a reason"
            raise ValueError(message)
    return found


def failures(reports: Any, stacks: Iterable[str]) -> list[Failure]:
    """Those of checkov's JSON, one report or a list of them; a file below a stack's folder is that stack's.

    Raises:
        ValueError: checkov could not read a file.
    """
    named = set(stacks)
    found: list[Failure] = []
    for each in listed(reports):
        results: Mapping[str, Any] = each.get("results") or {}
        if errors := results.get("parsing_errors"):
            message = f"checkov cannot read {', '.join(map(str, errors))}"
            raise ValueError(message)
        found += [_failure(each["check_type"], one, named) for one in results.get("failed_checks", [])]
    return found


def listed(reports: Any) -> list[Mapping[str, Any]]:
    """Checkov answers with a list only if there is more than one framework to report of."""
    return reports if isinstance(reports, list) else [reports]


def _failure(framework: str, one: Mapping[str, Any], stacks: set[str]) -> Failure:
    resource = str(one["resource"])
    is_image = framework == "dockerfile"  # its resources are files, and have a dot of their own
    kind = resource.rpartition(".")[2] if is_image else resource.partition(".")[0].partition("(")[0]
    folder = str(one["file_path"]).strip("/").split("/")[0]
    stack = folder if folder in stacks else ""
    return Failure(one["check_id"], kind, stack, resource, str(one["check_name"]))


def verdict(found: Iterable[Failure], skipped: Iterable[Skip]) -> list[str]:
    """One line for each failure without a skip and each skip without a failure; none if all is well."""
    failed, known = list(found), list(skipped)
    new = [each for each in failed if not any(skip.covers(each) for skip in known)]
    idle = [skip for skip in known if not any(skip.covers(each) for each in failed)]
    return [
        *(f"{each.check} {of(each.stack)}{each.resource}: {each.told}" for each in new),
        *(
            f"{SKIPS.name}: {each.check} {of(each.stack)}{each.kind}: skips nothing: remove it"
            for each in idle
        ),
    ]


def of(stack: str) -> str:
    """How a line names a stack."""
    return f"{stack}: " if stack else ""
