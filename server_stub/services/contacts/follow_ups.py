"""Follow-ups of contacts: the owner is notified when one falls due."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ...data.document import Document
from ...serving import Collections, Context, reacts
from ...timetable import Appointment, falls_due, plan
from ..notifications import notify

_KEPT = timedelta(days=14)
"""The time until the notification of a follow-up expires."""


def planned(at: datetime | None) -> dict[str, Any]:
    """Return the members of a contact with a follow-up at a time, of which its owner is to be notified."""
    return {"next_follow_up": at, "follow_up_open": at is not None}


def _next_due(collections: Collections) -> datetime | None:
    waiting = collections("contact").find("follow_up_open", True)
    return min((contact["next_follow_up"] for contact in waiting), default=None)


DUE = Appointment("contacts.follow_up", _next_due)


@reacts("contact.created", "contact.updated", "contact.deleted", "contact.merged", "activity.updated")
def schedule_next(call: Context, entry: Document) -> None:
    """Note when the next follow-up of the company falls due."""
    contact = call.collection("contact").get(entry["entity"]["id"])
    is_new = contact is not None and "follow_up_open" not in contact
    if contact is not None and (is_new or any(change["field"] == "next_follow_up" for change in entry["changes"])):
        call.collection("contact").put(contact | planned(contact["next_follow_up"]))
    plan(call.collection, DUE)


@falls_due(DUE)
def fall_due(call: Context) -> None:
    """Notify the owners of contacts whose follow-ups have fallen due. Nobody has edited them: their version stays."""
    for contact in call.collection("contact").find("follow_up_open", True):
        if contact["next_follow_up"] > call.now:
            continue
        call.collection("contact").put(contact | {"follow_up_open": False})
        if call.found("user", contact["owner_id"] or "") is not None:
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
