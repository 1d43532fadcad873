"""Puts what there is to do about the demo deals, a series of meetings, and notes that name colleagues."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from ..data.document import Document
from .records import Records

# Title by what the deal's stage asks for, days until it is due, priority.
_STEPS: Mapping[str, tuple[tuple[str, int, str], ...]] = {
    "prospect": (("Find out who decides at {company}", 3, "medium"), ("Ask {contact} for a first call", -2, "high")),
    "qualified": (("Prepare the demo for {company}", 5, "medium"), ("Confirm the budget with {contact}", 1, "high")),
    "proposal": (("Send the proposal to {contact}", -1, "high"), ("Name a reference customer", 8, "low")),
    "negotiation": (("Have the contract checked by legal", 2, "high"), ("Settle the discount", -3, "high")),
}
_DONE = ("Send the minutes to {contact}", "Thank {contact} for the talk")
_DEALS = 24


def agenda(records: Records) -> None:
    """Put tasks about open deals, some overdue and some done, drawn apart from all other demo data."""
    random = Random(f"{records.plan.slug}/agenda")
    opened = [deal for deal in records.collection("deal") if deal["status"] == "open" and deal["contact_id"]]
    for number, deal in enumerate(opened[:_DEALS]):
        steps = _STEPS.get(deal["stage"], ())
        for title, days, priority in random.sample(steps, min(len(steps), 1 + number % 2)):
            _task(records, random, deal, title, days, priority)
        if number % 3 == 0:
            _task(records, random, deal, random.choice(_DONE), -random.randint(5, 20), "medium", done=True)
    _series(records)
    if opened:
        _note(records, opened[0])


def _about(deal: Document) -> dict[str, Any]:
    names = {"contact_name": deal["contact_name"], "contact_company": deal["company"]}
    return {"deal_id": deal["id"], "contact_id": deal["contact_id"], "account_id": deal["account_id"], **names}


def _task(
    records: Records, random: Random, deal: Document, title: str, days: int, priority: str, *, done: bool = False
) -> None:
    zone = ZoneInfo(records.plan.timezone)
    day = records.now.astimezone(zone).date() + timedelta(days=days)
    due = datetime.combine(day, time(random.choice((9, 11, 14, 16))), zone).astimezone(UTC)
    made = max(deal["created_at"], min(due, records.now) - timedelta(days=6))
    words = {"company": deal["company"] or deal["title"], "contact": deal["contact_name"] or "the contact"}
    completed = due - timedelta(hours=3) if done else None
    records.put(
        "activity",
        {
            **_about(deal),
            "title": title.format(**words),
            "owner_id": deal["owner_id"],
            "type": "follow_up" if done else "to_do",
            "priority": priority,
            "due_at": due,
            "status": "completed" if done else "not_started",
            "completed_at": completed,
            "is_overdue": not done and due < records.now,
            "occurred_at": completed or due,
            "created_by": deal["owner_id"] or "system",
            "created_at": min(made, records.now),
            "updated_at": completed or min(made, records.now),
        },
        shape="task",
    )


def _series(records: Records) -> None:
    """Put the weekly meeting of the last seller, which was left out once, and a private appointment."""
    host = next(person for person in reversed(records.plan.users) if person.role != "read_only")
    zone = ZoneInfo(records.plan.timezone)
    monday = records.now.astimezone(zone).date()
    monday -= timedelta(days=monday.weekday())
    for key, title, day, clock, rule, visibility in (
        ("weekly", "Sales meeting", -24, time(16, 30), "FREQ=WEEKLY", "public"),
        ("private", "Appointment", 9, time(12), None, "private"),
    ):
        start = datetime.combine(monday + timedelta(days=day), clock, zone)
        id = f"event_{host.id.removeprefix('user_')}_{key}"
        left_out = (start.replace(tzinfo=None) + timedelta(days=7)).replace(tzinfo=zone).astimezone(UTC)
        guest = {"id": f"attendee_{id}_0", "name": host.name, "email": host.email, "role": "host", "status": "accepted"}
        made = min(start.astimezone(UTC), records.now) - timedelta(days=7)
        records.put(
            "activity",
            {
                "id": id,
                "title": title,
                "owner_id": host.id,
                "start_time": start.astimezone(UTC),
                "end_time": start.astimezone(UTC) + timedelta(minutes=30),
                "occurred_at": start.astimezone(UTC),
                "type": "internal" if rule else "personal",
                "timezone": records.plan.timezone,
                "recurrence": rule,
                "exdates": [left_out] if rule else [],
                "visibility": visibility,
                "attendees": [guest | {"user_id": host.id, "contact_id": None}],
                "created_by": host.id,
                "created_at": made,
                "updated_at": made,
            },
            shape="event",
        )


def _note(records: Records, deal: Document) -> None:
    """Put a note about a deal that names a colleague."""
    one, other = (person for person in records.plan.users[:2])
    at = records.now - timedelta(days=1)
    name = other.email.partition("@")[0]
    records.put(
        "activity",
        {
            "deal_id": deal["id"],
            "contact_name": deal["contact_name"],
            "contact_company": deal["company"],
            "title": f"@{name} please have a look at the offer",
            "body": f"@{name} please have a look at the offer\n\nThe price list of the old year is still in it.",
            "mentions": [other.id],
            "pinned": True,
            "owner_id": one.id,
            "occurred_at": at,
            "created_by": one.id,
            "created_at": at,
            "updated_at": at,
        },
        shape="note",
    )
