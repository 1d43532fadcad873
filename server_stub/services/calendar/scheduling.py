"""The rule of smart scheduling: free times within business hours, the best first, and conflicts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, TypeAdapter

from crm_sdk.resources.calendar import Calendar

from ...data.document import Document
from ...serving import Context, Members, serves
from ..contacts import health as health
from .conflicts import PREPARATION, Plan, clashes, conflicts, gravest_first, travel
from .preparation import deal_behind
from .working_time import Hours, as_utc, busy, events, is_free, user_of, usual_room

_WEEK = timedelta(days=7)
_DAYS_AHEAD, _DAYS_LONGEST = 14, 60
_OFFERED, _OFFERED_A_DAY = 5, 2
_PARTS: Mapping[str, tuple[int, int]] = {"morning": (6, 12), "midday": (11, 14), "afternoon": (12, 18)}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_MOMENT = TypeAdapter(AwareDatetime)
_GRAVE = Decimal(25_000)


@dataclass(frozen=True, slots=True)
class Wishes:
    """The preferred times, in the user's time zone."""

    moments: tuple[datetime, ...] = ()
    clocks: tuple[time, ...] = ()
    weekdays: tuple[int, ...] = ()
    parts: tuple[str, ...] = ()

    @staticmethod
    def read(given: Sequence[datetime | str]) -> Wishes:
        """Parse instants, times of day, weekdays and parts of the day; no others are taken in."""
        moments: list[datetime] = []
        clocks: list[time] = []
        weekdays: list[int] = []
        parts: list[str] = []
        for wish in given:
            word = wish.strip().lower() if isinstance(wish, str) else ""
            if isinstance(wish, datetime):
                moments.append(as_utc(wish))
            elif match := _CLOCK.fullmatch(word):
                clocks.append(time(int(match[1]), int(match[2])))
            elif word in _WEEKDAYS:
                weekdays.append(_WEEKDAYS.index(word))
            elif word in _PARTS:
                parts.append(word)
            else:
                moments.append(as_utc(_MOMENT.validate_python(wish)))
        return Wishes(tuple(moments), tuple(clocks), tuple(weekdays), tuple(parts))

    @property
    def exist(self) -> bool:
        """Tell whether anything is preferred."""
        return bool(self.moments or self.clocks or self.weekdays or self.parts)

    def fit(self, start: datetime, zone: ZoneInfo) -> bool:
        """Return whether an instant matches: a preferred instant, or both the preferred day and time."""
        if start in self.moments:
            return True
        local = start.astimezone(zone)
        if not (self.clocks or self.weekdays or self.parts):
            return False
        hour = local.hour + local.minute / 60
        on_day = not self.weekdays or local.weekday() in self.weekdays
        in_time = not (self.clocks or self.parts) or (
            local.time() in self.clocks or any(_PARTS[part][0] <= hour < _PARTS[part][1] for part in self.parts)
        )
        return on_day and in_time


@dataclass(frozen=True, slots=True)
class Search:
    """The parameters of a search for free times."""

    plan: Plan
    """The meeting to plan; its times are placeholders."""
    minutes: int
    hours: Hours
    taken: Sequence[Members]
    wishes: Wishes
    habit: int | None
    """The hour at which most of the user's meetings begin."""
    contact_zone: ZoneInfo | None
    now: datetime
    room: timedelta = timedelta()
    """How much time stays free before and after the meeting."""

    def at(self, start: datetime) -> Plan:
        """Return the plan at a moment."""
        end = start + timedelta(minutes=self.minutes)
        return Plan(self.plan.title, start, end, self.plan.type, self.plan.location)


@serves(Calendar.smart_scheduling)
def smart_scheduling(
    call: Context,
    duration: int,
    contact_id: str | None,
    deal_id: str | None,
    preferred_times: Sequence[datetime | str] | None,
) -> dict[str, Any]:
    """Suggest times for a meeting, and warn of conflicts."""
    deal: Members | None = call.reference("deal", deal_id, "deal_id")
    partner = contact_id or (deal["contact_id"] if deal is not None else None)
    contact = call.reference("contact", partner, "contact_id")
    own = health.deals_of(call, contact["id"]) if contact is not None else []
    deal, user_id = deal_behind(own, deal), call.caller.user_id
    hours = Hours.of(call, user_of(call, user_id))
    kind = _kind(call, contact, deal)
    title = f"{kind.capitalize()} with {contact['name']}" if contact is not None else "The new meeting"
    search = Search(
        Plan(title, call.now, call.now, kind, _place(call, contact)),
        duration,
        hours,
        busy(call, user_id, contact["id"] if contact is not None else None),
        Wishes.read(preferred_times or ()),
        _habit(events(call, user_id), hours.zone),
        ZoneInfo(contact["timezone"]) if contact is not None and contact.get("timezone") else None,
        call.now,
        usual_room(call, user_id),
    )
    offers = _offers(search)
    plans = [Plan.of(doc) for doc in search.taken]
    asked = [search.at(moment) for moment in search.wishes.moments if moment > call.now]
    warnings = [warning for plan in asked for warning in conflicts(plan, plans, hours.zone, call.now)]
    offered = [search.at(offer["start_time"]) for offer in offers]
    warnings += [warning for plan in offered for warning in conflicts(plan, plans, hours.zone, call.now)]
    coming = [doc for doc in busy(call, user_id) if doc["start_time"] < call.now + _WEEK]
    warnings += clashes(coming, hours.zone, call.now)
    extra = 15 if deal is not None and (deal.get("competitor_mentioned") or Decimal(deal["value"]) >= _GRAVE) else 0
    return {
        "suggested_times": offers,
        "conflict_warnings": gravest_first(warnings),
        "travel_time_estimate": _way(search, plans, asked + offered),
        "preparation_time_needed": PREPARATION[kind] + extra,
    }


