"""What a file has of a record: its columns, those that a caller may read, and the values in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from crm_sdk.models.record import Model
from crm_sdk.wire import camel, encode_json, is_array, is_object

from ...data.document import Document
from ...data.merging import free_members
from ...files.marked import mark, write_list
from ...noun import Noun
from ...nouns.entities import Entity
from ...problems import Problem
from ...request.access.hiding import Hiding
from ...request.answering.members import path_of
from ...serving import Context
from ..custom_objects.definitions import fields_of as custom_fields_of

Path = tuple[str, ...]
"""The way to a value in a record as JSON, by wire names: ``("address", "city")``."""
CHANGE, GONE = "_change", "deletedAt"
"""The columns of what is no member of a record: what became of it, and when it was deleted."""
_PROFILE = ("network", "url", "handle")
"""The members of a social profile, which imports read as words in this order."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The members of the records of an entity, for one caller."""

    entity: Entity
    models: Sequence[type[Model]]
    hiding: Hiding
    nested: frozenset[str]
    """The nested lists, which records have only where they are asked for."""
    own: Sequence[str]
    """The fields that the company has defined for a custom object."""
    kept: Callable[[str], bool]
    """Tells whether a further field of a record of the CRM itself is defined, or has a value in any of them."""

    @staticmethod
    def of(call: Context, entity: Entity) -> Fields:
        """Return the members of an entity's records."""
        nouns = [*(entity.kinds or {}).values(), *([entity.noun] if entity.noun is not None else [])]
        own = custom_fields_of(call, entity.object["id"]) if entity.object is not None else ()
        return Fields(
            entity,
            entity.models,
            Hiding(call.caller.hidden, call.server.nouns),
            frozenset(name for noun in nouns for name in _nested_lists(noun)),
            [str(one["api_name"]) for one in own],
            partial(_is_kept, call, entity),
        )

    def path(self, field: str) -> Path | None:
        """Return the way to a field that the caller may read; None where there is none."""
        models = [model for model in self.models if not self._hides(model, field)]
        found = path_of(models, field)
        if self.entity.object is not None:
            name = (found[1] if len(found) > 1 else None) if found and found[0] == "fields" else field
            if name is not None and (found is None or found[0] == "fields"):
                return ("fields", name) if name in self.own else None
        if found is not None and found[0] == "customFields" and len(found) > 1 and not self.kept(found[1]):
            return None
        return tuple(found) if found is not None else None

    def has(self, field: str) -> bool:
        """Return whether the caller may read a field, by its Python name."""
        return any(not self._hides(model, field) for model in self.models)

    @property
    def nested_wire(self) -> frozenset[str]:
        """The nested lists, by their wire names."""
        return frozenset(map(camel, self.nested))

    def without_hidden(self, doc: Document) -> Document:
        """Return a record as it is stored, without what is hidden from the caller."""
        own = self.entity.noun_of(doc).model if self.entity.kinds is not None else None  # hidden from its kind alone
        return self.hiding.without(doc, [own] if own is not None else self.models)

    def _hides(self, model: type[Model], field: str) -> bool:
        head = field.partition(".")[0]
        names = {name for hidden in self.hiding.members(model) for name in (hidden, camel(hidden))}
        return head in names or field in names

    def columns(self, rows: Sequence[Any]) -> list[Path]:
        """Return a column for every value that the rows can have: of objects one for each of their members."""
        kinds: dict[str, list[tuple[type[Model], FieldInfo]]] = {}
        for model in self.models:
            for name, info in model.model_fields.items():
                if name not in self.nested and not self._hides(model, name):
                    kinds.setdefault(name, []).append((model, info))
        found: list[Path] = []
        for name, held in kinds.items():
            wire = camel(name)
            if any(name in free_members(model) for model, _ in held):
                keys = dict.fromkeys(self.own if self.entity.object is not None and name == "fields" else ())
                keys |= dict.fromkeys(
                    key for row in rows if is_object(value := row.get(wire)) for key in value
                )  # fmt: skip
                found += [(wire, key) for key in keys if self.has(f"{name}.{key}")]
                continue
            parts = {_model_in(info.annotation) for _, info in held}
            inner = parts.pop() if len(parts) == 1 else None
            found += [(wire, *rest) for rest in _parts(inner)] if inner is not None else [(wire,)]
        return found


