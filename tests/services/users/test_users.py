"""Users: creating, inviting, changing, activating, handing over, and who may be the last administrator."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from refusals import refused
from stub_data import stored
from wire import opened

from crm_sdk import AuthenticationError, CrmClient, NotFoundError
from crm_sdk.realtime.sockets import SocketClosedError
from server_stub import StubServer

from .conftest import PASSWORD, New, deeds


def test_a_user_is_created_changed_and_deleted(stub: StubServer, mode: str, call: Any) -> None:
    crm: Any = (stub.client if mode == "sync" else stub.async_client)(dialects="platform", strict=True)
    body: Any = {
        "email": "Zoe@ACME.test", "name": " Zoë Quist ", "password": PASSWORD, "phone": "(212) 555-0142",
        "monthly_quota": Decimal("1000.50"), "quota_currency": "EUR", "manager_id": "user_mia",
    }  # fmt: skip
    made = call(crm.users.create(body))
    assert (made.email, made.name, made.role, made.status) == ("zoe@acme.test", "Zoë Quist", "sales", "active")
    assert (made.phone, made.monthly_quota, made.quota_currency) == ("+12125550142", Decimal("1000.50"), "EUR")
    assert (made.locale, made.timezone, made.tenant_id, made.version) == ("en", "America/New_York", "tenant_acme", 1)
    assert (made.email_verified, made.mfa_enabled, made.last_login, made.team_ids) == (False, False, None, [])
    assert made.preferences is not None and made.preferences.business_hours is not None
    assert call(crm.users.get(made.id)) == made
    assert made.id in {user.id for user in call(crm.users.list(search="quist", status="active", manager_id="user_mia"))}
    changed = call(crm.users.update(made.id, {"title": "Lead", "role": "manager"}, version=1))
    assert (changed.title, changed.role, [role.key for role in changed.roles]) == ("Lead", "manager", ["manager"])
    assert refused(lambda: call(crm.users.update(made.id, {}, version=1))).code == "VERSION_CONFLICT"
    assert call(crm.users.delete(made.id)) is None
    with pytest.raises(NotFoundError):
        call(crm.users.get(made.id))
    assert call(crm.users.create(body)).id != made.id
    assert deeds(stub, made.id) == ["user.created", "user.updated", "user.deleted"]
    assert PASSWORD not in str(stub.audit()) and "password_hash" not in str(stub.audit())


def test_what_a_user_may_not_be(admin: CrmClient) -> None:
    def check(members: dict[str, Any], code: str, field: str) -> None:
        body: Any = {"email": "new@acme.test", "name": "N", "password": PASSWORD, **members}
        refusal = refused(lambda: admin.users.create(body))
        assert (refusal.code, refusal.fields[0].field) == (code, field)

    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"role": "emperor"}, "VALIDATION_ERROR", "role"),
        ({"role": "role_sales"}, "VALIDATION_ERROR", "role"),
        ({"password": "short"}, "WEAK_PASSWORD", "password"),
        ({"quota_currency": "JPY"}, "VALIDATION_ERROR", "quota_currency"),
        ({"manager_id": "user_gina"}, "REFERENCE_NOT_FOUND", "manager_id"),
        ({"email": "SAM@acme.test"}, "USER_EXISTS", "email"),
    ]
    for case in cases:
        check(*case)


def test_the_rules_of_the_company_decide_what_a_password_is(stub: StubServer, admin: CrmClient) -> None:
    tenants = stub.store.collection("tenant_acme", "tenant")
    acme = stub.tenant("tenant_acme")
    rules = {"password_min_length": 12, "password_require": ["upper", "lower", "digit", "symbol"]}
    tenants.put(acme | {"security": acme["security"] | rules})
    for number, password in enumerate(
        ("Short-1a", "alllower-1234", "ALLUPPER-1234", "No-Digits-Here", "NoSymbols1234")
    ):
        body: Any = {"email": f"n{number}@acme.test", "name": "N", "password": password}
        assert refused(partial(admin.users.create, body)).code == "WEAK_PASSWORD", password
    admin.users.create({"email": "good@acme.test", "name": "N", "password": "All-Of-Them-1"})


def test_without_a_password_somebody_is_invited(stub: StubServer, admin: CrmClient) -> None:
    made = admin.users.create({"email": "new@acme.test", "name": "N"})
    assert (made.status, deeds(stub, made.id)) == ("invited", ["user.created", "user.invited"])
    (letter,) = [letter for letter in stub.mails if letter.to == made.email]
    assert letter.token is not None and letter.token in letter.text
    (token,) = stub.store.collection("tenant_acme", "one_time_token").find("user_id", made.id)
    assert (token["expires_at"] - stub.clock.now()).days in (6, 7) and letter.token not in str(token)
    assert admin.users.activate(made.id).status == "active"
    (token,) = stub.store.collection("tenant_acme", "one_time_token").find("user_id", made.id)
    assert token["used_at"] is not None  # the invitation is accepted in the user's place


def test_a_new_address_has_to_be_verified_again(stub: StubServer, admin: CrmClient) -> None:
    assert admin.users.get("user_sam").email_verified
    changed = admin.users.update("user_sam", {"email": "samuel@acme.test"})
    assert changed.email_verified is False
    assert stub.mails[-1].to == "samuel@acme.test"
    letters = len(stub.mails)
    admin.users.update("user_sam", {"email": "Samuel@acme.test", "title": "Other"})
    assert len(stub.mails) == letters


def test_seats_are_counted_with_invited_users_and_without_inactive_ones(stub: StubServer) -> None:
    admin = stub.client(api_key="globex-admin", dialects="platform", max_retries=0)
    tenants = stub.store.collection("tenant_globex", "tenant")
    tenants.put(stub.tenant("tenant_globex") | {"limits": {"users": 3}})
    third = admin.users.create({"email": "third@globex.test", "name": "Third"})
    refusal = refused(lambda: admin.users.create({"email": "fourth@globex.test", "name": "Fourth"}))
    assert (refusal.code, refusal.details) == ("LIMIT_EXCEEDED", {"key": "users", "limit": 3, "used": 3})
    admin.users.deactivate(third.id)
    admin.users.create({"email": "fourth@globex.test", "name": "Fourth"})
    assert refused(lambda: admin.users.activate(third.id)).code == "LIMIT_EXCEEDED"


def test_a_manager_does_not_report_to_who_reports_to_them(admin: CrmClient) -> None:
    assert admin.users.get("user_sam").manager_id == "user_ada"
    admin.users.update("user_sam", {"manager_id": "user_mia"})  # who reports to user_ada
    for manager in ("user_sam", "user_mia", "user_ada"):
        refusal = refused(partial(admin.users.update, "user_ada", {"manager_id": manager}))
        assert refusal.code == "HIERARCHY_CYCLE"
    assert admin.users.update("user_mia", {"manager_id": None}).manager_id is None
    assert admin.users.update("user_ada", {"manager_id": "user_sam"}).manager_id == "user_sam"


def test_who_leaves_hands_over_every_kind_of_record(stub: StubServer, admin: CrmClient, new: New) -> None:
    owner, heir = new(), new()
    lead = owner.crm.leads.create({"name": "L", "owner_id": owner.id})
    deal = owner.crm.deals.create({"title": "D", "pipeline_id": "pipeline_acme"})
    task = owner.crm.activities.tasks.create({"title": "T", "contact_id": "contact_123"})
    board = owner.crm.dashboards.create({"name": "B"})
    refusal = refused(lambda: admin.users.delete(owner.id))
    assert (refusal.code, refusal.details) == ("USER_OWNS_RECORDS", {"lead": 1, "deal": 1, "task": 1, "dashboard": 1})
    for nobody in ("user_nobody", owner.id, "user_gina"):
        assert refused(partial(admin.users.delete, owner.id, transfer_to=nobody)).status == 422
    admin.users.deactivate(owner.id)
    assert admin.leads.get(lead.id).owner_id == owner.id
    assert refused(lambda: admin.users.delete(heir.id, transfer_to=owner.id)).status == 422  # who is inactive now
    admin.users.delete(owner.id, transfer_to=heir.id)
    stored = {kind: stub.store.collection("tenant_acme", kind) for kind in ("lead", "deal", "activity", "dashboard")}
    ids: dict[str, str] = {"lead": lead.id, "deal": deal.id, "activity": task.id, "dashboard": board.id}
    owners = [doc["owner_id"] for kind, id in ids.items() if (doc := stored[kind].get(id)) is not None]
    assert owners == [heir.id] * 4
    (entry,) = [
        entry for entry in stub.audit() if entry["entity"]["id"] == lead.id and entry["action"] == "lead.updated"
    ]
    assert entry["metadata"]["transferred_from"] == owner.id


def test_sessions_and_keys_end_with_the_user(stub: StubServer, admin: CrmClient, new: New) -> None:
    left, gone = new(), new()
    keys = stub.store.collection("tenant_acme", "api_key")
    sales = keys.get("apikey_acme_sales")
    assert sales is not None
    keys.put(sales | {"user_id": gone.id})
    script = stub.client(api_key="acme-sales", dialects="platform", max_retries=0)
    assert script.users.get("me").id == gone.id
    admin.users.deactivate(left.id)
    admin.users.deactivate(gone.id)
    for crm in (left.crm, script):
        with pytest.raises(AuthenticationError):
            crm.leads.list()
    assert refused(lambda: stub.client(api_key=None).auth.login(left.user.email, PASSWORD)).code == "USER_INACTIVE"
    admin.users.activate(gone.id)
    assert script.leads.list(limit=1).items
    admin.users.delete(gone.id)
    with pytest.raises(AuthenticationError):
        script.leads.list()


@pytest.mark.parametrize("leave", ["deactivate", "delete"])
def test_live_connections_end_with_the_user(stub: StubServer, admin: CrmClient, new: New, leave: str) -> None:
    one = new()
    token = one.crm.auth.login(one.user.email, PASSWORD).access_token
    keys = stub.store.collection("tenant_acme", "api_key")
    sales = keys.get("apikey_acme_sales")
    assert sales is not None
    keys.put(sales | {"user_id": one.id})
    with opened(stub, f"/ws?token={token}", {}) as mine, opened(stub, "/ws?token=acme-sales", {}) as script:
        assert mine.next() is None and script.next() is None
        getattr(admin.users, leave)(one.id)
        for wire in (mine, script):
            with pytest.raises(SocketClosedError) as closed:
                wire.all()
            assert closed.value.code == 4401


def test_nobody_deletes_or_deactivates_themselves_or_the_last_administrator(admin: CrmClient, new: New) -> None:
    assert refused(lambda: admin.users.delete("me")).code == "CANNOT_DELETE_SELF"
    assert refused(lambda: admin.users.deactivate("me")).code == "CANNOT_DEACTIVATE_SELF"
    assert refused(lambda: admin.users.update("me", {"role": "sales"})).code == "CANNOT_CHANGE_OWN_ROLE"
    assert admin.users.update("me", {"role": "admin"}).role == "admin"  # no difference
    admin.users.roles.assign("me", "sales")
    assert refused(lambda: admin.users.roles.remove("me", "admin")).code == "LAST_ADMIN"
    second = new("admin")
    admin.users.deactivate(second.id)  # an inactive administrator does not count
    assert refused(lambda: admin.users.roles.remove("me", "admin")).code == "LAST_ADMIN"
    admin.users.activate(second.id)
    admin.users.roles.remove("me", "admin")
    assert admin.users.get("me").role == "sales"


def test_who_is_deleted_leaves_teams_and_reports_move_up(admin: CrmClient, new: New) -> None:
    boss = new("manager", manager_id="user_ada")
    report = new(manager_id=boss.id)
    team = admin.users.teams.create({"name": "Mid-Market", "manager_id": boss.id, "member_ids": [report.id]})
    admin.users.delete(boss.id)
    assert admin.users.get(report.id).manager_id == "user_ada"
    left = admin.users.teams.get(team.id)
    assert (left.manager_id, left.member_ids) == (None, [report.id])


def test_the_list_is_filtered_by_role_and_team_and_sorted(admin: CrmClient) -> None:
    admin.users.roles.assign("user_rita", "sales")
    assert {user.id for user in admin.users.list(role="sales")} == {"user_sam", "user_123", "user_rita"}
    assert {user.id for user in admin.users.list(role="team_lead", status="invited")} == {"user_noor"}
    admin.users.teams.members.add("team_acme_revenue", "user_ada")
    assert {user.id for user in admin.users.list(team_id="team_acme_revenue")} == {"user_ada"}
    names = [user.name for user in admin.users.list(sort="name", order="asc")]
    assert names == sorted(names)
    assert admin.users.list(sort="last_login", order="desc").items[-1].last_login is None
    assert list(admin.users.list(role="nobody")) == []


def test_no_password_may_be_written_as_null(admin: CrmClient) -> None:
    made = admin.users.create({"email": "nil@acme.test", "name": "Nil", "password": None})
    assert (made.status, made.email_verified) == ("invited", False)


def test_what_a_new_user_has_of_the_company(stub: StubServer, admin: CrmClient) -> None:
    stored(stub, "tenant", "tenant_acme", locale="de", timezone="Europe/Berlin")
    body: Any = {"email": "n@acme.test", "name": "N"}
    made = admin.users.create(body)
    assert (made.locale, made.timezone, made.status, made.role) == ("de", "Europe/Berlin", "invited", "sales")
    assert made.preferences is not None and made.preferences.timezone == "Europe/Berlin"
    assert admin.users.update(made.id, {"locale": "fr"}).locale == "fr"
    assert admin.users.update(made.id, {"locale": None}).locale == "de"
    stored(stub, "tenant", "tenant_acme", locale=None, timezone=None)
    assert admin.users.update(made.id, {"locale": None}).locale == "en"
    plain = admin.users.create(body | {"email": "o@acme.test"})
    assert (plain.locale, plain.timezone) == ("en", "UTC")
    stored(stub, "user", made.id, preferences={"currency": "JPY", "theme": "dark", "language": None})
    shown = admin.users.preferences.get(made.id)
    assert (shown.currency, shown.theme, shown.language) == ("USD", "dark", "en"), "the company has no yen"
    stored(stub, "user", made.id, preferences={"currency": "EUR"})
    assert admin.users.preferences.get(made.id).currency == "EUR"
    stored(stub, "tenant", "tenant_acme", currencies=None, base_currency="EUR")
    assert admin.users.preferences.get(made.id).currency == admin.users.preferences.get(plain.id).currency == "EUR"
