"""How long what signing in asks for is good for, what is told of it, and what a company may ask for besides."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from auth_support import Authenticator, Bearer, enrolled, signed_in
from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.clock import TICK

STRONG = "Correct-Horse-7!"


def mailed(stub: StubServer, address: str) -> str:
    return str(next(mail for mail in reversed(stub.mails) if mail.to == address).token)


def wait_until(stub: StubServer, at: datetime) -> None:
    """Let the next request be at a time: it moves the clock by a tick."""
    stub.clock.advance((at - stub.clock.now() - TICK).total_seconds())


def last(stub: StubServer, action: str) -> Any:
    return [entry for entry in stub.audit() if entry["action"] == action][-1]


@pytest.mark.parametrize("early", [True, False])
def test_what_waits_is_good_for_its_time_and_no_longer(stub: StubServer, bearer: Bearer, early: bool) -> None:
    ada, over = signed_in(bearer()), TICK if early else timedelta()
    setup = ada.auth.mfa.setup()
    wait_until(stub, setup.expires_at - over)
    app = Authenticator(stub, str(setup.secret))
    verify = partial(ada.auth.mfa.verify, app.code())
    if early:
        assert verify().enabled
    else:
        assert refused(verify).code == "MFA_NOT_PENDING"
        enrolled(stub, ada)
    held = bearer().auth.login("ada@acme.test", "demo-password")
    (waiting,) = [
        doc for doc in stub.store.collection("tenant_acme", "one_time_token") if doc["purpose"] == "mfa"
    ]  # fmt: skip
    assert waiting["expires_at"] - waiting["created_at"] == timedelta(minutes=5)
    wait_until(stub, waiting["expires_at"] - over)
    refusal = refused(lambda: bearer().auth.mfa.verify("000000", mfa_token=str(held.mfa_token)))
    assert refusal.code == ("INVALID_MFA_CODE" if early else "TOKEN_EXPIRED")
    if early:
        assert refusal.message == "the code of the second factor is wrong, or was used already"
        assert (refusal.status, refusal.fields[0].field) == (401, "code")
        assert last(stub, "auth.login_failed")["metadata"] == {"factor": "totp"}


@pytest.mark.parametrize("early", [True, False])
def test_mails_are_good_for_an_hour_or_a_day(stub: StubServer, bearer: Bearer, early: bool) -> None:
    over = TICK if early else timedelta()
    bearer().auth.password.reset("sam@acme.test")
    reset, at = mailed(stub, "sam@acme.test"), stub.clock.now()
    wait_until(stub, at + timedelta(hours=1) - over)
    confirm = partial(bearer().auth.password.confirm, reset, STRONG)
    if early:
        confirm()
    else:
        assert refused(confirm).code == "TOKEN_EXPIRED"
    made = bearer().auth.register(email="boss@w.example", password=STRONG, name="Bo", company="Widgets")
    token, at = mailed(stub, "boss@w.example"), some(made.user.created_at)
    wait_until(stub, at + timedelta(hours=24) - over)
    verify = partial(bearer().auth.email.verify, token)
    if early:
        assert verify().email_verified
    else:
        assert refused(verify).code == "TOKEN_EXPIRED"


@pytest.mark.thorough
@pytest.mark.parametrize("early", [True, False])
def test_a_password_is_as_old_as_since_it_was_set(stub: StubServer, bearer: Bearer, early: bool) -> None:
    policies = stub.client(dialects="platform").security.policies
    policies.update({"password_max_age_days": 30})
    login = bearer().auth.login
    made = some(stub.store.collection("tenant_acme", "user").get("user_ada"))["created_at"]
    old = refused(lambda: login("ada@acme.test", "demo-password"))
    assert (old.status, old.code, old.details["reason"]) == (403, "FORBIDDEN", "password_expired")
    assert datetime.fromisoformat(old.details["passwordSetAt"]) == made
    assert old.message == "the password is older than 30 days: set a new one with auth.password.reset"
    bearer().auth.password.reset("ada@acme.test")
    bearer().auth.password.confirm(mailed(stub, "ada@acme.test"), STRONG)
    assert login("ada@acme.test", STRONG).access_token
    since = some(stub.store.collection("tenant_acme", "password_history").get("user_ada"))["set_at"]
    wait_until(stub, since + timedelta(days=30) - (TICK if early else timedelta()))
    if early:
        assert login("ada@acme.test", STRONG).access_token
    else:
        assert refused(lambda: login("ada@acme.test", STRONG)).code == "FORBIDDEN"
    policies.update({"password_max_age_days": None})
    assert login("ada@acme.test", STRONG).access_token


def test_a_company_says_after_how_many_failures_and_for_how_long(stub: StubServer, bearer: Bearer) -> None:
    stub.client(dialects="platform").security.policies.update({"lockout_attempts": 3, "lockout_minutes": 60})
    for _ in range(3):
        assert refused(lambda: bearer().auth.login("ada@acme.test", "wrong")).code == "INVALID_CREDENTIALS"
    locked = refused(lambda: bearer().auth.login("ada@acme.test", "demo-password"))
    assert locked.code == "TOO_MANY_ATTEMPTS" and locked.message.startswith("3 failures within 60 minutes; wait 3")
    first = some(stub.store.collection("", "login_failure").get("ada@acme.test"))["times"][0]
    wait_until(stub, first + timedelta(minutes=60) - TICK)
    assert refused(lambda: bearer().auth.login("ada@acme.test", "demo-password")).code == "TOO_MANY_ATTEMPTS"
    assert bearer().auth.login("ada@acme.test", "demo-password").access_token
    assert stub.store.collection("", "login_failure").get("ada@acme.test") is None, "a success forgets them"


def test_what_a_weak_password_needs(stub: StubServer, bearer: Bearer) -> None:
    stub.client(dialects="platform").security.policies.update(
        {"password_min_length": 9, "password_require": ["upper", "lower", "digit", "symbol"]}
    )
    bearer().auth.password.reset("ada@acme.test")
    token = mailed(stub, "ada@acme.test")
    for password, needs in (
        ("Aa1!aaaa", ["at least 9 characters"]), ("aa1!aaaaa", ["a capital letter"]), ("AA1!AAAAA", ["a small letter"]),
        ("Aa!aaaaaa", ["a digit"]), ("Aa1aaaaaa", ["a symbol"]), ("Aa1 aaaaa", ["a symbol"]),
        ("é", ["at least 9 characters", "a capital letter", "a digit", "a symbol"]),
    ):  # fmt: skip
        refusal = refused(partial(bearer().auth.password.confirm, token, password))
        assert (refusal.status, refusal.code, refusal.details) == (422, "WEAK_PASSWORD", {"needs": needs}), password
        assert refusal.message == f"a password needs {', '.join(needs)}"
        assert (refusal.fields[0].field, refusal.fields[0].rule) == ("new_password", "format")
    bearer().auth.password.confirm(token, "Aa1!aaaaa")


def test_who_is_not_active_gets_no_mail_for_a_new_password(stub: StubServer, bearer: Bearer) -> None:
    for id, status in (("user_mia", "inactive"), ("user_sam", "invited")):
        stored(stub, "user", id, status=status)
        before = len(stub.mails)
        bearer().auth.password.reset(f"{id.removeprefix('user_')}@acme.test")
        assert len(stub.mails) == before
    bearer().auth.password.reset("RITA@acme.test")
    assert stub.mails[-1].to == "rita@acme.test"
    assert last(stub, "auth.password_reset_requested")["actor"]["type"] == "anonymous"


def test_a_session_knows_how_it_began(stub: StubServer, bearer: Bearer, ada: CrmClient) -> None:
    app, codes = enrolled(stub, ada)
    assert last(stub, "auth.mfa_enabled")["metadata"] == {"method": "totp"}
    half = bearer().auth.login("ada@acme.test", "demo-password")
    assert refused(lambda: bearer().auth.login("ada@acme.test", "wrong")).code == "INVALID_CREDENTIALS"
    done = bearer().auth.mfa.verify(codes[0], mfa_token=str(half.mfa_token))
    sessions = stub.store.collection("tenant_acme", "session")
    session = some(sessions.get(str(some(done.login).session_id)))
    assert (session["auth_method"], session["mfa_verified"], session["client_id"]) == ("mfa", True, None)
    assert session["expires_at"] - session["created_at"] == timedelta(days=30)
    assert session["device"] == "crm-sdk" and str(session["user_agent"]).startswith("crm-sdk/")
    assert last(stub, "auth.login")["metadata"] == {"session_id": session["id"]}
    shown = ada.auth.mfa.backup_codes.get()
    (used,) = [code for code in shown.codes if code.used]
    assert used.used_at is not None and used.used_at > shown.generated_at
    ada.auth.mfa.backup_codes.regenerate(code=app.next_code())
    assert last(stub, "auth.backup_codes_regenerated")["metadata"] == {"count": 10}
    here = some(ada.auth.sessions.current().id)
    ada.auth.logout(all_sessions=True)
    assert last(stub, "auth.logout")["metadata"] == {"session_id": here, "all_sessions": True}
    assert all(doc["revoked_at"] is not None for doc in sessions.find("user_id", "user_ada"))


def test_an_application_signs_out_as_itself(stub: StubServer, bearer: Bearer) -> None:
    own = {"grant_type": "client_credentials", "client_id": "demo-service", "client_secret": "demo-secret"}
    there = bearer().with_options(tenant_id="tenant_acme")
    app = bearer(there.auth.token(**own).access_token)
    session = app.auth.sessions.current().id
    app.auth.logout()
    assert refused(lambda: app.leads.list(limit=1)).status == 401
    told = last(stub, "auth.logout")
    assert (told["entity"]["type"], told["entity"]["id"]) == ("app", "app_demo_service")
    assert told["metadata"] == {"session_id": session, "all_sessions": False}
    ada = signed_in(bearer())
    ada.auth.logout()
    told = last(stub, "auth.logout")
    assert (told["entity"]["type"], told["entity"]["id"]) == ("user", "user_ada")
