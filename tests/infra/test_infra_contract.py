"""The two halves and docs/contract.md say the same: numbers, ports, paths, files, names of variables."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from infra.infra_workloads import cloud, documents, local, of_kind, pod_templates

from agent_server.commands.line import parser
from agent_server.core.secret_files import SECRET_FILES
from agent_server.core.settings import Settings
from agent_server.http.probes import make_probes
from langgraph_client import LangGraphClient
from langgraph_components.agent_workload import AgentWorkloadArgs
from langgraph_components.pure import environment, labels, pods
from langgraph_components.pure.budget import API_PORT, METRICS_PORT, Times, check_times, server_environment
from langgraph_components.workload import fields

ROOT = Path(__file__).parents[2]
CONTRACT = (ROOT / "docs" / "contract.md").read_text()
AGENT = "http://169.254.170.23/v1/credentials"
"""What EKS itself sets in a pod whose account has a Pod Identity association."""


def section(title: str) -> str:
    return CONTRACT.split(f"## {title}")[1].split("\n## ")[0]


def variables() -> dict[str, str]:
    """Every variable of the page, with its default in the page's words."""
    found: dict[str, str] = {}
    for names, default in re.findall(r"^\| (`[A-Z].*?) \| (.*?) \| .* \|$", section("2."), re.MULTILINE):
        each = re.findall(r"`([A-Z_0-9]+)`", names)
        parts = default.split(" / ") if len(each) > 1 and " / " in default else [default] * len(each)
        found |= dict(zip(each, (part.strip("`") for part in parts), strict=True))
    return found


def times_of_the_page() -> dict[str, int]:
    table = section("8.").split("### Time budget")[1]
    return {
        step: int(seconds) for step, seconds in re.findall(r"^\| (.+?) \| (\d+) \|$", table, re.MULTILINE)
    }


@pytest.fixture(params=[cloud, local], ids=["cloud", "local"])
def found(request: pytest.FixtureRequest, graph: Any) -> list[dict[str, Any]]:
    return documents(graph(request.param))


