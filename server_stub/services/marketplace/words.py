"""The words of the marketplace: its categories, and what an app may ask for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from crm_sdk.vocabulary.event_names import EVENT_NAMES

from ...data.forms import Form
from ...problems import FieldError, validation
from ...request.access.permissions import read_permission
from ...serving import Context
from ...webhooks.records import PRIVATE

CATEGORIES: Mapping[str, tuple[str, str]] = {
    "analytics": ("Analytics", "Dashboards, forecasts and reports"),
    "communication": ("Communication", "E-mail, telephone and chat"),
    "data": ("Data", "Enrichment, clean-up and migration"),
    "finance": ("Finance", "Quotes, invoices and payments"),
    "marketing": ("Marketing", "Campaigns, forms and events"),
    "productivity": ("Productivity", "Documents, calendars and tasks"),
    "support": ("Support", "Tickets and customer care"),
}
"""Name and description by key."""

_READ_AS: Mapping[str, str] = {
    about: resource
    for resource, abouts in {
        "accounts": "account",
        "activities": "activity calendar call email event meeting note task",
        "agents": "agent",
        "ai_insights": "model prediction recommendation",
        "analytics": "metrics",
        "collaboration": "collaboration comment",
        "contacts": "contact",
        "conversations": "conversation message",
        "custom_objects": "custom_object record",
        "dashboards": "dashboard",
        "deals": "deal",
        "files": "file",
        "integrations": "integration",
        "leads": "lead",
        "marketplace": "app",
        "notifications": "notification",
        "pipelines": "automation pipeline",
        "reports": "report",
        "social": "social",
        "users": "role team user",
        "workflows": "workflow",
    }.items()
    for about in abouts.split()
}


def permission_for(event: str) -> str:
    """Return the permission that lets an app get an event: to read what it is about, else to read the audit trail."""
    return f"{_READ_AS.get(event.partition('.')[0], 'audit')}:read"


def permissions_form(member: str) -> Form:
    """Return the form of a list of permissions, each once. Raises: 422 that names each that is none."""

    def form(call: Context, given: Sequence[str] | None) -> object:
        words = [word.removesuffix("@all") for word in given or ()]
        _refuse_unknown(member, words, {word for word in words if read_permission(word)}, "permission")
        return list(dict.fromkeys(words))

    return form


def _events(call: Context, given: Sequence[str] | None) -> object:
    names = list(given or ())
    _refuse_unknown("events", names, {name for name in EVENT_NAMES if not name.startswith(PRIVATE)}, "posted event")
    return list(dict.fromkeys(names))


def _refuse_unknown(member: str, words: Sequence[str], known: Collection[str], what: str) -> None:
    wrong = [
        FieldError(f"{member}.{number}", "choice", f"there is no {what} {word!r}")
        for number, word in enumerate(words)
        if word not in known
    ]
    if wrong:
        raise validation(wrong)


ASKED: Sequence[str] = ("permissions", "optional_permissions", "events", "config_schema")
"""What an app asks of a company: of a published app it changes by a new version only."""
FORMS: Mapping[str, Any] = {
    "permissions": permissions_form("permissions"),
    "optional_permissions": permissions_form("optional_permissions"),
    "events": _events,
}
