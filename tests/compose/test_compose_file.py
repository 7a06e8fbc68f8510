"""app/compose.yaml says what the platform is on one machine, in the Compose Specification's words."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.compose import APP, document, seconds, started_before

from agent_server.core.secret_files import SECRET_FILES
from agent_server.core.settings import Settings
from langgraph_components.pure import budget

# schema/compose-spec.json of github.com/compose-spec/compose-spec, Apache License 2.0, at
# 170098ba07d9f53c383a41bfd4c5166b0a4529a6
SCHEMA = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
SERVERS = ("app", "worker", "migrate")
OTHERS = ("postgres", "redis", "nginx")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return document()["services"]


def test_the_specification_admits_the_file() -> None:
    errors = jsonschema.Draft7Validator(SCHEMA).iter_errors(document())
    assert [f"{list(error.path)}: {error.message}" for error in errors] == []


def test_the_check_of_the_specification_finds_a_wrong_key() -> None:
    wrong = document()
    wrong["services"]["app"]["replicas"] = 3
    assert list(jsonschema.Draft7Validator(SCHEMA).iter_errors(wrong))


def test_the_server_runs_three_times_within_its_limits(services: dict[str, Any]) -> None:
    deploy = services["app"]["deploy"]
    assert deploy["replicas"] == 3
    assert {name: deploy["resources"]["limits"][name] for name in ("cpus", "memory")} == {
        "cpus": "2",
        "memory": "2g",
    }
    assert deploy["resources"]["reservations"] == {"cpus": "0.5", "memory": "512m"}
    assert deploy["restart_policy"]["condition"] == "on-failure"


def test_every_service_has_limits_and_reservations(services: dict[str, Any]) -> None:
    for name, service in services.items():
        resources = service["deploy"]["resources"]
        assert set(resources) == {"limits", "reservations"}, name
        assert {"cpus", "memory"} <= set(resources["limits"]), name


def test_a_server_is_asked_every_30_seconds_without_curl(services: dict[str, Any]) -> None:
    for name in ("app", "worker"):
        check = services[name]["healthcheck"]
        asked = [seconds(check[key]) for key in ("interval", "timeout", "start_period")]
        assert (asked, check["retries"]) == ([30, 10, 10], 3)
        assert check["test"][:2] == ["CMD", "python"]


def test_every_service_starts_after_what_it_needs_is_healthy(services: dict[str, Any]) -> None:
    needs = {name: service.get("depends_on", {}) for name, service in services.items()}
    for name in ("app", "worker"):
        assert {service: how["condition"] for service, how in needs[name].items()} == {
            "migrate": "service_completed_successfully",
            "postgres": "service_healthy",
            "redis": "service_healthy",
        }
    assert needs["migrate"]["postgres"]["condition"] == "service_healthy"
    assert needs["nginx"]["app"]["condition"] == "service_healthy"
    order = started_before(services)
    assert order.index("postgres") < order.index("migrate") < order.index("app") < order.index("nginx")


def test_what_is_waited_for_has_a_health_check(services: dict[str, Any]) -> None:
    for service in services.values():
        for needed, how in service.get("depends_on", {}).items():
            assert how["condition"] != "service_healthy" or "healthcheck" in services[needed]


def test_nothing_may_more_than_it_needs(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["user"].split(":")[0] not in {"0", "root"}, name
        assert "privileged" not in service, name
        assert "cap_add" not in service, name
    assert {services[name]["user"] for name in SERVERS} == {"1000:1000"}


def test_only_nginx_is_reached_from_outside(services: dict[str, Any]) -> None:
    assert {name for name, service in services.items() if "ports" in service} == {"nginx"}
    assert services["nginx"]["ports"] == ["80:8080", "443:8443"]
    assert document({"HTTPS_PORT": "8443"})["services"]["nginx"]["ports"][1] == "8443:8443"
    assert document()["networks"]["inside"]["internal"]
    assert all(services[name]["networks"] == ["inside"] for name in ("postgres", "redis", "migrate"))


def test_any_number_of_servers_can_be_started(services: dict[str, Any]) -> None:
    for name in ("app", "worker"):
        assert not {"container_name", "ports", "hostname"} & set(services[name])
    assert " resolve" in services["nginx"]["environment"]["NGINX_UPSTREAM"]
    assert services["nginx"]["environment"]["NGINX_RESOLVER"].startswith("127.0.0.11 valid=")


def test_images_of_others_are_pinned_by_digest(services: dict[str, Any]) -> None:
    for name in OTHERS:
        image = services[name]["image"]
        assert re.fullmatch(r"[a-z]+:[0-9.]+@sha256:[0-9a-f]{64}", image), image
    assert int(services["postgres"]["image"].split(":")[1].split("@")[0]) >= 16
    assert services["redis"]["image"].startswith("redis:7@")


def test_redis_keeps_what_it_has_and_evicts_nothing(services: dict[str, Any]) -> None:
    words = services["redis"]["command"]
    said = dict(zip(words[1::2], words[2::2], strict=True))
    assert said["--appendonly"] == "yes"
    assert said["--maxmemory"] == "256mb"
    assert said["--maxmemory-policy"] == "noeviction"


def test_postgres_has_a_connection_for_every_process(services: dict[str, Any]) -> None:
    said = dict(word.split("=") for word in services["postgres"]["command"] if "=" in word)
    defaults = Settings.model_fields
    each = defaults["pool_max_size"].default + budget.OUTSIDE_THE_POOL
    twice = 2 * (services["app"]["deploy"]["replicas"] + services["worker"]["deploy"]["replicas"])
    assert twice * each + budget.FIXED <= int(said["max_connections"])


def test_a_stop_has_the_time_that_it_may_take(services: dict[str, Any]) -> None:
    times = budget.TIMES
    for name in ("app", "worker"):
        assert seconds(services[name]["stop_grace_period"]) == times.drain + times.close + times.slack


def test_no_secret_is_in_the_file_or_in_an_environment(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for variable, value in service.get("environment", {}).items():
            assert not re.search(r"(API_KEY|PASSWORD|SECRET|PEPPER)$", variable), (name, variable)
            assert not re.search(r"://[^/]*:[^/]*@", str(value)), (name, variable)


def test_secrets_are_where_the_server_looks(services: dict[str, Any]) -> None:
    for name in ("app", "worker"):
        targets = {secret["target"] for secret in services[name]["secrets"]}
        wanted = ("API_KEY_PEPPER", "REDIS_URL", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "LANGSMITH_API_KEY")
        assert {str(SECRET_FILES / variable) for variable in wanted} <= targets
        assert str(Settings.model_fields["database_user_file"].default) in targets
        assert str(Settings.model_fields["database_password_file"].default) in targets


def test_every_setting_of_the_server_exists(services: dict[str, Any]) -> None:
    known = {name.upper() for name in Settings.model_fields}
    for name in SERVERS:
        assert set(services[name]["environment"]) <= known


def test_every_secret_is_declared_and_used(services: dict[str, Any]) -> None:
    used = {one["source"] for service in services.values() for one in service.get("secrets", [])}
    assert used == set(document()["secrets"])


def test_git_and_the_image_leave_secrets_out() -> None:
    ignored = subprocess.run(
        ["git", "check-ignore", "app/secrets/env/REDIS_URL", "app/settings.env", "app/.env"],
        cwd=APP.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert len(ignored.stdout.split()) == 3
    admitted = [line for line in (APP / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert not [line for line in admitted if re.search(r"secrets|settings\.env|compose", line)]


def secrets_in(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


def test_secrets_are_made_once_and_for_nobody_else(tmp_path: Path) -> None:
    script = tmp_path / "compose-secrets.sh"
    script.write_bytes((APP / "compose-secrets.sh").read_bytes())
    script.chmod(0o755)
    folder = tmp_path / "secrets"
    subprocess.run([script, "agents.example"], check=True, capture_output=True)
    made = secrets_in(folder)
    declared = {str(Path(one["file"]).relative_to("secrets")) for one in document()["secrets"].values()}
    assert set(made) == declared
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(made["env/API_KEY_PEPPER"]) >= 32
    assert made["env/REDIS_URL"].split(":")[2].split("@")[0] not in made["redis/users.acl"]
    (folder / "env" / "OPENAI_API_KEY").write_text("sk-mine")
    subprocess.run([script, "agents.example"], check=True, capture_output=True)
    assert secrets_in(folder) == made | {"env/OPENAI_API_KEY": "sk-mine"}
