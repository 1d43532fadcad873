"""Members of records that a caller may not see or not write, because all of its roles say so.

A hidden member is absent from everything that is rendered within `hidden_from`; conditions, sorts and selections that
name it are refused as if there were no such member.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, get_args

from crm_sdk.models.record import Model
from crm_sdk.operation import Operation
from crm_sdk.resource import Sync
from crm_sdk.wire import is_array, is_object, snake

from ...data.document import Document
from ...problems import Problem
from .copies import NAMES, SUMMED, copied_members, hidden_copies, kind_in, kinds_of, title_of

if TYPE_CHECKING:
    from ...caller import Caller
    from ...data.queries.filter_groups import FieldType
    from ...noun import Noun

Hidden = Mapping[str, frozenset[str]]
"""The hidden members by entity."""
_NOTHING = frozenset[str]()
_FREE = ("custom_fields", "fields")
"""The members whose own members are fields that a company has defined."""
_BOUNDS = ("_after", "_before", "_min", "_max")
_LIMITS = ("min_", "max_")


class Hiding:
    """What is hidden from a caller."""

    __slots__ = ("_kinds", "_models", "_nouns", "by_entity", "names")

    def __init__(self, names: frozenset[str], nouns: Mapping[str, Noun]) -> None:
        found: dict[str, set[str]] = {}
        for name in names:
            entity, _, field = name.partition(".")
            found.setdefault(entity, set()).add(field)
        self.names = names
        self._nouns = nouns
        self.by_entity: Hidden = {entity: frozenset(fields) for entity, fields in found.items()}
        self._models = [
            (noun.model, hidden)
            for noun in nouns.values()
            if (hidden := self.of_entity(noun.kind) | self.of_entity(noun.collection))
        ]
        self._kinds: dict[type[Model], frozenset[str]] = {}

    def of_entity(self, entity: str) -> frozenset[str]:
        """Return the hidden members of an entity, by name; one with a dot is a custom field."""
        return self.by_entity.get(entity, _NOTHING)

    def members(self, kind: type[Model]) -> frozenset[str]:
        """Return the hidden members of a model, by name; one with a dot is a custom field."""
        found = self._kinds.get(kind)
        if found is None:
            found = hidden_copies(kind, self.names) | frozenset(
                name for model, names in self._models for name in names if issubclass(kind, model)
            )
            self._kinds[kind] = found
        return found

    def members_of(self, kind: type[Model], doc: Mapping[str, Any]) -> frozenset[str]:
        """Return the hidden members of a document of a model: what it is about may decide it."""
        found = self.members(kind)
        if "object" in doc and "object_id" in doc:  # the record of a custom object
            own = self.of_entity(str(doc["object"]))
            found |= {name for name in own if name == "name" or name.startswith("fields.")}
        if self._hides_name(doc):
            found |= {"name"}
        if words := copied_members(kind):
            found |= self._words_in(words, doc)
        if "points" in doc and self.hides_figure(doc.get("name")):
            found |= {"points"}
        return found

    def hides_figure(self, name: object) -> bool:
        """Tell whether a series or a metric is made of values that are hidden."""
        return name in SUMMED and "deal.value" in self.names

    def _words_in(self, words: Mapping[str, str], doc: Mapping[str, Any]) -> frozenset[str]:
        """Return those of the members that are about other records which have something of these that is hidden."""
        found = set[str]()
        for about in (doc.get("entity"), doc.get("target")):
            if is_object(about):
                kind = str(about.get("type"))
                several = doc.get("type") == "ai_insight" and not self.names.isdisjoint(NAMES)
                names = several or self._hides_name({"name": None, **about})
                hides = bool(self.of_entity(kind) | self.of_entity(kind_in(kind, str(about.get("id")))))
                found |= {member for member, what in words.items() if names or (what == "any" and hides)}
        return frozenset(found)

    def _hides_name(self, reference: Mapping[str, Any]) -> bool:
        """Tell whether the record that a reference is to, or that an entry is about, has a name that is hidden."""
        kind = reference.get("type") if "type" in reference else reference.get("entity")
        if not isinstance(kind, str) or not {"id", "name"} <= reference.keys():
            return False
        id = str(reference["id"])
        names = self.of_entity(kind) | self.of_entity(kind_in(kind, id))
        return not names.isdisjoint(title_of(kind, id)) or (
            kind == "notification" and not self.names.isdisjoint(NAMES)  # its title names a record
        )

    def without(self, doc: Mapping[str, Any], kinds: Sequence[type[Model]]) -> Document:
        """Return a record, which has one of some models, without the members that are hidden in all of them."""
        names = frozenset[str].intersection(*(self.members_of(kind, doc) for kind in kinds))
        members = dict(doc)
        for free in _FREE:
            if is_object(own := doc.get(free)):
                members[free] = {key: value for key, value in own.items() if f"{free}.{key}" not in names}
        return Document({name: value for name, value in members.items() if name not in names})

    def without_changes(self, doc: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return an entry about a record without the changes of hidden members."""
        entity, changes = doc.get("entity"), doc.get("changes")
        if not is_object(entity) or not is_array(changes):
            return doc
        kind = str(entity.get("type", ""))
        names = self.of_entity(kind) | self.of_entity(kind_in(kind, str(entity.get("id", ""))))
        model = next((noun.model for noun in self._nouns.values() if noun.kind == kind), None)
        if model is not None and (words := copied_members(model)):
            said = {str(one.get("field")): one.get("after") for one in changes if is_object(one)}
            names |= self._words_in(words, said)
        kept = (
            one for one in changes
            if not (is_object(one) and self._hides_change(kind, snake(str(one.get("field"))), names))
        )  # fmt: skip
        told = {**doc, "changes": [self._with_sides(one, names) if is_object(one) else one for one in kept]}
        return {**told, "metadata": self.facts(kind, doc["metadata"])} if is_object(doc.get("metadata")) else told

    def facts(self, kind: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is said of an event about an entity, without hidden members and without parts of records."""
        names = frozenset[str]().union(*map(self.of_entity, kinds_of(kind)))
        return {
            name: value
            for name, value in metadata.items()
            if snake(name) not in names
            and not is_object(value)
            and not (is_array(value) and any(is_object(one) for one in value))
        }

    def _hides_change(self, kind: str, field: str, names: frozenset[str]) -> bool:
        """Tell whether a member of an entity is hidden, or what it consists of."""
        if field in names or field.partition(".")[0] in names:
            return True
        models = (noun.model for noun in self._nouns.values() if kind in (noun.kind, noun.collection))
        return any(
            self.members(part)
            for model in models
            if field in model.model_fields
            for part in _models(model.model_fields[field].annotation)
        )

    def _with_sides(self, change: Mapping[str, Any], names: frozenset[str]) -> Mapping[str, Any]:
        """Return a change without what is hidden in the values before and after it."""
        sides: dict[str, Any] = {}
        for side in ("before", "after"):
            value = change.get(side)
            if not is_object(value):
                continue
            free = snake(str(change.get("field")))
            kept = {key: one for key, one in value.items() if free not in _FREE or f"{free}.{key}" not in names}
            sides[side] = {key: one for key, one in kept.items() if key != "name" or not self._hides_name(value)}
        return {**change, **sides}


_ACTIVE: ContextVar[Hiding | None] = ContextVar("hidden members", default=None)


def active() -> Hiding | None:
    """Return what is hidden from who reads what is rendered now; None for nothing."""
    return _ACTIVE.get()


def hiding_from(caller: Caller, nouns: Mapping[str, Noun]) -> Hiding | None:
    """Return what is hidden from a caller; None for nothing."""
    return Hiding(caller.hidden, nouns) if caller.hidden else None


def hidden_from(caller: Caller, nouns: Mapping[str, Noun]) -> AbstractContextManager[None]:
    """Leave out of what is rendered within this block what is hidden from a caller."""
    return leaving_out(hiding_from(caller, nouns))


@contextmanager
def leaving_out(hiding: Hiding | None) -> Generator[None]:
    """Leave out of what is rendered within this block what is hidden."""
    if hiding is None:
        yield
        return
    token = _ACTIVE.set(hiding)
    try:
        yield
    finally:
        _ACTIVE.reset(token)


def legible(
    doc: Mapping[str, Any], models: Sequence[type[Model]], caller: Caller, nouns: Mapping[str, Noun]
) -> Document:
    """Return what a text that is made of a record may tell a caller: what an answer has, and is not hidden."""
    known = {name for model in models for name in model.model_fields}
    kept = Document({name: value for name, value in doc.items() if name in known})
    hiding = hiding_from(caller, nouns)
    return hiding.without(kept, models) if hiding is not None else kept


def refuse_named(
    caller: Caller, operation: Operation[..., Any], arguments: Mapping[str, Any], nouns: Mapping[str, Noun]
) -> None:
    """Raise 422 UNKNOWN_FIELD for a filter, a sort or a selection by a member that is hidden from a caller."""
    if not caller.hidden:
        return
    hiding = Hiding(caller.hidden, nouns)
    kinds = _models(operation.arguments.content(Sync))
    names = frozenset(name for kind in kinds for name in hiding.members(kind))
    if not names:
        return
    for path, value in _named_members(arguments, is_filtered=operation.reads):
        if value in names:
            raise unknown(path, value)


def _models(annotation: Any) -> Iterator[type[Model]]:
    """Yield the models of a type: of the type itself, its union branches and list items."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def unknown(path: str, field: str) -> Problem:
    """Return the 422 for a member that is not there for a caller."""
    return Problem(
        "UNKNOWN_FIELD", f"there is no member {field!r}", field=path, rule="choice", details={"field": field}
    )


def _named_members(arguments: Mapping[str, Any], *, is_filtered: bool) -> Iterator[tuple[str, str]]:
    """Yield the members that arguments name, each with the argument; those of a call that writes are no filters."""
    for name, value in arguments.items():
        if value is None:
            continue
        if name == "sort":
            yield name, snake(str(value))
        elif name in ("fields", "include") and is_array(value):
            yield from ((f"{name}.{number}", snake(str(field))) for number, field in enumerate(value))
        elif is_object(value):
            named = {key: member for key, member in value.items() if key in ("sort", "fields")}
            yield from _named_members(named, is_filtered=is_filtered)
            given = value.get("filter_groups")
            groups: Sequence[Mapping[str, Any]] = given if is_array(given) else ()  # by entity the rule looks itself
            for group, filters in enumerate(groups):
                conditions: Sequence[Mapping[str, Any]] = filters.get("filters") or ()
                for number, one in enumerate(conditions):
                    path = f"filter_groups.{group}.filters.{number}.field"
                    yield path, snake(str(one.get("field", "")))
        elif is_filtered:
            yield name, name
            yield from ((name, name.removesuffix(end)) for end in _BOUNDS if name.endswith(end))
            yield from ((name, name.removeprefix(start)) for start in _LIMITS if name.startswith(start))


def seen_members(caller: Caller, names: Sequence[str], *entities: str) -> Sequence[str]:
    """Return those of some members that a caller sees in each of some entities, and in every kind of activity."""
    if not caller.hidden:
        return names
    kinds = {kind for entity in entities for kind in kinds_of(entity)}
    return [name for name in names if not any(f"{kind}.{name}" in caller.hidden for kind in kinds)]


def seen_types(caller: Caller, kind: str, types: Mapping[str, FieldType]) -> Mapping[str, FieldType]:
    """Return the types of the fields of a kind of record by which a caller may ask: those that it sees.

    Whether a condition holds tells what a member is, so that one that is hidden is not there in any condition.
    """
    if not caller.hidden:
        return types
    free = {f"{one}.*" for one in _FREE}
    found: dict[str, FieldType] = {
        name: "hidden" if name not in free and is_limited(caller.hidden, kind, name) else type
        for name, type in types.items()
    }
    own = (name.partition(".") for name in caller.hidden)
    return {**found, **{rest: "hidden" for entity, _, rest in own if entity in kinds_of(kind)}}


def is_limited(members: frozenset[str], entity: str, name: str) -> bool:
    """Tell whether a member of an entity, or what it is a part of, is among hidden or fixed members."""
    return bool(members) and any(
        f"{kind}.{part}" in members for kind in kinds_of(entity) for part in (name, name.partition(".")[0])
    )


def refuse_written(
    caller: Caller, entities: Iterable[str], given: Mapping[str, Any], before: Mapping[str, Any] | None
) -> None:
    """Raise 403 FIELD_FORBIDDEN for members that a caller may not write.

    A member that can be read may be sent back as it is.
    """
    limited = caller.hidden | caller.fixed
    if not limited:
        return
    wrong = sorted({
        name
        for entity in entities
        for name in _written_members(given, [one for one in limited if one.startswith(f"{entity}.")])
        if f"{entity}.{name}" in caller.hidden
        or (f"{entity}.{name}" in caller.fixed and (before is None or _member(before, name) != _member(given, name)))
    })  # fmt: skip
    if wrong:
        message = f"no role of {caller.name or 'the caller'} lets it write {', '.join(wrong)}"
        raise Problem("FIELD_FORBIDDEN", message, field=wrong[0], details={"fields": wrong})


def _member(members: Mapping[str, Any], name: str) -> Any:
    """Return a member of a record, or one of the company's fields; None where the record has no such value."""
    head, _, field = name.partition(".")
    value = members.get(head)
    return value if not field else value.get(field) if is_object(value) else None


def _written_members(given: Mapping[str, Any], limited: Iterable[str]) -> Iterator[str]:
    """Yield the members that are written, and the company's fields: all that are limited where null clears them."""
    for name, value in given.items():
        yield name
        if name in _FREE and is_object(value):
            yield from (f"{name}.{key}" for key in value)
        elif name in _FREE and value is None:
            written = (one.partition(".")[2] for one in limited)
            yield from (one for one in written if one.startswith(f"{name}."))