def _is_kept(call: Context, entity: Entity, name: str) -> bool:
    if any(one["api_name"] == name for one in custom_fields_of(call, entity.name)):
        return True
    docs = call.collection(entity.collection).all()
    return any(name in (doc.get("custom_fields") or {}) for doc in docs)


def _nested_lists(noun: Noun) -> Iterator[str]:
    """Yield the nested lists that a list or a get includes when it is asked to."""
    for verb in ("list", "get"):
        operation = noun.declared(verb)
        annotation = operation.arguments.types.get("include") if operation is not None else None
        yield from _words(annotation)


def _words(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from map(str, get_args(annotation))
        return
    for argument in get_args(annotation):
        yield from _words(argument)


def _model_in(annotation: Any) -> type[Model] | None:
    """Return the model of a member that is one object; None for a list, a text, and one of several models."""
    if isinstance(annotation, type):
        return annotation if get_origin(annotation) is None and issubclass(annotation, Model) else None
    if get_origin(annotation) in (list, dict, tuple):
        return None
    inner = [_model_in(part) for part in get_args(annotation) if part is not type(None)]
    return inner[0] if len([one for one in inner if one is not None]) == 1 else None


def _parts(model: type[Model]) -> Iterator[Path]:
    for name, info in model.model_fields.items():
        inner = _model_in(info.annotation)
        if inner is not None:
            yield from ((camel(name), *rest) for rest in _parts(inner))
        else:
            yield (camel(name),)


# -- values ------------------------------------------------------------------------------------------------------------


def value_at(row: Any, path: Path) -> Any:
    """Return the value at a path of a record as JSON; None where there is none."""
    for name in path:
        row = row.get(name) if is_object(row) else None
    return row


def cell_of(value: Any) -> Any:
    """Return a value as a cell: a number, a day, a time, or a text; lists are joined by ``;``, objects are JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return mark(value)
    if is_array(value):
        if value and all(is_object(item) and set(item) == set(_PROFILE) for item in value):
            return mark(
                write_list([" ".join(str(item[name]) for name in _PROFILE if item[name]) for item in value], by=";")
            )
        if any(is_object(item) for item in value):
            return mark(encode_json(value).decode(errors="replace"))
        return mark(write_list([str(item) for item in value], by=";"))
    if is_object(value):
        return mark(encode_json(value).decode(errors="replace")) if value else None
    return value


def picked_members(row: Mapping[str, Any], paths: Sequence[Path]) -> dict[str, Any]:
    """Return some of the members of a record as JSON, at the same places."""
    found: dict[str, Any] = {}
    for path in paths:
        at = found
        for name in path[:-1]:
            at = at.setdefault(name, {})
        at[path[-1]] = value_at(row, path)
    return found


def relabelled_row(row: dict[str, Any], labels: Sequence[tuple[Sequence[str], Mapping[str, str]]]) -> dict[str, Any]:
    """Return a record as JSON with the labels of choices in place of their values."""
    for path, known in labels:
        value = value_at(row, tuple(path))
        if value is None:
            continue
        shown = [known.get(str(one), one) for one in value] if is_array(value) else known.get(str(value), value)
        row = _with(row, tuple(path), shown)
    return row


def _with(row: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    head, *rest = path
    return {**row, head: _with(row[head], tuple(rest), value) if rest else value}


def check_paths(fields: Fields, given: Sequence[str], at: str) -> tuple[list[Path], list[Problem]]:
    """Return the ways to fields, and a problem for each field that the caller's records do not have."""
    paths: dict[Path, None] = {}
    problems: list[Problem] = []
    for number, field in enumerate(given):
        path = fields.path(field)
        if path is not None:
            paths[path] = None
        else:
            message = f"records of the type {fields.entity.name} have no field {field!r}"
            problems.append(
                Problem(
                    "UNKNOWN_FIELD", message, field=f"{at}.{number}", rule="choice", details={"field": field}
                )
            )  # fmt: skip
    return list(paths), problems
