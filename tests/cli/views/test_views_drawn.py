"""Each view moves with the data: what is created, changed or read is seen in what is drawn and in what is printed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from shell import Crm

from crm_cli import failures
from crm_cli.views.drawing import amount, bar, bars, percent, spark
from crm_cli.views.zone import Zone
from crm_sdk import CrmClient
from crm_sdk.models.deals import DealStage
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]

WEEK = ("calendar", "week", "--start", "2026-11-23")
NEW_YORK = ZoneInfo("America/New_York")


# -- deals board -----------------------------------------------------------------------------------------------------


def column(board: Any, stage: str) -> Any:
    return next(column for column in board["stages"] if column["stage"] == stage)


def test_a_new_deal_is_on_the_board_and_in_its_figures(
    served: Crm, client: CrmClient, drawn: Callable[..., str]
) -> None:
    before = served("deals", "board").json
    assert [each["stage"] for each in before["stages"]] == [*get_args(get_args(get_args(DealStage)[0])[0])]
    made = client.deals.create(
        {"title": "Tea for all", "value": 1234567, "stage": "proposal", "contact_id": "contact_123"}
    )
    after = served("deals", "board").json
    assert column(after, "proposal")["deals"][0]["id"] == made.id  # the greatest value first
    weighted = Decimal(1234567) * (made.probability or 0) / 100
    for was, now in [(column(before, "proposal"), column(after, "proposal")), (before["total"], after["total"])]:
        assert now["count"] == was["count"] + 1
        assert now["value"] == was["value"] + 1234567
        assert now["weightedValue"] == pytest.approx(float(was["weightedValue"]) + float(weighted))
    board = drawn("deals", "board")
    for told in ("Tea for all", "1,234,567", f"{made.probability} %", made.contact_name, made.company):
        assert str(told).split()[0] in board
    assert f"weighted {amount(Decimal(str(column(after, 'proposal')['weightedValue'])))}" in board
    client.deals.move_stage(made.id, "closed-won")
    moved = served("deals", "board").json
    assert column(moved, "closed-won")["weightedValue"] >= 1234567
    assert column(moved, "proposal")["deals"] == column(before, "proposal")["deals"]


def test_the_sums_are_those_of_the_cards(served: Crm) -> None:
    board = served("deals", "board").json
    for stage in board["stages"]:
        cards = stage["deals"]
        assert {card["stage"] for card in cards} <= {stage["stage"]}
        assert stage["count"] == len(cards)
        assert stage["value"] == sum(card["value"] for card in cards)
        assert stage["weightedValue"] == pytest.approx(sum(card["value"] * card["probability"] / 100 for card in cards))
    assert board["total"]["count"] == len(served("deals", "list", "--all").json)
    assert len(served("deals", "board", "-o", "jsonl").out.splitlines()) == board["total"]["count"]
    assert served("deals", "board", "-o", "csv").out.startswith("id,")
    of_one = served("deals", "board", "--pipeline", "pipeline_acme_renewals").json
    assert of_one["stages"][0]["stage"] == "qualified"
    assert of_one["total"]["count"] == len(
        served("deals", "list", "--pipeline-id", "pipeline_acme_renewals", "--all").json
    )


def test_the_board_takes_the_filters_of_the_list_and_shows_the_columns_asked_for(
    served: Crm, client: CrmClient, drawn: Callable[..., str]
) -> None:
    for number in range(3):
        client.deals.create({"title": f"Zebra {number}", "value": number, "stage": "negotiation"})
    found = served("deals", "board", "--search", "zebra").json
    assert [deal["title"] for deal in column(found, "negotiation")["deals"]] == ["Zebra 2", "Zebra 1", "Zebra 0"]
    assert found["total"]["count"] == 3
    hot = served("deals", "board", "--filter", "hot").json
    assert hot["total"]["count"] == len(served("deals", "list", "--filter", "hot").json)
    only = served("deals", "board", "--stage", "negotiation", "--stage", "prospect", "--search", "zebra").json
    assert [each["stage"] for each in only["stages"]] == ["prospect", "negotiation"]
    few = drawn("deals", "board", "--search", "zebra", "--limit", "1")
    assert "Zebra 2" in few
    assert "+ 2 more" in few
    assert "Zebra 1" not in few


def test_the_stages_stand_side_by_side_or_below_one_another(drawn: Callable[..., str]) -> None:
    wide = drawn("deals", "board")
    assert re.search(r"^Prospect +Qualified +Proposal +Negotiation +Closed won +Closed lost *$", wide, flags=re.M)
    for width in (30, 80, 99):
        narrow = drawn("deals", "board", width=width)
        assert re.findall(r"^(Prospect|Qualified|Closed lost)  \d+ deal", narrow, flags=re.M) == [
            "Prospect", "Qualified", "Closed lost",
        ]  # fmt: skip


def test_what_a_server_sends_cannot_steer_the_terminal(client: CrmClient, drawn: Callable[..., str]) -> None:
    client.deals.create({"title": "Eve\x1b[31m[bold]", "value": 10**12})
    assert "\x1b" not in drawn("deals", "board")
    assert "[bold]" in drawn("search", "eve", "--type", "deals")


# -- dashboard -------------------------------------------------------------------------------------------------------


def test_the_page_moves_with_the_data(served: Crm, client: CrmClient, drawn: Callable[..., str]) -> None:
    before = served("dashboard").json
    assert before["forecast"] == served("dashboard", "forecast").json
    assert before["summary"]["totalDealsValue"] == served("dashboard", "summary").json["totalDealsValue"]
    assert before["aiPerformance"] == served("analytics", "ai-performance").json
    client.deals.create({"title": "Tea for all", "value": 9_000_000, "expected_close_date": date(2026, 3, 1)})
    first = before["actionItems"][0]
    assert first["title"] in drawn("dashboard")
    client.dashboard.action_items.dismiss(first["id"])
    page = drawn("dashboard")
    assert first["id"] not in page
    assert amount(before["summary"]["totalDealsValue"] + 9_000_000) in page
    assert "Tea for all" in page
    growth = before["analytics"]["trends"]["leadsGrowth"]
    assert f"{'▲' if growth > 0 else '▼'} {abs(growth) * 100:,.0f} %" in page


def test_the_page_is_one_column_on_a_narrow_screen(drawn: Callable[..., str]) -> None:
    assert re.search(r"^Forecast \S+ .*How things stand", drawn("dashboard"), flags=re.M)
    narrow = drawn("dashboard", width=60)
    assert re.search(r"^How things stand *$", narrow, flags=re.M)
    assert re.search(r"^AI agents *$", narrow, flags=re.M)


def test_what_the_server_does_not_have_is_left_out(served: Crm, stub: StubServer) -> None:
    flow = served("dashboard", "--dialect", "flow")
    assert (flow.status, flow.json["analytics"]) == (0, None)
    assert "note: analytics.dashboard is left out: not documented in this dialect\n" in flow.err
    stub.faults.add("status", status=404, operation="dashboard.forecast", times=1)
    page = served("dashboard", "-o", "table")
    assert (page.status, "How things stand" in page.out, "Forecast" in page.out) == (0, True, False)
    assert page.err == "note: dashboard.forecast is left out: not found\n"
    stub.faults.add("status", status=500, operation="dashboard.forecast")
    assert served("dashboard").status == failures.RETRYABLE


def test_bars_and_sparklines() -> None:
    assert spark([0, 1, 7, 3.5]) == "▁▂█▅"
    assert spark([0, 0]) == "▁▁"
    assert spark([]) == ""
    assert [bar(share, 4).rstrip() for share in (0, 0.0001, 0.5, 0.53125, 1, 7)] == [
        "",
        "▏",
        "██",
        "██▏",
        "████",
        "████",
    ]
    assert [line.plain for line in bars({"web": 2, "phone_call": 1}, 2, percent)] == [
        "Web         ██  2 %",
        "Phone call  █   1 %",
    ]


# -- calendar week ---------------------------------------------------------------------------------------------------


def plan(client: CrmClient, title: str, start: str, minutes: int = 60, **members: Any) -> str:
    begin = datetime.fromisoformat(start).replace(tzinfo=NEW_YORK)
    event: Any = {"title": title, "start_time": begin, "end_time": begin + timedelta(minutes=minutes), **members}
    return client.calendar.events.create(event).id


def days(week: Any) -> dict[str, list[str]]:
    return {day["date"][-2:]: [event["title"] for event in day["events"]] for day in week["days"]}


def test_events_are_on_their_days_in_the_users_zone(served: Crm, client: CrmClient, drawn: Callable[..., str]) -> None:
    before = days(served(*WEEK).json)
    assert [*before] == ["23", "24", "25", "26", "27", "28", "29"]
    plan(client, "Late talk", "2026-11-24T23:00", 30)  # the 25th in UTC
    plan(client, "Night shift", "2026-11-27T22:00", 8 * 60)
    plan(client, "Next week", "2026-11-30T00:00", 30)
    plan(client, "Last week", "2026-11-22T23:00", 60)  # it ends as the week begins
    week = served(*WEEK).json
    assert (week["start"], week["end"], week["timezone"]) == ("2026-11-23", "2026-11-29", "America/New_York")
    now = days(week)
    added = {day: [title for title in now[day] if title not in before[day]] for day in now}
    assert added == {
        "23": [],
        "24": ["Late talk"],
        "25": [],
        "26": [],
        "27": ["Night shift"],
        "28": ["Night shift"],
        "29": [],
    }
    assert served(*WEEK, "-o", "jsonl").out.count("Night shift") == 1
    for width in (60, 140):
        shown = drawn(*WEEK, width=width)
        assert all(told in shown for told in ("Tue 24 Nov", "23:00–23:30", "22:00 →", "→ 06:00", "America/New_York"))
        assert "Next week" not in shown
    assert re.search(r"^Mon 23 Nov +Tue 24 Nov +", drawn(*WEEK), flags=re.M)
    assert re.search(r"^Tue 24 Nov\n.* Late talk", drawn(*WEEK, width=80), flags=re.M)


def test_overlaps_are_marked_on_both_and_nothing_else_is_one(
    served: Crm, client: CrmClient, drawn: Callable[..., str]
) -> None:
    one = plan(client, "Budget", "2027-03-02T10:00", 90)
    other = plan(client, "Forecast", "2027-03-02T11:00")
    plan(client, "After it", "2027-03-02T12:00")
    off = plan(client, "Called off", "2027-03-02T10:30", status="cancelled")
    words = ("calendar", "week", "--start", "2027-03-01")
    assert served(*words).json["conflicts"] == [[one, other]]
    shown = drawn(*words, width=80)
    assert "1 overlap " in shown
    assert "! overlaps Forecast (11:00)" in shown
    assert "! overlaps Budget (10:00)" in shown
    assert shown.count("overlaps") == 2
    client.calendar.events.set_status(off, "confirmed")
    assert {*map(tuple, served(*words).json["conflicts"])} == {(one, off), (one, other), (off, other)}


def test_a_week_in_which_the_clocks_change(served: Crm, client: CrmClient) -> None:
    plan(client, "Sunday, late", "2027-03-14T23:30", 20)  # an hour is missing on this day
    plan(client, "Monday", "2027-03-15T00:00", 20)
    week = days(served("calendar", "week", "--start", "2027-03-08").json)
    assert week["14"] == ["Sunday, late"]
    assert "Monday" in days(served("calendar", "week", "--start", "2027-03-15").json)["15"]


def test_without_a_start_it_is_this_week_and_without_a_zone_the_machines(served: Crm, stub: StubServer) -> None:
    week = served("calendar", "week").json
    today = datetime.now(NEW_YORK).date()
    assert date.fromisoformat(week["start"]).weekday() == 0
    assert abs(date.fromisoformat(week["start"]) - today) <= timedelta(days=7)
    stub.faults.add("status", status=404, operation="auth.me")
    assert served("calendar", "week").json["timezone"] == Zone().name
    assert Zone().midnight(date(2027, 3, 14)).tzinfo is not None
    assert Zone(NEW_YORK).midnight(date(2027, 3, 15)).astimezone(UTC).hour == 4


# -- messages thread -------------------------------------------------------------------------------------------------

LONG = "We would be glad to meet you on Thursday and go through the offer together, line by line. " * 3


def test_a_thread_shows_who_wrote_what_and_what_is_unread(
    served: Crm, client: CrmClient, drawn: Callable[..., str]
) -> None:
    found = client.conversations.get("conv_123")
    theirs = [message for message in found.messages if message.sender_type == "contact"]
    assert found.unread_count > 0
    shown = drawn("messages", "thread", "conv_123")
    heads = re.findall(r"^● .* unread$", shown, flags=re.M)
    assert len(heads) == found.unread_count
    places = [shown.index(message.content) for message in found.messages]
    assert places == sorted(places)
    assert shown.count("+ positive") == 1 + sum(message.sentiment == "positive" for message in theirs)
    assert all(str(message.ai_analysis and message.ai_analysis.urgency_level) in shown for message in theirs)
    last = theirs[-1].ai_analysis
    assert last is not None
    assert last.suggested_response in " ".join(shown.split())
    client.conversations.messages.create("conv_123", {"type": "email", "subject": "Thursday", "content": LONG})
    answered = drawn("messages", "thread", "conv_123", width=50)
    assert "●" not in answered
    assert "Suggested answer" not in answered
    assert "Thursday" in answered
    assert LONG.strip() in " ".join(answered.split())  # wrapped, and whole


def test_a_thread_for_programs(served: Crm) -> None:
    whole = served("messages", "thread", "conv_123").json
    assert whole == served("conversations", "get", "conv_123").json
    lines = served("messages", "thread", "conv_123", "-o", "jsonl").out.splitlines()
    assert len(lines) == len(whole["messages"])


# -- search ----------------------------------------------------------------------------------------------------------


def test_what_is_found_stands_by_kind(served: Crm, client: CrmClient, drawn: Callable[..., str]) -> None:
    contact = client.contacts.create({"name": "Käthe Zebra", "email": "k@z.example", "tags": ["striped"]})
    deal = client.deals.create({"title": "Stripes for Zebra", "value": 5, "contact_id": contact.id})
    event = plan(client, "Zebra crossing", "2026-11-24T10:00")
    shown = drawn("search", "zebra")
    places = [shown.index(text) for text in ("Contacts  1", contact.id, "Deals  1", deal.id, "Events  1", event)]
    assert places == sorted(places)
    assert "Messages" not in shown
    found = [json.loads(line) for line in served("search", "zebra", "-o", "jsonl").out.splitlines()]
    assert [(each["kind"], each["id"]) for each in found] == [
        ("contact", contact.id), ("deal", deal.id), ("event", event),
    ]  # fmt: skip
    only = served("search", "zebra", "crossing", "--type", "events").json
    assert [len(only[kind]) for kind in ("contacts", "deals", "messages", "events")] == [0, 0, 0, 1]
    assert "tags: striped" in drawn("search", "striped")
    for number in range(3):
        client.deals.create({"title": f"Zebra {number}", "value": number})
    assert "  + 2 more" in drawn("search", "zebra", "--type", "deals", "--limit", "2")


def test_the_match_is_highlighted_where_the_terminal_can(
    served: Crm, client: CrmClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.deals.create({"title": "Besuch in ZÜRICH", "description": "x" * 300})
    words = ("search", "zurich", "--type", "deals", "-o", "table")
    assert "\x1b" not in served(*words).out
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[1;4;33mZÜRICH\x1b[0m" in served(*words).out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;4mZÜRICH\x1b[0m" in served(*words).out


# -- workflows runs --------------------------------------------------------------------------------------------------


@pytest.mark.thorough
def test_runs_show_their_steps_with_marks(served: Crm, stub: StubServer, drawn: Callable[..., str]) -> None:
    client = stub.client(dialects="platform")
    made = client.workflows.create(
        {
            "name": "Marks",
            "entity_type": "lead",
            "triggers": [{"type": "manual"}],
            "actions": [
                {"name": "Say where", "spec": {"type": "update_field", "field": "company", "value": "Nowhere Ltd"}},
                {"spec": {"type": "create_task", "title": "Ring {{name}}"}},
                {"on_error": "continue", "spec": {"type": "send_email", "to": "owner", "subject": "x", "body": "y"}},
                {"spec": {"type": "wait", "minutes": 90}},
            ],
        }
    )
    client.workflows.activate(made.id)
    lead = client.leads.create({"name": "Ada", "owner_id": None})
    run = client.workflows.execute(made.id, entity_id=lead.id)
    client.workflows.test(made.id, entity_id=lead.id)
    page = drawn("workflows", "runs", made.id, width=120)
    for told in (
        run.id, "Ada", "manual", "✓  Say where", "company: nothing → Nowhere Ltd", "→ Ring Ada", "✗  send_email: x",
        "NO_ADDRESS", "…  wait", "until ", "2 executions", "test",
    ):  # fmt: skip
        assert told in page, page
    assert "1 execution" in drawn("workflows", "runs", run.id)
    assert [one["id"] for one in served("workflows", "runs", made.id, "--status", "waiting").json] == [run.id]
    assert len(served("workflows", "runs", made.id, "--limit", "1").json[0]["steps"]) == 4
    client.workflows.deactivate(made.id, cancel_waiting=True)
    assert "⊘" in drawn("workflows", "runs", run.id) and "–  wait" in drawn("workflows", "runs", run.id)
