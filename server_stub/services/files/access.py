"""Who may do what with a file: its owner everything, others by role and by what the file itself permits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from crm_sdk.route import Action

from ...data.document import Document
from ...problems import Problem
from ...request.access import permissions, shares
from ...request.access.made_files import require_seen
from ...request.access.shares import LEVELS as LEVELS
from ...request.access.shares import SHARE as SHARE
from ...serving import Context, Members
from ..sharing import is_shared_with

_NEEDED: Mapping[str, str] = {
    "read": "view",
    "export": "view",
    "update": "edit",
    "delete": "manage",
    "manage": "manage",
}
"""The access that an action needs where it is not the role that gives it."""


def subjects_of(call: Context, user_id: str | None) -> set[tuple[str, str]]:
    """Return whom a permission may name so that it reaches a user: the user, a team, a role."""
    user: Members = call.collection("user").get(user_id or "") or {}
    role = user.get("role") or call.caller.role
    roles = {role, *(each["id"] for each in call.collection("role") if each.get("key") == role)}
    found = {("team", team) for team in user.get("team_ids") or ()} | {("role", each) for each in roles}
    return found | ({("user", user_id)} if user_id is not None else set())


def is_active(call: Context, share: Members) -> bool:
    """Tell whether a share gives access now."""
    return shares.is_active(share, call.now)


def shares_of(call: Context, file_id: str) -> list[Document]:
    """Return the shares of a file that give access now."""
    return [share for share in call.collection(SHARE).find("entity_id", file_id) if is_active(call, share)]


def _granted_access(call: Context, file: Document) -> Iterator[str]:
    """Yield the access that entries of the file and shares give the caller."""
    names = subjects_of(call, call.caller.user_id)
    for entry in (*(file.get("entries") or ()), *shares_of(call, file["id"])):
        if (entry["subject_type"], entry["subject_id"]) in names:
            yield entry["access"]


def is_reader_of_whole(call: Context, file: Document) -> bool:
    """Tell whether the caller may read the record that a file belongs to, and so view the file."""
    about: Members = file.get("related_to") or {}
    noun = call.server.nouns.get(about.get("type", ""))
    doc = call.find_one(noun.collection, about["id"]) if noun is not None and noun.kind != "file" else None
    return (
        noun is not None
        and doc is not None
        and permissions.permits(call.caller, noun.word, "read", doc)
        and (noun.visible is None or noun.visible(call, doc))
    )


def is_owner(call: Context, file: Document) -> bool:
    """Tell whether a file is the caller's own."""
    return call.caller.actor_id == "system" or (
        file["owner_id"] == call.caller.user_id if file["owner_id"] else file["created_by"] == call.caller.actor_id
    )


def level_of(call: Context, file: Document) -> int:
    """Return the access of the caller to a file, as a place in `LEVELS`; −1 for none."""
    if is_owner(call, file):
        return LEVELS.index("manage")
    given = shares.level_of(call.caller.shared, file)  # by role, or with the deal that the file belongs to
    best = max((LEVELS.index(access) for access in _granted_access(call, file)), default=-1)
    best = max(best, given)
    if is_shared_with(call, file, call.caller.user_id):
        role = next(
            (
                level
                for level, action in (("manage", "manage"), ("edit", "update"))
                if permissions.scope_for(call.caller, "files", action) == "all"  # type: ignore[arg-type] # both are actions
            ),
            "view",
        )
        best = max(best, LEVELS.index(role))
    return max(best, 0) if best < 0 and is_reader_of_whole(call, file) else best


def is_visible(call: Context, file: Document) -> bool:
    """Tell whether the caller sees a file."""
    expired = file.get("expires_at") is not None and file["expires_at"] <= call.now
    return not expired and level_of(call, file) >= 0


def may(call: Context, file: Document, action: Action) -> bool:
    """Tell whether the caller may do something with a file: role and file have to permit it."""
    scope = permissions.scope_for(call.caller, "files", action if action != "manage" else "update")
    if scope is None:
        return False
    level = level_of(call, file)
    if level >= LEVELS.index(_NEEDED.get(action, "view")):
        return True
    return action == "delete" and scope == "all" and is_shared_with(call, file, call.caller.user_id)


def require_unlocked(call: Context, file: Members) -> None:
    """Raise 403 where the content of a file is not handed out: FILE_LOCKED if infected, FORBIDDEN by `require_seen`."""
    if file["scan_status"] == "infected":
        raise Problem("FILE_LOCKED", f"{file['name']} is infected, and is not handed out")
    require_seen(call, file)
