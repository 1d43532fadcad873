"""The activities of a deal, recorded through the deal: they are activities of the company."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from crm_sdk.resources.deals import DealActivities

from ...problems import invalid
from ...serving import Context, Members, serves
from ..activities import records as activities
from ..calendar.working_time import usual_minutes
from ..contacts.talks import analysis
from .records import DEALS

_KINDS: Mapping[str, str] = {
    "call": "call",
    "email": "email",
    "proposal": "note",
    "meeting": "event",
    "demo": "event",
    "note": "note",
}
"""The kind of activity as which each type of deal activity is stored."""
_AHEAD = timedelta(days=3_660)


@serves(DealActivities.create)
def record(call: Context, deal_id: str, activity: Members) -> dict[str, Any]:
    """Record an activity on a deal, and recompute its figures."""
    deal = DEALS.writable(call, deal_id)
    description = activity["description"].strip()
    type, date = activity["type"], activity["date"]
    if date > call.now + _AHEAD:
        raise invalid("date", "max", f"an activity is at most {_AHEAD.days} days ahead")
    kind = _KINDS[type]
    own = {"type": type, "outcome": activity.get("outcome"), "next_step": activity.get("next_step")}
    title = description.partition("\n")[0][:255]
    doc = activities.add(
        call,
        kind,
        {
            **_activity_members(call, kind, type, date, title, description),
            "title": title,
            "description": description,
            "owner_id": call.caller.user_id or deal["owner_id"],
            "contact_id": deal["contact_id"],
            "deal_id": deal["id"],
            "account_id": deal["account_id"],
            "contact_name": deal["contact_name"],
            "contact_company": deal["company"],
            "occurred_at": date,
            "deal_activity": own,
            **analysis(None, description),
        },
    )
    return {"id": doc["id"], "date": date, "description": description, **own}


def _activity_members(call: Context, kind: str, type: str, date: Any, title: str, text: str) -> dict[str, Any]:
    """Return the members of an activity of a kind for a text and a time."""
    if kind == "email":
        return {"subject": title, "to": [], "body_text": text, "sent_at": date}
    if kind == "note":
        return {"body": text, "tags": ["proposal"] if type == "proposal" else []}
    status = "completed" if kind == "call" or date <= call.soon else "scheduled"
    if kind == "call":
        return {"start_time": date, "status": status}
    what = "demo" if type == "demo" else "meeting"
    end = date + timedelta(minutes=usual_minutes(call, call.caller.user_id))
    return {"start_time": date, "end_time": end, "status": status, "type": what}
