"""Answers to mentions, what others did, and the figures of both."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.models import SocialMention
from server_stub import StubServer

from .conftest import Connect, Post


def test_an_answer_is_noted_with_the_contact(stub: StubServer, acme: CrmClient, mention: SocialMention) -> None:
    profile: Any = {"network": mention.network, "url": "https://x.example/", "handle": f"@{mention.author.handle}"}
    person = acme.contacts.create({"name": "Writer", "email": "w@x.example", "social_profiles": [profile]})
    mentions = stub.store.collection("tenant_acme", "mention")
    stored: Any = mentions.get(mention.id)
    mentions.put(stored | {"contact_id": person.id})
    answer = acme.social.engagement.respond(mention.id, " Thank you ")
    assert (answer.kind, answer.direction, answer.status, answer.content) == ("reply", "outbound", "sent", "Thank you")
    assert (answer.contact_id, answer.user_id, answer.mention_id) == (person.id, "user_ada", mention.id)
    assert mention.id in [one.id for one in acme.social.monitoring.mentions.list(status="responded")]
    (note,) = acme.activities.list(contact_id=person.id).items
    assert (note.kind, mention.author.handle in (note.title or "")) == ("note", True)
    assert acme.contacts.get(person.id).last_contact == note.created_at
    assert [one.id for one in acme.social.engagement.history(mention_id=mention.id)] == [answer.id]
    liked = acme.social.engagement.respond(mention.id, kind="like")
    assert (liked.kind, liked.content) == ("like", None)
    newest = [entry["action"] for entry in stub.audit()[-2:]]
    assert newest[-1] == "social.responded"


def test_which_account_answers(acme: CrmClient, connect: Connect, mention: SocialMention) -> None:
    respond = acme.social.engagement.respond
    other = next(one for one in acme.social.accounts.list(status="connected") if one.network != mention.network)
    wrong = refused(lambda: respond(mention.id, "x", account_id=other.id))
    assert (wrong.status, wrong.code) == (422, "NETWORK_MISMATCH")
    second = connect(mention.network)
    several = refused(lambda: respond(mention.id, "x"))
    assert (several.status, several.fields[0].field) == (422, "account_id")
    assert respond(mention.id, "x", account_id=second.id).account_id == second.id
    acme.social.accounts.disconnect(second.id)
    off = refused(lambda: respond(mention.id, "x", account_id=second.id))
    assert (off.status, off.code) == (409, "ACCOUNT_DISCONNECTED")
    for account in acme.social.accounts.list(status="connected", network=mention.network):
        acme.social.accounts.disconnect(account.id)
    none = refused(lambda: respond(mention.id, "x"))
    assert (none.status, none.fields[0].field) == (422, "account_id")


@pytest.mark.parametrize("kind", ["reply", "direct_message"])
def test_an_answer_needs_a_text_that_fits(acme: CrmClient, mention: SocialMention, kind: str) -> None:
    assert mention.network == "twitter"
    blank = refused(lambda: acme.social.engagement.respond(mention.id, " ", kind=kind))
    assert (blank.status, blank.fields[0].field) == (422, "content")
    assert refused(lambda: acme.social.engagement.respond(mention.id, "x" * 281, kind=kind)).code == "CONTENT_TOO_LONG"
    missing = refused(lambda: acme.social.engagement.respond("mention_no", "x", kind=kind))
    assert (missing.status, missing.code) == (422, "REFERENCE_NOT_FOUND")


def test_what_is_tracked_raises_figures_once(stub: StubServer, acme: CrmClient, post: Post) -> None:
    made = post()
    track = acme.social.engagement.track
    first = track({"kind": "like", "post_id": made.id, "external_id": "e1"})
    assert track({"kind": "share", "post_id": made.id, "external_id": "e1"}).id == first.id
    for kind in ("reply", "comment", "share", "click", "follow", "direct_message"):
        track({"kind": kind, "post_id": made.id})
    figures = acme.social.posts.get(made.id).metrics
    assert figures is not None
    assert (figures.likes, figures.comments, figures.shares, figures.clicks) == (1, 2, 1, 1)
    assert (figures.engagements, figures.impressions, figures.engagement_rate) == (5, 5, 1)
    assert acme.social.engagement.history(post_id=made.id).total == 7
    assert acme.social.engagement.history(post_id=made.id, direction="outbound").total == 0
    tracked = [entry for entry in stub.audit() if entry["action"] == "social.engagement_tracked"]
    assert len(tracked) == 7


def test_an_id_of_another_network_is_another(acme: CrmClient, connect: Connect, post: Post) -> None:
    ids = {
        acme.social.engagement.track({"kind": "like", "post_id": one.id, "external_id": "same"}).id
        for one in (post(connect()), post(connect("facebook", "page")))
    }
    assert len(ids) == 2


def test_where_something_can_be_tracked(
    stub: StubServer, acme: CrmClient, connect: Connect, post: Post, mention: SocialMention
) -> None:
    track = acme.social.engagement.track
    page = connect("facebook", "page")
    made = post(connect(), page)
    assert track({"kind": "like", "post_id": made.id, "account_id": page.id}).network == "facebook"
    assert track({"kind": "like", "mention_id": mention.id}).network == mention.network
    for given, field in (
        ({}, "post_id"),
        ({"post_id": made.id, "mention_id": mention.id}, "post_id"),
        ({"post_id": "post_no"}, "post_id"),
        ({"post_id": made.id, "contact_id": "contact_no"}, "contact_id"),
        ({"post_id": made.id, "occurred_at": stub.clock.now() + timedelta(hours=1)}, "occurred_at"),
        ({"post_id": made.id, "account_id": connect("linkedin", "other").id}, "account_id"),
        ({"mention_id": mention.id, "account_id": page.id}, "account_id"),
    ):
        members: Any = {"kind": "like", **given}
        refusal = refused(partial(track, members))
        assert (refusal.status, refusal.fields[0].field) == (422, field)


def test_the_last_contact_stays_what_was_tracked(stub: StubServer, acme: CrmClient, post: Post) -> None:
    person = acme.contacts.create({"name": "Fan", "email": "fan@x.example"})
    at = stub.clock.now()
    made = post()
    acme.social.engagement.track({"kind": "like", "post_id": made.id, "contact_id": person.id, "occurred_at": at})
    assert acme.contacts.get(person.id).last_contact == at
    stub.clock.advance(24 * 60 * 60)
    last = acme.contacts.get(person.id).last_contact
    assert last is not None and last >= at


def test_the_figures_of_the_days_add_up(stub: StubServer, acme: CrmClient, post: Post, connect: Connect) -> None:
    account = connect()
    made = post(account)
    stub.clock.advance(36 * 60 * 60)
    acme.social.engagement.track({"kind": "like", "post_id": made.id})
    look = acme.social.engagement.metrics
    own, figures = look(account_id=account.id), acme.social.posts.get(made.id).metrics
    assert figures is not None
    for name in ("impressions", "likes", "comments", "shares", "clicks", "engagements"):
        assert getattr(own, name).value == getattr(figures, name), name
    every = look()
    for name in ("impressions", "engagements"):
        total = getattr(every, name).value
        assert sum(getattr(one, name) for one in every.by_network) == total
        points = next(line.points for line in every.series if line.name == name)
        assert sum(point.value for point in points) == total
    mentions = list(acme.social.monitoring.mentions.list(since=stub.clock.now() - timedelta(days=29)))
    answered = sum(one.status == "responded" for one in mentions)
    assert 0 < every.response_rate.value < 1 and abs(float(every.mentions.value) - len(mentions)) <= 8
    assert answered and every.avg_response_minutes.value >= 20
    assert look(network="youtube").impressions.value == 0
    assert look(compare_to="none").followers.previous is None


def test_what_was_done_is_listed_by_its_time(
    stub: StubServer, acme: CrmClient, connect: Connect, post: Post, mention: SocialMention
) -> None:
    made, now, hour = post(connect()), stub.clock.now(), timedelta(hours=1)
    track, history = acme.social.engagement.track, acme.social.engagement.history
    ids = [
        track({"kind": kind, "post_id": made.id, "occurred_at": at, "external_id": ""}).id
        for kind, at in (("like", now - hour), ("share", now - 3 * hour), ("click", now - 2 * hour))
    ]
    own = track({"kind": "comment", "mention_id": mention.id, "content": "Nice"})
    assert (own.account_id, own.contact_id, own.status, own.direction, own.user_id, own.external_id) == (
        mention.account_id, mention.contact_id, "recorded", "inbound", None, None,
    )  # fmt: skip
    assert own.occurred_at == own.created_at

    def found(**given: Any) -> list[str]:
        return [one.id for one in history(post_id=made.id, **given)]

    like, share, click = ids
    assert found() == [like, click, share] and found(order="asc") == [share, click, like]
    assert found(sort="occurred_at") == [share, click, like] == found(sort="occurred_at", order="asc")
    assert found(sort="created_at", order="desc") == [click, share, like]
    assert found(since=now - 2 * hour) == [like, click] and found(until=now - 2 * hour) == [share]
    assert found(since=now - 2 * hour, until=now - hour) == [click]
    assert found(kind="share") == [share] and found(direction="outbound") == []
    assert [one.id for one in history(mention_id=mention.id, direction="inbound")] == [own.id]
    assert refused(lambda: history(sort="kind")).status == 422


def test_where_an_answer_or_a_deed_cannot_be_says_why(
    acme: CrmClient, connect: Connect, post: Post, mention: SocialMention
) -> None:
    engagement = acme.social.engagement
    page, other, own = connect("facebook", "page"), connect("linkedin", "other"), connect()
    made = post(own, page)
    cases: list[tuple[Any, tuple[Any, ...]]] = [
        ({}, ("VALIDATION_ERROR", "required", {})),
        ({"post_id": made.id, "mention_id": mention.id}, ("VALIDATION_ERROR", "choice", {})),
        ({"post_id": made.id, "account_id": other.id},
         ("NETWORK_MISMATCH", None, {"networks": ["facebook", "twitter"]})),
        ({"mention_id": mention.id, "account_id": page.id}, ("NETWORK_MISMATCH", None, {"network": mention.network})),
    ]  # fmt: skip
    for given, expected in cases:
        members: Any = {"kind": "like", **given}
        error = refused(partial(engagement.track, members))
        assert (error.code, error.fields[0].rule, error.details) == expected, given
    assert refused(lambda: engagement.respond(mention.id, account_id=page.id)).fields[0].rule == "required"
    assert refused(lambda: engagement.respond(mention.id, "x", account_id=page.id)).details == {
        "network": mention.network
    }
    answered = engagement.respond(mention.id, "x" * 280, kind="direct_message", account_id=own.id)
    assert (answered.external_id, answered.occurred_at) == (f"{mention.network}-{answered.id}", answered.created_at)
    shared = engagement.respond(mention.id, "not said", kind="share", account_id=own.id)
    assert (shared.content, shared.kind, shared.url, shared.contact_id) == (
        None, "share", mention.url, mention.contact_id,
    )  # fmt: skip
