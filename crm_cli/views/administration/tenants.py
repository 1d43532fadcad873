"""``crm tenants overview``: a company, what it pays, what it has of its limits, and its calls by day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...connection import open_client
from ...settings import Options, settle
from ..drawing import amount, count_of, gauge, heading, line, show, spark, title_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from crm_sdk.models import Billing, Tenant, TenantLimits, TenantUsage, UsageLimit

_WIDTH = 20


def overview(
    options: Options,
    id: Annotated[str, typer.Argument(metavar="ID", help="Of a company that yours manages.")] = "current",
) -> None:
    """Show a company: its plan and what it pays, how much of each limit is used, and its calls of the month."""
    settings = settle(options)
    with open_client(settings) as client:
        tenants = client.tenants
        tenant, billing, limits = tenants.get(id), tenants.billing.get(id), tenants.limits.get(id)
        usage = tenants.usage(id)
    whole: dict[str, Any] = {"tenant": tenant, "billing": billing, "limits": limits.limits, "usage": usage}
    show(settings.output, whole, limits.limits, lambda screen: _draw(screen, tenant, billing, limits, usage))


def _draw(screen: Console, tenant: Tenant, billing: Billing, limits: TenantLimits, usage: TenantUsage) -> None:
    for text in _head(tenant, billing):
        screen.print(text)
    screen.print()
    screen.print(heading("Limits"))
    longest = max((len(title_of(one.key)) for one in limits.limits), default=0)
    for one in limits.limits:
        screen.print(_limit(one, longest))
    calls = [float(point.value) for point in usage.api_calls]
    screen.print()
    screen.print(heading("Calls", f"{usage.period_start} to {usage.period_end}"))
    screen.print(line((spark(calls), "cyan"), count_of(int(sum(calls)), "call"), between="  "))


def _head(tenant: Tenant, billing: Billing) -> Iterator[Text]:
    yield line((tenant.name, "bold"), tenant.slug, (str(tenant.status), "dim"), between="  ")
    paid = f"{amount(billing.amount)} {billing.currency} {billing.cycle}"
    seats = count_of(billing.seats, "seat")
    late = (title_of(str(billing.status)), "bold red") if billing.status == "past_due" else None
    yield line(title_of(str(billing.plan)), seats, paid, late, between="  ")
    if billing.cancels_at is not None:
        yield line((f"Free from {billing.cancels_at:%Y-%m-%d}", "yellow"))


def _limit(one: UsageLimit, longest: int) -> Text:
    name = title_of(one.key).ljust(longest)
    if one.limit is None:
        return line(name, " " * _WIDTH, f"{one.used:,}", ("no limit", "dim"), between="  ")
    share = one.used / one.limit if one.limit else float(one.used > 0)
    return line(name, gauge(share, _WIDTH), f"{one.used:,} of {one.limit:,}", between="  ")
