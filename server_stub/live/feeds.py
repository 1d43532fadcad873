"""What is shown where: which event of the log appears on which feed, under which name, with which payload.

A feed numbers its events from 1 without gaps: the company's ``ws``, the company's ``deals``, ``messages`` and
``contacts``, and each user's ``calendar:<id>`` and ``notifications:<id>``. The numbers are given in the transaction
that writes the event; payloads are only made when somebody listens. What is shown of an event, the service it is about
says with `shows`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from crm_sdk.wire import camel, is_array, is_object, shape_of

from ..data.document import Document
from ..request.rendering import renderer
from ..serving import RecordType

if TYPE_CHECKING:
    from ..serving import Context

WS = "ws"
"""The feed of ``/ws``."""
_PRIVATE = ("auth.", "notification.", "webhook.")
"""What ``/ws`` does not show."""

Event: TypeAlias = Document
"""An entry of the log: its type, the record as it was, what changed, and what else is said about it."""
Audience: TypeAlias = Callable[[Mapping[str, Any], Mapping[str, Any]], Iterable[str | None]]
"""Gets the entry of the audit trail and the record; returns the ids of the users on whose feeds the event appears."""


@dataclass(frozen=True, slots=True)
class Showing:
    """That an event appears on a feed: what a `shows` mark says."""

    event: str
    channel: str
    name: str
    audience: Audience | None = None


Payload: TypeAlias = Callable[["Feeds", Event], Mapping[str, Any]]
Make = TypeVar("Make", bound=Payload)


def shows(event: str, *, channel: str = WS, name: str = "", audience: Audience | None = None) -> Callable[[Make], Make]:
    """Mark a function as what makes the payload of an event on a channel, where it is called `name`.

    Without a channel it makes the data of ``/ws`` and of webhooks, for an event of which they show more than the
    record. With an audience the channel is each user's own, else it is the company's.
    """

    def mark(make: Make) -> Make:
        shown: tuple[Showing, ...] = vars(make).get("__shows__", ())
        vars(make)["__shows__"] = (*shown, Showing(event, channel, name or event, audience))  # read by the collector
        return make

    return mark


class Feeds:
    """What the services show of events: the payloads by event, and the models of the records that events are about."""

    def __init__(self, shown: Iterable[tuple[Showing, Payload]], records: Mapping[str, RecordType]) -> None:
        self._records = records
        self._data: dict[str, Payload] = {}
        self._channels: dict[str, tuple[Showing, Payload]] = {}
        for showing, make in shown:
            if showing.event in (self._data if showing.channel == WS else self._channels):
                raise TypeError(f"{make.__module__}.{make.__qualname__}: {showing.event} is shown there already")
            if showing.channel == WS:
                self._data[showing.event] = make
            else:
                self._channels[showing.event] = showing, make
        self.channels = frozenset(showing.channel for showing, _ in self._channels.values())
        """The channels that users may join."""
        self._own = frozenset(s.channel for s, _ in self._channels.values() if s.audience is not None)

    def number_on_feeds(self, call: Context, entry: Mapping[str, Any], entity: Mapping[str, Any]) -> dict[str, int]:
        """Return the number of an event on every feed that shows it, by feed."""
        event, tenant_id = entry["action"], call.caller.tenant_id
        count = call.server.store.count
        numbers = {} if event.startswith(_PRIVATE) else {WS: count(series(tenant_id, WS))}
        shown = self._channels.get(event)
        if shown is not None:
            channel, audience = shown[0].channel, shown[0].audience
            if audience is None:
                feeds = [channel]
            else:
                feeds = [f"{channel}:{user}" for user in dict.fromkeys(audience(entry, entity)) if user]
            for feed in feeds:
                numbers[feed] = count(series(tenant_id, feed))
        return numbers

    def feed_of(self, channel: str, user_id: str) -> str:
        """Return the feed that a user's channel shows."""
        return f"{channel}:{user_id}" if channel in self._own else channel

    def channel_name(self, event: Event) -> str:
        """Return the name of an event on its channel."""
        return self._channels[event["type"]][0].name

    def channel_payload(self, event: Event) -> Mapping[str, Any]:
        """Return the payload of an event on its channel."""
        return self._channels[event["type"]][1](self, event)

    def ws_data(self, event: Event) -> Mapping[str, Any]:
        """Return the data of an event on ``/ws`` and in a webhook: the record, and what a write changed."""
        make = self._data.get(event["type"])
        data = make(self, event) if make is not None else self.render_record(event, "mvp")
        return {**data, "changes": self.changed_values(event, "mvp")} if event["type"].endswith(".updated") else data

    # -- what payloads are made of -----------------------------------------------------------------------------

    def render_record(self, event: Event, dialect: str) -> dict[str, Any]:
        """Return the record of an event as a dialect shows it; what has no model, under camelCase names."""
        kind, entity = self._records.get(event["entity_type"]), event["entity"]
        if kind is not None and kind.in_dialect is not None:
            entity = kind.in_dialect(dialect, entity)
        made: dict[str, Any] = (renderer(kind.model, dialect) if kind is not None else plain)(entity)
        return made

    def changed_values(self, event: Event, dialect: str) -> dict[str, Any]:
        """Return the new values of an event's record by camelCase name."""
        kind = self._records.get(event["entity_type"])
        shape = shape_of(kind.model, dialect) if kind is not None else None
        shown = self.render_record(event, dialect)
        values: dict[str, Any] = {}
        for change in event["changes"]:
            name = change["field"]
            wire_name = shape.names.get(name) if shape is not None else camel(name)
            values[camel(name)] = shown[wire_name] if wire_name in shown else plain(change["after"])
        return values

    def update_payload(self, event: Event) -> dict[str, Any]:
        """Return the payload that channels show of a write: the record's id and what changed."""
        return {"id": event["entity"]["id"], "changes": self.changed_values(event, "flow")}

    def record_and_facts(self, event: Event) -> dict[str, Any]:
        """Return the record as mvp shows it, and beside it what happened to it."""
        entity = {f"{event['entity_type']}Id": event["entity"]["id"]}
        return {**self.render_record(event, "mvp"), **entity, **plain(event["metadata"])}


def series(tenant_id: str, feed: str) -> str:
    """Return what a feed's numbers are counted under."""
    return f"feed:{tenant_id}:{feed}"


def plain(value: Any) -> Any:
    """Return a value of no model with its members under camelCase names."""
    if is_object(value):
        return {camel(name): plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if is_array(value) else value
