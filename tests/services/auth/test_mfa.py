"""The second factor: pyotp's codes, backup codes, and how it is turned on and off."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from urllib.parse import unquote

import pyotp
import pytest
from auth_support import Bearer, enrolled, signed_in
from refusals import refused
from stub_data import stored

from crm_sdk import CrmClient
from crm_sdk.models import MfaVerification
from server_stub import StubServer
from server_stub.services.auth.factors import step_of

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()


def actions(stub: StubServer) -> list[str]:
    return [entry["action"] for entry in stub.audit()]


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ],
)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert step_of(code, RFC_SECRET, at) == seconds // 30
    assert step_of(code, RFC_SECRET.rstrip("=").lower(), at) == seconds // 30, "apps show it in either case"
    assert step_of("١٢٣٤٥٦", RFC_SECRET, at) is None
    assert pyotp.TOTP(RFC_SECRET).at(seconds) == code


def test_an_authenticator_app_reads_the_set_up(stub: StubServer, ada: CrmClient) -> None:
    setup = ada.auth.mfa.setup()
    app = pyotp.parse_uri(str(setup.otpauth_uri))
    assert isinstance(app, pyotp.TOTP)
    assert (app.secret, app.issuer, app.name, app.digits, app.interval) == (
        str(setup.secret), "Acme", "ada@acme.test", 6, 30,
    )  # fmt: skip
    assert len(base64.b32decode(str(setup.secret))) == 20
    kind, _, picture = str(setup.qr_code).partition(",")
    assert kind.startswith("data:image/svg+xml")
    assert unquote(picture).lstrip().startswith(("<svg", "<?xml"))
    assert "Credential('***')" in repr(setup) and str(setup.secret) not in repr(setup)
    assert (setup.expires_at - stub.clock.now()).total_seconds() == pytest.approx(600, abs=1)


def test_nothing_is_on_before_a_code_is_confirmed(stub: StubServer, bearer: Bearer, ada: CrmClient) -> None:
    first = ada.auth.mfa.setup()
    second = ada.auth.mfa.setup()
    assert bearer().auth.login("ada@acme.test", "demo-password").mfa_required is False
    void = pyotp.TOTP(str(first.secret)).at(stub.clock.now())
    assert refused(lambda: ada.auth.mfa.verify(void)).code == "INVALID_MFA_CODE"
    done = ada.auth.mfa.verify(pyotp.TOTP(str(second.secret)).at(stub.clock.now()))
    assert (done.enabled, done.method, len(done.backup_codes or ())) == (True, "totp", 10)
    assert ada.auth.sessions.current().mfa_verified is True
    assert refused(ada.auth.mfa.setup).code == "MFA_ALREADY_ENABLED"
    assert actions(stub)[-1] == "auth.mfa_enabled"


def test_a_set_up_lapses(stub: StubServer, ada: CrmClient) -> None:
    assert refused(lambda: ada.auth.mfa.verify("123456")).code == "MFA_NOT_PENDING"
    setup = ada.auth.mfa.setup()
    stub.clock.advance(601)
    late = pyotp.TOTP(str(setup.secret)).at(stub.clock.now())
    assert refused(lambda: ada.auth.mfa.verify(late)).code == "MFA_NOT_PENDING"


def test_a_wrong_password_sets_nothing_up(ada: CrmClient) -> None:
    assert refused(lambda: ada.auth.mfa.setup(password="wrong")).code == "INVALID_CREDENTIALS"
    assert refused(lambda: ada.auth.mfa.setup(method="sms")).fields[0].rule == "choice"
    assert ada.auth.mfa.setup(password="demo-password").secret


@pytest.mark.parametrize(("steps", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_fits_one_step_to_each_side(stub: StubServer, bearer: Bearer, steps: int, fits: bool) -> None:
    app, _ = enrolled(stub, signed_in(bearer()))
    stub.clock.advance(300)
    code = app.code(steps)
    if fits:
        assert bearer().auth.login("ada@acme.test", "demo-password", mfa_code=code).access_token
    else:
        wrong = refused(lambda: bearer().auth.login("ada@acme.test", "demo-password", mfa_code=code))
        assert (wrong.status, wrong.code) == (401, "INVALID_MFA_CODE")


def test_a_code_works_once(stub: StubServer, bearer: Bearer, ada: CrmClient) -> None:
    app, _ = enrolled(stub, ada)
    again = app.code()
    assert refused(lambda: bearer().auth.login("ada@acme.test", "demo-password", mfa_code=again)).status == 401
    code = app.next_code()
    assert bearer().auth.login("ada@acme.test", "demo-password", mfa_code=code).access_token
    half = bearer().auth.login("ada@acme.test", "demo-password")
    assert refused(lambda: bearer().auth.mfa.verify(code, mfa_token=str(half.mfa_token))).code == "INVALID_MFA_CODE"


def test_no_code_of_the_steps_around_works_again_whichever_came_first(
    stub: StubServer, bearer: Bearer, ada: CrmClient
) -> None:
    app, _ = enrolled(stub, ada)
    stub.clock.advance(300)
    codes = [app.code(steps) for steps in (1, -1, 0)]
    for code in codes:
        assert bearer().auth.login("ada@acme.test", "demo-password", mfa_code=code).access_token
    for code in codes:
        wrong = refused(lambda code=code: bearer().auth.login("ada@acme.test", "demo-password", mfa_code=code))  # type: ignore[misc] # bound now
        assert wrong.code == "INVALID_MFA_CODE"
    held = stub.store.collection("tenant_acme", "second_factor").get("user_ada")
    present = int(stub.clock.now().timestamp()) // 30
    assert held is not None and held["used_steps"] == [present + 1, present - 1, present]
    stub.clock.advance(90)
    assert bearer().auth.login("ada@acme.test", "demo-password", mfa_code=app.code()).access_token
    held = stub.store.collection("tenant_acme", "second_factor").get("user_ada")
    assert held is not None and held["used_steps"] == [present + 1, present, present + 3], "older ones fit no more"


def test_a_sign_in_is_completed_with_its_token(stub: StubServer, bearer: Bearer, ada: CrmClient) -> None:
    app, backup = enrolled(stub, ada)
    client = bearer()
    half = client.auth.login("ada@acme.test", "demo-password")
    assert (half.mfa_required, half.access_token, half.refresh_token) == (True, None, None)
    done = client.auth.mfa.verify(app.next_code(), mfa_token=str(half.mfa_token))
    assert done.login is not None
    assert done.backup_codes is None
    assert client.auth.userinfo().sub == "user_ada", "further calls use the session"
    session = client.auth.sessions.current()
    assert (session.auth_method, session.mfa_verified) == ("mfa", True)
    used = refused(lambda: bearer().auth.mfa.verify(backup[0], mfa_token=str(half.mfa_token)))
    assert (used.status, used.code) == (400, "INVALID_TOKEN")
    late = bearer().auth.login("ada@acme.test", "demo-password")
    stub.clock.advance(301)
    assert refused(lambda: bearer().auth.mfa.verify(backup[0], mfa_token=str(late.mfa_token))).code == "TOKEN_EXPIRED"


def test_a_stale_session_is_no_obstacle_to_a_new_one(stub: StubServer, bearer: Bearer, ada: CrmClient) -> None:
    app, _ = enrolled(stub, ada)
    half = bearer().auth.login("ada@acme.test", "demo-password")
    done = bearer("no-key-of-anybody").auth.mfa.verify(app.next_code(), mfa_token=str(half.mfa_token))
    assert done.login is not None
    assert refused(lambda: bearer().auth.mfa.verify("123456")).status == 401


def test_backup_codes_work_once_and_only_in_a_sign_in(stub: StubServer, bearer: Bearer, ada: CrmClient) -> None:
    app, codes = enrolled(stub, ada)

    def use(code: str) -> None:
        half = bearer().auth.login("ada@acme.test", "demo-password")
        bearer().auth.mfa.verify(code, mfa_token=str(half.mfa_token))

    use(f" {codes[2].upper()} ")
    assert refused(lambda: use(codes[2])).code == "INVALID_MFA_CODE"
    shown = ada.auth.mfa.backup_codes.get()
    assert (shown.total, shown.remaining, [code.used for code in shown.codes].index(True)) == (10, 9, 2)
    assert [str(code.code) for code in shown.codes] == [f"••••-{code[-4:]}" for code in codes]
    for call in (
        lambda: bearer().auth.login("ada@acme.test", "demo-password", mfa_code=codes[0]),
        lambda: ada.auth.mfa.disable(code=codes[0]),
        lambda: ada.auth.mfa.backup_codes.regenerate(code=codes[0]),
    ):
        assert refused(call).code == "INVALID_MFA_CODE"
    fresh = ada.auth.mfa.backup_codes.regenerate(code=app.next_code())
    new = [str(code.code) for code in fresh.codes]
    assert fresh.remaining == len(set(new)) == 10 and not set(new) & set(codes)
    assert refused(lambda: use(codes[1])).code == "INVALID_MFA_CODE"
    use(new[0])
    assert "auth.backup_codes_regenerated" in actions(stub)


def test_five_wrong_codes_lock_the_codes(stub: StubServer, bearer: Bearer, ada: CrmClient) -> None:
    app, _ = enrolled(stub, ada)
    half = bearer().auth.login("ada@acme.test", "demo-password")
    wrong = app.wrong_code()
    for _ in range(5):
        assert refused(lambda: bearer().auth.mfa.verify(wrong, mfa_token=str(half.mfa_token))).status == 401
    right = app.next_code()
    locked = refused(lambda: bearer().auth.mfa.verify(right, mfa_token=str(half.mfa_token)))
    assert (locked.status, locked.code) == (429, "TOO_MANY_ATTEMPTS")
    assert refused(lambda: ada.auth.mfa.disable(code=right)).code == "TOO_MANY_ATTEMPTS"
    assert [doc["id"] for doc in stub.store.collection("", "login_failure")] == ["mfa:user_ada"]
    assert bearer().auth.login("ada@acme.test", "demo-password").mfa_required, "the password is not locked"
    assert actions(stub).count("auth.login_failed") == 5
    stub.clock.advance(901)
    ada.auth.mfa.disable(code=app.code())


def test_wrong_codes_of_a_sign_in_lock_its_address(stub: StubServer, bearer: Bearer, ada: CrmClient) -> None:
    app, _ = enrolled(stub, ada)
    wrong = app.wrong_code()
    for _ in range(5):
        assert refused(lambda: bearer().auth.login("ada@acme.test", "demo-password", mfa_code=wrong)).status == 401
    assert refused(lambda: bearer().auth.login("ada@acme.test", "demo-password")).code == "TOO_MANY_ATTEMPTS"
    assert [doc["id"] for doc in stub.store.collection("", "login_failure")] == ["ada@acme.test"]
    ada.auth.mfa.disable(code=app.next_code())


def test_a_right_code_forgets_the_wrong_ones(stub: StubServer, bearer: Bearer, ada: CrmClient) -> None:
    app, _ = enrolled(stub, ada)
    for _ in range(2):
        half = bearer().auth.login("ada@acme.test", "demo-password")
        for _ in range(4):
            wrong = app.wrong_code()
            assert refused(lambda: bearer().auth.mfa.verify(wrong, mfa_token=str(half.mfa_token))).status == 401  # noqa: B023 # called at once
        bearer().auth.mfa.verify(app.next_code(), mfa_token=str(half.mfa_token))


def test_turning_it_off_ends_the_other_sessions(stub: StubServer, bearer: Bearer, ada: CrmClient) -> None:
    app, codes = enrolled(stub, ada)
    other = bearer()
    half = other.auth.login("ada@acme.test", "demo-password")
    other.auth.mfa.verify(codes[0], mfa_token=str(half.mfa_token))
    assert refused(lambda: ada.auth.mfa.disable(code=app.next_code(), password="wrong")).code == "INVALID_CREDENTIALS"
    ada.auth.mfa.disable(code=app.next_code(), password="demo-password")
    assert bearer().auth.login("ada@acme.test", "demo-password").access_token
    assert refused(other.auth.sessions.current).status == 401
    assert ada.auth.userinfo().sub == "user_ada"
    for call in (ada.auth.mfa.backup_codes.get, lambda: ada.auth.mfa.disable(code="123456")):
        assert refused(call).code == "MFA_NOT_ENABLED"
    assert "auth.mfa_disabled" in actions(stub)


def test_a_company_may_ask_everybody_for_it(stub: StubServer, ada: CrmClient) -> None:
    app, _ = enrolled(stub, ada)
    tenants = stub.store.collection("tenant_acme", "tenant")
    acme = stub.tenant("tenant_acme")
    tenants.put(acme | {"security": {**acme["security"], "require_mfa": True}})
    error = refused(lambda: ada.auth.mfa.disable(code=app.next_code()))
    assert (error.status, error.code) == (403, "MFA_REQUIRED")


def test_a_sign_in_is_completed_by_who_may_sign_in_still(stub: StubServer, bearer: Bearer, ada: CrmClient) -> None:
    app, _ = enrolled(stub, ada)
    half = bearer().auth.login("ada@acme.test", "demo-password")
    code = app.next_code()

    def completed() -> MfaVerification:
        return bearer().auth.mfa.verify(code, mfa_token=str(half.mfa_token))

    stored(stub, "user", "user_ada", status="inactive")
    gone = refused(completed)
    assert (gone.status, gone.code) == (403, "USER_INACTIVE")
    stored(stub, "user", "user_ada", status="active", email_verified=False)
    acme = stub.tenant("tenant_acme")
    security = {**acme["security"], "require_email_verification": True}
    stored(stub, "tenant", "tenant_acme", security=security)
    unproved = refused(completed)
    assert (unproved.status, unproved.code) == (403, "EMAIL_NOT_VERIFIED")
    stored(stub, "user", "user_ada", email_verified=True)
    login = completed().login
    assert login is not None and (login.mfa_required, login.user and login.user.id) == (False, "user_ada")
    half = bearer().auth.login("ada@acme.test", "demo-password")
    stored(stub, "user", "user_ada", mfa_enabled=False)
    code = "000000"
    assert completed().login is not None, "it was turned off in the meantime: the password was enough"
    half = bearer().auth.login("ada@acme.test", "demo-password")
    assert half.mfa_token is None
    stored(stub, "user", "user_ada", mfa_enabled=True)
    half = bearer().auth.login("ada@acme.test", "demo-password")
    stub.store.collection("tenant_acme", "user").remove("user_ada")
    gone = refused(completed)
    assert (gone.code, gone.message) == ("INVALID_TOKEN", "the user of this sign-in was deleted")
