"""Phoenix channels in the process: what is told on each, the life of a channel, and who is there."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from wire import CALENDAR, CHANNELS, DEALS, HEARTBEAT, MESSAGES, USER, opened

from crm_sdk.models.calendar import CalendarEventCreate
from crm_sdk.realtime.sockets import SocketClosedError
from server_stub import StubServer


def test_a_deal_shows_on_its_channel(stub: StubServer) -> None:
    client = stub.client()
    with opened(stub, CHANNELS) as wire:
        assert wire.join(DEALS) == {}
        deal = client.deals.create({"title": "Big", "contact_id": client.contacts.list().items[0].id, "value": 10})
        made = wire.all()[0]
        assert made[:4] == ["1", None, DEALS, "deal:created"]
        assert made[4]["deal"]["title"] == "Big" and made[4]["seq"] == 1 and made[4]["epoch"] == "e1"
        client.deals.update(deal.id, {"title": "Bigger", "expected_close_date": date(2026, 3, 1)})
        told = wire.all()[0]
        assert told[3] == "deal:updated" and told[4]["id"] == deal.id
        assert told[4]["changes"].items() >= {"title": "Bigger", "expectedCloseDate": "2026-03-01"}.items()
        moved = client.deals.move_stage(deal.id, "proposal")
        told = next(frame[4] for frame in wire.all() if frame[3] == "deal:stage_changed")
        assert told.items() >= {
            "id": deal.id, "oldStage": deal.stage, "newStage": "proposal", "probability": moved.probability
        }.items()  # fmt: skip
        done = client.deals.activities.create(
            deal.id, {"type": "call", "date": stub.clock.now(), "description": "They like it"}
        )
        told = next(frame[4] for frame in wire.all() if frame[3] == "deal:activity_added")
        assert told["dealId"] == deal.id and told["activity"]["id"] == done.id


def test_messages_contacts_and_the_calendar_show_on_theirs(stub: StubServer) -> None:
    client = stub.client()
    with opened(stub, CHANNELS) as wire:
        for topic in (MESSAGES, CALENDAR, f"user:{USER}:contacts", f"user:{USER}:notifications"):
            assert wire.join(topic) == {}
        message = client.messages.create({"lead_id": "lead_123", "content": "Hi", "sender": "lead"})
        told = {frame[3]: frame[4] for frame in wire.all()}
        assert told["message:received"]["message"]["id"] == message.id
        conversation = told["message:received"]["conversationId"]
        assert told["conversation:updated"]["id"] == conversation
        assert told["conversation:unread_count"].items() >= {
            "conversationId": conversation, "count": told["conversation:updated"]["changes"]["unreadCount"]
        }.items()  # fmt: skip

        start = stub.clock.now() + timedelta(minutes=20)
        event = client.calendar.events.create(
            {"title": "Soon", "start_time": start, "end_time": start + timedelta(hours=1)}
        )
        wire.all()
        for _ in range(9):
            stub.clock.advance(40)
            wire.socket.send(HEARTBEAT)
        told = {frame[3]: frame[4] for frame in wire.all()}
        assert told["event:reminder"].items() >= {"id": event.id, "minutesUntil": 15}.items()
        assert told["notification:new"]["notification"]["title"] == "Soon begins in 15 minutes"
        client.notifications.mark_read(told["notification:new"]["notification"]["id"])
        assert wire.all()[0][3] == "notification:read"

        contact = client.contacts.list().items[0]
        client.contacts.update(contact.id, {"title": "Boss"})
        told = wire.all()[0][4]
        assert told["id"] == contact.id and told["changes"]["title"] == "Boss"


def test_the_calendar_is_ones_own(stub: StubServer) -> None:
    sam = stub.client(api_key="acme-sales")
    start = stub.clock.now() + timedelta(days=3)
    hers: CalendarEventCreate = {"title": "x", "start_time": start, "end_time": start + timedelta(hours=1)}
    with opened(stub, CHANNELS) as wire:
        wire.join(CALENDAR)
        sam.calendar.events.create({**hers, "attendees": [{"email": "sam@acme.test"}]})
        assert wire.next() is None
        event = sam.calendar.events.create({**hers, "attendees": [{"email": "ada@acme.test"}]})
        assert wire.next()[3] == "event:created"
        sam.calendar.events.update(event.id, {"attendees": [{"email": "sam@acme.test"}]})
        assert wire.next()[3] == "event:updated"  # whoever is invited no longer hears of that
        sam.calendar.events.update(event.id, {"title": "y"})
        assert wire.next() is None


def test_whoever_joins_with_a_position_gets_what_was_missed(stub: StubServer) -> None:
    client = stub.client()
    deal = client.deals.list().items[0]
    with opened(stub, CHANNELS) as wire:
        assert wire.join(DEALS, resume=True) == {"seq": 0, "epoch": "e1", "gap": None, "events": []}
    for n in range(5):
        client.deals.update(deal.id, {"title": str(n)})
    with opened(stub, CHANNELS) as wire:
        answer = wire.join(DEALS, last_seq=2, epoch="e1")
        assert [entry["payload"]["seq"] for entry in answer["events"]] == [3, 4, 5]
        assert answer["seq"] == 5 and answer["gap"] is None
        assert answer["events"][-1]["event"] == "deal:updated"
        client.deals.update(deal.id, {"title": "new"})
        assert wire.next()[4]["seq"] == 6
        stub.clock.advance(15)
        assert wire.next()[3:] == ["stream:position", {"seq": 6, "epoch": "e1"}]
        assert wire.join(DEALS, last_seq=2, epoch="e0")["gap"] == {"from": None, "to": None, "reason": "epoch"}


def test_no_more_than_a_thousand_missed_events_are_in_the_answer(
    stub: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server_stub.live.phoenix.MISSED", 3)
    deal = stub.client().deals.list().items[0]
    for n in range(5):
        stub.client().deals.update(deal.id, {"title": str(n)})
    with opened(stub, CHANNELS) as wire:
        assert len(wire.join(DEALS, last_seq=0)["events"]) == 3
        assert [frame[4]["seq"] for frame in wire.all()] == [4, 5]


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("user:user_sam:deals", "unauthorized"),
        ("user:user_gina:deals", "unauthorized"),
        ("company:tenant_globex", "unauthorized"),
        ("record:deal:deal_of_nobody", "unauthorized"),
        (f"user:{USER}:secrets", "unmatched topic"),
        ("room:lobby", "unmatched topic"),
    ],
)
def test_topics_that_may_not_be_joined(stub: StubServer, topic: str, reason: str) -> None:
    with opened(stub, CHANNELS) as wire:
        assert wire.join(topic) == {"status": "error", "response": {"reason": reason}}
        assert wire.push(topic, "hello") == [
            None, "2", topic, "phx_reply", {"status": "error", "response": {"reason": "unmatched topic"}}
        ]  # fmt: skip


def test_another_companys_record_is_refused_like_one_there_is_not(stub: StubServer) -> None:
    theirs = stub.client(api_key="globex-admin").deals.list().items[0]
    with opened(stub, CHANNELS) as wire:
        assert wire.join(f"record:deal:{theirs.id}")["response"] == {"reason": "unauthorized"}


def test_the_life_of_a_channel(stub: StubServer) -> None:
    ok = {"status": "ok", "response": {}}
    with opened(stub, CHANNELS) as wire:
        wire.join(DEALS)
        assert wire.push("phoenix", "heartbeat") == [None, "2", "phoenix", "phx_reply", ok]
        wire.socket.send(json.dumps(["3", "3", DEALS, "phx_join", {}]))
        assert wire.all() == [["3", "3", DEALS, "phx_reply", ok], ["1", None, DEALS, "phx_close", {}]]
        assert wire.push(DEALS, "hello", join_ref="1") is None  # the channel it means is gone
        assert wire.push(DEALS, "hello", join_ref="3")[4]["status"] == "error"
        wire.socket.send(json.dumps(["3", "9", DEALS, "phx_leave", {}]))
        assert wire.all() == [["3", "9", DEALS, "phx_reply", ok], ["3", None, DEALS, "phx_close", {}]]
        stub.client().deals.update(stub.client().deals.list().items[0].id, {"title": "x"})
        assert wire.next() is None


def test_a_socket_has_a_hundred_channels_and_a_minute_of_patience(stub: StubServer) -> None:
    stub.live.test_mode = True
    with opened(stub, CHANNELS) as wire:
        for n in range(100):
            wire.socket.send(json.dumps(["1", "1", f"room:{n}", "phx_join", {}]))
        wire.all()
        assert wire.join("room:more")["response"] == {"reason": "too many channels"}
        stub.clock.advance(59)
        wire.push("phoenix", "heartbeat")
        stub.clock.advance(59)
        assert wire.next() is None
        stub.clock.advance(1)
        with pytest.raises(SocketClosedError):
            wire.next()


@pytest.mark.parametrize("data", ["", "{}", "[1,2,3,4,5]", "[" * 100_000, b"\x00\xff\xff\xff\xff", b"\x07"])
def test_what_is_no_frame_closes_the_socket(stub: StubServer, data: str | bytes) -> None:
    with opened(stub, CHANNELS) as wire:
        wire.socket.send(data)
        with pytest.raises(SocketClosedError) as closed:
            wire.next()
        assert closed.value.code == 1008


@pytest.mark.parametrize(
    "what", [r'"\ud800"', "NaN", "1e999", "[" * 200 + "]" * 200], ids=["half", "nan", "endless", "deep"]
)
@pytest.mark.parametrize(
    "event", ["phx_join", "presence:update", "cursor", "😎" * 40], ids=["join", "meta", "cursor", "long"]
)
def test_nobody_can_say_what_nobody_could_be_told(stub: StubServer, event: str, what: str) -> None:
    topic = "record:lead:lead_123"
    with opened(stub, CHANNELS) as ada, opened(stub, CHANNELS) as eve:
        ada.join(topic)
        eve.join(topic)
        ada.all()
        eve.socket.send(f'["1","2","{topic}","{event}",{{"meta":{{"x":{what}}}}}]')
        with pytest.raises(SocketClosedError) as closed:
            eve.all()
        assert closed.value.code == 1008 and len(closed.value.reason.encode()) < 124
        (left,) = ada.all()
        assert left[4]["joins"] == {}
    stub.reset()


def test_who_is_there(stub: StubServer) -> None:
    topic = "record:lead:lead_123"
    with opened(stub, CHANNELS) as ada:
        assert ada.join(topic, meta={"typing": False}) == {}
        diff, state = ada.all()
        (meta,) = state[4][USER]["metas"]
        assert state[:4] == ["1", None, topic, "presence_state"]
        assert meta["name"] == "Ada Lindqvist"
        assert meta["typing"] is False and meta["onlineAt"].endswith("Z")
        assert diff == [None, None, topic, "presence_diff", {"joins": {USER: {"metas": [meta]}}, "leaves": {}}]
        with opened(stub, CHANNELS, {"Authorization": "Bearer acme-sales"}) as sam:
            sam.join(topic)
            assert set(sam.all()[-1][4]) == {USER, "user_sam"}
            assert set(ada.next()[4]["joins"]) == {"user_sam"}
            assert ada.push(topic, "presence:update", {"meta": {"typing": True}})[3] == "presence_diff"
            assert ada.next()[4] == {"status": "ok", "response": {}}
            diff = sam.next()[4]
            new, old = diff["joins"][USER]["metas"][0], diff["leaves"][USER]["metas"][0]
            assert old == meta and new["phx_ref_prev"] == meta["phx_ref"] != new["phx_ref"]
            assert new["typing"] is True and new["onlineAt"] == meta["onlineAt"]
            assert ada.push(topic, "cursor", {"x": 3}) is None
            told = sam.next()
            assert told[:4] == [None, None, topic, "cursor"] and told[4]["x"] == 3 and told[4]["userId"] == USER
        assert set(ada.next()[4]["leaves"]) == {"user_sam"}


@pytest.mark.parametrize(
    ("code", "closes"),
    [(1000, True), (3000, True), (4999, True), (None, True), (2999, False), (5000, False), (1005, False), ("x", False)],
)
def test_a_test_closes_with_the_codes_that_a_close_frame_may_have(stub: StubServer, code: object, closes: bool) -> None:
    stub.live.test_mode = True
    with opened(stub, CHANNELS) as wire:
        wire.join("room:a")
        wire.all()
        payload = {} if code is None else {"code": code}
        if closes:
            with pytest.raises(SocketClosedError) as raised:
                wire.push("room:a", "test:wsclose", payload, join_ref="1")
            assert (raised.value.code, raised.value.reason) == (code or 1000, "asked for")
        else:
            reply = wire.push("room:a", "test:wsclose", payload, join_ref="1")
            assert reply[4] == {"status": "error", "response": {"reason": "no code of a close frame"}}
