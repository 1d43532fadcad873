"""Live connections in the process: what the server sends to a client that does no more than listen."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import httpx
import pytest

from crm_sdk import ConnectionFailedError, CrmError, DeadlineExceededError
from crm_sdk.exchange import Request as Sent
from crm_sdk.models.calendar import CalendarEventCreate
from crm_sdk.realtime import sockets
from crm_sdk.realtime.sockets import Socket, SocketClosedError, SocketRefusedError
from server_stub import StubServer
from server_stub.link import AsyncStubLink, StubLink
from server_stub.problems import Problem
from server_stub.serving import Call

ADMIN = {"Authorization": "Bearer acme-admin"}
USER = "user_ada"
"""Whose key it is."""


class Wire:
    """A socket, and what came over it."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self._refs = 0

    def next(self, timeout: float = 0) -> Any:
        """Return the next message, None where there is none."""
        data = self.socket.receive(timeout)
        return json.loads(data) if isinstance(data, str) else data

    def all(self) -> list[Any]:
        """Return everything that is there."""
        return list(iter(self.next, None))

    def types(self) -> list[str]:
        """Return the types of everything that is there, or the events of a channel."""
        return [message["type"] if isinstance(message, dict) else message[3] for message in self.all()]

    def push(self, topic: str, event: str, payload: Any = None, *, join_ref: str | None = None) -> Any:
        """Send a push and return what comes next."""
        self._refs += 1
        self.socket.send(json.dumps([join_ref, str(self._refs), topic, event, payload or {}]))
        return self.next()

    def join(self, topic: str, **params: Any) -> Any:
        """Join a topic and return the reply's response."""
        self._refs += 1
        ref = str(self._refs)
        self.socket.send(json.dumps([ref, ref, topic, "phx_join", params]))
        reply = self.next()
        assert reply[1:4] == [ref, topic, "phx_reply"]
        return reply[4]["response"] if reply[4]["status"] == "ok" else reply[4]


@contextmanager
def opened(stub: StubServer, target: str = "/ws?resume=1", headers: dict[str, str] | None = None) -> Iterator[Wire]:
    with StubLink(stub).open_socket(f"ws://stub.test{target}", ADMIN if headers is None else headers, [], 5) as socket:
        yield Wire(socket)


CHANNELS = "/ws/websocket?vsn=2.0.0"
HEARTBEAT = '[null,"1","phoenix","heartbeat",{}]'
DEALS, MESSAGES, CALENDAR = (f"user:{USER}:{name}" for name in ("deals", "messages", "calendar"))


# -- /ws -------------------------------------------------------------------------------------------------------------


def test_a_lead_shows_as_the_document_says(stub: StubServer) -> None:
    with opened(stub, "/ws") as wire:
        lead = stub.client().leads.create({"name": "Jane Doe", "email": "jane@example.com", "source": "website"})
        told = wire.next()
        assert told["type"] == "lead.created" and told["timestamp"].endswith("Z")
        assert told["data"].items() >= {
            "id": lead.id, "name": "Jane Doe", "email": "jane@example.com", "source": "website"
        }.items()  # fmt: skip
        assert told["seq"] == 1 and told["epoch"] == "e1" and told["id"].startswith("evt_")


def test_a_message_an_agent_and_a_metric_show_as_the_document_says(stub: StubServer) -> None:
    client = stub.client()
    with opened(stub) as wire:
        message = client.messages.create({"lead_id": "lead_123", "content": "Hi", "sender": "lead"})
        told = {entry["type"]: entry["data"] for entry in wire.all()}
        assert told["message.received"].items() >= {
            "id": message.id, "leadId": "lead_123", "content": "Hi", "sender": "lead"
        }.items()  # fmt: skip
        client.agents.execute("agent_123", {"input": "Qualify lead_456"})
        at_work = next(entry["data"] for entry in wire.all() if entry["type"] == "agent.status")
        assert set(at_work) == {"agentId", "status", "currentTask"}
        assert at_work["agentId"] == "agent_123" and at_work["status"] == "processing"
        here = ZoneInfo(stub.tenant("tenant_acme")["timezone"])
        days = [lead.created_at.astimezone(here).date() for lead in client.leads.list(limit=200) if lead.created_at]
        before = days.count(stub.clock.now().astimezone(here).date())
        for more in (1, 2):
            made = client.leads.create({"name": "One more"})
            metric = next(entry["data"] for entry in wire.all() if entry["type"] == "metrics.update")
            assert metric == {
                "metric": "leads_today", "value": before + more, "change": "+1", "changeType": "increase"
            }  # fmt: skip
        client.leads.delete(made.id)
        assert wire.all()[-1]["data"]["value"] == before + 1


