"""The rules of the history of messages: the list, the state of one, and figures that add up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from crm_sdk.resources.notifications import Notifications

from ...data.document import Document
from ...data.order import Range
from ...data.queries.select import select
from ...mail import SYSTEM_MAIL
from ...problems import missing
from ...request.access import permissions
from ...serving import Context, Members, serves
from ..ranges import Span, divided_items, last_year, periods, series

_CHANNELS: Mapping[str, str] = {
    "email": "E-mail", "sms": "SMS", "push": "Push", "in_app": "Inbox", "chat": "Chat",
}  # fmt: skip
_TESTS: Mapping[str, Callable[[Document], bool]] = {
    "sent": lambda doc: doc.get("sent_at") is not None,
    "delivered": lambda doc: doc.get("delivered_at") is not None,
    "opened": lambda doc: doc.get("opened_at") is not None or doc.get("read_at") is not None,
    "clicked": lambda doc: doc.get("clicked_at") is not None,
    "bounced": lambda doc: doc.get("delivery_status") == "bounced",
    "failed": lambda doc: doc.get("delivery_status") == "failed",
    "suppressed": lambda doc: doc.get("delivery_status") == "suppressed",
    "unsubscribed": lambda doc: doc.get("unsubscribed_at") is not None,
}


def may_see(call: Context) -> Callable[[Document], bool]:
    """Return what tells whether the caller may see a message: all, or those that it has sent or received."""
    if permissions.scope_for(call.caller, "notifications", "read") == "all":
        return lambda doc: True
    caller = call.caller
    return lambda doc: (
        doc["created_by"] == caller.actor_id
        or (caller.user_id is not None and caller.user_id in (doc["user_id"], doc["created_by"]))
    )


def found_message(call: Context, id: str) -> Document:
    """Return a message that the caller may see. Raises: 404."""
    doc = call.find_one("notification", id)
    if doc is None or not may_see(call)(doc):
        raise missing("notification", id)
    return doc


@serves(Notifications.history)
def history(
    call: Context,
    channel: str | None,
    type: str | None,
    delivery_status: str | None,
    user_id: str | None,
    contact_id: str | None,
    template_id: str | None,
    batch_id: str | None,
    since: datetime | None,
    until: datetime | None,
    sort: str | None,
    order: str | None,
) -> Sequence[Document]:
    """Return the messages that match, newest first."""
    given = {
        "channel": channel, "type": type, "delivery_status": delivery_status, "user_id": user_id,
        "contact_id": contact_id, "template_id": template_id, "batch_id": batch_id,
    }  # fmt: skip
    found = select(
        call.collection("notification"),
        equal={name: value for name, value in given.items() if value is not None},
        ranges={"created_at": Range(since, until, closed=False)} if since is not None or until is not None else {},
        tests=[may_see(call)],
        sort=sort,
        order=order,
        sorts=("sent_at",),
    )
    return found if "admin" in call.caller.roles else [_without_token(doc) for doc in found]


def _without_token(doc: Document) -> Document:
    """Return a message without the token that a mail of the platform has: with it one signs in as its recipient."""
    said: Members = doc.get("metadata") or {}
    token: str | None = said.get("token") if doc.get("type") == SYSTEM_MAIL else None
    return doc | {"message": doc["message"].replace(token, "…"), "metadata": {}} if token is not None else doc


@serves(Notifications.status)
def status(call: Context, notification_id: str) -> dict[str, Any]:
    """Tell how far a message has come."""
    doc = found_message(call, notification_id)
    return {
        "notification_id": doc["id"],
        "channel": doc["channel"],
        "delivery_status": doc["delivery_status"],
        "attempts": doc.get("attempt_log") or [],
        "opened_at": doc.get("opened_at") or doc.get("read_at"),
        "clicked_at": doc.get("clicked_at"),
        "next_retry_at": doc.get("next_retry_at"),
    }


@serves(Notifications.analytics)
def analytics(
    call: Context,
    channel: str | None,
    template_id: str | None,
    type: str | None,
    start_date: date | None,
    end_date: date | None,
    period: str | None,
) -> dict[str, Any]:
    """Count the messages that were made in a range by how far they have come."""
    whole = last_year(call, start_date, end_date)
    spans = periods(call, whole, period or "month")
    seen = may_see(call)
    docs = [
        doc
        for doc in call.collection("notification")
        if whole.has(doc["created_at"])
        and seen(doc)
        and channel in (None, doc["channel"])
        and template_id in (None, doc["template_id"])
        and type in (None, doc["type"])
    ]
    templates = call.collection("template")
    used = sorted({doc["template_id"] for doc in docs if doc["template_id"] is not None})
    by_span = divided_items(spans, docs, lambda doc: doc["created_at"])

    def count(name: str) -> Callable[[Span], Decimal]:
        return lambda span: Decimal(sum(map(_TESTS[name], by_span[span])))

    return {
        "start_date": whole.start,
        "end_date": whole.end,
        "totals": _figures("total", "All messages", docs),
        "channels": [
            _figures(key, name, inside)
            for key, name in _CHANNELS.items()
            if (inside := [doc for doc in docs if doc["channel"] == key])
        ],
        "templates": [
            _figures(
                id,
                (templates.get(id, deleted=True) or {"name": id})["name"],
                [doc for doc in docs if doc["template_id"] == id],
            )
            for id in used
        ],
        "series": [series(name, spans, count(name)) for name in _TESTS if name != "unsubscribed"],
    }


def _figures(key: str, name: str, docs: Iterable[Document]) -> dict[str, Any]:
    inside = list(docs)
    counts = {what: sum(map(test, inside)) for what, test in _TESTS.items()}
    sent, delivered = counts["sent"], counts["delivered"]
    return {
        "key": key,
        "name": name,
        **counts,
        "delivery_rate": _share(delivered, sent),
        "open_rate": _share(counts["opened"], delivered),
        "click_rate": _share(counts["clicked"], delivered),
        "bounce_rate": _share(counts["bounced"], sent),
    }


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
