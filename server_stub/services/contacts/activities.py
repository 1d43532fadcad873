"""The rules of a contact's activities, deals, communication and insights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from crm_sdk.resources.contacts import ContactActivities, ContactCommunication, ContactDeals, Contacts

from ...data.document import Document
from ...data.mapped import Mapped
from ...data.queries.query import filter_by_span, filter_by_values, sort_documents
from ...request.access.permissions import readable
from ...serving import Context, Members, serves
from ..activities import records as activities
from ..activities.privacy import is_hidden
from ..calendar.working_time import usual_minutes
from ..deals.figures import with_current_figures
from ..deals.records import DEALS
from . import health as health
from .insights import insights_of
from .records import CONTACTS
from .talks import analysis

_ACTIVITY_SORTS = ("occurred_at", "due_at", "start_time", "priority", "created_at")
_KINDS: Mapping[str, str] = {"email": "email", "call": "call", "meeting": "event", "note": "note"}
"""The kind of activity each type of communication is kept as."""


@serves(ContactActivities.list)
def list_activities(
    call: Context,
    contact_id: str,
    kind: str | None,
    status: str | None,
    since: datetime | None,
    until: datetime | None,
    sort: str | None,
    order: str | None,
) -> Sequence[Document]:
    """Return the activities a contact is related to or attends, newest first."""
    contact = CONTACTS.find_one(call, contact_id)
    docs: Sequence[Document] = [
        doc for doc in readable(call, "activity") if _takes_part(contact["id"], doc) and not is_hidden(call, doc)
    ]
    docs = filter_by_span(filter_by_values(docs, kind=kind, status=status), "occurred_at", since, until)
    found = sort_documents(docs, sort, order, _ACTIVITY_SORTS, default="occurred_at")
    return Mapped(found, partial(activities.as_it_is, call))


def _takes_part(contact_id: str, activity: Members) -> bool:
    return activity.get("contact_id") == contact_id or any(
        guest.get("contact_id") == contact_id for guest in activity.get("attendees") or ()
    )


@serves(ContactDeals.list)
def list_deals(
    call: Context,
    contact_id: str,
    status: str | None,
    pipeline_id: str | None,
    role: str | None,
    sort: str | None,
    order: str | None,
) -> Sequence[Document]:
    """Return the deals a contact takes part in."""
    contact = CONTACTS.find_one(call, contact_id)
    deals = readable(call, "deal", health.deals_of(call, contact["id"]))
    docs = filter_by_values(deals, status=status, pipeline_id=pipeline_id)
    if role is not None:
        docs = [
            deal
            for deal in docs
            if any(
                part["contact_id"] == contact["id"] and part.get("role", "other") == role
                for part in deal.get("contact_roles") or ()
            )
        ]
    return sort_documents([with_current_figures(call, deal) for deal in docs], sort, order, DEALS.sorts)


@serves(ContactCommunication.create)
def communicate(call: Context, contact_id: str, communication: Members) -> dict[str, Any]:
    """Record a communication as an activity with its sentiment, and recompute the contact."""
    contact = CONTACTS.writable(call, contact_id)
    subject, summary = communication.get("subject"), communication["summary"].strip()
    judged = analysis(subject, summary)
    date = communication["date"]
    kind = _KINDS[communication["type"]]
    activity = activities.add(
        call,
        kind,
        {
            **_activity_members(call, kind, date, subject, summary),
            "title": (subject or "").strip() or summary.partition("\n")[0][:255],
            "owner_id": call.caller.user_id or contact.get("owner_id"),
            "contact_id": contact["id"],
            "account_id": contact.get("account_id"),
            "occurred_at": date,
            **judged,
        },
    )
    said = {"type": communication["type"], "date": date, "subject": subject, "summary": summary}
    return {"id": activity["id"], **said, **judged}


def _activity_members(call: Context, kind: str, date: datetime, subject: str | None, summary: str) -> dict[str, Any]:
    """Return the members that an activity of a kind has for what was said and when."""
    if kind == "email":
        said = subject or summary.partition("\n")[0]
        return {"subject": said, "to": [], "description": summary, "body_text": summary, "sent_at": date}
    if kind == "note":
        return {"body": summary, "description": summary}
    if kind == "call":
        return {"description": summary, "start_time": date, "status": "completed"}
    end = date + timedelta(minutes=usual_minutes(call, call.caller.user_id))
    return {"description": summary, "start_time": date, "end_time": end, "status": "completed"}


@serves(Contacts.ai_insights)
def ai_insights(call: Context, contact_id: str) -> list[dict[str, Any]]:
    """Return the AI's insights about a contact."""
    return insights_of(call, CONTACTS.find_one(call, contact_id))
