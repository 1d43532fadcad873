"""The files and comments that belong to records of any kind."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial

from ..data.document import Document
from ..files.storing import content_of
from ..outside.outbox import OutgoingFile
from ..serving import Context

_HELD: dict[str, str] = {"file": "related_to", "comment": "entity"}
"""The kinds of records that belong to another one, each with the member that refers to it."""


def hand_over(call: Context, type: str, ids: Collection[str], survivor: Document) -> dict[str, int]:
    """Move the files and comments of merged records to the survivor; return how many moved, by the names of counts."""
    moved: dict[str, int] = {}
    for kind, member in _HELD.items():
        records = call.collection(kind)
        held = [doc for doc in records.all() if (to := doc.get(member)) and to["type"] == type and to["id"] in ids]
        for doc in held:
            about = {**doc[member], "id": survivor["id"], "name": survivor["name"]}
            known = {"entity_id": survivor["id"]} if "entity_id" in doc else {}
            records.put(doc | {member: about, **known})
        moved[f"{kind}s"] = len(held)
    return moved


def outgoing(call: Context, ids: Iterable[str]) -> tuple[OutgoingFile, ...]:
    """Return the files of an e-mail that are there, as it takes them along."""
    files = (call.find_one("file", id) for id in ids)
    return tuple(
        OutgoingFile(file["name"], file["content_type"] or "application/octet-stream", partial(content_of, call, file))
        for file in files
        if file is not None
    )
