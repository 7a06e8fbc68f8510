"""Importing what `langgraph.json` names: environment, dependencies, and the graph objects themselves."""

import asyncio
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Awaitable, Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any

from dotenv import dotenv_values
from packaging.requirements import InvalidRequirement, Requirement

from agent_server.core.errors import ConfigurationError
from agent_server.graphs.config import GraphsFile
from agent_server.graphs.pregel import Graph, compiled, is_graph


def prepare_process(file: GraphsFile, folder: Path) -> None:
    """Set the environment and the import path that the file asks for, and check what it depends on.

    Raises:
        ConfigurationError: another Python is wanted, a requirement is missing, a file cannot be read.
    """
    _check_python(file.python_version)
    for name, value in _environment(file, folder).items():
        os.environ.setdefault(name, value)
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
    module = _import(name, location, folder)
    if not hasattr(module, attribute):
        msg = f"graph {name!r}: {location} has no object {attribute!r}."
        raise ConfigurationError(msg)
    return _compiled(name, getattr(module, attribute)), (module.__doc__ or "").strip().split("\n")[0]


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
        msg = f"langgraph.json: the env file {file.env} does not exist."
        raise ConfigurationError(msg)
    return {key: value for key, value in dotenv_values(path).items() if value is not None}


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
        found = version(requirement.name)
    except InvalidRequirement:
        msg = f"langgraph.json: {entry!r} is neither a folder (./…) nor a requirement."
        raise ConfigurationError(msg) from None
    except PackageNotFoundError:
        msg = f"langgraph.json: the dependency {entry!r} is not installed."
        raise ConfigurationError(msg) from None
    if not requirement.specifier.contains(found, prereleases=True):
        msg = f"langgraph.json: the dependency {entry!r} is not met: {found} is installed."
        raise ConfigurationError(msg)


def _import(name: str, location: str, folder: Path) -> ModuleType:
    try:
        if location.endswith(".py"):
            return _import_file((folder / location).resolve(), folder.resolve())
        return importlib.import_module(location)
    except ConfigurationError as error:
        msg = f"graph {name!r}: {error.detail}"
        raise ConfigurationError(msg) from None
    except Exception as error:  # a user's module may raise anything; it stops the start, by name
        msg = f"graph {name!r}: importing {location} failed: {type(error).__name__}: {error}"
        raise ConfigurationError(msg) from error


def _import_file(path: Path, folder: Path) -> ModuleType:
    """Import by dotted name where the folder allows it, so that state types can be found again."""
    if not path.is_file():
        msg = f"{path} does not exist."
        raise ConfigurationError(msg)
    if path.is_relative_to(folder):
        parts = path.relative_to(folder).with_suffix("").parts
        if all(part.isidentifier() for part in parts):
            module = importlib.import_module(".".join(parts))
            if module.__file__ and Path(module.__file__).resolve() == path:
                return module
    return _import_alone(path)


def _import_alone(path: Path) -> ModuleType:
    name = f"lgp_graph_{path.stem}_{abs(hash(path)):x}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        msg = f"{path} is not a Python file."
        raise ConfigurationError(msg)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _compiled(name: str, found: object) -> Graph:
    made = _called(name, found) if callable(found) and not is_graph(found) else found
    graph = compiled(made)
    if graph is None:
        msg = f"graph {name!r}: the object is a {type(made).__name__}, not a graph."
        raise ConfigurationError(msg)
    return graph


def _called(name: str, factory: Callable[..., Any]) -> object:
    try:
        made = factory({"configurable": {}}) if inspect.signature(factory).parameters else factory()
        return asyncio.run(_awaited(made)) if inspect.isawaitable(made) else made
    except Exception as error:  # a user's factory may raise anything; it stops the start, by name
        msg = f"graph {name!r}: its factory failed: {type(error).__name__}: {error}"
        raise ConfigurationError(msg) from error


async def _awaited(value: Awaitable[object]) -> object:
    return await value
