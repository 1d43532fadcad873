"""OAuth 2.0, as authlib speaks it, and what its RFCs say of wrong requests."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from auth_support import Bearer, signed_in
from authlib.integrations.base_client.errors import OAuthError  # type: ignore[import-untyped] # it has no types
from authlib.integrations.httpx_client import OAuth2Client  # type: ignore[import-untyped] # it has no types
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.models import TokenSet
from server_stub import StubServer

REDIRECT = "http://127.0.0.1:8765/callback"
# RFC 7636, appendix B.
VERIFIER, CHALLENGE = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
ASKED: dict[str, Any] = {
    "client_id": "demo-web",
    "redirect_uri": REDIRECT,
    "state": "st-7",
    "code_challenge": CHALLENGE,
}
GIVEN: dict[str, Any] = {
    "grant_type": "authorization_code", "client_id": "demo-web", "redirect_uri": REDIRECT, "code_verifier": VERIFIER,
}  # fmt: skip


@pytest.fixture
def base(stub: StubServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the address of the stub on a port, to which authlib may talk without TLS."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    with stub.serve() as port:
        yield f"{port.url}/v1"


@pytest.fixture
def authlib() -> Iterator[Callable[..., Any]]:
    """Return a function that makes a client of authlib's, which has no types."""
    with ExitStack() as stack:
        yield lambda *given, **more: stack.enter_context(OAuth2Client(*given, **more))


def code_of(client: CrmClient, **more: Any) -> str:
    return str(client.auth.authorize(**ASKED | more).code)


def actions(stub: StubServer) -> list[str]:
    return [entry["action"] for entry in stub.audit() if entry["action"].startswith("auth.token")]


def test_authlib_signs_in_with_a_code(stub: StubServer, base: str, authlib: Callable[..., Any]) -> None:
    web = authlib(
        "demo-web", redirect_uri=REDIRECT, scope="openid profile email", code_challenge_method="S256",
        token_endpoint_auth_method="none",
    )  # fmt: skip
    address, state = web.create_authorization_url(f"{base}/auth/authorize", code_verifier=VERIFIER, nonce="n-1")
    with httpx.Client() as browser:
        # A browser has no bearer: it is shown the page that signs in.
        page = browser.get(address, headers={"Accept": "text/html"})
        assert (page.status_code, "<form" in page.text) == (401, True)
        sent = browser.post(address, data={"email": "ada@acme.test", "password": "demo-password"})
    token = web.fetch_token(
        f"{base}/auth/token", authorization_response=sent.headers["location"], state=state, code_verifier=VERIFIER
    )
    assert token["token_type"] == "Bearer" and token["expires_in"] == 3600
    assert web.get(f"{base}/auth/userinfo").json()["sub"] == "user_ada"
    claims = jwt.decode(token["id_token"], options={"verify_signature": False})
    assert (claims["aud"], claims["sub"], claims["nonce"], claims["email"]) == (
        "demo-web",
        "user_ada",
        "n-1",
        "ada@acme.test",
    )
    first = token["refresh_token"]
    fresh = web.refresh_token(f"{base}/auth/token", refresh_token=first)
    assert fresh["refresh_token"] != first
    with pytest.raises(OAuthError, match="invalid_grant"):
        web.refresh_token(f"{base}/auth/token", refresh_token=first)
    assert web.get(f"{base}/auth/userinfo").status_code == 401, "reuse has ended the session"
    assert "auth.token_reuse_detected" in actions(stub)


