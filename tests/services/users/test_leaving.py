"""Who leaves and who joins again: the heir, what ends, and which invitations and seats are used."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer

from .conftest import PASSWORD, New, deeds


def token_for(stub: StubServer, address: str) -> str:
    """Return the token of the last mail to an address."""
    return str(next(mail for mail in reversed(stub.mails) if mail.to == address).token)


@pytest.mark.parametrize("leave", ["deactivate", "delete"])
def test_an_heir_is_somebody_else_who_is_not_inactive(admin: CrmClient, new: New, leave: str) -> None:
    one, gone = new(), new()
    admin.users.deactivate(gone.id)
    for heir, why in ((one, "is the user who leaves"), (gone, "is inactive")):
        refusal = refused(partial(getattr(admin.users, leave), one.id, transfer_to=heir.id))
        assert (refusal.status, refusal.fields[0].field, refusal.fields[0].rule) == (422, "transfer_to", "reference")
        assert refusal.message == f"{heir.user.name} {why}: name somebody else"
    assert refused(partial(getattr(admin.users, leave), one.id, transfer_to="user_nobody")).status == 422
    assert one.crm.users.get("me").status == "active"


def test_who_is_deactivated_keeps_the_records_or_names_who_gets_them(
    stub: StubServer, admin: CrmClient, new: New
) -> None:
    one, heir = new(), admin.users.create({"email": "heir@acme.test", "name": "Heir"})  # who is invited
    kept, given = one.crm.leads.create({"name": "L", "owner_id": one.id}), new()
    theirs = given.crm.leads.create({"name": "M", "owner_id": given.id})
    assert admin.users.deactivate(one.id).status == "inactive"
    assert admin.leads.get(kept.id).owner_id == one.id
    assert admin.users.deactivate(given.id, transfer_to=heir.id).status == "inactive"
    assert admin.leads.get(theirs.id).owner_id == heir.id
    assert [deeds(stub, who.id)[-1] for who in (one, given)] == ["user.deactivated"] * 2
    assert admin.users.activate(one.id).status == "active" and deeds(stub, one.id)[-1] == "user.activated"


@pytest.mark.thorough
@pytest.mark.parametrize("how", ["activate", "deactivate", "delete"])
def test_an_invitation_is_void_once_somebody_has_decided(stub: StubServer, admin: CrmClient, how: str) -> None:
    made = admin.users.create({"email": "guest@acme.test", "name": "Guest"})
    token = token_for(stub, "guest@acme.test")
    changed = getattr(admin.users, how)(made.id)
    assert changed is None or changed.status == {"activate": "active", "deactivate": "inactive"}[how]
    join = partial(
        stub.client(api_key=None, dialects="platform").auth.register, email="guest@acme.test", password=PASSWORD,
        name="G", invitation_token=token,
    )  # fmt: skip
    assert refused(join).code == "INVALID_TOKEN"
    stub.clock.advance(8 * 86_400)
    assert refused(join).code == "INVALID_TOKEN", "what is void is not late"


def test_the_mails_of_somebody_who_is_deleted_are_void(stub: StubServer, admin: CrmClient, new: New) -> None:
    one = new()
    verification = token_for(stub, one.user.email)
    nobody = stub.client(api_key=None, dialects="platform", max_retries=0)
    nobody.auth.password.reset(one.user.email)
    reset = token_for(stub, one.user.email)
    admin.users.delete(one.id)
    stub.clock.advance(3 * 86_400)
    assert refused(lambda: nobody.auth.email.verify(verification)).code == "INVALID_TOKEN"
    assert refused(lambda: nobody.auth.password.confirm(reset, f"{PASSWORD}8")).code == "INVALID_TOKEN"


def test_a_mail_to_an_address_that_was_changed_invites_nobody(stub: StubServer, admin: CrmClient) -> None:
    made = admin.users.create({"email": "guest@acme.test", "name": "Guest"})
    token = token_for(stub, "guest@acme.test")
    stored(stub, "user", made.id, email="other@acme.test")
    register = stub.client(api_key=None, dialects="platform").auth.register
    for email in ("guest@acme.test", "other@acme.test"):
        refusal = refused(partial(register, email=email, password=PASSWORD, name="G", invitation_token=token))
        assert (refusal.status, refusal.code) == (400, "INVALID_TOKEN")


def test_keys_that_had_ended_keep_their_time(stub: StubServer, admin: CrmClient, new: New) -> None:
    one = new()
    at = stub.clock.now() - timedelta(days=9)
    keys = stub.store.collection("tenant_acme", "api_key")
    held = some(keys.get("apikey_acme_sales"))
    for id, revoked in (("apikey_old", at), ("apikey_new", None)):
        keys.put(held | {"id": id, "fingerprint": id, "user_id": one.id, "revoked_at": revoked})
    admin.users.delete(one.id)
    now = some(keys.get("apikey_new"))["revoked_at"]
    assert now is not None and now > at and some(keys.get("apikey_old"))["revoked_at"] == at
    assert some(keys.get("apikey_acme_sales")).get("revoked_at") is None


def test_who_has_a_seat_is_activated_without_another_one(admin: CrmClient) -> None:
    made = admin.users.create({"email": "guest@acme.test", "name": "Guest"})
    admin.users.deactivate("user_sam")
    seats = sum(user.status != "inactive" for user in admin.users.list())
    admin.tenants.limits.update("current", {"users": seats})
    refusal = refused(lambda: admin.users.activate("user_sam"))
    assert (refusal.code, refusal.details) == ("LIMIT_EXCEEDED", {"key": "users", "limit": seats, "used": seats})
    assert admin.users.activate(made.id).status == admin.users.activate(made.id).status == "active"
    admin.tenants.limits.update("current", {"users": seats + 1})
    assert admin.users.activate("user_sam").status == "active"


def test_what_is_taken_away_is_answered_by_its_id(admin: CrmClient, new: New) -> None:
    one, boss = new(), new()
    admin.users.roles.assign(one.id, "manager")
    team = admin.users.teams.create({"name": "T", "manager_id": boss.id, "member_ids": [one.id]})
    for path, id in (
        (f"{one.id}/roles/manager", "role_manager"),
        (f"teams/{team.id}/members/{one.id}", one.id),
        (f"teams/{team.id}", team.id),
        (one.id, one.id),
    ):
        assert admin.request("DELETE", f"/v1/users/{path}").json()["data"] == {"id": id, "deleted": True}


def test_nobody_takes_the_last_administrator_s_role(stub: StubServer, admin: CrmClient, new: New) -> None:
    admin.security.roles.create(
        {
            "key": "people", "name": "People",
            "permissions": [{"resource": "users", "action": one} for one in ("read", "update", "delete", "create")],
        }
    )  # fmt: skip
    one = new("people")
    only: Any = [user for user in admin.users.list(role="admin") if user.status == "active"]
    assert len(only) == 1
    for call in (
        lambda: one.crm.users.update(only[0].id, {"role": "people"}),
        lambda: one.crm.users.deactivate(only[0].id),
        lambda: one.crm.users.delete(only[0].id, transfer_to=one.id),
    ):
        assert refused(call).code == "LAST_ADMIN"
    second = new("admin")
    assert one.crm.users.update(second.id, {"role": "people"}).role == "people"


def test_a_user_is_told_of_custom_objects_with_permissions_of_their_own(admin: CrmClient, new: New) -> None:
    for name in ("ship", "port"):
        admin.custom_objects.create({"api_name": name, "label": name, "plural_label": f"{name}s"})
    held: Any = [
        {"resource": "ship", "action": "read"},
        {"resource": "ship", "action": "update", "scope": "own"},
        {"resource": "leads", "action": "read"},
    ]
    admin.security.roles.create({"key": "sailor", "name": "Sailor", "permissions": held})
    told = admin.users.permissions(new("sailor").id).permissions
    assert {(one.resource, one.action, one.scope) for one in told} == {
        ("ship", "read", "all"), ("ship", "update", "own"), ("leads", "read", "all"),
    }  # fmt: skip


def test_a_profile_is_as_new_as_its_last_change(stub: StubServer, admin: CrmClient, new: New) -> None:
    one = new()
    assert admin.users.profile.get(one.id).updated_at == admin.users.get(one.id).updated_at
    changed = admin.users.profile.update(one.id, {"bio": "B"})
    stub.clock.advance(60)
    later = admin.users.update(one.id, {"title": "T"})
    found = admin.users.profile.get(one.id)
    assert found.updated_at == changed.updated_at and some(found.updated_at) < some(later.updated_at)
    assert admin.users.profile.update(one.id, {"bio": "B", "title": "T"}).updated_at == changed.updated_at


def test_managers_who_report_to_each_other_are_no_obstacle_to_others(stub: StubServer, admin: CrmClient) -> None:
    for one, other in (("user_mia", "user_rita"), ("user_rita", "user_mia")):
        stored(stub, "user", one, manager_id=other)  # as a copy of other data may have it
    assert admin.users.update("user_sam", {"manager_id": "user_mia"}).manager_id == "user_mia"
    refusal = refused(lambda: admin.users.update("user_mia", {"manager_id": "user_sam"}))
    assert (refusal.code, refusal.fields[0].field) == ("HIERARCHY_CYCLE", "manager_id")
    assert refusal.details == {"managerId": "user_sam"} and "would report to" in refusal.message
