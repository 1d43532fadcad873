"""The rules of the calendar: events, their status and outcome with its follow-up, and the counts of the week."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from crm_sdk.models.activities import CalendarEvent
from crm_sdk.resources.calendar import Calendar, CalendarEvents

from ...data.blanks import blank
from ...data.document import Document
from ...data.forms import required_text
from ...noun import Noun
from ...problems import Problem, invalid
from ...serving import Context, Members, serves
from ..activities import recurrence
from ..activities.privacy import as_published, as_seen, is_hidden
from ..activities.recurrence import read_rule
from ..activities.relations import REFERS, relation_members
from ..contacts import health as health
from ..contacts.follow_ups import follow_up as follow_up_contact
from ..contacts.talks import analysis
from ..sentiment import name_of_score, tone
from . import reminders
from .preparation import uid_of, with_current_preparation
from .working_time import Hours, as_utc, busy, events, first_free, user_of, usual_minutes, usual_room, week_of

DEFAULTS: Mapping[str, Callable[[Context], Any]] = {
    "owner_id": lambda call: call.caller.user_id,
    "source": lambda call: "api" if call.caller.auth == "api_key" else "manual",
}
"""The members of a new activity that come from the call."""
_TELLING = ("start_time", "end_time", "recurrence", "location", "meeting_link", "status", "all_day", "timezone")
"""The members of an event of which those who attend have to know when they change."""
LONGEST = timedelta(days=14)
_FOLLOW_UP_AFTER = timedelta(days=7)
_OUTCOME: Mapping[str, Any] = {
    "next_steps": [], "sentiment_score": None, "key_decisions": [], "follow_up_required": False,
    "follow_up_date": None, "meeting_rating": None,
}  # fmt: skip


# -- reading ---------------------------------------------------------------------------------------------------------


@serves(CalendarEvents.list)
def list_(call: Context, start: datetime | None, end: datetime | None, filter: str | None) -> Sequence[Document]:
    """Return the events of the caller's calendar."""
    if start is not None and end is not None and end < start:
        raise invalid("end", "min", "must not be before the start")
    docs = [
        doc
        for doc in events(call, call.caller.user_id)
        if (start is None or doc["end_time"] > start) and (end is None or doc["start_time"] < end)
    ]
    if filter == "meetings":
        docs = [doc for doc in docs if doc["type"] == "meeting"]
    elif filter == "high-priority":
        docs = [doc for doc in docs if doc["priority"] == "high"]
    elif filter == "this-week":
        docs = _this_week(call, docs)
    elif filter == "follow-ups":
        docs = [doc for doc in docs if doc["type"] == "follow-up" or _asks_for_more(doc)]
    return [as_seen(call, with_current_preparation(call, doc)) for doc in docs]


@serves(CalendarEvents.preparation)
def preparation(call: Context, event_id: str) -> Members:
    """Prepare an event as things are now."""
    doc = EVENTS.find_one(call, event_id)
    if is_hidden(call, doc):
        raise Problem("NOT_FOUND", "the event is private", field="id", details={"id": event_id})
    members: Members = with_current_preparation(call, doc)["preparation"]
    return members


@serves(Calendar.stats)
def stats(call: Context) -> dict[str, int]:
    """Count the week's events that are not cancelled, and the open follow-ups."""
    docs = events(call, call.caller.user_id)
    week = [doc for doc in _this_week(call, docs) if doc["status"] != "cancelled"]
    return {
        "total_this_week": len(week),
        "meetings_this_week": sum(doc["type"] == "meeting" for doc in week),
        "high_priority_this_week": sum(doc["priority"] == "high" for doc in week),
        "follow_ups_needed": sum(_wants_follow_up(call, doc) for doc in docs),
    }


def _this_week(call: Context, docs: Sequence[Document]) -> list[Document]:
    start, end = week_of(call, user_of(call, call.caller.user_id), call.now)
    return [doc for doc in docs if start <= doc["start_time"] < end]


def _asks_for_more(doc: Members) -> bool:
    noted: Members = doc.get("outcome") or {}
    return bool(noted.get("follow_up_required"))


def _wants_follow_up(call: Context, doc: Members) -> bool:
    """Return whether a follow-up is open: a planned one, or a required one that is not planned."""
    if doc["type"] == "follow-up" and doc["status"] in reminders.AHEAD:
        return True
    if not _asks_for_more(doc):
        return False
    planned = call.collection("activity").get(doc.get("follow_up_event_id") or "")
    return planned is None or planned["status"] in ("cancelled", "no-show")


