"""Roles: given and taken at once, the widest scope of all of them, the team as a scope, and no escalation."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient, NotFoundError, PermissionDeniedError
from server_stub import StubServer
from server_stub.caller import Caller

from .conftest import New, deeds


def test_a_role_is_in_force_at_once_and_ends_at_once(
    stub: StubServer, mode: str, call: Any, admin: CrmClient, new: New
) -> None:
    crm: Any = (stub.client if mode == "sync" else stub.async_client)(dialects="platform", strict=True)
    reader = new("read_only")
    with pytest.raises(PermissionDeniedError):
        reader.crm.leads.create({"name": "L"})
    roles = call(crm.users.roles.assign(reader.id, "sales"))
    assert [(role.key, role.is_system) for role in roles] == [("read_only", True), ("sales", True)]
    lead = reader.crm.leads.create({"name": "L"})
    assert refused(lambda: call(crm.users.roles.assign(reader.id, "role_sales"))).code == "ROLE_ALREADY_ASSIGNED"
    assert refused(lambda: call(crm.users.roles.assign(reader.id, "emperor"))).code == "REFERENCE_NOT_FOUND"
    call(crm.users.roles.remove(reader.id, "role_read_only"))
    assert call(crm.users.get(reader.id)).role == "sales"  # the first one that is left
    assert [role.key for role in call(crm.users.roles.list(reader.id))] == ["sales"]
    for role in ("read_only", "emperor"):
        with pytest.raises(NotFoundError):
            call(crm.users.roles.remove(reader.id, role))
    assert refused(lambda: call(crm.users.roles.remove(reader.id, "sales"))).code == "LAST_ROLE"
    call(crm.users.update(reader.id, {"role": "read_only"}))
    assert refused(lambda: reader.crm.leads.update(lead.id, {"company": "X"})).code == "FORBIDDEN"
    assert deeds(stub, reader.id) == ["user.created", "user.role_assigned", "user.role_removed", "user.updated"]
    assigned = next(entry for entry in stub.audit() if entry["action"] == "user.role_assigned")
    assert assigned["metadata"] == {"role_id": "role_sales", "role": "sales"}


def test_a_new_first_role_leaves_the_others(admin: CrmClient) -> None:
    admin.users.roles.assign("user_sam", "manager")
    assert [role.key for role in admin.users.update("user_sam", {"role": "read_only"}).roles] == [
        "read_only",
        "manager",
    ]
    assert [role.key for role in admin.users.update("user_sam", {"role": "manager"}).roles] == ["manager"]


def test_the_widest_scope_of_all_roles_holds(admin: CrmClient, new: New) -> None:
    one = new("sales")
    theirs = admin.leads.create({"name": "L", "owner_id": "user_ada"})
    assert refused(lambda: one.crm.leads.update(theirs.id, {"company": "X"})).code == "FORBIDDEN"
    admin.users.roles.assign(one.id, "manager")
    told = {(each.resource, each.action): each.scope for each in one.crm.users.permissions("me").permissions}
    assert (told["leads", "update"], told["agents", "delete"]) == ("all", "all")
    assert one.crm.leads.update(theirs.id, {"company": "X"}).company == "X"
    assert [user.user_count for user in admin.users.roles.list(one.id)] == [3, 2]


def test_a_team_lead_writes_the_records_of_the_team(admin: CrmClient, new: New) -> None:
    lead_of_team, mate, stranger = new("team_lead"), new(), new()
    theirs = {who.id: admin.deals.create({"title": "D", "owner_id": who.id}).id for who in (mate, stranger)}
    for deal in theirs.values():
        assert refused(partial(lead_of_team.crm.deals.update, deal, {"title": "X"})).code == "FORBIDDEN"
    admin.users.teams.create({"name": "Mid-Market", "manager_id": lead_of_team.id, "member_ids": [mate.id]})
    assert lead_of_team.crm.deals.update(theirs[mate.id], {"title": "X"}).title == "X"
    refusal = refused(lambda: lead_of_team.crm.deals.update(theirs[stranger.id], {"title": "X"}))
    assert refusal.code == "FORBIDDEN" and "its team" in str(refusal)
    assert lead_of_team.crm.deals.get(theirs[stranger.id]).title == "D"


def narrow(stub: StubServer, resource: str, scope: str) -> None:
    """Let the company's own role read the records of a resource in a scope, and those of no other."""
    roles = stub.store.collection("tenant_acme", "role")
    held = roles.get("role_team_lead")
    assert held is not None
    kept = [{"resource": resource, "action": action, "scope": scope} for action in ("read", "update")]
    roles.put(held | {"permissions": [*kept, {"resource": "users", "action": "read", "scope": "all"}]})


