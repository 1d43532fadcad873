"""Descriptions of entities: their fields, keys and relationships, read off the models, inputs and nouns."""

from __future__ import annotations

import hashlib
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import AwareDatetime
from pydantic.fields import FieldInfo
from typing_extensions import is_typeddict

from crm_sdk.arguments import is_required
from crm_sdk.models.marks import Default, OpenVocabulary
from crm_sdk.models.record import Model
from crm_sdk.models.values import EMAIL_PATTERN, NOT_BLANK, URL_PATTERN, Email, Phone, Url
from crm_sdk.resources.objects import Objects
from crm_sdk.route import Action
from crm_sdk.wire import encode_json

from ...answers import Answer
from ...data.merging import free_members
from ...data.personal import personal_members
from ...data.queries.field_types import custom_types
from ...data.queries.field_types import fields_of as report_fields
from ...data.queries.filter_groups import OPERATORS, FieldType
from ...languages.catalogue import label
from ...noun import Noun
from ...nouns.entities import Entity
from ...problems import Problem
from ...request.access import permissions
from ...request.access.hiding import is_limited
from ...request.reading.json_types import input_hints
from ...request.settings import value_of
from ...serving import Context, serves
from ..contacts.records import FIELDS as CONTACT_FIELDS
from ..custom_objects.definitions import holds_many, is_link, keys_of, target_of
from ..custom_objects.values import filter_type
from ..customization.overrides import with_overrides
from ..reports.sources import source_of
from .own_fields import access, own_fields

_ACTIONS: Sequence[Action] = ("read", "create", "update", "delete", "export", "import", "manage")
_LONG = frozenset({"description", "notes", "body", "content", "body_text", "body_html", "transcript", "summary"})
_MONEY = ("amount", "value", "revenue", "price", "cost")


@serves(Objects.list)
def list_(call: Context, custom: bool | None, capability: str | None) -> list[dict[str, Any]]:
    """Return the entities that the caller may read."""
    return [
        _summary(call, entity)
        for entity in call.server.entities.readable(call)
        if custom in (None, entity.object is not None) and capability in (None, *entity.capabilities)
    ]


def _summary(call: Context, entity: Entity) -> dict[str, Any]:
    records = call.collection(entity.collection).all()
    tests = permissions.sight(call.caller, entity.word)
    plain = entity.object is None and not tests and (entity.noun is None or entity.noun.visible is None)
    count = len(records) if plain else sum(entity.has(doc) and entity.sees(call, doc) for doc in records)
    said: Mapping[str, Mapping[str, str]] = value_of(call.collection, call.caller, "ui.terminology") or {}
    terms, plain_word = said.get(entity.name, {}), entity.object is None
    actions = [one for one in _ACTIONS if permissions.scope_for(call.caller, entity.word, one) is not None]
    return {
        "entity": entity.name,
        "label": terms.get("one") or (label(call.language, entity.label) if plain_word else entity.label),
        "plural_label": terms.get("many")
        or (label(call.language, entity.plural_label) if plain_word else entity.plural_label),
        "custom": entity.object is not None,
        "object_id": entity.object["id"] if entity.object is not None else None,
        "id_prefix": entity.prefixes[-1],
        "record_count": count,
        "capabilities": list(entity.capabilities),
        "permissions": list(actions),
    }


@serves(Objects.describe)
def describe(call: Context, entity: str, include_hidden: bool) -> Answer:
    """Describe an entity."""
    description = description_of(call, call.server.entities.named(call, entity), include_hidden=include_hidden)
    return Answer(description, headers={"ETag": f'"{description["schema_version"]}"'})


