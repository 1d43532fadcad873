"""The data of a report as the lines of a file: what CSV, workbooks and PDF have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ...serving import Members

Kind: TypeAlias = Literal["row", "subtotal", "total"]
NOTHING = "No value"
"""The label of the group of records without a value."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a report: a record, the sums of a group, or those of all records."""

    kind: Kind
    cells: Sequence[Any]
    level: int = 1
    """How many groups it is within, from 1."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column."""

    label: str
    type: str
    format: str

    @property
    def is_number(self) -> bool:
        """Whether the column has numbers."""
        return self.type == "number"


def heads_of(report: Members, content: Members) -> list[Head]:
    """Return the heads of the columns: members; or groups and measures, of a matrix those of each column."""
    heads = [Head(one["label"], one["type"], one["format"] or one["type"]) for one in content["columns"]]
    if report["format"] == "tabular":
        return heads
    groups, across = len(report["groups"] or ()), len(report["across"] or ()) if report["format"] == "matrix" else 0
    measures = heads[groups + across :]
    # The keys of groups are texts, also those of periods.
    keys = [Head(head.label, "text" if head.type == "date" else head.type, head.format) for head in heads[:groups]]
    if not across:
        return [*keys, *measures]
    return [
        *keys,
        *(
            Head(_title(labels, measure, len(measures)), measure.type, measure.format)
            for labels in content["across_labels"]
            for measure in measures
        ),
    ]


def _title(labels: Sequence[str], measure: Head, measures: int) -> str:
    words = " / ".join(labels)
    return f"{words}: {measure.label}" if measures > 1 else words


def lines_of(report: Members, content: Members) -> Iterator[Line]:
    """Yield the lines of a report: records; or the groups, each before its parts, and at last the totals."""
    for row in content["rows"]:
        yield Line("row", row)
    groups = len(report["groups"] or ())
    for group in content["groups"]:
        keys = [*group["labels"], *[None] * (groups - len(group["labels"]))]
        yield Line("subtotal" if group["subtotal"] else "row", [*keys, *group["values"]], group["level"])
    if report["format"] != "tabular":
        yield Line("total", [*(["Total", *[None] * (groups - 1)] if groups else []), *content["totals"]])


def conditions_of(report: Members, parameters: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield what the records of a report are limited to: a member, an operator and a value for each line."""
    if report["date_range"]:
        days = report["date_range"]
        own = " – ".join(str(day or "…") for day in (days.get("start_date"), days.get("end_date")))
        yield str(report["date_field"]), "within", own if days.get("preset") in (None, "custom") else days["preset"]
    for number, group in enumerate(report["filter_groups"]):
        for place, entry in enumerate(group["filters"]):
            joined = "or" if number and not place else ""
            values = [entry.get("value"), entry.get("high_value"), *(entry.get("values") or ())]
            shown = ", ".join(str(value) for value in values if value is not None)
            yield f"{joined} {entry['field']}".strip(), str(entry["op"]), shown
    for name, value in parameters.items():
        yield f"{{{{{name}}}}}", "is", "" if value is None else str(value)