def test_authlib_acts_for_itself(stub: StubServer, base: str, authlib: Callable[..., Any]) -> None:
    for method in ("client_secret_basic", "client_secret_post"):
        service = authlib("demo-service", "demo-secret", token_endpoint_auth_method=method)
        token = service.fetch_token(f"{base}/auth/token", grant_type="client_credentials")
        assert "refresh_token" not in token
        made = service.post(f"{base}/leads", json={"name": method})
        assert (made.status_code, made.json()["data"]["createdBy"]) == (201, "app_demo_service")
        error = service.get(f"{base}/auth/userinfo")
        assert (error.status_code, error.json()["error"], error.json()["errors"][0]["code"]) == (
            403, "insufficient_scope", "NO_USER",
        )  # fmt: skip
        assert service.revoke_token(f"{base}/auth/token/revoke", token["access_token"]).status_code == 200
        assert service.get(f"{base}/leads").status_code == 401
    assert actions(stub) == ["auth.token_issued", "auth.token_revoked"] * 2
    with pytest.raises(OAuthError, match="invalid_client"):
        authlib("demo-service", "wrong").fetch_token(f"{base}/auth/token", grant_type="client_credentials")


def test_a_service_acts_in_the_company_it_names(bearer: Bearer) -> None:
    own = {"grant_type": "client_credentials", "client_id": "demo-service", "client_secret": "demo-secret"}
    for tenant in ("tenant_acme", "tenant_globex"):
        there = bearer().with_options(tenant_id=tenant)
        token = there.auth.token(**own)
        [user] = {lead.created_by for lead in bearer(token.access_token).leads.list(limit=1)}
        assert user is not None
        assert bearer(token.access_token).auth.sessions.current().user_id == "app_demo_service"
        assert refused(lambda token=token: bearer(token.access_token).auth.mfa.setup()).code == "NO_USER"  # type: ignore[misc] # bound at once


def test_a_code_works_once_and_its_reuse_revokes_its_tokens(stub: StubServer, bearer: Bearer, ada: CrmClient) -> None:
    code = code_of(ada)
    tokens = bearer().auth.token(**GIVEN, code=code)
    assert bearer(tokens.access_token).auth.sessions.current().client_id == "demo-web"
    error = refused(lambda: bearer().auth.token(**GIVEN, code=code))
    assert (error.status, error.code) == (400, "INVALID_GRANT")
    assert refused(bearer(tokens.access_token).auth.userinfo).status == 401
    assert refused(lambda: bearer().auth.refresh(str(tokens.refresh_token))).status == 401
    assert ada.auth.userinfo().sub == "user_ada", "the session that authorised is another one"
    assert actions(stub) == ["auth.token_issued", "auth.token_revoked"]


def test_a_code_is_exchanged_only_by_who_asked_for_it(bearer: Bearer, ada: CrmClient) -> None:
    def check(wrong: dict[str, Any]) -> None:
        given = {**GIVEN, "code": code_of(ada), **wrong}
        error = refused(lambda: bearer().auth.token(**{k: v for k, v in given.items() if v is not None}))
        assert (error.status, error.code) == (400, "INVALID_GRANT")

    cases: list[dict[str, Any]] = [
        {"code_verifier": VERIFIER[:-1] + "x"},
        {"code_verifier": "short"},
        {"code_verifier": None},
        {"redirect_uri": "http://127.0.0.1:9999/callback"},
        {"redirect_uri": None},
        {"code": "code_unknown"},
    ]
    for case in cases:
        check(case)


def test_a_code_lasts_a_minute(stub: StubServer, bearer: Bearer, ada: CrmClient) -> None:
    code = code_of(ada)
    stub.clock.advance(60)
    assert refused(lambda: bearer().auth.token(**GIVEN, code=code)).code == "INVALID_GRANT"


def test_nobody_is_sent_to_an_address_that_is_not_registered(stub: StubServer, ada: CrmClient) -> None:
    def check(wrong: dict[str, Any], code: str) -> None:
        reply = ada.request("GET", "/v1/auth/authorize", query={"response_type": "code", **ASKED, **wrong})
        assert (reply.status, reply.json()["errors"][0]["code"]) == (400, code)
        assert "location" not in reply.headers

    cases: list[tuple[dict[str, Any], str]] = [
        ({"client_id": "nobody"}, "UNKNOWN_CLIENT"),
        ({"redirect_uri": REDIRECT + "/x"}, "INVALID_REDIRECT_URI"),
        ({"redirect_uri": REDIRECT + "?a=1"}, "INVALID_REDIRECT_URI"),
        ({"redirect_uri": "http://127.0.0.1.evil.example:1/callback"}, "INVALID_REDIRECT_URI"),
        ({"redirect_uri": "http://127.0.0.1:1@evil.example/callback"}, "INVALID_REDIRECT_URI"),
        ({"redirect_uri": "http://localhost:8765/callback"}, "INVALID_REDIRECT_URI"),
    ]
    for case in cases:
        check(*case)


