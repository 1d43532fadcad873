"""``crm deals board``: the deals by stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_sdk.models.deals import DealFilter, DealStage
from crm_sdk.reading import choices_of

from ...connection import open_client
from ...failures import MisuseError
from ...settings import Options, settle
from ..drawing import amount, count_of, fits, line, number, percent, show, title_of

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

    from crm_sdk.models import Deal

_WIDEST = 40
_LIKELY, _UNLIKELY = 70, 30


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
        str | None, typer.Option("--pipeline", help="Only deals of the pipeline with this id, in its stages.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="So many cards are drawn in a column.")] = 6,
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

    def figures(self) -> dict[str, Any]:
        """Return the figures of the column, for JSON output."""
        return {"stage": self.stage, "count": len(self.deals), "value": self.value, "weightedValue": self.weighted}


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
    if fits(screen, len(columns)):
        _side_by_side(screen, columns, limit)
    else:
        for column in columns:
            _below(screen, column, limit)
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
        Panel(Group(line((deal.title, "bold")), *_who(deal), _figures(deal)), box=box.ROUNDED, border_style="dim")
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
        for who in _who(deal):
            cards.add_row(line("  ", who))
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
    return line(amount(deal.value), (f"{percent(deal.probability):>5}", style), between="  ")


def _rest(column: Column, limit: int) -> list[Text]:
    left = len(column.deals) - limit
    return [line((f"+ {left} more", "dim"))] if left > 0 else []


def _count(column: Column) -> Text:
    return line(count_of(len(column.deals), "deal"))


def _worth(column: Column) -> list[Text]:
    return [line(amount(column.value)), line((f"weighted {amount(column.weighted)}", "dim"))]
