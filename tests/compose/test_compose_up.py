"""The services of app/compose.yaml, started as it says: through nginx and TLS they do what they are for."""

import json
import os
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from support.compose import APP, Composition, missing_tools, running
from support.compose_docker import docker_for

pytestmark = pytest.mark.skipif(bool(missing_tools()), reason=f"not installed: {', '.join(missing_tools())}")

QUESTION = {"messages": [{"role": "user", "content": "When are you open?"}]}
STREAMS = 16


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composition]:
    with running(tmp_path_factory.mktemp("compose")) as started:
        yield started


@pytest.fixture(scope="module")
def key(project: Composition) -> str:
    made = ["python", "-m", "agent_server", "keys", "create", "--tenant", "acme", "--name", "test"]
    return project.inside("app-1", *made).strip()


@pytest.fixture(scope="module")
def client(project: Composition, key: str) -> Iterator[httpx.Client]:
    """Somebody outside, who trusts the certificate."""
    trusted = ssl.create_default_context(cafile=str(project.secret("nginx", "/run/secrets/tls/tls.crt")))
    trusted.check_hostname = False  # it is `localhost`, and the container's address is another
    with httpx.Client(
        base_url=f"https://{project.containers['nginx-1'].address}:8443",
        verify=trusted,
        headers={"Authorization": f"Bearer {key}"},
        timeout=60,
    ) as client:
        yield client


def asked(client: httpx.Client, **more: str) -> httpx.Response:
    return client.post(
        "/graphs/support/invoke",
        json={"input": QUESTION, "thread_id": str(uuid4())},
        headers={"Idempotency-Key": str(uuid4()), **more},
    )


def test_everything_started_after_what_it_depends_on(project: Composition) -> None:
    at = {event: project.journal.index(event) for event in project.journal}
    assert at["healthy", "postgres-1"] < at["started", "migrate-1"] < at["completed", "migrate-1"]
    for name in ("app-1", "app-2", "app-3", "worker-1"):
        assert max(at["completed", "migrate-1"], at["healthy", "redis-1"]) < at["started", name]
        assert at["started", "nginx-1"] > at["healthy", name] or name == "worker-1"


def test_a_run_is_answered_over_tls(client: httpx.Client) -> None:
    answer = asked(client)
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "success"


def test_who_brings_no_key_is_refused(client: httpx.Client) -> None:
    assert client.get("/graphs", headers={"Authorization": ""}).status_code == 401


def test_plain_http_is_sent_to_https(project: Composition) -> None:
    address = project.containers["nginx-1"].address
    answer = httpx.get(f"http://{address}:8080/graphs?x=1")
    assert (answer.status_code, answer.headers["location"]) == (308, f"https://{address}/graphs?x=1")


def test_metrics_are_for_the_inside_alone(project: Composition, client: httpx.Client) -> None:
    assert client.get("/metrics").status_code == 404
    for name in ("app-1", "worker-1"):
        text = httpx.get(f"http://{project.containers[name].address}:9464/metrics").text
        assert "langgraph_build_info" in text


def test_sixteen_streams_are_open_at_once(client: httpx.Client) -> None:
    with ExitStack() as stack:
        streams = [
            stack.enter_context(
                client.stream(
                    "POST", "/graphs/support/stream", json={"input": QUESTION, "thread_id": str(uuid4())}
                )
            )
            for _ in range(STREAMS)
        ]
        lines = [one.iter_lines() for one in streams]
        assert [next(line) for line in lines] == ["event: metadata"] * STREAMS
        ends = [[line for line in one if line.startswith("event: ")][-1] for one in lines]
    assert ends == ["event: end"] * STREAMS


def test_an_attachment_of_one_process_is_read_by_all(project: Composition, client: httpx.Client) -> None:
    content = b"Invoice 17"
    described = {
        "thread_id": "files",
        "filename": "a.txt",
        "content_type": "text/plain",
        "size": len(content),
    }
    made = client.post("/attachments", json=described).json()
    upload = made["upload"]
    sent = client.request(upload["method"], upload["url"], headers=upload["headers"], content=content)
    assert sent.status_code == 204, sent.text
    for address in project.addresses("app"):
        read = httpx.get(
            f"http://{address}:8000/attachments/{made['attachment_id']}/content",
            headers={"Authorization": client.headers["Authorization"]},
        )
        assert read.content == content


