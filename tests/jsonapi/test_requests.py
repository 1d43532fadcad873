"""Queries, bodies, included records and errors of JSON:API, each with what its rules say."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from jsonapi_rules import ask, pointed, resource

from server_stub import StubServer

DEAL_ID = next(
    one.id
    for one in StubServer().client().deals.list(status="open", limit=200)
    if one.contact_id and one.owner_id == "user_123" and one.stage == "qualified"
)
DEAL = f"/v1/deals/{DEAL_ID}"


def test_a_list_is_walked_by_its_links(stub: StubServer) -> None:
    first = ask(stub, "GET", "/platform/v1/contacts", page_size=7, sort="-name", filter_status="active")
    links, total = first.json["links"], first.json["meta"]["total"]
    assert links["prev"] is None
    assert parse_qs(urlsplit(links["last"]).query)["page[number]"] == [str(-(-total // 7))]
    found, link = [], links["first"]
    while link is not None:
        assert link.startswith("/platform/v1/contacts?")
        page = ask(stub, "GET", link)
        found += [one["attributes"]["name"] for one in page.data]
        link = page.json["links"]["next"]
    assert len(found) == total > 7
    assert found == [one.name for one in stub.client().contacts.list(status="active", sort="name", order="desc")]
    back = ask(stub, "GET", ask(stub, "GET", links["last"]).json["links"]["prev"])
    assert len(back.data) == 7
    beyond = ask(stub, "GET", "/v1/contacts", page_number=1000, page_size=7)
    assert (beyond.data, beyond.json["links"]["next"]) == ([], None)
    assert ask(stub, "GET", beyond.json["links"]["prev"]).data


def test_plain_names_work_as_well(stub: StubServer) -> None:
    ours = ask(stub, "GET", "/v1/leads", page_size=3, page_number=2, sort="-name", filter_owner="user_ada")
    plain = ask(stub, "GET", "/v1/leads", limit=3, page=2, sort="name", order="desc", ownerId="user_ada")
    assert ours.data == plain.data != []
    assert parse_qs(urlsplit(plain.json["links"]["prev"]).query)["page"] == ["1"]


@pytest.mark.parametrize(
    ("query", "status", "parameter"),
    [
        ("page[size]=2&limit=3", 400, "limit"),
        ("page[number]=2&page=3", 400, "page"),
        ("filter[status]=active&status=active", 400, "status"),
        ("sort=-name&order=asc", 400, "sort"),
        ("fields[contact]=name&fields=email", 400, "fields[contact]"),
        ("sort=-createdAt,name", 422, "sort"),
        ("sort=nonsense", 422, "sort"),
        ("page[size]=0", 422, "page[size]"),
        ("page[size]=201", 422, "page[size]"),
        ("page[offset]=5", 400, "page[offset]"),
        ("include=nonsense", 422, "include"),
        ("include=owner.manager", 422, "include"),
        ("fields[contact]=nonsense", 422, "fields[contact]"),
        ("fields[nonsense]=name", 422, "fields[nonsense]"),
        ("filter[nonsense]=1", 422, "filter[nonsense]"),
        ("nonsense=1", 400, "nonsense"),
        ("nonSense=1", 422, "nonSense"),
        ("filter[ownerId]=user_ada&filter[owner]=user_ada", 400, "filter[owner]"),
    ],
)
def test_wrong_parameters_are_named(stub: StubServer, query: str, status: int, parameter: str) -> None:
    refused = ask(stub, "GET", f"/v1/contacts?{query}")
    assert (refused.status, refused.error["source"]) == (status, {"parameter": parameter})


def test_an_unknown_relationship_is_400(stub: StubServer) -> None:
    refused = ask(stub, "GET", "/v1/leads?include=nonsense")
    assert (refused.status, refused.error["source"]) == (400, {"parameter": "include"})


def test_fields_select_attributes_and_relationships(stub: StubServer) -> None:
    one = ask(stub, "GET", DEAL, fields_deal="title,owner,stageName,dealType").data
    assert (set(one["attributes"]), set(one["relationships"])) == ({"title", "stageName", "dealType"}, {"owner"})
    assert one["meta"]["version"]
    bare = ask(stub, "GET", f"{DEAL}?fields[deal]=").data
    assert (bare["attributes"], bare.get("relationships")) == ({}, None)
    nested = ask(stub, "GET", "/v1/contacts", fields_contact="address.city", page_size=1).data[0]
    assert set(nested["attributes"]) == {"address"}
    made = ask(stub, "POST", "/v1/contacts?fields[contact]=name", resource("contact", {"name": "Sparse"})).data
    assert made["attributes"] == {"name": "Sparse"}
    before = ask(stub, "GET", "/v1/contacts").json["meta"]["total"]
    assert ask(stub, "POST", "/v1/contacts?fields[contact]=x", resource("contact", {"name": "Never"})).status == 422
    assert ask(stub, "GET", "/v1/contacts").json["meta"]["total"] == before


def test_related_records_are_included_once(stub: StubServer) -> None:
    found = ask(stub, "GET", "/v1/deals", include="owner,contact,stage", page_size=20, fields_user="email")
    kinds = {one["type"] for one in found.json["included"]}
    assert kinds == {"user", "contact", "stage"}
    users = [one for one in found.json["included"] if one["type"] == "user"]
    assert all(set(one["attributes"]) == {"email"} for one in users)
    one = ask(stub, "GET", DEAL, include="pipeline").json
    (pipeline,) = one["included"]
    assert (pipeline["type"], pipeline["id"]) == ("pipeline", one["data"]["relationships"]["pipeline"]["data"]["id"])
    assert ask(stub, "GET", pipeline["links"]["self"]).data == pipeline, "as its own route answers it"
    assert ask(stub, "GET", f"{DEAL}?include=").json["included"] == []
    assert "included" not in ask(stub, "GET", DEAL).json


def test_plain_include_and_relationships_go_together(stub: StubServer) -> None:
    both = ask(stub, "GET", DEAL, include="owner,activities").json
    assert [one["type"] for one in both["included"]] == ["user"]
    assert both["data"]["attributes"]["activities"] is not None


def test_what_the_caller_may_not_see_is_not_included(stub: StubServer) -> None:
    allowed = ["deals:read", "users:read"]
    key = stub.client().security.api_keys.create({"name": "Deals only", "permissions": allowed}).key
    found = ask(stub, "GET", DEAL, include="contact,owner", who=key or "").json
    assert found["data"]["relationships"]["contact"]["data"] is not None
    assert [one["type"] for one in found["included"]] == ["user"]


def test_an_activity_refers_to_what_it_is_about(stub: StubServer) -> None:
    about = {"type": "deal", "id": DEAL_ID}
    body = resource("activity", {"title": "Call them", "activityType": "follow_up"}, deal=about)
    made = ask(stub, "POST", "/v1/activities/tasks", body)
    assert made.data["relationships"]["deal"] == {"data": about}
    assert (made.data["attributes"]["kind"], made.data["attributes"]["activityType"]) == ("task", "follow_up")
    cleared = ask(stub, "PATCH", made.data["links"]["self"], resource("activity", {}, made.data["id"], deal=None))
    assert cleared.data["relationships"]["deal"] == {"data": None}
    assert cleared.data["attributes"]["title"] == "Call them"


def test_comments_and_files_have_references_of_any_type(stub: StubServer) -> None:
    lead = {"type": "lead", "id": "lead_456"}
    made = ask(stub, "POST", "/v1/collaboration/comments", resource("comment", {"body": "Hello"}, entity=lead))
    assert made.data["relationships"]["entity"] == {"data": lead}
    listed = ask(stub, "GET", "/v1/collaboration/comments?entityType=lead&entityId=lead_456&include=entity").json
    assert [one["type"] for one in listed["included"]] == ["lead"]


def test_a_list_of_references_is_a_relationship_to_many(stub: StubServer) -> None:
    asked = {"text": "/list contact top 2 by name"}
    told = ask(stub, "POST", "/v1/chatops/messages", resource("chat_message", asked)).data
    plain = stub.client(dialects="platform").chatops.send(asked["text"])
    assert told["relationships"]["records"] == {"data": [{"type": one.type, "id": one.id} for one in plain.records]}
    assert len(plain.records) == 2 and "records" not in told["attributes"]
    nothing = ask(stub, "POST", "/v1/chatops/messages", resource("chat_message", {"text": "/help"})).data
    assert nothing["relationships"]["records"] == {"data": []}


def test_custom_records_have_the_type_of_their_object(stub: StubServer) -> None:
    listed = ask(stub, "GET", "/v1/custom-objects/onboarding/records", fields_onboarding="name", include="object")
    assert {one["type"] for one in listed.data} == {"onboarding"}
    assert all(one["attributes"].keys() == {"name"} for one in listed.data)
    one = ask(stub, "GET", f"/v1/custom-objects/onboarding/records/{listed.data[0]['id']}").data
    assert one["attributes"]["objectName"] == "onboarding"
    assert one["relationships"]["object"]["data"]["type"] == "custom_object"
    path, id = f"/v1/custom-objects/onboarding/records/{one['id']}", one["id"]
    given = ask(stub, "PATCH", path, resource("onboarding", {}, id, owner={"type": "user", "id": "user_sam"}))
    assert given.data["relationships"]["owner"]["data"]["id"] == "user_sam"
    assert ask(stub, "PATCH", path, resource("record", {"name": "x"}, id)).error["code"] == "TYPE_CONFLICT"


def test_other_answers_are_meta(stub: StubServer) -> None:
    figures = ask(stub, "GET", "/v1/deals/forecast").json
    assert figures["data"] is None
    assert figures["meta"]["result"]
    rows = {"meta": {"contacts": [{"name": "One"}, {"email": "none"}]}}
    bulk = ask(stub, "POST", "/v1/contacts/bulk", rows).json
    assert (bulk["data"], bulk["meta"]["result"]["succeeded"], bulk["meta"]["result"]["failed"]) == (None, 1, 1)
    gone = ask(stub, "DELETE", DEAL, resource("deal", {"title": "as it was"}, DEAL_ID))
    assert gone.json == {"jsonapi": {"version": "1.1"}, "meta": {"id": DEAL_ID, "deleted": True}}


def test_a_deed_on_a_record_takes_and_answers_it(stub: StubServer) -> None:
    deal = ask(stub, "GET", DEAL).data
    stages = stub.client().pipelines.get(deal["relationships"]["pipeline"]["data"]["id"]).stages
    other = next(
        one.id for one in stages if one.id != deal["relationships"]["stage"]["data"]["id"] and one.kind == "open"
    )
    body = resource("deal", {}, DEAL_ID, stage={"type": "stage", "id": other})
    moved = ask(stub, "POST", f"{DEAL}/move-stage", body)
    assert moved.data["relationships"]["stage"]["data"]["id"] == other


def test_what_put_takes_patch_takes(stub: StubServer) -> None:
    token = str(stub.client().auth.login("ada@acme.test", "demo-password").access_token)
    for method in ("PUT", "PATCH"):
        changed = ask(stub, method, "/v1/users/me", resource("user", {"name": f"Ada {method}"}, "user_ada"), who=token)
        assert changed.data["attributes"]["name"] == f"Ada {method}"
    other = ask(stub, "PATCH", "/v1/users/me", resource("user", {"name": "Sam"}, "user_sam"), who=token)
    assert (other.status, other.error["code"]) == (409, "TYPE_CONFLICT")
    assert ask(stub, "PATCH", DEAL, {"title": "By plain JSON"}, sent="application/json").data["meta"]["version"] == 2
    assert ask(stub, "PATCH", "/v1/contacts", resource("contact", {})).status == 405


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "pointer"),
    [
        ("POST", "/v1/contacts", resource("lead", {"name": "x"}), 409, "TYPE_CONFLICT", "/data/type"),
        ("PATCH", DEAL, resource("contact", {"title": "x"}, DEAL_ID), 409, "TYPE_CONFLICT", "/data/type"),
        ("PATCH", DEAL, resource("deal", {"title": "x"}, "deal_456"), 409, "TYPE_CONFLICT", "/data/id"),
        ("PATCH", DEAL, resource("deal", {}, owner={"type": "contact", "id": "x"}), 409, "TYPE_CONFLICT",
         "/data/relationships/owner/data/type"),
        ("POST", "/v1/contacts", resource("contact", {"name": "x"}, "mine"), 403, "CLIENT_ID_FORBIDDEN", "/data/id"),
        ("POST", "/v1/contacts", resource("contact", {"name": "x", "email": "no"}), 422, "VALIDATION_ERROR",
         "/data/attributes/email"),
        ("POST", "/v1/contacts", resource("contact", {"email": "a@example.com"}), 422, "VALIDATION_ERROR",
         "/data/attributes"),
        ("POST", "/v1/contacts", resource("contact", {"name": "x", "a/b~c": 1}), 422, "VALIDATION_ERROR",
         "/data/attributes/a~1b~0c"),
        ("PATCH", DEAL, resource("deal", {}, owner={"type": "user", "id": "user_none"}), 422, "REFERENCE_NOT_FOUND",
         "/data/relationships/owner/data/id"),
        ("PATCH", DEAL, resource("deal", {"dealType": 5}), 422, "VALIDATION_ERROR", "/data/attributes/dealType"),
        ("PATCH", DEAL, {"data": {"type": "deal", "relationships": {"owner": "user_ada"}}}, 422, "VALIDATION_ERROR",
         "/data/relationships/owner"),
        ("PATCH", DEAL, {"data": {"type": "deal", "attributes": []}}, 422, "VALIDATION_ERROR", "/data/attributes"),
        ("PATCH", DEAL, resource("deal", {"ownerId": "user_ada"}, owner={"type": "user", "id": "user_ada"}), 400,
         "BAD_REQUEST", "/data/relationships/owner"),
        ("PATCH", DEAL, {"data": {"attributes": {}}}, 422, "VALIDATION_ERROR", "/data"),
        ("PATCH", DEAL, {"meta": {"title": "x"}}, 422, "VALIDATION_ERROR", ""),
        ("PATCH", DEAL, {"data": []}, 422, "VALIDATION_ERROR", "/data"),
        ("POST", "/v1/contacts/search", {"meta": {"filterGroups": [{"filters": [{"field": "name", "op": "?"}]}]}}, 422,
         "VALIDATION_ERROR", "/meta/filterGroups/0/filters/0/op"),
    ],
)  # fmt: skip
def test_wrong_bodies_are_pointed_at(
    stub: StubServer, method: str, path: str, body: Any, status: int, code: str, pointer: str
) -> None:
    refused = ask(stub, method, path, body)
    assert (refused.status, refused.error["code"]) == (status, code)
    found = {one["source"]["pointer"] for one in refused.json["errors"]}
    assert pointer in found
    for each in found:
        pointed(body, each)  # each is there
    assert ask(stub, "GET", DEAL).data["meta"]["version"] == 1


def test_what_is_wrong_with_a_body_has_its_rule_and_its_facts(stub: StubServer) -> None:
    def related(data: Any) -> Any:
        return {"data": {"type": "deal", "relationships": {"owner": {"data": data}}}}

    user, contact = {"type": "user", "id": "user_ada"}, {"type": "contact", "id": "contact_123"}
    cases: list[tuple[Any, str | None, dict[str, Any]]] = [
        ({}, "required", {}), ({"data": None}, "type", {}), ({"data": 5}, "type", {}),
        ({"data": {}}, "required", {}), ({"data": {"type": None}}, "type", {}), ({"data": {"type": 5}}, "type", {}),
        ({"data": {"type": "deal", "id": 5}}, "type", {}), ({"data": {"type": "deal", "attributes": 5}}, "type", {}),
        ({"data": {"type": "deal", "relationships": {"owner": 5}}}, "type", {}),
        ({"data": {"type": "user"}}, None, {"type": "deal"}), ({"data": {"type": "deal", "id": "x"}}, None, {}),
        (related("x"), "type", {}), (related([user]), "type", {}), (related({"type": "user"}), "type", {}),
        (related(contact), None, {"type": "user"}), (related({"id": "user_ada"}), "type", {}),
    ]  # fmt: skip
    for body, rule, facts in cases:
        meta = ask(stub, "PATCH", DEAL, body).error.get("meta", {})
        assert {name: value for name, value in meta.items() if name != "field"} == (
            facts | ({"rule": rule} if rule is not None else {})
        ), body
    for id in ("user_sam", "user_ada"):
        done = ask(stub, "PATCH", DEAL, related({"type": "user", "id": id})).data
        assert done["relationships"]["owner"]["data"] == {"type": "user", "id": id}
        assert stub.client().deals.get(DEAL_ID).owner_id == id


def test_a_relationship_is_given_as_the_call_takes_it(stub: StubServer) -> None:
    """The stage of a deal is read as `stageId` and written as `stage`, by its key or its id."""
    crm = stub.client(dialects="platform")
    pipeline = crm.pipelines.get(crm.deals.get(DEAL_ID).pipeline_id or "")
    stages = {one.key: one.id for one in pipeline.stages}
    moved = ask(stub, "PATCH", DEAL, resource("deal", {}, stage={"type": "stage", "id": stages["proposal"]}))
    assert moved.data["relationships"]["stage"]["data"] == {"type": "stage", "id": stages["proposal"]}
    made = ask(stub, "POST", "/v1/deals",
               resource("deal", {"title": "New"}, stage={"type": "stage", "id": stages["negotiation"]}))  # fmt: skip
    assert (made.status, made.data["relationships"]["stage"]["data"]["id"]) == (201, stages["negotiation"])
    wrong = ask(stub, "PATCH", DEAL, resource("deal", {}, stage={"type": "user", "id": "user_ada"}))
    assert (wrong.status, wrong.error["meta"]["type"]) == (409, "stage")


@pytest.mark.parametrize("path", ["/v1/contacts", "/v1/audit/logs", "/v1/activities", "/v1/pipelines"])
def test_a_resource_links_to_itself(stub: StubServer, path: str) -> None:
    for one in ask(stub, "GET", path, page_size=3).data:
        again = ask(stub, "GET", one["links"]["self"]).data
        assert (again["type"], again["id"]) == (one["type"], one["id"])


def test_headers_are_named(stub: StubServer) -> None:
    stale = ask(stub, "PATCH", DEAL, resource("deal", {"title": "x"}), headers={"if-match": '"7"'})
    assert (stale.status, stale.error["source"]) == (409, {"header": "If-Match"})
    assert stale.error["meta"]["currentVersion"] == 1
    long = ask(stub, "PATCH", DEAL, resource("deal", {"title": "x"}), headers={"x-audit-reason": "x" * 501})
    assert (long.status, long.error["source"]) == (422, {"header": "X-Audit-Reason"})


def test_fields_select_in_lists_without_pages(stub: StubServer) -> None:
    roles = ask(stub, "GET", "/v1/users/user_ada/roles", fields_role="name").data
    assert [set(one["attributes"]) for one in roles] == [{"name"}]
    (plain,) = stub.client().request("GET", "/v1/users/user_ada/roles", query={"fields": "name"}).json()["data"]
    assert set(plain) == {"id", "version", "name"}
