"""What a decision tells beside its word, what gives a permission, and the fields and lists of roles."""

from __future__ import annotations

from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.models import AccessDecision, FieldPermission
from server_stub import StubServer

from .conftest import New, permission


def told(crm: CrmClient, action: Any, record: tuple[str, str] | None = None, **more: Any) -> AccessDecision:
    question: Any = {"action": action, **more}
    if record is not None:
        question["entity"] = {"type": record[0], "id": record[1]}
    (decision,) = crm.security.check([question])
    return decision


def via(decision: AccessDecision) -> list[tuple[str, str, str]]:
    return [(one.kind, one.id, one.name) for one in decision.via]


def test_roles_the_owner_and_teams_give_it(admin: CrmClient, new: New) -> None:
    one = new(permission("contacts", "read", "team"), permission("leads", "read"))
    other = new(permission("contacts", "read"))
    team = admin.users.teams.create({"name": "Pair", "member_ids": [one.id, other.id]})
    far = admin.users.teams.create({"name": "Far", "member_ids": [other.id]})
    lone = admin.users.teams.create({"name": "Lone", "member_ids": [one.id]})
    assert {team.id, far.id, lone.id}
    role = ("role", one.role.id, one.role.name)
    mine, theirs, foreign = (
        admin.contacts.create({"name": "C", "owner_id": owner}).id for owner in (one.id, other.id, "user_ada")
    )
    found = told(one.crm, "read", ("contact", mine))
    assert via(found) == [role, ("owner", one.id, one.user.name)]
    assert (found.allowed, found.reason, found.permission, found.scope) == (True, "granted", "contacts:read", "team")
    assert via(told(one.crm, "read", ("contact", theirs))) == [role, ("team", team.id, "Pair")]
    beyond = told(one.crm, "read", ("contact", foreign))
    assert (beyond.allowed, beyond.reason, beyond.via) == (False, "not_found", [])
    assert told(one.crm, "read", ("contact", "contact_none")).reason == "not_found"
    assert via(told(other.crm, "read", ("contact", theirs))) == [
        ("role", other.role.id, other.role.name), ("owner", other.id, other.user.name),
    ]  # fmt: skip
    assert via(told(other.crm, "read", ("contact", mine))) == [("role", other.role.id, other.role.name)]
    whole = told(one.crm, "read", resource="contacts")
    assert via(whole) == [role]
    none = told(one.crm, "delete", resource="contacts")
    assert (none.allowed, none.reason, none.permission, none.scope, none.via) == (
        False, "no_permission", "contacts:delete", None, [],
    )  # fmt: skip
    assert via(told(one.crm, "read", resource="leads")) == [role]


def test_the_second_role_gives_what_the_first_does_not(admin: CrmClient, new: New) -> None:
    one, more = new(permission("contacts", "read")), new(permission("leads", "read"), permission("contacts", "read"))
    admin.users.roles.assign(one.id, more.role.key)
    assert [id for _, id, _ in via(told(one.crm, "read", resource="leads"))] == [more.role.id]
    assert [id for _, id, _ in via(told(one.crm, "read", resource="contacts"))] == [one.role.id, more.role.id]


def test_an_entry_for_one_object_is_before_that_for_all(admin: CrmClient, new: New) -> None:
    record = next(iter(admin.custom_objects.records.list("onboarding"))).id
    every = new(permission("custom_objects", "read"))
    own = new(permission("onboarding", "read"), permission("custom_objects", "read"))
    other = new(permission("subscription", "read"), permission("custom_objects", "read"))
    for one, word in ((every, "custom_objects"), (own, "onboarding"), (other, "custom_objects")):
        found = told(one.crm, "read", ("onboarding", record))
        assert (found.allowed, found.permission, via(found)) == (
            True, f"{word}:read", [("role", one.role.id, one.role.name)],
        )  # fmt: skip
    assert told(own.crm, "read", ("subscription", record)).reason == "not_found"
    narrow = new(permission("onboarding", "update"), permission("custom_objects", "read"))
    assert told(narrow.crm, "read", ("onboarding", record)).reason == "no_permission"


