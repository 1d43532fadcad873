"""Records: required and unique values, merging, versions, lists and searches by the fields of their object, rights."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.models import CustomObject
from server_stub import StubServer

from .conftest import Add, Define, field, select


def test_fields_merge_key_by_key(stub: StubServer, platform: CrmClient, define: Define, add: Add) -> None:
    thing = define(field("x"), field("y", "integer"), select("z", "multi_select"))
    made, records = add(thing, x="a", y=1, z=["red", "blue"]), platform.custom_objects.records
    assert (made.version, made.owner_id is not None, made.tags, made.related) == (1, True, [], [])
    new = records.update(thing.id, made.id, {"fields": {"y": 2, "z": ["green"]}, "tags": ["a"]}, version=1)
    assert new.fields == {"name": "Some", "x": "a", "y": 2, "z": ["green"]} and new.version == 2
    assert records.update(thing.id, made.id, {"fields": {"y": 2, "x": "a"}}).version == 2
    assert records.update(thing.id, made.id, {"fields": {"x": None}}).fields == {"name": "Some", "y": 2, "z": ["green"]}
    assert refused(lambda: records.update(thing.id, made.id, {"tags": []}, version=1)).code == "VERSION_CONFLICT"
    assert refused(lambda: records.delete(thing.id, made.id, version=1)).code == "VERSION_CONFLICT"
    log = [entry for entry in stub.audit() if entry["entity"]["id"] == made.id]
    assert [entry["action"] for entry in log] == ["record.created", "record.updated", "record.updated"]
    assert [(change["field"], change["before"], change["after"]) for change in log[1]["changes"]] == [
        ("tags", [], ["a"]), ("fields.y", 1, 2), ("fields.z", ["red", "blue"], ["green"]),
    ]  # fmt: skip
    assert log[0]["entity"] == {"type": thing.api_name, "id": made.id, "name": "Some"}


def test_its_events_have_the_record_as_it_is_answered(
    stub: StubServer, platform: CrmClient, define: Define, add: Add
) -> None:
    thing = define(field("go_live", "date"))
    made = add(thing, go_live="2026-03-01")
    platform.custom_objects.records.update(thing.id, made.id, {"fields": {"go_live": "2026-04-01"}})
    events = [e for e in stub.store.collection("tenant_acme", "event") if e["type"].startswith("record.")]
    data = [dict(stub.feeds.ws_data(event)) for event in events]
    assert data[0]["fields"] == {"name": "Some", "go_live": date(2026, 3, 1)}
    assert data[1].keys() == made.model_dump(by_alias=True).keys() | {"changes"}
    assert list(data[1]["changes"]) == ["fields.go_live"]


def test_a_unique_value_is_taken_until_its_record_is_gone(platform: CrmClient, define: Define, add: Add) -> None:
    cases: list[tuple[Any, Any, Any]] = [
        (field("x", unique=True), "V1", "v1"),
        (field("x", "integer", unique=True), 7, 7),
        (field("x", "decimal", unique=True), 7, 7.0),
        (field("x", "email", unique=True), "ada@example.com", "ADA@example.com"),
        (field("x", "date", unique=True), "2026-01-31", "2026-01-31"),
        (field("x", "long_text", unique=True), "y" * 5_000, "y" * 5_000),
        (select("x", "multi_select", unique=True), ["red", "blue"], ["blue", "red"]),
    ]
    for key, value, twin in cases:
        thing, other = define(key), define(key)
        first, second = add(thing, x=value), add(thing)
        add(thing)
        add(other, x=value)
        records = platform.custom_objects.records
        for call in (
            partial(add, thing, x=twin),
            partial(records.update, thing.id, second.id, {"fields": {"x": twin}}),
        ):
            error = refused(call)
            assert (error.status, error.code, error.details["existingId"]) == (409, "DUPLICATE_VALUE", first.id)
            assert error.fields[0].field == "fields.x"
        records.update(thing.id, first.id, {"fields": {"x": twin}})
        records.delete(thing.id, first.id)
        records.update(thing.id, second.id, {"fields": {"x": twin}})


def test_a_value_is_unique_in_its_own_field(define: Define, add: Add) -> None:
    thing = define(field("x", unique=True), field("y", unique=True), field("z"))
    add(thing, x="same", z="other")
    add(thing, y="same", z="other")
    add(thing, x="other", y="another")


def test_a_required_value_cannot_be_left_out_or_cleared(platform: CrmClient, define: Define, add: Add) -> None:
    thing = define(field("x", required=True), field("y", required=True, default="usual"))
    assert add(thing, x="a").fields["y"] == "usual"
    for values in ({}, {"x": None}, {"x": ""}, {"x": "a", "y": None}):
        error = refused(lambda values=values: add(thing, **values))  # type: ignore[misc] # bound now
        assert (error.status, error.fields[0].rule) == (422, "required")
    made = add(thing, x="a")
    assert (
        refused(lambda: platform.custom_objects.records.update(thing.id, made.id, {"fields": {"x": None}}))
        .fields[0]
        .rule
        == "required"
    )


def test_an_option_that_is_inactive_stays_with_who_has_it(platform: CrmClient, define: Define, add: Add) -> None:
    thing = define(select("x"), select("y", "multi_select"))
    made = add(thing, x="red", y=["red", "blue"])
    for name in ("x", "y"):
        options: Any = [{**option, "active": option["value"] != "red"} for option in select("x")["options"]]
        platform.custom_objects.fields.update(thing.id, name, {"options": options})
    records = platform.custom_objects.records
    kept = records.update(thing.id, made.id, {"fields": {**made.fields, "y": ["red", "green"]}})
    assert kept.fields["x"] == "red" and kept.fields["y"] == ["red", "green"]
    for values in ({"x": "red"}, {"y": ["red"]}):
        error = refused(lambda values=values: add(thing, **values))  # type: ignore[misc] # bound now
        assert error.fields[0].rule == "choice"


@pytest.fixture
def fleet(stub: StubServer, platform: CrmClient, define: Define, add: Add) -> CustomObject:
    """Four cars: A with 10 km, b with 9, C with 100 and no date, D without anything."""
    thing = define(
        field("km", "decimal"), field("bought", "date"), select("x"), select("y", "multi_select"),
        field("note", "long_text"), field("quiet", searchable=False), field("ok", "boolean"),
        field("owner", "reference", reference_to="contact"),
    )  # fmt: skip
    add(thing, "A", km=10, bought="2026-01-14", x="red", y=["red", "blue"], note="Zürich fleet", ok=True)
    add(thing, "b", km=9, bought="2025-12-01", x="blue", y=["green"], quiet="Zürich", ok=False, owner="contact_123")
    add(thing, "C", km=100.5, bought="2026-02-01", x="red", note="spare", ok=True)
    add(thing, "D zurich")
    return thing


LISTS: list[tuple[dict[str, Any], str]] = [
    ({}, "DCbA"),
    ({"order": "asc"}, "AbCD"),
    ({"sort": "name"}, "AbCD"),
    ({"sort": "name", "order": "desc"}, "DCbA"),
    ({"sort": "km"}, "bACD"),
    ({"sort": "km", "order": "desc"}, "CAbD"),
    ({"sort": "bought"}, "bACD"),
    ({"sort": "bought", "order": "desc"}, "CAbD"),
    ({"sort": "created_at", "order": "desc", "limit": 2}, "DC"),
    ({"sort": "km", "limit": 2, "page": 2}, "CD"),
    ({"search": "zurich"}, "DA"),
    ({"search": "zurich fleet"}, "A"),
    ({"search": "spare"}, "C"),
    ({"related_id": "contact_123"}, "b"),
    ({"related_id": "contact_nobody"}, ""),
    ({"owner_id": "user_nobody"}, ""),
    ({"page": 9}, ""),
]


def test_records_are_listed_by_fields_of_their_object(platform: CrmClient, fleet: CustomObject) -> None:
    for given, names in LISTS:
        page = platform.custom_objects.records.list(fleet.id, **given)
        assert "".join((record.name or "")[:1] for record in page.items) == names


SEARCHES: list[tuple[str, str, Any, str]] = [
    ("km", "gt", 9, "AC"),
    ("fields.km", "between", (9, 10), "Ab"),
    ("km", "is_not_set", None, "D"),
    ("bought", "gte", "-30d", "AC"),
    ("bought", "lt", "this_year", "b"),
    ("x", "eq", "red", "AC"),
    ("x", "neq", "red", "Db"),
    ("x", "in", ["blue", "green"], "b"),
    ("y", "contains", "blue", "A"),
    ("y", "not_contains", "blue", "CDb"),
    ("note", "contains", "fleet", "A"),
    ("note", "starts_with", "spa", "C"),
    ("name", "eq", "b", "b"),
    ("ok", "eq", False, "b"),
    ("owner", "eq", "contact_123", "b"),
    ("created_at", "gte", "today", "ACDb"),
    ("version", "eq", 1, "ACDb"),
    ("tags", "is_set", None, ""),
]


def test_records_are_found_by_conditions_on_fields(platform: CrmClient, fleet: CustomObject) -> None:
    for name, op, value, names in SEARCHES:
        condition: Any = {"field": name, "op": op}
        if isinstance(value, tuple):
            condition |= {"value": value[0], "high_value": value[1]}
        elif value is not None:
            condition["values" if isinstance(value, list) else "value"] = value
        query: Any = {"filter_groups": [{"filters": [condition]}], "sort": "name"}
        found = platform.custom_objects.records.search(fleet.id, query)
        assert "".join(sorted((record.name or "")[:1] for record in found)) == names


def test_a_search_sorts_picks_and_includes(platform: CrmClient, fleet: CustomObject) -> None:
    search = platform.custom_objects.records.search
    assert [r.name for r in search(fleet.id, {"sort": "km", "order": "desc"})] == ["C", "A", "b", "D zurich"]
    (found,) = search(fleet.id, {"q": "ZÜRICH fleet", "fields": ["fields.km"]})
    assert found.fields == {"km": 10} and found.name is None
    (same,) = search(fleet.id, {"q": "ZÜRICH fleet", "fields": ["km"]})
    assert same == found, "a field is named with or without its place"
    owned: Any = [{"filters": [{"field": "owner", "op": "is_set"}]}]
    (found,) = search(fleet.id, {"filter_groups": owned, "include": ["related"]})
    assert [(ref.type, ref.id) for ref in found.related] == [("contact", "contact_123")]
    bad: list[tuple[Any, str]] = [
        ({"field": "stray", "op": "eq", "value": 1}, "UNKNOWN_FIELD"),
        ({"field": "ok", "op": "gt", "value": True}, "INVALID_OPERATOR"),
        ({"field": "km", "op": "contains", "value": "1"}, "INVALID_OPERATOR"),
    ]
    for condition, code in bad:
        assert refused(lambda c=condition: search(fleet.id, {"filter_groups": [{"filters": [c]}]})).code == code  # type: ignore[misc] # bound now
    for query in (
        {"sort": "y"},
        {"sort": "stray"},
        {"include": ["files"]},
        {"fields": ["fields.stray"]},
        {"fields": ["stray"]},
    ):
        assert refused(lambda q=query: search(fleet.id, q)).status == 422  # type: ignore[misc] # bound now
    for sort in ("y", "stray", "owner_id"):
        assert refused(lambda s=sort: platform.custom_objects.records.list(fleet.id, sort=s)).status == 422  # type: ignore[misc] # bound now


def test_dates_and_tags_narrow_a_list(stub: StubServer, platform: CrmClient, fleet: CustomObject) -> None:
    records = platform.custom_objects.records
    first = records.list(fleet.id, sort="created_at").items[0]
    stub.clock.advance(timedelta(days=1).total_seconds())
    late = records.create(fleet.id, {"fields": {"name": "late"}, "tags": ["New", "Blue"]})
    assert [r.id for r in records.list(fleet.id, created_after=late.created_at)] == [late.id]
    assert records.list(fleet.id, created_before=first.created_at).total == 0
    assert [r.id for r in records.list(fleet.id, tags=["new", "blue"])] == [late.id]
    assert records.list(fleet.id, tags=["new", "red"]).total == 0


def test_another_company_and_another_object_see_nothing(
    stub: StubServer, platform: CrmClient, define: Define, add: Add
) -> None:
    thing, other = define(), define()
    made = add(thing)
    theirs = stub.client(api_key="globex-admin", dialects="platform", max_retries=0)
    for records, id in ((theirs.custom_objects.records, thing.id), (platform.custom_objects.records, other.id)):
        for call in (
            lambda r=records, i=id: r.get(i, made.id),
            lambda r=records, i=id: r.update(i, made.id, {"tags": ["x"]}),
            lambda r=records, i=id: r.delete(i, made.id),
        ):
            assert refused(call).code == "NOT_FOUND"
    assert refused(lambda: theirs.custom_objects.records.list(thing.api_name)).status == 404
    assert platform.custom_objects.records.get(thing.id, made.id) == made


def test_sales_writes_its_own_records(platform: CrmClient, sales: CrmClient, define: Define, add: Add) -> None:
    thing = define(field("x"))
    theirs, records = add(thing), sales.custom_objects.records
    assert records.get(thing.id, theirs.id).id == theirs.id
    for call in (
        lambda: records.update(thing.id, theirs.id, {"fields": {"x": "a"}}),
        lambda: records.delete(thing.id, theirs.id),
    ):
        assert refused(call).code == "FORBIDDEN"
    own = records.create(thing.id, {"fields": {"name": "Mine"}})
    assert records.update(thing.id, own.id, {"fields": {"x": "a"}}).version == 2
    records.delete(thing.id, own.id)
    assert platform.custom_objects.get(thing.id).record_count == 1
