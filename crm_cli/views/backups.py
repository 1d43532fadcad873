"""``crm backups create``: make a backup, wait for its end, and save its archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..connection import open_client
from ..failures import MisuseError
from ..settings import Options, settle
from .drawing import heading, line, show

if TYPE_CHECKING:
    from rich.console import Console

    from crm_sdk.models import Backup

_FAILED = 1


def create(
    options: Options,
    name: Annotated[str | None, typer.Option("--name", help="What it is called; without it, the time.")] = None,
    include: Annotated[
        list[str] | None,
        typer.Option("--include", help="data, files, configuration, users or audit; repeat it for more."),
    ] = None,
    entity_types: Annotated[
        list[str] | None, typer.Option("--entity-types", help="Only this entity; repeat it for more.")
    ] = None,
    file_id: Annotated[
        str | None, typer.Option("--file-id", help="Id of an uploaded archive that becomes a backup.")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", help="The file to save the archive as.", metavar="FILE")] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the end of the backup.")] = True,
) -> int:
    """Make a backup of the company's records, and save its archive with `--to`.

    The exit status is 1 where it fails.
    """
    from ..transfers import fetch

    if to is not None and not wait:
        raise MisuseError("--to saves what is made: it goes with --wait")
    settings = settle(options)
    with open_client(settings) as client:
        backup = client.backups.create(
            name=name, include=include or None, entity_types=entity_types or None, file_id=file_id
        )
        if wait:
            backup = backup.wait(timeout=None)
        if to is not None and backup.file_id is not None:
            with client.files.download(backup.file_id) as download:
                fetch(download, to)
    show(settings.output, backup, [backup], lambda screen: _draw(screen, backup, to))
    return _FAILED if backup.status == "failed" else 0


def _draw(screen: Console, backup: Backup, to: str | None) -> None:
    marks = {"succeeded": ("✓", "green"), "failed": ("✗", "bold red")}
    why = backup.error.message if backup.error is not None else ""
    total = f"{sum(backup.counts.values()):,} records, {backup.size:,} bytes" if backup.size is not None else why
    where = f"saved as {to}" if to is not None and backup.file_id is not None else ""
    mark = marks.get(str(backup.status), ("…", "dim"))
    screen.print(line(mark, heading(f"{backup.name or ''}  {backup.id}", total), (where, "dim"), between=" "))
