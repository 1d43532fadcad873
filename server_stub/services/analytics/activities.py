"""Metrics of activities: what was done in a range, by kind and by owner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from crm_sdk.models.activities import ACTIVITY_MODELS
from crm_sdk.resources.analytics import AnalyticsMetrics

from ...data.document import Document
from ...request.access.callers import has_permission
from ...request.access.permissions import readable
from ...serving import Context, Members, serves
from .. import company, ranges
from ..activities.kinds import is_overdue
from ..deals.scope import rate
from .comparing import Figures, metrics

_SENT = frozenset({"sent", "delivered", "bounced"})
_NOT_MADE = frozenset({"queued", "cancelled"})
"""The statuses of calls that did not take place."""
_DONE_KINDS = frozenset({"task", "event", "call"})
_UNITS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "total", "completed", "overdue_tasks", "meetings_held", "no_shows", "calls_made", "calls_connected",
            "emails_sent", "emails_received",
        ),
        "count",
    ),
    **dict.fromkeys(("email_open_rate", "email_click_rate", "email_reply_rate"), "rate"),
}  # fmt: skip


@serves(AnalyticsMetrics.activities)
def activities(
    call: Context,
    owner_id: str | None,
    team_id: str | None,
    kind: str | None,
    compare_to: str,
    start_date: date | None,
    end_date: date | None,
    period: str | None,
) -> dict[str, Any]:
    """Count the activities of a range by what they are; compare them with those of another range."""
    whole = ranges.last_year(call, start_date, end_date)
    other, spans = ranges.compared_span(call, whole, compare_to), ranges.periods(call, whole, period or "month")
    is_in = company.owned_by(call, owner_id, team_id)
    docs = [doc for doc in readable(call, "activity") if kind in (None, doc["kind"]) and is_in(doc.get("owner_id"))]
    answered = _answered_emails(call)
    mine = _within(docs, whole)
    kinds = Counter(doc["kind"] for doc in mine)

    parts = ranges.divided_items(spans, mine, lambda doc: doc["occurred_at"])

    def count(test: Callable[[Members], bool]) -> Callable[[ranges.Span], Decimal]:
        return lambda span: Decimal(sum(map(test, parts[span])))

    return {
        **metrics(
            _UNITS,
            _figures(call, mine, answered),
            _figures(call, _within(docs, other), answered) if other is not None else None,
        ),
        "by_kind": {name: kinds[name] for name in ACTIVITY_MODELS},
        "by_owner": _by_owner(call, mine, is_in),
        "series": [
            ranges.series("total", spans, count(lambda doc: True)),
            ranges.series("completed", spans, count(_is_completed)),
        ],
    }


def _within(docs: Sequence[Document], span: ranges.Span) -> list[Document]:
    return [doc for doc in docs if span.has(doc["occurred_at"])]


def _figures(call: Context, docs: Sequence[Members], answered: frozenset[str]) -> Figures:
    made = [
        doc
        for doc in docs
        if doc["kind"] == "call" and doc["direction"] == "outbound" and doc["status"] not in _NOT_MADE
    ]
    sent = [doc for doc in docs if doc["kind"] == "email" and doc["direction"] == "outbound" and doc["status"] in _SENT]
    return {
        "total": len(docs),
        "completed": sum(map(_is_completed, docs)),
        "overdue_tasks": sum(is_overdue(doc, call.now) for doc in docs),
        "meetings_held": sum(_is_meeting(doc) and doc["status"] == "completed" for doc in docs),
        "no_shows": sum(doc["kind"] == "event" and doc["status"] == "no-show" for doc in docs),
        "calls_made": len(made),
        "calls_connected": sum(doc["outcome"] == "connected" for doc in made),
        "emails_sent": len(sent),
        "emails_received": sum(doc["kind"] == "email" and doc["direction"] == "inbound" for doc in docs),
        "email_open_rate": rate(sum(_is_tracked(doc, "opens") for doc in sent), len(sent)),
        "email_click_rate": rate(sum(_is_tracked(doc, "clicks") for doc in sent), len(sent)),
        "email_reply_rate": rate(sum(doc["id"] in answered for doc in sent), len(sent)),
    }


def _is_completed(doc: Members) -> bool:
    return doc["kind"] in _DONE_KINDS and doc["status"] == "completed"


def _is_meeting(doc: Members) -> bool:
    return doc["kind"] == "event" and doc.get("type") == "meeting"


def _is_tracked(doc: Members, what: str) -> bool:
    tracking: Members = doc.get("tracking") or {}
    return bool(tracking.get(what))


def _answered_emails(call: Context) -> frozenset[str]:
    """Return the ids of the sent e-mails to which somebody replied: by its Message-ID, or later in its thread."""
    mails = [doc for doc in readable(call, "activity") if doc["kind"] == "email"]
    replies = [doc for doc in mails if doc["direction"] == "inbound"]
    named = {doc["in_reply_to"] for doc in replies if doc.get("in_reply_to")}
    last: dict[str, Any] = {}
    for doc in replies:
        if doc.get("thread_id"):
            last[doc["thread_id"]] = max(doc["occurred_at"], last.get(doc["thread_id"], doc["occurred_at"]))
    return frozenset(
        doc["id"]
        for doc in mails
        if doc["direction"] == "outbound"
        and (
            doc.get("message_id") in named
            or (doc.get("thread_id") in last and last[doc["thread_id"]] > doc["occurred_at"])
        )
    )


def _by_owner(call: Context, docs: Sequence[Members], is_in: Callable[[str | None], bool]) -> list[dict[str, Any]]:
    """Return the activities of each user who may have some, the most first."""
    users = call.collection("user")
    ids = {user["id"] for user in users if has_permission(call, user, "activities", "create")}
    ids = {id for id in ids if is_in(id)} | {doc["owner_id"] for doc in docs if doc.get("owner_id")}
    rows = [_owner(users.get(id, deleted=True) or {}, id, docs) for id in ids]
    return sorted(rows, key=lambda row: (-row["total"], row["owner_name"], row["owner_id"]))


def _owner(user: Members, id: str, docs: Sequence[Members]) -> dict[str, Any]:
    mine = [doc for doc in docs if doc.get("owner_id") == id]
    kinds = Counter(doc["kind"] for doc in mine)
    return {
        "owner_id": id,
        "owner_name": user.get("name") or id,
        "total": len(mine),
        "calls": kinds["call"],
        "emails": kinds["email"],
        "meetings": sum(_is_meeting(doc) and doc["status"] != "cancelled" for doc in mine),
        "tasks_completed": sum(doc["kind"] == "task" and _is_completed(doc) for doc in mine),
    }
