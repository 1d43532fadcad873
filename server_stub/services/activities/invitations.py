"""Invitations: users are notified; to guests from outside a mail with their token and an iTIP message (RFC 5546)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...data.document import Document
from ...mail import send
from ...request.answering.links import signed_token
from ...serving import Context, Members
from ..calendar.preparation import uid_of
from ..calendar.working_time import OVER, user_of, zone_of
from ..notifications import notify

KIND = "invitation"
"""The kind of the messages to guests from outside: ``to``, ``method`` REQUEST or CANCEL, ``event_id``, ``uid``,
``content`` an iCalendar file, ``token`` with which the guest can answer."""
TOKEN = "invitation"
"""The kind of the signed tokens of guests: the event, and the address that was invited."""
_WORDS = {"invited": "Invitation", "moved": "Moved", "cancelled": "Cancelled"}


def invite(call: Context, event: Document, how: str = "invited") -> None:
    """Tell those who attend an event of it, or of its new time; whoever does it knows."""
    if event["status"] in OVER or event["end_time"] <= call.now:
        return
    for guest in _guests(call, event):
        if guest.get("user_id") is not None:
            _notify(call, event, guest["user_id"], how)
        else:
            _send(call, event, guest, "CANCEL" if how == "cancelled" else "REQUEST", how)


def cancel(call: Context, event: Document) -> None:
    """Tell those who were to attend that an event is off."""
    if event["kind"] == "event":
        invite(call, event, "cancelled")


def _guests(call: Context, event: Members) -> Iterator[Members]:
    for guest in event.get("attendees") or ():
        if guest.get("status") != "declined" and guest.get("user_id") != (call.caller.user_id or object()):
            yield guest


def _notify(call: Context, event: Members, user_id: str, how: str) -> None:
    at = event["start_time"].astimezone(zone_of(call, user_of(call, user_id)))
    by = call.caller.name or "Somebody"
    message = f"{by}: {event['title']}, {at:%H:%M on %Y-%m-%d}."
    title = f"{_WORDS[how]}: {event['title']}"
    about = ("event", event["id"])
    notify(call, user_id, "meeting_reminder", title, message, about=about, expires_at=event["end_time"])


def _file(event: Members, method: str) -> bytes:
    """Return what a message has of an event for calendars."""
    from .icalendars import write  # here: the package that it uses is needed for files only

    return write([{**event, "status": "cancelled"} if method == "CANCEL" else event], method=method)


def _send(call: Context, event: Members, guest: Members, method: str, how: str) -> None:
    token = signed_token(call, TOKEN, event["id"], guest["email"])
    message: dict[str, Any] = {
        "to": guest["email"],
        "method": method,
        "event_id": event["id"],
        "uid": uid_of(event),
        "sequence": event.get("sequence") or 0,
        "token": token,
        "content": _file(event, method),
    }
    call.create(KIND, "invitation_", message)
    what = "an event" if event["visibility"] == "private" else event["title"]  # admins read what was sent
    text = f"{what}, {event['start_time'].astimezone(zone_of(call, {})):%H:%M on %Y-%m-%d}."
    if method == "REQUEST":
        text += f" Answer with this token: {token}"
    about = {"type": "activity", "id": event["id"], "name": what}
    send(call, guest, f"{_WORDS[how]}: {what}", text, token=token if method == "REQUEST" else None, about=about)
