"""Who is there: by sockets, frames and calls, of the own company, and only what the caller may read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from refusals import refused
from stub_data import some

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.data.queries.query import fold
from server_stub.live.phoenix import CURSORS, PhoenixSocket
from server_stub.live.sight import record_of
from server_stub.request.access.callers import user_caller

Connect = Callable[[str], PhoenixSocket]


@pytest.fixture
def acme(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def connect(stub: StubServer) -> Connect:
    """Open a socket of a user, without a carrier."""

    def open(user_id: str) -> PhoenixSocket:
        user = stub.store.collection("tenant_acme", "user").get(user_id)
        assert user is not None
        socket = PhoenixSocket(stub.live, user_caller(stub.store, user, stub.clock.now()), None)
        stub.live.connections.append(socket)
        return socket

    return open


def send(socket: PhoenixSocket, topic: str, event: str, payload: Any = None) -> list[list[Any]]:
    """Send a frame and return what comes."""
    socket.receive(json.dumps(["1", "1", topic, event, payload or {}]))
    return heard(socket)


def heard(socket: PhoenixSocket) -> list[list[Any]]:
    found: list[list[Any]] = []
    while (data := socket.next()) is not None:
        found.append(json.loads(data))
    return found


def states(client: CrmClient, **given: Any) -> dict[str, tuple[str, int]]:
    return {one.user.id: (str(one.status), one.connections) for one in client.presence.list(**given)}


def test_who_is_online_away_and_offline(stub: StubServer, acme: CrmClient, connect: Connect) -> None:
    assert set(states(acme).values()) == {("offline", 0)}, "an API key is nobody"
    sockets = [connect("user_sam") for _ in range(3)]
    for socket in sockets:
        send(socket, "company:tenant_acme", "phx_join", {"meta": {"view": "board"}})
    assert states(acme, status="online") == {"user_sam": ("online", 3)}
    for _ in range(11):
        stub.clock.advance(30)
        for socket in sockets:
            send(socket, "phoenix", "heartbeat")
    assert states(acme, user_id="user_sam") == {"user_sam": ("away", 3)}, "a heartbeat is no deed"
    send(sockets[0], "company:tenant_acme", "presence:update", {"meta": {"view": "list"}})
    (sam,) = acme.presence.list(user_id="user_sam")
    assert (sam.status, sam.meta) == ("online", {"view": "list"}), "of the connection that was active last"
    assert timedelta() <= stub.clock.now() - some(sam.last_seen_at) < timedelta(seconds=1)
    for socket in sockets:
        socket.client_left()
    stub.clock.advance(5 * 60)
    assert states(acme, user_id="user_sam") == {"user_sam": ("offline", 0)}
    ada = stub.client(api_key=None, dialects="platform", max_retries=0)
    ada.auth.login("ada@acme.test", "demo-password")
    ada.contacts.list(limit=1)
    assert states(acme, status="online") == {"user_ada": ("online", 0)}
    stub.clock.advance(5 * 60)
    assert states(acme, status="online") == {}


def test_only_who_has_joined_the_topic_and_only_what_may_be_read(
    stub: StubServer, acme: CrmClient, connect: Connect
) -> None:
    deal = acme.deals.create({"title": "Watched"})
    topic = f"record:deal:{deal.id}"
    send(connect("user_sam"), topic, "phx_join")
    send(connect("user_mia"), "company:tenant_acme", "phx_join")
    assert set(states(acme, entity_type="deal", entity_id=deal.id)) == {"user_sam"}
    (sam,) = acme.presence.list(user_id="user_sam")
    assert [(one.type, one.id, one.name) for one in sam.viewing] == [("deal", deal.id, "Watched")]
    for given in ({"entity_type": "deal", "entity_id": "deal_nowhere"}, {"entity_type": "x", "entity_id": deal.id}):
        assert refused(lambda given=given: acme.presence.list(**given)).code == "NOT_FOUND"  # type: ignore[misc] # the value of this turn is bound
    assert refused(lambda: acme.presence.list(entity_type="deal")).code == "VALIDATION_ERROR"
    assert refused(lambda: acme.presence.list(sort="status")).code == "VALIDATION_ERROR"
    globex = stub.client(api_key="globex-admin", dialects="platform", max_retries=0)
    assert {"user_sam", "user_mia"}.isdisjoint(states(globex))
    assert refused(lambda: globex.presence.list(entity_type="deal", entity_id=deal.id)).code == "NOT_FOUND"
    names = [one.user.name for one in acme.presence.list(sort="name")]
    assert names == sorted(names, key=lambda name: fold(str(name)))
    acme.tenants.features.update("tenant_acme", {"presence": False})
    assert refused(lambda: acme.presence.list()).code == "FEATURE_DISABLED"
    answer = send(connect("user_sam"), topic, "phx_join")
    assert answer[0][4] == {"status": "error", "response": {"reason": "unauthorized"}}


@pytest.mark.parametrize("kind", ["contact", "lead", "deal", "account", "activity", "conversation", "pipeline", "user"])
def test_every_kind_of_record_has_a_topic(stub: StubServer, connect: Connect, kind: str) -> None:
    stored = next(iter(stub.store.collection("tenant_acme", kind)))
    socket = connect("user_sam")
    assert send(socket, f"record:{kind}:{stored['id']}", "phx_join")[0][4]["status"] == "ok"
    assert send(socket, f"record:{kind}:x", "phx_join")[0][4]["response"] == {"reason": "unauthorized"}
    assert record_of(stub, socket.caller, kind, stored["id"]) is not None


def test_a_cursor_is_sent_twenty_times_a_second_and_the_latest_wins(
    stub: StubServer, acme: CrmClient, connect: Connect
) -> None:
    topic = f"record:deal:{acme.deals.create({'title': 'Pointed at'}).id}"
    one, other = connect("user_sam"), connect("user_mia")
    for socket in (one, other):
        send(socket, topic, "phx_join")
    heard(one)
    heard(other)
    for n in range(50):
        assert send(one, topic, "cursor", {"x": n, "userId": "user_ada"}) == []
    places = [frame[4]["x"] for frame in heard(other) if frame[3] == "cursor"]
    assert places == list(range(CURSORS))
    stub.clock.advance(1)
    assert heard(one) == []
    (last,) = [frame[4] for frame in heard(other) if frame[3] == "cursor"]
    assert (last["x"], last["userId"]) == (49, "user_sam")
    assert send(one, topic, "cursor", {"x": 1, "note": "y" * 1_024})[0][4] == {
        "status": "error", "response": {"reason": "too large"},
    }  # fmt: skip
    assert heard(other) == []


def test_two_at_work_on_one_record_see_each_other_and_overwrite_nothing(
    stub: StubServer, acme: CrmClient, connect: Connect
) -> None:
    deal = acme.deals.create({"title": "Ours", "owner_id": "user_sam"})
    topic = f"record:deal:{deal.id}"
    sam, mia = connect("user_sam"), connect("user_mia")
    for socket in (sam, mia):
        send(socket, topic, "phx_join")
    assert set(states(acme, entity_type="deal", entity_id=deal.id)) == {"user_sam", "user_mia"}
    heard(sam)
    heard(mia)
    send(sam, topic, "cursor", {"x": 7})
    assert [frame[4]["x"] for frame in heard(mia) if frame[3] == "cursor"] == [7]
    acme.deals.update(deal.id, {"title": "Theirs"}, version=deal.version)
    assert (
        refused(lambda: acme.deals.update(deal.id, {"title": "Lost"}, version=deal.version)).code == "VERSION_CONFLICT"
    )
    assert acme.deals.get(deal.id).title == "Theirs"


@pytest.mark.parametrize(("seconds", "state"), [(5 * 60 - 0.001, "online"), (5 * 60, "offline")])
def test_a_call_makes_online_for_five_minutes(stub: StubServer, acme: CrmClient, seconds: float, state: str) -> None:
    ada = stub.client(api_key=None, dialects="platform", max_retries=0)
    ada.auth.login("ada@acme.test", "demo-password")
    ada.contacts.list(limit=1)
    (seen,) = acme.presence.list(user_id="user_ada")
    assert seen.status == "online" and seen.last_seen_at is not None
    stub.clock.advance(seconds - (stub.clock.now() - seen.last_seen_at).total_seconds() - 0.001)
    (after,) = acme.presence.list(user_id="user_ada")
    assert (stub.clock.now() - seen.last_seen_at).total_seconds() == seconds
    assert (after.status, after.last_seen_at, after.connections) == (state, seen.last_seen_at, 0)


def test_a_record_is_named_by_its_type_and_its_id(acme: CrmClient) -> None:
    given: dict[str, Any]
    for given, lacking in (({"entity_type": "deal"}, "entity_id"), ({"entity_id": "deal_1"}, "entity_type")):
        error = refused(lambda given=given: acme.presence.list(**given))  # type: ignore[misc] # the value of this turn is bound
        assert [(one.field, one.rule) for one in error.fields] == [(lacking, "required")]


def test_what_is_said_of_somebody(stub: StubServer, acme: CrmClient, connect: Connect) -> None:
    deal = acme.deals.create({"title": "Watched"})
    note = acme.activities.notes.create({"body": "N", "contact_id": "contact_123"})
    first, second, silent = connect("user_sam"), connect("user_sam"), connect("user_mia")
    send(first, "company:tenant_acme", "phx_join", {"meta": {"view": "board", "name": "no name of ours"}})
    send(second, f"record:deal:{deal.id}", "phx_join", {"meta": {"view": "deal"}})
    send(first, f"record:deal:{deal.id}", "phx_join")
    send(first, f"record:note:{note.id}", "phx_join")
    (sam,) = acme.presence.list(user_id="user_sam")
    assert (sam.user.id, sam.user.name, sam.status, sam.connections) == ("user_sam", "Sam Okonkwo", "online", 2)
    assert {(one.type, one.id) for one in sam.viewing} == {("deal", deal.id), ("activity", note.id)}
    assert sam.meta["view"] in ("board", "deal") and "onlineAt" not in sam.meta and "phx_ref" not in sam.meta
    assert states(acme, user_id="user_mia") == {"user_mia": ("offline", 0)} and silent, "it has joined nothing"
    (mia,) = acme.presence.list(user_id="user_mia")
    assert (mia.meta, mia.viewing) == ({}, [])
    order = [one.user.id for one in acme.presence.list(sort="last_seen_at", order="desc")]
    assert order[0] == "user_sam" and len(order) == len(set(order))
    acme.deals.delete(deal.id)
    (sam,) = acme.presence.list(user_id="user_sam")
    assert [one.id for one in sam.viewing] == [note.id]
    acme.users.deactivate("user_sam")
    assert acme.presence.list(user_id="user_sam").total == 0
