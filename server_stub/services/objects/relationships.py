"""Descriptions of what the records of entities refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from crm_sdk.models.record import Model

from ...data.queries.field_types import fields_of as report_fields
from ...noun import Noun
from ...nouns.entities import Entity
from ...nouns.references import target_of
from ...request.reading.json_types import input_hints
from ...serving import Context
from ..custom_objects.definitions import holds_many, is_link, keys_of
from ..custom_objects.definitions import target_of as target_of_link

_IN_THE_WAY = frozenset({("account", "parent_id"), ("deal", "account_id")})
"""Members of entities that keep what they refer to from being deleted, where that is of no kind that always is kept."""
_KEPT = frozenset({"user", "team"})
NEEDED = frozenset({"pipeline", "territory"})
"""The entities that no record which refers to them can be without."""


def models_of(entity: Entity, only: str | None = None) -> Iterator[tuple[Noun | None, type[Model]]]:
    """Yield the nouns and models of an entity's records; `only` chooses one kind."""
    for kind, noun in (entity.kinds or {}).items():
        if only in (None, kind):
            yield noun, noun.model
    if entity.kinds is None:
        for model in entity.models:
            yield entity.noun, model


def hints_of(noun: Noun | None) -> Mapping[str, Any]:
    """Return the types of the members that are given when a record is created or changed."""
    found: dict[str, Any] = {}
    for action in ("create", "update"):
        operation = noun.declared(action) if noun is not None else None
        body = operation.arguments.body_type if operation is not None else None
        found |= input_hints(body) if body is not None else {}
    return found


def references_of(call: Context, entity: Entity, noun: Noun | None, model: type[Model]) -> Mapping[str, str]:
    """Return the entities that the members of a model refer to, by the path of the member."""
    known = call.server.entities

    def is_entity(word: str) -> bool:
        return known.collection_of(word) is not None

    found: dict[str, str] = {}
    for name in model.model_fields:
        target = target_of(name, entity.name, noun.refers if noun is not None else {}, is_entity)
        if target is not None and is_entity(target):
            found[name] = target
    return found


def relationships_of(call: Context, entity: Entity) -> Iterator[dict[str, Any]]:
    """Yield what the records of an entity refer to."""
    seen: set[str] = set()
    for noun, model in models_of(entity):
        given = hints_of(noun)
        for name, target in references_of(call, entity, noun, model).items():
            if name in seen:
                continue
            seen.add(name)
            many = report_fields(model)[name].type == "list"
            word = name.removesuffix("_ids").removesuffix("_id")
            yield {
                "name": word,
                "label": word.replace("_", " ").capitalize(),
                "kind": "list" if many else "reference",
                "entity": target,
                "field": name,
                "cardinality": "many_to_many" if many else "many_to_one",
                "on_delete": _on_delete(entity.name, name, target, written=name in given),
            }
    for name, key in keys_of(call, entity.object["id"]).items() if entity.object is not None else ():
        if is_link(key):
            many = holds_many(key)
            yield {
                "name": name,
                "label": key["label"],
                "kind": "list" if many else "reference",
                "entity": target_of_link(key),
                "field": f"fields.{name}",
                "cardinality": key.get("cardinality") or "many_to_one",
                "on_delete": key.get("on_delete") or "set_null",
            }


def _on_delete(entity: str, name: str, target: str, *, written: bool) -> str:
    """Return what becomes of a reference when the record it names is deleted."""
    if target in NEEDED or (entity, name) in _IN_THE_WAY:
        return "restrict"
    return "keep" if target in _KEPT or not written else "set_null"
