"""The rule of the status: the services, their incidents, and whether the data could be brought back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from crm_sdk.resources.monitoring import Monitoring

from ...data.document import Document
from ...request.settings import value_of
from ...serving import Context, serves
from .services import SERVICES, check_service, incidents, indicator, states

_ENDED = ("succeeded", "failed")


@serves(Monitoring.status)
def status(call: Context, service: str | None, since: datetime | None) -> dict[str, Any]:
    """Return the state of the services."""
    if service is not None:
        check_service(service)
    names = SERVICES if service is None else (service,)
    found = states(call, names)
    start = call.server.meters.start
    return {
        "indicator": indicator(found),
        "time": call.now,
        "services": found,
        "incidents": incidents(call, names, max(since or start, start)),
        "recovery": _recovery(call),
    }


def _recovery(call: Context) -> dict[str, Any]:
    """Return whether the backups of the company are fresh, and what the latest drill found."""
    hours = value_of(call.collection, call.caller, "backup.rpo_hours")
    backups = [doc for doc in call.collection("backup") if doc["status"] in _ENDED]
    last = max(backups, key=_end_of, default=None)
    good = max((doc for doc in backups if doc["status"] == "succeeded"), key=_end_of, default=None)
    restores = [job for job in call.collection("job").find("kind", "backup_restore") if job["status"] in _ENDED]
    drill = max((job for job in restores if job["payload"]["mode"] == "drill"), key=_end_of, default=None)
    done = max((job for job in restores if job["status"] == "succeeded"), key=_end_of, default=None)
    return {
        "last_backup_at": _end_of(last) if last is not None else None,
        "last_backup_ok": last["status"] == "succeeded" if last is not None else None,
        "rpo_hours": hours,
        "rpo_met": good is not None and call.now - _end_of(good) <= timedelta(hours=hours),
        "last_drill_at": _end_of(drill) if drill is not None else None,
        "last_drill_ok": drill["status"] == "succeeded" if drill is not None else None,
        "estimated_restore_seconds": round(done["result"]["duration_seconds"]) if done is not None else None,
    }


def _end_of(doc: Document) -> Any:
    return doc["finished_at"]
