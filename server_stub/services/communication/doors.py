"""The doors of communication to activities: the same records and rules, with the permissions of this service."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from crm_sdk.resources.communication import CommunicationCalls, CommunicationEmail, CommunicationMeetings

from ...data.document import Document
from ...noun import Noun
from ...serving import Context, Members, reacts
from ..activities.privacy import is_hidden
from ..activities.records import CALLS, EMAILS
from ..calendar.records import EVENTS


def _door(noun: Noun, resource: type[Any], **facts: Any) -> Noun:
    return replace(noun, resource=resource, own=("create", "get", "update"), **facts)


def _is_seen(call: Context, doc: Document) -> bool:
    return not is_hidden(call, doc)


def _is_meeting(call: Context, doc: Document) -> bool:
    return bool(doc["type"] == "meeting")


class Doors:
    """The nouns of activities as this service reaches them."""

    email = _door(EMAILS, CommunicationEmail, visible=_is_seen)
    call = _door(CALLS, CommunicationCalls)
    meeting = _door(EVENTS, CommunicationMeetings, visible=_is_meeting)


# -- mailboxes ---------------------------------------------------------------------------------------------------------


def owner_of(call: Context, integration: Members) -> str | None:
    """Return the id of the user whose mailbox it is; None for one that all of the company share."""
    maker: str = integration.get("created_by") or ""
    config: Members = integration.get("config") or {}
    if config.get("shared"):
        return None
    key = call.collection("api_key").get(maker)
    user_id = key.get("user_id") if key is not None else maker
    return user_id if call.collection("user").get(user_id or "") is not None else None


def may_use(call: Context, integration: Members) -> bool:
    """Tell whether a mailbox is the caller's, or shared."""
    return integration["type"] == "email" and owner_of(call, integration) in (None, call.caller.user_id)


@reacts("integration.updated")
def share_emails(call: Context, entry: Document) -> None:
    """Let others see the e-mails of a mailbox that is shared from now on, or see them no more."""
    id = entry["entity"]["id"]
    visibility = visibility_of(call, call.collection("integration").get(id))
    activities = call.collection("activity")
    for doc in activities.find("integration_id", id):
        if doc["kind"] == "email" and doc.get("visibility") != visibility:
            activities.put(doc | {"visibility": visibility})


def visibility_of(call: Context, integration: Members | None) -> str:
    """Return who sees the e-mails of a mailbox: ``private`` where it is one user's own."""
    return "public" if integration is None or owner_of(call, integration) is None else "private"
