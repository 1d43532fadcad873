"""Registration, invitations, addresses that are confirmed, and passwords that are forgotten."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from auth_support import Bearer, signed_in
from refusals import refused
from stub_data import some

from crm_sdk import CrmClient
from crm_sdk.models import Registration
from crm_sdk.models.users import User
from server_stub import StubServer
from server_stub.caller import Caller
from server_stub.data.blanks import blank
from server_stub.data.document import Document
from server_stub.mail import send_token
from server_stub.serving import Context

STRONG, OTHER = "Correct-Horse-7!", "Battery-Staple-8!"


def founded(client: CrmClient, company: str = "Widgets & Co", email: str = "boss@widgets.example") -> Registration:
    return client.auth.register(email=email, password=STRONG, name="Bo Boss", company=company)


def mailed(stub: StubServer, address: str) -> str:
    """Return the token of the last mail to an address."""
    mail = next(mail for mail in reversed(stub.mails) if mail.to == address)
    assert mail.token is not None
    assert mail.token in mail.text
    return mail.token


def invited(stub: StubServer, email: str = "guest@acme.test", **members: Any) -> str:
    """Invite somebody to Acme, as creating a user does, and return the token of the mail."""
    user = stub.store.collection("tenant_acme", "user").put(
        Document(
            blank(User)
            | {
                "id": "user_guest", "email": email, "name": "Guest", "role": "read_only", "status": "invited",
                "roles": [], "tenant_id": "tenant_acme", "password_hash": None, "version": 1,
                "created_at": stub.clock.now(), "updated_at": stub.clock.now(), "email_verified": False,
            }
            | members
        )
    )  # fmt: skip
    call = Context(
        stub, Caller("tenant_acme", "system", None, "system"), stub.clock.now(), dialect="platform",
        operation="users.create", request_id="req_0", source={},
    )  # fmt: skip
    send_token(call, user, "invitation", "Join Acme", "Join with {token}", timedelta(days=7))
    return mailed(stub, email)


def test_a_company_begins_empty_and_alone(stub: StubServer, bearer: Bearer) -> None:
    made = founded(bearer())
    assert made.tenant is not None and made.session is not None
    assert (made.tenant.name, made.tenant.slug, made.tenant.plan, made.tenant.status) == (
        "Widgets & Co", "widgets-co", "free", "active",
    )  # fmt: skip
    assert (made.user.role, made.user.email_verified, made.verification_sent) == ("admin", False, True)
    boss = bearer(made.session.access_token)
    assert boss.leads.list().total == boss.contacts.list().total == 0
    [pipeline] = boss.pipelines.list().items
    assert pipeline.is_default and len(boss.pipelines.get(pipeline.id).stages) == 6
    lead = boss.leads.create({"name": "Ours"})
    assert refused(lambda: stub.client().leads.get(lead.id)).status == 404
    assert refused(lambda: boss.leads.get("lead_123")).status == 404
    again = founded(bearer(), email="other@widgets.example")
    assert again.tenant is not None and again.tenant.slug == "widgets-co-2"
    assert [entry["action"] for entry in stub.audit(str(made.tenant.id))][:4] == [
        "pipeline.created", "tenant.created", "user.registered", "auth.login",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({}, "company"),
        ({"company": "A", "invitation_token": "x"}, "company"),
        ({"company": "Abc", "timezone": "Mars/Olympus"}, "timezone"),
    ],
)
def test_what_cannot_be_registered(bearer: Bearer, members: Any, field: str) -> None:
    error = refused(lambda: bearer().auth.register(email="a@b.example", password=STRONG, name="A", **members))
    assert (error.status, error.fields[0].field) == (422, field)


def test_a_password_is_as_strong_as_the_company_asks(stub: StubServer, bearer: Bearer) -> None:
    weak = refused(lambda: bearer().auth.register(email="a@b.example", password="short", name="A", company="Abc"))
    assert (weak.status, weak.code) == (422, "WEAK_PASSWORD")
    tenants, acme = stub.store.collection("tenant_acme", "tenant"), stub.tenant("tenant_acme")
    rule = {"password_min_length": 10, "password_require": ["upper", "lower", "digit", "symbol"]}
    tenants.put(acme | {"security": {**acme["security"], **rule}})
    bearer().auth.password.reset("ada@acme.test")
    token = mailed(stub, "ada@acme.test")
    for password, lacks in (("Aa1!", 1), ("aaaaaaaaaa", 3), ("AAAAAAAAAA1", 2), ("Aaaaaaaaaa1", 1)):
        error = refused(lambda password=password: bearer().auth.password.confirm(token, password))  # type: ignore[misc] # bound at once
        assert (error.code, len(error.details["needs"])) == ("WEAK_PASSWORD", lacks)
    bearer().auth.password.confirm(token, "Aaaaaaaaa1!")


def test_whoever_is_invited_has_a_strong_password_too(stub: StubServer, bearer: Bearer) -> None:
    stub.client(dialects="platform").users.create({"email": "eve@acme.test", "name": "Eve"})
    token = mailed(stub, "eve@acme.test")
    join = partial(bearer().auth.register, email="eve@acme.test", name="Eve", invitation_token=token)
    assert refused(lambda: join(password="short")).code == "WEAK_PASSWORD"
    assert join(password=STRONG).user.status == "active"


def test_an_address_is_confirmed_once_by_the_mail(stub: StubServer, bearer: Bearer) -> None:
    made = founded(bearer())
    token = mailed(stub, made.user.email)
    assert bearer().auth.email.verify(token).email_verified is True
    assert refused(lambda: bearer().auth.email.verify(token)).code == "INVALID_TOKEN"
    assert made.tenant is not None
    assert "user.email_verified" in [entry["action"] for entry in stub.audit(made.tenant.id)]
    late = founded(bearer(), "Gadgets", "late@gadgets.example")
    stub.clock.advance(24 * 3600)
    error = refused(lambda: bearer().auth.email.verify(mailed(stub, late.user.email)))
    assert (error.status, error.code) == (400, "TOKEN_EXPIRED")


def test_a_token_is_good_for_its_purpose_only(stub: StubServer, bearer: Bearer) -> None:
    founded(bearer())
    token = mailed(stub, "boss@widgets.example")
    assert refused(lambda: bearer().auth.password.confirm(token, OTHER)).code == "INVALID_TOKEN"


@pytest.mark.parametrize("change", ["another address", "no user"])
def test_a_token_is_for_the_address_that_it_was_mailed_to(stub: StubServer, bearer: Bearer, change: str) -> None:
    made = founded(bearer())
    assert made.tenant is not None
    users, address = stub.store.collection(str(made.tenant.id), "user"), made.user.email
    verification = mailed(stub, address)
    bearer().auth.password.reset(address)
    reset, user = mailed(stub, address), some(users.get(made.user.id))
    if change == "no user":
        users.remove(user["id"])
    else:
        users.put(user | {"email": "other@widgets.example"})
    for call in (
        lambda: bearer().auth.email.verify(verification),
        lambda: bearer().auth.password.confirm(reset, OTHER),
    ):
        error = refused(call)
        assert (error.status, error.code) == (400, "INVALID_TOKEN")
        assert error.message == "the token is not known, or was used already"
    users.put(user)
    bearer().auth.password.confirm(reset, OTHER)
    assert bearer().auth.email.verify(verification).email_verified is True, "a refusal does not use it up"


def test_an_invitation_joins_its_company_once(stub: StubServer, bearer: Bearer) -> None:
    token = invited(stub)

    def join(email: str = "guest@acme.test") -> Registration:
        return bearer().auth.register(email=email, password=STRONG, name="Gus Guest", invitation_token=token)

    assert refused(lambda: bearer().auth.login("guest@acme.test", STRONG)).status == 401
    assert refused(lambda: join("somebody@acme.test")).fields[0].field == "email"
    joined = join()
    assert (joined.user.status, joined.user.role, joined.user.email_verified) == ("active", "read_only", True)
    assert (joined.user.name, joined.tenant, joined.verification_sent) == ("Gus Guest", None, False)
    assert signed_in(bearer(), "guest@acme.test", STRONG).auth.userinfo().tenant_id == "tenant_acme"
    assert refused(join).code == "INVALID_TOKEN"


@pytest.mark.parametrize("by", ["company", "invitation"])
def test_who_has_registered_is_signed_in_by_a_password_alone(stub: StubServer, bearer: Bearer, by: str) -> None:
    if by == "company":
        made, company = founded(bearer()), None
    else:
        token, company = invited(stub), "tenant_acme"
        made = bearer().auth.register(email="guest@acme.test", password=STRONG, name="Gus", invitation_token=token)
    sessions = stub.store.collection(company or str(some(made.tenant).id), "session")
    (session,) = sessions.find("user_id", made.user.id)
    assert (session["auth_method"], session["mfa_verified"]) == ("password", False)
    assert some(some(made.session).user).id == made.user.id
    told = [entry["action"] for entry in stub.audit(sessions.tenant_id) if entry["entity"]["id"] == made.user.id]
    assert told[-2:] == ["user.registered", "auth.login"]


def test_an_invitation_of_somebody_who_is_known_or_not_wanted(stub: StubServer, bearer: Bearer) -> None:
    token = invited(stub, status="active")
    register = lambda: bearer().auth.register(  # noqa: E731 # the same call twice
        email="guest@acme.test", password=STRONG, name="G", invitation_token=token
    )
    known = refused(register)
    assert (known.status, known.code, known.details["existingId"]) == (409, "USER_EXISTS", "user_guest")
    tenants, acme = stub.store.collection("tenant_acme", "tenant"), stub.tenant("tenant_acme")
    tenants.put(acme | {"security": {**acme["security"], "allowed_email_domains": ["other.test"]}})
    assert refused(register).code == "DOMAIN_NOT_ALLOWED"


def test_a_forgotten_password_is_set_once_and_ends_every_session(stub: StubServer, bearer: Bearer) -> None:
    session = signed_in(bearer())
    bearer().auth.password.reset("ADA@acme.test")
    void = mailed(stub, "ada@acme.test")
    bearer().auth.password.reset("ada@acme.test")
    token = mailed(stub, "ada@acme.test")
    assert refused(lambda: bearer().auth.password.confirm(void, OTHER)).code == "INVALID_TOKEN"
    reused = refused(lambda: bearer().auth.password.confirm(token, "demo-password"))
    assert (reused.status, reused.code) == (422, "PASSWORD_REUSED")
    bearer().auth.password.confirm(token, OTHER)
    assert refused(session.auth.userinfo).status == 401
    assert refused(lambda: bearer().auth.login("ada@acme.test", "demo-password")).status == 401
    assert signed_in(bearer(), password=OTHER).auth.userinfo().sub == "user_ada"
    assert refused(lambda: bearer().auth.password.confirm(token, STRONG)).code == "INVALID_TOKEN"
    told = [entry for entry in stub.audit() if entry["action"].startswith("auth.password")]
    assert [entry["action"] for entry in told] == [
        "auth.password_reset_requested", "auth.password_reset_requested", "auth.password_changed",
    ]  # fmt: skip
    assert OTHER not in str(told) and token not in str(told)


def test_the_last_five_passwords_are_not_set_again(stub: StubServer, bearer: Bearer) -> None:
    def set_password(password: str) -> None:
        bearer().auth.password.reset("ada@acme.test")
        bearer().auth.password.confirm(mailed(stub, "ada@acme.test"), password)

    for number in range(4):
        set_password(f"{STRONG}{number}")
    assert refused(lambda: set_password("demo-password")).code == "PASSWORD_REUSED"
    set_password(f"{STRONG}4")
    set_password("demo-password")


def test_a_password_that_was_set_again_counts_once(stub: StubServer, bearer: Bearer) -> None:
    def set_password(password: str) -> None:
        bearer().auth.password.reset("ada@acme.test")
        bearer().auth.password.confirm(mailed(stub, "ada@acme.test"), password)

    policies = stub.client(dialects="platform").security.policies
    policies.update({"password_history": 1})
    for letter in "CABA":
        set_password(f"{STRONG}{letter}")
    error = refused(lambda: set_password(f"{STRONG}A"))
    assert (error.code, error.message) == ("PASSWORD_REUSED", "this is one of the last 1 passwords")
    policies.update({"password_history": 3})
    for letter in "CBA":
        assert refused(lambda letter=letter: set_password(f"{STRONG}{letter}")).code == "PASSWORD_REUSED"  # type: ignore[misc] # bound at once
    set_password("demo-password")


def test_nobody_learns_who_is_known(stub: StubServer, bearer: Bearer) -> None:
    before = len(stub.mails)
    replies = [
        bearer().request("POST", "/v1/auth/password/reset", json={"email": email})
        for email in ("ada@acme.test", "nobody@acme.test")
    ]
    assert {(reply.status, str(reply.json()["data"])) for reply in replies} == {(200, "None")}
    assert [mail.to for mail in stub.mails[before:]] == ["ada@acme.test"]


def test_a_reset_token_lasts_an_hour(stub: StubServer, bearer: Bearer) -> None:
    bearer().auth.password.reset("ada@acme.test")
    stub.clock.advance(3601)
    error = refused(lambda: bearer().auth.password.confirm(mailed(stub, "ada@acme.test"), OTHER))
    assert (error.status, error.code) == (400, "TOKEN_EXPIRED")
