"""The demo configuration: flags of a new board, of approvals and of a past fair, views, values of the environment."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from crm_sdk.models.configuration import FeatureFlag
from crm_sdk.models.customization import Layout

from ...data.blanks import blank
from ...data.document import Document
from ...data.store import Store
from ...request.settings import KIND, id_of
from .company import Plan


def configuration(store: Store, plan: Plan, now: datetime) -> None:
    """Put the flags, the views and the values of the environment of a company."""
    admin, domain = plan.users[0].id, plan.users[0].email.partition("@")[2]
    managers = {"field": "user.role", "op": "eq", "value": "manager"}
    large = {"field": "attributes.amount", "op": "gte", "value": 50_000}
    flags: tuple[dict[str, Any], ...] = (
        {
            "key": "new-board", "name": "New board", "description": "The board of deals with lanes by owner.",
            "rules": [_rule("Managers", True, managers), _rule("A quarter of the others", True, percentage=25)],
        },
        {
            "key": "quote-approval", "name": "Approval of quotes", "type": "text", "default": "none",
            "description": "Who has to approve a quote.", "rules": [_rule("Large quotes", "manager", large)],
        },
        {
            "key": "autumn-fair", "name": "Autumn fair", "rules": [_rule("Everybody", True)],
            "expires_at": now - timedelta(days=60),
        },
    )  # fmt: skip
    for number, members in enumerate(flags):
        at = now - timedelta(days=90 - number)
        stamp = {"created_at": at, "updated_at": at, "created_by": admin, "version": 1}
        doc = {**blank(FeatureFlag), **members, **stamp, "id": store.new_id("flag_")}
        store.collection(plan.id, "flag").put(Document(doc))
    _layouts(store, plan, now, admin)
    for key, value, secret in (
        ("env.SUPPORT_EMAIL", f"support@{domain}", False), ("env.ERP_TOKEN", f"erp-{plan.slug}-5f1c90d2", True),
    ):  # fmt: skip
        members = {"key": key, "value": value, "secret": secret, "scope": "tenant", "scope_id": plan.id}
        stamp = {"locked": False, "updated_at": now - timedelta(days=90), "updated_by": admin}
        store.collection(plan.id, KIND).put(Document({"id": id_of("tenant", plan.id, key), **members, **stamp}))


def _layouts(store: Store, plan: Plan, now: datetime, admin: str) -> None:
    """Put the views of large and of forgotten deals, which everybody has."""
    for position, (name, columns, given, order) in enumerate((
        (
            "Large deals", ("title", "value", "stage", "account.industry"),
            {"field": "value", "op": "gte", "value": 50_000}, {"key": "value", "order": "desc"},
        ),
        (
            "Without a close date", ("title", "value", "owner_id"),
            {"field": "expected_close_date", "op": "is_not_set"},
            {"key": "created_at", "order": "asc"},
        ),
    )):  # fmt: skip
        at = now - timedelta(days=80 - position)
        members: dict[str, Any] = {
            "entity": "deal", "kind": "list", "name": name, "audience": "tenant", "audience_id": None,
            "columns": [{"field": field, "width": None, "label": None} for field in columns], "sort": [order],
            "filter_groups": [{"filters": [given]}], "position": position, "owner_id": admin,
            "id": store.new_id("layout_"), "created_at": at, "updated_at": at, "created_by": admin, "version": 1,
        }  # fmt: skip
        store.collection(plan.id, "layout").put(Document({**blank(Layout), **members}))


def _rule(name: str, value: Any, *filters: dict[str, Any], percentage: float = 100) -> dict[str, Any]:
    return {"name": name, "filters": list(filters), "percentage": percentage, "value": value}
