"""The real nginx with the configuration that ships, before servers of a test's choice.

`with nginx([server.url, …]) as balancer:` gives `balancer.url`, https, which `balancer.tls` trusts.
`balancer.use([…])` changes who is behind it, as a new replica does. Mark what uses it with `@needs_nginx`.
"""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme
from support.ports import free_ports

TEMPLATE = Path(__file__).resolve().parents[2] / "app" / "nginx" / "nginx.conf.template"
NOBODY = 65534
START_SECONDS = 20.0

PROGRAM = os.environ.get("NGINX_TEST_PROGRAM") or shutil.which("nginx")
"""Another one than Debian's can be tried, too."""

needs_nginx = pytest.mark.skipif(PROGRAM is None, reason="nginx is not installed")


def version() -> tuple[int, ...]:
    """Of the nginx that is tested, such as (1, 22, 1); empty without one."""
    if PROGRAM is None:
        return ()
    told = subprocess.run([PROGRAM, "-v"], capture_output=True, text=True, check=True).stderr
    return tuple(int(part) for part in re.findall(r"\d+", told.rpartition("/")[2])[:3])


def rendered(values: Mapping[str, str]) -> str:
    """The template as the image's entrypoint renders it: only what is known is filled in.

    Raises:
        KeyError: the template names a variable that nobody sets.
    """
    return re.sub(r"\$\{([A-Z][A-Z0-9_]*)\}", lambda found: values[found[1]], TEMPLATE.read_text())


class Nginx:
    """One running nginx, unprivileged, in a folder of its own."""

    def __init__(self, folder: Path, upstreams: Iterable[str], program: str, **more: str) -> None:
        self.folder = folder
        self.http_port, self.https_port = free_ports(2)
        self.url = f"https://localhost:{self.https_port}"
        self.plain_url = f"http://localhost:{self.http_port}"
        self._program = program
        self._more = more
        authority = trustme.CA()
        certificate = authority.issue_cert("localhost", "127.0.0.1")
        self.authority = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.authority)
        certificate.private_key_and_cert_chain_pem.write_to_path(folder / "tls.pem")
        self.tls = ssl.create_default_context(cafile=str(self.authority))
        self._write(upstreams)
        (folder / "output.log").touch()
        self._give_away()
        self._child = self._started()

    @property
    def pid(self) -> int:
        return self._child.pid

    def use(self, upstreams: Iterable[str]) -> None:
        """Take these servers instead. Open requests end where they are, new ones go there when it returns."""
        before = self._workers()
        self._write(upstreams)
        self._child.send_signal(signal.SIGHUP)
        self._wait(lambda: self._has_others_than(before), "the configuration was not taken")

    def log(self) -> str:
        """Both logs: a line of JSON each request, and what nginx complains of."""
        return (self.folder / "output.log").read_text(errors="replace")

    def stop(self) -> int:
        """As `docker stop` does: open requests end first. The exit code."""
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGQUIT)
            with suppress(subprocess.TimeoutExpired):
                return self._child.wait(2)
            self._child.terminate()
        return self._child.wait(10)

    def values(self, upstreams: Iterable[str]) -> dict[str, str]:
        """What compose.yaml sets, for this machine."""
        servers = [f"server {urlsplit(url).netloc or url} max_fails=0;" for url in upstreams]
        return {
            "NGINX_FOLDER": str(self.folder),
            "NGINX_UPSTREAM": " ".join(servers),
            "NGINX_RESOLVER": "127.0.0.1",
            "NGINX_HTTP_LISTEN": f"127.0.0.1:{self.http_port}",
            "NGINX_HTTPS_LISTEN": f"127.0.0.1:{self.https_port}",
            "NGINX_HTTP2": "",
            "NGINX_PUBLIC_PORT": str(self.https_port),
            "NGINX_CERTIFICATE": str(self.folder / "tls.pem"),
            "NGINX_CERTIFICATE_KEY": str(self.folder / "tls.pem"),
            **self._more,
        }

    def _write(self, upstreams: Iterable[str]) -> None:
        (self.folder / "nginx.conf").write_text(rendered(self.values(upstreams)))

    def _give_away(self) -> None:
        """To the one who runs it, where that is not us."""
        if os.geteuid() == 0:
            for path in (self.folder, *self.folder.iterdir()):
                os.chown(path, NOBODY, NOBODY)

    def _started(self) -> "subprocess.Popen[bytes]":
        who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        with (self.folder / "output.log").open("ab") as output:
            child = subprocess.Popen(
                [self._program, "-c", self.folder / "nginx.conf", "-p", self.folder, "-g", "daemon off;"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                start_new_session=True,
                **who,
            )
        self._child = child
        self._wait(self._listens, "nginx does not listen")
        return child

    def _listens(self) -> bool:
        assert self._child.poll() is None, self.log()
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.https_port), 1):
            return True
        return False

    def _has_others_than(self, before: set[int]) -> bool:
        workers = self._workers()
        return bool(workers) and not workers & before

    def _workers(self) -> set[int]:
        """The children that take connections: those that were told to go have another title."""
        found: set[int] = set()
        for status in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError, ValueError):
                parent = int(status.read_text().rpartition(")")[2].split()[1])
                title = (status.parent / "cmdline").read_bytes()
                if parent == self._child.pid and title.startswith(b"nginx: worker process\0"):
                    found.add(int(status.parent.name))
        return found

    def _wait(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not done():
            assert time.monotonic() < deadline, f"{what}: {self.log()}"
            time.sleep(0.02)


@contextmanager
def nginx(upstreams: Iterable[str], program: str | None = None, **more: str) -> Iterator[Nginx]:
    """A running one before these addresses; gone afterwards. `more` are variables of the template."""
    found = program or PROGRAM
    assert found, "nginx is not installed"
    folder = Path(tempfile.mkdtemp(prefix="lgp-nginx-"))
    started = None
    try:
        started = Nginx(folder, upstreams, found, **more)
        yield started
    finally:
        if started:
            started.stop()
        shutil.rmtree(folder, ignore_errors=True)
