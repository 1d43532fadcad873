"""Recurring work for contacts: health and churn risk daily, insights of contacts and deals hourly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ...data.document import Document
from ...serving import Context
from ...timetable import Idleness, apart, recurs
from ..ai.insights import deal_insights
from ..notifications import notify
from . import health as health
from .insights import insights_of, turning_points
from .talks import communications_of, documents_of

_EVER, _NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_TOLD_OF = frozenset({"risk", "opportunity", "competitor"})
"""The types of new insights of which an owner is notified."""
_FROM = 75
"""The least confidence of such an insight."""


@recurs("contact health", every=_DAY)
def refresh_health(call: Context) -> None:
    """Recompute the health of every contact, which silence reduces."""
    deals = _deals_by_contact(call)
    for doc in call.collection("contact").all():
        with apart(call, doc):
            talks, mine = communications_of(call, doc["id"]), deals.get(doc["id"], ())
            health.store_computed(call, doc, health.but_churn_risk(doc, talks, mine, call.now, call.tenant))


@recurs("contact churn risk", every=_DAY)
def refresh_churn_risk(call: Context) -> None:
    """Recompute the churn risk of every contact, and notify the owners of those that are newly at risk."""
    deals = _deals_by_contact(call)
    for doc in call.collection("contact").all():
        with apart(call, doc):
            talks = communications_of(call, doc["id"])
            risk = health.churn_risk(doc, talks, deals.get(doc["id"], ()), call.now)
            new = health.store_computed(call, doc, {"churn_risk": risk})
            if health.is_at_risk(new) and not health.is_at_risk(doc) and new.get("owner_id"):
                notify(
                    call,
                    new["owner_id"],
                    "at_risk_alert",
                    f"{new['name']} is at risk",
                    f"The churn risk of {new['name']} has risen to {new['churn_risk']} %.",
                    priority="high",
                    about=("contact", new["id"]),
                    data={"contactName": new["name"], "churnRisk": new["churn_risk"]},
                    expires_at=call.now + timedelta(days=30),
                )


def _deals_by_contact(call: Context) -> Mapping[str, Sequence[Document]]:
    """Return the deals that each contact takes part in, in whatever role."""
    found: dict[str, dict[str, Document]] = {}
    for deal in call.collection("deal"):
        roles = deal.get("contact_roles") or ()
        for contact_id in (deal.get("contact_id"), *(role["contact_id"] for role in roles)):
            found.setdefault(contact_id or "", {})[deal["id"]] = deal
    return {contact_id: list(deals.values()) for contact_id, deals in found.items()}


def _has_no_news(call: Context) -> bool:
    return next(_news(call), None) is None


_UNSEEN = frozenset({
    "audit", "backup", "backup_schedule", "change", "event", "export_schedule", "file", "file_version", "insight",
    "integration", "job", "keyword", "mention", "notification", "retention", "social_feed",
})  # fmt: skip
"""What insights do not depend on. An insight that was told is no news, which is what a run leaves behind."""


@recurs("insights", every=_HOUR, idleness=Idleness(_has_no_news, but=_UNSEEN))
def generate_insights(call: Context) -> None:
    """Store the insights about contacts and open deals, and notify the owners of new ones."""
    for kind, doc, insight in _news(call):
        with apart(call, insight):
            call.collection("insight").put(
                Document(insight, entity_type=kind, entity_id=doc["id"], created_at=call.now)
            )
            fresh = insight["date"] > call.now - _HOUR
            if fresh and insight["type"] in _TOLD_OF and insight["confidence"] >= _FROM and doc.get("owner_id"):
                name = doc.get("name") or doc.get("title")
                notify(
                    call,
                    doc["owner_id"],
                    "ai_insight",
                    f"{insight['title']}: {name}",
                    insight["description"],
                    about=(kind, doc["id"]),
                    data={"insightId": insight["id"], "confidence": insight["confidence"]},
                    expires_at=call.now + timedelta(days=14),
                )


def _news(call: Context) -> Iterator[tuple[str, Document, Mapping[str, Any]]]:
    """Yield the new insights, each with the kind of its record and the record."""
    known = call.collection("insight")
    deals = _deals_by_contact(call)
    for contact in call.collection("contact").all():
        for insight in _insights_unless_known(call, contact, deals.get(contact["id"], ())):
            if insight["id"] not in known:
                yield "contact", contact, insight
    for deal in call.collection("deal").find("status", "open"):
        for insight in deal_insights(call, deal):
            if insight["id"] not in known:
                yield "deal", deal, insight


@dataclass(slots=True)
class _Look:
    """Which insights about a contact there are from one time to another, while nothing is written of it."""

    said: Sequence[Document]
    deals: Sequence[Document]
    since: datetime
    until: datetime
    ids: frozenset[str]


def _looks(contact: Document) -> list[_Look]:
    """Return where the last look at a version of a contact is kept; none was taken yet."""
    return []


def _insights_unless_known(call: Context, contact: Document, deals: Sequence[Document]) -> Sequence[Mapping[str, Any]]:
    """Return the insights about a contact; none where those of the last look are the same still, and stored all."""
    known, said, kept = call.collection("insight"), documents_of(call.collection, contact["id"]), contact.derive(_looks)
    look = kept[0] if kept else None
    is_same = look is not None and look.since <= call.now < look.until and (look.said, look.deals) == (said, deals)
    if look is not None and is_same and all(id in known for id in look.ids):
        return ()
    found = insights_of(call, contact, deals=deals)
    if not is_same:
        times = list(turning_points(contact, said))
        since = max((time for time in times if time <= call.now), default=_EVER)
        until = min((time for time in times if time > call.now), default=_NEVER)
        kept[:] = [_Look(said, deals, since, until, frozenset(insight["id"] for insight in found))]
    return found
