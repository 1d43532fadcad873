"""``crm reports show``: the data of a report as a table, with its sums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..connection import open_client
from ..settings import Options, settle
from .drawing import amount, heading, line
from .drawing import show as present

if TYPE_CHECKING:
    from rich.console import Console

    from crm_sdk.models import Report, ReportData


def show(
    options: Options,
    report_id: Annotated[str, typer.Argument(help="Id of the report.")],
    fresh: Annotated[bool, typer.Option("--fresh", help="Run the report anew.")] = False,
    page: Annotated[int, typer.Option("--page", min=1, help="The number of the page, from 1.")] = 1,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="So many rows or groups a page has.")] = 50,
) -> None:
    """Show a page of what a report gave: the rows of a table, or the sums of each group, and those of all.

    Without a run of one's own, or with `--fresh`, it is run. `--output json` has the answer whole.
    """
    settings = settle(options)
    with open_client(settings) as client:
        report = client.reports.get(report_id)
        data = client.reports.data(report_id, fresh=fresh, page=page, limit=limit)
    present(settings.output, data, _records(report, data), lambda screen: _draw(screen, report, data))


def _heads(report: Report, data: ReportData) -> list[str]:
    """Return the titles of the columns: of a matrix each measure once for each key across."""
    titles = [str(column.label or column.key) for column in data.columns]
    if report.format != "matrix":
        return titles
    groups, across = len(report.groups), len(report.across)
    keys = [", ".join("–" if part is None else str(part) for part in key) for key in data.across_keys]
    measures = titles[groups + across :]
    return titles[:groups] + [f"{key}: {name}" if len(measures) > 1 else key for key in keys for name in measures]


def _rows(report: Report, data: ReportData) -> Iterator[list[Any]]:
    yield from data.rows
    for group in data.groups:
        names = [*group.labels[:-1], *group.labels[-1:], *[""] * (len(report.groups) - len(group.labels))]
        yield [*names, *group.values]


def _records(report: Report, data: ReportData) -> list[dict[str, Any]]:
    heads = _heads(report, data)
    return [dict(zip(heads, row, strict=False)) for row in _rows(report, data)]


def _draw(screen: Console, report: Report, data: ReportData) -> None:
    from rich.table import Table

    screen.print(heading(report.name, report.description or ""))
    table, groups = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False), len(report.groups)
    numbers = _are_numbers(list(_rows(report, data)), len(_heads(report, data)))
    for title, is_number in zip(_heads(report, data), numbers, strict=True):
        table.add_column(line((title, "bold")), justify="right" if is_number else "left")
    for row in _rows(report, data):
        table.add_row(*(line(_told(value)) for value in row))
    if data.totals:
        blanks = ["Total", *[""] * (groups - 1)] if groups else []
        table.add_row(*(line((text, "bold")) for text in (*blanks, *map(_told, data.totals))))
    screen.print(table)
    more = f", page {data.page}" if data.page > 1 or data.has_next else ""
    cut = " (there were more)" if data.truncated else ""
    screen.print(line((f"{data.row_count:,} records{cut}, sums in {data.currency}{more}", "dim")))


def _are_numbers(rows: Sequence[Sequence[Any]], width: int) -> list[bool]:
    """Tell of each column whether all that it has are numbers."""
    columns = [[row[n] for row in rows if n < len(row) and row[n] not in (None, "")] for n in range(width)]
    return [bool(column) and all(not isinstance(value, str) for value in column) for column in columns]


def _told(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    return ", ".join(value) if isinstance(value, list) else amount(value)  # pyright: ignore[reportUnknownArgumentType] # a list holds texts
