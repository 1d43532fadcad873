"""The rules of shares: give them, change them, end them, and list those of the caller."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any

from crm_sdk.models.patterns import FORMS
from crm_sdk.models.shares import Share
from crm_sdk.models.values import EMAIL_PATTERN
from crm_sdk.resources.collaboration import Shares
from crm_sdk.route import Action

from ...data.document import Document
from ...noun import Noun
from ...problems import FieldError, Problem, invalid, validation
from ...request.access import permissions
from ...request.access.shares import LEVELS, SHARE, is_active, subjects_of
from ...serving import Context, Members
from ..notifications import notify
from ..users.roles import find_role
from . import entities
from .entities import MANAGE, Entity, entity_of, level_of

_BY_ADDRESS = ("link", "email")


class _Shares(Noun):
    def writable(self, call: Context, id: str, action: Action = "update", *, whole_id: str | None = None) -> Document:
        """Return a share if the caller may end or change it: who gave it, who manages the record, the receiver."""
        share = self.find_one(call, id, whole_id)
        if action == "delete" and _is_receiver(call, share):
            return share
        permissions.check(call.caller, self.word, action)
        entity = entity_of(call, share)
        if not is_given(call, share) and (entity is None or level_of(call, entity) < MANAGE):
            message = f"{id} was given by somebody else: who gave it may {action} it, and who manages the record"
            raise Problem("FORBIDDEN", message, details={"id": id})
        return share


def is_given(call: Context, share: Members) -> bool:
    """Return whether the caller has given a share."""
    return bool(share["giver_id"] == (call.caller.user_id or call.caller.actor_id))


def _is_receiver(call: Context, share: Members) -> bool:
    return bool(share["subject_type"] == "user" and share["subject_id"] == call.caller.user_id)


def _subjects(call: Context) -> set[tuple[str, str]]:
    """Return whom a share may name so that it reaches the caller."""
    user = call.collection("user").get(call.caller.user_id or "")
    return subjects_of(user) if user is not None else set()


def _checked_share(call: Context, members: dict[str, Any], before: Document | None) -> dict[str, Any]:
    entity = entities.referenced_entity(call, members["entity"]) if before is None else entity_of(call, before)
    assert entity is not None, "a share is found only where its record is seen"
    kind: str = members["subject_type"] if before is None else before["subject_type"]
    derived = _subject(call, kind, members, entity) if before is None else {}
    wrong: list[FieldError] = []
    ends = members.get("expires_at")
    if ends is not None and ends <= call.now and (before is None or ends != before["expires_at"]):
        wrong.append(FieldError("expires_at", "min", "must be in the future"))
    if members.get("max_downloads") is not None and kind not in _BY_ADDRESS:
        wrong.append(FieldError("max_downloads", "choice", "only links and addresses have one"))
    access: str = members.get("access") or (before["access"] if before is not None else "view")
    if kind in _BY_ADDRESS and access != "view":
        wrong.append(FieldError("access", "choice", "a link lets its receiver view the file, and do no more"))
    if wrong:
        raise validation(wrong)
    if (before is None or access != before["access"]) and LEVELS.index(access) > level_of(call, entity):
        held = LEVELS[level_of(call, entity)]
        raise Problem("SHARE_EXCEEDS_ACCESS", f"nobody can give more than they have: {held}", field="access")
    return derived


def _subject(call: Context, kind: str, members: Members, entity: Entity) -> dict[str, Any]:
    """Return the members of a new share that tell what is shared with whom. Raises: 409 ALREADY_SHARED, 422."""
    id: str | None = members.get("subject_id")
    name: str | None = id
    if kind in _BY_ADDRESS and entity.type != "file":
        raise invalid("subject_type", "choice", "only files are shared with addresses and by links")
    if (kind == "link") is (id is not None):
        message = "a link has none" if kind == "link" else f"say which {kind} it is shared with"
        raise invalid("subject_id", "choice" if kind == "link" else "required", message)
    if kind == "email":
        if re.match(EMAIL_PATTERN, id or "") is None:
            raise invalid("subject_id", "format", FORMS[EMAIL_PATTERN])
        id = (id or "").lower()
    elif kind != "link":
        doc = find_role(call, id or "") if kind == "role" else call.reference(kind, id, "subject_id")
        if doc is None:
            message = f"no role has the id {id!r}"
            raise Problem("REFERENCE_NOT_FOUND", message, field="subject_id", rule="reference")
        if kind == "user" and doc["id"] == call.caller.user_id:
            raise invalid("subject_id", "choice", "nobody shares with themselves")
        if doc.get("status") == "inactive":
            raise invalid("subject_id", "choice", f"{doc['name']} is inactive")
        id, name = doc["id"], doc["name"]
    for share in call.collection(SHARE).find("entity_id", entity.id):
        same = (share["subject_type"], share["subject_id"]) == (kind, id)
        if same and kind != "link" and share["entity"]["type"] == entity.type and is_active(share, call.now):
            message = f"{entity.name or entity.id} is shared with {name} already: change that share"
            raise Problem("ALREADY_SHARED", message, details={"share_id": share["id"]})
    token = secrets.token_urlsafe(32) if kind in _BY_ADDRESS else None
    return {
        "entity": entity.ref,
        "entity_id": entity.id,
        "giver_id": call.caller.user_id or call.caller.actor_id,
        "subject_id": id,
        "subject_name": name,
        "token": token,
        "url": f"{call.server.origin}/v1/files/{entity.id}/download?shareToken={token}" if token is not None else None,
    }


def _follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Notify those with whom something is shared."""
    if before is None and after is not None and after["notify"]:
        entity = after["entity"]
        title = f"{call.caller.name or 'Somebody'} shares {entity['name'] or entity['id']} with you"
        text = after["message"] or f"You may {after['access']} it."
        data = {"shareId": after["id"], "access": after["access"]}
        for user in call.collection("user").all():
            reached = (after["subject_type"], after["subject_id"]) in subjects_of(user)
            if reached and user["id"] != call.caller.user_id and user["status"] != "inactive":
                notify(call, user["id"], "share", title, text, about=(entity["type"], entity["id"]), data=data)
    return None


def _by_direction(call: Context, direction: str) -> Callable[[Document], bool]:
    if direction == "all":
        permissions.check(call.caller, SHARES.word, "manage")
        return lambda share: True
    if direction == "by_me":
        return lambda share: is_given(call, share)
    mine = _subjects(call)
    return lambda share: (share["subject_type"], share["subject_id"]) in mine and not is_given(call, share)


def _shown_share(call: Context, share: Document) -> Document:
    return entities.with_name(call, share) | {"active": is_active(share, call.now)}


SHARES = _Shares(
    resource=Shares,
    kind=SHARE,
    model=Share,
    events="collaboration.",
    verbs={"created": "shared", "updated": "share_updated", "deleted": "unshared"},
    filters={
        "direction": _by_direction,
        "entity_type": lambda call, given: lambda share: share["entity"]["type"] == given,
        "entity_id": lambda call, given: lambda share: share["entity_id"] == given,
        "include_expired": lambda call, wanted: lambda share: wanted or is_active(share, call.now),
    },
    visible=lambda call, share: share.get("ended_at") is None and entity_of(call, share) is not None,
    check=_checked_share,
    follow=_follow,
    shown=_shown_share,
    listed=_shown_share,
    published=lambda share: share | {"url": None, "token": None, "password_hash": None},
)
