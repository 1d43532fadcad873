"""``crm dashboards show``: what the widgets of a dashboard show, one below the other, and again when it changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..connection import open_client
from ..failures import MisuseError
from ..interruption import until_interrupted
from ..lookups import id_of
from ..settings import Options, Settings, settle
from .drawing import amount, heading, line, number, percent, spark
from .drawing import show as present
from .reports import bars_of
from .tail import Ending

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

    from crm_sdk import CrmClient
    from crm_sdk.models import Dashboard, DashboardData, ReportData, Widget, WidgetData

_ROWS = 10
_UNITS = {"currency": "", "days": " days", "minutes": " minutes"}


def show(
    options: Options,
    dashboard_id: Annotated[str, typer.Argument(help="Id of the dashboard, or its name.")],
    watch: Annotated[bool, typer.Option("--watch", help="Draw it again whenever its figures change.")] = False,
) -> int | None:
    """Show what the widgets of a dashboard show: figures, bars, tables and what has happened.

    With `--watch` it follows the dashboard until Ctrl-C, or `--timeout` has passed; for programs it prints the events
    as JSON lines. `--output json` has the data whole.
    """
    settings = settle(options)
    with open_client(settings) as client:
        dashboard_id = id_of(client, "dashboards", dashboard_id)
        board = client.dashboards.get(dashboard_id)
        if watch:
            return _watch(client, board, settings)
        data = client.dashboards.data(dashboard_id)
    present(settings.output, data, data.widgets, lambda screen: _draw(screen, board, data))
    return None


def _watch(client: CrmClient, board: Dashboard, settings: Settings) -> int:
    if settings.output == "csv":
        raise MisuseError("what goes on has no columns: --output jsonl, or table")
    stream = client.dashboards.subscribe(board.id)
    if settings.output != "table":
        from .tail import follow

        return follow(stream, "jsonl", settings)
    from ..console import stdout

    screen, ending = stdout(), Ending.of(settings, None, None)

    def go_on() -> int:
        data: DashboardData | None = None
        with stream:
            while not stream.ended:
                event = stream.wait(ending.patience)
                if event is None:
                    if ending.silence_is_the_end:
                        return 0
                    continue
                if event.data is not None:
                    data = event.data
                elif event.widget is not None and data is not None:
                    changed = event.widget
                    widgets = [changed if one.widget_id == changed.widget_id else one for one in data.widgets]
                    data = data.model_copy(update={"widgets": widgets})
                if data is not None:
                    if screen.is_terminal:
                        screen.clear()
                    screen.print(line((f"{event.at.astimezone():%H:%M:%S}  {event.event}", "dim")))
                    _draw(screen, board, data)
        return 0

    return until_interrupted(go_on)


def _draw(screen: Console, board: Dashboard, data: DashboardData) -> None:
    screen.print(heading(board.name, board.description or ""))
    widgets = {widget.id: widget for widget in board.widgets}
    for widget in data.widgets:
        screen.print()
        screen.print(
            line((widget.title, "bold"), (" (some minutes old)" if widget.cached and data.stale else "", "dim"))
        )
        for each in _lines(widget, widgets.get(widget.widget_id)):
            screen.print(each)


def _lines(widget: WidgetData, declared: Widget | None) -> Iterator[RenderableType]:
    """Yield the lines of what a widget shows."""
    if widget.error is not None:
        yield line((f"{widget.error.code}: {widget.error.message}", "red"))
        return
    if declared is not None and declared.content:
        yield line(declared.content)
    if widget.value is not None:
        yield _figure(widget.value)
    for series in widget.series or ():
        yield line(spark([float(point.value) for point in series.points]), (f"  {series.name}", "dim"))
    if widget.table is not None and not widget.series and widget.type not in ("kpi", "gauge", "forecast"):
        wanted = declared.chart.y if declared is not None and declared.chart is not None else ()
        yield from _table(widget.table, wanted)
    for item in widget.feed or ():
        yield line((f"{item.occurred_at.astimezone():%Y-%m-%d %H:%M}", "dim"), f"  {item.summary}")


def _figure(value: Any) -> Text:
    def told(figure: Any) -> str:
        if value.unit == "rate":
            return percent(number(figure) * 100)
        return f"{amount(figure)}{_UNITS.get(value.unit, '')}"

    shown = told(value.value)
    change = f"  {value.change:+.0%} from {told(value.previous)}" if value.change is not None else ""
    return line((shown, "bold cyan"), (change, "dim"))


def _table(data: ReportData, wanted: Sequence[str]) -> Iterator[RenderableType]:
    if data.groups:
        yield from bars_of(data, wanted, _ROWS)
        return
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for column in data.columns:
        table.add_column(line((column.label, "bold")))
    for row in data.rows[:_ROWS]:
        table.add_row(*(line(value if isinstance(value, str) else amount(value)) for value in row))
    yield table
    yield line((f"{data.row_count:,} records", "dim"))
