"""``crm changes follow``: print changes as they come, and keep the position in a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...connection import open_client
from ...settings import Options, settle
from ...terminal.output import Printer
from ...whole_files import written_whole

if TYPE_CHECKING:
    from crm_sdk.models import ChangePage


def follow(
    options: Options,
    position_file: Annotated[
        str, typer.Option("--position-file", metavar="FILE", help="Where the position is kept between calls.")
    ],
    every: Annotated[float, typer.Option("--every", min=0.1, help="So many seconds between two looks.")] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Stop when there are no more changes now.")] = False,
) -> None:
    """Print changes as JSON lines; the position is written after the changes before it were printed.

    Without a file it begins with the present.
    """
    settings, file = settle(options), Path(position_file)
    printer = Printer("jsonl")
    with open_client(settings) as client:
        known = file.read_text().strip() if file.exists() else None
        page = client.changes.list(cursor=known) if known else client.changes.list(start="now", limit=0)
        while True:
            printer.rows(page.items)
            with written_whole(file) as part:
                part.write_text(page.cursor)
            if not page.has_more:
                if once:
                    return
                client.clock.sleep(every)
            page = client.changes.list(cursor=page.cursor)


def position(given: Mapping[str, Any], page: ChangePage) -> str | None:
    """Return the position alone where no changes are asked for: `crm changes list --start now --limit 0 > pos`."""
    return page.cursor if str(given.get("limit")) == "0" else None
