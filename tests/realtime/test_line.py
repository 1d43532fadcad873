"""The channels of one connection, driven by hand: joins, heartbeats, replies, crashes, and when each is due."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from canned_answers import Standing

from crm_sdk import CrmClient
from crm_sdk.errors import ConnectionFailedError, EventGap, PushRefusedError
from crm_sdk.realtime.frames import CLOSE, ERROR, HEARTBEAT, JOIN, LEAVE, PHOENIX, REPLY, Frame, decode, encode
from crm_sdk.realtime.mailbox import Mailbox
from crm_sdk.realtime.membership import Answer, Membership
from crm_sdk.realtime.phoenix import Phoenix
from crm_sdk.realtime.position import GRACE
from crm_sdk.realtime.sockets import Data, SocketClosedError


class Scene:
    """A line with one channel, and a clock that is set."""

    def __init__(self, *, joined: bool = True, capacity: int = 100, api_key: str | None = "key") -> None:
        self.clock = Standing()
        client = CrmClient("https://crm.test/base", api_key, tenant_id="acme", clock=self.clock)
        self.line = Phoenix(client)
        self.readied = 0
        self.room = self.add("room:a", capacity)
        if joined:
            self.open()
            self.says(REPLY, {"seq": 0, "epoch": "e1"}, ref=self.room.join_ref, status="ok")

    def add(self, topic: str, capacity: int = 100) -> Membership:
        mailbox: Mailbox[Any] = Mailbox(capacity, "block", lambda item: item)
        member = Membership(topic, {"x": 1}, mailbox, None)
        member.when_ready(self._ready)
        self.added = self.line.add(member)
        return member

    def _ready(self) -> None:
        self.readied += 1

    def open(self) -> list[Frame]:
        return frames(self.line.opened(self.clock.now))

    def says(
        self, event: str, payload: Any = None, *, ref: str | None = None, status: str | None = None, join: Any = ...
    ) -> None:
        join_ref = self.room.join_ref if join is ... else join
        frame = Frame(join_ref, ref, self.room.topic, event, {} if payload is None else payload, status)
        self.line.received(encode(frame, by="server"), self.clock.now)

    def after(self, seconds: float) -> list[Frame]:
        """Return what is due so much later."""
        self.clock.now += seconds
        return frames(self.line.due(self.clock.now))

    def push(self, member: Membership | None = None) -> tuple[Answer, str]:
        answer = Answer()
        data, _ = self.line.push(member or self.room, "ask", {}, answer)
        ref = frames([data])[0].ref
        assert ref is not None
        return answer, ref

    def taken(self) -> list[Any]:
        found = []
        while (item := self.room.mailbox.take()) is not None:
            found.append(item)
        return found


def frames(data: Iterable[Data]) -> list[Frame]:
    return [decode(each, by="client") for each in data]


def events(found: list[Frame]) -> list[tuple[str, str]]:
    return [(frame.topic, frame.event) for frame in found]


def test_the_address_has_the_credential_as_a_header_and_as_the_protocol_of_phoenix() -> None:
    found = Scene(joined=False).line.opening()
    assert (found.url, found.bearer) == ("wss://crm.test/base/ws/websocket?vsn=2.0.0", "key")
    assert found.headers["Authorization"] == "Bearer key"
    assert list(found.subprotocols) == ["phoenix", "base64url.bearer.phx.a2V5"]
    bare = Scene(joined=False, api_key=None).line.opening()
    assert (bare.bearer, list(bare.subprotocols), "Authorization" in bare.headers) == (None, [], False)


def test_a_channel_joins_with_its_link_and_on_a_link_that_is_there() -> None:
    scene = Scene(joined=False)
    assert scene.added is None and not scene.line.empty and scene.line.has("room:a") and not scene.line.has("room:b")
    ended = scene.add("room:ended")
    ended.mailbox.close()
    (join,) = scene.open()
    assert (join.topic, join.event, join.ref, join.payload) == (
        "room:a", JOIN, join.join_ref, {"x": 1, "resume": True}
    )  # fmt: skip
    scene.add("room:b")
    assert scene.added is not None and events(frames([scene.added])) == [("room:b", JOIN)]
    assert not scene.room.up
    scene.says(REPLY, {"seq": 7, "epoch": "e1"}, ref=scene.room.join_ref, status="ok")
    assert (scene.room.up, scene.readied, scene.room.position.seq) == (True, 1, 7)
    scene.line.lost()
    assert not scene.room.up
    (join, _) = scene.open()
    assert join.payload == {"x": 1, "last_seq": 7, "epoch": "e1"}


def test_a_join_without_a_reply_is_sent_again_after_10_seconds() -> None:
    scene = Scene(joined=False)
    scene.open()
    assert events(scene.after(9.9)) == []
    assert events(scene.after(0.1)) == [("room:a", JOIN)]
    assert events(scene.after(9.9)) == []
    scene.says(REPLY, {"seq": 0}, ref=scene.room.join_ref, status="ok")
    assert events(scene.after(5)) == []


def test_a_heartbeat_is_sent_every_30_seconds_and_has_to_be_answered() -> None:
    scene = Scene()
    assert scene.after(29.9) == []
    for _ in range(3):
        (beat,) = scene.after(0.1)
        assert (beat.topic, beat.event, beat.join_ref) == (PHOENIX, HEARTBEAT, None)
        answer = Frame(None, beat.ref, PHOENIX, REPLY, {}, "ok")
        scene.line.received(encode(answer, by="server"), scene.clock.now)
        assert scene.after(29.9) == []
    assert len(scene.after(0.1)) == 1
    assert scene.after(29.9) == []
    with pytest.raises(SocketClosedError, match="no heartbeat for 30 s"):
        scene.after(0.1)
    scene.open()
    assert events(scene.after(9)) == [], "a new link begins anew"


def test_no_heartbeat_is_missed_while_the_reader_is_behind() -> None:
    scene = Scene(capacity=1)
    for number in (1, 2):
        scene.says("said", {"n": number})
    assert scene.line.full
    for _ in range(4):
        assert scene.after(30) == []
    assert scene.line.patience(scene.clock.now) == 0.05
    assert len(scene.taken()) == 1
    assert scene.after(29.9) == [] and not scene.line.full
    assert [item["payload"]["n"] for item in scene.taken()] == [2]
    assert scene.line.patience(scene.clock.now) == 1.0
    assert events(scene.after(0.1)) == [(PHOENIX, HEARTBEAT)]


def test_how_long_nothing_is_due() -> None:
    scene = Scene()
    assert scene.line.patience(scene.clock.now) == 1.0
    scene.says("said", {"seq": 2, "epoch": "e1"})  # the first is missing
    assert scene.line.patience(scene.clock.now) == GRACE
    assert scene.after(GRACE - 0.01) == []
    (join,) = scene.after(0.01)
    assert join.payload == {"x": 1, "last_seq": 0, "epoch": "e1"}
    scene = Scene()
    assert scene.line.point(scene.room, {"x": 1}) is not None and scene.line.point(scene.room, {"x": 2}) is None
    assert scene.line.patience(scene.clock.now) == 0.05
    assert [frame.payload for frame in scene.after(0.05)] == [{"x": 2}]
    assert scene.line.patience(scene.clock.now) == 1.0


@pytest.mark.parametrize("reply", [REPLY, ERROR])
def test_a_channel_that_fails_is_joined_again_after_1_2_5_and_10_seconds(reply: str) -> None:
    scene = Scene()
    answer, _ = scene.push()
    for attempt, wait in enumerate((1.0, 2.0, 5.0, 10.0, 10.0)):
        if reply == ERROR or not attempt:
            scene.says(ERROR)
        else:
            scene.says(REPLY, {"reason": "busy"}, ref=scene.room.join_ref, status="error")
        assert not scene.room.up and scene.room.last_error is not None and not scene.room.mailbox.closed
        assert scene.after(wait - 0.1) == []
        assert events(scene.after(0.1)) == [("room:a", JOIN)]
    assert answer.done and "crashed before the push was answered" in str(answer.error)
    scene.says(REPLY, {"seq": 0, "epoch": "e1"}, ref=scene.room.join_ref, status="ok")
    assert scene.room.last_error is None
    scene.says(ERROR)
    assert scene.after(0.9) == [] and len(scene.after(0.1)) == 1


@pytest.mark.parametrize(
    ("welcomed", "reason", "lasts"),
    [
        (False, "busy", True), (True, "busy", False), (True, "unauthorized", True), (True, "unmatched topic", True),
        (True, 5, False),
    ],
)  # fmt: skip
def test_a_refused_join_ends_the_channel_where_it_was_never_joined_or_may_never_be(
    welcomed: bool, reason: object, lasts: bool
) -> None:
    scene = Scene(joined=welcomed)
    if welcomed:
        scene.line.lost()
    scene.open()
    before = scene.readied
    scene.says(REPLY, {"reason": reason, "more": 1}, ref=scene.room.join_ref, status="error")
    assert (scene.room.mailbox.closed, scene.readied - before) == (lasts, int(lasts))
    error = scene.room.mailbox.end if lasts else scene.room.last_error
    assert isinstance(error, PushRefusedError)
    assert error.reason == (reason if isinstance(reason, str) else None)
    said = reason if isinstance(reason, str) else "{'reason': 5, 'more': 1}"
    assert str(error) == f"room:a may not be joined: {said}"
    assert len(scene.after(1.0)) == (not lasts)


def test_a_channel_that_the_server_closes_has_ended() -> None:
    scene = Scene()
    answer, _ = scene.push()
    scene.says(CLOSE)
    assert (scene.room.up, scene.room.mailbox.closed, scene.room.mailbox.end) == (False, True, None)
    assert (answer.done, str(answer.error)) == (
        True, "room:a was closed by the server before the push was answered"
    )  # fmt: skip
    assert scene.readied == 2 and scene.after(20) == []


def test_a_reply_is_of_its_push_and_of_the_present_join() -> None:
    scene = Scene()
    (first, ref), (second, other) = scene.push(), scene.push()
    assert ref != other
    scene.says(REPLY, {"n": 1}, ref=ref, status="ok", join="0")
    assert not first.done, "an earlier join asked"
    scene.says(REPLY, {"n": 2}, ref=ref, status="error")
    assert (first.done, first.status, first.response) == (True, "error", {"n": 2})
    assert not second.done
    scene.line.forget(second)
    scene.says(REPLY, {}, ref=other, status="ok")
    assert not second.done and scene.room.up
    third, ref = scene.push()
    scene.line.lost()
    assert third.done and "the link was lost before" in str(third.error)


def test_who_leaves_takes_nothing_of_another_along() -> None:
    scene = Scene()
    other = scene.add("room:b")
    (mine, _), (theirs, _) = scene.push(), scene.push(other)
    again = Membership("room:a", {}, Mailbox(1, "block", lambda item: item), None)
    assert scene.line.remove(again) is None and scene.line.has("room:a"), "it is another one's place"
    data = scene.line.remove(scene.room)
    assert data is not None
    (leave,) = frames([data])
    assert (leave.event, leave.topic, leave.join_ref) == (LEAVE, "room:a", scene.room.join_ref)
    assert mine.done and "room:a was left" in str(mine.error) and not theirs.done
    assert scene.line.remove(other) is None, "it was not joined yet"
    assert scene.line.empty
    scene = Scene()
    scene.line.lost()
    assert scene.line.remove(scene.room) is None, "there is nobody to tell"


def test_what_a_join_brings_is_what_came_before_its_number() -> None:
    scene = Scene()
    scene.line.lost()
    scene.open()
    missed = [{"event": "said", "payload": {"seq": seq, "epoch": "e1", "n": seq}} for seq in (1, 2)]
    odd: list[object] = [5, {"event": "said"}, {"event": "said", "payload": 7}]
    response = {"seq": 2, "epoch": "e1", "events": [*missed, *odd]}
    scene.says(REPLY, response, ref=scene.room.join_ref, status="ok")
    assert [item["payload"]["n"] for item in scene.taken()] == [1, 2]
    scene.line.lost()
    scene.open()
    gap = {"reason": "expired"}
    response = {"seq": 9, "epoch": "e1", "gap": gap, "events": [{"event": "x", "payload": {"seq": 9, "epoch": "e1"}}]}
    scene.says(REPLY, response, ref=scene.room.join_ref, status="ok")
    lost, event = scene.taken()
    assert isinstance(lost, EventGap) and (lost.from_seq, lost.to_seq, lost.reason) == (3, 8, "expired")
    assert event["seq"] == 9 and scene.line.progress == 3


def test_what_a_server_without_numbers_said_meanwhile_cannot_be_known() -> None:
    scene = Scene(joined=False)
    for _ in range(2):
        scene.open()
        scene.says(REPLY, {}, ref=scene.room.join_ref, status="ok")
        scene.says("said", {"n": 1})
        if scene.readied == 1:
            assert [item["payload"]["n"] for item in scene.taken()] == [1]
            scene.line.lost()
    gap, _ = scene.taken()
    assert isinstance(gap, EventGap) and (gap.from_seq, gap.to_seq, gap.reason) == (None, None, "unnumbered")


def test_what_cannot_be_read_is_looked_for() -> None:
    for odd in ("no frame", None):
        scene = Scene()
        if odd is None:
            scene.says("said", {"seq": "1", "epoch": "e1"})
        else:
            scene.line.received(odd, scene.clock.now)
        assert scene.after(GRACE - 0.01) == []
        assert events(scene.after(0.01)) == [("room:a", JOIN)]
        scene = Scene()
        scene.says("said", {"seq": 2, "epoch": "e1"})
        scene.line.idle()
        assert events(scene.after(0.0)) == [("room:a", JOIN)], "nothing came for a while: nothing will"


def test_a_position_of_the_feed_shows_what_did_not_come() -> None:
    scene = Scene()
    scene.says("stream:position", {"seq": 0, "epoch": "e1"})
    scene.says("stream:position", {"seq": "1", "epoch": "e1"})
    assert scene.after(1) == []
    scene.says("stream:position", {"seq": 1, "epoch": "e1"})
    assert events(scene.after(0)) == [("room:a", JOIN)]
    assert scene.taken() == []


def test_a_cursor_is_told_of_once_until_it_is_seen_and_forgotten_with_who_leaves() -> None:
    scene = Scene()
    mine = {"userId": "ada", "connection": "c1", "x": 1}
    for _ in range(3):
        scene.says("cursor", mine)
    scene.says("cursor", {"x": 2})
    assert scene.taken() == [{"cursor": ("ada", "c1")}]
    scene.room.moved.clear()
    scene.says("cursor", mine)
    assert len(scene.taken()) == 1
    meta = {"phx_ref": "c1"}
    scene.says("presence_state", {"ada": {"metas": [meta]}})
    assert len(scene.room.cursors) == 1
    scene.says("presence_diff", {"joins": {}, "leaves": {"ada": {"metas": [meta]}}})
    assert len(scene.room.cursors) == 0
    assert len(scene.taken()) == 2, "she came, and went"
    scene.says("cursor", mine)
    scene.after(10)
    assert len(scene.room.cursors) == 0, "it has been silent for 10 seconds"


def test_what_is_urgent_counts_for_the_rate_of_pushes() -> None:
    scene = Scene()
    for _ in range(989):
        assert scene.line.push(scene.room, "say", {}, None)[1] == 0
    assert scene.line.push(scene.room, "say", {}, None)[1] == 0
    assert scene.line.push(scene.room, "say", {}, None)[1] > 0


def test_an_error_of_the_link_is_known_to_each_channel_and_its_end_to_each_reader() -> None:
    scene = Scene()
    error = ConnectionFailedError("refused")
    scene.line.failed(error)
    assert scene.line.last_error is error and scene.room.last_error is error
    scene.open()
    assert scene.line.last_error is None
    answer, _ = scene.push()
    scene.line.end(error)
    assert (scene.room.mailbox.closed, scene.room.mailbox.end, answer.done) == (True, error, True)
    assert not scene.line.wants_anew(scene.clock.now) and scene.readied == 2
