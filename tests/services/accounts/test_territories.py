"""The territory of an account: by the rules of the territories, by hand, and what holds it."""

from __future__ import annotations

from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.fixture
def crm(stub: StubServer) -> CrmClient:
    territories = stub.store.collection("tenant_acme", "territory")
    for doc in territories.all():
        territories.remove(doc["id"])
    return stub.client(dialects="platform", max_retries=0, strict=True)


def rule(field: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


def test_rules_are_checked_one_by_one(crm: CrmClient) -> None:
    make: Any = crm.configuration.territories.create
    for wrong, field, code in (
        (rule("employees", "contains", "1"), "rules.1.op", "INVALID_OPERATOR"),
        (rule("employees", "gt", "many"), "rules.1.value", "VALIDATION_ERROR"),
        (rule("colour", "eq", "x"), "rules.1.field", "VALIDATION_ERROR"),
    ):
        error = refused(lambda wrong=wrong: make({"name": "T", "rules": [rule("country", "eq", "DE"), wrong]}))  # type: ignore[misc] # bound now
        assert (error.code, error.fields[0].field if error.fields else error.details["field"]) == (code, field)
    assert crm.configuration.territories.list().total == 0


def test_the_first_territory_whose_rules_all_match_wins(crm: CrmClient) -> None:
    """By priority, then the deepest, then by name; one that is not active, or has no rules, matches nothing."""
    make: Any = crm.configuration.territories.create
    german = rule("country", "eq", "DE")

    def at(**members: Any) -> str | None:
        given: Any = {
            "name": "A",
            "billing_address": {"country": "DE", "state": "BY", "postal_code": "80331"},
            **members,
        }
        account = crm.accounts.create(given)
        found = crm.accounts.territory.get(account.id)
        by_rule = found.territory is not None
        assert (found.method, found.rule_index) == (("rule", 0) if by_rule else ("none", None))
        assert (found.locked, found.account_id) == (False, account.id)
        assert crm.accounts.get(account.id).territory_id == (found.territory.id if found.territory else None)
        return found.territory.name if found.territory else None

    make({"name": "By hand"})
    make({"name": "Off", "rules": [german], "priority": 1, "active": False})
    assert at() is None
    top = make({"name": "Germany", "rules": [german]})
    assert at() == "Germany" and at(billing_address={"country": "AT"}) is None and at(billing_address=None) is None
    make({"name": "austria", "rules": [german]})
    assert at() == "austria", "by name, whatever its case"
    make({"name": "South", "rules": [german, rule("state", "eq", "BY")], "parent_id": top.id})
    assert at() == "South" and at(billing_address={"country": "DE", "state": "BE"}) == "austria"
    make({"name": "Large", "rules": [rule("employees", "gte", 500), german], "priority": 99})
    assert at(employees=500) == "Large" and at(employees=499) == at() == "South"
    make({"name": "Centre", "rules": [rule("postal_code", "starts_with", "80")], "priority": 98})
    assert at(employees=500) == "Centre"
    make(
        {"name": "Banks", "rules": [rule("industry", "eq", "Banking"), rule("annual_revenue", "gt", 5)], "priority": 2}
    )
    assert at(industry="Banking", annual_revenue=6) == "Banks" and at(industry="Banking") == "Centre"
    make({"name": "Partners", "rules": [rule("type", "eq", "partner")], "priority": 1})
    assert at(type="partner", industry="Banking", annual_revenue=6) == "Partners"
    lead = crm.leads.create({"name": "L", "address": {"country": "DE", "postal_code": "80331"}})
    assert crm.leads.get(lead.id).territory_id == next(
        one.id for one in crm.configuration.territories.list() if one.name == "Centre"
    )


def test_a_territory_that_is_set_by_hand_is_held_until_the_rules_decide(crm: CrmClient, stub: StubServer) -> None:
    make: Any = crm.configuration.territories.create
    german, other = make({"name": "G", "rules": [rule("country", "eq", "DE")]}), make({"name": "O"})
    off = make({"name": "Off", "active": False})
    account = crm.accounts.create({"name": "A", "billing_address": {"country": "DE"}})
    before = len(stub.audit())
    set_to = crm.accounts.territory.update
    for given, territory, method, locked in (
        ({"territory_id": other.id}, other.id, "manual", True),
        ({"territory_id": other.id, "locked": False}, other.id, "manual", False),
        ({}, None, "manual", True),
        ({"method": "rule"}, german.id, "rule", False),
    ):
        members: Any = given
        found = set_to(account.id, **members)
        shown = found.territory.id if found.territory else None
        assert (shown, found.method, found.locked, found.rule_index) == (
            territory, method, locked, 0 if method == "rule" else None,
        )  # fmt: skip
        assert found.assigned_by == "apikey_acme_admin" and found.assigned_at is not None
        again = set_to(account.id, **members)
        assert again.assigned_at == found.assigned_at, "no difference, no write"
    changed = [one for one in stub.audit()[before:] if one["entity"]["id"] == account.id]
    assert [one["action"] for one in changed] == ["account.territory_changed"] * 4
    for locked in (True, False):
        set_to(account.id, territory_id=other.id, locked=locked)
        assert crm.accounts.get(account.id).territory_id == other.id
        crm.accounts.update(account.id, {"billing_address": {"country": "DE", "city": f"Ulm {locked}"}})
        assert crm.accounts.get(account.id).territory_id == (other.id if locked else german.id)
    error = refused(lambda: set_to(account.id, territory_id=off.id))
    assert (error.status, error.code) == (409, "TERRITORY_INACTIVE")
    assert refused(lambda: set_to(account.id, territory_id="territory_no")).code == "REFERENCE_NOT_FOUND"
