"""What a demo company has around its records: integrations, what its agents have cost, and what its users were told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from crm_sdk.models.integrations import Integration
from crm_sdk.models.notifications import Notification

from ..data.blanks import blank
from ..data.document import Document
from ..data.links import link_to
from ..data.store import Store
from .setup.company import ACME, Plan

_SLACK = {"webhookUrl": "https://hooks.slack.com/...", "channel": "#sales"}
_INTEGRATIONS: Sequence[tuple[str, str, str, str, str, str, Mapping[str, Any]]] = (
    ("123", "Slack", "communication", "slack", "notifications", "connected", _SLACK),
    ("google", "Google Workspace", "email", "google", "productivity", "connected", {"syncFrequency": "hourly"}),
    ("outlook", "Microsoft 365", "calendar", "microsoft", "productivity", "disconnected", {}),
    ("hubspot", "HubSpot", "crm", "hubspot", "data", "disconnected", {}),
    ("mailchimp", "Mailchimp", "marketing", "mailchimp", "campaigns", "error", {"dataTypes": ["contacts"]}),
    ("stripe", "Stripe", "accounting", "stripe", "billing", "connected", {"syncFrequency": "daily"}),
    ("twilio", "Twilio", "telephony", "twilio", "calls", "disconnected", {}),
    ("webhook", "Website forms", "webhook", "http", "capture", "connected", {"dataTypes": ["leads"]}),
)
"""The end of the id, name, type, provider, category, status, configuration."""

_EVERY: Mapping[str, timedelta] = {"hourly": timedelta(hours=1), "daily": timedelta(days=1)}
_LOST: Mapping[str, Any] = {
    "code": "CONNECTION_REFUSED", "message": "Mailchimp refused the api_key", "field": None, "rule": None,
    "details": {},
}  # fmt: skip

_LASTING = timedelta(days=30)
_KINDS: Sequence[tuple[str, str, str, str, str]] = (
    ("deal_update", "deal", "Deal moved: {title}", "{title} is in the stage {stage} now.", "medium"),
    ("at_risk_alert", "contact", "{name} is at risk", "The churn risk of {name} is {churn_risk} %.", "high"),
    ("lead", "lead", "New qualified lead", "{name} has been qualified and is ready for follow-up", "medium"),
    ("task_due", "contact", "Follow up with {name}", "The follow-up with {name} is due.", "medium"),
    ("message", "lead", "New message", "{name} has written to you.", "medium"),
    ("ai_insight", "deal", "Worth a look: {title}", "{title} has a chance of {probability} %.", "low"),
    ("message_received", "contact", "Message from {name}", "{name} of {company} has written to you.", "medium"),
    ("meeting_reminder", "contact", "Meeting with {name}", "The meeting with {name} is tomorrow.", "high"),
    ("system", "", "Import finished", "The import of contacts has finished.", "low"),
)
"""Type, what it is about, title, text and priority."""
_CHOSEN: Mapping[str, tuple[str, str]] = {
    "deal": ("status", "open"), "contact": ("status", "active"), "lead": ("status", "qualified"),
}  # fmt: skip


def put_surroundings(store: Store, plan: Plan, now: datetime) -> None:
    """Store the integrations, the agents' usage and the notifications of a company."""
    _integrations(store, plan, now)
    for agent in store.collection(plan.id, "agent").all():
        usage = {"cost": Decimal("125.50"), "qualifications": 850, "qualified": 663}
        store.collection(plan.id, "agent").put(agent | {"usage": usage})
    if plan is ACME:
        _put_documented(store, plan)
    _notifications(store, plan, now)


def _record(id: str, at: datetime) -> dict[str, Any]:
    return {"id": id, "created_at": at, "updated_at": at, "created_by": "system", "version": 1, "deleted_at": None}


