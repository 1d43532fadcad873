"""What reports are made of: the records of a type that the caller may see, their fields, and those one step away."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from crm_sdk.models.users import User
from crm_sdk.wire import snake

from ...data.document import Document
from ...data.queries.field_types import Field, fields_of
from ...data.queries.filter_groups import FieldType
from ...data.queries.query import member
from ...noun import Noun
from ...problems import Problem, invalid
from ...request.access import permissions
from ...request.access.copies import kinds_of
from ...serving import PAGING, Context, Members
from ..custom_objects.definitions import CORE, holds_many, is_link, keys_of, object_named, target_of
from ..custom_objects.values import filter_type

_REPORTED = (
    "contact", "lead", "deal", "account", "activity", "pipeline", "workflow", "report", "dashboard", "recommendation",
    "comment", "file",
)  # fmt: skip
"""The types of records that reports can be made of: none with a secret in it, such as webhooks."""
_BESIDE: Mapping[str, Mapping[str, Field]] = {
    "user": fields_of(User),
    "team": dict.fromkeys(("id", "name"), Field("text", "text")),
}
"""The fields of records one step away that no noun has."""


@dataclass(frozen=True, slots=True)
class Source:
    """The records of a type."""

    kind: str
    fields: Mapping[str, Field]
    """The fields by their paths."""
    hops: Mapping[str, tuple[str, str]]
    """What leads to a record one step away, by the first word of a path: the member with its id, and its kind."""
    records: Callable[[Context], Sequence[Document]]
    """Returns the records that the caller may see, as their list shows them, newest first. Raises 403."""
    currencies: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    """The currencies of the amounts that have another one than their record has, by path."""
    hidden: frozenset[str] = frozenset()
    """The fields that are hidden from the caller, by their paths."""

    @property
    def types(self) -> dict[str, FieldType]:
        """The types of the fields, for filters."""
        found: dict[str, FieldType] = {path: field.type for path, field in self.fields.items()}
        hidden: dict[str, FieldType] = dict.fromkeys(self.hidden, "hidden")
        return {**{path.removeprefix("fields."): kind for path, kind in found.items()}, **found, **hidden}

    def field(self, path: str, at: str) -> tuple[str, Field]:
        """Return a field and its path as it is known. Raises: 422 UNKNOWN_FIELD; `at` is the member that names it."""
        head, _, rest = path.partition(".")
        for name in (path, snake(path), f"fields.{path}", f"{head}.fields.{rest}"):  # the latter of a custom object
            if name in self.fields:
                return name, self.fields[name]
        own = f"{snake(head)}.{rest}"
        if rest and f"{snake(head)}.*" in self.fields and own not in self.hidden:  # its name stays as it is
            return f"{snake(head)}.{rest}", self.fields[f"{snake(head)}.*"]
        raise Problem(
            "UNKNOWN_FIELD",
            f"a {self.kind} has no field {path!r}",
            field=at,
            rule="choice",
            details={"field": path},
        )

    def value_of(self, call: Context) -> Callable[[Document, str], Any]:
        """Return a function that returns the value of a field of a record."""

        def value(doc: Document, path: str) -> Any:
            if path in self.hidden:
                return None
            path = path if path in self.fields else self.field(path, "")[0]
            head, _, rest = path.partition(".")
            if head == "custom_fields":  # the name of a custom field may have a dot
                own: Members = doc.get(head) or {}
                return own.get(rest)
            if not rest or head not in self.hops:
                return member(doc, path)
            link, kind = self.hops[head]
            other = call.collection(kind).get(str(member(doc, link) or ""), deleted=True)
            return member(other, rest) if other is not None else None

        return value


def source_of(call: Context, entity_type: str) -> Source:
    """Return the records of a type, or of a custom object, without what is hidden from the caller. Raises: 422."""
    source = _source_of(call, entity_type)
    return seen_source(call, source, {head: kind for head, (_, kind) in source.hops.items()})


def seen_source(call: Context, source: Source, steps_to: Mapping[str, str]) -> Source:
    """Return a source without the fields that are hidden from the caller, also those of the kinds one step away."""
    if not call.caller.hidden:
        return source
    steps = {"": source.kind, **{f"{head}.": kind for head, kind in steps_to.items()}}
    paths = {
        f"{before}{prefix}{name}"
        for before, kind in steps.items()
        for entity, _, name in (one.partition(".") for one in call.caller.hidden)
        if entity in kinds_of(kind)
        for prefix in ("", "fields.")
    }
    fields = {path: field for path, field in source.fields.items() if not _is_within(path, paths)}
    return replace(source, fields=fields, hidden=frozenset(paths))


def _is_within(path: str, hidden: Collection[str]) -> bool:
    """Return whether a path is hidden, or a part of what is: ``address.city`` of ``address``."""
    return path in hidden or any(path.startswith(f"{one}.") for one in hidden)


def _source_of(call: Context, entity_type: str) -> Source:
    """Return the records of a type, or of a custom object. Raises 422 for a type of which there are no reports."""
    nouns = call.server.nouns
    known = [kind for kind in _REPORTED if kind in nouns and nouns[kind].declared("list") is not None]
    if entity_type in known:
        source = _of_noun(nouns[entity_type], nouns)
        own = keys_of(call, entity_type) if entity_type in CORE else {}
        named = {f"custom_fields.{name}": Field(filter_type(key), _format(key)) for name, key in own.items()}
        return replace(source, fields={**source.fields, **named})
    custom = object_named(call, entity_type)
    if custom is None or custom["api_name"] != entity_type or not custom["active"]:
        raise invalid("entity_type", "choice", f"there are no reports of {entity_type!r}: {', '.join(known)}")
    return _of_object(call, custom)


def _of_noun(noun: Noun, nouns: Mapping[str, Noun]) -> Source:
    kinds = [noun, *(other for other in nouns.values() if other.stored_as == noun.kind)]
    fields = {path: field for kind in kinds for path, field in fields_of(kind.model).items()}
    refers = {name: target for kind in kinds for name, target in kind.refers.items()}
    stems = {name: name.removesuffix("_id") for name in fields if name.endswith("_id")}
    hops = {stem: (name, refers.get(name, stem)) for name, stem in stems.items()}
    return _with_hops(Source(noun.kind, fields, {}, partial(_listed_records, noun)), hops, nouns)


def _of_object(call: Context, custom: Document) -> Source:
    """Return the records of a custom object: its fields by their names, and what its links lead to."""
    noun, keys = call.server.nouns["record"], keys_of(call, custom["id"])
    fields = {path: field for path, field in fields_of(noun.model).items() if not path.startswith("fields")}
    fields |= _own_fields(keys)
    links = {name: key for name, key in keys.items() if is_link(key) and not holds_many(key)}
    hops = {"owner": ("owner_id", "user"), **{name: (f"fields.{name}", target_of(key)) for name, key in links.items()}}
    for name, key in links.items():
        other = object_named(call, target_of(key))
        if other is not None:
            hops[name] = (f"fields.{name}", noun.kind)
            further = {"name": Field("text", "text"), **_own_fields(keys_of(call, other["id"]))}
            fields |= {f"{name}.{path}": field for path, field in further.items()}
    currencies = {f"fields.{name}": key["currency"] for name, key in keys.items() if key.get("type") == "currency"}
    listed = partial(_listed_records, noun, object_id=custom["id"])
    return _with_hops(Source(custom["api_name"], fields, {}, listed, currencies), hops, call.server.nouns)


def _own_fields(keys: Mapping[str, Document]) -> dict[str, Field]:
    return {f"fields.{name}": Field(filter_type(key), _format(key)) for name, key in keys.items()}


def _format(key: Members) -> str:
    words = {"currency": "currency", "date": "date", "datetime": "datetime", "percent": "percent"}
    return words.get(str(key.get("type")), "number" if filter_type(key) == "number" else "text")


def _with_hops(source: Source, hops: Mapping[str, tuple[str, str]], nouns: Mapping[str, Noun]) -> Source:
    """Return a source with the fields of what is one step away: records that reports are made of, users, teams."""
    fields, known = dict(source.fields), dict[str, tuple[str, str]]()
    for head, (link, kind) in hops.items():
        if kind in _BESIDE or (kind in nouns and kind in _REPORTED):
            further = _BESIDE[kind] if kind in _BESIDE else fields_of(nouns[kind].model)
            fields |= {f"{head}.{path}": field for path, field in further.items() if not path.endswith("*")}
            known[head] = (link, kind)
        elif any(path.startswith(f"{head}.fields.") for path in fields):  # a record of another custom object
            known[head] = (link, kind)
    return replace(source, fields=fields, hops=known)


def _listed_records(noun: Noun, call: Context, **given: Any) -> Sequence[Document]:
    operation = noun.declared("list")
    assert operation is not None  # a noun that reports are made of has a list
    permissions.permit(call.caller, operation, "GET")
    defaults = {name: p.default for name, p in operation.signature.parameters.items() if name not in PAGING}
    found: Sequence[Document] = call.server.rules[operation](call, **{**defaults, **given})
    return found
