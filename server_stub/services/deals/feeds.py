"""The payloads of deals on feeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_sdk.models.deals import DealActivity

from ...live.feeds import Event, Feeds, shows
from ...request.answering.rendering import renderer


@shows("deal.created", channel="deals", name="deal:created")
def created_payload(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return the deal."""
    return {"deal": feeds.render_record(event, "flow")}


@shows("deal.updated", channel="deals", name="deal:updated")
def updated_payload(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return what changed."""
    return feeds.update_payload(event)


@shows("deal.stage_changed", channel="deals", name="deal:stage_changed")
def stage_payload(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return the stage before and now."""
    deal, said = event["entity"], event["metadata"]
    stages = {"oldStage": ("stage", said["from"]), "newStage": ("stage", said["to"])}
    return {"id": deal["id"], **feeds.figures(event, **stages, probability=("probability", deal.get("probability")))}


@shows("deal.stage_changed")
def stage_data(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return the deal, and the stage before and now."""
    return {**feeds.render_record(event, "mvp"), **stage_payload(feeds, event)}


@shows("deal.activity_added", channel="deals", name="deal:activity_added")
def activity_payload(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return the activity."""
    activity = renderer(DealActivity, "flow")(event["metadata"]["activity"])
    return {"dealId": event["entity"]["id"], "activity": activity}
