"""The rules of comments: threads of one level on records, with mentions, and who is notified."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crm_sdk.models.collaboration import Comment
from crm_sdk.resources.collaboration import Comments
from crm_sdk.route import Action

from ...data.document import Document
from ...noun import Noun
from ...problems import Problem, invalid
from ...request.access import permissions
from ...request.access.shares import SHARE, is_active
from ...serving import Context, Members, reacts, serves
from ..mentioning import mentioned_users
from ..notifications import notify
from . import entities
from .entities import COMMENT, MANAGE, Entity, entity_of, level_of, person
from .mentions import mention

_QUOTED = 500
"""So many characters of a comment are in a notification."""


class _Comments(Noun):
    def writable(self, call: Context, id: str, action: Action = "update", *, whole_id: str | None = None) -> Document:
        """Return a comment if the caller may change it, as its author, or delete it, also as who manages the record."""
        comment = self.find_one(call, id, whole_id)
        permissions.check(call.caller, self.word, action)
        is_author = comment["author_id"] == (call.caller.user_id or call.caller.actor_id)
        if action == "delete":
            entity = entity_of(call, comment)
            if not is_author and (entity is None or level_of(call, entity) < MANAGE):
                message = f"{id} is somebody else's: its author may delete it, and who manages the record"
                raise Problem("FORBIDDEN", message, details={"id": id})
        elif not is_author:
            raise Problem("NOT_COMMENT_AUTHOR", f"only its author may change {id}", details={"id": id})
        elif comment["deleted"]:
            raise Problem("COMMENT_DELETED", f"{id} was deleted: only its place is left, for its replies")
        return comment


def _replies(call: Context, comment: Members) -> list[Document]:
    return list(call.collection("comment").find("parent_id", comment["id"]))


def _checked_comment(call: Context, members: dict[str, Any], before: Document | None) -> dict[str, Any]:
    derived: dict[str, Any] = {}
    if before is None:
        entity = entities.referenced_entity(call, members["entity"])
        if level_of(call, entity) < COMMENT:
            message = f"{call.caller.name} may view {entity.name or entity.id}, but not comment on it"
            raise Problem("FORBIDDEN", message, details={"id": entity.id})
        wrote = entities.author(call)
        derived = {"entity": entity.ref, "entity_id": entity.id, "author": wrote, "author_id": wrote["id"]}
        derived["parent_id"] = _parent(call, members.get("parent_id"), entity)
    elif members.get("body", before["body"]) != before["body"]:
        derived = {"edited": True, "edited_at": call.now}
    if "body" in members:
        derived["mentions"] = [person(call, id) for id in mentioned_users(call, members["body"])]
    return derived


def _parent(call: Context, id: str | None, entity: Entity) -> str | None:
    """Return the comment that a reply hangs on: the one it replies to, or that one's parent. Raises: 422."""
    parent = call.reference("comment", id, "parent_id")
    if parent is None:
        return None
    if parent["entity_id"] != entity.id:
        raise invalid("parent_id", "reference", f"{id} is a comment on another record")
    return str(parent["parent_id"] or parent["id"])


@serves(Comments.create)
def create(call: Context, comment: Members) -> Document:
    """Comment on a record; tell those who are mentioned, and else those who have commented before, once."""
    doc = COMMENTS.add(call, COMMENTS.stored_form(call, comment))
    told = _mention(call, doc, ())
    entity = entity_of(call, doc)
    earlier = {other["author_id"] for other in call.collection("comment").find("entity_id", doc["entity_id"])}
    for user_id in sorted(earlier - told - {doc["author_id"]}):
        user = call.collection("user").get(user_id)
        if user is not None and entity is not None and entities.can_see(call, user, entity):
            title = f"{call.caller.name or 'Somebody'} comments on {entity.name or entity.id}"
            about, data = (entity.type, entity.id), {"commentId": doc["id"]}
            notify(call, user_id, "comment", title, doc["body"][:_QUOTED], about=about, data=data)
    return COMMENTS.answer(call, doc)


