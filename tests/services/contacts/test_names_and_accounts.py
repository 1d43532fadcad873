"""What follows from the members of a contact: its name and the parts of it, its addresses, its account, its copies."""

from __future__ import annotations

from typing import Any

import pytest
from stub_data import some

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.fixture
def crm(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform")


def test_a_name_and_its_parts_follow_each_other(crm: CrmClient) -> None:
    def named(*steps: dict[str, Any]) -> tuple[Any, ...]:
        first, *others = steps
        given: Any = first
        made = some(crm.contacts.bulk_upsert([given]).items[0].result)
        for step in others:
            changes: Any = step
            made = crm.contacts.update(made.id, changes)
        return made.name, made.first_name, made.last_name

    parts = {"first_name": "Ada", "last_name": "Lee"}
    for steps, wanted in (
        (({"name": "Ada Lee"},), ("Ada Lee", None, None)),
        ((parts,), ("Ada Lee", "Ada", "Lee")),
        (({"last_name": "Lee"},), ("Lee", None, "Lee")),
        (({"name": "Dr. L", **parts},), ("Dr. L", "Ada", "Lee")),
        ((parts, {"first_name": "Eva"}), ("Eva Lee", "Eva", "Lee")),
        ((parts, {"first_name": None}), ("Lee", None, "Lee")),
        ((parts, {"last_name": "May"}), ("Ada May", "Ada", "May")),
        ((parts, {"name": "Eva Maria May"}), ("Eva Maria May", "Eva Maria", "May")),
        ((parts, {"name": "May"}), ("May", None, "May")),
        ((parts, {"name": "Ada Lee"}), ("Ada Lee", "Ada", "Lee")),
        (({"name": "Ada Lee", **parts}, {"name": "Eva May", "first_name": "Eva"}), ("Eva May", "Eva", "Lee")),
        (({"name": "Ada Lee"}, {"name": "Eva May"}), ("Eva May", None, None)),
        (({"name": "Ada", "first_name": "Ada"}, {"name": "Eva May"}), ("Eva May", "Ada", None)),
        ((parts, {"title": "CTO"}), ("Ada Lee", "Ada", "Lee")),
        ((parts, {"first_name": None, "last_name": None}), ("Ada Lee", None, None)),
        (({"first_name": "f" * 100, "last_name": "l" * 99},), (f"{'f' * 100} {'l' * 99}", "f" * 100, "l" * 99)),
    ):  # fmt: skip
        assert named(*steps) == wanted, steps
    for members, rule in (
        ({"email": "a@x.example"}, "required"), ({"first_name": "f" * 100, "last_name": "l" * 100}, "length"),
    ):  # fmt: skip
        given: Any = members
        error = some(crm.contacts.bulk_upsert([given]).items[0].error)
        assert (error.code, error.field, error.rule) == ("VALIDATION_ERROR", "name", rule)


def test_the_main_address_is_none_of_the_others(crm: CrmClient) -> None:
    made = crm.contacts.create(
        {"name": "A", "email": "a@x.example", "secondary_emails": ["b@x.example", "A@x.example"]}
    )
    assert (made.email, made.secondary_emails) == ("a@x.example", ["b@x.example"])
    turned = crm.contacts.update(made.id, {"email": "b@x.example"})
    assert (turned.email, turned.secondary_emails) == ("b@x.example", [])
    more = crm.contacts.update(made.id, {"secondary_emails": ["c@x.example", "b@x.example"]})
    assert (more.email, more.secondary_emails) == ("b@x.example", ["c@x.example"])
    none = crm.contacts.update(made.id, {"email": None, "secondary_emails": ["b@x.example"]})
    assert (none.email, none.secondary_emails) == (None, ["b@x.example"])


def test_the_account_is_the_one_of_the_company_or_the_domain(crm: CrmClient) -> None:
    one = crm.accounts.create({"name": "Quux One", "domain": "one.example"}).id
    two = crm.accounts.create({"name": "Quux Two", "domain": "two.example"}).id
    for domain in ("Twin", "Twin"):
        crm.accounts.create({"name": domain})

    def placed(*steps: dict[str, Any]) -> tuple[Any, ...]:
        first, *others = steps
        given: Any = {"name": "A", **first}
        made = crm.contacts.create(given)
        for step in others:
            changes: Any = step
            made = crm.contacts.update(made.id, changes)
        crm.contacts.delete(made.id)
        return made.account_id, made.company

    mail = {"email": "a@one.example"}
    for steps, wanted in (
        (({"account_id": one},), (one, "Quux One")),
        (({"account_id": one, "company": "Other"},), (one, "Quux One")),
        (({"company": " quux one "},), (one, "Quux One")),
        (({"company": "Quux Two", **mail},), (two, "Quux Two")),
        (({"company": "Unknown", **mail},), (None, "Unknown")),
        ((mail,), (one, "Quux One")),
        (({"company": "Twin"},), (None, "Twin")),
        (({}, mail), (None, None)),  # an address that comes later says nothing of the company
        (({}, {"company": "Quux One"}), (one, "Quux One")),
        ((mail, {"company": "Unknown"}), (None, "Unknown")),
        ((mail, {"company": "Twin"}), (None, "Twin")),
        ((mail, {"company": "Quux Two"}), (two, "Quux Two")),
        ((mail, {"company": "Quux One"}), (one, "Quux One")),
        ((mail, {"company": None}), (None, None)),
        ((mail, {"account_id": two}), (two, "Quux Two")),
        ((mail, {"account_id": None}), (None, "Quux One")),
        ((mail, {"account_id": None, "company": "Quux Two"}), (None, "Quux Two")),
        ((mail, {"account_id": one, "company": "Quux Two"}), (two, "Quux Two")),  # what differs is meant
        ((mail, {"account_id": two, "company": "Unknown"}), (two, "Quux Two")),
        ((mail, {"title": "CTO"}), (one, "Quux One")),
    ):  # fmt: skip
        assert placed(*steps) == wanted, steps


def test_copies_of_a_name_follow_it_and_stay_when_it_goes(crm: CrmClient, stub: StubServer) -> None:
    ada = crm.contacts.create({"name": "Ada", "company": "Old"})
    bob = crm.contacts.create({"name": "Bob"})
    deal: Any = {"title": "D", "contact_id": ada.id, "contact_roles": [{"contact_id": ada.id}, {"contact_id": bob.id}]}
    ids = {"deal": crm.deals.create(deal).id}
    ids["activity"] = crm.activities.create({"kind": "note", "body": "x", "contact_id": ada.id}).id

    def copies() -> list[tuple[Any, ...]]:
        found = [some(stub.store.collection("tenant_acme", kind).get(id)) for kind, id in ids.items()]
        return [tuple(doc.get(name) for name in ("contact_id", "contact_name", "contact_company")) for doc in found]

    assert copies() == [(ada.id, "Ada", None), (ada.id, "Ada", "Old")]
    crm.contacts.update(ada.id, {"title": "CTO"})
    assert copies() == [(ada.id, "Ada", None), (ada.id, "Ada", "Old")]
    crm.contacts.update(ada.id, {"company": "New"})
    assert copies() == [(ada.id, "Ada", None), (ada.id, "Ada", "New")]
    crm.contacts.update(ada.id, {"name": "Eva"})
    assert copies() == [(ada.id, "Eva", None), (ada.id, "Eva", "New")]
    crm.contacts.delete(ada.id)
    assert copies() == [(None, "Eva", None), (None, "Eva", "New")]
    assert [(one.contact_id, one.is_primary) for one in crm.deals.get(ids["deal"]).contact_roles] == [(bob.id, False)]