def _kind(call: Context, contact: Document | None, deal: Members | None) -> str:
    """Return the type of the meeting, from the stage of the deal or the time of the last contact."""
    if deal is not None:
        return {"prospect": "demo", "qualified": "demo", "closed-won": "follow-up", "closed-lost": "follow-up"}.get(
            str(deal["stage"]), "meeting"
        )
    if contact is None:
        return "internal"
    last = contact.get("last_contact")
    return "follow-up" if last is not None and call.now - last <= health.SILENCE else "meeting"


def _place(call: Context, contact: Document | None) -> str | None:
    """Return the place of a meeting: that of the last meeting, else the contact's address; None for no travel."""
    if contact is None:
        return None
    met = [
        doc
        for doc in call.collection("activity").find("contact_id", contact["id"])
        if doc.get("kind") == "event" and (doc.get("location") or doc.get("meeting_link"))
    ]
    if met:
        return Plan.of(max(met, key=lambda doc: (doc["start_time"], doc["id"]))).location
    address: Members = contact.get("address") or {}
    return ", ".join(str(address[name]) for name in ("street", "city", "country") if address.get(name)) or None


def _habit(docs: Sequence[Members], zone: ZoneInfo) -> int | None:
    hours = Counter(
        doc["start_time"].astimezone(zone).hour
        for doc in docs
        if doc["type"] != "personal" and doc["status"] in ("completed", "confirmed")
    )
    return min(hours, key=lambda hour: (-hours[hour], hour)) if hours else None


def _offers(search: Search) -> list[dict[str, Any]]:
    """Return the best free times, at most two a day, without overlaps."""
    first = search.now.astimezone(search.hours.zone).date()
    latest = max((moment.astimezone(search.hours.zone).date() for moment in search.wishes.moments), default=first)
    days = min(max(_DAYS_AHEAD, (latest - first).days + 2), _DAYS_LONGEST)
    rated: list[tuple[int, datetime, str]] = []
    for ahead in range(days):
        for start in _starts(search, first + timedelta(days=ahead)):
            plan = search.at(start)
            if start > search.now and is_free(search.taken, start, plan.end, search.room):
                confidence, reason = _rate(search, plan, ahead)
                rated.append((confidence, start, reason))
    rated.sort(key=lambda entry: (-entry[0], entry[1]))
    chosen: list[tuple[int, datetime, str]] = []
    a_day: Counter[date] = Counter()
    length = timedelta(minutes=search.minutes)
    for entry in rated:
        day = entry[1].astimezone(search.hours.zone).date()
        if a_day[day] < _OFFERED_A_DAY and all(abs(entry[1] - other[1]) >= length for other in chosen):
            chosen.append(entry)
            a_day[day] += 1
        if len(chosen) == _OFFERED:
            break
    return [
        {"start_time": start, "end_time": start + length, "reason": reason, "confidence": confidence}
        for confidence, start, reason in chosen
    ]


def _starts(search: Search, day: date) -> list[datetime]:
    """Return the instants of a day to check: every half hour, and the preferred ones within business hours."""
    zone, length = search.hours.zone, timedelta(minutes=search.minutes)
    wished = [moment for moment in search.wishes.moments if moment.astimezone(zone).date() == day]
    wished += [as_utc(datetime.combine(day, clock, zone)) for clock in search.wishes.clocks]
    inside = [moment for moment in wished if search.hours.contain(moment, moment + length)]
    return sorted({*search.hours.starts(day, search.minutes), *inside})


def _rate(search: Search, plan: Plan, ahead: int) -> tuple[int, str]:
    """Return the rating of a free time, 0..100, with the reason."""
    zone, local = search.hours.zone, plan.start.astimezone(search.hours.zone)
    points, reasons = 60 - min(ahead, 14), ["free, and within business hours"]
    if search.wishes.fit(plan.start, zone):
        points += 35 if plan.start in search.wishes.moments else 25  # a moment was meant, not a part of the day
        reasons.insert(0, "a preferred time")
    elif search.wishes.exist:
        points -= 10
    same_day = [doc for doc in search.taken if doc["start_time"].astimezone(zone).date() == local.date()]
    near = conflicts(plan, [Plan.of(doc) for doc in same_day], zone, search.now)
    if near:
        points -= sum({"high": 20, "medium": 10, "low": 5}[warning["severity"]] for warning in near)
        reasons.append(f"but mind {', '.join(dict.fromkeys(warning['type'] for warning in near))}")
    else:
        points += 10
        reasons.append("with room before and after")
    points -= 2 * len(same_day)
    if search.habit is not None and local.hour == search.habit:
        points += 5
        reasons.append("at the hour at which you usually meet")
    if search.contact_zone is not None:
        theirs = plan.start.astimezone(search.contact_zone)
        if 9 <= theirs.hour < 17:
            points += 5
        else:
            points -= 15
            reasons.append(f"though it is {theirs:%H:%M} for the contact")
    text = ", ".join(reasons)
    return max(0, min(100, points)), f"{local:%A %H:%M}: {text}"


def _way(search: Search, plans: Sequence[Plan], candidates: Sequence[Plan]) -> int | None:
    """Return the longest travel time from or to other events of these days; None where no travel is needed."""
    days = {plan.start.astimezone(search.hours.zone).date() for plan in candidates}
    ways = [
        travel(search.plan.location, other.location)
        for other in plans
        if other.start.astimezone(search.hours.zone).date() in days
    ]
    return max(ways, default=0) or None
