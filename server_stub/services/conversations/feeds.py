"""The payloads of conversations and messages on feeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_sdk.models.conversations import Conversation
from crm_sdk.models.messages import Message

from ...live.feeds import Event, Feeds, shows
from ...serving import RecordType

CONVERSATIONS = RecordType("conversation", Conversation)
MESSAGES = RecordType("message", Message)


@shows("conversation.updated", channel="messages", name="conversation:updated")
def updated_payload(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return what changed."""
    return feeds.update_payload(event)


@shows("conversation.unread_count", channel="messages", name="conversation:unread_count")
def unread_payload(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return how many messages are unread."""
    return {"conversationId": event["entity"]["id"], "count": event["entity"]["unread_count"]}


@shows("message.received", channel="messages", name="message:received")
def received_payload(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return the message."""
    return {"conversationId": event["entity"]["conversation_id"], "message": feeds.render_record(event, "flow")}


@shows("message.received")
@shows("message.sent")
def message_data(feeds: Feeds, event: Event) -> Mapping[str, Any]:
    """Return the message with its sender in the values of the mvp document (003)."""
    theirs = event["entity"].get("sender_type") == "contact"
    return {**feeds.render_record(event, "mvp"), "sender": "lead" if theirs else "agent"}
