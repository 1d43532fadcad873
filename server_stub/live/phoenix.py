"""Phoenix Channels on one socket: joins, leaves, pushes, heartbeats, presence, and the feeds of the topics."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from crm_sdk.realtime.frames import Frame, FrameError
from crm_sdk.wire import instant, is_object

from ..caller import Caller
from . import control, frames
from .connection import Close, Connection, Data, Reader
from .topics import Topic, Unauthorized, topic_of

if TYPE_CHECKING:
    from .hub import Live
    from .reading import Entry

CHANNELS = 100
"""The greatest number of channels of a socket."""
MISSED = 1_000
"""The greatest number of missed events in the reply to a join; further ones follow as pushes."""
IDLE = timedelta(seconds=60)
CURSORS = 20
"""So many places of a cursor are sent on in a second; of more, the latest."""
LARGEST_CURSOR = 1_024
"""The greatest number of bytes of a cursor's place."""
_PASSED = "stream:passed"
"""The event in place of one that the caller may not see."""
_SECOND = timedelta(seconds=1)
_REASON = 123
"""The greatest number of bytes for the reason in a close frame."""
_PROTOCOL, _TOKEN = "phoenix", "base64url.bearer.phx."


def offered_token(protocols: str) -> str | None:
    """Return the token in the sub-protocols that a client offers."""
    for protocol in protocols.split(","):
        name = protocol.strip()
        if name.startswith(_TOKEN):
            encoded = name.removeprefix(_TOKEN)
            try:
                return urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
            except ValueError:  # not base64, or not of a text
                return encoded
    return None


@dataclass(slots=True, eq=False)
class Channel:
    """A joined topic of a socket."""

    socket: PhoenixSocket
    topic: Topic
    join_ref: str
    reader: Reader | None = None
    cursors: tuple[datetime, int] | None = None
    """When the present second of the cursor began, and how many of its places were sent on in it."""
    place: Mapping[str, Any] | None = None
    """The latest place of the cursor, where it waits for the next second."""

    @property
    def room(self) -> tuple[str, str]:
        """The company and the topic: broadcasts reach only channels of the same company."""
        return self.socket.caller.tenant_id, self.topic.name

    def push(self, event: str, payload: Mapping[str, Any] | bytes) -> None:
        """Push an event to this client."""
        content = payload if isinstance(payload, bytes) else frames.json_text(payload)
        self.socket.say(frames.push(self.join_ref, self.topic.name, event, content))

    def broadcast(self, event: str, payload: Mapping[str, Any] | bytes, *, to_self: bool = True) -> None:
        """Push an event to all clients on the topic."""
        content = payload if isinstance(payload, bytes) else frames.json_text(payload)
        message = frames.push(None, self.topic.name, event, content)
        for other in tuple(self.socket.live.rooms.get(self.room, ())):
            if to_self or other is not self:
                other.socket.say(message)

    def reply(self, ref: str | None, status: str, response: Mapping[str, Any] | bytes) -> None:
        """Answer a push."""
        self.socket.say(frames.reply(self.join_ref, ref, self.topic.name, status, response))

    def meet(self, given: Mapping[str, Any]) -> None:
        """Add the client to the topic's presence, or update its meta."""
        caller, presence = self.socket.caller, self.socket.live.presence
        began = presence.meta(self.room, self).get("onlineAt") or instant(self.socket.now)
        user = self.socket.live.server.store.collection(caller.tenant_id, "user").get(caller.user_id or "")
        meta = {"name": user["name"] if user is not None else caller.name, **given, "onlineAt": began}
        self.broadcast("presence_diff", presence.track(self.room, self, caller.user_id or caller.actor_id, meta))

    def point(self, place: Mapping[str, Any]) -> None:
        """Send the place of the client's cursor to the others, or keep it until the next second."""
        now = self.socket.now
        began, count = self.cursors or (now, 0)
        if now - began >= _SECOND:
            began, count = now, 0
        self.place = None
        if count >= CURSORS:
            self.place = place
        else:
            count += 1
            self.broadcast("cursor", place, to_self=False)
        self.cursors = began, count

    @property
    def pointing(self) -> datetime | None:
        """When the waiting place of the cursor is sent on; None where none waits."""
        return self.cursors[0] + _SECOND if self.place is not None and self.cursors is not None else None

    def part(self) -> None:
        """Remove the client from the topic's presence."""
        rooms = self.socket.live.rooms
        others = rooms.get(self.room, [])
        if self in others:
            others.remove(self)
        if not others:
            rooms.pop(self.room, None)
        diff = self.socket.live.presence.untrack(self.room, self)
        if diff is not None:
            self.broadcast("presence_diff", diff)