def test_an_application_is_told_by_a_redirect(ada: CrmClient) -> None:
    def check(wrong: dict[str, Any], error: str) -> None:
        given = {k: v for k, v in {"response_type": "code", **ASKED, **wrong}.items() if v is not None}
        reply = ada.request("GET", "/v1/auth/authorize", query=given)
        where = urlsplit(reply.headers["location"])
        assert (reply.status, f"{where.scheme}://{where.netloc}{where.path}") == (302, REDIRECT)
        said = parse_qs(where.query)
        assert (said["error"], said["state"], "code" in said) == ([error], ["st-7"], False)
        assert reply.json()["error"] == error
        assert refused(lambda: ada.auth.authorize(**given)).status == 302

    cases: list[tuple[dict[str, Any], str]] = [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "openid secrets"}, "invalid_scope"),
    ]
    for case in cases:
        check(*case)


def test_a_session_is_needed_and_any_port_of_this_machine_will_do(bearer: Bearer, ada: CrmClient) -> None:
    for nobody in (bearer(), bearer("acme-admin")):
        assert refused(lambda nobody=nobody: nobody.auth.authorize(**ASKED)).status == 401  # type: ignore[misc] # bound at once
    found = ada.auth.authorize(**ASKED | {"redirect_uri": "http://127.0.0.1:52113/callback"})
    assert found.redirect_to.startswith("http://127.0.0.1:52113/callback?code=code_")
    assert found.state == "st-7"
    assert base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode() == CHALLENGE


def scoped(bearer: Bearer, ada: CrmClient, scope: str) -> TokenSet:
    return bearer().auth.token(**GIVEN, code=code_of(ada, scope=scope))


@pytest.mark.parametrize(
    ("scope", "claims"),
    [
        ("openid", set()),
        (
            "openid profile",
            {"name", "given_name", "family_name", "preferred_username", "locale", "zoneinfo", "updated_at"},
        ),
        ("openid email", {"email", "email_verified"}),
    ],
)
def test_claims_are_those_of_the_scope(bearer: Bearer, ada: CrmClient, scope: str, claims: set[str]) -> None:
    tokens = scoped(bearer, ada, scope)
    reply = bearer(tokens.access_token).request("GET", "/v1/auth/userinfo").json()
    assert set(reply) - {"success", "data", "meta", "errors"} == {
        "sub", "tenant_id", "role", "roles", "scope", *claims,
    }  # fmt: skip
    assert ada.auth.userinfo().email == "ada@acme.test", "a session has them all"


def test_who_asks_for_no_identity_gets_no_id_token(bearer: Bearer, ada: CrmClient) -> None:
    for scope, told in (("openid email", True), ("contacts:read", False), ("email", False)):
        assert (scoped(bearer, ada, scope).id_token is not None) is told, scope


def test_permissions_in_a_scope_limit_the_token(bearer: Bearer, ada: CrmClient) -> None:
    tokens = scoped(bearer, ada, "openid leads:read leads:create contacts:read")
    limited = bearer(tokens.access_token)
    lead = limited.leads.create({"name": "x"})
    for call in (lambda: limited.leads.delete(lead.id), lambda: limited.deals.list(limit=1)):
        assert refused(call).status == 403
    narrowed = bearer().auth.refresh(str(tokens.refresh_token), scope="contacts:read")
    assert narrowed.scope == "contacts:read"
    assert bearer(narrowed.access_token).contacts.list(limit=1).items
    assert refused(lambda: bearer(narrowed.access_token).leads.list(limit=1)).status == 403
    wider = refused(lambda: bearer().auth.refresh(str(narrowed.refresh_token), scope="contacts:read deals:read"))
    assert (wider.status, wider.code) == (400, "INVALID_SCOPE")
    assert refused(lambda: code_of(limited, scope="api")).code == "INVALID_SCOPE", "a code is worth no more"


