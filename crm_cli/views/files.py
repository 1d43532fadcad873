"""``crm files tree``: the files by their folders; and the columns of files that are shared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..connection import open_client
from ..settings import Options, settle
from .drawing import count_of, line, show

if TYPE_CHECKING:
    from rich.console import Console

    from crm_sdk import CrmClient
    from crm_sdk.models import File, SharedFile

_UNITS = ("B", "kB", "MB", "GB")


def tree(
    options: Options,
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="The path of the folder to begin at.")] = "/",
) -> None:
    """Show the files of a folder and of those in it, by name, with their sizes and marks.

    ◆ is shared, ● is seen by its owner only, ✗ is infected and locked.
    """
    settings = settle(options)
    with open_client(settings) as client:
        listed = client.files.list(folder=folder, recursive=True)
        found = sorted(listed, key=lambda file: (file.folder or "", file.name))
    show(settings.output, found, found, lambda screen: _draw(screen, found))


def _draw(screen: Console, files: Sequence[File]) -> None:
    before: str | None = ""  # no folder is called so
    for file in files:
        if file.folder != before:
            before = file.folder
            screen.print(line((before or "/", "bold")))
        versions = f"version {file.revision}  " if (file.revision or 1) > 1 else ""
        text = line(
            f"  {_mark(file)} ", file.name, "  ", (size(file.size or 0), "green"), "  ", versions, (file.id, "dim")
        )
        screen.print(text, overflow="ellipsis", no_wrap=True)
    screen.print()
    screen.print(line(count_of(len(files), "file"), size(sum(file.size or 0 for file in files)), between="  "))


def _mark(file: File) -> str:
    if file.scan_status == "infected":
        return "✗"
    return "◆" if file.shared else "●" if file.visibility == "private" else " "


def size(count: int) -> str:
    """Return a number of bytes for people: ``1.2 MB``."""
    value, unit = float(count), 0
    while round(value, 1) >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{count} B" if not unit else f"{value:.1f} {_UNITS[unit]}"


def rows(client: CrmClient, shared: Iterable[SharedFile]) -> Iterator[dict[str, Any]]:
    """Give the files that are shared, each with its share."""
    for one in shared:
        file, share = one.file, one.share
        yield {
            "id": share.id,
            "name": file.name,
            "folder": file.folder,
            "access": share.access,
            "subjectType": share.subject_type,
            "subjectName": share.subject_name,
            "expiresAt": share.expires_at,
            "fileId": file.id,
        }
