"""A restore, tried: the database as it was a moment ago, verified by the running image, then deleted again.

    python3 tools/restore_drill.py --instance ID --region REGION --context KUBECONTEXT

RDS restores the instance to its latest restorable time beside itself; a Job, made from the retention CronJob
with the command `verify` instead, reads the copy; then Job, Secret and copy go, whatever happened. The live
database, its data and its clients are not touched, and nothing of the copy is executed. Needs `aws` and
`kubectl`; costs the price of the instance for as long as it takes.

Exit codes: 0 the copy could be served, 1 it could not, or the drill failed, 2 usage, 130 interrupted.
"""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

MARK = "-drill-"
"""In the name of every copy: nothing without it is ever deleted."""
AVAILABLE_SECONDS = 3 * 3600
VERIFY_SECONDS = 1800
LOGIN = "/run/secrets/restored"
Json = dict[str, Any]


class DrillFailed(Exception):
    """The drill could not be carried through; the message says where."""


class Tools:
    """The two programs, told of which account's region and which cluster they work on."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.poll: float = given.poll
        """Seconds between two questions."""
        self._aws = ["aws", "--region", given.region, "--output", "json", "--no-cli-pager"]
        self._kubectl = ["kubectl", "--context", given.context, "--namespace", given.namespace]

    def aws(self, *arguments: str) -> Json:
        """The answer of AWS."""
        return json.loads(run([*self._aws, *arguments]) or "{}")

    def kubectl(self, *arguments: str, given: Json | None = None) -> str:
        """What kubectl prints; an object goes to its stdin, so that no secret is an argument."""
        return run([*self._kubectl, *arguments], json.dumps(given) if given else None)


def run(command: Sequence[str], given: str | None = None) -> str:
    """What a command prints; what it complains of goes to stderr. Raises DrillFailed."""
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        told = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        message = f"{' '.join(word for word in command[:8] if not word.startswith('--'))}: {told}"
        raise DrillFailed(message)
    return done.stdout


def say(text: str) -> None:
    """One line of progress, with its time."""
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", file=sys.stderr, flush=True)


def restored(instance: Json, copy: str, at: str | None) -> list[str]:
    """The arguments that restore an instance beside itself: as large and as closed, but for one zone."""
    groups = [group["VpcSecurityGroupId"] for group in instance["VpcSecurityGroups"]]
    return [
        *("rds", "restore-db-instance-to-point-in-time"),
        *("--source-db-instance-identifier", instance["DBInstanceIdentifier"]),
        *("--target-db-instance-identifier", copy),
        *(("--restore-time", at) if at else ("--use-latest-restorable-time",)),
        *("--db-instance-class", instance["DBInstanceClass"]),
        *("--db-subnet-group-name", instance["DBSubnetGroup"]["DBSubnetGroupName"]),
        *("--db-parameter-group-name", instance["DBParameterGroups"][0]["DBParameterGroupName"]),
        *("--vpc-security-group-ids", *groups),
        *("--no-publicly-accessible", "--no-multi-az", "--no-deletion-protection"),
        # a login of its own: the live database's stays where it is
        "--manage-master-user-password",
        *("--tags", "Key=purpose,Value=restore-drill"),
    ]


@contextmanager
def copy_of(tools: Tools, instance: Json, at: str | None, *, keep: bool) -> Generator[Json, None, None]:
    """The restored instance, available; deleted afterwards."""
    copy = f"{instance['DBInstanceIdentifier'][:40].rstrip('-')}{MARK}{datetime.now(UTC):%Y%m%d%H%M%S}"
    say(f"restoring {instance['DBInstanceIdentifier']} as {copy}")
    tools.aws(*restored(instance, copy, at))
    try:
        yield _available(tools, copy)
    finally:
        if keep:
            say(f"kept, and paid for: {copy}")
        else:
            _delete(tools, copy)


def deleting(copy: str) -> list[str]:
    """The arguments that delete a copy, with all that came of it. Raises DrillFailed for anything else."""
    if MARK not in copy:
        message = f"{copy} is no copy of a drill: it is not deleted"
        raise DrillFailed(message)
    flags = ("--skip-final-snapshot", "--delete-automated-backups")
    return ["rds", "delete-db-instance", "--db-instance-identifier", copy, *flags]


def _delete(tools: Tools, copy: str) -> None:
    """Delete the copy; one that is still being made is asked again. Raises DrillFailed, with its name."""
    say(f"deleting {copy}")
    deadline = time.monotonic() + AVAILABLE_SECONDS
    while True:
        try:
            tools.aws(*deleting(copy))
        except DrillFailed as error:
            if "InvalidDBInstanceState" in str(error) and time.monotonic() < deadline:
                time.sleep(tools.poll)
                continue
            message = f"{copy} is NOT deleted, and paid for: {error}"
            raise DrillFailed(message) from None
        return


def described(tools: Tools, identifier: str) -> Json:
    """What RDS tells of an instance."""
    return tools.aws("rds", "describe-db-instances", "--db-instance-identifier", identifier)["DBInstances"][0]


def _available(tools: Tools, copy: str) -> Json:
    deadline = time.monotonic() + AVAILABLE_SECONDS
    while (found := described(tools, copy))["DBInstanceStatus"] != "available":
        if time.monotonic() > deadline:
            message = f"{copy} is {found['DBInstanceStatus']} after {AVAILABLE_SECONDS // 3600} hours"
            raise DrillFailed(message)
        time.sleep(tools.poll)
    return found


def job(cron_job: Json, name: str, url: str, limit: int) -> Json:
    """The Job that verifies the copy: the retention's pods, with another command and another login."""
    spec: Json = json.loads(json.dumps(cron_job["spec"]["jobTemplate"]["spec"]))
    spec |= {"backoffLimit": 0, "activeDeadlineSeconds": VERIFY_SECONDS}
    pod = spec["template"]["spec"]
    [container] = pod["containers"]
    container["command"] = ["python", "-m", "agent_server", "verify", "--json", "--limit", str(limit)]
    told = {
        "DATABASE_URL": url,
        "DATABASE_AUTH": "file",
        "DATABASE_USER_FILE": f"{LOGIN}/username",
        "DATABASE_PASSWORD_FILE": f"{LOGIN}/password",
        # the copy is all there is: what belongs to the live database is not asked
        "DATABASE_READ_URL": "",
        "DATABASE_DIRECT_URL": "",
    }
    kept = [each for each in container.get("env", []) if each["name"] not in told]
    container["env"] = [*kept, *({"name": key, "value": value} for key, value in told.items())]
    container["volumeMounts"].append({"name": "restored", "mountPath": LOGIN, "readOnly": True})
    pod["volumes"].append({"name": "restored", "secret": {"secretName": name, "defaultMode": 288}})
    labels = cron_job["metadata"].get("labels", {}) | {"app.kubernetes.io/managed-by": "restore-drill"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
    }


