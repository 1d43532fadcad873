"""The feed: what has happened to the records that the caller may see, from the log of events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from crm_sdk.resources.collaboration import Feed

from ...data.document import Document
from ...data.queries.query import in_order, key_of, sort_field
from ...live.log import KIND as LOG
from ...problems import missing
from ...request.access.shares import is_active, shares_with
from ...serving import Context, Members, serves
from .. import company
from ..audit.logs import shown_changes
from . import entities
from .comments import COMMENTS
from .entities import Entity, person
from .summaries import VERBS, summary

_ALIKE = timedelta(minutes=10)
"""So long after the first of them, alike events of one user on one record are one item."""
_PRIVATE = ("auth.", "notification.", "webhook.", "conversation.unread_count", "event.reminder", "metrics.")
"""The beginnings of events that no feed shows."""
_TWICE = frozenset({"activity.created", "activity.updated", "activity.deleted"})
"""Events beside which the kind of the activity has its own."""
_VERBS: Mapping[str, str] = {
    "comment.created": "commented", "collaboration.share_updated": "updated", "collaboration.unshared": "updated",
    "team.member_added": "joined", "logged": "created", "captured": "created", "received": "created", "sent": "created",
}  # fmt: skip
"""The verbs of events by name or last word, where it is not a verb of the feed; of all others ``updated``."""


def verb_of(event: str) -> str:
    """Return what an event says was done."""
    word = event.rpartition(".")[2]
    found = _VERBS.get(event) or _VERBS.get(word) or word
    return found if found in VERBS else "updated"


class _Reader:
    """Reads the log for one caller, and remembers what was looked up."""

    def __init__(self, call: Context) -> None:
        self.call = call
        self._entities: dict[tuple[str, str], Entity | None] = {}
        self._people: dict[str, dict[str, Any] | None] = {}
        self.language = call.language

    def entity(self, type: str, id: str) -> Entity | None:
        """Return a record if the caller may see it, or could see it before it was deleted."""
        if (type, id) not in self._entities:
            self._entities[type, id] = entities.seen_entity(self.call, type, id, deleted=True)
        return self._entities[type, id]

    def actor(self, event: Members) -> dict[str, Any] | None:
        """Return the user who has done something; None where it was not a user."""
        id = event["actor"]["id"]
        if id not in self._people:
            self._people[id] = person(self.call, id)
        return self._people[id]

    def item(self, event: Document) -> tuple[Document, Entity] | None:
        """Return the item of an event with its record; None where the caller does not see it."""
        type, doc = event["type"], event["entity"]
        reference, target, comment = {"type": event["entity_type"], "id": doc["id"]}, None, None
        if type == "user.mentioned":
            said = event["metadata"]
            reference = {"type": said["entity_type"], "id": said["entity_id"]}
            target = {"type": "user", "id": doc["id"], "name": doc["name"]}
        elif event["entity_type"] == "share":
            reference = doc["entity"]
            target = {"type": doc["subject_type"], "id": doc["subject_id"], "name": doc["subject_name"]}
            target = target if target["id"] is not None else None
        elif event["entity_type"] == "comment":
            reference = doc["entity"]
            comment = self.call.collection("comment").get(doc["id"])
            if comment is not None and (comment["deleted"] or type == "comment.deleted"):
                comment = None
        entity = self.entity(reference["type"], reference["id"])
        if entity is None or (
            entity.doc.get("deleted_at") is not None and event["entity_type"] in ("share", "comment")
        ):
            return None
        actor, verb = self.actor(event), verb_of(type)
        who = actor["name"] if actor is not None else event["actor"]["name"] or event["actor"]["id"]
        about = target["name"] or target["id"] if target is not None else "?"
        shown = Document(
            id=f"feed_{str(event['id']).partition('_')[2]}",
            type=type,
            verb=verb,
            actor=actor,
            entity=entity.ref,
            target=target,
            summary=summary(self.language, verb, who, entity.name or entity.id, about),
            changes=shown_changes(event["changes"]) if comment is None and target is None else [],
            comment=COMMENTS.answer(self.call, comment) if comment is not None else None,
            occurred_at=event["occurred_at"],
            count=1,
        )
        return shown, entity


def items(call: Context, wanted: Members) -> list[Document]:
    """Return what a filter asks for, newest first; alike events of one user on one record are one item.

    `wanted` has the members of a `FeedFilter`, beside its page and order.
    """
    found: list[Document] = []
    newest: dict[object, int] = {}
    for item in _single_items(call, wanted):
        actor: Members = item["actor"] or {}
        target: Members = item["target"] or {}
        key = item["type"], actor.get("id"), item["entity"]["type"], item["entity"]["id"], target.get("id")
        place = newest.get(key)
        if place is not None and found[place]["occurred_at"] - item["occurred_at"] <= _ALIKE:
            found[place] = _joined_items(found[place], item)
        else:
            newest[key] = len(found)
            found.append(item)
    return found


def _joined_items(later: Document, earlier: Document) -> Document:
    """Return the item of two alike events: as the later one, with the changes of both."""
    changes = {change["field"]: change for change in later["changes"]}
    for change in earlier["changes"]:
        after = changes[change["field"]]["after"] if change["field"] in changes else change["after"]
        changes[change["field"]] = {**change, "after": after}
    return later | {"count": later["count"] + 1, "changes": list(changes.values())}


def _single_items(call: Context, wanted: Members) -> Iterator[Document]:
    reader, followed = _Reader(call), _followed_ids(call) if wanted.get("followed") else None
    since, until = wanted.get("since"), wanted.get("until")
    people: set[str] | None = None
    if wanted.get("user_ids") or wanted.get("team_ids"):
        people = {user for team in wanted.get("team_ids") or () for user in company.members_of(call, team)}
        people |= set(wanted.get("user_ids") or ())
    named = {(one["type"], one["id"]) for one in wanted.get("entities") or ()}
    words, me = str(wanted.get("q") or "").casefold(), call.caller.user_id
    for event in call.collection(LOG).backwards():
        if since is not None and event["occurred_at"] < since:
            return
        type: str = event["type"]
        if (
            (until is not None and event["occurred_at"] >= until)
            or type.startswith(_PRIVATE)
            or type in _TWICE
            or (wanted.get("verbs") and verb_of(type) not in wanted["verbs"])
        ):
            continue
        read = reader.item(event)
        if read is None:
            continue
        item, entity = read
        actor, target, comment = item["actor"], item["target"], item["comment"]
        kinds = {entity.type, entity.doc.get("kind"), type.partition(".")[0] if type.count(".") == 1 else None}
        mentioned = [user["id"] for user in comment["mentions"]] if comment is not None else []
        if (
            (people is None or (actor is not None and actor["id"] in people))
            and (not wanted.get("entity_types") or not kinds.isdisjoint(wanted["entity_types"]))
            and (not named or (entity.type, entity.id) in named)
            and (not wanted.get("mentions_me") or me in mentioned or _is_mention_of(item, target, me))
            and (followed is None or entity.id in followed or (me and entity.doc.get("owner_id") == me))
            and (not words or words in item["summary"].casefold() or words in _text_of(comment))
        ):
            yield item


def _is_mention_of(item: Members, target: Members | None, user_id: str | None) -> bool:
    return item["verb"] == "mentioned" and target is not None and target["id"] == user_id


def _text_of(comment: Members | None) -> str:
    return str(comment["body"] or "").casefold() if comment is not None else ""


def _followed_ids(call: Context) -> set[str]:
    """Return the ids of the records that the caller has commented on or was given a share of."""
    user = call.collection("user").get(call.caller.user_id or "")
    if user is None:
        return set()
    commented = {comment["entity_id"] for comment in call.collection("comment").find("author_id", user["id"])}
    shared = (share for share in shares_with(call.server.store, user) if is_active(share, call.now))
    return commented | {share["entity"]["id"] for share in shared}


def _sorted_items(found: list[Document], sort: str | None, order: str | None) -> Sequence[Document]:
    field, descending = sort_field(sort, order, ("id", "occurred_at"), default="occurred_at", always=())
    if field == "occurred_at":  # the log has the order of events of the same moment
        return found if descending else found[::-1]
    return in_order(found, key_of(field), descending=descending)


@serves(Feed.list)
def list_(
    call: Context,
    *,
    verbs: Sequence[str] | None,
    entity_type: str | None,
    team_id: str | None,
    since: datetime | None,
    until: datetime | None,
    sort: str | None,
    order: str | None,
) -> Sequence[Document]:
    """Return what has happened."""
    types, teams = [entity_type] if entity_type is not None else None, [team_id] if team_id is not None else None
    wanted = {"verbs": verbs, "entity_types": types, "team_ids": teams, "since": since, "until": until}
    return _sorted_items(items(call, wanted), sort, order)


@serves(Feed.user)
def user(
    call: Context,
    user_id: str,
    verbs: Sequence[str] | None,
    entity_type: str | None,
    since: datetime | None,
    until: datetime | None,
    sort: str | None,
    order: str | None,
) -> Sequence[Document]:
    """Return what a user has done."""
    id = call.caller.user_id if user_id == "me" else user_id
    found = call.find_one("user", id or "")
    if found is None:
        raise missing("user", user_id)
    types = [entity_type] if entity_type is not None else None
    wanted = {"user_ids": [found["id"]], "verbs": verbs, "entity_types": types, "since": since, "until": until}
    return _sorted_items(items(call, wanted), sort, order)


@serves(Feed.filter)
def filter_(call: Context, filter: Members) -> Sequence[Document]:
    """Return what has happened that meets every condition."""
    return _sorted_items(items(call, filter), filter.get("sort"), filter.get("order"))
