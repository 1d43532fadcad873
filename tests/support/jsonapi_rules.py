"""What JSON:API 1.1 demands of every document, and asking for one: what the tests of the format stand on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from server_stub import StubServer
from server_stub.jsonapi.forms import Form
from server_stub.request.http import Request

MEDIA = "application/vnd.api+json"
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?")


@dataclass(frozen=True)
class Document:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    json: Any

    @property
    def data(self) -> Any:
        assert self.status < 400, self.json
        return self.json["data"]

    @property
    def error(self) -> Any:
        assert self.status >= 400, self.json
        return self.json["errors"][0]


def ask(
    stub: StubServer,
    method: str,
    path: str,
    body: Any = None,
    *,
    who: str = "acme-admin",
    headers: Mapping[str, str] | None = None,
    sent: str = MEDIA,
    **query: Any,
) -> Document:
    """Make a request for JSON:API; its answer has been held against the rules. ``page[size]`` is ``page_size``."""
    named = {re.sub(r"^(page|fields|filter)_(\w+)$", r"\1[\2]", name): value for name, value in query.items()}
    given = {"authorization": f"Bearer {who}", "accept": MEDIA, **({"content-type": sent} if body is not None else {})}
    content = json.dumps(body).encode() if body is not None else b""
    path, _, own = path.partition("?")
    target = "&".join(part for part in (own, urlencode(named)) if part)
    reply = stub.handle(Request(method, path, target, {**given, **(headers or {})}, content))
    assert reply.headers["Content-Type"] == MEDIA, reply.body
    assert "Accept" in reply.headers["Vary"]
    found = json.loads(reply.body)
    check(found, reply.status)
    return Document(reply.status, reply.headers, found)


def resource(type_: str, attributes: Mapping[str, Any], id: str | None = None, **related: Any) -> dict[str, Any]:
    """Return a document with one resource; `related` are the identifiers of its relationships."""
    own = {"id": id} if id is not None else {}
    relationships = {"relationships": {name: {"data": one} for name, one in related.items()}} if related else {}
    return {"data": {"type": type_, **own, "attributes": dict(attributes), **relationships}}


def check(document: Any, status: int) -> None:
    """Raise AssertionError where a document breaks a rule of JSON:API 1.1."""
    assert document.keys() <= {"jsonapi", "data", "errors", "meta", "links", "included"}
    assert document["jsonapi"] == {"version": "1.1"}
    assert document.keys() & {"data", "errors", "meta"}, "a document has one of them"
    assert ("errors" in document) == (status >= 400)
    if "errors" in document:
        assert "data" not in document
        check_errors(document["errors"], status)
        return
    primary = document.get("data")
    resources: Sequence[Any] = primary if isinstance(primary, list) else [primary] if primary else []
    included = document.get("included", [])
    assert "data" in document or not included
    keys = [(one["type"], one["id"]) for one in (*resources, *included)]
    assert len(keys) == len(set(keys)), "no two resources of a document have one type and id"
    for one in (*resources, *included):
        check_resource(one)
    linked = {(one["type"], one["id"]) for each in resources for one in linkages(each)}
    assert {(one["type"], one["id"]) for one in included} <= linked, "full linkage"
    if "links" in document:
        assert all(value is None or isinstance(value, str) for value in document["links"].values())


def check_errors(errors: Sequence[Any], status: int) -> None:
    assert errors
    assert len({one["id"] for one in errors}) == len(errors)
    for one in errors:
        assert one.keys() <= {"id", "links", "status", "code", "title", "detail", "source", "meta"}
        assert one["status"] == str(status)
        assert one["title"] == one["code"].replace("_", " ").capitalize()
        assert one.get("source", {}).keys() <= {"pointer", "parameter", "header"}


def check_resource(one: Any) -> None:
    assert one.keys() <= {"type", "id", "attributes", "relationships", "links", "meta"}
    assert isinstance(one["id"], str)
    assert one["id"]
    assert _NAME.fullmatch(one["type"])
    attributes, relationships = one.get("attributes", {}), one.get("relationships", {})
    assert not attributes.keys() & relationships.keys(), "attributes and relationships have one set of names"
    assert not {"type", "id"} & (attributes.keys() | relationships.keys())
    assert all(map(_NAME.fullmatch, (*attributes, *relationships)))
    for relationship in relationships.values():
        assert relationship.keys() & {"links", "data", "meta"}
    for identifier in linkages(one):
        assert identifier.keys() <= {"type", "id", "meta"}
        assert all(isinstance(identifier[name], str) for name in ("type", "id"))


def linkages(one: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the identifiers of the resources that a resource is related to."""
    for relationship in one.get("relationships", {}).values():
        data = relationship.get("data")
        yield from data if isinstance(data, list) else [data] if data is not None else []


def pointed(document: Any, pointer: str) -> Any:
    """Return what a JSON Pointer (RFC 6901) points to. Raises KeyError or IndexError where there is nothing."""
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        document = document[int(name)] if isinstance(document, list) else document[name]
    return document


def plain_of(resource: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """Return a resource as the record that an envelope has."""
    back = {new: name for name, new in form.renamed.items()}
    members = {back.get(name, name): value for name, value in resource["attributes"].items()}
    for name, relationship in resource.get("relationships", {}).items():
        relation, data = form.relations[name], relationship["data"]
        if relation.target is not None:
            assert data is None or data["type"] == relation.target
            members[relation.wire] = data and data["id"]
        else:
            members[relation.wire] = data
    return {"id": resource["id"], **members}


def without_names(value: Any, form: Form) -> Any:
    """Return a record of an envelope without the names in its references, which linkage does not have."""
    kept = dict(value)
    for relation in form.relations.values():
        held = value.get(relation.wire)
        if relation.target is None and held is not None:
            bare = [{"type": one["type"], "id": one["id"]} for one in (held if relation.many else [held])]
            kept[relation.wire] = bare if relation.many else bare[0]
    return kept


def document_of(form: Form, type_: str, body: Mapping[str, Any], id: str | None = None) -> dict[str, Any]:
    """Return the body of a plain request as a document."""
    attributes: dict[str, Any] = {}
    relationships: dict[str, Any] = {}
    for name, value in body.items():
        relation = form.by_wire.get(name)
        if relation is None:
            attributes[form.renamed.get(name, name)] = value
        elif relation.target is None:
            relationships[relation.name] = {"data": value}
        else:
            relationships[relation.name] = {"data": value and {"type": relation.target, "id": value}}
    own = {"id": id} if id is not None else {}
    return {"data": {"type": type_, **own, "attributes": attributes, "relationships": relationships}}
