"""``crm undo``: take back the last write, where nobody has changed the record since."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..failures import DECLINED, CommandError, MisuseError, complain
from ..settings import Options, settle
from ..undo.journal import Entry, Journal

if TYPE_CHECKING:
    from rich.console import Console


def undo(
    options: Options,
    number: Annotated[
        int | None,
        typer.Argument(metavar="[NUMBER]", help="Which write, by its number in --list; without it the last."),
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the writes that are known, the last one first.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")] = False,
) -> int | None:
    """Take back the last write of this machine: `crm undo`.

    An update is set back to the values before, a deleted record is restored from the trash, a created one is deleted:
    as far as you are allowed to, and only where nobody has changed the record since; otherwise the exit status is 6.
    What writes many records or none that is read back cannot be undone. Again, it takes back the write before that.

    The journal is a file of this machine, for each server and company. At a terminal an update reads the record first,
    so that its values are known; elsewhere with `CRM_UNDO=1`, and else the audit trail is asked. `CRM_UNDO=0` keeps no
    journal.

    Example: `crm undo --dry-run`
    """
    from ..connection import open_writing_client
    from ..terminal.asking import is_confirmed
    from ..terminal.output import Printer, say_bulk_failures
    from ..tree.parameters import Form
    from ..undo.reversal import reversal
    from ..views.drawing import show

    settings = settle(options)
    journal = Journal.of(settings)
    entries = journal.entries()
    if listed:
        rows = [_row(entry) for entry in reversed(entries)]
        show(settings.output, rows, rows, lambda screen: _draw(screen, rows))
        return None
    entry = _chosen_entry(entries, number)
    printer = Printer(settings.output)
    with open_writing_client(settings) as client:
        back = reversal(client, entry)
        form = Form(back.operation)
        if options.sends_nothing:
            from ..showing import show_call

            show_call(client, form, back.arguments, printer, settings)
            return None
        if not yes and not is_confirmed(f"undo `{entry.words}`: {back.does}"):
            return DECLINED
        result = attrgetter(back.operation.id)(client)(**back.arguments)
    failed = say_bulk_failures(result)
    if failed is not None:
        return failed
    items: Any = getattr(result, "items", None)
    record = items[0].result if items else result
    journal.mark_undone(entry, getattr(record, "version", None))
    complain(f"undone: `{entry.words}`")
    printer.show(record)
    return None


def _chosen_entry(entries: Sequence[Entry], number: int | None) -> Entry:
    if number is not None:
        found = next((entry for entry in entries if entry.number == number), None)
        if found is None:
            raise MisuseError(f"there is no write {number}: see `crm undo --list`")
        return found
    last = next((entry for entry in reversed(entries) if not entry.undone), None)
    if last is None:
        raise CommandError(
            "NOTHING_TO_UNDO",
            "nothing to undo: this machine has written nothing to this company that is not undone",
            hint="writes of others, and of before `crm undo` was there, are not known",
        )
    return last


def _row(entry: Entry) -> dict[str, Any]:
    from ..undo.reversal import why_not

    reason = why_not(entry)
    return {
        "number": entry.number,
        "at": entry.at,
        "command": entry.words,
        "members": list(entry.members),
        "state": "undone" if entry.undone else "can be undone" if reason is None else "cannot be undone",
        "why": None if entry.undone else reason,
    }


def _draw(screen: Console, rows: Sequence[dict[str, Any]]) -> None:
    from rich.table import Table

    from ..terminal.columns import age
    from ..views.drawing import line

    if not rows:
        screen.print(line(("nothing was written yet; what commands write is listed here", "dim")))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("number", "age", "command", "state"):
        table.add_column(name, no_wrap=name in ("number", "age"), justify="right" if name == "number" else "left")
    now = datetime.now(UTC)
    for row in rows:
        style = {"can be undone": "green", "undone": "dim"}.get(row["state"], "yellow")
        why = f": {row['why']}" if row["why"] else ""
        members = f" ({', '.join(row['members'])})" if row["members"] else ""
        table.add_row(
            str(row["number"]), age(now - datetime.fromisoformat(row["at"])), line(row["command"], (members, "dim")),
            line((row["state"] + why, style)),
        )  # fmt: skip
    screen.print(table)
