"""Amounts, days and parts of days as people say them, in English, German and Spanish; texts are folded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from decimal import Decimal

_DAYS: Mapping[str, int] = {
    name: number
    for names in (
        "monday tuesday wednesday thursday friday saturday sunday",
        "montag dienstag mittwoch donnerstag freitag samstag sonntag",
        "lunes martes miercoles jueves viernes sabado domingo",
    )
    for number, name in enumerate(names.split())
}
_MONTHS: Mapping[str, int] = {
    name: number
    for names in (
        "january february march april may june july august september october november december",
        "januar februar marz april mai juni juli august september oktober november dezember",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    )
    for number, name in enumerate(names.split(), start=1)
}
_MONTH = "|".join(_MONTHS)
_DATE = re.compile(
    rf"\b(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)? (?:of |de )?(?P<month>{_MONTH})"
    rf"|(?P<month2>{_MONTH}) (?P<day2>\d{{1,2}})(?:st|nd|rd|th)?)\b(?! ?(?::|uhr))"
)
_WEEKDAY = re.compile(rf"\b({'|'.join(_DAYS)})s?\b")
_IN_MONTH = re.compile(rf"\b(?:on|in|by|until|for|of|im|bis|seit|en|de|hasta)\s+({_MONTH})\b")
_PARTS = (
    (r"\b(?:morning|vormittags?|morgens|(?:por|de) la manana|am morgen)\b", 6, 12),
    (r"\b(?:afternoon|nachmittags?|(?:por|de) la tarde)\b", 12, 18),
    (r"\b(?:evening|abends?|(?:por|de) la noche)\b", 18, 22),
)  # fmt: skip
_NUMBER = r"(\d{1,3}(?:[.,' ]\d{3})++(?!\d)|\d++(?:[.,]\d++)?+)"
_SCALE = r"(?: ?(k|thousand|tsd|tausend|mil|m|mio|million(?:s|en|es)?|millon(?:es)?)\b)?+"
_TIME = rf"\d|%|days?|weeks?|months?|hours?|tagen?|wochen?|monaten?|dias?|semanas?|mes|(?:de )?(?:{_MONTH})"
_AMOUNT = rf"[$€£]? ?{_NUMBER}{_SCALE}(?!\.? ?(?:{_TIME}))"
_LEAST = re.compile(
    r"(?:\b(?:over|more than|above|at least|greater than|uber|mehr als|ab|mindestens|mas de|al menos)|>=?) ?" + _AMOUNT
)
_MOST = re.compile(
    r"(?:\b(?:under|below|less than|at most|up to|unter|weniger als|hochstens|bis zu|menos de|hasta)|<=?) ?" + _AMOUNT
)
_BETWEEN = re.compile(rf"\b(?:between|zwischen|entre) {_AMOUNT} (?:and|und|y) {_AMOUNT}")
_NUMBERS = {
    word: number
    for words in (
        "a two three four five six", "einer zwei drei vier funf sechs", "una dos tres cuatro cinco seis",
        "one two three four five six",
    )
    for number, word in enumerate(words.split(), start=1)
}  # fmt: skip
_QUIET = re.compile(
    r"\b(?:no|without|not|n.t|inactive|quiet|silent|keine?n?|ohne|nicht|sin)\b[^.?!]{0,40}?\b(?:for|in|since|within|seit|"
    rf"desde hace|en|durante) (?:the (?:last|past) )?(\d{{1,3}}|{'|'.join(_NUMBERS)}) "
    r"(days?|weeks?|months?|tagen?|wochen?|monaten?|dias?|semanas?|mes(?:es)?)\b"
)
_LENGTHS = {"d": 1, "t": 1, "w": 7, "s": 7, "m": 30}


def amounts_in(text: str) -> dict[str, Decimal]:
    """Return the least and the greatest amount that a text asks for, as ``min_value`` and ``max_value``."""
    if found := _BETWEEN.search(text):
        low, scale, high, other = found.groups()
        return {"min_value": _amount(low, scale or other), "max_value": _amount(high, other)}
    pairs = (("min_value", _LEAST.search(text)), ("max_value", _MOST.search(text)))
    return {name: _amount(*found.groups()) for name, found in pairs if found}


def _amount(number: str, scale: str | None) -> Decimal:
    if re.fullmatch(r"\d{1,3}(?:[.,' ]\d{3})+", number):
        number = re.sub(r"[.,' ]", "", number)
    times = 1 if not scale else 1_000 if scale in ("k", "thousand", "tsd", "tausend", "mil") else 1_000_000
    amount = Decimal(number.replace(",", ".")) * times
    return Decimal(int(amount)) if amount == int(amount) else amount


def quiet_days_in(text: str) -> int | None:
    """Return for how many days a text says that nothing happened."""
    found = _QUIET.search(text)
    if found is None:
        return None
    return (_NUMBERS.get(found[1]) or int(found[1])) * _LENGTHS[found[2][0]]


def named_span(text: str, now: datetime) -> tuple[str, datetime, datetime] | None:
    """Return the day or month that a text names, next or at present: its words, its start and its end."""
    today = datetime.combine(now.date(), time(), now.tzinfo)
    if found := _DATE.search(text):
        day, month = int(found["day"] or found["day2"]), _MONTHS[found["month"] or found["month2"]]
        for year in (today.year, today.year + 1):
            try:
                start = today.replace(year=year, month=month, day=day)
            except ValueError:
                continue
            if start >= today:
                return found.group(), start, start + timedelta(days=1)
    if found := _WEEKDAY.search(text):
        start = today + timedelta(days=(_DAYS[found[1]] - today.weekday()) % 7)
        return found[1], start, start + timedelta(days=1)
    if found := _IN_MONTH.search(text):
        month = _MONTHS[found[1]]
        first = today.replace(year=today.year + (month < today.month), month=month, day=1)
        return found[1], first, (first + timedelta(days=32)).replace(day=1)
    return None


def part_of_day(text: str, start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Return the part of a day that a text names; longer spans stay as they are."""
    if end - start <= timedelta(days=1, hours=1):
        for words, begin, until in _PARTS:
            if re.search(words, text):
                return start.replace(hour=begin), start.replace(hour=until)
    return start, end


def is_date(name: str) -> bool:
    """Return whether a folded word is that of a date, and no name."""
    return name in _DAYS or name in _MONTHS or _DATE.fullmatch(name) is not None
