"""``crm dashboard``: the revenue forecast, the action items and the main figures on one page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from ...connection import open_client
from ...failures import complain
from ...settings import Options, settle
from ..drawing import amount, bar, bars, fits, gauge, heading, line, percent, show, spark, title_of
from ..parts import Parts

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

    from crm_sdk import CrmClient
    from crm_sdk.models import ActionItem, AiPerformance, DashboardStats, DashboardSummary, RevenueForecast
    from crm_sdk.models.record import Model

M = TypeVar("M", bound="Model")

_BAR, _GAUGE = 24, 12
_SHOWN = 8
_FORTNIGHT = 14
_URGENCY = {"warning": "red", "opportunity": "green", "suggestion": "yellow"}


def dashboard(options: Options) -> None:
    """Show the dashboard on one page: forecast, action items, and the figures of deals, leads and AI agents.

    A part that the server does not have, or that you have no permission for, is left out.
    """
    settings = settle(options)
    with open_client(settings) as client:
        page = _read(client)
    whole = {
        "forecast": page.forecast,
        "actionItems": page.action_items,
        "summary": page.summary,
        "analytics": page.analytics,
        "aiPerformance": page.ai_performance,
    }
    show(settings.output, whole, [whole], lambda screen: _draw(screen, page))


@dataclass(frozen=True, slots=True)
class Page:
    """The answers of the server; None for a part that it does not have."""

    forecast: RevenueForecast | None
    action_items: Sequence[ActionItem] | None
    summary: DashboardSummary | None
    analytics: DashboardStats | None
    ai_performance: AiPerformance | None


def _read(client: CrmClient) -> Page:
    parts = Parts()
    page = Page(
        parts.read(client.dashboard.forecast),
        parts.read(lambda: list(client.dashboard.action_items.list())),
        parts.read(client.dashboard.summary),
        parts.read(client.analytics.dashboard),
        parts.read(client.analytics.ai_performance),
    )
    parts.say_missing()
    return page


def _draw(screen: Console, page: Page) -> None:
    parts: list[list[RenderableType]] = []

    def part(answer: M | None, drawn: Callable[[M], list[RenderableType]]) -> None:
        if answer is None:
            return
        if answer.mismatches:
            complain(f"note: {type(answer).__name__} deviates from its document: --output json shows it")
        else:
            parts.append(drawn(answer))

    part(page.forecast, _forecast)
    part(page.summary, _summary)
    part(page.analytics, _leads)
    part(page.ai_performance, _agents)
    _blocks(screen, parts)
    if page.action_items is not None:
        for drawn in _action_items([item for item in page.action_items if not item.mismatches]):
            screen.print(drawn)


def _blocks(screen: Console, parts: Sequence[Sequence[RenderableType]]) -> None:
    """Draw parts in two columns, or below one another on a narrow screen."""
    from rich.console import Group
    from rich.table import Table

    across = 2 if fits(screen, 2) else 1
    for n in range(0, len(parts), across):
        grid = Table.grid(padding=(0, 3, 0, 0))
        for _ in range(across):
            grid.add_column(width=screen.width // across - 3)
        grid.add_row(*(Group(*part) for part in parts[n : n + across]))
        screen.print(grid)
        screen.print()


def _forecast(forecast: RevenueForecast) -> list[RenderableType]:
    about = line(
        (amount(forecast.revenue), "bold"), "expected", (f"{forecast.confidence} confidence", "dim"), between="  "
    )
    most = max((share.amount for share in forecast.breakdown), default=Decimal()) or Decimal(1)
    table = _figures("", "", ">value", ">likely")
    for share in forecast.breakdown:
        drawn = gauge(share.probability / 100, round(float(share.amount / most) * _BAR) or 1)
        table.add_row(line(title_of(share.source)), drawn, amount(share.amount), percent(share.probability))
    return [heading(f"Forecast {forecast.period}"), about, table]


def _summary(summary: DashboardSummary) -> list[RenderableType]:
    table = _figures("", ">")
    table.add_row("Open deals are worth", line((amount(summary.total_deals_value), "bold")))
    table.add_row("Deals likely to be won", str(summary.high_probability_deals))
    table.add_row("Contacts at risk", line((str(summary.at_risk_contacts), "red" if summary.at_risk_contacts else "")))
    drawn: list[RenderableType] = [heading("How things stand"), table]
    months = _value_by_month(summary)
    if months:
        first, last = min(months), max(months)
        drawn.append(
            line(
                "The best deals close",
                f"{first:%b %Y}",
                (spark([float(value) for value in months.values()]), "green"),
                f"{last:%b %Y}" if last > first else None,
                between=" ",
            )
        )
    deals = _figures(">", ">", "", ">")
    for deal in summary.deals[:5]:
        close = f"{deal.expected_close_date:%d %b}" if deal.expected_close_date else ""
        deals.add_row(amount(deal.value), percent(deal.probability), deal.title, line((close, "dim")))
    if summary.deals:
        drawn.append(deals)
    return drawn


def _value_by_month(summary: DashboardSummary) -> dict[date, Decimal]:
    """Return the value of the best deals by the month of their expected close, for a year from the first month."""
    worth: dict[date, Decimal] = {}
    for deal in summary.deals:
        if deal.expected_close_date is not None:
            month = deal.expected_close_date.replace(day=1)
            worth[month] = worth.get(month, Decimal()) + deal.value
    first, last = min(worth, default=date.min), max(worth, default=date.min)
    count = (last.year - first.year) * 12 + last.month - first.month + 1 if worth else 0
    months = [
        date(first.year + (first.month + n - 1) // 12, (first.month + n - 1) % 12 + 1, 1) for n in range(min(count, 12))
    ]
    return {month: worth.get(month, Decimal()) for month in months}


def _leads(stats: DashboardStats) -> list[RenderableType]:
    now, trends = stats.summary, stats.trends
    table = _figures("", ">", "")
    rate = now.conversion_rate
    table.add_row(
        "Leads",
        f"{now.total_leads:,}",
        line(f"{trends.leads_this_month:,} new", _growth(trends.leads_growth), between="  "),
    )
    table.add_row("Qualified", f"{now.qualified_leads:,}", line(gauge(rate, _GAUGE), percent(rate * 100), between=" "))
    revenue = line(f"{amount(trends.revenue_this_month)} new", _growth(trends.revenue_growth), between="  ")
    table.add_row("Revenue", amount(now.total_revenue), revenue)
    table.add_row("A deal brings", amount(now.avg_deal_size), "")
    shares = bars(stats.source_breakdown, _BAR, percent)
    return [heading("Leads and revenue", "new: this month, against the one before"), table, *shares[:_SHOWN]]


def _growth(share: float) -> Text:
    sign, style = ("▲", "green") if share > 0 else ("▼", "red") if share < 0 else ("=", "dim")
    return line((f"{sign} {abs(share) * 100:,.0f} %", style))


def _agents(performance: AiPerformance) -> list[RenderableType]:
    overall = performance.overall
    about = line(
        "settled by agents", gauge(overall.automation_rate, _GAUGE), percent(overall.automation_rate * 100), between=" "
    )
    money = line(f"cost {amount(overall.total_cost)}", f"saved {amount(overall.total_savings)}", between="  ")
    table = _figures("", "", ">talks", ">well", ">each")
    most = max((agent.metrics.total_interactions for agent in performance.agents), default=0) or 1
    for agent in performance.agents[:_SHOWN]:
        did = agent.metrics
        table.add_row(
            line(agent.name),
            line((bar(did.total_interactions / most, _GAUGE), "cyan")),
            f"{did.total_interactions:,}",
            percent(100 * did.successful_interactions / did.total_interactions if did.total_interactions else None),
            f"{did.cost_per_interaction:,.2f}",
        )
    return [heading("AI agents"), about, money, table]


def _action_items(items: Sequence[ActionItem]) -> list[RenderableType]:
    from rich.table import Table

    today = datetime.now(UTC).date()
    days = Counter((today - item.timestamp.astimezone(UTC).date()).days for item in items)
    recent = spark([days[n] for n in reversed(range(_FORTNIGHT))])
    table = Table.grid(padding=(0, 2, 0, 0))
    for item in items[:_SHOWN]:
        table.add_row(
            line("  ", (item.type, _URGENCY.get(item.type, ""))),
            line(item.title),
            line((f"{item.timestamp.astimezone():%d %b}", "dim")),
            line((item.id, "dim")),
        )
    drawn: list[RenderableType] = [
        line(heading("Action items", str(len(items))), (recent, "yellow"), ("in the last 14 days", "dim"), between="  ")
    ]
    drawn.append(table if items else line(("  nothing wants doing", "dim")))
    if len(items) > _SHOWN:
        drawn.append(line((f"  + {len(items) - _SHOWN} more: crm dashboard action-items list", "dim")))
    return drawn


def _figures(*headers: str) -> Table:
    """Return a table with these headers; a column whose header begins with ``>`` is right-aligned."""
    from rich.table import Table

    titles = [header.removeprefix(">") for header in headers]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_header=any(titles))
    for header, title in zip(headers, titles, strict=True):
        table.add_column(title, justify="right" if header != title else "left", no_wrap=header != title)
    return table
