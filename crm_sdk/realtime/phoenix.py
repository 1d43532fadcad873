"""Phoenix Channels v2 on one connection: joins, pushes and their replies, heartbeats, rejoins. No I/O.

The wire format is the protocol's, vsn 2.0.0. Sequence numbers, `epoch` and resuming by a join are our own
(docs/realtime.md). Any thread may push while the driver's thread processes received frames.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..dialects import DIALECTS
from ..errors import ConnectionFailedError, CrmError, InvalidInputError, PushRefusedError
from ..wire import is_array, is_object
from .cursors import CURSOR
from .frames import CLOSE, ERROR, HEARTBEAT, JOIN, LEAVE, PHOENIX, REPLY, Frame, FrameError, decode, encode
from .membership import Answer, Membership
from .pacing import Pacer
from .position import GRACE, number, text
from .presence import Left
from .session import Opening
from .sockets import Data, SocketClosedError, SocketRefusedError

if TYPE_CHECKING:
    from ..client import Client

HEARTBEAT_SECONDS = 30.0
PATIENCE = 10.0
"""Seconds to wait for the reply to a join before it is sent again."""
REJOIN = (1.0, 2.0, 5.0, 10.0)
"""Seconds to wait before a crashed channel is joined again."""
MESSAGES_A_MINUTE = 1000
_LASTING = frozenset({"unauthorized", "unmatched topic"})
_PRIVATE = frozenset({"presence_state", "presence_diff", "stream:position", CURSOR})


class Phoenix:
    """The channels of a client on one connection."""

    heartbeat: float = 0.0
    asked: float = 0.0

    def __init__(self, client: Client[Any]) -> None:
        self._client = client
        self._lock = threading.RLock()
        self._refs = 0
        self._members: dict[str, Membership] = {}
        self._answers: dict[str, tuple[str, Answer]] = {}
        self._pacer = Pacer(MESSAGES_A_MINUTE, 60.0)
        self._beat: tuple[float, str | None] = (0.0, None)
        """When the last heartbeat was sent, and its ref until it is answered."""
        self._connected = False
        self.last_error: CrmError | None = None

    # -- the interface that the session uses (`Line`) ------------------------------------------------------------

    @property
    def progress(self) -> int:
        """The number of events that were passed on."""
        with self._lock:
            return sum(member.position.passed_on for member in self._members.values())

    @property
    def full(self) -> bool:
        """Whether no event can be accepted now: an event without a number cannot be fetched again later."""
        with self._lock:
            return any(member.held for member in self._members.values())

    def opening(self) -> Opening:
        """Return the address to connect to, with the credential as a header and as the sub-protocol of Phoenix."""
        client, dialect = self._client, DIALECTS["flow"]
        bearer = client.terms().credentials.access
        headers = {"User-Agent": client.user_agent, **dialect.headers(client.tenant_id)}
        url = dialect.url(client.base_url, "/ws/websocket").replace("http", "ws", 1) + "?vsn=2.0.0"
        if bearer is None:
            return Opening(url, headers)
        headers["Authorization"] = f"Bearer {bearer}"
        token = base64.b64encode(bearer.encode()).decode().rstrip("=")
        return Opening(url, headers, ("phoenix", f"base64url.bearer.phx.{token}"), bearer)

    def opened(self, now: float) -> Iterable[Data]:
        """Return the joins of all channels."""
        with self._lock:
            self._connected, self.last_error = True, None
            self._beat = (now, None)
            return [self._join(member, now) for member in self._members.values() if not member.mailbox.closed]

    def received(self, data: Data, now: float) -> Iterable[Data]:
        """Process a frame."""
        try:
            frame = decode(data)
        except FrameError:
            with self._lock:
                for member in self._members.values():
                    member.position.suspect(now)
            return ()
        with self._lock:
            self._take(frame, now)
        return ()

    def idle(self) -> None:
        """Note that no frame came within `patience`."""
        with self._lock:
            for member in self._members.values():
                member.position.quiet()

    def due(self, now: float) -> Iterable[Data]:
        """Return the heartbeats, joins and cursors that are due."""
        with self._lock:
            said: list[Data] = []
            self._offer_held(now)
            sent, unanswered = self._beat
            if self.full:
                self._beat = (now, None)
            elif now - sent >= HEARTBEAT_SECONDS:
                if unanswered is not None:
                    raise SocketClosedError(None, f"no heartbeat for {now - sent:.0f} s")
                ref = self._ref()
                self._beat = (now, ref)
                said.append(self._urgent(Frame(None, ref, PHOENIX, HEARTBEAT, {}), now))
            for member in self._members.values():
                said += self._due(member, now)
            return said

    def wants_anew(self, now: float) -> bool:
        """Return False: a channel with missing events is joined again on the same connection."""
        return False

    def patience(self, now: float) -> float:
        """Return the seconds until something is due."""
        with self._lock:
            members = list(self._members.values())
            if any(member.held or member.position.blocked or member.pace.wait(now) is not None for member in members):
                return 0.05
            return GRACE if any(member.position.waiting for member in members) else 1.0

    def lost(self) -> None:
        """Note that the connection was lost, so that no pending push will be answered."""
        with self._lock:
            self._connected = False
            self._give_up("the link was lost")
            for member in self._members.values():
                member.down()

    def failed(self, error: CrmError) -> None:
        """Keep the error, for callers that wait for a channel to be joined."""
        with self._lock:
            self.last_error = error
            for member in self._members.values():
                member.last_error = error

    def refusal(self, refused: SocketRefusedError) -> CrmError:
        """Return the error for a refused connection."""
        return DIALECTS["flow"].error(refused.status, refused.headers, refused.body, "channels.join")

    # -- the interface that channels and hubs use ----------------------------------------------------------------

    @property
    def empty(self) -> bool:
        """Whether there is no channel."""
        return not self._members

    def add(self, member: Membership) -> Data | None:
        """Add a channel; return the join to send, None while the connection is down."""
        with self._lock:
            self._members[member.topic] = member
            return self._join(member, self._client.clock.monotonic()) if self._connected else None

    def remove(self, member: Membership) -> Data | None:
        """Remove a channel; return the leave to send, None where it is not joined."""
        with self._lock:
            if self._members.get(member.topic) is member:
                del self._members[member.topic]
                self._give_up(f"{member.topic} was left", member.topic)
            joined, member.up = member.up and self._connected, False
            if not joined:
                return None
            return encode(Frame(member.join_ref, self._ref(), member.topic, LEAVE, {}))

    def point(self, member: Membership, place: Mapping[str, Any]) -> Data | None:
        """Note the position of the user's cursor; return the frame to send, None while the pace forbids it."""
        encode_input(
            Frame(None, None, member.topic, CURSOR, place)
        )  # raises an error now rather than when the position is sent
        with self._lock:
            if not member.up:
                return None
            now = self._client.clock.monotonic()
            latest = member.pace.move(place, now)
            if latest is None:
                return None
            return self._urgent(Frame(member.join_ref, self._ref(), member.topic, CURSOR, latest), now)

    def has(self, topic: str) -> bool:
        """Return whether there is a channel of this topic."""
        return topic in self._members

    def push(
        self, member: Membership, event: str, payload: Mapping[str, Any] | bytes, answer: Answer | None
    ) -> tuple[Data, float]:
        """Return a push to send, and the seconds to wait before sending, which keep the rate limit.

        `answer` receives the reply; None where no reply is expected.
        """
        with self._lock:
            ref = self._ref()
            data = encode_input(Frame(member.join_ref, ref, member.topic, event, payload))
            if answer is not None:
                self._answers[ref] = (member.topic, answer)
            return data, self._pacer.reserve(self._client.clock.monotonic())

    def forget(self, answer: Answer) -> None:
        """Discard a pending answer for which nobody waits any more."""
        with self._lock:
            self._answers = {ref: known for ref, known in self._answers.items() if known[1] is not answer}

    def end(self, error: Exception | None) -> None:
        """End all channels, since the connection has ended for good."""
        self.lost()
        for member in list(self._members.values()):
            member.mailbox.close(error)
            member.ready()

    # -- joining -------------------------------------------------------------------------------------------------

    def _give_up(self, why: str, topic: str | None = None) -> None:
        """Fail the pending pushes of one channel or of all: no reply will come."""
        for ref, (asked, answer) in list(self._answers.items()):
            if topic in (None, asked):
                answer.error = ConnectionFailedError(f"{why} before the push was answered")
                answer.done = True
                del self._answers[ref]

    def _ref(self) -> str:
        self._refs += 1
        return str(self._refs)

    def _urgent(self, frame: Frame, now: float) -> Data:
        self._pacer.reserve(now, urgent=True)
        return encode(frame)

    def _join(self, member: Membership, now: float) -> Data:
        cursor = member.position.begin_resuming()
        place = {"resume": True} if cursor is None else {"last_seq": cursor.seq, "epoch": cursor.epoch}
        member.join_ref = self._ref()
        member.asked, member.again, member.up = now, None, False
        member.presence.rejoin(member.join_ref)
        frame = Frame(member.join_ref, member.join_ref, member.topic, JOIN, {**member.params, **place})
        return self._urgent(frame, now)

    def _due(self, member: Membership, now: float) -> Iterable[Data]:
        if member.mailbox.closed or not self._connected:
            return
        late = member.asked is not None and now - member.asked >= PATIENCE
        if (
            late
            or (member.again is not None and now >= member.again)
            or (member.up and member.position.wants_resume(now, room=member.mailbox.room))
        ):
            yield self._join(member, now)
        member.cursors.expire(now)
        latest = member.pace.take(now) if member.up else None
        if latest is not None:
            yield self._urgent(Frame(member.join_ref, self._ref(), member.topic, CURSOR, latest), now)

    def _on_joined(self, member: Membership, frame: Frame, now: float) -> None:
        response: Mapping[str, Any] = frame.payload if is_object(frame.payload) else {}
        member.asked = None
        if frame.status != "ok":
            self._join_refused(member, response, now)
            return
        seq, epoch, gap = number(response.get("seq")), text(response.get("epoch")), response.get("gap")
        if seq is not None:
            missed = _missed_events(response.get("events"))
            first = number(missed[0][1].get("seq")) if missed else None
            before = seq if first is None else first - 1  # `seq` is where the topic stands after them
            member.position.begin(before, epoch, gap if is_object(gap) else None)
            for event, payload in missed:
                self._event(member, event, payload, now)
        member.position.note_restored()
        member.up, member.crashes, member.last_error = True, 0, None
        member.welcomed = True
        member.ready()
        member.mailbox.changed()

    def _join_refused(self, member: Membership, response: Mapping[str, Any], now: float) -> None:
        reason = response.get("reason")
        said = reason if isinstance(reason, str) else str(dict(response))
        error = PushRefusedError(
            f"{member.topic} may not be joined: {said}",
            reason=reason if isinstance(reason, str) else None,
            response=response,
        )
        if reason in _LASTING or not member.welcomed:
            member.mailbox.close(error)
            member.ready()
        else:
            member.last_error = error
            self._on_crash(member, now)

    def _on_crash(self, member: Membership, now: float) -> None:
        member.down()
        member.again = now + REJOIN[min(member.crashes, len(REJOIN) - 1)]
        member.crashes += 1

    # -- received frames -----------------------------------------------------------------------------------------

    def _take(self, frame: Frame, now: float) -> None:
        if frame.ref is not None and frame.ref == self._beat[1]:
            self._beat = (self._beat[0], None)
            return
        member = self._members.get(frame.topic)
        if member is None or (frame.join_ref is not None and frame.join_ref != member.join_ref):
            return  # a frame of a channel that was left, or of an earlier join
        if frame.event == REPLY:
            if frame.ref == member.join_ref:
                self._on_joined(member, frame, now)
            else:
                self._on_answer(frame)
        elif frame.event == ERROR:
            member.last_error = ConnectionFailedError(f"{member.topic} crashed on the server")
            self._give_up(f"{member.topic} crashed", member.topic)
            self._on_crash(member, now)
        elif frame.event == CLOSE:
            member.up = False
            self._give_up(f"{member.topic} was closed by the server", member.topic)
            member.mailbox.close()
            member.ready()
        elif frame.event in _PRIVATE and isinstance(frame.payload, Mapping):
            self._state(member, frame.event, frame.payload, now)
        else:
            self._event(member, frame.event, frame.payload, now)

    def _on_answer(self, frame: Frame) -> None:
        _, answer = self._answers.pop(frame.ref or "", ("", None))
        if answer is not None:
            answer.status, answer.response, answer.done = frame.status, frame.payload, True
            self._members[frame.topic].mailbox.changed()

    def _event(self, member: Membership, event: str, payload: Mapping[str, Any] | bytes, now: float) -> None:
        numbers: Mapping[str, Any] = payload if isinstance(payload, Mapping) else {}
        seq, epoch, id = number(numbers.get("seq")), text(numbers.get("epoch")), text(numbers.get("eventId"))
        item: dict[str, Any] = {"event": event, "payload": payload, "seq": seq, "epoch": epoch, "id": id}
        if seq is not None:
            member.position.take(item, now, seq=seq, epoch=epoch, id=id)
        elif "seq" in numbers and member.position.cursor is not None:
            member.position.suspect(now)  # an event of this channel without a valid number
        else:
            member.held.append(item)
            self._offer_held(now)

    def _offer_held(self, now: float) -> None:
        for member in self._members.values():
            while member.held:
                item = member.held[0]
                if not member.position.take(item, now, seq=None, epoch=None, id=item["id"]):
                    break
                member.held.popleft()

    def _state(self, member: Membership, event: str, payload: Mapping[str, Any], now: float) -> None:
        if event == "stream:position":
            seq = number(payload.get("seq"))
            if seq is not None:
                member.position.mark(seq, text(payload.get("epoch")), now)
            return
        if event == CURSOR:
            cursor = member.cursors.take(payload, now)
            if cursor is not None:
                member.note_cursor(cursor.whose)
            return
        changes = member.presence.state(payload) if event == "presence_state" else member.presence.diff(payload)
        for change in changes:
            if isinstance(change, Left):
                member.cursors.forget(change.present.key)
            member.mailbox.offer({"presence": change})  # skipped where the mailbox is full


def encode_input(frame: Frame) -> Data:
    """Encode a frame with a user's payload. Raises: InvalidInputError where it cannot be encoded."""
    try:
        return encode(frame)
    except FrameError as error:
        raise InvalidInputError(f"{frame.event} on {frame.topic} cannot be written: {error}") from None


def _missed_events(events: object) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the names and payloads of the events in the reply to a join, without invalid entries."""
    return [
        (str(event.get("event")), event["payload"])
        for event in (events if is_array(events) else ())
        if is_object(event) and is_object(event.get("payload"))
    ]
