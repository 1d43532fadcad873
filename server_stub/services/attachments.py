"""The files and comments that belong to records of any kind."""

from __future__ import annotations

from collections.abc import Collection

from ..data.document import Document
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
