"""`crm login`: with the browser, with a second factor, and sessions that commands share."""

from __future__ import annotations

import json
import threading
import webbrowser

import httpx
import pyotp
import pytest
from shell import Crm, Memory

from crm_cli import failures
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]


def test_sign_in_with_the_browser(crm: Crm, ring: Memory, stub: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def visit(address: str) -> None:
        with httpx.Client(follow_redirects=True) as browser:
            browser.post(address, data={"email": "mia@acme.test", "password": "demo-password"})

    def open_(address: str) -> bool:
        threading.Thread(target=visit, args=(address,), daemon=True).start()
        return True

    monkeypatch.setattr(webbrowser, "open", open_)
    with stub.serve() as port:
        done = crm("login", "--base-url", port.url, "--web")
        assert done.status == 0, done.err
        assert "/v1/auth/authorize?" in done.err, "where the browser does not open"
        assert crm("auth", "userinfo").json["sub"] == "user_mia"
        assert crm("status").json["credential"] == "session in the keyring"
        [session] = crm("auth", "sessions", "list").json
        assert session["clientId"] == "demo-web"
        stub.clock.advance(3601)
        assert crm("auth", "userinfo").status == 0, "renewed"
        assert crm("logout").status == 0
    assert ring.kept == {}


def test_the_browser_asks_who_it_is(crm: Crm) -> None:
    done = crm("login", "--base-url", "http://crm.test", "--web", "--email", "ada@acme.test")
    assert (done.status, "--web asks" in done.err) == (failures.USAGE, True)


@pytest.mark.parametrize("backup", [False, True])
def test_a_second_factor_is_asked_for(crm: Crm, ring: Memory, stub: StubServer, backup: bool) -> None:
    ada = stub.client(api_key=None)
    ada.auth.login("ada@acme.test", "demo-password")
    totp = pyotp.TOTP(str(ada.auth.mfa.setup().secret))
    codes = ada.auth.mfa.verify(totp.at(stub.clock.now())).backup_codes or []
    stub.clock.advance(60)
    code = str(codes[0]) if backup else totp.at(stub.clock.now())
    words = ("login", "--base-url", "http://crm.test", "--email", "ada@acme.test")
    with stub.intercept():
        assert crm(*words, stdin="demo-password\n000000\n").status == failures.AUTH
        assert ring.kept == {}
        assert crm(*words, stdin=f"demo-password\n{code}\n").status == 0
        assert crm("auth", "sessions", "current").json["mfaVerified"] is True


def test_commands_take_over_what_another_has_renewed(crm: Crm, ring: Memory, stub: StubServer) -> None:
    with stub.intercept():
        crm("login", "--base-url", "http://crm.test", "--email", "ada@acme.test", stdin="demo-password\n")
        [(place, kept)] = ring.kept.items()
        assert set(json.loads(kept)) >= {"access_token", "refresh_token"}
        stub.clock.advance(3601)
        for _ in range(3):
            assert crm("leads", "list", "--limit", "1").status == 0
        assert ring.kept[place] != kept
    told = [entry["action"] for entry in stub.audit() if entry["action"].startswith("auth.")]
    assert told == ["auth.login", "auth.token_refreshed"]


def test_secrets_are_asked_for_or_come_as_data(served: Crm, stub: StubServer) -> None:
    service = '{"clientId": "demo-service", "clientSecret": "demo-secret"}'
    done = served("auth", "token", "--grant-type", "client_credentials", "--data", service)
    assert done.status == 0, done.err
    assert served("auth", "token", "--grant-type", "x", "--client-secret", "y").status == failures.USAGE
    words = ("auth", "register", "--email", "bo@widgets.example", "--name", "Bo", "--company", "Widgets")
    assert served(*words, stdin="Correct-Horse-7!\n").json["tenant"]["slug"] == "widgets"
    token = stub.mails[-1].token
    assert served("auth", "email", "verify", str(token)).json["emailVerified"] is True
