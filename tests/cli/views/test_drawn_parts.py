"""What views are drawn of: amounts, bars, rows with ids, figures of widgets, parts that are missing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from rich.text import Text

from crm_cli.console import stdout
from crm_cli.terminal.columns import Columns
from crm_cli.views import dashboards, drawing, workflows
from crm_cli.views.layouts import columns_through
from crm_cli.views.parts import Parts
from crm_cli.views.sales import ai_insights, analytics, calendar, dashboard
from crm_cli.views.webhooks import forwarding
from crm_sdk.errors import NotFoundError, PermissionDeniedError


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1234, "1,234"), (1234.5, "1,234.50"), (Decimal("5.00"), "5"), (Decimal("-5.25"), "-5.25"), (None, "–"),
     ("5", "–")],
)  # fmt: skip
def test_an_amount_has_cents_where_it_has_any(value: object, text: str) -> None:
    assert drawing.amount(value) == text
    assert drawing.money(value, "EUR") == f"{text} EUR" and drawing.money(value, None) == text


def test_sums_are_apart_by_currency_and_the_greatest_is_first() -> None:
    found = drawing.sums([(5, "EUR"), (Decimal("1.5"), "EUR"), (100, "USD"), ("x", "USD"), (None, None)])
    assert list(found.items()) == [("USD", 100), ("EUR", Decimal("6.5")), ("", 0)]
    assert drawing.sums_text(found) == "100 USD + 6.50 EUR + 0" and drawing.sums_text({}) == "0"
    assert [drawing.percent(value) for value in (0, 49.6, Decimal(100), None, "5")] == [
        "0 %",
        "50 %",
        "100 %",
        "–",
        "–",
    ]
    assert [drawing.count_of(number, "time") for number in (0, 1, 2, 1000)] == [
        "0 times", "1 time", "2 times", "1,000 times",
    ]  # fmt: skip
    assert [drawing.title_of(key) for key in ("closed-won", "in_progress", "", "x")] == [
        "Closed won", "In progress", "", "X",
    ]  # fmt: skip


def test_a_bar_is_as_long_as_its_share_and_a_small_one_is_seen() -> None:
    assert [drawing.bar(share, 4) for share in (0, 0.5, 1, 2, -1)] == ["    ", "██  ", "████", "████", "    "]
    assert drawing.bar(0.0001, 4).strip() and len(drawing.bar(0.3, 4)) == 4
    assert drawing.gauge(0.5, 4).plain == "██░░" and drawing.gauge(0, 4).plain == "░░░░"
    drawn = drawing.spark([0, 5, 10])
    assert len(set(drawn)) == 3 and drawn == "".join(sorted(drawn)) and drawing.spark([0, 0]) == drawn[0] * 2
    assert drawing.spark([]) == "" and drawing.spark([-5]) == drawn[0]
    lines = drawing.bars({"closed-won": 2, "new": 1, "lost": 0}, 4, str)
    assert [text.plain for text in lines] == ["Closed won  ████  2", "New         ██    1", "Lost              0"]
    lines = drawing.named_bars([("a", -4), ("bcd", 2), ("e", None)], 4)
    assert [text.plain for text in lines] == ["a    ████  -4", "bcd  ██    2", "e          –"]


@pytest.mark.parametrize(
    ("width", "lines"),
    [(17, ["Salt mines  id_12"]), (16, ["Salt mines", "    id_12"]), (8, ["Salt mi…", "    id_1", "2"])],
)
def test_an_id_stands_behind_its_row_or_whole_below_it(
    capsys: pytest.CaptureFixture[str], width: int, lines: list[str]
) -> None:
    drawing.print_row(stdout(width), Text("Salt mines"), "id_12")
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == lines
    drawing.print_row(stdout(4), Text("Salt mines"))
    assert capsys.readouterr().out.splitlines() == ["Sal…"]


def test_a_line_leaves_out_what_is_empty_and_shows_no_control_characters() -> None:
    made = drawing.line("a", None, ("", "red"), ("b\nc\x1b", "red"), Text("d"), between="-")
    assert made.plain == "a-b c\ufffd-d" and drawing.heading("T").plain == "T"
    assert drawing.heading("T", "about").plain == "T  about"


@pytest.mark.parametrize(
    ("unit", "value", "previous", "change", "text"),
    [
        ("rate", 0.255, 0.2, 0.275, "26 %  +28% from 20 %"), ("count", 1200, None, None, "1,200"),
        ("count", 5, 10, -0.5, "5  -50% from 10"), ("count", 5, 5, 0, "5  +0% from 5"),
    ],
)  # fmt: skip
def test_a_figure_is_shown_in_its_unit_with_its_change(
    unit: str, value: float, previous: float | None, change: float | None, text: str
) -> None:
    found = SimpleNamespace(unit=unit, value=value, previous=previous, change=change)
    assert dashboards._figure(found).plain == text


def failing(error: Exception) -> Callable[[], Any]:
    def call() -> Any:
        raise error

    return call


def test_a_page_without_a_part_says_so_and_one_without_any_fails(capsys: pytest.CaptureFixture[str]) -> None:
    missing = NotFoundError("no", status=404, code="X", operation="deals.x")
    parts = Parts()
    assert parts.read(lambda: 5) == 5 and parts.read(failing(missing)) is None
    parts.say_missing()
    assert capsys.readouterr().err == "note: deals.x is left out: not found\n"
    parts = Parts()
    parts.say_missing()
    for error in (missing, PermissionDeniedError("no", status=403, code="X")):
        assert parts.read(failing(error)) is None
    with pytest.raises(NotFoundError):
        parts.say_missing()
    with pytest.raises(ZeroDivisionError):
        parts.read(failing(ZeroDivisionError()))


def test_the_columns_of_a_layout_are_those_that_the_records_have() -> None:
    layout = SimpleNamespace(id="l1", columns=[
        SimpleNamespace(field=name) for name in ("first_name", "address.city", "odd", "custom_fields.a_b")
    ])  # fmt: skip
    layouts = SimpleNamespace(list=lambda: [layout])
    client: Any = SimpleNamespace(customization=SimpleNamespace(layouts=layouts))
    known = Columns(("firstName", "address", "customFields", "id"), (), frozenset(), frozenset())
    assert columns_through(client, "l1", known) == "firstName,address.city,customFields.a_b,id"
    assert columns_through(client, "l2", known) is None
    layouts.list = failing(PermissionDeniedError("no", status=403, code="X"))
    assert columns_through(client, "l1", known) is None


def test_a_recommendation_says_what_it_may_bring_and_how_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    def one(id: str, **given: Any) -> Any:
        members: dict[str, Any] = {"id": id, "priority": "high", "expected_value": None, "currency": None}
        members |= {"due_at": None, "confidence": 80, "status": "open", "action": None, "title": "Call"}
        members |= {"reasons": [SimpleNamespace(label="late"), SimpleNamespace(label="large")], "description": None}
        return SimpleNamespace(**members | given)

    zone: Any = SimpleNamespace(local=lambda at: at)
    found = [
        one("r1", due_at=datetime(2026, 1, 15, 9, 30, tzinfo=UTC)),
        one("r2", status="accepted", expected_value=5, currency="EUR", description="Do"),
        one("r3", priority="low", expected_value=0),
    ]
    ai_insights._draw(stdout(100), found, zone)
    assert [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip()] == [
        "High priority", "·  Call  80 %  due 15 Jan 09:30", "late; large r1", "·  Call  80 %  5 EUR  accepted", "Do r2",
        "Low priority", "·  Call  80 %  0", "late; large r3",
    ]  # fmt: skip
    ai_insights._draw(stdout(100), [], zone)
    assert capsys.readouterr().out.strip() == "nothing is recommended"


def test_events_overlap_where_each_begins_before_the_other_ends() -> None:
    def event(begin: int, end: int, **given: Any) -> Any:
        first, last = (datetime(2026, 1, 15, hour, tzinfo=UTC) for hour in (begin, end))
        own = {"status": "scheduled", "busy": None} | given
        return SimpleNamespace(id=f"{begin}-{end}{own}", start_time=first, end_time=last, **own)

    nine, ten, eleven, free = event(9, 11), event(10, 12), event(11, 12), event(9, 12, busy=False)
    zone: Any = SimpleNamespace()
    week = calendar.Week.of(zone, {date(2026, 1, 15): [nine, ten, eleven, free, event(9, 12, status="cancelled")]})
    assert week.overlaps_of(nine) == [ten] and week.overlaps_of(ten) == [nine, eleven]
    assert week.overlaps_of(eleven) == [ten] and week.overlaps_of(free) == []


def test_an_owner_has_a_part_of_the_quota_where_there_is_one() -> None:
    members: dict[str, Any] = {"rank": 1, "owner_name": None, "owner_id": "user_1", "won_value": 1200, "deals_won": 2}
    for attainment, text in ((None, "lost"), (0, "0 % of the quota"), (0.5, "50 % of the quota")):
        row: Any = SimpleNamespace(**members, deals_lost=1, attainment=attainment)
        drawn = analytics._owner(row).plain
        assert drawn.split()[:4] == ["1", "user_1", "1,200", "2"] and drawn.rstrip().endswith(text)


@pytest.mark.parametrize(
    ("name", "previous", "kind", "change", "text", "is_good"),
    [
        ("won", 5, "increase", 0.5, "▲     50 %", True), ("won", 5, "decrease", -0.5, "▼     50 %", False),
        ("won", 0, "increase", None, "▲      new", True), ("won", None, "increase", 0.5, " " * 10, None),
        ("won", 5, "none", 0, " " * 10, None),
    ],
)  # fmt: skip
def test_a_change_is_shown_by_its_direction(
    name: str, previous: float | None, kind: str, change: float | None, text: str, is_good: bool | None
) -> None:
    value = SimpleNamespace(previous=previous, change_type=kind, change=change)
    style = "" if is_good is None else analytics._GOOD if is_good else analytics._BAD
    assert analytics._change_text(name, value) == (text, style)
    if is_good is not None:
        worse = next(iter(analytics._WORSE))
        assert analytics._change_text(worse, value)[1] == (analytics._BAD if is_good else analytics._GOOD)


def test_of_action_items_the_first_are_drawn_and_the_others_counted(capsys: pytest.CaptureFixture[str]) -> None:
    def drawn(count: int) -> list[str]:
        now = datetime.now(UTC)
        items: Any = [SimpleNamespace(id=f"i{n}", type="task", title=f"T{n}", timestamp=now) for n in range(count)]
        for part in dashboard._action_items(items):
            stdout(100).print(part)
        return capsys.readouterr().out.splitlines()

    most = dashboard._SHOWN
    assert "nothing wants doing" in drawn(0)[-1]
    assert [line.split()[:2] for line in drawn(most)[1:]] == [["task", f"T{n}"] for n in range(most)]
    more = drawn(most + 2)
    assert len(more) == most + 2 and "+ 2 more" in more[-1]


@pytest.mark.parametrize(
    ("value", "text"),
    [("x" * 60, "x" * 60), ("x" * 61, "x" * 59 + "…"), (["a", 1], "a, 1"), (None, "nothing"), ({}, "nothing"),
     ([], "nothing"), (0, "0"), ("", "nothing")],
)  # fmt: skip
def test_a_value_of_a_change_is_short(value: object, text: str) -> None:
    assert workflows._short(value) == text


def test_an_event_is_posted_again_after_ever_longer_waits(capsys: pytest.CaptureFixture[str]) -> None:
    def waits(*statuses: int | None) -> list[float]:
        answers = iter([SimpleNamespace(status=one, taken=one == 200, error="refused") for one in statuses])
        slept: list[float] = []
        forwarder: Any = SimpleNamespace(post=lambda *given: next(answers), _sleep=slept.append, _url="http://x")
        posted = forwarding.Forwarder.forward(forwarder, {}, None)
        assert posted.status == statuses[-1]
        return slept

    assert waits(200) == [] and capsys.readouterr().err == ""
    assert waits(None, None, None, None, None, 200) == [1, 2, 5, 10, 10]
    assert capsys.readouterr().err == "http://x does not answer (refused); trying until it does\n"
    assert waits(*[500] * forwarding.TRIES) == [1, 2, 5, 10, 10][: forwarding.TRIES - 1]
    assert waits(None, 500, 200) == [1, 2]
