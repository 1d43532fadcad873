"""The rules of notifications: tell a user something; list, mark as read, delete, count; forget what has expired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from crm_sdk.resources.notifications import Notifications

from ..data.document import Document
from ..data.query import sort_documents
from ..problems import Problem
from ..serving import Context, Members, changes_between, serves
from ..timetable import recurs

_MVP: Mapping[str, str] = {"lead": "lead", "message": "message", "message_received": "message"}
"""What the mvp document's three types hold; everything else is its ``system``."""
_FLOW: Mapping[str, str] = {"lead": "deal_update", "message": "message_received", "system": "ai_insight"}
"""What the flow document calls the types it does not have."""


def notify(
    call: Context,
    user_id: str,
    type: str,
    title: str,
    message: str,
    *,
    priority: str = "medium",
    data: Members | None = None,
    action_url: str | None = None,
    expires_at: datetime | None = None,
) -> Document:
    """Tell a user something. `data` is free-form, its names are on the wire as they are here."""
    doc = call.create(
        "notification",
        "notif_",
        {
            "user_id": user_id,
            "type": type,
            "title": title,
            "message": message,
            "priority": priority,
            "read": False,
            "read_at": None,
            "action_url": action_url,
            "metadata": dict(data or {}),
            "expires_at": expires_at,
        },
    )
    call.emit("notification.created", "notification", doc, metadata={"user_id": user_id})
    return doc


@serves(Notifications.list)
def list_(call: Context, status: str | None, type: str | None, read: bool | None) -> Sequence[dict[str, Any]]:
    """Return the caller's notifications, newest first."""
    wanted = {"read": True, "unread": False}.get(status or "all", read)
    docs = [doc for doc in _inbox(call) if wanted is None or doc["read"] is wanted]
    found = [in_dialect(call.dialect, doc) for doc in sort_documents(docs, None, None, ("created_at",))]
    return [doc for doc in found if type is None or doc["type"] == type]


@serves(Notifications.mark_read)
def mark_read(call: Context, notification_id: str, read: bool) -> dict[str, Any]:
    """Mark one of the caller's notifications as read or unread."""
    doc = _own(call, notification_id)
    if doc["read"] is not read:
        new = call.update("notification", doc, {"read": read, "read_at": call.now if read else None})
        call.emit("notification.read", "notification", new, changes=changes_between(doc, new))
        doc = new
    return in_dialect(call.dialect, doc)


@serves(Notifications.delete)
def delete(call: Context, notification_id: str) -> None:
    """Delete one of the caller's notifications."""
    doc = _own(call, notification_id)
    call.delete("notification", doc)
    call.emit("notification.deleted", "notification", doc)


@serves(Notifications.unread_count)
def unread_count(call: Context) -> dict[str, int]:
    """Count what the caller has not read."""
    return {"count": sum(not doc["read"] for doc in _inbox(call))}


@recurs("notification cleanup", every=timedelta(days=1))
def forget_expired(call: Context) -> None:
    """Forget every notification whose time is over."""
    notifications = call.collection("notification")
    for doc in notifications.all():
        if _has_expired(doc, call.now):
            notifications.remove(doc["id"])
            call.emit("notification.deleted", "notification", doc, reason="expired")


def _inbox(call: Context) -> list[Document]:
    mine = call.collection("notification").find("user_id", call.caller.user_id)
    return [doc for doc in mine if not _has_expired(doc, call.now)]


def _own(call: Context, id: str) -> Document:
    doc = call.record("notification", id)
    if doc["user_id"] != call.caller.user_id or _has_expired(doc, call.now):
        raise Problem("NOT_FOUND", f"no notification of yours has the id {id!r}", details={"id": id})
    return doc


def _has_expired(doc: Members, now: datetime) -> bool:
    return doc.get("expires_at") is not None and doc["expires_at"] <= now


def in_dialect(dialect: str, doc: Members) -> dict[str, Any]:
    """Return a notification with the type and the read state as a dialect spells them."""
    if dialect == "mvp":
        read = "read" if doc["read"] else "unread"
        return {**doc, "type": _MVP.get(doc["type"], "system"), "read": read}
    return {**doc, "type": _FLOW.get(doc["type"], doc["type"])}
