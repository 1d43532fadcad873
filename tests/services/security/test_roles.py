"""Roles of the company's own: made, changed and deleted, with what follows for their users at once."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient, NotFoundError
from server_stub import StubServer

from .conftest import New, permission


def test_a_role_from_creation_to_deletion(stub: StubServer, mode: str, call: Any, admin: CrmClient) -> None:
    crm: Any = (stub.client if mode == "sync" else stub.async_client)(dialects="platform", strict=True)
    before = admin.security.roles.list()
    flags = [bool(role.is_system) for role in before]
    assert flags == sorted(flags, reverse=True)
    body: Any = {"key": "sdr", "name": "SDR", "permissions": [{"resource": "leads", "action": "read"}]}
    made = call(crm.security.roles.create(body))
    assert (made.permissions[0].scope, made.user_count, made.version) == ("all", 0, 1)
    assert call(crm.security.roles.get("sdr")) == call(crm.security.roles.get(made.id)) == made
    assert refused(lambda: call(crm.security.roles.update("sdr", {"name": "S"}, version=9))).code == "VERSION_CONFLICT"
    changed = call(crm.security.roles.update("sdr", {"name": "Development"}))
    assert (changed.name, changed.version, changed.permissions) == ("Development", 2, made.permissions)
    assert [role.key for role in admin.security.roles.list(search="develop")] == ["sdr"]
    assert "sdr" not in [role.key for role in admin.security.roles.list(is_system=True)]
    call(crm.security.roles.delete("sdr"))
    with pytest.raises(NotFoundError):
        call(crm.security.roles.get("sdr"))
    deeds = [entry["action"] for entry in stub.audit() if entry["entity"]["id"] == made.id]
    assert deeds == ["role.created", "role.updated", "role.deleted"]


REFUSED: list[Any] = [
    ({"key": "admin"}, "ROLE_EXISTS"),
    ({"key": "team_lead"}, "ROLE_EXISTS"),
    ({"permissions": [permission("nonsense", "read")]}, "UNKNOWN_PERMISSION"),
    ({"permissions": [permission("deals", "fly")]}, "UNKNOWN_PERMISSION"),
    ({"permissions": [permission("deals", "read", "mine")]}, "UNKNOWN_PERMISSION"),
    ({"permissions": [permission("backups", "read")]}, "UNKNOWN_PERMISSION"),
    ({"field_permissions": [{"entity": "contact", "field": "x", "access": "hidden"}]}, "UNKNOWN_FIELD"),
    ({"field_permissions": [{"entity": "contact", "field": "id", "access": "hidden"}]}, "UNKNOWN_FIELD"),
    ({"field_permissions": [{"entity": "planet", "field": "name", "access": "read"}]}, "UNKNOWN_FIELD"),
]  # fmt: skip


def test_roles_that_cannot_be(admin: CrmClient) -> None:
    for body, code in REFUSED:
        whole: Any = {"key": "sdr", "name": "SDR", "permissions": [], **body}
        assert refused(partial(admin.security.roles.create, whole)).code == code


@pytest.mark.parametrize("key", ["admin", "manager", "sales", "read_only"])
def test_nobody_changes_a_role_of_every_company(admin: CrmClient, key: str) -> None:
    assert refused(lambda: admin.security.roles.update(key, {"name": "x"})).code == "ROLE_PROTECTED"
    assert refused(lambda: admin.security.roles.delete(key)).code == "ROLE_PROTECTED"


def test_users_of_a_deleted_role_get_another(admin: CrmClient, new: New) -> None:
    one, other = new(permission("contacts", "read")), new(permission("leads", "read"))
    used = refused(lambda: admin.security.roles.delete(one.role.id))
    assert (used.code, used.details["userCount"]) == ("ROLE_IN_USE", 1)
    assert refused(lambda: admin.security.roles.delete(one.role.id, move_to=one.role.key)).code == "VALIDATION_ERROR"
    assert refused(lambda: admin.security.roles.delete(one.role.id, move_to="none")).code == "REFERENCE_NOT_FOUND"
    assert one.crm.contacts.list(limit=1).items
    admin.security.roles.delete(one.role.id, move_to=other.role.key)
    assert [role.key for role in admin.users.roles.list(one.id)] == [other.role.key]
    assert refused(lambda: one.crm.contacts.list()).code == "FORBIDDEN"
    assert one.crm.leads.list(limit=1).items


def test_nobody_gives_more_than_they_have(admin: CrmClient, new: New) -> None:
    one = new(permission("security", "manage"), permission("contacts", "read", "own"))
    roles = one.crm.security.roles
    for wanted in (permission("deals", "read"), permission("contacts", "read")):
        body: Any = {"key": "more", "name": "More", "permissions": [wanted]}
        wider: Any = {"permissions": [wanted]}
        assert refused(partial(roles.create, body)).code == "ROLE_ESCALATION"
        assert refused(partial(roles.update, one.role.key, wider)).code == "ROLE_ESCALATION"
    narrower: Any = {"permissions": [permission("security", "manage")]}
    one.crm.security.roles.update(one.role.key, narrower)
    assert refused(lambda: one.crm.contacts.list()).code == "FORBIDDEN"
    assert refused(lambda: new(permission("contacts", "read")).crm.security.roles.list()).code == "FORBIDDEN"


def test_nobody_gives_more_than_they_have_in_the_place_of_a_role(admin: CrmClient, new: New) -> None:
    one, holder = new(permission("security", "manage")), new(permission("contacts", "read"))
    roles = one.crm.security.roles
    for key in ("admin", "sales"):
        error = refused(partial(roles.delete, holder.role.id, move_to=key))
        assert (error.status, error.code, error.fields[0].field) == (403, "ROLE_ESCALATION", "role_id")
        assert f"the role {key} permits more" in error.message and len(error.details["permissions"]) > 3
        assert error.message.count(", ") == 2, "it names three of them"
    assert [role.key for role in admin.users.roles.list(holder.id)] == [holder.role.key]
    body: Any = {"key": "bare", "name": "Bare", "permissions": []}
    admin.security.roles.create(body)
    roles.delete(holder.role.id, move_to="bare")
    assert [role.key for role in admin.users.roles.list(holder.id)] == ["bare"]
    wider: Any = {"permissions": [permission("deals", "read")]}
    named = refused(lambda: admin.security.roles.update("bare", wider) and roles.update(one.role.key, wider))
    assert f"the role {one.role.key} permits more than you may do: deals:read" in named.message
    admin.users.roles.assign(holder.id, "sales")
    admin.users.roles.remove(holder.id, "bare")
    roles.delete("bare", move_to="admin")
    assert refused(lambda: roles.get("bare")).code == "NOT_FOUND", "nobody gets the other one"


def test_a_new_name_reaches_the_users(admin: CrmClient, new: New) -> None:
    one = new(permission("contacts", "read"))
    admin.security.roles.update(one.role.id, {"name": "Readers"})
    assert [role.name for role in admin.users.get(one.id).roles] == ["Readers"]


def test_to_write_a_role_is_to_manage_security(admin: CrmClient, new: New) -> None:
    body: Any = {"key": "sdr", "name": "SDR", "permissions": []}
    admin.security.roles.create(body)
    may = [permission("security", action) for action in ("read", "create", "update", "delete")]
    question: Any = {"action": "update", "entity": {"type": "role", "id": "sdr"}}
    for keys in (may, [*may, permission("security", "manage")]):
        one = new(*keys)
        roles, asked = one.crm.security.roles, one.crm.security.check([question])
        assert [found.allowed for found in asked] == [keys is not may]
        rename = partial(roles.update, "sdr", {"name": "Renamed"})
        if keys is may:
            assert refused(rename).code == refused(partial(roles.delete, "sdr")).code == "FORBIDDEN"
            assert admin.security.roles.get("sdr").name == "SDR"
        else:
            rename()
            assert admin.security.roles.get("sdr").name == "Renamed"
