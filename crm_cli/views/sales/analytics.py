"""``crm analytics overview``: the figures of sales, leads and activities, and what has become of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_sdk.models.analytics_metrics import CompareTo
from crm_sdk.reading import choices_of

from ...connection import open_client
from ...lookups import id_of
from ...settings import Options, settle
from ...times import checked_day
from ..drawing import amount, heading, line, number, percent, show, spark, title_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from crm_sdk.models import OwnerPerformance, Series
    from crm_sdk.models.record import Model

_GOOD, _BAD = "green", "red"
_WORSE = frozenset(
    {"lost_deals", "avg_cycle_days", "avg_response_minutes", "unassigned_leads", "overdue_tasks", "no_shows"}
)
"""The figures of which less is better."""


def overview(
    options: Options,
    start_date: Annotated[
        str | None, typer.Option("--start-date", metavar="DATE", help="The first day: 2026-01-31, 90d.")
    ] = None,
    end_date: Annotated[
        str | None, typer.Option("--end-date", metavar="DATE", help="The last day: 2026-01-31, yesterday.")
    ] = None,
    owner_id: Annotated[
        str | None, typer.Option("--owner-id", help="Only the figures of this user: an id, or a unique name.")
    ] = None,
    compare_to: Annotated[
        str, typer.Option("--compare-to", metavar="|".join(choices_of(CompareTo)), help="What they are compared with.")
    ] = "previous_period",
) -> None:
    """Show the figures of sales, leads and activities of a range, compared with an earlier one.

    The range is the last twelve months where none is given. `--output json` has the three answers whole.
    """
    settings = settle(options)
    given: dict[str, Any] = {"compare_to": compare_to}
    given["start_date"] = checked_day(start_date, "--start-date") if start_date is not None else None
    given["end_date"] = checked_day(end_date, "--end-date") if end_date is not None else None
    with open_client(settings) as client:
        given["owner_id"] = id_of(client, "users", owner_id, flag="--owner-id") if owner_id is not None else None
        metrics = client.analytics.metrics
        sales, leads, activities = metrics.sales(**given), metrics.leads(**given), metrics.activities(**given)
    parts: dict[str, Model] = {"sales": sales, "leads": leads, "activities": activities}

    def draw(screen: Console) -> None:
        screen.print(line((_days(sales.start_date, sales.end_date), "bold"), _comparison_text(sales), between="  "))
        for name, part in parts.items():
            screen.print()
            screen.print(heading(title_of(name)))
            for each in _lines(part, str(sales.currency), getattr(part, "series", ())):
                screen.print(each)
        screen.print()
        screen.print(heading("Owners"))
        for row in sales.by_owner:
            screen.print(_owner(row))

    rows = [
        {"area": area, "figure": name, **_plain(value)}
        for area, part in parts.items()
        for name, value in _figures(part)
    ]
    show(settings.output, parts, rows, draw)


def _figures(part: Model) -> Iterator[tuple[str, Any]]:
    """Yield the figures of an answer with their names: whatever has a value and its change."""
    for name in type(part).model_fields:
        value = getattr(part, name, None)
        if hasattr(value, "change_type"):
            yield name, value


def _plain(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name, None) for name in ("value", "previous", "change", "unit")}


def _lines(part: Model, currency: str, series: Sequence[Series]) -> Iterator[Text]:
    course = {line.name: [float(number(point.value)) for point in line.points] for line in series}
    for name, value in _figures(part):
        before = f"before {_figure_text(value.previous, value.unit, currency)}" if value.previous is not None else ""
        yield line(
            f"  {title_of(name):<22}",
            (f"{_figure_text(value.value, value.unit, currency):>16}", "bold"),
            _change_text(name, value),
            (f"{before:<24}", "dim"),
            (spark(course[name]), "cyan") if name in course else None,
            between=" ",
        )


def _figure_text(value: object, unit: object, currency: str) -> str:
    """Return a figure in its unit."""
    if unit == "rate":
        return percent(number(value) * 100)
    return f"{amount(value)} {currency}" if unit == "currency" else amount(value) + _UNITS.get(str(unit), "")


_UNITS = {"days": " days", "minutes": " min"}


def _change_text(name: str, value: Any) -> tuple[str, str]:
    """Return how a figure has changed; better is green."""
    if value.previous is None or value.change_type == "none":
        return f"{'':>10}", ""
    up = value.change_type == "increase"
    share = f"{abs(Decimal(str(value.change)) * 100):.0f} %" if value.change is not None else "new"
    return f"{'▲' if up else '▼'} {share:>8}", _GOOD if up is not (name in _WORSE) else _BAD


def _owner(row: OwnerPerformance) -> Text:
    attained = f"{percent(number(row.attainment) * 100)} of the quota" if row.attainment is not None else ""
    return line(
        f"  {row.rank:>2}",
        f"{row.owner_name or row.owner_id or '':<22}",
        (f"{amount(row.won_value):>12}", "bold"),
        f"{row.deals_won:>3} won, {row.deals_lost} lost",
        (attained, "dim"),
        between="  ",
    )


def _days(start: date | None, end: date | None) -> str:
    return f"{start} to {end}"


def _comparison_text(sales: Any) -> tuple[str, str]:
    return (
        (f"compared with {_days(sales.compared_start_date, sales.compared_end_date)}", "dim")
        if (sales.compared_start_date is not None)
        else ("", "")
    )
