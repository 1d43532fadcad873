"""The searches: over all kinds of records, in one kind, and by conditions in several."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from html import escape
from typing import Any, overload

from crm_sdk.resources.search import Search
from crm_sdk.wire import snake

from ...data.document import Document
from ...data.queries.filter_groups import compile_filters
from ...data.queries.query import ALWAYS_SORTABLE, in_order, sort_key
from ...data.queries.words import composed_text, spans
from ...problems import Problem, invalid
from ...request.answering.faces import wire_path
from ...serving import Context, Members, serves
from .. import company
from . import asked
from .finding import Finder, Ranked
from .kinds import Kind, check_types, kinds_of, searched_kind
from .settings import Settings
from .wording import parse

_FRAGMENT, _BEFORE = 160, 40
"""How long the part of a member around a match is, and how much of it is before the match."""
_HIGHLIGHTS = 3
_TYPES: Mapping[str, str] = {"contacts": "contact", "deals": "deal", "messages": "message", "events": "activity"}
_BUCKETS: Mapping[str, str] = {
    "contact": "contacts", "deal": "deals", "message": "messages", "lead": "leads", "account": "accounts",
    "activity": "activities",
}  # fmt: skip


@dataclass(slots=True)
class Found:
    """What was found of one kind."""

    finder: Finder
    ids: Set[str]

    @property
    def kind(self) -> Kind:
        """The kind of the records."""
        return self.finder.kind


def check_length(settings: Settings, q: str) -> None:
    """Raise 422 QUERY_TOO_SHORT for a query with fewer characters than are configured."""
    least: int = settings.stored["min_query_length"]
    if len(q.strip()) < least:
        words = {1: "one character", 2: "two characters"}.get(least, f"{least} characters")
        message = f"search for at least {words}"
        raise Problem("QUERY_TOO_SHORT", message, field="q", rule="min", details={"minimum": least})


def finder_of(settings: Settings, kind: Kind, q: str, fuzzy: bool | None, kinds: Iterable[Kind] = ()) -> Finder:
    """Return the search for a query in one kind; what no kind has as a member are words."""
    known = [kind, *kinds]
    query = parse(
        q,
        synonyms=settings.synonyms(kind.type),
        stop_words=settings.stored["stop_words"],
        is_field=lambda name: any(one.knows(name) for one in known),
    )
    return Finder(kind, settings, query, settings.stored["fuzzy"] if fuzzy is None else fuzzy)


def found_in(settings: Settings, kinds: Sequence[Kind], q: str, fuzzy: bool | None = None) -> list[Found]:
    """Return what a query finds of each kind."""
    finders = [finder_of(settings, kind, q, fuzzy, kinds) for kind in kinds]
    return [Found(finder, finder.ids() if finder.query.units else frozenset()) for finder in finders]


@serves(Search.query)
def query(
    call: Context, q: str, type: str | None, types: Sequence[str] | None, page: int, limit: int
) -> dict[str, Any]:
    """Return the found records of all kinds, the best first, and those of each kind."""
    began = time.perf_counter()
    settings, flow = Settings(call), call.dialect == "flow"
    check_length(settings, q)
    wanted = set(check_types(call, types)) if types else None
    if type not in (None, "all"):
        wanted = {_TYPES[type]} if wanted is None else wanted & {_TYPES[type]}
    names = list(_TYPES.values()) if flow else settings.types
    kinds = kinds_of(call, (name for name in names if wanted is None or name in wanted))
    found = found_in(settings, kinds, q)
    events = [_events_only(one) for one in found if one.kind.type == "activity"]
    if flow or type == "events":
        found = [one for one in found if one.kind.type != "activity"] + events
    stop, total, highlight = page * limit, sum(len(one.ids) for one in found), settings.stored["highlight"]
    best = _best(found, stop)
    top = best[0][1].score if best else 1.0
    buckets = {one.kind.type: [hit for of, hit in best if of is one][:limit] for one in found}
    if page == 1 and not flow:
        asked.note(call, q, total)
    return {
        "query": q,
        "total": total,
        "hits": [hit_of(one, hit, top, highlight) for one, hit in best[stop - limit : stop]],
        "counts": {one.kind.type: len(one.ids) for one in found},
        **{
            _BUCKETS[one.kind.type]: _records(one, buckets[one.kind.type])
            for one in found if one.kind.type in _BUCKETS
        },
        "events": [doc for one in events for doc in _records(one, one.finder.rank(one.ids, 0, limit))],
        "others": [
            hit_of(one, hit, top, highlight)
            for one in found if one.kind.type not in _BUCKETS for hit in buckets[one.kind.type]
        ],
        "did_you_mean": asked.correction([one.finder for one in found]),
        "page": page,
        "limit": limit,
        "has_next": stop < total,
        "took_ms": int((time.perf_counter() - began) * 1000),
    }  # fmt: skip


def _best(found: Sequence[Found], stop: int) -> list[tuple[Found, Ranked]]:
    """Return the best of all kinds; at least so many of each."""
    best = [(one, hit) for one in found for hit in one.finder.rank(one.ids, 0, stop)]
    return sorted(best, key=lambda pair: -pair[1].score)


def _records(found: Found, hits: Sequence[Ranked]) -> list[Mapping[str, Any]]:
    return [found.kind.shows(hit.doc) for hit in hits]


def _events_only(found: Found) -> Found:
    """Return the calendar events of the activities that were found."""
    return Found(
        found.finder, found.ids & found.kind.call.collection("activity").table.index("kind", exact=True).ids("event")
    )


@serves(Search.contacts, Search.deals, Search.leads, Search.accounts, Search.activities)
def in_one(call: Context, **given: Any) -> Any:
    """Return the records of one kind in which a query occurs, and which meet the conditions."""
    type = {"contacts": "contact", "deals": "deal", "leads": "lead", "accounts": "account", "activities": "activity"}[
        call.operation.rpartition(".")[2]
    ]
    settings = Settings(call)
    check_length(settings, given["q"])
    kind = searched_kind(call, type, "type")
    (found,) = found_in(settings, [kind], given["q"], given["fuzzy"])
    if given.get("kinds"):
        index = call.collection("activity").table.index("kind", exact=True)
        found = Found(found.finder, found.ids & set[str]().union(*(index.ids(name) for name in given["kinds"])))
    found = filtered_hits(found, given["filter_groups"] or ())
    sorts = call.server.nouns[type].sorts
    hits = listed_hits([found], given["sort"], "asc", highlight=settings.stored["highlight"], sorts=sorts)
    asked.note(call, given["q"], len(hits))
    return hits


@serves(Search.advanced)
def advanced(call: Context, query: Members, types: Sequence[str] | None, highlight: bool) -> Any:
    """Return the records of several types that meet conditions, and in which a query occurs."""
    settings = Settings(call)
    if query.get("include"):
        raise invalid("include.0", "choice", "a hit has nothing to include")
    if types is None:
        kinds = kinds_of(call, settings.types)
        names = [kind.type for kind in kinds]
    else:
        if not types:
            raise invalid("types", "required", "name at least one type of records")
        names = check_types(call, types)
        kinds = [searched_kind(call, name, f"types.{number}") for number, name in enumerate(names)]
        kinds = [kind for kind in kinds if kind.type in settings.types]
    q = (query.get("q") or "").strip()
    if q:
        check_length(settings, q)
        found = found_in(settings, kinds, q)
    else:
        finders = [finder_of(settings, kind, "", None) for kind in kinds]
        found = [Found(finder, finder.ids()) for finder in finders]
    groups = query.get("filter_groups") or ()
    found = [filtered_hits(one, _for_type(groups, one.kind.type, names)) for one in found]
    sort = query.get("sort")
    return listed_hits(
        found, sort, query.get("order") or "desc",
        highlight=highlight and settings.stored["highlight"],
    )  # fmt: skip


def _for_type(groups: Sequence[Members], type: str, types: Sequence[str]) -> list[dict[str, Any]]:
    """Return the conditions on records of a type: those that name another one do not concern it."""
    found: list[dict[str, Any]] = []
    for group in groups:
        filters: list[Members] = []
        for given in group["filters"]:
            head, _, rest = str(given["field"]).partition(".")
            if rest and head in types and (head == type or len(types) > 1):
                if head == type:
                    filters.append({**given, "field": rest})
            else:
                filters.append(given)
        found.append({"filters": filters or [{"field": "id", "op": "is_set"}]})
    return found


def filtered_hits(found: Found, groups: Sequence[Members]) -> Found:
    """Return what meets the conditions, too. Raises: 422."""
    if not groups:
        return found
    keep = keeping(found.kind, groups)
    docs = found.kind.call.collection(found.kind.collection).table.docs
    return Found(found.finder, {id for id in found.ids if keep(found.kind.as_listed(docs[id]))})


def keeping(kind: Kind, groups: Sequence[Members]) -> Callable[[Document], bool]:
    """Return the test of conditions on records of a kind. Raises: 422."""
    call, types = kind.call, dict(kind.source.types)
    named = [{"filters": [_named_condition(kind, types, given) for given in group["filters"]]} for group in groups]
    return compile_filters(named, types, now=call.now, zone=company.zone(call), resolve=kind.value)


def _named_condition(kind: Kind, types: Mapping[str, Any], given: Members) -> Members:
    """Return a condition with the member's path as the records have it; an unknown one as it is."""
    name = str(given["field"])
    for path in (name, snake(name), f"fields.{name}"):
        if path in kind.source.fields:
            return {**given, "field": path}
    return given


