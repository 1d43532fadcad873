"""Shares: the access to single records that users are given beside what their roles permit.

The access that a caller has through shares is a set of texts: ``edit deal_1`` for the record itself, ``edit *deal_1``
for what belongs to it as well. `permissions.permits` asks `reaches` with it, so that a share counts in every service.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from crm_sdk.route import Action

from ...data.document import Document
from ...data.store import Store

SHARE = "share"
"""The kind of the records of shares."""
LEVELS = ("view", "comment", "edit", "manage")
"""The levels of access; each includes those before it."""
_NEEDED: Mapping[Action, str] = {
    "read": "view", "export": "view", "update": "edit", "delete": "manage", "manage": "manage",
}  # fmt: skip
"""The access that an action on a record needs."""
_RELATED = ("contact_id", "account_id")
"""The members of a deal with the ids of what is shared with it, where a share includes that; beside its files."""


def is_active(share: Mapping[str, Any], now: datetime) -> bool:
    """Return whether a share gives access: it has not ended, expired or been used up."""
    ended = share.get("ended_at") is not None or share.get("deleted_at") is not None
    expired = share["expires_at"] is not None and share["expires_at"] <= now
    used_up = share["max_downloads"] is not None and share["download_count"] >= share["max_downloads"]
    return not (ended or expired or used_up)


def subjects_of(user: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return whom a share may name so that it reaches a user: the user, each team, each role."""
    roles = {("role", str(role["id"])) for role in user.get("roles") or ()}
    return {("user", str(user["id"])), *(("team", str(id)) for id in user.get("team_ids") or ()), *roles}


def shares_with(store: Store, user: Mapping[str, Any]) -> Iterator[Document]:
    """Yield the shares with a user, with one of the user's teams, or with one of the roles, expired ones too."""
    shares = store.collection(user["tenant_id"], SHARE)
    if len(shares):
        for subject_type, subject_id in sorted(subjects_of(user)):
            for share in shares.find("subject_id", subject_id):
                if share["subject_type"] == subject_type:
                    yield share


def shared_with(store: Store, user: Mapping[str, Any], now: datetime) -> frozenset[str]:
    """Return the access that a user has through shares."""
    return frozenset[str]().union(*(access_of(store, user, share, now) for share in shares_with(store, user)))


def access_of(store: Store, user: Mapping[str, Any], share: Mapping[str, Any], now: datetime) -> frozenset[str]:
    """Return the access that a share gives a user whom it names."""
    if not is_active(share, now):
        return frozenset()
    access, entity = share["access"], share["entity"]
    found = {f"{access} {entity['id']}"}
    if share["include_related"]:
        whole: Mapping[str, Any] = store.collection(user["tenant_id"], entity["type"]).get(entity["id"]) or {}
        found.add(f"{access} *{entity['id']}")
        found |= {f"{access} {whole[name]}" for name in _RELATED if whole.get(name)}
    return frozenset(found)


def level_of(shared: Iterable[str], record: Mapping[str, Any]) -> int:
    """Return the access to a record through shares, as a place in `LEVELS`; -1 for none."""
    if not shared:
        return -1
    whole: Mapping[str, Any] = record.get("related_to") or {}
    names = {record.get("id"), f"*{whole['id']}" if whole else None}
    words = (text.partition(" ") for text in shared)
    return max((LEVELS.index(access) for access, _, name in words if name in names), default=-1)


def is_enough(access: str, action: Action) -> bool:
    """Return whether an access permits an action."""
    return action in _NEEDED and LEVELS.index(access) >= LEVELS.index(_NEEDED[action])


def reaches(shared: Iterable[str], record: Mapping[str, Any], action: Action) -> bool:
    """Return whether the access to a record through shares permits an action."""
    return bool(shared) and action in _NEEDED and level_of(shared, record) >= LEVELS.index(_NEEDED[action])
