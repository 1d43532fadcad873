"""The timeline of a record: activities, messages, moves of deals, conversions, comments and files together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from crm_sdk.resources.activities import Activities

from ...data.document import Document
from ...data.mapped import Mapped
from ...data.queries.query import filter_by_span, sort_documents
from ...history import audit
from ...request.access.permissions import readable
from ...serving import Context, Members, serves
from .kinds import text_of
from .privacy import is_hidden
from .records import as_it_is
from .relations import LINKS, REFERS

_LINKS: Mapping[str, str] = {name: REFERS[name] for name in LINKS}
"""The kind of record that each filter names."""
_TOLD = frozenset({"created", "updated", "converted", "merged"})
"""The deeds of the trail that a timeline shows."""
_SUMMARY = 200


@serves(Activities.timeline)
def timeline(
    call: Context,
    contact_id: str | None,
    lead_id: str | None,
    deal_id: str | None,
    account_id: str | None,
    owner_id: str | None,
    kinds: Sequence[str] | None,
    since: datetime | None,
    until: datetime | None,
    sort: str | None,
    order: str | None,
) -> Sequence[Document]:
    """Return what happened with records, the newest first; with several of them what concerns all."""
    named = {"contact_id": contact_id, "lead_id": lead_id, "deal_id": deal_id, "account_id": account_id}
    wanted = [(_LINKS[name], call.record(_LINKS[name], id)) for name, id in named.items() if id is not None]
    about = [_concerned_ids(call, kind, doc) for kind, doc in wanted]
    found = {entry["id"]: entry for entry in _entries(call, about[0] if about else None)}
    for ids in about[1:]:
        others = {entry["id"] for entry in _entries(call, ids)}
        found = {id: entry for id, entry in found.items() if id in others}
    shown = [
        entry
        for entry in found.values()
        if (not kinds or entry["kind"] in kinds) and (owner_id is None or entry["owner_id"] == owner_id)
    ]
    docs = sort_documents(
        filter_by_span(shown, "occurred_at", since, until),
        sort,
        order,
        ("occurred_at",),
        default="occurred_at",
        always=("id",),
    )
    return Mapped(docs, partial(_as_shown, call))


Ids = Mapping[str, frozenset[str]]
"""The records that a timeline is about: ids by kind."""


def _concerned_ids(call: Context, kind: str, doc: Document) -> Ids:
    """Return a record, and those whose timelines are part of its own: an account's contacts and deals.

    The records of custom objects that link one of them are, too.
    """
    found: dict[str, set[str]] = {kind: {doc["id"]}}
    if kind == "account":
        for part in ("contact", "deal"):
            found[part] = {
                one["id"] for one in readable(call, part, call.collection(part).find("account_id", doc["id"]))
            }
    every = {id for ids in found.values() for id in ids}
    linking = [one for id in every for one in call.collection("record").find("links", id)]
    found["record"] = {one["id"] for one in readable(call, "record", linking)}
    return {name: frozenset(ids) for name, ids in found.items()}


def _entries(call: Context, about: Ids | None) -> Iterator[Document]:
    """Give all that happened with some records; None stands for the whole company."""
    yield from _activities(call, about)
    yield from _messages(call, about)
    yield from _moves(call, about)
    yield from _deeds(call, about)
    yield from _attached_documents(call, about)


def _is_about(doc: Members, about: Ids | None) -> bool:
    return about is None or any(doc.get(f"{kind}_id") in ids for kind, ids in about.items())


def _entry(
    id: str, kind: str, title: str, at: datetime, entity: Members, *, owner_id: str | None = None, **more: Any
) -> Document:
    plain: dict[str, Any] = {"summary": None, "actor_id": owner_id, "activity": None, "changes": []}
    whole = {"id": id, "kind": kind, "title": title, "occurred_at": at, "entity": entity, "owner_id": owner_id}
    return Document({**plain, **whole, **more})


def _entity(call: Context, doc: Members) -> dict[str, Any]:
    """Return the record that an activity is about, the nearest to it."""
    for name in ("deal_id", "contact_id", "lead_id", "account_id"):
        if doc.get(name):
            found = call.collection(_LINKS[name]).get(doc[name], deleted=True)
            own = (found.get("name") or found.get("title")) if found is not None else None
            return {"type": _LINKS[name], "id": doc[name], "name": own or doc.get("contact_name")}
    return {"type": "activity", "id": doc["id"], "name": doc.get("title")}


def _activities(call: Context, about: Ids | None) -> Iterator[Document]:
    activities = call.collection("activity")
    docs: Iterable[Document] = readable(call, "activity")
    if about is not None:
        linked = (doc for kind, ids in about.items() for id in ids for doc in activities.find(f"{kind}_id", id))
        docs = readable(call, "activity", {doc["id"]: doc for doc in linked}.values())
    for doc in docs:
        if not is_hidden(call, doc):
            text = text_of(doc) or doc.get("description") or ""
            title, at = doc.get("title") or text[:_SUMMARY], doc.get("occurred_at") or doc["created_at"]
            owner, entity = doc.get("owner_id"), _entity(call, doc)
            yield _entry(doc["id"], doc["kind"], title, at, entity, owner_id=owner, summary=_short(text), activity=doc)


def _messages(call: Context, about: Ids | None) -> Iterator[Document]:
    for conversation in readable(call, "conversation"):
        if not _is_about(conversation, about):
            continue
        who = {"type": "conversation", "id": conversation["id"], "name": conversation.get("contact_name")}
        for doc in call.collection("message").find("conversation_id", conversation["id"]):
            if doc.get("email_id"):  # it is told of as an e-mail
                continue
            ours = doc["sender_id"] if doc.get("sender_type") == "user" else None
            title = doc.get("subject") or _short(doc["content"]) or "Message"
            entity = (
                _entity(call, conversation) if conversation.get("contact_id") or conversation.get("lead_id") else who
            )
            owner = conversation.get("owner_id") or ours
            said = {"summary": _short(doc["content"]), "actor_id": ours}
            yield _entry(doc["id"], "message", title, doc["timestamp"], entity, owner_id=owner, **said)


def _moves(call: Context, about: Ids | None) -> Iterator[Document]:
    """Give the moves of deals, with those of a contact's deals."""
    for deal in readable(call, "deal"):
        whole = {**deal, "deal_id": deal["id"]}
        if not _is_about(whole, about):
            continue
        entity = {"type": "deal", "id": deal["id"], "name": deal["title"]}
        for stay in call.collection("stage_change").find("deal_id", deal["id"]):
            if stay.get("from_stage") is not None:
                change = {"field": "stage", "before": stay["from_stage"], "after": stay["to_stage"]}
                title = f"{deal['title']}: {stay['from_stage']} → {stay['to_stage']}"
                said = {"summary": stay.get("reason"), "actor_id": stay.get("changed_by"), "changes": [change]}
                yield _entry(
                    stay["id"], "stage_change", title, stay["entered_at"], entity, owner_id=deal["owner_id"], **said
                )


