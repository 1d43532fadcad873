"""Metrics of leads: those created in a range, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from crm_sdk.resources.analytics import AnalyticsMetrics

from ...data.document import Document
from ...request.access.permissions import readable
from ...serving import Context, Members, serves
from .. import company, ranges
from ..deals.scope import mean, rate
from ..leads.records import was_qualified
from ..leads.responses import responses
from .comparing import Figures, metrics

_UNITS: Mapping[str, str] = {
    "total_leads": "count",
    "new_leads": "count",
    "qualified_leads": "count",
    "converted_leads": "count",
    "conversion_rate": "rate",
    "qualification_rate": "rate",
    "avg_score": "count",
    "avg_response_minutes": "minutes",
    "unassigned_leads": "count",
}
_COUNTED: Mapping[str, Callable[[Document], bool]] = {
    "new_leads": lambda lead: True,
    "qualified_leads": was_qualified,
    "converted_leads": lambda lead: lead["status"] == "converted",
}
_BREAKDOWNS: Mapping[str, str] = {
    "source_breakdown": "source",
    "status_breakdown": "status",
    "rating_breakdown": "rating",
}


@serves(AnalyticsMetrics.leads)
def leads(
    call: Context,
    owner_id: str | None,
    source: str | None,
    compare_to: str,
    start_date: date | None,
    end_date: date | None,
    period: str | None,
) -> dict[str, Any]:
    """Count the leads created in a range and what became of them; compare them with those of another range."""
    whole = ranges.last_year(call, start_date, end_date)
    other, spans = ranges.compared_span(call, whole, compare_to), ranges.periods(call, whole, period or "month")
    is_in = company.owned_by(call, owner_id, None)
    docs = [lead for lead in readable(call, "lead") if is_in(lead["owner_id"]) and source in (None, lead["source"])]
    new = _created_within(docs, whole)
    answered = _first_answers(call)

    parts = ranges.divided_items(spans, new, lambda lead: lead["created_at"])

    def count(test: Callable[[Document], bool]) -> Callable[[ranges.Span], Decimal]:
        return lambda span: Decimal(sum(map(test, parts[span])))

    return {
        **metrics(
            _UNITS,
            _figures(docs, whole, answered),
            _figures(docs, other, answered) if other is not None else None,
        ),
        **{
            name: dict(sorted(Counter(str(lead[member]) for lead in new if lead[member] is not None).items()))
            for name, member in _BREAKDOWNS.items()
        },
        "series": [ranges.series(name, spans, count(test)) for name, test in _COUNTED.items()],
        "start_date": whole.start,
        "end_date": whole.end,
    }


def _created_within(docs: Sequence[Document], span: ranges.Span) -> list[Document]:
    return [doc for doc in docs if span.has(doc["created_at"])]


def _figures(docs: Sequence[Document], span: ranges.Span, answered: Mapping[str, Sequence[datetime]]) -> Figures:
    new = _created_within(docs, span)
    counts = {name: sum(map(test, new)) for name, test in _COUNTED.items()}
    return {
        **counts,
        "total_leads": sum(lead["created_at"] < span.ends_at for lead in docs),
        "conversion_rate": rate(counts["converted_leads"], len(new)),
        "qualification_rate": rate(counts["qualified_leads"], len(new)),
        "avg_score": mean([lead["score"] for lead in new]),
        "avg_response_minutes": mean([minutes for lead in new for minutes in _response(lead, answered)]),
        "unassigned_leads": sum(lead["owner_id"] is None for lead in new),
    }


def _response(lead: Members, answered: Mapping[str, Sequence[datetime]]) -> list[float]:
    """Return after how many minutes a lead was first contacted; nothing where it never was."""
    times = [*answered.get(lead["id"], ()), *([lead["first_response_at"]] if lead.get("first_response_at") else [])]
    waits = [at - lead["created_at"] for at in times if at >= lead["created_at"]]
    return [min(waits) / timedelta(minutes=1)] if waits else []


def _first_answers(call: Context) -> dict[str, list[datetime]]:
    """Return when leads were called or written to, by their ids: outbound calls, e-mails and messages."""
    found: dict[str, list[datetime]] = {}
    for activity in responses(readable(call, "activity"), call.now):
        if activity.get("lead_id"):
            found.setdefault(activity["lead_id"], []).append(activity["occurred_at"])
    for message in call.collection("message"):
        if message["lead_id"] and message["sender_type"] == "user":
            found.setdefault(message["lead_id"], []).append(message["timestamp"])
    return found
