"""The fields of records, by which reports filter, group and compute: from the members of their models."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime

from crm_sdk.models.record import Model

from ..collection import Collection
from .filter_groups import FieldType


@dataclass(frozen=True, slots=True)
class Field:
    """A member that has one value, or a list of texts."""

    type: FieldType
    format: str
    """How it is shown: ``text``, ``number``, ``currency``, ``date``, ``datetime``."""


_FORMATS: tuple[tuple[type[Any], Field], ...] = (
    (bool, Field("bool", "text")),
    (datetime, Field("date", "datetime")),
    (date, Field("date", "date")),
    (Decimal, Field("number", "currency")),
    (int, Field("number", "number")),
    (float, Field("number", "number")),
    (str, Field("text", "text")),
)

_OF_CUSTOM_FIELDS: Mapping[str, FieldType] = {
    **dict.fromkeys(("integer", "decimal", "currency"), "number"),
    **dict.fromkeys(("date", "datetime"), "date"),
    "boolean": "bool",
    "multi_select": "list",
}


def custom_type(type: str) -> FieldType:
    """Return how conditions compare the values of a custom field of a type."""
    return _OF_CUSTOM_FIELDS.get(type, "text")


def custom_types(fields: Collection, kind: str) -> dict[str, FieldType]:
    """Return how conditions compare the custom fields of a kind of record of the CRM itself, by their paths."""
    return {f"custom_fields.{one['api_name']}": custom_type(one["type"]) for one in fields.find("object_id", kind)}


@cache
def fields_of(model: type[Model]) -> Mapping[str, Field]:
    """Return the fields of a model by their paths; those of an object in it have its name and a dot before theirs."""
    return dict(_fields(model, ""))


def _fields(model: type[Model], prefix: str) -> Iterator[tuple[str, Field]]:
    for name, info in model.model_fields.items():
        if name == "custom_fields":
            yield f"{prefix}custom_fields.*", Field("any", "text")
            continue
        kind = _plain(info.annotation)
        if get_origin(kind) is list and _plain(get_args(kind)[0]) is str:
            yield prefix + name, Field("list", "text")
        elif isinstance(kind, type) and issubclass(kind, Model) and not prefix:
            yield from _fields(kind, f"{name}.")
        elif isinstance(kind, type) and get_origin(kind) is None:
            found = next((field for base, field in _FORMATS if issubclass(kind, base)), None)
            if found is not None:
                yield prefix + name, found


def _plain(annotation: Any) -> Any:
    """Return the one type of a value that is there; an enumeration is a text."""
    if annotation is AwareDatetime:
        return datetime
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) is Literal:
        return str
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = {_plain(part) for part in get_args(annotation)} - {type(None)}
        return kinds.pop() if len(kinds) == 1 else None
    return annotation
