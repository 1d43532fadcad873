"""Comments: threads, mentions, who is notified, and what stays of a deleted one."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from refusals import refused
from stub_data import some, stored

from crm_sdk import ConflictError, CrmClient, NotFoundError, PermissionDeniedError, ValidationError
from crm_sdk.models import Comment
from server_stub import StubServer
from server_stub.request.http import Request

from .conftest import Give, Make, ref


def say(crm: CrmClient, lead_id: str, body: str = "Hello", **members: Any) -> Comment:
    comment: Any = {"entity": ref(lead_id), "body": body, **members}
    return crm.collaboration.comments.create(comment)


def told(crm: CrmClient, type: str, lead_id: str) -> int:
    """Return the number of notifications of a type about a lead."""
    found = crm.collaboration.notifications.list(type=type)
    return sum(one.entity is not None and one.entity.id == lead_id for one in found)


def test_a_reply_to_a_reply_hangs_on_its_parent(ada: CrmClient, lead: Make) -> None:
    made = lead()
    top = say(ada, made.id)
    reply = say(ada, made.id, "Yes", parent_id=top.id)
    deeper = say(ada, made.id, "No", parent_id=reply.id)
    assert (reply.parent_id, deeper.parent_id) == (top.id, top.id)
    thread = ada.collaboration.comments.list("lead", made.id)
    assert [(one.id, one.reply_count) for one in thread] == [(top.id, 2), (reply.id, 0), (deeper.id, 0)]
    replies = ada.collaboration.comments.list("lead", made.id, parent_id=top.id, author_id="user_ada")
    assert [one.id for one in replies] == [reply.id, deeper.id]
    assert ada.collaboration.comments.list("lead", made.id, author_id="user_sam").total == 0
    newest_first = ada.collaboration.comments.list("lead", made.id, sort="created_at", order="desc")
    assert {one.id for one in newest_first} == {top.id, reply.id, deeper.id}
    with pytest.raises(ValidationError) as failure:
        say(ada, lead().id, parent_id=top.id)
    assert failure.value.fields[0].field == "parent_id"
    with pytest.raises(ValidationError) as failure:
        say(ada, made.id, parent_id="comment_nobody")
    assert failure.value.code == "REFERENCE_NOT_FOUND"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Ask @[Sam](user_sam) today", ["user_sam"]),
        ("@user_sam and @sam, twice", ["user_sam"]),
        ("@SAM then @ada.", ["user_sam", "user_ada"]),
        ("@[Sam](user_nobody) or @nobody or a@sam.example", []),
        ("@[@ada](user_sam)", ["user_sam"]),
    ],
)
def test_whom_a_text_mentions(ada: CrmClient, lead: Make, text: str, named: list[str]) -> None:
    assert [user.id for user in say(ada, lead().id, text).mentions] == named


def test_mentioned_users_and_earlier_commenters_are_notified_once(ada: CrmClient, sam: CrmClient, lead: Make) -> None:
    made = lead("user_sam")
    say(ada, made.id, "First")
    say(sam, made.id, "Hello @ada")
    assert (told(ada, "mention", made.id), told(ada, "comment", made.id)) == (1, 0), "not of the same comment twice"
    say(sam, made.id, "One more thing")
    assert (told(ada, "mention", made.id), told(ada, "comment", made.id)) == (1, 1)
    assert told(sam, "comment", made.id) == told(sam, "mention", made.id) == 0, "of what is one's own nobody is told"


def test_a_change_notifies_new_mentions_only(ada: CrmClient, sam: CrmClient, lead: Make) -> None:
    made = lead("user_sam")
    first = say(ada, made.id, "Ask @sam")
    changed = ada.collaboration.comments.update(first.id, {"body": "Do ask @sam"}, version=1)
    assert (changed.edited, changed.version, changed.edited_at) == (True, 2, changed.updated_at)
    assert ada.collaboration.comments.update(first.id, {"body": "Do ask @sam"}).version == 2
    with pytest.raises(ConflictError):
        ada.collaboration.comments.update(first.id, {"body": "Late"}, version=1)
    assert told(sam, "mention", made.id) == 1
    same = ada.collaboration.mentions.create(["user_sam"], ref(made.id), comment_id=first.id)
    assert told(sam, "mention", made.id) == 1, "the first mention is kept"
    assert (same[0].comment_id, same[0].read) == (first.id, False)


def test_people_are_called_as_they_are_now_and_stay_when_they_are_gone(
    stub: StubServer, ada: CrmClient, sam: CrmClient, lead: Make
) -> None:
    made = lead("user_sam")
    comment = say(sam, made.id, "Ask @sam and @ada")

    def people() -> list[tuple[str, str | None]]:
        (shown,) = ada.collaboration.comments.list("lead", made.id).items
        return [(some(one).id, some(one).name) for one in (shown.author, *shown.mentions)]

    before = people()
    assert [id for id, _ in before] == ["user_sam", "user_sam", "user_ada"] and before[0] == before[1]
    stored(stub, "user", "user_sam", name="Samuel")
    assert people() == [("user_sam", "Samuel"), ("user_sam", "Samuel"), before[2]]
    stub.store.collection("tenant_acme", "user").remove("user_sam")
    assert people() == before, "as they were called when it was written"
    assert ada.collaboration.comments.list("lead", made.id).items[0].id == comment.id


def test_who_may_comment_change_and_delete(
    ada: CrmClient, sam: CrmClient, gina: CrmClient, lead: Make, give: Give
) -> None:
    made = lead()
    comment = say(ada, made.id)
    with pytest.raises(PermissionDeniedError):
        say(sam, made.id)
    give(made.id, access="comment")
    own = say(sam, made.id)
    for crm, id in ((sam, comment.id), (ada, own.id)):
        with pytest.raises(PermissionDeniedError) as refusal:
            crm.collaboration.comments.update(id, {"body": "Not mine"})
        assert refusal.value.code == "NOT_COMMENT_AUTHOR"
    with pytest.raises(PermissionDeniedError):
        sam.collaboration.comments.delete(comment.id)
    ada.collaboration.comments.delete(own.id)
    for call in (gina.collaboration.comments.delete, sam.collaboration.comments.delete):
        with pytest.raises(NotFoundError):
            call(own.id)
    with pytest.raises(NotFoundError):
        gina.collaboration.comments.list("lead", made.id)
    with pytest.raises(ValidationError):
        say(gina, made.id)


def test_the_place_of_a_deleted_comment_stays_for_its_replies(ada: CrmClient, sam: CrmClient, lead: Make) -> None:
    made = lead("user_sam")
    top = say(sam, made.id, "Ask @ada")
    reply = say(ada, made.id, "Yes", parent_id=top.id)
    sam.collaboration.comments.delete(top.id)
    place = ada.collaboration.comments.list("lead", made.id).items[0]
    assert (place.id, place.deleted, place.body, place.mentions, place.reply_count) == (top.id, True, None, [], 1)
    with pytest.raises(ConflictError) as failure:
        sam.collaboration.comments.update(top.id, {"body": "Alive"})
    assert failure.value.code == "COMMENT_DELETED"
    ada.collaboration.comments.delete(reply.id)
    assert ada.collaboration.comments.list("lead", made.id).total == 0, "with the last reply the place goes"


def test_the_record_of_a_comment_cannot_be_changed(ada: CrmClient, lead: Make) -> None:
    made, other = lead(), lead()
    comment = say(ada, made.id)
    back: Any = {"entity": {"type": "lead", "id": made.id, "name": made.name}, "body": "Changed", "parentId": None}
    ada.request("PUT", f"/v1/collaboration/comments/{comment.id}", json=back)
    assert ada.collaboration.comments.list("lead", made.id).items[0].body == "Changed"
    answer = ada.request("PUT", f"/v1/collaboration/comments/{comment.id}", json={"entity": ref(other.id)})
    assert (answer.status, answer.json()["errors"][0]["rule"]) == (422, "read_only")


@pytest.mark.parametrize(
    ("user_ids", "code", "field"),
    [
        (["user_nobody"], "REFERENCE_NOT_FOUND", "user_ids.0"),
        (["user_ada", "user_sam"], "USER_HAS_NO_ACCESS", "user_ids.1"),
    ],
)
def test_mentions_are_made_all_or_none(
    ada: CrmClient, sam: CrmClient, user_ids: list[str], code: str, field: str
) -> None:
    board = ada.dashboards.create({"name": "Mine", "visibility": "private"})
    with pytest.raises(ValidationError) as failure:
        ada.collaboration.mentions.create(user_ids, ref(board.id, "dashboard"))
    assert (failure.value.code, failure.value.fields[0].field) == (code, field)
    assert ada.collaboration.feed.list(verbs=["mentioned"]).total == 0
    comment = ada.collaboration.comments.create({"entity": ref(board.id, "dashboard"), "body": "Look @sam"})
    assert [user.id for user in comment.mentions] == ["user_sam"]
    assert sam.collaboration.notifications.list(type="mention").total == 0, "of what Sam cannot see he is not told"


def test_comments_by_the_async_client(stub: StubServer, lead: Make) -> None:
    made = lead()

    async def talk() -> None:
        async with stub.async_client(dialects="platform", strict=True) as crm:
            comment = await crm.collaboration.comments.create({"entity": ref(made.id), "body": "Hello"})
            page = await crm.collaboration.comments.list("lead", made.id)
            assert [one.id async for one in page] == [comment.id]
            await crm.collaboration.comments.delete(comment.id)
            assert (await crm.collaboration.comments.list("lead", made.id)).total == 0

    asyncio.run(talk())


def test_the_users_and_the_record_of_a_mention_travel_under_their_names(
    stub: StubServer, ada: CrmClient, lead: Make
) -> None:
    made = lead("user_sam")
    record = {"type": "lead", "id": made.id}
    headers = {"authorization": "Bearer acme-admin", "content-type": "application/json"}
    body = {"userIds": ["user_sam"], "entity": record, "message": "Look"}
    answer = stub.handle(Request("POST", "/v1/collaboration/mentions", headers=headers, body=json.dumps(body).encode()))
    (found,) = json.loads(answer.body)["data"]
    assert (answer.status, found["message"], found["entity"]["id"]) == (200, "Look", made.id)
    (own,) = ada.collaboration.mentions.create(["user_sam"], ref(made.id), message="Look again")
    assert own.message == "Look again"
    assert stub.journal.find(operation="collaboration.mentions.create")[-1].query == ""


@pytest.mark.parametrize("body", ["", " ", "\n"])
def test_a_comment_is_not_blank(stub: StubServer, lead: Make, body: str) -> None:
    comment = {"entity": {"type": "lead", "id": lead("user_sam").id}, "body": body}
    headers = {"authorization": "Bearer acme-admin", "content-type": "application/json"}
    raw = json.dumps(comment).encode()
    answer = stub.handle(Request("POST", "/v1/collaboration/comments", headers=headers, body=raw))
    assert (answer.status, json.loads(answer.body)["errors"][0]["field"]) == (422, "body")


def test_what_is_answered_to_who_deletes(ada: CrmClient, lead: Make) -> None:
    made = lead()
    top = say(ada, made.id)
    reply = say(ada, made.id, parent_id=top.id)
    for id in (top.id, reply.id):
        answer = ada.request("DELETE", f"/v1/collaboration/comments/{id}")
        assert (answer.status, answer.json()["data"]) == (200, {"id": id, "deleted": True})
        assert ada.request("DELETE", f"/v1/collaboration/comments/{reply.id}x").status == 404


def test_an_author_who_may_not_write_comments_any_more_changes_none(
    stub: StubServer, ada: CrmClient, sam: CrmClient, lead: Make
) -> None:
    made = lead("user_sam")
    comment = sam.collaboration.comments.create({"entity": ref(made.id), "body": "Hello"})
    held: Any = [{"resource": word, "action": "read"} for word in ("leads", "collaboration")]
    ada.security.roles.create({"key": "quiet", "name": "Quiet", "permissions": held})
    ada.users.roles.assign("user_sam", "quiet")
    ada.users.roles.remove("user_sam", "sales")
    quiet = stub.client(api_key=None, dialects="platform", max_retries=0)
    quiet.auth.login("sam@acme.test", "demo-password")
    for call in (
        lambda: quiet.collaboration.comments.update(comment.id, {"body": "Bye"}),
        lambda: quiet.collaboration.comments.delete(comment.id),
    ):
        assert refused(call).code == "FORBIDDEN"
    (kept,) = ada.collaboration.comments.list("lead", made.id)
    assert (kept.body, kept.edited) == ("Hello", False)
