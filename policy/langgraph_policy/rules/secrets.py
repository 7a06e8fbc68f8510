"""Secrets: where they are, who can read them, where they must not be."""

import re
from collections.abc import Iterator
from typing import Any, cast

from langgraph_policy.model import Fault, Faults, Resource, Stack, of_resource, of_stack
from langgraph_policy.reading import must, must_have_own_key
from langgraph_policy.rules.pods import POD_TYPES, containers
from langgraph_policy.values import Hidden, Node, number

SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105  # a type
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
PARAMETER = "aws:ssm/parameter:Parameter"
STORE = "kubernetes:external-secrets.io/v1:ClusterSecretStore"

CHARTS = ("kubernetes:helm.sh/v3:Release", "kubernetes:helm.sh/v3:Chart", "kubernetes:helm.sh/v4:Chart")

TELLING = re.compile(
    r"(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|PEPPER|CREDENTIALS?"
    r"|(API|ACCESS|ENCRYPTION|PRIVATE|SECRET|SIGNING)_?KEY)$",
    re.IGNORECASE,
)
"""Names of what is a secret. `…_FILE`, `…_ARN`, `…_NAME` say where one is, and do not match."""
OF_CHARTS = re.compile(r"(PASSWORD|PASSWD|PASSPHRASE|API_?KEY)$", re.IGNORECASE)
"""Of those, what charts call so: their `…Secret` and `…SecretKey` say where one is."""
LOOKS = re.compile(
    r"(://[^/\s:@]*:(?![$%<{])[^/\s:@]+@)"  # a URL with a password, which is not a variable's name
    r"|(\b(AKIA|ASIA)[0-9A-Z]{16}\b)"  # an access key of AWS
    r"|(\b(sk|pk|gh[pousr]|github_pat|glpat|hf|xox[abp]|xapp|lsv2_(pt|sk))[-_][A-Za-z0-9_-]{16,})"
    # above: OpenAI and Anthropic and Stripe, GitHub, GitLab, Hugging Face, Slack, LangSmith; below: Google
    r"|(\bAIza[A-Za-z0-9_-]{35})"
    r"|(-----BEGIN [A-Z ]*PRIVATE KEY-----)"
)
WRITTEN = re.compile(
    r"(^|[\s\"'{,&?;])[\w.-]*(password|passwd|passphrase|api[_-]?key|secret[_-]?key)[\"']?"
    r"[ \t]*[:=][ \t]*[\"']?"
    r"(?![$%<{/]|null\b|true\b|false\b)[^\s\"',}&()\[\]]{4,}(?=[\s\"',}&]|$)",
    re.IGNORECASE,
)
"""`password: hunter2`, `password=hunter2` inside a file, a DSN or an argument; not the name of a variable."""


@of_resource(SECRET)
def secret_own_key(resource: Resource) -> Faults:
    """A secret in Secrets Manager is encrypted with a KMS key of ours.

    Why: reading it then takes two permissions, and one of them can be taken from everyone at once.

    Fix: kmsKeyId: the ARN of a key of ours.
    """
    yield from must_have_own_key(resource.root, "kmsKeyId")


@of_resource(SECRET, strict_only=True)
def secret_recovery(resource: Resource) -> Faults:
    """In prod, a deleted secret can be had back for a week.

    Why: the pepper of all API keys cannot be made again.

    Fix: recoveryWindowInDays: 7 or more.
    """
    least = 7
    yield from must(
        resource.root, "recoveryWindowInDays", lambda days: number(days) >= least, "7 or more", absent=30
    )


def _entries(resource: Resource) -> Iterator[tuple[str, Any]]:
    """Names and values that are kept, or handed to a process, in the clear."""
    if resource.type == CONFIG_MAP:
        yield from resource.root.mapping("data").items()
    elif resource.type == PARAMETER:
        if resource.root.at("type") != "SecureString":
            for key in ("value", "insecureValue"):
                yield str(resource.root.at("name")), resource.root.at(key)
    elif resource.type in CHARTS:
        yield from _of_chart(resource)
    else:
        for container in containers(resource):
            yield from _of_process(container)


def _of_process(container: Node) -> Iterator[tuple[str, Any]]:
    for each in container.each("env"):
        yield str(each.at("name")), each.at("value")
    for key in ("command", "args"):
        yield from ((f"{key} of a container", each.value) for each in container.each(key))


def _of_chart(resource: Resource) -> Iterator[tuple[str, Any]]:
    for path, value in _leaves("values", resource.root.at("values")):
        last = path.rpartition(".")[2]
        # a value that is marked is encrypted in the state, and a Secret in the cluster
        if not isinstance(value, Hidden) and (OF_CHARTS.search(last) or not TELLING.search(last)):
            yield path, value


def _betrayed(name: str, value: Any) -> str:
    """What is wrong with a value that anyone may read; empty if nothing is."""
    if value is Hidden.SECRET:
        return "is marked as a secret"
    if not isinstance(value, str) or value.lower() in {"", "true", "false"} or value.isdigit():
        return ""
    if TELLING.search(name):
        return "has the name of a secret"
    return "looks like a secret" if LOOKS.search(value) or WRITTEN.search(value) else ""


@of_resource(CONFIG_MAP, PARAMETER, *CHARTS, *POD_TYPES)
def secrets_not_in_the_clear(resource: Resource) -> Faults:
    """No secret is in a ConfigMap, a variable or argument of a process, a plain parameter, a chart's values.

    Why: whoever may look at the object reads it, it is in the engine's state and in every crash report.

    Fix: a Secret mounted as a file; for this server `environment_secrets` of the stack.
    """
    for name, value in _entries(resource):
        if problem := _betrayed(name, value):
            yield Fault(f"{name} {problem}")


@of_stack()
def outputs_without_secrets(stack: Stack) -> Faults:
    """No output of a stack is a secret.

    Why: whoever reads any output of the stack then needs its passphrase, and gets the secret along with it.

    Fix: put out the ARN of the secret.
    """
    for name, value in _leaves("", stack.outputs):
        if problem := _betrayed(name.rpartition(".")[2], value):
            yield Fault(f"the output {name} {problem}")


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            yield from _leaves(f"{path}.{key}".lstrip("."), item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _leaves(path, item)
    else:
        yield path, value


@of_resource(STORE)
def secret_store_limited(resource: Resource) -> Faults:
    """A store of secrets for the whole cluster serves named namespaces only.

    Why: else whoever may make an ExternalSecret anywhere reads every secret that the operator may.

    Fix: spec.conditions with the namespaces.
    """
    named: list[Node] = list(resource.root.each("spec.conditions"))
    if not any(node.values("namespaces") or node.seen("namespaceSelector") for node in named):
        yield Fault("spec.conditions names no namespace")
