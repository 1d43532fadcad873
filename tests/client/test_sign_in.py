"""`CrmClient(auth=…)`: who signs in when, what is renewed, and what processes share."""

from __future__ import annotations

import asyncio
import json
import pickle
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest
from sources import ROOT

from crm_sdk import (
    AsyncCrmClient,
    AuthenticationError,
    ConfigurationError,
    CrmClient,
    CrmError,
    DeadlineExceededError,
)
from crm_sdk.sign_in import (
    AuthorizationCode,
    ClientCredentials,
    FileStore,
    Password,
    RefreshToken,
    SignIn,
    StoredSession,
    StoredTokens,
)
from crm_sdk.sign_in.loopback import Loopback
from server_stub import StubServer

PASSWORD = Password("ada@acme.test", "demo-password")
Opened = Callable[..., Any]


@pytest.fixture
def opened(stub: StubServer, mode: str) -> Opened:
    """Return a function that makes a client of the stub in the mode of the test, which signs in in a way."""
    make = stub.client if mode == "sync" else stub.async_client
    return lambda way, **more: make(**{"api_key": None, "dialects": "platform", "auth": way} | more)


def actions(stub: StubServer) -> list[str]:
    return [entry["action"] for entry in stub.audit() if entry["action"].startswith("auth.")]


def refresh_token(stub: StubServer) -> str:
    return str(stub.client(api_key=None).auth.login("ada@acme.test", "demo-password").refresh_token)


WAYS: dict[str, tuple[Callable[[StubServer], SignIn], list[str]]] = {
    "password": (lambda stub: PASSWORD, ["auth.login", "auth.token_refreshed"]),
    "service": (lambda stub: ClientCredentials("demo-service", "demo-secret"), ["auth.token_issued"] * 2),
    "token": (
        lambda stub: RefreshToken(refresh_token(stub)),
        ["auth.login", "auth.token_refreshed", "auth.token_refreshed"],
    ),
}


@pytest.mark.parametrize("name", WAYS)
def test_the_first_call_signs_in_and_a_later_one_renews(
    stub: StubServer, opened: Opened, call: Callable[[Any], Any], name: str
) -> None:
    way, wanted = WAYS[name]
    client = opened(way(stub))
    assert len(actions(stub)) == (name == "token"), "nothing is done before it is needed"
    assert call(client.leads.get("lead_123")).id == "lead_123"
    stub.clock.advance(3601)
    assert call(client.leads.get("lead_123")).id == "lead_123"
    assert actions(stub) == wanted


def test_calls_at_once_sign_in_once(stub: StubServer) -> None:
    client = stub.async_client(api_key=None, dialects="platform", auth=PASSWORD)

    async def calls() -> None:
        await asyncio.gather(*(client.leads.get("lead_123") for _ in range(5)))

    asyncio.run(calls())
    assert actions(stub) == ["auth.login"]


def test_a_wrong_password_is_tried_once(stub: StubServer, opened: Opened, call: Callable[[Any], Any]) -> None:
    client = opened(Password("ada@acme.test", "wrong"))
    for _ in range(7):
        with pytest.raises(AuthenticationError, match="INVALID_CREDENTIALS"):
            call(client.leads.get("lead_123"))
    assert actions(stub) == ["auth.login_failed"], "the user is not locked out"


def test_a_session_that_was_ended_is_begun_anew(stub: StubServer, opened: Opened, call: Callable[[Any], Any]) -> None:
    client = opened(PASSWORD)
    session = call(client.auth.sessions.current())
    stub.client().auth.sessions.delete(session.id)
    assert call(client.auth.sessions.current()).id != session.id
    assert actions(stub) == ["auth.login", "auth.session_ended", "auth.login"]


def test_a_second_factor_is_asked_for(stub: StubServer, opened: Opened, call: Callable[[Any], Any]) -> None:
    ada = stub.client(api_key=None)
    ada.auth.login("ada@acme.test", "demo-password")
    totp = pyotp.TOTP(str(ada.auth.mfa.setup().secret))
    ada.auth.mfa.verify(totp.at(stub.clock.now()))
    with pytest.raises(AuthenticationError, match="mfa_code="):
        call(opened(PASSWORD).auth.userinfo())
    stub.clock.advance(60)
    way = Password("ada@acme.test", "demo-password", mfa_code=lambda: totp.at(stub.clock.now()))
    assert call(opened(way).auth.sessions.current()).mfa_verified is True


