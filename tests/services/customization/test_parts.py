"""What layouts and changed fields have, each member of them, and where the errors of a request are."""

from __future__ import annotations

from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.models import Layout
from server_stub import StubServer

from .conftest import New


def layout(crm: CrmClient, kind: str = "list", **more: Any) -> Layout:
    parts: Any = {"columns": [{"field": "name"}]} if kind == "list" else {"sections": [{"fields": [{"field": "name"}]}]}
    body: Any = {"entity": "contact", "kind": kind, "name": "L", **parts, **more}
    return crm.customization.layouts.create(body)


def system(crm: CrmClient, entity: str, kind: str) -> Layout | None:
    return next(iter(crm.customization.layouts.list(effective=True, entity=entity, kind=kind)), None)


def test_a_layout_has_every_member(stub: StubServer, admin: CrmClient, new: New) -> None:
    begin = len(stub.audit())
    made = layout(admin, sort=[{"key": "name"}, {"key": "created_at", "order": "desc"}], columns=[
        {"field": "name"}, {"field": "account.industry", "width": 3, "label": "Trade"}, {"field": "accountId"},
    ])  # fmt: skip
    assert [(one.field, one.width, one.label) for one in made.columns] == [
        ("name", None, None), ("account.industry", 3, "Trade"), ("accountId", None, None),
    ]  # fmt: skip
    assert [(one.key, one.order) for one in made.sort] == [("name", "asc"), ("created_at", "desc")]
    assert (made.audience, made.audience_id, made.owner_id) == ("user", "user_ada", "user_ada")
    assert (made.is_default, made.pinned, made.is_system, made.position, made.version) == (False, False, False, 0, 1)
    assert (made.sections, made.filter_groups, made.group_by, made.icon) == ([], [], None, None)
    second = layout(admin, name="Second")
    third = layout(admin, name="Third", position=9)
    assert (second.position, third.position, layout(admin, name="Fourth").position) == (1, 9, 10)
    assert layout(admin, "detail").position == 0 and layout(admin, name="L", audience="tenant").position == 0
    detail = layout(admin, "detail", name="D", sections=[
        {"fields": [{"field": "name"}, {"field": "email", "read_only": True, "required": True, "width": 2}]},
        {"label": "More", "labels": {"de": "Mehr"}, "columns": 3, "collapsed": True, "fields": [{"field": "title"}]},
    ])  # fmt: skip
    first, more = detail.sections
    assert (first.label, first.columns, first.collapsed, first.visible_when) == (None, 2, False, [])
    assert [(one.field, one.read_only, one.required, one.width) for one in first.fields] == [
        ("name", False, False, 1), ("email", True, True, 2),
    ]  # fmt: skip
    assert (more.label, more.columns, more.collapsed) == ("More", 3, True)
    german = admin.with_options(language="de").customization.layouts.list(search="D", kind="detail")
    assert [one.sections[1].label for one in german if one.id == detail.id] == ["Mehr"]
    moved = admin.customization.layouts.update(made.id, {"audience": "tenant", "name": " Other "})
    assert (moved.audience, moved.audience_id, moved.name, moved.version) == ("tenant", None, "Other", 2)
    back = admin.customization.layouts.update(made.id, {"audience": "user"})
    assert (back.audience, back.audience_id) == ("user", "user_ada")
    user_id, _ = new()
    given = admin.customization.layouts.update(made.id, {"audience": "user", "audience_id": user_id})
    assert given.audience_id == user_id
    assert admin.customization.layouts.update(made.id, {"pinned": True}).audience_id == user_id
    stale = refused(lambda: admin.customization.layouts.update(made.id, {"pinned": False}, version=1))
    assert stale.code == "VERSION_CONFLICT"
    assert refused(lambda: admin.customization.layouts.delete(made.id, version=1)).code == "VERSION_CONFLICT"
    admin.customization.layouts.delete(made.id)
    deeds = [entry["action"] for entry in stub.audit()[begin:] if entry["entity"]["id"] == made.id]
    assert deeds == ["layout.created", *["layout.updated"] * 4, "layout.deleted"]


