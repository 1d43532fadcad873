"""The demo schedules of exports: leads for the warehouse every Monday, and the open deals of a seller's week."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crm_sdk.models.exports import ExportRequest, ExportSchedule

from ..data.blanks import blank
from ..data.document import Document
from ..data.schedules import next_time
from ..data.store import Store
from .setup.company import Plan


def exports(store: Store, plan: Plan, now: datetime) -> None:
    """Put the schedules of a company."""
    admin = plan.users[0]
    seller = next(person for person in plan.users if person.role == "sales")
    opened = {"filters": [{"field": "status", "op": "eq", "value": "open"}]}
    given: tuple[dict[str, Any], ...] = (
        {
            "name": "Leads for the warehouse", "owner_id": admin.id, "mode": "changed", "recipients": [admin.id],
            "request": {"entity_types": ["lead"], "format": "jsonl", "file_name": "leads.jsonl"},
            "schedule": {"frequency": "weekly", "weekday": 0, "at": "02:00"},
        },
        {
            "name": "My open deals", "owner_id": seller.id, "recipients": [seller.email],
            "request": {"entity_types": ["deal"], "format": "xlsx", "filter_groups": {"deal": [opened]}},
            "schedule": {"frequency": "weekly", "weekday": 4, "at": "16:00"},
        },
    )  # fmt: skip
    for number, members in enumerate(given):
        at = now - timedelta(hours=20 - number)
        stamp = {"created_at": at, "updated_at": at, "created_by": members["owner_id"], "version": 1}
        rest = {
            "request": {**blank(ExportRequest), **members["request"]},
            "next_run_at": next_time(members["schedule"], now, ZoneInfo(plan.timezone)),
            "position": None,
            "id": store.new_id("expsched_"),
        }
        doc = Document({**blank(ExportSchedule), **members, **stamp, **rest})
        store.collection(plan.id, "export_schedule").put(doc)
