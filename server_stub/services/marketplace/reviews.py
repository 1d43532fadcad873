"""The review of what developers submit: it takes an hour on the clock, and looks for what a listing lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from ...data.document import Document
from ...serving import Collections, Context
from ...timetable import Appointment, plan
from .words import permission_for

KIND = "app_review"
"""The kind of the records of what is in review, in the developer's company; their ids are those of the apps."""
TAKES = timedelta(minutes=60)


def _times(collections: Collections) -> Iterator[datetime]:
    return (entry["due_at"] for entry in collections(KIND))


REVIEW = Appointment("app review", _times)


def submit(call: Context, app: Document, version_id: str | None = None) -> None:
    """Begin the review of an app, or of a version of it."""
    call.collection(KIND).put(Document(id=app["id"], version_id=version_id, due_at=call.now + TAKES))
    plan(call.collection, REVIEW)


def shortcomings(app: Mapping[str, Any]) -> list[str]:
    """Return what an app's listing lacks; nothing where it is complete."""
    pricing, found = app["pricing"], list[str]()
    if app["events"] and not app["webhook_url"]:
        found.append("it subscribes to events and has no webhook_url that they could be posted to")
    asked = {*app["permissions"], *app["optional_permissions"]}
    lacking = sorted({permission_for(event) for event in app["events"]} - asked)
    if lacking:
        found.append(f"it subscribes to events without the permission to read them: {', '.join(lacking)}")
    if pricing["model"] in ("subscription", "one_time") and not (pricing.get("amount") and pricing.get("currency")):
        found.append(f"its pricing is {pricing['model']} and names no amount and currency")
    if pricing["model"] == "subscription" and not pricing.get("interval"):
        found.append("its pricing is subscription and does not say how often it is paid")
    return found
