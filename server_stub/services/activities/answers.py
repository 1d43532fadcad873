"""Answering an invitation: those who attend an event say whether they come."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crm_sdk.resources.calendar import CalendarEvents

from ...caller import Caller
from ...data.document import Document
from ...problems import Problem, invalid, missing
from ...request.access import identity
from ...request.answering.links import read_signed
from ...serving import Context, Members, serves
from ..calendar.records import EVENTS
from ..calendar.working_time import OVER
from ..notifications import notify
from .changing import occurrence_as_event, split_off
from .invitations import TOKEN
from .recurrence import occurrence_of

_INSIDE = ("preparation", "outcome", "ai_analysis", "sentiment", "deal_id", "lead_id", "account_id", "contact_id")
_LISTS = ("ai_insights", "reminders", "attachments", "tags", "other_matches")
"""What the company knows of an event, and a guest does not."""


@serves(CalendarEvents.respond)
def respond(
    call: Context,
    event_id: str,
    status: str,
    comment: str | None,
    email: str | None,
    token: str | None,
    occurrence: datetime | None,
    scope: str,
    version: int | None,
) -> Document:
    """Note the caller's answer; the same one again changes nothing. The host is told."""
    by_letter = call.caller.auth == "none"
    if by_letter:
        call, email = _as_guest(call, event_id, token)
    doc = EVENTS.find_one(call, event_id)
    guest = _guest(call, doc, email)
    call.lock(doc, version)
    if doc["status"] in OVER:
        raise Problem("ACTIVITY_CLOSED", f"the event is {doc['status']}")
    at = occurrence_of(doc, occurrence) if occurrence is not None else None
    if scope != "all" and at is None:
        raise invalid("occurrence", "required", "say by `occurrence` which one of the series is meant")
    if guest["status"] == status:
        return _shown_event(call, doc, by_letter)
    answered = [one | {"status": status} if one["id"] == guest["id"] else one for one in doc["attendees"]]
    if at is None:
        new = EVENTS.change(call, doc, {"attendees": answered})
    else:  # who names one occurrence answers for that one only
        part = "following" if scope == "following" else "this"
        new = split_off(call, doc, at, part, occurrence_as_event(doc, at, part) | {"attendees": answered})
    change = {"field": f"attendees.{guest['id']}.status", "before": guest["status"], "after": status}
    said = {"email": guest["email"], "status": status, **({"comment": comment} if comment else {})}
    published = EVENTS.published(new)
    call.emit("event.responded", "activity", published, changes=[change], metadata=said)
    _tell_host(call, new, guest, status, comment)
    return _shown_event(call, new, by_letter)


def _as_guest(call: Context, event_id: str, token: str | None) -> tuple[Context, str]:
    """Return the call as made by the guest whom a letter was sent to, and his address.

    Raises: 401 without a token; 404 for the token of another event.
    """
    if token is None:
        raise identity.unauthorized_problem(
            "send a token or an API key as 'Authorization: Bearer …', or a guest's token"
        )
    read = read_signed(call.server, token)
    if read is None or read[1] != TOKEN or read[2][0] != event_id:
        raise missing("event", event_id)
    tenant_id, _, (_, email) = read
    return call.acting_as(Caller(tenant_id, "system", None, "system", email, email, auth="none")), email


def _shown_event(call: Context, doc: Document, by_letter: bool) -> Document:
    """Return an event as who has answered may see it: a guest no more than the letter has."""
    shown = EVENTS.answer(call, doc)
    if not by_letter:
        return shown
    empty: dict[str, Any] = {**dict.fromkeys(_INSIDE), **{name: [] for name in _LISTS}, "custom_fields": {}}
    return shown | empty


def _guest(call: Context, doc: Document, email: str | None) -> Members:
    """Return the caller among those who attend; `email` says which one where they attend twice. Raises 403, 422."""
    own: Members = call.collection("user").get(call.caller.user_id or "") or {}
    mail = str(own.get("email") or call.caller.email or "").casefold()
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
