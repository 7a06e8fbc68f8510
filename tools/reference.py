"""`make reference`: what is written from code, or `--check` it.

docs/reference/components.md is made of the components' own models, the tables of docs/howto/policy.md of the
rules.
"""

import inspect
import sys
from enum import Enum
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import pulumi
from pydantic.fields import FieldInfo

from langgraph_components.args import Args
from langgraph_components.plugin import components, models
from langgraph_policy.catalogue import placed

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "components.md"
RULES = ROOT / "docs" / "howto" / "policy.md"
HEAD = """# Components

Made by `make reference` from the models in `components/langgraph_components/`; do not edit.
Python names; other languages write them in camel case. `or output`: another resource's output will do.
"""


def page() -> str:
    """The whole page. Equal models give an equal page."""
    done: set[type[Args]] = set()
    parts = [HEAD]
    for component in sorted(components(), key=lambda one: one.__name__):
        new = [model for model in models(component) if model not in done]
        done.update(new)
        parts.append(f"## {component.__name__}\n\n{inspect.cleandoc(component.__doc__ or '')}\n")
        parts += [*map(_table, new), _outputs(component)]
    return "\n".join(parts)


_COLUMNS = "| field | type | default | meaning |\n|---|---|---|---|"


def _table(model: type[Args]) -> str:
    rows = [
        f"| `{name}` | {_type(field.annotation)} | {_default(field)} | {_text(field)} |"
        for name, field in model.model_fields.items()
    ]
    title = f"### {model.__name__}\n\n{inspect.cleandoc(model.__doc__ or '')}\n"
    return "\n".join([title, _COLUMNS, *rows, ""])


def _text(field: FieldInfo) -> str:
    return " ".join((field.description or "").split()).replace("|", "\\|")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value: Any = field.get_default(call_default_factory=True)
    if isinstance(value, Args):
        return "its defaults"
    if isinstance(value, Enum):
        value = value.value
    return "none" if value is None else f"`{value}`"


def _type(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Union:
        plain = [part for part in inner if part is not type(None) and not _is_awaited(part)]
        told = " or ".join(dict.fromkeys(map(_type, plain)))
        return f"{told} or output" if any(map(_is_awaited, inner)) else told
    if origin in {list, dict}:
        return f"{origin.__name__} of {_type(inner[-1])}"
    if inspect.isclass(annotation) and issubclass(annotation, Enum):
        return " \\| ".join(f"`{member.value}`" for member in annotation)
    if inspect.isclass(annotation) and issubclass(annotation, Args):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    return {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}.get(
        getattr(annotation, "__name__", ""), "any"
    )


def _is_awaited(annotation: Any) -> bool:
    return get_origin(annotation) is not None and getattr(get_origin(annotation), "__name__", "") in {
        "Awaitable",
        "Output",
    }


def _outputs(component: type[pulumi.ComponentResource]) -> str:
    source = inspect.getsource(component).splitlines()
    rows = [f"| `{name}` | {_doc_after(source, name)} |" for name in inspect.get_annotations(component)]
    return "\n".join(["Outputs:", "", "| output | meaning |", "|---|---|", *rows, ""])


def _doc_after(source: list[str], name: str) -> str:
    """The docstring below an attribute: not kept at run time, so read from the source."""
    start = next(i for i, line in enumerate(source) if line.strip().startswith(f"{name}:"))
    text = "\n".join(source[start + 1 :]).split('"""', 2)
    return " ".join(text[1].split()) if len(text) > 1 else ""


def main() -> int:
    """Write the pages, or with `--check` say which are not current."""
    wanted = {PAGE: page(), RULES: placed(RULES.read_text())}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            sys.stderr.write(f"reference: {path.relative_to(ROOT)} is not current (run `make reference`)\n")
        return int(bool(stale))
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
