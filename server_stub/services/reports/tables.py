"""The data of a report: its rows, or its sums by group and column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any, TypeAlias

from ...data.document import Document
from ...data.queries.field_types import Field
from ...data.queries.filter_groups import compile_filters
from ...data.queries.query import sort_key as comparable
from ...problems import Problem
from ...serving import Context, Members
from .. import company, ranges
from .checks import filled_filters, key_of, sort_key
from .lines import NOTHING
from .sources import Source, source_of

Key: TypeAlias = tuple[Any, ...]
Narrowed: TypeAlias = Callable[[Source], Callable[[Document], bool]]
_PRESETS: Mapping[str, tuple[str, int]] = {
    "today": ("day", 0),
    "this_week": ("week", 0),
    "this_month": ("month", 0),
    "this_quarter": ("quarter", 0),
    "this_year": ("year", 0),
    "last_month": ("month", -1),
    "last_quarter": ("quarter", -1),
    "last_year": ("year", -1),
}
_FINE = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Table:
    """What a report is computed with: the records it is made of, and how their members are read."""

    call: Context
    source: Source
    report: Members
    docs: Sequence[Document]
    truncated: bool

    @staticmethod
    def of(call: Context, report: Members, parameters: Members, narrowed: Narrowed | None = None) -> Table:
        """Return the table of a report's records. Raises: 409 REPORT_BROKEN where one of its fields is gone.

        `narrowed` returns what else its records must be, from their source.
        """
        source = sound_source(call, report)
        zone, value = company.zone(call), source.value_of(call)
        keep = compile_filters(
            filled_filters(report, parameters),
            source.types,
            now=call.now,
            zone=zone,
            resolve=lambda doc, path: value(doc, path),
        )
        span = days_of(call, report.get("date_range"))
        dated, _ = source.field(report.get("date_field") or "created_at", "date_field")
        docs = [doc for doc in source.records(call) if keep(doc) and (span is None or _is_on(value(doc, dated), span))]
        docs = list(filter(narrowed(source), docs)) if narrowed is not None else docs
        table = Table(call, source, report, docs, False)
        limit = report.get("row_limit") or 10_000
        return Table(call, source, report, table.sorted_rows()[:limit], len(docs) > limit)

    # -- a table of records --------------------------------------------------------------------------------------------

    def sorted_rows(self) -> Sequence[Document]:
        """Return the records in the order of the report; without columns as they come."""
        docs, value = list(self.docs), self.source.value_of(self.call)
        if self.report["format"] != "tabular":
            return docs

        def value_at(path: str) -> Callable[[Document], Any]:
            return lambda doc: value(doc, path)

        for entry in reversed(self.report.get("sort") or ()):
            path = self.source.field(entry["key"], "sort")[0]
            docs = _in_order(docs, value_at(path), entry.get("order") == "desc")
        return docs

    def columns(self) -> list[dict[str, Any]]:
        """Return what the columns of the data are: members, or groups and measures."""
        if self.report["format"] == "tabular":
            return [self._column(entry, entry["field"]) for entry in self.report["columns"]]
        groups = [self._column(entry, entry["field"]) for entry in (*self._groups, *self._across)]
        return [*groups, *map(self._measure_column, self._measures)]

    def _column(self, entry: Members, key: str) -> dict[str, Any]:
        _, field = self.source.field(entry["field"], "columns")
        label = entry.get("label") or _words(entry["field"])
        return {"key": key, "label": label, "type": field.type, "format": entry.get("format") or field.format}

    def _measure_column(self, measure: Members) -> dict[str, Any]:
        key, field = key_of(self.source, measure), self._measure(measure)
        counts = measure["function"] in ("count", "count_distinct")
        return {
            "key": key,
            "label": measure.get("label") or _words(key),
            "type": "number" if counts or field is None else field.type,
            "format": "number" if counts or field is None else field.format,
        }

    def rows(self) -> list[list[Any]]:
        """Return the values of the columns for each record."""
        value = self.source.value_of(self.call)
        paths = [self.source.field(entry["field"], "columns")[0] for entry in self.report["columns"]]
        return [[_shown_value(value(doc, path)) for path in paths] for doc in self.docs]

    # -- sums ----------------------------------------------------------------------------------------------------------

    @property
    def _groups(self) -> Sequence[Members]:
        return self.report.get("groups") or ()

    @property
    def _across(self) -> Sequence[Members]:
        return self.report.get("across") or () if self.report["format"] == "matrix" else ()

    @property
    def _measures(self) -> Sequence[Members]:
        return self.report.get("measures") or ({"function": "count"},)

    def _measure(self, measure: Members) -> Field | None:
        return self.source.field(measure["field"], "measures")[1] if measure.get("field") else None

    def across_keys(self) -> list[Key]:
        """Return what the columns of a matrix have in common, in their order."""
        return sorted({self._across_key(doc) for doc in self.docs}, key=_orderly) if self._across else []

    def across_labels(self) -> list[list[str]]:
        """Return the words of `across_keys`."""
        return [[self._label(*part) for part in zip(self._across, key, strict=True)] for key in self.across_keys()]

    def _across_key(self, doc: Document) -> Key:
        return tuple(self._key(entry, doc) for entry in self._across)

    def totals(self) -> list[Any]:
        """Return the measures over all records."""
        return self._values(self.docs, self.across_keys())

    def groups(self) -> list[dict[str, Any]]:
        """Return the sums of each group: before the parts of a group its subtotal."""
        return list(self._level((), (), self.docs, self.across_keys()))

    def series(self) -> list[dict[str, Any]] | None:
        """Return the measures by the periods of the first group, zeros included; None where it has no periods."""
        entry = self._groups[0] if self._groups else None
        if entry is None or self.source.field(entry["field"], "groups")[1].type != "date" or self._across:
            return None
        path, period = self.source.field(entry["field"], "groups")[0], entry.get("interval") or "day"
        value = self.source.value_of(self.call)
        parts: dict[date, list[Document]] = {}
        for doc in self.docs:
            if (at := value(doc, path)) is not None:
                parts.setdefault(ranges.beginning(self._day(at), period), []).append(doc)
        if not parts:
            return []
        spans = ranges.periods(self.call, ranges.span(self.call, min(parts), max(parts)), period)
        return [
            ranges.series(
                measure.get("label") or _words(key_of(self.source, measure)),
                spans,
                lambda span, measure=measure: self._value(measure, parts.get(span.start, ())) or Decimal(),  # type: ignore[misc] # mypy does not infer the default
            )
            for measure in self._measures
        ]

    def _day(self, at: date | datetime) -> date:
        return at.astimezone(company.zone(self.call)).date() if isinstance(at, datetime) else at

    def _level(
        self, keys: Key, labels: tuple[str, ...], docs: Sequence[Document], across: Sequence[Key]
    ) -> Iterator[dict[str, Any]]:
        level = len(keys)
        if level == len(self._groups):
            return
        entry, parts = self._groups[level], dict[Any, list[Document]]()
        for doc in docs:
            parts.setdefault(self._key(entry, doc), []).append(doc)
        for key, part in self._sorted_groups(entry, parts):
            here, named = (*keys, key), (*labels, self._label(entry, key))
            yield {
                "keys": list(here),
                "labels": list(named),
                "level": level + 1,
                "values": self._values(part, across),
                "count": len(part),
                "subtotal": level + 1 < len(self._groups),
            }
            yield from self._level(here, named, part, across)

    def _sorted_groups(
        self, entry: Members, parts: Mapping[Any, list[Document]]
    ) -> Sequence[tuple[Any, list[Document]]]:
        found = _in_order(list(parts.items()), lambda item: item[0], descending=False)
        path = self.source.field(entry["field"], "groups")[0]
        measures = {key_of(self.source, measure): measure for measure in self._measures}

        def value_of(measure: Members) -> Callable[[tuple[Any, list[Document]]], Any]:
            return lambda item: self._value(measure, item[1])

        for order in reversed(self.report.get("sort") or ()):
            known = {path, *measures}
            try:
                key = sort_key(self.source, order["key"], known, "sort")
            except Problem:  # that of another level
                continue
            descending = order.get("order") == "desc"
            if key in measures:
                found = _in_order(found, value_of(measures[key]), descending)
            else:
                found = _in_order(found, lambda item: item[0], descending)
        return found

    def _key(self, entry: Members, doc: Document) -> Any:
        path, field = self.source.field(entry["field"], "groups")
        value = self.source.value_of(self.call)(doc, path)
        if value is None or value == []:
            return None
        if field.type == "date":
            day = self._day(value)
            period = entry.get("interval") or "day"
            return ranges.name_of(ranges.beginning(day, period), period)
        if isinstance(value, list):
            return ", ".join(sorted(map(str, value)))  # pyright: ignore[reportUnknownArgumentType] # a list of texts
        return value

    def _label(self, entry: Members, key: Any) -> str:
        """Return the words of a key; of an id the name of its record."""
        if key is None:
            return NOTHING
        path, _ = self.source.field(entry["field"], "groups")
        _, kind = self.source.hops.get(path.removesuffix("_id").removeprefix("fields."), ("", ""))
        doc = self.call.collection(kind).get(key, deleted=True) if kind else None
        return str((doc.get("name") or doc.get("title") or key) if doc is not None else key)

    def _values(self, docs: Sequence[Document], across: Sequence[Key]) -> list[Any]:
        if not self._across:
            return [self._value(measure, docs) for measure in self._measures]
        parts: dict[Key, list[Document]] = {key: [] for key in across}
        for doc in docs:
            parts[self._across_key(doc)].append(doc)
        return [self._value(measure, parts[key]) for key in across for measure in self._measures]

    def _value(self, measure: Members, docs: Sequence[Document]) -> Any:
        """Return a measure of some records; None for the mean, median, least and greatest of nothing."""
        function = measure["function"]
        if function == "count":
            return len(docs)
        path, field = self.source.field(measure["field"], "measures")
        value = self.source.value_of(self.call)
        if field.format == "currency":
            values = [self._worth(doc, path, value(doc, path)) for doc in docs if value(doc, path) is not None]
        else:
            values = [found for doc in docs if (found := value(doc, path)) is not None]
        if function == "count_distinct":
            return len(set(map(str, values)))
        if function == "sum":
            return _round(sum((Decimal(str(one)) for one in values), Decimal()))
        if not values:
            return None
        if function in ("min", "max"):
            return _shown_value(min(values) if function == "min" else max(values))
        numbers = [Decimal(str(one)) for one in values]
        return _round(median(numbers) if function == "median" else sum(numbers, Decimal()) / len(numbers))

    def _worth(self, doc: Document, path: str, amount: Any) -> Decimal:
        """Return an amount in the company's currency, to which all sums are converted."""
        currency = self.source.currencies.get(path, doc.get("currency"))
        return company.worth_in(self.call.tenant)({"value": amount, "currency": currency})


