"""Accounts that are connected, expire and come back, and posts that go out at once, later, or only in part."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from refusals import refused
from stub_data import stored

from crm_sdk import CrmClient
from crm_sdk.models import SocialAccount
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.outside.networks import profile_url

from .conftest import Connect, Post

DAY = 24 * 60 * 60


def test_a_token_opens_the_account_that_it_names(stub: StubServer, acme: CrmClient, globex: CrmClient) -> None:
    connect = acme.social.accounts.connect
    made = connect("youtube", access_token="channel:very-secret-1")
    assert (made.handle, made.status, made.connected_by) == ("channel", "connected", "user_ada")
    assert made.created_at is not None
    assert made.token_expires_at == made.created_at + timedelta(days=60)
    again = refused(lambda: connect("youtube", access_token="channel:very-secret-2"))
    assert (again.status, again.code, again.details["existingId"]) == (409, "ACCOUNT_CONNECTED", made.id)
    assert connect("mastodon", code="c-1", redirect_uri="http://127.0.0.1/x").network == "mastodon"
    assert globex.social.accounts.connect("youtube", access_token="channel:very-secret-1").id != made.id
    assert "very-secret" not in str([stub.audit(), stub.store.collection("tenant_acme", "social_account").all()])


def test_what_connects_no_account(acme: CrmClient) -> None:
    cases: list[tuple[dict[str, str], str, str]] = [
        ({}, "VALIDATION_ERROR", "access_token"),
        ({"code": "c"}, "VALIDATION_ERROR", "redirect_uri"),
        ({"code": "c", "redirect_uri": "http://x.example", "access_token": "t"}, "VALIDATION_ERROR", "access_token"),
        ({"access_token": "  "}, "VALIDATION_ERROR", "access_token"),
        ({"access_token": "refused-1"}, "CONNECTION_REFUSED", "access_token"),
        ({"code": "REFUSED", "redirect_uri": "http://x.example"}, "CONNECTION_REFUSED", "code"),
    ]
    for given, code, field in cases:
        refusal = refused(partial(acme.social.accounts.connect, "youtube", **given))
        assert (refusal.status, refusal.code, refusal.fields[0].field) == (422, code, field), given


@pytest.mark.parametrize("network", [" ", "\t\n"])
def test_an_account_is_of_a_network_that_has_a_name(acme: CrmClient, network: str) -> None:
    refusal = refused(lambda: acme.social.accounts.connect(network, access_token="channel:token"))
    assert (refusal.status, refusal.fields[0].field, refusal.fields[0].rule) == (422, "network", "length")
    assert acme.social.accounts.connect(" youtube ", access_token="channel:token").network == "youtube"


@pytest.mark.thorough
def test_an_expired_account_is_revived_and_a_disconnected_one_is_not(
    stub: StubServer, acme: CrmClient, connect: Connect
) -> None:
    made = connect()
    stub.clock.advance(60 * DAY)
    expired = {account.id: account for account in acme.social.accounts.list(status="expired", network="twitter")}
    assert made.id in expired
    refusal = refused(lambda: acme.social.posts.create({"account_ids": [made.id], "content": "x"}))
    assert (refusal.status, refusal.code) == (409, "ACCOUNT_DISCONNECTED")
    revived = connect()
    assert (revived.id, revived.status) == (made.id, "connected")
    assert revived.followers is not None and made.followers is not None and revived.followers > made.followers
    off = acme.social.accounts.disconnect(made.id)
    assert (off.status, off.token_expires_at) == ("disconnected", None)
    assert acme.social.accounts.disconnect(made.id).version == off.version
    stub.clock.advance(DAY)
    assert acme.social.accounts.list(status="disconnected").items[0].followers == off.followers
    assert connect().id != made.id
    told = [entry["action"] for entry in stub.audit() if entry["entity"]["id"] == made.id]
    assert told == ["social.account_connected", "social.account_connected", "social.account_disconnected"]


@pytest.mark.parametrize(("network", "limit"), [("twitter", 280), ("instagram", 2_200), ("linkedin", 3_000)])
def test_the_strictest_network_limits_the_text(
    stub: StubServer, acme: CrmClient, connect: Connect, network: str, limit: int
) -> None:
    file = Document({"id": "file_picture", "content_type": "image/png", "deleted_at": None})
    stub.store.collection("tenant_acme", "file").put(file)
    accounts = [connect(network).id, connect("facebook").id]
    create = acme.social.posts.create
    assert create({"account_ids": accounts, "content": "é" * limit, "media": [file["id"]]}).status == "published"
    refusal = refused(lambda: create({"account_ids": accounts, "content": "x" * (limit + 1), "media": [file["id"]]}))
    assert (refusal.status, refusal.code) == (422, "CONTENT_TOO_LONG")
    assert refusal.details["networks"] == {network: limit}


def test_what_a_post_needs(stub: StubServer, acme: CrmClient, connect: Connect) -> None:
    instagram, create = connect("instagram"), acme.social.posts.create
    bare = refused(lambda: create({"account_ids": [instagram.id], "content": "x"}))
    assert (bare.status, bare.code, bare.fields[0].field) == (422, "MEDIA_REQUIRED", "media")
    text = Document({"id": "file_text", "content_type": "text/plain", "deleted_at": None})
    stub.store.collection("tenant_acme", "file").put(text)
    wrong = refused(lambda: create({"account_ids": [instagram.id], "content": "x", "media": ["file_text"]}))
    assert (wrong.status, wrong.fields[0].field) == (422, "media.0")
    unknown = refused(lambda: create({"account_ids": [instagram.id, "social_no"], "content": "x"}))
    assert (unknown.status, unknown.code, unknown.fields[0].field) == (422, "REFERENCE_NOT_FOUND", "account_ids.1")
    past = stub.clock.now() - timedelta(seconds=1)
    late = refused(lambda: create({"account_ids": [connect().id], "content": "x", "scheduled_at": past}))
    assert (late.status, late.fields[0].field) == (422, "scheduled_at")


def test_a_scheduled_post_goes_out_at_its_time_where_it_can(
    stub: StubServer, acme: CrmClient, connect: Connect, post: Post
) -> None:
    twitter, linkedin = connect(), connect("linkedin")
    at = stub.clock.now() + timedelta(hours=2)
    both = post(twitter, linkedin, scheduled_at=at)
    only = post(linkedin, scheduled_at=at)
    assert (both.status, both.published_at, both.metrics and both.metrics.impressions) == ("scheduled", None, 0)
    acme.social.accounts.disconnect(linkedin.id)
    gone = acme.social.posts.get(only.id)
    assert (gone.status, gone.published_at, gone.targets[0].status) == ("failed", None, "failed")
    assert gone.targets[0].error is not None and gone.targets[0].error.code == "ACCOUNT_DISCONNECTED"
    assert gone.targets[0].error.message.startswith("second of linkedin")
    waiting = acme.social.posts.get(both.id)
    assert (waiting.status, [target.status for target in waiting.targets]) == ("scheduled", ["pending", "failed"])
    stub.clock.advance(2 * 60 * 60 - 60)
    assert acme.social.posts.get(both.id).status == "scheduled"
    stub.clock.advance(60)
    done = acme.social.posts.get(both.id)
    assert (done.status, done.published_at) == ("partially_published", at)
    told = {entry["action"]: entry["entity"]["id"] for entry in stub.audit() if ".post_" in entry["action"]}
    assert told == {
        "social.post_scheduled": only.id, "social.post_failed": only.id, "social.post_published": both.id,
    }  # fmt: skip


def test_the_figures_of_a_post_grow_and_add_up(stub: StubServer, acme: CrmClient, post: Post) -> None:
    made, seen = post(), [0]
    for _ in range(4):
        stub.clock.advance(8 * 60 * 60)
        metrics = acme.social.posts.get(made.id).metrics
        assert metrics is not None
        assert metrics.engagements == metrics.likes + metrics.comments + metrics.shares + metrics.clicks
        assert metrics.engagement_rate == pytest.approx(metrics.engagements / metrics.impressions)
        assert metrics.reach <= metrics.impressions
        seen.append(metrics.impressions)
    assert seen == sorted(set(seen))
    assert acme.social.posts.get(made.id).version == made.version


def test_sales_reads_and_listens_but_does_not_post(acme: CrmClient, sales: CrmClient, connect: Connect) -> None:
    account = connect()
    for call in (
        lambda: sales.social.accounts.connect("youtube", access_token="t"),
        lambda: sales.social.accounts.disconnect(account.id),
        lambda: sales.social.posts.create({"account_ids": [account.id], "content": "x"}),
        lambda: sales.social.monitoring.alerts.create({"name": "x", "condition": "keyword"}),
    ):
        assert refused(call).status == 403
    assert sales.social.monitoring.keywords.create(["onboarding"])[0].keyword == "onboarding"
    assert account.id in [one.id for one in sales.social.accounts.list()]


def test_a_post_is_told_of_whole_and_its_targets_one_by_one(
    stub: StubServer, acme: CrmClient, connect: Connect, post: Post
) -> None:
    twitter, linkedin = connect(), connect("linkedin")
    before = len(stub.audit())
    made = post(twitter, linkedin)
    ids = [f"{account.network}-{made.id}-{account.id}" for account in (twitter, linkedin)]
    assert [target.model_dump() for target in made.targets] == [
        {"account_id": account.id, "network": account.network, "status": "published", "external_id": id,
         "published_at": made.published_at, "error": None,
         "url": f"{profile_url(account.network, str(account.handle))}/status/{id}"}
        for account, id in zip((twitter, linkedin), ids, strict=True)
    ]  # fmt: skip
    assert (made.status, made.scheduled_at) == ("published", None) and made.published_at is not None
    (told,) = stub.audit()[before:]
    assert (told["action"], told["entity"]["id"], told["metadata"]) == (
        "social.post_published", made.id, {"failed_account_ids": []},
    )  # fmt: skip
    at = stub.clock.now() + timedelta(seconds=5)
    waits, partly = post(linkedin, scheduled_at=at), post(twitter, linkedin, scheduled_at=at)
    gone = acme.social.accounts.disconnect(linkedin.id)
    message = f"{gone.handle} of linkedin is disconnected: connect it again"
    failed = acme.social.posts.get(waits.id).targets[0]
    assert failed.error is not None and failed.error.model_dump() == {
        "code": "ACCOUNT_DISCONNECTED", "message": message, "field": None, "rule": None,
        "details": {"accountId": linkedin.id},
    }  # fmt: skip
    assert (failed.status, failed.external_id, failed.published_at, failed.url) == ("failed", None, None, None)
    facebook = connect("facebook")
    ended = post(facebook, scheduled_at=at)
    stored(stub, "social_account", facebook.id, status="expired", ended_at=stub.clock.now())
    stub.clock.advance(5)
    expired = acme.social.posts.get(ended.id)
    assert (expired.status, expired.targets[0].status, expired.published_at) == ("failed", "failed", None)
    said = {entry["entity"]["id"]: (entry["action"], entry["metadata"]) for entry in stub.audit()}
    assert said[waits.id] == ("social.post_failed", {"failed_account_ids": [linkedin.id]})
    assert said[partly.id] == ("social.post_published", {"failed_account_ids": [linkedin.id]})
    refusal = refused(lambda: post(linkedin))
    assert (refusal.status, refusal.code, refusal.message, refusal.details) == (
        409, "ACCOUNT_DISCONNECTED", message, {"accountId": linkedin.id},
    )  # fmt: skip
    video = Document({"id": "file_video", "content_type": "video/mp4", "deleted_at": None})
    stub.store.collection("tenant_acme", "file").put(video)
    assert post(connect("instagram"), media=["file_video"]).status == "published"


def test_an_account_was_read_when_its_network_was(stub: StubServer, acme: CrmClient, connect: Connect) -> None:
    made = connect()
    at = stub.clock.now()
    assert made.last_sync_at is not None and made.last_sync_at <= at
    stub.clock.advance(3_600)

    def now() -> SocialAccount:
        return next(one for one in acme.social.accounts.list() if one.id == made.id)

    read = next(doc["read_until"] for doc in stub.store.collection("tenant_acme", "social_feed"))
    assert now().last_sync_at == read > at and now().version == made.version
    gone = acme.social.accounts.disconnect(made.id)
    assert gone.last_sync_at == made.last_sync_at, "as it is stored"
    assert acme.social.accounts.disconnect(made.id) == gone, "it is disconnected once"
    stub.clock.advance(3_600)
    assert now() == gone
