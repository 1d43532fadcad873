"""The log of changes: an entry for every version of every record, in the order of the commits.

An entry is written by the transaction that writes the record, whatever call, job or consequence that is, so that its
number is given within it: no later commit has a smaller one. A transaction that is undone leaves no entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ..data.collection import Collection
from ..data.document import Document
from . import audit, trash

if TYPE_CHECKING:
    from ..core import StubServer
    from ..data.store import Entry
    from ..nouns.entities import Entity

ERASURES, LATEST_ERASURE = "erasure", "latest"
"""The collection of the register of erased people, and its entry that every erasure writes."""
KIND = "change"
"""The collection of the entries; the id of one is its number."""
SHARE = "share"
"""The collection of what is shared with users and teams who would not see it otherwise."""
COUNTED: Mapping[str, Mapping[str, str]] = {
    "deal": {"account_id": "account", "contact_id": "contact", "contact_roles": "contact"},
    "contact": {"account_id": "account"},
    "account": {"parent_id": "account"},
}
"""The kinds of records that others count and add up, with the members that name these, and their kind."""
_UNTOLD = frozenset({"updated_at", "version", "deleted_at", "merged_into"})


@dataclass(slots=True)
class _Write:
    """What a transaction did to one version of a record."""

    collection: Collection
    id: str
    entity: Entity
    before: Document | None
    after: Document | None = None
    said: Document | None = None
    """The entry of the audit trail about it."""
    cause: Document | None = None
    """That entry, or that about what it is a consequence of."""


def series(tenant_id: str) -> str:
    """Return the name of the series that numbers the changes of a company."""
    return f"change:{tenant_id}"


def key_of(number: int) -> str:
    """Return the id of the entry with a number."""
    return str(number)


class ChangeLog:
    """Writes the entries."""

    def __init__(self, server: StubServer) -> None:
        self._server = server

    def write(self, log: Sequence[Entry]) -> None:
        """Write an entry for every version of a record that a transaction has written."""
        store = self._server.store
        log = tuple(log)
        erasing = any(
            collection is not None and (collection.kind, id) == (ERASURES, LATEST_ERASURE)
            for collection, id, _, _ in log
        )
        gone: set[tuple[Collection, str]] = set()
        for write in self._writes(log):
            change = _change_of(write.before, write.after)
            if change is None or self._is_purged(write.collection.tenant_id):
                continue
            values = list(_differences(write.entity, write.before, write.after)) if change == "updated" else []
            if change == "updated" and not values and _version(write.before) == _version(write.after):
                continue
            left = write.after
            if erasing:  # what is gone now is not told any more, nor what was brought back and erased again
                left = write.collection.get(write.id)
                if left is None and (write.collection, write.id) in gone:  # it was changed before it went
                    continue
                if left is None:
                    gone.add((write.collection, write.id))
                change = "erased" if left is None else change
                values = [{**one, "before": None, "after": None} for one in values]
                write.before = left if left is not None else write.before or write.after
                write.after = left if write.after is not None else None
            tenant_id = write.collection.tenant_id
            said, cause = write.said, write.cause
            doc: Document = write.after if write.after is not None else write.before or Document()
            number = store.count(series(tenant_id))
            entry = {
                "id": key_of(number),
                "seq": number,
                "at": cause["occurred_at"] if cause is not None else self._server.clock.now(),
                "collection": write.collection.kind,
                "record_id": write.id,
                "type": self._server.entities.name_of(write.collection.kind, doc),
                "change": change,
                "version": _version(doc),
                "values": values,
                "merged_into": doc.get("merged_into"),
                "actor": cause["actor"]["id"] if cause is not None else "system",
                "event": said["action"] if said is not None else f"{write.entity.name}.{change}",
                "before": _seen_members(write.entity, write.before, bare=erasing and left is None),
                "after": _seen_members(write.entity, write.after),
            }
            store.collection(tenant_id, KIND).put(Document(entry))
            notes = store.collection(tenant_id, trash.KIND)
            if change in ("purged", "restored", "erased") and write.id in notes:
                notes.remove(write.id)

        told = set[tuple[str, str, str]]()
        for entry in (*self._shares(log), *self._recounts(log)):
            if entry["change"] == "recounted":  # many deals may be of one contact, and of a deal in several roles
                about = (entry["tenant_id"], entry["collection"], entry["record_id"])
                if about in told:
                    continue
                told.add(about)
            number = store.count(series(entry["tenant_id"]))
            kept = {**entry, "id": key_of(number), "seq": number}
            store.collection(entry["tenant_id"], KIND).put(Document(kept))

    def _is_purged(self, tenant_id: str) -> bool:
        """Tell whether all data of a company that was ended are gone: then nobody is left who could ask."""
        tenant = self._server.store.collection(tenant_id, "tenant").get(tenant_id)
        return tenant is not None and bool(tenant.get("purged"))

    def _shares(self, log: Sequence[Entry]) -> Iterator[dict[str, Any]]:
        """Yield what a transaction shared, and what it shares no more: whoever it is shared with is told."""
        states = _states(log)
        for place, (collection, _, before, _) in enumerate(log):
            if collection is None or collection.kind != SHARE:
                continue
            after = states[place]
            given, taken = (doc is not None and doc.get("deleted_at") is None for doc in (after, before))
            doc: Mapping[str, Any] = after or before or {}
            about: Mapping[str, Any] = doc.get("entity") or {}
            collection_name = self._server.entities.collection_of(str(about.get("type")))
            if given == taken or collection_name is None:
                continue
            record = self._server.store.collection(collection.tenant_id, collection_name).get(about["id"])
            if record is not None:
                said = {"actor": doc.get("created_by") or "system", "subject": doc.get("subject_id"), "given": given}
                event = f"share.{'created' if given else 'deleted'}"
                yield self._about(collection.tenant_id, collection_name, record, "shared", event, said)
                yield from self._counting(collection.tenant_id, collection_name, record)

    def _recounts(self, log: Sequence[Entry]) -> Iterator[dict[str, Any]]:
        """Yield the records whose figures are others for whoever reads only some of what they are made of.

        Their stored figures are of all records and stay, when one of these only gets another owner.
        """
        states = _states(log)
        for place, (collection, _, before, _) in enumerate(log):
            after = states[place]
            if collection is None or before is None or after is None or collection.kind not in COUNTED:
                continue
            if before.get("owner_id") != after.get("owner_id"):
                yield from self._counting(collection.tenant_id, collection.kind, after)

    def _counting(self, tenant_id: str, kind: str, doc: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the records that count a record of a kind."""
        for member, by in COUNTED.get(kind, {}).items():
            ids = (
                [one["contact_id"] for one in doc.get(member) or ()] if member == "contact_roles" else [doc.get(member)]
            )
            for id in dict.fromkeys(ids):
                record = self._server.store.collection(tenant_id, by).get(id) if id is not None else None
                if record is not None:
                    yield self._about(tenant_id, by, record, "recounted", f"{by}.updated", {"actor": "system"})

    def _about(
        self, tenant_id: str, kind: str, record: Document, change: str, event: str, said: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return an entry about a record that was not written."""
        return {
            "tenant_id": tenant_id, "at": self._server.clock.now(), "collection": kind, "record_id": record["id"],
            "type": self._server.entities.name_of(kind, record), "change": change, "version": _version(record),
            "values": [], "merged_into": None, "event": event, "before": None, "after": None, **said,
        }  # fmt: skip

    def _writes(self, log: Sequence[Entry]) -> list[_Write]:
        """Return the versions of records in the order in which they were begun, each with the event about it."""
        states = _states(log)
        latest: dict[tuple[Collection, str], _Write] = {}
        found: list[_Write] = []
        last: Document | None = None
        for place, (collection, id, previous, _) in enumerate(log):
            if collection is None:
                continue
            after = states[place]
            if collection.kind == audit.KIND and after is not None and previous is None:  # erasures rewrite old ones
                last = after
                about = next((one for one in reversed(found) if one.id == after["entity"]["id"]), None)
                if about is not None and about.said is None:
                    about.said = after
            entity = self._server.entities.of_collection(collection.kind) if collection.tenant_id else None
            if entity is None:
                continue
            write = latest.get((collection, id))
            if write is None or after is None or write.after is None or _version(after) != _version(write.after):
                write = latest[collection, id] = _Write(collection, id, entity, previous)
                found.append(write)
            write.after = after
        for write in found:
            write.cause = write.said or last
        return found


def _states(log: Sequence[Entry]) -> list[Document | None]:
    """Return for each write of a transaction the document that it stored."""
    states: list[Document | None] = [None] * len(log)
    following: dict[tuple[Collection, str], Document | None] = {}
    for place in range(len(log) - 1, -1, -1):
        collection, id, previous, _ = log[place]
        if collection is None:
            continue
        key = (collection, id)
        states[place] = following[key] if key in following else collection.get(id, deleted=True)
        following[key] = previous
    return states


def _version(doc: Mapping[str, Any] | None) -> int:
    return int(doc.get("version") or 0) if doc is not None else 0


def _change_of(before: Document | None, after: Document | None) -> str | None:
    """Return what a write was to whoever keeps a copy of the record; None for nothing."""
    lived, lives = (doc is not None and doc.get("deleted_at") is None for doc in (before, after))
    if lived and lives:
        return "updated"
    if lives:
        return "created" if before is None else "restored"
    if lived and after is not None:
        return "merged" if after.get("merged_into") else "deleted"
    return "purged" if before is not None and after is None else None


def _differences(entity: Entity, before: Document | None, after: Document | None) -> Iterator[dict[str, Any]]:
    old, new = before or Document(), after or Document()
    for name in dict.fromkeys((*old, *new)):
        if name in _UNTOLD or name not in entity.members or old.get(name) == new.get(name):
            continue
        if name == "fields" and entity.name == "record":
            one: Mapping[str, Any] = old.get(name) or {}
            other: Mapping[str, Any] = new.get(name) or {}
            for key in dict.fromkeys((*one, *other)):
                if one.get(key) != other.get(key):
                    yield {"field": f"fields.{key}", "before": one.get(key), "after": other.get(key)}
        else:
            yield {"field": name, "before": old.get(name), "after": new.get(name)}


def _seen_members(entity: Entity, doc: Document | None, *, bare: bool = False) -> dict[str, Any] | None:
    """Return what tells who saw a record as it was: all of it where its noun looks further than the owner.

    `bare` leaves only ids, times and what belongs to whom, of a record that was erased.
    """
    if doc is None:
        return None
    if bare:
        doc = Document(bare_of(doc))
    if entity.noun is not None and entity.noun.visible is not None:
        return dict(doc)
    return {name: doc.get(name) for name in ("id", "owner_id", "object_id", "kind") if name in doc}


def bare_of(doc: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record without what it says: its ids, its times, and what belongs to whom."""
    return {name: _bare(name, value) for name, value in doc.items()}


def _bare(name: str, value: Any) -> Any:
    """Return a member of a record without what it says."""
    if isinstance(value, dict):
        found = cast("Mapping[str, Any]", value)
        return {name: found[name] for name in ("type", "id") if name in found}
    if isinstance(value, list):
        return []
    return value if name in ("id", "kind", "visibility") or name.endswith("_id") or not isinstance(value, str) else None
