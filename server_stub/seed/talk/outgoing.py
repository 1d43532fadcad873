"""The demo messages: a campaign by e-mail, reminders by SMS, what became of them, and a phone for push messages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from crm_sdk.models.notifications import Notification
from crm_sdk.models.record import Record

from ...data.blanks import blank
from ...data.document import Document
from ...data.store import Store
from ..setup.company import Plan

_CAMPAIGN = ("clicked", "opened", "delivered", "delivered", "opened", "bounced", "delivered", "suppressed")
"""How far the e-mails of the campaign came, over and over."""
_SIZE = 24
_ORDER = ("sent", "delivered", "opened", "clicked")
_TITLE = {"en": "What is new in January", "de": "Neu im Januar"}


def outgoing(store: Store, plan: Plan, now: datetime) -> None:
    """Put the messages of a company, its unsubscribed address, and the devices of its first two users."""
    contacts = [doc for doc in store.collection(plan.id, "contact") if doc.get("email")][:_SIZE]
    batch = store.new_id("batch_")
    for number, contact in enumerate(contacts):
        state = _CAMPAIGN[number % len(_CAMPAIGN)]
        at = now - timedelta(days=9, minutes=-number)
        title = _TITLE.get(plan.locale, _TITLE["en"])
        _put(
            store, plan, at, state, channel="email", recipient=contact["email"], contact_id=contact["id"],
            title=title, message=f"{contact['name']}: {title}", category="marketing", batch_id=batch,
        )  # fmt: skip
    for number, contact in enumerate([doc for doc in contacts if doc.get("phone")][:6]):
        _put(
            store, plan, now - timedelta(days=2, hours=number), "delivered" if number else "failed", channel="sms",
            recipient=contact["phone"], contact_id=contact["id"], title="Reminder", message="Our call is tomorrow.",
            metadata={"segments": 1},
        )  # fmt: skip
    for contact in contacts[7:8]:
        members: dict[str, Any] = {
            "address": contact["email"], "channel": "email", "topic": "marketing", "subscribed": False,
            "source": "unsubscribe_link", "reason": None,
        }  # fmt: skip
        store.collection(plan.id, "subscription").put(_record(store.new_id("sub_"), now - timedelta(days=40)) | members)
    for user in plan.users[:2]:
        device = {"user_id": user.id, "platform": "ios"}
        store.collection(plan.id, "push_device").put(Document({"id": f"device_{user.id}", **device}))


def _record(id: str, at: datetime) -> Document:
    return Document({**blank(Record), "id": id, "created_at": at, "updated_at": at, "version": 1})


def _put(store: Store, plan: Plan, at: datetime, state: str, **members: Any) -> None:
    """Put a message that came so far: each step a few minutes after the one before."""
    steps = _ORDER[: _ORDER.index(state) + 1] if state in _ORDER else ("sent",) if state == "bounced" else ()
    times = {f"{step}_at": at + timedelta(minutes=10 * number) for number, step in enumerate(steps)}
    tried = state != "suppressed"
    code = {"bounced": "550", "failed": "UNREACHABLE"}.get(state)
    error: dict[str, Any] | None = None
    if code is not None:
        error = {"code": code, "message": "it was not taken", "field": None, "rule": None, "details": {}}
    entry = {
        "number": 1, "at": at, "status": "failed" if code else "sent", "provider": None if code else "stub",
        "code": code, "message": error and error["message"],
    }  # fmt: skip
    doc = {
        **blank(Notification), **_record(store.new_id("notif_"), at), "type": "system", "priority": "medium",
        **members, **times, "delivery_status": state, "attempts": int(tried), "attempt_log": [entry] if tried else [],
        "error": error, "language": plan.locale, "created_by": plan.users[0].id,
    }  # fmt: skip
    store.collection(plan.id, "notification").put(Document(doc))
