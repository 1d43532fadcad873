"""What is suggested to search for, and the records that begin with what was typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from crm_sdk.resources.search import Search

from ...data.document import Document
from ...data.queries.query import fold
from ...data.queries.words import words_in
from ...problems import Problem
from ...request.answering.faces import wire_path
from ...serving import Context, serves
from . import hits
from .finding import Finder
from .kinds import Kind, check_types, kinds_of
from .settings import Settings
from .wording import corrected_query

_ASKED = "search_query"
_KEPT = 50
"""So many queries of a caller are kept."""
_POPULAR = 2
"""So often a query was asked before it is suggested to others."""


def note(call: Context, q: str, total: int) -> None:
    """Keep a query that found something, for suggestions."""
    text = " ".join(q.split())
    if not total or len(text) < 2:
        return
    queries, id = call.collection(_ASKED), f"{call.caller.actor_id} {fold(text)}"
    known = queries.get(id)
    count = known["count"] + 1 if known is not None else 1
    queries.put(Document(id=id, actor_id=call.caller.actor_id, text=text, key=fold(text), count=count, at=call.now))
    own = queries.find("actor_id", call.caller.actor_id)
    if len(own) > _KEPT:
        queries.remove(min(own, key=lambda one: (one["at"], one["id"]))["id"])


def correction(finders: Sequence[Finder]) -> str | None:
    """Return a query with words that occur, where some do not occur in any record; None where all do."""
    better: dict[str, str] = {}
    for finder in finders[:1]:
        for word in dict.fromkeys(finder.query.plain):
            found = Counter[str]()
            if any(_occurs(one, word) for one in finders):
                continue
            for one in finders:
                for term in one.near.get(word, ()):
                    found[term] += _frequency(one, term)
            if found:
                better[word] = min(found, key=lambda term: (-found[term], term))
        if better:
            return corrected_query(finder.query, better)
    return None


def _occurs(finder: Finder, word: str) -> bool:
    index = finder.index
    return index.frequency(word) > 0 or bool(index.beginning(word))


def _frequency(finder: Finder, term: str) -> int:
    return int(finder.index.frequency(term))


def _kinds(call: Context, settings: Settings, types: Sequence[str] | None) -> list[Kind]:
    wanted = set(check_types(call, types)) if types else set(settings.types)
    return kinds_of(call, (name for name in settings.types if name in wanted))


@serves(Search.suggestions)
def suggestions(call: Context, q: str, types: Sequence[str] | None, limit: int) -> list[dict[str, Any]]:
    """Suggest corrections, what the caller and the company searched for, completions and conditions."""
    settings = Settings(call)
    kinds = _kinds(call, settings, types)
    text = " ".join(q.split())
    found: list[dict[str, Any]] = []
    seen: set[str] = {fold(text)}

    def add(kind: str, texts: Iterable[str], **members: Any) -> None:
        for one in texts:
            if fold(one) not in seen:
                seen.add(fold(one))
                found.append({"text": one, "kind": kind, "type": None, "filter": None, **members})

    if text:
        better = correction([one.finder for one in hits.found_in(settings, kinds, text)])
        add("correction", [better] if better is not None else [])
    asked = [one for one in call.collection(_ASKED).all() if one["key"].startswith(fold(text))]
    own = sorted((one for one in asked if one["actor_id"] == call.caller.actor_id), key=lambda one: one["at"])
    add("recent", [one["text"] for one in reversed(own)][:3])
    often = Counter[str]()
    texts = {one["key"]: one["text"] for one in asked}
    for one in asked:
        often[one["key"]] += one["count"]
    add("popular", [texts[key] for key, count in often.most_common(3) if count >= _POPULAR])
    if text:
        for kind in kinds:
            for name, value in _conditions(settings, kind, text):
                condition = {"field": wire_path(name), "op": "eq", "value": value}
                shown = f'"{value}"' if " " in value else value
                add("filter", [f"{wire_path(name)}:{shown}"], type=kind.type, filter=condition)
        add("completion", _completions(settings, kinds, text))
    chosen = found[:limit]
    return [{**one, "score": round(1.0 - number / (len(chosen) + 1), 4)} for number, one in enumerate(chosen)]


def _conditions(settings: Settings, kind: Kind, text: str) -> list[tuple[str, str]]:
    """Return the values of countable members that begin with the last word."""
    last = words_in(text)[-1:] or ("",)
    table = kind.call.collection(kind.collection).table
    found: list[tuple[str, str]] = []
    for field in settings.fields(kind):
        path = field["field"]
        if not field["facetable"] or "." in path or path.endswith("_id") or kind.within or kind.sees is not None:
            continue
        values = table.index(path, exact=True).values()
        found += [(path, value) for value in values if isinstance(value, str) and fold(value).startswith(last[0])]
    return sorted(found)[:3]


def _completions(settings: Settings, kinds: Sequence[Kind], text: str) -> list[str]:
    """Return the query with its last word completed by the most frequent words that begin with it."""
    words = words_in(text)
    if not words or not text[-1].isalnum():
        return []
    found = Counter[str]()
    for kind in kinds:
        if kind.sees is None and not kind.within:  # the words of what the caller may not find are not told
            index = hits.finder_of(settings, kind, text, False).index
            for term in index.beginning(words[-1])[:200]:
                found[term] += index.frequency(term)
    best = sorted(found, key=lambda term: (-found[term], term))[:3]
    return [" ".join([*words[:-1], term]) for term in best]


@serves(Search.autocomplete)
def autocomplete(call: Context, q: str, types: Sequence[str] | None, limit: int) -> list[dict[str, Any]]:
    """Return the records in which words begin with what was typed, the best first."""
    if not words_in(q):
        raise Problem(
            "QUERY_TOO_SHORT", "type at least one letter or digit", field="q", rule="min", details={"minimum": 1}
        )
    settings = Settings(call)
    found = hits.found_in(settings, _kinds(call, settings, types), q, fuzzy=False)
    best = [(one, hit) for one in found for hit in one.finder.rank(one.ids, 0, limit)]
    best.sort(key=lambda pair: -pair[1].score)
    top = best[0][1].score if best else 1.0
    return [
        {
            "id": hit.doc["id"],
            "type": one.kind.type,
            "label": one.kind.title(hit.doc),
            "sublabel": one.kind.subtitle(hit.doc),
            "field": wire_path(hit.fields[0]) if hit.fields else "",
            "score": round(min(hit.score / top, 1.0), 4) if top else 1.0,
        }
        for one, hit in best[:limit]
    ]
