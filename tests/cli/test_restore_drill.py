"""`tools/restore_drill.py`, with programs that check what they are asked by models of AWS and Kubernetes."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from botocore import xform_name
from botocore.session import get_session
from botocore.validate import validate_parameters
from cli_instance import ROOT

LIVE = "langgraph-platform-prod-langgraph-database"
INSTANCE = {
    "DBInstanceIdentifier": LIVE,
    "DBInstanceStatus": "available",
    "DBInstanceClass": "db.m7g.xlarge",
    "DBSubnetGroup": {"DBSubnetGroupName": "data"},
    "DBParameterGroups": [{"DBParameterGroupName": "ours"}],
    "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-1"}],
    "LatestRestorableTime": "2026-11-23T12:00:00Z",
}
COPY = {
    **INSTANCE,
    "Endpoint": {"Address": "copy.rds.invalid", "Port": 5432},
    "MasterUserSecret": {"SecretArn": "arn:secret"},
}
CONFIG = {
    "data": {"DATABASE_URL": "postgresql://app@live.rds.invalid:5432/langgraph?sslmode=verify-full"},
}
PASSWORD = "the-password-of-the-copy"
WHOLE = {"threads": 3, "newest": "2026-11-23T11:59:58Z", "problems": []}

STAND_IN = """#!{python}
import json, os, sys, time
from pathlib import Path
place = Path({place!r})
given = sys.stdin.read() if "-" in sys.argv else ""
with (place / "journal").open("a") as journal:
    journal.write(json.dumps([Path(sys.argv[0]).name, sys.argv[1:], given]) + "\\n")
words = " ".join(sys.argv[1:])
for part, answer in json.loads((place / "answers").read_text()):
    if part in words:
        if isinstance(answer, list):
            count = place / str(abs(hash(part)))
            seen = len(count.read_text()) if count.exists() else 0
            count.write_text("x" * (seen + 1))
            answer = answer[min(seen, len(answer) - 1)]
        if isinstance(answer, dict) and "fail" in answer:
            sys.exit(answer["fail"])
        print(answer if isinstance(answer, str) else json.dumps(answer))
        break
"""


class Programs:
    """`aws` and `kubectl` of one test: answers by what is asked, and a journal."""

    def __init__(self, place: Path, cron_job: Any) -> None:
        self.place = place
        script = STAND_IN.format(python=sys.executable, place=str(place))
        for name in ("aws", "kubectl"):
            (place / name).write_text(script)
            (place / name).chmod(stat.S_IRWXU)
        self.answers: list[tuple[str, Any]] = [
            (
                f"describe-db-instances --db-instance-identifier {LIVE[:40]}-drill-",
                [
                    {"DBInstances": [COPY | {"DBInstanceStatus": "creating"}]},
                    {"DBInstances": [COPY]},
                ],
            ),
            ("describe-db-instances", {"DBInstances": [INSTANCE]}),
            ("get-secret-value", {"SecretString": json.dumps({"username": "master", "password": PASSWORD})}),
            ("get cronjob", cron_job),
            ("get configmap", CONFIG),
            ("get job", [{"status": {"active": 1}}, {"status": {"succeeded": 1}}]),
            ("logs", "a line of the log\n" + json.dumps(WHOLE)),
        ]

    def answering(self, part: str, answer: Any) -> None:
        """Before all else."""
        self.answers.insert(0, (part, answer))

    def command(self, *arguments: str) -> list[str]:
        (self.place / "answers").write_text(json.dumps(self.answers))
        told = ("--instance", LIVE, "--region", "eu-west-1", "--context", "prod", "--poll", "0.05")
        return [sys.executable, str(ROOT / "tools" / "restore_drill.py"), *told, *arguments]

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": f"{self.place}{os.pathsep}{os.environ['PATH']}", "PYTHONHASHSEED": "0"}

    def drill(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*arguments),
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def journal(self, program: str) -> list[tuple[list[str], str]]:
        file = self.place / "journal"
        lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        return [(arguments, given) for name, arguments, given in lines if name == program]

    def asked_of_aws(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of every call, which must be what AWS's own model takes."""
        return [
            found for found in (parameters(words, operation) for words, _ in self.journal("aws")) if found
        ]

    def created(self, kind: str) -> list[Any]:
        made = [json.loads(given) for words, given in self.journal("kubectl") if "create" in words]
        return [each for each in made if each["kind"] == kind]


