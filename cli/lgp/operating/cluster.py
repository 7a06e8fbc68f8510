"""The cluster a stack is in, by kubectl, and never another one: not the one that happens to be current."""

import json
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lgp.errors import CannotConnect, LgpError, NotFound, ProgramFailed, Refused
from lgp.operating.exported import Exported
from lgp.operating.programs import Answer, Programs
from lgp.output import note
from lgp.shapes import an_object

ANSWER_SECONDS = 20
"""For a question to the API: a private endpoint that is not reached says nothing at all."""


_PATIENCE = f"--request-timeout={ANSWER_SECONDS}s"


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster and the workload's namespace in it."""

    programs: Programs
    access: tuple[str, ...]
    """Options of kubectl that choose the cluster."""
    namespace: str

    def command(self, *arguments: str) -> list[str]:
        """The command, for the workload's namespace."""
        return ["kubectl", *self.access, "--namespace", self.namespace, *arguments]

    def read(self, *arguments: str, shown: bool = True) -> Any:
        """The JSON that `kubectl ARGUMENTS --output json` prints.

        Raises:
            CannotConnect: the API does not answer.
            Refused: it does not admit us.
            NotFound: there is no such object.
        """
        command = self.command(*arguments, "--output", "json", _PATIENCE)
        return json.loads(_read(self.programs.ask(*command, shown=shown)))

    def raw(self, path: str) -> Any:
        """The JSON at a path of the API. Raises as `read`, and ProgramFailed where it is no JSON."""
        text = _read(self.programs.ask(*self.command("get", "--raw", path, _PATIENCE)))
        try:
            return json.loads(text)
        except ValueError:
            message = f"kubectl: {path} is no JSON"
            raise ProgramFailed(message) from None


@contextmanager
def opened(
    exported: Exported, settings: dict[str, Any], programs: Programs, context: str = ""
) -> Generator[Cluster, None, None]:
    """The stack's cluster: on AWS by a kubeconfig of its own, which is gone afterwards, else by a context.

    Raises:
        NotFound: the stack is not deployed.
        Refused: the context is of another cluster than the stack was deployed to.
        LgpError: as `Cluster.read`.
    """
    namespace = exported.output("namespace")
    if not namespace:
        message = "the stack has no workload yet: `lgp deploy` makes it"
        raise NotFound(message)
    with tempfile.TemporaryDirectory(prefix="lgp-kube-") as folder:
        if exported.output("cluster_name") and not context:
            access = _of_eks(exported, programs, Path(folder) / "config")
        else:
            access = ("--context", context or _context_of(settings, programs))
        cluster = Cluster(programs, access, namespace)
        _check(cluster, exported)
        yield cluster


def _of_eks(exported: Exported, programs: Programs, file: Path) -> tuple[str, ...]:
    name, region = exported.output("cluster_name"), exported.output("region")
    where = ("--region", region) if region else ()
    chosen = (*where, "--name", name, "--kubeconfig", str(file))
    answer = programs.ask("aws", "eks", "update-kubeconfig", *chosen)
    if answer.code:
        message = f"aws: {_last(answer)}: are these credentials those of the stack's account?"
        raise Refused(message)
    return ("--kubeconfig", str(file))


def _context_of(settings: dict[str, Any], programs: Programs) -> str:
    """The one that the settings name, or with a word about it the current one, which Pulumi took as well."""
    named = an_object(settings.get("local")).get("context")
    if isinstance(named, str) and named:
        return named
    current = _read(programs.ask("kubectl", "config", "current-context")).strip()
    note(f"platform.local.context names no context: {current}, kubectl's current one, is asked")
    return current


def _check(cluster: Cluster, exported: Exported) -> None:
    """Whether the namespace is the very one that Pulumi made, for its name is the same in every cluster."""
    found = an_object(cluster.read("get", "namespace", cluster.namespace)).get("metadata")
    made, there = exported.uid_of_namespace(), an_object(found).get("uid")
    if made and made != there:
        message = (
            f"{' '.join(cluster.access)}: the namespace {cluster.namespace} there is not the one that Pulumi "
            "made: another cluster? Give --context, or set platform.local.context"
        )
        raise Refused(message)


def _last(answer: Answer) -> str:
    lines = answer.err.strip().splitlines()
    return lines[-1] if lines else f"it ended with {answer.code}"


_STRANGER = "kubectl: the cluster does not know these credentials: are you among its admin_principals?"
_SILENT = "the Kubernetes API does not answer: {line}"
_KNOWN: tuple[tuple[str, type[LgpError], str], ...] = (
    ("(NotFound)", NotFound, "kubectl: {line}"),
    ("(Forbidden)", Refused, "kubectl: {line}"),
    ("(Unauthorized)", Refused, _STRANGER),
    ("asked for the client to provide credentials", Refused, _STRANGER),
    ("current-context is not set", NotFound, "kubectl has no context: --context, or platform.local.context"),
    ("context was not found", NotFound, "kubectl: {line}"),
    ("connection refused", CannotConnect, _SILENT),
    ("no such host", CannotConnect, _SILENT),
    ("i/o timeout", CannotConnect, _SILENT),
    ("Timeout exceeded", CannotConnect, _SILENT),
    ("deadline exceeded", CannotConnect, _SILENT),
)
"""What kubectl's error says → which error, and what to do."""


def _problem(answer: Answer) -> LgpError:
    """The error of a kubectl that failed."""
    line = _last(answer)
    for words, kind, told in _KNOWN:
        if words in answer.err:
            return kind(told.format(line=line))
    return ProgramFailed(f"kubectl: {line}")


def _read(answer: Answer) -> str:
    if answer.code == 0:
        return answer.out
    raise _problem(answer)
