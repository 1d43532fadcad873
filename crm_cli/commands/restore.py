"""``crm restore``: restore a backup, or an archive in a file, and show what it did or would do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..connection import open_writing_client
from ..failures import MisuseError, complain
from ..settings import Options, settle
from ..views.drawing import line, show

if TYPE_CHECKING:
    from rich.console import Console

    from crm_sdk import CrmClient
    from crm_sdk.models import RestoreResult

_SHOWN = 10
_MODES = ("drill", "merge", "replace")


def restore(
    options: Options,
    what: Annotated[str, typer.Argument(metavar="BACKUP|FILE", help="Id of a backup, or the file of an archive.")],
    mode: Annotated[
        str, typer.Option("--mode", metavar="|".join(_MODES), help="A drill only compares; it is the default.")
    ] = "drill",
    confirm: Annotated[str | None, typer.Option("--confirm", help="The company's slug, for replace.")] = None,
    entity_types: Annotated[
        list[str] | None, typer.Option("--entity-types", help="Only this entity; repeat it for more.")
    ] = None,
) -> None:
    """Try to restore a backup, bring back what is missing, or replace everything: `crm restore acme.zip --mode merge`.

    An archive in a file is uploaded and taken over first.
    """
    if not Path(what).is_file() and (what.endswith(".zip") or "/" in what):
        raise MisuseError(f"there is no file {what}")
    if mode not in _MODES:
        raise MisuseError(f"--mode must be one of {', '.join(_MODES)}, not {mode!r}")
    if mode == "replace" and confirm is None:
        raise MisuseError("--mode replace replaces everything: confirm it with --confirm and the company's slug")
    settings = settle(options)
    with open_writing_client(settings) as client:
        backup_id = _taken_over(client, Path(what)) if Path(what).is_file() else what
        job = client.backups.restore(backup_id, mode=mode, confirm=confirm, entity_types=entity_types or None)
        result = job.wait(timeout=None)
    show(settings.output, result, [result], lambda screen: _draw(screen, result))


def _taken_over(client: CrmClient, path: Path) -> str:
    """Upload an archive, and return the id of the backup that it becomes."""
    file = client.files.upload(path, on_conflict="rename")
    backup = client.backups.create(file_id=file.id)
    complain(f"{path} is the backup {backup.id}, of {backup.tenant_slug}")
    return backup.id


def _draw(screen: Console, result: RestoreResult) -> None:
    """Draw what a restore did, entity by entity."""
    if result.mode == "drill":
        for one in result.differences:
            counts = (
                (one.only_in_backup, "would come back"), (one.only_now, "would go"), (one.different, "would change"),
            )  # fmt: skip
            said = ", ".join(f"{count:,} {word}" for count, word in counts if count)
            screen.print(line(f"{one.entity:16}", (said, "dim"), between="  "))
        if not result.differences:
            screen.print("the backup is what is there now")
    else:
        for entity, count in result.restored.items():
            if count:
                screen.print(line(f"{entity:16}", (f"{count:,} restored", "green"), between="  "))
        if not any(result.restored.values()):
            screen.print("nothing was missing")
    for error in result.conflicts[:_SHOWN]:
        screen.print(line((error.value or "", "yellow"), error.code, (error.message, "dim"), between="  "))
    if len(result.conflicts) > _SHOWN:
        screen.print(f"… {len(result.conflicts) - _SHOWN:,} more")
    if result.safety_backup_id is not None:
        screen.print(line(("safety backup", "dim"), result.safety_backup_id, between="  "))
