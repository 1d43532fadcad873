"""The rules of the AI services about whole records: the risk of losing a contact, and what is worth knowing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from crm_sdk.resources.ai import Ai
from crm_sdk.wire import snake

from ...data.document import Document
from ...problems import invalid
from ...serving import Context, Members, serves
from .. import sentiment
from ..contacts import health as health
from ..contacts.insights import insights_of
from ..deals import figures as deal_figures
from ..deals import insights as insights_of_deals

_START = 25  # the churn risk of somebody of whom nothing is known
_ADVICE: Sequence[tuple[str, str]] = (
    ("talk of leaving", "Offer a review with the account's owner before they decide"),
    ("never contacted", "Introduce yourself and ask what they need"),
    ("last contact", "Get in touch this week"),
    ("tone of late", "Call and settle what went wrong"),
    ("tone is getting worse", "Ask openly what has changed"),
    ("lost deals", "Find out why the deals were lost"),
    ("follow-up is overdue", "Do the follow-up today"),
    ("is low", "Show what they do not use yet"),
    ("support", "Have the open support cases looked through"),
)
"""What to do, by what is in a risk factor's label."""


# -- churn risk --------------------------------------------------------------------------------------------------------


@serves(Ai.churn_risk)
def churn_risk(
    call: Context,
    contact_id: str | None,
    communication_history: Sequence[Members] | None,
    deal_history: Sequence[Members] | None,
    engagement_metrics: Members | None,
) -> dict[str, Any]:
    """Weigh how likely a contact is lost; what is not given is taken from the contact's own records."""
    if contact_id is None and communication_history is None and deal_history is None and engagement_metrics is None:
        raise invalid("contact_id", "required", "give a contact, or a history to judge by")
    stored = call.reference("contact", contact_id, "contact_id")
    doc = dict(stored or {"created_at": call.now})
    if communication_history is not None:
        talks = _talks(communication_history, call.now)
        doc |= {"last_contact": talks[0]["date"] if talks else None}
    else:
        talks = health.communications_of(call, doc["id"]) if stored is not None else []
    if deal_history is not None:
        deals: Sequence[Members] = [{"status": _deal_status(deal)} for deal in deal_history]
    else:
        deals = health.deals_of(call, doc["id"]) if stored is not None else []
    factors = [*health.churn_factors(doc, talks, deals, call.now), *_engagement(engagement_metrics or {})]
    against = sorted((factor for factor in factors if factor.points > 0), key=lambda factor: -factor.points)
    advice = [text for factor in against for words, text in _ADVICE if words in factor.label]
    return {
        "churn_risk": max(0, min(100, _START + sum(factor.points for factor in factors))),
        "risk_factors": [factor.label[:1].upper() + factor.label[1:] for factor in against],
        "recommendations": list(dict.fromkeys(advice)) or ["Keep in touch as before"],
    }


def _talks(history: Sequence[Members], now: datetime) -> list[dict[str, Any]]:
    """Read a communication history as it was given; an entry without a date counts as of today."""
    talks: list[dict[str, Any]] = []
    for number, entry in enumerate(history):
        known = {snake(name): value for name, value in entry.items()}
        given = next(
            (known[name] for name in ("date", "timestamp", "occurred_at", "created_at") if known.get(name)), now
        )
        try:
            date = TypeAdapter(AwareDatetime).validate_python(given)
        except ValidationError:
            raise invalid(f"communication_history.{number}.date", "format", f"{given!r} is no instant") from None
        texts = (known.get(name) for name in ("summary", "content", "description", "text", "body"))
        summary = str(next((text for text in texts if text), ""))
        talks.append(
            {
                "id": known.get("id") or str(number),
                "type": known.get("type") or "note",
                "date": date,
                "subject": known.get("subject"),
                "summary": summary,
                "sentiment": known.get("sentiment") or sentiment.tone(summary).sentiment,
            }
        )
    return sorted(talks, key=lambda talk: talk["date"], reverse=True)


def _deal_status(deal: Members) -> str:
    told = str(deal.get("status") or deal.get("stage") or "open").casefold()
    return next((status for status in ("won", "lost") if told.endswith(status)), "open")


def _engagement(metrics: Members) -> Iterator[health.Factor]:
    """Weigh what is measured: shares (0..1 or per cent), and counts of support cases."""
    for name, value in metrics.items():
        label = snake(name).replace("_", " ")
        if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
            continue
        if label.endswith(("rate", "usage", "adoption", "score", "engagement")):
            share = float(value) / (100 if value > 1 else 1)
            if share < 0.25:
                yield health.Factor(12, f"{label} is low")
            elif share >= 0.6:
                yield health.Factor(-8, f"{label} is high")
        elif ("ticket" in label or "complaint" in label or "case" in label) and value > 0:
            yield health.Factor(min(int(value), 5) * 4, f"{int(value)} open support cases")


# -- insights ----------------------------------------------------------------------------------------------------------


@serves(Ai.generate_insights)
def generate_insights(
    call: Context, entity_type: str, entity_id: str, context: Members | None
) -> list[Mapping[str, Any]]:
    """Return what is worth knowing about a contact or a deal.

    `context` may narrow it: ``focus`` names a type of insight, ``minConfidence`` says how sure it must be, ``limit``
    how many there shall be.
    """
    if entity_type not in ("contact", "deal"):
        raise invalid(
            "entity_type", "choice", f"{entity_type!r} is neither contact nor deal", choices=["contact", "deal"]
        )
    doc = call.reference(entity_type, entity_id, "entity_id")
    assert doc is not None  # an id was given
    found: Sequence[Mapping[str, Any]] = (
        insights_of(call, doc) if entity_type == "contact" else deal_insights(call, doc)
    )
    known = {snake(name): value for name, value in (context or {}).items()}
    focus, least, limit = known.get("focus"), known.get("min_confidence"), known.get("limit")
    if isinstance(focus, str) and focus:
        found = [insight for insight in found if insight["type"] == focus]
    if isinstance(least, (int, float)):
        found = [insight for insight in found if insight["confidence"] >= least]
    return list(found[:limit] if isinstance(limit, int) and limit >= 0 else found)


def deal_insights(call: Context, deal: Document) -> list[dict[str, Any]]:
    """Return what is worth knowing about a deal, in the words of an `AIInsight`: it knows no competitors, but risks."""
    return [
        {**insight, "type": "risk" if insight["type"] == "competitor" else insight["type"]}
        for insight in insights_of_deals.insights(call, deal_figures.with_current_figures(call, deal))
    ]