class _Hits(Sequence[dict[str, Any]]):
    """Hits that are made when they are looked at, since most are on other pages."""

    def __init__(self, total: int, make: Callable[[int, int], list[dict[str, Any]]]) -> None:
        self._total, self._make = total, make

    def __len__(self) -> int:
        return self._total

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[dict[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | Sequence[dict[str, Any]]:
        start, stop, step = (index if isinstance(index, slice) else slice(index, index + 1)).indices(self._total)
        made = self._make(start, stop)[::step]
        return made if isinstance(index, slice) else made[0]


def listed_hits(
    found: Sequence[Found], sort: str | None, order: str, *, highlight: bool, sorts: Sequence[str] = ()
) -> Sequence[dict[str, Any]]:
    """Return hits of one kind or several, the best first or sorted by a member that all have, one of `sorts`."""
    total = sum(len(one.ids) for one in found)
    if sort not in (None, "score"):
        docs = _sorted_records(found, str(sort), order, sorts)
        by_id = {id: one for one in found for id in one.ids}

        def sorted_hits(start: int, stop: int) -> list[dict[str, Any]]:
            rated = [(by_id[doc["id"]], Ranked(*_rated_record(by_id[doc["id"]], doc))) for doc in docs[start:stop]]
            top = max((one.finder.rank(one.ids, 0, 1)[0].score for one in found if one.ids), default=1.0)
            return [hit_of(one, hit, top, highlight) for one, hit in rated]

        return _Hits(total, sorted_hits)

    def best_hits(start: int, stop: int) -> list[dict[str, Any]]:
        best = _best(found, stop)
        top = best[0][1].score if best else 1.0
        return [hit_of(one, hit, top, highlight) for one, hit in best[start:stop]]

    return _Hits(total, best_hits)


def _rated_record(found: Found, doc: Document) -> tuple[float, Document, tuple[str, ...]]:
    score, fields = found.finder.rate(doc)
    return score, doc, fields


def _sorted_records(found: Sequence[Found], sort: str, order: str, sorts: Sequence[str]) -> list[Document]:
    keys: dict[str, Any] = {}
    docs: list[Document] = []
    for one in found:
        table, read = one.kind.call.collection(one.kind.collection).table, _key(one.kind, sort, sorts)
        for id in one.ids:
            doc = table.docs[id]
            keys[id] = sort_key(read(doc))
            docs.append(doc)
    return in_order(docs, lambda doc: keys[doc["id"]], descending=order == "desc")


def _key(kind: Kind, sort: str, sorts: Sequence[str]) -> Callable[[Document], Any]:
    """Return the function that returns the sort key of a record. Raises: 422; `sorts` are the words, () for any."""
    words = sorted({*sorts, *ALWAYS_SORTABLE, "score"})
    wrong = invalid("sort", "choice", f"cannot sort by {sort!r}; use one of {', '.join(words)}", allowed=words)
    if sorts and snake(sort) not in words:
        raise wrong
    noun = kind.call.server.nouns.get(kind.type)
    made = noun.sorted_by.get(snake(sort)) if noun is not None else None
    if made is not None and (key := made(kind.call)) is not None:
        return key
    try:
        path = kind.path(sort, "sort")
    except Problem:
        raise wrong from None
    if path in kind.source.fields and kind.source.fields[path].type == "list":
        raise wrong
    return kind.reader(path)


def hit_of(found: Found, hit: Ranked, top: float, highlight: bool) -> dict[str, Any]:
    """Return a hit as it is answered."""
    kind, doc = found.kind, hit.doc
    return {
        "type": kind.type,
        "id": doc["id"],
        "score": round(min(hit.score / top, 1.0), 4) if top else 1.0,
        "title": kind.title(doc),
        "subtitle": kind.subtitle(doc),
        "highlights": highlights(found.finder, doc, hit.fields) if highlight else [],
        "matched_fields": [wire_path(field) for field in hit.fields],
        "record": kind.shows(doc),
    }


def highlights(finder: Finder, doc: Document, fields: Sequence[str]) -> list[dict[str, str]]:
    """Return the parts of the members in which words were found."""
    whole = {word for unit in finder.query.wanted for words in unit.wordings for word in words}
    starts = tuple(word for unit in finder.query.wanted if not unit.exact for word in unit.words)
    near = set[str]().union(*finder.near.values()) if finder.near else set[str]()
    found: list[dict[str, str]] = []
    for field in fields[:_HIGHLIGHTS]:
        for text in finder.kind.texts(doc, field):
            text = composed_text(text)
            marks = [
                (begin, end)
                for word, begin, end in spans(text)
                if word in whole or word in near or (starts and word.startswith(starts))
            ]
            if marks:
                found.append({"field": wire_path(field), "fragment": _fragment(text, marks)})
                break
    return found


def _fragment(text: str, marks: Sequence[tuple[int, int]]) -> str:
    start = max(marks[0][0] - _BEFORE, 0) if len(text) > _FRAGMENT else 0
    stop = min(start + _FRAGMENT, len(text))
    out, place = ["…" if start else ""], start
    for begin, end in marks:
        if end > stop:
            break
        out += [escape(text[place:begin]), "<em>", escape(text[begin:end]), "</em>"]
        place = end
    return "".join([*out, escape(text[place:stop]), "…" if stop < len(text) else ""])
