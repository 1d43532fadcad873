"""How records are found by what they hold: what links a record, and what has a value.

Beside its members a stored record has `links`, the ids that it holds in references and relationships, and `values`, a
term for each value (`values.term`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...data.document import Document
from ...problems import Problem
from ...serving import Context, Members
from .definitions import CORE, fields_of, ids_in, is_exclusive, is_link, keys_of, records_of, values_of
from .values import term


def members_of(call: Context, object: Members, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a record that hold its values, or follow from them."""
    held = {name: value for name, value in values.items() if value is not None}
    name = held.get(object["primary_field"])
    return {"fields": held, "name": name, **found_by(keys_of(call, object["id"]), held)}


def found_by(keys: Mapping[str, Document], values: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the members by which records are found: the ids that they link, and a term for each value."""
    links = [id for name, value in values.items() if name in keys and is_link(keys[name]) for id in ids_in(value)]
    return {"links": list(dict.fromkeys(links)), "values": [term(name, value) for name, value in values.items()]}


def equals_of(call: Context, object_id: str, name: str, value: Any) -> list[Document]:
    """Return the live records of an object with a value, without regard to case."""
    found = call.collection("record").find("values", term(name, value))
    return [doc for doc in found if doc["object_id"] == object_id]


def linking(call: Context, id: str) -> list[tuple[Document, list[Document]]]:
    """Return the live records that link a record, each with the fields and relationships that do.

    Those of the CRM itself that have reference fields of their own are among them.
    """
    found: list[tuple[Document, list[Document]]] = []
    for kind in CORE:
        links = [key for key in fields_of(call, kind) if is_link(key)]
        for doc in records_of(call, kind) if links else ():
            values = values_of(doc, kind)
            if held := [key for key in links if has_id(values.get(key["api_name"]), id)]:
                found.append((doc, held))
    for doc in call.collection("record").find("links", id):
        keys = keys_of(call, doc["object_id"])
        found.append((doc, [keys[name] for name, value in doc["fields"].items() if name in keys and has_id(value, id)]))
    return found


def has_id(value: Any, id: str) -> bool:
    """Tell whether the value of a link holds an id."""
    return id in ids_in(value)


def refuse_second_link(call: Context, key: Members, ids: Iterable[str], own_id: str | None) -> None:
    """Raise 409 where a record would be linked twice by what may link it once only."""
    for id in ids if is_exclusive(key) else ():
        for doc in call.collection("record").find("links", id):
            ours = doc["object_id"] == key["object_id"] and doc["id"] != own_id
            if ours and has_id(doc["fields"].get(key["api_name"]), id):
                raise Problem(
                    "CARDINALITY_VIOLATION",
                    f"{doc['id']} is linked with {id} already, and only one can be",
                    field=f"fields.{key['api_name']}",
                    details={"record_ids": [doc["id"]]},
                )
