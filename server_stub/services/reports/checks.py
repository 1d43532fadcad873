"""What a report may be made of: its fields, functions, parameters and format."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...data.queries.filter_groups import compile_filters
from ...problems import FieldError, Problem, invalid, validation
from ...serving import Context, Members
from .. import company
from .sources import Source, source_of

_PLACE = re.compile(r"\{\{([^{}]+)\}\}")
_FUNCTIONS: Mapping[str, frozenset[str]] = {
    "sum": frozenset({"number"}),
    "avg": frozenset({"number"}),
    "median": frozenset({"number"}),
    "min": frozenset({"number", "date"}),
    "max": frozenset({"number", "date"}),
    "count_distinct": frozenset({"number", "date", "text", "bool", "any"}),
}
"""The types of fields that a function can be applied to."""


def check_content(call: Context, whole: Members, at: str = "") -> None:
    """Check what a report or a query is made of. Raises 422; `at` is what comes before the names of its members."""
    source = source_of(call, whole["entity_type"])
    for name in ("columns", "groups", "across"):
        for number, entry in enumerate(whole.get(name) or ()):
            _, field = source.field(entry["field"], f"{at}{name}.{number}.field")
            if name != "columns" and entry.get("interval") and field.type != "date":
                raise invalid(f"{at}{name}.{number}.interval", "choice", "only dates have periods")
    for number, measure in enumerate(whole.get("measures") or ()):
        _check_measure(source, measure, f"{at}measures.{number}")
    if whole.get("date_field"):
        _, field = source.field(whole["date_field"], f"{at}date_field")
        if field.type != "date":
            raise invalid(f"{at}date_field", "choice", f"{whole['date_field']!r} is not a date")
    keys = {key for name in ("columns", "groups", "across") for key in _paths(source, whole.get(name) or ())}
    keys |= {key_of(source, measure) for measure in whole.get("measures") or ({"function": "count"},)}
    for number, entry in enumerate(whole.get("sort") or ()):
        sort_key(source, entry["key"], keys, f"{at}sort.{number}.key")
    check_range(whole.get("date_range"), f"{at}date_range")
    _check_filters(call, source, whole, at)


def _paths(source: Source, entries: Sequence[Members]) -> Iterator[str]:
    return (source.field(entry["field"], "")[0] for entry in entries)


def key_of(source: Source, measure: Members) -> str:
    """Return the key of a measure: ``count``, ``sum_value``."""
    function = str(measure["function"])
    if function == "count":
        return function
    return f"{function}_{source.field(measure['field'], '')[0].removeprefix('fields.')}"


def sort_key(source: Source, given: str, keys: set[str], at: str) -> str:
    """Return the key of a column, group or measure as it is known. Raises: 422 UNKNOWN_FIELD."""
    from_field = [name for name in (given, _snake_path(given), f"fields.{given}") if name in keys]
    if not from_field:
        raise Problem(
            "UNKNOWN_FIELD", f"{given!r} is not a key of the report: {', '.join(sorted(keys))}", field=at, rule="choice"
        )
    return from_field[0]


def _snake_path(text: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: f"_{found[1].lower()}", text)


def _check_measure(source: Source, measure: Members, at: str) -> None:
    function, path = measure["function"], measure.get("field")
    if function == "count":
        if path is not None:
            raise Problem(
                "INVALID_MEASURE", "count has no field: it counts records", field=f"{at}.field", rule="choice"
            )
        return
    if path is None:
        raise Problem("INVALID_MEASURE", f"{function} needs a field", field=f"{at}.field", rule="required")
    _, field = source.field(path, f"{at}.field")
    if field.type not in _FUNCTIONS[function]:
        raise Problem(
            "INVALID_MEASURE",
            f"{path!r} holds {field.type}: it has no {function}",
            field=f"{at}.function",
            rule="choice",
            details={"field": path, "function": function, "type": field.type},
        )


def check_range(given: Members | None, at: str) -> None:
    """Check the days of a report. Raises 422."""
    if given is None:
        return
    start, end = given.get("start_date"), given.get("end_date")
    if given.get("preset") in (None, "custom") and start is None and end is None:
        raise invalid(f"{at}.start_date", "required", "days of one's own need a start or an end")
    if start is not None and end is not None and start > end:
        raise invalid(f"{at}.end_date", "min", f"the range ends on {end}, before it starts on {start}")


def derived_format(whole: Members) -> str:
    """Return the format that follows from groups and columns. Raises: 422 INVALID_FORMAT."""
    groups, across = bool(whole.get("groups")), bool(whole.get("across"))
    if across and not groups:
        raise Problem("INVALID_FORMAT", "what goes across needs groups, too", field="groups", rule="required")
    if groups:
        return "matrix" if across else "summary"
    return "summary" if whole.get("measures") and not whole.get("columns") else "tabular"


def check_format(given: str, whole: Members) -> None:
    """Check a format that was chosen. Raises: 422 INVALID_FORMAT."""
    lacking = {
        "matrix": [name for name in ("groups", "across") if not whole.get(name)],
        "summary": ["groups"] if not whole.get("groups") and not whole.get("measures") else [],
        "tabular": [],
    }[given]
    if lacking:
        message = f"a {given} report needs {' and '.join(lacking)}"
        raise Problem("INVALID_FORMAT", message, field=lacking[0], rule="required", details={"missing": lacking})
    if given == "tabular" and not whole.get("columns"):
        raise invalid("columns", "required", "a table needs columns")


# -- filters and parameters ------------------------------------------------------------------------------------------


def _check_filters(call: Context, source: Source, whole: Members, at: str) -> None:
    names = [parameter["name"].strip() for parameter in whole.get("parameters") or ()]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise invalid(f"{at}parameters.{number}.name", "unique", f"{name} is there twice")
    declared = set(names)
    named = {
        name
        for entry in _filters(whole)
        for value in _values(entry)
        for name in map(str.strip, _PLACE.findall(str(value)))
    }
    if named - declared:
        raise invalid(
            f"{at}filter_groups", "reference", f"no parameter is called {', '.join(sorted(named - declared))}"
        )
    open_ones = [
        {"filters": [{**entry, "op": "is_set"} if _is_open(entry) else entry for entry in group["filters"]]}
        for group in whole.get("filter_groups") or ()
    ]
    try:
        compile_filters(open_ones, source.types, now=call.now, zone=company.zone(call))
    except Problem as problem:
        if not at:
            raise
        raise _moved_problem(problem, at) from None


def _moved_problem(problem: Problem, at: str) -> Problem:
    """Return a problem with its member named from the body's beginning."""
    first = problem.entries[0]
    return Problem(
        problem.code, problem.message, field=f"{at}{first.field}", rule=first.rule, details=dict(problem.details)
    )


