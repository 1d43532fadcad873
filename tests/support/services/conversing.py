"""Conversations in tests: what a lead writes, and the conversation that comes of it."""

from __future__ import annotations

from crm_sdk import CrmClient
from crm_sdk.models.conversations import Conversation
from crm_sdk.models.messages import Message


def hears(mvp: CrmClient, lead_id: str, *texts: str) -> list[Message]:
    return [mvp.messages.create({"lead_id": lead_id, "content": text, "sender": "lead"}) for text in texts]


def fresh(mvp: CrmClient, flow: CrmClient, *texts: str) -> Conversation:
    """Return the conversation with a new lead who wrote these texts."""
    lead = mvp.leads.create({"name": "Nora Quist", "email": "nora@quist.example"})
    hears(mvp, lead.id, *texts)
    return flow.conversations.get(next(c.id for c in mvp.conversations.list() if c.lead_id == lead.id))
