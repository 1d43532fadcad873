"""Fields: further ones of the entities of the CRM, whose values every write checks, and changed standard ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crm_sdk import ApiError, CrmClient
from crm_sdk.models import FieldDescription

from .conftest import New

NEW: dict[str, dict[str, Any]] = {
    "contact": {"name": "Ada"},
    "lead": {"name": "Ada", "email": "ada@lead.test"},
    "account": {"name": "Ada Ltd"},
    "deal": {"title": "Ada's deal"},
    "activity": {"kind": "task", "title": "Ada"},
    "territory": {"name": "Ada's"},
}
SIZE: dict[str, Any] = {"api_name": "size", "label": "Size", "type": "integer", "min_value": 1}


def add(crm: CrmClient, entity: str = "contact", **more: Any) -> str:
    body: Any = {**SIZE, **more}
    return crm.customization.fields.create(entity, body).id


def described(crm: CrmClient, name: str, entity: str = "contact", *, hidden: bool = False) -> FieldDescription | None:
    fields = crm.objects.describe(entity, include_hidden=hidden).fields
    return next((one for one in fields if one.name == name), None)


def write(crm: CrmClient, entity: str, values: dict[str, Any] | None, **more: Any) -> Any:
    row = {**NEW[entity], **more, **({"custom_fields": values} if values is not None else {})}
    operations: Any = [{"action": "create", "entity": entity, "values": row}]
    return crm.objects.transaction(operations).results[0]


def code_of(call: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(ApiError) as caught:
        call(*arguments, **named)
    return caught.value.code


@pytest.mark.parametrize("entity", NEW)
def test_values_of_every_entity_are_checked(admin: CrmClient, entity: str) -> None:
    id = add(admin, entity)
    shown = described(admin, "custom_fields.size", entity)
    assert shown is not None and (shown.field_id, shown.type, shown.custom) == (id, "integer", True)
    with pytest.raises(ApiError) as caught:
        write(admin, entity, {"size": 0})
    assert (caught.value.fields[-1].rule, caught.value.fields[-1].field) == (
        "min", "operations[0].values.custom_fields.size",
    )  # fmt: skip
    assert write(admin, entity, {"size": 7, "free": "kept"}).id is not None
    with pytest.raises(ApiError) as caught:
        admin.customization.fields.delete(entity, "size")
    assert (caught.value.code, caught.value.details["values"]) == ("FIELD_IN_USE", 1)
    admin.customization.fields.delete(entity, "size", force=True)
    assert described(admin, "custom_fields.size", entity) is None
    assert code_of(admin.customization.fields.delete, entity, "size") == "NOT_FOUND"


def test_every_way_to_write_checks_values(admin: CrmClient) -> None:
    add(admin)
    wrong: Any = {"name": "Ada", "email": "w@ada.test", "custom_fields": {"size": "x"}}
    assert code_of(admin.contacts.create, wrong) == "VALIDATION_ERROR"
    made = admin.contacts.create({"name": "Ada", "custom_fields": {"size": 2}})
    assert code_of(admin.contacts.update, made.id, {"custom_fields": {"size": -2}}) == "VALIDATION_ERROR"
    (item,) = admin.objects.upsert("contact", [wrong], match_on="email").items
    assert item.error is not None and item.error.field == "customFields.size"
    kept = admin.contacts.update(made.id, {"title": "CTO"})
    assert kept.custom_fields == {"size": 2}
    assert admin.contacts.update(made.id, {"custom_fields": {"size": None}}).custom_fields == {}


def test_values_are_compared_by_their_type(admin: CrmClient) -> None:
    add(admin)
    for size in (2, 10, 9):
        admin.contacts.create({"name": f"Size {size}", "custom_fields": {"size": size}})
    query: Any = {
        "filter_groups": [{"filters": [{"field": "custom_fields.size", "op": "gt", "value": 2}]}],
        "sort": "custom_fields.size", "order": "asc",
    }  # fmt: skip
    assert [one.name for one in admin.contacts.search(query)] == ["Size 9", "Size 10"]


def test_defaults_numbers_and_unique_values(admin: CrmClient) -> None:
    add(admin, "deal", default=3)
    add(admin, "deal", api_name="number", type="auto_number", min_value=None, format="D-{000}")
    count = len(list(admin.deals.list()))
    deal = admin.deals.create({"title": "One"})
    assert deal.custom_fields == {"size": 3, "number": f"D-{count + 1:03}"}
    assert admin.deals.update(deal.id, {"custom_fields": None}).custom_fields == {"number": f"D-{count + 1:03}"}
    add(admin, "deal", api_name="code", type="text", min_value=None, unique=True)
    admin.deals.create({"title": "Two", "custom_fields": {"code": "A"}})
    assert code_of(admin.deals.create, {"title": "Three", "custom_fields": {"code": "a"}}) == "DUPLICATE_VALUE"


def test_a_default_is_for_a_new_record_and_a_required_value_stays(admin: CrmClient) -> None:
    add(admin, "deal", default=3)
    given: Any
    for given, stored in (({}, 3), ({"size": 4}, 4), ({"size": None}, 3)):
        deal = admin.deals.create({"title": "One", "custom_fields": given})
        assert deal.custom_fields == {"size": stored}
    values: Any
    for values, left in (({"other": 1}, {"size": 3, "other": 1}), ({"size": None}, {"other": 1}), ({}, {"other": 1})):
        assert admin.deals.update(deal.id, {"custom_fields": values}).custom_fields == left
    assert admin.deals.update(deal.id, {"title": "Two"}).custom_fields == {"other": 1}
    add(admin, "deal", api_name="must", required=True, default=5)
    kept = admin.deals.create({"title": "Three"})
    assert kept.custom_fields == {"size": 3, "must": 5}
    for values in ({"must": None}, None):
        changes: Any = {"custom_fields": values}
        with pytest.raises(ApiError) as caught:
            admin.deals.update(kept.id, changes)
        assert [(one.field, one.rule) for one in caught.value.fields] == [("custom_fields.must", "required")]
    assert admin.deals.update(kept.id, {"custom_fields": {"size": None}}).custom_fields == {"must": 5}


def test_a_field_is_refused(admin: CrmClient) -> None:
    add(admin, api_name="taken")
    admin.contacts.create({"name": "Ada", "custom_fields": {"free": "text"}})

    def check(members: dict[str, Any], code: str) -> None:
        assert code_of(add, admin, **members) == code

    cases: list[tuple[dict[str, Any], str]] = [
        ({"api_name": "email"}, "RESERVED_NAME"),
        ({"api_name": "taken"}, "FIELD_EXISTS"),
        ({"required": True}, "FIELD_NEEDS_DEFAULT"),
        ({"api_name": "free"}, "FIELD_HAS_CONFLICTS"),
        ({"type": "select", "min_value": None}, "VALIDATION_ERROR"),
    ]
    for case in cases:
        check(*case)


def test_who_may_add_fields_and_to_what(admin: CrmClient, other: CrmClient, new: New) -> None:
    _, crm = new()
    assert code_of(add, crm) == "FORBIDDEN"
    assert code_of(add, admin, "poem") == "NOT_FOUND"
    assert code_of(add, admin, "user") == "UNSUPPORTED_OPERATION"
    add(admin)
    assert described(other, "custom_fields.size") is None
    assert code_of(other.customization.fields.delete, "contact", "size") == "NOT_FOUND"


def test_a_field_made_again_with_another_type_has_no_old_values(admin: CrmClient) -> None:
    add(admin, api_name="again", type="text", min_value=None)
    ada = admin.contacts.create({"name": "Ada", "custom_fields": {"again": "x"}})
    admin.customization.fields.delete("contact", "again", force=True)
    add(admin, api_name="again")
    assert admin.contacts.get(ada.id).custom_fields == {}


def test_strict_fields_refuse_what_nobody_has_defined(admin: CrmClient) -> None:
    ada = admin.contacts.create({"name": "Ada", "custom_fields": {"free": 1}})
    admin.configuration.settings.update({"customization.strict_fields": True})
    with pytest.raises(ApiError) as caught:
        admin.contacts.create({"name": "Eve", "custom_fields": {"free": 1}})
    assert caught.value.fields[0].rule == "unknown"
    assert admin.contacts.update(ada.id, {"title": "CTO"}).custom_fields == {"free": 1}


def test_options_that_are_switched_off_stay_where_they_are(admin: CrmClient) -> None:
    options: Any = [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]
    add(admin, api_name="tier", type="select", min_value=None, options=options)
    ada = admin.contacts.create({"name": "Ada", "custom_fields": {"tier": "a"}})
    change = admin.customization.fields.update
    assert code_of(change, "contact", "tier", {"options": options[1:]}) == "OPTION_IN_USE"
    off: Any = [{**options[0], "active": False}, options[1]]
    change("contact", "tier", {"options": off})
    assert admin.contacts.update(ada.id, {"custom_fields": {"tier": "a"}}).custom_fields == {"tier": "a"}
    assert code_of(admin.contacts.create, {"name": "Eve", "custom_fields": {"tier": "a"}}) == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    ("entity", "field", "value", "refused"),
    [("lead", "status", "asleep", True), ("lead", "status", "new", False), ("deal", "title", "x", True)],
)
def test_a_standard_field_takes_no_options_but_its_own(
    admin: CrmClient, entity: str, field: str, value: str, *, refused: bool
) -> None:
    options: Any = {"options": [{"value": value, "label": "Other"}]}
    change = admin.customization.fields.update
    if refused:
        assert code_of(change, entity, field, options) == "VALIDATION_ERROR"
    else:
        change(entity, field, options)
        known = described(admin, field, entity)
        assert known is not None and "Other" in {one.label for one in known.options}


def test_a_standard_field_is_changed_and_changed_back(admin: CrmClient, other: CrmClient) -> None:
    change = admin.customization.fields.update
    ada = admin.contacts.create({"name": "Ada"})
    shown = change("contact", "department", {"label": "Section", "labels": {"de": "Abteilung"}, "required": True})
    assert (shown.label, shown.required, shown.custom) == ("Section", True, False)
    german = admin.with_options(language="de")
    found = described(german, "department")
    assert found is not None and found.label == "Abteilung"
    calls: list[Callable[[], object]] = [
        lambda: admin.contacts.create({"name": "Eve"}),
        lambda: admin.contacts.update(ada.id, {"title": "CTO"}),
    ]
    for call in calls:
        with pytest.raises(ApiError) as caught:
            call()
        assert (caught.value.fields[0].field, caught.value.fields[0].rule) == ("department", "required")
    change("contact", "department", {"default": "Sales", "hidden": True})
    assert admin.contacts.create({"name": "Eve"}).department == "Sales"
    assert described(admin, "department") is None and described(admin, "department", hidden=True) is not None
    for members in ({"type": "integer"}, {"unique": True}, {"required": False}):
        assert code_of(change, "contact", "department", members) == "FIELD_PROTECTED"
    assert code_of(change, "contact", "nonsense", {"label": "x"}) == "NOT_FOUND"
    assert code_of(admin.customization.fields.delete, "contact", "email") == "FIELD_PROTECTED"
    back: Any = dict.fromkeys(("label", "labels", "required", "default", "hidden"))
    change("contact", "department", back)
    mine, theirs = described(admin, "department"), described(other.with_options(language="en"), "department")
    assert mine is not None and theirs is not None and mine.model_dump() == theirs.model_dump()


def test_a_definition_that_names_a_field_holds_it(admin: CrmClient) -> None:
    add(admin)
    body: Any = {"entity": "contact", "kind": "list", "name": "Sizes",
                 "columns": [{"field": "name"}, {"field": "custom_fields.size"}]}  # fmt: skip
    layout = admin.customization.layouts.create(body)
    with pytest.raises(ApiError) as caught:
        admin.customization.fields.delete("contact", "size")
    assert [one["id"] for one in caught.value.details["usedBy"]] == [layout.id]
    admin.customization.fields.delete("contact", "size", force=True)
    (found,) = admin.customization.layouts.list(search="Sizes")
    assert [one.field for one in found.columns] == ["name"]


def test_a_form_has_the_fields_that_are_required(admin: CrmClient) -> None:
    admin.customization.fields.update("contact", "department", {"required": True})
    body: Any = {"entity": "contact", "kind": "create", "name": "Short", "sections": [{"fields": [{"field": "name"}]}]}
    with pytest.raises(ApiError) as caught:
        admin.customization.layouts.create(body)
    assert (caught.value.code, caught.value.details["fields"]) == ("REQUIRED_FIELD_MISSING", ["department"])


def test_the_terminology_of_a_company_names_its_entities(admin: CrmClient, other: CrmClient) -> None:
    before = admin.objects.describe("deal")
    admin.configuration.settings.update({"ui.terminology": {"deal": {"one": "Opportunity", "many": "Opportunities"}}})
    after = admin.objects.describe("deal")
    assert (after.label, after.plural_label) == ("Opportunity", "Opportunities")
    assert after.schema_version != before.schema_version
    assert next(one for one in admin.objects.list() if one.entity == "deal").label == "Opportunity"
    assert other.with_options(language="en").objects.describe("deal").label == "Deal"


@pytest.mark.parametrize(
    ("type", "free", "value"),
    [
        ("integer", 7, 7),
        ("decimal", 7.5, 7.5),
        ("email", "Ada@Example.TEST", "ada@example.test"),
        ("phone", "+49 30 123456", "+4930123456"),
        ("datetime", "2026-03-01T10:00:00+02:00", "2026-03-01T08:00:00Z"),
        ("multi_select", ["a", "a"], ["a"]),
        ("text", "", None),
    ],
)
def test_what_a_new_field_finds_is_read_as_its_value(admin: CrmClient, type: str, free: Any, value: Any) -> None:
    body: Any = {"name": "Ada", "custom_fields": {"size": free}}
    id = admin.contacts.create(body).id
    options: Any = {"options": [{"value": "a", "label": "A"}]} if type == "multi_select" else {}
    add(admin, type=type, min_value=None, **options)
    assert admin.contacts.get(id).custom_fields == ({"size": value} if value is not None else {})


def test_a_field_can_be_sent_back_as_it_was_created(admin: CrmClient) -> None:
    body = {"apiName": "size", "label": "Size", "type": "integer"}
    made = admin.request("POST", "/v1/customization/contact/fields", json=body).json()["data"]
    path = f"/v1/customization/contact/fields/{made['id']}"
    assert admin.request("PUT", path, json={**made, "label": "Height"}).json()["data"]["label"] == "Height"
    del made["version"], made["updatedAt"]  # of the copy that is overtaken now
    for other, answer in (({"apiName": "height"}, (422, "read_only")), ({"shape": "round"}, (422, "unknown"))):
        reply = admin.request("PUT", path, json={**made, **other})
        assert (reply.status, reply.json()["errors"][0]["rule"]) == answer
    reply = admin.request("PUT", "/v1/customization/contact/fields/department", json={"apiName": "section"})
    assert (reply.status, reply.json()["errors"][0]["code"]) == (409, "FIELD_PROTECTED")


@pytest.mark.parametrize(
    ("positions", "first", "last"),
    [
        ({"department": 0}, ["department", "id"], None),
        ({"department": 1}, ["id", "department"], None),
        ({"department": 1, "title": 0}, ["title", "department", "id"], None),
        ({"department": 999}, ["id"], "department"),
        ({"department": 0, "title": None}, ["department", "id"], None),
    ],
)
def test_fields_stand_where_they_were_moved_to(
    admin: CrmClient, positions: dict[str, Any], first: list[str], last: str | None
) -> None:
    before = [one.name for one in admin.objects.describe("contact").fields]
    for name, position in positions.items():
        admin.customization.fields.update("contact", name, {"position": position})
    shown = admin.objects.describe("contact").fields
    assert [one.position for one in shown] == list(range(len(before)))
    found = [one.name for one in shown]
    assert (found[: len(first)], last in (None, found[-1])) == (first, True)
    assert [name for name in found if name not in positions] == [name for name in before if name not in positions]
    assert sorted(found) == sorted(before), "none is lost"


def test_options_of_a_standard_field_that_are_switched_off_stay_where_they_are(admin: CrmClient) -> None:
    ada = admin.contacts.create({"name": "Ada", "lifecycle_stage": "mql"})
    options: Any = [{"value": "mql", "label": "MQL", "active": False}, {"value": "lead", "label": "Prospect"}]
    shown = admin.customization.fields.update("contact", "lifecycle_stage", {"options": options})
    assert [(one.value, one.label, one.active) for one in shown.options[:2]] == [
        ("mql", "MQL", False), ("lead", "Prospect", True),
    ]  # fmt: skip
    assert {one.value for one in shown.options} >= {"subscriber", "sql", "customer"}
    changes: list[Any] = [{"title": "CTO"}, {"lifecycle_stage": "mql"}, {"lifecycle_stage": "lead"}]
    for change in changes:
        assert admin.contacts.update(ada.id, change).name == "Ada"
    calls: list[Callable[[], object]] = [
        lambda: admin.contacts.create({"name": "Eve", "lifecycle_stage": "mql"}),
        lambda: admin.contacts.update(ada.id, {"lifecycle_stage": "mql"}),
    ]
    for call in calls:
        with pytest.raises(ApiError) as caught:
            call()
        assert [(one.field, one.rule) for one in caught.value.fields] == [("lifecycle_stage", "choice")]


def test_a_field_that_was_changed_since_is_locked(admin: CrmClient) -> None:
    add(admin)
    fields = admin.customization.fields
    assert fields.update("contact", "size", {"label": "Sizes"}, version=1).label == "Sizes"
    assert code_of(fields.update, "contact", "size", {"label": "S"}, version=1) == "VERSION_CONFLICT"
    assert fields.update("contact", "size", {"label": "S"}, version=2).label == "S"
