"""``crm deals board``, ``stale`` and ``forecast``: the deals by stage, those without activity, and what is expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_sdk.errors import UnsupportedOperationError
from crm_sdk.models.deals import DealFilter, DealStage
from crm_sdk.reading import choices_of

from ...connection import open_client
from ...failures import MisuseError
from ...lookups import id_of
from ...settings import Options, settle
from ...terminal.limits import count
from ...terminal.values import plain
from ..drawing import (
    amount,
    count_of,
    fits,
    heading,
    line,
    money,
    number,
    percent,
    piped_width,
    show,
    sums,
    sums_text,
    title_of,
)  # fmt: skip
from ..zone import person_of

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

    from crm_sdk import CrmClient
    from crm_sdk.models import Deal, DealForecast

_CARD, _WIDEST = 22, 40
"""The width of a column of cards: an id has to fit into it."""
_LIKELY, _UNLIKELY = 70, 30
_MEDIUM, _ROOMY = 60, 90
"""From these widths on a table has its id, and the stage as well."""
_ID, _SHORTEST = 25, 8
"""The width of the column of ids, and that of titles at least."""
_PAGE = 200
_CATEGORIES = (("closed", "█", "green"), ("commit", "▓", "cyan"), ("best_case", "▒", "blue"), ("pipeline", "░", "dim"))
"""The categories of a forecast, the surest first, each with its sign and its colour."""


def board(
    options: Options,
    filter: Annotated[
        str | None, typer.Option("--filter", metavar="|".join(choices_of(DealFilter)), help="Only deals like this.")
    ] = None,
    search: Annotated[
        str | None,
        typer.Option("--search", help="Only deals with these words in title, company, contact or text."),
    ] = None,
    stage: Annotated[
        list[str] | None,
        typer.Option("--stage", metavar="|".join(choices_of(DealStage)), help="Only this column; repeat it for more."),
    ] = None,
    pipeline: Annotated[
        str | None, typer.Option("--pipeline", help="Only deals of this pipeline, by id or name, in its stages.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="INT", parser=count, help="So many cards are drawn in a column, or all.")
    ] = 6,
) -> None:
    """Show the deals as a board: a column for each stage, the greatest value first.

    The head of a column has its total value, unweighted and weighted by probability. `--output json` has all cards.
    """
    settings = settle(options)
    with open_client(settings) as client:
        if pipeline is None:
            stages = [stats.stage for stats in client.deals.stage_stats()]
            deals = list(client.deals.list(filter=filter, search=search))
        else:
            pipeline = id_of(client, "pipelines", pipeline)
            stages = [str(one.key) for one in client.pipelines.get(pipeline).stages]
            deals = list(client.deals.list(filter=filter, search=search, pipeline_id=pipeline))
    columns = _columns(stages, deals, stage)
    shown = [deal for column in columns for deal in column.deals]
    total = Column("total", shown)
    whole = {"stages": [column.figures() | {"deals": column.deals} for column in columns], "total": total.figures()}
    show(settings.output, whole, shown, lambda screen: _draw(screen, columns, total, limit))


@dataclass(frozen=True, slots=True)
class Column:
    """The deals of a stage."""

    stage: str
    deals: Sequence[Deal]

    @property
    def value(self) -> Decimal:
        """The total value of the deals."""
        return sum((number(deal.value) for deal in self.deals), Decimal())

    @property
    def weighted(self) -> Decimal:
        """The total value of the deals, weighted by their probability."""
        return sum((number(deal.value) * number(deal.probability) / 100 for deal in self.deals), Decimal())

    @property
    def values(self) -> dict[str, Decimal]:
        """The total value in each currency."""
        return sums((deal.value, deal.currency) for deal in self.deals)

    @property
    def weighted_values(self) -> dict[str, Decimal]:
        """The total value in each currency, weighted by the probability."""
        return sums((number(deal.value) * number(deal.probability) / 100, deal.currency) for deal in self.deals)

    def figures(self) -> dict[str, Any]:
        """Return the figures of the column, for JSON output."""
        totals = {"value": self.value, "weightedValue": self.weighted}
        return {"stage": self.stage, "count": len(self.deals), **totals, "values": self.values}


def _columns(stages: Sequence[str], deals: Sequence[Deal], wanted: Sequence[str] | None) -> list[Column]:
    # A stage that is not in the pipeline of the figures comes last.
    known = list(dict.fromkeys([*stages, *(deal.stage for deal in deals)]))
    for name in wanted or ():
        if name not in known:
            raise MisuseError(f"--stage must be one of {', '.join(known)}, not {name!r}")
    best_first = sorted(deals, key=lambda deal: -number(deal.value))
    return [
        Column(stage, [deal for deal in best_first if deal.stage == stage])
        for stage in known
        if not wanted or stage in wanted
    ]


def _draw(screen: Console, columns: Sequence[Column], total: Column, limit: int) -> None:
    if fits(screen, len(columns)) and screen.width >= _CARD * len(columns):
        _side_by_side(screen, columns, limit)
    else:
        for column in columns:
            _below(screen, column, limit)
    if not total.deals:
        screen.print(line(("no deals: `crm deals create --title … --value …` makes one", "dim")))
    screen.print(line(("Total", "bold"), _count(total), *_worth(total), between="  "))
    opened = Column("open", [deal for deal in total.deals if not str(deal.stage).startswith("closed-")])
    if 0 < len(opened.deals) < len(total.deals):
        screen.print(line(("Open ", "bold"), _count(opened), *_worth(opened), between="  "))


def _side_by_side(screen: Console, columns: Sequence[Column], limit: int) -> None:
    from rich.console import Group
    from rich.table import Table

    width = min(screen.width // len(columns), _WIDEST) - 1
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for column in columns:
        header = Group(line((title_of(column.stage), "bold cyan")), _count(column), *_worth(column))
        table.add_column(header, width=width, vertical="top")
    table.add_row(*(Group(*_cards(column, limit)) for column in columns))
    screen.print(table)


def _cards(column: Column, limit: int) -> list[RenderableType]:
    from rich import box
    from rich.console import Group
    from rich.panel import Panel

    cards: list[RenderableType] = [
        Panel(
            Group(line((deal.title, "bold")), *_who(deal), _figures(deal), line((deal.id, "dim"))),
            box=box.ROUNDED,
            border_style="dim",
        )
        for deal in column.deals[:limit]
    ]
    return [*cards, *_rest(column, limit)]


def _below(screen: Console, column: Column, limit: int) -> None:
    from rich.table import Table

    screen.print(line((title_of(column.stage), "bold cyan"), _count(column), *_worth(column), between="  "))
    cards = Table.grid(padding=(0, 1), expand=True)
    cards.add_column(ratio=1)
    cards.add_column(justify="right", no_wrap=True)
    for deal in column.deals[:limit]:
        cards.add_row(line("  ", (deal.title, "bold")), _figures(deal))
        cards.add_row(line("  ", *_who(deal)), line((deal.id, "dim")))
    screen.print(cards)
    for rest in _rest(column, limit):
        screen.print(line("  ", rest))
    screen.print()


def _who(deal: Deal) -> list[Text]:
    parts = [part for part in (deal.contact_name, deal.company) if part]
    return [line((", ".join(parts), "dim"))] if parts else []


def _figures(deal: Deal) -> Text:
    chance = number(deal.probability)
    style = "green" if chance >= _LIKELY else "red" if chance < _UNLIKELY else "yellow"
    return line(money(deal.value, deal.currency), (f"{percent(deal.probability):>5}", style), between="  ")


def _rest(column: Column, limit: int) -> list[Text]:
    left = len(column.deals) - limit
    return [line((f"+ {left} more", "dim"))] if left > 0 else []


def _count(column: Column) -> Text:
    return line(count_of(len(column.deals), "deal"))


def _worth(column: Column) -> list[Text]:
    return [line(sums_text(column.values)), line((f"weighted {sums_text(column.weighted_values)}", "dim"))]


# -- stale -----------------------------------------------------------------------------------------------------------


def stale(
    options: Options,
    days: Annotated[int, typer.Option("--days", min=1, help="Without activity for so many days.")] = 14,
    owner: Annotated[
        str | None, typer.Option("--owner", help="Only deals of this user: an id, a unique name, or `me`.")
    ] = None,
    pipeline: Annotated[
        str | None, typer.Option("--pipeline", help="Only deals of this pipeline: an id, or a unique name.")
    ] = None,
) -> None:
    """List the open deals without activity for some days, the longest first: `crm deals stale --days 14 --owner me`.

    A move to another stage is an activity, too.
    """
    settings = settle(options)
    with open_client(settings) as client:
        if owner is not None:
            owner = person_of(client)[0] if owner == "me" else id_of(client, "users", owner, flag="--owner")
        if pipeline is not None:
            pipeline = id_of(client, "pipelines", pipeline, flag="--pipeline")
        now = datetime.now(UTC)
        aged = [(_quiet(deal, now), deal) for deal in _open_deals(client, owner, pipeline)]
    found = sorted(((age, deal) for age, deal in aged if age >= days), key=lambda row: (-row[0], row[1].id))
    rows = [{**plain(deal), "quietDays": age} for age, deal in found]
    totals = sums((deal.value, deal.currency) for _, deal in found)
    whole = {"days": days, "count": len(rows), "values": totals, "deals": rows}
    show(settings.output, whole, rows, lambda screen: _draw_stale(screen, found, days, totals))


def _open_deals(client: CrmClient, owner: str | None, pipeline: str | None) -> Iterator[Deal]:
    try:
        deals = client.deals.list(status="open", limit=_PAGE, owner_id=owner, pipeline_id=pipeline)
    except UnsupportedOperationError:
        if owner is not None or pipeline is not None:
            raise
        deals = client.deals.list()
    return (deal for deal in deals if not str(deal.stage).startswith("closed-"))


def _quiet(deal: Deal, now: datetime) -> int:
    """Return for how many whole days nothing was done about a deal."""
    moments = (deal.last_activity, deal.stage_changed_at, deal.created_at)
    known = [moment for moment in moments if isinstance(moment, datetime)]
    return max((now - max(known)).days, 0) if known else 0


def _draw_stale(screen: Console, found: Sequence[tuple[int, Deal]], days: int, totals: Mapping[str, Decimal]) -> None:
    from rich.table import Table

    if not found:
        screen.print(
            line((f"no open deal is without activity for {count_of(days, 'day')}; try fewer: --days 7", "dim"))
        )
        return
    wide = screen.width >= _ROOMY
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("days", justify="right", no_wrap=True)
    others = max(len(money(deal.value, deal.currency)) for _, deal in found) + 8
    others += _ID if screen.width >= _MEDIUM else 0
    others += max(len(deal.stage) for _, deal in found) + 2 if wide else 0
    longest = max(screen.width - others, _SHORTEST)
    table.add_column("title", no_wrap=True, overflow="ellipsis", max_width=longest)
    if wide:
        table.add_column("stage", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    if screen.width >= _MEDIUM:
        table.add_column("id", no_wrap=True, style="dim")
    for age, deal in found:
        row = [line((str(age), "red" if age >= 2 * days else "yellow")), line((deal.title, "bold"))]
        row += [line(title_of(deal.stage))] if wide else []
        row += [line(money(deal.value, deal.currency))]
        table.add_row(*row, *([line(deal.id)] if screen.width >= _MEDIUM else []))
        if screen.width < _MEDIUM:
            table.add_row("", line((deal.id, "dim")), "")
    screen.print(table)
    screen.print(line((count_of(len(found), "deal"), "bold"), sums_text(totals), between="  "))


# -- forecast --------------------------------------------------------------------------------------------------------


def forecast(client: CrmClient, records: Sequence[DealForecast]) -> None:
    """Draw a forecast: a bar for each period, with a part for each category."""
    from ...console import stdout

    screen = stdout(piped_width())
    for found in records:
        _draw_forecast(screen, found)


def _draw_forecast(screen: Console, found: DealForecast) -> None:
    currency = found.currency
    range_ = f"{found.start_date} – {found.end_date}" if found.start_date and found.end_date else ""
    screen.print(line(heading("Forecast", range_)))
    most = max((number(period.total) for period in found.periods), default=Decimal()) or Decimal(1)
    names = max((len(period.period) for period in found.periods), default=0)
    texts = [(money(period.total, currency), amount(period.weighted)) for period in found.periods]
    left, right = (max((len(text[n]) for text in texts), default=0) for n in (0, 1))
    narrow = screen.width < _MEDIUM
    room = screen.width - names - left - 4 - (0 if narrow else right + 11)
    for period, (total, weighted) in zip(found.periods, texts, strict=True):
        bar = _stacked_bar(period.categories, most, max(min(room, _WIDEST), 4))
        rest = None if narrow else (f"  weighted {weighted:>{right}}", "dim")
        screen.print(line(f"{period.period:<{names}}  ", bar, f"  {total:>{left}}", rest), no_wrap=True)
    if not found.periods:
        screen.print(line(("no deal is expected to close: `crm deals update ID --expected-close-date …`", "dim")))
    if found.categories is not None:
        values = ((name, getattr(found.categories, name, None)) for name, _, _ in _CATEGORIES)
        for (name, value), (_, glyph, style) in zip(values, _CATEGORIES, strict=True):
            screen.print(line((glyph, style), f"{title_of(name):<9}", f"{money(value, currency):>16}", between=" "))
    screen.print(
        line(
            ("Open ", "bold"), money(found.total_pipeline, currency),
            (f"weighted {money(found.weighted_forecast, currency)}", "dim"),
            count_of(found.deals_closing_this_month, "deal") + " closing this month", between="  ",
        )
    )  # fmt: skip


def _stacked_bar(categories: Any, most: Decimal, width: int) -> Text:
    """Return a bar with a part for each category: signs tell them apart where there are no colours."""
    parts: list[tuple[str, str]] = []
    done, drawn = Decimal(), 0
    for name, glyph, style in _CATEGORIES:
        done += number(getattr(categories, name, None))
        end = round(done / most * width)
        parts.append((glyph * (end - drawn), style))
        drawn = max(end, drawn)
    return line(*parts, " " * (width - drawn))
