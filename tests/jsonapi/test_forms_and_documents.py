"""JSON:API of the stub, rule by rule: who asks for it, what a query and a body say, and what a document has."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from jsonapi_rules import MEDIA, ask, resource

from server_stub import StubServer
from server_stub.jsonapi import bodies, errors, negotiation
from server_stub.jsonapi.forms import forms, is_reference
from server_stub.problems import Problem
from server_stub.request.http import Request


@pytest.fixture
def deal(stub: StubServer) -> str:
    """Return the path of a deal with a contact."""
    crm = stub.client(dialects="platform")
    return f"/v1/deals/{crm.deals.create({'title': 'D', 'contact_id': 'contact_123'}).id}"


ASKED: dict[str, bool] = {
    "": False, "*/*": False, "application/json": False, MEDIA: True, MEDIA.upper(): True, f"{MEDIA}; q=0.5": True,
    f"{MEDIA}, application/json": True, f"application/json, {MEDIA}": False, f"application/json;q=0.9, {MEDIA}": True,
    f"{MEDIA};q=0.9, application/json": False, f"{MEDIA};q=0, application/json;q=0": False, f"{MEDIA};q=0": False,
    f"{MEDIA}, */*": True, f"{MEDIA};q=0.5, */*": False, f"{MEDIA};q=0.5, */*;q=0.5": True,
    f"{MEDIA};q=0.5, application/*": False,
    f"{MEDIA};q=0.5, text/html": True, f"{MEDIA};ext=x": True, f"{MEDIA};foo=1": True, f"{MEDIA};foo=1, {MEDIA}": True,
    f"{MEDIA};foo=1;q=1, {MEDIA};q=0.2, application/json;q=0.5": False, f"{MEDIA};profile=\"a,b\"": True,
    f"{MEDIA};q=odd, application/json;q=0.9": True, f"{MEDIA};q=7, application/json": True,
    f"{MEDIA};q=-1, */*;q=0.1": False, f"application/json, {MEDIA};q=odd": False,
    f"application/json, {MEDIA};q=7": False,
    f"{MEDIA};q=odd, application/json": True, f"{MEDIA};q=-1": False,
    f'text/x;a="{MEDIA}, b", application/json': False, " , ": False,
    f"application/json;q=0.1, application/json, {MEDIA};q=0.5": False,
}  # fmt: skip


def test_who_asks_for_documents() -> None:
    assert {accept: negotiation.is_asked({"accept": accept}) for accept in ASKED} == ASKED
    assert not negotiation.is_asked({})
    for headers, concerned, sent in (
        ({"accept": MEDIA}, True, False), ({"content-type": MEDIA}, True, True), ({}, False, False),
        ({"content-type": f"{MEDIA}; charset=x"}, True, True), ({"content-type": "application/json"}, False, False),
        ({"accept": "a/b", "content-type": MEDIA.upper()}, True, True), ({"x-other": MEDIA}, False, False),
    ):  # fmt: skip
        assert (negotiation.concerns(headers), negotiation.is_sent(headers)) == (concerned, sent), headers
    for headers, code in (
        ({"content-type": MEDIA}, None), ({"content-type": f"{MEDIA};profile=x"}, None),
        ({"content-type": f"{MEDIA};ext=x"}, "UNSUPPORTED_MEDIA_TYPE"),
        ({"content-type": f"{MEDIA};q=1"}, "UNSUPPORTED_MEDIA_TYPE"),
        ({"content-type": "application/json;ext=x"}, None), ({"accept": f"{MEDIA};ext=x"}, "NOT_ACCEPTABLE"),
        ({"accept": f"{MEDIA};ext=x, {MEDIA}"}, None), ({"accept": f"{MEDIA};profile=x;q=0.5"}, None),
        ({"accept": "application/json;ext=x"}, None), ({}, None),
    ):  # fmt: skip
        try:
            negotiation.check(headers)
            found = None
        except Problem as problem:
            found = problem.code
        assert found == code, headers


def test_places_in_a_document() -> None:
    document: Any = {"data": {"a/b": [{"x": 1}], "c~d": 5}, "e": "text"}
    for pointer, nearest in (
        ("/data/a~1b/0/x", "/data/a~1b/0/x"), ("/data/a~1b/1", "/data/a~1b"), ("/data/c~0d", "/data/c~0d"),
        ("/data/c~0d/x", "/data/c~0d"), ("/nothing", ""), ("/e/0", "/e"), ("/data/a~1b/x", "/data/a~1b"), ("", ""),
    ):  # fmt: skip
        assert bodies.existing(document, pointer) == nearest
    assert bodies.plain_pointer(document, "data.a/b.0.x") == "/data/a~1b/0/x"
    assert bodies.plain_pointer(document, "data.none") == "/data"
    assert bodies.escaped_part("a/b~c") == "a~1b~0c"
    received = bodies.Received(document)
    received.put("x", "/data/x", 1)
    with pytest.raises(Problem) as raised:
        received.put("x", "/data/y", 1)
    assert raised.value.code == "BAD_REQUEST" and raised.value.entries[0].field == "/data/y"
    for value, is_one in (
        ({"type": "a", "id": "b"}, True),
        ({"type": "a"}, False),
        ({"type": 1, "id": "b"}, False),
        ("a", False),
    ):
        assert is_reference(value) is is_one


def test_errors_are_objects() -> None:
    def written(error: dict[str, Any], **headers: str) -> dict[str, Any]:
        whole = {"code": "SOME_CODE", "message": "why", **error}
        document = errors.document(
            [whole], 409, "req_1", headers, lambda field: {"pointer": f"/{field}"} if field != "no" else None
        )
        assert document["jsonapi"] == {"version": "1.1"}
        (one,) = document["errors"]
        assert (one.pop("id"), one.pop("status"), one.pop("title"), one.pop("detail"), one.pop("code")) == (
            "req_1-1", "409", "Some code" if whole["code"] == "SOME_CODE" else errors.title(whole["code"]), "why",
            whole["code"],
        )  # fmt: skip
        return dict(one)

    assert written({}) == {}
    assert written({"field": "name", "rule": "min", "details": {"min": 1}}) == {
        "source": {"pointer": "/name"}, "meta": {"min": 1, "rule": "min", "field": "name"},
    }  # fmt: skip
    assert written({"field": "no"}) == {"meta": {"field": "no"}}
    assert written({"field": "/data/x"}) == {"source": {"pointer": "//data/x"}}
    assert written({"field": "X-Audit-Reason"}, **{"x-audit-reason": "x"}) == {
        "source": {"header": "X-Audit-Reason"}, "meta": {"field": "X-Audit-Reason"},
    }  # fmt: skip
    assert written({"code": "VERSION_CONFLICT"}, **{"if-match": "1"}) == {"source": {"header": "If-Match"}}
    assert written({"code": "VERSION_CONFLICT"}) == {}
    assert written({"code": "VERSION_CONFLICT", "field": "x"}, **{"if-match": "1"})["source"] == {"pointer": "/x"}
    assert written({"code": "UNAUTHORIZED"}, authorization="x") == {"source": {"header": "Authorization"}}
    two = errors.document([{"code": "A", "message": ""}] * 2, 422, "r", {}, lambda field: None)
    assert [one["id"] for one in two["errors"]] == ["r-1", "r-2"]


def test_types_and_relationships_are_read_off_the_models(stub: StubServer) -> None:
    known = forms()
    (deal,) = known.models_of("deal")
    form = known.form_of(deal)
    assert form.name == "deal" and form is known.form_of(deal)
    relations = {name: (one.member, one.target, one.many) for name, one in form.relations.items()}
    assert relations["owner"] == ("owner_id", "user", False) and relations["pipeline"] == (
        "pipeline_id",
        "pipeline",
        False,
    )
    assert (
        form.renamed["type"] == "dealType"
        and form.members["owner"] == "ownerId"
        and form.by_wire["ownerId"].name == "owner"
    )
    assert form.members["dealType"] == "type" and "externalId" not in {one.wire for one in form.relations.values()}
    assert len(known.models_of("activity")) >= 5 and known.models_of("nothing") == ()
    assert known.is_type("deal") and known.is_type("activity") and not known.is_type("deals")


def test_a_query_says_it_in_its_way(stub: StubServer) -> None:
    crm = stub.client(dialects="platform")
    first = ask(stub, "GET", "/v1/leads", page_size=2, page_number=2, sort="-createdAt")
    plain = crm.request("GET", "/v1/leads", query={"limit": 2, "page": 2, "sort": "createdAt", "order": "desc"}).json()
    assert [one["id"] for one in first.data] == [one["id"] for one in plain["data"]]
    cases: list[tuple[str, int, str]] = [
        ("page[size]=2&limit=3", 400, "limit"), ("page[number]=2&page=3", 400, "page"),
        ("sort=-name&order=asc", 400, "sort"),
        ("fields[lead]=name&fields=email", 400, "fields[lead]"), ("sort=name,email", 422, "sort"),
        ("page[size]=0", 422, "page[size]"),
        ("page[size]=201", 422, "page[size]"), ("page[offset]=5", 400, "page[offset]"), ("page[]=5", 400, "page[]"),
        ("include=nonsense", 400, "include"), ("include=owner,nonsense", 400, "include"),
        ("fields[lead]=nonsense", 422, "fields[lead]"),
        ("fields[lead]=name,x", 422, "fields[lead]"), ("fields[nonsense]=name", 422, "fields[nonsense]"),
        ("fields[user]=nonsense", 422, "fields[user]"), ("filter[nonsense]=1", 422, "filter[nonsense]"),
        ("nonsense=1", 400, "nonsense"), ("nonSense=1", 422, "nonSense"), ("odd[x]=1", 400, "odd[x]"),
        ("oddName[x]=1", 422, "oddName[x]"),
        ("filter[ownerId]=user_ada&filter[owner]=user_ada", 400, "filter[owner]"),
        ("status=new&filter[status]=new", 400, "filter[status]"),
    ]  # fmt: skip
    for query, status, parameter in cases:
        refused = ask(stub, "GET", f"/v1/leads?{query}")
        assert (refused.status, refused.error["source"]) == (status, {"parameter": parameter}), query
    assert ask(stub, "GET", "/v1/leads?sort=name,email").error["meta"]["rule"] == "length"
    there = ask(stub, "GET", "/v1/leads?include=nonsense").error["detail"]
    assert "'nonsense'" in there and there.endswith("owner, territory") and "account, " in there
    assert ask(stub, "GET", "/v1/deals?sort=stageName&page[size]=1").data
    assert ask(stub, "GET", "/v1/deals?sort=owner").error["source"] == {"parameter": "sort"}
    owned = ask(stub, "GET", "/v1/leads", filter_owner="user_ada", page_size=5)
    assert {one["relationships"]["owner"]["data"]["id"] for one in owned.data} == {"user_ada"}
    assert ask(stub, "GET", "/v1/leads?filter[ownerId]=user_ada&page[size]=5").data == owned.data
    assert (
        ask(stub, "GET", "/v1/leads?sort=name&order=desc&page[size]=3").data
        == ask(stub, "GET", "/v1/leads?sort=-name&page[size]=3").data
    )


def test_a_list_has_its_links(stub: StubServer) -> None:
    def pages(query: str) -> dict[str, str | None]:
        links = ask(stub, "GET", f"/v1/pipelines?{query}").json["links"]
        name = "page" if "page=" in query and "number" not in query else "page[number]"
        assert links["self"] == f"/v1/pipelines?{query}"
        return {key: parse_qs(urlsplit(links[key]).query)[name][0] if links[key] else None
                for key in ("first", "prev", "next", "last")}  # fmt: skip

    crm = stub.client(dialects="platform")
    while (crm.pipelines.list().total or 0) < 5:
        crm.pipelines.create({"name": f"P{crm.pipelines.list().total}", "stages": [
            {"name": "A", "key": "a", "kind": "open", "probability": 5}, {"name": "W", "key": "w", "kind": "won"},
            {"name": "L", "key": "l", "kind": "lost"}]})  # fmt: skip
    assert pages("page[size]=2") == {"first": "1", "prev": None, "next": "2", "last": "3"}
    assert pages("page[size]=2&page[number]=2") == {"first": "1", "prev": "1", "next": "3", "last": "3"}
    assert pages("page[size]=2&page[number]=3") == {"first": "1", "prev": "2", "next": None, "last": "3"}
    assert pages("page[size]=2&page[number]=9") == {"first": "1", "prev": "3", "next": None, "last": "3"}
    assert pages("page[size]=5") == {"first": "1", "prev": None, "next": None, "last": "1"}
    assert pages("page=2&limit=4") == {"first": "1", "prev": "1", "next": None, "last": "2"}
    none = ask(stub, "GET", "/v1/leads?search=nobody-at-all&page[size]=2").json
    assert (none["data"], none["meta"]["total"], none["links"]["next"]) == ([], 0, None)
    assert "page%5Bnumber%5D=1" in none["links"]["last"] and "search=nobody-at-all" in none["links"]["last"]
    bare = ask(stub, "GET", "/v1/users/user_ada/roles").json
    assert bare["links"] == {
        "self": "/v1/users/user_ada/roles",
        "first": None,
        "prev": None,
        "next": None,
        "last": None,
    }
    assert bare["meta"]["total"] == len(bare["data"])
    mounted = ask(stub, "GET", "/platform/v1/leads?page[size]=1").json
    assert mounted["links"]["next"].startswith("/platform/v1/leads?")
    assert mounted["data"][0]["links"]["self"] == f"/platform/v1/leads/{mounted['data'][0]['id']}"


def test_a_resource_has_its_parts(stub: StubServer, deal: str) -> None:
    one = ask(stub, "GET", deal).data
    plain = stub.client(dialects="platform").request("GET", deal).json()["data"]
    assert (one["type"], one["id"], one["meta"], one["links"]) == ("deal", plain["id"], {"version": 1}, {"self": deal})
    assert one["attributes"]["title"] == "D" and one["attributes"]["dealType"] == plain["type"]
    assert not {"id", "version", "type", "ownerId", "contactId"} & one["attributes"].keys()
    assert one["relationships"]["contact"] == {"data": {"type": "contact", "id": "contact_123"}}
    assert one["relationships"]["team"] == {"data": None}
    picked = ask(stub, "GET", f"{deal}?fields[deal]=title,owner").data
    assert (picked["attributes"].keys(), picked["relationships"].keys()) == ({"title"}, {"owner"})
    whole = ask(stub, "GET", f"{deal}?include=contact,owner,team&fields[contact]=name").json
    assert {(each["type"], each["id"]) for each in whole["included"]} == {
        ("contact", "contact_123"), ("user", one["relationships"]["owner"]["data"]["id"]),
    }  # fmt: skip
    contact = next(each for each in whole["included"] if each["type"] == "contact")
    assert contact["attributes"].keys() == {"name"} and contact["links"] == {"self": "/v1/contacts/contact_123"}
    assert ask(stub, "GET", f"{deal}?include=").json["included"] == []
    answered = ask(stub, "PATCH", f"{deal}?fields[deal]=title", resource("deal", {"title": "E"}))
    assert answered.data["attributes"] == {"title": "E"} and answered.data["meta"] == {"version": 2}
    made = ask(stub, "POST", "/v1/leads", resource("lead", {"name": "L"}, owner={"type": "user", "id": "user_sam"}))
    assert (made.status, made.headers["Location"]) == (201, made.data["links"]["self"])
    assert made.data["relationships"]["owner"]["data"]["id"] == "user_sam"
    gone = ask(stub, "DELETE", made.data["links"]["self"])
    assert gone.json == {"jsonapi": {"version": "1.1"}, "meta": {"id": made.data["id"], "deleted": True}}


def test_what_is_wrong_with_a_body_is_pointed_at(stub: StubServer, deal: str) -> None:
    user = {"type": "user", "id": "user_ada"}
    cases: list[tuple[str, str, Any, int, str, str]] = [
        ("POST", "/v1/leads", resource("contact", {"name": "x"}), 409, "TYPE_CONFLICT", "/data/type"),
        ("POST", "/v1/leads", resource("lead", {"name": "x"}, "mine"), 403, "CLIENT_ID_FORBIDDEN", "/data/id"),
        ("PATCH", deal, resource("deal", {"title": "x"}, "deal_456"), 409, "TYPE_CONFLICT", "/data/id"),
        ("PATCH", deal, {"data": {"type": 5}}, 422, "VALIDATION_ERROR", "/data/type"),
        ("PATCH", deal, {"data": {"attributes": {}}}, 422, "VALIDATION_ERROR", "/data"),
        ("PATCH", deal, {"data": {"type": "deal", "id": 5}}, 422, "VALIDATION_ERROR", "/data/id"),
        ("PATCH", deal, {"data": []}, 422, "VALIDATION_ERROR", "/data"),
        ("PATCH", deal, {"meta": {}}, 422, "VALIDATION_ERROR", ""),
        ("PATCH", deal, {"data": {"type": "deal", "attributes": []}}, 422, "VALIDATION_ERROR", "/data/attributes"),
        ("PATCH", deal, {"data": {"type": "deal", "relationships": 5}}, 422, "VALIDATION_ERROR", "/data/relationships"),
        ("PATCH", deal, {"data": {"type": "deal", "relationships": {"owner": "x"}}}, 422, "VALIDATION_ERROR",
         "/data/relationships/owner"),
        ("PATCH", deal, {"data": {"type": "deal", "relationships": {"owner": {"data": "x"}}}}, 422, "VALIDATION_ERROR",
         "/data/relationships/owner/data"),
        ("PATCH", deal, {"data": {"type": "deal", "relationships": {"owner": {"data": [user]}}}}, 422,
         "VALIDATION_ERROR",
         "/data/relationships/owner/data"),
        ("PATCH", deal, resource("deal", {}, owner={"type": "contact", "id": "x"}), 409, "TYPE_CONFLICT",
         "/data/relationships/owner/data/type"),
        ("PATCH", deal, resource("deal", {}, owner={"type": "user", "id": "none"}), 422, "REFERENCE_NOT_FOUND",
         "/data/relationships/owner/data/id"),
        ("PATCH", deal, resource("deal", {"ownerId": "user_ada"}, owner=user), 400, "BAD_REQUEST",
         "/data/relationships/owner"),
        ("PATCH", deal, resource("deal", {"dealType": 5}), 422, "VALIDATION_ERROR", "/data/attributes/dealType"),
        ("POST", "/v1/leads", resource("lead", {"email": "a@b.example"}), 422, "VALIDATION_ERROR", "/data/attributes"),
        ("POST", "/v1/leads", resource("lead", {"name": "x", "email": "no"}), 422, "VALIDATION_ERROR",
         "/data/attributes/email"),
        ("POST", "/v1/leads", resource("lead", {"name": "x", "a/b~c": 1}), 422, "VALIDATION_ERROR",
         "/data/attributes/a~1b~0c"),
    ]  # fmt: skip
    for method, path, body, status, code, pointer in cases:
        refused = ask(stub, method, path, body)
        assert (refused.status, refused.error["code"], refused.error["source"]) == (
            status,
            code,
            {"pointer": pointer},
        ), body
    silent = ask(stub, "PATCH", deal, {"data": {"type": "deal", "relationships": {"owner": {"meta": {}}}}})
    assert silent.data["meta"] == {"version": 1}, "a relationship without data says nothing"
    cleared = ask(stub, "PATCH", deal, resource("deal", {}, contact=None))
    assert cleared.data["relationships"]["contact"] == {"data": None}
    plain = ask(stub, "PATCH", deal, {"value": "x"}, sent="application/json")
    assert (plain.status, plain.error["source"]) == (422, {"pointer": "/value"})
    assert ask(stub, "GET", "/v1/leads/lead_none").error.get("source") is None


def test_plain_answers_to_documents_and_the_other_way(stub: StubServer, deal: str) -> None:
    headers = {"authorization": "Bearer acme-admin", "content-type": MEDIA}
    body = json.dumps(resource("deal", {"title": "Sent"})).encode()
    reply = stub.handle(Request("PUT", deal, "", headers, body))
    assert reply.headers["Content-Type"] == "application/json" and json.loads(reply.body)["data"]["title"] == "Sent"
    for accept, status, code in ((f"{MEDIA};ext=x", 406, "NOT_ACCEPTABLE"),):
        refused = ask(stub, "GET", deal, headers={"accept": accept})
        assert (refused.status, refused.error["code"], refused.error["source"]) == (status, code, {"header": "Accept"})
    odd = ask(stub, "PATCH", deal, resource("deal", {}), sent=f"{MEDIA};ext=x")
    assert (odd.status, odd.error["code"], odd.error["source"]) == (
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        {"header": "Content-Type"},
    )
    nobody = ask(stub, "GET", deal, who="nonsense")
    assert (nobody.status, nobody.error["source"]) == (401, {"header": "Authorization"})
    wrong = ask(stub, "PATCH", "/v1/leads", resource("lead", {}))
    assert wrong.status == 405
    figures = ask(stub, "GET", "/v1/deals/forecast").json
    assert figures["data"] is None and figures["meta"]["result"] and "links" not in figures
    stale = ask(stub, "PATCH", deal, resource("deal", {"title": "x"}), headers={"if-match": '"9"'})
    assert (stale.status, stale.error["source"]) == (409, {"header": "If-Match"})
