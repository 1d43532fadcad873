"""The delivery of messages: attempts by the adapter of the channel, retries and arrival on the clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from ...data.document import Document
from ...outside.outbox import OutgoingMessage, Refusal
from ...serving import Collections, Context, Members
from ...timetable import Appointment, apart, falls_due, plan
from ..attachments import outgoing
from .preferences import quiet_for, why_suppressed
from .recipients import Recipient
from .subscriptions import end, signed_token

PENDING = "pending_delivery"
"""The kind of the records of what is to be done with a message, and when; their ids are those of the messages."""
RETRIES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
"""The waits before a failed message is sent again by itself."""
MOST_ATTEMPTS = 5
_ARRIVES_AFTER = timedelta(seconds=1)
_BOUNCING = "bounce"
"""Mail to an address with this word before the ``@`` (or before a ``+`` there) bounces, so a test needs no set-up."""


def _times(collections: Collections) -> Iterator[datetime]:
    return (entry["due_at"] for entry in collections(PENDING))


DELIVERY = Appointment("message delivery", _times)


@falls_due(DELIVERY)
def deliver(call: Context) -> None:
    """Send what is due, and let arrive what was sent."""
    due = [entry for entry in call.collection(PENDING) if entry["due_at"] <= call.now]
    for entry in sorted(due, key=lambda entry: (entry["due_at"], entry["id"])):
        with apart(call, entry):
            call.collection(PENDING).remove(entry["id"])
            doc = call.collection("notification").get(entry["id"])
            if doc is None:
                continue
            if entry["step"] == "send":
                dispatch(call, doc)
            elif doc["delivery_status"] == "sent":
                _arrive(call, doc)


def dispatch(call: Context, doc: Document) -> Document:
    """Send a message that waited or has failed, unless the recipient does not want it any more, or not at this hour."""
    kinds = {"user": "user_id", "contact": "contact_id", "lead": "lead_id"}
    whom = {kind: call.find_one(kind, doc[name]) for kind, name in kinds.items() if doc.get(name)}
    recipient = Recipient(doc["recipient"], **whom)
    reason = why_suppressed(call, doc["channel"], recipient, doc["type"], doc.get("category"))
    until = quiet_for(call, doc["channel"], recipient, doc["priority"], call.now) if reason is None else None
    if until is not None:
        later(call, doc["id"], "send", until)
        waits = "next_retry_at" if doc["attempts"] else "scheduled_at"
        return call.update("notification", doc, {waits: until})
    if reason is None:
        return attempt(call, doc)
    return call.update(
        "notification", doc, {"delivery_status": "suppressed", "held_back": reason, "next_retry_at": None}
    )


def later(call: Context, id: str, step: str, at: datetime) -> None:
    """Note what is to be done with a message, and when."""
    call.collection(PENDING).put(Document(id=id, step=step, due_at=at))
    plan(call.collection, DELIVERY)


def attempt(call: Context, doc: Document) -> Document:
    """Send a message once, and publish what came of it."""
    number = doc["attempts"] + 1
    said: dict[str, Any] = {"number": number, "at": call.now, "code": None, "message": None, "provider": None}
    try:
        if _bounces(doc):
            raise Refusal("BOUNCED", f"nobody has the address {doc['recipient']}", permanent=True)
        said |= {"provider": call.server.outbox.hand_over(_outgoing(call, doc)), "status": "sent"}
    except Refusal as refusal:
        said |= {"status": "failed", "code": refusal.code, "message": refusal.message}
        return _failed_message(call, doc, said, permanent=refusal.permanent)
    changes: dict[str, Any] = {"delivery_status": "sent", "sent_at": call.now, "error": None, "next_retry_at": None}
    if doc["channel"] == "in_app":  # the inbox is here: it has arrived
        new = _noted_attempt(call, doc, said, {**changes, "delivery_status": "delivered", "delivered_at": call.now})
        call.emit("notification.created", "notification", new, metadata=_about(new))
        return new
    new = _noted_attempt(call, doc, said, changes)
    call.emit("notification.sent", "notification", new, metadata=_about(new))
    later(call, new["id"], "arrive", call.now + _ARRIVES_AFTER)
    return new


def _bounces(doc: Document) -> bool:
    return bool(doc["channel"] == "email" and doc["recipient"].partition("@")[0].partition("+")[0] == _BOUNCING)


def _failed_message(call: Context, doc: Document, said: dict[str, Any], *, permanent: bool) -> Document:
    """Note a failed attempt, and when the next one is; a message that bounced is not sent again by itself."""
    number: int = said["number"]
    again: datetime | None = None if permanent or number > len(RETRIES) else call.now + RETRIES[number - 1]
    error: dict[str, Any] = {
        "code": said["code"],
        "message": said["message"],
        "field": None,
        "rule": None,
        "details": {},
    }
    changes: dict[str, Any] = {
        "delivery_status": "bounced" if permanent else "failed", "error": error, "next_retry_at": again,
    }  # fmt: skip
    if permanent:
        changes["sent_at"] = call.now
    new = _noted_attempt(call, doc, said, changes)
    call.emit("notification.failed", "notification", new, metadata={**_about(new), "code": said["code"]})
    if again is not None:
        later(call, new["id"], "send", again)
    elif permanent and doc["channel"] in ("email", "sms"):
        end(call, doc["recipient"], doc["channel"], None, "bounce", said["message"])
    return new


def _noted_attempt(call: Context, doc: Document, said: Mapping[str, Any], changes: Mapping[str, Any]) -> Document:
    log = [*(doc.get("attempt_log") or ()), dict(said)]
    return call.update("notification", doc, {**changes, "attempts": said["number"], "attempt_log": log})


def _arrive(call: Context, doc: Document) -> None:
    new = call.update("notification", doc, {"delivery_status": "delivered", "delivered_at": call.now})
    call.emit("notification.delivered", "notification", new, metadata=_about(new))


def _about(doc: Document) -> dict[str, Any]:
    return {"user_id": doc["user_id"], "channel": doc["channel"], "attempts": doc["attempts"]}


def _outgoing(call: Context, doc: Document) -> OutgoingMessage:
    """Return a message as it leaves: an e-mail with its pixel, its tracked links, and the headers of RFC 8058."""
    is_mail, tenant_id = doc["channel"] == "email", call.caller.tenant_id
    headers: dict[str, str] = {}
    html = doc.get("content_html")
    if is_mail and doc.get("category") != "transactional":
        topic = doc.get("category") or ""
        token = signed_token("unsubscribe", tenant_id, doc["id"], doc["recipient"], "email", topic)
        headers = {
            "List-Unsubscribe": f"<{call.server.origin}/v1/notifications/unsubscribe?token={token}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    if is_mail and html is not None:
        from .tracking import tracked_html  # imported here: tracking reads the messages that this module writes

        html = tracked_html(call, doc, html)
    settings: Members = call.tenant.get("email") or {}
    return OutgoingMessage(
        doc["id"], tenant_id, doc["channel"], doc["recipient"], doc["title"], doc["message"], html, call.now,
        settings.get("from_address") or f"crm@{call.tenant['slug']}.test",
        headers, tuple(doc.get("cc") or ()), tuple(doc.get("bcc") or ()), outgoing(call, doc.get("attachments") or ()),
    )  # fmt: skip
