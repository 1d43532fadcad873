"""Programs called ``crm-NAME`` on the PATH, which ``crm NAME`` runs: commands of one's own in any language."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import typer

from ..help import Command, Group
from ..settings import Options, settle
from ..tree.global_options import by_hand
from .aliases import NAME
from .own_words import programs

if TYPE_CHECKING:
    from rich.console import Console

_PREFIX = "crm-"
_SIGNALLED = 128


def commands() -> typer.Typer:
    """Return the commands of extensions."""
    app = typer.Typer(
        cls=Group,
        no_args_is_help=True,
        help="Programs called crm-NAME on the PATH: `crm NAME` runs them with the words after it.",
    )
    app.command("list", cls=Command)(by_hand(list_extensions))
    return app


def list_extensions(options: Options) -> None:
    """List the programs that `crm NAME` runs, and those that a command of crm itself hides.

    They get the settings as CRM_BASE_URL, CRM_PROFILE, CRM_TENANT_ID, CRM_DIALECTS, CRM_LANGUAGE and CRM_OFFLINE; a key
    only where you have exported CRM_API_KEY yourself.
    """
    from ..views.drawing import show

    rows = [{"name": name, "path": path, "hidden": hidden} for name, path, hidden in found_extensions()]

    def draw(screen: Console) -> None:
        from rich.table import Table

        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("name", style="cyan")
        table.add_column("path", overflow="fold")
        table.add_column("")
        for row in rows:
            table.add_row(str(row["name"]), str(row["path"]), "hidden by a command of crm" if row["hidden"] else "")
        screen.print(table if rows else "there is none: put a program called crm-NAME on the PATH")

    show(settle(options).output, rows, rows, draw)


def found_extensions() -> Iterator[tuple[str, str, bool]]:
    """Yield the name and the path of each program, and whether a command of crm hides it."""
    from .. import completion

    built_in = completion.names(needed=())["commands"]
    for name, _ in sorted(programs()):
        path = path_of(name)
        if path is not None:
            yield name, path, name in built_in


def path_of(name: str) -> str | None:
    """Return the path of the program of an extension; None where there is none."""
    return shutil.which(f"{_PREFIX}{name}") if NAME.fullmatch(name) else None


def run(path: str, words: Sequence[str], options: Options) -> int:
    """Run an extension with the words after its name; returns its exit status."""
    status = subprocess.run([path, *words], env=_environment(options), check=False).returncode  # the user's program
    return status if status >= 0 else _SIGNALLED - status


def _environment(options: Options) -> dict[str, str]:
    """Return the variables of an extension: ours with the settings, but no secret that was not there."""
    settings = settle(options)
    told = {
        "CRM_BASE_URL": settings.base_url,
        "CRM_PROFILE": settings.profile,
        "CRM_TENANT_ID": settings.tenant,
        "CRM_DIALECTS": settings.dialect,
        "CRM_LANGUAGE": settings.language,
        "CRM_OFFLINE": "1" if settings.offline else None,
    }
    return {**os.environ, **{name: value for name, value in told.items() if value}}