def test_no_secret_shows(opened: Opened) -> None:
    ways = [
        PASSWORD,
        ClientCredentials("a", "s3cr3t-s3cr3t"),
        RefreshToken("s3cr3t-s3cr3t"),
        AuthorizationCode("a", "s3cr3t-s3cr3t"),
    ]
    assert "demo-password" not in repr(ways) and "s3cr3t" not in repr([*ways, StoredTokens("s3cr3t", "s3cr3t")])
    client = opened(PASSWORD)
    assert "demo-password" not in f"{client!r} {vars(client)}"
    assert b"demo-password" not in pickle.dumps(client)


def test_a_key_and_a_way_exclude_each_other(stub: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="not both"):
        CrmClient("https://crm.test", "key", auth=PASSWORD)
    monkeypatch.setenv("CRM_API_KEY", "acme-sales")
    assert stub.client(api_key=None, auth=PASSWORD).auth.userinfo().sub == "user_ada"


# -- stored sessions ---------------------------------------------------------------------------------------------------


def test_a_stored_session_is_taken_up_and_renewed_by_one(
    stub: StubServer, opened: Opened, call: Callable[[Any], Any], tmp_path: Path
) -> None:
    store = FileStore(tmp_path / "deep" / "session.json")
    first, second = opened(StoredSession(PASSWORD, store)), opened(StoredSession(None, store))
    assert {call(client.auth.userinfo()).sub for client in (first, second)} == {"user_ada"}
    stub.clock.advance(3601)
    assert {call(client.auth.userinfo()).sub for client in (first, second)} == {"user_ada"}
    assert actions(stub) == ["auth.login", "auth.token_refreshed"]
    kept = tmp_path / "deep" / "session.json"
    assert kept.stat().st_mode & 0o077 == 0
    call(first.auth.logout())
    assert not kept.exists()
    with pytest.raises(AuthenticationError):
        call(second.auth.userinfo())
    with pytest.raises(ConfigurationError, match="sign in first"):
        call(opened(StoredSession(None, store)).auth.userinfo())


def test_a_store_that_cannot_be_read_is_empty(tmp_path: Path, stub: StubServer) -> None:
    kept = tmp_path / "session.json"
    for content in ("", "{", "[]", '{"access_token": "x", "more": 1}'):
        kept.write_text(content)
        assert FileStore(kept).load() is None
    assert stub.client(api_key=None, auth=StoredSession(PASSWORD, FileStore(kept))).auth.userinfo().sub == "user_ada"
    assert json.loads(kept.read_text()).keys() == {"access_token", "refresh_token"}


def test_one_waits_for_another_that_renews(
    stub: StubServer, opened: Opened, call: Callable[[Any], Any], tmp_path: Path
) -> None:
    store = FileStore(tmp_path / "session.json")
    lock = store.try_lock()
    assert lock is not None and store.try_lock() is None
    with pytest.raises(DeadlineExceededError, match="another process"):
        call(opened(StoredSession(PASSWORD, store), timeout=1).auth.userinfo())
    lock.release()
    assert call(opened(StoredSession(PASSWORD, store), timeout=1).auth.userinfo()).sub == "user_ada"


_PROCESS = """
import sys
from crm_sdk import CrmClient
from crm_sdk.sign_in import FileStore, StoredSession
client = CrmClient(sys.argv[1], dialects="platform", auth=StoredSession(None, FileStore(sys.argv[2])))
client.auth.userinfo()
sys.stdin.readline()  # the token has expired by now
print(client.auth.userinfo().sub)
"""


