"""Answering an invitation: those who attend an event say whether they come."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crm_sdk.resources.calendar import CalendarEvents

from ...data.document import Document
from ...problems import Problem, invalid
from ...serving import Context, Members, serves
from ..calendar.records import EVENTS
from ..calendar.working_time import OVER
from ..notifications import notify
from .changing import occurrence_as_event, split_off
from .recurrence import occurrence_of


@serves(CalendarEvents.respond)
def respond(
    call: Context,
    event_id: str,
    status: str,
    comment: str | None,
    email: str | None,
    occurrence: datetime | None,
    scope: str,
    version: int | None,
) -> Document:
    """Note the caller's answer; the same one again changes nothing. The host is told."""
    doc = EVENTS.found(call, event_id)
    guest = _guest(call, doc, email)
    call.lock(doc, version)
    if doc["status"] in OVER:
        raise Problem("ACTIVITY_CLOSED", f"the event is {doc['status']}")
    at = occurrence_of(doc, occurrence) if occurrence is not None else None
    if scope != "all" and at is None:
        raise invalid("occurrence", "required", "say by `occurrence` which one of the series is meant")
    if guest["status"] == status:
        return EVENTS.answer(call, doc)
    answered = [one | {"status": status} if one["id"] == guest["id"] else one for one in doc["attendees"]]
    if at is None or scope == "all":
        new = EVENTS.change(call, doc, {"attendees": answered})
    else:
        new = split_off(call, doc, at, scope, occurrence_as_event(doc, at, scope) | {"attendees": answered})
    change = {"field": f"attendees.{guest['id']}.status", "before": guest["status"], "after": status}
    said = {"email": guest["email"], "status": status, **({"comment": comment} if comment else {})}
    published = EVENTS.published(new) if EVENTS.published is not None else new
    call.emit("event.responded", "activity", published, changes=[change], metadata=said)
    _tell_host(call, new, guest, status, comment)
    return EVENTS.answer(call, new)


def _guest(call: Context, doc: Document, email: str | None) -> Members:
    """Return the caller among those who attend; `email` says which one where they attend twice. Raises 403, 422."""
    own: Members = call.collection("user").get(call.caller.user_id or "") or {}
    mail = str(own.get("email") or "").casefold()
    mine: list[dict[str, Any]] = [
        guest
        for guest in doc["attendees"]
        if (guest["user_id"] is not None and guest["user_id"] == own.get("id")) or guest["email"].casefold() == mail
    ]
    if email is not None:
        mine = [guest for guest in mine if guest["email"].casefold() == email.strip().casefold()]
    if not mine:
        raise Problem("NOT_AN_ATTENDEE", "only those who attend an event can answer its invitation")
    if len(mine) > 1:
        raise invalid("email", "required", "you attend with several addresses: say which one answers")
    return mine[0]


def _tell_host(call: Context, doc: Document, guest: Members, status: str, comment: str | None) -> None:
    hosts = [one["user_id"] for one in doc["attendees"] if one["role"] == "host"]
    host = next((id for id in [*hosts, doc["owner_id"]] if id is not None), None)
    if host is not None and host != call.caller.user_id:
        title = f"{guest['name']} {status}: {doc['title']}"
        notify(call, host, "meeting_reminder", title, comment or title, about=("event", doc["id"]))
