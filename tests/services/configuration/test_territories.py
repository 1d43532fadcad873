"""Territories: where accounts are put, and what becomes of what is in one that is deleted."""

from __future__ import annotations

from typing import Any

import pytest

from crm_sdk import ApiError, CrmClient
from server_stub import StubServer

from .conftest import New


def create(crm: CrmClient, name: str, industry: str | None = None, **more: Any) -> str:
    rules = [{"field": "industry", "op": "eq", "value": industry}] if industry is not None else []
    return crm.configuration.territories.create({"name": name, "rules": rules, **more}).id  # type: ignore[typeddict-item] # rules as plain dicts


def account(crm: CrmClient, industry: str) -> str:
    return crm.accounts.create({"name": f"A {industry}", "industry": industry}).id


def place(crm: CrmClient, account_id: str) -> str | None:
    return crm.accounts.get(account_id).territory_id


def test_accounts_go_where_the_rules_say_at_every_change(stub: StubServer, admin: CrmClient) -> None:
    territories, one = admin.configuration.territories, account(admin, "mills")
    locked = account(admin, "mills")
    admin.accounts.territory.update(locked, territory_id="territory_europe", locked=True)
    first = create(admin, "Mills", "mills", priority=5)
    assert (place(admin, one), place(admin, locked)) == (first, "territory_europe")
    assert territories.get(first).account_count == 1
    deeper = create(admin, "Mills within", "mills", priority=5, parent_id=first)
    assert place(admin, one) == deeper, "of the same priority, the deeper one"
    territories.update(deeper, {"priority": 6})
    assert place(admin, one) == first
    territories.update(first, {"active": False})
    assert place(admin, one) == deeper
    territories.update(deeper, {"rules": []})
    assert place(admin, one) is None, "without rules, none is put there"
    moves = [entry for entry in stub.audit() if entry["action"] == "account.territory_changed"]
    assert [entry["entity"]["id"] for entry in moves].count(one) == 5
    before = len(stub.audit())
    territories.update(first, {"code": "mills"})
    assert [entry["action"] for entry in stub.audit()[before:]] == ["territory.updated"]


def test_what_is_in_a_territory_is_not_lost(stub: StubServer, admin: CrmClient) -> None:
    territories = admin.configuration.territories
    old, target = create(admin, "Old"), create(admin, "Target")
    child = create(admin, "Child", parent_id=old)
    held = account(admin, "held")
    admin.accounts.territory.update(held, territory_id=old, locked=True)
    team = admin.users.teams.create({"name": "Old team", "territory_id": old}).id
    leads = stub.store.collection("tenant_acme", "lead")
    inside, done = list(leads)[:2]
    leads.put(inside | {"territory_id": old, "status": "new"})
    leads.put(done | {"territory_id": old, "status": "converted"})
    with pytest.raises(ApiError) as refused:
        territories.delete(old)
    assert (refused.value.code, refused.value.details) == (
        "TERRITORY_IN_USE", {"territories": 1, "accounts": 1, "teams": 1, "leads": 1}
    )  # fmt: skip
    for move_to, code in (
        ("territory_nowhere", "REFERENCE_NOT_FOUND"), (old, "HIERARCHY_CYCLE"), (child, "HIERARCHY_CYCLE"),
    ):  # fmt: skip
        with pytest.raises(ApiError) as refused:
            territories.delete(old, move_to=move_to)
        assert refused.value.code == code
    territories.delete(old, move_to=target)
    assert territories.get(child).parent_id == target
    assert (place(admin, held), admin.users.teams.get(team).territory_id) == (target, target)
    assert admin.leads.get(inside["id"]).territory_id == target


def test_an_inactive_target_and_an_old_version_are_refused(admin: CrmClient) -> None:
    territories = admin.configuration.territories
    old, asleep = create(admin, "Awake"), create(admin, "Asleep", active=False)
    for arguments, code in (({"move_to": asleep}, "TERRITORY_INACTIVE"), ({"version": 9}, "VERSION_CONFLICT")):
        with pytest.raises(ApiError) as refused:
            territories.delete(old, **arguments)
        assert refused.value.code == code


def test_members_who_became_inactive_stay_and_new_ones_are_refused(admin: CrmClient, new: New) -> None:
    user_id, _ = new()
    territories, held = admin.configuration.territories, create(admin, "Held", member_ids=[user_id])
    admin.users.deactivate(user_id)
    assert territories.update(held, {"member_ids": [user_id], "name": "Held on"}).member_ids == [user_id]
    with pytest.raises(ApiError) as refused:
        create(admin, "Wanted", member_ids=[user_id])
    assert (refused.value.status, refused.value.code) == (409, "MEMBER_INACTIVE")


def test_names_and_codes_are_unique_and_managers_write(admin: CrmClient, new: New) -> None:
    _, manager = new("manager")
    territory = create(manager, "South", code="south")
    for members, code in (({"name": "South"}, "TERRITORY_EXISTS"), ({"name": "S", "code": "south"}, "DUPLICATE_VALUE")):
        with pytest.raises(ApiError) as refused:
            admin.configuration.territories.create(members)  # type: ignore[arg-type] # a plain dict
        assert refused.value.code == code
    with pytest.raises(ApiError) as refused:
        admin.configuration.territories.create({"name": "R", "rules": [{"field": "employees", "op": "contains"}]})
    assert refused.value.code == "INVALID_OPERATOR"
    manager.configuration.territories.delete(territory)


def test_rules_are_kept_whole(stub: StubServer, admin: CrmClient) -> None:
    rules: Any = [{"field": "industry", "op": "eq", "value": "x"}, {"field": "industry", "op": "in", "values": ["a"]}]
    id = admin.configuration.territories.create({"name": "Whole", "rules": rules}).id
    kept = stub.store.collection("tenant_acme", "territory")
    whole = [{**rules[0], "values": []}, {**rules[1], "value": None}]
    assert [doc["rules"] for doc in kept.find("id", id)] == [whole]
    assert admin.configuration.territories.update(id, {"code": "w"}).code == "w"
    assert [doc["rules"] for doc in kept.find("id", id)] == [whole]
