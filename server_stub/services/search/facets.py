"""Facets: how many of the found records have each value of a member, a value in a range, or a time in a period."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from crm_sdk.resources.search import Search
from crm_sdk.wire import is_array

from ...answers import Answer
from ...problems import Problem, invalid
from ...request.answering.faces import wire_path
from ...serving import Context, Members, serves
from .. import company, ranges
from . import asked, hits
from .kinds import Kind, check_types, searched_kind
from .settings import Settings

_SIZE = 10


@serves(Search.faceted)
def faceted(
    call: Context,
    type: str,
    q: str | None,
    filter_groups: Sequence[Members] | None,
    facets: Sequence[Members] | None,
    sort: str | None,
) -> Answer:
    """Return the records of a type that were found, and how many have each value of some members."""
    settings = Settings(call)
    (name,) = check_types(call, [type], "type")
    kind = searched_kind(call, name, "type")
    words = (q or "").strip()
    if words:
        hits.check_length(settings, words)
        (found,) = hits.found_in(settings, [kind], words)
    else:
        finder = hits.finder_of(settings, kind, "", None)
        found = hits.Found(finder, finder.ids())
    groups = filter_groups or ()
    counted = [
        _counted_values(call, settings, kind, found, groups, facet, place)
        for place, facet in _asked_facets(settings, kind, facets)
    ]
    page = hits.listed_hits([hits.filtered_hits(found, groups)], sort, "asc", highlight=settings.stored["highlight"])
    if words:
        asked.note(call, words, len(page))
    return Answer(page, meta={"facets": counted})


def _asked_facets(settings: Settings, kind: Kind, facets: Sequence[Members] | None) -> list[tuple[str, Members]]:
    """Return the facets that were asked for, each with its place in the call; by default all that are configured."""
    hidden = kind.source.hidden
    able = [field["field"] for field in settings.fields(kind) if field["facetable"] and field["field"] not in hidden]
    if facets is None:
        return [("facets", {"field": path}) for path in able]
    found: list[tuple[str, Members]] = []
    for number, facet in enumerate(facets):
        at = f"facets.{number}"
        path = kind.path(facet["field"], f"{at}.field")
        if path not in able:
            raise Problem(
                "FIELD_NOT_FACETABLE",
                f"the values of {facet['field']!r} are not counted; an admin can make it facetable",
                field=f"{at}.field",
                rule="choice",
                details={"field": facet["field"], "allowed": [wire_path(name) for name in able]},
            )
        found.append((at, {**facet, "field": path}))
    return found


def _counted_values(
    call: Context, settings: Settings, kind: Kind, found: hits.Found, groups: Sequence[Members], facet: Members, at: str
) -> dict[str, Any]:
    """Return the counts of a member among what is found without the conditions on it."""
    path = facet["field"]
    others = _without(kind, groups, path)
    docs = call.collection(kind.collection).table.docs
    ids = hits.filtered_hits(found, others).ids
    read = kind.reader(path)
    values = [read(docs[id]) for id in ids]
    type = kind.source.fields[path].type if path in kind.source.fields else "any"
    selected = _selected_values(kind, groups, path)
    size: int = facet.get("size") or _SIZE
    missing = sum(value in (None, "", []) for value in values)
    there = [value for value in values if value not in (None, "", [])]
    if facet.get("ranges"):
        if type not in ("number", "date"):
            raise invalid(f"{at}.ranges", "type", f"{wire_path(path)} has no ranges: it is no number and no date")
        buckets, other, shape = *_in_ranges(call, facet["ranges"], there, type, at), "range"
    elif type == "date":
        buckets, other, shape = *_in_periods(call, facet.get("interval") or "month", there, size), "date"
    else:
        if facet.get("interval"):
            raise invalid(f"{at}.interval", "type", f"{wire_path(path)} has no periods: it is no date")
        buckets, other, shape = *_terms(call, kind, path, there, size), "terms"
    return {
        "field": wire_path(path),
        "type": shape,
        "buckets": [{**bucket, "selected": bucket["value"] in selected} for bucket in buckets],
        "otherCount": other,
        "missingCount": missing,
    }


def _without(kind: Kind, groups: Sequence[Members], path: str) -> list[Members]:
    """Return conditions without those on a member; a group without any others has all records."""
    found: list[Members] = []
    for group in groups:
        kept = [given for given in group["filters"] if kind.path(str(given["field"]), "filter_groups") != path]
        found.append({"filters": kept or [{"field": "id", "op": "is_set"}]})
    return found


def _selected_values(kind: Kind, groups: Sequence[Members], path: str) -> list[Any]:
    """Return the values of a member that the conditions name."""
    found: list[Any] = []
    for group in groups:
        for given in group["filters"]:
            if kind.path(str(given["field"]), "filter_groups") == path and given["op"] in ("eq", "in", "contains"):
                found += [given.get("value")] if given.get("value") is not None else []
                found += given.get("values") or []
    return found


def _bucket(value: Any, label: str, count: int, low: Any = None, high: Any = None) -> dict[str, Any]:
    return {"value": value, "label": label, "count": count, "low": low, "high": high}


def _terms(call: Context, kind: Kind, path: str, values: Sequence[Any], size: int) -> tuple[list[dict[str, Any]], int]:
    counts = Counter[Any]()
    for value in values:
        counts.update(list(dict.fromkeys(value)) if is_array(value) else [value])
    best = sorted(counts, key=lambda value: (-counts[value], str(value)))
    shown = [_bucket(value, _label(call, kind, path, value), counts[value]) for value in best[:size]]
    return shown, sum(counts[value] for value in best[size:])


def _label(call: Context, kind: Kind, path: str, value: Any) -> str:
    """Return a value in words: of an id the name of its record."""
    head = path.removesuffix("_id")
    if path.endswith("_id") and head in kind.source.hops:
        doc = call.collection(kind.source.hops[head][1]).get(str(value), deleted=True)
        names = () if f"{head}.name" in kind.source.hidden else ("name", "title")
        return str(next((doc[name] for name in names if doc is not None and doc.get(name)), value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _day(call: Context, value: Any) -> date:
    """Return the day of a time in the company's zone."""
    return value.astimezone(company.zone(call)).date() if isinstance(value, datetime) else value


