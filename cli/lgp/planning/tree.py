"""The plan for people: the tree by component, counts by type and in total, the stack's outputs."""

import json

from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from lgp.planning.recording import Recording, Resource
from lgp.planning.shape import children, counts, kinds_of, short_type
from lgp.planning.values import holds_secret, masked

LINE = 100
"""Characters of an output's value that are shown."""


def show_plan(recording: Recording, console: Console) -> None:
    """Print all of it."""
    console.print(tree_of(recording))
    console.print()
    for line in [*_counts(recording), total_of(recording)]:
        console.print(line)
    if recording.outputs:
        console.print()
        for line in _outputs(recording):
            console.print(line)


def tree_of(recording: Recording) -> Tree:
    """The resources under their components."""
    by_parent = children(recording.resources)
    tree = Tree(f"[bold]{escape(recording.project)}[/bold] stack [bold]{escape(recording.stack)}[/bold]")
    for resource in by_parent.get(None, []):
        _grow(tree, resource, by_parent)
    return tree


def total_of(recording: Recording) -> str:
    """`63 resources: 5 components, 40 aws, 17 kubernetes, 1 chart`."""
    parts = [f"{number} {kind}" for kind, number in kinds_of(recording.resources).items()]
    total = len(recording.resources)
    return f"[bold]{total} resource{'s' * (total != 1)}[/bold]: {', '.join(parts) or 'nothing is declared'}"


def _grow(tree: Tree, resource: Resource, by_parent: dict[str | None, list[Resource]]) -> None:
    below = by_parent.get(resource.urn, [])
    branch = tree.add(_label(resource, _descendants(resource, by_parent)))
    for child in below:
        _grow(branch, child, by_parent)


def _descendants(resource: Resource, by_parent: dict[str | None, list[Resource]]) -> int:
    below = by_parent.get(resource.urn, [])
    return len(below) + sum(_descendants(child, by_parent) for child in below)


def _label(resource: Resource, below: int) -> str:
    type_ = escape(short_type(resource.type))
    label = f"[cyan]{type_}[/cyan] {escape(resource.name)}"
    if below:
        label += f" [dim]({below})[/dim]"
    if resource.protect:
        label += " [green]protected[/green]"
    if secret := [key for key, value in resource.inputs.items() if holds_secret(value)]:
        label += f" [magenta]secret: {escape(', '.join(secret))}[/magenta]"
    return label


def _counts(recording: Recording) -> list[str]:
    found = counts(recording)
    width = len(str(max(found.values(), default=0)))
    return [f"{number:>{width}}  {escape(type_)}" for type_, number in found.items()]


def _outputs(recording: Recording) -> list[str]:
    width = max(map(len, recording.outputs))
    lines = ["[bold]outputs[/bold]"]
    for key, value in sorted(masked(recording.outputs).items()):
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        shown = text if len(text) <= LINE else f"{text[: LINE - 1]}…"
        lines.append(f"{escape(key.ljust(width))}  {escape(shown)}")
    return lines