def test_the_mark_of_the_default_moves_and_is_told(stub: StubServer, admin: CrmClient) -> None:
    one, other = layout(admin, is_default=True), layout(admin, "card", name="C", is_default=True)
    begin = len(stub.audit())
    two = layout(admin, name="Two", is_default=True)
    marks = {each.id: each.is_default for each in admin.customization.layouts.list(entity="contact")}
    assert marks == {one.id: False, other.id: True, two.id: True}
    told = [(entry["action"], entry["entity"]["id"]) for entry in stub.audit()[begin:]]
    assert sorted(told) == sorted([("layout.created", two.id), ("layout.updated", one.id)])


def test_where_a_layout_is_wrong(admin: CrmClient) -> None:
    field: Any = {"field": "name"}
    cases: list[tuple[dict[str, Any], str, str | None]] = [
        ({"columns": [field, {"field": "x"}]}, "columns.1.field", None),
        ({"columns": [field, field]}, "columns.1.field", "unique"),
        ({"columns": [{"field": "firstName"}, {"field": "first_name"}]}, "columns.1.field", "unique"),
        ({"columns": []}, "columns", "required"), ({"kind": "detail", "sections": []}, "sections", "required"),
        ({"kind": "card", "sections": []}, "sections", "required"),
        ({"kind": "create", "sections": []}, "sections", "required"),
        ({"kind": "board"}, "group_by", "required"), ({"kind": "board", "group_by": "name"}, "group_by", "choice"),
        ({"kind": "detail", "sections": [{"fields": [field]}, {"fields": [{"field": "email"}, field]}]},
         "sections.1.fields.1.field", "unique"),
        ({"kind": "detail", "sections": [{"fields": [{"field": "account.name"}]}]},
         "sections.0.fields.0.field", "choice"),
        ({"sort": [{"key": "name"}, {"key": "x"}]}, "sort.1.key", None),
        ({"audience": "team"}, "audience_id", "required"), ({"audience": "role"}, "audience_id", "required"),
        ({"audience": "role", "audience_id": "x"}, "audience_id", "reference"),
        ({"entity": "pipeline"}, "entity", "choice"),
        ({"entity": "onboardings"}, "entity", "choice"),
    ]  # fmt: skip
    for members, at, rule in cases:
        whole: dict[str, Any] = {"kind": "list", **members}
        kind = whole.pop("kind")
        error = refused(lambda kind=kind, whole=whole: layout(admin, kind, **whole))  # type: ignore[misc] # the value of this turn is bound
        assert [one.field for one in error.fields] == [at], members
        assert rule is None or error.fields[0].rule == rule, members
    lacking = refused(lambda: layout(admin, "create", sections=[{"fields": [{"field": "email"}]}]))
    assert (lacking.code, lacking.details) == ("REQUIRED_FIELD_MISSING", {"fields": ["name"]})
    both = layout(admin, "create", sections=[{"fields": [field]}])
    assert both.kind == "create"
    deal: Any = {"entity": "deal", "kind": "list", "columns": [{"field": "title"}], "group_by": "stage", "name": "G"}
    assert admin.customization.layouts.create(deal).group_by == "stage"
    layout(admin, name="Taken")
    assert refused(lambda: layout(admin, name=" tAKEN ")).fields[0].field == "name"
    renamed = layout(admin, name="Free")
    assert admin.customization.layouts.update(renamed.id, {"name": "FREE"}).name == "FREE"
    assert refused(lambda: admin.customization.layouts.update(renamed.id, {"name": "Taken"})).code == "LAYOUT_EXISTS"


