"""The company's feed on `/ws` in the process: what is told, where a client goes on, and who may listen."""

from __future__ import annotations

import json
from base64 import b64encode
from contextlib import ExitStack
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from wire import CHANNELS, DEALS, Wire, opened

from crm_sdk import CrmError
from crm_sdk.realtime.sockets import SocketClosedError, SocketRefusedError
from server_stub import StubServer
from server_stub.caller import Caller
from server_stub.doors.link import StubLink
from server_stub.problems import Problem
from server_stub.serving import Context


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
        for stage, moved in (("closed-won", "increase"), ("negotiation", "decrease")):
            client.deals.move_stage(deal.id, stage)
            (metric,) = [entry["data"] for entry in wire.all() if entry["type"] == "metrics.update"]
            assert metric["metric"] == "total_revenue" and metric["changeType"] == moved
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
    monkeypatch.setattr("server_stub.live.log.KEPT", 6)
    client = stub.client()
    for number in range(10):
        client.leads.create({"name": str(number)})
    with opened(stub, "/ws?resume=1&since=3") as wire:
        ready = wire.next()["data"]
        seen = [entry["seq"] for entry in wire.all()]
        assert len(seen) == 6
        assert ready["gap"] == {"from": 4, "to": seen[0] - 1, "reason": "expired"} and ready["seq"] == seen[0] - 1


def test_who_is_overtaken_by_one_great_call_begins_anew(stub: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("server_stub.live.log.KEPT", "server_stub.live.reading.KEPT"):
        monkeypatch.setattr(place, 4)
    client = stub.client()
    for number in range(3):
        client.leads.create({"name": str(number)})
    with opened(stub, "/ws") as wire:
        client.leads.create({"name": "the last one that can be told"})
        assert wire.all()
        with stub.store.transaction():
            call = Context(
                stub,
                Caller("tenant_acme", "system", None, "system"),
                stub.clock.now(),
                dialect="mvp",
                operation="",
                request_id="",
                source={},
            )
            for _ in range(10):
                call.emit("lead.created", "lead", {"id": "lead_123"})
        stub.clock.advance(1)
        with pytest.raises(SocketClosedError) as closed:
            wire.next()
        assert closed.value.code == 1012


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
    def refuse(call: Context, entry: object) -> None:
        raise Problem("FORBIDDEN", "after the event was written")

    client = stub.client()
    with opened(stub) as wire:
        wire.all()
        with monkeypatch.context() as broken:
            broken.setitem(stub.reactions, "lead.created", [refuse])
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


def test_a_state_file_keeps_the_history(tmp_path: Path) -> None:
    file = str(tmp_path / "state.db")
    with StubServer(db=file) as stub:
        stub.client().leads.create({"name": "before"})
    with StubServer(db=file) as stub, opened(stub, "/ws?resume=1&since=1&epoch=e1") as wire:
        stub.client().leads.create({"name": "after"})
        assert [message.get("seq") for message in wire.all()] == [None, 2, 3, 4]


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


@pytest.mark.parametrize("since", ["9" * 5000, "-1", "1.5", "\u0663"])
def test_a_position_that_is_no_number_is_refused(stub: StubServer, since: str) -> None:
    with pytest.raises(SocketRefusedError) as refused, opened(stub, f"/ws?since={since}"):
        pass
    assert refused.value.status == 422


def test_a_sub_protocol_that_holds_no_token_is_refused_as_none_would_be(stub: StubServer) -> None:
    odd = {"Sec-WebSocket-Protocol": "phoenix, base64url.bearer.phx.\xff"}
    with pytest.raises(SocketRefusedError) as refused, opened(stub, CHANNELS, odd):
        pass
    assert refused.value.status == 403


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


def test_signing_out_ends_the_session_s_connections(stub: StubServer) -> None:
    client, other = (stub.client(api_key=None) for _ in range(2))
    mine, others = (str(one.auth.login("ada@acme.test", "demo-password").access_token) for one in (client, other))
    with opened(stub, f"/ws?token={mine}", {}) as wire, opened(stub, f"/ws?token={others}", {}) as lasting:
        client.auth.logout()
        with pytest.raises(SocketClosedError) as closed:
            wire.next()
        assert closed.value.code == 4401 and lasting.next() is None
