"""Every noun of the platform as JSON:API: made, read, changed and deleted by its rules."""

from __future__ import annotations

from typing import Any

import pytest
from jsonapi_rules import ask, document_of, plain_of
from noun_cases import Case

from crm_sdk.wire import camel
from server_stub import StubServer
from server_stub.collected import contributions
from server_stub.jsonapi.forms import forms

NOUNS = [
    noun for noun in contributions().nouns.values()
    if (create := noun.declared("create")) in noun.rules() and "platform" in create.routes
]  # fmt: skip


@pytest.mark.parametrize("noun", NOUNS, ids=[one.kind for one in NOUNS])
def test_every_noun_is_made_read_changed_and_deleted(stub: StubServer, noun: Any) -> None:
    case = Case.of(noun, stub)
    form = forms().form_of(noun.model)

    def path(verb: str, id: str = "") -> tuple[str, str]:
        route = case.operation(verb).routes["platform"]
        found = route.full_path
        for name in route.placeholders:
            found = found.replace(f"{{{name}}}", case.whole_ids.get(name, id))
        return route.method, found

    method, where = path("create")
    body = case.body(**({"threshold": 10} if noun.kind == "alert" else {}))
    type_ = form.name
    made = ask(stub, method, where, document_of(form, type_, body))
    assert (made.status, made.data["type"]) == (201, type_)
    record = made.data
    named = record["attributes"]["key"] if noun.kind == "flag" else record["id"]
    assert made.headers["Location"].endswith(f"/{named}")
    if "links" in record:
        assert made.headers["Location"] == record["links"]["self"]
        assert ask(stub, "GET", record["links"]["self"]).data["id"] == record["id"]
    if case.has("update"):
        method, where = path("update", named)
        name, value = case.change_of(plain_of(record, form))
        changed = ask(stub, "PATCH", where, document_of(form, type_, {name: value}, record["id"]))
        assert plain_of(changed.data, form)[name] == value
        assert method == "PUT"
        assert changed.data["meta"]["version"] == record["meta"]["version"] + 1
    if case.has("delete"):
        method, where = path("delete", named)
        gone = ask(stub, method, where)
        assert gone.json["meta"].get("deleted") is True or gone.data["id"] == record["id"]


def test_names_of_members_are_unique_in_every_form() -> None:
    for noun in contributions().nouns.values():
        form = forms().form_of(noun.model)
        wire = [camel(name) for name in noun.model.model_fields if name not in ("id", "version")]
        names = [form.by_wire[name].name if name in form.by_wire else form.renamed.get(name, name) for name in wire]
        assert len(names) == len(set(names)), noun.kind
        assert not {"type", "id"} & set(names), noun.kind


def _reads(stub: StubServer) -> list[tuple[str, str]]:
    entries = [entry for entry in stub.audit(reads=True) if entry["action"].endswith(".read")]
    return [(entry["action"], entry["entity"]["id"]) for entry in entries]


@pytest.mark.parametrize("whole", [False, True], ids=["a record", "a list"])
def test_included_persons_are_in_the_audit_trail_as_if_they_had_been_read(stub: StubServer, whole: bool) -> None:
    contact = ask(stub, "GET", "/v1/contacts", page_size=1).data[0]["id"]
    deal = ask(stub, "POST", "/v1/deals", {"data": {
        "type": "deal", "attributes": {"title": "Read"},
        "relationships": {"contact": {"data": {"type": "contact", "id": contact}}},
    }}).data["id"]  # fmt: skip
    path = "/v1/deals" if whole else f"/v1/deals/{deal}"
    more: Any = {"page_size": 5} if whole else {}
    before = len(_reads(stub))
    ask(stub, "GET", path, **more)
    assert _reads(stub)[before:] == []
    answer = ask(stub, "GET", path, include="contact,owner", headers={"x-audit-reason": "review"}, **more)
    came = {(one["type"], one["id"]) for one in answer.json["included"]}
    assert ("contact", contact) in came
    persons = {(f"{type_}.read", id) for type_, id in came if type_ in ("contact", "user") and id != "user_ada"}
    assert set(_reads(stub)[before:]) == persons and len(_reads(stub)) == before + len(persons)
    entry = stub.audit(reads=True)[-1]
    assert (entry["source"]["dialect"], entry["source"]["status"]) == ("platform", 200)
    stub.log_reads = False
    ask(stub, "GET", path, include="contact", **more)
    stub.log_reads = True
    assert len(_reads(stub)) == before + len(persons)
