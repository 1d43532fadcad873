"""The erasure of a person from everything that a company has: records, history, files, stored answers, what waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from crm_sdk.wire import is_array, is_object

from ...data.collection import Collection
from ...data.document import Document
from ...data.personal import emptied_members
from ...files.storing import FILE, VERSION
from ...history import audit, change_log, trash
from ...serving import Context
from .. import erasures
from ..accounts.figures import refresh as refresh_figures
from .subjects import ERASED_KINDS, PEOPLE, Person, entity_name, model_of

_LEFT = frozenset({"tenant", "user", "salt", "counter", "usage", "timetable", erasures.KIND})
"""The collections that are not about customers."""
_GONE = frozenset({"idempotency", "lead_capture", "sync_link", "insight", trash.KIND})
"""Stored answers, notes and links: what tells of the person goes as a whole."""
_PICTURES = ("image/", "video/", "audio/")
_BACKUP = "backup"


class Erasure:
    """One erasure: it counts what it does, by kind of records."""

    def __init__(self, call: Context, person: Person) -> None:
        self._call = call
        self._person = person
        self._words = person.words
        self._inner = person.words
        """The words with the ids of the records about the person, for copies of these and what was said of them."""
        self.erased: Counter[str] = Counter()
        self.anonymized: Counter[str] = Counter()

    def carry_out(self, *, blocked: bool) -> None:
        """Erase the person; what is written is a part of the current transaction."""
        call = self._call
        erasures.enter(call, [*self._person.addresses, *self._words.ids], blocked=blocked)
        self._erase_files()
        everything = [records for records in call.server.store.of_company(call.caller.tenant_id)
                      if records.kind not in _LEFT]  # fmt: skip
        self._inner = self._words.with_ids(self._records_about(everything))
        for records in everything:
            for doc in list(records.backwards()):
                if doc["id"] not in self._words.ids:
                    self._erase(records, doc)
        for kind, doc in self._person.identities:
            self._leave(kind, doc)
        self._forget_in_memory()

    def counts(self) -> list[dict[str, Any]]:
        """Return what was done, by kind of records."""
        return [
            {
                "entity": kind,
                "found": self.erased[kind] + self.anonymized[kind],
                "erased": self.erased[kind],
                "anonymized": self.anonymized[kind],
                "kept": 0,
            }
            for kind in sorted(self.erased | self.anonymized)
        ]

    def _records_about(self, everything: Iterable[Collection]) -> Iterator[str]:
        """Yield the ids of the records that are about the person."""
        for records in everything:
            for doc in records.backwards():
                if model_of(self._call, records.kind, doc) is not None and self._person.is_about(records.kind, doc):
                    yield doc["id"]

    # -- records -------------------------------------------------------------------------------------------------------

    def _leave(self, kind: str, doc: Document) -> None:
        """Remove a contact or a lead, to which nothing refers any more, and count its account anew."""
        self._call.collection(kind).remove(doc["id"])
        refresh_figures(self._call, doc.get("account_id"))
        self.erased[kind] += 1

    def _erase(self, records: Collection, doc: Document) -> None:
        kind = records.kind
        if kind == audit.KIND:
            self._digest(records, doc)
        elif kind == change_log.KIND:
            self._forget_change(records, doc)
        elif kind in ERASED_KINDS and kind != FILE and self._person.is_about(kind, doc):
            records.remove(doc["id"])
            self.erased[kind] += 1
        elif kind in _GONE or model_of(self._call, kind, doc) is None:
            self._clean_inner(records, doc)
        else:
            self._anonymize(records, doc)

    def _clean_inner(self, records: Collection, doc: Document) -> None:
        """Take the person out of what no call answers as a record of its own."""
        id_parts = str(doc["id"]).split(":")
        gone = records.kind in _GONE and self._inner.found_in(dict(doc))
        if gone or any(part in self._words.ids for part in id_parts) or self._is_history(records.kind, doc):
            records.remove(doc["id"])
            return
        clean = {**self._inner.emptied_members(doc), "id": doc["id"]}
        if clean != doc:
            records.put(clean)

    def _is_history(self, kind: str, doc: Document) -> bool:
        """Return whether an inner record is a part of the person's own: its scores, its places in lists."""
        return kind not in ("event", "webhook_delivery", "job") and any(
            doc.get(name) in self._words.ids for name in ("contact_id", "lead_id", "local_id", "record_id", "entity_id")
        )

    def _anonymize(self, records: Collection, doc: Document) -> None:
        call, kind = self._call, records.kind
        changes: dict[str, Any] = {}
        model = model_of(call, kind, doc)
        is_about = self._person.is_about(kind, doc) or self._tells_of(doc)
        if model is not None and (is_about or (kind == "deal" and doc.get("contact_id") in self._words.ids)):
            changes |= emptied_members(model, doc)
        for name, value in doc.items():
            if name in ("id", "checksum") or name in changes:
                continue
            clean = self._words.without_person(value)
            if kind == "file" and name == "url":
                continue
            if clean != value:
                changes[name] = _like(value, clean)
        if kind == "record":
            changes |= self._own_fields(doc, changes)
        changes |= self._own_members(doc, changes) if is_about else {}
        if kind == "deal" and doc.get("contact_name") and self._names_left(doc):
            changes["contact_name"] = None
        if not changes:
            return
        if "version" in doc:
            call.update(kind, doc, changes)
        else:
            records.put(doc | changes)
        self.anonymized[entity_name(kind, doc)] += 1

    def _tells_of(self, doc: Document) -> bool:
        """Return whether a record is about a record that is about the person, such as a notification of a note."""
        about = doc.get("entity")
        return is_object(about) and about.get("id") in self._inner.ids

    def _names_left(self, doc: Document) -> bool:
        """Return whether a deal keeps the name of the person, whose contact it had."""
        return any(one["name"] == doc["contact_name"] for kind, one in self._person.identities if kind in PEOPLE)

    def _own_fields(self, doc: Document, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a custom object's record without those that are personal, where it has the person."""
        if not any(value in self._words.ids for value in _flat(doc.get("fields") or {})):
            return {}
        personal = {
            one["api_name"] for one in self._call.collection("field").find("object_id", doc["object_id"])
            if one.get("personal")
        }  # fmt: skip
        fields: Mapping[str, Any] = changes.get("fields", doc.get("fields")) or {}
        return {"fields": {name: None if name in personal else value for name, value in fields.items()}}

    def _own_members(self, doc: Document, changes: Mapping[str, Any]) -> dict[str, Any]:
        personal = {one["api_name"] for one in self._call.collection("field").all() if one.get("personal")}
        own: Mapping[str, Any] = changes.get("custom_fields", doc.get("custom_fields")) or {}
        left = {name: value for name, value in own.items() if name not in personal}
        return {"custom_fields": left} if len(left) < len(own) else {}

    # -- history -------------------------------------------------------------------------------------------------------

    def _digest(self, trail: Collection, entry: Document) -> None:
        if entry.get("salt") is None or entry["action"] == audit.PURGED:
            return
        if entry["entity"]["id"] in self._inner.ids or self._inner.found_in(_entry_words(entry)):
            trail.put(audit.without_values(entry))
            self.anonymized["audit"] += 1

    def _forget_change(self, records: Collection, entry: Document) -> None:
        """Take the values out of an entry of the log of changes; who saw the record stays known."""
        if entry["record_id"] in self._words.ids:
            records.put(entry | {"values": [], "merged_into": None, **_emptied_sides(entry)})
        elif entry["record_id"] in self._inner.ids or self._words.found_in(
            [entry["values"], entry["before"], entry["after"]]
        ):
            values = [{**one, "before": None, "after": None} for one in entry["values"]]
            sides = {side: self._seen_now(entry, entry[side]) for side in ("before", "after")}
            records.put(entry | {"values": values, **sides})
        elif entry["merged_into"] in self._words.ids:
            records.put(entry | {"merged_into": None})

    def _seen_now(self, entry: Document, doc: Mapping[str, Any] | None) -> dict[str, Any] | None:
        if doc is None:
            return None
        about = entry["record_id"] in self._inner.ids
        return change_log.bare_of(doc) if about else self._words.emptied_members(doc)

    # -- files ---------------------------------------------------------------------------------------------------------

    def _erase_files(self) -> None:
        """Delete the person's own files and those that jobs have made of it; take it out of the contents of others."""
        call = self._call
        files, made, backups = call.collection(FILE), set(self._made_by_jobs()), set(self._files_of(_BACKUP))
        pictures = " ".join(str(doc.get("avatar") or "") for _, doc in self._person.identities)
        for file in list(files.backwards()):
            own = self._person.is_about(FILE, file) or file["id"] in pictures
            if file["id"] in backups:
                continue
            if own or (file["id"] in made and self._is_in(file)):
                self._remove_file(file)
            elif not str(file.get("content_type")).startswith(_PICTURES):
                self._clean_content(file)

    def _made_by_jobs(self) -> Iterator[str]:
        for kind in ("job", "run"):
            yield from self._files_of(kind)

    def _files_of(self, kind: str) -> Iterator[str]:
        for doc in self._call.collection(kind).backwards():
            result: Mapping[str, Any] = doc.get("result") or {}
            for name in (doc.get("file_id"), result.get("file_id")):
                if name:
                    yield str(name)

    def _content(self, file: Mapping[str, Any]) -> bytes:
        try:
            return self._call.server.contents.read(file["checksum"])
        except FileNotFoundError:
            return b""

    def _is_in(self, file: Document) -> bool:
        return any(self._words.found_in_content(self._content(one)) for one in (file, *self._versions(file)))

    def _versions(self, file: Document) -> list[Document]:
        return self._call.collection(VERSION).find("file_id", file["id"])

    def _remove_file(self, file: Document) -> None:
        for version in self._versions(file):
            self._call.collection(VERSION).remove(version["id"])
        self._call.collection(FILE).remove(file["id"])
        self._call.server.contents.doubtful = True
        self.erased[FILE] += 1

    def _clean_content(self, file: Document) -> None:
        moved = False
        for kind, one in ((VERSION, version) for version in self._versions(file)):
            moved |= self._put_content(kind, one)
        if self._put_content(FILE, file) or moved:
            self.anonymized[FILE] += 1

    def _put_content(self, kind: str, one: Document) -> bool:
        content = self._content(one)
        if not self._words.found_in_content(content):
            return False
        clean = self._words.without_in_content(content)
        contents = self._call.server.contents
        changes = {"checksum": contents.keep_bytes(clean), "size": len(clean)}
        if kind == FILE:
            self._call.update(kind, one, changes)
        else:
            self._call.collection(kind).put(one | changes)
        contents.doubtful = True
        return True

    # -- what is in memory ---------------------------------------------------------------------------------------------

    def _forget_in_memory(self) -> None:
        server, words = self._call.server, self._words
        server.journal.replace_texts(words.without)
        kept = [
            replace(message, title=words.without(message.title), text=words.without(message.text),
                    html=words.without(message.html) if message.html is not None else None)
            for message in server.outbox.messages
            if message.recipient.lower() not in words.addresses
        ]  # fmt: skip
        server.outbox.messages[:] = kept
        server.forget_past()


def _flat(value: Any) -> Iterator[Any]:
    if is_object(value):
        for one in value.values():
            yield from _flat(one)
    elif is_array(value):
        for one in value:
            yield from _flat(one)
    else:
        yield value


def _like(before: Any, after: Any) -> Any:
    """Return a value without the person in the form that it had: None for a text that was nothing else."""
    return None if isinstance(before, str) and after == "[erased]" and "@" in before else after


def _entry_words(entry: Document) -> list[Any]:
    return [
        entry["changes"], entry.get("initial"), entry["reason"], entry["metadata"], entry["entity"],
        entry["actor"]["email"],
    ]  # fmt: skip


def _emptied_sides(entry: Document) -> dict[str, Any]:
    """Return the two sides of a change of the person's record: nothing but who saw it."""
    names = ("id", "owner_id", "object_id", "kind")
    return {
        side: {name: entry[side][name] for name in names if name in entry[side]} if entry[side] is not None else None
        for side in ("before", "after")
    }
