"""What is read in the texts of a deal's activities, and what its figures make of when they happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from server_stub.services.deals.figures import complete, past_activities
from server_stub.services.deals.signals import UNNAMED, competitor, evidence, read

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
DAY, MOMENT = timedelta(days=1), timedelta(microseconds=1)


def test_a_phrase_counts_with_two_words_between_its_own_and_no_negation_within_three_before() -> None:
    approved, doubt = ("signal", "Budget approved", "budget"), ("risk", "Budget in doubt", "budget")
    for text, found in (
        ("Budget approved", [approved]), ("The BUDGET is approved!", [approved]), ("approved budget", [approved]),
        ("budget was now approved", [approved]), ("budget was finally now approved", []), ("Budget. Approved", []),
        ("budget is not approved", []), ("budget, approved", []), ("not a budget approved", []),
        ("not a whole budget approved", []), ("not at all the budget approved", [approved]),
        ("Not now; budget approved", [approved]), ("isn't budget approved", []), ("No budget approved", [doubt]),
        ("budget cuts", [doubt]), ("budgets approved", []), ("presupuesto recortado", [doubt]),
        ("budget approved. Budget frozen", [approved, doubt]), ("budget frozen, budget approved", [doubt, approved]),
        ("budget approved and budget approved", [approved]), ("", []),
    ):  # fmt: skip
        assert list(read(text)) == found, text
    assert read("Budget approved, versus Acme") == (approved, ("competitor", "Acme", "competitor"))


def test_a_competitor_is_named_known_or_only_mentioned() -> None:
    for text, name in (
        ("competitor: Acme Labs here", "Acme Labs"), ("versus Acme", "Acme"), ("versus acme", None),
        ("We like hubspot", "HubSpot"), ("not HubSpot", None), ("no vendors, but HubSpot", "HubSpot"),
        ("no competitor: Acme", None), ("a competitor", UNNAMED), ("no competitor", None),
        ("not HubSpot. A competing offer", UNNAMED), ("never a single other competitor", UNNAMED),
        ("HubSpot versus Acme", "Acme"), ("Pipedrive, and Salesforce", "Salesforce"), ("nobody", None),
    ):  # fmt: skip
        assert competitor(text) == name, text


def told(text: str, at: datetime | None, **more: Any) -> dict[str, Any]:
    return {"id": f"{text} {at}", "date": at, "description": text, **more}


def test_what_is_said_last_of_a_topic_holds_until_now() -> None:
    good, bad, rival = told("Budget approved", NOW), told("Budget frozen", NOW - DAY), told("versus Acme", NOW - DAY)
    for activities, signals, risks in (
        ([good, bad], ["Budget approved"], []), ([bad, good], ["Budget approved"], []),
        ([bad | {"date": NOW + MOMENT}, good], ["Budget approved"], []), ([bad | {"date": None}, good],
         ["Budget approved"], []), ([good | {"date": None}, bad], [], ["Budget in doubt"]),
        ([told("x", NOW, outcome="Budget approved")], ["Budget approved"], []),
        ([told("x", NOW, next_step="Excited", outcome="Delayed")], ["Strong interest"], ["Delayed"]),
        ([told("Budget", NOW, outcome="approved")], [], []),
    ):  # fmt: skip
        found = evidence(activities, NOW)
        assert [one.label for one in found.signals] == signals and [one.label for one in found.risks] == risks
    assert [one.label for one in evidence([good | {"date": NOW + DAY}]).signals] == ["Budget approved"]
    found = evidence([rival, told("versus Beta", NOW), good, told("Excited", NOW - 2 * DAY)], NOW)
    assert found.competitor is not None
    assert (found.competitor.label, found.competitor.date, found.competitor.activity_id) == (
        "Beta", NOW, f"versus Beta {NOW}",
    )  # fmt: skip
    assert [(one.label, one.date) for one in found.signals] == [
        ("Strong interest", NOW - 2 * DAY), ("Budget approved", NOW),
    ]  # fmt: skip


def test_figures_are_of_what_has_happened_by_now() -> None:
    deal: Any = {
        "status": "open", "stage": "proposal", "value": "200", "created_at": NOW - 9 * DAY, "stage_changed_at": None,
        "last_activity": None,
    }  # fmt: skip
    stage: Any = {"probability": 40, "rotten_days": 9}

    def figures(activities: Any = (), **changed: Any) -> dict[str, Any]:
        return complete({**deal, **changed}, activities, stage, NOW)

    changed: Any
    for activities, changed, last, rotten in (
        ([], {}, NOW - 9 * DAY, False), ([], {"created_at": NOW - 9 * DAY - MOMENT}, NOW - 9 * DAY - MOMENT, True),
        ([], {"created_at": NOW - 10 * DAY, "status": "won"}, NOW - 10 * DAY, False),
        ([], {"created_date": NOW - 3 * DAY}, NOW - 3 * DAY, False),
        ([], {"last_activity": NOW - DAY}, NOW - DAY, False),
        ([told("x", NOW)], {}, NOW, False), ([told("x", NOW + MOMENT)], {}, NOW - 9 * DAY, False),
        ([told("x", NOW - 10 * DAY)], {}, NOW - 9 * DAY, False),
    ):  # fmt: skip
        found = figures(activities, **changed)
        assert (found["last_activity"], found["is_rotten"]) == (last, rotten), (activities, changed)
    assert complete(deal | {"created_at": NOW - 99 * DAY}, [], {"probability": 40}, NOW)["is_rotten"] is False
    for changed, days in (
        ({}, 9), ({"stage_changed_at": NOW - 2 * DAY + MOMENT}, 1), ({"stage_changed_at": NOW + DAY}, 0),
        ({"status": "lost"}, 0),
    ):  # fmt: skip
        assert figures(**changed)["days_in_stage"] == days, changed
    for changed, probability in (
        ({"probability_override": 75}, 75), ({"probability_override": 0}, 0), ({}, 40),
        ({"probability_override": 75, "status": "won", "stage": "closed-won"}, 100),
    ):  # fmt: skip
        found = complete({**deal, **changed}, [], stage | {"probability": 100 if "status" in changed else 40}, NOW)
        assert (found["probability"], found["weighted_value"]) == (probability, Decimal(2 * probability)), changed


def test_past_activities_are_those_of_deals_and_what_was_recorded_on_them() -> None:
    base: Any = {"id": "1", "created_at": NOW - DAY}
    for activity, found in (
        ({"kind": "task"}, None), ({"kind": "call", "title": "T"}, ("call", NOW - DAY, "T", None, None)),
        ({"kind": "event", "type": "demo", "body": "B"}, ("demo", NOW - DAY, "B", None, None)),
        ({"kind": "event", "type": "meeting", "outcome": {"summary": "S"}}, ("meeting", NOW - DAY, "", "S", None)),
        ({"kind": "note", "occurred_at": NOW, "description": "D", "body": "B"}, ("note", NOW, "D", None, None)),
        ({"kind": "note", "occurred_at": NOW + MOMENT}, None), ({"kind": "email", "body_text": "B", "title": "T",
         "next_step": "N", "outcome": "O"}, ("email", NOW - DAY, "B", "O", "N")),
        ({"kind": "note", "occurred_at": NOW + DAY, "deal_activity": {"type": "proposal", "outcome": "O",
          "next_step": "N"}, "outcome": "P", "next_step": "M"}, ("proposal", NOW + DAY, "", "O", "N")),
    ):  # fmt: skip
        shown = [
            (one["type"], one["date"], one["description"], one["outcome"], one["next_step"])
            for one in past_activities([{**base, **activity}], NOW)
        ]
        assert shown == ([found] if found is not None else []), activity
    several = [{"id": id, "kind": "note", "created_at": at} for id, at in (("a", NOW), ("c", NOW - DAY), ("b", NOW))]
    assert [one["id"] for one in past_activities(several, NOW)] == ["b", "a", "c"]