def test_processes_renew_once(stub: StubServer, tmp_path: Path) -> None:
    kept = tmp_path / "session.json"
    with stub.serve() as port:
        with CrmClient(port.url, auth=StoredSession(PASSWORD, FileStore(kept))) as client:
            client.auth.userinfo()
        before = actions(stub).count("auth.token_refreshed")
        running = [
            subprocess.Popen(
                [sys.executable, "-c", _PROCESS, port.url, str(kept)],
                cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for _ in range(3)
        ]  # fmt: skip
        stub.clock.advance(3601)
        printed = [process.communicate("\n", timeout=60)[0] for process in running]
        assert printed == ["user_ada\n"] * 3
        assert actions(stub).count("auth.token_refreshed") - before == 1
        assert "auth.token_reuse_detected" not in actions(stub)


# -- the browser -------------------------------------------------------------------------------------------------------


class Browser:
    """A browser with somebody before it, who signs in at the page."""

    def __init__(self, *forms: dict[str, str]) -> None:
        self._forms = forms
        self.pages: list[str] = []

    def open(self, address: str) -> None:
        threading.Thread(target=self.visit, args=(address,), daemon=True).start()

    def visit(self, address: str) -> None:
        with httpx.Client(headers={"Accept": "text/html"}, follow_redirects=True) as client:
            page = client.get(address)
            for form in self._forms:
                self.pages.append(page.text)
                hidden = re.findall('name="mfa_token" value="([^"]+)"', page.text)
                page = client.post(address, data={**form, **({"mfa_token": hidden[0]} if hidden else {})})
            self.pages.append(page.text)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_user_signs_in_with_the_browser(stub: StubServer, asynchronous: bool) -> None:
    browser = Browser(
        {"email": "mia@acme.test", "password": "wrong"}, {"email": "mia@acme.test", "password": "demo-password"}
    )
    way = AuthorizationCode("demo-web", open=browser.open, patience=30)
    with stub.serve() as port:
        if asynchronous:

            async def calls() -> str:
                async with AsyncCrmClient(port.url, dialects="platform", auth=way) as client:
                    return (await client.auth.userinfo()).sub

            found = asyncio.run(calls())
        else:
            with CrmClient(port.url, dialects="platform", auth=way) as client:
                found = client.auth.userinfo().sub
                [session] = client.auth.sessions.list().items
                assert (session.client_id, session.auth_method) == ("demo-web", "oauth")
                stub.clock.advance(3601)
                assert client.auth.userinfo().sub == "user_mia", "renewed as the application"
    assert found == "user_mia"
    assert "demo-web" in browser.pages[0] and "is wrong" in browser.pages[1] and "Signed in" in browser.pages[2]


def test_the_page_asks_for_the_second_factor(stub: StubServer) -> None:
    mia = stub.client(api_key=None)
    mia.auth.login("mia@acme.test", "demo-password")
    totp = pyotp.TOTP(str(mia.auth.mfa.setup().secret))
    codes = mia.auth.mfa.verify(totp.at(stub.clock.now())).backup_codes
    assert codes is not None
    forms = [{"email": "mia@acme.test", "password": "demo-password"}, {"code": "000"}, {"code": str(codes[0])}]
    way = AuthorizationCode("demo-web", open=Browser(*forms).open, patience=30)
    with stub.serve() as port, CrmClient(port.url, dialects="platform", auth=way) as client:
        assert client.auth.sessions.current().mfa_verified is True


def test_without_a_browser_the_user_brings_the_address(stub: StubServer) -> None:
    def ask(address: str) -> str:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        ada = stub.client(api_key=None, dialects="platform")
        ada.auth.login("ada@acme.test", "demo-password")
        return ada.auth.authorize(**asked).redirect_to

    client = stub.client(api_key=None, dialects="platform", auth=AuthorizationCode("demo-web", ask=ask))
    assert client.auth.userinfo().sub == "user_ada"
    other = AuthorizationCode("demo-web", ask=lambda address: "http://127.0.0.1/callback?code=x&state=another")
    with pytest.raises(AuthenticationError, match="not to this sign-in"):
        stub.client(api_key=None, dialects="platform", auth=other).auth.userinfo()
    refusing = AuthorizationCode("demo-web", scope="everything", ask=ask)
    with pytest.raises(Exception, match="may not have the scope"):
        stub.client(api_key=None, dialects="platform", auth=refusing).auth.userinfo()


def test_only_the_answer_to_this_sign_in_is_taken(stub: StubServer) -> None:
    seen: list[int] = []

    def meddle(address: str) -> None:
        back = parse_qs(urlsplit(address).query)["redirect_uri"][0]
        seen.extend(httpx.get(at).status_code for at in (f"{back}?code=x&state=y", back, back.replace("callback", "x")))

    way = AuthorizationCode("demo-web", open=meddle, patience=0)
    with (
        stub.serve() as port,
        CrmClient(port.url, dialects="platform", auth=way) as client,
        pytest.raises(DeadlineExceededError, match="nobody has signed in"),
    ):
        client.auth.userinfo()
    assert seen == [400, 400, 404]


@pytest.mark.parametrize(
    ("brought", "code", "message"),
    [
        ("error=access_denied&error_description=Not+today", "ACCESS_DENIED", "Not today"),
        ("error=access_denied", "ACCESS_DENIED", "access_denied"),
        ("error=access_denied&code=x", "ACCESS_DENIED", "access_denied"),
        ("", "NO_CODE", "there is no code"),
    ],
)
def test_what_the_browser_brings_instead_of_a_code_is_said(
    stub: StubServer, brought: str, code: str, message: str
) -> None:
    def ask(address: str) -> str:
        return f"http://127.0.0.1/callback?{brought}&state={parse_qs(urlsplit(address).query)['state'][0]}"

    with pytest.raises(AuthenticationError) as raised:
        stub.client(api_key=None, dialects="platform", auth=AuthorizationCode("demo-web", ask=ask)).auth.userinfo()
    assert (raised.value.status, raised.value.code, raised.value.message) == (400, code, message)


@pytest.mark.parametrize("scope", [None, "leads:read offline_access"])
def test_the_systems_browser_is_shown_the_page_of_the_server(
    stub: StubServer, monkeypatch: pytest.MonkeyPatch, scope: str | None
) -> None:
    shown: list[str] = []
    monkeypatch.setattr("webbrowser.open", shown.append)
    way = AuthorizationCode("demo-web", scope=scope, patience=2)
    client = stub.client(api_key=None, dialects="platform", auth=way)
    began = stub.clock.now()
    with pytest.raises(DeadlineExceededError, match="within 2 s") as raised:
        client.auth.userinfo()
    assert not raised.value.sent and 1.9 < (stub.clock.now() - began).total_seconds() < 2.1
    [address] = shown
    assert urlsplit(address).path.endswith("/auth/authorize")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert re.fullmatch(r"http://127\.0\.0\.1:[0-9]+/callback", asked.pop("redirect_uri"))
    assert len(asked.pop("state")) == 32 and re.fullmatch(r"[A-Za-z0-9_-]{43}", asked.pop("code_challenge"))
    assert asked == {
        "response_type": "code", "client_id": "demo-web", "code_challenge_method": "S256",
        **({"scope": scope} if scope else {}),
    }  # fmt: skip
    assert (AuthorizationCode("demo-web").patience, AuthorizationCode("demo-web").port) == (300, 0)


@pytest.mark.parametrize(("query", "title"), [("code=x", "Signed in"), ("error=access_denied", "Not signed in")])
def test_the_browser_is_shown_how_it_ended_and_keeps_nothing(query: str, title: str) -> None:
    with Loopback(0, "st\u00e4te") as loopback:
        assert loopback.received() is None
        answer = httpx.get(f"{loopback.address}?{query}&state=st%C3%A4te")
        assert (answer.status_code, f"<h1>{title}</h1>" in answer.text) == (200, True)
        assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["content-length"] == str(len(answer.content))
        received = loopback.received()
        assert received is not None and received["state"] == ["st\u00e4te"]
        assert loopback._thread.daemon, "a program may end while it waits"
    with pytest.raises(httpx.ConnectError):
        httpx.get(loopback.address)


def test_a_service_that_is_busy_ends_no_session(stub: StubServer, opened: Opened, call: Callable[[Any], Any]) -> None:
    client = opened(PASSWORD, max_retries=0)
    call(client.auth.userinfo())
    for status in (429, 500, 503):
        stub.clock.advance(3601)
        stub.faults.add("status", status=status, operation="auth.refresh", times=1)
        with pytest.raises(CrmError):
            call(client.auth.userinfo())
        assert call(client.auth.userinfo()).sub == "user_ada"
    assert actions(stub) == ["auth.login"] + ["auth.token_refreshed"] * 3


def test_a_file_of_tokens_can_be_cleared_twice_and_says_where_it_is(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "deep" / "er" / "session.json")
    lock = store.try_lock()
    assert lock is not None and store.load() is None
    lock.release()
    for _ in range(2):
        store.save(StoredTokens("a", "b"))
        assert store.load() == StoredTokens("a", "b")
    for _ in range(2):
        store.clear()
    assert store.load() is None and repr(store) == f"FileStore('{tmp_path}/deep/er/session.json')"
    assert [path.name for path in (tmp_path / "deep" / "er").iterdir()] == ["session.json.lock"]