# -- writing ---------------------------------------------------------------------------------------------------------


def _check(call: Context, members: dict[str, Any], before: Document | None) -> dict[str, Any]:
    """Return what follows from the members of an event: whom it is with, when it is reminded of. Raises 422."""
    derived: dict[str, Any] = {}
    if before is not None and "start_time" in members and "end_time" not in members:
        derived["end_time"] = members["start_time"] + (before["end_time"] - before["start_time"])
    event: dict[str, Any] = {**(before or blank(CalendarEvent)), **members, **derived}
    event["owner_id"] = event["owner_id"] or call.caller.user_id
    check_times(event)
    written = before is None or any(event[name] != before[name] for name in _TELLING)
    if event["timezone"] is None and written:  # what was read and is written back is no write
        derived["timezone"] = event["timezone"] = Hours.of(call, user_of(call, event["owner_id"])).zone.key
    if event["recurrence"] is not None and (
        before is None or any(event[name] != before[name] for name in ("recurrence", "start_time", "timezone"))
    ):
        rule = read_rule(event["recurrence"], event["start_time"], recurrence.zone_of(event))
        derived["recurrence"] = event["recurrence"] = rule
    derived |= relation_members(call, members, before, contact_of_deal=True)
    if before is None or event["start_time"] != before["start_time"]:
        derived["occurred_at"] = event["start_time"]
    derived |= reminders.reminder_members(call, members, event, before)
    if before is None:
        guests = event["attendees"] or _default_guests(call, event | derived)
        return derived | {"attendees": _attendees(call, guests)}
    if "attendees" in members:
        derived["attendees"] = event["attendees"] = _attendees(call, members["attendees"], before)
    if any(event[name] != before[name] for name in _TELLING):
        derived["sequence"] = next_sequence(before)
    return derived


def next_sequence(event: Members) -> int:
    """Return the number of the next revision of an event (iCalendar's SEQUENCE)."""
    return int(event.get("sequence") or 0) + 1