def sound_source(call: Context, report: Members) -> Source:
    """Return the source of a report whose fields are all there. Raises: 409 REPORT_BROKEN."""
    try:
        source = source_of(call, report["entity_type"])
    except Problem:  # a custom object that is gone
        raise _broken([report["entity_type"]]) from None
    _refuse_broken(source, report)
    return source


def _refuse_broken(source: Source, report: Members) -> None:
    names = [entry["field"] for part in ("columns", "groups", "across") for entry in report.get(part) or ()]
    names += [entry["field"] for entry in report.get("measures") or () if entry.get("field")]
    names += [entry["field"] for group in report.get("filter_groups") or () for entry in group["filters"]]
    gone: list[str] = []
    for name in names:
        try:
            source.field(name, "")
        except Problem:
            gone.append(name)
    if gone:
        raise _broken(gone)


def _broken(gone: Sequence[str]) -> Problem:
    message = f"the report is of what is gone: {', '.join(gone)}"
    return Problem("REPORT_BROKEN", message, details={"fields": list(gone)})


def days_of(call: Context, given: Members | None) -> ranges.Span | None:
    """Return the days of a report; None for all."""
    if given is None:
        return None
    today, preset = company.today(call), given.get("preset") or "custom"
    if preset in _PRESETS:
        period, by = _PRESETS[preset]
        first = ranges.later(ranges.beginning(today, period), period, by)
        return ranges.span(call, first, ranges.later(first, period, 1) - timedelta(days=1))
    if preset == "custom":
        return ranges.span(
            call, given.get("start_date") or date(1900, 1, 1), given.get("end_date") or date(2999, 12, 30)
        )
    return ranges.span(call, today - timedelta(days=int(preset.split("_")[1]) - 1), today)


