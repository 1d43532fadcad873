"""The filters of a list, derived from the names of its arguments: ``min_score``, ``created_after``, ``owner_id``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from crm_sdk.models.record import Model

from ..document import Document
from ..order import Range
from .filter_groups import FieldType

Test: TypeAlias = Callable[[Document], bool]
Filter: TypeAlias = Callable[[Any, Any], Test]
"""Gets the call and the given value; returns a test that records must pass."""


@dataclass(slots=True)
class Sought:
    """What the arguments of a list ask for, as `select` takes it."""

    equal: dict[str, object] = field(default_factory=dict[str, object])
    ranges: dict[str, Range] = field(default_factory=dict[str, Range])
    tags: set[str] = field(default_factory=set[str])
    tests: list[Test] = field(default_factory=list[Test])

    def narrow(self, member: str, range: Range) -> None:
        """Ask for values of a member that are in a range, and in those that were asked for before."""
        self.ranges[member] = self.ranges[member] & range if member in self.ranges else range


Plan: TypeAlias = Callable[[Any, Any, Sought], None]
"""Gets the call and the given value, and adds what the argument asks for."""

UNFILTERED = frozenset({"search", "sort", "order", "limit", "offset", "page", "include", "fields", "view"})


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


def sought_by(plans: Mapping[str, Plan], call: Any, given: Mapping[str, Any]) -> Sought:
    """Return what the given arguments of a list ask for."""
    sought = Sought()
    for name, value in given.items():
        if value is not None and name in plans:
            plans[name](call, value, sought)
    return sought


def _own(make: Filter) -> Plan:
    return lambda call, value, sought: sought.tests.append(make(call, value))


def _by_name(name: str, members: Collection[str]) -> Plan | None:
    if name == "tags":
        return lambda call, value, sought: sought.tags.update(tag.strip() for tag in value)
    if name in members:
        return lambda call, value, sought: sought.equal.__setitem__(name, value)
    head, _, rest = name.partition("_")
    if head in ("min", "max") and rest in members:
        return lambda call, value, sought: sought.narrow(rest, Range(value) if head == "min" else Range(high=value))
    stem, _, end = name.rpartition("_")
    for member in (stem, f"{stem}_at", f"{stem}_date"):
        if end in ("after", "before") and member in members:
            return lambda call, value, sought: sought.narrow(member, _times(value, after=end == "after"))
    return None


def _times(at: Any, *, after: bool) -> Range:
    """Return the times from one on, or those before it."""
    return Range(at) if after else Range(high=at, closed=False)


def by_time(member: str, *, after: bool) -> Filter:
    """Return the filter of records whose member is at the given time or after it, or else before it."""

    def make(call: Any, at: Any) -> Test:
        times = _times(at, after=after)
        return lambda doc: doc.get(member) in times

    return make


def filter_fields(model: type[Model]) -> dict[str, FieldType]:
    """Return the members of a record that can be filtered, with their types, from the model."""
    fields: dict[str, FieldType] = {}
    for name, info in model.model_fields.items():
        text = str(info.annotation)
        kinds: tuple[tuple[str, FieldType], ...] = (
            ("Model", "any"), ("list[", "list"), ("date", "date"), ("Datetime", "date"), ("bool", "bool"),
            ("int", "number"), ("Decimal", "number"), ("float", "number"),
        )  # fmt: skip
        found: list[FieldType] = [kind for word, kind in kinds if word in text]
        fields[name] = found[0] if found else "text"
    return {**fields, "custom_fields.*": "any"}
