"""Days, periods and amounts of a company, at their boundaries."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from server_stub.problems import Problem
from server_stub.services import company, ranges

DAY = timedelta(days=1)


def a_call(now: datetime, timezone: str | None = "America/New_York") -> Any:
    return SimpleNamespace(now=now, tenant={"timezone": timezone, "base_currency": "USD"})


NOW = datetime(2026, 1, 15, 4, 59, tzinfo=UTC)
"""A minute before midnight of the 14th in New York."""
CALL = a_call(NOW)


def test_a_day_is_that_of_the_companys_zone() -> None:
    assert [company.today(a_call(NOW, zone)).day for zone in ("America/New_York", None, "UTC")] == [14, 15, 15]
    assert company.today(a_call(NOW + timedelta(minutes=1))).day == 15
    assert company.midnight(CALL, date(2026, 3, 8)) == datetime(2026, 3, 8, 5, tzinfo=UTC)
    assert company.midnight(CALL, date(2026, 3, 9)) == datetime(2026, 3, 9, 4, tzinfo=UTC), "the clock was put forward"
    for month, first, last in (
        (1, (1, 1), (3, 31)), (3, (1, 1), (3, 31)), (4, (4, 1), (6, 30)), (6, (4, 1), (6, 30)), (7, (7, 1), (9, 30)),
        (9, (7, 1), (9, 30)), (10, (10, 1), (12, 31)), (12, (10, 1), (12, 31)),
    ):  # fmt: skip
        assert company.quarter(date(2026, month, 15)) == (date(2026, *first), date(2026, *last)), month


def test_amounts_are_worth_what_the_companys_rates_say() -> None:
    tenant = {
        "base_currency": "USD",
        "currencies": [{"currency": "EUR", "rate": "1.5"}, {"currency": "USD", "rate": "7"}],
    }
    worth = company.worth_in(tenant)
    for record, amount in (
        ({"value": 10, "currency": "EUR"}, "15.0"), ({"value": 10, "currency": "USD"}, "10"), ({"value": 10}, "10"),
        ({"value": 10, "currency": None}, "10"), ({"value": None, "currency": "EUR"}, "0.0"), ({}, "0"),
        ({"value": 10, "currency": "GBP"}, "0"),
    ):  # fmt: skip
        assert worth(record) == Decimal(amount), record
    for none in (None, list[Any]()):
        assert company.worth_in({"base_currency": "EUR", "currencies": none})({"value": 3}) == 3
    assert company.from_base(tenant, "EUR")(Decimal("1.0075")) == Decimal("0.67")
    assert company.from_base(tenant, "USD")(Decimal("1.005")) == Decimal("1.01"), "half a cent is one"
    with pytest.raises(Problem) as caught:
        company.from_base(tenant, "GBP")
    assert (caught.value.field, caught.value.message) == ("currency", "currency: the company has no rate for GBP")
    assert company.total([]) == 0 and company.total([Decimal(1), Decimal("0.5")]) == Decimal("1.5")


def test_periods_begin_end_and_are_called() -> None:
    day = date(2026, 5, 31)
    for period, first, later, earlier, name in (
        ("day", day, (2026, 6, 1), (2026, 5, 30), "2026-05-31"),
        ("week", date(2026, 5, 25), (2026, 6, 7), (2026, 5, 24), "2026-W22"),
        ("month", date(2026, 5, 1), (2026, 6, 30), (2026, 4, 30), "2026-05"),
        ("quarter", date(2026, 4, 1), (2026, 8, 31), (2026, 2, 28), "2026-Q2"),
        ("year", date(2026, 1, 1), (2027, 5, 31), (2025, 5, 31), "2026"),
    ):  # fmt: skip
        assert ranges.beginning(day, period) == first == ranges.beginning(first, period), period
        assert ranges.later(day, period, 1) == date(*later) and ranges.later(day, period, -1) == date(*earlier)
        assert ranges.later(day, period, 0) == day and ranges.name_of(first, period) == name
    assert ranges.beginning(date(2026, 12, 31), "quarter") == date(2026, 10, 1)
    assert [ranges.name_of(date(2026, month, 1), "quarter")[-1] for month in (1, 4, 7, 10)] == ["1", "2", "3", "4"]
    assert (
        ranges.name_of(date(2027, 1, 1), "week") == "2026-W53" and ranges.name_of(date(9, 2, 3), "day") == "0009-02-03"
    )
    assert ranges.later(date(2024, 2, 29), "year", 1) == date(2025, 2, 28)
    for start, period, by in (
        (date(9999, 12, 31), "day", 1),
        (date(9999, 12, 1), "month", 1),
        (date(1, 1, 1), "year", -1),
    ):
        with pytest.raises(Problem) as caught:
            ranges.later(start, period, by)
        assert (caught.value.field, caught.value.rule) == ("end_date", "max")


def test_a_span_has_what_lies_within_and_is_so_many_months() -> None:
    whole = ranges.span(CALL, date(2026, 1, 14), date(2026, 1, 15), "x")
    begin, end = datetime(2026, 1, 14, 5, tzinfo=UTC), datetime(2026, 1, 16, 5, tzinfo=UTC)
    assert whole == ranges.Span("x", date(2026, 1, 14), date(2026, 1, 15), begin, end)
    moment = timedelta(microseconds=1)
    assert [whole.has(at) for at in (None, begin - moment, begin, end - moment, end)] == [
        False,
        False,
        True,
        True,
        False,
    ]
    for start, last, months in (
        (date(2026, 1, 1), date(2026, 1, 31), 1), (date(2026, 1, 1), date(2026, 12, 31), 12),
        (date(2026, 2, 15), date(2026, 3, 31), 1.5), (date(2026, 4, 30), date(2026, 4, 30), 1 / 30),
    ):  # fmt: skip
        assert ranges.span(CALL, start, last).months == pytest.approx(months)
    for start, last, field in (
        (date(2026, 1, 2), date(2026, 1, 1), "min"), (date(2026, 1, 2), date(9999, 12, 31), "max"),
    ):  # fmt: skip
        with pytest.raises(Problem) as caught:
            ranges.span(CALL, start, last)
        assert (caught.value.field, caught.value.rule) == ("end_date", field)


def test_a_range_is_divided_into_periods() -> None:
    def shown(start: date, end: date, period: str) -> list[tuple[str, date, date]]:
        return [(one.name, one.start, one.end) for one in ranges.periods(CALL, ranges.span(CALL, start, end), period)]

    assert shown(date(2026, 1, 30), date(2026, 3, 2), "month") == [
        ("2026-01", date(2026, 1, 30), date(2026, 1, 31)), ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2026-03", date(2026, 3, 1), date(2026, 3, 2)),
    ]  # fmt: skip
    assert shown(date(2026, 1, 5), date(2026, 1, 11), "week") == [("2026-W02", date(2026, 1, 5), date(2026, 1, 11))]
    assert len(shown(date(2026, 1, 1), date(2026, 1, 1) + 999 * DAY, "day")) == 1_000
    with pytest.raises(Problem) as caught:
        shown(date(2026, 1, 1), date(2026, 1, 1) + 1_000 * DAY, "day")
    assert (caught.value.field, caught.value.rule) == ("period", "max")
    spans = ranges.periods(CALL, ranges.span(CALL, date(2026, 1, 14), date(2026, 1, 15)), "day")
    moments = [None, *(spans[0].begins_at + timedelta(hours=hours) for hours in (-1, 0, 23, 24, 47, 48))]
    found = ranges.divided_items(spans, moments, lambda at: at)
    assert list(found.items()) == [(spans[0], moments[2:4]), (spans[1], moments[4:6])]
    counted = ranges.series("n", spans, lambda span: Decimal(len(found[span])))
    assert counted == {"name": "n", "points": [
        {"period": "2026-01-14", "start": date(2026, 1, 14), "value": 2},
        {"period": "2026-01-15", "start": date(2026, 1, 15), "value": 2},
    ]}  # fmt: skip


def test_the_days_that_are_asked_for_and_those_they_are_compared_with() -> None:
    for start, end, first, last in (
        (None, None, date(2025, 2, 1), date(2026, 1, 31)),
        (date(2026, 1, 14), None, date(2026, 1, 14), date(2026, 1, 31)),
        (date(2026, 1, 15), None, date(2026, 1, 15), date(2026, 1, 15)),
        (date(2024, 1, 15), None, date(2024, 1, 15), date(2026, 1, 31)),
        (None, date(2024, 2, 29), date(2023, 3, 1), date(2024, 2, 29)),
        (date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 1), date(2026, 1, 2)),
    ):  # fmt: skip
        found = ranges.last_year(CALL, start, end)
        assert (found.start, found.end) == (first, last), (start, end)
    whole = ranges.span(CALL, date(2024, 2, 28), date(2024, 2, 29))
    for compare_to, first, last in (
        ("previous_period", date(2024, 2, 26), date(2024, 2, 27)),
        ("previous_year", date(2023, 2, 28), date(2023, 2, 28)),
    ):  # fmt: skip
        other = ranges.compared_span(CALL, whole, compare_to)
        assert other is not None and (other.start, other.end) == (first, last)
    assert ranges.compared_span(CALL, whole, "none") is None
    early = ranges.span(CALL, date(1, 1, 3), date(1, 1, 5))
    with pytest.raises(Problem) as caught:
        ranges.compared_span(CALL, early, "previous_period")
    assert (caught.value.field, caught.value.rule) == ("start_date", "min")
