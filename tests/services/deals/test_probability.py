"""What `ai.deal_probability` computes: each term of the table, its caps, and the bounds of the answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client()


def names(count: int) -> list[str]:
    return [f"Reason {number}" for number in range(count)]


@pytest.mark.parametrize(
    ("stage", "signals", "risks", "competitor", "expected"),
    [
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
    ],
)
def test_each_term_counts_up_to_its_cap(
    client: CrmClient, stage: str, signals: int, risks: int, competitor: str | None, expected: int
) -> None:
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


@pytest.mark.parametrize(
    ("recent", "signals", "risks", "expected"),
    [
        (0, 0, 0, "low"), (1, 0, 0, "medium"), (2, 0, 0, "high"), (5, 0, 1, "medium"), (0, 1, 0, "medium"),
        (1, 2, 1, "high"), (1, 1, 1, "medium"), (1, 1, 2, "low"), (2, 1, 1, "high"), (2, 1, 2, "medium"),
    ],
)  # fmt: skip
def test_the_confidence_is_of_activities_and_of_signals_against_risks(
    client: CrmClient, stub: StubServer, recent: int, signals: int, risks: int, expected: str
) -> None:
    told: list[Any] = [
        {"date": (stub.clock.now() - timedelta(days=1)).isoformat(), "description": "Spoke"} for _ in range(recent)
    ]
    found = client.ai.deal_probability(
        "proposal", activities=told, positive_signals=names(signals), risk_factors=names(risks)
    )
    assert found.confidence == expected


@pytest.mark.parametrize(
    ("date", "counts"),
    [
        (timedelta(days=-7, seconds=30), True), (timedelta(days=-7, seconds=-1), False), (timedelta(hours=1), False),
        (timedelta(), True), (None, False), ("naive", True),
    ],
)  # fmt: skip
def test_activities_of_seven_days_count_and_one_without_a_date_does_not(
    client: CrmClient, stub: StubServer, date: Any, counts: bool
) -> None:
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
    assert found.probability == client.ai.deal_probability("proposal", activities=told).probability
    other = client.ai.deal_probability("proposal", activities=told, positive_signals=["Something else"])
    assert other.probability == found.probability + 5


def test_a_stage_that_nobody_has_is_refused(client: CrmClient) -> None:
    error = refused(lambda: client.ai.deal_probability("nowhere"))
    assert (error.fields[0].field, error.fields[0].rule) == ("stage", "choice")
