"""Definitions: names, primary fields, what a change to a field does to stored records, and what it may not do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient, InvalidInputError
from crm_sdk.models import CustomField, CustomObject
from server_stub import StubServer
from server_stub.services.custom_objects.values import LONGEST

from .conftest import OPTIONS, Add, Define, field, select


def one(platform: CrmClient, thing: CustomObject, name: str) -> CustomField:
    (found,) = [one for one in platform.custom_objects.fields.list(thing.id) if one.api_name == name]
    return found


def test_an_object_is_defined_filled_and_deleted(stub: StubServer, mode: str, call: Callable[[Any], Any]) -> None:
    client: Any = stub.client() if mode == "sync" else stub.async_client()
    objects = client.custom_objects
    thing = call(
        objects.create({"api_name": "car", "label": "Car", "plural_label": "Cars", "fields": [field("km", "integer")]})
    )
    assert [(one.api_name, one.type, one.is_system, one.position) for one in thing.fields] == [
        ("name", "text", True, 0), ("km", "integer", False, 1),
    ]  # fmt: skip
    made = call(objects.records.create("car", {"fields": {"name": "Van", "km": 7}, "tags": ["fleet"]}))
    assert (made.name, made.object, made.object_id, made.fields) == ("Van", "car", thing.id, {"name": "Van", "km": 7})
    assert call(objects.get("car")).record_count == 1
    assert call(objects.records.search("car", {"q": "van"})) == [made]
    assert refused_of(call, lambda: objects.delete("car")).details["recordCount"] == 1
    call(objects.delete("car", force=True))
    assert refused_of(call, lambda: objects.get(thing.id)).status == 404
    assert [e["action"] for e in stub.audit() if e["entity"]["id"] == made.id] == ["record.created", "record.deleted"]


def refused_of(call: Callable[[Any], Any], made: Callable[[], Any]) -> Any:
    return refused(lambda: call(made()))


def test_words_of_the_crm_are_reserved(platform: CrmClient) -> None:
    cases: list[str] = ["contact", "custom_objects", "record", "backup", "chatops", "calendar"]
    for name in cases:
        given: Any = {"api_name": name, "label": "X", "plural_label": "Xs"}
        error = refused(partial(platform.custom_objects.create, given))
        assert (error.status, error.code, error.fields[0].field) == (422, "RESERVED_NAME", "api_name"), name


def test_a_name_has_small_letters_digits_and_underscores(platform: CrmClient) -> None:
    cases: list[str] = ["ab", "1ab", "Abc", "a-bc", "a" * 51, ""]
    for name in cases:
        with pytest.raises(InvalidInputError, match="api_name"):
            platform.custom_objects.create({"api_name": name, "label": "X", "plural_label": "Xs"})


def test_another_text_field_can_name_the_records(platform: CrmClient, define: Define) -> None:
    thing = define(field("plate"), field("km", "integer"), primary_field="plate")
    assert [one.api_name for one in thing.fields] == ["plate", "km"]
    records = platform.custom_objects.records
    made = records.create(thing.id, {"fields": {"plate": "B-X 1"}})
    assert made.name == "B-X 1"
    assert refused(lambda: platform.custom_objects.update(thing.id, {"primary_field": "km"})).status == 422
    platform.custom_objects.fields.create(thing.id, field("nick", default="Bee"))
    platform.custom_objects.update(thing.id, {"primary_field": "nick"})
    assert records.get(thing.id, made.id).name == "Bee"
    refusal = refused(lambda: platform.custom_objects.fields.delete(thing.id, "nick", force=True))
    assert refusal.code == "FIELD_PROTECTED"
    platform.custom_objects.fields.delete(thing.id, "plate", force=True)
    assert records.get(thing.id, made.id).fields == {"nick": "Bee"}
    assert refused(lambda: define(field("km", "integer"), primary_field="km")).status == 422


def test_a_definition_is_made_whole_or_not_at_all(stub: StubServer, platform: CrmClient) -> None:
    log = len(stub.audit())
    fields = [field("a"), field("b", "select"), field("c", "integer", min_value=3, max_value=2)]
    given: Any = {"api_name": "car", "label": "X", "plural_label": "Xs", "fields": fields}
    error = refused(lambda: platform.custom_objects.create(given))
    assert [(one.field, one.rule) for one in error.fields] == [
        ("fields.1.options", "required"), ("fields.2.max_value", "min"),
    ]  # fmt: skip
    twice: Any = {**given, "fields": [field("a"), field("a")]}
    assert refused(lambda: platform.custom_objects.create(twice)).code == "FIELD_EXISTS"
    assert platform.custom_objects.list(search="car").total == 0 and len(stub.audit()) == log
    assert stub.store.collection("tenant_acme", "field").find("api_name", "c") == []


def test_the_plan_limits_objects_and_fields(stub: StubServer, platform: CrmClient, define: Define) -> None:
    thing = define()
    tenants = stub.store.collection("tenant_acme", "tenant")
    tenant = stub.tenant("tenant_acme")
    used = platform.custom_objects.list().total or 0
    tenants.put(tenant | {"limits": {"custom_objects": used, "custom_fields_per_object": 2}})
    error = refused(define)
    assert (error.status, error.code, error.details["used"]) == (403, "LIMIT_EXCEEDED", used)
    platform.custom_objects.fields.create(thing.id, field("a"))
    assert refused(lambda: platform.custom_objects.fields.create(thing.id, field("b"))).code == "LIMIT_EXCEEDED"
    tenants.put(tenant | {"features": {"custom_objects": False}})
    error = refused(lambda: platform.custom_objects.get(thing.id))
    assert (error.status, error.code, error.details) == (403, "FEATURE_DISABLED", {"feature": "custom_objects"})
    tenants.put(tenant | {"plan": "free"})
    assert refused(platform.custom_objects.list).code == "FEATURE_DISABLED"


WRONG: Mapping[str, tuple[Any, str, str]] = {
    "no options": (field("x", "select"), "options", "required"),
    "an option twice": (field("x", "select", options=[OPTIONS[0], OPTIONS[0]]), "options.1.value", "unique"),
    "options of a text": (field("x", options=OPTIONS), "options", "choice"),
    "decimals of a whole number": (field("x", "integer", precision=2), "precision", "choice"),
    "a currency of a decimal": (field("x", "decimal", currency="EUR"), "currency", "choice"),
    "an unknown currency": (field("x", "currency", currency="XTS"), "currency", "choice"),
    "nothing to refer to": (field("x", "reference"), "reference_to", "required"),
    "an unknown thing to refer to": (field("x", "reference", reference_to="moon"), "reference_to", "reference"),
    "a session to refer to": (field("x", "reference", reference_to="session"), "reference_to", "reference"),
    "a file that is held": (field("x", "reference", reference_to="file", on_delete="restrict"), "on_delete", "choice"),
    "no regular expression": (field("x", pattern="(["), "pattern", "format"),
    "brackets that are not its own": (field("x", pattern="a)|(b"), "pattern", "format"),
    "a back-reference": (field("x", pattern=r"(a)\1"), "pattern", "format"),
    "an expression beyond measure": (field("x", pattern="a{99999999}"), "pattern", "format"),
    **{
        f"too long a value of {type}": (field("x", type, max_length=most + 1), "max_length", "max")
        for type, most in LONGEST.items()
        if type != "long_text"  # no field is longer
    },
    "a form without a number": (field("x", "auto_number", format="INV"), "format", "format"),
    "a form with two numbers": (field("x", "auto_number", format="{0}-{0}"), "format", "format"),
    "a default of another type": (field("x", "integer", default="7"), "default", "type"),
    "a default out of bounds": (field("x", "integer", default=7, max_value=6), "default", "max"),
    "a default that is no option": (select("x", default="pink"), "default", "choice"),
    "an automatic number with a default": (field("x", "auto_number", default="7"), "default", "read_only"),
}


def test_fields_that_can_never_be_are_refused(platform: CrmClient, define: Define) -> None:
    for given, name, rule in WRONG.values():
        thing = define()
        error = refused(partial(platform.custom_objects.fields.create, thing.id, given))
        assert (error.status, [(one.field, one.rule) for one in error.fields]) == (422, [(name, rule)])
        tried = platform.custom_objects.fields.validate(thing.id, given)
        assert not tried.valid and [(one.field, one.rule) for one in tried.errors] == [(name, rule)]
    for type, most in LONGEST.items():
        assert platform.custom_objects.fields.create(thing.id, field(type, type, max_length=most)).max_length == most


CONFLICTS: Mapping[str, tuple[Any, Any, str, int]] = {
    "a value that became required": (field("x"), {"required": True}, "FIELD_HAS_CONFLICTS", 1),
    "equal values that became unique": (field("x"), {"unique": True}, "FIELD_HAS_CONFLICTS", 2),
    "a longer value than allowed": (field("x"), {"max_length": 1}, "FIELD_HAS_CONFLICTS", 2),
    "a shorter value than allowed": (field("x"), {"min_length": 3}, "FIELD_HAS_CONFLICTS", 2),
    "a value of another form": (field("x"), {"pattern": "[A-Z]+"}, "FIELD_HAS_CONFLICTS", 2),
    "a type that does not widen": (field("x"), {"type": "integer"}, "FIELD_TYPE_CHANGE", 0),
    "an option in use": (select("x"), {"options": OPTIONS[1:]}, "OPTION_IN_USE", 2),
    "too small a number": (field("x", "integer"), {"min_value": 8}, "FIELD_HAS_CONFLICTS", 2),
    "too great a number": (field("x", "decimal"), {"max_value": 6}, "FIELD_HAS_CONFLICTS", 2),
    "too many decimals": (field("x", "decimal"), {"precision": 0}, "FIELD_HAS_CONFLICTS", 2),
    "records of another kind": (
        field("x", "reference", reference_to="contact"), {"reference_to": "lead"}, "FIELD_HAS_CONFLICTS", 2,
    ),
}  # fmt: skip
_VALUES = {"text": "hi", "select": "red", "integer": 7, "decimal": 7.5, "reference": "contact_123"}


def test_rules_that_stored_values_break_are_refused(
    stub: StubServer, platform: CrmClient, define: Define, add: Add
) -> None:
    for given, changes, code, count in CONFLICTS.values():
        thing = define(given)
        value = _VALUES[given["type"]]
        two = [add(thing, x=value).id, add(thing, x=value).id]
        bare = add(thing).id
        before, log = one(platform, thing, "x"), len(stub.audit())
        tried = platform.custom_objects.fields.validate(thing.id, changes, field_id="x")
        error = refused(partial(platform.custom_objects.fields.update, thing.id, "x", changes))
        assert (error.status, error.code) == (409, code)
        assert [detail.code for detail in tried.errors] == [code] and not tried.valid
        broken = [bare] if count == 1 else two[:count]
        assert tried.affected_records == count and sorted(tried.conflicts) == sorted(broken)
        if count:
            assert sorted(error.details["recordIds"]) == sorted(broken)
        assert one(platform, thing, "x") == before and len(stub.audit()) == log


WIDENED: Mapping[str, tuple[Any, Any, str, Any]] = {
    "text": (field("x"), "hi", "long_text", "hi"),
    "integer": (field("x", "integer"), 7, "decimal", 7),
    "integer at once": (field("x", "integer"), 7, "currency", 7),
    "decimal": (field("x", "decimal"), 7.5, "currency", 7.5),
    "select": (select("x"), "red", "multi_select", ["red"]),
    "date": (field("x", "date"), "2026-07-01", "datetime", "2026-07-01T04:00:00Z"),  # midnight in New York
}


def test_types_widen_and_take_the_values_along(platform: CrmClient, define: Define, add: Add) -> None:
    for given, value, wider, after in WIDENED.values():
        thing = define({**given, "default": value})
        made = add(thing, x=value)
        changed = platform.custom_objects.fields.update(thing.id, "x", {"type": wider})
        assert (changed.type, changed.version) == (wider, 2)
        got = platform.custom_objects.records.get(thing.id, made.id)
        assert got.fields["x"] == after and got.version == (1 if after == value else 2)
        assert add(thing).fields["x"] == after, "the default widens, too"
        assert (
            platform.custom_objects.records.search(
                thing.id, {"filter_groups": [{"filters": [{"field": "x", "op": "is_set"}]}], "sort": "name"}
            ).total
            == 2
        )
        error = refused(partial(platform.custom_objects.fields.update, thing.id, "x", {"type": given["type"]}))
        assert error.code == "FIELD_TYPE_CHANGE"


def test_records_that_are_there_get_the_default_and_their_numbers(
    stub: StubServer, platform: CrmClient, define: Define, add: Add
) -> None:
    thing = define()
    first, second = add(thing), add(thing)
    fields, records = platform.custom_objects.fields, platform.custom_objects.records
    error = refused(lambda: fields.create(thing.id, field("x", required=True)))
    assert (error.code, error.details["recordCount"]) == ("FIELD_NEEDS_DEFAULT", 2)
    error = refused(lambda: fields.create(thing.id, field("x", unique=True, default="a")))
    assert (error.code, len(error.details["recordIds"])) == ("FIELD_HAS_CONFLICTS", 2)
    fields.create(thing.id, field("x", "boolean", required=True, default=False))
    fields.create(thing.id, field("no", "auto_number", format="C-{000}"))
    assert [records.get(thing.id, made.id).fields for made in (first, second)] == [
        {"name": "Some", "x": False, "no": "C-001"}, {"name": "Some", "x": False, "no": "C-002"},
    ]  # fmt: skip
    assert [e["action"] for e in stub.audit() if e["entity"]["id"] == first.id] == ["record.created"] + [
        "record.updated"
    ] * 2
    records.delete(thing.id, second.id)
    assert add(thing).fields["no"] == "C-003"
    fields.update(thing.id, "no", {"format": "{0}/C"})
    assert add(thing, x=True).fields["no"] == "4/C"


def test_what_a_deleted_field_held_is_kept_in_the_trail(
    stub: StubServer, platform: CrmClient, define: Define, add: Add
) -> None:
    thing = define(field("x"), field("y"))
    made = add(thing, x="gone")
    fields = platform.custom_objects.fields
    for name, code in (("name", "FIELD_PROTECTED"), ("x", "FIELD_IN_USE")):
        assert refused(lambda name=name: fields.delete(thing.id, name)).code == code  # type: ignore[misc] # bound now
    fields.delete(thing.id, "y")
    fields.delete(thing.id, "x", force=True)
    assert platform.custom_objects.records.get(thing.id, made.id).fields == {"name": "Some"}
    (erased,) = [e for e in stub.audit() if e["entity"]["id"] == made.id and e["action"] == "record.updated"]
    assert erased["changes"] == [{"field": "fields.x", "before": "gone", "after": None}]
    assert erased["entity"] == {"type": thing.api_name, "id": made.id, "name": "Some"}


def test_fields_are_listed_by_position(platform: CrmClient, define: Define) -> None:
    thing = define(field("a"), field("b", "integer", required=True), field("c"))
    fields = platform.custom_objects.fields
    assert [one.api_name for one in fields.list(thing.id)] == ["name", "a", "b", "c"]
    fields.update(thing.id, "c", {"position": 1})
    assert [(one.api_name, one.position) for one in fields.list(thing.id)] == [
        ("name", 0), ("c", 1), ("a", 2), ("b", 3),
    ]  # fmt: skip
    assert {one.version for one in fields.list(thing.id) if one.api_name != "c"} == {1}
    assert [one.api_name for one in fields.list(thing.id, required=True)] == ["b"]
    assert [one.api_name for one in fields.list(thing.id, type="text", order="desc", sort="position")] == [
        "a", "c", "name",
    ]  # fmt: skip
    assert refused(lambda: fields.list(thing.id, sort="label")).status == 422


DRAFTS: list[tuple[Any, str | None, list[tuple[str, str | None]]]] = [
    (field("fresh"), None, []),
    ({"api_name": "fresh", "type": "text"}, None, [("VALIDATION_ERROR", "label")]),
    ({**field("fresh"), "type": "vector"}, None, [("VALIDATION_ERROR", "type")]),
    ({**field("fresh"), "stray": 1}, None, [("VALIDATION_ERROR", "stray")]),
    ({**field("fresh"), "required": "yes"}, None, [("VALIDATION_ERROR", "required")]),
    ({**field("fresh"), "label": ["x"]}, None, [("VALIDATION_ERROR", "label")]),
    (field("x"), None, [("FIELD_EXISTS", "api_name")]),
    (field("fresh", required=True), None, [("FIELD_NEEDS_DEFAULT", None)]),
    ({"required": False}, "x", []),
    ({"api_name": "x", "label": "X"}, "x", []),
    ({"api_name": "y"}, "x", [("VALIDATION_ERROR", "api_name")]),
    ({"type": "date"}, "x", [("FIELD_TYPE_CHANGE", "type")]),
]


def test_trying_fields_says_what_is_wrong_and_writes_nothing(
    stub: StubServer, platform: CrmClient, define: Define, add: Add
) -> None:
    for draft, field_id, errors in DRAFTS:
        thing = define(field("x"))
        add(thing, x="there")
        log = len(stub.audit())
        found = platform.custom_objects.fields.validate(thing.id, draft, field_id=field_id)
        assert found.valid is not bool(errors)
        assert [(one.code, one.field) for one in found.errors] == errors
        assert len(stub.audit()) == log and platform.custom_objects.get(thing.id).fields == thing.fields


def test_a_change_of_type_that_can_be_warns_that_it_is_for_good(platform: CrmClient, define: Define) -> None:
    thing = define(field("n", "integer"))
    told: Any = {
        "code": "FIELD_TYPE_CHANGE", "field": "type", "message": "the type never becomes integer again", "rule": None,
        "details": {},
    }  # fmt: skip
    drafts: list[tuple[Any, str | None, list[Any]]] = [
        ({"type": "decimal"}, "n", [told]), ({"type": "integer"}, "n", []), ({"label": "N"}, "n", []),
        (field("m"), None, []),
    ]  # fmt: skip
    for draft, field_id, warnings in drafts:
        found = platform.custom_objects.fields.validate(thing.id, draft, field_id=field_id)
        assert found.valid, draft
        assert [one.model_dump() for one in found.warnings] == warnings, draft


def test_a_deletion_by_name_answers_the_id(platform: CrmClient, define: Define, add: Add) -> None:
    thing = define(field("x"))
    link: Any = {"api_name": "who", "label": "Who", "related_object": "contact", "cardinality": "many_to_one"}
    who = platform.custom_objects.relationships.create(thing.id, link)
    add(thing, x="a", who="contact_123")
    path = f"/v1/custom-objects/{thing.api_name}"
    ids = {"/fields/x": thing.fields[1].id, "/relationships/who": who.id, "": thing.id}
    for end, id in ids.items():
        reply = platform.request("DELETE", f"{path}{end}", query={"force": "true"})
        assert reply.json()["data"] == {"id": id, "deleted": True}


def test_what_belonged_to_a_deleted_object_is_in_nobodys_way(
    platform: CrmClient, define: Define, stub: StubServer
) -> None:
    """Its fields go with it: those that referred to another object hold that one no more."""
    other = define()
    thing = define(field("b", "reference", reference_to=other.api_name), field("x"))
    held = refused(lambda: platform.custom_objects.delete(other.id))
    ids = [one.id for one in thing.fields if one.api_name == "b"]
    assert (held.code, held.details) == ("OBJECT_REFERENCED", {"fieldIds": ids})
    assert held.message == f"B of other objects refer to {other.label}: delete the fields first"
    platform.custom_objects.delete(thing.id)
    assert stub.store.collection("tenant_acme", "field").find("object_id", thing.id) == []
    platform.custom_objects.delete(other.id)
    assert refused(lambda: platform.custom_objects.get(other.id)).status == 404


def test_only_who_manages_custom_objects_defines_them(platform: CrmClient, sales: CrmClient, define: Define) -> None:
    thing = define(field("x"))
    objects = sales.custom_objects
    assert objects.get(thing.api_name).id == thing.id and objects.fields.validate(thing.id, field("y")).valid
    writes: list[Callable[[], Any]] = [
        lambda: objects.create({"api_name": "other", "label": "X", "plural_label": "Xs"}),
        lambda: objects.update(thing.id, {"label": "Y"}),
        lambda: objects.delete(thing.id),
        lambda: objects.fields.create(thing.id, field("y")),
        lambda: objects.fields.update(thing.id, "x", {"label": "Y"}),
        lambda: objects.fields.delete(thing.id, "x"),
        lambda: objects.relationships.create(
            thing.id, {"api_name": "who", "label": "Who", "related_object": "contact", "cardinality": "many_to_one"}
        ),
        lambda: objects.relationships.delete(thing.id, "who"),
    ]
    assert [(error := refused(write)).status and error.code for write in writes] == ["FORBIDDEN"] * len(writes)


def test_an_inactive_object_hides_its_records(platform: CrmClient, define: Define, add: Add) -> None:
    thing = define(field("x"))
    made = add(thing)
    platform.custom_objects.update(thing.id, {"active": False})
    records = platform.custom_objects.records
    calls: list[Callable[[], Any]] = [
        lambda: add(thing),
        lambda: records.get(thing.id, made.id),
        lambda: records.update(thing.id, made.id, {"tags": ["x"]}),
        lambda: records.delete(thing.id, made.id),
        lambda: records.list(thing.id),
        lambda: records.search(thing.id, {"q": "some"}),
    ]
    assert [refused(each).code for each in calls] == ["OBJECT_INACTIVE"] * len(calls)
    assert [one.id for one in platform.custom_objects.list(active=False)] == [thing.id]
    platform.custom_objects.fields.create(thing.id, field("y", default="late"))
    platform.custom_objects.update(thing.id, {"active": True})
    assert records.get(thing.id, made.id).fields["y"] == "late"
