"""How an installed app does: its state, what it lacks, and how the deliveries of its events have gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crm_sdk.resources.marketplace import MarketplaceInstallations

from ...data.document import Document
from ...request.access.callers import APP_TOKEN, calls_within_a_day
from ...serving import Context, serves
from ...webhooks.records import DELIVERY, ENDPOINT
from .apps import APPS, INSTALLATION
from .settings import missing
from .versions import release_of

_LOOKED_AT = 20
"""So many of the last deliveries tell the health."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How the last attempt of a delivery went."""

    at: datetime
    delivered: bool
    attempt: Mapping[str, Any]


def _outcomes(call: Context, doc: Document) -> Sequence[_Outcome]:
    """Return how the deliveries to an app went, the latest attempt last."""
    found = [
        _Outcome(delivery["attempts"][-1]["at"], delivery["status"] == "delivered", delivery["attempts"][-1])
        for endpoint in call.collection(ENDPOINT).find("installation_id", doc["id"])
        for delivery in call.collection(DELIVERY).find("webhook_id", endpoint["id"])
        if delivery["attempts"]
    ]
    return sorted(found, key=lambda outcome: outcome.at)


def last_error(call: Context, doc: Document) -> dict[str, Any] | None:
    """Return why the last delivery to an app failed; None where it did not."""
    return _error_of(_outcomes(call, doc))


def _error_of(outcomes: Sequence[_Outcome]) -> dict[str, Any] | None:
    if not outcomes or outcomes[-1].delivered:
        return None
    attempt = outcomes[-1].attempt
    status = attempt.get("status")
    message = attempt.get("error") or f"its webhook address answered {status}"
    return {"code": "BAD_GATEWAY", "message": message, "field": None, "rule": None, "details": {"status": status}}


def state_of(call: Context, doc: Document) -> str:
    """Return the status of an installation."""
    app = APPS.find_one(call, doc["app_id"])
    endpoints = call.collection(ENDPOINT).find("installation_id", doc["id"])
    if any(endpoint["disabled_at"] is not None for endpoint in endpoints):
        return "error"
    if missing(release_of(call, app, doc["app_version"])["config_schema"], doc["config"]):
        return "needs_configuration"
    return "active" if doc["app_version"] == app["app_version"] else "update_available"


@serves(MarketplaceInstallations.status)
def status(call: Context, installation_id: str) -> dict[str, Any]:
    """Tell how an installed app does."""
    doc = call.record(INSTALLATION, installation_id)
    app = APPS.find_one(call, doc["app_id"])
    latest = release_of(call, app)
    outcomes = _outcomes(call, doc)
    today = [outcome for outcome in outcomes if outcome.at > call.now - _DAY]
    last = outcomes[-_LOOKED_AT:]
    failed = sum(not outcome.delivered for outcome in last)
    token = call.collection(APP_TOKEN).get(doc["id"])
    return {
        "installation_id": doc["id"],
        "status": state_of(call, doc),
        "health": "failing" if 2 * failed > len(last) else "degraded" if 10 * failed > len(last) else "healthy",
        "checked_at": call.now,
        "version": doc["app_version"],
        "latest_version": app["app_version"],
        "update_available": doc["app_version"] != app["app_version"],
        "missing_permissions": [word for word in latest["permissions"] if word not in doc["granted_permissions"]],
        "missing_config": missing(latest["config_schema"], doc["config"]),
        "api_calls_24h": calls_within_a_day(token, call.now) if token is not None else 0,
        "events_delivered_24h": sum(outcome.delivered for outcome in today),
        "events_failed_24h": sum(not outcome.delivered for outcome in today),
        "last_event_at": max((outcome.at for outcome in outcomes if outcome.delivered), default=None),
        "last_error": _error_of(outcomes),
    }
