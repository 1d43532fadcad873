"""Who may read a record outside of a call: who is shown an event about it, and may join its channel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..caller import Caller
from ..data.document import Document
from ..request.access import permissions
from ..serving import Context

if TYPE_CHECKING:
    from ..core import StubServer
    from .feeds import Event

_KINDS: Mapping[str, str] = dict.fromkeys(("call", "email", "event", "note", "task"), "activity")
"""The kinds of records that are stored under another kind than that of their topic."""
_WITHOUT_NOUN = {"conversation": "conversations", "message": "conversations", "agent": "agents"}
"""The kinds of records that no noun declares, with the words of their permissions."""
_ONES_OWN = frozenset({"notification"})
"""The kinds of records that one reads without a permission where they are one's own."""
_ABOUT = frozenset({"comment", "share"})
"""The kinds of records that are about another one, which their member `entity` refers to."""


def is_shown(server: StubServer, caller: Caller, event: Event) -> bool:
    """Return whether a caller may read every record that an event is about; one that is gone is judged as it was."""
    return all(_may_read(server, caller, kind, doc) for kind, doc in _records(server, caller, event))


def _records(server: StubServer, caller: Caller, event: Event) -> Iterator[tuple[str, Document | None]]:
    """Yield the records that an event is about, each with its kind; None for one that was purged."""
    kind, entity, said = event["entity_type"], event["entity"], event["metadata"]
    if kind in _ABOUT:
        about: Any = entity["entity"]
        yield about["type"], _stored_record(server, caller, about["type"], about["id"])
        return
    yield kind, Document(entity)
    if event["type"] == "user.mentioned":
        yield said["entity_type"], _stored_record(server, caller, said["entity_type"], said["entity_id"])


def _stored_record(server: StubServer, caller: Caller, kind: str, id: str) -> Document | None:
    noun = server.nouns.get(kind)
    if noun is None and kind not in _WITHOUT_NOUN:
        noun = server.nouns["record"]
    return server.collection(caller.tenant_id, noun.collection if noun is not None else kind).get(id, deleted=True)


def _may_read(server: StubServer, caller: Caller, kind: str, doc: Document | None) -> bool:
    if kind in _WITHOUT_NOUN:
        return permissions.permits(caller, _WITHOUT_NOUN[kind], "read", doc)
    name = str(doc.get("kind", kind)) if doc is not None and noun_is_activity(kind) else kind
    noun = server.nouns.get(name)
    if noun is None and object_named(server, caller, kind) is not None:
        noun = server.nouns["record"]
    if noun is None:
        return True  # no record: the company, a session
    if doc is None or (kind not in _ONES_OWN and not permissions.permits(caller, noun.word, "read", doc)):
        return False
    if noun.visible is None:
        return True
    call = Context(
        server, caller, server.clock.now(), dialect="platform", operation="live.events", request_id="", source={}
    )
    return noun.visible(call, doc)


def record_of(server: StubServer, caller: Caller, kind: str, id: str) -> Document | None:
    """Return the live record of a kind, or of a custom object by its API name; None where the caller may not see it."""
    custom = object_named(server, caller, kind) if kind not in server.nouns else None
    stored = "record" if custom is not None else _KINDS.get(kind, kind)
    doc = server.collection(caller.tenant_id, stored).get(id)
    if doc is None or (custom is not None and doc["object_id"] != custom["id"]):
        return None
    return doc if _may_read(server, caller, kind, doc) else None


def is_kind(server: StubServer, caller: Caller, kind: str) -> bool:
    """Tell whether there are records of a kind, which may be the API name of a custom object."""
    return kind in server.nouns or kind in _WITHOUT_NOUN or object_named(server, caller, kind) is not None


def object_named(server: StubServer, caller: Caller, name: str) -> Document | None:
    """Return the custom object with an API name."""
    found = server.collection(caller.tenant_id, "custom_object").find("api_name", name)
    return found[0] if found else None


def noun_is_activity(kind: str) -> bool:
    """Tell whether a kind is that of activities, which have nouns by their own kinds."""
    return _KINDS.get(kind, kind) == "activity"
