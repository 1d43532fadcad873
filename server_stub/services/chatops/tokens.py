"""The words of a text: quoted ones are one word, digits of every script are digits, amounts have short forms."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ...data.queries.query import fold

_TOKEN = re.compile(r"[\"“„«]([^\"”“»]*)[\"”“»]|(\S+)")
_AMOUNT = re.compile(r"([€$£])?(\d{1,3}(?:,\d{3})+|\d{1,15})(\.\d{1,6})?(k|m|mio|tsd)?([€$£]|[a-z]{3})?")
_SCALE = {"k": 10**3, "tsd": 10**3, "m": 10**6, "mio": 10**6}
SIGNS = {"€": "EUR", "$": "USD", "£": "GBP"}
_MARKS = dict.fromkeys(
    number for number in range(0x2000, 0x2070) if unicodedata.category(chr(number)) == "Cf"
)  # marks of the direction of a text
_ARABIC = str.maketrans({"٬": ",", "٫": ".", "،": ",", "؟": "?"})


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a text."""

    text: str
    """As it is written."""
    word: str
    """Without case, accents and the marks of a sentence; of a quoted text nothing, as it is only a name."""


def plain(text: str) -> str:
    """Return a text with the digits of every script as 0 to 9, and without marks of its direction."""
    text = text.translate(_MARKS).translate(_ARABIC)
    return "".join(str(unicodedata.digit(mark)) if mark.isdigit() and not mark.isascii() else mark for mark in text)


def tokens(text: str) -> list[Token]:
    """Return the words of a text."""
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        quoted, bare = match[1], match[2]
        if quoted is not None:
            found += [Token(quoted.strip(), "")] if quoted.strip() else []
        else:
            found.append(Token(bare.strip(",;?!¿¡"), fold(bare.strip(".,;:?!¿¡'\"“”()"))))
    return [token for token in found if token.text]


def joined_words(words: Sequence[Token]) -> str:
    """Return words as they are written, with one space between them."""
    return " ".join(token.text for token in words)


def amount_of(text: str) -> tuple[Decimal, str | None] | None:
    """Return the number that a word is, ``10k``, ``1.5m``, ``€2,000``, and its currency; None for another word."""
    match = _AMOUNT.fullmatch(text.casefold())
    if match is None:
        return None
    sign, whole, part, scale, currency = match.groups()
    number = Decimal(f"{whole.replace(',', '')}{part or ''}") * _SCALE.get(scale or "", 1)
    named = SIGNS.get(sign or currency or "") or (currency.upper() if currency else None)
    return number, named
