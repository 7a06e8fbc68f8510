"""`lgp deploy`, `lgp rollback` and `lgp destroy`: Pulumi does it, once a person has seen what it will do."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from lgp.commands.build import EngineOption
from lgp.errors import LgpError, NotFound, ProgramFailed, Refused, UsageProblem
from lgp.inputs import config_file
from lgp.operating import asking, building, leaving, releasing, report
from lgp.operating.exported import Exported
from lgp.operating.options import Context, DryRun, Env, Folder, Yes
from lgp.operating.programs import Programs
from lgp.operating.stack import Setting, Stack
from lgp.operating.updates import Version, chosen, image_named, previous, short, undeployed, versions
from lgp.output import Machine, json_line, note, out, people, table
from lgp.paths import program_folder

Project = Annotated[
    Path | None,
    typer.Option(
        "--project",
        metavar="PATH",
        show_default=False,
        help="A langgraph.json, or its folder: build its image, push it, and deploy it by its digest.",
    ),
]
Tag = Annotated[
    str,
    typer.Option(
        "--tag",
        metavar="REGISTRY/NAME[:LABEL]",
        show_default="the stack's own repository",
        help="With --project: where the image is pushed.",
    ),
]
Platform = Annotated[
    str,
    typer.Option(
        "--platform",
        metavar="OS/ARCH",
        show_default="the nodes'",
        help="With --project: such as linux/arm64.",
    ),
]
Preview = Annotated[bool, typer.Option("--preview", help="Show what would change, and change nothing.")]
Refresh = Annotated[
    bool, typer.Option("--refresh", help="Look at what is there first, and undo what others changed.")
]
To = Annotated[
    str,
    typer.Option(
        "--version",
        metavar="DIGEST | UPDATE",
        show_default="the one before",
        help="Which version, as --list has them, or the digest of an image in the stack's repository.",
    ),
]
List = Annotated[bool, typer.Option("--list", help="Show the versions one can go back to.")]
Confirm = Annotated[
    str,
    typer.Option(
        metavar="STACK", show_default=False, help="The stack's name again, in the place of the question."
    ),
]


def deploy(
    *,
    project: Project = None,
    env: Env = "",
    name: Tag = "",
    engine: EngineOption = None,
    platform: Platform = "",
    refresh: Refresh = False,
    preview: Preview = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    context: Context = "",
    cwd: Folder = None,
    machine: Machine = False,
) -> int:
    """Bring a stack to what its settings say; with --project, to a new image first."""
    asking.check_terminal(yes=yes or preview or dry_run)
    stack = Stack.opened(env, program_folder(cwd), Programs(dry_run, machine))
    settings, changes, message = stack.settings(), list[Setting](), "lgp deploy"
    if project is not None:
        from lgp.building.image import Wish  # noqa: PLC0415  # imports Pulumi's packages, for two seconds

        exported = stack.exported()
        wish = Wish(name=name, engine=engine or "", platform=platform)
        image = building.build_for(stack, config_file(project), wish, settings, exported)
        changes = releasing.settings_for(image, settings, exported)
        message = f"lgp deploy {image}"
    done = _brought(stack, settings, changes, message, yes=yes, refresh=refresh, preview=preview)
    if not done:
        return _unchanged(stack, machine=machine)
    return _told(stack, context, machine=machine)


def rollback(
    *,
    version: To = "",
    listing: List = False,
    env: Env = "",
    yes: Yes = False,
    dry_run: DryRun = False,
    context: Context = "",
    cwd: Folder = None,
    machine: Machine = False,
) -> int:
    """Go back to an image that ran before, by Pulumi, so that the next `pulumi up` agrees."""
    asking.check_terminal(yes=yes or listing or dry_run)
    stack = Stack.opened(env, program_folder(cwd), Programs(dry_run, machine))
    settings, found = stack.settings(), versions(stack.updates())
    declared = image_named(settings)
    if listing:
        _list(found, declared, machine=machine)
        return 0
    exported = stack.exported()
    image = _target(found, declared, version, exported)
    if image == declared:
        message = (
            f"{short(image)} is what Pulumi declares already; if the cluster differs: `lgp deploy --refresh`"
        )
        raise Refused(message)
    note(f"from {short(declared) if declared else 'the image that the stack builds'} to {short(image)}")
    note(
        "the database keeps its schema; an image that cannot work with it refuses in its migration, and "
        "nothing is rolled out"
    )
    changes = releasing.settings_for(image, settings, exported)
    if not _brought(
        stack, settings, changes, f"lgp rollback to {image}", yes=yes, after="`lgp deploy` tries again"
    ):
        return _unchanged(stack, machine=machine)
    return _told(stack, context, machine=machine)


def destroy(
    *,
    env: Env = "",
    confirm: Confirm = "",
    dry_run: DryRun = False,
    cwd: Folder = None,
) -> int:
    """Take a stack down, after telling what goes and what stays."""
    asking.check_terminal(yes=bool(confirm) or dry_run, how="--confirm STACK")
    stack = Stack.opened(env, program_folder(cwd), Programs(dry_run))
    if confirm and confirm != stack.name:
        message = f"--confirm says {confirm!r}, the stack is {stack.name!r}"
        raise UsageProblem(message)
    exported = stack.exported()
    _explain(stack, exported)
    if kept := exported.protected():
        more = f" and {len(kept) - 3} more" if len(kept) > 3 else ""  # noqa: PLR2004  # enough to see what it is
        message = (
            f"{stack.name} is protected ({', '.join(kept[:3])}{more}): docs/howto/take-it-down.md has the way"
        )
        raise Refused(message)
    stack.preview_destroy()
    if not (confirm or dry_run):
        asking.confirm(f"Delete the stack {stack.name}?", stack.name)
    stack.destroy()
    note(f"the stack itself is left, empty: pulumi stack rm {stack.name} --preserve-config")
    return 0


def _brought(
    stack: Stack,
    settings: dict[str, Any],
    changes: Sequence[Setting],
    message: str,
    *,
    yes: bool,
    refresh: bool = False,
    preview: bool = False,
    after: str = "`lgp rollback` goes back",
) -> bool:
    """Preview, ask, `up`; False where that was all. The stack's file is as it was unless an `up` began."""
    with stack.tentative(changes) as keep:
        for change in changes:
            people().print(f"  {change}", markup=False)
        stack.preview(refresh=refresh)
        if preview:
            return False
        if not (yes or stack.programs.dry_run):
            is_prod = settings.get("environment") == "prod"
            asking.confirm(f"Change the stack {stack.name}?", stack.name if is_prod else "")
        keep()
    try:
        stack.up(message, refresh=refresh)
    except ProgramFailed as problem:
        names = f"; {stack.file.name} names that image: {after}" if changes else ""
        failure = f"{problem}{names}"
        raise ProgramFailed(failure, **problem.extra) from None
    if changes and not stack.programs.dry_run:
        note(f"{stack.file.name} has changed: commit it, or the next deployment from git undoes this")
    return not stack.programs.dry_run


