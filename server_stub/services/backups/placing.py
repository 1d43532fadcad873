"""Put records of an archive into a company: their owners, what they refer to, and what became of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from crm_sdk.models.record import Model
from crm_sdk.wire import is_array

from ...archives.archive import Archive
from ...archives.parts import is_kept
from ...data.document import Document
from ...files.storing import FILE, VERSION
from ...noun import Noun
from ...problems import Problem
from ...serving import Collections, Context

_REFERS: Mapping[str, Mapping[str, str]] = {
    "account": {"territory_id": "territory"},
    "lead": {
        "territory_id": "territory", "converted_contact_id": "contact", "converted_account_id": "account",
        "converted_deal_id": "deal",
    },
    "contact": {"lead_id": "lead"},
    "deal": {
        "pipeline_id": "pipeline", "stage_id": "stage", "contact_id": "contact", "account_id": "account",
        "lead_id": "lead",
    },
    "stage_change": {
        "deal_id": "deal", "pipeline_id": "pipeline", "from_stage_id": "stage", "to_stage_id": "stage",
    },
    "deal_state": {"deal_id": "deal", "pipeline_id": "pipeline", "stage_id": "stage"},
    "record": {"object_id": "custom_object"},
    "conversation": {"contact_id": "contact", "lead_id": "lead"},
    "message": {"conversation_id": "conversation"},
    "mention": {"account_id": "social_account", "contact_id": "contact", "lead_id": "lead"},
    "lead_score": {"lead_id": "lead"},
    "lead_capture": {"lead_id": "lead"},
    "file_version": {"file_id": "file"},
}  # fmt: skip
"""The members with ids of records that their nouns do not declare, since other rules check them."""
_NEEDED: Mapping[str, Collection[str]] = {
    "deal": ("pipeline_id", "stage_id"),
    "stage_change": ("deal_id",),
    "deal_state": ("deal_id",),
    "record": ("object_id",),
    "message": ("conversation_id",),
    "lead_score": ("lead_id",),
    "lead_capture": ("lead_id",),
    "file_version": ("file_id",),
}
"""Those of them without which a record is none."""


@dataclass(slots=True)
class Restored:
    """What became of the records of an archive."""

    written: Counter[str] = field(default_factory=Counter[str])
    unchanged: Counter[str] = field(default_factory=Counter[str])
    conflicts: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    missing: int = 0
    """The number of references to records that there are no more."""
    left_out: set[str] = field(default_factory=set[str])
    """The ids of the records that were not brought back."""

    def refuse(self, doc: Mapping[str, Any], problem: Problem) -> None:
        """Note that a record cannot be brought back, and why."""
        self.left_out.add(doc["id"])
        error = {"row": None, "field": problem.field, "code": problem.code, "message": problem.message}
        self.conflicts.append({**error, "value": doc["id"]})


def make_room(call: Context, archive: Archive) -> None:
    """Let no new record get an id of the archive; give files that stay another one, where they have such an id.

    Ids are unique within a server: only an archive of another one has those of other records.
    """
    for prefix, last in archive.series.items():
        call.server.store.reach(prefix, last)
    files, versions, backups = (call.collection(name) for name in (FILE, VERSION, "backup"))
    ids = {name: {doc["id"] for doc in archive.all_of_kind(name)} for name in (FILE, VERSION)}
    for file in [file for file in files.table.docs.values() if is_kept(FILE, file)]:
        own, id = versions.find("file_id", file["id"]), file["id"]
        if id in ids[FILE]:
            id = call.new_id("file_")
            files.remove(file["id"])
            files.put(file | {"id": id, "url": f"/v1/files/{id}/download"})
            for backup in backups.find("file_id", file["id"]):
                backups.put(backup | {"file_id": id})
        for version in own:
            new = call.new_id("filever_") if version["id"] in ids[VERSION] else version["id"]
            if (new, id) != (version["id"], file["id"]):
                versions.remove(version["id"])
                versions.put(version | {"id": new, "file_id": id})


class Placing:
    """Finds what records of an archive refer to in the company that they are put into."""

    def __init__(self, call: Context, collections: Collections, archive: Archive) -> None:
        self._call = call
        self._collections = collections
        self._archive = archive
        users = collections("user").table.docs.keys()
        self._users = users | {doc["id"] for doc in archive.all_of_kind("user")}
        self.renamed: dict[str, str] = {}
        """The records that stand for others: those that have their names already."""
        self._nouns: dict[str, list[Noun]] = {}
        for noun in call.server.nouns.values():
            self._nouns.setdefault(noun.collection, []).append(noun)

    def noun_of(self, kind: str, doc: Mapping[str, Any]) -> Noun | None:
        """Return the noun of a record of a collection; None for records without one."""
        nouns = self._nouns.get(kind, [])
        return next((noun for noun in nouns if noun.kind == doc.get("kind")), nouns[0] if nouns else None)

    def with_owner(self, kind: str, doc: Document) -> Document:
        """Return a record without unknown users: for one stands who has the address now, and the caller as owner."""
        changes: dict[str, Any] = {}
        refers = {"owner_id": "user", **self._refers(kind, doc)}
        for name in (name for name, to in refers.items() if to == "user"):
            value = doc.get(name)
            if is_array(value):
                there = [self.renamed.get(str(id), id) for id in value]
                changes[name] = [id for id in dict.fromkeys(there) if id in self._users]
            elif isinstance(value, str) and value in self.renamed:
                changes[name] = self.renamed[value]
            elif isinstance(value, str) and value not in self._users:
                known = self._call.caller.user_id
                changes[name] = known if name == "owner_id" or not self._may_be_null(kind, doc, name) else None
        return doc | changes if changes else doc

    def move(self, kind: str, doc: Document) -> Document:
        """Return a record with the ids of the records that stand for those it refers to."""
        changes: dict[str, Any] = {}
        for name, _ in self._references(kind, doc):
            value = doc.get(name)
            if isinstance(value, str) and value in self.renamed:  # of what lists refer to none stands for another
                changes[name] = self.renamed[value]
        return doc | changes if changes else doc

    def connect(self, kind: str, doc: Document, done: Restored) -> Document | None:
        """Return a record whose references lead to records that are there; None where one that it needs is gone."""
        changes: dict[str, Any] = {}
        doc = self.move(kind, doc)
        for name, to in self._references(kind, doc):
            value = doc.get(name)
            if isinstance(value, str) and not self._is_there(to, value):
                done.missing += 1
                if name in _NEEDED.get(kind, ()) or not self._may_be_null(kind, doc, name):
                    return None
                changes[name] = None
            elif is_array(value) and (ids := [id for id in value if self._is_there(to, id)]) != list(value):
                done.missing += len(value) - len(ids)
                changes[name] = ids
        return doc | changes if changes else doc

    def stand_for(self, kind: str, member: str, id: str, other: str, key: str) -> None:
        """Let the parts of one record stand for those of an archived one that have the same keys."""
        parts = {doc[key]: doc["id"] for doc in self._collections(kind).find(member, other)}
        for doc in self._archive.of_kind(kind):
            if doc[member] == id and doc[key] in parts:
                self.renamed[doc["id"]] = parts[doc[key]]

    def _references(self, kind: str, doc: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield the members of a record with ids of records that are no users, and the collections of these."""
        for name, to in self._refers(kind, doc).items():
            if to != "user":
                noun = self._call.server.nouns.get(to)
                yield name, noun.collection if noun is not None else to
        noun = self.noun_of(kind, doc)
        if noun is not None and noun.within is not None:
            yield noun.within[0], noun.within[1].collection

    def _refers(self, kind: str, doc: Mapping[str, Any]) -> Mapping[str, str]:
        noun = self.noun_of(kind, doc)
        return {**(noun.refers if noun is not None else {}), **_REFERS.get(kind, {})}

    def _is_there(self, kind: str, id: object) -> bool:
        return id in self._collections(kind).table.docs

    def _may_be_null(self, kind: str, doc: Mapping[str, Any], name: str) -> bool:
        noun = self.noun_of(kind, doc)
        model: type[Model] | None = noun.model if noun is not None else None
        info = model.model_fields.get(name) if model is not None else None
        return info is None or not info.is_required()
