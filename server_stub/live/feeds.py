"""What is shown where: which event of the log appears on which feed, under which name, with which payload.

A feed numbers its events from 1 without gaps: the company's ``ws``, the company's ``deals``, ``messages`` and
``contacts``, and each user's ``calendar:<id>`` and ``notifications:<id>``. The numbers are given in the transaction
that writes the event; payloads are only made when somebody listens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from crm_sdk.wire import camel, is_array, is_object, shape_of

from ..data.document import Document
from ..request.rendering import renderer

if TYPE_CHECKING:
    from ..serving import Context

WS = "ws"
"""The feed of ``/ws``."""
_PRIVATE = ("auth.", "notification.", "webhook.")
"""What ``/ws`` does not show."""

Event: TypeAlias = Document
"""An entry of the log: its type, the record as it was, what changed, and what else is said about it."""
Payload: TypeAlias = Callable[[Event], Mapping[str, Any]]
Audience: TypeAlias = Callable[[Mapping[str, Any], Mapping[str, Any]], Iterable[str | None]]


@dataclass(frozen=True, slots=True)
class Shown:
    """How an event appears on a channel."""

    channel: str
    name: str
    payload: Payload
    audience: Audience | None = None
    """Whose channel it is, by the entry and the record; None: the channel of everybody in the company."""


# -- payloads of the channels ----------------------------------------------------------------------------------------


def _record(name: str) -> Payload:
    return lambda event: {name: render_record(event, "flow")}


def _changes(event: Event) -> Mapping[str, Any]:
    return {"id": event["entity"]["id"], "changes": changed_values(event, "flow")}


def _stage(event: Event) -> Mapping[str, Any]:
    deal, said = event["entity"], event["metadata"]
    return {
        "id": deal["id"], "oldStage": said["from"], "newStage": said["to"], "probability": deal.get("probability")
    }  # fmt: skip


def _activity(event: Event) -> Mapping[str, Any]:
    from crm_sdk.models.deals import DealActivity

    return {
        "dealId": event["entity"]["id"],
        "activity": renderer(DealActivity, "flow")(event["metadata"]["activity"]),
    }


def _message(event: Event) -> Mapping[str, Any]:
    return {"conversationId": event["entity"]["conversation_id"], "message": render_record(event, "flow")}


def _unread(event: Event) -> Mapping[str, Any]:
    return {"conversationId": event["entity"]["id"], "count": event["entity"]["unread_count"]}


def _reminder(event: Event) -> Mapping[str, Any]:
    return {"id": event["entity"]["id"], "minutesUntil": event["metadata"]["minutes_until"]}


def _health(event: Event) -> Mapping[str, Any]:
    moved = event["changes"][0]
    return {"id": event["entity"]["id"], "oldScore": moved["before"], "newScore": moved["after"]}


def _id(event: Event) -> Mapping[str, Any]:
    return {"id": event["entity"]["id"]}


def _guests(entry: Mapping[str, Any], activity: Mapping[str, Any]) -> Iterable[str | None]:
    """Give who has an event in the calendar, or had it before the change."""
    yield activity.get("owner_id")
    for guest in activity.get("attendees") or ():
        yield guest.get("user_id")
    for change in entry["changes"]:
        if change["field"] == "owner_id":
            yield change["before"]
        elif change["field"] == "attendees":
            for guest in change["before"] or ():
                yield guest.get("user_id")


def _addressee(entry: Mapping[str, Any], notification: Mapping[str, Any]) -> Iterable[str | None]:
    yield notification.get("user_id")


SHOWN: Mapping[str, Shown] = {
    "deal.created": Shown("deals", "deal:created", _record("deal")),
    "deal.updated": Shown("deals", "deal:updated", _changes),
    "deal.stage_changed": Shown("deals", "deal:stage_changed", _stage),
    "deal.activity_added": Shown("deals", "deal:activity_added", _activity),
    "message.received": Shown("messages", "message:received", _message),
    "conversation.updated": Shown("messages", "conversation:updated", _changes),
    "conversation.unread_count": Shown("messages", "conversation:unread_count", _unread),
    "event.created": Shown("calendar", "event:created", _record("event"), _guests),
    "event.updated": Shown("calendar", "event:updated", _changes, _guests),
    "event.reminder": Shown("calendar", "event:reminder", _reminder, _guests),
    "contact.updated": Shown("contacts", "contact:updated", _changes),
    "contact.health_changed": Shown("contacts", "contact:health_changed", _health),
    "notification.created": Shown("notifications", "notification:new", _record("notification"), _addressee),
    "notification.read": Shown("notifications", "notification:read", _id, _addressee),
    "notification.deleted": Shown("notifications", "notification:deleted", _id, _addressee),
}
"""The events of the channels, by their name in the log; each is on one channel."""
OWN = frozenset(shown.channel for shown in SHOWN.values() if shown.audience is not None)
"""The channels whose feed is one user's own."""
CHANNELS = frozenset(shown.channel for shown in SHOWN.values())