def test_revenue_moves_with_a_deal_that_is_won(stub: StubServer) -> None:
    client = stub.client()
    deal = next(deal for deal in client.deals.list() if deal.stage == "negotiation")
    with opened(stub) as wire:
        client.deals.move_stage(deal.id, "closed-won")
        metric = next(entry["data"] for entry in wire.all() if entry["type"] == "metrics.update")
        assert metric["metric"] == "total_revenue" and metric["changeType"] == "increase"
        assert metric["value"] == float(client.analytics.dashboard().summary.total_revenue)


def test_changes_are_told_but_nothing_of_signing_in_or_of_notifications(stub: StubServer) -> None:
    client = stub.client()
    with opened(stub) as wire:
        wire.all()
        client.leads.update("lead_123", {"name": "Renamed"})
        told = next(entry for entry in wire.all() if entry["type"] == "lead.updated")
        assert told["data"]["name"] == "Renamed" and told["data"]["changes"]["name"] == "Renamed"
        stub.client(api_key=None).auth.login("ada@acme.test", "demo-password")
        deal = next(deal for deal in client.deals.list() if deal.stage == "negotiation")
        client.deals.move_stage(deal.id, "closed-won")
        types = wire.types()
        assert "deal.won" in types
        assert not [type for type in types if type.startswith(("auth.", "notification."))]


def test_a_refused_system_is_an_error_that_is_told(stub: StubServer) -> None:
    client = stub.client()
    system = next(system for system in client.integrations.list() if system.name == "HubSpot")
    with opened(stub) as wire:
        wire.all()
        with pytest.raises(CrmError, match="refused"):
            client.integrations.connect(system.id, credentials={"api_key": "an-expired-key"})
        (told,) = wire.all()
        assert told["type"] == "integration.error" and told["data"]["id"] == system.id
        assert told["data"]["code"] == "CONNECTION_REFUSED"


def test_a_client_goes_on_where_it_was(stub: StubServer) -> None:
    client = stub.client()
    with opened(stub) as wire:
        ready = wire.next()
        assert ready["type"] == "stream.ready" and ready["data"] == {"seq": 0, "epoch": "e1", "gap": None}
        client.leads.create({"name": "first"})
        last = wire.all()[-1]["seq"]
    client.leads.create({"name": "while it was away"})
    with opened(stub, f"/ws?resume=1&since={last}&epoch=e1") as wire:
        assert wire.next()["data"]["seq"] == last
        client.leads.create({"name": "now"})
        seen = wire.all()
        assert [entry["seq"] for entry in seen] == list(range(last + 1, last + 1 + len(seen)))
        assert [entry["data"]["name"] for entry in seen if entry["type"] == "lead.created"] == [
            "while it was away", "now"
        ]  # fmt: skip
    with opened(stub, "/ws?resume=1&since=0") as wire:
        assert wire.next()["data"]["seq"] == 0 and wire.next()["seq"] == 1


@pytest.mark.parametrize("query", ["since=1000", "since=0&epoch=e7"])
def test_a_position_of_another_history_is_told(stub: StubServer, query: str) -> None:
    stub.client().leads.create({"name": "x"})
    with opened(stub, f"/ws?resume=1&{query}") as wire:
        newest = wire.next()["data"]
        assert newest["gap"] == {"from": None, "to": None, "reason": "epoch"} and newest["seq"] > 0
        assert wire.next() is None


