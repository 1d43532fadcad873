"""What a description says of a field is what the server does with it; and entities that lack a capability."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from crm_sdk.wire import camel
from server_stub import StubServer

PATHS = {
    "contact": "contacts", "lead": "leads", "account": "accounts", "deal": "deals", "team": "users/teams",
    "territory": "configuration/territories", "report": "reports", "dashboard": "dashboards", "workflow": "workflows",
}  # fmt: skip


@pytest.fixture
def raw(stub: StubServer) -> Iterator[httpx.Client]:
    headers = {"Authorization": "Bearer acme-admin"}
    with httpx.Client(transport=stub.transport(), base_url="http://stub.test/platform/v1/", headers=headers) as client:
        yield client


def fields_of(raw: httpx.Client, entity: str) -> dict[str, Any]:
    return {one["name"]: one for one in raw.get(f"objects/{entity}").json()["data"]["fields"]}


def first_of(raw: httpx.Client, entity: str) -> str:
    found: str = raw.get(PATHS[entity], params={"limit": 1}).json()["data"][0]["id"]
    return found


def test_null_is_taken_where_the_description_says_so(raw: httpx.Client) -> None:
    for entity in PATHS:
        id = first_of(raw, entity)
        for name, field in fields_of(raw, entity).items():
            if field["readOnly"] or "." in name:
                continue
            reply = raw.put(f"{PATHS[entity]}/{id}", json={camel(name): None})
            refused = [one["rule"] for one in reply.json()["errors"] if one["field"].partition(".")[0] == camel(name)]
            if field["nullable"]:  # what is needed, or given only once, says so: no type is wrong
                assert not {"type", "choice"} & set(refused), (name, reply.text)
            else:
                assert reply.status_code == 422 and refused, (name, reply.text)


def test_null_empties_a_list(raw: httpx.Client) -> None:
    cases: list[tuple[str, str]] = [
        ("account", "tags"),
        ("account", "social_profiles"),
        ("deal", "tags"),
        ("territory", "member_ids"),
        ("territory", "rules"),
        ("report", "tags"),
        ("workflow", "conditions"),
    ]
    for entity, member in cases:
        reply = raw.put(f"{PATHS[entity]}/{first_of(raw, entity)}", json={camel(member): None})
        assert reply.status_code == 200 and reply.json()["data"][camel(member)] == [], reply.text


def test_what_holds_an_id_is_a_reference(raw: httpx.Client) -> None:
    cases: list[tuple[str, str, str]] = [
        ("deal", "pipeline_id", "pipeline"),
        ("deal", "contact_id", "contact"),
        ("deal", "account_id", "account"),
        ("deal", "lead_id", "lead"),
        ("lead", "territory_id", "territory"),
        ("lead", "converted_deal_id", "deal"),
        ("contact", "merged_ids", "contact"),
        ("activity", "series_id", "activity"),
        ("user", "team_ids", "team"),
    ]
    for entity, member, target in cases:
        described = raw.get(f"objects/{entity}").json()["data"]
        field = next(one for one in described["fields"] if one["name"] == member)
        assert "reference" in (field["type"], field["itemType"]) and field["referenceTo"] == [target], entity
        link = next(one for one in described["relationships"] if one["field"] == member)
        assert link["entity"] == target, entity


def test_what_holds_a_link_is_a_url(raw: httpx.Client) -> None:
    cases: list[tuple[str, str]] = [
        ("contact", "website"),
        ("contact", "avatar"),
        ("account", "logo"),
        ("lead", "website"),
    ]
    for entity, member in cases:
        assert fields_of(raw, entity)[member]["type"] == "url", entity


@pytest.mark.parametrize(
    ("entity", "member"),
    [("contact", "address.street"), ("lead", "address.street"), ("account", "billing_address.street")],
)
def test_parts_of_a_member_have_their_bounds(raw: httpx.Client, entity: str, member: str) -> None:
    longest = fields_of(raw, entity)[member]["maxLength"]
    head, _, part = camel(member).partition(".")
    for length, status in ((longest, 200), (longest + 1, 422)):
        body = {head: {part: "x" * length}}
        assert raw.put(f"{PATHS[entity]}/{first_of(raw, entity)}", json=body).status_code == status


def test_the_greatest_amount_is_taken(raw: httpx.Client) -> None:
    most = Decimal(
        raw.get("objects/deal").text.partition('"name":"value"')[2].partition('"maxValue":')[2].split(",")[0]
    )
    for value, status in ((most, 201), (most + 1, 422)):
        reply = raw.post(
            "deals", content=f'{{"title": "Big", "value": {value}}}', headers={"Content-Type": "application/json"}
        )
        assert reply.status_code == status, reply.text


def test_stages_of_a_deal_are_those_of_its_pipelines(raw: httpx.Client) -> None:
    raw.post("pipelines", json={"name": "Second", "stages": [
        {"name": "Begun", "key": "begun", "kind": "open", "probability": 5}, {"name": "Won", "key": "w", "kind": "won"},
        {"name": "Lost", "key": "l", "kind": "lost"},
    ]})  # fmt: skip
    stage = fields_of(raw, "deal")["stage"]
    assert {"prospect", "begun"} <= {one["value"] for one in stage["options"]} and stage["open"] is False


def test_activities_of_all_kinds_are_sorted_as_their_list_is(raw: httpx.Client) -> None:
    for name, field in fields_of(raw, "activity").items():
        assert (raw.get("activities", params={"sort": name, "limit": 1}).status_code == 200) is field["sortable"], name
    assert raw.get("objects/activity").json()["data"]["model"] == "Activity"


def test_what_nobody_can_import_is_not_refused_for_a_right(raw: httpx.Client) -> None:
    cases: list[str] = ["user", "message", "pipeline", "report", "role", "mention"]
    for entity in cases:
        reply = raw.post("imports/preview", files={"file": ("a.csv", b"name\nx\n")}, data={"entity": entity})
        (error,) = reply.json()["errors"]
        assert (reply.status_code, error["code"]) == (422, "UNSUPPORTED_OPERATION"), entity
        assert error["details"] == {"entity": entity, "capability": "import"}, entity
        if entity in ("role", "mention"):
            assert (
                raw.post("exports", json={"entityTypes": [entity]}).json()["errors"][0]["code"]
                == "UNSUPPORTED_OPERATION"
            )


@pytest.mark.parametrize(("word", "entity"), [("onboardings", "onboarding"), ("Contact", "contact"), ("Leads", "lead")])
def test_other_words_for_an_entity_say_the_right_one(raw: httpx.Client, word: str, entity: str) -> None:
    for reply in (raw.get(f"objects/{word}"), raw.post(f"objects/{word}/upsert", json={"records": [{}]})):
        assert reply.status_code == 404 and reply.json()["errors"][0]["details"]["didYouMean"] == entity


def test_an_entry_of_the_audit_trail_takes_fields(raw: httpx.Client) -> None:
    raw.post("contacts", json={"name": "Somebody"})
    id = raw.get("audit/logs", params={"limit": 1}).json()["data"][0]["id"]
    assert raw.get(f"audit/logs/{id}", params={"fields": "action"}).json()["data"].keys() == {"id", "action"}
    assert raw.get(f"audit/logs/{id}", params={"fields": "nothing"}).json()["errors"][0]["code"] == "UNKNOWN_FIELD"


def test_keys_that_are_no_texts_are_named(raw: httpx.Client) -> None:
    reply = raw.post("objects/contact/batch-get", json={"keys": ["a", "b", "c", 5]})
    (error,) = reply.json()["errors"]
    assert (reply.status_code, error["field"], error["rule"]) == (422, "keys[3]", "type")


def test_what_is_no_list_has_the_wrong_type(raw: httpx.Client) -> None:
    cases: list[tuple[str, str, Any]] = [
        ("objects/contact/batch-get", "keys", "x"),
        ("objects/contact/upsert", "records", {}),
        ("objects/contact/restore", "ids", 5),
        ("objects/transaction", "operations", "x"),
        ("contacts/bulk", "contacts", {}),
    ]
    for path, member, value in cases:
        (error,) = raw.post(path, json={member: value}).json()["errors"]
        assert (error["field"], error["rule"]) == (member, "type"), error


def test_a_scan_goes_on_after_its_own_records_only(raw: httpx.Client) -> None:
    page = raw.get("objects/contact/records", params={"limit": 1}).json()["data"]
    id = page["items"][0]["id"]
    for after, status in ((page["next"], 200), (id, 200), ("contact_gone", 200), ("lead_1", 422), ("junk", 422)):
        assert raw.get("objects/contact/records", params={"after": after}).status_code == status, after
    for after in (page["next"], id):
        assert raw.get("objects/lead/records", params={"after": after}).status_code == 422, after


def test_a_territory_needs_the_right_of_its_own_calls(stub: StubServer, raw: httpx.Client) -> None:
    made = raw.post("configuration/territories", json={"name": "North"}).json()["data"]
    sales = {"Authorization": "Bearer acme-sales"}
    rows = {"records": [{"name": "South"}, {"id": made["id"], "name": "East"}], "matchOn": "name"}
    items = raw.post("objects/territory/upsert", json=rows, headers=sales).json()["data"]["items"]
    assert [one["error"]["code"] for one in items] == ["FORBIDDEN", "FORBIDDEN"]
    for operation in (
        {"action": "create", "entity": "territory", "values": {"name": "West"}},
        {"action": "update", "entity": "territory", "id": made["id"], "values": {"name": "West"}},
        {"action": "delete", "entity": "territory", "id": made["id"]},
    ):
        reply = raw.post("objects/transaction", json={"operations": [operation]}, headers=sales)
        assert "FORBIDDEN" in [one["code"] for one in reply.json()["errors"]]
    assert raw.get(f"configuration/territories/{made['id']}").json()["data"]["name"] == "North"
    described = raw.get("objects/territory", headers=sales).json()["data"]
    assert described["permissions"] == ["read", "export", "import"]


def test_a_list_is_sorted_and_searched_by_the_fields_that_say_so(raw: httpx.Client) -> None:
    cases: list[str] = ["contact", "lead", "account", "deal", "territory"]
    for entity in cases:
        fields = fields_of(raw, entity)
        for name, field in fields.items():
            reply = raw.get(PATHS[entity], params={"sort": camel(name), "limit": 1})
            assert (reply.status_code == 200) is field["sortable"], name
        texts = [name for name, field in fields.items() if field["type"] in ("text", "long_text", "list", "email")]
        title = "title" if entity == "deal" else "name"
        for number, name in enumerate(texts):
            field, word = fields[name], f"word{number}x"
            if field["readOnly"] or field["options"] or "." in name or name.startswith("custom"):
                continue
            value = f"{word}@words.example" if field["type"] == "email" else word
            body = {title: "Plain", camel(name): [value] if field["type"] == "list" else value}
            made = raw.post(PATHS[entity], json=body)
            if made.status_code != 201:  # a code, the name of a zone
                continue
            found = raw.get(PATHS[entity], params={"search": word}).json()["data"]
            assert [one["id"] for one in found] == ([made.json()["data"]["id"]] if field["searchable"] else []), name
