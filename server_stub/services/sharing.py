"""Records that their owners share: with nobody, with their teams, or with everybody."""

from __future__ import annotations

from ..data.document import Document
from ..request.access.shares import reaches
from ..serving import Context


def is_shared_with(call: Context, doc: Document, user_id: str | None) -> bool:
    """Tell whether a user sees a record: its owner, one of the owner's team, or anybody, as its `visibility` says."""
    if doc["owner_id"] == user_id or doc["visibility"] == "tenant" or call.caller.actor_id == "system":
        return True
    users = call.collection("user")
    owner, user = (users.get(id or "") for id in (doc["owner_id"], user_id))
    if doc["visibility"] != "team" or owner is None or user is None:
        return False
    return not set(owner.get("team_ids") or ()).isdisjoint(user.get("team_ids") or ())


def is_visible(call: Context, doc: Document) -> bool:
    """Tell whether the caller sees a record, as its `visibility` or a share says."""
    return is_shared_with(call, doc, call.caller.user_id) or reaches(call.caller.shared, doc, "read")
