"""Who sees what of an event or an e-mail.

Of a private event others see no more than that its owner is busy (002, "Activities"), of an e-mail in somebody's own
mailbox no more than that there is one (002, "Communication").
"""

from __future__ import annotations

from ...data.document import Document
from ...serving import Context, Members
from ..calendar.working_time import is_invited

_SEEN = frozenset(
    [
        "id",
        "kind",
        "created_at",
        "updated_at",
        "version",
        "owner_id",
        "start_time",
        "end_time",
        "all_day",
        "timezone",
        "busy",
        "visibility",
        "exdates",
        "recurrence",
        "deleted_at",
    ]
)


def is_private(doc: Members) -> bool:
    """Tell whether only those who take part may know what an event is, or an e-mail of a mailbox of their own."""
    return doc.get("kind") in ("event", "email") and doc.get("visibility") == "private"


def is_hidden(call: Context, doc: Members) -> bool:
    """Tell whether the caller may know no more of an event than when it is."""
    user_id = call.caller.user_id
    system = call.caller.actor_id == "system"
    return is_private(doc) and not system and (user_id is None or not is_invited(doc, user_id))


def is_hidden_id(call: Context, id: str) -> bool:
    """Tell whether an id is that of an event of which the caller may know no more than when it is."""
    doc = call.collection("activity").get(id)
    return doc is not None and is_hidden(call, doc)


def may_read(call: Context, id: str) -> bool:
    """Tell whether the caller may read what an activity or a message says; the system may read all."""
    if call.caller.actor_id == "system":
        return True
    doc = call.collection("activity").get(id)
    if doc is not None:
        return call.sees("activity", doc) and not is_hidden(call, doc)
    message = call.collection("message").get(id)
    conversation = call.collection("conversation").get(message["conversation_id"]) if message is not None else None
    return conversation is None or call.sees("conversation", conversation)


def busy_only(doc: Document) -> Document:
    """Return an event as others see it: its times, and whether it takes them."""
    return Document({name: value if name in _SEEN else _nothing(value) for name, value in doc.items()})


def _nothing(value: object) -> object:
    return [] if isinstance(value, list) else {} if isinstance(value, dict) else None


def as_seen(call: Context, doc: Document) -> Document:
    """Return an activity as the caller may see it."""
    return busy_only(doc) if is_hidden(call, doc) else doc


def as_published(doc: Document) -> Document:
    """Return an activity as events and the trail have it, which all of the company may read."""
    return busy_only(doc) if is_private(doc) else doc
