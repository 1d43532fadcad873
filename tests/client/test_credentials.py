"""Sign-in, and that no key, token or password shows where it should not."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import pickle
import threading
import traceback
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from canned_answers import LEAD, Canned

from crm_sdk import (
    AsyncCrmClient,
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    CrmClient,
    CrmError,
    InvalidInputError,
    InvalidResponseError,
)
from crm_sdk.credentials import Credentials

Make = Callable[..., Any]
Call = Callable[[Any], Any]

KEY, ACCESS, NEWER, REFRESH, PASSWORD = "sk-aaaa", "tok-bbbb", "tok-cccc", "ref-dddd", "pw-eeee"
SECRETS = (KEY, ACCESS, NEWER, REFRESH, PASSWORD)
USER = {"id": "u1", "email": "ada@acme.test", "name": "Ada"}
SESSION = {"token": ACCESS, "refreshToken": REFRESH, "user": USER}


def secrets_in(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


def everything(value: object, seen: set[int] | None = None) -> str:
    """Return the repr of a value and of all that `vars` reaches from it within this library."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return ""
    seen.add(id(value))
    text = repr(value)
    if type(value).__module__.startswith("crm_sdk"):
        members = [*getattr(value, "__dict__", {}).values()]
        text += "".join(everything(member, seen) for member in members)
    return text


def bearers(server: Canned) -> list[str | None]:
    return [request.headers.get("authorization") for request in server.requests]


