"""The rule of `leads.sources`: qualification, conversion and won value by source."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from crm_sdk.resources.leads import Leads

from ...data.document import Document
from ...problems import invalid
from ...request.access.permissions import readable
from ...serving import Context, serves
from .. import company, ranges
from .records import was_qualified


@serves(Leads.sources)
def sources(
    call: Context, start_date: date | None, end_date: date | None, period: str | None, owner_id: str | None
) -> dict[str, Any]:
    """Compare the sources of the leads created between two days; without days and period, of all leads."""
    zone, today = company.zone(call), company.today(call)
    leads = call.collection("lead")
    docs = readable(call, "lead", leads.find("owner_id", owner_id) if owner_id is not None else None)
    born = {doc["id"]: doc["created_at"].astimezone(zone).date() for doc in docs}
    start, end = _range(start_date, end_date, period, today, min(born.values(), default=today))
    docs = [doc for doc in docs if start <= born[doc["id"]] <= end]
    groups: dict[str, list[Document]] = {}
    for doc in docs:
        groups.setdefault(doc["source"] or "other", []).append(doc)
    stats = [_stats(call, source, group, len(docs)) for source, group in groups.items()]
    return {
        "total": len(docs),
        "currency": call.tenant["base_currency"],
        "start_date": start,
        "end_date": end,
        "sources": sorted(stats, key=lambda one: (-one["leads"], one["source"])),
    }


def _stats(call: Context, source: str, docs: Sequence[Document], total: int) -> dict[str, Any]:
    converted = [doc for doc in docs if doc["status"] == "converted"]
    qualified = sum(map(was_qualified, docs))
    took = [(doc["converted_at"] - doc["created_at"]) / timedelta(days=1) for doc in converted if doc["converted_at"]]
    won = [
        deal
        for doc in docs
        for deal in readable(call, "deal", call.collection("deal").find("lead_id", doc["id"]))
        if deal["status"] == "won"
    ]
    return {
        "source": source,
        "leads": len(docs),
        "qualified": qualified,
        "converted": len(converted),
        "qualification_rate": round(qualified / len(docs), 4),
        "conversion_rate": round(len(converted) / len(docs), 4),
        "share": round(len(docs) / total, 4),
        "total_value": company.sum_worth(call, docs),
        "won_value": company.sum_worth(call, won),
        "avg_score": round(sum(doc["score"] for doc in docs) / len(docs), 2),
        "avg_days_to_convert": round(sum(took) / len(took), 2) if took else None,
    }


def _range(start: date | None, end: date | None, period: str | None, today: date, first: date) -> tuple[date, date]:
    """Return the first and the last day: a period gives the missing one; alone it is the current period."""
    if period is not None and (start is None or end is None):
        if start is not None:
            end = ranges.later(start, period, 1) - timedelta(days=1)
        elif end is not None:
            start = ranges.later(end + timedelta(days=1), period, -1)
        else:
            start = ranges.beginning(today, period)
            end = ranges.later(start, period, 1) - timedelta(days=1)
    end = end or today
    start = min(first, end) if start is None else start
    if start > end:
        raise invalid("end_date", "min", f"the range ends on {end}, before it starts on {start}")
    return start, end
