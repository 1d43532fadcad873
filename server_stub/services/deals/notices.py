"""Notify the owner of a deal that its stage has changed, or that it rots."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ...data.document import Document
from ...request.settings import value_for
from ...serving import Context
from ...timetable import apart, recurs
from ..notifications import notify
from .figures import with_current_figures

_KEPT = timedelta(days=30)
"""Notifications expire after this time."""
_TOLD = "rotten_notice"
"""The kind of the records of the rotten deals whose owners were told; their ids are those of the deals."""


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


@recurs("rotten deals", every=timedelta(days=1))
def notify_of_rotten(call: Context) -> None:
    """Notify the owners of deals that nothing was done about for longer than their stage allows, once each time.

    `deals.rotten_notify`, of the company or of the owner's team, turns it off.
    """
    deals, told = call.collection("deal"), call.collection(_TOLD)
    allowed = {stage["id"]: stage["rotten_days"] for stage in call.collection("stage") if stage.get("rotten_days")}
    for stored in deals.find("status", "open"):
        owner = stored.get("owner_id")
        if owner is None or stored.get("stage_id") not in allowed:
            continue
        with apart(call, stored):
            deal = with_current_figures(call, stored)
            since = told.get(deal["id"])
            new = since is None or since["last_activity"] != deal["last_activity"]
            if deal["is_rotten"] and new and value_for(call, owner, "deals.rotten_notify"):
                told.put(Document(id=deal["id"], last_activity=deal["last_activity"]))
                days, limit = (call.now - deal["last_activity"]).days, allowed[deal["stage_id"]]
                notify(
                    call,
                    owner,
                    "deal_update",
                    f"Deal is rotting: {deal['title']}",
                    f"Nothing has happened for {days} days; in {deal['stage']} it should be {limit} at most.",
                    priority="medium",
                    about=("deal", deal["id"]),
                    expires_at=call.now + _KEPT,
                )
