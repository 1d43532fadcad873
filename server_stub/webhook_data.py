"""What a webhook says of a record: the record as the MVP document writes it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from crm_sdk import models
from crm_sdk.wire import camel

from .rendering import Render, renderer
from .services.conversation_state import shown_message
from .services.notifications import shown

_MODELS: Mapping[str, str] = {
    "account": "Account",
    "activity": "Activity",
    "agent": "Agent",
    "contact": "Contact",
    "conversation": "Conversation",
    "deal": "Deal",
    "integration": "Integration",
    "job": "JobState",
    "lead": "Lead",
    "message": "Message",
    "notification": "Notification",
}
"""The model of what an event is about."""
_TOLD = frozenset({"agent", "integration"})


def data_of(event: Mapping[str, Any]) -> Any:
    """Return the ``data`` of an event of the log."""
    kind, entity = event["entity_type"], event["entity"]
    if kind == "notification":
        entity = shown("mvp", entity)
    elif kind == "message":
        entity = shown_message(entity, event["occurred_at"])
    data = _render(kind)(entity)
    if kind in _TOLD:  # these tell less of the record than of what happened to it
        data |= {f"{kind}Id": entity["id"], **{camel(name): value for name, value in event["metadata"].items()}}
    return data


@cache
def _render(kind: str) -> Render:
    return renderer(getattr(models, _MODELS[kind]), "mvp")
