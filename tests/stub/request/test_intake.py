"""What is read of a request: parameters, bodies, forms and bulk calls; each error at its place, and all at once."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from crm_sdk.models.leads import LeadCreate
from server_stub import StubServer
from server_stub.problems import Problem
from server_stub.request.http import Request
from server_stub.request.reading.intake import read_input

STRANGE, NO_TEXT = "extra inputs are not permitted", "input should be a valid string"
STATUS = "'weird' is not one of new, contacted, qualified, unqualified, converted"
Wrong = tuple[str | None, str | None, str]


@pytest.fixture
def stub(restored: StubServer) -> StubServer:
    return restored


def ask(stub: StubServer, call: str, body: Any = None, *, kind: str = "application/json") -> tuple[int, Any]:
    """Return the status and the body of an answer to ``PUT /leads/lead_123``."""
    method, _, path = call.partition(" ")
    path, _, query = path.partition("?")
    path = path if path.startswith(("/mvp", "/flow")) else f"/v1{path}"
    content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    headers = {"authorization": "Bearer acme-admin", "content-type": kind}
    reply = stub.handle(Request(method, path, query, headers, content))
    return reply.status, json.loads(reply.body)


def wrong(answer: Any) -> list[Wrong]:
    return [(error["field"], error.get("rule"), error["message"]) for error in answer["errors"]]


REFUSED: list[tuple[str, Any, list[Wrong]]] = [
    ("GET /leads?bogus=1&other=2", None, [
        ("bogus", "unknown", "leads.list has no parameter of this name"),
        ("other", "unknown", "leads.list has no parameter of this name"),
    ]),
    ("GET /leads?limit=0", None, [("limit", "min", "must be at least 1")]),
    ("GET /leads?createdAfter=5", None, [
        ("createdAfter", "type", "must be a time as a text, such as 2026-01-31T09:00:00Z"),
    ]),
    ("GET /leads?minScore=x&status=weird", None, [
        ("minScore", "type", "input should be a valid integer, unable to parse string as an integer"),
        ("status", "choice", STATUS),
    ]),
    ("GET /leads?order=weird", None, [("order", "choice", "'weird' is not one of asc, desc")]),
    ("POST /leads?title=CEO", {"name": "A", "title": "CTO"}, [
        ("title", "unknown", "leads.create has no parameter of this name"),
    ]),
    ("POST /leads?bogus=CEO", {"name": "A"}, [("bogus", "unknown", "leads.create has no parameter of this name")]),
    ("POST /leads", {"name": "A", "id": "x", "version": 7, "bogus": 1}, [("bogus", "unknown", STRANGE)]),
    ("POST /leads", {"lead": {"name": "A"}, "x": 1}, [
        ("name", "required", "field required"), ("lead", "unknown", STRANGE), ("x", "unknown", STRANGE),
    ]),
    ("POST /leads", {"lead": "A"}, [("name", "required", "field required"), ("lead", "unknown", STRANGE)]),
    ("POST /leads", {"name": "A", "value": "5"}, [("value", "type", "must be a number or a whole number")]),
    ("POST /contacts", {"firstName": 5}, [("firstName", "type", NO_TEXT), ("name", "required", "field required")]),
    ("POST /contacts", {"name": 5, "bogus": 1, "status": "weird", "doNotContact": "yes"}, [
        ("name", "type", NO_TEXT), ("bogus", "unknown", STRANGE), ("doNotContact", "type", "must be true or false"),
        ("status", "choice", "'weird' is not one of active, inactive, archived"),
    ]),
    ("POST /contacts", {"name": "A", "doNotContact": "yes"}, [("doNotContact", "type", "must be true or false")]),
    ("POST /contacts", {"name": "A", "status": "weird"}, [
        ("status", "choice", "'weird' is not one of active, inactive, archived"),
    ]),
    ("POST /contacts/bulk", {"contacts": [{"name": 5}], "mode": 5}, [
        ("contacts.0.name", "type", NO_TEXT), ("mode", "unknown", STRANGE),
    ]),
    ("POST /contacts/bulk", {"contacts": 5}, [("contacts", "type", "input should be an instance of Sequence")]),
    ("POST /workflows", {"name": "W", "entityType": "deal", "triggers": [{"type": "record_created", "active": None}]}, [
        ("triggers.0.active", "type", "input should be a valid boolean"),
    ]),
    ("PUT /pipelines/pipeline_acme", {"stages": [{"name": "A"}]}, [
        ("stages", "read_only", "can be given only when the record is created"),
    ]),
    ("PUT /leads/lead_123", {"name": 5, "status": "weird"}, [("name", "type", NO_TEXT), ("status", "choice", STATUS)]),
    ("POST /pipelines", {"name": "P", "stages": [{"name": "A", "id": "s", "createdAt": "x", "bogus": 1}]}, [
        ("stages.0.bogus", "unknown", STRANGE),
    ]),
]  # fmt: skip


@pytest.mark.parametrize("half", [slice(0, 11), slice(11, None)], ids=["first", "second"])
def test_what_is_refused(stub: StubServer, half: slice) -> None:
    answers = [(call, body, ask(stub, call, body)) for call, body, _ in REFUSED[half]]
    assert [(call, body, wrong(answer)) for call, body, (_, answer) in answers] == REFUSED[half]
    assert {status for _, _, (status, _) in answers} == {422}


TAKEN: list[tuple[str, Any, dict[str, Any]]] = [
    ("POST /leads?title=CEO", {"name": "A"}, {"title": "CEO"}),
    ("POST /leads", {"lead": {"name": "A", "title": "CEO"}}, {"name": "A", "title": "CEO"}),
    ("POST /leads", {"name": "A", "id": "x", "version": 7, "createdAt": "nonsense"}, {"version": 1}),
    ("POST /leads", {"name": "A", "tags": None}, {"tags": []}),
    ("POST /contacts", {"firstName": "Ada", "lastName": "  Byron "}, {"name": "Ada Byron", "firstName": "Ada"}),
    ("POST /contacts", {"lastName": "Byron"}, {"name": "Byron"}),
    ("POST /contacts", {"firstName": "Ada", "name": "X"}, {"name": "X"}),
    ("PUT /contacts/contact_123", {"firstName": "Ada"}, {"name": "Ada Johnson", "version": 2}),
    ("PUT /leads/lead_123?version=1", {"title": "T"}, {"title": "T", "version": 2}),
    ("PUT /leads/lead_123", {"convertedAt": 5, "score": "x", "title": "T"}, {"title": "T", "convertedAt": None}),
    ("PUT /leads/lead_123", {"tags": None, "title": None}, {"tags": [], "title": None}),
]


def test_what_is_taken(stub: StubServer) -> None:
    start = stub.snapshot()
    for call, body, expected in TAKEN:
        status, answer = ask(stub, call, body)
        assert status in (200, 201), answer
        assert {name: answer["data"][name] for name in expected} == expected, (call, body)
        stub.restore(start)
    assert ask(stub, "GET /mvp/api/leads?bogus=1&limit=1")[0] == 200, (
        "another dialect passes over what it does not know"
    )
    by_wire_name = [one["createdAt"] for one in ask(stub, "GET /leads?sort=createdAt")[1]["data"]]
    assert by_wire_name == sorted(by_wire_name) and len(by_wire_name) > 5
    for body in (b"", b"[]"):
        assert ask(stub, "PUT /leads/lead_123", body)[0] == 400


def test_an_object_in_the_query_is_json(stub: StubServer) -> None:
    board = stub.store.collection("tenant_acme", "dashboard").all()[0]["id"]

    def told(text: str) -> tuple[int, list[Wrong]]:
        status, answer = ask(stub, f"GET /dashboards/{board}/data?filters={quote(text)}")
        return status, [(error.get("field"), error.get("rule"), error["message"]) for error in answer["errors"]]

    assert told("{}") == (200, [])
    assert told('{"x": 1}') == (422, [("filters.x", "unknown", STRANGE)])
    no_text = "the parameter filters is no JSON text: "
    assert told("{") == (400, [(None, None, f"{no_text}'{{'")]) and told("")[1][0][2] == f"{no_text}''"
    assert told("[]") == (400, [(None, None, "the parameter filters is the JSON text of an object, not '[]'")])
    assert len(told("x" * 200)[1][0][2]) == len(no_text) + 102, "no more than a hundred characters of it"


def items(answer: Any) -> list[tuple[str, str | None, str | None, str | None]]:
    found = []
    for item in answer["data"]["items"]:
        error = item["error"] or {"field": None, "message": None}
        found.append((item["status"], item["id"] if item["error"] else None, error["field"], error["message"]))
    return found


def test_an_item_that_cannot_be_read_fails_alone(stub: StubServer) -> None:
    contacts = [
        {"name": "A"}, {"nme": "B"}, {"name": 5, "status": "x"}, 5, {"id": "contact_123", "name": None},
        {"leadId": "lead_x", "nme": 1}, {"name": "Z"}, {"id": 5},
    ]  # fmt: skip
    status, answer = ask(stub, "POST /contacts/bulk", {"contacts": contacts})
    assert status == 200
    assert items(answer) == [
        ("ok", None, None, None), ("failed", None, "nme", f"nme: {STRANGE}"),
        ("failed", None, "name", f"name: {NO_TEXT} (and 1 more)"),
        ("failed", None, None, "input should be a valid dictionary"),
        ("failed", "contact_123", "name", f"name: {NO_TEXT}"),
        ("failed", "lead_x", "leadId", f"lead_id: {STRANGE} (and 1 more)"),
        ("ok", None, None, None), ("failed", None, "id", f"id: {NO_TEXT}"),
    ]  # fmt: skip
    names = [item["result"]["name"] for item in answer["data"]["items"] if item["status"] == "ok"]
    assert names == ["A", "Z"]
    status, answer = ask(stub, "POST /leads/bulk-qualify", {"leadIds": ["lead_123", 5, {"id": "z"}]})
    assert (status, items(answer)) == (200, [
        ("ok", None, None, None), ("failed", None, None, NO_TEXT), ("failed", "z", None, NO_TEXT),
    ])  # fmt: skip
    by_query = ask(stub, "DELETE /contacts/bulk?ids=contact_123,contact_x")[1]["data"]
    assert [(item["status"], item["id"]) for item in by_query["items"]] == [
        ("ok", "contact_123"),
        ("failed", "contact_x"),
    ]


def upload(stub: StubServer, *parts: tuple[str, str | None, str]) -> tuple[int, Any]:
    content = b""
    for name, file, text in (("file", "a.txt", "hello"), *parts):
        named = f'; filename="{file}"' if file else ""
        content += f'--b\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n{text}\r\n'.encode()
    status, answer = ask(stub, "POST /files/upload", content + b"--b--\r\n", kind="multipart/form-data; boundary=b")
    if status == 201:
        names = ("relatedTo", "tags", "metadata", "visibility", "description")
        return status, {name: answer["data"][name] for name in names if answer["data"].get(name)}
    return status, [(error.get("field"), error.get("rule"), error["message"]) for error in answer["errors"]]


def test_the_parts_of_a_form(stub: StubServer) -> None:
    plain = upload(stub)[1]
    about = ("relatedTo", None, '{"type": "lead", "id": "lead_123"}')
    status, made = upload(
        stub, about, ("tags", None, '["a", "b"]'), ("metadata", None, '{"k": 1}'), ("visibility", None, "team"),
    )  # fmt: skip
    assert (status, made["tags"], made["metadata"], made["visibility"]) == (201, ["a", "b"], {"k": 1}, "team")
    assert made["relatedTo"]["id"] == "lead_123"
    assert upload(stub, ("tags", None, "a,b")) == (201, {**plain, "tags": ["a", "b"]})
    assert upload(stub, ("description", None, "[no list")) == (201, {**plain, "description": "[no list"})
    for name in ("relatedTo", "metadata"):
        status, told = upload(stub, (name, None, "{"))
        assert (status, told[0][0]) == (400, name) and told[0][2].startswith(f"the part {name!r} is not JSON: ")
    assert upload(stub, ("tags", None, "[a"))[0] == 400
    assert upload(stub, ("bogus", None, "1")) == (422, [("bogus", "unknown", STRANGE)])
    no_file = "files.upload takes no file of this name"
    assert upload(stub, ("other", "b.txt", "x")) == (422, [("other", "unknown", no_file)])
    for nameless in (("", None, "x"), ("", "b.txt", "x")):
        status, told = upload(stub, nameless)
        assert status == 400 and "one of its parts has no name" in told[0][2]
    assert upload(stub, ("visibility", None, "weird")) == (422, [
        ("visibility", "choice", "'weird' is not one of private, team, tenant"),
    ])  # fmt: skip
    status, answer = ask(stub, "POST /contacts/import", {"file": "x"})
    assert (status, answer["errors"][0]["field"], answer["errors"][0]["code"]) == (400, "file", "BAD_REQUEST")


def test_members_are_read_as_an_input() -> None:
    assert read_input(LeadCreate, {"name": "A", "status": "new"}) == {"name": "A", "status": "new"}
    for members, field, rule in (
        ({"name": "A", "bogus": 1}, "bogus", "unknown"), ({"name": 5}, "name", "type"), ({}, "name", "required"),
        ({"name": "A", "status": "weird"}, "status", "choice"),
    ):  # fmt: skip
        with pytest.raises(Problem) as caught:
            read_input(LeadCreate, members)
        assert [(entry.field, entry.rule) for entry in caught.value.entries] == [(field, rule)]
