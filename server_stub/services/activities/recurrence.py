"""When a series happens: RFC 5545 rules on the clock of a time zone, so that 10:00 stays 10:00 over a change of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from ...data.document import Document
from ...problems import Problem, invalid
from ...serving import Members

_OFTEN_ENOUGH = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_KNOWN = frozenset(
    [
        "FREQ",
        "INTERVAL",
        "COUNT",
        "UNTIL",
        "BYDAY",
        "BYMONTHDAY",
        "BYMONTH",
        "BYYEARDAY",
        "BYWEEKNO",
        "BYSETPOS",
        "WKST",
    ]
)  # no times of day: what happens more often than daily is not a series of meetings
_POSITIVE = ("COUNT", "INTERVAL")
_UNTIL = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?")
_CYCLE = 400
"""After so many years the days of the Gregorian calendar are the same again, weekdays included."""
_LAST_YEAR = 9999


def read_rule(text: str, first: datetime, zone: ZoneInfo, field: str = "recurrence") -> str:
    """Return the rule of a series from its first moment on in normal form. Raises 422 for what is none.

    A rule is refused that no day ever fits, or that happens more often than daily.
    """
    parts = _parts(text, field)
    rule = ";".join(f"{name}={value}" for name, value in parts.items())
    local = first.astimezone(zone).replace(tzinfo=None)
    # Looked for near the end of time, where the days are the same, so that looking for one ends soon.
    late = local.replace(year=local.year + (_LAST_YEAR - local.year) // _CYCLE * _CYCLE)
    endless = ";".join(f"{name}={value}" for name, value in parts.items() if name not in ("COUNT", "UNTIL"))
    try:
        found = next(iter(_rule(endless, late, zone)), None)
        _rule(rule, local, zone)
    except (ArithmeticError, LookupError, ValueError) as error:  # whatever the library makes of what it cannot read
        raise invalid(field, "format", f"{text!r} is not a recurrence rule (RFC 5545): {error}") from None
    if found is None:
        raise invalid(field, "format", f"no day ever fits the recurrence rule {text!r}")
    return rule


def _parts(text: str, field: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").split(";"):
        name, sign, value = part.partition("=")
        if not sign or not value or name not in _KNOWN or name in found:
            message = f"{part!r} is not a part of a recurrence rule (RFC 5545), such as FREQ=WEEKLY;BYDAY=MO;COUNT=10"
            raise invalid(field, "format", message)
        found[name] = value
    if found.get("FREQ") not in _OFTEN_ENOUGH:
        raise invalid(field, "format", f"FREQ is one of {', '.join(sorted(_OFTEN_ENOUGH))}")
    for name in _POSITIVE:
        if name in found and not (found[name].isdecimal() and 1 <= int(found[name]) <= 9999):
            raise invalid(field, "format", f"{name} is a number from 1 to 9999")
    if "COUNT" in found and "UNTIL" in found:
        raise invalid(field, "format", "a rule has either COUNT or UNTIL")
    if "UNTIL" in found and not _UNTIL.fullmatch(found["UNTIL"]):
        raise invalid(field, "format", "UNTIL is a date or a time, such as 20270131 or 20270131T090000Z")
    return found


@lru_cache(maxsize=512)
def _rule(rule: str, start: datetime, zone: ZoneInfo) -> Any:
    """Return a rule from a local time without a zone on."""
    # Imported here: it is needed for series only.
    from dateutil.rrule import rrulestr

    # What it has found it keeps: a series is asked again and again.
    return rrulestr(_UNTIL.sub(lambda found: _local_until(found, zone), rule), dtstart=start, cache=True)


def _local_until(found: re.Match[str], zone: ZoneInfo) -> str:
    """Return the end of a rule on the clock of its zone; one that is a day includes the day."""
    year, month, day = (int(number) for number in found.groups()[:3])
    if found[4] is None:
        return f"{found[0]}T235959"
    at = datetime(year, month, day, int(found[4]), int(found[5]), int(found[6]), tzinfo=UTC if found[7] else zone)
    return f"{at.astimezone(zone):%Y%m%dT%H%M%S}"


def zone_of(doc: Members) -> ZoneInfo:
    """Return the zone on whose clock an event happens."""
    return ZoneInfo(doc.get("timezone") or "UTC")


def starts(doc: Members, begin: datetime, end: datetime, *, excluded: bool = False) -> Iterator[datetime]:
    """Give when the occurrences of an event begin, from `begin` on and before `end`; one that is not a series has one.

    With `excluded` those are given, too, that were taken out of the series.
    """
    first: datetime = doc["start_time"]
    if not doc.get("recurrence"):
        if begin <= first < end:
            yield first
        return
    zone = zone_of(doc)
    gone: frozenset[datetime] = frozenset() if excluded else frozenset(doc.get("exdates") or ())
    for at in _each(str(doc["recurrence"]), first, zone, begin, end):
        if begin <= at < end and at not in gone:
            yield at


def first_start(doc: Members, begin: datetime) -> datetime | None:
    """Return when the next occurrence of a series begins from a moment on; None where there is none within a year."""
    for days in (8, 35, 366):
        found = next(starts(doc, begin, begin + timedelta(days=days)), None)
        if found is not None:
            return found
    return None


def _each(rule: str, first: datetime, zone: ZoneInfo, begin: datetime, end: datetime) -> Iterable[datetime]:
    local = first.astimezone(zone).replace(tzinfo=None)
    found = _rule(rule, local, zone)
    day = timedelta(days=1)  # the clock of a zone may be off by so much
    after, before = ((at.astimezone(zone).replace(tzinfo=None)) for at in (begin - day, end + day))
    moments = {_at(moment, zone) for moment in found.between(after, before, inc=True)}
    # The event itself is the first of its series, even where the rule does not fit it (RFC 5545, 3.8.5.3).
    return sorted({first, *moments})


def _at(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return a local time as a moment; one that the clock leaves out is as long after midnight as it says."""
    return moment.replace(tzinfo=zone).astimezone(UTC)


