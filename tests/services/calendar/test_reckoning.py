"""What is reckoned of meetings: conflicts, ways, hours of work, free times, and what they are prepared with."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.services.calendar.conflicts import Plan, clashes, conflicts, gravest_first, travel
from server_stub.services.calendar.feeds import calendar_owners
from server_stub.services.calendar.preparation import (
    computed_from_records,
    computed_members,
    deal_behind,
    prepare,
    uid_of,
)
from server_stub.services.calendar.working_time import (
    Hours,
    first_free,
    is_free,
    is_in_calendar,
    is_invited,
    takes_time,
)

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2026, 1, 15, 9, tzinfo=UTC)
"""A Thursday, at four in the morning in New York."""
TEN = datetime(2026, 1, 15, 15, tzinfo=UTC)
"""Ten o'clock of that day in New York."""


def after(minutes: float, length: float = 60, start: datetime = TEN, **members: Any) -> Plan:
    """Return a plan that begins so many minutes after ten o'clock."""
    begin = start + timedelta(minutes=minutes)
    whole: dict[str, Any] = {"title": "P", "type": "personal", **members}
    return Plan(whole.pop("title"), begin, begin + timedelta(minutes=length), **whole)


def told(plan: Plan, *others: Plan, now: datetime = NOW) -> list[tuple[str, str]]:
    return [(one["type"], one["severity"]) for one in conflicts(plan, others, ZONE, now)]


def event(**members: Any) -> Document:
    usual: dict[str, Any] = {
        "id": "event_1", "title": "E", "start_time": TEN, "end_time": TEN + timedelta(hours=1), "status": "scheduled",
    }  # fmt: skip
    return Document({**usual, **members})


def test_what_stands_in_each_others_way() -> None:
    plan = after(0)
    cases: list[tuple[Plan, list[tuple[str, str]]]] = [
        (after(-60), [("back-to-back", "medium")]), (after(60), [("back-to-back", "medium")]),
        (after(-61), [("back-to-back", "low")]), (after(61), [("back-to-back", "low")]),
        (after(-74), [("back-to-back", "low")]), (after(-75), []), (after(74), [("back-to-back", "low")]),
        (after(75), []),
        (after(-59), [("double-booking", "high")]), (after(59), [("double-booking", "high")]),
        (after(10, 10), [("double-booking", "high")]), (after(-30, 120), [("double-booking", "high")]),
    ]  # fmt: skip
    for other, wanted in cases:
        assert told(plan, other) == wanted, other
    assert told(after(0, id="a"), after(0, id="a")) == [] and told(after(0, id="a"), after(0, id="b")) != []
    assert told(after(0), after(0)) == [("double-booking", "high")], "two without an id are two"
    assert [one["message"] for one in conflicts(plan, [after(-60), after(65, title="Q")], ZONE, NOW)] == [
        "P (Thu 2026-01-15 10:00): no break between it and P (09:00–10:00)",
        "P (Thu 2026-01-15 10:00): only 5 minutes between it and Q (11:05–12:05)",
    ]
    (clash,) = conflicts(plan, [after(30, title="Q")], ZONE, NOW)
    assert clash["message"] == "P (Thu 2026-01-15 10:00) overlaps with Q (10:30–11:30)"


def test_the_way_between_two_places() -> None:
    plan = after(0, location="A St 1, Austin, US")
    far, near = "B St 2, Berlin, DE", "B St 9, Austin, US"
    for other, wanted in (
        (after(60 + 240, location=far), []), (after(60 + 239, location=far), [("travel-time", "medium")]),
        (after(60 + 210, location=far), [("travel-time", "high")]),
        (after(60 + 211, location=far), [("travel-time", "medium")]),
        (after(60 + 241, location=far), []), (after(60 + 25, location=near), []),
        (after(60 + 24, location=near), [("travel-time", "medium")]),
        (after(-60 - 24, location=near), [("travel-time", "medium")]),
        (after(60 + 24), []),
    ):  # fmt: skip
        assert told(plan, other) == wanted, other
    (way, _) = conflicts(plan, [after(70, location=near)], ZONE, NOW)
    assert way["message"] == "P (Thu 2026-01-15 10:00) and P (11:10–12:10) lie 25 minutes apart, with 10 between them"
    cases: dict[tuple[str | None, str | None], int] = {
        (None, "a"): 0, ("a", None): 0, ("", "a"): 0, ("Room 1", "room 1 "): 0, ("Zoom", "Main St 1, Austin, US"): 0,
        ("Main St 1, Austin, US", "Teams call"): 0, ("Main St 1, Austin, US", "Other 2, Austin, US"): 25,
        ("Main St 1, Austin, US", "Other 2, Dallas, US"): 90, ("Main St 1, Austin, US", "Other 2, Berlin, DE"): 240,
        ("Austin, US", "Austin, US "): 0, ("Austin, US", "Dallas, US"): 25, ("Austin, US", "Berlin, DE"): 90,
        ("Main St 1, Austin, US", "Austin, US"): 25, ("Main St 1, Austin, US", "Dallas, US"): 90, ("Room one",
        "Room two"): 25,
        ("Room one", "Hall two"): 90, ("Room A", "Room, Austin"): 25, ("Phoneland", "Hall"): 90,
    }  # fmt: skip
    assert {pair: travel(*pair) for pair in cases} == cases


