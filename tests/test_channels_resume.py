"""A channel that goes on where it, or another one, ended: each push once and in order."""

from __future__ import annotations

from typing import Any

import pytest
from blocking import MODES, client_of, opened

from crm_sdk.errors import AuthenticationError
from server_stub import StubServer
from server_stub.identity import find_api_key

DEALS = "user:user_ada:deals"


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def titled(stub: StubServer, *titles: str) -> None:
    """Give a deal one title after the other."""
    client = stub.client(dialects="flow")
    deal = client.deals.list().items[0]
    for title in titles:
        client.deals.update(deal.id, {"title": title})


def titles(channel: Any, count: int) -> list[str]:
    found = [channel.wait(10) for _ in range(count)]
    assert None not in found, f"nothing came after {found}"
    return [push.changes["title"] for push in found]


def test_a_channel_goes_on_where_another_ended(stub: StubServer, mode: str) -> None:
    titled(stub, "a", "b", "c")
    with opened(client_of(stub, mode, None), lambda client: client.channels.join(DEALS, since=0), mode) as channel:
        assert titles(channel, 2) == ["a", "b"]
        place = str(channel.cursor)
    titled(stub, "d")
    with opened(client_of(stub, mode, None), lambda client: client.channels.join(DEALS, since=place), mode) as channel:
        assert titles(channel, 2) == ["c", "d"]
        titled(stub, "e")
        assert titles(channel, 1) == ["e"] and channel.wait(0.05) is None


def test_more_was_missed_than_the_answer_holds(stub: StubServer, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server_stub.live.phoenix.MISSED", 3)
    titled(stub, *"abcdefg")
    with opened(client_of(stub, mode, None), lambda client: client.channels.join(DEALS, since=1), mode) as channel:
        assert titles(channel, 6) == [*"bcdefg"]


def test_what_happens_while_the_link_is_down_comes_when_it_is_back(stub: StubServer, mode: str) -> None:
    with opened(client_of(stub, mode, None), lambda client: client.channels.join(DEALS), mode) as channel:
        titled(stub, "a")
        assert titles(channel, 1) == ["a"]
        with stub.lock:
            stub.live.abort()
            titled(stub, "b", "c")
        titled(stub, "d")
        assert titles(channel, 3) == ["b", "c", "d"]


def test_waiting_says_what_ended_a_stream_for_good(stub: StubServer, mode: str) -> None:
    who = client_of(stub, mode, None, api_key="acme-sales")
    with opened(who, lambda client: client.events.listen(), mode) as stream:
        key = find_api_key(stub.store, "acme-sales")
        assert key is not None
        with stub.store.transaction():
            stub.store.collection("tenant_acme", "api_key").remove(key["id"])
        stub.live.abort()
        with pytest.raises(AuthenticationError):
            stream.wait(10)