@pytest.mark.parametrize("resource", ["leads", "deals", "contacts", "accounts"])
def test_what_is_out_of_the_scope_of_reading_is_nowhere(
    stub: StubServer, admin: CrmClient, new: New, resource: str
) -> None:
    one, mate = new("team_lead"), new()
    named: Any = {"title": "N"} if resource == "deals" else {"name": "N"}
    made = {
        who: getattr(admin, resource).create({**named, "owner_id": who}).id for who in (one.id, mate.id, "user_ada")
    }
    for scope, seen in (("own", {one.id}), ("team", {one.id, mate.id}), ("all", set(made))):
        narrow(stub, resource, scope)
        if scope == "team":
            admin.users.teams.create({"name": "Mid-Market", "member_ids": [one.id, mate.id]})
        calls = getattr(one.crm, resource)
        listed = {record.id for record in calls.list()}
        for who, id in made.items():
            assert (id in listed) is (who in seen), (scope, who)
            if who in seen:
                assert calls.get(id).id == id
            else:
                assert refused(partial(calls.get, id)).code == "NOT_FOUND"
                assert refused(partial(calls.update, id, {})).code == "NOT_FOUND"


def test_nobody_gives_more_than_they_have(stub: StubServer, admin: CrmClient, new: New) -> None:
    roles = stub.store.collection("tenant_acme", "role")
    held = roles.get("role_team_lead")
    assert held is not None
    more = [{"resource": "users", "action": action, "scope": "all"} for action in ("create", "update")]
    roles.put(held | {"permissions": [*held["permissions"], *more]})
    one, other = new("team_lead"), new("read_only")
    for give in (
        lambda: one.crm.users.roles.assign(other.id, "manager"),
        lambda: one.crm.users.update(other.id, {"role": "admin"}),
        lambda: one.crm.users.create({"email": "x@acme.test", "name": "X", "role": "manager"}),
    ):
        refusal = refused(give)
        assert refusal.code == "ROLE_ESCALATION" and refusal.details["permissions"]
    assert one.crm.users.roles.assign(other.id, "sales")[1].key == "sales"


def test_a_limited_credential_gives_no_more_than_its_limits(stub: StubServer) -> None:
    from server_stub.request.access import permissions

    limited = Caller("tenant_acme", "user_ada", "user_ada", "admin", granted=frozenset({"users:update"}))
    assert permissions.scope_for(limited, "users", "update") == "all"
    assert permissions.scope_for(limited, "users", "delete") is None
    assert permissions.beyond(limited, [{"resource": "leads", "action": "read", "scope": "own"}]) == ["leads:read@own"]


def test_permissions_of_others_are_for_who_reads_users(stub: StubServer, admin: CrmClient, new: New) -> None:
    one = new("team_lead")
    narrow(stub, "leads", "own")
    assert one.crm.users.permissions("user_ada").is_admin
    roles = stub.store.collection("tenant_acme", "role")
    held = roles.get("role_team_lead")
    assert held is not None
    roles.put(held | {"permissions": []})
    assert refused(lambda: one.crm.users.permissions("user_ada")).code == "FORBIDDEN"
    mine = one.crm.users.permissions("me")
    assert (mine.permissions, mine.is_admin, [role.key for role in mine.roles]) == ([], False, ["team_lead"])
    assert {"users", "workflows"} <= set(mine.features)


@pytest.mark.parametrize("key", ["admin", "manager", "sales", "read_only"])
def test_the_roles_that_every_company_has_are_never_changed(admin: CrmClient, key: str) -> None:
    began = admin.tenants.get("current").created_at
    admin.users.update("user_sam", {"role": key})
    (role,) = admin.users.roles.list("user_sam")
    assert (role.id, role.key, role.name) == (f"role_{key}", key, key.replace("_", " ").capitalize())
    assert (role.version, role.created_at, role.updated_at, role.created_by) == (1, began, began, "system")
    assert (role.is_system, role.field_permissions) == (True, []) and role.description
    holders = [user for user in admin.users.list() if key in [one.key for one in user.roles or ()]]
    assert role.user_count == len(holders) > 0


def test_the_last_administrator_keeps_that_role_and_no_other(stub: StubServer, admin: CrmClient) -> None:
    users = stub.store.collection("tenant_acme", "user")
    for user in users.all():
        if user["id"] != "user_ada" and any(role["key"] == "admin" for role in user["roles"]):
            users.put(user | {"status": "inactive"})
    admin.users.roles.assign("user_ada", "sales")
    assert refused(lambda: admin.users.roles.remove("user_ada", "admin")).code == "LAST_ADMIN"
    admin.users.roles.remove("user_ada", "sales")
    admin.users.roles.assign("user_sam", "admin")
    admin.users.roles.assign("user_ada", "sales")
    admin.users.deactivate("user_sam")
    other = stub.client(api_key="acme-admin", dialects="platform", max_retries=0)
    assert refused(lambda: other.users.roles.remove("user_ada", "admin")).code == "LAST_ADMIN", (
        "who is inactive is none"
    )
    admin.users.activate("user_sam")
    assert [role.key for role in admin.users.roles.list("user_sam")] == ["sales", "admin"]
    admin.users.roles.remove("user_ada", "admin")
