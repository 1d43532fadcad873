"""When alerts are told by their figures and times, and what answers, posts and tracking leave behind."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from refusals import refused
from stub_data import plain, some, stored

from crm_sdk import CrmClient
from crm_sdk.models import SocialMention
from server_stub import StubServer

from .conftest import Connect, Post

MINUTE = timedelta(minutes=1)


def said(stub: StubServer, at: datetime, *mentions: Any) -> list[str]:
    """Leave these mentions alone, each so many minutes before a time, and return their ids."""
    records = stub.store.collection("tenant_acme", "mention")
    ids = [doc["id"] for doc in records.all()]
    for id, (minutes, members) in zip(ids, mentions, strict=False):
        stored(stub, "mention", id, **{"posted_at": at - minutes * MINUTE, "keyword_ids": [], **members})
    for id in ids[len(mentions) :]:
        records.remove(id)
    return ids[: len(mentions)]


def told(stub: StubServer, alert_id: str) -> list[Any]:
    """Return the values with which an alert was told."""
    return [
        entry["metadata"]
        for entry in stub.audit()
        if entry["action"] == "social.alert_triggered" and entry["entity"]["id"] == alert_id
    ]


def test_a_threshold_is_within_what_the_figure_can_be(acme: CrmClient) -> None:
    create = acme.social.monitoring.alerts.create
    for condition, most in (("negative_share", 1), ("sentiment_drop", 200)):
        given: Any = {"name": "A", "condition": condition, "threshold": Decimal(most)}
        assert create(given).threshold == most
        refusal = refused(partial(create, given | {"threshold": Decimal(most) + Decimal("0.01")}))
        assert (refusal.status, refusal.fields[0].field, refusal.fields[0].rule) == (422, "threshold", "max")
        assert refusal.message == f"an alert on {condition} has a threshold of at most {most}"
    for condition in ("mention_volume", "negative_share", "sentiment_drop", "influencer"):
        bare: Any = {"name": "A", "condition": condition}
        refusal = refused(partial(create, bare))
        assert (refusal.fields[0].rule, refusal.message) == ("required", f"an alert on {condition} needs a threshold")
    assert create({"name": "A", "condition": "mention_volume", "threshold": 5_000}).threshold == 5_000
    keyword: Any = {"name": "A", "condition": "keyword", "channels": ["email", "in_app", "email"]}
    made = create(keyword)
    assert (made.threshold, made.channels, made.min_followers) == (None, ["email", "in_app"], None)
    assert create(keyword | {"min_followers": 5}).min_followers == 5


def test_the_figures_of_alerts_are_of_their_time(stub: StubServer, acme: CrmClient) -> None:
    bad, good = {"sentiment": "negative", "sentiment_score": -60}, {"sentiment": "positive", "sentiment_score": 40}
    for number, (condition, mentions, threshold, value) in enumerate((
        ("mention_volume", [(0, good), (59, good), (60, good), (61, good)], 2, 2),
        ("mention_volume", [(0, good), (59, good), (60, good)], 3, None),
        ("mention_volume", [(-1, good)], 1, None),
        ("negative_share", [(1, bad), (2, good), (3, good), (4, bad)], Decimal("0.5"), Decimal("0.5")),
        ("negative_share", [(1, bad), (2, good), (3, good), (60, bad)], Decimal("0.5"), None),
        ("negative_share", [(60, bad)], Decimal("0.01"), None),
        ("sentiment_drop", [(1, bad), (60, good), (119, good)], 100, 100),
        ("sentiment_drop", [(1, bad), (60, good), (120, bad)], 100, 100),
        ("sentiment_drop", [(1, bad), (60, good)], Decimal("100.01"), None),
        ("sentiment_drop", [(1, good), (60, bad)], Decimal("0.01"), None),
        ("sentiment_drop", [(1, bad)], Decimal("0.01"), None),
        ("sentiment_drop", [(60, good)], Decimal("0.01"), None),
        ("keyword", [(59, good)], None, 1),
        ("keyword", [(60, good)], None, None),
    )):  # fmt: skip
        start = stub.snapshot()
        given: Any = {"name": f"A{number}", "condition": condition, "window_minutes": 60, "threshold": threshold}
        made = acme.social.monitoring.alerts.create(given)
        ids = said(stub, some(made.created_at) + timedelta(seconds=1), *mentions)
        stub.clock.advance(2)
        found = told(stub, made.id)
        assert [one["value"] for one in found] == ([] if value is None else [value]), (condition, mentions)
        if value is not None:
            inside = [id for id, (minutes, _) in zip(ids, mentions, strict=True) if 0 <= minutes < 60]
            assert found[0]["mention_ids"] == inside, "the latest first"
        stub.restore(start)


def test_an_alert_looks_at_its_keywords_and_networks(stub: StubServer, acme: CrmClient) -> None:
    one, two = (word.id for word in acme.social.monitoring.keywords.create(["one", "two"]))
    mentions: Any = [
        (1, {"network": "twitter", "keyword_ids": [one]}), (2, {"network": "linkedin", "keyword_ids": [one, two]}),
        (3, {"network": "facebook", "keyword_ids": [two]}), (4, {"network": "facebook", "keyword_ids": []}),
    ]  # fmt: skip
    for wanted, count in (
        ({}, 4), ({"keyword_ids": [one]}, 2), ({"keyword_ids": [one, two]}, 3), ({"networks": ["facebook"]}, 2),
        ({"networks": ["facebook", "twitter"], "keyword_ids": [two]}, 1),
    ):  # fmt: skip
        start = stub.snapshot()
        given: Any = {"name": "A", "condition": "mention_volume", "threshold": 1, **wanted}
        made = acme.social.monitoring.alerts.create(given)
        said(stub, some(made.created_at) + timedelta(seconds=1), *mentions)
        stub.clock.advance(2)
        assert [found["value"] for found in told(stub, made.id)] == [count], wanted
        stub.restore(start)


def test_an_alert_says_how_many_and_the_latest(stub: StubServer, acme: CrmClient) -> None:
    given: Any = {
        "name": "Watch", "condition": "keyword", "window_minutes": 30, "recipients": ["user_mia"],
        "channels": ["sms", "in_app", "email"],
    }  # fmt: skip
    stored(stub, "user", "user_mia", phone=None, mobile=None)
    made = acme.social.monitoring.alerts.create(given)
    author = {"handle": "zoe", "name": "Zoe", "followers": 3}
    said(
        stub, some(made.created_at) + timedelta(seconds=1), (9, {"content": "Old"}),
        (3, {"content": "New", "author": author, "network": "twitter"}),
    )  # fmt: skip
    stub.clock.advance(2)
    inbox = stub.store.collection("tenant_acme", "notification").find("type", "social_alert")
    text = "2 mentions in 30 minutes. The latest, by zoe on twitter: New"
    assert sorted((one["channel"], one["title"], one["message"], one["priority"]) for one in inbox) == [
        ("email", "Watch", text, "high"), ("in_app", "Watch", text, "high"),
    ]  # fmt: skip
    (note,) = [one for one in inbox if one["channel"] == "in_app"]
    assert (note["user_id"], note["metadata"]) == ("user_mia", {"alertId": made.id})
    kept = some(stub.store.collection("tenant_acme", "alert").get(made.id))
    assert (kept["trigger_count"], kept["last_triggered_at"]) == (1, some(made.created_at) + timedelta(seconds=1))
    assert kept["check_at"] is None


def test_an_alert_is_told_again_once_its_rest_is_over(stub: StubServer, acme: CrmClient) -> None:
    given: Any = {"name": "A", "condition": "mention_volume", "threshold": 1, "window_minutes": 600}
    for cooldown, times in ((60, 1), (30, 2)):
        start = stub.snapshot()
        made = acme.social.monitoring.alerts.create(given | {"cooldown_minutes": cooldown})
        said(stub, some(made.created_at), (0, {}))
        stub.clock.advance(59 * 60)
        assert len(told(stub, made.id)) == times, cooldown
        stub.restore(start)


# -- answers -----------------------------------------------------------------------------------------------------------


def test_an_answer_is_noted_by_what_it_was(stub: StubServer, acme: CrmClient, mention: SocialMention) -> None:
    person = acme.contacts.create({"name": "Writer", "email": "w@x.example"})
    stored(stub, "mention", mention.id, contact_id=person.id)
    handle = f"{mention.author.handle} on twitter"
    for kind, content, title, body in (
        ("reply", "Thanks", f"Replied: {handle}", "Thanks"),
        ("direct_message", "Hello", f"Wrote: {handle}", "Hello"),
        ("like", None, f"Liked a post: {handle}", mention.content),
        ("share", "left out", f"Shared a post: {handle}", mention.content),
    ):
        version = some(stub.store.collection("tenant_acme", "mention").get(mention.id))["version"]
        made = acme.social.engagement.respond(mention.id, content, kind=kind)
        assert made.content == (content if kind in ("reply", "direct_message") else None)
        assert (made.external_id, made.url, made.network) == (f"twitter-{made.id}", mention.url, "twitter")
        (entry,) = [one for one in stub.audit() if one["entity"]["id"] == made.id]
        assert (entry["action"], entry["metadata"]) == ("social.responded", {"mention_id": mention.id})
        (note,) = [one for one in acme.activities.list(contact_id=person.id) if one.title == title]
        assert (note.kind, getattr(note, "body", None)) == ("note", body)
        now = some(stub.store.collection("tenant_acme", "mention").get(mention.id))
        assert (now["status"], now["version"]) == ("responded", version + (kind == "reply"))
    stored(stub, "mention", mention.id, contact_id="contact_gone")
    before = acme.activities.list(limit=1).total
    assert acme.social.engagement.respond(mention.id, "Bye").contact_id == "contact_gone"
    assert acme.activities.list(limit=1).total == before


def test_how_long_answers_take_is_counted_to_the_first(stub: StubServer, acme: CrmClient, connect: Connect) -> None:
    account = acme.social.accounts.list(network="twitter", status="connected").items[0]
    own = {"network": "twitter", "account_id": account.id, "status": "new"}
    records = stub.store.collection("tenant_acme", "engagement")
    for doc in records.all():
        records.remove(doc["id"])
    first, second, _ = said(stub, stub.clock.now(), (30, own), (10, own), (5, own))
    for id, minutes in ((first, 0), (second, 10), (first, 60)):
        stub.clock.advance(minutes * 60)
        acme.social.engagement.respond(id, "Yes", account_id=account.id)
    found = acme.social.engagement.metrics(account_id=account.id, network="twitter")
    assert plain(found.mentions.value, found.responses.value) == (3, 3)
    assert round(float(found.response_rate.value), 4) == 0.6667
    assert round(float(found.avg_response_minutes.value)) == 25
    other = connect("facebook", "page")
    nothing = acme.social.engagement.metrics(account_id=other.id)
    assert plain(nothing.mentions.value, nothing.responses.value, nothing.response_rate.value) == (0, 0, 0)
    assert nothing.avg_response_minutes.value == 0
    assert [one.network for one in nothing.by_network] == ["facebook"]


# -- posts and what is tracked -----------------------------------------------------------------------------------------


def test_where_a_post_went_and_where_not(stub: StubServer, acme: CrmClient, connect: Connect, post: Post) -> None:
    twitter, page = connect(), connect("facebook", "page")
    made = post(twitter, page)
    assert (made.status, [one.status for one in made.targets]) == ("published", ["published"] * 2)
    for target, account in zip(made.targets, (twitter, page), strict=True):
        id = f"{account.network}-{made.id}-{account.id}"
        assert (target.external_id, target.error, target.published_at) == (id, None, made.published_at)
        assert str(target.url).endswith(f"/status/{id}") and some(account.handle) in str(target.url)
    at = stub.clock.now() + timedelta(hours=1)
    late = post(twitter, page, scheduled_at=at)
    assert post(twitter, scheduled_at=stub.clock.now() + timedelta(milliseconds=50)).status == "scheduled"
    acme.social.accounts.disconnect(page.id)
    stub.clock.advance(3_600)
    found = acme.social.posts.get(late.id)
    assert [one.status for one in found.targets] == ["published", "failed"]
    entries = {entry["entity"]["id"]: entry for entry in stub.audit() if entry["action"] == "social.post_published"}
    assert entries[made.id]["metadata"] == {"failed_account_ids": []}
    assert entries[late.id]["metadata"] == {"failed_account_ids": [page.id]}
    error = some(found.targets[1].error)
    assert (error.code, error.message) == ("ACCOUNT_DISCONNECTED", "page of facebook is disconnected: connect it again")


def test_what_is_tracked_belongs_to_a_target_and_a_contact(
    stub: StubServer, acme: CrmClient, connect: Connect, post: Post, mention: SocialMention
) -> None:
    track = acme.social.engagement.track
    twitter, page = connect(), connect("facebook", "page")
    person = acme.contacts.create({"name": "Fan", "email": "fan@x.example"})
    made = post(twitter, page)
    stored(stub, "mention", mention.id, contact_id=person.id, account_id=twitter.id)
    for given, network, account, contact in (
        ({"post_id": made.id}, "twitter", twitter.id, None),
        ({"post_id": made.id, "account_id": page.id}, "facebook", page.id, None),
        ({"post_id": made.id, "contact_id": person.id}, "twitter", twitter.id, person.id),
        ({"mention_id": mention.id}, "twitter", twitter.id, person.id),
        ({"mention_id": mention.id, "contact_id": "contact_123"}, "twitter", twitter.id, "contact_123"),
    ):
        body: Any = {"kind": "like", **given}
        found = track(body)
        assert (found.network, found.account_id, found.contact_id) == (network, account, contact), given
        assert (found.direction, found.status, found.user_id, found.external_id) == ("inbound", "recorded", None, None)
    last = stub.clock.now()
    early: Any = {"kind": "like", "post_id": made.id, "contact_id": person.id, "occurred_at": last - timedelta(days=2)}
    assert track(early).occurred_at == last - timedelta(days=2)
    contact_now = some(stub.store.collection("tenant_acme", "contact").get(person.id))
    assert contact_now["engaged_at"] > last - timedelta(days=1), "an earlier one is not the last"
    for given, rule in (({}, "required"), ({"post_id": made.id, "mention_id": mention.id}, "choice")):
        wrong: Any = {"kind": "like", **given}
        assert refused(partial(track, wrong)).fields[0].rule == rule
    history = acme.social.engagement.history
    assert [one.occurred_at for one in history()] == sorted((one.occurred_at for one in history()), reverse=True)
    (one,) = history(contact_id=person.id, since=last - timedelta(days=2), until=last - timedelta(days=1))
    assert one.occurred_at == last - timedelta(days=2)
