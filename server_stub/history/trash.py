"""What a delete took or changed elsewhere, so that a restore can give it back where nobody has changed it since."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..data.document import Document
from ..problems import Problem

if TYPE_CHECKING:
    from ..data.store import Entry
    from ..serving import Context

KIND = "trash"
"""The collection of the notes; the id of one is that of the deleted record."""
_LEFT = frozenset({"webhook", "notification", "execution", "installation", "app"})
"""The nouns of which a delete leaves what it did: they tell of it, or end with it."""
_STAMPS = ("updated_at", "version", "deleted_at")


@contextmanager
def taking_note(call: Context, id: str) -> Generator[None]:
    """Note what the block, which deletes a record, does to other records."""
    store = call.server.store
    with store.transaction():
        begin = len(store.log or ())
        yield
        touched = list(_touched_records(call, (store.log or [])[begin:], id))
    note = {"id": id, "deleted_by": call.caller.actor_id, "touched": touched}
    call.collection(KIND).put(Document(note))


def _touched_records(call: Context, log: Sequence[Entry], own: str) -> Iterator[dict[str, Any]]:
    kinds = {noun.collection for noun in call.server.nouns.values()} - _LEFT
    first: dict[tuple[str, str], Document] = {}
    for collection, id, previous, _ in log:
        if collection is not None and collection.kind in kinds and id != own and previous is not None:
            first.setdefault((collection.kind, id), previous)
    for (kind, id), before in first.items():
        after = call.collection(kind).get(id, deleted=True)
        if after is None:
            continue
        members = {
            name: (before.get(name), after.get(name))
            for name in dict.fromkeys((*before, *after))
            if name not in _STAMPS and before.get(name) != after.get(name)
        }
        deleted = before.get("deleted_at") is None and after.get("deleted_at") is not None
        if members or deleted:
            told = before.get("version") != after.get("version")
            yield {"kind": kind, "id": id, "members": members, "deleted": deleted, "told": told}


def give_back(call: Context, id: str) -> list[tuple[str, Document, Document]]:
    """Undo what the delete of a record did to others, member by member where they are as it left them.

    What the rules of its kind refuse meanwhile stays deleted. Return the kind of each record that was written so that
    it was told of, with it as it was and is.
    """
    note = call.collection(KIND).get(id)
    written: list[tuple[str, Document, Document]] = []
    for one in note["touched"] if note is not None else ():
        records = call.collection(one["kind"])
        now = records.get(one["id"], deleted=True)
        if now is None or now.get("merged_into"):
            continue
        members: Mapping[str, Any] = {
            name: before for name, (before, after) in one["members"].items() if now.get(name) == after
        }
        if one["deleted"]:
            if now.get("deleted_at") is None or not _may_return(call, one["kind"], now):
                continue
            members = {**members, "deleted_at": None}
        elif now.get("deleted_at") is not None or not members:
            continue
        if one["told"] or one["deleted"]:
            written.append((one["kind"], now, call.update(one["kind"], now, members)))
        else:
            records.put(now | members)
    return written


def _may_return(call: Context, kind: str, doc: Document) -> bool:
    """Return whether a record that was deleted with another may come back with it."""
    noun = call.server.nouns.get(kind)
    try:
        if noun is not None and noun.may_return is not None:
            noun.may_return(call, doc)
    except Problem:
        return False
    return True