def test_a_role_is_not_widened_by_a_scope(bearer: Bearer) -> None:
    rita = signed_in(bearer(), "rita@acme.test")
    limited = bearer(scoped(bearer, rita, "leads:read leads:create").access_token)
    assert limited.leads.list(limit=1).items
    assert refused(lambda: limited.leads.create({"name": "x"})).status == 403


def test_revocation_says_nothing_of_the_token(stub: StubServer, bearer: Bearer, ada: CrmClient) -> None:
    tokens = scoped(bearer, ada, "openid")
    bearer().auth.revoke("unknown")
    bearer().auth.revoke(str(tokens.access_token), token_type_hint="refresh_token")
    assert refused(bearer(tokens.access_token).auth.userinfo).status == 401
    fresh = bearer().auth.refresh(str(tokens.refresh_token))
    bearer().auth.revoke(str(fresh.refresh_token))
    assert refused(bearer(fresh.access_token).auth.userinfo).status == 401
    assert refused(lambda: bearer().auth.refresh(str(fresh.refresh_token))).status == 401
    assert ada.auth.userinfo().sub == "user_ada"
    assert actions(stub)[-3:] == ["auth.token_revoked", "auth.token_refreshed", "auth.token_revoked"]


def test_refusals_speak_both_languages(bearer: Bearer) -> None:
    def check(given: dict[str, str], status: int, code: str) -> None:
        reply = bearer().request("POST", "/v1/auth/token", json=given)
        body = reply.json()
        assert (reply.status, body["errors"][0]["code"]) == (status, code)
        assert body["error"] == (code.lower() if code != "VALIDATION_ERROR" else "invalid_request")
        assert body["error_description"] == body["errors"][0]["message"] or code == "VALIDATION_ERROR"
        assert reply.headers["cache-control"] == "no-store"

    cases: list[tuple[dict[str, str], int, str]] = [
        ({"grant_type": "password"}, 400, "UNSUPPORTED_GRANT_TYPE"),
        ({"grant_type": "client_credentials", "client_id": "demo-web"}, 400, "UNSUPPORTED_GRANT_TYPE"),
        ({"grant_type": "client_credentials"}, 401, "INVALID_CLIENT"),
        ({"grant_type": "client_credentials", "client_id": "demo-service"}, 401, "INVALID_CLIENT"),
        ({"grant_type": "refresh_token", "client_id": "demo-web"}, 422, "VALIDATION_ERROR"),
        ({"grant_type": "refresh_token", "client_id": "demo-web", "refresh_token": "x"}, 400, "INVALID_GRANT"),
    ]
    for case in cases:
        check(*case)


def test_a_refresh_token_is_of_one_application(bearer: Bearer, ada: CrmClient) -> None:
    login = bearer().auth.login("ada@acme.test", "demo-password")
    given = {"grant_type": "refresh_token", "client_id": "demo-web", "refresh_token": str(login.refresh_token)}
    assert refused(lambda: bearer().auth.token(**given)).code == "INVALID_GRANT"


def test_apps_of_the_marketplace_are_clients(stub: StubServer, bearer: Bearer, ada: CrmClient) -> None:
    app = next(app for app in ada.marketplace.apps.list() if app.redirect_uris and app.client_id)
    code = code_of(ada, client_id=app.client_id, redirect_uri=app.redirect_uris[0])
    given = GIVEN | {"client_id": app.client_id, "redirect_uri": app.redirect_uris[0], "code": code}
    assert refused(lambda: bearer().auth.token(**given)).code == "INVALID_CLIENT"
    tokens = bearer().auth.token(**given, client_secret=str(app.client_secret))
    assert set(app.permissions) <= set(str(tokens.scope).split())
