"""What `ai.deal_probability` computes: each term of the table, its caps, and the bounds of the answer."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.services.deals.probability import Weighing, weigh


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client()


def names(count: int) -> list[str]:
    return [f"Reason {number}" for number in range(count)]


def test_each_term_counts_up_to_its_cap(client: CrmClient) -> None:
    cases: list[Any] = [
        ("prospect", 0, 0, None, 10),
        ("proposal", 1, 0, None, 55),
        ("proposal", 4, 0, None, 70),
        ("proposal", 5, 0, None, 70),  # no more than four signals count
        ("proposal", 0, 1, None, 43),
        ("proposal", 0, 4, None, 22),
        ("proposal", 0, 5, None, 22),  # and no more than four risks
        ("proposal", 1, 1, "Blue Ocean", 38),
        ("qualified", 0, 4, "Blue Ocean", 1),  # an open deal is never impossible
        ("negotiation", 4, 0, None, 95),
        ("closed-won", 0, 4, "Blue Ocean", 100),  # what is closed is decided
        ("closed-lost", 4, 0, None, 0),
    ]
    for stage, signals, risks, competitor, expected in cases:
        found = client.ai.deal_probability(
            stage, positive_signals=names(signals), risk_factors=names(risks), competitor_mentioned=competitor
        )
        assert found.probability == expected
        assert f"{expected} %" in str(found.reasoning)


def test_an_open_deal_is_never_certain(client: CrmClient, stub: StubServer) -> None:
    stages = stub.store.collection("tenant_acme", "stage")
    for stage in stages.find("key", "negotiation"):
        stages.put(stage | {"probability": 90})
    assert client.ai.deal_probability("negotiation").probability == 90, "the company's own stage"
    assert client.ai.deal_probability("negotiation", positive_signals=names(4)).probability == 99


def test_the_confidence_is_of_activities_and_of_signals_against_risks(client: CrmClient, stub: StubServer) -> None:
    cases: list[Any] = [
        (0, 0, 0, "low"), (1, 0, 0, "medium"), (2, 0, 0, "high"), (5, 0, 1, "medium"), (0, 1, 0, "medium"),
        (1, 2, 1, "high"), (1, 1, 1, "medium"), (1, 1, 2, "low"), (2, 1, 1, "high"), (2, 1, 2, "medium"),
    ]  # fmt: skip
    for recent, signals, risks, expected in cases:
        told: list[Any] = [
            {"date": (stub.clock.now() - timedelta(days=1)).isoformat(), "description": "Spoke"} for _ in range(recent)
        ]
        found = client.ai.deal_probability(
            "proposal", activities=told, positive_signals=names(signals), risk_factors=names(risks)
        )
        assert found.confidence == expected


def test_activities_of_seven_days_count_and_one_without_a_date_does_not(client: CrmClient, stub: StubServer) -> None:
    cases: list[Any] = [
        (timedelta(days=-7, seconds=30), True), (timedelta(days=-7, seconds=-1), False), (timedelta(hours=1), False),
        (timedelta(), True), (None, False), ("naive", True),
    ]  # fmt: skip
    for date, counts in cases:
        now = stub.clock.now()
        told: dict[str, Any] = {"description": "Spoke"}
        if date == "naive":  # a date without a zone is in UTC
            told["date"] = (now - timedelta(hours=1)).replace(tzinfo=None).isoformat()
        elif date is not None:
            told["date"] = (now + date).isoformat()
        assert (client.ai.deal_probability("proposal", activities=[told]).confidence == "medium") == counts


def test_what_is_said_in_the_activities_counts_with_what_is_given_once(client: CrmClient) -> None:
    told: Any = [{"description": "Budget approved. They look at Blue Ocean too, our competitor."}]
    found = client.ai.deal_probability("proposal", activities=told, positive_signals=["budget approved"])
    assert found.probability == 50 + 5 - 10 and "for a competitor (unnamed competitor)" in str(found.reasoning)
    named = client.ai.deal_probability("proposal", activities=told, competitor_mentioned="Zoho")
    assert named.probability == 45 and "for a competitor (Zoho)" in str(named.reasoning)
    denied: Any = [{"description": "No budget.", "outcome": "Concerns"}]
    risky = client.ai.deal_probability("proposal", activities=denied, risk_factors=["CONCERNS RAISED", "Slow"])
    assert risky.probability == 50 - 3 * 7, "each once, in whatever letters"
    assert found.probability == client.ai.deal_probability("proposal", activities=told).probability
    other = client.ai.deal_probability("proposal", activities=told, positive_signals=["Something else"])
    assert other.probability == found.probability + 5


def test_a_stage_that_nobody_has_is_refused(client: CrmClient) -> None:
    error = refused(lambda: client.ai.deal_probability("nowhere"))
    assert (error.fields[0].field, error.fields[0].rule) == ("stage", "choice")


def test_what_is_computed_is_explained_term_by_term() -> None:
    sure = "the confidence is {}, with {} of the activities in the last 7 days. In all: {} %."
    cases: list[tuple[Weighing, int, str, str]] = [
        (weigh(50, [], [], None, recent=0), 50, "low", f"stage starts at 50 %; {sure.format('low', 0, 50)}"),
        (weigh(50, ["A", "B"], ["C"], "Rival", recent=2, stage="proposal"), 43, "high",
         "proposal starts at 50 %; +10 for positive signals (A, B); -7 for risk factors (C); -10 for a competitor"
         f" (Rival); {sure.format('high', 2, 43)}"),
        (weigh(95, ["A"], [], None, recent=1), 99, "high",
         f"stage starts at 95 %; +5 for positive signals (A); {sure.format('high', 1, 99)}"),
        (weigh(94, ["A"], [], "", recent=1), 99, "high",
         f"stage starts at 94 %; +5 for positive signals (A); {sure.format('high', 1, 99)}"),
        (weigh(8, [], ["C"], None, recent=1), 1, "low",
         f"stage starts at 8 %; -7 for risk factors (C); {sure.format('low', 1, 1)}"),
        (weigh(0, [], [], None, recent=9), 1, "high", f"stage starts at 0 %; {sure.format('high', 9, 1)}"),
        (weigh(0, ["A"], ["B"], "Rival", recent=0, closed=True, stage="lost"), 0, "high",
         "The deal is closed (lost): 0 %."),
    ]  # fmt: skip
    for found, probability, confidence, reasoning in cases:
        assert (found.probability, found.confidence, found.reasoning) == (probability, confidence, reasoning)


def test_the_company_says_which_stages_are_closed_and_how_likely_they_are(client: CrmClient, stub: StubServer) -> None:
    stages = stub.store.collection("tenant_acme", "stage")
    for kind, probability, found in (("open", 100, 99), ("open", 0, 1), ("won", 80, 80), ("lost", 7, 7)):
        for each in stages.find("key", "proposal"):
            stages.put(each | {"kind": kind, "probability": probability})
        assert client.ai.deal_probability("proposal").probability == found, kind
    for each in stages.find("key", "proposal"):
        stages.remove(each["id"])
    assert client.ai.deal_probability("proposal").probability == 50, "without one the documented stages hold"


def test_an_activity_is_read_in_both_ways_of_writing_and_its_date_in_any_zone(
    client: CrmClient, stub: StubServer
) -> None:
    now = stub.clock.now()

    def asked(**activity: Any) -> Any:
        return client.ai.deal_probability("proposal", activities=[activity])

    plain = asked(description="Nothing").probability
    for name in ("description", "outcome", "nextStep", "next_step"):
        assert asked(**{name: "Budget approved."}).probability > plain, name
    zone = timezone(timedelta(hours=5))
    assert asked(date=now.astimezone(zone).isoformat(), description="Spoke").confidence == "medium"
    error = refused(lambda: asked(date="soon"))
    assert (error.fields[0].field, error.fields[0].rule) == ("activities.0.date", "format")
