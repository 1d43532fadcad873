"""The keys by which records of an entity are found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_sdk.wire import camel, is_object, snake

from ...data.document import Document
from ...data.keys import with_value
from ...nouns.entities import Entity
from ...problems import Problem, invalid
from ...request.access.hiding import seen_members
from ...serving import Context
from ..custom_objects.finding import equals_of


def names(entity: Entity) -> list[str]:
    """Return the names of an entity's keys, without the marks of those that are not unique."""
    return [key.rstrip("~") for key in entity.keys]


def check_key(call: Context, entity: Entity, name: str | None) -> str:
    """Return a key of an entity; without a name the default one. Raises: 422 NOT_A_KEY, also for a hidden member."""
    known = ["id", *seen_members(call.caller, names(entity), entity.name)]
    if name is None:
        return known[1] if len(known) > 1 else "id"
    plain = name.removeprefix("fields.")
    for form in (plain, snake(plain)):
        if form in known:
            return form
    message = f"records of the type {entity.name} are not found by {name!r}; use {', '.join(known)}"
    raise Problem("NOT_A_KEY", message, field="match_on", rule="choice", details={"keys": known})


def value_in(entity: Entity, row: Mapping[str, Any], key: str) -> Any:
    """Return the value of a key in a row; None where it has none."""
    if entity.object is not None and key != "id":
        own = row.get("fields")
        row = own if is_object(own) else {}
    value = row.get(key, row.get(camel(key)))
    return None if value == "" else value


def check_value(entity: Entity, key: str, value: Any) -> None:
    """Raise 422 for what cannot be the value of a key: an object, a list, a flag."""
    known = (str,) if entity.object is None else (str, int, float)
    if isinstance(value, bool) or not isinstance(value, known):
        raise invalid(key, "type", "the value of a key is a text, or a number where the field is one")


def matching(call: Context, entity: Entity, key: str, value: Any) -> Document | None:
    """Return the live record with a value of a key; None where there is none.

    Raises: AMBIGUOUS_MATCH, with the ids in `details`, where several have it; 422 for what no key can be.
    """
    check_value(entity, key, value)
    if entity.object is not None:
        docs = equals_of(call, entity.object["id"], key, value)
    else:
        noun = entity.noun
        stored = noun.stored_value(call, key, value) if noun is not None else value
        places = noun.places.get(key, (key,)) if noun is not None else (key,)
        docs = with_value(call.collection(entity.collection), places, stored)
        if key in ("external_id", "uid", "message_id", "code"):  # the index ignores case, but these do not
            docs = [doc for doc in docs if doc.get(key) == stored]
    if len(docs) > 1:
        ids = sorted(doc["id"] for doc in docs)
        message = f"{', '.join(ids)} have the {key.replace('_', ' ')} {value!r}: name the one you mean by its id"
        raise Problem("AMBIGUOUS_MATCH", message, field=key, rule="unique", details={"ids": ids})
    return docs[0] if docs else None