def test_the_time_to_prepare() -> None:
    def ahead(minutes: float, kind: str, *others: Plan) -> list[tuple[str, str]]:
        return told(after(0, type=kind), *others, now=TEN - timedelta(minutes=minutes))

    for kind, needed in (("demo", 45), ("meeting", 30), ("call", 15), ("follow-up", 15), ("internal", 10), ("odd", 30)):
        assert ahead(needed, kind) == [] and ahead(needed - 1, kind) == [("preparation", "high")]
    assert ahead(1, "personal") == [] and ahead(0, "demo") == [] and ahead(-5, "demo") == []
    before = after(-60 - 20)
    assert ahead(600, "demo", before) == [("preparation", "medium")]
    assert ahead(600, "meeting", before) == [("preparation", "low")] and ahead(600, "call", before) == []
    assert ahead(600, "meeting", before, after(-60 - 200)) == [("preparation", "low")], "the nearest before it counts"
    assert ahead(600, "meeting", after(-60 - 200), before) == [("preparation", "low")]
    assert ahead(600, "meeting", after(60 + 20)) == [], "what comes later takes none of it"
    (one,) = conflicts(after(0, type="demo"), [], ZONE, TEN - timedelta(minutes=7))
    assert one["message"] == "P (Thu 2026-01-15 10:00) needs 45 minutes of preparation, and 7 are free before it"


def test_clashes_are_those_of_what_is_to_come() -> None:
    docs = [event(id="b", title="B", type="personal"), event(id="a", title="A", type="personal")]
    (one,) = clashes(docs, ZONE, NOW)
    assert one["message"].startswith("B (") and "with A (" in one["message"]
    for members in ({"status": "cancelled"}, {"status": "completed"}, {"status": "no-show"}):
        assert clashes([docs[0], docs[1] | members], ZONE, NOW) == []
    assert (
        clashes(docs, ZONE, TEN + timedelta(hours=1)) == [] and clashes(docs, ZONE, TEN + timedelta(minutes=59)) != []
    )
    found = [{"type": "x", "message": name, "severity": gravity} for name, gravity in (
        ("1", "low"), ("2", "high"), ("3", "medium"), ("2", "high"), ("4", "high"))]  # fmt: skip
    assert [one["message"] for one in gravest_first(found)] == ["2", "4", "3", "1"]
    known = Plan.of(event(type=None, location="Here"))
    assert (known.type, known.location, known.id) == ("meeting", "Here", "event_1")
    assert Plan.of(event(type="demo", location="Here", meeting_link="https://x.example")).location is None
    assert Plan.of(event(type="demo")).type == "demo"


def test_hours_of_work() -> None:
    office, day = Hours(ZONE, None), date(2026, 1, 15)

    def spans(hours: Hours, day: date) -> list[str]:
        return [f"{begin:%H:%M}-{end:%H:%M}" for begin, end in hours.spans(day)]

    assert spans(office, day) == ["09:00-17:30"] and spans(office, date(2026, 1, 17)) == []
    own: Any = {
        "days": [{"weekday": 3, "start": "08:00", "end": "12:00"}, {"weekday": 3, "start": "13:00", "end": "15:00"}],
        "holidays": [date(2026, 1, 22)],
    }
    hours = Hours(ZONE, own)
    assert spans(hours, day) == ["08:00-12:00", "13:00-15:00"] and spans(hours, date(2026, 1, 16)) == []
    assert spans(hours, date(2026, 1, 22)) == [] and spans(hours, date(2026, 1, 29)) != []
    minute = timedelta(minutes=1)
    nine = datetime(2026, 1, 15, 14, tzinfo=UTC)
    close = nine + timedelta(hours=8, minutes=30)
    for start, end, within in (
        (nine, close, True), (nine - minute, close, False), (nine, close + minute, False), (nine, nine + minute, True),
    ):  # fmt: skip
        assert office.contain(start, end) is within
    starts = [f"{one.astimezone(ZONE):%H:%M}" for one in hours.starts(day, 60)]
    assert starts == ["08:00", "08:30", "09:00", "09:30", "10:00", "10:30", "11:00", "13:00", "13:30", "14:00"]
    assert [f"{one.astimezone(ZONE):%H:%M}" for one in hours.starts(day, 120, step=60)] == [
        "08:00",
        "09:00",
        "10:00",
        "13:00",
    ]
    assert list(hours.starts(day, 300)) == []


