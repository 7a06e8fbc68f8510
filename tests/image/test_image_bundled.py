"""The image of the graphs that ship, as a pod runs it: read-only, as nobody special, stopped by SIGTERM."""

import gzip
import json
import tarfile
from pathlib import Path

import pytest
from containers import Engines
from image_world import LOCKED_DOWN, Lgp, Serve

pytestmark = pytest.mark.timeout(1800)  # a first build downloads all packages

LAYERS_MB, COMPRESSED_MB = 180, 60
"""Of our layers over the base image: unpacked as engines count them, compressed as registries send them.
A whole environment more, such as a compiler, would be above."""


def inside(engines: Engines, image: str, script: str) -> str:
    return engines.run("podman", "run", "--rm", *LOCKED_DOWN, image, "sh", "-c", script)


def test_it_serves_runs_and_stops_by_sigterm_read_only_as_uid_1000(bundled: str, serve: Serve) -> None:
    with serve(bundled) as server:
        assert server.http.get("/ready").json()["database"] == "connected"
        body = {"input": {"messages": [{"role": "user", "content": "How long does a refund take?"}]}}
        answer = server.http.post("/graphs/support/invoke", json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["status"] == "success"
        assert server.inspect("{{.HostConfig.ReadonlyRootfs}} {{.Config.User}}") == "true 1000:1000"
        assert server.engines.code("podman", "healthcheck", "run", server.name) == 0
        code, seconds = server.stop()
        assert code == 0, server.logs()[-2000:]
        assert seconds < 30, "SHUTDOWN_SECONDS"


def test_its_health_check_fails_where_nothing_serves(engines: Engines, bundled: str) -> None:
    found = json.loads(engines.run("podman", "image", "inspect", bundled))[0]
    (kind, *command) = found["Healthcheck"]["Test"]
    assert (kind, command[0]) == ("CMD", "python")
    assert engines.code("podman", "run", "--rm", *LOCKED_DOWN, "--env", "PORT=1", bundled, *command) == 1


def test_the_server_is_the_first_process_so_that_signals_reach_it(engines: Engines, bundled: str) -> None:
    found = json.loads(engines.run("podman", "image", "inspect", bundled))[0]["Config"]
    assert found["Cmd"] == ["python", "-m", "agent_server", "serve"]
    assert "Entrypoint" not in found
    assert found["StopSignal"] in {"SIGTERM", "15"}
    assert found["User"] == "1000:1000"


def test_only_tmp_can_be_written_and_no_file_of_the_server_is_the_servers_own(
    engines: Engines, bundled: str
) -> None:
    places = "/ /app /opt/server /opt/venv /opt/project /var /etc /tmp"
    script = f"for place in {places}; do touch $place/x 2>/dev/null && echo $place; done; true"
    assert inside(engines, bundled, script).split() == ["/tmp"]
    assert inside(engines, bundled, "find /app /opt -user 1000 -o -perm -o+w ! -type l").strip() == ""


def test_there_is_no_compiler_no_downloader_and_no_installer(engines: Engines, bundled: str) -> None:
    tools = "cc gcc g++ clang make ld curl wget git uv gpg"
    assert inside(engines, bundled, f"command -v {tools}; true").strip() == ""
    assert (
        inside(
            engines, bundled, "python -c 'import importlib.util as u; print(u.find_spec(\"pip\"))'"
        ).strip()
        == "None"
    )


def test_the_parts_that_it_lists_are_those_that_are_installed(engines: Engines, bundled: str) -> None:
    script = (
        "import importlib.metadata as m, json; "
        "print(json.dumps({d.metadata['Name']: d.version for d in m.distributions()}))"
    )
    installed = json.loads(inside(engines, bundled, f'python -c "{script}"'))
    parts = json.loads(inside(engines, bundled, "cat /opt/server/sbom.cdx.json"))["components"]
    listed = {(part["name"].lower().replace("_", "-"), part["version"]) for part in parts}
    assert {
        (name.lower().replace("_", "-").replace(".", "-"), found) for name, found in installed.items()
    } <= listed


def test_what_a_server_loads_is_compiled_already(engines: Engines, bundled: str) -> None:
    script = (
        "import agent_server.http.server, agent_server.graphs.registry, sys, os; "
        "files = [m.__spec__ for m in sys.modules.values() if getattr(m, '__spec__', None)]; "
        "ours = [s for s in files if s.has_location and s.origin.startswith('/opt') and s.cached]; "
        "print([s.origin for s in ours if not os.path.exists(s.cached)])"
    )
    assert inside(engines, bundled, f'python -c "{script}"').strip() == "[]"


def test_its_layers_are_small(engines: Engines, bundled: str, base: str, tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    engines.run("podman", "save", "--format", "docker-archive", "--output", str(archive), bundled)
    with tarfile.open(archive) as opened:
        manifest = opened.extractfile("manifest.json")
        assert manifest is not None
        _, *ours = json.load(manifest)[0]["Layers"]
        layers = [layer.read() for name in ours if (layer := opened.extractfile(name)) is not None]
    unpacked, compressed = (
        sum(map(len, layers)) / 1e6,
        sum(len(gzip.compress(layer, 6)) for layer in layers) / 1e6,
    )
    print(f"our layers over the base: {unpacked:.0f} MB unpacked, {compressed:.0f} MB compressed")
    assert unpacked < LAYERS_MB
    assert compressed < COMPRESSED_MB


def test_an_unchanged_folder_is_not_built_again_and_has_the_same_name(lgp: Lgp, bundled: str) -> None:
    again = lgp.build()
    assert again["image"] == bundled
    assert again["built"] is False


@pytest.mark.parametrize("name", ["COMPANY_TOKEN", "PIP_CONFIG_FILE", "OPENAI_API_KEY"])
def test_nothing_of_the_build_is_in_its_environment(engines: Engines, bundled: str, name: str) -> None:
    assert name not in engines.run("podman", "image", "inspect", "--format", "{{.Config.Env}}", bundled)
