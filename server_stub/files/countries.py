"""Countries as people write them: names and codes in any case and in the languages of ISO's lists."""

from __future__ import annotations

import gettext
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ..data.queries.query import fold

_ALSO = {
    "GB": "uk|u k|great britain|britain|england|scotland|wales|northern ireland|grossbritannien|angleterre|ecosse|"
    "inglaterra|escocia|gran bretana|grande bretagne|grande bretagne|vk",
    "US": "u s|u s a|america|united states of america|the united states|vereinigte staaten von amerika|ee uu|eeuu|"
    "etats unis d amerique|estados unidos de america",
    "AE": "uae|emirates|vae|eau",
    "CZ": "czech republic|tschechische republik|republique tcheque|republica checa",
    "NL": "holland|the netherlands|hollande|holanda",
    "TR": "turkey", "MK": "macedonia|mazedonien", "XK": "kosovo|kosova", "GR": "el|hellas", "SZ": "swaziland",
    "MM": "burma|birma", "CV": "cape verde", "CI": "ivory coast|elfenbeinkuste", "TL": "east timor", "MO": "macau",
    "HK": "hong kong", "KR": "korea|republic of korea", "VA": "vatican|vatikan", "RU": "russia|russland",
    "LA": "laos", "SY": "syria", "IE": "republic of ireland", "CH": "switzerland", "CN": "china|prc|p r china",
}  # fmt: skip
"""What the lists do not have: names of parts, of former times, and those of every day."""
_LONGEST = 100
_FIRST = ("de", "fr", "es", "it", "nl", "pt")
"""The languages whose names count before those of others that are spelt alike."""


def country_code(text: str) -> str | None:
    """Return the two letters (ISO 3166-1) of a country's name or code; None where it is none, or more than one."""
    plain = text.strip()
    if len(plain) > _LONGEST:
        return None
    if len(plain) == 2 and plain.isascii() and plain.upper() in _codes():
        return plain.upper()
    return _names().get(_squeeze(plain)) or _translations().get(_squeeze(plain))


def _squeeze(text: str) -> str:
    return " ".join("".join(letter if letter.isalnum() else " " for letter in fold(text)).split())


def _countries() -> list[Any]:
    import pycountry  # imported here: only files with countries need it

    return list(pycountry.countries)


@cache
def _codes() -> frozenset[str]:
    return frozenset(country.alpha_2 for country in _countries())


@cache
def _names() -> dict[str, str]:
    """Return the codes by three letters, numbers and English names."""
    found = {name: code for code, names in _ALSO.items() for name in names.split("|")}
    for country in _countries():
        for name in (country.alpha_3, country.numeric, *_english(country)):
            found.setdefault(_squeeze(name), country.alpha_2)
    heads: dict[str, set[str]] = {}
    for country in _countries():  # "Iran, Islamic Republic of" is Iran; Korea and Congo are two
        for name in _english(country):
            heads.setdefault(_squeeze(name.partition(",")[0]), set()).add(country.alpha_2)
    return {**{name: codes.pop() for name, codes in heads.items() if len(codes) == 1}, **found}


@cache
def _translations() -> dict[str, str]:
    """Return the codes by names in other languages, without names that mean two countries."""
    import pycountry

    folder = Path(pycountry.LOCALES_DIR)
    others = sorted(path.name for path in folder.iterdir() if path.name not in _FIRST)
    found: dict[str, str] = {}
    twice: set[str] = set()
    for number, language in enumerate((*_FIRST, *others)):
        try:
            translated = gettext.translation("iso3166-1", folder, languages=[language]).gettext
        except OSError:
            continue
        for country in _countries():
            for name in _english(country):
                key = _squeeze(translated(name))
                if found.setdefault(key, country.alpha_2) != country.alpha_2 and number >= len(_FIRST):
                    twice.add(key)
    main = set(_names())
    return {name: code for name, code in found.items() if name and name not in twice and name not in main}


def _english(country: Any) -> Iterator[str]:
    for kind in ("name", "common_name", "official_name"):
        if (name := getattr(country, kind, None)) is not None:
            yield name


def language_code(text: str) -> str | None:
    """Return the code (ISO 639) of a language's name in English or, of some, in itself; None where it is none."""
    import pycountry

    languages: Any = pycountry.languages  # the members of its entries depend on its data
    own = {"deutsch": "de", "francais": "fr", "espanol": "es", "italiano": "it", "nederlands": "nl", "polski": "pl"}
    own |= {"englisch": "en", "anglais": "en", "ingles": "en", "allemand": "de", "aleman": "de", "portugues": "pt"}
    plain = _squeeze(text[:_LONGEST])
    if plain in own:
        return own[plain]
    try:
        found = languages.lookup(plain)
    except LookupError:
        return None
    return str(getattr(found, "alpha_2", found.alpha_3))
