"""What colleagues of a demo company say about their greatest open deal, and with whom it is shared."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ..records import Records


def discussion(records: Records) -> None:
    """Put comments on the greatest open deal, and the share by which its owner asks the administrator for help."""
    deals = [deal for deal in records.collection("deal") if deal["status"] == "open"]
    deal = max(deals, key=lambda one: (one["value"], one["id"]))
    admin = records.plan.users[0]
    others = [user for user in records.plan.users if user.role == "sales" and user.id != admin.id]
    seller = next((user for user in others if user.id == deal["owner_id"]), others[0])
    entity = {"type": "deal", "id": deal["id"], "name": deal["title"]}
    shared: dict[str, Any] = {"entity": entity, "entity_id": deal["id"]}
    said = (
        (seller, 50, f"Procurement asks for 10 % off. @[{admin.name}]({admin.id}) may I go that far?", admin),
        (admin, 49, "Up to 8 %, if they sign **this month**.", None),
        (seller, 26, "They have agreed, the contract is with their lawyers.", None),
    )
    parent: str | None = None
    for user, hours, body, named in said:
        at = records.now - timedelta(hours=hours)
        wrote = {"id": user.id, "name": user.name, "avatar": None}
        mentions = [{"id": named.id, "name": named.name, "avatar": None}] if named is not None else []
        members = {"body": body, "parent_id": parent, "author": wrote, "author_id": user.id, "mentions": mentions}
        stamp = {"created_by": user.id, "created_at": at, "updated_at": at, "version": 1}
        comment = records.put("comment", {**shared, **members, **stamp})
        parent = parent or comment["id"]
    at = records.now - timedelta(hours=51)
    given = {"giver_id": seller.id, "subject_type": "user", "subject_id": admin.id, "subject_name": admin.name}
    stamp = {"created_by": seller.id, "created_at": at, "updated_at": at, "version": 1}
    records.put("share", {**shared, **given, **stamp, "access": "comment", "message": "Can you help with the price?"})
