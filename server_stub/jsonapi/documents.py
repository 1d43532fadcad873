"""Write envelopes as documents of JSON:API: resources, lists with their links, everything else as ``meta``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from crm_sdk.wire import is_array, is_object

from ..problems import Problem
from ..request.access import features, permissions
from ..request.answering.members import picker
from ..request.answering.rendering import renderer
from .forms import Form, Forms, Kinds, Relation, is_custom, is_reference
from .queries import Asked

if TYPE_CHECKING:
    from ..data.document import Document
    from ..serving import Context

VERSION: Mapping[str, str] = {"version": "1.1"}


@dataclass(frozen=True)
class Place:
    """Where a request went, for the links in its answer."""

    mount: str
    """What stands before the path of a route: ``/platform``."""
    path: str
    query: str
    identifiers: Mapping[str, str]


class Writer:
    """Writes the answer to one request."""

    def __init__(
        self, forms: Forms, call: Context, kinds: Kinds, asked: Asked, place: Place, own_type: str | None
    ) -> None:
        self._forms = forms
        self._call = call
        self._kinds = kinds
        self._asked = asked
        self._place = place
        self._own_type = own_type
        self.included: list[tuple[str, Document]] = []
        """The records that came with the answer, each with the name of its noun."""

    # -- documents -----------------------------------------------------------------------------------------------------

    def document(self, envelope: Mapping[str, Any], *, pages: bool, reduce: bool) -> dict[str, Any]:
        """Return the document of a success.

        `pages` tells whether the query can name a page, `reduce` whether the fields are still to be selected.
        """
        data, meta = envelope.get("data"), dict(envelope.get("meta") or {})
        for name in ("timestamp", "version", "requestId"):
            meta.pop(name, None)
        window: Mapping[str, Any] | None = meta.pop("pagination", None)
        items = data if is_array(data) and (self._kinds.many or window is not None) else None
        is_list = items is not None
        if items is not None:
            meta = {"total": window["total"] if window is not None else len(items), **meta}
        if not self._kinds.forms or not (is_list if self._kinds.many else data is None or is_object(data)):
            found: dict[str, Any] = {"jsonapi": VERSION, "data": None, "meta": {"result": data, **meta}}
            return {**found, "links": self._links(window, pages=pages)} if is_list else found
        records = items if items is not None else [data] if is_object(data) else []
        resources = [self._resource(one, reduce=reduce) for one in records]
        found = {"jsonapi": VERSION, "data": resources if is_list else resources[0] if resources else None}
        if self._asked.include is not None:
            found["included"] = list(self._related_objects(resources, self._asked.include))
        if meta:
            found["meta"] = meta
        return {**found, "links": self._links(window, pages=pages)} if is_list else found

    def _links(self, window: Mapping[str, Any] | None, *, pages: bool) -> dict[str, str | None]:
        """Return the links of a list; null where there is no such page, or the list has none."""
        whole = self._place.path + (f"?{self._place.query}" if self._place.query else "")
        if window is None or not pages:
            return {"self": whole, "first": None, "prev": None, "next": None, "last": None}
        page, last = window["page"], max(1, -(-window["total"] // max(1, window["limit"])))
        return {
            "self": whole,
            "first": self._page(1),
            "prev": self._page(min(page - 1, last)) if page > 1 else None,
            "next": self._page(page + 1) if page < last else None,
            "last": self._page(last),
        }

    def _page(self, number: int) -> str:
        pairs = parse_qsl(self._place.query, keep_blank_values=True)
        name = self._asked.sent.get("page", "page[number]")
        query = urlencode([*((key, value) for key, value in pairs if key != name), (name, number)])
        return f"{self._place.path}?{query}"

    # -- resources -----------------------------------------------------------------------------------------------------

    def _resource(self, value: Mapping[str, Any], *, reduce: bool) -> dict[str, Any]:
        form = self._kinds.form_of(value)
        type_ = self._type_of(form, value)
        names = self._asked.fields.get(type_) if reduce else None
        return self._write(form, type_, self._reduce(form, value, names))

    def _type_of(self, form: Form, value: Mapping[str, Any]) -> str:
        custom = self._own_type or value.get("object") if is_custom(form) else None
        return str(custom) if custom is not None else form.name

    @staticmethod
    def _reduce(form: Form, value: Mapping[str, Any], names: Sequence[str] | None) -> Mapping[str, Any]:
        """Return the selected members of a rendered record."""
        if names is None:
            return value
        heads = (name.partition(".") for name in names)
        wire = [f"{form.members.get(head, head)}{dot}{rest}" for head, dot, rest in heads]
        picked: Mapping[str, Any] = picker([form.model], wire)(value)
        return picked

    def _write(self, form: Form, type_: str, value: Mapping[str, Any]) -> dict[str, Any]:
        attributes: dict[str, Any] = {}
        relationships: dict[str, Any] = {}
        version: int | None = None
        for name, member in value.items():
            relation = form.by_wire.get(name)
            if name == "version" and (member is None or isinstance(member, int)):
                version = member
            elif relation is not None and _is_linkage(relation, member):
                relationships[relation.name] = {"data": _linkage(relation, member)}
            elif name != "id":
                attributes[form.renamed.get(name, name)] = member
        found: dict[str, Any] = {"type": type_, "id": value["id"], "attributes": attributes}
        if relationships:
            found["relationships"] = relationships
        path = self.path_of(form, value)
        if path is not None:
            found["links"] = {"self": path}
        if version is not None:
            found["meta"] = {"version": version}
        return found

    def path_of(self, form: Form, value: Mapping[str, Any]) -> str | None:
        """Return the link to a record; None where no route answers it."""
        path = self._forms.path_of(form, value, self._place.identifiers)
        return f"{self._place.mount}{path}" if path is not None else None

    # -- included resources --------------------------------------------------------------------------------------------

    def _related_objects(
        self, resources: Sequence[Mapping[str, Any]], names: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        """Yield the resources at the other end of relationships, each once, as far as the caller may see them."""
        known = {(one["type"], one["id"]) for one in resources}
        for resource in resources:
            for name in names:
                data = resource.get("relationships", {}).get(name, {}).get("data")
                for one in data if is_array(data) else [data] if data is not None else []:
                    key = one["type"], one["id"]
                    if key not in known:
                        known.add(key)
                        found = self._fetch(*key)
                        if found is not None:
                            yield found

    def _fetch(self, type_: str, id: str) -> dict[str, Any] | None:
        """Return a record as its own route would answer it; None where the caller may not see it."""
        call, server = self._call, self._call.server
        entity = server.entities.find(call, type_)
        noun = server.nouns.get(type_) if entity is None else entity.noun
        if entity is not None and entity.kinds is not None:
            stored: Document | None = call.find_one(entity.collection, id)
            noun = entity.noun_of(stored) if stored is not None else None
        word = entity.word if entity is not None else noun.word if noun is not None else ""
        if noun is None or permissions.scope_for(call.caller, word, "read") is None:
            return None
        if not features.is_on(server, call.caller, word):
            return None
        try:
            doc = noun.answer(call, noun.find_one(call, id))
        except Problem:
            return None
        if doc["id"] != id:  # a merged one: the relationship names what is no more
            return None
        self.included.append((noun.kind, doc))
        form = self._forms.form_of(noun.model)
        return self._write(form, type_, self._reduce(form, _plain(noun.model, doc), self._asked.fields.get(type_)))


def _plain(model: Any, doc: Document) -> dict[str, Any]:
    rendered: dict[str, Any] = renderer(model, "platform")(doc)
    return rendered


def _is_linkage(relation: Relation, value: Any) -> bool:
    """Tell whether a member can be written as a relationship: what it holds are references, or nothing."""
    if relation.target is not None:
        return value is None or isinstance(value, str)
    return all(map(is_reference, value)) if is_array(value) else value is None or is_reference(value)


def _linkage(relation: Relation, value: Any) -> Any:
    if relation.many:
        return [{"type": one["type"], "id": one["id"]} for one in value or ()]
    if value is None:
        return None
    return {"type": relation.target, "id": value} if relation.target is not None else {
        "type": value["type"], "id": value["id"],
    }  # fmt: skip
