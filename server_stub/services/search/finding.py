"""Find the records of a kind in which a query occurs, and rank them.

Of the records with every word, at most `_RANKED` are ranked in full: those with the query as a whole value, then those
with a value that begins with it, then the newest. What comes after these is in that order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from heapq import nlargest
from typing import Any

from ...data.document import Document
from ...data.queries.words import HEAD, WHOLE, Words, words_at, words_in
from .kinds import Kind
from .settings import Settings
from .wording import Query, Unit

_RANKED = 100
_EXACT, _HEAD, _WORD, _BEGINNING, _FUZZY = 1.0, 0.8, 0.6, 0.45, 0.25
"""The parts of a weight for: the whole value, its beginning, a word, the beginning of a word, other letters."""
_SYNONYM = 0.9
_SHORTEST, _SHORTEST_OF_TWO = 4, 8
"""From so many letters on, a word is found with one other letter, or with two."""
_LOOKING = 8
"""How many times as long it takes to look at the age of a record as to pass one over in the order of their ages."""
_HALF_LIFE = 90.0
"""After so many days half of what counts for being new is gone."""


_NONE: frozenset[str] = frozenset()


@cache
def _one_of(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Return one and the same tuple for equal ones: what is kept in documents is found by it."""
    return paths


@dataclass(frozen=True, slots=True)
class Ranked:
    """A record that was found."""

    score: float
    doc: Document
    fields: tuple[str, ...]
    """The members in which words were found."""


