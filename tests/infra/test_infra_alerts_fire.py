"""Each alert fires when it must and not when it nearly must, by Prometheus' own evaluation.

`promtool` (Debian's package `prometheus`) evaluates the rules; without it these tests are skipped.
"""

import re
import shutil
import subprocess
from collections import defaultdict
from math import ceil

import pytest
import yaml
from infra_alert_cases import CASES, NS, well

from langgraph_components.pure import alerts
from langgraph_components.pure.alerting.rule import AWAY

pytestmark = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: apt-get install prometheus)"
)

GROUPS = alerts.alert_groups()


def name_of(rule):
    return rule.get("alert") or rule["record"]


BY_NAME = {name_of(rule): rule for group in GROUPS for rule in group["rules"]}
RULES = {rule["alert"]: rule for group in GROUPS for rule in group["rules"] if "alert" in rule}
SECONDS = {"30s": 30, "4m": 240, "20m": 1200}


def promtool(*arguments):
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    "groups",
    [GROUPS, alerts.rule_file()["groups"]],
    ids=["in Kubernetes", "outside"],
)
def test_prometheus_takes_the_rules(tmp_path, groups):
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": groups}))
    code, said = promtool("check", "rules", str(file))
    assert code == 0, said
    assert f"{sum(len(group['rules']) for group in groups)} rules found" in said
    assert "duplicate" not in said


def expected(name, rings):
    rule = RULES[name]
    return [
        {
            "exp_labels": {**labels, "severity": rule["labels"]["severity"]},
            "exp_annotations": {**rule["annotations"], "summary": summary},
        }
        for labels, summary in rings
    ]


def concerned(case):
    """The rules that ask for the case's series, or for what these are recorded as; and what all ask for.

    All others see nothing but a workload that is well, for which there is a case of its own.
    """
    if not case.healthy or not case.series:
        return frozenset(BY_NAME)
    asked = {series.partition("{")[0] for series in case.series}
    while True:
        found = {name for name, rule in BY_NAME.items() if named(rule["expr"]) & asked}
        more = {name for name in found if "record" in BY_NAME[name]} - asked
        if not more:
            return frozenset(found | {AWAY})
        asked |= more


def named(query):
    return set(re.findall(r"[a-z][\w:]+", query))


def world(case, rules):
    seconds = SECONDS[case.step]
    base = well(ceil(case.minute * 60 / seconds) + 2) if case.healthy else {}
    return {
        "interval": case.step,
        "input_series": [{"series": s, "values": v} for s, v in (base | case.series).items()],
        "alert_rule_test": [
            {
                "alertname": name,
                "eval_time": f"{int(case.minute * 60)}s",
                "exp_alerts": expected(name, case.rings.get(name, [])),
            }
            for name in RULES
            if name in rules
        ],
    }


def judged(folder, worlds, rules, every, groups=GROUPS):
    """What promtool says of these worlds under these rules, with an evaluation as often."""
    kept = [
        {**group, "rules": [rule for rule in group["rules"] if name_of(rule) in rules]} for group in groups
    ]
    (folder / "rules.yaml").write_text(
        yaml.safe_dump({"groups": [group for group in kept if group["rules"]]})
    )
    tests = {"rule_files": ["rules.yaml"], "evaluation_interval": every, "tests": worlds}
    (folder / "tests.yaml").write_text(yaml.safe_dump(tests))
    return promtool("test", "rules", str(folder / "tests.yaml"))


@pytest.fixture(scope="module")
def wrong(tmp_path_factory):
    """The sets of cases, by rules and step, of which one at least is not as it should be."""
    sets = defaultdict(list)
    for case in CASES:
        sets[concerned(case), case.step].append(case)
    folder = tmp_path_factory.mktemp("cases")
    return {
        key
        for key, cases in sets.items()
        if judged(folder, [world(case, key[0]) for case in cases], *key)[0] != 0
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.told)
def test_so_and_not_otherwise(case, tmp_path, wrong):
    rules = concerned(case)
    assert set(case.rings) <= rules
    if (rules, case.step) in wrong:
        code, said = judged(tmp_path, [world(case, rules)], rules, case.step)
        assert code == 0, said


def test_every_alert_is_seen_to_fire_and_seen_to_be_silent():
    assert {name for case in CASES for name in case.rings} == set(RULES)
    assert len({case.told for case in CASES}) == len(CASES)


def test_an_alert_is_of_the_installation_that_it_is_for(tmp_path):
    """Two workloads of a cluster: the rules of one are silent about the other."""
    series = {f'langgraph_db_pool_size{{namespace="{NS}",pod="a",state="free"}}': "0x40"}
    series |= {name.replace(NS + '"', 'other"'): values for name, values in well(42).items()}
    silent = world(CASES[0], BY_NAME)
    silent["input_series"] = [{"series": s, "values": v} for s, v in series.items()]
    for one in silent["alert_rule_test"]:
        one["exp_alerts"] = []
    others = alerts.alert_groups(namespace="other")
    code, said = judged(tmp_path, [silent], frozenset(BY_NAME), "30s", others)
    assert code == 0, said