def clock_distance(earlier: datetime, later: datetime, zone: ZoneInfo) -> timedelta:
    """Return how much later it is on the clock of a zone."""
    return later.astimezone(zone).replace(tzinfo=None) - earlier.astimezone(zone).replace(tzinfo=None)


def shifted_time(at: datetime, by: timedelta, zone: ZoneInfo) -> datetime:
    """Return a time so much later on the clock of a zone: 9:00 stays 9:00 over a change of the clock."""
    later = at.astimezone(zone).replace(tzinfo=None) + by
    return later.replace(tzinfo=zone).astimezone(at.tzinfo)


def next_start(rule: str, first: datetime, zone: ZoneInfo) -> datetime | None:
    """Return when the second occurrence of a series begins; None where there is none."""
    for years in (2, 30, 100):
        for at in _each(rule, first, zone, first, first + timedelta(days=366 * years)):
            if at > first:
                return at
    return None


def occurrence_of(doc: Members, at: datetime) -> datetime:
    """Return the occurrence of a series that begins at a moment. Raises 422 for what is not a series, and for none."""
    if doc.get("kind") != "event" or not doc.get("recurrence"):
        raise Problem("NOT_RECURRING", "this is not a series", field="occurrence", rule="reference")
    if at not in starts(doc, at, at + timedelta(seconds=1)):
        raise Problem("OCCURRENCE_NOT_FOUND", f"nothing of the series begins at {at.isoformat()}", field="occurrence")
    return at


def cut_before(doc: Members, at: datetime) -> str:
    """Return the rule of a series that ends before an occurrence."""
    parts = _parts(str(doc["recurrence"]), "recurrence")
    parts.pop("COUNT", None)
    last = at.astimezone(UTC) - timedelta(seconds=1)
    return ";".join(f"{name}={value}" for name, value in {**parts, "UNTIL": f"{last:%Y%m%dT%H%M%SZ}"}.items())


def rest_from(doc: Members, at: datetime) -> str | None:
    """Return the rule of the series that begins with an occurrence; None where it would be the only one."""
    return without(str(doc["recurrence"]), sum(1 for _ in starts(doc, doc["start_time"], at, excluded=True)))


def without(rule: str, count: int) -> str | None:
    """Return a rule with so many occurrences fewer at its beginning; None where none would follow the first."""
    parts = _parts(rule, "recurrence")
    if "COUNT" in parts:
        left = int(parts["COUNT"]) - count
        if left < 1:
            return None
        parts["COUNT"] = str(left)
    return ";".join(f"{name}={value}" for name, value in parts.items())


def spans(docs: Sequence[Document], begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, Document]]:
    """Give start and end of every occurrence that lies in a window with a part, with its event."""
    for doc in docs:
        length = doc["end_time"] - doc["start_time"]
        for at in starts(doc, begin - length, end):
            if at + length > begin:
                yield at, at + length, doc