class PhoenixSocket(Connection):
    """A socket with its channels."""

    idle_after = IDLE

    def __init__(self, live: Live, caller: Caller, expires_at: datetime | None) -> None:
        super().__init__(live, caller, expires_at)
        self.channels: dict[str, Channel] = {}
        self.active = self.now
        """When the last frame came that was no heartbeat."""

    def handle(self, data: Data) -> None:
        """Process a frame; an invalid frame closes the socket."""
        try:
            frame = frames.read(data)
        except FrameError as error:
            self.close(Close.RULE, f"not a frame: {str(error)!a}"[:_REASON])
            return
        channel = self.channels.get(frame.topic)
        if frame.topic == "phoenix" and frame.event == "heartbeat":
            self._answer(frame, "ok", {}, join_ref=None)
            return
        self.active = self.now
        if frame.event == "phx_join":
            self._join(frame, channel)
        elif channel is None:
            if frame.event == "phx_leave":
                self._answer(frame, "ok", {})
            else:
                self._answer(frame, "error", {"reason": "unmatched topic"}, join_ref=None)
        elif frame.join_ref is not None and frame.join_ref != channel.join_ref:
            return  # the frame belongs to an earlier join of the channel
        elif frame.event == "phx_leave":
            self._answer(frame, "ok", {})
            self.drop(channel, "phx_close", {})
        else:
            self._push(channel, frame)

    def _keep_time(self) -> None:
        for channel in self.channels.values():
            if channel.pointing is not None and channel.pointing <= self.now and channel.place is not None:
                channel.point(channel.place)
        super()._keep_time()

    def _due(self) -> datetime | None:
        waiting = (channel.pointing for channel in self.channels.values())
        return min((at for at in (super()._due(), *waiting) if at is not None), default=None)

    def forget(self) -> None:
        """Leave all channels."""
        for channel in tuple(self.channels.values()):
            self.channels.pop(channel.topic.name)
            channel.part()

    def drop(self, channel: Channel, event: str, payload: Mapping[str, Any]) -> None:
        """End a channel by ``phx_close``, or by ``phx_error``, after which a client joins again."""
        if self.channels.pop(channel.topic.name, None) is None:
            return
        if channel.reader in self.readers:
            self.readers.remove(channel.reader)
        channel.part()
        channel.push(event, payload)

    def _answer(self, frame: Frame, status: str, response: Mapping[str, Any], **other: str | None) -> None:
        join_ref = other.get("join_ref", frame.join_ref)
        self.say(frames.reply(join_ref, frame.ref, frame.topic, status, response))

    # -- joining -------------------------------------------------------------------------------------------------

    def _join(self, frame: Frame, former: Channel | None) -> None:
        try:
            topic = topic_of(self.live, self.caller, frame.topic)
        except Unauthorized:
            self._answer(frame, "error", {"reason": "unauthorized"})
            return
        if topic is None:
            self._answer(frame, "error", {"reason": "unmatched topic"}, join_ref=None)
            return
        if former is None and len(self.channels) >= CHANNELS:
            self._answer(frame, "error", {"reason": "too many channels"})
            return
        params = frame.payload if is_object(frame.payload) else {}
        channel = Channel(self, topic, frame.join_ref or frame.ref or "")
        if former is not None:
            del self.channels[topic.name]
            former.part()
            if former.reader in self.readers:
                self.readers.remove(former.reader)
        self.channels[topic.name] = channel
        response = self._read(channel, params) if topic.feed is not None else "{}"
        answer = f'{{"status":"ok","response":{response}}}'
        self.say(frames.push_reply(frame.join_ref, frame.ref, topic.name, answer))
        if former is not None:
            self.say(frames.push(former.join_ref, topic.name, "phx_close", "{}"))
        self.live.rooms.setdefault(channel.room, []).append(channel)
        if topic.presence:
            given = params.get("meta")
            channel.meet(given if is_object(given) else {})
            channel.push("presence_state", self.live.presence.state(channel.room))

    def _read(self, channel: Channel, params: Mapping[str, Any]) -> str:
        """Begin to read the topic's feed; return the reply to the join, with missed events, as JSON."""
        last_seq, epoch, name = params.get("last_seq"), params.get("epoch"), channel.topic.name
        feed = channel.topic.feed or ""
        since = last_seq if isinstance(last_seq, int) and not isinstance(last_seq, bool) and last_seq >= 0 else None
        resumes = since is not None or params.get("resume") is True
        standing = self.log.standing_of(feed, since, epoch if isinstance(epoch, str) else None, self.epoch)

        def write(entry: Entry) -> Data:
            event, payload = entry.channel(feed, self.epoch)
            return frames.push(channel.join_ref, name, event, payload)

        def position() -> Data:
            told = {"seq": reader.seq, "epoch": self.epoch}
            return frames.push(channel.join_ref, name, "stream:position", frames.json_text(told))

        def passed(entry: Entry) -> Data:
            return frames.push(channel.join_ref, name, _PASSED, self._place_of(entry, feed))

        channel.reader = reader = Reader(feed, standing.seq, write, quiet_since=self.now)
        self.readers.append(reader)
        if not resumes:
            return "{}"
        reader.position, reader.passed = position, passed
        missed: list[str] = []
        while len(missed) < MISSED and (entry := self.log.after(feed, reader.seq)) is not None:
            shown = self.live.is_shown(self._reads_as, entry.event)
            event, payload = entry.channel(feed, self.epoch) if shown else (_PASSED, self._place_of(entry, feed))
            missed.append(f'{{"event":{frames.json_text(event)},"payload":{payload}}}')
            reader.seq += 1
        told = {"seq": reader.seq, "epoch": self.epoch, "gap": standing.gap}
        return f'{frames.json_text(told)[:-1]},"events":[{",".join(missed)}]}}'

    def _place_of(self, entry: Entry, feed: str) -> str:
        """Return the payload of an event that the caller may not see: its number only."""
        return frames.json_text({"seq": entry.event["feeds"][feed], "epoch": self.epoch})

    # -- pushes of the client ------------------------------------------------------------------------------------

    def _push(self, channel: Channel, frame: Frame) -> None:
        if self.live.test_mode and frame.event.startswith("test:"):
            control.carry_out(channel, frame)
        elif channel.topic.presence and frame.event == "presence:update" and is_object(frame.payload):
            given = frame.payload.get("meta")
            channel.meet(given if is_object(given) else {})
            channel.reply(frame.ref, "ok", {})
        elif channel.topic.cursors and frame.event == "cursor" and is_object(frame.payload):
            if len(frames.json_text(frame.payload).encode()) > LARGEST_CURSOR:
                channel.reply(frame.ref, "error", {"reason": "too large"})
                return
            caller = self.caller
            who = {"userId": caller.user_id or caller.actor_id, "connection": self.name, "at": instant(self.now)}
            channel.point({**frame.payload, **who})
        else:
            channel.reply(frame.ref, "error", {"reason": "unknown event"})