def test_free_times() -> None:
    taken, hour, room = [event()], timedelta(hours=1), timedelta(minutes=10)
    for start, free, roomy in (
        (TEN - hour, True, False), (TEN + hour, True, False), (TEN - hour - room, True, True),
        (TEN + hour + room, True, True),
        (TEN - hour + timedelta(minutes=1), False, False), (TEN + timedelta(minutes=59), False, False),
        (TEN, False, False),
    ):  # fmt: skip
        assert (is_free(taken, start, start + hour), is_free(taken, start, start + hour, room)) == (free, roomy)
    office = Hours(ZONE, None)
    assert first_free(office, taken, NOW, 60) == TEN - hour, "nine o'clock"
    assert first_free(office, taken, TEN, 60) == TEN + hour
    assert first_free(office, taken, TEN - hour + timedelta(minutes=7), 60) == TEN + hour
    assert first_free(office, [], TEN + timedelta(minutes=7), 60) == TEN + timedelta(minutes=7)
    assert first_free(office, taken, TEN, 60, room) == TEN + timedelta(minutes=90)
    late = datetime(2026, 1, 16, 22, tzinfo=UTC)
    assert first_free(office, [], late, 60) == datetime(2026, 1, 19, 14, tzinfo=UTC), "Friday evening: Monday at nine"
    never = Hours(ZONE, {"days": [{"weekday": 9, "start": "09:00", "end": "10:00"}]})
    assert first_free(never, [], TEN, 60) == TEN


def test_whose_an_event_is() -> None:
    def guest(id: str, status: str = "needs_action") -> dict[str, Any]:
        return {"user_id": id, "status": status}

    own, of_another = event(owner_id="user_1"), event(owner_id="user_2", attendees=[guest("user_3"), guest("user_1")])
    declined = event(owner_id="user_2", attendees=[guest("user_1", "declined")])
    assert [is_in_calendar(doc, "user_1") for doc in (own, of_another, declined, event())] == [True, True, False, False]
    assert is_in_calendar(declined, None)
    assert [is_invited(doc, "user_1") for doc in (own, of_another, declined, event())] == [True, True, True, False]
    for members, takes in (({}, True), ({"busy": False}, False), ({"busy": True}, True), ({"busy": None}, True),
                           ({"status": "cancelled"}, False), ({"status": "completed", "busy": True},
                           False)):  # fmt: skip
        assert takes_time(event(**members)) is takes
    entry: Any = {"changes": [
        {"field": "owner_id", "before": "user_8", "after": "user_2"}, {"field": "title", "before": "user_0"},
        {"field": "attendees", "before": [guest("user_9")]}, {"field": "attendees", "before": None},
    ]}  # fmt: skip
    assert list(calendar_owners(entry, of_another)) == ["user_2", "user_3", "user_1", "user_8", "user_9"]
    assert list(calendar_owners({"changes": []}, event(owner_id=None))) == [None]
    assert (uid_of(event(uid="x")), uid_of(event())) == ("x", "event_1@crm.invalid")


# -- what a meeting is prepared with -----------------------------------------------------------------------------------


def deal(**members: Any) -> dict[str, Any]:
    return {"id": "deal_1", "title": "D", "stage": "proposal", "value": Decimal(1000), "currency": "USD",
    "status": "open",
            "probability": 40, **members}  # fmt: skip


def test_which_deal_is_behind_a_meeting() -> None:
    small, large, won = (
        deal(),
        deal(id="deal_2", value=Decimal(5000)),
        deal(id="deal_3", status="won", value=Decimal(9000)),
    )
    assert deal_behind([small, large, won], None) is large and deal_behind([small, large], won) is won
    assert deal_behind([won], None) is None and deal_behind([deal(id="a", value=None), deal(id="b")], None)["id"] == "b"  # type: ignore[index] # there is one
    same = deal(id="deal_9")
    assert deal_behind([same, small], None) is same


