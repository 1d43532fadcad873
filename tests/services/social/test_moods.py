"""How mentions sound: groups, trends and the strongest ones; and what accounts show until they end."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from stub_data import idle, some, stored

from crm_sdk import CrmClient
from server_stub import StubServer

from .conftest import Connect

DAY = timedelta(days=1)


def only(stub: StubServer, *mentions: Any) -> list[str]:
    """Leave these mentions alone, each a minute older than the one before, and return their ids."""
    records = stub.store.collection("tenant_acme", "mention")
    ids = [doc["id"] for doc in records.all()]
    for number, members in enumerate(mentions):
        at = stub.clock.now() - timedelta(minutes=number + 1)
        stored(stub, "mention", ids[number], **{"posted_at": at, **members})
    for id in ids[len(mentions) :]:
        records.remove(id)
    return ids[: len(mentions)]


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("network", [("twitter", 2), ("linkedin", 1)]),
        ("language", [("de", 1), ("en", 1), ("", 1)]),
        ("keyword", [("one", 3), ("two", 1)]),
    ],
)
def test_the_groups_of_the_report(stub: StubServer, acme: CrmClient, by: Any, groups: list[tuple[str, int]]) -> None:
    one, two = (word.id for word in acme.social.monitoring.keywords.create(["one", "two"]))
    only(
        stub,
        {"network": "twitter", "language": "de", "keyword_ids": [one], "sentiment": "positive", "sentiment_score": 40},
        {"network": "twitter", "language": "en", "keyword_ids": [one, two], "sentiment": "neutral",
         "sentiment_score": 0},
        {"network": "linkedin", "language": None, "keyword_ids": [one], "sentiment": "negative",
         "sentiment_score": -70},
    )  # fmt: skip
    report = acme.social.monitoring.sentiment(group_by=by)
    found = [(group.name, group.total) for group in report.groups]
    assert found == sorted(groups, key=lambda group: (-group[1], group[0]))
    keys = [group.key for group in report.groups]
    assert keys == ([one, two] if by == "keyword" else [name for name, _ in found])
    assert (report.total, report.score) == (3, -10)
    assert sum(round(group.positive * group.total) for group in report.groups) == 1
    assert acme.social.monitoring.sentiment(network="linkedin", group_by=by).score == -70


def test_more_than_ten_points_are_a_trend(stub: StubServer, acme: CrmClient) -> None:
    cases_0: list[bool] = [True, False]
    cases_1: list[tuple[int | None, str]] = [
        (10, "stable"),
        (11, "improving"),
        (-10, "stable"),
        (-11, "declining"),
        (None, "stable"),
    ]
    for before in cases_0:
        for score, trend in cases_1:
            today = stub.clock.now().date()
            earlier: Any = {"sentiment": "neutral", "sentiment_score": 0, "posted_at": stub.clock.now() - 2 * DAY}
            now: Any = {"sentiment": "neutral", "sentiment_score": score}
            only(stub, *[now] * (score is not None), *[earlier] * before)
            report = acme.social.monitoring.sentiment(start_date=today, end_date=today + DAY)
            assert (report.score, report.previous_score) == (score, 0 if before else None), before
            assert report.trend == (trend if before else "stable"), before


def test_the_five_strongest_of_a_mood_come_first_and_the_latest_of_those_that_are_equal(
    stub: StubServer, acme: CrmClient
) -> None:
    scores = [50, 90, 50, 10, 70, 90, -20, -90, -20, 0]
    moods = ["positive" if score > 0 else "negative" if score else "neutral" for score in scores]
    ids = only(
        stub,
        *({"sentiment": mood, "sentiment_score": score} for mood, score in zip(moods, scores, strict=True)),
    )  # fmt: skip
    report = acme.social.monitoring.sentiment()
    assert [one.id for one in report.top_positive] == [ids[at] for at in (1, 5, 4, 0, 2)]
    assert [one.id for one in report.top_negative] == [ids[at] for at in (7, 6, 8)]
    assert (report.positive, report.negative, report.neutral) == (0.6, 0.3, 0.1)


def test_without_mentions_there_is_no_score(stub: StubServer, acme: CrmClient) -> None:
    only(stub)
    report = acme.social.monitoring.sentiment()
    assert (report.total, report.score, report.previous_score, report.trend) == (0, None, None, "stable")
    assert (report.positive, report.groups, report.top_positive) == (0, [], [])


@pytest.mark.thorough
@pytest.mark.parametrize("end", ["disconnected", "expired"])
def test_an_account_shows_its_followers_until_it_ends(
    stub: StubServer, acme: CrmClient, connect: Connect, end: str
) -> None:
    made = connect()
    idle(stub)

    def shown() -> tuple[int, Any]:
        (account,) = [one for one in acme.social.accounts.list(limit=200) if one.id == made.id]
        return some(account.followers), account.last_sync_at

    started = shown()
    stub.clock.advance(30 * 86_400)
    grown = shown()
    assert grown[0] > started[0] and grown[1] > started[1] + 29 * DAY
    if end == "disconnected":
        acme.social.accounts.disconnect(made.id)
    stub.clock.advance(31 * 86_400)
    ended = shown()
    stub.clock.advance(10 * 86_400)
    assert shown() == ended and ended[0] >= grown[0]
    (account,) = [one for one in acme.social.accounts.list(limit=200) if one.id == made.id]
    assert account.status == end


def test_a_range_is_of_thirty_days_or_as_many_as_are_given(stub: StubServer, acme: CrmClient) -> None:
    only(stub, {"sentiment": "positive", "sentiment_score": 40})
    early = acme.social.monitoring.sentiment(end_date=date(1900, 1, 1), period="month")
    assert (early.total, early.score, [len(line.points) for line in early.series]) == (0, None, [2, 2, 2])
    days = acme.social.monitoring.sentiment(end_date=stub.clock.now().date()).series[0].points
    assert len(days) == 30 and some(days[-1].start) - some(days[0].start) == 29 * DAY
    later = stub.clock.now().date() + 40 * DAY
    (point,) = acme.social.monitoring.sentiment(start_date=later).series[0].points
    assert point.start == later
