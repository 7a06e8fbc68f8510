# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# reason: the YAML package has no types
"""YAML as Go programs read it: the engine its config, kubectl its manifests. PyYAML follows an older rule."""

import re
from pathlib import Path
from typing import Any, cast

import yaml

from lgp.errors import UsageProblem

_FLOAT = re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$")
"""Needs no dot before its exponent: `1e3` is a number."""

_INT = re.compile(r"^[-+]?(?:0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)$")
_BOOL = re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$")
_OTHERWISE = {f"tag:yaml.org,2002:{name}" for name in ("timestamp", "bool", "int", "float")}


class _Loader(yaml.SafeLoader):
    """`on`, `12:30` and `2026-01-01` are texts."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # PyYAML's own way
        letter: [pair for pair in pairs if pair[0] not in _OTHERWISE]
        for letter, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", _BOOL, list("tTfF"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INT, list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))


class _Dumper(yaml.SafeDumper):
    """Several lines of text as a block, no anchors, and quotes around what either rule takes for a number."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # the interface of the base
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))


def read_mapping(path: Path, absent: str) -> dict[str, Any]:
    """A file that holds one mapping.

    Raises:
        UsageProblem: it holds something else, or, with the sentence `absent`, there is none.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506  # a subclass of the safe one
    except FileNotFoundError:
        raise UsageProblem(absent) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}" if mark else ""
        message = f"{path.name}{where}: is not YAML: {getattr(error, 'problem', error)}"
        raise UsageProblem(message) from None
    if not isinstance(content, dict):
        message = f"{path.name}: must be a mapping"
        raise UsageProblem(message)
    return cast("dict[str, Any]", content)


def written(document: dict[str, Any]) -> str:
    """The document, its keys in the order given."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
