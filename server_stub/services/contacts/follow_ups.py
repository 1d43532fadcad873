"""Follow-ups of contacts: the owner is notified when one falls due."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from ...data.document import Document
from ...serving import Collections, Context, reacts
from ...timetable import Appointment, apart, falls_due, plan
from ..notifications import notify

_KEPT = timedelta(days=14)
"""The time until the notification of a follow-up expires."""


def _times(collections: Collections) -> Iterator[datetime]:
    return (contact["next_follow_up"] for contact in collections("contact").find("follow_up_open", True))


DUE = Appointment("contacts.follow_up", _times)


def follow_up(call: Context, contact: Document, at: datetime | None) -> None:
    """Let a contact be followed up at a time, and its owner be notified then; None for no follow-up."""
    was_open = contact.get("follow_up_open")
    call.collection("contact").put(contact | {"next_follow_up": at, "follow_up_open": at is not None})
    if was_open or at is not None:
        plan(call.collection, DUE)


@reacts("contact.created", "contact.updated", "contact.merged", "contact.restored")
def note_follow_up(call: Context, entry: Document) -> None:
    """Note that a write has set, moved or cleared the follow-up of a contact."""
    contact = call.collection("contact").get(entry["entity"]["id"])
    if contact is None:
        return
    if "follow_up_open" not in contact or any(change["field"] == "next_follow_up" for change in entry["changes"]):
        follow_up(call, contact, contact["next_follow_up"])


@reacts("contact.deleted", "contact.merged", "contact.restored")
def plan_next(call: Context, entry: Document) -> None:
    """Note when the next follow-up of the company falls due, now that one may be gone, or back."""
    plan(call.collection, DUE)


@falls_due(DUE)
def fall_due(call: Context) -> None:
    """Notify the owners of contacts whose follow-ups have fallen due. Nobody has edited them: their version stays."""
    for contact in call.collection("contact").find("follow_up_open", True):
        if contact["next_follow_up"] > call.now:
            continue
        with apart(call, contact):
            call.collection("contact").put(contact | {"follow_up_open": False})
            if call.find_one("user", contact["owner_id"] or "") is not None:
                notify(
                    call,
                    contact["owner_id"],
                    "task_due",
                    f"Follow up with {contact['name']}",
                    f"The follow-up with {contact['name']} is due.",
                    about=("contact", contact["id"]),
                    data={"contactName": contact["name"]},
                    expires_at=call.now + _KEPT,
                )