def test_talking_points_and_documents() -> None:
    eva: Any = {
        "name": "Eva",
        "notes": ["likes tea"],
        "title": "CEO",
        "company": "Acme",
        "language": "de",
        "tags": ["vip", "x"],
    }
    plain = prepare("meeting", None, None, [], NOW)
    assert plain["suggested_talking_points"] == [
        "Agree on the goal of the meeting with everybody", "Close with who does what by when",
    ]  # fmt: skip
    assert (plain["documents_to_share"], plain["recent_interactions"], plain["deal_context"]) == (["Agenda"], [], None)
    assert (plain["competitor_intel"], plain["personal_notes"]) == (None, [])
    assert prepare("odd", None, None, [], NOW)["suggested_talking_points"] == plain["suggested_talking_points"]
    assert prepare("odd", None, None, [], NOW)["documents_to_share"] == []
    assert prepare("personal", eva, None, [], NOW)["suggested_talking_points"] == []
    found = prepare("demo", eva, deal(
        risk_factors=["slow"], next_step="Send it", competitor_mentioned="Rival", expected_close_date=date(2026, 3, 1),
        positive_signals=["keen"],
    ), [], NOW)  # fmt: skip
    assert found["suggested_talking_points"] == [
        "Show the two or three things Eva asked for, not everything", "Agree on who evaluates, and by when",
        "Walk through the proposal for «D» and collect objections", "Address the risk: slow",
        "Check the planned next step: Send it", "Say what sets us apart from Rival",
    ]  # fmt: skip
    assert found["documents_to_share"] == ["Product overview", "Demo script", "Proposal: D", "Comparison with Rival"]
    assert found["competitor_intel"] == ["Rival is in the running for D"]
    assert found["deal_context"] == (
        "D: proposal, 1,000 USD, 40 % likely; expected to close on 2026-03-01; "
        "risks: slow; signals: keen; competitor: Rival"
    )
    assert found["personal_notes"] == ["likes tea", "Eva is CEO, Acme", "Speaks de", "Tagged vip, x"]
    won = deal(
        stage="odd", status="won", value=None, currency=None, probability=None, expected_close_date=date(2026, 3, 1)
    )
    other = prepare("call", {"name": "Eva", "company": "Acme"}, won, [], NOW)
    assert other["deal_context"] == "D: odd, 0, 0 % likely" and other["personal_notes"] == ["Eva is Acme"]
    assert other["suggested_talking_points"][-1] == "Agree on the next step of «D»"
    assert other["documents_to_share"] == ["Notes: D"]


def test_birthdays_are_near_for_a_fortnight() -> None:
    for born, near in ((date(1980, 1, 15), True), (date(1980, 1, 29), True), (date(1980, 1, 30), False),
                       (date(1980, 1, 14), False), (date(1980, 12, 31), False)):  # fmt: skip
        notes = prepare("meeting", {"name": "Eva", "birthday": born}, None, [], NOW)["personal_notes"]
        assert notes == ([f"Birthday on {born:%d %B}"] if near else []), born
    end_of_year = datetime(2026, 12, 30, tzinfo=UTC)
    assert prepare("meeting", {"name": "E", "birthday": date(1980, 1, 3)}, None, [], end_of_year)["personal_notes"]


def test_what_was_said_lately() -> None:
    def talk(number: int, **members: Any) -> dict[str, Any]:
        return {"id": f"t{number}", "date": NOW - timedelta(days=number), "type": "call", "subject": f"S{number}",
                "summary": f"T{number}", **members}  # fmt: skip

    talks = [talk(n) for n in range(1, 8)]
    found = prepare("meeting", None, None, talks, NOW)
    assert found["recent_interactions"] == [f"2026-01-{15 - n:02}: call, S{n} – T{n}" for n in range(1, 6)]
    for members, text in (
        ({"sentiment": "negative"}, "2026-01-14: call, S1 – T1 (negative)"),
        ({"sentiment": "neutral"}, "2026-01-14: call, S1 – T1"),
        ({"summary": "S1"}, "2026-01-14: call, S1"), ({"subject": None}, "2026-01-14: call, T1"),
        ({"summary": None, "type": None}, "2026-01-14: S1"), ({"date": "yesterday"}, "yesterday: call, S1 – T1"),
        ({"date": None}, "call, S1 – T1"),
    ):  # fmt: skip
        assert prepare("meeting", None, None, [talk(1, **members)], NOW)["recent_interactions"] == [text]
    bad = prepare("meeting", None, None, [talk(1, sentiment="negative"), talk(2, sentiment="positive")], NOW)
    assert bad["suggested_talking_points"][-1] == "Begin with what went wrong: S1"
    good = prepare("meeting", None, None, [talk(1, sentiment="positive", subject=None)], NOW)
    assert good["suggested_talking_points"][-1] == "Build on the good mood: T1"
    leaving = prepare("meeting", {"name": "Eva"}, None, [talk(1, summary="We will cancel the contract")], NOW)
    assert leaving["competitor_intel"] and leaving["competitor_intel"][0].startswith("2026-01-14: Eva talked of: ")


