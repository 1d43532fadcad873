"""Sessions that are stored: who takes them up, who ends them, and for how long one waits for another."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import pytest

from crm_sdk import AuthenticationError, ConfigurationError, DeadlineExceededError
from crm_sdk.credentials import Credentials
from crm_sdk.sign_in import FileStore, Password, RefreshToken, StoredSession, StoredTokens
from server_stub import StubServer

PASSWORD = Password("ada@acme.test", "demo-password")
Call = Callable[[Any], Any]
Opened = Callable[..., Any]


class Kept:
    """A store in memory, which notes how often it was held and let go."""

    def __init__(self, *, held_for: int = 0) -> None:
        self.tokens: StoredTokens | None = None
        self.held, self.released, self.busy = 0, 0, held_for

    def load(self) -> StoredTokens | None:
        return self.tokens

    def save(self, tokens: StoredTokens) -> None:
        self.tokens = tokens

    def clear(self) -> None:
        self.tokens = None

    def try_lock(self) -> Any:
        if self.busy > 0:
            self.busy -= 1
            return None
        self.held += 1
        return self

    def release(self) -> None:
        self.released += 1


@pytest.fixture
def opened(stub: StubServer, mode: str) -> Opened:
    make = stub.client if mode == "sync" else stub.async_client
    return lambda store, way=None, **more: make(
        **{"api_key": None, "dialects": "platform", "auth": StoredSession(way, store)} | more
    )


def actions(stub: StubServer) -> list[str]:
    return [entry["action"] for entry in stub.audit() if entry["action"].startswith("auth.")]


def test_who_took_a_session_up_ends_it_for_all(stub: StubServer, opened: Opened, call: Call) -> None:
    store = Kept()
    call(opened(store, PASSWORD).auth.userinfo())
    other = opened(store)
    assert call(other.auth.userinfo()).sub == "user_ada"
    call(other.auth.logout())
    assert store.tokens is None and other._credentials.access is None
    with pytest.raises(ConfigurationError, match="sign in first"):
        call(other.auth.userinfo())
    assert actions(stub) == ["auth.login", "auth.logout"] and store.held == store.released


def test_what_the_store_has_is_renewed_where_it_is_refused_and_kept(
    stub: StubServer, opened: Opened, call: Call
) -> None:
    store = Kept()
    call(opened(store, PASSWORD).auth.userinfo())
    first = store.tokens
    stub.clock.advance(3601)
    assert call(opened(store).auth.userinfo()).sub == "user_ada"
    assert first is not None and store.tokens is not None
    assert store.tokens.access_token != first.access_token and store.tokens.refresh_token != first.refresh_token
    assert actions(stub) == ["auth.login", "auth.token_refreshed"] and store.held == store.released


def test_a_refresh_token_begins_a_session_that_is_stored(stub: StubServer, opened: Opened, call: Call) -> None:
    token = str(stub.client(api_key=None).auth.login("ada@acme.test", "demo-password").refresh_token)
    store = Kept()
    assert call(opened(store, RefreshToken(token)).auth.userinfo()).sub == "user_ada"
    assert store.tokens is not None and store.tokens.refresh_token not in (None, token)


@pytest.mark.parametrize(("tries", "begins"), [(0, True), (10, True), (19, True), (25, False)])
def test_one_waits_a_twentieth_of_a_second_at_a_time_for_another(
    stub: StubServer, opened: Opened, call: Call, tries: int, begins: bool
) -> None:
    store, began = Kept(held_for=tries), stub.clock.now()
    client = opened(store, PASSWORD, timeout=1, max_retries=0)
    if begins:
        assert call(client.auth.userinfo()).sub == "user_ada"
        assert (stub.clock.now() - began).total_seconds() == pytest.approx(tries * 0.05, abs=0.02)
        return
    with pytest.raises(DeadlineExceededError, match="another process") as raised:
        call(client.auth.userinfo())
    assert not raised.value.sent and store.held == 0


def test_the_way_has_what_is_left_of_the_time() -> None:
    given: list[float] = []

    class Clock:
        now = 100.0

        def monotonic(self) -> float:
            return self.now

    class Client:
        clock = Clock()

    class Way(Password):
        def renew(self, client: Any, credentials: Credentials, timeout: float) -> Generator[Any, Any, None]:
            given.append(timeout)
            yield from ()

    session: Any = StoredSession(Way("a@b.co", "p"), Kept(held_for=2))
    for _ in session.renew(Client(), Credentials(), 5.0):
        Client.clock.now += 0.5
    assert given == [4.0]
    session = StoredSession(Way("a@b.co", "p"), Kept(held_for=1))
    for _ in session.renew(Client(), Credentials(), 5.0):
        Client.clock.now += 9.0
    assert given == [4.0, 0.001], "whoever has the lock tries, however late it is"


def test_tokens_that_are_those_of_the_client_are_renewed_and_none_are_not_kept(tmp_path: Any) -> None:
    session, store = StoredSession(PASSWORD, FileStore(tmp_path / "s.json")), FileStore(tmp_path / "s.json")
    session.keep(Credentials(None, "refresh"))
    assert store.load() is None
    session.keep(Credentials("access", None))
    assert store.load() == StoredTokens("access", None)
    session.forget()
    assert store.load() is None


def test_a_wrong_password_lets_the_store_go(opened: Opened, call: Call) -> None:
    store = Kept()
    with pytest.raises(AuthenticationError):
        call(opened(store, Password("ada@acme.test", "wrong")).auth.userinfo())
    assert (store.held, store.released, store.tokens) == (1, 1, None)