def test_fields_that_cannot_be_read_or_written(new: New) -> None:
    limited = [
        {"entity": "contact", "field": "title", "access": "read"},
        {"entity": "contact", "field": "phone", "access": "hidden"},
        {"entity": "contact", "field": "custom_fields.tier", "access": "hidden"},
    ]
    one = new(permission("contacts", "read"), permission("contacts", "update"), field_permissions=limited)
    fields = ["title", "phone", "email", "customFields.tier", "customFields.size"]
    for action, denied in (
        ("read", ["phone", "customFields.tier"]), ("update", ["title", "phone", "customFields.tier"]),
    ):  # fmt: skip
        found = told(one.crm, action, resource="contacts", fields=fields)
        assert (found.allowed, found.reason, found.denied_fields) == (False, "field_forbidden", denied)
        assert [id for _, id, _ in via(found)] == [one.role.id]
    assert told(one.crm, "update", resource="contacts", fields=["email"]).denied_fields == []


def test_which_fields_can_be_kept_from_somebody(admin: CrmClient) -> None:
    def fields(*given: tuple[str, str]) -> list[FieldPermission]:
        entries: Any = [{"entity": entity, "field": field, "access": "hidden"} for entity, field in given]
        number = admin.security.roles.list().total
        body: Any = {"key": f"r{number}", "name": "R", "permissions": [], "field_permissions": entries}
        return admin.security.roles.create(body).field_permissions

    kept = fields(
        ("contact", "email"), ("contact", "firstName"), ("contact", "custom_fields.tier"),
        ("deal", "customFields.Tier"), ("contact", "address"), ("onboarding", "coach"),
    )  # fmt: skip
    assert [(one.entity, one.field) for one in kept] == [
        ("contact", "email"), ("contact", "first_name"), ("contact", "custom_fields.tier"),
        ("deal", "custom_fields.Tier"), ("contact", "address"), ("onboarding", "coach"),
    ]  # fmt: skip
    for entity, field in (
        ("contact", "id"), ("contact", "version"), ("contact", "address.city"), ("contact", "nothing"),
        ("contact", "id.x"), ("contact", "nothing.x"), ("onboarding", "nothing"), ("onboardings", "coach"),
    ):  # fmt: skip
        with_one = refused(lambda entity=entity, field=field: fields(("lead", "email"), (entity, field)))  # type: ignore[misc] # the value of this turn is bound
        assert (with_one.code, with_one.fields[0].field) == ("UNKNOWN_FIELD", "field_permissions.1.field")
        assert with_one.details == {"field": field}
    twice: Any = [
        {"entity": "contact", "field": "email", "access": "hidden"},
        {"entity": "contact", "field": "phone", "access": "hidden"},
        {"entity": "contact", "field": "email", "access": "read"},
    ]
    made = admin.security.roles.create({"key": "two", "name": "T", "permissions": [], "field_permissions": twice})
    assert [(one.field, one.access) for one in made.field_permissions] == [("email", "read"), ("phone", "hidden")]


# -- lists of roles ----------------------------------------------------------------------------------------------------


def test_roles_are_listed(admin: CrmClient, new: New) -> None:
    def keys(**options: Any) -> list[str]:
        return [role.key for role in admin.security.roles.list(**options)]

    for key, name in (("zz", "Abc"), ("aa", "Xyz")):
        admin.security.roles.create({"key": key, "name": name, "permissions": [], "description": f"Of {key}"})
    own = keys(is_system=False)
    built_in = ["admin", "manager", "sales", "read_only"]
    assert {"aa", "zz"} <= set(own) and not set(own) & set(built_in)
    assert sorted(keys(is_system=True)) == sorted(built_in)
    assert set(keys()[:4]) == set(built_in) and set(keys()[4:]) == set(own)
    assert keys(sort="key") == sorted([*built_in, *own]) and keys(sort="key", order="desc") == keys(sort="key")[::-1]
    by_name = keys(sort="name")
    assert by_name.index("zz") < by_name.index("admin") < by_name.index("aa")
    assert keys(search="of zz") == ["zz"] and keys(search="xyz") == ["aa"]
    one = new(permission("contacts", "read"))
    found = {role.key: role.user_count for role in admin.security.roles.list()}
    assert found[one.role.key] == 1 and found["zz"] == 0
    assert found["sales"] == sum("sales" in {role.key for role in user.roles} for user in admin.users.list())
    assert admin.security.roles.get(one.role.key).user_count == 1