def _integrations(store: Store, plan: Plan, now: datetime) -> None:
    for number, (end, name, type, provider, category, status, config) in enumerate(_INTEGRATIONS):
        connected = status == "connected"
        documented = plan is ACME and end == "123"
        id = f"integration_{end}" if plan is ACME else f"integration_{plan.slug}_{provider}"
        made = now - timedelta(days=400 - 20 * number)
        synced = datetime(2024, 1, 15, 12, tzinfo=UTC) if documented else now - timedelta(hours=1 + number)
        frequency = str(config.get("syncFrequency", "manual"))
        members = {
            **blank(Integration),
            "name": name,
            "type": type,
            "provider": provider,
            "category": category,
            "status": status,
            "config": dict(config),
            "credentials_set": connected,
            "sync_frequency": frequency,
            "next_sync_at": now + _EVERY[frequency] if connected and frequency in _EVERY else None,
            "last_error": _LOST if status == "error" else None,
            "credentials": {"webhook_url" if provider in ("slack", "http") else "api_key": "••••"} if connected else {},
            "last_sync": synced if status != "disconnected" else None,
            "connected_at": made if connected else None,
        }
        store.collection(plan.id, "integration").put(Document(members | _record(id, made)))


def _put_documented(store: Store, plan: Plan) -> None:
    at = datetime(2024, 1, 15, 14, 30, tzinfo=UTC)
    about = {"leadId": "lead_123", "leadName": "John Smith"}
    text = "John Smith has been qualified and is ready for follow-up"
    members = _notification_members("user_ada", "lead", "New qualified lead", text, "medium", about, None, None)
    arrived = {"sent_at": at, "delivered_at": at}
    store.collection(plan.id, "notification").put(Document(members | _record("notif_123", at) | arrived))


_TOLD = 30
"""The number of notifications of the default user; the others have a fifth of it."""


def _notifications(store: Store, plan: Plan, now: datetime) -> None:
    """Tell the users something about records of theirs; the older ones are read, some have expired."""
    default, *others = [person.id for person in plan.users]
    for number, user in enumerate([default] * _TOLD + [user for user in others for _ in range(_TOLD // 5)]):
        type, kind, title, text, priority = _KINDS[number % len(_KINDS)]
        about = _about(store, plan, kind, number)
        if kind and about is None:
            continue
        at = now - timedelta(hours=5 * (number % _TOLD) + 1)
        expires = at + (timedelta(days=2) if type == "meeting_reminder" else _LASTING)
        data = {f"{kind}Id": about["id"], f"{kind}Name": about.get("name") or about.get("title")} if about else {}
        words: Mapping[str, Any] = about or {}
        members = _notification_members(
            user, type, title.format_map(words), text.format_map(words), priority, data,
            link_to(kind, about["id"]) if about else None, expires, read=number % 3 == 1 or number % _TOLD > 20,
        )  # fmt: skip
        arrived = {"sent_at": at, "delivered_at": at}
        doc = Document(members | _record(store.new_id("notif_"), at) | arrived)
        store.collection(plan.id, "notification").put(doc)


def _about(store: Store, plan: Plan, kind: str, number: int) -> Document | None:
    if not kind:
        return None
    field, value = _CHOSEN[kind]
    docs = store.collection(plan.id, kind).find(field, value)
    return docs[number % len(docs)] if docs else None


def _notification_members(
    user_id: str, type: str, title: str, message: str, priority: str, metadata: Mapping[str, Any],
    action_url: str | None, expires_at: datetime | None, *, read: bool = False,
) -> dict[str, Any]:  # fmt: skip
    return blank(Notification) | {
        "user_id": user_id,
        "channel": "in_app",
        "recipient": user_id,
        "delivery_status": "delivered",
        "attempts": 1,
        "type": type,
        "title": title,
        "message": message,
        "priority": priority,
        "read": read,
        "read_at": None,
        "action_url": action_url,
        "metadata": dict(metadata),
        "expires_at": expires_at,
    }
