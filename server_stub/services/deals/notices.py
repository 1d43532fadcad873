"""Notify the owner of a deal that its stage has changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ...data.document import Document
from ...serving import Context
from ..notifications import notify

_KEPT = timedelta(days=30)
"""Notifications expire after this time."""


def notify_stage_change(call: Context, deal: Mapping[str, Any], from_stage: str | None) -> Document | None:
    """Notify the owner that a deal has entered a stage, and return the notification; None without an owner.

    `from_stage` is None for a deal that was created in its stage.
    """
    user = deal.get("owner_id") or call.caller.user_id
    if user is None:
        return None
    value = f"{deal['value']:,.0f} {deal.get('currency') or call.tenant['base_currency']}"
    title, priority = {
        "won": (f"Deal won: {deal['title']}", "high"),
        "lost": (f"Deal lost: {deal['title']}", "medium"),
    }.get(deal["status"], (f"Deal moved: {deal['title']}", "low"))
    way = f"From {from_stage} to {deal['stage']}" if from_stage is not None else f"Made in {deal['stage']}"
    message = f"{way}, now {deal['probability']} % likely. It is worth {value}."
    return notify(
        call,
        user,
        "deal_update",
        title,
        message,
        priority=priority,
        about=("deal", deal["id"]),
        expires_at=call.now + _KEPT,
    )