def insights(
    doc: Document, contact: Any = None, deals: Any = (), talks: Any = (), now: datetime = NOW
) -> list[tuple[Any, ...]]:
    found = computed_members(doc, contact, deals, talks, now)["ai_insights"]
    for one in found:
        assert one["id"].startswith("insight_") and one["actionable"] is (one["suggested_action"] is not None)
    return [(one["type"], one["title"], one["confidence"], one["description"]) for one in found]


def test_insights_of_a_meeting() -> None:
    quiet = event(description="Agenda")
    assert insights(quiet) == []
    agenda = ("preparation", "No agenda yet", 70, "It begins within a day.")
    day = timedelta(days=1)
    for now, told in (
        (TEN - day, [agenda]),
        (TEN - day - timedelta(seconds=1), []),
        (TEN, [agenda]),
        (TEN + timedelta(seconds=1), []),
    ):
        assert insights(event(), now=now) == told
    over = ("follow-up", "What came of it?", 85, "It is over, and no outcome is noted.")
    assert (
        insights(quiet, now=TEN + timedelta(hours=1, seconds=1)) == [over]
        and insights(quiet, now=TEN + timedelta(hours=1)) == []
    )
    assert insights(event(status="completed"), now=TEN + day) == []
    outcome = {"follow_up_required": True, "summary": "Agreed"}
    assert insights(event(status="completed", outcome=outcome)) == [
        ("follow-up", "A follow-up was agreed", 90, "Agreed")
    ]
    assert insights(event(status="completed", outcome={"follow_up_required": False})) == []
    risky = deal(risk_factors=["a", "b"], competitor_mentioned="Rival", probability=70)
    assert insights(quiet, deals=[risky]) == [
        ("risk", "Rival competes", 80, "Named for D."), ("risk", "D is at risk", 75, "a, b"),
        ("opportunity", "D can move on", 70, "It is 70 % likely."),
    ]  # fmt: skip
    assert (
        insights(quiet, deals=[deal(probability=69)]) == []
        and insights(quiet, deals=[deal(probability=90, status="won")]) == []
    )
    assert insights(quiet, deals=[deal(probability=10, positive_signals=["keen"])]) == [
        ("opportunity", "D can move on", 50, "keen")
    ]
    assert insights(quiet, deals=[deal(risk_factors=list("abcdef"))])[0][2] == 95
    talk = {"id": "t", "date": TEN - day, "sentiment": "negative", "summary": "Bad", "subject": "S", "type": "call"}
    bad = ("risk", "The last conversation went badly", 75, "Bad")
    assert insights(quiet, talks=[talk]) == [bad]
    assert (
        insights(quiet, talks=[talk | {"date": TEN}]) == [] and insights(quiet, talks=[talk | {"id": "event_1"}]) == []
    )
    named = computed_members(event(deal_id="deal_9"), None, [deal(), deal(id="deal_9", title="Own")], [], NOW)
    assert named["preparation"]["deal_context"].startswith("Own: ")


def test_what_an_event_of_the_demo_is_prepared_with_is_what_is_answered(stub: StubServer) -> None:
    crm, collections = stub.client(dialects="platform"), partial(stub.store.collection, "tenant_acme")
    bare = {"contact_id": None, "deal_id": None}
    for doc in [one for one in collections("activity").all() if one["kind"] == "event"]:
        answered: Any = crm.activities.get(doc["id"])
        now = stub.clock.now()
        for members, deal, contact in (({}, True, True), ({"deal_id": None}, False, True), (bare, False, False)):
            found = computed_from_records(doc | members, collections, now)
            if deal:
                assert found["preparation"] == answered.preparation.model_dump(exclude_unset=True)
                assert [one["id"] for one in found["ai_insights"]] == [one.id for one in answered.ai_insights]
            if not contact:
                assert found["preparation"]["deal_context"] is None and not found["preparation"]["personal_notes"]
