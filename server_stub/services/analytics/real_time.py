"""What has happened today, compared with yesterday at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from crm_sdk.resources.analytics import AnalyticsMetrics

from ...data.document import Document
from ...problems import Problem
from ...request.access import permissions
from ...request.access.permissions import readable
from ...serving import Context, Members, serves
from .. import company
from ..activities.privacy import is_hidden_id
from ..conversations.state import count_unanswered, messages_of, person_of
from ..deals.scope import Course, Scope, sum_of
from .comparing import Figures, metrics

_UNITS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "leads_today", "deals_created_today", "deals_won_today", "messages_today", "unread_messages",
            "activities_today", "tasks_due_today", "active_users",
        ),
        "count",
    ),
    "revenue_today": "currency",
}  # fmt: skip
_ACTIVE, _MINUTE = timedelta(minutes=5), timedelta(minutes=1)
_EVENTS = 20
"""So many of the latest events are shown."""


@dataclass(frozen=True, slots=True)
class _Day:
    """A day of the company up to a time of it."""

    begins_at: datetime
    now: datetime
    ends_at: datetime

    def has(self, at: datetime | None) -> bool:
        """Tell whether something had happened on the day by then."""
        return at is not None and self.begins_at <= at <= self.now


@serves(AnalyticsMetrics.real_time)
def real_time(call: Context, owner_id: str | None, team_id: str | None) -> dict[str, Any]:
    """Count what has happened today, by whom, and who is working now."""
    is_in = company.owned_by(call, owner_id, team_id)
    courses = Scope(None, owner_id, team_id).courses(call)
    here, day = company.zone(call), timedelta(days=1)
    today = company.today(call)
    yesterday = _Day(
        company.midnight(call, today - day),
        (call.now.astimezone(here) - day).astimezone(call.now.tzinfo),  # by the clock on the wall
        company.midnight(call, today),
    )
    now, before = (
        _figures(call, part, is_in, courses, unread)
        for part, unread in (
            (_Day(yesterday.ends_at, call.now, company.midnight(call, today + day)), _unread(call, is_in)),
            (yesterday, _unread_at(call, yesterday.now, is_in)),
        )
    )
    users = [call.caller.user_id]  # the present request is not in the journal yet
    users += [
        entry.user_id
        for entry in call.server.journal.since(call.now - _MINUTE)
        if entry.tenant_id == call.caller.tenant_id
    ]
    return {
        "as_of": call.now,
        **metrics(_UNITS, now, before),
        "currency": call.tenant["base_currency"],
        "api_requests_last_minute": sum(map(is_in, users)),
        "recent_events": list(islice(_events(call, is_in), _EVENTS)),
    }


def _figures(
    call: Context, day: _Day, is_in: Callable[[str | None], bool], courses: Sequence[Course], unread: int
) -> Figures:
    won = [course for course in courses if course.kind == "won" and day.has(course.closed_at)]
    activities = [doc for doc in readable(call, "activity") if is_in(doc.get("owner_id"))]
    return {
        "leads_today": sum(is_in(doc["owner_id"]) and day.has(doc["created_at"]) for doc in readable(call, "lead")),
        "deals_created_today": sum(day.has(course.deal["created_at"]) for course in courses),
        "deals_won_today": len(won),
        "messages_today": sum(
            day.has(message["timestamp"])
            for conversation in _conversations(call, is_in)
            for message in call.collection("message").find("conversation_id", conversation["id"])
        ),
        "unread_messages": unread,
        "activities_today": sum(day.has(doc["occurred_at"]) for doc in activities),
        "tasks_due_today": sum(_is_due(doc, day) for doc in activities if doc["kind"] == "task"),
        "active_users": len(_active(call, day.now, is_in)),
        "revenue_today": sum_of(call, (course.worth for course in won)),
    }


def _is_due(task: Members, day: _Day) -> bool:
    """Tell whether a task was due on a day, and not done by then."""
    due, done = task["due_at"], task["completed_at"]
    return (
        due is not None
        and day.begins_at <= due < day.ends_at
        and task["status"] != "cancelled"
        and (done is None or done > day.now)
    )


def _active(call: Context, now: datetime, is_in: Callable[[str | None], bool]) -> set[str]:
    """Return the users who made a call within the five minutes before a time, and the caller."""
    found = {
        entry.user_id
        for entry in call.server.journal.since(now - _ACTIVE)
        if entry.tenant_id == call.caller.tenant_id and entry.at <= now
    }
    found |= {call.caller.user_id} if now == call.now else set[str | None]()
    return {id for id in found if id is not None and is_in(id)}


# -- messages --------------------------------------------------------------------------------------------------------


def _conversations(call: Context, is_in: Callable[[str | None], bool]) -> Iterator[Document]:
    """Yield the conversations with the leads and contacts of some owners."""
    for conversation in call.collection("conversation"):
        person = person_of(call, conversation)
        if is_in(person.get("owner_id") if person is not None else None):
            yield conversation


def _unread(call: Context, is_in: Callable[[str | None], bool]) -> int:
    return sum(conversation["unread_count"] for conversation in _conversations(call, is_in))


def _unread_at(call: Context, at: datetime, is_in: Callable[[str | None], bool]) -> int:
    """Return how many messages had come by a time since our last answer: when they were read is not kept."""
    return sum(
        count_unanswered([doc for doc in messages_of(call, conversation["id"]) if doc["timestamp"] <= at])
        for conversation in _conversations(call, is_in)
    )


# -- events ----------------------------------------------------------------------------------------------------------


def _events(call: Context, is_in: Callable[[str | None], bool]) -> Iterator[dict[str, Any]]:
    """Yield the events about records that the caller may see, newest first: those by, or about what is of, an owner."""
    users = call.collection("user")
    for event in call.collection("event").backwards():
        if not may_see(call, event) or not (is_in(event["actor"]["id"]) or is_in(event["entity"].get("owner_id"))):
            continue
        entity = event["entity"]
        actor = users.get(event["actor"]["id"], deleted=True)
        yield {
            "id": event["id"],
            "type": event["type"],
            "entity": {
                "type": event["entity_type"],
                "id": entity["id"],
                "name": entity.get("name") or entity.get("title"),
            },
            "actor": actor and {"id": actor["id"], "name": actor["name"], "avatar": actor.get("avatar")},
            "occurred_at": event["occurred_at"],
        }


def may_see(call: Context, event: Members) -> bool:
    """Tell whether a caller may fetch the record that an event is about; a deleted one that it could be seen."""
    noun = call.server.nouns.get(event["entity_type"])
    get = noun.declared("get") if noun is not None else None
    if noun is None or get is None:
        return False
    try:
        permissions.permit(call.caller, get, "GET")
    except Problem:
        return False
    doc = noun.records(call).get(event["entity"]["id"], deleted=True)
    seen = doc is not None and (noun.visible is None or noun.visible(call, doc)) and noun.in_sight(call, doc)
    return seen and not is_hidden_id(call, event["entity"]["id"])
