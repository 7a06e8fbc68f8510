import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import httpx
import pytest
from containers import Engines, missing_program, open_engines, stand_in_base
from image_world import LOCKED_DOWN, Lgp, Serve, Server, wait_until_ready
from psycopg.conninfo import conninfo_to_dict
from support.ports import free_port
from support.postgres import private_cluster


@pytest.fixture(scope="session")
def engines() -> Engines:
    missing = missing_program()
    if missing:
        pytest.skip(f"{missing} is not installed")
    if os.geteuid() != 0:
        pytest.skip("debootstrap needs root")
    return open_engines()


@pytest.fixture(scope="session")
def base(engines: Engines) -> str:
    return stand_in_base(engines)


@pytest.fixture(scope="session")
def pip_options(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What pip is configured to on this machine, for `lgp build`."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    settings = dict(line.split("=", 1) for line in lines if "=" in line)
    names = ("index-url", "extra-index-url", "trusted-host", "timeout")
    told = {name: settings[key].strip("'") for key in settings for name in names if key.endswith(f".{name}")}
    file = tmp_path_factory.mktemp("pip") / "pip.conf"
    file.write_text("[global]\n" + "".join(f"{name} = {value}\n" for name, value in told.items()))
    roots = os.environ.get("PIP_CERT") or os.environ.get("SSL_CERT_FILE")
    return ["--pip-config", str(file), *(["--ca", roots] if roots else [])]


@pytest.fixture(scope="session")
def lgp(engines: Engines, base: str, pip_options: list[str]) -> Lgp:
    return Lgp(engines, ["--base-image", base, *pip_options])


@pytest.fixture(scope="session")
def bundled(lgp: Lgp) -> str:
    """The image of the graphs that ship."""
    return str(lgp.build()["image"])


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """A PostgreSQL that listens on a loopback address of its own, as a container reaches it."""
    address = f"127.{secrets.randbelow(200) + 20}.{secrets.randbelow(250)}.{secrets.randbelow(250) + 1}"
    with private_cluster(settings={"listen_addresses": address}) as cluster:
        with (cluster.layout.data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 127.0.0.0/8 scram-sha-256\n")
        os.kill(cluster.pid or 0, signal.SIGHUP)
        parts = conninfo_to_dict(cluster.url)
        yield f"postgresql://{parts['user']}:{parts['password']}@{address}:5432/{parts['dbname']}"


@pytest.fixture
def serve(engines: Engines, database_url: str) -> Serve:
    @contextmanager
    def serving(image: str, **environment: str) -> Generator[Server, None, None]:
        pepper = secrets.token_urlsafe(32)
        told = {"DATABASE_URL": database_url, "API_KEY_PEPPER": pepper, "AUTH": "keys", **environment}
        variables = [word for pair in told.items() for word in ("--env", "=".join(pair))]
        once = ("podman", "run", "--rm", *LOCKED_DOWN, *variables, image, "python", "-m", "agent_server")
        engines.run(*once, "migrate")
        key = json.loads(engines.run(*once, "keys", "create", "--tenant", "t", "--name", "n", "--json"))[
            "key"
        ]
        port, name = free_port(), f"lgp-{secrets.token_hex(4)}"
        ports = ("--env", f"PORT={port}", "--env", "METRICS_PORT=0")
        engines.run("podman", "run", "--detach", "--name", name, *LOCKED_DOWN, *variables, *ports, image)
        headers = {"Authorization": f"Bearer {key}"}
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as http:
                server = Server(engines, name, http)
                wait_until_ready(server)
                yield server
        finally:
            engines.run("podman", "rm", "--force", "--time", "0", name, check=False)

    return serving
