"""The watch of `lgp dev`: its library takes a tenth of a second to import, which `lgp up` does not pay."""

import json
import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from watchfiles import Change, DefaultFilter, watch

from lgp.errors import LgpError
from lgp.watching import Changes

CALM_MS = 200
"""Changes so close together are one."""


class _GraphFiles(DefaultFilter):
    """Python files, the langgraph.json itself and what holds its environment."""

    def __init__(self, config: Path) -> None:
        super().__init__()
        self._named = {str(config), str(config.parent / _env_file(config))}

    def __call__(self, change: Change, path: str) -> bool:
        relevant = path.endswith(".py") or path in self._named or Path(path).name.startswith(".env")
        return relevant and super().__call__(change, path)


def _env_file(config: Path) -> str:
    try:
        env = json.loads(config.read_text()).get("env")
    except (OSError, ValueError, AttributeError):
        return ".env"
    return env if isinstance(env, str) else ".env"


@contextmanager
def watching(config: Path, nudge: Callable[[], None]) -> Generator[Changes, None, None]:
    """Watch the folder of a langgraph.json, its own folders included, as long as this lasts."""
    found: deque[Path] = deque()
    stop = threading.Event()
    troubles: list[OSError] = []

    def follow() -> None:
        files = _GraphFiles(config)
        try:
            for batch in watch(config.parent, watch_filter=files, stop_event=stop, debounce=CALM_MS):
                found.extend(Path(path) for _, path in sorted(batch))
                nudge()
        except OSError as error:
            troubles.append(error)
            nudge()

    def take() -> list[Path]:
        if troubles:
            message = f"cannot watch {config.parent}: {troubles[0]}"
            raise LgpError(message)
        taken = list(found)
        found.clear()
        return taken

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield take
    finally:
        stop.set()
        thread.join(2)
