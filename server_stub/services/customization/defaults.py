"""What a company gives new records where nothing is said about a standard field, read as the field's own values are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, cast

from typing_extensions import TypedDict

from crm_sdk.wire import camel

from ...noun import Noun
from ...nouns.entities import Entity
from ...nouns.references import target_of
from ...problems import Problem, invalid, validation
from ...request.reading.intake import read_input
from ...request.reading.json_types import wrong_types
from ...serving import Context, Members

_AT = "default"


def check_default(call: Context, entity: Entity, described: Mapping[str, Any], value: Any) -> None:
    """Refuse a default that no new record could be given. Raises: 422 that names it."""
    name: str = described["name"]
    kinds = [kind for kind in nouns_of(call, entity) if name in kind.create_hints]
    if not kinds:
        raise invalid(_AT, "read_only", "a new record cannot be given this field")
    choices = [one["value"] for one in described["options"]]
    if choices and not described["open"] and value not in choices:
        raise invalid(_AT, "choice", f"must be one of {', '.join(choices)}")
    for kind in kinds:
        try:
            _stored_default(call, kind, name, value)
        except Problem as problem:
            entries = [replace(entry, field=_AT + (entry.field or "").removeprefix(name)) for entry in problem.entries]
            raise validation(entries) from None


def nouns_of(call: Context, entity: Entity) -> list[Noun]:
    """Return the nouns of the records of an entity: of an activity there are several."""
    return [one for one in call.server.nouns.values() if entity.collection in (one.kind, one.stored_as)]


def default_of(call: Context, noun: Noun, changed: Members, name: str) -> Any:
    """Return what a new record gets where the call says nothing; None for a default that is none any more.

    A user may have gone since, for one.
    """
    given = changed.get("default")
    if given is None or name not in noun.create_hints:
        return None
    try:
        return _stored_default(call, noun, name, given)
    except Problem:
        return None


def _stored_default(call: Context, noun: Noun, name: str, given: Any) -> Any:
    """Return the stored form of a default. Raises: 422 for a value that the field does not have."""
    hints = {name: noun.create_hints[name]}
    mistyped = list(wrong_types(hints, {camel(name): given}))
    if mistyped:
        raise validation(mistyped)
    value = read_input(_input_with(name, hints[name]), {name: given})[name]
    value = noun.stored_value(call, name, value)
    kind = target_of(name, noun.kind, noun.refers, lambda word: word in call.server.nouns)
    return call.resolve(kind, value, name) if kind is not None else value


@lru_cache(maxsize=64)
def _input_with(name: str, hint: Any) -> Any:
    """Return the type of an input that has one member only."""
    return cast("Any", TypedDict)("Default", {name: hint})
