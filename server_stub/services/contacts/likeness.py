"""The similarity of two contacts, by e-mail addresses, phone numbers and names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from ...data.document import Document
from ...data.queries.query import fold
from ...serving import Context, Members

MATCHED = ("email", "phone", "name")
"""The members by which contacts are compared."""

_SAME_COMPANY, _OTHER_COMPANY = 1.0, 0.7
"""The weights of similar names, in the same and in different companies."""
_LEAST = 50
"""The least score of a reason: any two names have some similarity."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """The similarity of two contacts, with its reasons."""

    score: int
    reasons: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Traits:
    """The normalised values by which a contact is compared."""

    shown: str
    words: tuple[str, ...]
    name: str
    company: str
    emails: frozenset[str]
    phones: frozenset[str]


def traits(doc: Members) -> Traits:
    """Return the normalised values of a contact; the words of its name are sorted."""
    shown = str(doc.get("name") or "")
    words = tuple(sorted(fold(shown).replace(".", " ").replace("-", " ").split()))
    return Traits(
        shown,
        words,
        " ".join(words),
        fold(str(doc.get("company") or "")).strip(),
        frozenset(str(a).casefold() for a in (doc.get("email"), *(doc.get("secondary_emails") or ())) if a),
        frozenset(str(number) for number in (doc.get("phone"), doc.get("mobile")) if number),
    )


def likeness(one: Traits, other: Traits, match_on: Sequence[str] = MATCHED, *, least: int = _LEAST) -> Likeness:
    """Compare two contacts: the same e-mail counts 100, the same phone 95, alike names less in different companies."""
    reasons: list[Mapping[str, Any]] = []
    scores = [0]
    for field, points, shared in (
        ("email", 100, one.emails & other.emails),
        ("phone", 95, one.phones & other.phones),
    ):
        if shared and field in match_on:
            scores.append(points)
            reasons.append({"field": field, "similarity": 1.0, "values": sorted(shared)})
    if "name" in match_on:
        factor = _SAME_COMPANY if one.company and one.company == other.company else _OTHER_COMPANY
        similarity = _similarity(one.name, other.name, max(least, _LEAST) / 100 / factor)
        if round(similarity * factor * 100) >= _LEAST:
            scores.append(round(similarity * factor * 100))
            values = [one.shown, other.shown]
            reasons.append({"field": "name", "similarity": round(similarity, 4), "values": values})
    return Likeness(max(scores), tuple(reasons))


def _similarity(one: str, other: str, least: float) -> float:
    """Return how alike two names are, 0..1; 0 where it is surely less than `least`, as comparing takes its time."""
    if not one or not other:
        return 0.0
    if one == other:
        return 1.0
    bound = least - 0.005  # scores are rounded
    if 2 * min(len(one), len(other)) / (len(one) + len(other)) < bound:
        return 0.0
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.ratio() if matcher.quick_ratio() >= bound else 0.0


def alike(
    docs: Sequence[Document], match_on: Sequence[str], threshold: int
) -> Iterator[tuple[Likeness, Document, Document]]:
    """Yield the pairs of contacts whose similarity is at least the threshold."""
    known = {doc["id"]: traits(doc) for doc in docs}
    buckets: dict[tuple[str, str], list[Document]] = {}
    for doc in docs:
        for key in _keys(known[doc["id"]], match_on, threshold):
            buckets.setdefault(key, []).append(doc)
    seen: set[tuple[str, str]] = set()
    for bucket in buckets.values():
        for number, one in enumerate(bucket):
            for other in bucket[:number]:
                pair = (other["id"], one["id"])
                if pair in seen:
                    continue
                seen.add(pair)
                like = likeness(known[pair[0]], known[pair[1]], match_on, least=threshold)
                if like.score >= threshold:
                    yield like, other, one


def _keys(mine: Traits, match_on: Sequence[str], threshold: int) -> set[tuple[str, str]]:
    """Return the keys of a contact; only contacts that share a key are compared."""
    keys: set[tuple[str, str]] = set()
    if "email" in match_on:
        keys |= {("email", address) for address in mine.emails}
    if "phone" in match_on:
        keys |= {("phone", number) for number in mine.phones}
    if "name" in match_on and mine.company:
        keys |= {(mine.company, word[:1]) for word in mine.words}
    if "name" in match_on and threshold <= _OTHER_COMPANY * 100:
        keys |= {("", word) for word in mine.words}
    return keys


def matches(call: Context, doc: Members) -> list[dict[str, Any]]:
    """Return the stored contacts that may be the same person as an unsaved one, the most similar first."""
    contacts, mine = call.collection("contact"), traits(doc)
    near = [
        other
        for names, marks in ((("email", "secondary_emails"), mine.emails), (("phone", "mobile"), mine.phones))
        for name in names
        for mark in marks
        for other in contacts.find(name, mark)
    ]
    near += [other for name in ("name", "company") if doc.get(name) for other in contacts.find(name, doc[name])]
    unique = {other["id"]: other for other in near if other["id"] != doc.get("id")}
    found = [(likeness(mine, traits(other)), id) for id, other in unique.items()]
    close = sorted((pair for pair in found if pair[0].score >= _LEAST), key=lambda pair: (-pair[0].score, pair[1]))
    return [{"contact_id": id, "score": like.score, "reasons": list(like.reasons)} for like, id in close]
