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
    assert made.headers["Location"].endswith(record["id"])
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
        assert gone.json.get("meta", {}).get("deleted") or gone.data["id"] == record["id"]


def test_names_of_members_are_unique_in_every_form() -> None:
    for noun in contributions().nouns.values():
        form = forms().form_of(noun.model)
        wire = [camel(name) for name in noun.model.model_fields if name not in ("id", "version")]
        names = [form.by_wire[name].name if name in form.by_wire else form.renamed.get(name, name) for name in wire]
        assert len(names) == len(set(names)), noun.kind
        assert not {"type", "id"} & set(names), noun.kind