# -- payloads of /ws -------------------------------------------------------------------------------------------------


def _ws_message(event: Event) -> Mapping[str, Any]:
    theirs = event["entity"].get("sender_type") == "contact"
    return {**render_record(event, "mvp"), "sender": "lead" if theirs else "agent"}


def _ws_status(event: Event) -> Mapping[str, Any]:
    said = event["metadata"]
    return {"agentId": event["entity"]["id"], "status": said["status"], "currentTask": said["current_task"]}


def _ws_metric(event: Event) -> Mapping[str, Any]:
    return {camel(name): value for name, value in event["entity"].items() if name != "id"}


def _facts(event: Event) -> Mapping[str, Any]:
    """Give the record, and what happened to it."""
    kind = event["entity_type"]
    return {**render_record(event, "mvp"), f"{kind}Id": event["entity"]["id"], **_plain(event["metadata"])}


_ON_WS: Mapping[str, Payload] = {
    "agent.completed": _facts,
    "integration.error": _facts,
    "message.received": _ws_message,
    "message.sent": _ws_message,
    "agent.status": _ws_status,
    "metrics.update": _ws_metric,
    "deal.stage_changed": lambda event: {**render_record(event, "mvp"), **_stage(event)},
    "contact.health_changed": lambda event: {**render_record(event, "mvp"), **_health(event)},
    "event.reminder": lambda event: {**render_record(event, "mvp"), **_reminder(event)},
}
"""The data of ``/ws`` and of webhooks where it is more than the record."""


# -- what the rest of the server asks --------------------------------------------------------------------------------


def number_on_feeds(call: Context, entry: Mapping[str, Any], entity: Mapping[str, Any]) -> dict[str, int]:
    """Return the next number of an event on every feed that shows it, by feed."""
    event, tenant_id = entry["action"], call.caller.tenant_id
    count = call.server.store.count
    numbers = {} if event.startswith(_PRIVATE) else {WS: count(series(tenant_id, WS))}
    shown = SHOWN.get(event)
    if shown is not None:
        if shown.audience is None:
            feeds = [shown.channel]
        else:
            feeds = [f"{shown.channel}:{user}" for user in dict.fromkeys(shown.audience(entry, entity)) if user]
        for feed in feeds:
            numbers[feed] = count(series(tenant_id, feed))
    return numbers


def series(tenant_id: str, feed: str) -> str:
    """Return what a feed's numbers are counted under."""
    return f"feed:{tenant_id}:{feed}"


def feed_of(channel: str, user_id: str) -> str:
    """Return the feed that a user's channel shows."""
    return f"{channel}:{user_id}" if channel in OWN else channel


def ws_data(event: Event) -> Mapping[str, Any]:
    """Return the data of an event on ``/ws`` and in a webhook: the record, and what a write changed."""
    make = _ON_WS.get(event["type"])
    data = make(event) if make is not None else render_record(event, "mvp")
    return {**data, "changes": changed_values(event, "mvp")} if event["type"].endswith(".updated") else data


def render_record(event: Event, dialect: str) -> dict[str, Any]:
    """Return the record of an event as a dialect shows it; what has no model, under camelCase names."""
    kind, entity = _models().get(event["entity_type"]), event["entity"]
    if event["entity_type"] == "notification":
        from ..services.notifications import in_dialect  # here: the services import what leads to this module

        entity = in_dialect(dialect, entity)
    made: dict[str, Any] = (renderer(kind, dialect) if kind is not None else _plain)(entity)
    return made


def changed_values(event: Event, dialect: str) -> dict[str, Any]:
    """Return the new values of an event's record by camelCase name."""
    shape = shape_of(_models().get(event["entity_type"]), dialect)
    shown = render_record(event, dialect)
    values: dict[str, Any] = {}
    for change in event["changes"]:
        name = change["field"]
        wire_name = shape.names.get(name) if shape is not None else camel(name)
        values[camel(name)] = shown[wire_name] if wire_name in shown else _plain(change["after"])
    return values


def _plain(value: Any) -> Any:
    if is_object(value):
        return {camel(name): _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if is_array(value) else value


@cache
def _models() -> Mapping[str, Any]:
    """Return the model of each kind of record that has one; imported when somebody listens."""
    from crm_sdk.models import (
        accounts,
        activities,
        agents,
        contacts,
        conversations,
        deals,
        integrations,
        leads,
        messages,
        notifications,
    )

    return {
        "account": accounts.Account,
        "activity": activities.Activity,
        "agent": agents.Agent,
        "contact": contacts.Contact,
        "conversation": conversations.Conversation,
        "deal": deals.Deal,
        "integration": integrations.Integration,
        "lead": leads.Lead,
        "message": messages.Message,
        "notification": notifications.Notification,
    }
