"""The rules that read the records of any entity: the scan, and many records by their keys."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from crm_sdk.resources.objects import Objects
from crm_sdk.wire import snake

from ...bulk import carry_out, check_size
from ...data.document import Document
from ...history.change_log import KIND
from ...nouns.entities import Entity
from ...problems import FieldError, invalid, missing, validation
from ...request.reading.intake import UnreadableItem
from ...serving import Context, serves
from ..changes.positions import latest, number_at, position
from .keys import check_key, matching
from .showing import entity_ref, shown_as


@serves(Objects.scan)
def scan(
    call: Context,
    entity: str,
    after: str | None,
    updated_since: datetime | None,
    owner_id: str | None,
    fields: Sequence[str] | None,
    include_deleted: bool,
    limit: int,
) -> dict[str, Any]:
    """Return the records after an id, ascending."""
    found = call.server.entities.named(call, entity, capability="scan")
    last_id, cursor = _place(call, found, after)
    show = shown_as(call, found, fields)

    def matches(doc: Document) -> bool:
        return (
            found.has(doc)
            and (updated_since is None or (doc.get("updated_at") or doc["created_at"]) >= updated_since)
            and owner_id in (None, doc.get("owner_id"))
            and found.sees(call, doc)
        )

    docs = {doc["id"]: doc for doc in call.collection(found.collection).all() if matches(doc)}
    ids = sorted(docs)
    begin = bisect_right(ids, last_id)
    page = ids[begin : begin + limit]
    at_end = begin + limit >= len(ids)
    upper = None if at_end else page[-1]
    graves = _graves(call, found, last_id, upper, updated_since, owner_id) if include_deleted else ()
    return {
        "items": [show(docs[id]) for id in page],
        "deleted": list(graves),
        "next": None if at_end else f"{cursor}~{page[-1]}",
        "cursor": cursor,
        "total": len(ids),
    }


def _place(call: Context, entity: Entity, after: str | None) -> tuple[str, str]:
    """Return the id that a part begins after, and the position of the feed when the scan began."""
    if after is None:
        return "", position(call, latest(call))
    cursor, mark, id = after.rpartition("~")
    foreign = id.startswith(call.server.entities.prefixes) or "_" not in id
    if foreign and not id.startswith(entity.prefixes):
        raise invalid("after", "format", f"{id!r} is no id of a record of the type {entity.name}")
    if mark:
        number_at(call, cursor)  # what it was begun with must still lead on, or the copy would not be complete
    return id, cursor if mark else position(call, latest(call))


def _graves(
    call: Context, entity: Entity, after: str, upper: str | None, since: datetime | None, owner_id: str | None
) -> Iterator[dict[str, Any]]:
    """Yield what is left of the records that are gone, whose ids lie between two."""
    for doc in call.collection(entity.collection).backwards():
        gone: datetime | None = doc.get("deleted_at")
        if gone is not None and _lies(doc["id"], after, upper) and entity.has(doc) and entity.sees(call, doc):
            merged = doc.get("merged_into")
            if (since is None or gone >= since) and owner_id in (None, doc.get("owner_id")):
                change = "merged" if merged else "deleted"
                ref = entity_ref(entity, doc)
                yield {"entity": ref, "change": change, "deleted_at": gone, "merged_into": merged}
    for entry in call.collection(KIND):
        if entry["change"] in ("purged", "erased") and entry["type"] == entity.name:
            seen = entry["before"] is not None and entity.sees(call, entry["before"])
            if seen and _lies(entry["record_id"], after, upper) and (since is None or entry["at"] >= since):
                ref = {"type": entity.name, "id": entry["record_id"], "name": None}
                yield {"entity": ref, "change": entry["change"], "deleted_at": entry["at"], "merged_into": None}


def _lies(id: str, after: str, upper: str | None) -> bool:
    return id > after and (upper is None or id <= upper)


@serves(Objects.batch_get)
def batch_get(
    call: Context,
    entity: str,
    keys: Sequence[str | UnreadableItem],
    match_on: str,
    fields: Sequence[str] | None,
    include: Sequence[str] | None,
) -> dict[str, Any]:
    """Return many records by their keys, in the order asked."""
    found = call.server.entities.named(call, entity, capability="scan")
    some(keys, "keys")
    unread = [place for place, key in enumerate(keys) if isinstance(key, UnreadableItem)]
    if unread:
        raise validation(FieldError(f"keys[{place}]", "type", "must be a text") for place in unread)
    name = check_key(call, found, match_on)
    show = shown_as(call, found, [*fields, *(include or ())] if fields else None, whole=bool(include))
    _check_include(found, include)

    def get(key: str) -> Any:
        doc = call.find_one(found.collection, key) if name == "id" else matching(call, found, name, key)
        if doc is None or not found.has(doc) or not found.sees(call, doc):
            raise missing(found.name, key)
        ids[key] = doc["id"]
        return show(doc)

    ids: dict[str, str] = {}
    result = carry_out(call, keys, get, field="keys", id_of=str)
    if name != "id":
        items = [item | {"id": ids.get(str(item["key"]))} for item in result["items"]]
        result = result | {"items": items}
    return result


def _check_include(entity: Entity, names: Sequence[str] | None) -> None:
    for place, name in enumerate(names or ()):
        if snake(name) not in entity.members:
            raise invalid(f"include.{place}", "choice", f"there is no {name!r} to include")


def some(items: Sequence[object], field: str) -> None:
    """Raise 422 for no items, and for too many."""
    if not items:
        raise invalid(field, "min", "needs at least one")
    check_size(items, field)
