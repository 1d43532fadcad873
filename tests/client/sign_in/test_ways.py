"""The ways to sign in against canned answers: what each sends, what it keeps, and which errors end a session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from canned_answers import LEAD, Canned
from pydantic import SecretStr

from crm_sdk import ApiError, AuthenticationError, ConfigurationError, CrmError, NetworkError
from crm_sdk.sign_in import ClientCredentials, Password, RefreshToken, SignIn
from crm_sdk.sign_in.ways import is_refused

Make = Callable[..., Any]
Call = Callable[[Any], Any]

SESSION = {"data": {"accessToken": "a1", "refreshToken": "r1", "expiresIn": 3600, "tokenType": "Bearer"}}
FOUND = {"data": LEAD}


def sent(server: Canned, number: int) -> tuple[str, dict[str, Any]]:
    request = server.requests[number]
    form = request.headers["content-type"].startswith("application/x-www-form-urlencoded")
    body = dict(parse_qsl(request.content.decode())) if form else server.body(number)
    return request.url.path.removeprefix("/v1"), body


WAYS: list[tuple[SignIn, str, dict[str, Any]]] = [
    (Password("a@b.co", "p"), "/auth/login", {"email": "a@b.co", "password": "p"}),
    (Password("a@b.co", SecretStr("p"), "acme"), "/auth/login", {"email": "a@b.co", "password": "p", "tenant": "acme"}),
    (
        ClientCredentials("app", "s"), "/auth/token",
        {"grant_type": "client_credentials", "client_id": "app", "client_secret": "s"},
    ),
    (
        ClientCredentials("app", SecretStr("s"), "leads:read"), "/auth/token",
        {"grant_type": "client_credentials", "client_id": "app", "client_secret": "s", "scope": "leads:read"},
    ),
    (RefreshToken("r0"), "/auth/token/refresh", {"refreshToken": "r0"}),
    (
        RefreshToken("r0", "app"), "/auth/token",
        {"grant_type": "refresh_token", "client_id": "app", "refresh_token": "r0"},
    ),
    (
        RefreshToken(SecretStr("r0"), "app", "s"), "/auth/token",
        {"grant_type": "refresh_token", "client_id": "app", "client_secret": "s", "refresh_token": "r0"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("way", "path", "body"), WAYS, ids=[f"{type(way).__name__} {len(body)}" for way, _, body in WAYS]
)
def test_what_is_sent_before_the_first_call(
    make: Make, call: Call, server: Canned, way: SignIn, path: str, body: dict[str, Any]
) -> None:
    server.says(SESSION).says(FOUND)
    client = make(api_key=None, auth=way, dialects="platform", max_retries=0)
    assert call(client.leads.get("x")).id == "lead_1"
    assert sent(server, 0) == (path, body) and "authorization" not in server.requests[0].headers
    assert server.requests[1].headers["authorization"] == "Bearer a1" and len(server.requests) == 2
    assert (client._credentials.access, client._credentials.refresh) == ("a1", "r1")


def test_an_application_renews_as_itself_and_keeps_the_next_token(make: Make, call: Call, server: Canned) -> None:
    server.says(SESSION).says(FOUND).says({"error": {"code": "EXPIRED", "message": "m"}}, 401)
    server.says({"data": {**SESSION["data"], "accessToken": "a2", "refreshToken": None}}).says(FOUND)
    client = make(api_key=None, auth=RefreshToken("r0", "app"), dialects="platform", max_retries=0)
    for _ in range(2):
        call(client.leads.get("x"))
    assert sent(server, 3)[1]["refresh_token"] == "r1" and sent(server, 3)[1]["client_id"] == "app"
    assert (client._credentials.access, client._credentials.refresh) == ("a2", "r1"), "a new one is optional"


def test_a_second_factor_is_asked_for_once(make: Make, call: Call, server: Canned) -> None:
    asked: list[int] = []

    def code() -> str:
        asked.append(1)
        return "123456"

    server.says({"data": {"mfaRequired": True, "mfaToken": "m"}}).says(SESSION).says(FOUND)
    client = make(api_key=None, auth=Password("a@b.co", "p", mfa_code=code), dialects="platform", max_retries=0)
    assert call(client.leads.get("x")).id == "lead_1" and asked == [1]
    assert "mfaCode" not in sent(server, 0)[1] and sent(server, 1)[1]["mfaCode"] == "123456"


def test_a_second_factor_without_anybody_to_ask_is_an_error(make: Make, call: Call, server: Canned) -> None:
    server.says({"data": {"mfaRequired": True, "mfaToken": "m"}})
    bare = make(api_key=None, auth=Password("a@b.co", "p"), dialects="platform", max_retries=0)
    with pytest.raises(AuthenticationError, match="give Password an mfa_code=") as raised:
        call(bare.leads.get("x"))
    assert (raised.value.status, raised.value.code, len(server.requests)) == (401, "INVALID_MFA_CODE", 1)


@pytest.mark.parametrize("secret", [5, b"p", None])
def test_a_secret_is_a_text(make: Make, call: Call, secret: Any) -> None:
    with pytest.raises(ConfigurationError, match="auth must be a string"):
        call(make(api_key=None, auth=Password("a@b.co", secret), dialects="platform").leads.get("x"))


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (ApiError("m", status=400, code="X"), True), (ApiError("m", status=401, code="X"), True),
        (ApiError("m", status=499, code="X"), True), (ApiError("m", status=428, code="X"), True),
        (ApiError("m", status=429, code="X"), False), (ApiError("m", status=500, code="X"), False),
        (NetworkError("m"), False), (CrmError("m"), False),
    ],
)  # fmt: skip
def test_which_errors_say_that_a_credential_is_no_use(error: CrmError, refused: bool) -> None:
    assert is_refused(error) is refused


@pytest.mark.parametrize(("status", "again"), [(400, True), (401, True), (429, False), (503, False)])
def test_a_refresh_that_is_refused_begins_a_new_session(
    make: Make, call: Call, server: Canned, status: int, again: bool
) -> None:
    failure = {"error": {"code": "NO", "message": "the refresh failed"}}
    server.says(SESSION).says(FOUND).says({"error": {"code": "EXPIRED", "message": "the first"}}, 401)
    server.says(failure, status).says({"data": {**SESSION["data"], "accessToken": "a2"}}).says(FOUND)
    client = make(api_key=None, auth=Password("a@b.co", "p"), dialects="platform", max_retries=0)
    call(client.leads.get("x"))
    if again:
        assert call(client.leads.get("x")).id == "lead_1"
        assert [sent(server, at)[0] for at in (3, 4)] == ["/auth/token/refresh", "/auth/login"]
        assert client._credentials.access == "a2"
    else:
        with pytest.raises(AuthenticationError, match="the first"):
            call(client.leads.get("x"))
        assert len(server.requests) == 4 and client._credentials.refresh == "r1"


def test_a_refresh_token_that_was_refused_is_not_tried_again(make: Make, call: Call, server: Canned) -> None:
    failure = {"error": {"code": "NO", "message": "no"}}
    server.says(SESSION).says(FOUND).says(failure, 401).says(failure, 401).says(failure, 503)
    client = make(api_key=None, auth=Password("a@b.co", "p"), dialects="platform", max_retries=0)
    call(client.leads.get("x"))
    with pytest.raises(AuthenticationError):
        call(client.leads.get("x"))
    assert client._credentials.refresh is None
    assert [path.removeprefix("/v1/") for path in server.paths[2:]] == ["leads/x", "auth/token/refresh", "auth/login"]