def parameters(words: list[str], operation: str) -> dict[str, Any]:
    """`--db-instance-identifier x --no-multi-az` as the API has it; nothing if it is another operation."""
    service = next(word for word in words if word in ("rds", "secretsmanager"))
    rest = words[words.index(service) + 1 :]
    model = get_session().get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    if names[rest[0]] != operation:
        return {}
    shape = model.operation_model(operation).input_shape
    assert shape is not None
    members = {xform_name(name, "-"): (name, member) for name, member in shape.members.items()}
    found: dict[str, Any] = {}
    values: list[str] = []
    for word in rest[1:]:
        if word.startswith("--"):
            plain = word[2:].removeprefix("no-") if word[2:] not in members else word[2:]
            name, member = members[plain]
            values = []
            found[name] = word[2:] == plain if member.type_name == "boolean" else values
        else:
            values.append(word)
    for name, value in list(found.items()):
        member = shape.members[name]
        if member.type_name not in {"boolean", "list"}:
            [found[name]] = value
        elif name == "Tags":
            found[name] = [dict(part.split("=") for part in text.split(",")) for text in value]
    validate_parameters(found, shape)
    return found


@pytest.fixture(scope="module")
def cron_job(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The retention's, as the stack prod declares it."""
    out = tmp_path_factory.mktemp("plan") / "prod"
    subprocess.run(
        [sys.executable, "-m", "lgp", "plan", "prod", "--out", str(out)],
        check=True,
        capture_output=True,
        cwd=ROOT,
    )
    [file] = out.rglob("cronjob-agent-server-retention.yaml")
    return yaml.safe_load(file.read_text())


@pytest.fixture
def programs(tmp_path: Path, cron_job: Any) -> Programs:
    return Programs(tmp_path, cron_job)


def test_a_copy_is_restored_verified_and_deleted(programs: Programs) -> None:
    done = programs.drill()
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["instance"], told["restored_to"], told["verified"]) == (LIVE, "2026-11-23T12:00:00Z", WHOLE)
    [restore] = programs.asked_of_aws("RestoreDBInstanceToPointInTime")
    copy = restore["TargetDBInstanceIdentifier"]
    assert restore | {"TargetDBInstanceIdentifier": ""} == {
        "SourceDBInstanceIdentifier": LIVE,
        "TargetDBInstanceIdentifier": "",
        "UseLatestRestorableTime": True,
        "DBInstanceClass": "db.m7g.xlarge",
        "DBSubnetGroupName": "data",
        "DBParameterGroupName": "ours",
        "VpcSecurityGroupIds": ["sg-1"],
        "PubliclyAccessible": False,
        "MultiAZ": False,
        "DeletionProtection": False,
        "ManageMasterUserPassword": True,
        "Tags": [{"Key": "purpose", "Value": "restore-drill"}],
    }
    assert "-drill-" in copy
    assert len(copy) <= 63
    assert programs.asked_of_aws("DeleteDBInstance") == [
        {"DBInstanceIdentifier": copy, "SkipFinalSnapshot": True, "DeleteAutomatedBackups": True}
    ]


def test_every_call_names_region_cluster_and_namespace(programs: Programs) -> None:
    programs.drill("--namespace", "agents")
    assert all(words[:2] == ["--region", "eu-west-1"] for words, _ in programs.journal("aws"))
    assert all(
        words[:4] == ["--context", "prod", "--namespace", "agents"]
        for words, _ in programs.journal("kubectl")
    )


def test_the_job_is_the_retentions_pod_with_the_copys_login(programs: Programs, cron_job: Any) -> None:
    programs.drill("--limit", "7")
    [job] = programs.created("Job")
    kubernetes_validate.validate(job, "1.36", strict=True)
    pod, before = (
        spec["template"]["spec"] for spec in (job["spec"], cron_job["spec"]["jobTemplate"]["spec"])
    )
    [container], [original] = pod["containers"], before["containers"]
    same = ("image", "securityContext", "resources", "envFrom")
    assert {key: container[key] for key in same} == {key: original[key] for key in same}
    assert pod["securityContext"] == before["securityContext"]
    assert (
        job["spec"]["template"]["metadata"] == cron_job["spec"]["jobTemplate"]["spec"]["template"]["metadata"]
    )
    assert container["command"][2:] == ["agent_server", "verify", "--json", "--limit", "7"]
    told = {each["name"]: each["value"] for each in container["env"]}
    assert told["DATABASE_URL"] == "postgresql://copy.rds.invalid:5432/langgraph?sslmode=verify-full"
    assert (told["DATABASE_AUTH"], told["DATABASE_READ_URL"]) == ("file", "")
    [mount] = [each for each in container["volumeMounts"] if each["name"] == "restored"]
    assert told["DATABASE_PASSWORD_FILE"] == f"{mount['mountPath']}/password"
    [volume] = [each for each in pod["volumes"] if each["name"] == "restored"]
    assert volume["secret"]["secretName"] == job["metadata"]["name"]


