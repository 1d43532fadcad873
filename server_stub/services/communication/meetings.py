"""Meetings: events of the type meeting, with conflicts, invitations and a way in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from crm_sdk.resources.communication import CommunicationMeetings

from ...data.document import Document
from ...problems import Problem, invalid
from ...request.answering.links import signed_token
from ...serving import Context, Members, serves
from ..activities.clashes import busy_users, check_free
from ..activities.privacy import as_published
from ..activities.recurrence import spans
from ..calendar.working_time import OVER
from .doors import Doors
from .posting import post

_EARLY = timedelta(minutes=15)
_SEARCHED = timedelta(days=366)


@serves(CommunicationMeetings.create)
def create(call: Context, event: Members, add_link: bool, notify: bool, force: bool) -> Document:
    """Create a meeting at a time at which nobody of the company is busy, and invite."""
    _refuse_type(event)
    members = Doors.meeting.stored_form(call, {**event, "type": "meeting"})
    if add_link and not members.get("meeting_link"):
        members["meeting_link"] = f"https://meet.{call.tenant['slug']}.test/{call.new_id('')}"
    owner = members.get("owner_id") or call.caller.user_id
    if not force and members.get("busy") is not False:
        planned = {**members, "owner_id": owner}
        check_free(call, busy_users(planned), planned)
    doc = Doors.meeting.add(call, members)
    call.emit("meeting.scheduled", "activity", as_published(doc))
    if notify:
        post(call, doc)
    return Doors.meeting.answer(call, doc)


def _refuse_type(event: Members) -> None:
    if event.get("type", "meeting") != "meeting":
        raise invalid("type", "choice", "what is created here is a meeting", choices=["meeting"])


@serves(CommunicationMeetings.get)
def get(call: Context, meeting_id: str) -> Document:
    """Return a meeting."""
    return Doors.meeting.answer(call, Doors.meeting.find_one(call, meeting_id))


@serves(CommunicationMeetings.update)
def update(
    call: Context, meeting_id: str, changes: Members, notify: bool, force: bool, version: int | None
) -> Document:
    """Change a meeting; at a new time nobody may be busy, and those who attend are asked again."""
    doc = Doors.meeting.writable(call, meeting_id)
    call.lock(doc, version)
    _refuse_type(changes)
    given = Doors.meeting.stored_form(call, changes, doc)
    if doc["status"] in OVER:
        if any(doc.get(name) != value for name, value in given.items()):
            raise Problem("ACTIVITY_CLOSED", f"the meeting is {doc['status']}")
        return Doors.meeting.answer(call, doc)
    new_event = doc | given
    moved = any(new_event[name] != doc[name] for name in ("start_time", "end_time"))
    if moved:
        asked = [one if one["role"] == "host" else one | {"status": "pending"} for one in new_event["attendees"]]
        given["attendees"] = asked
        new_event = doc | given
        if not force and new_event.get("busy") is not False and new_event["status"] not in OVER:
            check_free(call, busy_users(new_event), new_event, but=doc["id"])
    new = Doors.meeting.change(call, doc, given)
    if new is not doc:
        _tell(call, "meeting.cancelled" if new["status"] == "cancelled" else "meeting.updated", new)
        if notify:
            _notify(call, doc, new, moved=moved)
    return Doors.meeting.answer(call, new)


def _notify(call: Context, before: Document, after: Document, *, moved: bool) -> None:
    """Tell those who attend what they have to know: a new time, that it is off, that they are asked at all."""
    if after["status"] == "cancelled":
        post(call, after | {"status": before["status"]}, "cancelled")
    elif moved:
        post(call, after, "moved")
    else:
        known = {guest["email"].casefold() for guest in before["attendees"]}
        added = [guest for guest in after["attendees"] if guest["email"].casefold() not in known]
        if added:
            post(call, after | {"attendees": added})


def _tell(call: Context, event: str, doc: Document, reason: str | None = None) -> None:
    call.emit(event, "activity", as_published(doc), reason=reason)


@serves(CommunicationMeetings.cancel)
def cancel(call: Context, meeting_id: str, reason: str | None, notify: bool) -> Document:
    """Cancel a meeting, and tell those who were to attend."""
    doc = Doors.meeting.writable(call, meeting_id, "delete")
    if doc["status"] == "cancelled":
        return Doors.meeting.answer(call, doc)
    if doc["status"] in OVER:
        raise Problem("ACTIVITY_CLOSED", f"the meeting is {doc['status']}")
    given = Doors.meeting.stored_form(call, {"status": "cancelled"}, doc)
    new = Doors.meeting.change(call, doc, given | {"cancelled_reason": reason}, reason=reason)
    _tell(call, "meeting.cancelled", new, reason)
    if notify:
        _notify(call, doc, new, moved=False)
    return Doors.meeting.answer(call, new)


# -- joining -----------------------------------------------------------------------------------------------------------


@serves(CommunicationMeetings.join)
def join(call: Context, meeting_id: str, email: str | None) -> dict[str, Any]:
    """Let the caller, or a guest who has the link, into a meeting."""
    doc = Doors.meeting.find_one(call, meeting_id)
    role, address = _role(call, doc, email)
    if doc["status"] == "cancelled":
        raise Problem("MEETING_CANCELLED", "the meeting was cancelled")
    start, end = _occurrence(doc, call.now)
    if doc["status"] in OVER or not start - _EARLY <= call.now < end:
        message = f"the meeting is open from {start - _EARLY:%Y-%m-%d %H:%M} to {end:%H:%M} UTC"
        raise Problem("MEETING_NOT_OPEN", message, details={"opens_at": start - _EARLY, "closes_at": end})
    if not doc.get("meeting_link"):
        raise Problem("NO_MEETING_LINK", "the meeting has no link to join by")
    guests = [
        guest | {"status": "accepted"} if guest["email"].casefold() == address.casefold() else guest
        for guest in doc["attendees"]
    ]
    doc = Doors.meeting.change(call, doc, {"attendees": guests})
    call.emit("meeting.joined", "activity", as_published(doc), metadata={"email": address, "role": role})
    expires_at = end + _EARLY
    token = signed_token(call, "join", doc["id"], role, address, expires_at.isoformat())
    between = "&" if "?" in doc["meeting_link"] else "?"
    return {
        "meeting_id": doc["id"], "join_url": f"{doc['meeting_link']}{between}token={token}", "role": role,
        "token": token, "expires_at": expires_at, "dial_in": None, "passcode": None,
    }  # fmt: skip


def _role(call: Context, doc: Document, email: str | None) -> tuple[str, str]:
    """Return as what somebody takes part, and by which address. Raises: 403 for who is not asked and not named."""
    user: Members = call.collection("user").get(call.caller.user_id or "") or {}
    own = str(user.get("email") or call.caller.email or "")
    address = email.strip() if email is not None else own
    is_owner = doc["owner_id"] is not None and doc["owner_id"] == call.caller.user_id
    guests = {guest["email"].casefold(): guest for guest in doc["attendees"]}
    mine = [guest for guest in doc["attendees"] if user and guest.get("user_id") == user["id"]]
    found = guests.get(address.casefold()) or (mine[0] if mine and email is None else None)
    if is_owner and (email is None or found in mine or address.casefold() == own.casefold()):
        return "host", found["email"] if found is not None else own
    if found is not None:
        return "host" if found["role"] == "host" else "attendee", found["email"]
    if email is not None:
        return "guest", address
    raise Problem("NOT_AN_ATTENDEE", "only those who attend a meeting can join it")


def _occurrence(doc: Document, now: datetime) -> tuple[datetime, datetime]:
    """Return start and end of a meeting; of a series, of the occurrence that is open now or comes next."""
    if not doc.get("recurrence"):
        return doc["start_time"], doc["end_time"]
    for start, end, _ in spans([doc], now, now + _SEARCHED):
        return start, end
    return doc["start_time"], doc["end_time"]
