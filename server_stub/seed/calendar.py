"""Completes the meetings of the demo data, and puts the first users' weeks: gone by, ahead, and some that clash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from crm_sdk.models.activities import CalendarEvent

from ..data.blanks import blank
from ..data.document import Document
from .records import Records
from .setup.company import Person


class Slot(NamedTuple):
    """An event of a demo week."""

    key: str
    day: int
    """From the Monday of the week in which the clock starts."""
    clock: str
    minutes: int
    type: str
    title: Mapping[str, str]
    guest: bool = True
    priority: str = "medium"
    place: str | None = None
    """``theirs`` is where the guest is; None is online."""
    outcome: Mapping[str, Any] | None = None


_AGREED = {
    "summary": "A very good talk: they are happy with the trial and want a quote for forty seats.",
    "next_steps": ["Send the quote", "Name a reference customer"],
    "sentiment_score": 70,
    "key_decisions": ["The trial goes on for two weeks"],
    "follow_up_required": True,
    "follow_up_date": None,
    "meeting_rating": 4,
}
_COOL = {
    "summary": "They have concerns about the price and look at a competitor as well.",
    "next_steps": ["Compare both offers"],
    "sentiment_score": -35,
    "key_decisions": [],
    "follow_up_required": False,
    "follow_up_date": None,
    "meeting_rating": 3,
}
_WEEK: Sequence[Slot] = (
    Slot("kickoff", -4, "10:00", 60, "meeting", {"en": "Kick-off", "de": "Auftakt"}, outcome=_AGREED),
    Slot("trial", -3, "14:00", 45, "demo", {"en": "Product demo", "de": "Vorführung"}, outcome=_COOL),
    Slot("standup", 0, "09:00", 30, "internal", {"en": "Pipeline review", "de": "Pipeline-Runde"}, guest=False),
    Slot("terms", 3, "14:00", 60, "meeting", {"en": "Contract terms", "de": "Vertragsdetails"}, priority="high"),
    Slot("callback", 3, "14:30", 30, "call", {"en": "Call back", "de": "Rückruf"}),  # over the one before
    Slot("visit", 4, "10:00", 60, "meeting", {"en": "Visit on site", "de": "Besuch vor Ort"}, place="theirs"),
    Slot("tour", 4, "11:15", 60, "demo", {"en": "Demo on site", "de": "Vorführung vor Ort"}, place="theirs"),  # far off
    Slot("next", 7, "10:00", 30, "follow-up", {"en": "Follow-up: Kick-off", "de": "Nachfassen: Auftakt"}),
    Slot("board", 7, "10:30", 60, "internal", {"en": "Forecast", "de": "Prognose"}, guest=False, priority="high"),
    Slot("dentist", 8, "08:00", 45, "personal", {"en": "Dentist", "de": "Zahnarzt"}, guest=False),
)
_DESCRIPTION = {"en": "Open questions and next steps.", "de": "Offene Fragen und nächste Schritte."}


def calendar(records: Records) -> None:
    """Give every meeting what the calendar needs, and put the weeks of the first two users."""
    activities = records.collection("activity")
    for doc in activities.find("kind", "event"):
        guests = [guest | {"id": f"attendee_{doc['id']}_{n}"} for n, guest in enumerate(doc["attendees"])]
        activities.put(doc | {"attendees": guests})
    for person in records.plan.users[:2]:
        _weeks(records, person)


def _weeks(records: Records, person: Person) -> None:
    zone = ZoneInfo(records.plan.timezone)
    today = records.now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    deals = [
        deal
        for deal in records.collection("deal")
        if deal["owner_id"] == person.id and deal["status"] == "open" and deal["contact_id"] is not None
    ]
    wanted = iter(deals * len(_WEEK))
    followed: Document | None = None
    for slot in _WEEK:
        hour, minute = map(int, slot.clock.split(":"))
        start = datetime.combine(monday + timedelta(days=slot.day), time(hour, minute), zone).astimezone(
            records.now.tzinfo
        )
        deal = next(wanted, None) if slot.guest else None
        if slot.key == "next" and followed is not None:
            deal = records.collection("deal").get(followed["deal_id"] or "")
        doc = _event(records, person, slot, start, deal)
        if slot.key == "kickoff":
            followed = doc
        elif slot.key == "next" and followed is not None:
            agreed = followed["outcome"] | {"follow_up_date": start}
            records.collection("activity").put(followed | {"outcome": agreed, "follow_up_event_id": doc["id"]})


def _event(records: Records, person: Person, slot: Slot, start: datetime, deal: Document | None) -> Document:
    contact = records.collection("contact").get(deal["contact_id"]) if deal is not None else None
    id = f"event_{person.id.removeprefix('user_')}_{slot.key}"
    end, made = start + timedelta(minutes=slot.minutes), min(start, records.now) - timedelta(days=5)
    address: Mapping[str, Any] = (contact["address"] if contact is not None else None) or {}
    place = ", ".join(str(address[name]) for name in ("street", "city", "country") if address.get(name))
    guests = [_guest(id, 0, person.name, person.email, "host", "accepted") | {"user_id": person.id}]
    if contact is not None and contact["email"]:
        status = "accepted" if slot.priority == "high" else "pending"
        guest = _guest(id, 1, contact["name"], contact["email"], "required", status)
        guests.append(guest | {"contact_id": contact["id"]})
    over = end <= records.now
    link = f"https://meet.{records.plan.slug}.test/{id}" if slot.guest and slot.place is None else None
    return records.collection("activity").put(
        Document(
            blank(CalendarEvent)
            | {
                "id": id,
                "title": slot.title.get(records.plan.locale, slot.title["en"]),
                "description": _DESCRIPTION.get(records.plan.locale) if slot.guest else None,
                "owner_id": person.id,
                "contact_id": contact["id"] if contact is not None else None,
                "contact_name": contact["name"] if contact is not None else None,
                "contact_company": contact["company"] if contact is not None else None,
                "account_id": contact["account_id"] if contact is not None else None,
                "deal_id": deal["id"] if deal is not None else None,
                "start_time": start,
                "end_time": end,
                "occurred_at": start,
                "type": slot.type,
                "status": "completed" if over else "confirmed" if slot.priority == "high" else "scheduled",
                "priority": slot.priority,
                "location": (place or None) if slot.place == "theirs" else None,
                "meeting_link": link,
                "attendees": guests,
                "timezone": records.plan.timezone,
                "outcome": dict(slot.outcome) if slot.outcome is not None and over else None,
                "created_by": person.id,
                "created_at": made,
                "updated_at": made,
            }
        )
    )


def _guest(id: str, number: int, name: str, email: str, role: str, status: str) -> dict[str, Any]:
    return {
        "id": f"attendee_{id}_{number}",
        "name": name,
        "email": email,
        "role": role,
        "status": status,
        "user_id": None,
        "contact_id": None,
    }
