"""app/compose.monitoring.yaml: Prometheus and Grafana beside the others, for this machine alone."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from support.compose import APP, document

from lgp.monitoring.grafana import settings
from lgp.server_process import Address

SCHEMA = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
TEXT = (APP / "compose.monitoring.yaml").read_text()
FILE: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", TEXT))
SERVICES: dict[str, Any] = FILE["services"]


def test_the_specification_admits_the_file() -> None:
    errors = jsonschema.Draft7Validator(SCHEMA).iter_errors(FILE)
    assert [f"{list(error.path)}: {error.message}" for error in errors] == []


def test_it_adds_to_the_other_file_and_changes_nothing_of_it() -> None:
    beside = document()
    assert not set(SERVICES) & set(beside["services"])
    assert not set(FILE["volumes"]) & set(beside["volumes"])
    for service in SERVICES.values():
        assert set(service["networks"]) <= set(beside["networks"])
        assert "inside" not in service["networks"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_no_more_than_the_others_and_is_reached_from_this_machine_alone(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[a-z]+/[a-z]+:v?[0-9.]+@sha256:[0-9a-f]{64}", service["image"])
    assert service["read_only"]
    assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
    assert service["user"].split(":")[0] not in {"0", "root"}
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert set(service["deploy"]["resources"]) == {"limits", "reservations"}
    assert service["healthcheck"]["test"][0] == "CMD"


def mounted(name: str) -> dict[str, Path]:
    pairs = [volume.split(":")[:2] for volume in SERVICES[name]["volumes"]]
    return {target: APP / source for source, target in pairs if source.startswith("./")}


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_is_there_and_for_reading(name: str) -> None:
    assert all(path.exists() for path in mounted(name).values())
    assert all(volume.endswith(":ro") for volume in SERVICES[name]["volumes"] if volume.startswith("./"))


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_takes_its_configuration_and_reads_every_process(tmp_path: Path) -> None:
    files = mounted("prometheus")
    text = files["/etc/prometheus/prometheus.yaml"].read_text()
    for target, path in files.items():
        text = text.replace(target, str(path))
    (tmp_path / "prometheus.yaml").write_text(text)
    done = subprocess.run(
        ["promtool", "check", "config", str(tmp_path / "prometheus.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (job,) = yaml.safe_load(text)["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    for name in found["names"]:
        assert str(found["port"]) in document()["services"][name]["expose"]
    assert f'job="{job["job_name"]}"' in files["/etc/prometheus/rules.yaml"].read_text()


def test_grafana_has_the_dashboards_and_asks_prometheus() -> None:
    files = mounted("grafana")
    provisioned = files["/etc/grafana/provisioning"]
    (source,) = yaml.safe_load((provisioned / "datasources" / "prometheus.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    scraped = yaml.safe_load(mounted("prometheus")["/etc/prometheus/prometheus.yaml"].read_text())
    assert source["jsonData"]["timeInterval"] == scraped["global"]["scrape_interval"]
    (provider,) = yaml.safe_load((provisioned / "dashboards" / "langgraph.yaml").read_text())["providers"]
    home = Path(SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert str(home.parent) == provider["options"]["path"]
    assert (files[provider["options"]["path"]] / home.name).is_file()


def test_grafana_is_as_closed_as_on_a_laptop(tmp_path: Path) -> None:
    places = re.compile("GF_(PATHS|SERVER|LOG|DASHBOARDS)_")
    laptop = settings(Address("127.0.0.1", 3000), tmp_path)
    here = SERVICES["grafana"]["environment"]
    assert {k: v for k, v in here.items() if not places.match(k)} == {
        k: v for k, v in laptop.items() if not places.match(k)
    }