def _unchanged(stack: Stack, *, machine: bool) -> int:
    """A preview or a dry run has ended well."""
    if machine:
        json_line({"stack": stack.name, "changed": False})
    return 0


def _told(stack: Stack, context: str, *, machine: bool) -> int:
    """What runs now; Pulumi has waited for it, so a cluster that cannot be asked is no failure."""
    try:
        found = report.look(stack, context)
    except LgpError as problem:
        note(f"deployed; its pods could not be looked at: {problem}")
        if machine:
            json_line({"stack": stack.name, "healthy": None})
        return 0
    if machine:
        json_line(report.document(found))
    else:
        report.show(found, out())
    return 0 if found.healthy else 1


def _target(found: Sequence[Version], declared: str | None, wanted: str, exported: Exported) -> str:
    """The image to go back to."""
    if wanted:
        return _named(found, declared, wanted, exported)
    if declared is None:
        message = (
            "the stack builds its image, so an older one is older source: git revert, then `lgp deploy`; or "
            "--version sha256:… of an image that its repository still has (docs/howto/roll-back.md)"
        )
        raise Refused(message)
    if left := undeployed(found, declared):
        message = (
            f"the stack's file goes back to {short(declared)} already, and {short(left.image)} is what was "
            f"deployed last: `lgp deploy` finishes it; --version for another one"
        )
        raise Refused(message)
    if one := previous(found, declared):
        return one.image
    message = "there is no version before this one: `lgp rollback --list` shows those there were"
    raise Refused(message)


def _named(found: Sequence[Version], declared: str | None, wanted: str, exported: Exported) -> str:
    if one := chosen(found, wanted):
        return one.image
    name, _, digest = wanted.rpartition("@")
    repository = name or exported.output("repository_url") or (declared or "").partition("@")[0]
    if releasing.DIGEST.fullmatch(digest) and repository:
        return f"{repository}@sha256:{digest.removeprefix('sha256:')}"
    message = f"there is no version {wanted!r}: `lgp rollback --list` has them; or a whole digest, sha256:…"
    raise NotFound(message)


def _list(found: Sequence[Version], declared: str | None, *, machine: bool) -> None:
    if machine:
        json_line(
            {
                "versions": [
                    {"image": one.image, "rolled_back": one.rolled_back, "update": one.update}
                    for one in reversed(found)
                ],
                "declared": declared,
            }
        )
        return
    rows = [
        [
            short(one.image),
            "declared" if one.image == declared else "rolled back" if one.rolled_back else "",
            report.told(one.update),
        ]
        for one in reversed(found)
    ]
    if rows:
        table(["image", "", "last update"], rows)
    if declared is None:
        note(
            "the stack builds its image: each deployment is a commit of its source (docs/howto/roll-back.md)"
        )


def _explain(stack: Stack, exported: Exported) -> None:
    people().print(f"[bold]{stack.name}[/bold]: this goes")
    for line in leaving.going(exported):
        people().print(f"  - {line}", markup=False)
    people().print("this stays")
    for line in leaving.staying(exported):
        people().print(f"  - {line}", markup=False)
