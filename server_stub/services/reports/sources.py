"""What reports are made of: the records of a type that the caller may see, their fields, and those one step away."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crm_sdk.models.users import User
from crm_sdk.wire import snake

from ...data.document import Document
from ...data.field_types import Field, fields_of
from ...data.filter_groups import FieldType
from ...data.query import member
from ...noun import Noun
from ...problems import Problem, invalid
from ...request import permissions
from ...serving import PAGING, Context, Members

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

    noun: Noun
    fields: Mapping[str, Field]
    """The fields by their paths."""
    hops: Mapping[str, tuple[str, str]]
    """What leads to a record one step away, by the first word of a path: the member with its id, and its kind."""

    @property
    def types(self) -> dict[str, FieldType]:
        """The types of the fields, for filters."""
        return {path: field.type for path, field in self.fields.items()}

    def field(self, path: str, at: str) -> tuple[str, Field]:
        """Return a field and its path as it is known. Raises: 422 UNKNOWN_FIELD; `at` is the member that names it."""
        for name in (path, snake(path)):
            if name in self.fields:
                return name, self.fields[name]
        head, _, rest = path.partition(".")
        if rest and f"{snake(head)}.*" in self.fields:  # the name of a custom field stays as it is
            return f"{snake(head)}.{rest}", self.fields[f"{snake(head)}.*"]
        raise Problem(
            "UNKNOWN_FIELD",
            f"a {self.noun.kind} has no field {path!r}",
            field=at,
            rule="choice",
            details={"field": path},
        )

    def value_of(self, call: Context) -> Callable[[Document, str], Any]:
        """Return a function that returns the value of a field of a record."""

        def value(doc: Document, path: str) -> Any:
            head, _, rest = path.partition(".")
            if head == "custom_fields":  # the name of a custom field may have a dot
                own: Members = doc.get(head) or {}
                return own.get(rest)
            if not rest or head not in self.hops:
                return member(doc, path)
            link, kind = self.hops[head]
            other = call.collection(kind).get(doc.get(link) or "", deleted=True)
            return member(other, rest) if other is not None else None

        return value


def source_of(call: Context, entity_type: str) -> Source:
    """Return the records of a type. Raises 422 for a type of which there are no reports."""
    nouns = call.server.nouns
    known = [kind for kind in _REPORTED if kind in nouns and nouns[kind].declared("list") is not None]
    if entity_type not in known:
        raise invalid("entity_type", "choice", f"there are no reports of {entity_type!r}: {', '.join(known)}")
    return _source(nouns[entity_type], nouns)


def _source(noun: Noun, nouns: Mapping[str, Noun]) -> Source:
    kinds = [noun, *(other for other in nouns.values() if other.stored_as == noun.kind)]
    fields = {path: field for kind in kinds for path, field in fields_of(kind.model).items()}
    hops = {link.removesuffix("_id"): (link, kind) for link, kind in _links(kinds, fields, nouns)}
    for head, (_, kind) in hops.items():
        further = fields_of(nouns[kind].model) if kind in nouns else _BESIDE[kind]
        fields |= {f"{head}.{path}": field for path, field in further.items() if not path.endswith("*")}
    return Source(noun, fields, hops)


def _links(kinds: Sequence[Noun], fields: Mapping[str, Field], nouns: Mapping[str, Noun]) -> Iterator[tuple[str, str]]:
    """Yield the members with the id of one other record, and its kind."""
    for name in fields:
        stem = name.removesuffix("_id")
        kind = next((noun.refers[name] for noun in kinds if name in noun.refers), stem)
        if stem != name and (kind in nouns or kind in _BESIDE):
            yield name, kind


def records(call: Context, source: Source) -> Sequence[Document]:
    """Return the records that the caller may see, as their list shows them, newest first. Raises 403."""
    operation = source.noun.declared("list")
    assert operation is not None  # a noun that reports are made of has a list
    permissions.permit(call.caller, operation, "GET")
    given = {name: p.default for name, p in operation.signature.parameters.items() if name not in PAGING}
    found: Sequence[Document] = call.server.rules[operation](call, **given)
    return found
