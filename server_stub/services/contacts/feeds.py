"""The payloads of contacts on feeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...live.feeds import Event, Feeds, shows


@shows("contact.updated", channel="contacts", name="contact:updated")
def updated_payload(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return what changed."""
    return feeds.update_payload(event)


@shows("contact.health_changed", channel="contacts", name="contact:health_changed")
def health_payload(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return the health score before and now."""
    moved = event["changes"][0]
    scores = {"oldScore": (moved["field"], moved["before"]), "newScore": (moved["field"], moved["after"])}
    return {"id": event["entity"]["id"], **feeds.figures(event, **scores)}


@shows("contact.health_changed")
def health_data(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return the contact, and the health score before and now."""
    return {**feeds.render_record(event, "mvp"), **health_payload(feeds, event)}
