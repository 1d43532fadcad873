"""Permissions of single custom objects: a role or a key names one by its api_name, else those of all objects decide."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient, NotFoundError, PermissionDeniedError
from server_stub import StubServer

from .conftest import New, Somebody, permission

ACTIONS = ("read", "create", "update", "delete")


@pytest.fixture
def objects(admin: CrmClient) -> dict[str, str]:
    """Define two custom objects, each with a record of the administrator's; returns the ids of these by the object."""
    made: dict[str, str] = {}
    for name in ("projects", "sites"):
        admin.custom_objects.create({"api_name": name, "label": name, "plural_label": name})
        admin.custom_objects.fields.create(name, {"api_name": "code", "label": "Code", "type": "text"})
        made[name] = admin.custom_objects.records.create(name, {"fields": {"code": name}}).id
    return made


def deeds(crm: CrmClient, name: str, id: str) -> dict[str, Callable[[], object]]:
    records = crm.custom_objects.records
    return {
        "read": lambda: records.get(name, id),
        "create": lambda: records.create(name, {"fields": {"code": "new"}}),
        "update": lambda: records.update(name, id, {"fields": {"code": "changed"}}),
        "delete": lambda: records.delete(name, id),
    }


def can(crm: CrmClient, name: str, id: str, action: str) -> bool:
    try:
        deeds(crm, name, id)[action]()
    except (PermissionDeniedError, NotFoundError):
        return False
    return True


def agree(one: Somebody | CrmClient, name: str, id: str, expected: set[str]) -> None:
    """Hold that the calls permit some actions on a record, and that decisions say the same."""
    crm = one.crm if isinstance(one, Somebody) else one
    questions: Any = [{"action": action, "entity": {"type": name, "id": id}} for action in ACTIONS]
    assert [told.allowed for told in crm.security.check(questions)] == [action in expected for action in ACTIONS]
    for action in ACTIONS:
        assert can(crm, name, id, action) is (action in expected), action


def test_an_entry_of_an_object_is_for_that_one_only(new: New, objects: dict[str, str]) -> None:
    one = new(permission("projects", "read"), permission("projects", "update"))
    agree(one, "sites", objects["sites"], set())
    agree(one, "projects", objects["projects"], {"read", "update"})
    questions: Any = [{"action": "read", "resource": name} for name in objects]
    mine, other = one.crm.security.check(questions)
    assert (mine.allowed, mine.permission, mine.via[0].id) == (True, "projects:read", one.role.id)
    assert (other.allowed, other.permission) == (False, "custom_objects:read")
    assert refused(lambda: one.crm.custom_objects.records.list("sites").items).code == "FORBIDDEN"
    assert refused(lambda: one.crm.objects.scan("sites").items).code == "FORBIDDEN"
    assert [record.id for record in one.crm.custom_objects.records.list("projects")] == [objects["projects"]]
    described = {entity.entity for entity in one.crm.objects.list()}
    assert "projects" in described and "sites" not in described
    effective = one.crm.users.permissions("me").permissions
    assert {(each.resource, each.action) for each in effective} == {("projects", "read"), ("projects", "update")}


def test_an_entry_of_an_object_stands_before_those_of_all(new: New, objects: dict[str, str]) -> None:
    every = [permission("custom_objects", action) for action in ACTIONS]
    one = new(*every, permission("projects", "read", "own"))
    agree(one, "sites", objects["sites"], set(ACTIONS))
    agree(one, "projects", objects["projects"], set())
    assert list(one.crm.custom_objects.records.list("projects")) == []


def test_of_several_roles_the_widest_holds(admin: CrmClient, new: New, objects: dict[str, str]) -> None:
    one = new(permission("projects", "read", "own"))
    admin.users.roles.assign(one.id, "read_only")
    agree(one, "projects", objects["projects"], {"read"})


def test_a_role_without_an_entry_of_an_object_gives_what_it_gives_of_all(
    admin: CrmClient, new: New, objects: dict[str, str]
) -> None:
    one = new(permission("projects", "read", "own"))
    others = [
        permission("custom_objects", "read"),
        permission("contacts", "update"),
        permission("custom_objects", "delete", "own"),
    ]
    admin.security.roles.create({"key": "others", "name": "Others", "permissions": others})
    agree(one, "projects", objects["projects"], set())
    admin.users.roles.assign(one.id, "others")
    for name in ("projects", "sites"):
        agree(one, name, objects[name], {"read"})


def test_a_key_names_an_object(stub: StubServer, admin: CrmClient, objects: dict[str, str]) -> None:
    key = admin.security.api_keys.create({"name": "one", "permissions": ["projects:read", "projects:delete"]}).key
    crm = stub.client(api_key=key, dialects="platform", max_retries=0)
    agree(crm, "sites", objects["sites"], set())
    agree(crm, "projects", objects["projects"], {"read", "delete"})


def test_nobody_gives_more_of_an_object_than_they_have(new: New, objects: dict[str, str]) -> None:
    one = new(permission("security", "manage"), permission("security", "create"), permission("projects", "read"))

    def made(name: str, action: str) -> Any:
        body: Any = {"key": "given", "name": "Given", "permissions": [permission(name, action)]}
        return one.crm.security.roles.create(body)

    for name, action in (("projects", "update"), ("sites", "read")):
        assert refused(partial(made, name, action)).code == "ROLE_ESCALATION"
    assert made("projects", "read").permissions[0].resource == "projects"
