"""Layouts: what they may hold, for whom they are, which one is in force, and lists through views."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import httpx
import pytest
from newcomers import signed_in

from crm_sdk import ApiError, CrmClient
from crm_sdk.vocabulary.codes import VIEWED
from server_stub import StubServer

from .conftest import New


def view(crm: CrmClient, name: str = "View", **more: Any) -> str:
    body: Any = {"entity": "contact", "kind": "list", "name": name, "columns": [{"field": "name"}], **more}
    return crm.customization.layouts.create(body).id


def in_force(crm: CrmClient, entity: str = "contact", kind: str = "list") -> str:
    (found,) = crm.customization.layouts.list(effective=True, entity=entity, kind=kind)
    return found.id


def test_the_nearest_default_is_in_force(admin: CrmClient, new: New) -> None:
    user_id, crm = new()
    team = admin.users.teams.create({"name": "One", "member_ids": [user_id]}).id
    assert in_force(crm) == "layout_system_contact_list"
    made: list[str] = []
    for audience, audience_id in (("tenant", None), ("team", team), ("role", "sales"), ("user", user_id)):
        made.append(view(admin, audience=audience, audience_id=audience_id, is_default=True))
        assert in_force(crm) == made[-1]
    for id in reversed(made):
        assert in_force(crm) == id
        admin.customization.layouts.delete(id)
    assert in_force(crm) == "layout_system_contact_list"


def test_one_of_each_kind_is_the_default(admin: CrmClient) -> None:
    first, second = view(admin, "One", is_default=True), view(admin, "Two", is_default=True)
    other = view(admin, "Three", audience="tenant", is_default=True)
    marked = {one.id for one in admin.customization.layouts.list(entity="contact") if one.is_default}
    assert marked == {second, other}
    admin.customization.layouts.update(first, {"is_default": True})
    assert in_force(admin) == first


def test_a_layout_that_cannot_be_is_refused(admin: CrmClient) -> None:
    view(admin, "taken")

    def check(members: Any, code: str) -> None:
        with pytest.raises(ApiError) as refused:
            view(admin, **members)
        assert refused.value.code == code

    cases: list[tuple[Any, str]] = [
        ({"columns": [{"field": "nonsense"}]}, "UNKNOWN_FIELD"),
        ({"columns": [{"field": "account.nonsense"}]}, "UNKNOWN_FIELD"),
        ({"columns": [{"field": "name"}, {"field": "name"}]}, "DUPLICATE_FIELD"),
        ({"columns": []}, "VALIDATION_ERROR"),
        ({"entity": "poem"}, "VALIDATION_ERROR"),
        ({"kind": "board"}, "VALIDATION_ERROR"),
        ({"kind": "board", "group_by": "name"}, "INVALID_GROUPING"),
        ({"kind": "create", "sections": [{"fields": [{"field": "email"}]}]}, "REQUIRED_FIELD_MISSING"),
        ({"kind": "detail", "sections": [{"fields": [{"field": "account.industry"}]}]}, "UNKNOWN_FIELD"),
        ({"kind": "detail"}, "VALIDATION_ERROR"),
        ({"sort": [{"key": "nonsense"}]}, "UNKNOWN_FIELD"),
        ({"filter_groups": [{"filters": [{"field": "name", "op": "gt", "value": "x"}]}]}, "INVALID_OPERATOR"),
        (
            {
                "kind": "detail",
                "sections": [
                    {
                        "fields": [{"field": "name"}],
                        "visible_when": [
                            {"filters": [{"field": "name", "op": "gt", "value": "x"}]},
                        ],
                    }
                ],
            },
            "INVALID_OPERATOR",
        ),
        ({"audience": "team"}, "VALIDATION_ERROR"),
        ({"audience": "role", "audience_id": "nobody"}, "REFERENCE_NOT_FOUND"),
        ({"name": "Taken"}, "LAYOUT_EXISTS"),
    ]
    for case in cases:
        check(*case)


def test_what_a_board_is_grouped_by_has_options(admin: CrmClient) -> None:
    for entity, field in (("deal", "stage"), ("contact", "status")):
        made = admin.customization.layouts.create({"entity": entity, "kind": "board", "name": "B", "group_by": field})
        assert made.group_by == field
    assert in_force(admin, "deal", "board") == "layout_system_deal_board"


def test_others_layouts_need_the_permission(admin: CrmClient, other: CrmClient, new: New) -> None:
    user_id, crm = new()
    own = view(crm)
    assert [one.id for one in crm.customization.layouts.list(entity="contact")] == [own]
    calls: list[Any] = [
        lambda: view(crm, audience="tenant"),
        lambda: view(crm, audience="user", audience_id="user_ada"),
        lambda: crm.customization.layouts.update(own, {"audience": "tenant"}),
        lambda: crm.customization.layouts.update(view(admin, audience="tenant"), {"pinned": True}),
        lambda: crm.customization.layouts.delete(view(admin, "Common", audience="tenant")),
    ]
    for call in calls:
        with pytest.raises(ApiError) as refused:
            call()
        assert refused.value.code == "FORBIDDEN"
    hidden = view(admin, "Mine")
    for stranger, id in ((crm, hidden), (other, own)):
        with pytest.raises(ApiError) as refused:
            stranger.customization.layouts.delete(id)
        assert refused.value.code == "NOT_FOUND"
    admin.customization.layouts.update(own, {"pinned": True})
    assert next(iter(crm.customization.layouts.list(audience="user"))).pinned is True
    for call in (
        lambda: admin.customization.layouts.update("layout_system_contact_list", {"pinned": True}),
        lambda: admin.customization.layouts.delete("layout_system_contact_list"),
    ):
        with pytest.raises(ApiError) as refused:
            call()
        assert refused.value.code == "LAYOUT_PROTECTED"
    assert user_id
    crm.customization.layouts.delete(own)
    assert crm.customization.layouts.list(entity="contact", audience="user").total == 0


def test_who_is_no_user_has_no_layouts(stub: StubServer, admin: CrmClient) -> None:
    token = admin.auth.token(grant_type="client_credentials", client_id="demo-service", client_secret="demo-secret")
    app = stub.client(api_key=str(token.access_token), dialects="platform", max_retries=0)
    with pytest.raises(ApiError) as refused:
        view(app)
    assert (refused.value.status, refused.value.code) == (403, "NO_USER")


def test_without_the_feature_the_system_has_layouts(admin: CrmClient) -> None:
    view(admin, is_default=True)
    admin.tenants.features.update("current", {"customization": False})
    assert in_force(admin) == "layout_system_contact_list"
    assert admin.customization.layouts.list().total == 0
    with pytest.raises(ApiError) as refused:
        view(admin, "Other")
    assert refused.value.code == "FEATURE_DISABLED"


def test_a_list_has_the_conditions_the_order_and_the_columns_of_its_view(stub: StubServer, admin: CrmClient) -> None:
    people = (("a", "x"), ("b", "y"), ("c", "x"), ("d", None))
    for name, title in people:
        admin.contacts.create({"name": name, "title": title, "department": "viewed"})
    id = view(
        admin,
        columns=[{"field": "name"}, {"field": "account.industry"}],
        filter_groups=[{"filters": [{"field": "department", "op": "eq", "value": "viewed"}]}],
        sort=[{"key": "title", "order": "desc"}, {"key": "name"}],
    )

    def listed(path: str = "/v1/contacts", view: str = id, **query: str) -> Any:
        return admin.request("GET", path, query={"view": view, **query}).json()

    def names(**query: str) -> list[str]:
        return [one["name"] for one in listed(**query)["data"]]

    assert names() == ["b", "a", "c", "d"], "what has no value comes last"
    assert names(sort="name", order="desc") == ["d", "c", "b", "a"]
    assert names(search="c") == ["c"]
    assert listed()["data"][0].keys() == {"id", "version", "name"}
    assert listed(fields="title")["data"][0].keys() == {"id", "version", "title"}
    for reply in (listed("/v1/leads"), listed(view="layout_nowhere")):
        assert reply["errors"][0]["code"] == "REFERENCE_NOT_FOUND"


def test_a_field_that_is_gone_is_left_out(admin: CrmClient) -> None:
    fields, layouts = admin.custom_objects.fields, admin.customization.layouts
    fields.create("onboarding", {"api_name": "passing", "label": "Passing", "type": "text"})
    columns: Any = [{"field": "name"}, {"field": "fields.passing"}]
    made = layouts.create({"entity": "onboarding", "kind": "list", "name": "O", "columns": columns})
    assert [one.field for one in made.columns] == ["name", "fields.passing"]
    fields.delete("onboarding", "passing")
    (shown,) = layouts.list(entity="onboarding")
    assert [one.field for one in shown.columns] == ["name"]
    free = admin.contacts.create({"name": "Ada", "custom_fields": {"loose": "x"}}).id
    view(admin, columns=[{"field": "name"}, {"field": "custom_fields.loose"}])
    (shown,) = [one for one in layouts.list(entity="contact") if one.name == "View"]
    assert [one.field for one in shown.columns] == ["name", "custom_fields.loose"], "some record has it"
    admin.contacts.delete(free)
    (shown,) = [one for one in layouts.list(entity="contact") if one.name == "View"]
    assert [one.field for one in shown.columns] == ["name"]


def test_records_of_a_custom_object_are_seen_through_a_view(stub: StubServer, admin: CrmClient) -> None:
    view = admin.customization.layouts.create({
        "entity": "onboarding", "kind": "list", "name": "Coached",
        "columns": [{"field": "name"}, {"field": "fields.coach"}],
        "filter_groups": [{"filters": [{"field": "fields.coach", "op": "is_set"}]}],
    })  # fmt: skip
    found = next(one for one in admin.objects.list(custom=True) if one.entity == "onboarding")
    path = f"http://stub.test/platform/v1/custom-objects/{found.object_id}/records"
    with httpx.Client(transport=stub.transport(), headers={"Authorization": "Bearer acme-admin"}) as raw:
        seen = raw.get(path, params={"view": view.id, "limit": 200}).json()["data"]
        every = raw.get(path, params={"limit": 200}).json()["data"]
        other = admin.customization.layouts.create(
            {"entity": "deal", "kind": "list", "name": "D", "columns": [{"field": "title"}]}
        )
        assert raw.get(path, params={"view": other.id}).json()["errors"][0]["code"] == "REFERENCE_NOT_FOUND"
    coached = {one["id"] for one in every if one["fields"].get("coach")}
    assert coached and {one["id"] for one in seen} == coached
    assert all(one.keys() == {"id", "version", "name", "fields"} and one["fields"].keys() == {"coach"} for one in seen)


def test_a_view_may_ask_for_members_of_another_record(stub: StubServer, admin: CrmClient) -> None:
    account = admin.accounts.create({"name": "Hop", "industry": "Zymurgy"})
    deal = admin.deals.create({"title": "Hop deal", "account_id": account.id})
    view = admin.customization.layouts.create({
        "entity": "deal", "kind": "list", "name": "Brewers", "columns": [{"field": "title"}],
        "filter_groups": [{"filters": [{"field": "account.industry", "op": "eq", "value": "Zymurgy"}]}],
    })  # fmt: skip
    with httpx.Client(transport=stub.transport(), headers={"Authorization": "Bearer acme-admin"}) as raw:
        reply = raw.get("http://stub.test/platform/v1/deals", params={"view": view.id})
    assert [one["id"] for one in reply.json()["data"]] == [deal.id], reply.text


def test_a_field_is_the_same_however_it_is_written(admin: CrmClient) -> None:
    twice: Any = {"columns": [{"field": "first_name"}, {"field": "firstName"}]}
    with pytest.raises(ApiError) as caught:
        view(admin, **twice)
    assert (caught.value.code, caught.value.fields[0].field) == ("DUPLICATE_FIELD", "columns.1.field")
    view(admin, "Camel", columns=[{"field": "firstName"}, {"field": "name"}])
    admin.customization.fields.update("contact", "first_name", {"hidden": True})
    (shown,) = admin.customization.layouts.list(search="Camel")
    assert [one.field for one in shown.columns] == ["name"]


def test_a_board_by_a_field_that_is_gone_is_grouped_by_none(admin: CrmClient) -> None:
    options: Any = [{"value": "a", "label": "A"}]
    admin.customization.fields.create("deal", {"api_name": "size", "label": "S", "type": "select", "options": options})
    id = view(admin, entity="deal", kind="board", columns=[], group_by="custom_fields.size")
    (before,) = [one for one in admin.customization.layouts.list(entity="deal", kind="board") if one.id == id]
    admin.customization.fields.delete("deal", "size", force=True)
    (after,) = [one for one in admin.customization.layouts.list(entity="deal", kind="board") if one.id == id]
    assert (before.group_by, after.group_by) == ("custom_fields.size", None)


@pytest.mark.parametrize("list_id", sorted(VIEWED))
def test_a_list_of_the_client_is_seen_through_a_layout(
    list_id: str, admin: CrmClient, caplog: pytest.LogCaptureFixture
) -> None:
    noun, entity = list_id.removesuffix(".list"), VIEWED[list_id]
    ids = [admin.custom_objects.list()[0].api_name] if entity == "record" else []
    columns: Any = [{"field": "owner_id"}, {"field": "tags"}] if not ids else [{"field": "name"}]
    seen = view(admin, entity=ids[0] if ids else entity, columns=columns)
    record = next(iter(attrgetter(noun)(admin).list(*ids, view=seen)))
    assert record.id and "created_at" not in record.model_fields_set
    assert ids or record.model_fields_set >= {"owner_id", "tags"}
    assert not caplog.records  # what the layout does not show is not missing


def test_who_sees_the_layouts_of_a_custom_object_reads_its_records(stub: StubServer, admin: CrmClient) -> None:
    for number, (resource, may) in enumerate((
        ("onboarding:read", True), ("custom_objects:read", True), ("subscription:read", False),
        ("onboarding:update custom_objects:read", False),
    )):  # fmt: skip
        held: Any = [dict(zip(("resource", "action"), word.split(":"), strict=True)) for word in resource.split()]
        held.append({"resource": "customization", "action": "read"})
        admin.security.roles.create({"key": f"r{number}", "name": f"R{number}", "permissions": held})
        crm = signed_in(stub, admin, f"r{number}", strict=False)[1]
        shown = [one.id for one in crm.customization.layouts.list(effective=True, entity="onboarding", kind="list")]
        assert shown == (["layout_system_onboarding_list"] if may else []), resource
        own: Any = {"entity": "onboarding", "columns": [{"field": "coach"}]}
        if may:
            assert view(crm, **own)
            continue
        with pytest.raises(ApiError) as refused:
            view(crm, **own)
        assert refused.value.code == "FORBIDDEN", resource


def test_a_layout_of_the_system_is_called_by_what_it_shows(admin: CrmClient) -> None:
    def name(language: Any, kind: str) -> str | None:
        layouts = admin.with_options(language=language).customization.layouts
        (found,) = layouts.list(effective=True, entity="contact", kind=kind)
        return found.name

    assert (name("en", "list"), name("en", "detail")) == ("Contact: list", "Contact: detail")
    assert (name("de", "list"), name("de", "detail")) == ("Kontakt: Liste", "Kontakt: Detail")
