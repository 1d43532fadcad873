"""Reports of the audit trail: what was changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

from crm_sdk.resources.audit import AuditReports

from ...data.document import Document
from ...request.access.hiding import Hiding
from ...request.answering.faces import wire_path
from ...serving import Context, serves
from .. import company, ranges
from .logs import readable, shown_entry


@serves(AuditReports.changes)
def changes(
    call: Context,
    entity_type: str | None,
    entity_id: str | None,
    field: str | None,
    user_id: str | None,
    page: int,
    limit: int,
    start_date: date | None,
    end_date: date | None,
    period: str | None,
) -> dict[str, Any]:
    """Return the changes of a range of days, one row per member, with their numbers by member and by actor."""
    entries = readable(call)
    if entity_id is not None and start_date is None and entries:  # the whole history of a record
        first_day = entries[0]["occurred_at"].astimezone(company.zone(call)).date()
        start_date = min(first_day, end_date or first_day)
    whole = ranges.last_year(call, start_date, end_date)
    rows = [
        row
        for row in rows_of(
            call,
            (
                shown_entry(entry)
                for entry in entries
                if whole.has(entry["occurred_at"])
                and entity_type in (None, entry["entity"]["type"])
                and entity_id in (None, entry["entity"]["id"])
                and user_id in (None, entry["actor"]["id"])
            ),
        )
        if field is None or row["field"] == wire_path(field)
    ]
    first = (page - 1) * limit
    return {
        "start_date": whole.start,
        "end_date": whole.end,
        "total": len(rows),
        "items": rows[first : first + limit],
        "page": page,
        "limit": limit,
        "has_next": first + limit < len(rows),
        "by_field": dict(Counter(row["field"] for row in rows)),
        "by_actor": dict(Counter(row["actor"]["id"] for row in rows)),
    }


def rows_of(call: Context, entries: Iterable[Document]) -> list[dict[str, Any]]:
    """Return one row for each change of entries, as they are answered; the values of a new record are no changes."""
    hiding = Hiding(call.caller.hidden, call.server.nouns)
    return [
        {
            **{name: entry[name] for name in ("occurred_at", "actor", "entity", "action")},
            **change,
            "audit_id": entry["id"],
        }
        for entry in entries
        if not entry.get("initial")
        for change in hiding.without_changes(entry)["changes"]
    ]