def _is_on(value: Any, span: ranges.Span) -> bool:
    if isinstance(value, datetime):
        return span.has(value)
    return isinstance(value, date) and span.start <= value <= span.end


def _in_order(items: Sequence[Any], key: Callable[[Any], Any], descending: bool) -> list[Any]:
    """Sort by a key, keeping the order of equal ones; those without a value are last either way."""
    valued = [item for item in items if key(item) is not None]
    void = [item for item in items if key(item) is None]
    return sorted(valued, key=lambda item: _orderly((key(item),)), reverse=descending) + void


def _orderly(key: Key) -> tuple[Any, ...]:
    """Return a key in a form in which keys of any types can be compared."""
    return tuple(
        (value is None, isinstance(value, str), comparable(value) if value is not None else "")
        if isinstance(value, (str, int, float, Decimal, date)) or value is None
        else (False, True, str(value))
        for value in key
    )


def _shown_value(value: Any) -> Any:
    return value if not isinstance(value, (dict, tuple)) else None


def _round(value: Decimal) -> Decimal:
    return value.quantize(_FINE, "ROUND_HALF_UP").normalize() + 0


def _words(path: str) -> str:
    return path.replace("_", " ").replace(".", " ").capitalize()


def content_of(table: Table) -> dict[str, Any]:
    """Return all data of a report: columns, rows or groups, totals."""
    call, tabular = table.call, table.report["format"] == "tabular"
    return {
        "columns": table.columns(),
        "rows": table.rows() if tabular else [],
        "groups": [] if tabular else table.groups(),
        "across_keys": [list(key) for key in table.across_keys()],
        "across_labels": table.across_labels(),
        "totals": [] if tabular else table.totals(),
        "row_count": len(table.docs),
        "truncated": table.truncated,
        "currency": call.tenant["base_currency"],
        "generated_at": call.now,
    }