def test_who_reads_and_writes_roles(stub: StubServer, admin: CrmClient, new: New) -> None:
    reader = new(permission("security", "read"), permission("contacts", "read"))
    other = new(permission("contacts", "read"))
    for attempt in (
        lambda: reader.crm.security.roles.update(other.role.id, {"name": "x"}),
        lambda: reader.crm.security.roles.delete(other.role.id, move_to="sales"),
        lambda: reader.crm.security.roles.update("admin", {"name": "x"}),
    ):
        assert refused(attempt).code == "FORBIDDEN"
    assert refused(lambda: admin.security.roles.get("nobody")).code == "NOT_FOUND"
    before = len(stub.audit())
    stale = refused(lambda: admin.security.roles.delete(other.role.id, version=9, move_to="sales"))
    assert stale.code == "VERSION_CONFLICT" and len(stub.audit()) == before
    admin.security.roles.delete(other.role.id, move_to="sales")
    told = [(entry["action"], entry["entity"]["id"]) for entry in stub.audit()[before:]]
    assert told == [("user.role_assigned", other.id), ("role.deleted", other.role.id)]
    moved = admin.users.get(other.id)
    assert ([role.key for role in moved.roles], moved.role) == (["sales"], "sales")
    twice = new(permission("leads", "read"))
    admin.users.roles.assign(twice.id, "sales")
    admin.security.roles.delete(twice.role.id, move_to="sales")
    assert [role.key for role in admin.users.get(twice.id).roles] == ["sales"]


def test_every_unknown_permission_is_named(admin: CrmClient) -> None:
    wrong: Any = [permission("planets", "read"), permission("deals", "read"), permission("deals", "fly", "own")]
    error = refused(lambda: admin.security.roles.create({"key": "r", "name": "R", "permissions": wrong}))
    assert [(one.field, one.code, one.rule) for one in error.fields] == [
        ("permissions.0", "UNKNOWN_PERMISSION", "choice"), ("permissions.2", "UNKNOWN_PERMISSION", "choice"),
    ]  # fmt: skip
    assert [one.details["permission"] for one in error.fields] == ["planets:read@all", "deals:fly@own"]
    with pytest.raises(Exception, match="must not be empty"):
        admin.security.roles.create({"key": "r", "name": "  ", "permissions": []})


def test_permissions_are_listed_with_their_words(admin: CrmClient) -> None:
    found = {(one.resource, one.action): one for one in admin.security.permissions(resource="deals")}
    read = found["deals", "read"]
    assert (read.label, read.scopes, read.feature) == ("Read deals", ["own", "team", "all"], None)
    assert read.description == f"Opens {len(read.operations)} calls of deals."
    german = admin.with_options(language="de").security.permissions(resource="deals")
    assert {one.label for one in german}.isdisjoint({one.label for one in found.values()})
    features = {one.feature for one in admin.security.permissions(feature="reports")}
    assert features == {"reports"}
    assert {one.resource for one in admin.security.permissions(feature="reports")} == {"reports"}
    assert {one.feature for one in admin.security.permissions(resource="onboarding")} <= {None, "custom_objects"}
    assert admin.security.permissions(resource="planets") == []
    words = [one.resource for one in admin.security.permissions()]
    assert "onboarding" in words and words.index("deals") < words.index("onboarding")
    assert len({(one.resource, one.action) for one in admin.security.permissions()}) == len(words)
