"""Makes what was said with the contacts of a demo company, and what is planned."""

from __future__ import annotations

from datetime import timedelta

from ...data.document import Document
from ..records import Records, SpokenKind
from .texts import Text


def talk(records: Records) -> None:
    """Put the activities: each contact has a history, some a meeting or a task ahead."""
    for doc in records.collection("contact").all():
        if doc["id"] != "contact_123":
            history(records, doc)
    to_come(records)


def history(records: Records, contact: Document) -> None:
    """Let a contact be content, undecided or cross, and mostly stay so."""
    mood = records.mood(records.random.choice(("qualified", "contacted", "contacted", "unqualified")))
    times = sorted(records.moment(contact["created_at"]) for _ in range(records.random.choice((0, 1, 2, 2, 3, 4))))
    for at in times:
        mine = mood if records.random.random() < 0.75 else records.mood("contacted")
        kind: SpokenKind = records.random.choice(("email", "email", "call", "event", "note"))
        if kind in ("call", "event"):
            at = records.office_hours(at, contact["created_at"])
        records.say(kind, at, records.text(str(contact["language"])[:2], mine), contact=contact)


def to_come(records: Records) -> None:
    """Plan some meetings and tasks, a few of the tasks overdue."""
    contacts = [doc for doc in records.collection("contact") if doc["status"] == "active" and doc["email"]]
    for contact in records.random.sample(contacts, len(contacts) // 8):
        at = (records.now + timedelta(days=records.random.randint(1, 14))).replace(
            hour=10, minute=0, second=0, microsecond=0
        )
        meeting = records.say("event", at, Text("Review", "Open questions and next steps."), contact=contact)
        made = max(contact["created_at"], records.now - timedelta(days=7))
        records.collection("activity").put(meeting | {"created_at": made, "updated_at": made})
        records.collection("contact").put(contact | {"next_follow_up": at, "follow_up_open": True})
    for contact in records.random.sample(contacts, len(contacts) // 10):
        due = (records.now + timedelta(days=records.random.randint(-6, 12))).replace(minute=0, second=0, microsecond=0)
        made = max(contact["created_at"], records.now - timedelta(days=10))
        records.put(
            "activity",
            {
                "title": f"Call {contact['name']} back",
                "type": "call",
                "due_at": due,
                "is_overdue": due < records.now,
                "occurred_at": due,
                "owner_id": contact["owner_id"],
                "contact_id": contact["id"],
                "account_id": contact["account_id"],
                "contact_name": contact["name"],
                "contact_company": contact["company"],
                "created_at": made,
                "updated_at": made,
            },
            shape="task",
        )
