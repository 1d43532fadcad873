"""The rules of mentions: note whom somebody draws to a record, and notify them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm_sdk.resources.collaboration import UserMentions

from ...data.document import Document
from ...problems import FieldError, invalid, validation
from ...serving import Context, Members, serves
from ..notifications import notify
from . import entities
from .entities import Entity

MENTION = "user_mention"
"""The kind of the records of mentions."""


def mention(
    call: Context, user: Document, entity: Entity, *, comment_id: str | None = None, message: str | None = None
) -> Document:
    """Mention a user on a record, notify them, and publish the event; nobody is notified of a mention of themselves.

    A user whom the same comment mentions already keeps the first mention.
    """
    for known in call.collection(MENTION).find("comment_id", comment_id) if comment_id is not None else ():
        if known["user_id"] == user["id"]:
            return known
    said: dict[str, Any] = {"user_id": user["id"], "entity": entity.ref, "comment_id": comment_id, "message": message}
    made = call.create(
        MENTION, "usermention_", {**said, "mentioned_by": entities.author(call), "notification_id": None}
    )
    if user["id"] != call.caller.user_id:
        title = f"{call.caller.name or 'Somebody'} mentions you: {entity.name or entity.id}"
        data = {"mentionId": made["id"], **({"commentId": comment_id} if comment_id is not None else {})}
        told = notify(call, user["id"], "mention", title, message or title, about=(entity.type, entity.id), data=data)
        made = call.collection(MENTION).put(made | {"notification_id": told["id"]})
    about = {"mention_id": made["id"], "comment_id": comment_id, "entity_type": entity.type, "entity_id": entity.id}
    call.server.nouns["user"].publish(call, "mentioned", user, metadata=about)
    return made


@serves(UserMentions.create)
def create(
    call: Context, user_ids: Sequence[str], entity: Members, comment_id: str | None, message: str | None
) -> list[Document]:
    """Mention users on a record, all of them or none."""
    about = entities.referenced_entity(call, entity)
    comment = call.reference("comment", comment_id, "comment_id")
    if comment is not None and (comment["entity_id"] != about.id or comment["deleted"]):
        raise invalid("comment_id", "reference", f"{comment_id} is no comment on {about.id}")
    users: list[Document] = []
    wrong: list[FieldError] = []
    for number, id in enumerate(dict.fromkeys(user_ids)):
        user, at = call.find_one("user", id), f"user_ids.{number}"
        if user is None:
            wrong.append(FieldError(at, "reference", f"no user has the id {id!r}", "REFERENCE_NOT_FOUND"))
        elif user["status"] == "inactive":
            wrong.append(FieldError(at, "choice", f"{user['name']} is inactive"))
        elif not entities.can_see(call, user, about):
            message_ = f"{user['name']} cannot see {about.name or about.id}: share it first"
            wrong.append(FieldError(at, "choice", message_, "USER_HAS_NO_ACCESS"))
        else:
            users.append(user)
    if wrong:
        raise validation(wrong)
    return [
        _shown_mention(
            call, mention(call, user, about, comment_id=comment["id"] if comment is not None else None, message=message)
        )
        for user in users
    ]


def _shown_mention(call: Context, doc: Document) -> Document:
    told = call.collection("notification").get(doc["notification_id"] or "")
    return entities.with_name(call, doc) | {"read": told is not None and told["read"]}
