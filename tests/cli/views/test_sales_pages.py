"""Pages of sales, line by line: a week, a thread, the dashboard, the figures of a range, and the runs of a workflow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace as Of
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crm_cli.console import stdout
from crm_cli.views import workflows
from crm_cli.views.sales import analytics, calendar, dashboard, messages
from crm_cli.views.sales.calendar import Week, events_between
from crm_cli.views.zone import Zone

ZONE = Zone(ZoneInfo("Europe/Madrid"))
DAY = date(2026, 1, 15)
MIDNIGHT = ZONE.midnight(DAY)
AT = MIDNIGHT + timedelta(hours=9)


@pytest.fixture
def page(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    def drawn(width: int, draw: Callable[..., object], *given: Any) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(width))
        draw(stdout(), *given)
        lines = capsys.readouterr().out.splitlines()
        return [line.rstrip() for line in lines]

    return drawn


def event(id: str, begin: float, end: float, **given: Any) -> Any:
    usual: dict[str, Any] = dict.fromkeys(
        ("title", "contact_name", "contact_company", "location", "meeting_link", "busy", "priority")
    )
    times = {"start_time": MIDNIGHT + timedelta(hours=begin), "end_time": MIDNIGHT + timedelta(hours=end)}
    return Of(id=id, **usual | times | {"status": "scheduled", "all_day": False} | given)


def week_of(*events: Any) -> Any:
    days = [DAY + timedelta(days=n) for n in range(2)]
    edges = [ZONE.midnight(DAY + timedelta(days=n)) for n in range(3)]
    return Week.of(ZONE, {day: events_between(events, *edges[n : n + 2]) for n, day in enumerate(days)})


EVENTS = [
    event("e1", 9, 11, title="Talk", contact_name="Ada", contact_company="Acme", location="Ulm", meeting_link="link"),
    event("e2", 10, 12, title="Tea", meeting_link="link", priority="high", status="confirmed"),
    event("e3", 22, 30, title="Night"), event("e4", 8, 9, title="Off", status="cancelled", priority="high"),
    event("e5", 0, 24, title="Fair", all_day=True, busy=False),
]  # fmt: skip


def test_a_week_is_a_list_of_days_or_a_grid(page: Any) -> None:
    assert page(80, calendar._draw, week_of(*EVENTS), DAY) == [
        "Thu 15 Jan – Fri 16 Jan 2026  5 events  1 overlap  times in Europe/Madrid", "", "Thu 15 Jan",
        "  all day      Fair", "  08:00–09:00  Off  cancelled", "  09:00–11:00  Talk", "               Ada, Acme",
        "               Ulm", "               ! overlaps Tea (10:00)",
        "  10:00–12:00  Tea  confirmed  high priority", "               link", "               ! overlaps Talk (09:00)",
        "  22:00 →      Night", "Fri 16 Jan", "  → 06:00  Night",
    ]  # fmt: skip
    assert page(80, calendar._draw, week_of(), DAY) == [
        "Thu 15 Jan – Fri 16 Jan 2026  0 events  times in Europe/Madrid", "", "Thu 15 Jan", "  –", "Fri 16 Jan", "  –",
    ]  # fmt: skip
    grid = page(126, calendar._draw, week_of(EVENTS[2], EVENTS[3]), DAY)
    assert [line.split() for line in grid[2:]] == [
        ["Thu", "15", "Jan", "Fri", "16", "Jan"], ["─" * 17, "─" * 17], ["08:00–09:00", "→", "06:00"], ["Off", "Night"],
        ["cancelled", "─" * 17], ["─" * 17], ["22:00", "→"], ["Night"], ["─" * 17],
    ]  # fmt: skip


def test_an_event_is_in_each_day_that_it_has_a_part_in() -> None:
    begin, end = MIDNIGHT, MIDNIGHT + timedelta(days=1)
    events = [
        event("ends", -1, 0), event("over", -1, 1), event("moment", 0, 0), event("in", 5, 6), event("longer", 5, 7),
        event("begins", 24, 25), event("last", 23, 25), event("odd", 1, 2, end_time=None),
    ]  # fmt: skip
    assert [one.id for one in events_between(events, begin, end)] == ["over", "moment", "in", "longer", "last"]
    plan = week_of()
    for begins, ends, said in ((-1, 25, "all day"), (-1, 24, "→ 00:00"), (0, 24, "00:00–00:00"), (0, 25, "00:00 →"),
                               (1, 2, "01:00–02:00")):  # fmt: skip
        assert plan.hours(event("x", begins, ends), DAY) == said


def test_a_thread_has_heads_texts_and_what_the_ai_says(page: Any) -> None:
    def message(id: str, **given: Any) -> Any:
        names = ("sender_name", "sender", "sender_type", "type", "sentiment", "status", "subject", "ai_analysis")
        usual: dict[str, Any] = dict.fromkeys(names) | {"content": f"Text of {id}\n", "attachments": []}
        return Of(id=id, timestamp=AT, **usual | given)

    told = Of(
        business_intent="asks_price", urgency_level="high", emotional_tone=None, key_topics=["tea"],
        action_items=["Call"], suggested_response="Yes", response_time="1 h",
    )  # fmt: skip
    first = message("m1", sender_type="user", sender_name="Ada", status="sent", type="email", subject="Tea",
                    sentiment="negative")  # fmt: skip
    file = Of(name="f", size=1200)
    second = message("m2", sender="lead", sentiment="negative", ai_analysis=told, attachments=[file])
    conversation: Any = Of(
        id="c1", contact_name=None, lead_name="Bo", contact_company="Acme", unread_count=1, archived=True,
        sentiment_trend="improving", priority="high", overall_sentiment="positive", tags=["a", "b"],
        ai_summary="About tea", messages=[first, second, message("m3", ai_analysis=told, content=None)],
    )  # fmt: skip
    assert page(70, messages._draw, conversation, ZONE) == [
        "Bo  Acme  1 unread  archived", "high priority  + positive  ↗ improving  times in Europe/Madrid", "About tea",
        "#a #b", "", "Ada  Thu 2026-01-15 09:00  email  sent", "  Tea", "  Text of m1", "",
        "Lead  Thu 2026-01-15 09:00  - negative", "  Text of m2", "  attached: f (1,200 bytes)",
        "  » Asks price · high urgency · tea", "  » Call", "", "●  Somebody  Thu 2026-01-15 09:00  unread",
        "  » Asks price · high urgency · tea", "  » Call", "  » Suggested answer (1 h): Yes",
    ]  # fmt: skip
    assert messages._unread(Of(messages=conversation.messages, unread_count=2)) == ["m2", "m3"]  # type: ignore[arg-type] # what is read of it
    names = ("contact_name", "lead_name", "contact_company", "priority", "overall_sentiment", "ai_summary")
    bare: Any = Of(id="c1", unread_count=0, sentiment_trend="odd", archived=False, tags=[], messages=[],
                   **dict.fromkeys(names))  # fmt: skip
    assert page(70, messages._draw, bare, ZONE) == ["c1", "odd  times in Europe/Madrid", "no messages"]
    assert not messages._unread(bare)
    answered: Any = Of(**vars(conversation) | {"messages": [second, first], "unread_count": 0})
    assert "Suggested answer" not in "".join(page(70, messages._draw, answered, ZONE))
    bare.messages = [message("m4", content="x" * 300)]
    assert max(map(len, page(140, messages._draw, bare, ZONE))) == 100, "longer lines are hard to read"


def test_the_dashboard_is_its_figures(page: Any) -> None:
    shares = [("new_business", 50, 100), ("x", 100, 25)]
    breakdown = [Of(source=name, probability=part, amount=Decimal(value)) for name, part, value in shares]
    forecast: Any = Of(revenue=Decimal(1200), confidence="high", period="Q1", breakdown=breakdown)
    deals = [
        Of(value=Decimal(n), probability=10 * n, title=f"D{n}", expected_close_date=close)
        for n, close in enumerate([*(date(2026, month, 5) for month in (1, 2, 3)), None, None, None], 1)
    ]
    summary: Any = Of(total_deals_value=Decimal(5000), high_probability_deals=3, at_risk_contacts=2, deals=deals)
    now = Of(total_leads=1200, conversion_rate=0.25, qualified_leads=300, total_revenue=5, avg_deal_size=2.5)
    trends = Of(leads_this_month=7, leads_growth=0.5, revenue_this_month=3, revenue_growth=-0.25)
    stats: Any = Of(summary=now, trends=trends, source_breakdown={f"s{n}": n for n in range(9)})
    agents = [
        Of(name=f"A{n}", metrics=Of(total_interactions=n * 10, successful_interactions=n * 5, cost_per_interaction=0.5))
        for n in (*range(5), 10, 20, 30, 40)
    ]
    performance: Any = Of(overall=Of(automation_rate=0.5, total_cost=5, total_savings=1200), agents=agents)

    def draw(screen: Any) -> None:
        for part in (dashboard._forecast(forecast), dashboard._summary(summary), dashboard._leads(stats),
                     dashboard._agents(performance)):  # fmt: skip
            for each in part:
                screen.print(each)

    assert page(80, draw) == [
        "Forecast Q1", "1,200  expected  high confidence", "                                        value  likely",
        "New business  ████████████░░░░░░░░░░░░    100    50 %",
        "X             ██████                       25   100 %",
        "How things stand", "Open deals are worth    5,000", "Deals likely to be won      3",
        "Contacts at risk            2", "The best deals close Jan 2026 ▃▆█ Mar 2026", "1  10 %  D1  05 Jan",
        "2  20 %  D2  05 Feb", "3  30 %  D3  05 Mar", "4  40 %  D4", "5  50 %  D5",
        "Leads and revenue  new: this month, against the one before", "Leads          1,200  7 new  ▲ 50 %",
        "Qualified        300  ███░░░░░░░░░ 25 %", "Revenue            5  3 new  ▼ 25 %", "A deal brings   2.50",
        "S0                            0 %", "S1  ███                       1 %", "S2  ██████                    2 %",
        "S3  █████████                 3 %", "S4  ████████████              4 %", "S5  ███████████████           5 %",
        "S6  ██████████████████        6 %", "S7  █████████████████████     7 %", "AI agents",
        "settled by agents ██████░░░░░░ 50 %", "cost 5  saved 1,200", "                   talks  well  each",
        "A0                     0     –  0.50", "A1   ▎                10  50 %  0.50",
        "A2   ▋                20  50 %  0.50", "A3   ▉                30  50 %  0.50",
        "A4   █▎               40  50 %  0.50", "A10  ███             100  50 %  0.50",
        "A20  ██████          200  50 %  0.50", "A30  █████████       300  50 %  0.50",
    ]  # fmt: skip
    assert dashboard._growth(0).plain == "= 0 %"
    none: Any = Of(deals=[Of(expected_close_date=None, value=Decimal(1))])
    assert dashboard._value_by_month(none) == {}
    far = [Of(expected_close_date=date(year, 11, 5), value=Decimal(1)) for year in (2025, 2027)]
    months = dashboard._value_by_month(Of(deals=far))  # type: ignore[arg-type] # what is read of it
    assert len(months) == 12 and min(months) == date(2025, 11, 1) and max(months) == date(2026, 10, 1)
    assert [int(value) for value in months.values()] == [1] + [0] * 11


class Part:
    """An answer of figures."""

    model_fields = ("won_value", "lost_deals", "rate", "days", "odd")

    def __init__(self) -> None:
        def figure(value: Any, previous: Any, kind: str, change: Any, unit: str) -> Any:
            return Of(value=value, previous=previous, change_type=kind, change=change, unit=unit)

        self.won_value = figure(1200, 800, "increase", 0.5, "currency")
        self.lost_deals = figure(5, 4, "increase", 0.25, "count")
        self.rate = figure(0.255, None, "none", None, "rate")
        self.days = figure(3, 0, "increase", None, "days")
        self.odd = 5


def test_figures_stand_with_what_they_were_before() -> None:
    series: Any = [Of(name="won_value", points=[Of(value=1), Of(value=2)])]
    part: Any = Part()
    assert [line.plain.rstrip() for line in analytics._lines(part, "EUR", series)] == [
        "  Won value                     1,200 EUR ▲     50 % before 800 EUR           ▅█",
        "  Lost deals                            5 ▲     25 % before 4", "  Rate                               26 %",
        "  Days                             3 days ▲      new before 0 days",
    ]  # fmt: skip
    compared = Of(compared_start_date=DAY, compared_end_date=DAY)
    assert analytics._comparison_text(compared) == ("compared with 2026-01-15 to 2026-01-15", "dim")
    assert analytics._comparison_text(Of(compared_start_date=None)) == ("", "")


def test_a_run_is_its_steps_with_what_they_did(page: Any) -> None:
    def step(**given: Any) -> Any:
        usual: dict[str, Any] = dict.fromkeys(("name", "output", "resume_at", "error"))
        return Of(**usual | {"type": "send_email", "status": "odd", "changes": []} | given)

    def run(id: str, steps: list[Any], **given: Any) -> Any:
        usual = {"status": "failed", "source": "deal_rule", "dry_run": False, "entity": None}
        return Of(id=id, created_at=AT, steps=steps, error=Of(message="odd"), **usual | given)

    change = [Of(field="a", before=None, after="x")]
    steps = [
        step(), step(name="N", status="waiting", resume_at=AT, changes=change, error=Of(code="C", message="m")),
        step(output=Of(name=None, id="task_1"), changes=change, resume_at=AT, status="skipped"),
    ]  # fmt: skip
    first = run("execution_1", [], entity=Of(name=None, id="lead_1"))
    second = run("execution_2", steps, status="succeeded", dry_run=True)
    assert page(80, workflows._draw, [first, second], ZONE) == [
        "✗  execution_1  lead_1  Thu 2026-01-15 09:00  deal rule  odd", "",
        "✓  execution_2  no record  Thu 2026-01-15 09:00  test", "  ·  Send email",
        "  …  N  until Thu 2026-01-15 09:00",
        "       a: nothing → x", "       C: m", "  –  Send email  → task_1", "", "2 executions",
    ]  # fmt: skip
