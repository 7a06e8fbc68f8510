"""Importing what `langgraph.json` names: environment, dependencies, and the graph objects themselves."""

import asyncio
import hashlib
import importlib
import importlib.util
import inspect
import os
import re
import sys
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any

from dotenv import dotenv_values
from packaging.requirements import InvalidRequirement, Requirement

from agent_server.core.errors import ConfigurationError
from agent_server.graphs.config import GraphsFile
from agent_server.graphs.pregel import Graph, compiled, is_graph

_MISSING = object()


def prepare_process(file: GraphsFile, folder: Path) -> None:
    """Set the environment and the import path that the file asks for, and check what it depends on.

    Raises:
        ConfigurationError: another Python is wanted, a requirement is missing, a file cannot be read.
    """
    _check_python(file.python_version)
    for name, value in _environment(file, folder).items():
        _set_default(name, value)
    for entry in (".", *file.dependencies):
        if entry.startswith("."):
            _add_import_path(folder / entry)
        else:
            _check_requirement(entry)


def import_graph(name: str, path: str, folder: Path) -> tuple[Graph, str]:
    """Import `path:object`; return it compiled, and the first line of its module's docstring.

    The object may be a compiled graph, a builder, or a factory: a function, also an async one, that
    takes nothing or a config and returns one of these. A factory is called once, with an empty config.

    Raises:
        ConfigurationError: one sentence that names the graph.
    """
    location, separator, attribute = path.rpartition(":")
    if not separator:
        msg = f"graph {name!r}: {path!r} is not of the form path:object."
        raise ConfigurationError(msg)
    with blaming(f"graph {name!r}: importing {location} failed"):
        module = _import(location, folder)
        found = getattr(module, attribute, _MISSING)
    if found is _MISSING:
        msg = f"graph {name!r}: {location} has no object {attribute!r}."
        raise ConfigurationError(msg)
    return _compiled(name, found), (inspect.getdoc(module) or "").split("\n")[0]


@contextmanager
def blaming(what: str) -> Generator[None]:
    """Turn what a user's code raises, or exits with, into a ConfigurationError that begins with `what`."""
    try:
        yield
    except ConfigurationError as error:
        msg = f"{what}: {error.detail}"
        raise ConfigurationError(msg) from None
    except (Exception, SystemExit) as error:  # a user's code may raise anything; it stops the start, by name
        msg = f"{what}: {_told(error)}"
        raise ConfigurationError(msg) from error


def _told(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001  # an error of a user's own may fail to say what it is
        return type(error).__name__


def _check_python(wanted: str | None) -> None:
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    if wanted and tuple(map(int, wanted.split(".")[:2])) > sys.version_info[:2]:
        msg = f"langgraph.json asks for Python {wanted}, this is {running}."
        raise ConfigurationError(msg)


def _environment(file: GraphsFile, folder: Path) -> dict[str, str]:
    if isinstance(file.env, dict):
        return file.env
    path = folder / file.env
    if not path.is_file():
        msg = f"langgraph.json: the env file {file.env!r} does not exist."
        raise ConfigurationError(msg)
    try:
        return {key: value for key, value in dotenv_values(path).items() if value is not None}
    except (OSError, ValueError):
        msg = f"langgraph.json: the env file {file.env!r} cannot be read as UTF-8 text."
        raise ConfigurationError(msg) from None


def _set_default(name: str, value: str) -> None:
    try:
        os.environ.setdefault(name, value)
    except (ValueError, OSError):  # an empty name, a NUL, an "=" in the name, a lone surrogate
        msg = f"langgraph.json: env: {name!r} and its value cannot be put into the environment."
        raise ConfigurationError(msg) from None


def _add_import_path(folder: Path) -> None:
    if not folder.is_dir():
        msg = f"langgraph.json: the dependency {folder} is not a folder."
        raise ConfigurationError(msg)
    entry = str(folder.resolve())
    if entry not in sys.path:
        sys.path.insert(0, entry)


def _check_requirement(entry: str) -> None:
    try:
        requirement = Requirement(entry)
        if requirement.marker and not requirement.marker.evaluate():
            return
        found = version(requirement.name)
        met = requirement.specifier.contains(found, prereleases=True)
    except InvalidRequirement:
        msg = f"langgraph.json: {entry!r} is neither a folder (./…) nor a requirement."
        raise ConfigurationError(msg) from None
    except PackageNotFoundError:
        msg = f"langgraph.json: the dependency {entry!r} is not installed."
        raise ConfigurationError(msg) from None
    if not met:
        msg = f"langgraph.json: the dependency {entry!r} is not met: {found} is installed."
        raise ConfigurationError(msg)


def _import(location: str, folder: Path) -> ModuleType:
    if location.endswith(".py"):
        return _import_file((folder / location).resolve(), folder.resolve())
    if not all(part.isidentifier() for part in location.split(".")):
        msg = f"{location!r} is neither a .py file nor a module's dotted name."
        raise ConfigurationError(msg)
    return importlib.import_module(location)


def _import_file(path: Path, folder: Path) -> ModuleType:
    """Import by dotted name where the folder allows it, so that state types can be found again."""
    if not path.is_file():
        msg = f"{path} does not exist."
        raise ConfigurationError(msg)
    if path.is_relative_to(folder):
        parts = path.relative_to(folder).with_suffix("").parts
        if all(part.isidentifier() for part in parts):
            module = _import_dotted(".".join(parts))
            if module and module.__file__ and Path(module.__file__).resolve() == path:
                return module
    return _import_alone(path, folder)


def _import_dotted(name: str) -> ModuleType | None:
    """Import a module, or return None where another package has taken its name."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            return None
        raise


def _import_alone(path: Path, folder: Path) -> ModuleType:
    # Checkpoints name the types of this module: its name must be the same in every process and on every host.
    digest = hashlib.sha256(os.path.relpath(path, folder).encode(errors="surrogateescape")).hexdigest()[:16]
    name = f"lgp_graph_{re.sub(r'[^0-9A-Za-z]', '_', path.stem)}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        msg = f"{path} is not a Python file."
        raise ConfigurationError(msg)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    with ExitStack() as half_done:
        half_done.callback(sys.modules.pop, name)
        spec.loader.exec_module(module)
        half_done.pop_all()
    return module


def _compiled(name: str, found: object) -> Graph:
    made = found
    if callable(found) and not is_graph(found):
        with blaming(f"graph {name!r}: its factory failed"):
            made = _called(found)
    with blaming(f"graph {name!r} cannot be compiled"):
        graph = compiled(made)
    if graph is None:
        msg = f"graph {name!r}: the object is a {type(made).__name__}, not a graph."
        raise ConfigurationError(msg)
    return graph


def _called(factory: Callable[..., Any]) -> object:
    parameters = inspect.signature(factory).parameters.values()
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    required = [each for each in parameters if each.default is each.empty and each.kind not in variable]
    made = factory({"configurable": {}}) if required else factory()
    if not inspect.isawaitable(made):
        return made
    with ThreadPoolExecutor(1) as thread:  # a loop of its own, whether or not one runs here
        return thread.submit(asyncio.run, _awaited(made)).result()


async def _awaited(value: Awaitable[object]) -> object:
    return await value
