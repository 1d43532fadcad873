"""``crm imports preview``: what a file holds, which column becomes which field, and what would become of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..drawing import count_of, heading, line

if TYPE_CHECKING:
    from rich.console import Console

    from crm_sdk import CrmClient
    from crm_sdk.models import ImportPreview

_MARKS: Mapping[str, tuple[str, str]] = {
    "create": ("+", "green"), "update": ("~", "yellow"), "skip": ("=", "dim"), "fail": ("✗", "bold red"),
}  # fmt: skip
_SHOWN = 60


def look(client: CrmClient, found: Sequence[ImportPreview]) -> None:
    """Draw previews: the file, its columns, its first rows, and what importing all of them would do."""
    from ...console import stdout

    for one in found:
        _draw(stdout(), one)


def _draw(screen: Console, found: ImportPreview) -> None:
    told = (found.format, found.encoding, f"separated by {found.delimiter!r}" if found.delimiter else None)
    size = f"{count_of(found.row_count, 'row')}, {count_of(len(found.columns), 'column')}"
    screen.print(heading(size if found.readable else "not readable", ", ".join(part for part in told if part)))
    for error in found.errors:
        screen.print(line(("✗", "bold red"), (error.field or "", "bold"), error.message, between=" "))
    fields = {entry["column"]: entry["field"] for entry in found.mapping}
    for column in found.columns:
        field = fields.get(column.column) or fields.get(str(column.index))
        why = f"{column.reason}, {column.confidence} %" if field == column.suggested_field and column.reason else ""
        samples = " · ".join(column.samples)[:_SHOWN]
        target = (f"→ {field}", "green") if field else ("not read", "dim")
        screen.print(line("  ", (column.column, "bold"), target, (why, "dim"), samples, between=" "))
    for name in found.unmapped_required:
        screen.print(
            line(("!", "yellow"), (name, "bold"), "is needed by new records, and no column gives it", between=" ")
        )
    if found.rows:
        screen.print()
    for row in found.rows:
        values = ", ".join(f"{name}={value}" for name, value in row.values.items())[:_SHOWN]
        wrong = "; ".join(f"{error.field or ''}: {error.message}" for error in row.errors)
        mark = _MARKS.get(row.outcome, ("·", ""))
        screen.print(line(mark, f"{row.row:>4}", (row.match_id or "", "cyan"), wrong or values, between=" "))
    counts = found.counts
    does = {"created": counts.created, "updated": counts.updated, "skipped": counts.skipped, "failed": counts.failed}
    screen.print(heading("an import", ", ".join(f"{number:,} {name}" for name, number in does.items())))