@serves(Comments.update)
def update(call: Context, comment_id: str, changes: Members, version: int | None) -> Document:
    """Change a comment; tell those who are mentioned for the first time."""
    before = COMMENTS.writable(call, comment_id)
    call.lock(before, version)
    doc = COMMENTS.change(call, before, COMMENTS.stored_form(call, changes, before))
    _mention(call, doc, [user["id"] for user in before["mentions"]])
    return COMMENTS.answer(call, doc)


def _mention(call: Context, comment: Document, former: Iterable[str]) -> set[str]:
    """Mention the users whom a comment names, but for those it named before; return the ids of all it names."""
    entity, known = entity_of(call, comment), set(former)
    named = [user["id"] for user in comment["mentions"]]
    for id in named:
        user = call.collection("user").get(id)
        if id not in known and user is not None and entity is not None and entities.can_see(call, user, entity):
            mention(call, user, entity, comment_id=comment["id"], message=comment["body"][:_QUOTED])
    return set(named)


@serves(Comments.delete)
def delete(call: Context, comment_id: str) -> str:
    """Delete a comment: of one with replies the text goes and the place stays, until the last reply goes."""
    comment = COMMENTS.writable(call, comment_id, "delete")
    if _replies(call, comment):
        emptied: dict[str, Any] = {"deleted": True, "body": None, "mentions": [], "attachments": []}
        COMMENTS.publish(call, "deleted", call.update("comment", comment, emptied))
        return comment_id
    COMMENTS.remove(call, comment)
    parent = call.find_one("comment", comment["parent_id"] or "")
    if parent is not None and parent["deleted"] and not _replies(call, parent):
        call.delete("comment", parent)
    return comment_id


@serves(Comments.list)
def list_(call: Context, entity_type: str, entity_id: str, **given: Any) -> Any:
    """Return the comments on a record, the oldest first."""
    entity = entities.found_entity(call, entity_type, entity_id)
    return COMMENTS.select(call, {**given, "entity_id": entity.id})


@reacts("contact.merged", "account.merged")
def move_to_survivor(call: Context, entry: Document) -> None:
    """Let the shares of merged records be the survivor's, as all else that was theirs."""
    survivor, shares = entry["entity"], call.collection(SHARE)
    ref = {name: survivor[name] for name in ("type", "id", "name")}
    kept = {(one["subject_type"], one["subject_id"]) for one in shares.find("entity_id", survivor["id"])}
    for id in entry["metadata"].get("merged_ids") or ():
        for share in list(shares.find("entity_id", id)):
            subject = (share["subject_type"], share["subject_id"])
            if subject not in kept and is_active(share, call.now):
                kept.add(subject)
                shares.put(share | {"entity": ref, "entity_id": survivor["id"]})


def _shown_comment(call: Context, comment: Document) -> Document:
    people = {"author": person(call, comment["author_id"]) or comment["author"]}
    mentions = [person(call, user["id"]) or user for user in comment["mentions"]]
    return entities.with_name(call, comment) | {
        **people, "mentions": mentions, "reply_count": len(_replies(call, comment)),
    }  # fmt: skip


COMMENTS = _Comments(
    resource=Comments,
    kind="comment",
    model=Comment,
    refers={"attachments": "file"},
    order=("created_at", "asc"),
    filters={
        "entity_type": lambda call, kind: lambda comment: True,  # the record was found by it
        "entity_id": lambda call, given: lambda comment: comment["entity_id"] == given,
        "author_id": lambda call, given: lambda comment: comment["author_id"] == given,
        "since": lambda call, at: lambda comment: comment["created_at"] >= at,
    },
    visible=lambda call, comment: entity_of(call, comment) is not None,
    check=_checked_comment,
    shown=_shown_comment,
    listed=_shown_comment,
)