def test_a_large_body_is_refused_by_the_server_in_its_own_words(client: httpx.Client) -> None:
    answer = client.post("/graphs/support/invoke", content=b" " * (2 * 2**20))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_servers_log_in_as_the_role_that_makes_no_tables(project: Composition) -> None:
    read = {
        name: project.secret("app", f"/run/secrets/database/{name}").read_text()
        for name in ("username", "password")
    }
    host = project.containers["postgres-1"].address
    with (
        psycopg.connect(
            host=host, dbname="langgraph", user=read["username"], password=read["password"]
        ) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("CREATE TABLE agent.mine ()")


def test_redis_holds_the_limits_and_refuses_strangers(project: Composition) -> None:
    from redis import Redis  # noqa: PLC0415  # only here
    from redis.exceptions import NoPermissionError  # noqa: PLC0415

    with Redis(project.containers["redis-1"].address) as stranger:
        assert stranger.ping()
        with pytest.raises(NoPermissionError):
            stranger.get("langgraph:anything")
    url = project.secret("app", "/run/secrets/env/REDIS_URL").read_text()
    with Redis.from_url(url.replace("@redis:", f"@{project.containers['redis-1'].address}:")) as ours:
        assert ours.set("langgraph:test", 1, ex=1)
        with pytest.raises(NoPermissionError):
            ours.flushall()


@pytest.mark.timeout(400)
def test_all_servers_are_replaced_and_nobody_notices(project: Composition, client: httpx.Client) -> None:
    done = threading.Event()

    def ask() -> list[int]:
        statuses: list[int] = []
        while not done.is_set():
            statuses += [asked(client).status_code, client.get("/threads").status_code]
            time.sleep(0.2)
        return statuses

    before = set(project.names("app"))
    with ThreadPoolExecutor(2) as pool, docker_for(project) as (docker, path):
        asking = [pool.submit(ask) for _ in range(2)]
        try:
            rolled = subprocess.run(
                [APP / "compose-rollout.sh", "app"],
                env=os.environ | {"PATH": f"{path}:{os.environ['PATH']}"},
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            done.set()
        statuses = [status for future in asking for status in future.result()]
    assert rolled.returncode == 0, f"{rolled.stdout}{rolled.stderr}{docker.asked}"
    assert len(project.names("app")) == 3
    assert not before & set(project.names("app"))
    assert set(statuses) == {200}
    assert len(statuses) > 20


def test_the_log_of_nginx_is_json_that_names_requests(project: Composition, client: httpx.Client) -> None:
    asked(client, **{"X-Request-Id": "from-outside-1"})
    deadline = time.monotonic() + 5
    while not (named := _requests_named(project, "from-outside-1")) and time.monotonic() < deadline:
        time.sleep(0.02)  # nginx writes the line once the answer is sent
    (line,) = named
    assert (line["method"], line["path"], line["status"]) == ("POST", "/graphs/support/invoke", 200)


def _requests_named(project: Composition, request_id: str) -> list[dict[str, Any]]:
    whole = project.containers["nginx-1"].output().rpartition("\n")[0]
    lines = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
    return [line for line in lines if line["request_id"] == request_id]


def test_no_secret_is_in_a_log_or_in_what_a_process_was_started_with(project: Composition) -> None:
    values = [file.read_text().strip() for file in project.secrets.values() if file.parent.name != "tls"]
    hidden = [value for value in values if len(value) > 20 and not value.startswith("user ")]
    assert len(hidden) == 4
    for one in project.containers.values():
        started = one.output()
        if one.child and one.child.poll() is None:
            process = Path(f"/proc/{one.child.pid}")
            started += (process / "environ").read_text() + (process / "cmdline").read_text()
        assert not [value for value in hidden if value in started], one.name


def test_taken_down_all_of_it_ends_in_time(project: Composition) -> None:
    assert set(project.down().values()) == {0}
    assert project.journal[-1] in {("stopped", "postgres-1"), ("stopped", "redis-1")}
