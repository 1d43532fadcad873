"""What others have done that concerns the caller: the part of the inbox that collaboration shows."""

from __future__ import annotations

from collections.abc import Sequence

from crm_sdk.resources.collaboration import CollaborationNotifications

from ...data.document import Document
from ...serving import Context, serves

TYPES = frozenset({"mention", "comment", "share", "assignment"})


@serves(CollaborationNotifications.list)
def list_(
    call: Context, type: str | None, read: bool | None, sort: str | None, order: str | None
) -> Sequence[Document]:
    """Return the caller's notifications of these types, the newest first."""
    inbox = call.server.nouns["notification"].select(call, {"sort": sort, "order": order})
    return [
        doc for doc in inbox if doc["type"] in TYPES and type in (None, doc["type"]) and read in (None, doc["read"])
    ]
