"""How an archive differs from the present records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...archives.archive import Archive, parts_of
from ...archives.lines import write_line
from ...data.document import Document
from ...serving import Context
from .placing import Placing

_SAMPLE = 20
_STAMPS = ("version", "updated_at")


def content_of(doc: Mapping[str, Any]) -> bytes:
    """Return what a record says, without the stamps of its last write: records with the same content are equal."""
    return write_line({name: value for name, value in doc.items() if name not in _STAMPS})


def differences(call: Context, archive: Archive) -> list[dict[str, Any]]:
    """Return how the live records of an archive differ from the present ones, by entity."""
    placing, collections = Placing(call, call.collection, archive), call.collection
    then = _by_name((part.name, [placing.with_owner(part.kind, doc) for doc in part.docs]) for part in archive.parts)
    now = _by_name((part.name, part.docs) for part in parts_of(collections, archive.scope)[0])
    found: list[dict[str, Any]] = []
    for name in dict.fromkeys((*then, *now)):
        old, new = then.get(name, {}), now.get(name, {})
        gone, added = [id for id in old if id not in new], [id for id in new if id not in old]
        changed = [id for id in old if id in new and content_of(old[id]) != content_of(new[id])]
        if gone or added or changed:
            found.append({
                "entity": name, "only_in_backup": len(gone), "only_now": len(added), "different": len(changed),
                "sample_ids": [*changed, *gone, *added][:_SAMPLE],
            })  # fmt: skip
    return found


def _by_name(parts: Iterable[tuple[str, Iterable[Document]]]) -> dict[str, dict[str, Document]]:
    found: dict[str, dict[str, Document]] = {}
    for name, docs in parts:
        found.setdefault(name, {}).update((doc["id"], doc) for doc in docs)
    return found
