"""Listening to the company: typed events of what calls did, over ws and SSE, in process and on a port."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, Literal

import pytest
from blocking import MODES, Place, client_of, opened
from patience import HANG

from crm_sdk import CrmClient, Cursor
from crm_sdk.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    EventGap,
    InvalidInputError,
    RateLimitError,
    UnsupportedOperationError,
)
from crm_sdk.models import LeadCreated, LeadUpdated, MessageReceived, MetricsUpdate
from server_stub import StubServer
from server_stub.request.access.identity import find_api_key
from server_stub.seed.setup.company import DEMO_PASSWORD

Over = Literal["ws", "sse"]


class Company(Place):
    """Where leads arrive."""

    def listening(self, *, client: dict[str, Any] | None = None, **options: Any) -> AbstractContextManager[Any]:
        """Listen with a client of its own."""
        return self.opening(lambda client: client.events.listen(**options), client)

    def lead(self, name: str) -> str:
        """Let a lead arrive."""
        return self.user.leads.create({"name": name, "email": f"{name}@example.com", "source": "api"}).id


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(params=["in process", "port"])
def company(request: pytest.FixtureRequest, mode: str) -> Generator[Company]:
    stub = StubServer()
    if request.param == "in process":
        yield Company(stub, mode, None)
        return
    with stub.serve() as port:
        yield Company(stub, mode, port.url)


@pytest.fixture
def inside(mode: str) -> Company:
    return Company(StubServer(), mode, None)


@pytest.fixture(params=["ws", "sse"])
def over(request: pytest.FixtureRequest) -> Over:
    found: Over = request.param
    return found


def names(stream: Any, count: int, kind: type[Any] = LeadCreated) -> list[str]:
    """Return the names in the next so many events of a kind."""
    found: list[str] = []
    while len(found) < count:
        event = stream.wait(HANG)
        assert event is not None, f"nothing came after {found}"
        if isinstance(event, kind):
            found.append(event.data.name)
    return found


def test_what_a_call_does_arrives_as_a_typed_event(company: Company, over: Over) -> None:
    with company.listening(over=over, types=["lead.created", "lead.updated"]) as stream:
        lead_id = company.lead("ann")
        company.user.leads.update(lead_id, {"status": "contacted"})
        created, updated = stream.wait(HANG), stream.wait(HANG)
    assert isinstance(created, LeadCreated) and isinstance(updated, LeadUpdated)
    assert (created.data.id, created.data.name, created.data.email) == (lead_id, "ann", "ann@example.com")
    assert created.data.source == "api" and created.timestamp is not None and created.mismatches == ()
    assert updated.data.id == lead_id and updated.data.status == "contacted"
    assert created.seq is not None and updated.seq is not None and created.seq < updated.seq
    assert created.id != updated.id and created.epoch == updated.epoch


def test_a_message_and_a_figure_that_moves_are_told_too(inside: Company, over: Over) -> None:
    with inside.listening(over=over) as stream:
        lead_id = inside.lead("ann")
        inside.user.messages.create({"lead_id": lead_id, "content": "Hi, I am interested", "sender": "lead"})
        seen: list[Any] = []
        while not {MetricsUpdate, MessageReceived} <= {type(event) for event in seen}:
            seen.append(stream.wait(HANG))
            assert seen[-1] is not None
        while (event := stream.wait(0.3)) is not None:
            seen.append(event)
    assert any(isinstance(event, MetricsUpdate) and event.data.metric for event in seen)
    received = [event for event in seen if isinstance(event, MessageReceived)]
    assert [event.data.content for event in received] == ["Hi, I am interested"]
    assert [event.seq for event in seen] == list(range(seen[0].seq, seen[0].seq + len(seen)))


def test_a_stream_goes_on_where_another_ended(company: Company, over: Over) -> None:
    with company.listening(over=over, types=["lead.created"]) as stream:
        for name in ("a", "b", "c"):
            company.lead(name)
        assert names(stream, 2) == ["a", "b"]
        place = str(stream.cursor)
    company.lead("d")
    with company.listening(over=over, since=place, types=["lead.created"]) as stream:
        company.lead("e")
        assert names(stream, 3) == ["c", "d", "e"]


def test_the_beginning_is_a_place_too(inside: Company, over: Over) -> None:
    inside.lead("a")
    with inside.listening(over=over, since=0, types=["lead.created"]) as stream:
        assert names(stream, 1) == ["a"]
    with inside.listening(over=over) as stream:
        assert stream.cursor is not None and stream.cursor.seq > 0 and stream.wait(0.05) is None


def test_another_company_hears_nothing(inside: Company, over: Over) -> None:
    with inside.listening(over=over, client={"api_key": "globex-admin"}) as stream:
        inside.lead("ann")
        assert stream.wait(0.2) is None


def test_a_credential_that_is_no_good_is_said_at_the_beginning(company: Company, over: Over) -> None:
    with pytest.raises(AuthenticationError), company.listening(over=over, client={"api_key": "nonsense"}):
        raise AssertionError("it began")


@pytest.mark.thorough
def test_nobody_there_is_said_at_the_beginning(mode: str, over: Over) -> None:
    company = Company(StubServer(), mode, "http://127.0.0.1:9")
    with pytest.raises(ConnectionFailedError), company.listening(over=over, client={"timeout": 1.0}):
        raise AssertionError("it began")


def test_a_token_that_expired_is_renewed_once(inside: Company, over: Over) -> None:
    def before(client: Any) -> Any:
        return client.auth.login("ada@acme.test", DEMO_PASSWORD)

    def make(client: Any) -> Any:
        inside.stub.clock.advance(2 * 3600)
        return client.events.listen(over=over, types=["lead.created"])

    client = client_of(inside.stub, inside.mode, None, api_key=None, dialects="platform,mvp")
    with opened(client, make, inside.mode, before=before) as stream:
        inside.lead("ann")
        assert names(stream, 1) == ["ann"]
    renewals = list(inside.stub.journal.find(operation="auth.refresh"))
    assert len(renewals) == 1


def test_one_connection_too_many_is_refused(inside: Company) -> None:
    tenants = inside.stub.store.collection("tenant_acme", "tenant")
    tenant = tenants.get("tenant_acme")
    assert tenant is not None
    tenants.put(tenant | {"plan": "free"})
    clients = [inside.stub.client(timeout=0.5) for _ in range(6)]
    streams = [client.events.listen() for client in clients]
    try:
        for stream in streams[:5]:
            stream.start()
        with pytest.raises(RateLimitError) as caught:
            streams[5].start()
        assert caught.value.code == "LIMIT_EXCEEDED" and caught.value.retry_after
    finally:
        for stream in streams:
            stream.close()


def test_a_server_that_was_set_back_is_a_gap_and_goes_on(company: Company, over: Over) -> None:
    with company.listening(over=over, types=["lead.created"]) as stream:
        company.lead("a")
        assert names(stream, 1) == ["a"]
        company.stub.reset()
        company.lead("b")
        with pytest.raises(EventGap) as caught:
            names(stream, 99)
        assert caught.value.reason == "epoch" and caught.value.from_seq is not None and caught.value.to_seq is None
        company.lead("c")
        assert names(stream, 1) in (["b"], ["c"])


def test_an_expired_place_is_a_gap_with_both_ends(inside: Company, over: Over, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server_stub.live.log.KEPT", 5)
    inside.lead("first")
    with inside.listening(over=over) as stream:
        place = stream.cursor
    for n in range(20):
        inside.lead(f"lead{n}")
    with inside.listening(over=over, since=place, types=["lead.created"]) as stream:
        with pytest.raises(EventGap) as caught:
            stream.wait(HANG)
        assert caught.value.reason == "expired" and caught.value.from_seq == place.seq + 1
        assert caught.value.to_seq is not None and caught.value.to_seq > place.seq
        assert names(stream, 1)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["drop", "duplicate", "delay", "reorder", "corrupt", "abort", "close", "refuse"])
def test_whatever_befalls_an_event_all_arrive_once_and_in_order(inside: Company, over: Over, kind: Any) -> None:
    with inside.listening(over=over, types=["lead.created"]) as stream:
        inside.stub.live.add(kind, event="lead.created", after=2, times=2, seconds=0.05)
        wanted = [f"lead{n}" for n in range(8)]
        for name in wanted:
            inside.lead(name)
        inside.stub.clock.advance(20)
        assert names(stream, 8) == wanted
        assert stream.wait(0.05) is None
    assert inside.stub.live.faults.fault_counts[kind] == 2


@pytest.mark.thorough
def test_a_half_open_link_is_noticed_by_its_silence(mode: str) -> None:
    stub = StubServer()
    with stub.serve() as port:
        company = Company(stub, mode, port.url)
        with company.listening(heartbeat=0.05, types=["lead.created"]) as stream:
            stub.live.add("half_open", event="lead.created")
            for name in ("a", "b"):
                company.lead(name)
            assert names(stream, 2) == ["a", "b"]


@pytest.mark.thorough
def test_a_slow_reader_keeps_the_link(company: Company) -> None:
    with company.listening(capacity=3, heartbeat=0.5, types=["lead.created"]) as stream:
        for n in range(12):
            company.lead(f"lead{n}")
        time.sleep(1.2)
        assert stream.connected
        opened_before = company.stub.live.opened
        assert opened_before == 1
        assert names(stream, 12) == [f"lead{n}" for n in range(12)]


def test_iterating_ends_when_the_stream_is_closed() -> None:
    stub = StubServer()
    with stub.client() as client, client.events.listen(types=["lead.created"]) as stream:
        found: list[object] = []
        client.leads.create({"name": "Ann", "email": "ann@example.com", "source": "api"})
        for event in stream:
            found.append(event)
            stream.close()
    assert len(found) == 1


def test_what_cannot_be_right_is_said_before_anything_is_sent() -> None:
    client = CrmClient("http://127.0.0.1:9", "key")
    wrongs: tuple[dict[str, Any], ...] = (
        {"over": "carrier pigeon"}, {"types": "lead.created"}, {"since": "x"}, {"capacity": 0}, {"overflow": "explode"},
        {"heartbeat": -1},
    )  # fmt: skip
    for wrong in wrongs:
        with pytest.raises((InvalidInputError, ConfigurationError)):
            client.events.listen(**wrong)
    with pytest.raises(UnsupportedOperationError, match="mvp"):
        client.with_options(dialects="flow").events.listen()


def test_a_stream_says_what_it_is(inside: Company) -> None:
    with inside.listening() as stream:
        assert "connected" in repr(stream) and stream.dropped == 0 and stream.connected
        assert Cursor.parse(str(stream.cursor)) == stream.cursor
    assert not stream.connected


def test_a_reminder_comes_by_the_clock_alone(inside: Company) -> None:
    start = inside.stub.clock.now() + timedelta(hours=2)
    inside.user.calendar.events.create(
        {"title": "Demo", "start_time": start, "end_time": start + timedelta(hours=1), "type": "demo"}
    )
    with inside.listening(types=["event.reminder"]) as stream:
        inside.stub.clock.advance(3600)
        event = stream.wait(HANG)
    assert event is not None and event.type == "event.reminder"


def test_waiting_says_what_ended_a_stream_for_good(inside: Company, over: Over) -> None:
    with inside.listening(over=over, client={"api_key": "acme-sales"}) as stream:
        key = find_api_key(inside.stub.store, "acme-sales")
        assert key is not None
        with inside.stub.store.transaction():
            inside.stub.store.collection("tenant_acme", "api_key").remove(key["id"])
        inside.stub.live.abort()
        for _ in range(2):
            with pytest.raises(AuthenticationError):
                stream.wait(HANG)
