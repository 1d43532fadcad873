"""Recommendations: occasions that are stored when they are first listed, so that feedback finds them later.

What they say follows the data; their ids, times and feedback stay. Feedback moves the confidence of others of the same
name to the same owner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any, TypeAlias

from crm_sdk.models.ai_recommendations import Recommendation
from crm_sdk.resources.ai_insights import Recommendations

from ...data.blanks import blank
from ...data.document import Document
from ...data.queries.query import sort_documents
from ...problems import Problem
from ...request.access import permissions
from ...serving import Context, RecordType, serves
from .occasions import Occasion, next_actions
from .offers import cross_sell, upsell

RECOMMENDATIONS = RecordType("recommendation", Recommendation)
_KIND = "recommendation"
_VALID: Mapping[str, timedelta] = {"next_action": timedelta(days=7)}
_VALID_OFFER = timedelta(days=30)
_DISMISSED = timedelta(days=30)
"""So long what was dismissed is not recommended again for the same record."""
_PRIORITIES = ("high", "medium", "low")
_GOOD, _BAD = frozenset({"accepted", "helpful", "done"}), frozenset({"dismissed", "not_helpful"})
_MOST = 30
"""So much at most feedback moves the confidence."""
Tally: TypeAlias = Mapping[tuple[str | None, str], int]


@serves(Recommendations.next_actions)
def list_next_actions(
    call: Context,
    entity_type: str | None,
    entity_id: str | None,
    owner_id: str | None,
    priority: str | None,
    sort: str | None,
    order: str | None,
) -> list[Document]:
    """List what to do next."""
    asked = {"entity_type": entity_type, "owner_id": owner_id, "priority": priority}
    wanted = {name: value for name, value in asked.items() if value is not None}
    found = [
        occasion
        for occasion in next_actions(call)
        if entity_id in (None, occasion.entity["id"])
        and all(getattr(occasion, name) == value for name, value in wanted.items())
    ]
    return _in_order(_recommend(call, found), sort, order)


@serves(Recommendations.cross_sell)
def list_cross_sell(
    call: Context,
    account_id: str | None,
    contact_id: str | None,
    min_confidence: int,
    sort: str | None,
    order: str | None,
) -> list[Document]:
    """List what to offer to accounts that have not bought it."""
    found = _recommend(
        call, cross_sell(call, account) if (account := _account(call, account_id, contact_id)) != "" else ()
    )
    return _in_order([doc for doc in found if doc["confidence"] >= min_confidence], sort, order)


@serves(Recommendations.upsell)
def list_upsell(
    call: Context,
    account_id: str | None,
    contact_id: str | None,
    min_confidence: int,
    sort: str | None,
    order: str | None,
) -> list[Document]:
    """List what to offer more of."""
    found = _recommend(call, upsell(call, account) if (account := _account(call, account_id, contact_id)) != "" else ())
    return _in_order([doc for doc in found if doc["confidence"] >= min_confidence], sort, order)


def _account(call: Context, account_id: str | None, contact_id: str | None) -> str | None:
    """Return the id of the account that is asked for, also by a contact; an empty id where there is none."""
    account = call.find_one("account", account_id) if account_id is not None else None
    found = account["id"] if account is not None else "" if account_id is not None else None
    if contact_id is None:
        return found
    contact = call.find_one("contact", contact_id)
    theirs = (contact["account_id"] if contact is not None else None) or ""
    return theirs if found in (None, theirs) else ""


def _in_order(docs: list[Document], sort: str | None, order: str | None) -> list[Document]:
    """Sort by a member, by default by priority, then by what is expected times the confidence."""
    if sort is not None:
        return sort_documents(docs, sort, order, ())

    def place(doc: Document) -> tuple[Any, ...]:
        expected = Decimal(doc["expected_value"] or 0) * doc["confidence"]
        return _PRIORITIES.index(doc["priority"]), -expected, -doc["confidence"], doc["due_at"], doc["id"]

    found = sorted(docs, key=place)
    return found[::-1] if order == "desc" else found


# -- from occasions to recommendations ---------------------------------------------------------------------------------


def _recommend(call: Context, occasions: Iterable[Occasion]) -> list[Document]:
    """Return the recommendations for occasions, without those that are done or dismissed; new ones are stored."""
    tally = _tally(call)
    found: list[Document] = []
    for occasion in occasions:
        known = _find_stored(call, occasion)
        if known is None:
            known = _store(call, occasion, tally)
        elif known["status"] in ("done", "dismissed"):
            continue
        found.append(known.with_members(_content(call, occasion, tally, known["created_at"])))
    return found


def _find_stored(call: Context, occasion: Occasion) -> Document | None:
    """Return what was recommended on an occasion and is still valid, or was dismissed of late; None for nothing."""
    for doc in call.collection(_KIND).find("topic", occasion.topic):
        if doc["status"] == "dismissed" and call.now < doc["feedback"]["given_at"] + _DISMISSED:
            return doc
        if doc["key"] == occasion.key and doc["status"] != "dismissed" and call.now < doc["expires_at"]:
            return doc
    return None


def _store(call: Context, occasion: Occasion, tally: Tally) -> Document:
    """Store a new recommendation. Its id follows from the occasion and the time."""
    digest = blake2b(f"{occasion.key}/{call.now.isoformat()}".encode(), digest_size=8).hexdigest()
    members = {
        **blank(Recommendation),
        **_content(call, occasion, tally, call.now),
        "id": f"rec_{digest}",
        "created_at": call.now,
        "updated_at": call.now,
        "expires_at": call.now + _VALID.get(occasion.kind, _VALID_OFFER),
        "name": occasion.name,
        "topic": occasion.topic,
        "key": occasion.key,
    }
    return call.collection(_KIND).put(Document(members))


def _content(call: Context, occasion: Occasion, tally: Tally, created_at: datetime) -> dict[str, Any]:
    """Return what a recommendation says at present."""
    entity = occasion.entity
    shift = tally.get((occasion.owner_id, occasion.name), 0)
    confidence = min(max(occasion.confidence + shift, 0), 100)
    reasons = [
        {"feature": occasion.name, "label": occasion.why, "value": occasion.value, "points": occasion.confidence}
    ]
    if confidence != occasion.confidence:
        points = confidence - occasion.confidence
        reasons.append({"feature": "feedback", "label": "What came of others like it", "value": None, "points": points})
    return {
        "kind": occasion.kind,
        "title": occasion.title,
        "description": occasion.description,
        "action": occasion.action,
        "entity": {"type": occasion.entity_type, "id": entity["id"], "name": entity.get("name") or entity.get("title")},
        "owner_id": occasion.owner_id,
        "product": occasion.product,
        "expected_value": occasion.expected,
        "currency": call.tenant["base_currency"],
        "confidence": confidence,
        "priority": occasion.priority,
        "reasons": reasons,
        "due_at": created_at + occasion.due if isinstance(occasion.due, timedelta) else occasion.due,
    }


# -- feedback ----------------------------------------------------------------------------------------------------------


def _tally(call: Context) -> Tally:
    """Return by how much feedback moves the confidence of recommendations, by owner and name."""
    counts: dict[tuple[str | None, str], list[int]] = {}
    for doc in call.collection(_KIND):
        rating = doc["feedback"] and doc["feedback"]["rating"]
        if rating is not None:
            good, bad = counts.setdefault((doc["owner_id"], doc["name"]), [0, 0])
            counts[doc["owner_id"], doc["name"]] = [good + (rating in _GOOD), bad + (rating in _BAD)]
    return {key: round(_MOST * (good - bad) / (good + bad + 2)) for key, (good, bad) in counts.items()}


@serves(Recommendations.feedback)
def feedback(
    call: Context, recommendation_id: str, rating: str, reason: str | None, outcome_value: Decimal | None
) -> Document:
    """Store what became of a recommendation."""
    doc = call.reference(_KIND, recommendation_id, "recommendation_id")
    assert doc is not None  # an id was given
    permissions.check(call.caller, "ai_insights", "update", doc)
    if doc["expires_at"] <= call.now:
        message = f"the recommendation expired at {doc['expires_at']:%Y-%m-%d %H:%M} UTC"
        raise Problem("RECOMMENDATION_EXPIRED", message, details={"expires_at": doc["expires_at"]})
    given = {"rating": rating, "reason": reason, "outcome_value": outcome_value}
    if doc["feedback"] is not None and all(doc["feedback"][name] == value for name, value in given.items()):
        return doc
    by = {"given_by": call.caller.user_id or call.caller.actor_id, "given_at": call.now}
    new = call.update(_KIND, doc, {"status": _status(doc, rating), "feedback": given | by})
    call.emit("recommendation.feedback", _KIND, new, metadata=given)
    return new


def _status(doc: Document, rating: str) -> str:
    """Return the status after a rating: what was dismissed is open again where it is rated otherwise."""
    if rating in ("accepted", "dismissed", "done"):
        return rating
    return "open" if doc["status"] == "dismissed" else str(doc["status"])
