"""Tell a deal's owner what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ..document import Document
from ..serving import Call

_KEPT = timedelta(days=30)
"""Notifications expire after this time."""


def moved(call: Call, deal: Mapping[str, Any], from_stage: str) -> Document | None:
    """Tell the owner that a deal is in another stage: won, lost, opened again, or one on; None without an owner."""
    user = deal.get("owner_id") or call.caller.user_id
    if user is None:
        return None
    value = f"{deal['value']:,.0f} {deal.get('currency') or call.tenant['base_currency']}"
    title, priority = {
        "won": (f"Deal won: {deal['title']}", "high"),
        "lost": (f"Deal lost: {deal['title']}", "medium"),
    }.get(deal["status"], (f"Deal moved: {deal['title']}", "low"))
    message = f"From {from_stage} to {deal['stage']}, now {deal['probability']} % likely. It is worth {value}."
    return _notify(call, user, "deal_update", title, message, priority, {"deal_id": deal["id"]})


def _notify(
    call: Call, user_id: str, type: str, title: str, message: str, priority: str, data: Mapping[str, Any]
) -> Document:
    return call.create(
        "notification",
        "notif_",
        {
            "user_id": user_id,
            "type": type,
            "title": title,
            "message": message,
            "priority": priority,
            "read": False,
            "action_url": f"/deals/{data['deal_id']}",
            "metadata": dict(data),
            "expires_at": call.now + _KEPT,
        },
    )