def _follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Give an event its UID, and prepare it anew whenever it is written."""
    if after is None:
        return None
    named = after if after.get("uid") else after | {"uid": uid_of(after)}
    return call.collection("activity").put(with_current_preparation(call, named))


def check_times(event: Members) -> None:
    """Refuse an event that ends before it begins, or lasts too long. Raises 422."""
    if event["end_time"] <= event["start_time"]:
        raise invalid("end_time", "min", "an event ends after it begins")
    if event["end_time"] - event["start_time"] > LONGEST:
        raise invalid("end_time", "max", f"an event lasts at most {LONGEST.days} days")


def _default_guests(call: Context, event: Members) -> list[Members]:
    """Return the guests of an event for which none were given: its owner, and its contact."""
    host = user_of(call, event["owner_id"])
    contact = call.collection("contact").get(event["contact_id"] or "")
    guests: list[Members] = []
    if host.get("email"):
        guests.append({"email": host["email"], "role": "host", "status": "accepted"})
    if contact is not None and contact.get("email"):
        guests.append({"email": contact["email"]})
    return guests


def _attendees(call: Context, guests: Sequence[Members], before: Members | None = None) -> list[dict[str, Any]]:
    """Return the guests as they are known by their e-mail: users, contacts, or strangers. One address comes once."""
    known_ids = {guest["email"].casefold(): guest["id"] for guest in (before or {}).get("attendees") or ()}
    out: dict[str, dict[str, Any]] = {}
    for guest in guests:
        address = guest["email"].strip()
        user = next(iter(call.collection("user").find("email", address)), None)
        contact = next(iter(call.collection("contact").find("email", address)), None) if user is None else None
        known: Members = user or contact or {}
        out[address.casefold()] = {
            "id": known_ids.get(address.casefold()) or guest.get("id") or call.new_id("attendee_"),
            "name": guest.get("name") or known.get("name") or address.partition("@")[0],
            "email": address,
            "role": guest.get("role") or "required",
            "status": guest.get("status") or "pending",
            "user_id": user["id"] if user is not None else None,
            "contact_id": contact["id"] if contact is not None else None,
        }
    return list(out.values())


@serves(CalendarEvents.set_status)
def set_status(call: Context, event_id: str, status: str) -> Document:
    """Set the status of an event."""
    doc = EVENTS.writable(call, event_id)
    return EVENTS.answer(call, EVENTS.change(call, doc, EVENTS.stored_form(call, {"status": status}, doc)))


# -- the outcome -----------------------------------------------------------------------------------------------------


@serves(CalendarEvents.outcome)
def outcome(call: Context, event_id: str, outcome: Members) -> Document:
    """Record the outcome of an event, complete it, and create the required follow-up, once."""
    doc = EVENTS.writable(call, event_id)
    if doc["status"] == "cancelled":
        raise Problem("MEETING_CANCELLED", "the event was cancelled; nothing came of it")
    asked = outcome.get("follow_up_date")
    if asked is not None and asked <= doc["start_time"]:
        raise invalid("follow_up_date", "min", "a follow-up begins after the meeting it follows")
    noted: dict[str, Any] = {**_OUTCOME, **outcome, "follow_up_required": bool(outcome.get("follow_up_required"))}
    if noted["sentiment_score"] is None:
        noted["sentiment_score"] = round(tone(noted["summary"]).score * 100)
    changes: dict[str, Any] = {
        "outcome": noted,
        "status": "completed",
        "sentiment": name_of_score(noted["sentiment_score"] / 100),
        "ai_analysis": analysis(None, noted["summary"])["ai_analysis"],
    }
    if noted["follow_up_required"]:
        follow_up = call.collection("activity").get(doc.get("follow_up_event_id") or "")
        if follow_up is None:
            follow_up = _follow_up(call, doc, noted)
        elif asked is not None and follow_up["start_time"] != asked:
            length = follow_up["end_time"] - follow_up["start_time"]
            moved = {"start_time": asked, "end_time": asked + length, "occurred_at": asked}
            follow_up = EVENTS.change(call, follow_up, {**moved, **reminders.sent_again(follow_up, call.now)})
        changes["outcome"] = noted | {"follow_up_date": follow_up["start_time"]}
        changes["follow_up_event_id"] = follow_up["id"]
        contact = call.collection("contact").get(doc.get("contact_id") or "")
        if contact is not None:
            follow_up_contact(call, contact, follow_up["start_time"])
    return EVENTS.answer(call, EVENTS.change(call, doc, changes))


def _follow_up(call: Context, doc: Document, noted: Members) -> Document:
    """Create the follow-up of an event: at the given time, else a week later at a free time in business hours."""
    start, minutes = noted["follow_up_date"], usual_minutes(call, doc["owner_id"])
    if start is None:
        hours = Hours.of(call, user_of(call, doc["owner_id"]))
        # Added on the owner's clock, so that 10:00 stays 10:00 across a change of the clocks.
        wanted = as_utc(doc["start_time"].astimezone(hours.zone) + _FOLLOW_UP_AFTER)
        taken = busy(call, doc["owner_id"], doc.get("contact_id"))
        start = first_free(hours, taken, max(wanted, call.now), minutes, usual_room(call, doc["owner_id"]))
    steps = "\n".join(f"- {step}" for step in noted["next_steps"])
    guests = [
        guest | {"id": None, "status": guest["status"] if guest.get("role") == "host" else "pending"}
        for guest in doc["attendees"]
    ]
    members = EVENTS.stored_form(
        call,
        {
            "title": f"Follow-up: {doc['title']}"[:255],
            "description": f"{noted['summary']}\n\n{steps}".strip(),
            "start_time": start,
            "end_time": start + timedelta(minutes=minutes),
            "type": "follow-up",
            # Either may have been deleted since.
            "contact_id": doc["contact_id"] if doc["contact_id"] in call.collection("contact") else None,
            "contact_name": doc["contact_name"],
            "contact_company": doc["contact_company"],
            "deal_id": doc["deal_id"] if doc["deal_id"] in call.collection("deal") else None,
            "owner_id": doc["owner_id"],
            "location": doc["location"],
            "meeting_link": doc["meeting_link"],
            "attendees": guests,
            "priority": doc["priority"],
            "tags": list(doc["tags"]),
        },
    )
    return EVENTS.add(call, members)


EVENTS = Noun(
    resource=CalendarEvents,
    kind="event",
    model=CalendarEvent,
    stored_as="activity",
    own=("list",),
    forms={"title": required_text("title")},
    refers=REFERS,
    defaults=DEFAULTS,
    computed=("reminders_since",),
    check=_check,
    follow=_follow,
    shown=lambda call, doc: as_seen(call, with_current_preparation(call, doc)),
    published=as_published,
)