def test_layouts_of_the_system(admin: CrmClient, new: New) -> None:
    found = system(admin, "contact", "list")
    assert found is not None
    assert (found.id, found.name, found.is_system, found.audience) == (
        "layout_system_contact_list", "Contact: list", True, "tenant",
    )  # fmt: skip
    assert (found.is_default, found.position, found.owner_id, found.created_by) == (False, 0, None, "system")
    assert len(found.columns) == 8 and found.columns[0].field == "created_at" and found.sections == []
    detail, card, create = (system(admin, "contact", kind) for kind in ("detail", "card", "create"))
    assert detail is not None and card is not None and create is not None
    whole = [one.field for one in detail.sections[0].fields]
    assert {"name", "email", "health_score"} <= set(whole) and not {"id", "version", "created_by"} & set(whole)
    assert [one.field for one in card.sections[0].fields] == whole[:8] and detail.columns == []
    given = [one.field for one in create.sections[0].fields]
    assert "name" in given and not {"health_score", "created_at"} & set(given)
    boards = {entity: system(admin, entity, "board") for entity in ("deal", "lead", "contact", "account", "activity")}
    groups = {entity: board.group_by if board is not None else None for entity, board in boards.items()}
    assert (groups["deal"], groups["lead"], groups["contact"]) == ("stage", "status", "status")
    own = system(admin, "onboarding", "create")
    assert own is not None and {one.field for one in own.sections[0].fields} >= {"fields.name", "fields.status"}
    german = admin.with_options(language="de").customization.layouts.list(effective=True, entity="contact", kind="list")
    assert next(iter(german)).name.startswith("Kontakt: ")
    every = {(one.entity, one.kind) for one in admin.customization.layouts.list(effective=True)}
    assert {("contact", "list"), ("onboarding", "detail"), ("deal", "board")} <= every
    assert [one.entity for one in admin.customization.layouts.list(effective=True, search="lead: card")] == ["lead"]
    assert admin.customization.layouts.list(effective=True, audience="user").total == 0
    admin.custom_objects.update("onboarding", {"active": False})
    assert ("onboarding", "detail") not in {
        (one.entity, one.kind) for one in admin.customization.layouts.list(effective=True)
    }
    assert refused(lambda: layout(admin, entity="onboarding", columns=[{"field": "fields.name"}])).status == 422


def test_layouts_of_a_custom_object_have_its_fields_alone(admin: CrmClient) -> None:
    def field(api_name: str, type: str = "text", **more: Any) -> Any:
        return {"api_name": api_name, "label": api_name, "type": type, **more}

    given = [field("must", required=True), field("given", required=True, default="x"), field("number", "auto_number")]
    given += [field("other", "date"), field("also", required=True), field("gone")]
    admin.custom_objects.create({"api_name": "thing", "label": "T", "plural_label": "Ts", "fields": given})
    admin.custom_objects.fields.delete("thing", "gone")
    written = [f"fields.{name}" for name in ("name", "must", "given", "other", "also")]
    shown = [f"fields.{name}" for name in ("name", "must", "given", "number", "other", "also")]
    for kind, wanted in (("create", written), ("detail", shown), ("card", shown), ("list", shown)):
        found = system(admin, "thing", kind)
        assert found is not None
        named = [one.field for one in (found.columns if kind == "list" else found.sections[0].fields)]
        assert named == wanted, kind
    assert system(admin, "thing", "board") is None
    for names, lacking in (
        (["name", "also"], ["must"]), (["other"], ["must", "also"]), (["must"], ["also"]), (["also", "must"], []),
    ):  # fmt: skip
        fields: Any = [{"fields": [{"field": f"fields.{name}"} for name in names]}]
        if lacking:
            error = refused(lambda fields=fields: layout(admin, "create", entity="thing", sections=fields))  # type: ignore[misc] # the value of this turn is bound
            assert (error.code, error.details) == (
                "REQUIRED_FIELD_MISSING", {"fields": [f"fields.{name}" for name in lacking]},
            )  # fmt: skip
        else:
            assert layout(admin, "create", entity="thing", sections=fields).entity == "thing"


def test_what_a_new_record_needs_follows_what_the_company_changed(admin: CrmClient) -> None:
    def lacks(*names: str) -> list[str]:
        fields: Any = [{"fields": [{"field": name} for name in names]}]
        error = refused(lambda: layout(admin, "create", sections=fields))
        assert error.code == "REQUIRED_FIELD_MISSING"
        return list(error.details["fields"])

    update = admin.customization.fields.update
    update("contact", "department", {"required": True})
    update("contact", "title", {"required": True, "default": "Somebody"})
    update("contact", "phone", {"label": "Ring"})
    mood: Any = {"api_name": "mood", "label": "M", "type": "text", "required": True, "default": "calm"}
    admin.customization.fields.create("contact", mood)
    assert lacks("email") == ["name", "department"]
    assert lacks("name") == ["department"]
    assert layout(admin, "create", sections=[{"fields": [{"field": "name"}, {"field": "department"}]}]).version == 1