def test_what_is_no_longer_kept_is_told(stub: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server_stub.events.KEPT", 6)
    client = stub.client()
    for number in range(10):
        client.leads.create({"name": str(number)})
    with opened(stub, "/ws?resume=1&since=3") as wire:
        ready = wire.next()["data"]
        seen = [entry["seq"] for entry in wire.all()]
        assert len(seen) == 6
        assert ready["gap"] == {"from": 4, "to": seen[0] - 1, "reason": "expired"} and ready["seq"] == seen[0] - 1


def test_the_position_is_told_every_fifteen_seconds_without_an_event(stub: StubServer) -> None:
    with opened(stub) as wire, opened(stub, "/ws") as plain:
        wire.all()
        for _ in range(2):
            stub.clock.advance(14)
            assert wire.next() is None
            stub.clock.advance(1)
            assert wire.next()["type"] == "stream.position"
        stub.clock.advance(14)
        stub.client().leads.create({"name": "x"})
        wire.all()
        stub.clock.advance(14)
        assert wire.next() is None
        stub.clock.advance(1)
        assert wire.next()["data"] == {"seq": 2, "epoch": "e1"}
        assert plain.types() == ["lead.created", "metrics.update"]


def test_numbers_of_a_call_that_failed_are_given_again(stub: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(call: Call) -> None:
        raise Problem("FORBIDDEN", "after the event was written")

    client = stub.client()
    with opened(stub) as wire:
        wire.all()
        with monkeypatch.context() as broken:
            broken.setattr("server_stub.services.metrics.lead_came", refuse)
            with pytest.raises(CrmError, match="after the event was written"):
                client.leads.create({"name": "x"})
        client.leads.create({"name": "x"})
        seen = [entry["seq"] for entry in wire.all()]
        assert seen == list(range(1, len(seen) + 1))


def test_going_back_ends_connections_and_begins_another_history(stub: StubServer) -> None:
    before = stub.snapshot()
    with opened(stub) as wire:
        stub.client().leads.create({"name": "x"})
        stub.restore(before)
        with pytest.raises(SocketClosedError) as closed:
            wire.all()
        assert closed.value.code == 1012
    with opened(stub, "/ws?resume=1&since=1&epoch=e1") as wire:
        ready = wire.next()["data"]
        assert ready["epoch"] == "e2" and ready["gap"]["reason"] == "epoch"


def test_companies_do_not_hear_each_other(stub: StubServer) -> None:
    with opened(stub, "/ws", {"Authorization": "Bearer globex-admin"}) as wire:
        stub.client().leads.create({"name": "of Acme"})
        assert wire.next() is None
        stub.client(api_key="globex-admin").leads.create({"name": "of Globex"})
        assert wire.next()["data"]["name"] == "of Globex"


# -- who may, and how much -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["/ws", "/ws?token=nonsense"])
def test_without_a_credential_it_is_refused_as_a_call_would_be(stub: StubServer, target: str) -> None:
    with pytest.raises(SocketRefusedError) as refused, opened(stub, target, {}):
        pass
    assert refused.value.status == 401
    assert json.loads(refused.value.body)["error"]["code"] == "UNAUTHORIZED"


def test_channels_are_refused_with_nothing_but_403(stub: StubServer) -> None:
    for target in (CHANNELS, "/ws/websocket?vsn=1.0.0&token=acme-admin"):
        with pytest.raises(SocketRefusedError) as refused, opened(stub, target, {}):
            pass
        assert (refused.value.status, refused.value.body) == (403, b"")


def test_the_token_may_be_in_the_query_or_in_the_sub_protocol(stub: StubServer) -> None:
    token = stub.client(api_key=None).auth.login("ada@acme.test", "demo-password").access_token
    with opened(stub, f"/ws?resume=1&token={token}", {}) as wire:
        assert wire.next()["type"] == "stream.ready"
    encoded = b64encode(str(token).encode()).decode().rstrip("=")
    offered = ["phoenix", f"base64url.bearer.phx.{encoded}"]
    with StubLink(stub).open_socket(f"ws://stub.test{CHANNELS}", {}, offered, 5) as socket:
        assert Wire(socket).join(DEALS) == {}


def test_a_plan_has_so_many_connections(stub: StubServer) -> None:
    plan = stub.tenant("tenant_acme")["plan"]
    most = {"free": 5, "pro": 25, "enterprise": 100}[plan]
    with ExitStack() as stack:
        wires = [stack.enter_context(opened(stub, "/ws" if n % 2 else CHANNELS)) for n in range(most)]
        with pytest.raises(SocketRefusedError) as refused, opened(stub):
            pass
        assert refused.value.status == 429 and int(refused.value.headers["retry-after"]) > 0
        assert json.loads(refused.value.body)["error"]["code"] == "LIMIT_EXCEEDED"
        with opened(stub, "/ws", {"Authorization": "Bearer globex-admin"}):
            pass
        wires[3].socket.close()
        with opened(stub):
            pass


def test_more_than_a_thousand_messages_a_minute_break_a_rule() -> None:
    stub = StubServer(enforce_limits=True)
    with opened(stub, "/ws") as wire:
        for _ in range(1000):
            wire.socket.send("hello")
        stub.clock.advance(60)
        for _ in range(1000):
            wire.socket.send("hello")
        wire.socket.send("one too many")
        with pytest.raises(SocketClosedError) as closed:
            wire.next()
        assert closed.value.code == 1008


def test_a_credential_that_expires_ends_the_connection_after_what_there_was(stub: StubServer) -> None:
    token = stub.client(api_key=None).auth.login("ada@acme.test", "demo-password").access_token
    with opened(stub, "/ws", {"Authorization": f"Bearer {token}"}) as wire:
        stub.client().leads.create({"name": "x"})
        stub.clock.advance(3600)
        assert wire.next()["type"] == "lead.created" and wire.next()["type"] == "metrics.update"
        with pytest.raises(SocketClosedError) as closed:
            wire.all()  # reminders have come due as well
        assert closed.value.code == 4401


# -- channels --------------------------------------------------------------------------------------------------------


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


def test_who_is_there(stub: StubServer) -> None:
    topic = "record:lead:lead_123"
    with opened(stub, CHANNELS) as ada:
        assert ada.join(topic, meta={"typing": False}) == {}
        diff, state = ada.all()
        (meta,) = state[4][USER]["metas"]
        assert state[:4] == ["1", None, topic, "presence_state"]
        assert meta["name"] == "Ada Admin" or meta["name"]
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


# -- server-sent events ----------------------------------------------------------------------------------------------


def stream(stub: StubServer, **headers: str) -> Iterator[str]:
    request = Sent("GET", "http://stub.test/api/events/stream", {**ADMIN, **headers}, stream=True)
    reply = StubLink(stub).send(request, 0.2)
    assert reply.status == 200 and reply.headers["content-type"] == "text/event-stream"
    return (chunk.decode() for chunk in reply.body)


def test_events_are_sent_as_a_stream(stub: StubServer) -> None:
    events = stream(stub)
    assert next(events).startswith("id: e1:0\nevent: stream.ready\ndata: {")
    stub.client().leads.create({"name": "x"})
    id, event, data, *rest = next(events).split("\n")
    assert (id, event, rest) == ("id: e1:1", "event: lead.created", ["", ""])
    assert json.loads(data.removeprefix("data: "))["data"]["name"] == "x"
    next(events)
    stub.clock.advance(15)
    assert next(events).startswith(": still here\n\nid: e1:2\nevent: stream.position\n")
    resumed = stream(stub, **{"Last-Event-ID": "e1:1"})
    assert next(resumed).startswith("id: e1:1\nevent: stream.ready")
    assert next(resumed).startswith("id: e1:2\nevent: metrics.update")
    with pytest.raises(DeadlineExceededError):
        next(resumed)
    stub.live.abort()
    with pytest.raises(ConnectionFailedError):
        next(events)


def test_a_stream_is_refused_as_a_call_would_be(stub: StubServer) -> None:
    client = httpx.Client(transport=stub.transport(), base_url="http://stub.test")
    assert client.get("/api/events/stream").status_code == 401
    with client.stream("GET", "/api/events/stream", params={"token": "acme-admin"}) as reply:
        assert next(reply.iter_text()).startswith("id: e1:0")
    assert stub.live.connections == []
    assert client.get("/api/events/stream", params={"token": "acme-admin", "since": "x"}).status_code == 422


# -- waiting ---------------------------------------------------------------------------------------------------------


def test_a_thread_that_waits_is_woken(stub: StubServer) -> None:
    with opened(stub, "/ws") as wire:
        writer = threading.Timer(0.05, lambda: stub.client().leads.create({"name": "x"}))
        writer.start()
        assert wire.next(timeout=5)["type"] == "lead.created"
        writer.join()
        wire.all()
        closer = threading.Timer(0.05, wire.socket.close)
        closer.start()
        with pytest.raises(SocketClosedError):
            wire.next(timeout=5)
        closer.join()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_task_that_waits_is_woken_and_lets_others_run(stub: StubServer, backend: str) -> None:
    async def main() -> None:
        link = AsyncStubLink(stub)
        request = Sent("GET", "http://stub.test/api/events/stream", ADMIN, stream=True)
        async with (
            link.open_socket("ws://stub.test/ws?resume=1", ADMIN, [], 5) as socket,
            anyio.create_task_group() as tasks,
        ):
            reply = await link.send(request, 5)
            first, second = list[str](), list[str]()

            async def listen() -> None:
                while len(first) < 4:
                    first.append(json.loads(await socket.receive(5) or "")["type"])

            async def read() -> None:
                async for chunk in reply.body:
                    second.append(chunk.decode().partition("event: ")[2].partition("\n")[0])
                    if len(second) == 4:
                        break

            tasks.start_soon(listen)
            tasks.start_soon(read)
            await anyio.sleep(0.01)
            await stub.async_client().leads.create({"name": "in the loop"})
            await anyio.to_thread.run_sync(lambda: stub.client().leads.update("lead_123", {"name": "in a thread"}))
            with anyio.fail_after(5):
                while len(first) < 4 or len(second) < 4:
                    await anyio.sleep(0.001)
            assert first == second == ["stream.ready", "lead.created", "metrics.update", "lead.updated"]

    anyio.run(main, backend=backend)


def test_intercepted_clients_open_sockets_to_the_stub(stub: StubServer) -> None:
    with stub.intercept(), sockets.open_socket("wss://crm.example.com/ws?resume=1", ADMIN, [], 5) as socket:
        assert Wire(socket).next()["type"] == "stream.ready"
    with stub.transport().open_socket("wss://crm.example.com/ws?resume=1", ADMIN, [], 5) as socket:
        assert Wire(socket).next()["type"] == "stream.ready"
