"""The rules of the inbox: put notifications into it, list, read, delete and count them; delete expired ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from crm_sdk.models.notifications import Notification
from crm_sdk.resources.notifications import Notifications
from crm_sdk.route import Action

from ...data.blanks import blank
from ...data.document import Document
from ...data.links import link_to
from ...data.queries.query import sort_documents
from ...live.feeds import Event, Feeds, shows
from ...noun import Noun
from ...serving import Context, Members, RecordType, serves
from ...timetable import apart, recurs
from .preferences import why_suppressed
from .recipients import Recipient

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
    about: tuple[str, str] | None = None,
    data: Members | None = None,
    action_url: str | None = None,
    expires_at: datetime | None = None,
) -> Document:
    """Send a user a notification.

    `about` is the kind and the id of a record: the notification links to it, and its metadata has the id. `data` is
    more metadata; its names are on the wire as they are here.
    """
    entity: dict[str, Any] | None = None
    said: dict[str, Any] = dict(data or {})
    if about is not None:
        said, action_url = {f"{about[0]}Id": about[1], **said}, action_url or link_to(*about)
        noun = call.server.nouns.get(about[0])
        kind = noun.collection if noun is not None else about[0]
        doc: Members = call.find_one(kind, about[1]) or {}
        entity = {"type": kind, "id": about[1], "name": doc.get("name") or doc.get("title")}
    members: dict[str, Any] = {
        "user_id": user_id,
        "channel": "in_app",
        "recipient": user_id,
        "type": type,
        "title": title,
        "message": message,
        "priority": priority,
        "read": False,
        "read_at": None,
        "action_url": action_url,
        "entity": entity,
        "metadata": said,
        "expires_at": expires_at,
    }
    user = call.collection("user").get(user_id)
    if user is not None and why_suppressed(call, "in_app", Recipient(user_id, user=user), type, None) is not None:
        held = {**blank(Notification), **members, "delivery_status": "suppressed"}
        return call.create("notification", "notif_", held)
    arrived = {"delivery_status": "delivered", "sent_at": call.now, "delivered_at": call.now, "attempts": 1}
    return NOTIFICATIONS.add(call, members | arrived, metadata={"user_id": user_id})


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
    doc = NOTIFICATIONS.writable(call, notification_id)
    new = NOTIFICATIONS.change(call, doc, {"read": read}, verb="read")
    return in_dialect(call.dialect, new)


@serves(Notifications.unread_count)
def unread_count(call: Context) -> dict[str, int]:
    """Count the caller's unread notifications."""
    return {"count": sum(not doc["read"] for doc in _inbox(call))}


@recurs("notification cleanup", every=timedelta(days=1))
def forget_expired(call: Context) -> None:
    """Delete every expired notification."""
    notifications = call.collection("notification")
    for doc in notifications.all():
        if _has_expired(doc, call.now):
            with apart(call, doc):
                notifications.remove(doc["id"])
                call.emit("notification.deleted", "notification", doc, reason="expired")


def _inbox(call: Context) -> list[Document]:
    return [doc for doc in call.collection("notification").find("user_id", call.caller.user_id) if _is_own(call, doc)]


def _is_own(call: Context, doc: Document) -> bool:
    arrived = doc.get("channel") in (None, "in_app") and doc.get("delivery_status") in (None, "delivered")
    return arrived and doc["user_id"] == call.caller.user_id and not _has_expired(doc, call.now)


def _when_read(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Note when a notification was read."""
    if before is None or after is None or before["read"] is after["read"]:
        return None
    return call.collection("notification").put(after | {"read_at": call.now if after["read"] else None})


def _has_expired(doc: Members, now: datetime) -> bool:
    return doc.get("expires_at") is not None and doc["expires_at"] <= now


def in_dialect(dialect: str, doc: Members) -> dict[str, Any]:
    """Return a notification with the type and the read state as a dialect spells them."""
    if dialect == "mvp":
        read = "read" if doc["read"] else "unread"
        return {**doc, "type": _MVP.get(doc["type"], "system"), "read": read}
    if dialect == "platform":
        return dict(doc)
    return {**doc, "type": _FLOW.get(doc["type"], doc["type"])}


class _Inbox(Noun):
    """The notifications of one user each, who reads and deletes them whatever the role."""

    def writable(self, call: Context, id: str, action: Action = "update", *, whole_id: str | None = None) -> Document:
        """Return a notification of the caller's inbox. Raises: 404."""
        return self.find_one(call, id, whole_id)


NOTIFICATIONS = _Inbox(
    resource=Notifications,
    kind="notification",
    model=Notification,
    prefix="notif_",
    own=("list",),
    visible=_is_own,
    follow=_when_read,
)
IN_DIALECTS = RecordType("notification", Notification, in_dialect)


def addressee(entry: Mapping[str, Any], notification: Mapping[str, Any]) -> Iterable[str | None]:
    """Return the id of the user a notification is for."""
    return [notification.get("user_id")]


@shows("notification.created", channel="notifications", name="notification:new", audience=addressee)
def created_payload(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return the notification."""
    return {"notification": feeds.render_record(event, "flow")}


@shows("notification.read", channel="notifications", name="notification:read", audience=addressee)
@shows("notification.deleted", channel="notifications", name="notification:deleted", audience=addressee)
def id_payload(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return the id of the notification."""
    return {"id": event["entity"]["id"]}
