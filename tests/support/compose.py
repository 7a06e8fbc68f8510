"""Starts the services of app/compose.yaml as processes of this machine, the way Compose starts containers.

What the file says is what is done: the order of `depends_on`, the commands, the environment, the health
checks, the secrets where they are mounted, the file system that may only be read, its `tmpfs`, no
capabilities, the signal and the time of a stop. Each container is a mount namespace and an address of its
own in 127.0.0.0/8, which stands for its 0.0.0.0 and 127.0.0.1; the names of services are in its /etc/hosts.
In place of images are Debian's packages and the embedded PostgreSQL.
"""

import itertools
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import yaml
from psycopg import sql

from lgp.embedded import Cluster, private_layout
from lgp.embedded.binaries import program_folder

APP = Path(__file__).resolve().parents[2] / "app"
FILE = APP / "compose.yaml"
TOOLS = ("nginx", "nsenter", "redis-server", "redis-cli", "curl", "envsubst", "setpriv", "unshare", "openssl")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def missing_tools() -> list[str]:
    """What has to be installed for `running`, and is not."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


def document(given: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The file with its variables filled in: those given, else their defaults."""
    values = dict(given or {})
    text = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda one: values.get(one[1], one[2]), FILE.read_text())
    return yaml.safe_load(text.replace("$$", "$"))


def seconds(duration: str) -> float:
    """`1m30s` as a number."""
    parts = re.findall(r"(\d+)(ms|s|m|h)", duration)
    assert parts, f"not a duration: {duration}"
    return sum(int(number) * UNITS[unit] for number, unit in parts)


def started_before(services: Mapping[str, Any]) -> list[str]:
    """Names, each after all that it depends on."""
    ordered: list[str] = []
    while len(ordered) < len(services):
        ready = [
            name
            for name, service in services.items()
            if name not in ordered and set(service.get("depends_on", {})) <= set(ordered)
        ]
        assert ready, f"services wait for each other: {set(services) - set(ordered)}"
        ordered += ready
    return ordered


