"""Tokens that are no good any more: of whom is gone, of another application, ended, expired, or revoked before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from auth_support import Bearer, signed_in
from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.clock import TICK
from server_stub.data.document import Document

REDIRECT = "http://127.0.0.1:8765/callback"
VERIFIER, CHALLENGE = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
GIVEN: dict[str, Any] = {
    "grant_type": "authorization_code", "client_id": "demo-web", "redirect_uri": REDIRECT, "code_verifier": VERIFIER,
}  # fmt: skip
SERVICE: dict[str, Any] = {
    "grant_type": "client_credentials", "client_id": "demo-service", "client_secret": "demo-secret",
}  # fmt: skip


def code_of(client: CrmClient, client_id: str = "demo-web", redirect_uri: str = REDIRECT) -> str:
    return str(client.auth.authorize(client_id=client_id, redirect_uri=redirect_uri, code_challenge=CHALLENGE).code)


def actions(stub: StubServer) -> list[str]:
    return [entry["action"] for entry in stub.audit() if entry["action"].startswith("auth.")]


def test_a_refresh_token_is_as_good_as_its_user_and_its_session(
    stub: StubServer, bearer: Bearer, ada: CrmClient
) -> None:
    token = str(bearer().auth.login("ada@acme.test", "demo-password").refresh_token)
    held = stub.store.collection("tenant_acme", "refresh_token")
    doc = some(next((one for one in reversed(list(held))), None))
    start = stub.snapshot()
    session = some(stub.store.collection("tenant_acme", "session").get(doc["session_id"]))
    gone: list[tuple[str, str, dict[str, Any] | None, int, str, str]] = [
        ("user", "user_ada", None, 401, "UNAUTHORIZED", "the user of this refresh token was deleted"),
        ("user", "user_ada", {"status": "inactive"}, 403, "USER_INACTIVE", "this user has been deactivated"),
        ("session", session["id"], None, 401, "UNAUTHORIZED", "the session of this refresh token has ended"),
        ("session", session["id"], {"revoked_at": stub.clock.now()}, 401, "UNAUTHORIZED", "the session of this"),
        ("refresh_token", doc["id"], {"expires_at": stub.clock.now()}, 401, "UNAUTHORIZED", "the refresh token has"),
        ("refresh_token", doc["id"], {"used_at": stub.clock.now()}, 401, "TOKEN_REUSED", "this refresh token was used"),
        ("refresh_token", doc["id"], None, 401, "UNAUTHORIZED", "the refresh token is not known"),
    ]  # fmt: skip
    for kind, id, members, status, code, said in gone:
        if members is None:
            stub.store.collection("tenant_acme", kind).remove(id)
        else:
            stored(stub, kind, id, **members)
        error = refused(lambda: bearer().auth.refresh(token))
        assert (error.status, error.code) == (status, code) and said in error.message, (kind, members)
        stub.restore(start)
    stored(stub, "refresh_token", doc["id"], expires_at=stub.clock.now() + TICK * 2)
    fresh = bearer().auth.refresh(token)
    assert fresh.refresh_token not in (None, token)
    now = some(stub.store.collection("tenant_acme", "session").get(doc["session_id"]))
    used = some(held.get(doc["id"]))["used_at"]
    assert now["last_seen_at"] == used and now["expires_at"] == used + timedelta(days=30)
    assert actions(stub)[-1] == "auth.token_refreshed"


def test_a_code_is_for_its_application_and_for_who_works_here(stub: StubServer, bearer: Bearer, ada: CrmClient) -> None:
    app = next(doc for doc in stub.store.collection("", "app") if doc["redirect_uris"])
    code = code_of(ada, app["oauth_client_id"], app["redirect_uris"][0])
    foreign = refused(lambda: bearer().auth.token(**GIVEN, code=code))
    assert (foreign.status, foreign.code) == (400, "INVALID_GRANT")
    assert "the code is not known to this application" in foreign.message
    own = code_of(ada)
    stored(stub, "user", "user_ada", status="inactive")
    inactive = refused(lambda: bearer().auth.token(**GIVEN, code=own))
    assert (inactive.status, inactive.code) == (403, "USER_INACTIVE")
    stored(stub, "user", "user_ada", status="active")
    tokens = bearer().auth.token(**GIVEN, code=own)
    refresh: Any = {"grant_type": "refresh_token", "client_id": "demo-web", "refresh_token": tokens.refresh_token}
    wider = refused(lambda: bearer().auth.token(**refresh, scope="api leads:read"))
    assert (wider.status, wider.code) == (400, "INVALID_SCOPE")
    stored(stub, "user", "user_ada", status="inactive")
    refusal = refused(lambda: bearer().auth.token(**refresh))
    assert (refusal.status, refusal.code) == (403, "USER_INACTIVE")
    stub.store.collection("tenant_acme", "user").remove("user_ada")
    lost = refused(lambda: bearer().auth.token(**refresh))
    assert (lost.status, lost.code) == (400, "INVALID_GRANT") and "was deleted" in lost.message
    late = refused(lambda: bearer().auth.token(**GIVEN, code=code))
    assert late.code == "INVALID_GRANT"


def test_a_code_lasts_a_minute_and_is_compared_with_all_that_it_was_asked_for(
    stub: StubServer, bearer: Bearer, ada: CrmClient
) -> None:
    codes = stub.store.collection("tenant_acme", "authorization_code")
    for over, works in ((timedelta(), False), (TICK, True)):
        code = code_of(ada)
        made = next(reversed(list(codes)))
        stub.clock.advance((made["expires_at"] - stub.clock.now() - TICK - over).total_seconds())
        if works:
            assert bearer().auth.token(**GIVEN, code=code).access_token
        else:
            error = refused(lambda code=code: bearer().auth.token(**GIVEN, code=code))  # type: ignore[misc] # bound at once
            assert (error.code, error.message) == ("INVALID_GRANT", "the code is too old")
            assert made["expires_at"] == stub.clock.now()


def test_a_key_and_an_app_count_as_sessions(stub: StubServer) -> None:
    crm = stub.client(dialects="platform", max_retries=0)
    key = some(stub.store.collection("tenant_acme", "api_key").get("apikey_acme_admin"))
    own = crm.auth.sessions.current()
    told = own.model_dump(exclude={"created_at", "updated_at", "created_by", "version"})
    assert {name: value for name, value in told.items() if value is not None} == {
        "id": "session_apikey_acme_admin", "user_id": key["user_id"], "device": key["name"], "auth_method": "api_key",
        "mfa_verified": False, "current": True, "last_seen_at": own.last_seen_at,
    }  # fmt: skip
    assert (own.created_at, own.version) == (key["created_at"], key.get("version", 1))


def test_a_service_acts_in_a_company_that_there_is(stub: StubServer, bearer: Bearer) -> None:
    error = refused(lambda: bearer().with_options(tenant_id="tenant_none").auth.token(**SERVICE))
    assert (error.status, error.code) == (401, "INVALID_CLIENT") and "'tenant_none'" in error.message
    token = bearer().with_options(tenant_id="globex").auth.token(**SERVICE)
    assert (token.token_type, token.expires_in, token.refresh_token, token.scope) == ("Bearer", 3600, None, "api")
    session = list(stub.store.collection("tenant_globex", "session"))[-1]
    assert (session["user_id"], session["acting_for"], session["auth_method"]) == (
        "app_demo_service", "Demo service", "oauth",
    )  # fmt: skip
    assert session["expires_at"] - session["created_at"] == timedelta(hours=1)


def test_revoking_a_token_is_told_once_and_forgets_what_is_over(
    stub: StubServer, bearer: Bearer, ada: CrmClient
) -> None:
    revoked, count = stub.store.collection("tenant_acme", "revoked_token"), len(actions(stub))
    for nothing in ("no token", "a.b.c", f"{bearer().auth.login('sam@acme.test', 'demo-password').access_token}x"):
        bearer().auth.revoke(nothing)
    assert not list(revoked) and actions(stub)[count:] == ["auth.login"]
    now = stub.clock.now()
    for name, until in (("old", now), ("new", now + timedelta(hours=1))):
        revoked.put(Document(id=name, session_id="session_x", expires_at=until))
    for name, token in (("user", str(ada.auth.login("ada@acme.test", "demo-password").access_token)),
                        ("app", str(bearer().auth.token(**SERVICE).access_token))):  # fmt: skip
        count = len(actions(stub))
        for _ in range(2):
            bearer().auth.revoke(token)
        (entry,) = [one for one in stub.audit() if one["action"].startswith("auth.")][count:]
        assert (entry["action"], entry["entity"]["type"], entry["metadata"]["cause"]) == (
            "auth.token_revoked", name, "access_token",
        )  # fmt: skip
        assert refused(lambda token=token: bearer(token).auth.sessions.current()).status == 401  # type: ignore[misc] # bound at once
    assert {doc["id"] for doc in revoked} >= {"new"} and "old" not in {doc["id"] for doc in revoked}
    assert len(list(revoked)) == 3
    client = bearer()
    login = client.auth.login("sam@acme.test", "demo-password")
    client.auth.logout()
    count = len(actions(stub))
    bearer().auth.revoke(str(login.access_token))
    bearer().auth.revoke(str(login.refresh_token))
    assert len(actions(stub)) == count and len(list(revoked)) == 3, "its session has ended"


def test_an_old_password_signs_nobody_in(stub: StubServer, bearer: Bearer) -> None:
    acme, made = stub.tenant("tenant_acme"), some(stub.store.collection("tenant_acme", "user").get("user_sam"))
    stored(stub, "tenant", "tenant_acme", security={**(acme["security"] or {}), "password_max_age_days": 10})
    days = timedelta(days=10)
    for since, works in ((TICK, False), (3 * TICK, True)):
        at = stub.clock.now() - days + since
        stored(stub, "user", "user_sam", created_at=at)
        if works:
            assert signed_in(bearer(), "sam@acme.test").auth.userinfo().sub == "user_sam"
        else:
            error = refused(lambda: bearer().auth.login("sam@acme.test", "demo-password"))
            assert (error.status, error.code) == (403, "FORBIDDEN") and "older than 10 days" in error.message
            assert error.details["reason"] == "password_expired" and at.isoformat()[:19] in str(
                error.details["passwordSetAt"]
            )
    stored(stub, "user", "user_sam", created_at=made["created_at"])
    history = stub.store.collection("tenant_acme", "password_history")
    history.put(Document(id="user_sam", hashes=[], set_at=stub.clock.now()))
    assert signed_in(bearer(), "sam@acme.test").auth.userinfo().sub == "user_sam", "it was set anew"


def test_an_ended_session_is_ended_once_and_an_app_of_another_company_is_unknown(
    stub: StubServer, bearer: Bearer, ada: CrmClient
) -> None:
    other = bearer()
    other.auth.login("ada@acme.test", "demo-password")
    id = other.auth.sessions.current().id
    for _ in range(2):
        ada.auth.sessions.delete(id)
    told = [entry for entry in stub.audit() if entry["action"] == "auth.session_ended"]
    assert [entry["metadata"] for entry in told] == [{"session_id": id}]
    token = str(bearer().auth.login("sam@acme.test", "demo-password").refresh_token)
    held = next(reversed(list(stub.store.collection("tenant_acme", "refresh_token"))))
    stub.store.collection("tenant_acme", "session").remove(held["session_id"])
    verdict = ada.auth.sessions.validate(token)
    assert (verdict.valid, verdict.reason, verdict.session, verdict.tenant_id) == (False, "unknown", None, None)
    apps = stub.store.collection("", "app")
    app = next(doc for doc in apps if doc["redirect_uris"])
    apps.put(app | {"tenant_id": "tenant_globex"})
    installations = stub.store.collection("tenant_acme", "installation")
    for doc in installations.all():
        installations.remove(doc["id"])
    asked: Any = (app["oauth_client_id"], app["redirect_uris"][0])
    assert refused(lambda: code_of(ada, *asked)).code == "UNKNOWN_CLIENT"
    installations.put(Document(id="installation_x", app_id=app["id"], status="active"))
    assert code_of(ada, *asked).startswith("code_")
