"""A package index of one's own: PEP 503, with a login, over a folder of wheels."""

import base64
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread


def build_wheel(folder: Path, name: str, code: str, into: Path) -> Path:
    """A real wheel of one module, by a real build backend."""
    (folder / name).mkdir(parents=True)
    (folder / name / f"{name}.py").write_text(code)
    (folder / name / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        f'[project]\nname = "{name}"\nversion = "1.2.3"\n'
        f'[tool.hatch.build.targets.wheel]\ninclude = ["{name}.py"]\n'
    )
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into)]
    subprocess.run(command, cwd=folder / name, check=True, capture_output=True)
    (wheel,) = into.glob(f"{name}-*.whl")
    return wheel


@contextmanager
def package_index(
    wheel: Path, name: str, user: str, password: str
) -> Generator[tuple[int, list[str]], None, None]:
    """Serve it on a free port of loopback; gives the port and the paths that were asked with the login."""
    login = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    served: list[str] = []

    class Index(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Authorization") != login:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="packages"')
                self.end_headers()
                return
            served.append(self.path)
            link = f'<a href="/files/{wheel.name}">{wheel.name}</a>'.encode()
            found = {f"/simple/{name}/": link, f"/files/{wheel.name}": wheel.read_bytes()}.get(self.path)
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html" if found == link else "application/octet-stream")
            self.end_headers()
            self.wfile.write(found or b"")

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1], served
        finally:
            server.shutdown()
            thread.join()
