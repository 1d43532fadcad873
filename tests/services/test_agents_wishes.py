"""The day and the time that a text wishes for, and the language that it is answered in."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from server_stub.services.agents.wishes import wished_time, working_day
from server_stub.services.agents.wording import language_for, moment

BERLIN = ZoneInfo("Europe/Berlin")
WEDNESDAY = datetime(2026, 1, 14, 11, tzinfo=BERLIN)
FRIDAY = datetime(2026, 1, 16, 18, tzinfo=BERLIN)


def shown(text: str, now: datetime) -> str | None:
    at = wished_time(text, now)
    return f"{at:%m-%d %H:%M}" if at is not None else None


def test_a_time_without_a_day_is_the_next_one_of_a_working_day() -> None:
    for text, at in (
        ("at 3", "01-14 15:00"), ("at 6", "01-14 18:00"), ("at 7", "01-15 07:00"), ("at 12", "01-14 12:00"),
        ("at 3:00", "01-15 03:00"), ("at 1", "01-14 13:00"), ("at 0", "01-15 00:00"), ("11:00", "01-15 11:00"),
        ("11:01", "01-14 11:01"), ("10:59", "01-15 10:59"), ("15:30", "01-14 15:30"), ("3pm", "01-14 15:00"),
        ("12am", "01-15 00:00"), ("12pm", "01-14 12:00"), ("11 a.m", "01-15 11:00"), ("15 uhr", "01-14 15:00"),
        ("3 uhr", "01-15 03:00"), ("um 3", "01-14 15:00"), ("a las 4", "01-14 16:00"), ("hello", None),
        ("at 20%", None), ("guten morgen", None), ("por la manana", None),
    ):  # fmt: skip
        assert shown(text, WEDNESDAY) == at, text
    for text, at in (("at 9", "01-19 09:00"), ("17:59", "01-19 17:59"), ("18:01", "01-16 18:01")):
        assert shown(text, FRIDAY) == at, text
    days = [working_day(date(2026, 1, day)).day for day in range(12, 20)]
    assert days == [12, 13, 14, 15, 16, 19, 19, 19]


def test_a_day_is_meant_at_its_usual_time_and_lies_ahead() -> None:
    for text, at in (
        ("tomorrow", "01-15 14:00"), ("tomorrow morning", "01-15 10:00"), ("tomorrow evening", "01-15 18:00"),
        ("in the afternoon tomorrow", "01-15 14:00"), ("tomorrow afternoon at 3", "01-15 15:00"),
        ("tomorrow at 7:30 evening", "01-15 19:30"), ("tomorrow afternoon at 8", "01-15 08:00"),
        ("tomorrow in the morning at 7", "01-15 07:00"), ("today", "01-14 14:00"), ("today at 11:00", "01-21 11:00"),
        ("today at 11:01", "01-14 11:01"), ("wednesday", "01-14 14:00"), ("wednesday at 10", "01-21 10:00"),
        ("tuesday morning", "01-20 10:00"), ("day after tomorrow evening", "01-16 18:00"),
        ("ubermorgen", "01-16 14:00"), ("pasado manana a las 4", "01-16 16:00"), ("manana", "01-15 14:00"),
        ("heute nachmittag", "01-14 14:00"), ("next week", "01-19 14:00"), ("nachste woche um 9", "01-19 09:00"),
        ("la semana que viene", "01-19 14:00"), ("next week in the morning", "01-19 14:00"),
        ("in march in the morning", "03-02 14:00"), ("on 3 march in the morning", "03-03 10:00"),
        ("in march", "03-02 14:00"), ("in january morning", "01-14 14:00"),
        ("on 3 march at 10", "03-03 10:00"), ("2026-01-14", "01-14 14:00"), ("2026-01-13", None),
        ("2026-01-20 15:30", "01-20 15:30"), ("2026-01-24", "01-24 14:00"), ("2026-13-45", None),
    ):  # fmt: skip
        assert shown(text, WEDNESDAY) == at, text
    for text, at in (
        ("next week", "01-19 14:00"), ("in january", "01-23 14:00"), ("tomorrow", "01-17 14:00"),
        ("friday", "01-23 14:00"), ("saturday", "01-17 14:00"),
    ):  # fmt: skip
        assert shown(text, FRIDAY) == at, text


def test_an_answer_is_in_the_language_of_the_text_or_of_whom_it_is_about() -> None:
    spanish, unknown = {"language": "es-MX"}, {"language": "fr"}
    for text, record, language in (
        ("hola", None, "es"), ("ok", spanish, "es"), ("ok then", spanish, "es"), ("ok", unknown, "en"),
        ("ok", {"language": "DE"}, "de"), ("ok", {}, "en"), ("please call the customer", spanish, "en"),
        ("please call the customer lead_123", spanish, "es"), ("please call the customer lead_123", unknown, "en"),
        ("bitte rufen Sie uns an lead_123", spanish, "de"), ("bitte rufen Sie uns an", None, "de"),
        ("merci pour votre offre, nous sommes contents", None, "en"),
        ("merci pour votre offre, nous sommes contents", spanish, "en"),
        ("merci pour votre offre, nous sommes contents lead_123", spanish, "es"),
    ):  # fmt: skip
        assert language_for(text, record) == language, (text, record)
    late = WEDNESDAY + timedelta(days=48, minutes=5)
    assert moment("en", late) == "Tuesday, 3 March at 11:05 (Europe/Berlin)"
    assert moment("de", late) == "Dienstag, 3. März um 11:05 Uhr (Europe/Berlin)"
    assert moment("es", late) == "martes 3 de marzo a las 11:05 (Europe/Berlin)"
