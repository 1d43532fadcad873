"""Mentions and who is told of them, which comments count, and how the feed joins and names what has happened."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from refusals import refused
from stub_data import some

from crm_sdk import CrmClient
from crm_sdk.models import FeedItem
from server_stub import StubServer
from server_stub.clock import TICK
from server_stub.services.collaboration.feed import verb_of

from .conftest import Give, Make, ref


def filtered(crm: CrmClient, **wanted: Any) -> list[FeedItem]:
    return list(crm.collaboration.feed.filter(wanted))  # type: ignore[arg-type] # a plain dict


def comment(crm: CrmClient, lead_id: str, body: str = "Hello", **members: Any) -> Any:
    given: Any = {"entity": ref(lead_id), "body": body, **members}
    return crm.collaboration.comments.create(given)


def inbox(stub: StubServer, user_id: str, type: str) -> list[Any]:
    found = stub.store.collection("tenant_acme", "notification").find("user_id", user_id)
    return [doc for doc in found if doc["type"] == type]


# -- mentions ----------------------------------------------------------------------------------------------------------


def test_who_is_mentioned_is_told_by_whom_and_why(stub: StubServer, ada: CrmClient, sam: CrmClient, lead: Make) -> None:
    made, before = lead("user_sam"), len(inbox(stub, "user_sam", "mention"))
    (first,) = ada.collaboration.mentions.create(["user_sam", "user_sam"], ref(made.id))
    (second,) = ada.collaboration.mentions.create(["user_sam"], ref(made.id), message="Please look")
    told = inbox(stub, "user_sam", "mention")[before:]
    title = f"acme-admin mentions you: {made.name}"
    assert [(one["title"], one["message"], one["metadata"]["mentionId"]) for one in told] == [
        (title, title, first.id), (title, "Please look", second.id),
    ]  # fmt: skip
    assert [one.notification_id for one in (first, second)] == [one["id"] for one in told]
    assert "commentId" not in told[0]["metadata"] and told[0]["entity"]["id"] == made.id
    assert (some(first.mentioned_by).id, first.comment_id, first.message, first.read) == ("user_ada", None, None, False)
    events = [entry for entry in stub.audit() if entry["action"] == "user.mentioned"]
    assert [entry["metadata"] for entry in events[-2:]] == [
        {"mention_id": one.id, "comment_id": None, "entity_type": "lead", "entity_id": made.id}
        for one in (first, second)
    ]


def test_a_mention_is_read_with_its_notification_and_of_oneself_nobody_is_told(
    stub: StubServer, ada: CrmClient, sam: CrmClient, lead: Make
) -> None:
    made, before = lead(), len(inbox(stub, "user_ada", "mention"))
    said = comment(ada, made.id, "Ask @user_ada and @mia")
    for read in (False, True):
        own, other = ada.collaboration.mentions.create(["user_ada", "user_mia"], ref(made.id), comment_id=said.id)
        assert (own.read, own.notification_id) == (False, None), "of what one does oneself one is not told"
        assert (other.read, other.comment_id) == (read, said.id)
        (told,) = [one for one in inbox(stub, "user_mia", "mention") if one["id"] == other.notification_id]
        assert (told["message"], told["metadata"]["commentId"]) == ("Ask @user_ada and @mia", said.id)
        stub.store.collection("tenant_acme", "notification").put(told | {"read": True})
    assert len(inbox(stub, "user_ada", "mention")) == before


def test_all_are_mentioned_or_none(stub: StubServer, ada: CrmClient, lead: Make) -> None:
    made, other = lead(), lead()
    board = ada.dashboards.create({"name": "Mine", "visibility": "private"})
    ada.users.deactivate("user_mia")
    theirs, gone = comment(ada, other.id), comment(ada, made.id)
    comment(ada, made.id, parent_id=gone.id)
    ada.collaboration.comments.delete(gone.id)
    mention = ada.collaboration.mentions.create
    for call, code, field in (
        (partial(mention, ["user_sam", "user_nobody"], ref(made.id)), "REFERENCE_NOT_FOUND", "user_ids.1"),
        (partial(mention, ["user_mia"], ref(made.id)), "VALIDATION_ERROR", "user_ids.0"),
        (partial(mention, ["user_ada", "user_sam"], ref(board.id, "dashboard")), "USER_HAS_NO_ACCESS", "user_ids.1"),
        (partial(mention, ["user_sam"], ref("lead_nobody")), "REFERENCE_NOT_FOUND", "entity.id"),
        (partial(mention, ["user_sam"], ref(made.id), comment_id="comment_no"), "REFERENCE_NOT_FOUND", "comment_id"),
        (partial(mention, ["user_sam"], ref(made.id), comment_id=theirs.id), "VALIDATION_ERROR", "comment_id"),
        (partial(mention, ["user_sam"], ref(made.id), comment_id=gone.id), "VALIDATION_ERROR", "comment_id"),
    ):
        refusal = refused(call)
        assert (refusal.status, refusal.fields[0].code, refusal.fields[0].field) == (422, code, field)
    assert not [entry for entry in stub.audit() if entry["action"] == "user.mentioned"]


# -- comments ----------------------------------------------------------------------------------------------------------


def test_earlier_commenters_are_told_what_is_said(stub: StubServer, ada: CrmClient, sam: CrmClient, lead: Make) -> None:
    made = lead("user_sam")
    comment(ada, made.id)
    comment(sam, lead("user_sam").id)
    before = len(inbox(stub, "user_ada", "comment"))
    said = comment(sam, made.id, "x" * 501)
    (told,) = inbox(stub, "user_ada", "comment")[before:]
    assert (told["title"], told["message"]) == (f"acme-sales comments on {made.name}", "x" * 500)
    assert told["metadata"]["commentId"] == said.id and told["entity"]["id"] == made.id
    long = comment(sam, made.id, f"@ada {'y' * 600}")
    assert inbox(stub, "user_ada", "mention")[-1]["message"] == long.body[:500]


def test_a_comment_is_edited_where_its_text_is_another(ada: CrmClient, lead: Make) -> None:
    made = lead()
    first = comment(ada, made.id, "One")
    assert (first.edited, first.edited_at, first.deleted, first.reply_count) == (False, None, False, 0)
    file = ada.files.upload(("a.txt", b"a"))
    with_file = ada.collaboration.comments.update(first.id, {"attachments": [file.id], "body": "One"})
    assert (with_file.edited, with_file.edited_at, with_file.attachments) == (False, None, [file.id])
    changed = ada.collaboration.comments.update(first.id, {"body": "Two @sam"})
    assert changed.edited and some(changed.edited_at) > some(first.created_at)
    assert [user.id for user in changed.mentions] == ["user_sam"] and changed.attachments == [file.id]


def test_comments_are_found_by_author_and_time(stub: StubServer, ada: CrmClient, sam: CrmClient, lead: Make) -> None:
    made = lead("user_sam")
    hers, his = comment(ada, made.id), comment(sam, made.id)
    find = partial(ada.collaboration.comments.list, "lead", made.id)
    assert [one.id for one in find()] == [hers.id, his.id]
    assert [one.id for one in find(author_id="user_sam")] == [his.id]
    assert [one.id for one in find(since=his.created_at)] == [his.id]
    assert [one.id for one in find(since=hers.created_at)] == [hers.id, his.id]
    assert [one.id for one in find(since=some(his.created_at) + TICK)] == []


def test_a_place_stays_while_a_reply_hangs_on_it(stub: StubServer, ada: CrmClient, lead: Make) -> None:
    made = lead()
    top = comment(ada, made.id)
    replies = [comment(ada, made.id, parent_id=top.id) for _ in range(2)]
    ada.collaboration.comments.delete(top.id)
    for left, reply in ((2, replies[0]), (0, replies[1])):
        ada.collaboration.comments.delete(reply.id)
        assert ada.collaboration.comments.list("lead", made.id).total == left
    alone = comment(ada, made.id)
    reply = comment(ada, made.id, parent_id=alone.id)
    ada.collaboration.comments.delete(reply.id)
    assert [one.id for one in ada.collaboration.comments.list("lead", made.id)] == [alone.id], "it was not deleted"
    told = [entry["action"] for entry in stub.audit() if entry["entity"]["id"] == top.id]
    assert told == ["comment.created", "comment.deleted"]


# -- the feed ----------------------------------------------------------------------------------------------------------


def test_what_events_say_was_done() -> None:
    for event, verb in {
        "lead.created": "created", "lead.captured": "created", "call.logged": "created", "email.received": "created",
        "email.sent": "created", "lead.updated": "updated", "deal.won": "won", "deal.stage_changed": "stage_changed",
        "comment.created": "commented", "comment.updated": "updated", "collaboration.shared": "shared",
        "collaboration.share_updated": "updated", "collaboration.unshared": "updated", "team.member_added": "joined",
        "team.member_removed": "updated", "user.mentioned": "mentioned", "file.uploaded": "uploaded",
        "lead.deleted": "deleted", "contact.merged": "merged", "lead.qualified": "qualified",
    }.items():  # fmt: skip
        assert verb_of(event) == verb, event


def test_alike_events_are_one_item_for_ten_minutes(
    stub: StubServer, ada: CrmClient, sam: CrmClient, lead: Make, give: Give
) -> None:
    made = lead("user_sam")
    for over, count in ((timedelta(), [2]), (TICK, [1, 2])):
        ada.leads.update(made.id, {"company": f"A{over}"})
        (last, *_) = filtered(ada, entities=[ref(made.id)], verbs=["updated"])
        gap = last.occurred_at + timedelta(minutes=10) + over - stub.clock.now() - TICK
        stub.clock.advance(gap.total_seconds())
        ada.leads.update(made.id, {"title": f"B{over}"})
        items = filtered(ada, entities=[ref(made.id)], verbs=["updated"])
        assert [one.count for one in items][: len(count)] == count[:1] + [1] * (len(count) - 1)
        if not over:
            changes = {change.field: change.after for change in items[0].changes}
            assert (
                changes
                | {
                    "company": "A0:00:00",
                    "title": "B0:00:00",
                }
                == changes
            )
        stub.clock.advance(3_600)


def test_only_what_is_of_one_user_one_record_and_one_kind_is_joined(
    stub: StubServer, ada: CrmClient, sam: CrmClient, lead: Make
) -> None:
    one, two = lead("user_sam"), lead("user_sam")
    for crm, id in ((ada, one.id), (sam, one.id), (ada, two.id), (ada, one.id)):
        crm.leads.update(id, {"company": f"{crm is ada} {id} {stub.clock.now()}"})
    for subject in ("user_sam", "user_mia"):
        given: Any = {"entity": ref(one.id), "subject_type": "user", "subject_id": subject}
        ada.collaboration.shares.create(given)
    items = filtered(ada, entities=[ref(one.id), ref(two.id)], verbs=["updated", "shared"])
    assert [(item.verb, item.entity.id, item.actor and item.actor.id, item.count) for item in items] == [
        ("shared", one.id, "user_ada", 1), ("shared", one.id, "user_ada", 1), ("updated", one.id, "user_ada", 2),
        ("updated", two.id, "user_ada", 1), ("updated", one.id, "user_sam", 1),
    ]  # fmt: skip
    assert [item.target and item.target.name for item in items[:2]] == ["Mia Ferrández", "Sam Okonkwo"]
    assert items[0].changes == [] and items[0].summary.count("Mia Ferrández") == 1


def test_what_mentions_somebody_is_found_by_that(ada: CrmClient, sam: CrmClient, lead: Make) -> None:
    made, other = lead("user_sam", name="Saffron"), lead("user_sam")
    ada.collaboration.mentions.create(["user_sam"], ref(made.id))
    comment(ada, other.id, "Ask @mia")
    comment(ada, other.id, "Ask @sam about SUMAC")
    found = filtered(sam, mentions_me=True)
    assert [(one.verb, one.entity.id, one.target and one.target.id) for one in found] == [
        ("mentioned", other.id, "user_sam"), ("commented", other.id, None), ("mentioned", made.id, "user_sam"),
    ]  # fmt: skip
    assert [one.verb for one in filtered(sam, q="sumac")] == ["commented"], "the text of a comment"
    assert {one.entity.id for one in filtered(sam, q="SAFFRON")} == {made.id}, "or the line"
    assert filtered(sam, q="nothing like it") == []


def test_what_one_follows(ada: CrmClient, sam: CrmClient, lead: Make, give: Give) -> None:
    own, said, given, other = (lead(owner) for owner in ("user_sam", "user_mia", "user_mia", "user_mia"))
    give(said.id, access="comment")
    sam.collaboration.shares.delete(some(sam.collaboration.shares.list(entity_id=said.id).items[0]).id)
    share = give(given.id, access="comment")
    comment(ada, other.id)
    seen = {one.entity.id for one in filtered(sam, followed=True)}
    assert seen & {own.id, said.id, given.id, other.id} == {own.id, given.id}
    give(said.id, access="comment")
    comment(sam, said.id)
    ada.collaboration.shares.delete(share.id)
    seen = {one.entity.id for one in filtered(sam, followed=True)}
    assert seen & {own.id, said.id, given.id, other.id} == {own.id, said.id}


def test_teams_and_users_of_a_feed_are_joined(ada: CrmClient, sam: CrmClient, lead: Make) -> None:
    made = lead("user_sam")
    sam.leads.update(made.id, {"company": "Zimt"})
    team = ada.users.teams.create({"name": "Helpers", "member_ids": ["user_sam"]})
    none = ada.users.teams.create({"name": "Nobody"})
    for wanted, people in (
        ({"team_ids": [team.id]}, {"user_sam"}),
        ({"team_ids": [none.id]}, set[str]()),
        ({"team_ids": [none.id], "user_ids": ["user_sam"]}, {"user_sam"}),
        ({"team_ids": [team.id], "user_ids": ["user_ada"]}, {"user_sam", "user_ada"}),
    ):
        assert {one.actor.id for one in filtered(ada, **wanted) if one.actor} == people


@pytest.mark.parametrize("sort", [None, "occurred_at", "id"])
def test_a_feed_is_sorted_as_it_is_asked_for(ada: CrmClient, lead: Make, sort: Any) -> None:
    for _ in range(3):
        lead()
    down, up = (list(ada.collaboration.feed.list(sort=sort, order=order)) for order in ("desc", "asc"))
    key: Any = (lambda one: one.id) if sort == "id" else (lambda one: one.occurred_at)
    assert [one.id for one in up] == [one.id for one in down[::-1]] and len(down) == 3
    assert [key(one) for one in up] == sorted(key(one) for one in up)


def test_what_is_nobody_s_business_is_in_no_feed(stub: StubServer, ada: CrmClient) -> None:
    ada.activities.tasks.create({"title": "T"})
    ada.notifications.send_in_app("user_ada", title="T", content="C")
    stub.client(api_key=None, dialects="platform").auth.login("ada@acme.test", "demo-password")
    types = {one.type for one in ada.collaboration.feed.list(limit=200)}
    told = {entry["action"] for entry in stub.audit()}
    assert {"activity.created", "notification.created", "auth.login"} <= told and "task.created" in types
    private = ("auth.", "notification.", "webhook.", "conversation.unread_count", "metrics.", "activity.created")
    assert not [one for one in types if one.startswith(private)]


def test_the_inbox_of_collaboration(stub: StubServer, ada: CrmClient, sam: CrmClient, lead: Make) -> None:
    made = lead("user_sam")
    ada.collaboration.mentions.create(["user_sam"], ref(made.id))
    comment(sam, made.id)
    comment(ada, made.id)
    ada.notifications.send_in_app("user_sam", title="T", content="C", type="approval")
    everything = list(sam.collaboration.notifications.list())
    assert {one.type for one in everything} <= {"mention", "comment", "share", "assignment"}
    for type in ("mention", "comment"):
        found = list(sam.collaboration.notifications.list(type=type))
        assert found and {one.type for one in found} == {type}
    assert [one.id for one in sam.collaboration.notifications.list(read=False)] == [
        one.id for one in everything if not one.read
    ]
    flow = stub.client(api_key="acme-sales", dialects="flow")
    flow.notifications.mark_read(everything[0].id)
    assert [one.id for one in sam.collaboration.notifications.list(read=True, type=everything[0].type)][:1] == [
        everything[0].id
    ]


def test_a_record_of_a_custom_object_is_named_by_its_object(ada: CrmClient, sam: CrmClient, give: Give) -> None:
    ids = {}
    for name in ("ship", "port"):
        made = ada.custom_objects.create({"api_name": name, "label": name, "plural_label": f"{name}s"})
        ids[name] = ada.custom_objects.records.create(made.id, {"fields": {"name": name.upper()}}).id
    said = ada.collaboration.comments.create({"entity": ref(ids["ship"], "ship"), "body": "Hello"})
    entity = some(said.entity)
    assert (entity.type, entity.id, entity.name) == ("ship", ids["ship"], "SHIP")
    assert [one.id for one in ada.collaboration.comments.list("ship", ids["ship"])] == [said.id]
    for kind, id in (("port", ids["ship"]), ("record", ids["ship"]), ("hat", ids["ship"]), ("ship", ids["port"])):
        assert refused(partial(ada.collaboration.comments.list, kind, id)).status == 404
        wrong: Any = {"entity": ref(id, kind), "body": "Hello"}
        assert refused(partial(ada.collaboration.comments.create, wrong)).code == "REFERENCE_NOT_FOUND"
    share = give(ids["ship"], "ship", access="comment")
    assert some(share.entity).type == "ship"
    (item,) = [one for one in filtered(ada, verbs=["commented"]) if one.entity.id == ids["ship"]]
    assert (item.entity.type, item.entity.name) == ("ship", "SHIP")
