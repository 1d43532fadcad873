"""Amounts, days and silences as people say them, in three languages."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from server_stub.services.ai.phrases import amounts_in, is_date, named_span, part_of_day, quiet_days_in

NOW = datetime(2026, 1, 14, 11, tzinfo=ZoneInfo("Europe/Berlin"))


def test_amounts_are_read_with_their_scale_and_nothing_else_is_one() -> None:
    for text, least, most in (
        ("over 5k", "5000", None), ("more than 10.000", "10000", None), ("less than 1.5 m", None, "1500000"),
        ("between 5 and 10k", "5000", "10000"), ("between 5k and 10", "5000", "10"),
        ("zwischen 1.000 und 2.000", "1000", "2000"), ("mehr als 3 mio", "3000000", None),
        ("up to 2 tsd", None, "2000"), ("hasta 3 mil", None, "3000"), ("above 1,5 million", "1500000", None),
        (">= 300", "300", None), ("<5", None, "5"), ("over 1.234.567", "1234567", None),
        ("over 12.34 and under 99,5", "12.34", "99.5"), ("over 2 thousand", "2000", None), ("over 12", "12", None),
        ("over 5 weeks", None, None), ("under 20 %", None, None), ("at least 12 days", None, None),
        ("over 3 march", None, None), ("5000", None, None),
    ):  # fmt: skip
        named = {"min_value": least, "max_value": most}
        found = amounts_in(text)
        assert found == {name: Decimal(value) for name, value in named.items() if value is not None}, text
        assert [str(value) for value in found.values()] == [value for value in named.values() if value], text


def test_silences_are_counted_in_days() -> None:
    for text, days in (
        ("no reply for 3 weeks", 21), ("quiet for 12 days", 12), ("not for a month", 30), ("seit", None),
        ("sin respuesta en dos meses", 60), ("keine antwort seit drei wochen", 21), ("silent for six days", 6),
        ("keine antwort seit 5 tagen", 5), ("sin noticias desde hace 2 semanas", 14), ("nobody came", None),
        ("inactive since 6 months", 180), ("no answer. for 3 days", None), ("without news in the last 10 days", 10),
    ):  # fmt: skip
        assert quiet_days_in(text) == days, text


def test_days_and_months_are_the_next_ones_or_the_present_ones() -> None:
    for text, words, start, days in (
        ("14 january", "14 january", "2026-01-14", 1), ("january 13", "january 13", "2027-01-13", 1),
        ("13th of january", "13th of january", "2027-01-13", 1), ("15. januar", "15. januar", "2026-01-15", 1),
        ("3 de marzo", "3 de marzo", "2026-03-03", 1), ("wednesdays", "wednesday", "2026-01-14", 1),
        ("tuesday", "tuesday", "2026-01-20", 1), ("donnerstag", "donnerstag", "2026-01-15", 1),
        ("in january", "january", "2026-01-01", 31), ("in december", "december", "2026-12-01", 31),
        ("until february", "february", "2026-02-01", 28), ("31 december", "31 december", "2026-12-31", 1),
        ("monday in march", "monday", "2026-01-19", 1),
    ):  # fmt: skip
        named = named_span(text, NOW)
        assert named is not None and (named[0], f"{named[1]:%Y-%m-%d %H:%M}") == (words, f"{start} 00:00"), text
        assert (named[2].date() - named[1].date()).days == days and named[2].hour == 0, text
    in_march = NOW.replace(month=3)
    assert named_span("in february", in_march) == (
        "february", datetime(2027, 2, 1, tzinfo=NOW.tzinfo), datetime(2027, 3, 1, tzinfo=NOW.tzinfo),
    )  # fmt: skip
    for text in ("29 february", "31 april", "3 march uhr", "3 march: 4", "by next", "tuesd"):
        assert named_span(text, NOW) is None, text
    leap = datetime(2027, 6, 1, tzinfo=NOW.tzinfo)
    found = named_span("29 february", leap)
    assert found is not None and found[1] == datetime(2028, 2, 29, tzinfo=NOW.tzinfo)
    names = ("monday", "marz", "3 march", "paul", "3. marz um", "mondays")
    assert [is_date(name) for name in names] == [True, True, True, False, False, False]


def test_a_part_of_a_day_is_cut_out_of_a_day_only() -> None:
    start = NOW.replace(hour=0)
    for text, hours, begin, end in (
        ("morning", 24, 6, 12), ("afternoon", 25, 12, 18), ("abends", 24, 18, 22), ("de la tarde", 24, 12, 18),
        ("morning", 26, 0, 26), ("noon", 24, 0, 24), ("am morgen", 23, 6, 12),
    ):  # fmt: skip
        found = part_of_day(text, start, start + timedelta(hours=hours))
        assert found == (start + timedelta(hours=begin), start + timedelta(hours=end)), text
