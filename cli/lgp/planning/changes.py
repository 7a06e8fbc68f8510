"""What differs between two plans, for people: `+`, `-` and `~`; what replaces a stateful resource is red."""

from typing import Any

from rich.console import Console
from rich.markup import escape

from lgp.planning.compare import Comparison, PropertyChange, ResourceChange, identity
from lgp.planning.document import sign
from lgp.planning.excerpts import excerpt, excerpts
from lgp.planning.recording import Resource
from lgp.planning.replacements import Effect, is_stateful
from lgp.planning.shape import short_type

_EFFECTS: dict[Effect, str] = {
    "": "",
    "ignored": " [dim]ignored[/dim]",
    "may replace": " [yellow]may replace[/yellow]",
    "replaces": " [bold red]replaces[/bold red]",
}


def show_comparison(found: Comparison, console: Console) -> None:
    """Print every resource that differs, then a line that counts them."""
    lines = [*map(_added, found.added), *map(_removed, found.removed)]
    for change in found.changed:
        lines += [_changed(change), *(_property(each) for each in change.properties)]
    for each in found.outputs:
        lines += [_property(PropertyChange(f"output {each.path}", each.old, each.new))]
    for line in lines:
        console.print(line)
    console.print(summary(found))


def summary(found: Comparison) -> str:
    """`1 added, 2 removed, 3 changed; 1 replaces stateful resources, 1 destroyed`."""
    if found.is_empty():
        return "no difference"
    counted = f"{len(found.added)} added, {len(found.removed)} removed, {len(found.changed)} changed"
    grave = [(found.replaced(), "replaced"), (found.destroyed(), "destroyed")]
    told = [f"{len(items)} {word}" for items, word in grave if items]
    return f"[bold]{counted}[/bold]" + (f"; [bold red]stateful: {', '.join(told)}[/bold red]" if told else "")


def _added(resource: Resource) -> str:
    return f"[green]+ {_name(resource)}[/green]"


def _removed(resource: Resource) -> str:
    if not is_stateful(resource.type):
        return f"[red]- {_name(resource)}[/red]"
    kept = ", and it is protected: the engine refuses" if resource.protect else ""
    return f"[bold red]- {_name(resource)} destroys what it holds{kept}[/bold red]"


def _changed(change: ResourceChange) -> str:
    line = f"[yellow]~[/yellow] {_name(change.new)}{_EFFECTS[change.effect]}"
    if change.through:
        line += f" [dim]through {escape(identity(change.through))}[/dim]"
    if change.effect == "replaces" and change.old.protect:
        line += " [bold red]and it is protected: the engine refuses[/bold red]"
    if change.renamed:
        line += f" [dim]renamed from {escape(identity(change.old.urn))}[/dim]"
    return line


def _property(change: PropertyChange) -> str:
    told = {
        "+": f"[green]+[/green] {escape(change.path)}: {_value(change.new)}",
        "-": f"[red]-[/red] {escape(change.path)}: {_value(change.old)}",
        "~": f"[yellow]~[/yellow] {escape(change.path)}: {_pair(change.old, change.new)}",
    }[sign(change.old, change.new)]
    return f"    {told}{_EFFECTS[change.effect]}"


def _name(resource: Resource) -> str:
    return f"{escape(short_type(resource.type))} {escape(resource.name)}"


def _pair(old: Any, new: Any) -> str:
    return escape(" → ".join(excerpts(old, new)))


def _value(value: Any) -> str:
    return escape(excerpt(value))