def test_no_credential_shows_in_repr_vars_pickles_or_logs(
    make: Make, call: Call, server: Canned, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = make(api_key=KEY)
    server.says(SESSION).says({"error": {"code": "X", "message": "m"}}, 401).says({**SESSION, "token": NEWER}).says(
        LEAD
    )
    result = call(client.auth.login("ada@acme.test", PASSWORD))
    lead = call(client.leads.get("x"))
    assert bearers(server) == [None, f"Bearer {ACCESS}", None, f"Bearer {NEWER}"]
    seen = (client, client.leads, client.auth, result, lead, client.with_options(timeout=1))
    kept = [pickle.dumps(value, protocol) for value in (client, result, lead) for protocol in range(2, 6)]
    shown = [
        *(everything(value) for value in seen), *(text.decode("latin-1") for text in kept),
        repr(copy.copy(client)), str(vars(client)), str(result), f"{result!r} {client}",
        caplog.text,
    ]  # fmt: skip
    assert [secrets_in(text) for text in shown] == [[]] * len(shown)
    assert result.access_token == ACCESS, "to whoever asks for it, it is a string"
    assert str(result.access_token) == ACCESS


def test_a_result_of_a_sign_in_pickles_without_its_tokens(make: Make, call: Call, server: Canned) -> None:
    server.says(SESSION)
    result = call(make().auth.login("ada@acme.test", PASSWORD))
    again = pickle.loads(pickle.dumps(result))
    assert (again.access_token, again.refresh_token) == ("", "")
    assert again.user == result.user


@pytest.mark.parametrize(
    "drift",
    [{"token": [ACCESS]}, {"refreshToken": {"is": REFRESH}}, {"user": None, "x": 1}, {"user": {"id": 5}}],
    ids=["access", "refresh", "user", "within"],
)
@pytest.mark.parametrize("strict", [False, True])
def test_a_sign_in_that_drifts_shows_no_token(
    make: Make, call: Call, server: Canned, caplog: pytest.LogCaptureFixture, strict: bool, drift: dict[str, Any]
) -> None:
    refused = strict or "token" in drift  # without a token it is no sign-in
    caplog.set_level(logging.DEBUG)
    server.says({**SESSION, "expiresIn": "soon", **drift})
    try:
        result = call(make(strict=strict).auth.login("ada@acme.test", PASSWORD))
    except InvalidResponseError as error:
        assert refused
        text = "".join(traceback.format_exception(error)) + repr(vars(error)) + pickle.dumps(error).decode("latin-1")
    else:
        assert not refused
        assert result.mismatches
        text = repr(result) + repr(result.mismatches) + pickle.dumps(result).decode("latin-1")
    assert secrets_in(text + caplog.text) == []


def test_an_answer_that_is_no_sign_in_shows_no_token(make: Make, call: Call, server: Canned) -> None:
    server.says([SESSION])
    with pytest.raises(InvalidResponseError) as raised:
        call(make().auth.login("ada@acme.test", PASSWORD))
    assert secrets_in("".join(traceback.format_exception(raised.value)) + repr(vars(raised.value))) == []


def test_no_error_shows_a_credential(make: Make, call: Call, server: Canned) -> None:
    client = make(api_key=KEY, max_retries=0)
    found: list[CrmError] = []

    def attempt(value: Callable[[], Any]) -> None:
        with pytest.raises(CrmError) as raised:
            call(value())
        found.append(raised.value)

    attempt(lambda: client.auth.login("ada@acme.test", [PASSWORD]))
    attempt(lambda: client.auth.login(5, PASSWORD))
    attempt(lambda: client.leads.create({"name": {"x": KEY}}))
    server.fails(httpx.ReadError("reset"))
    attempt(lambda: client.leads.get("x"))
    server.fails(httpx.LocalProtocolError(f"Illegal header value b'Bearer {KEY}'"))
    attempt(lambda: client.leads.get("x"))
    attempt(lambda: client.leads.get("x"))
    server.fails(httpx.ReadTimeout("late"))
    attempt(lambda: client.auth.login("ada@acme.test", PASSWORD))
    attempt(lambda: client.auth.login("ada@acme.test", PASSWORD))
    server.says({"error": {"code": "X", "message": "m"}}, 401)
    attempt(lambda: client.leads.get("x"))
    attempt(lambda: client.leads.get("x"))
    for error in found:
        text = "".join(traceback.format_exception(error)) + repr(error) + pickle.dumps(error).decode("latin-1")
        assert secrets_in(text) == [], repr(error)
    assert {type(error) for error in found} >= {InvalidInputError, ConnectionFailedError, AuthenticationError}


@pytest.mark.parametrize("key", [f"{KEY}\n", f" {KEY}", f"{KEY}\r\nX: y", "sk-é", "a\x00b"])
def test_a_key_that_no_header_can_hold_is_refused_without_showing_it(make: Make, key: str) -> None:
    attempts: list[Callable[[], Any]] = [
        lambda: make(api_key=key), lambda: make().with_options(api_key=key), lambda: make(tenant_id=key),
    ]  # fmt: skip
    for attempt in attempts:
        with pytest.raises(ConfigurationError) as raised:
            attempt()
        assert key.strip() not in str(raised.value)


def test_base_urls_hold_no_credentials() -> None:
    for url in (f"https://user:{KEY}@crm.test", f"https://{KEY}@crm.test"):
        with pytest.raises(ConfigurationError) as raised:
            CrmClient(url)
        assert KEY not in str(raised.value)


def test_an_unpickled_client_takes_its_key_from_where_it_arrives(
    make: Make, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = pickle.dumps(
        make(api_key=KEY, dialects="flow", tenant_id="acme", timeout=7, strict=True).with_options(timeout=8)
    )
    monkeypatch.setenv("CRM_API_KEY", "sk-there")
    client = pickle.loads(sent)
    assert client._credentials.access == "sk-there"
    assert (client.base_url, client.dialects, client.tenant_id, client.strict) == (
        "http://crm.test",
        ("flow",),
        "acme",
        True,
    )
    assert client.terms().timeout == 8
    call(client.close())
    monkeypatch.delenv("CRM_API_KEY")
    assert pickle.loads(sent)._credentials.access is None


# -- sessions --------------------------------------------------------------------------------------------------------


def test_login_adopts_the_tokens_and_logout_forgets_them(make: Make, call: Call, server: Canned) -> None:
    server.says(SESSION).says(LEAD).says({}).says(LEAD)
    client = make(api_key=None, dialects="flow,mvp")
    view = client.with_options(timeout=3)
    call(client.auth.login("ada@acme.test", PASSWORD))
    call(view.leads.get("x"))
    call(view.auth.logout())
    call(client.leads.get("x"))
    assert bearers(server) == [None, f"Bearer {ACCESS}", f"Bearer {ACCESS}", None]


def test_a_view_with_a_key_of_its_own_has_a_sign_in_of_its_own(make: Make, call: Call, server: Canned) -> None:
    server.says(SESSION).says(LEAD)
    client = make(api_key=KEY)
    other = client.with_options(api_key="sk-other")
    call(other.auth.login("ada@acme.test", PASSWORD))
    call(client.leads.get("x"))
    call(other.leads.get("x"))
    assert bearers(server)[1:] == [f"Bearer {KEY}", f"Bearer {ACCESS}"]


def test_a_sign_in_that_awaits_its_second_factor_changes_nothing(make: Make, call: Call, server: Canned) -> None:
    server.says({"data": {"mfaRequired": True, "mfaToken": "m"}}).says(LEAD)
    client = make(api_key=KEY)
    assert call(client.with_options(dialects="platform").auth.login("a@b.co", PASSWORD)).mfa_required
    call(client.leads.get("x"))
    assert bearers(server)[-1] == f"Bearer {KEY}"


def session_server(*, refresh: Callable[[httpx.Request], httpx.Response]) -> tuple[Canned, list[str]]:
    """Return a server that knows only the newer token, and the list of refreshes."""
    refreshes: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/login"):
            return httpx.Response(200, json=SESSION)
        if request.url.path.endswith("/refresh"):
            refreshes.append(json.loads(request.content)["refreshToken"])
            return refresh(request)
        if request.headers.get("authorization") == f"Bearer {NEWER}":
            return httpx.Response(200, json=LEAD)
        return httpx.Response(401, json={"error": {"code": "EXPIRED", "message": "the first answer"}})

    return Canned().does(answer), refreshes


def renewed(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"token": NEWER})


def failed(status: int) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(status, json={"error": {"code": "NO", "message": "the refresh failed"}})


def lost(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("reset")


def garbled(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, content=b"<html>")


def together(client: Any, mode: str, count: int) -> list[Any]:
    """Make so many calls at once; return the results or errors."""
    results: list[Any] = []

    def attempt() -> None:
        try:
            results.append(client.leads.get("x"))
        except Exception as error:
            results.append(error)

    async def scene() -> None:
        results.extend(await asyncio.gather(*(client.leads.get("x") for _ in range(count)), return_exceptions=True))

    if mode == "async":
        asyncio.run(scene())
        return results
    threads = [threading.Thread(target=attempt) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def signed_in(mode: str, server: Canned, **options: Any) -> Any:
    transport = httpx.MockTransport(server)
    made: Any = CrmClient if mode == "sync" else AsyncCrmClient
    client = made("http://crm.test", http_client=transport, dialects="mvp,flow", **options)
    client._credentials.replace(ACCESS, REFRESH)
    return client


def test_20_calls_that_get_401_together_refresh_once(mode: str) -> None:
    for _ in range(5):
        server, refreshes = session_server(refresh=renewed)
        client = signed_in(mode, server)
        results = together(client, mode, 20)
        assert [lead.id for lead in results] == ["lead_1"] * 20
        assert refreshes == [REFRESH]
        assert client._credentials.refresh == REFRESH, "the answer brought no new one: the old one stays"


@pytest.mark.parametrize(
    ("refresh", "kept"),
    [(failed(401), None), (failed(400), None), (failed(503), REFRESH), (failed(429), REFRESH), (lost, REFRESH),
     (garbled, REFRESH)],
    ids=["401", "400", "503", "429", "lost", "garbled"],
)  # fmt: skip
def test_a_failed_refresh_gives_every_caller_its_own_401(mode: str, refresh: Any, kept: str | None) -> None:
    server, refreshes = session_server(refresh=refresh)
    client = signed_in(mode, server, max_retries=0)
    results = together(client, mode, 20)
    assert {type(error) for error in results} == {AuthenticationError}
    assert {error.message for error in results} == {"the first answer"}
    assert client._credentials.refresh == kept, "what was refused is no use again; a server in trouble may recover"
    assert len(refreshes) == (1 if kept is None else 20)
    assert client._credentials.access == ACCESS


def test_where_no_dialect_can_refresh_the_401_stands(make: Make, call: Call) -> None:
    server, refreshes = session_server(refresh=renewed)
    client = make(http_client=httpx.MockTransport(server), dialects="mvp")
    client._credentials.replace(ACCESS, REFRESH)
    with pytest.raises(AuthenticationError, match="the first answer"):
        call(client.leads.get("x"))
    assert refreshes == []


def test_a_raw_request_is_renewed_too(make: Make, call: Call) -> None:
    server, refreshes = session_server(refresh=renewed)
    client = make(http_client=httpx.MockTransport(server), dialects="flow")
    client._credentials.replace(ACCESS, REFRESH)
    reply = call(client.request("GET", "/api/leads/x"))
    assert (reply.status, reply.json()["id"], refreshes) == (200, "lead_1", [REFRESH])
    assert secrets_in(repr(call(client.request("POST", "/api/auth/login", json={"password": PASSWORD})))) == []


def test_the_tasks_of_a_loop_share_a_lock_and_other_loops_have_their_own() -> None:
    credentials, one, two = Credentials("key"), object(), object()
    lock = credentials.async_lock(one)
    assert credentials.async_lock(one) is lock
    assert credentials.async_lock(two) is not lock
    assert credentials.async_lock(two) is credentials.async_lock(two)