def _deeds(call: Context, about: Ids | None) -> Iterator[Document]:
    """Give what the trail says was done to the records themselves."""
    kinds: Mapping[str, frozenset[str] | None] = (
        about if about is not None else dict.fromkeys((*_LINKS.values(), "record"))
    )
    for entry in call.collection(audit.KIND).all():
        kind, _, verb = entry["action"].partition(".")
        ids = kinds.get(kind)
        if kind not in kinds or verb not in _TOLD or (ids is not None and entry["entity"]["id"] not in ids):
            continue
        doc = call.collection(kind).get(entry["entity"]["id"], deleted=True)
        if doc is not None and not call.sees(kind, doc):
            continue
        name = entry["entity"].get("name") or entry["entity"]["id"]
        changes = list(entry["changes"]) if verb == "updated" else []
        fields = ", ".join(change["field"].replace("_", " ") for change in changes)
        said: dict[str, Any] = {"summary": fields or entry.get("reason"), "actor_id": entry["actor"]["id"]}
        title = f"{name} was {verb}"
        yield _entry(entry["id"], verb, title, entry["occurred_at"], entry["entity"], changes=changes, **said)


def _attached_documents(call: Context, about: Ids | None) -> Iterator[Document]:
    """Give the comments and files of records."""
    for kind, names in (("comment", ("body", "text")), ("file", ("name", "filename"))):
        for doc in call.collection(kind).all():
            told = {"type": doc.get("entity_type"), "id": doc.get("entity_id")}
            entity: Members = doc.get("entity") or doc.get("related_to") or told
            if (
                not _is_seen(call, kind, doc)
                or entity.get("id") is None
                or (about is not None and entity["id"] not in about.get(str(entity["type"]), ()))
            ):
                continue
            text = next((str(doc[name]) for name in names if doc.get(name)), kind)
            by = doc.get("author_id") or doc.get("created_by")
            yield _entry(doc["id"], kind, _short(text), doc["created_at"], entity, owner_id=by, summary=_short(text))


def _is_seen(call: Context, kind: str, doc: Document) -> bool:
    noun = call.server.nouns.get(kind)
    return noun is None or ((noun.visible is None or noun.visible(call, doc)) and noun.in_sight(call, doc))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SUMMARY else f"{line[: _SUMMARY - 1]}…"


def _as_shown(call: Context, entry: Document) -> Document:
    """Return an entry with who did it, and its activity as it is now."""
    user = call.collection("user").get(entry["actor_id"] or "", deleted=True)
    actor = {"id": user["id"], "name": user["name"], "avatar": user.get("avatar")} if user is not None else None
    activity = as_it_is(call, entry["activity"]) if entry["activity"] is not None else None
    return entry | {"actor": actor, "activity": activity}
