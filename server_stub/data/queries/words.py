"""The words of texts, and the inverted index from words, their beginnings and near misses to documents."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any, Self, cast

from ..document import Document
from ..indexes import Index
from .query import fold, member

_WORD = re.compile(r"[^\W_]+")
HEAD, WHOLE = "^", "="
"""What the first word of a value, and a whole value, begin with in the index."""
_LONGEST_VALUE = 120
"""A longer value is a text, which nobody types in full."""
_FEW_LETTERS = 128
_LAST = "\U0010ffff"


def spans(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the words of a text without case and accents, each with its beginning and end in the text."""
    for found in _WORD.finditer(text):
        yield fold(found[0]), found.start(), found.end()


def composed_text(text: str) -> str:
    """Return a text with each letter and its accent as one character, as `spans` needs it."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


@lru_cache(maxsize=65_536)
def words_in(text: str) -> tuple[str, ...]:
    """Return the words of a text, in their order, without case and accents."""
    if text.isascii():
        return tuple(_WORD.findall(text.lower()))
    return tuple([fold(word) for word in _WORD.findall(composed_text(text))])


def texts_at(doc: Mapping[str, Any], field: str) -> list[str]:
    """Return the texts at a path of a document: of a list all of them, of a number its digits."""
    value = doc.get(field) if "." not in field else member(doc, field)
    if isinstance(value, str):
        return [value]
    if isinstance(value, (list, tuple)):
        return [item for item in cast("Iterable[object]", value) if isinstance(item, str)]
    return [] if value is None or isinstance(value, (bool, dict)) else [str(value)]


def words_at(doc: Document, fields: tuple[str, ...]) -> Sequence[tuple[str, Sequence[tuple[str, ...]]]]:
    """Return the words of each text in some members, for those that have any; they are kept in the document."""
    known: tuple[tuple[str, ...], Any] | None = getattr(doc, "words", None)
    if known is None or known[0] is not fields:
        found = ((field, [words for text in texts_at(doc, field) if (words := words_in(text))]) for field in fields)
        known = doc.words = fields, [(field, texts) for field, texts in found if texts]
    return known[1]


def _a_letter_away(word: str, letters: Iterable[str]) -> set[str]:
    parts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    exchanged = {a + b[1] + b[0] + b[2:] for a, b in parts if len(b) > 1}
    left_out = {a + b[1:] for a, b in parts if b}
    replaced = {a + letter + b[1:] for a, b in parts if b for letter in letters}
    added = {a + letter + b for a, b in parts for letter in letters}
    return (exchanged | left_out | replaced | added) - {word}


def near(word: str, terms: Sequence[str], most: int) -> list[str]:
    """Return the words of a sorted vocabulary that differ from a word by at least one and at most so many letters.

    Letters may be added, left out, replaced, or two neighbours exchanged.
    """
    found: list[str] = []
    width = len(word) + 1
    rows = [list(range(width))]  # of the table of distances, one for each letter of the term that is looked at
    before, place = "", 0
    while place < len(terms):
        term = terms[place]
        depth = 0
        while depth < min(len(before), len(term), len(rows) - 1) and before[depth] == term[depth]:
            depth += 1
        del rows[depth + 1 :]
        cut = None
        while depth < len(term):
            letter, last = term[depth], rows[depth]
            row = [depth + 1]
            for at in range(1, width):
                least = min(last[at] + 1, row[at - 1] + 1, last[at - 1] + (word[at - 1] != letter))
                if depth and at > 1 and word[at - 1] == term[depth - 1] and word[at - 2] == letter:
                    least = min(least, rows[depth - 1][at - 2] + 1)
                row.append(least)
            rows.append(row)
            depth += 1
            if min(row) > most and min(last) + 1 > most:
                cut = term[:depth]
                break
        before = term[:depth]
        if cut is not None:  # nothing that begins like this can be near
            place = bisect_left(terms, cut + _LAST, place + 1)
            continue
        if 0 < rows[len(term)][-1] <= most:
            found.append(term)
        place += 1
    return found


class Words(Index):
    """An inverted index: for every word in some members, and every first word and whole value, the documents with it.

    It finds the words that begin with some letters, and those that are a letter away, in a sorted vocabulary, which is
    made when it is first asked for.
    """

    __slots__ = ("_letters", "_vocabulary", "fields")

    def __init__(self, fields: tuple[str, ...]) -> None:
        super().__init__("\n".join(fields), exact=True)
        self.fields = fields
        self._vocabulary: list[str] | None = None
        self._letters: set[str] = set()

    def fork(self) -> Self:
        """Return a copy to write to."""
        new = super().fork()
        new._vocabulary = list(self._vocabulary) if self._vocabulary is not None else None
        new._letters = set(self._letters)
        return new

    def _differ(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        return any(texts_at(old, field) != texts_at(new, field) for field in self.fields)

    def _keys_of(self, doc: Mapping[str, Any]) -> set[str]:
        keys: set[str] = set()
        for field in self.fields:
            for text in texts_at(doc, field):
                words = words_in(text)
                if words:
                    keys.update(words)
                    if len(text) <= _LONGEST_VALUE:
                        keys.add(HEAD + words[0])
                        keys.add(WHOLE + " ".join(words))
        return keys

    def _enter(self, key: Any) -> None:
        terms = self._vocabulary
        if terms is not None and key[0] not in (HEAD, WHOLE):
            self._letters.update(key)
            at = bisect_left(terms, key)
            if at == len(terms) or terms[at] != key:
                insort(terms, key, at)

    def vocabulary(self) -> list[str]:
        """Return the words in alphabetical order; among them may be some that no document has any more."""
        if self._vocabulary is None:
            self._vocabulary = sorted(key for key in self._buckets if key[0] not in (HEAD, WHOLE))
            self._letters = set().union(*self._vocabulary)
        return self._vocabulary

    def beginning(self, letters: str) -> list[str]:
        """Return the words that begin with some letters and are longer, in alphabetical order."""
        terms = self.vocabulary()
        start, end = bisect_left(terms, letters), bisect_left(terms, letters + _LAST)
        return [term for term in terms[start:end] if term != letters and term in self._buckets]

    def near(self, word: str, most: int) -> list[str]:
        """Return the words that differ from a word by at least one and at most so many letters."""
        terms = self.vocabulary()
        if most == 1 and len(self._letters) <= _FEW_LETTERS:  # to look all of them up is quicker
            return sorted(term for term in _a_letter_away(word, self._letters) if term in self._buckets)
        return [term for term in near(word, terms, most) if term in self._buckets]

    def with_any(self, terms: Iterable[str]) -> AbstractSet[str]:
        """Return the ids of the documents with any of some words."""
        sets = [self.ids(term) for term in terms]
        return sets[0] if len(sets) == 1 else set[str]().union(*sets)

    def frequency(self, term: str) -> int:
        """Return how many documents have a word."""
        return len(self.ids(term))
