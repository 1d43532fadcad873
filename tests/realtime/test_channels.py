"""Channels of the flow document: typed pushes, replies, rejoins, presence and cursors, in process and on a port."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import anyio
import pytest
from blocking import MODES, Place
from patience import HANG, until

from crm_sdk.errors import (
    AuthenticationError,
    ConnectionFailedError,
    DeadlineExceededError,
    EventGap,
    InvalidInputError,
    PermissionDeniedError,
    PushRefusedError,
    UnsupportedOperationError,
)
from crm_sdk.models import (
    ContactUpdatedPush,
    ConversationUnreadCountPush,
    DealCreatedPush,
    DealStageChangedPush,
    DealUpdatedPush,
    MessageReceivedPush,
    NotificationNewPush,
    UnknownPush,
)
from crm_sdk.realtime.cursors import LiveCursor
from crm_sdk.realtime.presence import Joined, Left, Updated
from server_stub import StubServer


class Office(Place):
    """Where deals begin."""

    def __init__(self, stub: StubServer, mode: str, url: str | None) -> None:
        super().__init__(stub, mode, url)
        self.contact = next(iter(self.user.contacts.list())).id

    def joined(
        self, topic: str, *, client: dict[str, Any] | None = None, **options: Any
    ) -> AbstractContextManager[Any]:
        """Join with a client of its own."""
        return self.opening(lambda client: client.channels.join(topic, **options), client)

    def deal(self, title: str) -> str:
        """Let a deal begin."""
        return self.user.deals.create({"title": title, "value": 1000, "contact_id": self.contact}).id


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(params=["in process", "port"])
def office(request: pytest.FixtureRequest, mode: str) -> Generator[Office]:
    stub = StubServer()
    if request.param == "in process":
        yield Office(stub, mode, None)
        return
    with stub.serve() as port:
        yield Office(stub, mode, port.url)


@pytest.fixture
def inside(mode: str) -> Office:
    return Office(StubServer(), mode, None)


@pytest.fixture
def room(office: Office) -> Office:
    office.stub.live.test_mode = True
    return office


def pushes(channel: Any, count: int, kind: type[Any]) -> list[Any]:
    """Return the next so many pushes of a kind."""
    found: list[Any] = []
    while len(found) < count:
        push = channel.wait(HANG)
        assert push is not None, f"nothing came after {found}"
        if isinstance(push, kind):
            found.append(push)
    return found


def test_what_happens_to_deals_is_pushed_with_its_types(office: Office) -> None:
    with office.joined("user:user_ada:deals") as channel:
        deal_id = office.deal("Big one")
        office.user.deals.update(deal_id, {"title": "Bigger one"})
        office.user.deals.move_stage(deal_id, "proposal")
        (created,) = pushes(channel, 1, DealCreatedPush)
        (updated,) = pushes(channel, 1, DealUpdatedPush)
        (moved,) = pushes(channel, 1, DealStageChangedPush)
    assert created.deal.id == deal_id and created.deal.title == "Big one" and created.mismatches == ()
    assert updated.id == deal_id and updated.changes["title"] == "Bigger one"
    assert (moved.id, moved.old_stage, moved.new_stage) == (deal_id, created.deal.stage, "proposal")
    assert moved.probability is not None and created.seq < updated.seq < moved.seq
    assert created.topic == "user:user_ada:deals"


@pytest.mark.thorough
def test_messages_contacts_and_notifications_have_their_channels(inside: Office) -> None:
    conversation = next(c for c in inside.user.with_options(dialects="flow").conversations.list() if c.contact_id)
    with (
        inside.joined("user:user_ada:messages") as messages,
        inside.joined("user:user_ada:contacts") as contacts,
        inside.joined("user:user_ada:notifications") as told,
    ):
        inside.user.contacts.update(inside.contact, {"title": "CEO"})
        assert pushes(contacts, 1, ContactUpdatedPush)[0].id == inside.contact
        inside.stub.clock.advance(3 * 24 * 3600)
        assert pushes(told, 1, NotificationNewPush)[0].notification.id
        lead = inside.user.leads.create({"name": "Ann", "email": "ann@example.com", "source": "api"})
        inside.user.messages.create({"lead_id": lead.id, "content": "Hello there", "sender": "lead"})
        (received,) = pushes(messages, 1, MessageReceivedPush)
        assert received.message.content == "Hello there"
        (count,) = pushes(messages, 1, ConversationUnreadCountPush)
        assert count.conversation_id == received.conversation_id != conversation.id and count.count == 1


def test_a_channel_goes_on_where_another_ended(office: Office) -> None:
    with office.joined("user:user_ada:deals") as channel:
        office.deal("a")
        pushes(channel, 1, DealCreatedPush)
        place = str(channel.cursor)
    office.deal("b")
    with office.joined("user:user_ada:deals", since=place) as channel:
        office.deal("c")
        assert [push.deal.title for push in pushes(channel, 2, DealCreatedPush)] == ["b", "c"]


@pytest.fixture(scope="module")
def with_many_deals() -> StubServer:
    """A stub in which more happened than one reply holds; nothing is written to it any more."""
    stub = StubServer()
    office = Office(stub, "sync", None)
    for n in range(1100):
        office.deal(f"d{n}")
    return stub


@pytest.mark.thorough
def test_more_was_missed_than_one_reply_holds(mode: str, with_many_deals: StubServer) -> None:
    inside = Office(with_many_deals, mode, None)
    with inside.joined("user:user_ada:deals", since=0, capacity=5000) as channel:
        titles = [push.deal.title for push in pushes(channel, 1100, DealCreatedPush)]
    assert titles == [f"d{n}" for n in range(1100)]


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["drop", "duplicate", "delay", "reorder", "corrupt", "abort", "close", "refuse"])
def test_whatever_befalls_a_push_all_arrive_once_and_in_order(inside: Office, kind: Any) -> None:
    with inside.joined("user:user_ada:deals") as channel:
        inside.stub.live.add(kind, event="deal.created", after=2, times=2, seconds=0.05)
        wanted = [f"deal{n}" for n in range(8)]
        for title in wanted:
            inside.deal(title)
        inside.stub.clock.advance(20)
        assert [push.deal.title for push in pushes(channel, 8, DealCreatedPush)] == wanted
    assert inside.stub.live.faults.fault_counts[kind]


def test_a_server_that_was_set_back_is_a_gap_and_goes_on(inside: Office) -> None:
    with inside.joined("user:user_ada:deals") as channel:
        inside.deal("a")
        pushes(channel, 1, DealCreatedPush)
        inside.stub.reset()
        inside.deal("b")
        with pytest.raises(EventGap) as caught:
            pushes(channel, 99, DealCreatedPush)
        assert caught.value.reason == "epoch"
        inside.deal("c")
        assert pushes(channel, 1, DealCreatedPush)[0].deal.title in ("b", "c")


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("user:user_sam:deals", "unauthorized"),
        ("user:user_gina:deals", "unauthorized"),
        ("record:deal:deal_nobody", "unauthorized"),
        ("company:tenant_globex", "unauthorized"),
        ("weather", "unmatched topic"),
    ],
)
def test_what_one_may_not_join_says_why(inside: Office, topic: str, reason: str) -> None:
    with pytest.raises(PushRefusedError) as caught, inside.joined(topic):
        raise AssertionError("it was joined")
    assert caught.value.reason == reason and topic in str(caught.value)
    until(lambda: not inside.stub.live.connections)


def test_a_credential_that_is_no_good_is_said_at_the_join(office: Office) -> None:
    with (
        pytest.raises((AuthenticationError, PermissionDeniedError)),
        office.joined("user:user_ada:deals", client={"api_key": "nonsense"}),
    ):
        raise AssertionError("it was joined")


class TestPush:
    def test_a_push_brings_its_reply(self, room: Office) -> None:
        with room.joined("room:lobby") as channel:
            assert channel.push("test:echo", {"a": [1, "ü"]}) == {"a": [1, "ü"]}
            assert channel.push("test:echo", b"\x00\xff") == b"\x00\xff"
            assert channel.push("test:echo") == {}

    def test_an_error_reply_is_raised_with_its_reason(self, room: Office) -> None:
        with room.joined("room:lobby") as channel:
            with pytest.raises(PushRefusedError) as caught:
                channel.push("test:error", {"reason": "because"})
            assert caught.value.reason == "because" and caught.value.response == {"reason": "because"}

    def test_no_reply_is_an_end_too(self, room: Office) -> None:
        with room.joined("room:lobby") as channel:
            with pytest.raises(DeadlineExceededError):
                channel.push("test:noreply", timeout=0.1)
            channel.send("test:noreply")
            assert channel.push("test:echo", {"still": "there"}) == {"still": "there"}

    def test_what_cannot_be_sent_is_said(self, room: Office) -> None:
        with room.joined("room:lobby") as channel, pytest.raises(InvalidInputError):
            channel.push("test:echo", {"a": object()})

    def test_pushes_of_the_server_and_of_others_arrive(self, room: Office) -> None:
        with room.joined("room:lobby") as channel, room.joined("room:lobby") as other:
            channel.send("test:push", {"event": "hello", "payload": {"to": "me"}})
            channel.push("test:broadcast", {"event": "all", "payload": {"to": "us"}})
            channel.send("test:binpush")
            mine = pushes(channel, 4, UnknownPush)
            assert [(push.type, push.payload) for push in mine] == [
                ("hello", {"to": "me"}), ("all", {"to": "us"}), ("bin", b"\x00\x01\xfe"), ("binb", b"\x00\x01\xfe"),
            ]  # fmt: skip
            assert [push.type for push in pushes(other, 2, UnknownPush)] == ["all", "binb"]

    @pytest.mark.thorough
    def test_a_channel_that_crashes_is_joined_again(self, room: Office) -> None:
        with room.joined("room:lobby") as channel:
            channel.send("test:crash")
            until(lambda: not channel.connected)
            room.stub.clock.advance(2)
            assert channel.push("test:echo", {"back": 1}) == {"back": 1}
        assert room.stub.live.opened == 1

    def test_a_link_that_is_lost_is_up_again(self, room: Office) -> None:
        with room.joined("room:lobby") as channel:
            with pytest.raises(ConnectionFailedError):
                channel.push("test:drop")
            assert channel.push("test:echo", {"back": 1}) == {"back": 1}
        assert room.stub.live.opened == 2

    def test_more_than_a_thousand_a_minute_are_paced(self, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
        # A minute passes in no time here: too fast for the heartbeat's thread.
        monkeypatch.setattr("server_stub.live.phoenix.PhoenixSocket.idle_after", timedelta(hours=1))
        room = Office(StubServer(), mode, None)
        room.stub.live.test_mode = True
        with room.joined("room:lobby") as channel:
            began = room.stub.clock.monotonic()
            for _ in range(1100):
                channel.send("test:noreply")
            assert channel.push("test:echo", {"still": "there"}) == {"still": "there"}
            assert 50 < room.stub.clock.monotonic() - began < 70
        assert room.stub.live.opened == 1

    @pytest.mark.thorough
    def test_a_server_that_answers_nothing_any_more_is_left_by_the_heartbeat(self, mode: str) -> None:
        room = Office(StubServer(), mode, None)
        room.stub.live.test_mode = True
        with room.joined("room:lobby") as channel:
            channel.send("test:silent")
            while room.stub.live.opened == 1:
                room.stub.clock.advance(31)
                time.sleep(0.2)
            assert channel.push("test:echo", {"back": 1}) == {"back": 1}
        assert room.stub.live.opened == 2


class TestCompany:
    """Several people at once."""

    def test_who_is_there_comes_and_goes(self, office: Office) -> None:
        topic = f"record:deal:{office.deal('Big one')}"
        with office.joined(topic) as ada:
            assert pushes(ada, 1, Joined)[0].present.key == "user_ada"
            with office.joined(topic, client={"api_key": "acme-sales"}, params={"meta": {"looking": "amount"}}) as sam:
                (joined,) = pushes(ada, 1, Joined)
                assert joined.present.key == "user_sam" and joined.present.name
                assert joined.present.metas[0].members["looking"] == "amount"
                assert {push.present.key for push in pushes(sam, 2, Joined)} == {"user_ada", "user_sam"}
                sam.push("presence:update", {"meta": {"looking": "stage"}})
                (updated,) = pushes(ada, 1, Updated)
                assert updated.present.metas[0].members["looking"] == "stage"
                assert set(ada.presence) == {"user_ada", "user_sam"}
            assert pushes(ada, 1, Left)[0].present.key == "user_sam"
            assert set(ada.presence) == {"user_ada"}

    @pytest.mark.thorough
    def test_cursors_show_the_newest_place_only(self, office: Office) -> None:
        topic = f"record:deal:{office.deal('Big one')}"
        with office.joined(topic) as ada, office.joined(topic, client={"api_key": "acme-sales"}) as sam:
            for x in range(200):
                sam.move_cursor(x=x, field="amount")
            if office.url is None:
                office.stub.clock.advance(1)
            until(lambda: any(cursor.members["x"] == 199 for cursor in ada.cursors.values()))
            moved = pushes(ada, 1, LiveCursor)
            assert moved[0].user_id == "user_sam" and moved[0].members["x"] == 199
            assert all(cursor.user_id != "user_sam" for cursor in sam.cursors.values())

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test_who_leaves_one_of_several_channels_is_seen_to_leave_it(self, backend: str) -> None:
        stub = StubServer()

        async def main() -> None:
            async with stub.async_client() as ada, stub.async_client(api_key="acme-sales") as sam:
                async with (
                    sam.channels.join("record:lead:lead_123") as seeing,
                    ada.channels.join("user:user_ada:deals"),
                ):
                    async with ada.channels.join("record:lead:lead_123"):
                        while not isinstance(seen := await seeing.wait(HANG), Joined) or seen.present.key != "user_ada":
                            assert seen is not None
                    assert isinstance(left := await seeing.wait(HANG), Left) and left.present.key == "user_ada"
                    assert len(stub.live.connections) == 2
                async with ada.channels.join("user:user_ada:deals") as again:
                    assert again.connected and stub.live.opened == 3

        anyio.run(main, backend=backend)
        until(lambda: not stub.live.connections)

    def test_channels_share_one_link_until_the_last_is_left(self) -> None:
        stub = StubServer()
        with stub.client() as client:
            deals, calendar = (client.channels.join(f"user:user_ada:{name}") for name in ("deals", "calendar"))
            with deals:
                with calendar:
                    assert stub.live.opened == 1 and deals.connected and calendar.connected
                assert deals.connected and not calendar.connected
            until(lambda: not stub.live.connections)
            with client.channels.join("user:user_ada:deals") as again:
                assert again.connected and stub.live.opened == 2

    def test_a_topic_is_joined_once(self) -> None:
        stub = StubServer()
        with stub.client() as client, client.channels.join("user:user_ada:deals"):
            again = client.channels.join("user:user_ada:deals")
            with pytest.raises(InvalidInputError, match="already"):
                again.start()

    def test_a_client_that_may_not_speak_flow_says_so(self) -> None:
        with pytest.raises(UnsupportedOperationError, match="flow"):
            StubServer().client(dialects="mvp").channels.join("user:user_ada:deals")


def test_a_channel_that_was_left_says_so(inside: Office) -> None:
    with inside.joined("record:lead:lead_123") as channel:
        until(lambda: len(channel.presence) == 1)
        assert repr(channel.presence) == "<Presence: user_ada>" and repr(channel.cursors) == "<LiveCursors of nobody>"
        channel.close()
        with pytest.raises(ConnectionFailedError, match="record:lead:lead_123 was left; nothing was sent"):
            channel.push("presence:update", {"meta": {}})
