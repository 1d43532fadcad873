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

if TYPE_CHECKING:
    from ...caller import Caller
    from ...noun import Noun

Hidden = Mapping[str, frozenset[str]]
"""The hidden members by entity."""
_BOUNDS = ("_after", "_before", "_min", "_max")
_LIMITS = ("min_", "max_")


class Hiding:
    """What is hidden from a caller."""

    __slots__ = ("_kinds", "_models", "by_entity")

    def __init__(self, names: Iterable[str], nouns: Mapping[str, Noun]) -> None:
        found: dict[str, set[str]] = {}
        for name in names:
            entity, _, field = name.partition(".")
            found.setdefault(entity, set()).add(field)
        self.by_entity: Hidden = {entity: frozenset(fields) for entity, fields in found.items()}
        self._models = {
            noun.model: self.by_entity[entity]
            for noun in nouns.values()
            if (entity := noun.kind if noun.kind in self.by_entity else noun.collection) in self.by_entity
        }
        self._kinds: dict[type[Model], frozenset[str]] = {}

    def members(self, kind: type[Model]) -> frozenset[str]:
        """Return the hidden members of a model, by name; one with a dot is a custom field."""
        found = self._kinds.get(kind)
        if found is None:
            found = self._kinds[kind] = frozenset(
                name for model, names in self._models.items() if issubclass(kind, model) for name in names
            )
        return found

    def without(self, doc: Mapping[str, Any], kinds: Sequence[type[Model]]) -> Document:
        """Return a record, which has one of some models, without the members that are hidden in all of them."""
        names = frozenset[str].intersection(*(self.members(kind) for kind in kinds))
        own: Mapping[str, Any] = doc.get("custom_fields") or {}
        seen = {key: value for key, value in own.items() if f"custom_fields.{key}" not in names}
        members = {**doc, **({"custom_fields": seen} if own else {})}
        return Document({name: value for name, value in members.items() if name not in names})

    def without_changes(self, doc: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return an entry about a record without the changes of hidden members."""
        entity, changes = doc.get("entity"), doc.get("changes")
        names = self.by_entity.get(entity.get("type", "") if is_object(entity) else "")
        if not names or not is_array(changes):
            return doc
        inner = frozenset(name.partition(".")[2] for name in names if "." in name)
        return {**doc, "changes": [
            _without_inner(one, inner) if is_object(one) else one
            for one in changes if not is_object(one) or snake(str(one.get("field"))) not in names
        ]}  # fmt: skip


def _without_inner(change: Mapping[str, Any], keys: frozenset[str]) -> Mapping[str, Any]:
    """Return a change of the custom fields as a whole without those that are hidden."""
    if not keys or snake(str(change.get("field"))) != "custom_fields":
        return change
    sides = {name: value for name in ("before", "after") if is_object(value := change.get(name))}
    return {**change, **{name: {key: one for key, one in value.items() if key not in keys}
                         for name, value in sides.items()}}  # fmt: skip


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
    for path, value in _named(arguments):
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


def _named(arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the members that arguments name, each with the argument."""
    for name, value in arguments.items():
        if value is None:
            continue
        if name == "sort":
            yield name, snake(str(value))
        elif name in ("fields", "include") and is_array(value):
            yield from ((f"{name}.{number}", snake(str(field))) for number, field in enumerate(value))
        elif is_object(value):
            yield from _named({key: member for key, member in value.items() if key in ("sort", "fields")})
            given = value.get("filter_groups")
            groups: Sequence[Mapping[str, Any]] = given if is_array(given) else ()  # by entity the rule looks itself
            for group, filters in enumerate(groups):
                conditions: Sequence[Mapping[str, Any]] = filters.get("filters") or ()
                for number, one in enumerate(conditions):
                    path = f"filter_groups.{group}.filters.{number}.field"
                    yield path, snake(str(one.get("field", "")))
        else:
            yield name, name
            yield from ((name, name.removesuffix(end)) for end in _BOUNDS if name.endswith(end))
            yield from ((name, name.removeprefix(start)) for start in _LIMITS if name.startswith(start))


def seen(caller: Caller, entity: str, names: Sequence[str]) -> Sequence[str]:
    """Return those of some members of an entity that a caller sees."""
    return [name for name in names if f"{entity}.{name}" not in caller.hidden] if caller.hidden else names


def refuse_written(
    caller: Caller, entities: Iterable[str], given: Mapping[str, Any], before: Mapping[str, Any] | None
) -> None:
    """Raise 403 FIELD_FORBIDDEN for members that a caller may not write.

    A member that can be read may be sent back as it is.
    """
    if not (caller.hidden or caller.fixed):
        return
    wrong = sorted({
        name
        for entity in entities
        for name in _written(given)
        if f"{entity}.{name}" in caller.hidden
        or (f"{entity}.{name}" in caller.fixed and not (before is not None and before.get(name) == given.get(name)))
    })  # fmt: skip
    if wrong:
        message = f"no role of {caller.name or 'the caller'} lets it write {', '.join(wrong)}"
        raise Problem("FIELD_FORBIDDEN", message, field=wrong[0], details={"fields": wrong})


def _written(given: Mapping[str, Any]) -> Iterator[str]:
    for name, value in given.items():
        yield name
        if name == "custom_fields" and is_object(value):
            yield from (f"{name}.{key}" for key in value)
