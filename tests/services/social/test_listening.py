"""Keywords and their mentions, how these sound, and alerts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from decimal import Decimal
from functools import partial
from statistics import fmean
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from refusals import refused
from stub_data import stored

from crm_sdk import CrmClient
from crm_sdk.models import SocialMention
from server_stub import StubServer
from server_stub.outside.networks import fits
from server_stub.services.sentiment import tone

from .conftest import Connect

POST: Mapping[str, Any] = {"network": "twitter", "language": "en", "content": "The Acme CRM démo, and support."}
NEW_YORK = ZoneInfo("America/New_York")
"""The company's time zone."""
WORDS: Mapping[str, Any] = {"networks": [], "languages": [], "exclude": []}


def test_which_posts_have_a_keyword() -> None:
    cases: list[tuple[dict[str, Any], bool]] = [
        ({"keyword": "acme crm", "match": "phrase"}, True),
        ({"keyword": "crm acme", "match": "phrase"}, False),
        ({"keyword": "acme support", "match": "phrase"}, False),
        ({"keyword": "crm acme", "match": "all"}, True),
        ({"keyword": "crm sales", "match": "all"}, False),
        ({"keyword": "crm sales", "match": "any"}, True),
        ({"keyword": "acm", "match": "any"}, False),
        ({"keyword": "DEMO", "match": "any"}, True),
        ({"keyword": "--", "match": "any"}, False),
        ({"keyword": "acme", "match": "any", "networks": ["linkedin"]}, False),
        ({"keyword": "acme", "match": "any", "networks": ["linkedin", "twitter"]}, True),
        ({"keyword": "acme", "match": "any", "languages": ["de"]}, False),
        ({"keyword": "acme", "match": "any", "languages": ["en-GB"]}, True),
        ({"keyword": "acme", "match": "any", "exclude": ["and support"]}, False),
        ({"keyword": "acme", "match": "any", "exclude": ["support and"]}, True),
    ]
    for keyword, expected in cases:
        assert fits({**WORDS, **keyword}, POST) is expected, keyword


@pytest.mark.thorough
def test_a_keyword_finds_what_was_said_and_what_is_said(stub: StubServer, acme: CrmClient) -> None:
    (made,) = acme.social.monitoring.keywords.create([{"keyword": "team  service", "match": "any"}])
    assert made.keyword == "team service"
    before = list(acme.social.monitoring.mentions.list(keyword_id=made.id))
    times = [mention.posted_at for mention in before]
    assert made.mention_count == len(before) > 10 and made.last_mention_at == max(times)
    assert times == sorted(times, reverse=True) and min(times) > stub.clock.now() - timedelta(days=30)
    for mention in before:
        assert mention.sentiment_score == round(100 * tone(mention.content).score)
        assert mention.sentiment == tone(mention.content).sentiment
    began = stub.clock.now()
    stub.clock.advance(7 * 24 * 60 * 60)
    after = list(acme.social.monitoring.mentions.list(keyword_id=made.id))
    news = [mention for mention in after if mention.posted_at > began]
    assert news and len(after) == len(before) + len(news)
    assert len({(mention.network, mention.external_id) for mention in after}) == len(after)
    assert list(acme.social.monitoring.mentions.list(keyword_id=made.id, since=began)) == news
    assert {one.id for one in acme.social.monitoring.mentions.list(keyword_id=made.id, until=began)} == {
        one.id for one in before
    }
    few = list(acme.social.monitoring.mentions.list(keyword_id=made.id, min_followers=10_000, sort="reach"))
    assert [one.id for one in few] == [
        one.id for one in sorted(after, key=lambda one: (one.reach, one.id)) if (one.author.followers or 0) >= 10_000
    ]


def test_all_keywords_or_none(stub: StubServer, acme: CrmClient) -> None:
    create = acme.social.monitoring.keywords.create
    (first,) = create(["Renewal"])
    taken = refused(lambda: create(["pricing", "RENEWAL"]))
    assert (taken.status, taken.code, taken.details["existingId"]) == (409, "KEYWORD_EXISTS", first.id)
    assert refused(lambda: create(["pricing", "pricing"])).code == "KEYWORD_EXISTS"
    assert refused(lambda: create(["pricing", " a "])).status == 422
    assert [one.match for one in create(["pricing", {"keyword": "renewal", "match": "all"}])] == ["phrase", "all"]
    added = [entry for entry in stub.audit() if entry["action"] == "social.keyword_added"]
    assert len(added) == 3


