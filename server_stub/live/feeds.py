"""Feeds: which event of the log appears on which feed, under which name and with which payload.

The feeds are the company's ``ws``, ``deals``, ``messages`` and ``contacts``, and each user's ``calendar:<id>`` and
``notifications:<id>``. A feed numbers its events from 1 without gaps. The numbers are assigned in the transaction that
writes the event; payloads are computed only when there is a listener. Services mark the functions that make payloads
with `shows`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from crm_sdk.wire import camel, is_array, is_object, shape_of

from ..data.document import Document
from ..request.access.hiding import active
from ..request.answering.faces import wire_path
from ..request.answering.rendering import renderer
from ..serving import RecordType

if TYPE_CHECKING:
    from ..serving import Context

WS = "ws"
"""The feed of ``/ws``."""
_PRIVATE = ("auth.", "notification.", "webhook.")
"""The prefixes of events that ``/ws`` does not show."""

Event: TypeAlias = Document
"""An entry of the log: its type, the record at that time, the changes, and metadata."""
Audience: TypeAlias = Callable[[Mapping[str, Any], Mapping[str, Any]], Iterable[str | None]]
"""Gets the audit entry and the record; returns the ids of the users on whose feeds the event appears."""


@dataclass(frozen=True, slots=True)
class Showing:
    """The appearance of an event on a feed: the value of a `shows` mark."""

    event: str
    channel: str
    name: str
    audience: Audience | None = None


Payload: TypeAlias = Callable[["Feeds", Event], Mapping[str, Any]]
Make = TypeVar("Make", bound=Payload)


def shows(event: str, *, channel: str = WS, name: str = "", audience: Audience | None = None) -> Callable[[Make], Make]:
    """Mark a function that makes the payload of an event on a channel, on which the event has the name `name`.

    Without a channel, the function makes the data for ``/ws`` and webhooks, where these are not just the record. With
    an audience, the event appears on the channels of those users, otherwise on the company's channel.
    """

    def mark(make: Make) -> Make:
        shown: tuple[Showing, ...] = vars(make).get("__shows__", ())
        vars(make)["__shows__"] = (*shown, Showing(event, channel, name or event, audience))  # read by the collector
        return make

    return mark


class Feeds:
    """The payload functions of all services by event, and the models of the records in events."""

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
        """The names of the channels that users can join."""
        self._own = frozenset(s.channel for s, _ in self._channels.values() if s.audience is not None)

    def number_on_feeds(self, call: Context, entry: Mapping[str, Any], entity: Mapping[str, Any]) -> dict[str, int]:
        """Assign the next number of each feed that shows an event; return the numbers by feed."""
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
        """Return the name of the feed of a user's channel."""
        return f"{channel}:{user_id}" if channel in self._own else channel

    def channel_name(self, event: Event) -> str:
        """Return the name of an event on its channel."""
        return self._channels[event["type"]][0].name

    def channel_payload(self, event: Event) -> Mapping[str, Any]:
        """Return the payload of an event on its channel."""
        return self._channels[event["type"]][1](self, event)

    def ws_data(self, event: Event) -> Mapping[str, Any]:
        """Return the data of an event on ``/ws`` and in a webhook: the record, and the changes of a write."""
        make = self._data.get(event["type"])
        data = make(self, event) if make is not None else self.render_record(event, "mvp")
        return {**data, "changes": self.changed_values(event, "mvp")} if event["type"].endswith(".updated") else data

    # -- parts of payloads -------------------------------------------------------------------------------------

    @property
    def models(self) -> dict[str, Any]:
        """The models of the records of each kind."""
        return {kind: found.model for kind, found in self._records.items()}

    def render_record(self, event: Event, dialect: str) -> dict[str, Any]:
        """Return the record of an event in a dialect; a record without a model has camelCase names."""
        kind, entity = self._record_type(event), event["entity"]
        if kind is not None and kind.in_dialect is not None:
            entity = kind.in_dialect(dialect, entity)
        made: dict[str, Any] = (renderer(kind.model, dialect) if kind is not None else plain)(entity)
        return made

    def _record_type(self, event: Event) -> RecordType | None:
        """Return the type of an event's record, by the event where its entity is a record of a custom object."""
        return self._records.get(event["entity_type"]) or self._records.get(event["type"].partition(".")[0])

    def changed_values(self, event: Event, dialect: str) -> dict[str, Any]:
        """Return the new values of an event's record by camelCase name."""
        kind = self._record_type(event)
        shape = shape_of(kind.model, dialect) if kind is not None else None
        shown, hiding = self.render_record(event, dialect), active()
        about = {"type": event["entity_type"], "id": event["entity"]["id"]}
        entry: Mapping[str, Any] = {"entity": about, "changes": event["changes"]}
        values: dict[str, Any] = {}
        for change in (hiding.without_changes(entry) if hiding is not None else entry)["changes"]:
            name = change["field"]
            wire_name = shape.names.get(name) if shape is not None else camel(name)
            values[wire_path(name)] = shown[wire_name] if wire_name in shown else plain(change["after"])
        return values

    def figures(self, event: Event, **values: tuple[str, Any]) -> dict[str, Any]:
        """Return values of members of an event's record by wire names, without those of hidden members."""
        kind, hiding = self._record_type(event), active()
        hidden = hiding.members(kind.model) if hiding is not None and kind is not None else frozenset[str]()
        return {name: value for name, (member, value) in values.items() if member not in hidden}

    def update_payload(self, event: Event) -> dict[str, Any]:
        """Return the payload of a write for channels: the id of the record and the new values."""
        return {"id": event["entity"]["id"], "changes": self.changed_values(event, "flow")}

    def record_and_facts(self, event: Event) -> dict[str, Any]:
        """Return the record in the mvp dialect, with the metadata of the event."""
        entity = {f"{event['entity_type']}Id": event["entity"]["id"]}
        return {**self.render_record(event, "mvp"), **entity, **facts(event)}


def series(tenant_id: str, feed: str) -> str:
    """Return the name of the series that numbers the events of a feed."""
    return f"feed:{tenant_id}:{feed}"


def facts(event: Event) -> Any:
    """Return the metadata of an event with camelCase names, without what is hidden from who reads it."""
    hiding = active()
    return plain(event["metadata"] if hiding is None else hiding.facts(event["entity_type"], event["metadata"]))


def plain(value: Any) -> Any:
    """Return a value without a model, with camelCase names."""
    if is_object(value):
        return {camel(name): plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if is_array(value) else value
