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
    Path,
    typer.Option("--cwd", metavar="DIR", show_default=False, help="The program's folder, if not the clone."),
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