@pytest.mark.thorough
def test_the_author_and_the_account_of_a_mention(
    stub: StubServer, acme: CrmClient, connect: Connect, mention: SocialMention
) -> None:
    profile: Any = {"network": "linkedin", "url": f"https://x.example/{mention.author.handle.upper()}/"}
    names: Any = [{**profile, "network": mention.network}]
    person = acme.contacts.create({"name": "Writer", "email": "w@x.example", "social_profiles": names})
    acme.contacts.create(
        {"name": "Other", "email": "o@x.example", "social_profiles": [profile | {"network": "github"}]}
    )
    stub.clock.advance(30 * 24 * 60 * 60)
    found = list(acme.social.monitoring.mentions.list(contact_id=person.id))
    assert found and {(one.network, one.author.handle) for one in found} == {(mention.network, mention.author.handle)}
    assert {one.lead_id for one in found} == {None}
    acme.contacts.delete(person.id)
    other = acme.leads.create({"name": "Writer", "email": "w@x.example", "social_profiles": names})
    stub.clock.advance(30 * 24 * 60 * 60)
    later = [one for one in acme.social.monitoring.mentions.list(limit=200) if one.lead_id is not None]
    assert later and {(one.lead_id, one.author.handle) for one in later} == {(other.id, mention.author.handle)}
    named = [one for one in acme.social.monitoring.mentions.list() if one.account_id is not None]
    accounts = {account.id: account for account in acme.social.accounts.list()}
    for one in named:
        account = accounts[one.account_id or ""]
        assert account.network == one.network and f"@{account.handle}" in one.content


def test_the_report_is_the_shares_of_the_mentions(stub: StubServer, acme: CrmClient) -> None:
    first = datetime.combine(stub.clock.now().astimezone(NEW_YORK).date() - timedelta(days=29), time(), NEW_YORK)
    mentions = list(acme.social.monitoring.mentions.list(since=first))
    report = acme.social.monitoring.sentiment(group_by="language")
    assert report.total == sum(group.total for group in report.groups) == len(mentions)
    assert report.positive + report.neutral + report.negative == pytest.approx(1)
    assert report.score == pytest.approx(fmean(one.sentiment_score for one in mentions), abs=0.01)
    for line in report.series:
        share = {"positive": report.positive, "neutral": report.neutral, "negative": report.negative}[line.name]
        assert sum(point.value for point in line.points) == round(share * report.total) and len(line.points) == 30
    scores = [one.sentiment_score for one in report.top_negative]
    assert scores == sorted(one.sentiment_score for one in mentions if one.sentiment == "negative")[:5]
    today = stub.clock.now().astimezone(NEW_YORK).date()
    half = acme.social.monitoring.sentiment(start_date=today - timedelta(days=9), end_date=today)
    earlier = acme.social.monitoring.sentiment(
        start_date=today - timedelta(days=19), end_date=today - timedelta(days=10)
    )
    assert half.previous_score == earlier.score
    moved = (half.score or 0) - (earlier.score or 0)
    assert half.trend == ("improving" if moved > 10 else "declining" if moved < -10 else "stable")


def test_what_no_alert_is(acme: CrmClient) -> None:
    cases: list[tuple[Any, str]] = [
        ({"condition": "mention_volume"}, "threshold"),
        ({"condition": "negative_share", "threshold": Decimal("1.5")}, "threshold"),
        ({"condition": "keyword", "keyword_ids": ["keyword_no"]}, "keyword_ids.0"),
        ({"condition": "keyword", "recipients": ["user_no"]}, "recipients.0"),
        ({"condition": "influencer", "min_followers": 1_000}, "threshold"),
    ]
    for members, field in cases:
        alert: Any = {"name": "x", **members}
        refusal = refused(partial(acme.social.monitoring.alerts.create, alert))
        assert (refusal.status, refusal.fields[0].field) == (422, field), members


WEEK = 10_080


