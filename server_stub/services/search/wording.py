"""The language of queries: words, ``"phrases"``, ``-excluded`` words, ``field:value``, with synonyms and stop words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...data.queries.words import words_in

_PART = re.compile(r'(?P<no>-)?(?:(?P<field>[^\W\d][\w.]*):)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
_PHONE = re.compile(r"\+?\d[\d\s()./-]{5,}\d")
_PHRASES = frozenset("@.-_/&'")
"""What joins words to one, such as an e-mail address or a domain."""

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of a query: a word or a phrase, in one of several wordings."""

    wordings: tuple[Words, ...]
    """What was asked for, and its synonyms."""
    field: str | None = None
    """The member that it must be in; None for any that is searched."""
    excluded: bool = False
    exact: bool = False
    """Whether only whole words count, as in a phrase."""

    @property
    def words(self) -> Words:
        """The words that were asked for."""
        return self.wordings[0]


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for."""

    units: tuple[Unit, ...]

    @property
    def wanted(self) -> tuple[Unit, ...]:
        """The parts that must occur."""
        return tuple(unit for unit in self.units if not unit.excluded)

    @property
    def plain(self) -> Words:
        """The words that may be in any member, in their order."""
        return tuple(word for unit in self.wanted if unit.field is None for word in unit.words)


def parse(
    q: str,
    *,
    synonyms: Sequence[Sequence[str]] = (),
    stop_words: Iterable[str] = (),
    is_field: Callable[[str], bool] = lambda name: True,
) -> Query:
    """Return the parts of a query; what looks like a member that `is_field` does not know are words."""
    found: list[Unit] = []
    if _PHONE.fullmatch(q.strip()):  # numbers are stored without what is written between the digits
        words = words_in(q)
        return Query((Unit((("".join(words),), words) if len(words) > 1 else (words,)),))
    for part in _PART.finditer(q):
        field, phrase, word = part["field"], part["phrase"], part["word"]
        if field is not None and not is_field(field):
            field, word = None, f"{field}:{word if phrase is None else phrase}"
        words = words_in(phrase if phrase is not None and word is None else word or "")
        if not words:
            continue
        joined = word is not None and len(words) > 1
        exact = phrase is not None or (joined and not _PHRASES.isdisjoint(word or ""))
        if exact or field is not None or part["no"]:
            found.append(Unit((words,), field, bool(part["no"]), exact))
        else:
            found += [
                Unit(
                    (one,),
                )
                for one in ((each,) for each in words)
            ]
    return Query(tuple(_with_synonyms(_without(found, stop_words), synonyms)))


def _without(units: Sequence[Unit], stop_words: Iterable[str]) -> list[Unit]:
    """Return the units that are no stop words; all of them where nothing else would be left."""
    stops = {words_in(word) for word in stop_words}
    kept = [unit for unit in units if unit.exact or unit.field or unit.excluded or unit.words not in stops]
    return kept if any(not unit.excluded for unit in kept) else list(units)


def _with_synonyms(units: Sequence[Unit], synonyms: Sequence[Sequence[str]]) -> list[Unit]:
    groups: dict[Words, list[Words]] = {}
    for group in synonyms:
        wordings = [words for words in map(words_in, group) if words]
        for words in wordings:
            groups.setdefault(words, []).extend(other for other in wordings if other != words)
    longest = max(map(len, groups), default=0)
    found: list[Unit] = []
    place = 0
    while place < len(units):
        for length in range(min(longest, len(units) - place), 0, -1):
            taken = units[place : place + length]
            words = tuple(word for unit in taken for word in unit.words)
            plain = all(unit.field is None and not unit.excluded for unit in taken)
            if words in groups and plain and (length == 1 or not any(unit.exact for unit in taken)):
                found.append(Unit((words, *dict.fromkeys(groups[words])), exact=taken[0].exact))
                place += length
                break
        else:
            found.append(units[place])
            place += 1
    return found


def corrected_query(query: Query, better: Mapping[str, str]) -> str:
    """Return a query with other words in place of some."""
    return " ".join(" ".join(better.get(word, word) for word in unit.words) for unit in query.wanted)
