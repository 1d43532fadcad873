"""How the tone of mentions moves, and whom a mention names and is by."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from stub_data import stored

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.services.social.listening import completed_mention

ZONE = ZoneInfo("America/New_York")
START, END = date(2001, 3, 10), date(2001, 3, 12)
MS = timedelta(milliseconds=1)


def test_a_trend_is_more_than_ten_points_from_as_many_days_before(stub: StubServer, acme: CrmClient) -> None:
    mentions = stub.store.collection("tenant_acme", "mention")
    model = mentions.all()[0]
    first, end = (datetime(2001, 3, day, tzinfo=ZONE) for day in (10, 13))
    before = datetime(2001, 3, 7, tzinfo=ZONE)

    def seen(*scores: tuple[datetime, int], **asked: Any) -> dict[str, Any]:
        for doc in mentions.all():
            mentions.remove(doc["id"])
        for number, (at, score) in enumerate(scores):
            mood = "positive" if score > 0 else "negative" if score < 0 else "neutral"
            own = {
                "posted_at": at,
                "sentiment_score": score,
                "sentiment": mood,
                "keyword_ids": ["k1", "k2"][: number + 1],
            }
            mentions.put(model | {"id": f"mention_{number}", "network": ("twitter", "github")[number % 2], **own})
        return acme.social.monitoring.sentiment(**{"start_date": START, "end_date": END, **asked}).model_dump()

    for moved, trend in ((10, "stable"), (11, "improving"), (-10, "stable"), (-11, "declining"), (0, "stable")):
        found = seen((first, moved), (first - MS, 0))
        assert (found["trend"], found["score"], found["previous_score"]) == (trend, moved, 0), moved
    for times, score, previous in (
        ([before - MS, end], None, None), ([before], None, 50), ([first], 50, None), ([end - MS], 50, None),
    ):  # fmt: skip
        found = seen(*((at, 50) for at in times))
        assert (found["trend"], found["score"], found["previous_score"]) == ("stable", score, previous), times
    whole = seen((first, 30), (first + timedelta(days=1), -20), (first + timedelta(days=2), 31), group_by="keyword")
    assert {name: whole[name] for name in ("total", "positive", "neutral", "negative", "score")} == {
        "total": 3, "positive": 2 / 3, "neutral": 0.0, "negative": 1 / 3, "score": 13.67,
    }  # fmt: skip
    assert {one["name"]: [int(point["value"]) for point in one["points"]] for one in whole["series"]} == {
        "positive": [1, 0, 1], "neutral": [0, 0, 0], "negative": [0, 1, 0],
    }  # fmt: skip
    assert [(one["key"], one["total"], one["score"]) for one in whole["groups"]] == [("k1", 3, 13.67), ("k2", 2, 5.5)]
    assert [one["id"] for one in whole["top_positive"]] == ["mention_2", "mention_0"]
    assert [one["id"] for one in whole["top_negative"]] == ["mention_1"]
    nets = seen((first, 30), (first, 20), (first, 10), group_by="network")["groups"]
    assert [(one["key"], one["name"], one["total"]) for one in nets] == [
        ("twitter", "twitter", 2),
        ("github", "github", 1),
    ]


def test_figures_are_of_the_last_thirty_days_by_default(stub: StubServer, acme: CrmClient) -> None:
    today = stub.clock.now().astimezone(ZONE).date()
    cases: list[tuple[dict[str, Any], tuple[date, date]]] = [
        ({}, (today - timedelta(days=29), today)),
        ({"end_date": END}, (END - timedelta(days=29), END)),
        ({"start_date": START}, (START, today)),
        ({"start_date": today + timedelta(days=3)}, (today + timedelta(days=3), today + timedelta(days=3))),
    ]
    for asked, (first, last) in cases:
        period: Any = "day" if (last - first).days < 900 else "month"
        points = acme.social.monitoring.sentiment(period=period, **asked).series[0].points
        months = (last.year - first.year) * 12 + last.month - first.month + 1
        assert (points[0].start, len(points)) == (first, (last - first).days + 1 if period == "day" else months), asked


def test_a_mention_knows_the_account_it_names_and_who_wrote_it(stub: StubServer, acme: CrmClient) -> None:
    def collections(kind: str) -> Any:
        return stub.store.collection("tenant_acme", kind)

    for doc in collections("social_account").all():
        stored(stub, "social_account", doc["id"], status="disconnected")
    ours = acme.social.accounts.connect("twitter", access_token="Ünser:token-1")
    handle = (ours.handle or "").removeprefix("@")
    stored(stub, "social_account", ours.id, handle=handle)
    lead: Any = {"name": "L", "social_profiles": [{"network": "twitter", "url": "https://t.test/Ann/"}]}
    person: Any = {
        "name": "C",
        "social_profiles": [{"network": "twitter", "url": "https://t.test/x", "handle": "@Eva"}],
    }
    lead_id, contact_id = acme.leads.create(lead).id, acme.contacts.create(person).id
    acme.leads.create(person)

    def completed(text: str, author: str, network: str = "twitter") -> tuple[Any, ...]:
        post = {"content": text, "network": network, "author": {"handle": author}}
        found = completed_mention(Document(post), collections)
        assert (found["content"], found["network"]) == (text, network)
        return found["account_id"], found["contact_id"], found["lead_id"], found["sentiment"]

    assert completed(f"Great, @{handle.upper()}!", "nobody") == (ours.id, None, None, "positive")
    assert completed(f"To {handle}", "ANN") == (None, None, lead_id, "neutral")
    assert completed("Terrible.", "eva") == (None, contact_id, None, "negative")
    assert completed(f"@{handle}", "ann", "github") == (None, None, None, "neutral")
    acme.social.accounts.disconnect(ours.id)
    assert completed(f"@{handle}", "ann")[:3] == (None, None, lead_id)


def test_followers_are_those_of_the_time_of_an_account(stub: StubServer, acme: CrmClient) -> None:
    ours = acme.social.accounts.connect("twitter", access_token="second:token-1").id
    ends = datetime(2001, 3, 13, tzinfo=ZONE)

    def followers() -> tuple[int, list[str]]:
        seen = acme.social.engagement.metrics(account_id=ours, start_date=START, end_date=END, compare_to="none")
        assert seen.followers is not None and (seen.start_date, seen.end_date) == (START, END)
        return int(seen.followers.value), [one.network for one in seen.by_network]

    cases: list[tuple[dict[str, Any], bool]] = [
        ({"created_at": ends}, True),
        ({"created_at": ends + MS}, False),
        ({"created_at": ends - MS, "status": "disconnected", "ended_at": ends + MS}, True),
        ({"status": "disconnected", "ended_at": ends}, False),
        ({"status": "expired", "ended_at": ends}, True),
    ]
    for members, counted in cases:
        stored(stub, "social_account", ours, **members)
        count, networks = followers()
        assert (count > 0, networks) == (counted, ["twitter"]), members
