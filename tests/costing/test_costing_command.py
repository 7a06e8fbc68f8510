"""`lgp cost` as people and programs call it."""

import json
import re

import pytest
from support.plans import ROOT

from lgp import output
from lgp.main import main


@pytest.fixture
def run(capfd):
    def call(*arguments: str) -> tuple[int, str, str]:
        output.out.cache_clear()
        output.people.cache_clear()
        capfd.readouterr()
        code = main(["cost", *arguments])
        said = capfd.readouterr()
        return code, said.out, said.err

    return call


def test_it_says_what_a_stack_costs_beside_the_platform_and_on_what_it_rests(run):
    code, said, complaint = run(
        "prod",
        "--runs-per-day",
        "50000",
        "--resumes-per-run",
        "0.2",
        "--engineer-hours",
        "40",
        "--hourly-rate",
        "90",
    )
    assert (code, complaint) == (0, "")
    assert "prod: 50,000 runs a day, 0.2 resumes each; USD a month" in said
    assert (
        "list prices of us-east-1 on 2026-11-23, the stack is in eu-west-1; without calls of models" in said
    )
    assert "PostgreSQL, db.m7g.xlarge with a standby" in said
    assert re.search(r"^total +[\d,.]+ +[\d,.]+ +[\d,.]+$", said, re.MULTILINE)
    assert "managed platform, by runs" in said
    assert "managed platform, by units" in said
    assert "with 40 hours of people at 90 (3,600.00): from " in said
    assert "  server_ms_per_run " in said


def test_json_is_one_document_and_nothing_else(run):
    code, said, _ = run("dev", "--runs-per-day", "1000", "--json")
    document = json.loads(said)
    assert code == 0
    assert document["stack"] == "dev"
    assert document["monthly"]["likely"] == pytest.approx(
        sum(line["monthly"]["likely"] for line in document["lines"]), abs=0.005
    )


def test_settings_and_a_file_of_prices_are_taken(run, tmp_path):
    path = tmp_path / "yours.toml"
    path.write_text('region = "eu-west-1"\n[prices]\nnat_hour = 0.048\n')
    _, said, _ = run(
        "dev",
        "--runs-per-day",
        "0",
        "--prices",
        str(path),
        "--set",
        "key=2",
        "--set",
        "registry_gb=0",
        "--json",
    )
    document = json.loads(said)
    found = {line["what"]: line for line in document["lines"]}
    assert document["prices_of"]["region"] == document["region"] == "eu-west-1"
    assert found["NAT gateways"]["monthly"]["likely"] == 35.04
    assert (found["keys"]["usd"]["likely"], found["keys"]["source"]) == (2, "yours")
    assert found["images"]["monthly"]["high"] == 0


def test_diff_tells_what_a_change_costs(run):
    code, said, _ = run("prod", "--runs-per-day", "0", "--diff", ":dev")
    assert code == 0
    assert re.search(r"^\+ balancer +0\.00 → +16\.43  \+16\.43$", said, re.MULTILINE)
    assert said.splitlines()[-1].startswith("total")


def test_a_stack_on_a_cluster_of_yours_has_no_sum_and_says_why(run):
    code, said, _ = run("local", "--runs-per-day", "10")
    assert code == 0
    assert "nothing here has a price: the stack runs on a cluster of yours" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["prod"], "Missing option '--runs-per-day'"),
        (["prod", "--runs-per-day", "many"], "Invalid value for '--runs-per-day'"),
        (["prod", "--runs-per-day", "-1"], "--runs-per-day -1: give a number from 0"),
        (["prod", "--runs-per-day", "nan"], "give a number from 0"),
        (["prod", "--runs-per-day", "1e12"], "give a number from 0"),
        (["prod", "--runs-per-day", "1", "--seats", "-1"], "--seats -1"),
        (["prod", "--runs-per-day", "1", "--hourly-rate", "inf"], "--hourly-rate inf"),
        (["prod", "--runs-per-day", "1", "--set", "nothing=1"], "no price 'nothing'"),
        (["prod", "--runs-per-day", "1", "--prices", "/nowhere.toml"], "No such file"),
        (["none", "--runs-per-day", "1"], "there is no stack 'none'"),
    ],
    ids=["no-runs", "word", "negative", "nan", "too-many", "seats", "rate", "key", "file", "stack"],
)
def test_what_is_wrong_is_told_in_one_line_with_exit_code_2(run, arguments, said):
    code, out, complaint = run(*arguments)
    assert code == 2
    assert out == ""
    assert said in complaint
    assert len(complaint.strip().splitlines()) == 1


def test_it_plans_another_folder(run):
    code, said, _ = run("dev", "--runs-per-day", "0", "--cwd", str(ROOT), "--json")
    assert code == 0
    assert json.loads(said)["stack"] == "dev"
