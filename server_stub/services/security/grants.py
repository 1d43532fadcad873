"""What gives somebody a permission: roles, being the owner, teams, shares, and what a file itself permits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from crm_sdk.route import Action

from ...data.document import Document
from ...request.access import permissions, shares
from ...serving import Context, Members
from ..files.access import subjects_of
from ..users.roles import roles_of


def grants_of(
    call: Context, user: Document, words: tuple[str | None, str], action: Action, record: Document | None
) -> Iterator[dict[str, str]]:
    """Yield what gives the caller, a user, the permission for an action on a resource, or on one record of it.

    `words` are the api_name of a custom object, if it is about one, and the resource.
    """
    own, word = words
    for role in roles_of(call, user):
        resource = own if any(entry["resource"] == own for entry in role["permissions"]) else word
        if any(entry["resource"] == resource and entry["action"] == action for entry in role["permissions"]):
            yield _grant("role", role["id"], role["name"])
    if record is None:
        return
    owner: str | None = record.get("owner_id")
    if owner is not None and owner == user["id"]:
        yield _grant("owner", owner, user["name"])
    elif owner is not None and permissions.scope_for(call.caller, word, action) == "team":
        other: Members = call.collection("user").get(owner) or {}
        for id in sorted(set(user["team_ids"]).intersection(other.get("team_ids") or ())):
            yield _grant("team", id, _name(call, "team", id))
    for share in shares.shares_with(call.server.store, user):
        if shares.reaches(shares.access_of(call.server.store, user, share, call.now), record, action):
            yield _grant("share", share["id"], share.get("subject_name") or share["subject_id"])
    for entry in record.get("entries") or () if word == "files" else ():
        named = (entry["subject_type"], entry["subject_id"])
        if named in subjects_of(call, user["id"]) and shares.is_enough(entry["access"], action):
            yield _grant("file_permission", named[1], _name(call, *named))


def _grant(kind: str, id: str, name: str) -> dict[str, str]:
    return {"kind": kind, "id": id, "name": str(name)}


def _name(call: Context, kind: str, id: str) -> str:
    doc: Mapping[str, str] = call.collection(kind).get(id) or {}
    return doc.get("name") or id
