"""``crm reports show`` and ``crm reports run``: the data of a report as a table with its sums, or as a chart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..connection import open_client
from ..lookups import id_of
from ..settings import Options, settle
from .drawing import amount, heading, line, named_bars
from .drawing import show as present

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from crm_sdk import CrmClient
    from crm_sdk.models import Report, ReportData, ReportRun

_BAR, _BARS = 40, 25
_DRAWN = frozenset({"bar", "line", "area", "pie", "donut", "funnel"})
"""The charts that are drawn as bars."""


def show(
    options: Options,
    report_id: Annotated[str, typer.Argument(help="Id of the report, or its name.")],
    fresh: Annotated[bool, typer.Option("--fresh", help="Run the report anew.")] = False,
    page: Annotated[int, typer.Option("--page", min=1, help="The number of the page, from 1.")] = 1,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="So many rows or groups a page has.")] = 50,
) -> None:
    """Show a page of what a report gave: the rows of a table, or the sums of each group, and those of all.

    Without a run of one's own, or with `--fresh`, it is run. `--output json` has the answer whole.
    """
    settings = settle(options)
    with open_client(settings) as client:
        report_id = id_of(client, "reports", report_id)
        report = client.reports.get(report_id)
        data = client.reports.data(report_id, fresh=fresh, page=page, limit=limit)
    present(settings.output, data, _records(report, data), lambda screen: _draw(screen, report, data))


def ran(client: CrmClient, runs: Sequence[ReportRun]) -> None:
    """Draw what a run of a report gave: as bars where its chart is of figures, else as a table."""
    from ..console import stdout

    screen = stdout()
    for run in runs:
        report = client.reports.get(run.report_id)
        if run.data is None:
            screen.print(heading(report.name, f"run {run.id} is {run.status}: it goes on at the server"))
        elif report.chart is not None and report.chart.type in _DRAWN and report.format == "summary":
            screen.print(heading(report.chart.title or report.name, report.description or ""))
            for each in bars_of(run.data, report.chart.y):
                screen.print(each)
            screen.print(_summary(run.data))
        else:
            _draw(screen, report, run.data)


def bars_of(data: ReportData, wanted: Sequence[str] = (), most: int = _BARS) -> list[Any]:
    """Return a line for each innermost group: its name, a bar of the wanted or the first figure, and the figure."""
    groups = [group for group in data.groups if not group.subtotal and group.values][:most]
    width = max((len(group.values) for group in groups), default=0)
    keys = [column.key for column in data.columns][-width:]
    place = next((keys.index(key) for key in wanted if key in keys), 0)
    return named_bars([(" / ".join(group.labels), group.values[place]) for group in groups], _BAR)


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
        table.add_row(*(line(_cell_text(value)) for value in row))
    if data.totals:
        blanks = ["Total", *[""] * (groups - 1)] if groups else []
        table.add_row(*(line((text, "bold")) for text in (*blanks, *map(_cell_text, data.totals))))
    screen.print(table)
    screen.print(_summary(data))


def _summary(data: ReportData) -> Text:
    more = f", page {data.page}" if data.page > 1 or data.has_next else ""
    cut = " (there were more)" if data.truncated else ""
    return line((f"{data.row_count:,} records{cut}, sums in {data.currency}{more}", "dim"))


def _are_numbers(rows: Sequence[Sequence[Any]], width: int) -> list[bool]:
    """Tell of each column whether all that it has are numbers."""
    columns = [[row[n] for row in rows if n < len(row) and row[n] not in (None, "")] for n in range(width)]
    return [bool(column) and all(not isinstance(value, str) for value in column) for column in columns]


def _cell_text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    return ", ".join(value) if isinstance(value, list) else amount(value)  # pyright: ignore[reportUnknownArgumentType] # a list holds texts
