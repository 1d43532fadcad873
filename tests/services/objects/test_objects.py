"""The calls for every noun: descriptions, scans, rows by a key, transactions, deleted records."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from crm_sdk import CrmClient, NotFoundError, PermissionDeniedError, ValidationError
from crm_sdk.models import BulkResult, Contact
from server_stub import StubServer


@pytest.fixture
def crm(stub: StubServer) -> Iterator[CrmClient]:
    with stub.client(dialects="platform") as client:
        yield client


def codes(result: BulkResult[Any]) -> list[str | None]:
    return [item.error.code if item.error is not None else None for item in result.items]


def outcomes(result: BulkResult[Any]) -> list[str | None]:
    return [item.result.outcome if item.result is not None else None for item in result.items]


def count(crm: CrmClient, entity: str) -> int:
    found: int = next(one.record_count for one in crm.objects.list() if one.entity == entity)
    return found


# -- descriptions ------------------------------------------------------------------------------------------------------


def test_every_readable_noun_is_listed_with_what_the_caller_may(stub: StubServer, crm: CrmClient) -> None:
    found = {one.entity: one for one in crm.objects.list()}
    assert {"contact", "lead", "account", "deal", "activity", "user", "pipeline", "onboarding"} <= found.keys()
    assert "upsert" not in found["user"].capabilities and "restore" in found["contact"].capabilities
    assert found["onboarding"].custom and found["onboarding"].object_id
    assert {one.entity for one in crm.objects.list(custom=True)} == {one for one in found if found[one].custom}
    sales = stub.client(api_key="acme-sales", dialects="platform")
    assert "delete" not in next(one for one in sales.objects.list() if one.entity == "pipeline").permissions


@pytest.mark.parametrize("entity", ["contact", "lead", "deal", "account", "onboarding"])
def test_every_entity_is_described_and_scanned(crm: CrmClient, entity: str) -> None:
    described = crm.objects.describe(entity)
    assert [one.position for one in described.fields] == list(range(len(described.fields)))
    records = list(crm.objects.scan(entity, limit=30))
    ids = [record.id for record in records]
    assert ids == sorted(set(ids)) and len(ids) == described.record_count


def test_a_description_says_what_create_refuses(crm: CrmClient) -> None:
    fields = {one.name: one for one in crm.objects.describe("contact").fields}
    assert (fields["email"].type, fields["email"].unique, fields["email"].max_length) == ("email", True, 254)
    assert (fields["owner_id"].type, fields["owner_id"].reference_to) == ("reference", ["user"])
    assert fields["health_score"].read_only and fields["address.city"].operators
    assert "id" in fields and fields["created_at"].sortable
    lead = {one.name: one for one in crm.objects.describe("lead").fields}
    assert lead["source"].open and not lead["rating"].open
    assert {option.value for option in lead["rating"].options} == {"hot", "warm", "cold"}


def test_a_description_that_is_known_is_not_sent_again(stub: StubServer, crm: CrmClient) -> None:
    first = crm.request("GET", "/v1/objects/lead")
    again = crm.request("GET", "/v1/objects/lead", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status, again.content) == (304, b"")
    crm.custom_objects.fields.create("onboarding", {"api_name": "mood", "label": "Mood", "type": "text"})
    assert crm.objects.describe("onboarding").schema_version != crm.objects.describe("lead").schema_version


def test_a_plural_is_no_entity(crm: CrmClient) -> None:
    with pytest.raises(NotFoundError) as raised:
        crm.objects.describe("activities")
    assert raised.value.details == {"id": "activities", "didYouMean": "activity"}


# -- rows by a key -----------------------------------------------------------------------------------------------------


def test_rows_find_their_records_by_a_key(crm: CrmClient) -> None:
    rows: Any = [
        {"external_id": "a-1", "name": "Eva"},
        {"externalId": "a-2", "name": "Ben", "address": {"postal_code": "1"}},
    ]
    made = crm.objects.upsert("contact", rows, return_records=True)
    first: Any = made.items[0].result
    assert outcomes(made) == ["created", "created"] and isinstance(first.record, Contact)
    again = crm.objects.upsert("contact", [*rows[:1], {"external_id": "a-2", "address": {"city": "Bonn"}}])
    assert outcomes(again) == ["unchanged", "updated"]
    ben = crm.contacts.get(str(made.items[1].id))
    assert ben.address is not None and (ben.address.postal_code, ben.address.city) == ("1", "Bonn")
    got = crm.objects.batch_get("contact", ["a-2", "nobody", "a-2"], match_on="external_id", fields=["name"])
    assert [item.status for item in got.items] == ["ok", "failed", "ok"] and got.items[0].id == ben.id


def test_each_row_fails_in_its_place(crm: CrmClient) -> None:
    for name in ("One", "Two"):
        crm.contacts.create({"name": name, "phone": "+4930111"})
    rows: list[dict[str, Any]] = [
        {"external_id": "b-1", "name": "Eva"}, {"external_id": "b-1"}, {"name": "No key"},
        {"external_id": "b-2", "name": "x", "email": "none"}, {"id": "nobody", "name": "x"},
        {"external_id": "b-3", "nme": "x"},
    ]  # fmt: skip
    result = crm.objects.upsert("contact", rows)
    assert codes(result) == [
        None, "DUPLICATE_IN_BATCH", "MATCH_KEY_MISSING", "VALIDATION_ERROR", "NOT_FOUND", "VALIDATION_ERROR",
    ]  # fmt: skip
    by_phone = crm.objects.upsert("contact", [{"phone": "+4930111", "title": "x"}], match_on="phone")
    error: Any = by_phone.items[0].error
    assert codes(by_phone) == ["AMBIGUOUS_MATCH"] and len(error.details["ids"]) == 2
    with pytest.raises(ValidationError) as raised:
        crm.objects.upsert("contact", [{"title": "x"}], match_on="title")
    assert raised.value.code == "NOT_A_KEY"
    with pytest.raises(ValidationError):
        crm.objects.upsert("contact", [])


def test_modes_and_matches(crm: CrmClient) -> None:
    crm.contacts.create({"name": "Eva", "email": "eva@example.com", "title": "kept"})
    row = {"email": "eva@example.com", "title": "new", "department": "Ops"}
    assert codes(crm.objects.upsert("contact", [row], match_on="email", mode="create")) == ["CONTACT_EXISTS"]
    assert codes(crm.objects.upsert("contact", [{"external_id": "no"}], mode="update")) == ["NOT_FOUND"]
    assert outcomes(crm.objects.upsert("contact", [row], match_on="email", on_match="skip")) == ["skipped"]
    filled = crm.objects.upsert("contact", [row], match_on="email", on_match="fill_empty", return_records=True)
    result: Any = filled.items[0].result
    assert (result.record.title, result.record.department) == ("kept", "Ops")


def test_concurrent_callers_make_one_record_of_a_key(stub: StubServer) -> None:
    def write(number: int) -> list[str | None]:
        client = stub.client(dialects="platform")
        return [
            item.id
            for item in client.objects.upsert("lead", [{"external_id": f"k-{n}", "name": "x"} for n in range(5)]).items
        ]

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(write, range(64)))
    assert all(ids == found[0] for ids in found) and len(set(found[0])) == 5


def test_activities_say_their_kind(crm: CrmClient) -> None:
    rows = [
        {"external_id": "n-1", "kind": "note", "body": "Hello", "contact_id": "contact_123"},
        {"external_id": "n-2"},
    ]
    result = crm.objects.upsert("activity", rows)
    error: Any = result.items[1].error
    assert codes(result) == [None, "VALIDATION_ERROR"] and error.field == "kind"
    assert outcomes(crm.objects.upsert("activity", [{"external_id": "n-1", "body": "Bye"}])) == ["updated"]


# -- transactions ------------------------------------------------------------------------------------------------------


def test_a_transaction_names_earlier_records(crm: CrmClient) -> None:
    done = crm.objects.transaction(
        [
            {"action": "create", "entity": "account", "ref": "acme", "values": {"name": "Rollout"}},
            {"action": "create", "entity": "contact", "ref": "eva", "values": {"name": "@@Eva", "account_id": "@acme"}},
            {"action": "update", "entity": "contact", "id": "@eva", "values": {"title": "CEO"}},
        ]
    )
    eva = crm.contacts.get(done.refs["eva"])
    assert (eva.name, eva.title, eva.account_id, eva.version) == ("@Eva", "CEO", done.refs["acme"], 2)
    assert [one.outcome for one in done.results] == ["created", "created", "updated"]


def test_a_transaction_that_fails_writes_nothing(stub: StubServer, crm: CrmClient) -> None:
    before = [count(crm, "contact"), count(crm, "lead"), len(stub.audit())]
    with pytest.raises(ValidationError) as raised:
        crm.objects.transaction(
            [
                {"action": "create", "entity": "contact", "values": {"name": "x", "account_id": "@later"}},
                {"action": "create", "entity": "lead", "values": {"name": "x"}},
                {"action": "create", "entity": "lead", "values": {"name": "x", "email": "no address"}},
                {"action": "create", "entity": "nothing", "values": {}},
            ]
        )
    assert raised.value.code == "BULK_REJECTED"
    assert [error.field for error in raised.value.fields[1:]] == [
        "operations[0].values.account_id", "operations[2].values.email", "operations[3].entity",
    ]  # fmt: skip
    assert [count(crm, "contact"), count(crm, "lead"), len(stub.audit())] == before


# -- deleted records ---------------------------------------------------------------------------------------------------


def test_a_restore_brings_back_what_the_delete_took(stub: StubServer, crm: CrmClient) -> None:
    deals = [one.id for one in crm.deals.list(contact_id="contact_123")]
    links = [one.id for one in crm.contacts.relationships.list("contact_123")]
    before, other = crm.contacts.get("contact_123"), crm.contacts.create({"name": "Other"})
    assert deals and links
    crm.contacts.delete("contact_123")
    grave = crm.objects.deleted.list("contact").items[0]
    assert (grave.id, grave.restorable, grave.deleted_by) == ("contact_123", True, "apikey_acme_admin")
    crm.deals.update(deals[0], {"contact_id": other.id})  # changed since: it stays
    done = crm.objects.restore("contact", ["contact_123", "contact_123", "nobody"])
    assert codes(done) == [None, "NOT_DELETED", "NOT_FOUND"]
    after = crm.contacts.get("contact_123")
    assert after.version is not None and after.version > (before.version or 0) and after.created_at == before.created_at
    assert [one.id for one in crm.deals.list(contact_id="contact_123")] == deals[1:]
    assert [one.id for one in crm.contacts.relationships.list("contact_123")] == links
    assert [entry["action"] for entry in stub.audit()].count("contact.restored") == 1


def test_figures_follow_a_restore(crm: CrmClient) -> None:
    account = crm.accounts.create({"name": "Initech"})
    contact = crm.contacts.create({"name": "Peter", "account_id": account.id})
    crm.contacts.delete(contact.id)
    assert crm.accounts.get(account.id).contact_count == 0
    crm.objects.restore("contact", [contact.id])
    assert crm.accounts.get(account.id).contact_count == 1


def test_a_value_that_was_taken_meanwhile_is_in_the_way(crm: CrmClient) -> None:
    old = crm.contacts.create({"name": "Old", "email": "taken@example.com"})
    crm.contacts.delete(old.id)
    new = crm.contacts.create({"name": "New", "email": "taken@example.com"})
    grave = crm.objects.deleted.list("contact", restorable=False).items[0]
    assert [error.code for error in grave.blocked_by] == ["RESTORE_CONFLICT"]
    error = crm.objects.restore("contact", [old.id]).items[0].error
    assert error is not None and error.details == {"field": "email", "existingId": new.id}


def test_rights_are_those_of_the_entity(stub: StubServer, crm: CrmClient) -> None:
    theirs = crm.contacts.create({"name": "Admin's", "external_id": "adm"})
    sales = stub.client(api_key="acme-sales", dialects="platform")
    result = sales.objects.upsert(
        "contact", [{"external_id": "adm", "title": "x"}, {"external_id": "own", "name": "x"}]
    )
    assert codes(result) == ["FORBIDDEN", None]
    with pytest.raises(PermissionDeniedError):
        sales.objects.deleted.list("pipeline")
    globex = stub.client(api_key="globex-admin", dialects="platform")
    assert globex.objects.batch_get("contact", [theirs.id]).failed == 1
    assert outcomes(globex.objects.upsert("contact", [{"external_id": "adm", "name": "x"}])) == ["created"]
    with pytest.raises(ValidationError) as raised:
        crm.objects.upsert("user", [{"email": "a@b.example"}])
    assert raised.value.code == "UNSUPPORTED_OPERATION"


@pytest.mark.parametrize("action", ["update", "delete", "upsert"])
@pytest.mark.parametrize("version", [None, 1, 9])
def test_a_record_of_another_custom_object_is_none(crm: CrmClient, action: str, version: int | None) -> None:
    crm.custom_objects.create({"api_name": "vehicle", "label": "Vehicle", "plural_label": "Vehicles"})
    car = crm.custom_objects.records.create("vehicle", {"fields": {"name": "Car"}})
    operation: Any = {"action": action, "entity": "onboarding", "id": car.id}
    operation |= {"version": version} if version is not None else {}
    if action != "delete":
        operation["values"] = {"fields": {"name": "Other"}}
    if action == "upsert":
        operation["match_on"] = "id"
    with pytest.raises(ValidationError) as raised:
        crm.objects.transaction([operation])
    assert "NOT_FOUND" in {one.code for one in raised.value.fields}
    assert crm.custom_objects.records.get("vehicle", car.id) == car
    operation["entity"] = "vehicle"
    if version == 9 and action != "upsert":
        with pytest.raises(ValidationError) as raised:
            crm.objects.transaction([operation])
        assert "VERSION_CONFLICT" in {one.code for one in raised.value.fields}
    else:
        done = {"update": "updated", "delete": "deleted", "upsert": "updated"}
        assert crm.objects.transaction([operation]).results[0].outcome == done[action]
