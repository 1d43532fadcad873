"""The company's calendar day by day, who is free when, and meetings at a time that suits all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from crm_sdk.resources.activities import Activities, ActivityCalendar

from ...data import normalise
from ...data.document import Document
from ...problems import FieldError, Problem, invalid, validation
from ...serving import Context, Members, serves
from ..calendar.conflicts import clashes, gravest_first
from ..calendar.records import EVENTS
from ..calendar.working_time import (
    Hours,
    as_utc,
    is_in_calendar,
    takes_time,
    user_of,
    usual_minutes,
    usual_room,
    zone_of,
)
from . import invitations
from .clashes import Person, blocks, check_free, first_for_all, rate, slots
from .privacy import is_hidden
from .records import as_it_is
from .recurrence import spans

_LONGEST_VIEW, _LONGEST_SEARCH = timedelta(days=92), timedelta(days=62)
_DAYS = {"day": 1, "week": 7, "agenda": 14}
_SHOWN = ("event", "task", "call")
_AHEAD = timedelta(days=14)


def _zone(call: Context, name: str | None) -> ZoneInfo:
    """Return the named zone, else the caller's. Raises 422 for none there is."""
    return ZoneInfo(str(normalise.timezone(name))) if name else zone_of(call, user_of(call, call.caller.user_id))


def _check_window(start: datetime, end: datetime, longest: timedelta) -> None:
    if end - start > longest:
        raise invalid("end", "max", f"a window has at most {longest.days} days")


# -- the view --------------------------------------------------------------------------------------------------------


@serves(ActivityCalendar.get)
def get(
    call: Context,
    start: datetime,
    end: datetime | None,
    view: str,
    user_ids: Sequence[str] | None,
    team_id: str | None,
    kinds: Sequence[str] | None,
    timezone: str | None,
) -> dict[str, Any]:
    """Show calendars day by day, with what clashes."""
    zone = _zone(call, timezone)
    end = end if end is not None else _end_of(start, view, zone)
    _check_window(start, end, _LONGEST_VIEW)
    users = _users(call, user_ids, team_id)
    items = sorted(
        _items(call, users, kinds or _SHOWN, start, end), key=lambda item: (item["start"], item["activity"]["id"])
    )
    return {
        "start": start,
        "end": end,
        "timezone": zone.key,
        "view": view,
        "days": list(_days(call, items, start, end, zone)),
        "conflicts": _conflicts(call, users, items, zone),
    }


def _end_of(start: datetime, view: str, zone: ZoneInfo) -> datetime:
    """Return the end of a view on the clock of its zone: a day with a change of the clock is one, too."""
    local = start.astimezone(zone)
    days = _DAYS.get(view)
    if days is None:
        month = local.replace(day=1) + timedelta(days=32)
        beyond = month.replace(day=1)
        days = (beyond.date() - local.replace(day=1).date()).days
    later = (local.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=zone)
    return as_utc(later)


def _users(call: Context, user_ids: Sequence[str] | None, team_id: str | None) -> list[str | None]:
    """Return whose calendars are asked for; the caller's, where nobody is named. None is the whole company's."""
    if user_ids is None and team_id is None:
        return [call.caller.user_id]
    found: list[str | None] = list(user_ids or ())
    if team_id is not None:
        team: Members = call.collection("team").get(team_id) or {}
        members = [user["id"] for user in call.collection("user").all() if team_id in (user.get("team_ids") or ())]
        found += [*(team.get("member_ids") or ()), *members]
    return list(dict.fromkeys(found))


def _items(
    call: Context, users: Sequence[str | None], kinds: Sequence[str], start: datetime, end: datetime
) -> Iterator[dict[str, Any]]:
    activities = call.collection("activity")
    if "event" in kinds:
        events = [
            doc
            for doc in activities.find("kind", "event")
            if doc["status"] not in ("cancelled",) and any(is_in_calendar(doc, user) for user in users)
        ]
        for at, over, doc in spans(events, start, end):
            yield _item(call, doc, at, over)
    for kind, name in (("task", "due_at"), ("call", "start_time")):
        for doc in activities.find("kind", kind) if kind in kinds else ():
            moment: datetime | None = doc.get(name)
            if moment is not None and start <= moment < end and (doc["owner_id"] in users or None in users):
                yield _item(call, doc, moment, doc.get("end_time") or moment)


def _item(call: Context, doc: Document, at: datetime, over: datetime) -> dict[str, Any]:
    seen = as_it_is(call, doc)
    if doc["kind"] == "event" and doc.get("recurrence"):
        seen = seen | {"start_time": at, "end_time": over}
    all_day, hidden = bool(doc.get("all_day")), is_hidden(call, doc)
    return {"activity": seen, "start": at, "end": over, "all_day": all_day, "busy_only": hidden}


def _days(
    call: Context, items: Sequence[Members], start: datetime, end: datetime, zone: ZoneInfo
) -> Iterator[dict[str, Any]]:
    """Give every day of a window; what began before it is on its first day."""
    first = start.astimezone(zone).date()
    by_day: dict[date, list[Members]] = {}
    for item in items:
        by_day.setdefault(max(item["start"].astimezone(zone).date(), first), []).append(item)
    hours: Members = call.tenant.get("business_hours") or {}
    holidays = {str(holiday) for holiday in hours.get("holidays") or ()}
    day = first
    while as_utc(datetime.combine(day, time(), zone)) < end:
        yield {"date": day, "items": by_day.get(day, []), "holiday": "Holiday" if str(day) in holidays else None}
        day += timedelta(days=1)


