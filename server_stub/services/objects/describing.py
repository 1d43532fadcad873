"""Descriptions of entities: their fields, keys and relationships, read off the models, inputs and nouns."""

from __future__ import annotations

import hashlib
import math
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
from ..custom_objects.definitions import keys_of
from ..custom_objects.values import filter_type
from ..customization.overrides import with_overrides
from ..deals.stages import stages
from ..reports.sources import source_of
from .own_fields import access, own_fields
from .relationships import hints_of, models_of, references_of, relationships_of

_ACTIONS: Sequence[Action] = ("read", "create", "update", "delete", "export", "import", "manage")
_ALWAYS = frozenset({"id", "version", "created_at", "updated_at"})
_LONG = frozenset({"description", "notes", "body", "content", "body_text", "body_html", "transcript", "summary"})
_STEP = Decimal("0.01")
"""How far from a bound that is itself outside the next value lies that is within."""
_LINKS = frozenset({"avatar", "logo", "website"})
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
    actions = [one for one in _ACTIONS if permissions.scope_for(call.caller, entity.word, entity.needed(one))]
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
        {**one, "read_only": True, "access": "read"} if is_limited(call.caller.fixed, found.name, one["name"]) else one
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
        one
        for one in relationships_of(call, found)
        if not is_limited(call.caller.hidden, found.name, str(one["field"]))
    ]
    for link in relationships:
        if not link["field"].startswith("fields."):
            link["label"] = label(call.language, link["label"])
    summary = _summary(call, found)
    said = [summary["label"], summary["plural_label"], summary["permissions"], keys, fields, relationships]
    model = (found.noun.model if found.noun is not None else found.models[0]).__name__
    version = hashlib.sha256(encode_json(said)).hexdigest()[:16]
    return {
        **summary,
        "model": model.removesuffix("Record") if found.kinds else model,
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
    input: Any = None
    """The type of the objects that are given, where it has names for their members."""
    nullable: bool = False
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
        kind.options, kind.model, kind.input = chosen.options, chosen.model, chosen.input
        kind.nullable = len(parts) < len(get_args(annotation)) or any(one.nullable for one in inner)
        kind.bounds, kind.open = {**chosen.bounds, **kind.bounds}, kind.open or chosen.open
    elif get_origin(annotation) in (list, Sequence):
        inner_kind = _kind_of(parts[0])
        kind.word = "multi_select" if inner_kind.options else "list"
        kind.item_type, kind.options, kind.nullable = inner_kind.word, inner_kind.options, True
    elif is_typeddict(annotation) or get_origin(annotation) is dict or annotation is dict:
        kind.word, kind.input = "object", annotation if is_typeddict(annotation) else None
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
                kind.bounds["min_value"] = _bound(one.ge) if isinstance(one, Ge) else _bound(one.gt) + _STEP
            elif isinstance(one, (Le, Lt)):
                kind.bounds["max_value"] = _bound(one.le) if isinstance(one, Le) else _bound(one.lt) - _STEP
            elif isinstance(one, MinLen):
                kind.bounds["min_length"] = one.min_length
            elif isinstance(one, MaxLen):
                kind.bounds["max_length"] = one.max_length
            pattern = getattr(one, "pattern", None)
            if isinstance(pattern, str):
                kind.word = {EMAIL_PATTERN: "email", URL_PATTERN: "url"}.get(pattern, kind.word)
                if pattern not in (EMAIL_PATTERN, URL_PATTERN, NOT_BLANK):
                    kind.bounds["pattern"] = pattern


def _bound(value: object) -> Decimal:
    return Decimal(str(value))


def fields_of(call: Context, entity: Entity, kind: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield the descriptions of an entity's fields, those of the company's own definition last.

    A field that several kinds of records have is described as the first of them has it; `kind` chooses one of them.
    """
    return with_overrides(call, entity.name, _fields_of(call, entity, kind))


def _fields_of(call: Context, entity: Entity, only: str | None) -> Iterator[dict[str, Any]]:
    filters = filter_types(call, entity)
    writes = permissions.scope_for(call.caller, entity.word, "update") is not None
    seen: set[str] = set()
    for noun, model in models_of(entity, only):
        references = references_of(call, entity, noun, model)
        hints = hints_of(noun)
        required = required_by(noun.declared("create") if noun is not None else None)
        for name, info in model.model_fields.items():
            if name in seen or name in free_members(model) or (entity.object is not None and name == "fields"):
                continue
            seen.add(name)
            kind = _kind_of(info.annotation, info.metadata)
            given = _kind_of(hints[name]) if name in hints else None
            described = _described_field(model, noun, name, info, kind, given, required)
            described |= _referring(references, name, described["type"], described["item_type"])
            if (entity.name, name) == ("deal", "stage"):
                described |= _stages(call)
            yield {**described, **_searching(entity, noun, model, name, filters), **access(described, writes)}
            parts: Mapping[str, FieldInfo] = kind.model.model_fields if kind.model is not None else {}
            given_parts: Mapping[str, Any] = (
                input_hints(given.input) if given is not None and given.input is not None else {}
            )
            for inner, info_inner in parts.items():
                path = f"{name}.{inner}"
                given_inner = _kind_of(given_parts[inner]) if inner in given_parts else given
                part = _described_field(
                    model, None, path, info_inner, _kind_of(info_inner.annotation, info_inner.metadata),
                    given_inner, frozenset(),
                )  # fmt: skip
                part |= _referring(references, path, part["type"], part["item_type"])
                part = {**part, "read_only": given is None, **_searching(entity, noun, model, path, filters)}
                yield {**part, **access(part, writes)}
    yield from own_fields(call, entity, filters, writes=writes)


def required_by(operation: Any) -> frozenset[str]:
    """Return the members that the body of an operation needs."""
    body = operation.arguments.body_type if operation is not None else None
    hints: Mapping[str, Any] = input_hints(body) if body is not None else {}
    return frozenset(name for name, hint in hints.items() if is_required(body, name, hint))


def _described_field(
    model: type[Model], noun: Noun | None, name: str, info: FieldInfo, kind: _Kind, given: _Kind | None, required: Any
) -> dict[str, Any]:
    default = next((mark.value for mark in info.metadata if isinstance(mark, Default)), None)
    word = kind.word
    if name in ("phone", "mobile"):
        word = "phone"
    elif name.rpartition(".")[2] in ("email",):
        word = "email"
    elif word == "text" and name in _LINKS:
        word = "url"
    elif word == "text" and name in _LONG:
        word = "long_text"
    elif word == "decimal" and any(part in name for part in _MONEY):
        word = "currency"
    unique = noun is not None and (name in noun.unique or name == "external_id")
    bounds = {**kind.bounds, **(given.bounds if given is not None else {})}
    if word == "integer":
        rounded = {"min_value": math.ceil, "max_value": math.floor}
        bounds |= {name: rounded[name](bound) for name, bound in bounds.items() if name in rounded}
    return {
        "name": name,
        "label": label_of("en", name),
        "type": word,
        "item_type": kind.item_type,
        "custom": False,
        "field_id": None,
        "required": name in required,
        "read_only": given is None,
        "nullable": name not in _ALWAYS and (given.nullable if given is not None else name not in required),
        "unique": unique,
        "default": default,
        "options": [{"value": value, "label": value.replace("_", " ").capitalize()} for value in kind.options],
        "open": kind.open,
        "min_value": bounds.get("min_value"),
        "max_value": bounds.get("max_value"),
        "min_length": bounds.get("min_length"),
        "max_length": bounds.get("max_length"),
        "pattern": bounds.get("pattern"),
        "reference_to": [],
        "personal": name.partition(".")[0] in personal_members(model),
        "hidden": False,
        "help_text": None,
        "position": 0,
    }


def _stages(call: Context) -> dict[str, Any]:
    """Return the values of the stage of a deal: those of all pipelines, and no others."""
    pipelines = sorted(call.collection("pipeline"), key=lambda one: (not one["is_default"], one["position"]))
    names: dict[str, str] = {}
    for pipeline in pipelines:
        for stage in stages(call, pipeline["id"]):
            key, name = stage["key"], stage["name"]
            usual = name.casefold().replace(" ", "-") == key  # then it is called as in every company, in all languages
            names.setdefault(key, key.capitalize() if usual else name)
    return {"options": [{"value": key, "label": name} for key, name in names.items()], "open": False}


def label_of(language: str, name: str) -> str:
    """Return the label of a member, part by part where it is within another: ``Adresse: Ort``."""
    if language == "en":
        return name.replace(".", " ").replace("_", " ").capitalize()
    return ": ".join(label(language, part.replace("_", " ").capitalize()) for part in name.split("."))


def _referring(references: Mapping[str, str], name: str, word: str, item: str | None) -> dict[str, Any]:
    """Return how a field is described that holds the ids of other records; nothing of another."""
    target = references.get(name)
    if target is None:
        return {}
    many = {"type": word, "item_type": "reference" if item == "text" else item}
    return {"reference_to": [target], **({"type": "reference"} if word == "text" else many)}


def _searching(
    entity: Entity, noun: Noun | None, model: type[Model], name: str, filters: Mapping[str, FieldType]
) -> dict[str, Any]:
    """Return how a field is searched, sorted and grouped by; the list of an entity has the records of all its kinds."""
    noun = entity.noun or noun
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