def description_of(call: Context, found: Entity, *, include_hidden: bool = False) -> dict[str, Any]:
    """Return the description of an entity, with the version of its schema."""
    fields: list[dict[str, Any]] = [
        {**one, "read_only": one["read_only"] or is_limited(call.caller.fixed, found.name, one["name"])}
        for one in fields_of(call, found)
        if (include_hidden or not one["hidden"]) and not is_limited(call.caller.hidden, found.name, one["name"])
    ]
    for position, one in enumerate(fields):
        one["position"] = position
        if not one["custom"] and not one.pop("labelled", False):
            one["label"] = label_of(call.language, one["name"])
            one["options"] = [{**each, "label": label(call.language, each["label"])} for each in one["options"]]
    keys = [
        {"field": key.rstrip("~"), "unique": not key.endswith("~"), "is_default": place == 0}
        for place, key in enumerate(
            key for key in found.keys if not is_limited(call.caller.hidden, found.name, key.rstrip("~"))
        )
    ]
    relationships = [
        one for one in _relationships(call, found) if not is_limited(call.caller.hidden, found.name, str(one["field"]))
    ]
    for link in relationships:
        if not link["field"].startswith("fields."):
            link["label"] = label(call.language, link["label"])
    summary = _summary(call, found)
    said = [summary["label"], summary["plural_label"], summary["permissions"], keys, fields, relationships]
    version = hashlib.sha256(encode_json(said)).hexdigest()[:16]
    return {
        **summary,
        "model": found.noun.model.__name__ if found.noun is not None else found.models[0].__name__,
        "keys": keys,
        "fields": fields,
        "relationships": relationships,
        "schema_version": version,
        "language": call.language,
    }


# -- fields ------------------------------------------------------------------------------------------------------------


@dataclass
class _Kind:
    """What an annotation says of the values of a field."""

    word: str = "text"
    item_type: str | None = None
    options: Sequence[str] = ()
    open: bool = False
    model: type[Model] | None = None
    bounds: dict[str, Any] = field(default_factory=dict[str, Any])


_PLAIN: Sequence[tuple[Any, str]] = (
    (bool, "boolean"), (int, "integer"), (float, "decimal"), (Decimal, "decimal"), (datetime, "datetime"),
    (date, "date"), (str, "text"),
)  # fmt: skip


def _kind_of(annotation: Any, marks: Sequence[Any] = ()) -> _Kind:
    """Return what an annotation says; `marks` are those of the member itself."""
    kind = _Kind()
    _read_marks(kind, marks)
    if annotation in (Email, Phone, Url):
        kind.word = {Email: "email", Phone: "phone", Url: "url"}[annotation]
    while get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        _read_marks(kind, more)
    if str(get_origin(annotation)).rpartition(".")[2] in ("Required", "NotRequired"):
        return _kind_of(get_args(annotation)[0], marks)
    if annotation == AwareDatetime:
        kind.word = "datetime"
        return kind
    parts = [one for one in get_args(annotation) if one is not type(None)]
    if get_origin(annotation) is Literal:
        kind.word, kind.options = "select", [str(one) for one in parts]
    elif get_origin(annotation) in (Union, types.UnionType):
        inner = [_kind_of(one) for one in parts]
        chosen = next((one for one in inner if one.options), None)
        chosen = chosen or next((one for one in inner if one.word != "text" or one.bounds), inner[0])
        kind.word, kind.item_type = chosen.word, chosen.item_type
        kind.options, kind.model = chosen.options, chosen.model
        kind.bounds, kind.open = {**chosen.bounds, **kind.bounds}, kind.open or chosen.open
    elif get_origin(annotation) in (list, Sequence):
        inner_kind = _kind_of(parts[0])
        kind.word = "multi_select" if inner_kind.options else "list"
        kind.item_type, kind.options = inner_kind.word, inner_kind.options
    elif is_typeddict(annotation) or get_origin(annotation) is dict or annotation is dict:
        kind.word = "object"
    elif isinstance(annotation, type) and issubclass(annotation, Model):
        kind.word, kind.model = "object", annotation
    elif isinstance(annotation, type) and kind.word == "text":
        kind.word = next((word for base, word in _PLAIN if issubclass(annotation, base)), "object")
    return kind