def at_the_copy(url: str, endpoint: Json) -> str:
    """The server's URL with the copy's host and port, and no login."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{endpoint['Address']}:{endpoint['Port']}"))


@contextmanager
def login(tools: Tools, name: str, copy: Json) -> Generator[None, None, None]:
    """The copy's own login as a Secret in the cluster, for as long as the block lasts."""
    arn = copy["MasterUserSecret"]["SecretArn"]
    secret = tools.aws("secretsmanager", "get-secret-value", "--secret-id", arn)["SecretString"]
    values = {key: json.loads(secret)[key] for key in ("username", "password")}
    tools.kubectl(
        *("create", "--filename", "-"),
        given={"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values},
    )
    try:
        yield
    finally:
        tools.kubectl("delete", "secret", name, "--ignore-not-found")


def verified(tools: Tools, cron_job: Json, copy: Json, limit: int) -> Json:
    """What `verify` says of the copy. Raises DrillFailed if it did not come to an end."""
    name = f"restore{MARK}{int(time.time())}"
    container = cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    [config] = [each["configMapRef"]["name"] for each in container["envFrom"] if "configMapRef" in each]
    settings = json.loads(tools.kubectl("get", "configmap", config, "--output", "json"))["data"]
    with login(tools, name, copy):
        url = at_the_copy(settings["DATABASE_URL"], copy["Endpoint"])
        tools.kubectl("create", "--filename", "-", given=job(cron_job, name, url, limit))
        try:
            return _said(tools, name)
        finally:
            tools.kubectl("delete", "job", name, "--ignore-not-found", "--wait=false")


def _said(tools: Tools, name: str) -> Json:
    deadline = time.monotonic() + VERIFY_SECONDS
    while time.monotonic() < deadline:
        status = json.loads(tools.kubectl("get", "job", name, "--output", "json")).get("status", {})
        if status.get("succeeded") or status.get("failed"):
            lines = tools.kubectl("logs", f"job/{name}").strip().splitlines()
            for line in lines:
                if line.startswith('{"threads"'):
                    return json.loads(line)
            message = f"verify: {lines[-1] if lines else 'it said nothing'}"
            raise DrillFailed(message)
        time.sleep(tools.poll)
    message = f"verify did not end within {VERIFY_SECONDS // 60} minutes"
    raise DrillFailed(message)


def drill(given: argparse.Namespace) -> int:
    """Carry it out and tell what was found, in one JSON document on stdout."""
    for program in ("aws", "kubectl"):
        if shutil.which(program) is None:
            message = f"{program} is not installed"
            raise DrillFailed(message)
    tools = Tools(given)
    cron_job = json.loads(tools.kubectl("get", "cronjob", given.cronjob, "--output", "json"))
    instance = described(tools, given.instance)
    began, point = time.monotonic(), given.at or instance["LatestRestorableTime"]
    with copy_of(tools, instance, given.at, keep=given.keep) as copy:
        restored_after = time.monotonic() - began
        say("verifying")
        found = verified(tools, cron_job, copy, given.limit)
    told = {
        "instance": given.instance,
        "restored_to": point,
        "available_after_seconds": round(restored_after),
        "took_seconds": round(time.monotonic() - began),
        "verified": found,
    }
    print(json.dumps(told, indent=2))
    return 1 if found["problems"] else 0


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--instance", required=True, help="Identifier of the live RDS instance.")
    parser.add_argument("--region", required=True, help="Its region.")
    parser.add_argument("--context", required=True, help="Context of the kubeconfig: the stack's cluster.")
    parser.add_argument("--namespace", default="langgraph")
    parser.add_argument("--cronjob", default="agent-server-retention", help="Whose pods verify the copy.")
    parser.add_argument(
        "--at", metavar="TIME", help="2026-11-23T04:00:00Z; else the latest that is possible."
    )
    parser.add_argument("--limit", type=int, default=1000, help="Threads and attachments that are read.")
    parser.add_argument("--poll", type=float, default=15, help="Seconds between two questions.")
    parser.add_argument("--keep", action="store_true", help="Leave the copy; it costs until you delete it.")
    return parser


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    # a closed terminal or a cancelled pipeline is no reason to leave a copy of everything behind
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as `nohup` has it
            signal.signal(number, _interrupt)
    try:
        sys.exit(drill(arguments().parse_args()))
    except DrillFailed as error:
        sys.exit(f"restore drill: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