@dataclass(slots=True)
class Finder:
    """The search in the records of one kind."""

    kind: Kind
    settings: Settings
    query: Query
    fuzzy: bool
    near: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """The words with other letters that were found, by word."""
    weights: Mapping[str, float] = field(init=False)

    own: tuple[str, ...] = field(init=False)
    """The searched members of the records themselves."""
    others: tuple[str, ...] = field(init=False)
    """The searched members of records that they lead to."""

    def __post_init__(self) -> None:
        hidden = self.kind.source.hidden
        self.weights = {path: one for path, one in self.settings.weights(self.kind).items() if path not in hidden}
        self.own = _one_of(tuple(path for path in self.weights if self.kind.via(path) is None))
        self.others = tuple(path for path in self.weights if self.kind.via(path) is not None)

    @property
    def index(self) -> Words:
        """The inverted index of the records."""
        found: Words = self._table.words(self.own)
        return found

    # -- which ---------------------------------------------------------------------------------------------------------

    def ids(self) -> AbstractSet[str]:
        """Return the ids of the records in which every part of the query occurs, and which the caller may find."""
        found: AbstractSet[str] | None = None
        wanted, excluded = self.query.wanted, [unit for unit in self.query.units if unit.excluded]
        for unit in sorted(wanted, key=lambda unit: unit.field is not None):  # a search in one member looks at fewer
            ids = self._ids_of(unit, found)
            found = ids if found is None else found & ids
            if not found:
                return frozenset()
        live = self.kind.ids() if self.kind.within or found is None else None
        if live is not None:
            found = live if found is None else found & live
        for unit in excluded:
            found = (found or frozenset()) - self._ids_of(unit, found)
        sees, docs = self.kind.sees, self._docs
        return found if sees is None else {id for id in found or () if sees(docs[id])}  # type: ignore[return-value] # found is a set by now

    @property
    def _table(self) -> Any:
        return self.kind.call.collection(self.kind.collection).table

    @property
    def _docs(self) -> Mapping[str, Document]:
        docs: Mapping[str, Document] = self._table.docs
        return docs

    def _ids_of(self, unit: Unit, among: AbstractSet[str] | None) -> AbstractSet[str]:
        if unit.field is not None and not self.kind.knows(unit.field):
            return frozenset()
        path = self.kind.path(unit.field, "q") if unit.field is not None else None
        if path is not None and path not in self.weights:
            ids: Iterable[str] = self.kind.ids() if among is None else among
            return {id for id in ids if id in self._docs and self._unit_in(self._docs[id], unit, path)}
        whole = set[str]()
        for words in unit.wordings:
            found = self._with(words, unit)
            if path is not None or len(words) > 1:
                found = {id for id in found if self._has(id, unit, words, path)}
            if len(unit.wordings) == 1:
                return found
            whole |= found
        return whole

    def _unit_in(self, doc: Document, unit: Unit, path: str) -> bool:
        texts, exact = self._texts(doc, path), unit.exact or unit.excluded
        return any(self._tier(texts, words, exact=exact) for words in unit.wordings)

    def _has(self, id: str, unit: Unit, words: tuple[str, ...], path: str | None) -> bool:
        doc, exact = self._docs[id], unit.exact or unit.excluded
        members = self._members(doc) if path is None else [(path, self._texts(doc, path))]
        return any(self._tier(texts, words, exact=exact) for _, texts in members)

    def _with(self, words: Sequence[str], unit: Unit) -> AbstractSet[str]:
        """Return the ids of the records with all of some words, in their own members or in those they lead to."""
        exact = unit.exact or unit.excluded or len(words) > 1
        found = self._in(self.index, words, exact)
        for path in self.others:
            via = self.kind.via(path)
            through = self._through(via[0], via[1], words, exact) if via is not None else None
            found = found | through if through else found
        return found

    def _in(self, index: Words, words: Sequence[str], exact: bool) -> AbstractSet[str]:
        found: AbstractSet[str] | None = None
        for word in words:
            ids = index.with_any(self._terms(index, word, exact))
            found = ids if found is None else found & ids
        return found or frozenset()

    def _terms(self, index: Words, word: str, exact: bool) -> list[str]:
        if exact:
            return [word]
        terms = [word, *index.beginning(word)]
        if self.fuzzy and len(word) >= _SHORTEST and not word.isdigit():
            most = min(self.settings.fuzzy_distance, 2 if len(word) >= _SHORTEST_OF_TWO else 1)
            near = index.near(word, most) if most else []
            self.near.setdefault(word, set()).update(near)
            terms += near
        return terms

    def _through(self, steps: Sequence[tuple[str, str]], rest: str, words: Sequence[str], exact: bool) -> set[str]:
        """Return the ids of the records that lead to others with some words."""
        kinds = [self.kind.collection, *(kind for _, kind in steps)]
        tables = [self.kind.call.collection(kind).table for kind in kinds]
        ids: AbstractSet[str] = self._in(tables[-1].words((rest,)), words, exact)
        for (link, _), table in zip(reversed(steps), reversed(tables[:-1]), strict=True):
            if "." in link:
                ids = {doc["id"] for doc in table.live() if self.kind.value(doc, link) in ids} if ids else ids
            else:
                index = table.index(link, exact=True)
                ids = set[str]().union(*(index.ids(id) for id in ids))
        return set(ids)

    # -- how well ------------------------------------------------------------------------------------------------------

    def _tier(self, texts: Sequence[Sequence[str]], words: tuple[str, ...], *, exact: bool) -> float:
        """Return how well the texts of a member fit some words: 0 where none has all of them."""
        best, length, first = 0.0, len(words), words[0]
        for of in texts:
            if first in of:
                if of == words:
                    return _EXACT
                if of[:length] == words:
                    best = max(best, _HEAD)
                elif length == 1 or any(of[at : at + length] == words for at in range(1, len(of) - length + 1)):
                    best = max(best, _WORD)
            elif length > 1 or exact:
                continue
            elif of[0].startswith(first):
                best = max(best, _HEAD - 0.05)
            elif any(one.startswith(first) for one in of):
                best = max(best, _BEGINNING)
            elif not self.near.get(first, _NONE).isdisjoint(of):
                best = max(best, _FUZZY)
        return best

    def _texts(self, doc: Document, path: str) -> list[tuple[str, ...]]:
        return [words for text in self.kind.texts(doc, path) if (words := words_in(text))]

    def _members(self, doc: Document) -> Sequence[tuple[str, Sequence[tuple[str, ...]]]]:
        """Return the words in the searched members of a record, for those that have any."""
        own = words_at(doc, self.own)
        others = [(path, texts) for path in self.others if (texts := self._texts(doc, path))]
        return [*own, *others] if others else own

    def rate(self, doc: Document) -> tuple[float, tuple[str, ...]]:
        """Return the score of a record, and the members in which words were found."""
        wanted, plain = self.query.wanted, self.query.plain
        if not wanted:
            return 1.0, ()
        members, weights = self._members(doc), self.weights
        fields: dict[str, None] = {}
        whole = parts = 0.0
        if len(wanted) > 1 and plain:
            whole = max((self._tier(texts, plain, exact=True) * weights[path] for path, texts in members), default=0.0)
        for unit in wanted:
            looked_at = members
            if unit.field is not None:
                path = self.kind.path(unit.field, "q")
                looked_at = [(path, self._texts(doc, path))]
            best = 0.0
            for path, texts in looked_at:
                for number, words in enumerate(unit.wordings):
                    tier = self._tier(texts, words, exact=unit.exact) * (_SYNONYM if number else 1.0)
                    if tier:
                        fields[path] = None
                        best = max(best, tier * weights.get(path, 1.0))
            parts += best
        score = max(whole, parts / len(wanted)) * self.settings.boost(self.kind.type)
        return score * self._freshness(doc), tuple(fields)

    def _freshness(self, doc: Mapping[str, Any]) -> float:
        at: datetime | None = doc.get("updated_at") or doc.get("created_at")
        age = max((self.kind.call.now - at).total_seconds() / 86_400, 0.0) if at is not None else 10_000.0
        share: float = self.settings.recency_weight
        return 1.0 - share * (1.0 - float(0.5 ** (age / _HALF_LIFE)))

    def rank(self, ids: AbstractSet[str], start: int, stop: int) -> list[Ranked]:
        """Return the records from one place to another, the best first."""
        docs = self._docs
        first = self._first(ids) if len(ids) > _RANKED else list(ids)
        rated = [Ranked(*_scored_record(self.rate(docs[id]), docs[id])) for id in first]
        rated.sort(key=lambda hit: (-hit.score, *_newest(hit.doc)))
        if stop <= len(rated) or len(ids) == len(rated):
            return rated[start:stop]
        known = set(first)
        rest = self._newest(ids - known, stop - len(rated))
        least = rated[-1].score
        for id in rest:
            score, fields = self.rate(docs[id])
            rated.append(Ranked(min(score, least), docs[id], fields))
            least = rated[-1].score
        return rated[start:stop]

    def _first(self, ids: AbstractSet[str]) -> list[str]:
        """Return the ids of the records that are ranked in full."""
        plain, index = self.query.plain, self.index
        found: dict[str, None] = {}
        likely = [index.ids(WHOLE + " ".join(plain)), index.ids(HEAD + plain[0])] if plain else []
        for some in (*likely, ids):
            missing = _RANKED - len(found)
            if missing <= 0:
                break
            new = (some & ids if some is not ids else ids) - found.keys()
            chosen = self._newest(new, missing) if len(new) > missing else list(new)
            found |= dict.fromkeys(chosen)
        return list(found)

    def _newest(self, ids: AbstractSet[str], count: int) -> list[str]:
        docs, table = self._docs, self._table
        if _LOOKING * len(ids) ** 2 < count * len(docs):  # else most of the newest are soon found
            return nlargest(count, ids, key=lambda one: _age(docs[one]))
        chosen: list[str] = []
        for chunk in table.order("updated_at").chunks(descending=True):
            chosen += [entry[1] for entry in reversed(chunk.entries) if entry[1] in ids]
            if len(chosen) >= count:
                break
        return chosen[:count]


def _scored_record(rated: tuple[float, tuple[str, ...]], doc: Document) -> tuple[float, Document, tuple[str, ...]]:
    return rated[0], doc, rated[1]


def _age(doc: Mapping[str, Any]) -> tuple[float, str]:
    at: datetime | None = doc.get("updated_at")
    return (at.timestamp() if at is not None else 0.0, doc["id"])


def _newest(doc: Mapping[str, Any]) -> tuple[float, str]:
    at, id = _age(doc)
    return -at, id