def _read_marks(kind: _Kind, marks: Sequence[Any]) -> None:
    for mark in marks:
        metadata = mark.metadata if isinstance(mark, FieldInfo) else [mark]
        for one in metadata:
            if isinstance(one, OpenVocabulary):
                kind.open = True
            elif isinstance(one, (Ge, Gt)):
                kind.bounds["min_value"] = Decimal(str(one.ge if isinstance(one, Ge) else one.gt))
            elif isinstance(one, (Le, Lt)):
                kind.bounds["max_value"] = Decimal(str(one.le if isinstance(one, Le) else one.lt))
            elif isinstance(one, MinLen):
                kind.bounds["min_length"] = one.min_length
            elif isinstance(one, MaxLen):
                kind.bounds["max_length"] = one.max_length
            pattern = getattr(one, "pattern", None)
            if isinstance(pattern, str):
                kind.word = {EMAIL_PATTERN: "email", URL_PATTERN: "url"}.get(pattern, kind.word)
                if pattern not in (EMAIL_PATTERN, URL_PATTERN, NOT_BLANK):
                    kind.bounds["pattern"] = pattern


def fields_of(call: Context, entity: Entity, kind: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield the descriptions of an entity's fields, those of the company's own definition last.

    A field that several kinds of records have is described as the first of them has it; `kind` chooses one of them.
    """
    return with_overrides(call, entity.name, _fields_of(call, entity, kind))


def _fields_of(call: Context, entity: Entity, only: str | None) -> Iterator[dict[str, Any]]:
    filters = filter_types(call, entity)
    writes = permissions.scope_for(call.caller, entity.word, "update") is not None
    seen: set[str] = set()
    for noun, model in _models(entity, only):
        create = noun.declared("create") if noun is not None else None
        update = noun.declared("update") if noun is not None else None
        hints = {**_hints(create), **_hints(update)}
        required = required_by(create)
        for name, info in model.model_fields.items():
            if name in seen or name in free_members(model) or (entity.object is not None and name == "fields"):
                continue
            seen.add(name)
            kind = _kind_of(info.annotation, info.metadata)
            given = _kind_of(hints[name]) if name in hints else None
            described = _described_field(model, noun, name, info, kind, given, required)
            yield {**described, **_searching(noun, model, name, filters), **access(described, writes)}
            parts: Mapping[str, FieldInfo] = kind.model.model_fields if kind.model is not None else {}
            for inner, info_inner in parts.items():
                path = f"{name}.{inner}"
                part = _described_field(
                    model, None, path, info_inner, _kind_of(info_inner.annotation, info_inner.metadata),
                    given, frozenset(),
                )  # fmt: skip
                part = {**part, "read_only": given is None, **_searching(noun, model, path, filters)}
                yield {**part, **access(part, writes)}
    yield from own_fields(call, entity, filters, writes=writes)


def _models(entity: Entity, only: str | None = None) -> Iterator[tuple[Noun | None, type[Model]]]:
    for kind, noun in (entity.kinds or {}).items():
        if only in (None, kind):
            yield noun, noun.model
    if entity.kinds is None:
        for model in entity.models:
            yield entity.noun, model


def _hints(operation: Any) -> Mapping[str, Any]:
    body = operation.arguments.body_type if operation is not None else None
    return input_hints(body) if body is not None else {}


def required_by(operation: Any) -> frozenset[str]:
    """Return the members that the body of an operation needs."""
    body = operation.arguments.body_type if operation is not None else None
    return frozenset(name for name, hint in _hints(operation).items() if is_required(body, name, hint))


def _described_field(
    model: type[Model], noun: Noun | None, name: str, info: FieldInfo, kind: _Kind, given: _Kind | None, required: Any
) -> dict[str, Any]:
    default = next((mark.value for mark in info.metadata if isinstance(mark, Default)), None)
    refers = noun.refers.get(name) if noun is not None else None
    word = kind.word
    if refers is not None and kind.word == "text":
        word = "reference"
    elif name in ("phone", "mobile"):
        word = "phone"
    elif name.rpartition(".")[2] in ("email",):
        word = "email"
    elif word == "text" and name in _LONG:
        word = "long_text"
    elif word == "decimal" and any(part in name for part in _MONEY):
        word = "currency"
    unique = noun is not None and (name in noun.unique or name == "external_id")
    bounds = {**kind.bounds, **(given.bounds if given is not None and "." not in name else {})}
    options = (given.options if given is not None and given.options and "." not in name else None) or kind.options
    return {
        "name": name,
        "label": label_of("en", name),
        "type": word,
        "item_type": kind.item_type,
        "custom": False,
        "field_id": None,
        "required": name in required,
        "read_only": given is None,
        "nullable": name not in required and name not in ("id", "version", "created_at", "updated_at"),
        "unique": unique,
        "default": default,
        "options": [{"value": value, "label": value.replace("_", " ").capitalize()} for value in options],
        "open": kind.open or (given.open if given is not None and "." not in name else False),
        "min_value": bounds.get("min_value"),
        "max_value": bounds.get("max_value"),
        "min_length": bounds.get("min_length"),
        "max_length": bounds.get("max_length"),
        "pattern": bounds.get("pattern"),
        "reference_to": [refers] if refers is not None else [],
        "personal": name.partition(".")[0] in personal_members(model),
        "hidden": False,
        "help_text": None,
        "position": 0,
    }


def label_of(language: str, name: str) -> str:
    """Return the label of a member, part by part where it is within another: ``Adresse: Ort``."""
    if language == "en":
        return name.replace(".", " ").replace("_", " ").capitalize()
    return ": ".join(label(language, part.replace("_", " ").capitalize()) for part in name.split("."))


def _searching(noun: Noun | None, model: type[Model], name: str, filters: Mapping[str, FieldType]) -> dict[str, Any]:
    """Return how a field is searched, sorted and grouped by."""
    sorts = {"id", "created_at", "updated_at", *(noun.sorts if noun is not None else ())}
    return {
        "operators": sorted(OPERATORS[filters[name]]) if name in filters else [],
        "sortable": name in sorts and name in model.model_fields,
        "searchable": noun is not None and name in noun.searched,
        "groupable": name in report_fields(model),
    }


def filter_types(call: Context, entity: Entity) -> Mapping[str, FieldType]:
    """Return the fields that the search of an entity accepts in conditions, with their types; none without a search."""
    if entity.name == "contact":
        return {**CONTACT_FIELDS, **custom_types(call.collection("field"), "contact")}
    if entity.object is not None:
        keys = keys_of(call, entity.object["id"])
        own: Mapping[str, FieldType] = {f"fields.{name}": filter_type(key) for name, key in keys.items()}
        return {**own, **{name: kind for name, kind in _basic_types(entity).items() if name != "fields"}}
    try:
        return source_of(call, entity.name).types
    except Problem:
        return _basic_types(entity) if entity.name in ("user", "message") else {}


def _basic_types(entity: Entity) -> Mapping[str, FieldType]:
    return {path: found.type for model in entity.models for path, found in report_fields(model).items()}


# -- relationships -----------------------------------------------------------------------------------------------------


def _relationships(call: Context, entity: Entity) -> Iterator[dict[str, Any]]:
    """Yield what the records of an entity refer to."""
    seen: set[str] = set()
    for noun, _ in _models(entity):
        refers: Mapping[str, str] = noun.refers if noun is not None else {}
        for name, kind in refers.items():
            target = call.server.entities.of_collection(kind)
            if name in seen or target is None:
                continue
            seen.add(name)
            many = name.endswith("_ids")
            yield {
                "name": name.removesuffix("_ids").removesuffix("_id"),
                "label": name.removesuffix("_ids").removesuffix("_id").replace("_", " ").capitalize(),
                "kind": "list" if many else "reference",
                "entity": target.name,
                "field": name,
                "cardinality": "many_to_many" if many else "many_to_one",
                "on_delete": "keep" if kind in ("user", "team") else "set_null",
            }
    for name, key in keys_of(call, entity.object["id"]).items() if entity.object is not None else ():
        if is_link(key):
            many = holds_many(key)
            yield {
                "name": name,
                "label": key["label"],
                "kind": "list" if many else "reference",
                "entity": target_of(key),
                "field": f"fields.{name}",
                "cardinality": key.get("cardinality") or "many_to_one",
                "on_delete": key.get("on_delete") or "set_null",
            }
