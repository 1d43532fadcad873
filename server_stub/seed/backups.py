"""The demo schedule of backups: every night, from the one after the start on."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from ..data.document import Document
from ..data.schedules import next_time
from ..data.store import Store
from .setup.company import Plan


def put_schedule(store: Store, plan: Plan, now: datetime) -> None:
    """Put when a company's next backup is due: at two o'clock in its time zone."""
    tenant = store.collection(plan.id, "tenant").get(plan.id)
    zone = ZoneInfo(tenant["timezone"] if tenant is not None else "UTC")
    next_at = next_time({"frequency": "daily", "at": "02:00"}, now, zone)
    store.collection(plan.id, "backup_schedule").put(Document(id="backup_schedule", next_at=next_at))
