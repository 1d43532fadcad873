"""What is noticed about a contact, and what its figures are made of: where each rule begins and ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from server_stub.services.contacts import health
from server_stub.services.contacts.insights import insights, turning_points
from server_stub.services.contacts.talks import communication

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
DAY, MOMENT = timedelta(days=1), timedelta(microseconds=1)
KNOWN: Any = {
    "id": "contact_1", "email": "a@x.example", "phone": "+49301", "created_at": NOW - 300 * DAY,
    "last_contact": NOW, "next_follow_up": None, "health_score": 60, "relationship_health": "high",
}  # fmt: skip


def talk(at: int = 0, **given: Any) -> dict[str, Any]:
    return {
        "id": f"note_{at}", "date": NOW - at * DAY, "subject": None, "summary": "Fine", "sentiment": "neutral", **given
    }  # fmt: skip


def deal(status: str, **given: Any) -> dict[str, Any]:
    return {"id": f"deal_{status}", "title": status.title(), "status": status, "value": 5, "updated_at": NOW, **given}


def test_insights_are_the_surest_first_and_each_has_its_occasion() -> None:
    def found(changed: Any, talks: Any = (), deals: Any = ()) -> list[tuple[Any, ...]]:
        many = insights({**KNOWN, **changed}, talks, deals, NOW)
        assert all(one["actionable"] is (one["suggested_action"] is not None) for one in many)
        return [(one["title"], one["confidence"], one["date"], one["suggested_action"]) for one in many]

    silent, month = {"last_contact": NOW - 30 * DAY}, timedelta(days=30)
    week, plan = "Get in touch this week", "Plan a follow-up"
    assert found({}) == found(silent) == []
    at = NOW - MOMENT
    assert found({"last_contact": at - month}) == [
        ("No follow-up is planned", 60, at, plan), ("No contact for 30 days", 57, at, week),
    ]  # fmt: skip
    assert found({"last_contact": NOW - 500 * DAY}) == [
        ("No contact for 500 days", 95, NOW - 470 * DAY, week), ("No follow-up is planned", 60, NOW - 470 * DAY, plan),
    ]  # fmt: skip
    assert found({"last_contact": None}) == [("No follow-up is planned", 60, NOW - 270 * DAY, plan)]
    assert found({"last_contact": None, "do_not_contact": True}) == []
    assert found({"last_contact": None, "next_follow_up": NOW + MOMENT}) == []
    assert found({"last_contact": None, "next_follow_up": NOW}) == [
        ("The follow-up is overdue", 90, NOW, "Follow up today")
    ]
    for missing, words in (("email", "e-mail address"), ("phone", "phone number")):
        assert found({missing: None}) == [(f"No {words}", 55, NOW - 300 * DAY, f"Find out the {words}")]
    assert [one[0] for one in found({"email": "", "phone": ""})] == ["No e-mail address and no phone number"]
    (both,) = insights({**KNOWN, "email": None, "phone": None}, (), (), NOW)
    assert both["suggested_action"] == "Find out the e-mail address and the phone number"
    # what was said
    bad = talk(2, sentiment="negative", summary="That went wrong")
    assert found({}, [bad]) == [
        ("The last conversation went badly", 75, bad["date"], "Call back and settle what went wrong")
    ]
    assert found({}, [talk(1), bad]) == found({}, [{**bad, "ours": True}]) == []
    leaving = "We want to cancel, yes, cancel the contract"
    review = ("May be about to leave", 85, NOW - 4 * DAY, "Offer a review with the owner")
    far = [*(talk(at) for at in range(4)), talk(4, summary=leaving), talk(5, summary=leaving)]
    assert [one for one in found({}, far) if one[1] != 70] == [review]
    assert [one for one in found({}, far[1:]) if one[1] != 70] == [review]
    assert [one for one in found({}, [talk(0), *far]) if one[1] != 70] == []
    (told,) = insights(KNOWN, [talk(4, summary=leaving)], (), NOW)
    assert told["description"] == "Talked of: cancel"
    # the deals
    opened, won, next_step = deal("open"), deal("won", id="deal_2"), "Suggest the next step of the deal"
    assert found({}, (), [opened]) == [("Good moment for Open", 75, NOW, next_step)]
    better = deal("open", value=None, title="None"), deal("open", value=9, title="Best"), opened
    assert found({"health_score": None}, (), better) == [("Good moment for Best", 45, NOW, next_step)]
    assert found({"health_score": 100}, (), [won, opened]) == [("Good moment for Open", 95, NOW, next_step)]
    assert found({"sentiment": "negative"}, (), [opened]) == found({"health_score": 59}, (), [won]) == []
    assert found({"sentiment": "negative"}, (), [opened, won]) == found({}, (), [deal("lost")]) == []
    extend, old = "Propose an extension", deal("won", updated_at=NOW - DAY, title="Old")
    assert found({}, (), [old, won]) == found({}, (), [won, old]) == [("Ready for more", 70, NOW, extend)]
    assert found({"health_score": 100}, (), [won]) == [("Ready for more", 90, NOW, extend)]
    # the tone of the last ten conversations
    good, sour = "Great, excellent, thank you, wonderful", "Terrible, awful, unacceptable, very angry"
    talks = [talk(at, summary=good if at < 6 else sour) for at in range(12)]
    (trend,) = insights(KNOWN, talks, (), NOW)
    assert (trend["type"], trend["title"], trend["description"], trend["confidence"], trend["date"]) == (
        "trend", "The tone is improving", "Seen over the last 10 conversations.", 70, NOW,
    )  # fmt: skip
    assert (trend["actionable"], trend["suggested_action"]) == (False, None)
    assert "Seen over the last 4 conversations." in {one["description"] for one in insights(KNOWN, talks[4:8], (), NOW)}


def test_time_alone_changes_insights_at_what_is_known_of_them() -> None:
    doc = {"last_contact": NOW - DAY, "created_at": NOW - 2 * DAY, "next_follow_up": NOW + 3 * DAY}
    said: Any = [
        {"kind": "event", "start_time": NOW + 5 * DAY}, {"kind": "event", "start_time": None},
        {"kind": "call", "start_time": NOW + 6 * DAY}, {"content": "a message"},
    ]  # fmt: skip
    assert list(turning_points(doc, said)) == [
        NOW + 29 * DAY + MOMENT, NOW + 28 * DAY + MOMENT, NOW + 3 * DAY, NOW + 5 * DAY,
    ]  # fmt: skip
    assert list(turning_points({"created_at": NOW, "last_contact": None}, [])) == [NOW + 30 * DAY + MOMENT]


def test_what_was_said_is_an_email_a_call_a_note_or_a_meeting_that_took_place() -> None:
    for kind in ("task", "file", "stage_change"):
        assert communication({"id": "1", "kind": kind, "start_time": NOW}, NOW) is None
    meeting: Any = {"id": "1", "kind": "event", "title": "Talk", "start_time": NOW, "status": "scheduled"}
    for changed, counts in (
        ({}, True), ({"start_time": NOW + MOMENT}, False), ({"status": "cancelled"}, False),
        ({"status": "no-show"}, False), ({"start_time": NOW + DAY, "status": "completed"}, True),
        ({"start_time": None}, False),
    ):  # fmt: skip
        assert (communication({**meeting, **changed}, NOW) is not None) is counts, changed
    times = {
        "sent_at": NOW, "received_at": NOW + DAY, "start_time": NOW + 2 * DAY, "occurred_at": NOW + 3 * DAY,
        "created_at": NOW + 4 * DAY,
    }  # fmt: skip
    names = list(times)
    for at, name in enumerate(names):
        left: Any = {"id": "1", "kind": "email"} | {one: times[one] for one in names[at:]}
        assert (communication(left, NOW) or {})["date"] == times[name]
    said: Any = {
        "description": "Described", "body": "Body", "body_text": "Text", "subject": "Subject", "title": "Title"
    }  # fmt: skip
    for kind, outcome, without, subject, summary in (
        ("event", {"summary": "Outcome"}, (), "Subject", "Outcome"),
        ("call", "connected", (), "Subject", "Described"),
        ("call", None, ("description", "subject"), "Title", "Body"),
        ("note", None, ("description", "subject"), None, "Body"),
        ("email", None, ("description", "body"), "Subject", "Text"),
        ("email", None, ("description", "body", "body_text"), "Subject", "Subject"),
        ("call", None, ("description", "body", "body_text", "subject"), "Title", "Title"),
        ("note", None, ("description", "body", "body_text", "subject", "title"), None, ""),
    ):
        one: Any = {
            "id": "1", "kind": kind, "created_at": NOW, "outcome": outcome, "status": "completed",
            **{name: text for name, text in said.items() if name not in without},
        }  # fmt: skip
        shown: Any = communication(one, NOW)
        assert (shown["type"], shown["subject"], shown["summary"]) == (
            "meeting" if kind == "event" else kind, subject, summary,
        )  # fmt: skip
    judged: Any = {"id": "1", "kind": "note", "created_at": NOW, "body": "Terrible", "sentiment": "positive"}
    assert (communication(judged, NOW) or {})["sentiment"] == "negative"
    assert (communication(judged | {"ai_analysis": "Said so"}, NOW) or {})["sentiment"] == "positive"


def test_health_and_churn_risk_are_what_silence_tone_and_deals_make_them() -> None:
    def figures(days: float, talks: Any = (), deals: Any = (), **changed: Any) -> tuple[int, int]:
        doc = {**KNOWN, "last_contact": NOW - timedelta(days=days), **changed}
        points = [health.health_factors(doc, talks, deals, NOW), health.churn_factors(doc, talks, deals, NOW)]
        return tuple(sum(one.points for one in found) for found in points)  # type: ignore[return-value] # of two

    assert [figures(days) for days in (7, 8, 14, 15, 30, 31, 60, 61, 90, 91, 180, 181)] == [
        (20, -10), (15, -10), (15, -10), (10, 0), (10, 0), (0, 15), (0, 15), (-10, 25), (-10, 25), (-20, 35),
        (-20, 35), (-30, 45),
    ]  # fmt: skip
    assert figures(0, last_contact=None, created_at=NOW) == (0, 15)
    assert figures(0, last_contact=None, created_at=NOW - 29 * DAY) == (0, 15)
    assert figures(0, last_contact=None, created_at=NOW - 30 * DAY) == (-10, 25)
    assert figures(0, next_follow_up=NOW) == (20, -10)
    assert figures(0, next_follow_up=NOW - MOMENT) == (15, -5)
    assert [figures(0, status=status)[0] for status in ("active", "inactive", "archived")] == [20, 10, 10]
    for status, health_points, risk_points in (("open", 4, -5), ("won", 5, -5), ("lost", -4, 6)):
        assert [figures(0, deals=[deal(status)] * count) for count in (1, 3, 4)] == [
            (20 + count * health_points, -10 + count * risk_points) for count in (1, 3, 3)
        ]
    talks = [talk(at, ours=True) for at in range(7)]
    assert [figures(0, talks[:count])[0] for count in (1, 5, 6)] == [22, 30, 30]
    assert figures(0, [one | {"conversation_id": "conv_1"} for one in talks])[0] == 22
    assert [figures(0, [talk(at, ours=True)])[0] for at in (90, 91)] == [22, 20]
    doc: Any = {"health_score": 1}
    for name, value, holds in (
        ("high-value", {"total_value": "25000"}, True), ("high-value", {"total_value": "24999.99"}, False),
        ("at-risk", {"churn_risk": 60}, True), ("at-risk", {"churn_risk": 59}, False), ("at-risk", {}, False),
        ("recent", {"last_contact": NOW - 7 * DAY}, True), ("recent", {"last_contact": NOW - 7 * DAY - MOMENT}, False),
        ("recent", {}, False), ("high-value", {}, False), ("all", {}, True),
    ):  # fmt: skip
        assert health.named_filter(name, NOW)(doc | value) is holds, (name, value)


def test_a_follow_up_is_needed_at_its_time_or_after_thirty_days_of_silence() -> None:
    old = {"created_at": NOW - 30 * DAY - MOMENT}
    for doc, needed in (
        (old, True), ({"created_at": NOW - 30 * DAY}, False), (old | {"last_contact": NOW}, False), ({}, False),
        (old | {"status": "archived"}, False), (old | {"do_not_contact": True}, False),
        (old | {"next_follow_up": NOW + MOMENT}, False), ({"next_follow_up": NOW}, True),
    ):  # fmt: skip
        assert health.needs_follow_up(doc, NOW) is needed, doc


def test_a_tone_moves_when_its_newer_half_is_another_than_the_older() -> None:
    good, sour = "Great, excellent, thank you, wonderful", "Terrible, awful, unacceptable, very angry"

    def moved(words: str, **given: Any) -> str:
        named = {"+": good, "-": sour, "0": "At ten"}
        return health.trend([talk(at, summary=named[word], **given) for at, word in enumerate(words)])

    for words, trend in (
        ("+--", "stable"), ("++--", "improving"), ("--++", "declining"), ("++++", "stable"), ("00--", "improving"),
        ("--000", "declining"), ("++000-----++++", "improving"), ("0000", "stable"),
    ):  # fmt: skip
        assert moved(words) == trend, words
    assert moved("++--", ours=True) == "stable"
    assert health.churn_factors(KNOWN, [talk(0)], (), NOW)[-1].points == -10
    declining = [talk(at, summary=sour if at < 2 else good) for at in range(4)]
    labels = [(one.label, one.points) for one in health.churn_factors(KNOWN, declining, (), NOW, tone=0.0)]
    assert labels == [("last contact 0 days ago", -10), ("the tone is getting worse", 10)]
    for tone, points in ((0.05, (1, -2)), (-0.05, (-1, 2)), (0.04, ()), (-0.04, ())):
        factors = [
            make(KNOWN, [talk(0, ours=True)], (), NOW, tone=tone)
            for make in (health.health_factors, health.churn_factors)
        ]
        assert tuple(one.points for found in factors for one in found if "tone of late" in one.label) == points
    for tone, quiet in ((-0.19, 20), (-0.9, 0)):
        assert health.health_factors(KNOWN, (), (), NOW, tone=tone)[0].points == quiet
    assert [health.mood([talk(at, summary=word)], NOW) > 0 for at, word in ((0, good), (-9, good), (0, sour))] == [
        True, True, False,
    ]  # fmt: skip
    assert health.mood([], NOW) == health.mood([talk(0, ours=True, summary=good)], NOW) == 0.0
    assert health.mood([talk(0, summary="At ten", sentiment="positive")], NOW) == 0.5
    assert health.mood([talk(0, summary="At ten", sentiment="negative")], NOW) == -0.5
    mixed = [talk(0, summary="x", sentiment="positive"), talk(30, summary="x", sentiment="negative")]
    assert abs(health.mood(mixed, NOW) - 0.25 / 1.5) < 1e-9
    assert health.mood([*(talk(0, summary="x") for _ in range(10)), talk(0, sentiment="positive")], NOW) == 0.0
