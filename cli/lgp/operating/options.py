"""Options that the verbs of a stack share."""

from pathlib import Path
from typing import Annotated

import typer

Env = Annotated[
    str,
    typer.Option(
        "--env", metavar="STACK", show_default="the selected one", help="The stack, as Pulumi names it."
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--cwd", metavar="DIR", show_default="the one you are in, or the clone", help="The program's folder."
    ),
]
Context = Annotated[
    str,
    typer.Option(
        "--context",
        metavar="NAME",
        show_default=False,
        help="Reach the cluster by this context of your kubeconfig.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask nobody.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the commands; run only those that read.")]
