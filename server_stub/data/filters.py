"""The filters of a list, derived from the names of its arguments: ``min_score``, ``created_after``, ``owner_id``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeAlias

from crm_sdk.models.record import Model

from .document import Document
from .filter_groups import FieldType

Test: TypeAlias = Callable[[Document], bool]
Filter: TypeAlias = Callable[[Any, Any], Test]
"""Gets the call and the given value; returns a test that records must pass."""
Plan: TypeAlias = Callable[[Any, Any, dict[str, object], list[Test]], None]
"""Adds the filter of an argument: a value that an index finds, or a test."""

UNFILTERED = frozenset({"search", "sort", "order", "limit", "offset", "page", "include", "fields"})


def filter_plans(
    arguments: Iterable[str], members: Collection[str], own: Mapping[str, Filter], *, where: str
) -> dict[str, Plan]:
    """Return the filter of each argument of a list. Raises: TypeError where neither its name nor `own` gives one."""
    plans: dict[str, Plan] = {}
    for name in arguments:
        if name in UNFILTERED:
            continue
        plan = _own(own[name]) if name in own else _by_name(name, members)
        if plan is None:
            raise TypeError(f"{where}: the argument {name!r} names no member; say in `filters` what it asks for")
        plans[name] = plan
    return plans


def _own(make: Filter) -> Plan:
    return lambda call, value, equal, tests: tests.append(make(call, value))


def _by_name(name: str, members: Collection[str]) -> Plan | None:
    if name == "tags":
        return lambda call, value, equal, tests: tests.append(_has_tags(value))
    if name in members:
        return lambda call, value, equal, tests: equal.__setitem__(name, value)
    head, _, rest = name.partition("_")
    if head in ("min", "max") and rest in members:
        return lambda call, value, equal, tests: tests.append(_bound(rest, value, least=head == "min"))
    stem, _, end = name.rpartition("_")
    for member in (stem, f"{stem}_at", f"{stem}_date"):
        if end in ("after", "before") and member in members:
            return lambda call, value, equal, tests: tests.append(time_test(member, value, after=end == "after"))
    return None


def _has_tags(given: Iterable[str]) -> Test:
    wanted = {tag.strip().casefold() for tag in given} - {""}
    return lambda doc: wanted <= {tag.casefold() for tag in doc.get("tags") or ()}


def _bound(member: str, bound: Any, *, least: bool) -> Test:
    def test(doc: Document) -> bool:
        value = doc.get(member)
        return value is not None and (value >= bound if least else value <= bound)

    return test


def time_test(member: str, bound: Any, *, after: bool) -> Test:
    """Return the test of documents whose member is at a time or after it, or else before it."""

    def test(doc: Document) -> bool:
        value = doc.get(member)
        return value is not None and (value >= bound if after else value < bound)

    return test


def filter_fields(model: type[Model]) -> dict[str, FieldType]:
    """Return the members of a record that can be filtered, with their types, from the model."""
    fields: dict[str, FieldType] = {}
    for name, info in model.model_fields.items():
        text = str(info.annotation)
        kinds: tuple[tuple[str, FieldType], ...] = (
            ("Model", "any"), ("list[", "list"), ("date", "date"), ("bool", "bool"), ("int", "number"),
            ("Decimal", "number"), ("float", "number"),
        )  # fmt: skip
        found: list[FieldType] = [kind for word, kind in kinds if word in text]
        fields[name] = found[0] if found else "text"
    return {**fields, "custom_fields.*": "any"}
