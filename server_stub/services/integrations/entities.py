"""The kinds of records that can be synchronised, their counterparts, and the types of their members."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AwareDatetime

from crm_sdk.models.record import Model
from crm_sdk.models.values import EntityType
from crm_sdk.operation import Operation
from crm_sdk.reading import choices_of
from crm_sdk.wire import camel, snake

from ...data.queries.query import member
from ...noun import Noun
from ...request.reading.intake import receive_changes
from ...request.reading.json_types import input_hints
from ...serving import Context, Members


@dataclass(frozen=True, slots=True)
class Entity:
    """A kind of our records that the other systems have as well."""

    remote: str
    """The kind of record there."""
    keys: tuple[str, ...]
    """The members by whose values a record that is not linked yet is recognised."""


ENTITIES: Mapping[str, Entity] = {
    "contact": Entity("contact", ("external_id", "email")),
    "lead": Entity("contact", ("external_id", "email")),
    "account": Entity("company", ("external_id", "domain", "name")),
    "deal": Entity("deal", ("external_id",)),
}
_INSTEAD: Mapping[str, tuple[str, ...]] = {"name": ("first_name", "last_name")}
"""The members that do instead of a required one, where the record has them."""
_TYPES: tuple[tuple[Any, str], ...] = (
    (bool, "boolean"), (int, "number"), (float, "number"), (Decimal, "number"), (datetime, "datetime"),
    (AwareDatetime, "datetime"), (date, "date"),
)  # fmt: skip


def noun_of(call: Context, entity_type: str) -> Noun:
    """Return the noun of a kind."""
    return call.server.nouns[entity_type]


def known_entities(call: Context) -> list[str]:
    """Return the words that `entity_types` may have: every kind of record, and the company's custom objects."""
    return [*choices_of(EntityType), *(doc["api_name"] for doc in call.collection("custom_object"))]


def path_of(name: str) -> str:
    """Return the path of a member in Python names: ``customFields.Tier`` is ``custom_fields.Tier``."""
    head, _, rest = name.partition(".")
    head = snake(head)
    return f"{head}.{rest if head == 'custom_fields' else snake(rest)}" if rest else head


def type_of(noun: Noun, path: str) -> str | None:
    """Return the type of a member's values: text, number, boolean, date, datetime, list, object or any.

    Return None where there is no such member.
    """
    head, _, rest = path.partition(".")
    if head == "custom_fields":
        return "any" if rest else "object"
    return _type_of(noun.model, path)


@cache
def _type_of(model: type[Model], path: str) -> str | None:
    head, _, rest = path.partition(".")
    info = model.model_fields.get(head)
    if info is None:
        return None
    plain = list(_plain(info.annotation))
    inner = next((kind for kind in plain if isinstance(kind, type) and issubclass(kind, Model)), None)
    if rest:
        return _type_of(inner, rest) if inner is not None else None
    if inner is not None or any(get_origin(kind) is dict for kind in plain):
        return "object"
    if any(get_origin(kind) is list for kind in plain):
        return "list"
    return next((name for kind, name in _TYPES if kind in plain), "text")


def _plain(annotation: Any) -> Iterator[Any]:
    """Yield the types of a union, without annotations."""
    if annotation is AwareDatetime:
        yield annotation
    elif get_origin(annotation) is Annotated:
        yield from _plain(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for each in get_args(annotation):
            yield from _plain(each)
    else:
        yield annotation


def is_writable(noun: Noun, path: str) -> bool:
    """Return whether a new record may be given a member."""
    return path.partition(".")[0] in _create(noun).arguments.members


@cache
def required_members(noun: Noun) -> tuple[tuple[str, ...], ...]:
    """Return the members that a new record needs, each with those that do instead."""
    create = _create(noun)
    hints = input_hints(create.arguments.body_type)
    needed = [name for name, hint in hints.items() if str(get_origin(hint)).rpartition(".")[2] == "Required"]
    return tuple((name, *(other for other in _INSTEAD.get(name, ()) if other in hints)) for name in needed)


def _create(noun: Noun) -> Operation[..., Any]:
    create = noun.declared("create")
    assert create is not None, "every kind that is synchronised can be created"
    return create


def value_at(doc: Members, path: str) -> Any:
    """Return the value of a member; the name of a custom field may have a dot."""
    head, _, rest = path.partition(".")
    if head == "custom_fields":
        own: Members = doc.get(head) or {}
        return own.get(rest)
    return member(doc, path)


def nested_members(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return members by path as the members of a body: ``{"address.city": "Bonn"}`` has an object `address`."""
    out: dict[str, Any] = {}
    for path, value in values.items():
        head, _, rest = path.partition(".")
        out[head] = {**out.get(head, {}), rest: value} if rest else value
    return out


def stored_value(call: Context, noun: Noun, path: str, value: Any) -> Any:
    """Return a value for a member as an update of the record would store it. Raises: 422 for one it would not take."""
    update = noun.declared("update")
    assert update is not None, "every kind that is synchronised can be changed"
    name = path.partition(".")[0]
    changes = {camel(head): part for head, part in nested_members({path: value}).items()}
    given = receive_changes(update, changes, typed=False)
    return value_at(given, path) if "." in path else noun.stored_value(call, name, given[name])
