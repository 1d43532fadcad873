"""Evaluate a SearchQuery: its words, its filter groups and its sort."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeAlias, cast

from crm_sdk.wire import instant, is_array, number, snake

from ...problems import Problem, invalid
from ..document import Document
from .query import Resolve, fold, matches, member, sort_documents
from .relative_dates import Calendar

FieldType: TypeAlias = Literal["text", "number", "date", "bool", "list", "any", "hidden"]
"""The type of a field: ``date`` is a date or an instant, ``list`` a list of texts, ``any`` a custom field that is not
defined, whose values are read as texts, ``hidden`` one that is not there for the caller."""
Test: TypeAlias = Callable[[object], bool]

MAX_GROUPS, MAX_FILTERS, MAX_IN_ALL = 5, 10, 25


def search(
    docs: Sequence[Document],
    query: Mapping[str, Any],
    fields: Mapping[str, FieldType],
    *,
    text: Sequence[str],
    now: datetime,
    zone: tzinfo = UTC,
    resolve: Resolve = member,
    sortable: Collection[str] | None = None,
) -> list[Document]:
    """Answer a SearchQuery (its Python names): ``q`` in the `text` fields, the filter groups, and the sort.

    `fields` maps the fields that can be filtered to their types; ``custom_fields.*`` allows any custom field.
    """
    keep = compile_filters(query.get("filter_groups") or (), fields, now=now, zone=zone, resolve=resolve)
    words = query.get("q")
    found = [doc for doc in docs if keep(doc) and matches(doc, words, text, resolve)]
    allowed = (
        sortable if sortable is not None else [name for name, kind in fields.items() if kind not in ("list", "any")]
    )
    sort, order = query.get("sort"), query.get("order") or "desc"
    own = _undefined_path(sort, fields) if sort is not None and sort not in fields else None
    if own is None:
        return sort_documents(found, sort, order, allowed, resolve=resolve)
    return sort_documents(found, own, order, [own], resolve=lambda doc, field: _as_text(resolve(doc, field)))


def compile_filters(
    groups: Sequence[Mapping[str, Any]],
    fields: Mapping[str, FieldType],
    *,
    now: datetime,
    zone: tzinfo = UTC,
    resolve: Resolve = member,
) -> Callable[[Document], bool]:
    """Compile filter groups into one test: groups are joined by OR, the filters of a group by AND; none match all."""
    filters = sum(len(group.get("filters") or ()) for group in groups)
    if (
        len(groups) > MAX_GROUPS
        or filters > MAX_IN_ALL
        or any(len(group.get("filters") or ()) > MAX_FILTERS for group in groups)
    ):
        raise Problem(
            "FILTER_TOO_LARGE",
            f"at most {MAX_GROUPS} groups, {MAX_FILTERS} filters in a group and {MAX_IN_ALL} in all",
            field="filter_groups",
            rule="max",
            details={"groups": len(groups), "filters": filters},
        )
    tests: list[list[tuple[str, Test]]] = []
    for place, group in enumerate(groups):
        members = group.get("filters") or ()
        if not members:
            raise invalid(f"filter_groups.{place}.filters", "required", "a group needs at least one filter")
        tests.append(
            [
                _compile(given, fields, f"filter_groups.{place}.filters.{index}", Calendar(now, zone))
                for index, given in enumerate(members)
            ]
        )
    if not tests:
        return lambda doc: True
    return lambda doc: any(all(test(resolve(doc, field)) for field, test in group) for group in tests)


def compile_filter(
    given: Mapping[str, Any],
    fields: Mapping[str, FieldType],
    path: str = "filter",
    *,
    now: datetime,
    zone: tzinfo = UTC,
    resolve: Resolve = member,
) -> tuple[str, Callable[[Document], bool]]:
    """Compile one filter: return its field, by its Python name, and its test. Errors say that it is at `path`."""
    field, test = _compile(given, fields, path, Calendar(now, zone))
    return field, lambda doc: test(resolve(doc, field))


_EQUALITY = frozenset({"eq", "neq", "in", "not_in", "is_set", "is_not_set"})
_ORDER = frozenset({"gt", "gte", "lt", "lte", "between"})
_WITHIN = frozenset({"contains", "not_contains"})
OPERATORS: Mapping[FieldType, frozenset[str]] = {
    "text": _EQUALITY | _WITHIN | {"starts_with"},
    "number": _EQUALITY | _ORDER,
    "date": _EQUALITY | _ORDER,
    "bool": frozenset({"eq", "neq", "is_set", "is_not_set"}),
    "list": _EQUALITY | _WITHIN,
    "any": _EQUALITY | _WITHIN | {"starts_with"},
    "hidden": frozenset(),
}
"""The operators of each type of field."""


def _undefined_path(field: str, fields: Mapping[str, FieldType]) -> str | None:
    """Return the path of an undefined custom field, ``custom_fields.Tier``; None for any other field."""
    head, _, rest = field.partition(".")
    return f"{snake(head)}.{rest}" if rest and f"{snake(head)}.*" in fields else None  # its own name stays as it is


def _as_text(value: object) -> object:
    """Return the text of a value of an undefined custom field; an object is returned unchanged."""
    if is_array(value):
        return [_as_text(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, Decimal)):
        return str(number(Decimal(str(value))))
    if isinstance(value, datetime):
        return instant(value)
    return value.isoformat() if isinstance(value, date) else value


def _compile(given: Mapping[str, Any], fields: Mapping[str, FieldType], path: str, dates: Calendar) -> tuple[str, Test]:
    field = str(given.get("field"))
    name = field if field in fields else snake(field)
    kind = fields.get(name)
    own = _undefined_path(field, fields) if kind is None else None
    if own is not None:
        name, kind = own, fields.get(own, "any")
    if kind is None or kind == "hidden":
        raise Problem(
            "UNKNOWN_FIELD",
            f"there is no field {field!r} to filter by",
            field=f"{path}.field",
            rule="choice",
            details={"field": field},
        )
    op = str(given.get("op"))
    if op not in OPERATORS[kind]:
        raise Problem(
            "INVALID_OPERATOR",
            f"{field!r} holds {'text' if kind == 'any' else kind}: it has no operator {op!r}",
            field=f"{path}.op",
            rule="choice",
            details={"field": field, "operator": op, "allowed": sorted(OPERATORS[kind])},
        )
    if kind != "any":
        return name, _test(op, kind, given, path, dates)
    operands = {part: _as_text(value) for part, value in given.items() if part in ("value", "values")}
    test = _test(op, "text", operands, path, dates)
    return name, lambda value: test(_as_text(value))


def _test(op: str, kind: FieldType, given: Mapping[str, Any], path: str, dates: Calendar) -> Test:
    """Return the test of one filter; ``neq``, ``not_in`` and ``not_contains`` also match a missing value."""
    if op in ("is_set", "is_not_set"):
        return lambda value: (value not in (None, "", [], {})) is (op == "is_set")
    if op in ("in", "not_in"):
        values = given.get("values")
        if not values:
            raise invalid(f"{path}.values", "required", f"{op} needs a list of values")
        spans = [_span(value, kind, f"{path}.values.{index}", dates) for index, value in enumerate(values)]
        return _either(lambda value: any(span.has(value) for span in spans), negated=op == "not_in")
    if given.get("value") is None:
        raise invalid(f"{path}.value", "required", f"{op} needs a value; to find what is empty use is_not_set")
    if op in ("contains", "not_contains", "starts_with"):
        if not isinstance(given["value"], str):
            raise invalid(f"{path}.value", "type", f"{op} needs a text")
        needle = fold(given["value"])
        if op == "starts_with":
            return _either(lambda value: isinstance(value, str) and fold(value).startswith(needle))
        if kind == "list":
            return _either(lambda value: isinstance(value, str) and fold(value) == needle, negated=op == "not_contains")
        return _either(lambda value: isinstance(value, str) and needle in fold(value), negated=op == "not_contains")
    span = _span(given["value"], kind, f"{path}.value", dates)
    if op in ("eq", "neq"):
        return _either(span.has, negated=op == "neq")
    if op == "between":
        if given.get("high_value") is None:
            raise invalid(f"{path}.high_value", "required", "between needs value and high_value")
        high = _span(given["high_value"], kind, f"{path}.high_value", dates)
        return _either(lambda value: span.low_of(value) and high.high_of(value))
    if op in ("gte", "lte"):
        return _either(span.low_of if op == "gte" else span.high_of)
    beyond = span.low_of if op == "gt" else span.high_of
    return _either(lambda value: beyond(value) and not span.has(value))


def _either(test: Test, *, negated: bool = False) -> Test:
    """Extend a test to lists: it holds for a list if it holds for one of its elements."""

    def decide(value: object) -> bool:
        if isinstance(value, list):
            return any(test(item) for item in cast("list[object]", value)) is not negated
        return (value is not None and test(value)) is not negated

    return decide


@dataclass(frozen=True, slots=True)
class _Span:
    """The span of a filter's value, from `start` to `end`; a day does not include the beginning of the next day."""

    start: Any
    end: Any
    read: Callable[[object], Any]
    """Returns a document's value in a form comparable with both ends; None for a value of another type."""
    open_end: bool = False

    def low_of(self, value: object) -> bool:
        """Return whether a value is not before the start."""
        mine = self.read(value)
        return mine is not None and bool(mine >= self.start)

    def high_of(self, value: object) -> bool:
        """Return whether a value is not after the end."""
        mine = self.read(value)
        return mine is not None and bool(mine < self.end if self.open_end else mine <= self.end)

    def has(self, value: object) -> bool:
        """Return whether a value is within the span."""
        return self.low_of(value) and self.high_of(value)


def _span(value: object, kind: FieldType, path: str, dates: Calendar) -> _Span:
    """Parse a filter's value according to the type of its field."""
    if kind == "bool":
        if not isinstance(value, bool):
            raise invalid(path, "type", f"{value!r} is neither true nor false")
        return _Span(value, value, lambda mine: mine if isinstance(mine, bool) else None)
    if kind == "number":
        amount = _number(value)
        if amount is None:
            raise invalid(path, "type", f"{value!r} is not a number")
        return _Span(amount, amount, lambda mine: None if isinstance(mine, str) else _number(mine))
    if kind == "date":
        start, end = dates.span(value, path)
        return _Span(start, end, dates.instant, open_end=start != end)
    if not isinstance(value, str):
        raise invalid(path, "type", f"{value!r} is not a text")
    text = value.casefold()
    return _Span(text, text, lambda mine: mine.casefold() if isinstance(mine, str) else None)


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
