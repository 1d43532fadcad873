"""What rows, operations and deleted records come to, one by one: results, errors with their places, references."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from newcomers import signed_in
from stub_data import some

from crm_sdk import ApiError, CrmClient, ValidationError
from crm_sdk.models import BulkResult
from server_stub import StubServer


@pytest.fixture
def crm(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", strict=True)


def errors(result: BulkResult[Any]) -> list[tuple[str | None, ...]]:
    found = [item.error for item in result.items]
    return [(one.code, one.field, one.rule) if one is not None else (None,) for one in found]


def refused(crm: CrmClient, *operations: Any) -> list[tuple[str | None, ...]]:
    """Return what is wrong with the operations of a transaction, but for the sum of it."""
    with pytest.raises(ValidationError) as raised:
        crm.objects.transaction(list(operations))
    whole, *rest = raised.value.fields
    assert (whole.code, whole.field, whole.details) == ("BULK_REJECTED", "operations", {"total": len(operations)})
    assert f"{len(rest)} things" in whole.message
    return [(one.field, one.code, one.rule) for one in rest]


def test_a_row_says_what_it_came_to(crm: CrmClient) -> None:
    row: Any = {"external_id": "r-1", "name": "Eva", "address": {"street": "A 1"}}

    def write(changes: Any, **options: Any) -> tuple[Any, ...]:
        (item,) = crm.objects.upsert("contact", [row | changes], return_records=True, **options).items
        one = some(item.result)
        assert item.id == one.id and getattr(one.record, "version", None) == one.version
        return one.outcome, one.matched_on, one.version

    assert write({}) == ("created", None, 1)
    assert write({}) == ("unchanged", "external_id", 1)
    assert write({"title": "CEO", "email": "eva@rows.example"}) == ("updated", "external_id", 2)
    assert write({"title": "CTO"}, on_match="skip") == ("skipped", "external_id", 2)
    assert write({"title": "CTO"}, on_match="fill_empty") == ("unchanged", "external_id", 2)
    filled = {"address": {"street": "B 2", "city": "Bonn"}, "department": "Ops"}
    assert write(filled, on_match="fill_empty") == ("updated", "external_id", 3)
    eva = crm.contacts.get(crm.objects.batch_get("contact", ["r-1"], match_on="external_id").items[0].id or "")
    assert eva.address is not None and (eva.address.street, eva.address.city) == ("A 1", "Bonn")
    assert (eva.title, eva.department) == ("CEO", "Ops")
    by_email = crm.objects.upsert("contact", [{"email": "EVA@rows.example", "title": None}], match_on="email")
    one = some(by_email.items[0].result)
    assert (one.outcome, one.matched_on, one.record) == ("updated", "email", None)
    assert crm.contacts.get(eva.id).title is None
    by_id: Any = {"id": eva.id, "external_id": "r-2"}
    one = some(crm.objects.upsert("contact", [by_id]).items[0].result)
    assert (one.outcome, one.matched_on) == ("updated", "id")
    assert crm.contacts.get(eva.id).external_id == "r-2"


def test_a_row_that_is_none_says_why(crm: CrmClient) -> None:
    crm.contacts.create({"name": "Eva", "external_id": "e-1", "email": "eva@rows.example"})
    rows: list[Any] = [
        5, {}, {"external_id": ""}, {"external_id": {"a": 1}}, {"external_id": True, "name": "x"}, {"id": 7},
        {"id": "contact_none"}, {"external_id": "e-9"}, {"external_id": "E-1", "name": "x"}, {"id": "deal_7"},
    ]  # fmt: skip
    body = {"records": rows}
    items = crm.request("POST", "/platform/v1/objects/contact/upsert", json=body).json()["data"]["items"]
    found = [(one["error"]["code"], one["error"]["field"], one["error"]["rule"]) for one in items if one["error"]]
    assert found == [
        ("VALIDATION_ERROR", None, "type"), ("MATCH_KEY_MISSING", "externalId", "required"),
        ("MATCH_KEY_MISSING", "externalId", "required"), ("VALIDATION_ERROR", "externalId", "type"),
        ("VALIDATION_ERROR", "externalId", "type"), ("VALIDATION_ERROR", "id", "type"), ("NOT_FOUND", None, None),
        ("VALIDATION_ERROR", "name", "required"), ("NOT_FOUND", None, None),
    ]  # fmt: skip
    assert items[8]["result"]["outcome"] == "created", "another case is another external id"
    ids = [crm.accounts.create({"name": name}).id for name in ("A", "B")]
    crm.accounts.merge(ids[0], [ids[1]])
    (merged,) = crm.objects.upsert("account", [{"id": ids[1], "name": "x"}]).items
    assert merged.error is not None and merged.error.code == "RECORD_MERGED"
    assert merged.error.details == {"survivorId": ids[0]}
    made = crm.objects.upsert("contact", [{"external_id": "e-1", "name": "x"}], mode="create")
    assert errors(made) == [("DUPLICATE_VALUE", "externalId", "unique")]
    taken = crm.objects.upsert("contact", [{"email": "eva@rows.example"}], match_on="email", mode="create")
    assert errors(taken) == [("CONTACT_EXISTS", "email", "unique")]
    twice = crm.objects.upsert(
        "contact", [{"email": "a@rows.example", "name": "A"}, {"email": "A@rows.example"}], match_on="email"
    )
    assert errors(twice)[1][:2] == ("DUPLICATE_IN_BATCH", "email")
    assert some(twice.items[1].error).details == {"index": 0}
    with pytest.raises(ValidationError) as raised:
        crm.objects.upsert("contact", [{"external_id": "t-1", "name": "T"}, {"external_id": "t-2"}], atomic=True)
    assert raised.value.code == "BULK_REJECTED"
    assert crm.objects.batch_get("contact", ["t-1"], match_on="external_id").failed == 1


def test_members_have_either_name_at_every_depth(crm: CrmClient) -> None:
    guests = [
        {"user_id": "user_sam", "email": "sam@acme.test", "role": "optional"},
        {"email": "g@rows.example", "name": "G"},
    ]
    row: Any = {
        "kind": "event", "external_id": "ev-1", "title": "Meet", "start_time": "2026-02-02T10:00:00Z",
        "end_time": "2026-02-02T11:00:00Z", "attendees": guests, "custom_fields": {"snake_key": 1, "camelKey": 2},
    }  # fmt: skip
    (item,) = crm.objects.upsert("activity", [row]).items
    assert item.error is None, item.error
    stored = crm.request("GET", f"/platform/v1/activities/{item.id}").json()["data"]
    assert {one.get("userId") for one in stored["attendees"]} >= {"user_sam"}
    assert {one.get("email") for one in stored["attendees"]} >= {"g@rows.example"}
    assert stored["customFields"] == {"snake_key": 1, "camelKey": 2}
    amount = "12345678901234.56"
    made = crm.objects.upsert("deal", [{"external_id": "d-1", "title": "D", "value": Decimal(amount)}])
    assert str(crm.deals.get(made.items[0].id or "").value) == amount
    lead = crm.objects.upsert("lead", [{"external_id": "l-1", "name": "L", "employees": Decimal("7.0")}])
    assert crm.leads.get(lead.items[0].id or "").employees == 7, "a number without a fraction is whole"


def test_an_activity_stays_of_its_kind_and_has_its_members_alone(crm: CrmClient) -> None:
    task = crm.activities.tasks.create({"title": "Call", "contact_id": "contact_123"}).id
    for members, error in (
        ({"transcript": "Hello"}, "transcript"), ({"kind": "task", "title": "Ring"}, None),
        ({"kind": "task", "location": "Rome"}, "location"), ({"title": "Talk"}, None),
        ({"kind": "note", "title": "Written"}, "kind"),
    ):  # fmt: skip
        row: Any = {"id": task, **members}
        ((_, *named),) = errors(crm.objects.upsert("activity", [row]))
        assert next(iter(named), None) == error, members
        operation: Any = {"action": "update", "entity": "activity", "id": task, "values": members}
        if error is not None:
            (wrong,) = refused(crm, operation)
            assert wrong[0] == f"operations[0].values.{error}", members
        else:
            crm.objects.transaction([operation])
    stored: Any = crm.activities.get(task)
    assert (stored.kind, stored.title) == ("task", "Talk")


# -- transactions ------------------------------------------------------------------------------------------------------


def test_each_error_of_a_transaction_has_its_place(crm: CrmClient) -> None:
    id = crm.contacts.create({"name": "Eva", "email": "eva@rows.example"}).id
    lead = {"action": "create", "entity": "lead", "values": {"name": "x"}}
    cases: list[tuple[list[Any], list[tuple[str | None, ...]]]] = [
        ([lead | {"ref": "a"}, lead | {"ref": "a"}], [("operations[1].ref", "VALIDATION_ERROR", "unique")]),
        ([{"action": "update", "entity": "contact", "values": {}}],
         [("operations[0].id", "VALIDATION_ERROR", "required")]),
        ([{"action": "delete", "entity": "contact"}], [("operations[0].id", "VALIDATION_ERROR", "required")]),
        ([{"action": "create", "entity": "contacts", "values": {}}],
         [("operations[0].entity", "VALIDATION_ERROR", "choice")]),
        ([{"action": "create", "entity": "user", "values": {}}], [("operations[0]", "UNSUPPORTED_OPERATION", None)]),
        ([{"action": "update", "entity": "contact", "id": id, "version": 9, "values": {"title": "x"}}],
         [("operations[0]", "VERSION_CONFLICT", None)]),
        ([{"action": "delete", "entity": "contact", "id": id, "version": 9}],
         [("operations[0]", "VERSION_CONFLICT", None)]),
        ([{"action": "delete", "entity": "contact", "id": "contact_none"}], [("operations[0].id", "NOT_FOUND", None)]),
        ([{"action": "upsert", "entity": "contact", "match_on": "title", "values": {"title": "x"}}],
         [("operations[0].match_on", "NOT_A_KEY", "choice")]),
        ([{"action": "upsert", "entity": "contact", "values": {"name": "x"}}],
         [("operations[0].values.external_id", "MATCH_KEY_MISSING", "required")]),
        ([{"action": "create", "entity": "contact", "values": {"name": "x", "email": "eva@rows.example"}}],
         [("operations[0].values.email", "CONTACT_EXISTS", None)]),
        ([{"action": "create", "entity": "contact", "values": {"name": "x", "tags": ["a", "@none"]}}],
         [("operations[0].values.tags.1", "REFERENCE_NOT_FOUND", "reference")]),
        ([{"action": "update", "entity": "contact", "id": "@none", "values": {}}],
         [("operations[0].id", "REFERENCE_NOT_FOUND", "reference")]),
        ([lead | {"ref": "a", "values": {}}, {"action": "update", "entity": "lead", "id": "@a", "values": {}},
          lead | {"values": {"name": "@a"}}], [("operations[0].values.name", "VALIDATION_ERROR", "required")]),
    ]  # fmt: skip
    for operations, expected in cases:
        found = refused(crm, *operations)
        assert [(field, code) for field, code, _ in found] == [(field, code) for field, code, _ in expected]
        assert [rule for *_, rule in expected if rule] == [
            rule for (*_, rule), (*_, known) in zip(found, expected, strict=True) if known
        ]
    assert crm.contacts.get(id).version == 1


@pytest.mark.parametrize(("count", "taken"), [(25, True), (26, False)])
def test_a_transaction_has_up_to_25_operations(crm: CrmClient, count: int, taken: bool) -> None:
    operations: Any = [{"action": "create", "entity": "lead", "values": {"name": f"L{n}"}} for n in range(count)]
    reply = crm.request("POST", "/platform/v1/objects/transaction", json={"operations": operations})
    if taken:
        assert len(reply.json()["data"]["results"]) == 25
    else:
        (error,) = reply.json()["errors"]
        assert (reply.status, error["code"], error["field"], error["rule"]) == (
            422, "TOO_MANY_ITEMS", "operations", "max",
        )  # fmt: skip
        assert error["details"] == {"limit": 25, "given": 26}
    empty = crm.request("POST", "/platform/v1/objects/transaction", json={"operations": []})
    assert [(one["field"], one["rule"]) for one in empty.json()["errors"]] == [("operations", "min")]


def test_an_operation_on_what_is_not_allowed_says_so(stub: StubServer, crm: CrmClient) -> None:
    """An entity there is not is a wrong choice; the others say what forbids them."""
    roles: Any = [{"resource": "contacts", "action": "read"}, {"resource": "contacts", "action": "create"}]
    crm.security.roles.create({"key": "few", "name": "Few", "permissions": roles})
    _, few = signed_in(stub, crm, "few")
    values: Any = {"name": "Eva"}
    operations: Any = [{"action": "create", "entity": one, "values": values} for one in ("deal", "contact", "nothing")]
    with pytest.raises(ApiError) as raised:
        few.objects.transaction(operations)
    assert [(one.field, one.code) for one in raised.value.fields[1:]] == [
        ("operations[0]", "FORBIDDEN"), ("operations[2].entity", "VALIDATION_ERROR"),
    ]  # fmt: skip


def test_what_operations_come_to(crm: CrmClient) -> None:
    operations: Any = [
        {"action": "create", "entity": "contact", "ref": "eva", "values": {"name": "@@Eva", "tags": ["@@a", "b@c"]}},
        {"action": "update", "entity": "contact", "id": "@eva", "version": 1, "values": {"name": "@Eva"[1:]}},
        {"action": "update", "entity": "contact", "id": "@eva", "values": {"name": "Eva"}},
        {"action": "upsert", "entity": "contact", "match_on": "email", "ref": "ben",
         "values": {"name": "Ben", "email": "ben@rows.example", "custom_fields": {"boss": "@eva", "of": ["@eva"]}}},
        {"action": "upsert", "entity": "contact", "match_on": "email", "values": {"email": "ben@rows.example"}},
        {"action": "create", "entity": "lead", "ref": "gone", "values": {"name": "L"}},
        {"action": "delete", "entity": "lead", "id": "@gone"},
    ]  # fmt: skip
    done = crm.objects.transaction(operations)
    assert [(one.outcome, one.matched_on, one.version, one.record) for one in done.results] == [
        ("created", None, 1, None), ("updated", "id", 2, None), ("unchanged", "id", 2, None),
        ("created", None, 1, None), ("unchanged", "email", 1, None), ("created", None, 1, None),
        ("deleted", "id", 2, None),
    ]  # fmt: skip
    assert done.refs == {"eva": done.results[0].id, "ben": done.results[3].id, "gone": done.results[5].id}
    ben = crm.contacts.get(done.refs["ben"])
    assert ben.custom_fields == {"boss": done.refs["eva"], "of": [done.refs["eva"]]}
    assert crm.contacts.get(done.refs["eva"]).tags == ["@a", "b@c"]
    assert crm.objects.batch_get("lead", [done.refs["gone"]]).failed == 1


# -- deleted records ---------------------------------------------------------------------------------------------------


def test_deleted_records_are_chosen(stub: StubServer, crm: CrmClient) -> None:
    sam = stub.client(api_key="acme-sales", dialects="platform")
    b, a = crm.contacts.create({"name": "B"}).id, crm.contacts.create({"name": "A", "email": "a@rows.example"}).id
    own = sam.contacts.create({"name": "Own"}).id
    crm.contacts.delete(b)
    crm.contacts.delete(a)
    sam.contacts.delete(own)
    crm.contacts.create({"name": "New", "email": "a@rows.example"})

    def ids(**options: Any) -> list[str]:
        return [one.id for one in crm.objects.deleted.list("contact", **options) if one.id in (a, b, own)]

    graves = {one.id: one for one in crm.objects.deleted.list("contact")}
    at, early = some(graves[a].deleted_at), some(graves[b].deleted_at)
    assert ids() == [own, a, b] and ids(sort="name") == [a, b, own] and ids(sort="name", order="desc") == [own, b, a]
    assert ids(sort="deleted_at") == [b, a, own]
    assert ids(since=at) == [own, a] and ids(until=at) == [b]
    assert ids(since=at + timedelta(milliseconds=1)) == [own]
    assert ids(until=at + timedelta(milliseconds=1)) == [a, b]
    assert ids(deleted_by="apikey_acme_sales") == [own]
    assert ids(search="own") == [own] and ids(search="x") == []
    assert ids(restorable=False) == [a] and ids(restorable=True) == [own, b]
    (blocked,) = graves[a].blocked_by
    assert (blocked.code, blocked.field, blocked.rule) == ("RESTORE_CONFLICT", "email", "unique")
    assert (graves[b].restorable, graves[b].blocked_by, graves[b].entity) == (True, [], "contact")
    assert graves[b].purge_at == early + timedelta(days=30)
    assert [one.id for one in sam.objects.deleted.list("contact")] == [own]
    held: Any = {"entity_type": "deleted_records", "retain_days": 40, "legal_hold": False, "enabled": True}
    crm.audit.retention_policies.update([held])
    purge = {one.id: one.purge_at for one in crm.objects.deleted.list("contact")}
    assert purge[b] == early + timedelta(days=40)
    holds: list[tuple[Any, bool]] = [
        ([held | {"legal_hold": True}], True),
        ([held, held | {"entity_type": "contact", "legal_hold": True}], True),
        ([held, held | {"entity_type": "deal", "legal_hold": True}], False),
    ]
    for policies, is_held in holds:
        known = {one.entity_type: one for one in crm.audit.retention_policies.list()}
        ended: Any = [
            {"entity_type": kind, "retain_days": one.retain_days, "legal_hold": False}
            for kind, one in known.items() if kind not in {each["entity_type"] for each in policies}
        ]  # fmt: skip
        whole = [*policies, *ended]
        given: Any = [
            one | ({"id": known[one["entity_type"]].id} if one["entity_type"] in known else {}) for one in whole
        ]
        crm.audit.retention_policies.update(given)
        found = {one.id: one.purge_at for one in crm.objects.deleted.list("contact")}
        assert found[b] == (None if is_held else early + timedelta(days=40))


def test_a_restore_says_what_is_in_the_way(crm: CrmClient) -> None:
    ids = [crm.accounts.create({"name": f"A{n}", "external_id": f"a-{n}"}).id for n in range(4)]
    crm.accounts.merge(ids[0], [ids[1]])
    crm.accounts.delete(ids[2])
    crm.accounts.create({"name": "New", "external_id": "a-2"})
    found = crm.objects.restore("account", [ids[1], ids[2], ids[3], "account_none"])
    assert [one[0] for one in errors(found)] == ["RECORD_MERGED", "RESTORE_CONFLICT", "NOT_DELETED", "NOT_FOUND"]
    assert errors(found)[1] == ("RESTORE_CONFLICT", "externalId", "unique")
    with pytest.raises(ValidationError) as raised:
        crm.objects.restore("account", [])
    assert [(one.field, one.rule) for one in raised.value.fields] == [("ids", "min")]


def test_a_deal_comes_back_without_what_is_gone_and_with_who_was_merged(crm: CrmClient) -> None:
    gone, merged, stays = (crm.accounts.create({"name": name}).id for name in ("Gone", "Merged", "Stays"))
    deals = {id: crm.deals.create({"title": "D", "account_id": id}).id for id in (gone, merged, stays)}
    for deal in deals.values():
        crm.deals.delete(deal)
    crm.accounts.delete(gone)
    crm.accounts.merge(stays, [merged])
    assert crm.objects.restore("deal", list(deals.values())).succeeded == 3
    found = {id: crm.deals.get(deal).account_id for id, deal in deals.items()}
    assert found == {gone: None, merged: stays, stays: stays}


def test_a_record_is_found_by_a_key_however_it_is_written(crm: CrmClient) -> None:
    contact = crm.contacts.create({"name": "P", "phone": "+49 30 123456", "email": "P@keys.example"}).id
    account = crm.accounts.create({"name": "A", "domain": "keys.example"}).id
    for entity, key, id, ways in (
        ("contact", "phone", contact, ["+49 30 123456", "+4930123456"]),
        ("contact", "email", contact, ["p@KEYS.example", "P@keys.example"]),
        ("account", "domain", account, ["https://www.keys.example/x", "KEYS.example", "x@keys.example"]),
    ):  # fmt: skip
        for way in ways:
            (found,) = crm.objects.batch_get(entity, [way], match_on=key).items
            assert found.id == id, (key, way)
            (item,) = crm.objects.upsert(entity, [{"name": f"By {way}"[:9], key: way}], match_on=key).items
            assert (item.id, item.error) == (id, None), (key, way)


def test_a_key_that_is_written_in_two_ways_is_there_twice(crm: CrmClient) -> None:
    for key, (one, other) in {
        "phone": ("+4930123456", "+49 30 123456"),
        "email": ("a@two.example", "A@two.example"),
    }.items():
        rows: Any = [{"name": "A", key: one}, {"name": "B", key: other}]
        found = errors(crm.objects.upsert("contact", rows, match_on=key))
        assert found == [(None,), ("DUPLICATE_IN_BATCH", key, None)], key
    made = crm.contacts.create({"name": "C"}).id
    twice: Any = [{"id": made, "title": "x"}, {"id": made, "title": "y"}]
    assert errors(crm.objects.upsert("contact", twice))[1][0] == "DUPLICATE_IN_BATCH"


def test_a_member_that_is_hidden_is_none_of_the_named_ones(stub: StubServer, crm: CrmClient) -> None:
    permissions: Any = [{"resource": "contacts", "action": "read"}]
    hides: Any = [{"entity": "contact", "field": "phone", "access": "hidden"}]
    crm.security.roles.create({"key": "blind", "name": "Blind", "permissions": permissions, "field_permissions": hides})
    _, blind = signed_in(stub, crm, "blind")
    id = crm.contacts.create({"name": "Eva", "phone": "+4930111"}).id
    for fields, place in ((["name", "phone"], "fields.1"), (["phone"], "fields.0")):
        with pytest.raises(ValidationError) as raised:
            blind.objects.batch_get("contact", [id], fields=fields)
        assert (raised.value.code, raised.value.fields[0].field, raised.value.details) == (
            "UNKNOWN_FIELD", place, {"field": "phone"},
        )  # fmt: skip
    assert blind.objects.batch_get("contact", [id], fields=["name"]).succeeded == 1
    assert crm.objects.batch_get("contact", [id], fields=["phone"]).succeeded == 1


def test_a_record_is_answered_as_its_list_shows_it(crm: CrmClient) -> None:
    eva = crm.contacts.create({"name": "Eva Sums"}).id
    crm.deals.create({"title": "Sums", "contact_id": eva, "value": 100})
    (listed,) = crm.contacts.list(search="Eva Sums").items
    assert listed.total_value == 100 and listed.open_deals == 1
    got: Any = crm.objects.batch_get("contact", [eva]).items[0].result
    (scanned,) = [one for one in crm.objects.scan("contact") if one.id == eva]
    assert got == listed == scanned
    shown: Any = {"title": "W", "type": "kpi", "source": {"metric": "sales.revenue"}}
    board = crm.dashboards.create({"name": "Whole in its own call alone", "widgets": [shown]})
    (listed_board,) = crm.dashboards.list(search="Whole in its own").items
    assert (len(board.widgets), listed_board.widgets) == (1, [])
    got = crm.objects.batch_get("dashboard", [board.id]).items[0].result
    (scanned_board,) = [one for one in crm.objects.scan("dashboard") if one.id == board.id]
    assert got == listed_board == scanned_board