def test_when_an_alert_is_told(stub: StubServer, acme: CrmClient) -> None:
    cases: list[tuple[Any, bool]] = [
        ({"condition": "mention_volume", "threshold": 2}, True),
        ({"condition": "mention_volume", "threshold": 500}, False),
        ({"condition": "negative_share", "threshold": Decimal("0.01")}, True),
        ({"condition": "negative_share", "threshold": 1}, False),
        ({"condition": "sentiment_drop", "threshold": 200}, False),
        ({"condition": "influencer", "threshold": 1, "min_followers": 10_000}, True),
        ({"condition": "influencer", "threshold": 1, "min_followers": 50_000}, False),
        ({"condition": "keyword"}, True),
        ({"condition": "keyword", "networks": ["mastodon"]}, False),
        ({"condition": "keyword", "active": False}, False),
    ]
    fresh = stub.snapshot()
    for members, fires in cases:
        stub.restore(fresh)
        alert: Any = {"name": "Watch", "window_minutes": WEEK, **members}
        made = acme.social.monitoring.alerts.create(alert)
        assert (made.trigger_count, made.recipients, made.channels) == (0, ["user_ada"], ["in_app"]), members
        stub.clock.advance(2)
        told = [entry for entry in stub.audit() if entry["action"] == "social.alert_triggered"]
        inbox = stub.store.collection("tenant_acme", "notification")
        assert [entry["entity"]["id"] for entry in told] == [made.id] * fires, members
        assert [one["title"] for one in inbox.find("type", "social_alert")] == ["Watch"] * fires, members


def test_an_influencer_has_so_many_followers_at_least(stub: StubServer, acme: CrmClient) -> None:
    cases: list[tuple[int | None, int, int | None]] = [
        (None, 1, 2),
        (10_000, 2, 2),
        (10_000, 3, None),
        (10_001, 1, 1),
        (20_000, 1, 1),
        (20_001, 1, None),
    ]
    fresh = stub.snapshot()
    for least, threshold, counted in cases:
        stub.restore(fresh)
        followers = iter((10_000, 9_999, 20_000, None))
        for doc in stub.store.collection("tenant_acme", "mention").all():
            author = {**doc["author"], "followers": next(followers, 0)}
            stored(stub, "mention", doc["id"], author=author, posted_at=stub.clock.now())
        said: Any = {"name": "Watch", "condition": "influencer", "threshold": threshold, "min_followers": least}
        made = acme.social.monitoring.alerts.create(said)
        assert made.min_followers == (10_000 if least is None else least), least
        stub.clock.advance(2)
        told = [entry for entry in stub.audit() if entry["action"] == "social.alert_triggered"]
        assert [entry["metadata"]["value"] for entry in told] == ([] if counted is None else [counted]), least


def test_an_alert_rests_between_two_times(stub: StubServer, acme: CrmClient) -> None:
    made = acme.social.monitoring.alerts.create({
        "name": "Watch", "condition": "mention_volume", "threshold": 1, "window_minutes": WEEK, "cooldown_minutes": 45,
        "channels": ["in_app", "email"], "recipients": ["user_mia", "user_ada"],
    })  # fmt: skip
    stub.clock.advance(2)

    def told() -> int:
        return sum(entry["action"] == "social.alert_triggered" for entry in stub.audit())

    assert told() == 1
    assert [mail.recipient for mail in stub.outbox.messages if mail.channel == "email"] == [
        "mia@acme.test", "ada@acme.test",
    ]  # fmt: skip
    stub.clock.advance(40 * 60)
    assert told() == 1
    stub.clock.advance(25 * 60)
    assert told() == 2
    assert stub.store.collection("tenant_acme", "alert").get(made.id)["trigger_count"] == 2  # type: ignore[index] # it was just made


def test_mentions_are_chosen_by_keyword_followers_and_time(acme: CrmClient) -> None:
    mentions = acme.social.monitoring.mentions
    keyword = acme.social.monitoring.keywords.create(["onboarding"])[0].id
    every = list(mentions.list(limit=200))
    of_one = [one.id for one in every if keyword in one.keyword_ids]
    assert [one.id for one in mentions.list(keyword_id=keyword, limit=200)] == of_one != [] != every
    assert len(of_one) < len(every) and list(mentions.list(keyword_id="keyword_none")) == []
    counts = sorted({one.author.followers or 0 for one in every})
    for least in (counts[0], counts[len(counts) // 2], counts[-1], counts[-1] + 1):
        found = [one.id for one in mentions.list(min_followers=least, limit=200)]
        assert found == [one.id for one in every if (one.author.followers or 0) >= least], least
    at = every[len(every) // 2].posted_at
    assert [one.id for one in mentions.list(since=at, limit=200)] == [one.id for one in every if one.posted_at >= at]
    assert [one.id for one in mentions.list(until=at, limit=200)] == [one.id for one in every if one.posted_at < at]
