"""Backups on the clock: by the setting ``backup.schedule``, and as many as ``backup.keep`` says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ...data.document import Document
from ...data.schedules import next_time, next_time_of_last
from ...problems import Problem
from ...request.access.plans import check_limit, has_feature
from ...request.settings import SETTINGS, id_of
from ...serving import Collections, Context, reacts
from ...timetable import Appointment, falls_due, plan
from .. import company
from . import making
from .counting import BACKUP, counted_backups
from .records import BACKUPS, require_idle, setting

_KEY = "backup.schedule"
_STATE = "backup_schedule"
"""The collection with the time after which the next backup is due."""
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def schedule_of(text: str) -> Mapping[str, Any] | None:
    """Return the times that the setting names; None for ``off``."""
    if text == "off":
        return None
    frequency, *rest = text.split()
    found: dict[str, Any] = {"frequency": frequency, "at": rest[-1] if rest else "00:00"}
    return found | ({"weekday": _WEEKDAYS.index(rest[0])} if frequency == "weekly" else {})


def _schedule(collections: Collections, tenant: Document) -> Mapping[str, Any] | None:
    doc = collections("setting").get(id_of("tenant", tenant["id"], _KEY))
    return schedule_of(doc["value"] if doc is not None else SETTINGS[_KEY].default)


def _next(collections: Collections) -> Iterator[datetime]:
    tenant = collections("tenant").first()
    if tenant is None or tenant["status"] == "cancelled" or not has_feature(tenant, "backups"):
        return
    schedule, state = _schedule(collections, tenant), collections(_STATE).get(_STATE)
    if schedule is None:
        return
    zone = ZoneInfo(tenant.get("timezone") or "UTC")
    at = state["next_at"] if state is not None else next_time(schedule, tenant["updated_at"], zone)
    if at is not None:
        yield at


DUE = Appointment("scheduled backups", _next)


def _plan_after(call: Context, after: datetime) -> None:
    """Store when the next backup is due; of those that were missed only the last is made."""
    schedule = _schedule(call.collection, call.tenant)
    zone = company.zone(call)
    at = next_time_of_last(schedule, after, call.server.clock.now(), zone, most=1) if schedule is not None else None
    if at is not None:
        call.collection(_STATE).put(Document(id=_STATE, next_at=at))
    elif _STATE in call.collection(_STATE):
        call.collection(_STATE).remove(_STATE)
    plan(call.collection, DUE)


@reacts("configuration.settings_updated", "tenant.plan_changed", "tenant.updated", "tenant.features_updated")
def plan_anew(call: Context, entry: Document) -> None:
    """Plan the next backup by the schedule, plan and features that are in force now."""
    if entry["action"] != "configuration.settings_updated" or _KEY in entry["metadata"]["keys"]:
        _plan_after(call, call.now)


@falls_due(DUE)
def run_due(call: Context) -> None:
    """Make the backup that is due, unless a later one is due as well; delete those that are more than are kept."""
    schedule = _schedule(call.collection, call.tenant)
    zone = company.zone(call)
    following = next_time(schedule, call.now, zone) if schedule is not None else None
    if following is not None and following <= call.server.clock.now():
        _plan_after(call, call.now)
        return
    _make(call)
    _forget(call)
    _plan_after(call, call.now)


def _make(call: Context) -> None:
    """Make a backup; where the plan allows no more, the oldest of the schedule makes room."""
    try:
        require_idle(call)
    except Problem:  # the one that goes on is as good
        return
    backup = making.new(call, making.scope_of(None, None), "scheduled")
    try:
        with call.server.store.transaction():
            others = [doc for doc in counted_backups(call) if doc["id"] != backup["id"]]
            oldest = next((doc for doc in others if doc["trigger"] == "scheduled"), None)
            try:
                check_limit(call.tenant, "backups", len(others))
            except Problem:
                if oldest is None:
                    raise
            else:
                oldest = None
            making.make(call, backup)
            if oldest is not None:
                BACKUPS.remove(call, oldest)
    except Problem as problem:
        making.fail(call, backup, problem)


def _forget(call: Context) -> None:
    """Delete the oldest backups of the schedule that are more than are kept; the last good one stays."""
    own = [doc for doc in call.collection(BACKUP).all() if doc["trigger"] == "scheduled"]
    keep = max(setting(call, "keep"), 1)
    for backup in own[: max(len(own) - keep, 0)]:
        with suppress(Problem):  # it is the last good one, or being restored
            BACKUPS.remove(call, backup)
