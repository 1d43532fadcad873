"""The doors through which activities change: update and delete, of a whole series or of occurrences; reschedule."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crm_sdk.resources.activities import Activities

from ...data.blanks import blank
from ...data.document import Document
from ...problems import Problem, invalid
from ...serving import Context, Members, serves
from ..calendar.records import EVENTS, check_times, next_sequence
from ..calendar.working_time import OVER
from . import invitations
from .clashes import busy_users, check_free
from .kinds import DONE
from .records import ACTIVITIES, changes_of, noun_of
from .recurrence import clock_distance, cut_before, occurrence_of, rest_from, shifted_time, zone_of

_SERIES = frozenset({"recurrence", "exdates", "uid", "series_id", "original_start", "sequence", "external_id"})
"""What an occurrence does not have of its series."""


@serves(Activities.update)
def update(
    call: Context, activity_id: str, changes: Members, occurrence: datetime | None, scope: str, version: int | None
) -> Document:
    """Change an activity, or occurrences of a series."""
    doc = ACTIVITIES.writable(call, activity_id)
    call.lock(doc, version)
    if occurrence is None:
        _check_scope(doc, scope)
        new = noun_of(doc).change(call, doc, changes_of(call, doc, changes))
        return noun_of(new).answer(call, new)
    at = occurrence_of(doc, occurrence)
    whole = _whole(doc, at, scope)
    if whole:
        new = EVENTS.change(call, doc, changes_of(call, doc, changes))
    else:
        part = occurrence_as_event(doc, at, scope)
        given = changes_of(call, part, changes)
        if all(part.get(name) == value for name, value in given.items()):
            return EVENTS.answer(call, doc)  # nothing of the occurrence differs, so it needs no event of its own
        new = split_off(call, doc, at, scope, part | given)
    return EVENTS.answer(call, new)


@serves(Activities.delete)
def delete(call: Context, activity_id: str, occurrence: datetime | None, scope: str, version: int | None) -> None:
    """Delete an activity, or occurrences of a series; of what is to come those who attend are told."""
    doc = ACTIVITIES.writable(call, activity_id, "delete")
    call.lock(doc, version)
    at = None
    if occurrence is not None:
        at = occurrence_of(doc, occurrence)
    else:
        _check_scope(doc, scope)
    if at is None or _whole(doc, at, scope):
        noun_of(doc).remove(call, doc)
        invitations.cancel(call, doc | {"sequence": next_sequence(doc)})
    else:
        new = _take_out(call, doc, at, scope)
        gone = {"sequence": new["sequence"], "and_following": scope == "following"}
        invitations.cancel(call, occurrence_as_event(doc, at, "this") | gone)


def _check_scope(doc: Document, scope: str) -> None:
    """Refuse a part of a series that nobody can tell, or of what is not a series."""
    if scope != "all":
        if not doc.get("recurrence"):
            occurrence_of(doc, doc["created_at"])
        raise invalid("occurrence", "required", "say by `occurrence` which one of the series is meant")


def _whole(doc: Document, at: datetime, scope: str) -> bool:
    """Tell whether all of a series is meant: its first occurrence and those that follow are all of it."""
    return scope == "all" or (scope == "following" and at == doc["start_time"])


def _take_out(call: Context, doc: Document, at: datetime, scope: str) -> Document:
    """Store a series without one occurrence, or without that and all that follow."""
    if scope == "this":
        gone = sorted({*(doc.get("exdates") or ()), at})
        return EVENTS.change(call, doc, {"exdates": gone, "sequence": next_sequence(doc)})
    return EVENTS.change(call, doc, EVENTS.stored_form(call, {"recurrence": cut_before(doc, at)}, doc))


def occurrence_as_event(doc: Document, at: datetime, scope: str) -> Document:
    """Return an occurrence of a series as an event of its own, or as the first of a series."""
    plain = blank(EVENTS.model)
    rule = rest_from(doc, at) if scope == "following" else None
    later = [gone for gone in doc.get("exdates") or () if gone >= at] if scope == "following" else []
    end = at + (doc["end_time"] - doc["start_time"])
    own = {"series_id": doc["id"], "original_start": at, "uid": doc["uid"]} if scope == "this" else {}
    return doc | {name: plain[name] for name in _SERIES} | own | {
        "start_time": at, "end_time": end, "occurred_at": at, "recurrence": rule, "exdates": later,
        "reminders": [entry | {"sent_at": None} for entry in doc["reminders"]],
    }  # fmt: skip


def split_off(call: Context, doc: Document, at: datetime, scope: str, part: Members) -> Document:
    """Take an occurrence, or all that follow, out of a series, and store them as an event of their own."""
    series = _take_out(call, doc, at, scope)
    if scope == "this":  # to calendars it is a part of the series, and no older than that
        part = {**part, "sequence": series["sequence"]}
    members = {name: value for name, value in part.items() if name in EVENTS.model.model_fields and name != "id"}
    return EVENTS.add(call, {**members, "reminders_since": call.now}, metadata={"series_id": doc["id"]})


# -- moving ----------------------------------------------------------------------------------------------------------


@serves(Activities.reschedule)
def reschedule(
    call: Context,
    activity_id: str,
    start_time: datetime,
    end_time: datetime | None,
    reason: str | None,
    notify: bool,
    force: bool,
    occurrence: datetime | None,
    scope: str,
    version: int | None,
) -> Document:
    """Move what is planned; of an event those who attend are asked again."""
    doc = ACTIVITIES.writable(call, activity_id)
    call.lock(doc, version)
    if doc["kind"] not in ("event", "task", "call"):
        raise Problem("NOT_SCHEDULABLE", f"a {doc['kind']} has no time to move", field="start_time")
    if doc["kind"] != "event":
        if occurrence is not None:
            occurrence_of(doc, occurrence)
        return _moved_plainly(call, doc, start_time, end_time, reason)
    at = occurrence_of(doc, occurrence) if occurrence is not None else doc["start_time"]
    if occurrence is None:
        _check_scope(doc, scope)
    if doc["status"] in OVER:
        raise Problem("ACTIVITY_CLOSED", f"the event is {doc['status']}")
    whole = occurrence is None or _whole(doc, at, scope)
    part = doc if whole else occurrence_as_event(doc, at, scope)
    start = moved_start(doc, at, start_time) if whole else start_time
    end = (end_time + (start - start_time)) if end_time is not None else start + (part["end_time"] - part["start_time"])
    moved = {"start_time": start, "end_time": end}
    check_times({**part, **moved})
    if (start, end) == (part["start_time"], part["end_time"]):
        return EVENTS.answer(call, doc)
    guests = [guest if guest["role"] == "host" else guest | {"status": "pending"} for guest in part["attendees"]]
    given = EVENTS.stored_form(call, moved, part) | {"attendees": guests}
    moved_event = part | given
    if not force and moved_event.get("busy") is not False:
        check_free(call, busy_users(moved_event), moved_event, but=doc["id"])
    if whole:
        exdates = [moved_start(doc | {"start_time": gone}, at, start_time) for gone in doc.get("exdates") or ()]
        new = EVENTS.change(call, doc, given | {"exdates": exdates}, reason=reason)
    else:
        new = split_off(call, doc, at, scope, part | given)
    _tell_move(call, new, reason)
    if notify:
        invitations.invite(call, new, "moved")
    return EVENTS.answer(call, new)


def moved_start(doc: Document, at: datetime, to: datetime) -> datetime:
    """Return when a series begins of which the occurrence at a moment moves to another: as much later on its clock."""
    zone = zone_of(doc)
    return shifted_time(doc["start_time"], clock_distance(at, to, zone), zone).astimezone(to.tzinfo)


def _moved_plainly(call: Context, doc: Document, start: datetime, end: datetime | None, reason: str | None) -> Document:
    """Move a task, which is then due, or a call that is still to be made."""
    if doc["status"] in (*DONE, *_ENDED):
        raise Problem("ACTIVITY_CLOSED", f"the {doc['kind']} is {doc['status']}")
    if doc["kind"] == "task":
        if end is not None and end < start:
            raise invalid("end_time", "min", "must not be before the start")
        moved: dict[str, Any] = {"due_at": start if end is None else end}
        if doc["start_time"] is not None:
            length = (doc["due_at"] or doc["start_time"]) - doc["start_time"]
            moved["start_time"] = start if end is not None else start - length
    else:
        length = doc["end_time"] - doc["start_time"] if doc["end_time"] is not None else None
        moved = {"start_time": start, "end_time": end or (start + length if length is not None else None)}
    noun = noun_of(doc)
    new = noun.change(call, doc, noun.stored_form(call, moved, doc), reason=reason)
    if new is not doc:
        _tell_move(call, new, reason)
    return noun.answer(call, new)


_ENDED = ("busy", "no_answer", "failed")
"""What a call may be, beside completed and cancelled, without being planned any more."""


def _tell_move(call: Context, doc: Document, reason: str | None) -> None:
    published = EVENTS.published(doc) if doc["kind"] == "event" else doc
    call.emit("activity.rescheduled", "activity", published, reason=reason)