def test_what_is_gone_is_left_out_of_layouts(stub: StubServer, admin: CrmClient, new: New) -> None:
    for name in ("mood", "tone"):
        admin.customization.fields.create("contact", {
            "api_name": name, "label": name, "type": "select", "options": [{"value": "a", "label": "A"}],
        })  # fmt: skip
    columns = [{"field": "name"}, {"field": "custom_fields.mood"}, {"field": "custom_fields.tone"}]
    made = layout(admin, audience="tenant", columns=columns, group_by="custom_fields.mood")
    assert made.group_by == "custom_fields.mood"
    detail = layout(admin, "detail", audience="tenant", name="D", sections=[{"fields": columns}])
    used = refused(lambda: admin.customization.fields.delete("contact", "mood"))
    assert used.code == "FIELD_IN_USE" and {one["id"] for one in used.details["usedBy"]} == {made.id, detail.id}
    assert made.name in used.message and "use it" in used.message
    admin.customization.fields.delete("contact", "mood", force=True)
    admin.customization.fields.update("contact", "tone", {"hidden": True})
    shown = {one.id: one for one in admin.customization.layouts.list(entity="contact")}
    assert [one.field for one in shown[made.id].columns] == ["name"] and shown[made.id].group_by is None
    assert [one.field for one in shown[detail.id].sections[0].fields] == ["name"]
    admin.customization.fields.update("contact", "tone", {"hidden": False})
    shown = {one.id: one for one in admin.customization.layouts.list(entity="contact")}
    assert [one.field for one in shown[made.id].columns] == ["name", "custom_fields.tone"]
    admin.custom_objects.create({"api_name": "vehicle", "label": "V", "plural_label": "Vs"})
    own = layout(admin, entity="vehicle", name="V", columns=[{"field": "fields.name"}])
    admin.custom_objects.delete("vehicle", force=True)
    left = [one for one in admin.customization.layouts.list() if one.id == own.id]
    assert [(one.columns, one.sections) for one in left] == [([], [])]


# -- standard fields ---------------------------------------------------------------------------------------------------


def test_what_a_company_changes_of_a_standard_field(stub: StubServer, admin: CrmClient) -> None:
    update = admin.customization.fields.update

    def title(language: str | None = None) -> Any:
        crm = admin.with_options(language=language) if language is not None else admin
        return next(one for one in crm.objects.describe("contact", include_hidden=True).fields if one.name == "title")

    before, begin = title(), len(stub.audit())
    changed = update("contact", "title", {"label": "Rank", "labels": {"de": "Rang"}, "help_text": "Of the card"})
    assert (changed.name, changed.label, changed.help_text) == ("title", "Rank", "Of the card")
    assert title("de").label == "Rang" and title("es").label == "Rank"
    (entry,) = stub.audit()[begin:]
    assert entry["action"] == "field.updated"
    assert entry["metadata"] | {"entity": "contact", "api_name": "title"} == entry["metadata"]
    assert [one["field"] for one in entry["changes"]] == ["label", "labels", "help_text"]
    update("contact", "title", {"label": "Rank"})
    assert len(stub.audit()) == begin + 1, "no difference, no event"
    stale = refused(lambda: update("contact", "title", {"label": "X"}, version=9))
    assert stale.code == "VERSION_CONFLICT"
    update("contact", "title", {"required": True, "personal": True, "hidden": True, "position": 0}, version=1)
    now = title()
    assert (now.required, now.personal, now.hidden, now.position) == (True, True, True, 0)
    assert refused(lambda: admin.contacts.create({"name": "X"})).fields[0].field == "title"
    made = admin.contacts.create({"name": "X", "title": "Boss"})
    assert refused(lambda: admin.contacts.update(made.id, {"title": None})).fields[0].rule == "required"
    assert "title" not in {one.name for one in admin.objects.describe("contact").fields}
    back: Any = dict.fromkeys(("label", "labels", "help_text", "required", "personal", "hidden", "position"))
    update("contact", "title", back)
    assert title() == before
    wrong: Any = {"required": False, "personal": False, "max_length": 5}
    protected = refused(lambda: update("contact", "title", wrong))
    assert (protected.code, protected.details) == (
        "FIELD_PROTECTED",
        {"fields": ["max_length", "required", "personal"]},
    )
    assert refused(lambda: admin.customization.fields.delete("contact", "title")).code == "FIELD_PROTECTED"
    for attempt in (
        lambda: update("contact", "nonsense", {"label": "X"}),
        lambda: admin.customization.fields.delete("contact", "x"),
    ):  # fmt: skip
        assert refused(attempt).code == "NOT_FOUND"
    assert update("contact", "lifecycleStage", {"label": "Stage"}).label == "Stage"