def test_the_password_is_in_a_secret_that_goes_and_nowhere_else(programs: Programs) -> None:
    done = programs.drill()
    [secret] = programs.created("Secret")
    kubernetes_validate.validate(secret, "1.36", strict=True)
    assert secret["stringData"] == {"username": "master", "password": PASSWORD}
    gone = [words[-2] for words, _ in programs.journal("kubectl") if words[4:6] == ["delete", "secret"]]
    assert gone == [secret["metadata"]["name"]]
    assert PASSWORD not in done.stdout + done.stderr
    assert not [words for words, _ in programs.journal("kubectl") if PASSWORD in " ".join(words)]


def test_a_time_is_passed_on(programs: Programs) -> None:
    programs.drill("--at", "2026-11-23T04:00:00Z")
    [restore] = programs.asked_of_aws("RestoreDBInstanceToPointInTime")
    assert restore["RestoreTime"] == "2026-11-23T04:00:00Z"
    assert "UseLatestRestorableTime" not in restore


@pytest.mark.parametrize(
    ("part", "answer", "line"),
    [
        (
            "get-secret-value",
            {"fail": "An error occurred (AccessDenied)"},
            "An error occurred (AccessDenied)",
        ),
        ("create --filename", {"fail": "Error from server (Forbidden)"}, "Error from server (Forbidden)"),
        (
            "logs",
            "agent_server: The database is not migrated to this version",
            "not migrated to this version",
        ),
        ("get job", {"fail": "connection refused"}, "connection refused"),
    ],
    ids=["no secret", "no rights", "another version", "no cluster"],
)
def test_whatever_fails_the_copy_is_deleted(programs: Programs, part: str, answer: Any, line: str) -> None:
    programs.answering(part, answer)
    done = programs.drill()
    assert done.returncode == 1
    assert line in done.stderr.splitlines()[-1]
    assert len(programs.asked_of_aws("DeleteDBInstance")) == 1


def test_what_verify_finds_fails_the_drill(programs: Programs) -> None:
    programs.answering("logs", json.dumps(WHOLE | {"problems": [{"subject": "thread 1"}]}))
    programs.answering("get job", {"status": {"failed": 1}})
    done = programs.drill()
    assert done.returncode == 1
    assert json.loads(done.stdout)["verified"]["problems"]
    assert len(programs.asked_of_aws("DeleteDBInstance")) == 1


def test_nothing_is_restored_where_the_cluster_does_not_answer(programs: Programs) -> None:
    programs.answering("get cronjob", {"fail": "no such context"})
    done = programs.drill()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip().endswith("no such context")
    assert not programs.journal("aws")


def test_a_kept_copy_is_not_deleted(programs: Programs) -> None:
    assert programs.drill("--keep").returncode == 0
    assert not programs.asked_of_aws("DeleteDBInstance")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_it_deletes_the_copy(programs: Programs, number: signal.Signals) -> None:
    programs.answering(
        f"identifier {LIVE[:40]}-drill-", {"DBInstances": [COPY | {"DBInstanceStatus": "creating"}]}
    )
    with subprocess.Popen(programs.command(), env=programs.environment, stderr=subprocess.PIPE) as child:
        deadline = time.monotonic() + 20
        while len(programs.journal("aws")) < 4 and time.monotonic() < deadline:
            time.sleep(0.05)
        child.send_signal(number)
        assert child.wait(20) == 130
    assert len(programs.asked_of_aws("DeleteDBInstance")) == 1


def test_a_copy_that_is_still_being_made_is_deleted_once_that_is_allowed(programs: Programs) -> None:
    refused = {
        "fail": "An error occurred (InvalidDBInstanceState) when calling the DeleteDBInstance operation"
    }
    programs.answering("delete-db-instance", [refused, refused, {}])
    assert programs.drill().returncode == 0
    assert len(programs.asked_of_aws("DeleteDBInstance")) == 3


def test_a_copy_that_could_not_be_deleted_is_named(programs: Programs) -> None:
    programs.answering("delete-db-instance", {"fail": "An error occurred (ExpiredToken)"})
    done = programs.drill()
    assert done.returncode == 1
    [restore] = programs.asked_of_aws("RestoreDBInstanceToPointInTime")
    assert f"{restore['TargetDBInstanceIdentifier']} is NOT deleted" in done.stderr.splitlines()[-1]


def test_a_missing_program_is_one_line(programs: Programs) -> None:
    (programs.place / "aws").unlink()
    done = subprocess.run(
        programs.command(), env={"PATH": str(programs.place)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "restore drill: aws is not installed\n")