def _in_ranges(
    call: Context, given: Sequence[Members], values: Sequence[Any], type: str, at: str
) -> tuple[list[dict[str, Any]], int]:
    buckets: list[dict[str, Any]] = []
    mine = [_day(call, value) if type == "date" else Decimal(str(value)) for value in values]
    counted: set[int] = set()
    for number, one in enumerate(given):
        low, high = (_end(one.get(name), type, f"{at}.ranges.{number}.{name}") for name in ("low", "high"))
        if low is not None and high is not None and low >= high:
            raise invalid(f"{at}.ranges.{number}.high", "min", "a range ends after it begins")
        within = {
            place for place, value in enumerate(mine)
            if (low is None or value >= low) and (high is None or value < high)
        }  # fmt: skip
        counted |= within
        label = one.get("label") or f"{'' if low is None else low}..{'' if high is None else high}"
        buckets.append(_bucket(None, label, len(within), low, high))
    return buckets, len(mine) - len(counted)


def _end(value: Any, type: str, at: str) -> Any:
    if value is None:
        return None
    if type == "number":
        if isinstance(value, date):
            raise invalid(at, "type", "the range of a number has numbers")
        return Decimal(str(value))
    if not isinstance(value, date):
        raise invalid(at, "type", "the range of a date has dates")
    return value


def _in_periods(call: Context, period: str, values: Sequence[Any], size: int) -> tuple[list[dict[str, Any]], int]:
    counts = Counter(ranges.beginning(_day(call, value), period) for value in values)
    newest = sorted(counts, reverse=True)
    shown = [
        _bucket(name, name, counts[day], day, ranges.later(day, period, 1))
        for day in sorted(newest[:size])
        for name in [ranges.name_of(day, period)]
    ]
    return shown, sum(counts[day] for day in newest[size:])