@dataclass
class Container:
    """One process in place of a container."""

    service: str
    number: int
    address: str
    settings: dict[str, Any]
    log: Path
    child: "subprocess.Popen[bytes] | None" = None
    cluster: Cluster | None = None

    @property
    def name(self) -> str:
        return f"{self.service}-{self.number}"

    def output(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def send(self, number: signal.Signals) -> None:
        assert self.child is not None
        self.child.send_signal(number)


@dataclass
class Composition:
    """What `docker compose` knows of the project while it runs."""

    folder: Path
    services: dict[str, Any]
    secrets: dict[str, Path]
    journal: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """What happened to which container, in order: started, healthy, completed, stopped."""
    containers: dict[str, Container] = field(default_factory=dict[str, Container])
    network: str = ""
    hosts: itertools.count = field(default_factory=lambda: itertools.count(2))

    def up(self) -> None:
        """Start everything in order, and wait until all are healthy."""
        for service in started_before(self.services):
            for needed, how in self.services[service].get("depends_on", {}).items():
                self._await(needed, how["condition"])
            for number in range(1, self._replicas(service) + 1):
                self.start(service, number)
        for service in self.services:
            self._await(
                service, "service_healthy" if "healthcheck" in self._of(service) else "service_started"
            )

    def down(self) -> dict[str, int]:
        """Stop all, the dependent ones first; their exit codes."""
        order = [name for service in reversed(started_before(self.services)) for name in self.names(service)]
        return {name: self.stop(name) for name in order if self._is_running(self.containers[name])}

    def start(self, service: str, number: int) -> Container:
        """Make the container anew."""
        name = f"{service}-{number}"
        known = self.containers.get(name)
        address = known.address if known else f"{self.network}.{next(self.hosts)}"
        one = Container(service, number, address, self._of(service), self.folder / f"{name}.log")
        self.containers[name] = one
        self.journal.append(("started", name))
        if service == "postgres":
            self._start_postgres(one)
        else:
            self._start_process(one)
        return one

    def stop(self, name: str, number: signal.Signals | None = None) -> int:
        """As `docker stop`: the signal, then up to `stop_grace_period`. The exit code."""
        one = self.containers[name]
        self.journal.append(("stopped", name))
        if one.cluster:
            one.cluster.stop()
            return 0
        assert one.child is not None
        one.send(number or (signal.SIGQUIT if one.service == "nginx" else signal.SIGTERM))
        return one.child.wait(seconds(one.settings["stop_grace_period"]))

    def healthy(self, one: Container) -> bool:
        """Whether the health check says so, as written."""
        check = one.settings["healthcheck"]
        kind, *words = check["test"]
        line = ["sh", "-c", *words] if kind == "CMD-SHELL" else words
        line = [self._here(one, word) for word in line]
        done = subprocess.run(
            [*self._program(line[0]), *line[1:]],
            capture_output=True,
            timeout=seconds(check["timeout"]),
            check=False,
        )
        return done.returncode == 0

    def wait_until_healthy(self, one: Container) -> None:
        """As `condition: service_healthy`."""
        check = one.settings["healthcheck"]
        limit = seconds(check["start_period"]) + check["retries"] * seconds(check["interval"])
        deadline = time.monotonic() + limit
        while not self.healthy(one):
            assert self._is_running(one), f"{one.name} ended: {one.output()}"
            assert time.monotonic() < deadline, f"{one.name} is unhealthy: {one.output()}"
            time.sleep(seconds(check["start_interval"]) / 4)
        if ("healthy", one.name) not in self.journal[self.journal.index(("started", one.name)) :]:
            self.journal.append(("healthy", one.name))

    def secret(self, service: str, target: str) -> Path:
        """The file on this machine that a service has there."""
        (found,) = [one for one in self._of(service)["secrets"] if one["target"] == target]
        return self.secrets[found["source"]]

    def inside(self, name: str, *command: str, **more: str) -> str:
        """As `docker compose exec`: in the container's namespace, with its environment. What it prints."""
        one = self.containers[name]
        assert one.child is not None
        words = [*self._program(command[0]), *command[1:]]
        entered = [
            "nsenter",
            f"--target={one.child.pid}",
            "--mount",
            "--wd=/",
            *_without_rights(one, self._user(one, words[0])),
        ]
        done = subprocess.run(
            [*entered, *words],
            env=self._environment(one) | more,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def addresses(self, service: str) -> list[str]:
        return [self.containers[name].address for name in self.names(service)]

    def _of(self, service: str) -> dict[str, Any]:
        return self.services[service]

    def names(self, service: str) -> list[str]:
        return sorted(name for name, one in self.containers.items() if one.service == service)

    def _replicas(self, service: str) -> int:
        return self._of(service).get("deploy", {}).get("replicas", 1)

    def _await(self, service: str, condition: str) -> None:
        for name in self.names(service):
            one = self.containers[name]
            if condition == "service_healthy":
                self.wait_until_healthy(one)
            elif condition == "service_completed_successfully" and ("completed", name) not in self.journal:
                assert one.child is not None
                assert one.child.wait(60) == 0, one.output()
                self.journal.append(("completed", name))

    def _is_running(self, one: Container) -> bool:
        return bool(one.cluster and one.cluster.pid) or bool(one.child and one.child.poll() is None)

    def _start_process(self, one: Container) -> None:
        command = list(one.settings["command"])
        with one.log.open("ab") as output:
            one.child = subprocess.Popen(
                self._line(one, command),
                env=self._environment(one),
                cwd=APP,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _environment(self, one: Container) -> dict[str, str]:
        """What the file says, and of this machine's nothing but where programs are."""
        told = {
            name: self._here(one, str(value)) for name, value in one.settings.get("environment", {}).items()
        }
        if one.service == "nginx":
            told |= self._older_nginx(one, told)
        return {"PATH": os.environ["PATH"], "HOME": "/tmp", **told}

    def _older_nginx(self, one: Container, told: Mapping[str, str]) -> dict[str, str]:
        """Listen at its own address; and what only nginx 1.27.3 and newer know, for Debian's older one."""
        servers = " ".join(f"server {address}:8000 max_fails=0;" for address in self.addresses("app"))
        return {
            "NGINX_HTTP_LISTEN": f"{one.address}:{told['NGINX_HTTP_LISTEN']}",
            "NGINX_HTTPS_LISTEN": f"{one.address}:{told['NGINX_HTTPS_LISTEN']}",
            "NGINX_UPSTREAM": servers,
            "NGINX_HTTP2": "",
        }

    def _here(self, one: Container, text: str) -> str:
        """The same, with this container's address, and its volumes where they are mounted here."""
        text = re.sub(r"(?<![\d.])(127\.0\.0\.1|0\.0\.0\.0)(?!\d)", one.address, text)
        for _, target in self._volumes(one):
            text = re.sub(rf"(?<![\w/]){re.escape(target)}(?![\w])", f"/run/volumes{target}", text)
        return text

    def _volumes(self, one: Container) -> list[tuple[Path, str]]:
        """Folder here, and where it is mounted."""
        found: list[tuple[Path, str]] = []
        for volume in one.settings.get("volumes", []):
            source, target, *_ = volume.split(":")
            folder = (APP / source).resolve() if source.startswith(".") else self.folder / "volumes" / source
            found.append((folder, target))
        return found

    def _line(self, one: Container, command: list[str]) -> list[str]:
        """The command in a mount namespace of its own, as the user that the file names, without rights."""
        words = [*self._program(command[0]), *(self._here(one, word) for word in command[1:])]
        if one.service == "redis":
            words += ["--bind", one.address]  # else it has all addresses of this machine
        user = self._user(one, words[0])
        if one.service == "nginx":
            words = ["sh", "-ec", ENTRYPOINT + 'exec "$@"', "sh", *words]
        if user:
            one.log.touch()
            os.chown(one.log, *user)
        mounts = ["mount -t tmpfs -o mode=755 tmpfs /run"]
        for secret in one.settings.get("secrets", []):
            mounts += _bound(self.secrets[secret["source"]], secret["target"])
        for folder, target in self._volumes(one):
            if not folder.exists():
                folder.mkdir(parents=True)
                if user:
                    os.chown(folder, *user)
            mounts.append(f"mkdir -p /run/volumes{target} && mount --bind {folder} /run/volumes{target}")
        mounts.append(f"mount --bind {shlex.quote(str(self._hosts_file()))} /etc/hosts")
        mounts += _beside_the_clone(f"mount -t tmpfs -o {_options(one)} tmpfs /tmp")
        assert one.settings["read_only"]
        mounts += ["mount -o remount,bind,ro /", "mount -o remount,ro /run"]
        script = "\n".join(["set -e", *mounts, 'exec "$@"'])
        unshared = [] if os.geteuid() == 0 else ["--map-current-user", "--keep-caps"]
        return [
            "unshare",
            *unshared,
            "--mount",
            "sh",
            "-c",
            script,
            "sh",
            *_without_rights(one, user),
            *words,
        ]

    def _user(self, one: Container, program: str) -> tuple[int, int] | None:
        """Whom it runs as; None for ourselves, where that user could not even reach the program."""
        if os.geteuid() != 0 or program == sys.executable:
            return None
        user, group = one.settings["user"].split(":")
        return int(user), int(group)

    def _hosts_file(self) -> Path:
        lines = [f"{one.address} {one.service}" for one in self.containers.values()]
        file = self.folder / "hosts"
        file.write_text("\n".join(["127.0.0.1 localhost", *lines]) + "\n")
        return file

    def _program(self, name: str) -> list[str]:
        if name == "python":
            return [sys.executable, "-P"]
        if name == "pg_isready":
            folder = next(one.cluster for one in self.containers.values() if one.cluster).layout.binaries
            return [str(program_folder(folder) / name)]
        found = shutil.which(name)
        assert found, f"{name} is not installed"
        return [found]

    def _start_postgres(self, one: Container) -> None:
        """The image's entrypoint: a cluster with the owner and the database that the environment names."""
        environment = one.settings["environment"]
        options = dict(word.split("=") for word in one.settings["command"][1:] if word != "-c")
        place = Path(tempfile.mkdtemp(prefix="lgp-"))
        settings = {"listen_addresses": one.address, **options}
        one.cluster = cluster = Cluster(private_layout(place), durable=False, settings=settings)
        cluster.start()
        with (cluster.layout.data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 127.0.0.0/8 scram-sha-256\n")
        password = self.secret("postgres", environment["POSTGRES_PASSWORD_FILE"]).read_text().strip()
        owner = sql.Identifier(environment["POSTGRES_USER"])
        keep = (cluster.layout.keep / "superuser-password").read_text().strip()
        address = cluster.url_of("postgres")
        with psycopg.connect(address, user="postgres", password=keep, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE ROLE {} SUPERUSER LOGIN PASSWORD {}").format(owner, password))
            name = sql.Identifier(environment["POSTGRES_DB"])
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, owner))
            connection.execute("SELECT pg_reload_conf()")


ENTRYPOINT = """
defined=$(printf '${%s} ' $(env | cut -d= -f1 | grep -E "$NGINX_ENVSUBST_FILTER"))
for template in /run/volumes/etc/nginx/templates/*.template; do
    envsubst "$defined" < "$template" > "$NGINX_ENVSUBST_OUTPUT_DIR/$(basename "$template" .template)"
done
"""
"""What 20-envsubst-on-templates.sh of the official image does."""


def _bound(source: Path, target: str) -> list[str]:
    folder = shlex.quote(str(Path(target).parent))
    bound = f"mount --bind {source} {target} && mount -o remount,bind,ro {target}"
    return [f"mkdir -p {folder} && : > {target} && {bound}"]


def _beside_the_clone(mount: str) -> list[str]:
    """Mount over /tmp, and keep this clone where it is: it may be below."""
    clone = shlex.quote(str(APP.parent))
    if not APP.is_relative_to("/tmp"):
        return [mount]
    kept = "/run/clone"
    return [
        f"mkdir {kept} && mount --bind {clone} {kept}",
        mount,
        f"mkdir -p {clone} && mount --bind {kept} {clone} && mount -o remount,bind,ro {clone}",
    ]


def _options(one: Container) -> str:
    found = dict(word.partition(":")[::2] for word in one.settings["tmpfs"])
    return found["/tmp"]


def _without_rights(one: Container, user: tuple[int, int] | None) -> list[str]:
    assert one.settings["cap_drop"] == ["ALL"]
    assert one.settings["security_opt"] == ["no-new-privileges:true"]
    who = [f"--reuid={user[0]}", f"--regid={user[1]}", "--clear-groups"] if user else []
    bounded = ["--bounding-set=-all"] if os.geteuid() == 0 else []
    return ["setpriv", "--no-new-privs", "--inh-caps=-all", *bounded, *who, "--"]


@contextmanager
def running(folder: Path, **given: str) -> Iterator[Composition]:
    """The whole project, up and healthy; all of it is gone afterwards."""
    read = document(given)
    shutil.copy(APP / "compose-secrets.sh", folder)
    subprocess.run([folder / "compose-secrets.sh"], check=True, capture_output=True)
    secrets = {name: folder / one["file"] for name, one in read["secrets"].items()}
    network = f"127.{random.randint(64, 250)}.{random.randint(0, 250)}"
    project = Composition(folder, read["services"], secrets, network=network)
    try:
        project.up()
        yield project
    finally:
        for one in project.containers.values():
            if one.child and one.child.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(one.child.pid, signal.SIGKILL)
                one.child.wait()
            if one.cluster:
                one.cluster.stop()
                shutil.rmtree(one.cluster.layout.keep.parent)
