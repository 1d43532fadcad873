"""Conflicts in a calendar and their severity: overlaps, and too little time between events, to travel or prepare."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ...data.queries.query import fold
from ...serving import Members
from .working_time import OVER

PREPARATION: Mapping[str, int] = {"demo": 45, "meeting": 30, "call": 15, "follow-up": 15, "internal": 10, "personal": 0}
"""Minutes to prepare an event of a type."""
_BREATH = 15  # minutes between two events, below which they are back to back
_WITHIN, _ACROSS, _FAR = 25, 90, 240  # minutes within a place, to another place, and to another country
_GRAVITY = {"high": 0, "medium": 1, "low": 2}
_ONLINE = re.compile(r"\b(online|video|zoom|teams|meet|phone|telefon|remote|call)\b")
_WORD = re.compile(r"[a-z]{2,}")


@dataclass(frozen=True, slots=True)
class Plan:
    """An event in a calendar, or one that may be added."""

    title: str
    start: datetime
    end: datetime
    type: str = "meeting"
    location: str | None = None
    id: str | None = None

    @staticmethod
    def of(doc: Members) -> Plan:
        """Return the plan of an event."""
        place = doc.get("location") if not doc.get("meeting_link") else None
        type = str(doc.get("type") or "meeting")
        return Plan(str(doc["title"]), doc["start_time"], doc["end_time"], type, place, doc["id"])


def travel(here: str | None, there: str | None) -> int:
    """Return the minutes from one place to another, estimated from their names; 0 where one of them is None.

    The last part of a place after a comma is its country, the one before its city: ``Main St 1, Austin, US``.
    """
    if not here or not there:
        return 0
    first, second = fold(here).strip(), fold(there).strip()
    if first == second or _ONLINE.search(first) or _ONLINE.search(second):
        return 0
    one, other = ([part.strip() for part in place.split(",")] for place in (first, second))
    if len(one) > 2 and len(other) > 2 and one[-1] != other[-1]:
        return _FAR
    if len(one) > 1 and len(other) > 1:
        return _WITHIN if one[-2:] == other[-2:] or (one[-1] == other[-1] and len(one) == len(other) == 2) else _ACROSS
    # A room or a street without its town: near if it shares a word with the other place, otherwise far.
    return _WITHIN if set(_WORD.findall(first)) & set(_WORD.findall(second)) else _ACROSS


def conflicts(plan: Plan, others: Sequence[Plan], zone: ZoneInfo, now: datetime) -> list[dict[str, Any]]:
    """Return the conflicts of a plan with others, and with the time to prepare it."""
    found: list[dict[str, Any]] = []

    def warn(type: str, severity: str, message: str) -> None:
        found.append({"type": type, "message": message, "severity": severity})

    name = f"{plan.title} ({plan.start.astimezone(zone):%a %Y-%m-%d %H:%M})"
    gap_before: float | None = None
    for other in others:
        if other.id == plan.id and plan.id is not None:
            continue
        if other.start < plan.end and plan.start < other.end:
            warn("double-booking", "high", f"{name} overlaps with {other.title}{_span(other, zone)}")
            continue
        gap = _minutes(plan.start - other.end) if other.end <= plan.start else _minutes(other.start - plan.end)
        if gap > _FAR:
            continue
        way = travel(plan.location, other.location)
        if way > gap:
            severity = "high" if way - gap >= 2 * _BREATH else "medium"
            text = f"{name} and {other.title}{_span(other, zone)} lie {way} minutes apart, with {gap:.0f} between them"
            warn("travel-time", severity, text)
        if gap < _BREATH:
            severity = "medium" if gap == 0 else "low"
            text = f"only {gap:.0f} minutes" if gap else "no break"
            warn("back-to-back", severity, f"{name}: {text} between it and {other.title}{_span(other, zone)}")
        if other.end <= plan.start:
            gap_before = gap if gap_before is None else min(gap_before, gap)
    needed, left = PREPARATION.get(plan.type, PREPARATION["meeting"]), _minutes(plan.start - now)
    room = left if gap_before is None else min(left, gap_before)
    if plan.start > now and room < needed:
        severity = "high" if left < needed else "medium" if plan.type == "demo" else "low"
        text = f"{name} needs {needed} minutes of preparation, and {room:.0f} are free before it"
        warn("preparation", severity, text)
    return found


def clashes(docs: Sequence[Members], zone: ZoneInfo, now: datetime) -> list[dict[str, Any]]:
    """Return the conflicts among future events, each pair once."""
    plans = [Plan.of(doc) for doc in docs if doc.get("status") not in OVER and doc["end_time"] > now]
    plans.sort(key=lambda plan: (plan.start, plan.id or ""))
    return [warning for n, plan in enumerate(plans) for warning in conflicts(plan, plans[:n], zone, now)]


def gravest_first(warnings: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return warnings by severity, without duplicates."""
    once = {(warning["type"], warning["message"]): warning for warning in warnings}
    return sorted(once.values(), key=lambda warning: _GRAVITY[warning["severity"]])


def _span(plan: Plan, zone: ZoneInfo) -> str:
    return f" ({plan.start.astimezone(zone):%H:%M}–{plan.end.astimezone(zone):%H:%M})"


def _minutes(length: timedelta) -> float:
    return length.total_seconds() / 60
