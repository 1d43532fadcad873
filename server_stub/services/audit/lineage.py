"""Lineage: where a record came from, and what became of it, by the entries of the audit trail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from crm_sdk.resources.audit import Audit

from ...data.document import Document
from ...problems import missing
from ...serving import Context, serves
from .logs import readable

_MOST = 500
"""So many records are in a lineage."""
_BACKWARDS = frozenset({"imported_from", "synced_from", "cloned_from", "created_by", "enriched_by"})
"""The relations whose target is what the source came from."""
_LEAVES = frozenset({"user", "api_key", "app", "system"})
"""What makes so many records that it is not followed further."""
_CONVERTED = {"converted_contact_id": "contact", "converted_account_id": "account", "converted_deal_id": "deal"}
_ACTORS = {"user": "user", "api_key": "api_key", "app": "app"}
_PARTS = ("contact", "lead", "deal", "account")

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Edge:
    source: Key
    target: Key
    relation: str
    entry: Document = field(compare=False)

    @property
    def origin(self) -> Key:
        """What the other end came from."""
        return self.target if self.relation in _BACKWARDS else self.source


@serves(Audit.data_lineage)
def data_lineage(call: Context, entity_type: str, entity_id: str, direction: str, depth: int) -> dict[str, Any]:
    """Follow a record through the trail for so many steps."""
    root, entries = (entity_type, entity_id), [one for one in readable(call) if one["category"] != "access"]
    if _stored_record(call, root) is None and not any(_key(entry) == root for entry in entries):
        raise missing(entity_type, entity_id)
    edges = list(dict.fromkeys(edge for entry in entries for edge in _edges(call, entry)))
    around: dict[Key, list[_Edge]] = {}
    for edge in edges:
        for end in dict.fromkeys((edge.source, edge.target)):
            around.setdefault(end, []).append(edge)
    reached, found, level, truncated = {root: None}, dict[_Edge, None](), [root], False
    for step in range(depth + 1):
        further: list[Key] = []
        for key in level:
            for edge in around.get(key, ()) if key[0] not in _LEAVES or key == root else ():
                upstream = edge.origin != key
                if direction not in ("both", "upstream" if upstream else "downstream") or edge in found:
                    continue
                other = edge.target if edge.source == key else edge.source
                if other not in reached and (step == depth or len(reached) == _MOST):
                    truncated = True
                    continue
                found[edge] = None
                if other not in reached:
                    reached[other] = None
                    further.append(other)
        level = further
    firsts: dict[Key, Document] = {}
    for entry in entries:
        firsts.setdefault(_key(entry), entry)
    return {
        "root": _ref(call, root, firsts.get(root)),
        "nodes": [_node(call, key, firsts.get(key)) for key in reached],
        "edges": [
            {
                "source": _ref(call, edge.source, firsts.get(edge.source)),
                "target": _ref(call, edge.target, firsts.get(edge.target)),
                "relation": edge.relation,
                "occurred_at": edge.entry["occurred_at"],
                "audit_id": edge.entry["id"],
            }
            for edge in found
        ],
        "truncated": truncated,
    }


def _key(entry: Mapping[str, Any]) -> Key:
    return entry["entity"]["type"], entry["entity"]["id"]


def _edges(call: Context, entry: Document) -> Iterator[_Edge]:
    """Yield what an entry tells about where a record came from."""
    key, verb, said = _key(entry), entry["action"].partition(".")[2], entry["metadata"]
    job = ("job", entry["source"]["request_id"]) if str(entry["source"]["operation"]).startswith("job:") else None
    if verb == "converted":
        for member, kind in _CONVERTED.items():
            if said.get(member):
                yield _Edge(key, (kind, said[member]), "converted_to", entry)
    elif verb == "merged":
        for id in said.get("merged_ids") or ():
            yield _Edge((key[0], id), key, "merged_into", entry)
    elif verb == "enriched" and job is not None:
        yield _Edge(key, job, "enriched_by", entry)
    elif verb == "created":
        doc = _stored_record(call, key)
        if doc is not None and doc.get("cloned_from"):
            yield _Edge(key, (key[0], doc["cloned_from"]), "cloned_from", entry)
        if job is not None and "import" in entry["source"]["operation"]:
            yield _Edge(key, job, "imported_from", entry)
        if doc is not None and key[0] == "activity":
            for kind in _PARTS:
                if doc.get(f"{kind}_id"):
                    yield _Edge(key, (kind, doc[f"{kind}_id"]), "attached_to", entry)
        if entry["actor"]["type"] in _ACTORS:
            yield _Edge(key, (_ACTORS[entry["actor"]["type"]], entry["actor"]["id"]), "created_by", entry)


def _stored_record(call: Context, key: Key) -> Document | None:
    noun = call.server.nouns.get(key[0])
    return call.collection(noun.collection if noun is not None else key[0]).get(key[1], deleted=True)


def _ref(call: Context, key: Key, first: Document | None) -> dict[str, Any]:
    doc = _stored_record(call, key)
    name = (doc.get("name") or doc.get("title")) if doc is not None else first and first["entity"]["name"]
    return {"type": key[0], "id": key[1], "name": name}


def _node(call: Context, key: Key, first: Document | None) -> dict[str, Any]:
    doc = _stored_record(call, key)
    made = first if first is not None and first["action"].endswith((".created", ".logged", ".captured")) else None
    at = doc.get("created_at") if doc is not None else made and made["occurred_at"]
    return {
        "entity": _ref(call, key, first),
        "created_at": at,
        "origin": _origin(doc, made),
        "detail": made and made["source"]["operation"],
        "deleted": key[0] not in _LEAVES and (doc is None or doc.get("deleted_at") is not None),
    }


def _origin(doc: Document | None, made: Document | None) -> str:
    """Return how a record was made, by the call that made it; by its creator where the trail does not reach so far."""
    if made is None:
        return "manual" if doc is None or str(doc.get("created_by")).startswith("user_") else "api"
    operation = str(made["source"]["operation"])
    if made["source"].get("workflow_id"):
        return "workflow"
    words = {"convert": "conversion", "clone": "clone", "capture": "capture", "import": "import", "sync": "sync"}
    named = next((origin for word, origin in words.items() if word in operation), None)
    return named or ("api" if made["actor"]["type"] in ("api_key", "app") else "manual")
