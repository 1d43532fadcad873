"""Values as people write them: dates, flags, web addresses, lists of e-mail addresses, phone numbers of no use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, tzinfo

from ..data.queries.query import fold

_MONTHS = (
    "jan|ene|gen", "feb|fev|fevr", "mar|maer|mrz|mars|marz", "apr|avr|abr", "may|mai|mayo", "jun|juin", "jul|juil",
    "aug|aou|aout|ago", "sep|sept|set", "oct|okt", "nov", "dec|dez|dic",
)  # fmt: skip
"""What the names of the months begin with in English, German, French and Spanish."""
_MONTH_OF: Mapping[str, int] = {head: number + 1 for number, heads in enumerate(_MONTHS) for head in heads.split("|")}
_PARTS = re.compile(r"(\d{1,4})\s?([./-])\s?(\d{1,2})\s?\2\s?(\d{1,4})")
_TIME = re.compile(r"[T\s]+\d{1,2}:\d\d.*\Z", re.DOTALL)
_TRUE = frozenset(
    {"true", "yes", "y", "1", "x", "on", "t", "wahr", "ja", "j", "vrai", "oui", "o", "verdadero", "si", "s"}
)
_FALSE = frozenset({"false", "no", "n", "0", "off", "f", "falsch", "nein", "faux", "non", "falso"})
_ADDRESS = re.compile(r"[^\s<>;,\"'()|@]{1,64}@[^\s<>;,\"'()|@]{1,190}")
_HOST = re.compile(r"(?i)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63}){1,10}(:\d{1,5})?([/?#]\S*)?")
_YEAR = re.compile(r"%[yYGcx]")
_EXPONENT = re.compile(r"\d+([.,]\d+)?[eE]\+?\d+")


def read_date(text: str, pattern: str | None = None, day_first: bool | None = None) -> date | None:
    """Return the day a text names; None where it names none, or one of two.

    `pattern` is such as ``DD.MM.YYYY``; a date with a dot, a month's name or the year first is clear without it, others
    are where one number is above 12 or `day_first` is known.
    """
    if pattern is not None and (found := by_pattern(text, pattern)) is not None:
        return found
    plain = _TIME.sub("", text.strip())
    try:
        if match := _PARTS.fullmatch(plain):
            return _by_parts(match, day_first)
        if re.fullmatch(r"(19|20)\d{6}", plain):
            return date(int(plain[:4]), int(plain[4:6]), int(plain[6:]))
        return _by_month(plain)
    except ValueError:
        return None


def is_no_date(text: str) -> bool:
    """Return whether a text is what programs write in place of a date: ``0/0/00``, ``0000-00-00``."""
    digits = re.sub(r"[\s./:TZ-]", "", text)
    return bool(digits) and not digits.strip("0")


def by_pattern(text: str, pattern: str) -> date | None:
    """Return the day that a text names in a format such as ``DD.MM.YYYY``; None where it is not in the format."""
    if "%" not in pattern:
        for ours, theirs in (("YYYY", "%Y"), ("YY", "%y"), ("MM", "%m"), ("DD", "%d"), ("M", "%m"), ("D", "%d")):
            pattern = re.sub(rf"(?i)(?<!%){ours}", theirs, pattern)
    if not _YEAR.search(pattern):  # the day of every year is no date
        return None
    try:
        return datetime.strptime(text.strip(), pattern).date()
    except (ValueError, re.error):  # a pattern that names a part twice is an error of the expression
        return None


def _by_parts(match: re.Match[str], day_first: bool | None) -> date | None:
    first, mark, second, third = int(match[1]), match[2], int(match[3]), int(match[4])
    if len(match[1]) == 4:
        return date(first, second, third)
    year = third if len(match[4]) == 4 else _century(third)
    if len(match[1]) > 2 or len(match[4]) not in (2, 4):
        return None
    if mark == "." or first > 12 or day_first is True or (first == second and second <= 12):
        return date(year, second, first)
    if second > 12 or day_first is False:
        return date(year, first, second)
    return None


def _century(year: int) -> int:
    return year + (2000 if year < 30 else 1900)


def _by_month(text: str) -> date | None:
    words = re.findall(r"[^\W\d_]+|\d+", fold(text))
    months = [number for word in words if (number := _month(word))]
    numbers = [word for word in words if word.isdigit()]
    if len(months) != 1 or len(numbers) != 2:
        return None
    year = next((number for number in numbers if len(number) == 4), numbers[1])
    day = numbers[1] if numbers[0] == year else numbers[0]
    return date(int(year) if len(year) == 4 else _century(int(year)), months[0], int(day))


def _month(word: str) -> int | None:
    if word.isdigit() or len(word) < 3:
        return None
    return next((_MONTH_OF[word[:size]] for size in (4, 3) if word[:size] in _MONTH_OF), None)


def day_comes_first(cells: Iterable[str]) -> bool | None:
    """Return whether dates such as ``03/04/1991`` begin with the day, as the other cells of their column show."""
    for cell in cells:
        match = _PARTS.match(cell.strip())
        if match and len(match[1]) <= 2 and match[2] != ".":
            if int(match[1]) > 12:
                return True
            if int(match[3]) > 12:
                return False
    return None


def read_time(text: str, zone: tzinfo, pattern: str | None = None, day_first: bool | None = None) -> datetime | None:
    """Return the time a text names, in UTC; without a zone it is one of `zone`, without an hour the day's beginning."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        day = read_date(text, pattern, day_first)
        clock = re.search(r"[T\s](\d{1,2}):(\d\d)(?::\d\d)?\s*([AaPp][Mm])?", text)
        if day is None:
            return None
        hour, minute = (int(clock[1]), int(clock[2])) if clock else (0, 0)
        if clock and clock[3]:
            hour = hour % 12 + (12 if clock[3].lower() == "pm" else 0)
        if hour > 23 or minute > 59:
            return None
        found = datetime.combine(day, time(hour, minute))
    try:
        return (found if found.tzinfo is not None else found.replace(tzinfo=zone)).astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def read_flag(text: str) -> bool | None:
    """Return whether a text says yes or no; None where it says neither."""
    word = fold(text.strip())
    return True if word in _TRUE else False if word in _FALSE else None


def read_addresses(text: str) -> list[str]:
    """Return the e-mail addresses in a text: ``a@x.com; Jane <b@x.com>``."""
    return list(dict.fromkeys(found.removeprefix("mailto:").rstrip(".") for found in _ADDRESS.findall(text)))


def name_before_address(text: str) -> str | None:
    """Return the name in ``Jane Doe <jane@example.com>``."""
    match = re.match(r'\s*"?([^<>"@;,]+?)"?\s*<', text[:300])
    return match[1].strip() or None if match else None


def read_website(text: str) -> str | None:
    """Return a web address with its scheme; None where it is none."""
    plain = text.strip().rstrip(";,")
    return f"https://{plain}" if _HOST.fullmatch(plain) else None


def lost_digits(text: str) -> bool:
    """Return whether a number was written with an exponent (``4.91711E+11``), so that its last digits are gone."""
    return _EXPONENT.fullmatch(text.strip()) is not None


def key_of_label(text: str, keys: Sequence[str], labels: Mapping[str, str]) -> str | None:
    """Return the key that a label means, whatever its case and spaces: ``Marketing Qualified Lead`` is ``mql``."""
    plain = re.sub(r"[\W_]+", "", fold(text))
    by_form = {re.sub(r"[\W_]+", "", fold(key)): key for key in keys}
    return by_form.get(plain) or labels.get(plain)
