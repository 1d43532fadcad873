"""What the columns of a file of contacts hold, by the headers that other programs write.

A header is its words, without case, accents and marks. Words that say which of several it is (`Business`,
`geschäftlich`, `(bureau)`, `del trabajo`) are taken off where the whole is not known; they decide which of two columns
counts first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from typing_extensions import get_type_hints

from crm_sdk.wire import snake

from ....data.queries.query import fold
from .header_words import ADDRESSES, CALLED, GLUE, NEVER, OTHERS, PREFERRED

_ALSO_OF_ADDRESSES = ("company", "phone", "mobile")
"""What shops write beside the parts of an address: it counts where there is no other."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a column holds."""

    field: str
    """The path of the member."""
    rank: int = 0
    """0 for the first to count of several columns with the same member, 1 and more for the others."""
    family: str = ""
    """Which of several addresses it is a part of: ``home``, ``2``."""


# The models are imported for the first file, so that the server starts faster.
@cache
def importable() -> frozenset[str]:
    """Return the members that can be imported."""
    from crm_sdk.models.contacts import ContactCreate

    return frozenset(get_type_hints(ContactCreate)) - {"position"}


@cache
def _place() -> frozenset[str]:
    from crm_sdk.models.values import AddressInput

    return frozenset(get_type_hints(AddressInput))


def known_field(field: str) -> str | None:
    """Return a member, or a path such as ``address.city``, in Python names; None where there is none to import."""
    head, _, rest = field.partition(".")
    name = snake(head)
    if name == "custom_fields":
        return f"{name}.{rest}" if rest else name
    if name == "address" and rest:
        return f"{name}.{snake(rest)}" if snake(rest) in _place() else None
    if name == "position" and not rest:
        return "title"
    return name if (name in importable() or name == "id") and not rest else None


@lru_cache(maxsize=4096)
def header_of(name: str) -> Header | None:
    """Return what a column holds by its header; None where that is not known."""
    plain = name.strip()[:200]
    plain = re.sub(r" \(\d+\)\Z", "", plain)  # the number of a header that comes again
    if (own := known_field(plain)) is not None and (own.startswith("custom_fields") or " " not in plain):
        return Header("address.street" if own == "address" else own)
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain)
    numbered = re.sub(r"(?<=[A-Za-z])(?=[1-9]\b)", " ", split)
    for text in dict.fromkeys((plain, split, numbered)):
        words = re.sub(r"[^a-z0-9]+", " ", fold(text)).split()
        if found := _by_words(words):
            return found
    return None


def label_of(name: str) -> tuple[str, int] | None:
    """Return the kind and number of a value whose type a column tells: ``Phone 1 - Type`` -> (``phone``, 1)."""
    match = re.fullmatch(r"(?i)(phone|e-?mail|address|website) (\d+) - (?:type|label)", name.strip())
    return (match[1].lower().replace("-", ""), int(match[2])) if match else None


def value_of(name: str) -> tuple[str, int] | None:
    """Return the kind and number of the column of such a value: ``Phone 1 - Value`` -> (``phone``, 1)."""
    match = re.fullmatch(r"(?i)(phone|e-?mail|website) (\d+) - value", name.strip())
    return (match[1].lower().replace("-", ""), int(match[2])) if match else None


def _by_words(words: list[str]) -> Header | None:
    if not words or len(words) > 12:
        return None
    if (found := _named_member(words)) is not None:
        return Header(found, _rank(words), _family(words))
    if NEVER & set(words):
        return None
    if (place := _part_of_address(words)) is not None:
        return place
    number = next((word for word in words[1:] if word.isdigit()), "")
    left = [word for word in words if word not in PREFERRED | OTHERS and word != number]
    if words[-1] == "company" and words[1:]:
        left.append("company")  # at the end it says what the column has, not whose it is
    for kept in (left, [word for word in left if word not in GLUE]):
        if number and (found := _named_member([*kept, number])) is not None:
            return Header(found, _rank(words), _family(words))
        if (found := _named_member(kept)) is not None:
            if number and found.startswith("address.street") and words[-1] == number:
                return Header("address.street2", _rank(words), _family(words)) if number == "2" else None
            if found.startswith("social_profiles.") and "company" in words:
                return None  # a profile of the company is not the contact's
            return _numbered(Header(found, _rank(words), _family(words)), number)
    return None


def _numbered(header: Header, number: str) -> Header:
    """Return a header as that of the second or a later one of its kind: it counts after those before it."""
    rank = header.rank + (int(number) - 1 if number and len(number) < 3 else 0)
    return Header(header.field, rank, header.family + (number if number not in ("", "1") else ""))


def _part_of_address(words: list[str]) -> Header | None:
    """Return what words after ``Address`` name: those of ``Address 2: Country/Region``, ``Default Address Phone``."""
    start = next((place for place, word in enumerate(words[:-1]) if word in ADDRESSES), None)
    if start is None or not set(words[:start]) <= PREFERRED | OTHERS | {"mail"}:
        return None
    rest = words[start + 1 :]
    number = rest[0] if rest[0].isdigit() else ""
    found = _by_words(rest[1:] if number else rest)
    if found is None or not (found.field.startswith("address.") or found.field in _ALSO_OF_ADDRESSES):
        return None
    rank = max(found.rank, _rank(words[:start]))
    place = _numbered(Header(found.field, rank, found.family + _family(words[:start])), number)
    return Header(place.field, place.rank + 1) if place.field in _ALSO_OF_ADDRESSES else place


def _named_member(words: list[str]) -> str | None:
    text = " ".join(words)
    if text in CALLED:
        return CALLED[text]
    own = known_field("_".join(words)) if words and words != ["id"] else None
    if own == "custom_fields":
        return None
    return "address.street" if own == "address" else own


def _rank(words: list[str]) -> int:
    return 10 if OTHERS & set(words) else 0


def _family(words: list[str]) -> str:
    return next((word for word in words if word in OTHERS), "")