def test_options_of_a_standard_field(admin: CrmClient) -> None:
    def options(entity: str, field: str) -> list[tuple[str, str]]:
        described = next(one for one in admin.objects.describe(entity).fields if one.name == field)
        return [(one.value, one.label) for one in described.options]

    usual = options("contact", "status")
    given: Any = [{"value": usual[1][0], "label": "Sleeping"}, {"value": usual[0][0], "label": "Up", "active": False}]
    admin.customization.fields.update("contact", "status", {"options": given})
    assert options("contact", "status") == [(usual[1][0], "Sleeping"), (usual[0][0], "Up"), *usual[2:]]
    off = refused(lambda: admin.contacts.create({"name": "X", "status": usual[0][0]}))
    assert (off.fields[0].field, off.fields[0].rule) == ("status", "choice")
    kept = admin.contacts.create({"name": "Y"})
    assert kept.status is not None
    new: Any = [{"value": "nonsense", "label": "N"}]
    for field in ("status", "title"):
        error = refused(lambda field=field: admin.customization.fields.update("contact", field, {"options": new}))  # type: ignore[misc] # the value of this turn is bound
        assert error.fields[0].rule == "choice"
    admin.customization.fields.update("contact", "source", {"options": new})
    assert options("contact", "source")[0] == ("nonsense", "N")


@pytest.mark.parametrize("entity", ["onboarding", "user", "pipeline"])
def test_only_core_entities_get_fields(admin: CrmClient, entity: str) -> None:
    error = refused(lambda: admin.customization.fields.create(entity, {"api_name": "x1", "label": "X", "type": "text"}))
    assert (error.status, error.code) == (422, "UNSUPPORTED_OPERATION")


def test_what_a_new_field_tells(stub: StubServer, admin: CrmClient) -> None:
    begin = len(stub.audit())
    made = admin.customization.fields.create("contact", {"api_name": "mood", "label": "Mood", "type": "text"})
    assert (made.entity, made.object_id, made.api_name) == ("contact", None, "mood")
    for name in ("mood", "custom_fields.mood", "customFields.mood", made.id):
        assert admin.customization.fields.update("contact", name, {"label": f"By {name}"}).label == f"By {name}"
    nulls: Any = {"required": None, "label": None}
    wrong = refused(lambda: admin.customization.fields.update("contact", "mood", nulls))
    assert {(one.field, one.rule) for one in wrong.fields} == {("required", "type"), ("label", "type")}
    reserved = refused(
        lambda: admin.customization.fields.create("contact", {"api_name": "email", "label": "E", "type": "text"})
    )
    assert (reserved.code, reserved.fields[0].field, reserved.fields[0].rule) == ("RESERVED_NAME", "api_name", "choice")
    again = refused(
        lambda: admin.customization.fields.create("contact", {"api_name": "mood", "label": "E", "type": "text"})
    )
    assert again.code == "FIELD_EXISTS"
    admin.customization.fields.delete("contact", "mood")
    told = stub.audit()[begin:]
    assert [entry["action"] for entry in told] == ["field.created", *["field.updated"] * 4, "field.deleted"]
    for entry in told:
        assert entry["metadata"] | {"entity": "contact", "api_name": "mood"} == entry["metadata"]
    assert [[one["field"] for one in entry["changes"]] for entry in told[1:5]] == [["label"]] * 4