def _filters(whole: Members) -> Iterator[Members]:
    for group in whole.get("filter_groups") or ():
        yield from group["filters"]


def _values(entry: Members) -> list[Any]:
    return [entry.get("value"), entry.get("high_value"), *(entry.get("values") or ())]


def _is_open(entry: Members) -> bool:
    return any(isinstance(value, str) and _PLACE.search(value) for value in _values(entry))


def parameter_values(whole: Members, given: Members) -> dict[str, Any]:
    """Return the value of each parameter of a report. Raises: 422 MISSING_PARAMETER; 422 for one it does not have."""
    declared = {parameter["name"].strip(): parameter for parameter in whole.get("parameters") or ()}
    strange = [name for name in given if name not in declared]
    if strange:
        raise validation(
            FieldError(f"parameters.{name}", "unknown", "the report has no such parameter") for name in strange
        )
    values = {
        name: given[name] if given.get(name) is not None else one.get("default") for name, one in declared.items()
    }
    missing = [name for name, one in declared.items() if one.get("required") and values[name] is None]
    if missing:
        raise Problem(
            "MISSING_PARAMETER",
            f"the report needs {', '.join(missing)}",
            field=f"parameters.{missing[0]}",
            rule="required",
            details={"parameters": missing},
        )
    return values


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def filled_filters(whole: Members, values: Members) -> list[dict[str, Any]]:
    """Return the filters of a report with the values of its parameters; those with a value left out do not count."""

    def filled(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        alone = _PLACE.fullmatch(value)
        if alone is not None:
            return values[alone[1].strip()]
        return _PLACE.sub(lambda found: _text(values[found[1].strip()]), value)

    def is_asked(entry: Members) -> bool:
        return all(value is None or filled(value) is not None for value in _values(entry))

    groups = [
        [
            {
                **entry,
                **{name: filled(entry[name]) for name in ("value", "high_value") if name in entry},
                **({"values": [filled(value) for value in entry["values"]]} if entry.get("values") else {}),
            }
            for entry in group["filters"]
            if is_asked(entry)
        ]
        for group in whole.get("filter_groups") or ()
    ]
    # A group of which nothing is asked holds for every record.
    return [{"filters": group} for group in groups] if all(groups) else []
