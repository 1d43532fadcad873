"""The rule of presence: who is connected, and what they look at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from crm_sdk.resources.presence import Presence

from ...data.document import Document
from ...data.mapped import Mapped
from ...data.queries.query import sort_documents
from ...live.phoenix import PhoenixSocket
from ...live.sight import is_kind, noun_is_activity, record_of
from ...problems import invalid, missing
from ...serving import Context, serves

RECENT = timedelta(minutes=5)
"""Who did something within this time is online."""
_OWN = frozenset(["name", "onlineAt", "phx_ref", "phx_ref_prev"])


@serves(Presence.list)
def list_(
    call: Context,
    entity_type: str | None,
    entity_id: str | None,
    user_id: str | None,
    status: str | None,
    sort: str | None,
    order: str | None,
) -> Sequence[Any]:
    """Return the users with their presence."""
    topic = _topic(call, entity_type, entity_id)
    sockets = _sockets(call)
    users = [
        user for user in call.collection("user") if user.get("status") != "inactive" and user_id in (None, user["id"])
    ]
    found = [_presence(call, user, sockets.get(user["id"], [])) for user in users]
    if topic is not None:
        there = {key for key, own in sockets.items() if any(topic in socket.channels for socket in own)}
        found = [one for one in found if one["id"] in there]
    found = [one for one in found if status in (None, one["status"])]
    words = ("last_seen_at", "name")
    ordered = sort_documents(found, sort, order, words, default="last_seen_at", always=())
    return Mapped(ordered, lambda one: one | {"viewing": _viewing(call, sockets.get(one["id"], []))})


def _topic(call: Context, entity_type: str | None, entity_id: str | None) -> str | None:
    """Return the topic of the record that is asked for. Raises: 404 where the caller cannot read it; 422."""
    if entity_type is None and entity_id is None:
        return None
    if entity_type is None or entity_id is None:
        lacking = "entity_type" if entity_type is None else "entity_id"
        raise invalid(lacking, "required", "a record is named by its type and its id")
    known = is_kind(call.server, call.caller, entity_type)
    if not known or record_of(call.server, call.caller, entity_type, entity_id) is None:
        raise missing(entity_type, entity_id)
    return f"record:{entity_type}:{entity_id}"


def _sockets(call: Context) -> dict[str, list[PhoenixSocket]]:
    """Return the sockets that have joined topics, by their users; API keys are nobody."""
    found: dict[str, list[PhoenixSocket]] = {}
    for socket in call.server.live.connections:
        caller = socket.caller
        if not isinstance(socket, PhoenixSocket) or not socket.channels or caller.auth != "token":
            continue
        if caller.tenant_id == call.caller.tenant_id and caller.user_id is not None:
            found.setdefault(caller.user_id, []).append(socket)
    return found


def _presence(call: Context, user: Document, sockets: Sequence[PhoenixSocket]) -> Document:
    """Return a user's presence, without what they look at."""
    called = call.server.live.seen.get((call.caller.tenant_id, user["id"]))
    sessions = [one["last_seen_at"] for one in call.collection("session").find("user_id", user["id"])]
    moments = [at for at in (called, *sessions, *(socket.active for socket in sockets)) if at is not None]
    last = max(moments, default=None)
    recent = [
        at for at in (called, *(socket.active for socket in sockets)) if at is not None and call.now - at < RECENT
    ]
    return Document(
        id=user["id"],
        name=user["name"],
        user={"id": user["id"], "name": user["name"], "avatar": user.get("avatar")},
        status="online" if recent else "away" if sockets else "offline",
        last_seen_at=last,
        connections=len(sockets),
        meta=_meta(call, sockets),
    )


def _meta(call: Context, sockets: Sequence[PhoenixSocket]) -> dict[str, Any]:
    """Return what the connection that was active last says of the user."""
    presence = call.server.live.presence
    latest = sorted(sockets, key=lambda socket: socket.active)
    metas = [presence.meta(channel.room, channel) for socket in latest for channel in socket.channels.values()]
    said = [{name: value for name, value in meta.items() if name not in _OWN} for meta in metas]
    nothing: dict[str, Any] = {}
    return next((meta for meta in reversed(said) if meta), nothing)


def _viewing(call: Context, sockets: Sequence[PhoenixSocket]) -> list[dict[str, Any]]:
    topics = dict.fromkeys(name for socket in sockets for name in socket.channels if name.startswith("record:"))
    found: dict[str, dict[str, Any]] = {}
    for _, kind, id in (name.split(":") for name in topics):
        doc = record_of(call.server, call.caller, kind, id)
        if doc is not None:
            type = "activity" if noun_is_activity(kind) else kind
            found[id] = {"type": type, "id": id, "name": doc.get("name") or doc.get("title")}
    return list(found.values())