def environments(found: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """All that each pod's process is told: its ConfigMap, and over it what its template sets."""
    maps = {each["metadata"]["name"]: each["data"] for each in of_kind(found, "ConfigMap")}
    told: dict[str, dict[str, str]] = {}
    for owner, template in server_templates(found).items():
        (container,) = template["spec"]["containers"]
        own = {each["name"]: each["value"] for each in container.get("env", [])}
        sources = [maps[each["configMapRef"]["name"]] for each in container.get("envFrom", [])]
        told[owner] = {name: str(value) for each in [*sources, own] for name, value in each.items()}
    return told


def server_templates(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Pods of our image."""
    return {
        owner: template
        for owner, template in pod_templates(found).items()
        if template["metadata"]["labels"][labels.NAME] == labels.APPLICATION
    }


# Numbers


def test_the_times_of_the_page_are_those_that_the_components_plan_with():
    times = Times()
    assert check_times(times) == []
    assert times_of_the_page() == {
        "client time-out": times.client_timeout,
        "balancer idle time-out": times.balancer_idle,
        "keep-alive (`KEEP_ALIVE_SECONDS`)": times.keep_alive,
        "heartbeat of a silent stream (`HEARTBEAT_SECONDS`)": times.heartbeat,
        "preStop sleep, while the balancer learns that the pod leaves": times.pre_stop,
        "drain (`DRAIN_SECONDS`)": times.drain,
        "close": times.close,
        "drain and close (`SHUTDOWN_SECONDS`)": times.shutdown,
        "slack": times.slack,
        "termination grace: preStop, drain, close and slack": times.grace,
        "deregistration delay of the balancer, at most preStop and drain": times.deregistration_delay,
        "lease (`LEASE_SECONDS`)": times.lease,
        "renewal (`LEASE_RENEW_SECONDS`)": times.lease_renew,
    }


def test_what_the_components_set_by_default_is_the_servers_own_default():
    fields = Settings.model_fields
    pool = {"pool_min": fields["pool_min_size"].default, "pool_max": fields["pool_max_size"].default}
    told = server_environment(Times(), **pool)
    assert told == {name: str(fields[name.lower()].default) for name in told}
    assert told == {name: variables()[name] for name in told}


def test_the_client_waits_longer_than_the_server_and_shorter_than_the_balancer():
    signature = inspect.signature(LangGraphClient.__init__)
    assert signature.parameters["timeout"].default == Times().client_timeout
    assert Settings.model_fields["wait_seconds"].default == Times().wait < Times().client_timeout


def test_ports_user_and_probes_are_the_same_everywhere(found):
    dockerfile = (ROOT / "app" / "Dockerfile").read_text()
    process = section("1.")
    assert Settings.model_fields["port"].default == API_PORT
    assert f"| API port | `PORT`, {API_PORT};" in process
    assert f"`METRICS_PORT` {METRICS_PORT}" in process
    assert f"EXPOSE {API_PORT} {METRICS_PORT}" in dockerfile
    assert f"uid {pods.UID}, gid {pods.UID}" in process
    assert f"USER {pods.UID}:{pods.UID}" in dockerfile
    routes = {getattr(route, "path", "") for route in make_probes(None).routes}  # pyright: ignore[reportArgumentType]
    for template in server_templates(found).values():
        (container,) = template["spec"]["containers"]
        ports = {each["name"]: each["containerPort"] for each in container.get("ports", [])}
        assert set(ports.values()) <= {API_PORT, METRICS_PORT}
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            if kind in container:
                asked = container[kind]["httpGet"]
                assert asked["path"] in routes
                assert f"`GET {asked['path']}`" in process
                assert ports[asked["port"]] == API_PORT


def test_pods_that_stay_have_probes_and_the_time_that_the_page_gives_them(found):
    times = times_of_the_page()
    for owner, template in server_templates(found).items():
        if not owner.startswith("Deployment/"):
            continue
        (container,) = template["spec"]["containers"]
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= container.keys(), owner
        (grace,) = (seconds for step, seconds in times.items() if step.startswith("termination grace"))
        assert template["spec"]["terminationGracePeriodSeconds"] == grace
        (pre_stop,) = (seconds for step, seconds in times.items() if step.startswith("preStop"))
        assert container["lifecycle"]["preStop"] == {"sleep": {"seconds": pre_stop}}


# Variables


def test_every_variable_that_a_pod_is_told_is_on_the_page(found):
    for owner, told in environments(found).items():
        assert told.keys() <= variables().keys(), owner


def test_no_variable_of_a_pod_holds_a_secret(found):
    for told in environments(found).values():
        assert told.keys().isdisjoint(environment.SECRETS)
        assert not re.search(r"://[^/@]*:[^/@]*@", told["DATABASE_URL"])


def test_every_variable_that_the_components_know_is_on_the_page():
    assert variables().keys() >= environment.OURS | fields.variable_names(AgentWorkloadArgs)
    assert not environment.OURS & fields.variable_names(AgentWorkloadArgs), "one way to set a variable"
    assert variables().keys() >= environment.SECRETS


def test_the_server_starts_with_what_each_pod_is_told(found, monkeypatch):
    """Not only known names: values that the server's own settings take, together."""
    for name in variables():
        monkeypatch.delenv(name, raising=False)
    for told in environments(found).values():
        injected = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": AGENT, "API_KEY_PEPPER": "p" * 32}
        settings = Settings.model_validate({name.lower(): value for name, value in (injected | told).items()})
        settings.require_safe_exposure()
        assert settings.database_auth in {"file", "iam"}


def test_the_pods_that_serve_listen_to_others_and_sweep_nothing(found):
    for owner, told in environments(found).items():
        if owner.startswith("Deployment/"):
            assert (told["HOST"], told["AUTH"], told["RETENTION_SWEEP_SECONDS"]) == ("0.0.0.0", "keys", "0")


def test_each_pod_runs_a_command_of_the_server(found):
    for template in server_templates(found).values():
        (container,) = template["spec"]["containers"]
        command = [*container.get("command", []), *container.get("args", [])]
        assert command[:3] == ["python", "-m", "agent_server"]
        assert parser().parse_args(command[3:]).command == command[3]


# Files and names


def test_files_are_where_the_server_looks_for_them(found):
    files = section("4.")
    fields = Settings.model_fields
    assert Path(environment.ENV_FILES) == SECRET_FILES
    assert Path(environment.DATABASE_FILES) / "username" == fields["database_user_file"].default
    assert Path(environment.DATABASE_FILES) / "password" == fields["database_password_file"].default
    for path in (f"{environment.ENV_FILES}/NAME", f"{environment.DATABASE_FILES}/username"):
        assert f"`{path}`" in files
    assert f"`{environment.APPLICATION_FILES}/password`" in files
    mounted = {
        volume["mountPath"]
        for template in server_templates(found).values()
        for volume in template["spec"]["containers"][0]["volumeMounts"]
    }
    assert {environment.ENV_FILES, environment.DATABASE_FILES, "/tmp"} <= mounted


def test_what_pods_are_told_to_read_is_mounted_or_in_the_image(found):
    told = environments(found)
    for owner, template in server_templates(found).items():
        mounts = [volume["mountPath"] for volume in template["spec"]["containers"][0]["volumeMounts"]]
        paths = [value for name, value in told[owner].items() if name.endswith("_FILE")]
        paths += re.findall(r"sslrootcert=([^&]+)", told[owner]["DATABASE_URL"])
        for path in paths:
            in_image = path.startswith("/app/") and (ROOT / path.removeprefix("/")).is_file()
            assert in_image or any(path.startswith(f"{mount}/") for mount in mounts), (owner, path)


def test_names_and_labels_are_those_of_the_page(found):
    page = section("8.")
    accounts = {each["metadata"]["name"] for each in of_kind(found, "ServiceAccount")}
    ours = accounts & {labels.SERVICE_ACCOUNT, labels.MIGRATION_ACCOUNT}
    assert ours == {"agent-server", "agent-migrate"}
    assert all(f"`{name}`" in page for name in ours)
    for template in server_templates(found).values():
        told = template["metadata"]["labels"]
        assert told[labels.COMPONENT] in re.findall(r"\w+", page.split("component=")[1].split("`")[0])
        assert f"{labels.NAME}={told[labels.NAME]}" in page
        assert f"{labels.PART_OF}={told[labels.PART_OF]}" in page
        assert f"{labels.MANAGED_BY}={told[labels.MANAGED_BY]}" in page


def test_secrets_of_the_pods_have_the_names_of_the_page(found):
    page = section("8.")
    named = set(re.findall(r"`(agent-server-[a-z]+)`", page))
    assert named == {
        *("agent-server-env", "agent-server-database", "agent-server-master", "agent-server-application")
    }
    for owner, template in server_templates(found).items():
        direct = {
            volume["secret"]["secretName"] for volume in template["spec"]["volumes"] if "secret" in volume
        }
        assert direct <= named, owner
        assert "agent-server-master" not in direct or owner.startswith("Job/")
