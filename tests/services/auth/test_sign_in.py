"""The rules of signing in, as a caller meets them."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest
from refusals import refused
from stub_data import idle, some, stored

from crm_sdk import CrmClient
from crm_sdk.models.auth import LoginResult
from crm_sdk.models.users import User
from server_stub import StubServer
from server_stub.clock import TICK
from server_stub.data.blanks import blank
from server_stub.data.document import Document
from server_stub.request.access.identity import hash_password

PASSWORD = "demo-password"


@pytest.fixture
def flow(stub: StubServer) -> CrmClient:
    return bearer(stub, None, "flow")


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return bearer(stub, None)


def bearer(stub: StubServer, token: str | None, dialects: str = "platform") -> CrmClient:
    """Return a client that sends a token, or none."""
    return stub.client(dialects=dialects, api_key=token, max_retries=0)


def tokens(login: LoginResult) -> tuple[str, str]:
    assert login.access_token is not None
    assert login.refresh_token is not None
    return str(login.access_token), str(login.refresh_token)


def actions(stub: StubServer, tenant: str = "tenant_acme") -> list[str]:
    return [entry["action"] for entry in stub.audit(tenant)]


def change_user(stub: StubServer, id: str, **members: object) -> None:
    users = stub.store.collection("tenant_acme", "user")
    user = users.get(id)
    assert user is not None
    users.put(user | members)


@pytest.mark.parametrize("dialect", ["mvp", "flow", "platform"])
def test_a_password_starts_a_session(stub: StubServer, dialect: str) -> None:
    login = bearer(stub, None, dialect).auth.login(" ADA@acme.test", PASSWORD)
    assert login.user is not None
    assert login.user.email == "ada@acme.test"
    assert (login.refresh_token is None) is (dialect == "mvp")
    used = bearer(stub, str(login.access_token), "flow")
    assert used.auth.me().last_login == stub.audit()[-1]["occurred_at"]
    assert bearer(stub, str(login.access_token)).contacts.list(limit=1).total
    assert actions(stub) == ["auth.login"]


def test_a_session_belongs_to_its_company(stub: StubServer, client: CrmClient) -> None:
    client.auth.login("gina@globex.test", PASSWORD)
    assert refused(lambda: client.contacts.get("contact_123")).status == 404
    assert actions(stub) == []
    assert actions(stub, "tenant_globex") == ["auth.login"]


@pytest.mark.parametrize("email", ["ada@acme.test", "nobody@acme.test"])
def test_wrong_address_and_wrong_password_are_alike_and_limited(
    stub: StubServer, client: CrmClient, email: str
) -> None:
    errors = [refused(lambda: client.auth.login(email, "wrong")) for _ in range(5)]
    assert {(error.status, error.code, error.message) for error in errors} == {
        (401, "INVALID_CREDENTIALS", "the e-mail address or the password is wrong")
    }
    locked = refused(lambda: client.auth.login(email, PASSWORD))
    assert (locked.status, locked.code) == (429, "TOO_MANY_ATTEMPTS")
    wait = getattr(locked, "retry_after", None)
    assert wait is not None
    assert 890 < wait <= 900
    assert actions(stub) == ["auth.login_failed"] * 5 * (email == "ada@acme.test")
    assert client.auth.login("sam@acme.test", PASSWORD).access_token
    stub.clock.advance(wait)
    if email == "ada@acme.test":
        assert client.auth.login(email, PASSWORD).access_token


@pytest.mark.parametrize(("early", "seconds"), [(0, None), (1, 1), (1_000, 1), (1_001, 2)])
def test_an_address_is_locked_until_the_first_of_its_failures_is_15_minutes_old(
    stub: StubServer, client: CrmClient, early: int, seconds: int | None
) -> None:
    for _ in range(5):
        refused(lambda: client.auth.login("ada@acme.test", "wrong"))
    failed = some(stub.store.collection("", "login_failure").get("ada@acme.test"))["times"][0]
    left = failed + timedelta(minutes=15) - stub.clock.now() - TICK * (1 + early)  # a request moves the clock by a tick
    stub.clock.advance(left.total_seconds())
    if seconds is None:
        assert client.auth.login("ada@acme.test", PASSWORD).access_token
        return
    locked = refused(lambda: client.auth.login("ada@acme.test", PASSWORD))
    assert (locked.code, locked.details) == ("TOO_MANY_ATTEMPTS", {"retryAfter": seconds})
    assert locked.message == f"5 failures within 15 minutes; wait {seconds} s"


def test_a_success_forgets_the_failures(client: CrmClient) -> None:
    for _ in range(3):
        for _ in range(4):
            assert refused(lambda: client.auth.login("ada@acme.test", "wrong")).status == 401
        assert client.auth.login("ada@acme.test", PASSWORD).access_token


def test_an_address_of_two_companies_needs_the_company(stub: StubServer, client: CrmClient) -> None:
    twin = blank(User) | {
        "id": "user_twin", "name": "Ada at Globex", "email": "ada@acme.test", "tenant_id": "tenant_globex",
        "password_hash": hash_password(PASSWORD, "user_twin"),
    }  # fmt: skip
    stub.store.collection("tenant_globex", "user").put(Document(twin))
    error = refused(lambda: client.auth.login("ada@acme.test", PASSWORD))
    assert (error.status, error.code, error.details["tenants"]) == (409, "TENANT_REQUIRED", ["acme", "globex"])
    assert refused(lambda: client.auth.login("ada@acme.test", "wrong")).code == "INVALID_CREDENTIALS"
    login = client.auth.login("ada@acme.test", PASSWORD, tenant="globex")
    assert login.user is not None
    assert login.user.name == "Ada at Globex"


def test_who_may_not_sign_in_is_told_only_with_the_password(stub: StubServer, client: CrmClient) -> None:
    change_user(stub, "user_ada", status="inactive")
    assert refused(lambda: client.auth.login("ada@acme.test", PASSWORD)).code == "USER_INACTIVE"
    assert refused(lambda: client.auth.login("ada@acme.test", "wrong")).code == "INVALID_CREDENTIALS"


def test_a_second_factor_is_asked_for(stub: StubServer, client: CrmClient) -> None:
    totp = pyotp.TOTP(bearer(stub, "acme-admin").auth.mfa.setup().secret)
    bearer(stub, "acme-admin").auth.mfa.verify(totp.at(stub.clock.now()))
    stub.clock.advance(60)
    half = client.auth.login("ada@acme.test", PASSWORD)
    assert (half.mfa_required, half.access_token) == (True, None)
    assert half.mfa_token
    code = totp.at(stub.clock.now())
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    assert refused(lambda: client.auth.login("ada@acme.test", PASSWORD, mfa_code=wrong)).code == "INVALID_MFA_CODE"
    assert client.auth.login("ada@acme.test", PASSWORD, mfa_code=code).access_token


def test_a_refresh_rotates_and_reuse_ends_everything(stub: StubServer, client: CrmClient) -> None:
    access, first = tokens(client.auth.login("ada@acme.test", PASSWORD))
    renewed = bearer(stub, None).auth.refresh(first)
    assert str(renewed.refresh_token) != first
    assert str(renewed.access_token) != access, "also within one second"
    assert bearer(stub, access, "flow").auth.me().id == "user_ada"
    assert bearer(stub, str(renewed.access_token), "flow").auth.me().id == "user_ada"
    error = refused(lambda: bearer(stub, None).auth.refresh(first))
    assert (error.status, error.code) == (401, "TOKEN_REUSED")
    for token in (access, str(renewed.access_token)):
        assert refused(lambda token=token: bearer(stub, token, "flow").auth.me()).status == 401  # type: ignore[misc] # bound at once
    assert refused(lambda: bearer(stub, None).auth.refresh(str(renewed.refresh_token))).status == 401
    assert actions(stub) == ["auth.login", "auth.token_refreshed", "auth.token_reuse_detected"]


def test_tokens_expire_on_the_stubs_clock(stub: StubServer, client: CrmClient) -> None:
    stub.client().tenants.config.update("tenant_acme", {"security": {"session_timeout_minutes": 60 * 24 * 60}})
    access, refresh = tokens(client.auth.login("ada@acme.test", PASSWORD))
    stub.clock.advance(3_590)
    assert bearer(stub, access, "flow").auth.me().id == "user_ada"
    stub.clock.advance(20)
    assert refused(lambda: bearer(stub, access, "flow").auth.me()).status == 401
    idle(stub).clock.advance(29 * 86_400)
    fresh = bearer(stub, None).auth.refresh(refresh)
    stub.clock.advance(31 * 86_400)
    assert refused(lambda: bearer(stub, None).auth.refresh(str(fresh.refresh_token))).status == 401
    assert refused(lambda: bearer(stub, None).auth.refresh("refresh_unknown")).status == 401


def test_logging_out_stops_the_tokens_at_once(stub: StubServer, client: CrmClient) -> None:
    here = tokens(client.auth.login("ada@acme.test", PASSWORD))
    there = tokens(bearer(stub, None).auth.login("ada@acme.test", PASSWORD))
    third = tokens(bearer(stub, None).auth.login("ada@acme.test", PASSWORD))
    bearer(stub, here[0]).auth.logout()
    assert refused(lambda: bearer(stub, here[0], "flow").auth.me()).status == 401
    assert refused(lambda: bearer(stub, None).auth.refresh(here[1])).status == 401
    assert bearer(stub, there[0], "flow").auth.me().id == "user_ada"
    bearer(stub, there[0]).auth.logout(all_sessions=True)
    assert refused(lambda: bearer(stub, third[0], "flow").auth.me()).status == 401
    assert actions(stub)[-2:] == ["auth.logout", "auth.logout"]


def test_an_api_key_is_not_signed_out(stub: StubServer) -> None:
    bearer(stub, "acme-sales").auth.logout()
    assert bearer(stub, "acme-sales", "flow").auth.me().email == "sam@acme.test"
    assert actions(stub) == []


def test_a_refused_sign_in_survives_a_restart_of_the_state(stub: StubServer, client: CrmClient) -> None:
    before = stub.snapshot()
    for _ in range(5):
        refused(lambda: client.auth.login("ada@acme.test", "wrong"))
    assert refused(lambda: client.auth.login("ada@acme.test", PASSWORD)).status == 429
    stub.restore(before)
    assert client.auth.login("ada@acme.test", PASSWORD).access_token


def test_who_works_there_and_has_a_verified_address_may_sign_in(stub: StubServer) -> None:
    tenants = stub.store.collection("tenant_acme", "tenant")
    acme = stub.tenant("tenant_acme")
    for required, verified, status, code in (
        (True, False, "active", "EMAIL_NOT_VERIFIED"), (True, None, "active", "EMAIL_NOT_VERIFIED"),
        (True, True, "active", None), (False, False, "active", None), (None, False, "active", None),
        (False, True, "inactive", "USER_INACTIVE"), (True, False, "inactive", "USER_INACTIVE"),
    ):  # fmt: skip
        tenants.put(acme | {"security": {**acme["security"], "require_email_verification": required}})
        stored(stub, "user", "user_ada", email_verified=verified, status=status)
        if code is None:
            assert bearer(stub, None).auth.login("ada@acme.test", PASSWORD).access_token
        else:
            error = refused(lambda: bearer(stub, None).auth.login("ada@acme.test", PASSWORD))
            assert (error.status, error.code) == (403, code)
        wrong = refused(lambda: bearer(stub, None).auth.login("ada@acme.test", "Wrong-Horse-7!"))
        assert wrong.code == "INVALID_CREDENTIALS", "who does not know the password learns nothing"
