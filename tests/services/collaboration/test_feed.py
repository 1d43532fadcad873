"""The feed: what has happened to the records that somebody may see."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crm_sdk import CrmClient, NotFoundError, ValidationError
from crm_sdk.models import FeedItem
from server_stub import StubServer
from server_stub.languages.catalogue import feed
from server_stub.languages.negotiation import SHIPPED
from server_stub.request.http import Request
from server_stub.services.collaboration.summaries import VERBS

from .conftest import Give, Make, ref


def about(crm: CrmClient, id: str, **filter: Any) -> list[FeedItem]:
    wanted: Any = {"entities": [ref(id)], **filter}
    return list(crm.collaboration.feed.filter(wanted))


def test_what_happens_to_a_record_is_in_the_feed(ada: CrmClient, sam: CrmClient, lead: Make, give: Give) -> None:
    made = lead()
    give(made.id, access="edit")
    sam.leads.update(made.id, {"company": "Zimt"})
    comment = sam.collaboration.comments.create({"entity": ref(made.id), "body": "Done, @ada"})
    items = about(ada, made.id)
    assert [(one.verb, one.type) for one in items] == [
        ("mentioned", "user.mentioned"),
        ("commented", "comment.created"),
        ("updated", "lead.updated"),
        ("shared", "collaboration.shared"),
        ("created", "lead.created"),
    ]
    mention, commented, updated, shared, _ = items
    assert all((one.entity.type, one.entity.id, one.entity.name) == ("lead", made.id, made.name) for one in items)
    assert [one.actor.id if one.actor else None for one in items] == ["user_sam"] * 3 + ["user_ada"] * 2
    assert (mention.target and mention.target.id, shared.target and shared.target.id) == ("user_ada", "user_sam")
    assert commented.comment is not None and (commented.comment.id, commented.comment.body) == (
        comment.id,
        "Done, @ada",
    )
    assert ("company", "Zimt") in [(change.field, change.after) for change in updated.changes]
    sam.collaboration.comments.delete(comment.id)
    assert all(one.comment is None for one in about(ada, made.id))


def test_alike_events_within_ten_minutes_are_one_item(stub: StubServer, ada: CrmClient, lead: Make) -> None:
    made = lead(company="Kümmel")
    for minutes, company in ((0, "Zimt"), (9, "Pfeffer"), (2, "Salz")):
        stub.clock.advance(60 * minutes)
        ada.leads.update(made.id, {"company": company})
    items = about(ada, made.id, verbs=["updated"])
    assert [one.count for one in items] == [2, 1]
    (change,) = items[0].changes
    assert (change.before, change.after) == ("Zimt", "Salz")


def test_each_condition_limits_the_feed(stub: StubServer, ada: CrmClient, sam: CrmClient, lead: Make) -> None:
    team = ada.users.teams.create({"name": "Helpers", "member_ids": ["user_sam"]})
    start = stub.clock.now()
    hers, his = lead(), lead("user_sam")
    stub.clock.advance(3600)
    later = stub.clock.now()
    sam.collaboration.comments.create({"entity": ref(his.id), "body": "Saffron, @ada?"})
    task = ada.activities.tasks.create({"title": "Call"})

    def ids(**filter: Any) -> set[str]:
        wanted: Any = {"since": start, **filter}
        found = {one.entity.id for one in ada.collaboration.feed.filter(wanted)}
        return found & {hers.id, his.id, task.id}

    both = {hers.id, his.id}
    assert ids() == {*both, task.id}
    assert ids(user_ids=["user_sam"]) == ids(team_ids=[team.id]) == {his.id}
    assert ids(verbs=["created"]) == {*both, task.id}
    assert ids(verbs=["created", "commented"], user_ids=["user_sam"]) == {his.id}
    assert ids(entity_types=["lead"]) == both
    assert ids(entity_types=["task"]) == ids(entity_types=["activity"]) == {task.id}
    assert ids(mentions_me=True) == {his.id}
    assert ids(followed=True) == {hers.id, task.id}
    assert ids(q="saffron") == {his.id}
    assert ids(since=later) == {his.id, task.id}
    assert ids(until=later) == both
    assert ids(until=start) == set()
    assert ids(entities=[ref("lead_nobody")]) == set()


def test_the_feeds_of_team_and_user(ada: CrmClient, sam: CrmClient, lead: Make, give: Give) -> None:
    team = ada.users.teams.create({"name": "Helpers", "member_ids": ["user_sam"]})
    his = lead("user_sam")
    sam.leads.update(his.id, {"company": "Zimt"})
    mine = list(sam.collaboration.feed.user("me"))
    assert [(one.verb, one.entity.id) for one in mine] == [("updated", his.id)]
    assert [one.id for one in ada.collaboration.feed.list(team_id=team.id)] == [one.id for one in mine]
    assert [one.id for one in ada.collaboration.feed.user("user_sam", verbs=["updated"])] == [one.id for one in mine]
    assert ada.collaboration.feed.user("user_sam", entity_type="deal").total == 0
    with pytest.raises(NotFoundError):
        ada.collaboration.feed.user("user_nobody")
    oldest_first = ada.collaboration.feed.list(sort="occurred_at", order="asc")
    assert [one.id for one in oldest_first] == [one.id for one in ada.collaboration.feed.list()][::-1]
    with pytest.raises(ValidationError):
        ada.collaboration.feed.list(sort="summary")


def test_nobody_reads_of_what_they_may_not_see(ada: CrmClient, sam: CrmClient, gina: CrmClient) -> None:
    board = ada.dashboards.create({"name": "Mine", "visibility": "private"})
    ada.collaboration.comments.create({"entity": ref(board.id, "dashboard"), "body": "Secret"})
    found = {
        name: [one.verb for one in crm.collaboration.feed.list(entity_type="dashboard") if one.entity.id == board.id]
        for name, crm in {"ada": ada, "sam": sam, "gina": gina}.items()
    }
    assert found == {"ada": ["commented", "created"], "sam": [], "gina": []}
    ada.dashboards.delete(board.id)
    assert [one.verb for one in ada.collaboration.feed.list(entity_type="dashboard")] == ["deleted", "created"]


@pytest.mark.parametrize("language", SHIPPED)
def test_every_language_has_a_line_for_every_verb(ada: CrmClient, lead: Make, language: Any) -> None:
    assert feed(language).keys() == VERBS
    ada.users.preferences.update("user_ada", {"language": language})
    made = lead()
    (item,) = about(ada, made.id)
    assert item.summary == feed(language)["created"].format(actor=ada.users.get("me").name, entity=made.name)


def test_comments_arrive_on_live_connections(stub: StubServer, ada: CrmClient, lead: Make) -> None:
    made = lead()
    with stub.client(dialects="mvp").events.listen(types=["comment.created"]) as stream:
        comment = ada.collaboration.comments.create({"entity": ref(made.id), "body": "Hello"})
        event: Any = next(stream)
    assert (event.type, event.data["id"], event.data["entity"]["id"]) == ("comment.created", comment.id, made.id)


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_body_names_what_to_sort_by_as_a_query_does(stub: StubServer, lead: Make, order: str) -> None:
    lead(), lead()
    headers = {"authorization": "Bearer acme-admin", "content-type": "application/json"}
    found = []
    for name in ("occurredAt", "occurred_at"):
        body = json.dumps({"sort": name, "order": order, "entityTypes": ["lead"]}).encode()
        reply = stub.handle(Request("POST", "/v1/collaboration/feed/filter", "", headers, body))
        assert reply.status == 200, reply.body
        found.append([one["occurredAt"] for one in json.loads(reply.body)["data"]])
    assert found[0] == found[1] == sorted(found[0], reverse=order == "desc")


def test_a_comment_that_was_deleted_is_in_no_feed_with_its_text(
    stub: StubServer, ada: CrmClient, sam: CrmClient, lead: Make
) -> None:
    made = lead("user_sam")
    first = ada.collaboration.comments.create({"entity": ref(made.id), "body": "Saffron"})
    sam.collaboration.comments.create({"entity": ref(made.id), "body": "Sumac", "parent_id": first.id})
    ada.collaboration.comments.delete(first.id)
    shown = [(one.type, one.comment and one.comment.body) for one in about(ada, made.id)]
    assert shown == [
        ("comment.deleted", None), ("comment.created", "Sumac"), ("comment.created", None), ("lead.created", None),
    ]  # fmt: skip
    assert [one.type for one in about(ada, made.id, q="saffron")] == []
    token = ada.auth.token(grant_type="client_credentials", client_id="demo-service", client_secret="demo-secret")
    app = stub.client(api_key=str(token.access_token), dialects="platform", max_retries=0)
    assert about(app, made.id) != [] == about(app, made.id, followed=True), "what is no user follows nothing"
