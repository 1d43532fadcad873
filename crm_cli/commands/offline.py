"""``crm offline``: show and reset the state of the embedded server."""

from __future__ import annotations

from typing import Annotated

import typer

from ..failures import DECLINED, complain
from ..help import Command, Group
from ..offline import reset, state_file
from ..settings import Options
from ..tree.global_options import by_hand


def commands() -> typer.Typer:
    """Return the commands of the embedded server."""
    app = typer.Typer(cls=Group, no_args_is_help=True, help="The state of the embedded server that --offline uses.")
    app.command("path", cls=Command)(by_hand(path))
    app.command("reset", cls=Command)(by_hand(start_anew))
    return app


def path(options: Options) -> None:
    """Print the path of the state file."""
    typer.echo(str(state_file()))


def start_anew(
    options: Options,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do it without asking; needed where there is no terminal to ask on.")
    ] = False,
) -> int | None:
    """Delete the state: the next command starts with the demo data."""
    from ..terminal.asking import is_confirmed

    if not yes and state_file().exists() and not is_confirmed(f"delete what is in {state_file()}"):
        return DECLINED
    complain("the state was reset to the demo data" if reset() else "there was no state to reset")
    return None
