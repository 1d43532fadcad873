"""The rule of `ai.churn_risk`: the risk that a contact is lost, with factors and recommendations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from crm_sdk.resources.ai import Ai
from crm_sdk.wire import snake

from ...problems import invalid
from ...serving import Context, Members, serves
from .. import sentiment
from ..contacts import health as health
from ..contacts.talks import communications_of

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
"""Recommendations, by a text in the label of a risk factor."""


@serves(Ai.churn_risk)
def churn_risk(
    call: Context,
    contact_id: str | None,
    communication_history: Sequence[Members] | None,
    deal_history: Sequence[Members] | None,
    engagement_metrics: Members | None,
) -> dict[str, Any]:
    """Return the churn risk of a contact; arguments that are left out are taken from the contact's records."""
    if contact_id is None and communication_history is None and deal_history is None and engagement_metrics is None:
        raise invalid("contact_id", "required", "give a contact, or a history to judge by")
    stored = call.reference("contact", contact_id, "contact_id")
    doc = dict(stored or {"created_at": call.now})
    if communication_history is not None:
        talks: Sequence[Members] = _talks(communication_history, call.now)
        doc |= {"last_contact": talks[0]["date"] if talks else None}
    else:
        talks = communications_of(call, doc["id"]) if stored is not None else []
    if deal_history is not None:
        deals: Sequence[Members] = [{"status": _deal_status(deal)} for deal in deal_history]
    else:
        deals = health.deals_of(call, doc["id"]) if stored is not None else []
    factors = [*health.churn_factors(doc, talks, deals, call.now), *_engagement(engagement_metrics or {})]
    return {
        "churn_risk": max(0, min(100, health.CHURN_START + sum(factor.points for factor in factors))),
        **texts_of(factors),
    }


def texts_of(factors: Iterable[health.Factor]) -> dict[str, list[str]]:
    """Return the risk factors among factors, the largest first, and what to do about them."""
    against = sorted((factor for factor in factors if factor.points > 0), key=lambda factor: -factor.points)
    advice = [text for factor in against for words, text in _ADVICE if words in factor.label]
    return {
        "risk_factors": [factor.label[:1].upper() + factor.label[1:] for factor in against],
        "recommendations": list(dict.fromkeys(advice)) or ["Keep in touch as before"],
    }


def _talks(history: Sequence[Members], now: datetime) -> list[dict[str, Any]]:
    """Read a given communication history; an entry without a date counts as one of today."""
    talks: list[dict[str, Any]] = []
    for number, entry in enumerate(history):
        known = {snake(name): value for name, value in entry.items()}
        given = next(
            (known[name] for name in ("date", "timestamp", "occurred_at", "created_at") if known.get(name)), now
        )
        try:
            date = TypeAdapter(AwareDatetime).validate_python(given)
        except ValidationError:
            raise invalid(f"communication_history.{number}.date", "format", f"{given!r} is not an instant") from None
        texts = (known.get(name) for name in ("summary", "content", "description", "text", "body"))
        summary = str(next((text for text in texts if text), ""))
        talks.append(
            {
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
    """Yield the factors of engagement metrics: shares (0..1 or per cent), and numbers of support cases."""
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
