"""`make scan`: it can fail, what it skips has a reason, and a reason of no use fails it."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCAN = ROOT / "tools" / "scan"
sys.path.insert(0, str(SCAN))

import hcl  # noqa: E402  # a script's folder, not a package
import scanner  # noqa: E402  # as above
import verdict  # noqa: E402  # as above

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: loose, namespace: agents}
spec:
  selector: {matchLabels: {app: loose}}
  template:
    metadata: {labels: {app: loose}}
    spec: {containers: [{name: loose, image: "loose:latest", securityContext: {privileged: true}}]}
"""


def report(*failed: tuple[str, str, str]) -> list[dict]:
    checks = [
        {"check_id": check, "check_name": "it must be so", "resource": resource, "file_path": path}
        for check, resource, path in failed
    ]
    return [{"check_type": "kubernetes", "summary": {"passed": 1}, "results": {"failed_checks": checks}}]


FOUND = ("CKV_K8S_16", "Deployment.agents.loose", "/prod/kubernetes/agents/deployment-loose.yaml")


def lines(skips: str, *failed: tuple[str, str, str]) -> list[str]:
    return verdict.verdict(verdict.failures(report(*failed), ["dev", "prod"]), verdict.skips(skips))


def test_a_failure_without_a_reason_is_told_and_one_with_a_reason_is_not():
    assert lines("", FOUND) == ["CKV_K8S_16 prod: Deployment.agents.loose: it must be so"]
    assert lines('[CKV_K8S_16]\n"Deployment" = "because"', FOUND) == []
    assert (
        lines(
            '[CKV_K8S_16]\n"prod: Job, Deployment" = "because"', FOUND, ("CKV_K8S_16", "Job.a.b", "/prod/x")
        )
        == []
    )


def test_a_reason_is_for_its_check_its_kind_and_its_stack_alone():
    for skips in (
        '[CKV_K8S_16]\n"Job" = "x"',
        '[CKV_K8S_16]\n"dev: Deployment" = "x"',
        '[CKV_K8S_17]\n"Deployment" = "x"',
    ):
        told = lines(skips, FOUND)
        assert told[0].startswith("CKV_K8S_16 prod: ")
        assert told[1].endswith("skips nothing: remove it")


def test_a_skip_without_a_reason_is_refused():
    with pytest.raises(ValueError, match="CKV_K8S_16: Deployment: a skip needs a reason"):
        verdict.skips('[CKV_K8S_16]\n"Deployment" = " "')


def test_what_checkov_cannot_read_is_no_pass():
    broken = {"check_type": "terraform", "results": {"failed_checks": [], "parsing_errors": ["main.tf"]}}
    with pytest.raises(ValueError, match=r"checkov cannot read main\.tf"):
        verdict.failures(broken, [])


def test_every_reason_of_the_file_is_a_sentence():
    found = verdict.skips(verdict.SKIPS.read_text())
    assert len(found) > 20
    assert [each for each in found if len(each.reason) < 20] == []


def test_a_resource_is_written_with_its_blocks_and_references():
    key = {"urn": "urn:key", "type": "aws:kms/key:Key", "name": "data", "inputs": {}, "references": {}}
    database = {
        "urn": "urn:db",
        "type": "aws:rds/instance:Instance",
        "name": "langgraph-db",
        "inputs": {
            "kmsKeyId": "arn:aws:kms:planned:000000000000:key/data",
            "multiAz": True,
            "tags": {"Name": "it"},
        },
        "references": {"kmsKeyId": ["urn:key"]},
    }
    assert hcl.exported([key, database]).splitlines()[-5:] == [
        'resource "aws_db_instance" "langgraph_db" {',
        "  kms_key_id = aws_kms_key.data.arn",
        "  multi_az = true",
        '  tags = {"Name" = "it"}',
        "}",
    ]
    group = {
        "urn": "urn:g",
        "type": "aws:rds/parameterGroup:ParameterGroup",
        "name": "g",
        "inputs": {"parameters": [{"name": "rds.force_ssl", "value": "1"}], "description": "${x}"},
        "references": {},
    }
    text = hcl.exported([group])
    assert '  parameter {\n    name = "rds.force_ssl"\n    value = "1"\n  }' in text
    assert '"$${x}"' in text


def test_checkov_finds_what_is_wrong_in_each_kind_of_file(tmp_path):
    if not scanner.PROGRAM.exists():
        pytest.skip("checkov is not installed in .scan: `make scan` does it")
    (tmp_path / "prod").mkdir()
    (tmp_path / "prod" / "deployment.yaml").write_text(DEPLOYMENT)
    database = {"urn": "urn:db", "type": "aws:rds/instance:Instance", "name": "db", "references": {}}
    database["inputs"] = {"publiclyAccessible": True, "engine": "postgres", "storageEncrypted": False}
    (tmp_path / "prod" / "main.tf").write_text(hcl.exported([database]))
    (tmp_path / "Dockerfile").write_text("FROM python:latest\nRUN curl -k https://example.com\n")
    found = verdict.failures(scanner.checked(tmp_path), ["prod"])
    by_kind = {each.kind for each in found}
    assert {"Deployment", "aws_db_instance"} <= by_kind
    assert {"CKV_K8S_16", "CKV_AWS_17", "CKV_AWS_16", "CKV_DOCKER_7"} <= {each.check for each in found}
    assert {each.stack for each in found if each.kind in {"Deployment", "aws_db_instance"}} == {"prod"}