def _conflicts(
    call: Context, users: Sequence[str | None], items: Sequence[Members], zone: ZoneInfo
) -> list[dict[str, Any]]:
    """Return what clashes in each of the calendars: overlaps, no time between, or to travel."""
    found: list[dict[str, Any]] = []
    for user in users:
        events = [
            item["activity"] | {"start_time": item["start"], "end_time": item["end"], "title": _title(item)}
            for item in items
            if item["activity"]["kind"] == "event"
            and takes_time(item["activity"])
            and is_in_calendar(item["activity"], user)
        ]
        found += [warning for warning in clashes(events, zone, call.now) if warning["type"] != "preparation"]
    return gravest_first(found)


def _title(item: Members) -> str:
    return str(item["activity"].get("title") or "Busy")


# -- who is free -----------------------------------------------------------------------------------------------------


@serves(Activities.availability)
def availability(
    call: Context,
    user_ids: Sequence[str],
    start: datetime,
    end: datetime,
    duration_minutes: int | None,
    timezone: str | None,
    business_hours: bool,
    buffer_minutes: int | None,
) -> dict[str, Any]:
    """Tell when users are busy, and which times are free for whom."""
    zone = _zone(call, timezone)
    _check_window(start, end, _LONGEST_SEARCH)
    users = [call.record("user", id)["id"] for id in dict.fromkeys(user_ids)]
    mine = call.caller.user_id
    length = timedelta(minutes=usual_minutes(call, mine) if duration_minutes is None else duration_minutes)
    room = usual_room(call, mine) if buffer_minutes is None else timedelta(minutes=buffer_minutes)
    around = max(room, timedelta(days=1))  # how good a slot is depends on what is around it and on its whole day
    people = [Person.of(call, id, start - around, end + around) for id in users]
    found = slots(people, start, end, length, business_hours=business_hours, room=room)
    return {
        "timezone": zone.key,
        "duration_minutes": length // timedelta(minutes=1),
        "users": [{"user_id": id, "busy": blocks(call, id, start, end)} for id in users],
        "slots": [
            {
                "start": at,
                "end": at + length,
                "user_ids": [person.id for person in free],
                "score": rate(call, at, length, free, len(people)),
            }
            for at, free in found
        ],
    }


# -- a meeting that suits all ----------------------------------------------------------------------------------------


@serves(Activities.schedule)
def schedule(
    call: Context,
    title: str,
    duration_minutes: int,
    user_ids: Sequence[str],
    contact_ids: Sequence[str] | None,
    emails: Sequence[str] | None,
    start_time: datetime | None,
    earliest: datetime | None,
    latest: datetime | None,
    timezone: str | None,
    type: str,
    deal_id: str | None,
    location: str | None,
    description: str | None,
) -> Document:
    """Book a meeting at a time, or at the first that suits all users, and invite those who attend."""
    users: list[str] = call.resolve("user", user_ids, "user_ids")
    contacts: list[str] = call.resolve("contact", contact_ids or (), "contact_ids")
    owner = call.caller.user_id if call.caller.user_id in users else users[0]
    start = start_time or _first_free(call, users, earliest, latest, duration_minutes)
    given: dict[str, Any] = {
        "title": title,
        "description": description,
        "start_time": start,
        "end_time": start + timedelta(minutes=duration_minutes),
        "type": type,
        "owner_id": owner,
        "deal_id": deal_id,
        "location": location,
        "timezone": timezone or Hours.of(call, user_of(call, owner)).zone.key,
        "attendees": _guests(call, users, contacts, emails or (), owner),
        **({"contact_id": contacts[0]} if contacts else {}),
    }
    members = EVENTS.stored_form(call, given)
    if start_time is not None:
        check_free(call, users, given)
    doc = EVENTS.add(call, members)
    call.emit("meeting.scheduled", "activity", doc)
    invitations.invite(call, doc)
    return EVENTS.answer(call, doc)


def _first_free(
    call: Context, users: Sequence[str], earliest: datetime | None, latest: datetime | None, minutes: int
) -> datetime:
    begin = max(earliest or call.now, call.now)
    end = latest or begin + _AHEAD
    if end - begin > _LONGEST_SEARCH:
        raise invalid("latest", "max", f"a time is looked for in at most {_LONGEST_SEARCH.days} days")
    for start in first_for_all(call, users, begin, end, minutes):
        return start
    raise Problem("NO_SLOT_AVAILABLE", "there is no time within business hours at which all are free")


def _guests(
    call: Context, users: Sequence[str], contacts: Sequence[str], emails: Sequence[str], owner: str
) -> list[dict[str, Any]]:
    """Return those who attend, by their addresses. Raises 422 for a contact that has none."""
    guests: list[dict[str, Any]] = []
    for id in users:
        role = {"role": "host", "status": "accepted"} if id == owner else {"role": "required"}
        guests.append({"email": call.record("user", id)["email"], **role})
    for number, id in enumerate(contacts):
        contact = call.record("contact", id)
        if not contact.get("email"):
            message = f"{contact['name']} has no e-mail address to be invited at"
            raise validation([FieldError(f"contact_ids.{number}", "required", message)])
        guests.append({"email": contact["email"]})
    return guests + [{"email": normalise.email(email, "emails")} for email in emails]
