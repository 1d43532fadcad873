"""How contacts are written, whatever the way: single, in bulk, by an import or a merge, in either document."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import pytest
from refusals import refused

from crm_sdk import ConflictError, CrmClient, PermissionDeniedError, ValidationError
from server_stub import StubServer
from server_stub.data.document import Document


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client()


@pytest.fixture
def sales(stub: StubServer) -> CrmClient:
    return stub.client(api_key="acme-sales")


def imported(client: CrmClient, content: str, **options: Any) -> Any:
    """Return the job of an import that has ended."""
    job = client.contacts.imports.create(("people.csv", content.encode()), **options)
    job.wait()
    return client.contacts.imports.get(job.id)


def merge_with_own(client: CrmClient, contact_id: str) -> object:
    own = client.contacts.create({"name": "Own"})
    group: Any = {"survivor_id": contact_id, "contact_ids": [contact_id, own.id]}
    return client.contacts.deduplicate(mode="merge", groups=[group])


WAYS: dict[str, Callable[[CrmClient, str], str | None]] = {
    "update": lambda client, one: refusal(lambda: client.contacts.update(one, {"title": "Mine"})),
    "delete": lambda client, one: refusal(lambda: client.contacts.delete(one)),
    "bulk_upsert": lambda client, one: code_of(upsert(client, {"id": one, "title": "Mine"})),
    "bulk_delete": lambda client, one: code_of(client.contacts.bulk_delete([one])),
    "merge": lambda client, one: refusal(lambda: merge_with_own(client, one)),
}


def upsert(client: CrmClient, item: Any, **options: Any) -> Any:
    """Return what became of one contact in a bulk call; an id is enough to name it."""
    return client.contacts.bulk_upsert([item], **options)


def refusal(call: Callable[[], object]) -> str | None:
    """Return the code that a call is refused with; None where it is not."""
    try:
        call()
    except PermissionDeniedError as error:
        return error.code
    return None


def code_of(result: Any) -> str | None:
    """Return the code of the first item of a bulk call; None where it was done."""
    error = result.items[0].error
    return error.code if error is not None else None


def test_sales_writes_no_contact_of_others_in_any_way(client: CrmClient, sales: CrmClient) -> None:
    theirs = client.contacts.create({"name": "Theirs", "email": "theirs@example.com"})
    for name, way in WAYS.items():
        assert way(sales, theirs.id) == "FORBIDDEN", name
        assert client.contacts.get(theirs.id) == theirs


def test_an_import_of_sales_changes_its_own_contacts_only(client: CrmClient, sales: CrmClient) -> None:
    theirs = client.contacts.create({"name": "Theirs", "email": "theirs@example.com"})
    own = sales.contacts.create({"name": "Own", "email": "own@example.com"})
    rows = "name,email,title\nTheirs,theirs@example.com,Mine\nOwn,own@example.com,Mine\n"
    job = imported(sales, rows, on_duplicate="update")
    assert [(error.row, error.code) for error in job.errors] == [(1, "FORBIDDEN")]
    assert client.contacts.get(theirs.id).title is None and client.contacts.get(own.id).title == "Mine"


def test_a_key_that_several_contacts_share_decides_nothing(client: CrmClient) -> None:
    number = "+49 30 901820"
    ids = [
        client.contacts.create({"name": "One", "phone": number}).id,
        client.contacts.create({"name": "Two", "mobile": number}).id,
    ]
    result = upsert(client, {"name": "Three", "phone": number}, match_on="phone")
    error = result.items[0].error
    assert error is not None and error.code == "AMBIGUOUS_MATCH" and sorted(error.details["ids"]) == sorted(ids)
    job = imported(client, f"name,phone\nThree,{number}\n", match_on="phone")
    assert [failed.code for failed in job.errors] == ["AMBIGUOUS_MATCH"]


@pytest.mark.parametrize("dialects", ["platform", "flow"])
def test_a_write_merges_objects_and_writes_nothing_without_a_difference(stub: StubServer, dialects: str) -> None:
    client, whole = stub.client(dialects=dialects), stub.client()
    made = whole.contacts.create({"name": "Ada", "address": {"street": "S", "city": "C"}, "tags": ["a"]})
    body: Any = {"tags": ["a"]}
    client.contacts.update(made.id, body)
    same = upsert(whole, {"id": made.id, "address": {"city": "C"}}).items[0].result
    assert same is not None and same.version == 1 and same.updated_at == made.updated_at
    upsert(whole, {"id": made.id, "address": {"city": "D"}})
    found = whole.contacts.get(made.id)
    assert found.address is not None and (found.address.street, found.address.city) == ("S", "D")
    assert found.version == 2
    assert [entry["action"] for entry in stub.audit() if entry["entity"]["id"] == made.id] == [
        "contact.created",
        "contact.updated",
    ]


def test_a_merged_id_means_the_survivor(client: CrmClient) -> None:
    keep, gone = client.contacts.create({"name": "Keep"}), client.contacts.create({"name": "Gone"})
    client.contacts.deduplicate(mode="merge", groups=[{"survivor_id": keep.id, "contact_ids": [keep.id, gone.id]}])
    ada = client.contacts.create({"name": "Ada"})
    link = client.contacts.relationships.create(ada.id, {"related_contact_id": gone.id, "type": "colleague"})
    assert link.related_contact_id == keep.id
    path = f"/v1/contacts/{ada.id}/relationships/{link.id}"
    assert client.request("PUT", path, json={"relatedContactId": gone.id}).json()["data"]["version"] == 1
    assert client.contacts.deduplicate(contact_ids=[gone.id, keep.id, ada.id]).scanned == 2
    group: Any = {"survivor_id": gone.id, "contact_ids": [gone.id, ada.id]}
    (again,) = client.contacts.deduplicate(mode="merge", groups=[group]).merged
    assert (again.contact.id, again.merged_ids) == (keep.id, [ada.id])
    assert code_of(upsert(client, {"id": gone.id, "title": "x"})) == "RECORD_MERGED"
    job = imported(client, f"id,name\n{gone.id},X\n", match_on="id")
    assert [error.code for error in job.errors] == ["RECORD_MERGED"]
    with pytest.raises(ConflictError) as caught:
        client.contacts.update(gone.id, {"name": "X"})
    assert caught.value.code == "RECORD_MERGED"


def test_whom_a_relationship_is_with_is_fixed(client: CrmClient) -> None:
    ada, bob, eve = (client.contacts.create({"name": name}).id for name in ("Ada", "Bob", "Eve"))
    link = client.contacts.relationships.create(ada, {"related_contact_id": bob, "type": "colleague"})
    path = f"/v1/contacts/{ada}/relationships/{link.id}"
    assert client.request("PUT", path, json={"relatedContactId": bob}).json()["data"]["version"] == 1
    refused = client.request("PUT", path, json={"relatedContactId": eve})
    assert refused.status == 422 and refused.json()["errors"][0]["rule"] == "read_only"


def test_a_search_for_some_members_answers_those_alone(client: CrmClient) -> None:
    client.contacts.create({"name": "Zed Quux", "email": "zed@quux.example"})
    body = {"q": "zed quux", "fields": ["name", "email"]}
    (found,) = client.request("POST", "/v1/contacts/search", json=body).json()["data"]
    assert found.keys() == {"id", "version", "name", "email"} and found["version"] == 1


def test_an_undefined_custom_field_is_text(client: CrmClient) -> None:
    client.contacts.create({"name": "Ada", "custom_fields": {"budget": 10}})

    def search(**query: Any) -> Any:
        return client.request("POST", "/v1/contacts/search", json=query)

    greater = {"filters": [{"field": "customFields.budget", "op": "gt", "value": 5}]}
    refused = search(filterGroups=[greater])
    assert refused.status == 422 and refused.json()["errors"][0]["code"] == "INVALID_OPERATOR"
    assert search(sort="customFields.budget").status == 200


def test_null_clears_a_member(client: CrmClient) -> None:
    cases: list[tuple[str, Any, Any]] = [
        ("custom_fields", {"budget": 10}, {}),
        ("tags", ["a"], []),
        ("notes", ["met at the fair"], []),
        ("secondary_emails", ["ada@home.example"], []),
        ("social_profiles", [{"network": "github", "url": "https://x.example/ada"}], []),
        ("address", {"city": "C"}, None),
        ("birthday", date(1990, 1, 2), None),
    ]
    for member, value, empty in cases:
        body: Any = {"name": "Ada", member: value}
        nothing: Any = {member: None}
        made, none = client.contacts.create(body), client.contacts.create(body | nothing)
        cleared = client.contacts.update(made.id, nothing)
        assert getattr(cleared, member) == getattr(none, member) == empty
        assert (cleared.version, client.contacts.update(made.id, nothing).version) == (2, 2)


def test_a_merge_of_all_that_is_found_needs_the_right_to_each(client: CrmClient, sales: CrmClient) -> None:
    twins = [sales.contacts.create({"name": "Same Person", "phone": "+493012345678"}) for _ in range(2)]
    theirs = [client.contacts.create({"name": "Other One", "mobile": "+493087654321"}) for _ in range(2)]
    ids = [contact.id for contact in (*twins, *theirs)]
    assert refusal(lambda: sales.contacts.deduplicate(mode="merge", contact_ids=ids)) == "FORBIDDEN"
    assert [client.contacts.get(contact.id) for contact in (*twins, *theirs)] == [*twins, *theirs]
    assert len(sales.contacts.deduplicate(mode="merge", contact_ids=ids[:2]).merged) == 1


def test_who_may_only_read_finds_duplicates_and_merges_none(stub: StubServer) -> None:
    reader = stub.client(api_key=None, dialects="platform")
    reader.auth.login("rita@acme.test", "demo-password")
    assert reader.contacts.deduplicate().groups
    for call in (
        lambda: reader.contacts.deduplicate(mode="merge", contact_ids=["contact_123"]),
        reader.contacts.export,
    ):
        assert refusal(call) == "FORBIDDEN"


def test_a_contact_without_an_owner_counts_as_own(client: CrmClient, sales: CrmClient, stub: StubServer) -> None:
    records = stub.store.collection("tenant_acme", "contact")
    nobody = records.put(Document(records.all()[0]) | {"owner_id": None})["id"]
    assert code_of(upsert(sales, {"id": nobody, "title": "Mine"})) is None
    rows = sales.contacts.export(format="jsonl", fields=["id"]).read().decode()
    assert nobody in rows


def test_an_item_has_the_key_it_named_its_contact_by(client: CrmClient) -> None:
    cases: list[tuple[Any, Any, Any]] = [
        ({"id": "contact_nope", "email": "a@key.example"}, "email", "contact_nope"),
        ({"name": "A", "email": "A@key.example"}, "email", "A@key.example"),
        ({"name": "A", "external_id": "x1"}, "email", "x1"),
        ({"name": "A", "external_id": "x1"}, None, "x1"),
        ({"name": "A"}, None, None),
    ]
    for item, match_on, key in cases:
        (done,) = upsert(client, item, match_on=match_on).items
        assert done.key == key


def test_nested_lists_are_filled_in_a_list_that_includes_them(client: CrmClient) -> None:
    (listed,) = client.contacts.list(search="alice johnson", include=["communication_history"]).items
    whole = client.contacts.get(listed.id)
    assert listed.communication_history == whole.communication_history != []
    assert (listed.ai_insights, bool(whole.ai_insights)) == ([], True)
    found = client.contacts.search({"q": "alice johnson", "include": ["ai_insights"], "fields": ["name"]})
    assert found.items[0].ai_insights == whole.ai_insights and found.items[0].email is None


def test_a_company_that_several_accounts_are_called_like_links_to_none(client: CrmClient) -> None:
    for _ in range(2):
        client.accounts.create({"name": "Twin Ltd"})
    assert client.contacts.create({"name": "Ada", "company": "Twin Ltd"}).account_id is None


def test_an_export_holds_the_rows_in_the_scope_of_the_role(
    client: CrmClient, sales: CrmClient, stub: StubServer
) -> None:
    own = sales.contacts.create({"name": "Own of sales"})
    rows = sales.contacts.export(format="jsonl", fields=["id", "owner_id"]).read().decode().splitlines()
    assert any(own.id in row for row in rows) and all("user_ada" not in row for row in rows)
    reader = stub.client(api_key=None)
    reader.auth.login("rita@acme.test", "demo-password")
    with pytest.raises(PermissionDeniedError):
        reader.contacts.export().read()


def test_what_is_refused_is_told_at_once(client: CrmClient) -> None:
    with pytest.raises(ValidationError) as caught:
        client.contacts.create({"name": "Ada", "owner_id": "user_none", "account_id": "account_none"})
    assert {error.field for error in caught.value.fields} == {"owner_id", "account_id"}


def test_a_call_checks_a_thousand_contacts_at_most(client: CrmClient) -> None:
    drafts: Any = [{"name": "Ada"}] * 1_001
    calls: list[Any] = [client.contacts.validate, client.contacts.bulk_upsert]
    for call in calls:
        error = refused(partial(call, drafts))
        assert (error.code, error.fields[0].field, error.details) == (
            "TOO_MANY_ITEMS", "contacts", {"limit": 1_000, "given": 1_001},
        )  # fmt: skip
    error = refused(partial(client.contacts.bulk_delete, ["contact_123"] * 1_001))
    assert (error.code, error.fields[0].field) == ("TOO_MANY_ITEMS", "ids")
