"""What is computed of a deal, from what happened on it and where it is: each rule with its bounds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from server_stub.services.deals import figures
from server_stub.services.deals.signals import competitor, evidence, read, text_of_activity

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


def happened(at: datetime | None, text: str = "", id: str = "note_1") -> dict[str, Any]:
    return {"id": id, "date": at, "description": text, "outcome": None, "next_step": None}


def test_an_activity_is_one_of_a_deal_by_its_kind_and_what_it_says() -> None:
    usual: Any = {"id": "a", "created_at": NOW, "occurred_at": NOW - DAY, "title": "Title"}
    for changed, wanted in (
        ({"kind": "task"}, None), ({"kind": "file"}, None),
        ({"kind": "note", "body": "Body"}, ("note", NOW - DAY, "Body", None, None)),
        ({"kind": "email", "body_text": "Text"}, ("email", NOW - DAY, "Text", None, None)),
        ({"kind": "email", "body_text": "Text", "body": "Body", "description": "Said"},
         ("email", NOW - DAY, "Said", None, None)),
        ({"kind": "call", "outcome": "connected"}, ("call", NOW - DAY, "Title", "connected", None)),
        ({"kind": "call", "occurred_at": None, "title": None}, ("call", NOW, "", None, None)),
        ({"kind": "event", "type": "demo"}, ("demo", NOW - DAY, "Title", None, None)),
        ({"kind": "event", "type": "call", "outcome": {"summary": "Good"}},
         ("meeting", NOW - DAY, "Title", "Good", None)),
        ({"kind": "event", "outcome": {}}, ("meeting", NOW - DAY, "Title", None, None)),
        ({"kind": "note", "type": "demo", "next_step": "Ask"}, ("note", NOW - DAY, "Title", None, "Ask")),
        ({"kind": "note", "next_step": "Ask", "outcome": "x",
          "deal_activity": {"type": "proposal", "outcome": "Sent", "next_step": "Wait"}},
         ("proposal", NOW - DAY, "Title", "Sent", "Wait")),
    ):  # fmt: skip
        found = figures.activity_of({**usual, **changed})
        names = ("type", "date", "description", "outcome", "next_step")
        assert (found and tuple(found[name] for name in names)) == wanted, changed
    told = [
        {"id": "a", "kind": "note", "occurred_at": NOW, "created_at": NOW},
        {"id": "b", "kind": "note", "occurred_at": NOW, "created_at": NOW},
        {"id": "c", "kind": "note", "occurred_at": NOW + SECOND, "created_at": NOW},
        {"id": "d", "kind": "note", "occurred_at": NOW + DAY, "created_at": NOW, "deal_activity": {}},
        {"id": "e", "kind": "task", "occurred_at": NOW, "created_at": NOW},
        {"id": "f", "kind": "note", "occurred_at": NOW - DAY, "created_at": NOW},
    ]  # fmt: skip
    assert [one["id"] for one in figures.past_activities(told, NOW)] == ["d", "b", "a", "f"]


def test_the_figures_of_a_deal_are_of_its_stage_and_what_was_said() -> None:
    open_deal: Any = {
        "status": "open", "stage": "proposal", "value": "200.50", "created_at": NOW - 10 * DAY, "last_activity": None,
        "stage_changed_at": NOW - 3 * DAY, "probability_override": None,
    }  # fmt: skip
    stage = {"probability": 40, "rotten_days": 9}
    calm = {
        "probability": 40, "confidence": "low", "weighted_value": Decimal("80.2"), "risk_factors": [],
        "positive_signals": [], "competitor_mentioned": None, "last_activity": NOW - 10 * DAY, "days_in_stage": 3,
        "is_rotten": True,
    }  # fmt: skip
    won: Any = {"status": "won", "probability_override": 10}
    day = NOW - 9 * DAY
    for deal, talks, at, changed in (
        ({}, [], stage, {}), ({}, [], {**stage, "rotten_days": 10}, {"is_rotten": False}),
        ({}, [], {**stage, "rotten_days": None}, {"is_rotten": False}),
        ({}, [], None, {"probability": 50, "weighted_value": Decimal("100.25"), "is_rotten": False}),
        ({"stage": "own"}, [], None, {"probability": 1, "weighted_value": Decimal("2.005"), "is_rotten": False}),
        ({"probability_override": 0}, [], stage, {"probability": 0, "weighted_value": Decimal(0)}),
        ({"probability_override": 90}, [], stage, {"probability": 90, "weighted_value": Decimal("180.45")}),
        (won, [], stage, {"confidence": "high", "days_in_stage": 0, "is_rotten": False}),
        ({"stage_changed_at": None}, [], stage, {"days_in_stage": 10}),
        ({"stage_changed_at": NOW + DAY}, [], stage, {"days_in_stage": 0}),
        ({"stage_changed_at": NOW - DAY + SECOND}, [], stage, {"days_in_stage": 0}),
        ({"created_date": day}, [], stage, {"last_activity": day, "is_rotten": False}),
        ({"last_activity": day - SECOND, "created_date": NOW}, [], stage, {"last_activity": day - SECOND}),
        ({"last_activity": NOW - DAY}, [], stage, {"last_activity": NOW - DAY, "is_rotten": False}),
        ({}, [happened(NOW)], stage, {"confidence": "medium", "last_activity": NOW, "is_rotten": False}),
        ({}, [happened(NOW + SECOND, "Budget approved")], stage, {}),
        ({}, [happened(NOW - 8 * DAY, "No response. Budget approved. Very interested. Zoho.")], stage,
         {"probability": 33, "confidence": "medium", "weighted_value": Decimal("66.165"),
          "risk_factors": ["No response"], "positive_signals": ["Budget approved", "Strong interest"],
          "competitor_mentioned": "Zoho", "last_activity": NOW - 8 * DAY, "is_rotten": False}),
        ({"probability_override": 5}, [happened(NOW - 8 * DAY, "Zoho.")], stage,
         {"probability": 5, "weighted_value": Decimal("10.025"), "competitor_mentioned": "Zoho",
          "last_activity": NOW - 8 * DAY, "is_rotten": False}),
    ):  # fmt: skip
        assert figures.complete({**open_deal, **deal}, talks, at, NOW) == calm | changed, (deal, at)


def test_the_named_filters_begin_and_end_here() -> None:
    today = date(2026, 3, 31)
    usual: Any = {
        "status": "open", "probability": 50, "risk_factors": [], "positive_signals": [], "competitor_mentioned": None,
        "is_rotten": False, "expected_close_date": None,
    }  # fmt: skip
    for changed, names in (
        ({}, ""), ({"probability": 70}, "hot"), ({"probability": 69}, ""), ({"probability": 70, "status": "won"}, ""),
        ({"is_rotten": True}, "at-risk"), ({"is_rotten": True, "status": "lost"}, ""),
        ({"risk_factors": ["a"]}, "at-risk"), ({"competitor_mentioned": "Zoho"}, "at-risk"),
        ({"risk_factors": ["a"], "positive_signals": ["b"]}, ""),
        ({"risk_factors": ["a"], "positive_signals": ["b"], "competitor_mentioned": "Zoho"}, "at-risk"),
        ({"risk_factors": ["a"], "positive_signals": ["b", "c"], "competitor_mentioned": "Zoho"}, ""),
        ({"expected_close_date": today}, "closing-soon"), ({"expected_close_date": today - DAY}, "at-risk"),
        ({"expected_close_date": today + 30 * DAY}, "closing-soon"), ({"expected_close_date": today + 31 * DAY}, ""),
        ({"expected_close_date": today, "status": "won"}, ""),
        ({"expected_close_date": today - DAY, "status": "won"}, ""),
    ):  # fmt: skip
        doc = usual | changed
        found = [name for name in ("hot", "at-risk", "closing-soon") if figures.filter_by_name([doc], name, today)]
        assert found == names.split(), changed
        assert figures.filter_by_name([doc], "all", today) == figures.filter_by_name([doc], None, today) == [doc]


def test_a_phrase_is_heard_with_gaps_and_endings_but_not_denied() -> None:
    for text, labels in (
        ("Budget approved", "Budget approved"), ("The budget was finally approved", "Budget approved"),
        ("budget that they then approved", ""), ("The budget, approved", ""), ("approved, the budget", ""),
        ("No budget approved", "Budget in doubt"), ("Without a budget approved", ""),
        ("not that now the budget approved", "Budget approved"), ("never had a budget approved", ""),
        ("No. Budget approved", "Budget approved"), ("budget not approved", ""), ("Budget isn't approved", ""),
        ("delay", "Delayed"), ("delays", "Delayed"), ("the delayed start", "Delayed"), ("relay", ""),
        ("no delays", ""), ("kein Budget", "Budget in doubt"), ("Muy interesados", "Strong interest"),
        ("Verzögerung", "Delayed"), ("Excited. Postponed.", "Strong interest|Delayed"),
        ("Postponed, but excited", "Delayed|Strong interest"), ("excited, excited", "Strong interest"),
        ("Excited, yet not convinced", "Strong interest|Concerns raised"), ("not excited", ""), ("", ""),
    ):  # fmt: skip
        assert [label for _, label, _ in read(text)] == [one for one in labels.split("|") if one], text
    assert read("Budget approved. No response. Zoho") == (
        ("signal", "Budget approved", "budget"), ("risk", "No response", "contact"),
        ("competitor", "Zoho", "competitor"),
    )  # fmt: skip


def test_a_competitor_is_the_one_that_is_named_else_a_known_or_an_unnamed_one() -> None:
    for text, name in (
        ("our competitor Blue Ocean is cheaper", "Blue Ocean"), ("competitors: Acme", "Acme"), ("vs. Acme", "Acme"),
        ("Compared to Acme and Zoho", "Acme"), ("not our competitor Acme", None), ("Wettbewerber Müller", "Müller"),
        ("They use hubspot", "HubSpot"), ("hubspotter", None), ("not Zoho, rather Pipedrive", "Pipedrive"),
        ("no Zoho", None), ("no competitor Acme but Zoho", "Zoho"), ("a competitor", "unnamed competitor"),
        ("no competitor", None), ("There are competing offers", "unnamed competitor"), ("the competition", None),
        ("No. A competitor", "unnamed competitor"), ("no sign so far of any competitor", "unnamed competitor"),
        ("", None),
    ):  # fmt: skip
        assert competitor(text) == name, text


def test_the_latest_said_of_a_topic_counts_and_nothing_ahead() -> None:
    old, new = happened(NOW - DAY, "Budget approved. Excited. Zoho", "1"), happened(NOW, "No budget. HubSpot", "2")
    undated, ahead = happened(None, "Postponed. No budget. Insightly", "0"), happened(NOW + SECOND, "Excited", "3")

    def heard(*talks: Any, now: datetime | None = NOW) -> tuple[Any, ...]:
        found = evidence(talks, now)
        told = [[(one.label, one.activity_id, one.date) for one in part] for part in (found.signals, found.risks)]
        return *told, found.competitor and (found.competitor.label, found.competitor.activity_id)

    assert heard() == ([], [], None)
    assert heard(new, old, undated) == heard(undated, old, new) == (
        [("Strong interest", "1", NOW - DAY)], [("Delayed", "0", None), ("Budget in doubt", "2", NOW)],
        ("HubSpot", "2"),
    )  # fmt: skip
    assert heard(ahead) == ([], [], None)
    assert heard(ahead, now=None) == ([("Strong interest", "3", NOW + SECOND)], [], None)
    assert heard(undated) == ([], [("Delayed", "0", None), ("Budget in doubt", "0", None)], ("Insightly", "0"))
    assert heard(old, happened(NOW, "Excited", "4"))[0] == [
        ("Budget approved", "1", NOW - DAY), ("Strong interest", "4", NOW),
    ]  # fmt: skip
    assert text_of_activity({"description": "a", "outcome": None, "next_step": "b"}) == "a. b"
    assert text_of_activity({"description": "a", "outcome": 5}) == "a. 5"
