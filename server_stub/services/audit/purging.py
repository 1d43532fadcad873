"""What a purge takes away: the records of a type that are old enough, but for those on legal hold."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

from crm_sdk.models.conversations import Conversation
from crm_sdk.models.messages import Message
from crm_sdk.models.record import Model
from crm_sdk.models.values import EntityType
from crm_sdk.wire import encode_json

from ...data.collection import Collection
from ...data.document import Document
from ...data.personal import emptied_members
from ...data.queries.field_types import custom_types, fields_of
from ...data.queries.filter_groups import FieldType, compile_filters
from ...files.storing import store_bytes
from ...history import audit
from ...jobs import ENDED
from ...problems import invalid
from ...serving import Context
from .. import company

AUDIT_LOG, DELETED = "audit_log", "deleted_records"
_SAMPLE = 20
_PRIVACY = timedelta(days=1_095)
"""How long the jobs of the register of privacy requests are kept, whatever the policy."""
_FIELDS: Mapping[str, FieldType] = {
    **dict.fromkeys(("id", "kind", "type", "status", "created_by", "owner_id", "user_id"), "text"),
    **dict.fromkeys(("created_at", "updated_at"), "date"),
}
"""The fields for conditions on records whose type has no model among the nouns."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The records that a purge is about."""

    entity_type: str
    action: str
    cutoff: datetime
    free: Sequence[tuple[Collection, Document]]
    held: Sequence[Document]


def check_type(call: Context, kind: str, at: str) -> None:
    """Raise 422 for a type of records that there is not."""
    known = {AUDIT_LOG, DELETED, *_ENTITY_TYPES, *call.server.nouns}
    if kind not in known and not any(one["api_name"] == kind for one in call.collection("custom_object")):
        raise invalid(at, "choice", f"there are no records of the type {kind!r}")


def conditions(call: Context, kind: str, groups: Sequence[Mapping[str, Any]]) -> Callable[[Document], bool]:
    """Return the test for the conditions of a policy. Raises: 422 UNKNOWN_FIELD, INVALID_OPERATOR, FILTER_TOO_LARGE."""
    noun = call.server.nouns.get(kind)
    fields = dict(_FIELDS)
    if noun is not None:
        fields |= {path: field.type for path, field in fields_of(noun.model).items()}
    fields |= custom_types(call.collection("field"), kind)
    return compile_filters(groups, fields, now=call.now, zone=company.zone(call))


def plan(
    call: Context, kind: str, policies: Sequence[Document], by_policy: bool, before: datetime | None = None
) -> Plan:
    """Return what a purge of a type is about: by the age and the conditions of its policy, or before a time."""
    policy = next((one for one in policies if one["entity_type"] == kind), Document())
    usual = {DELETED: "deleted_at", AUDIT_LOG: "created_at"}.get(kind, "updated_at")
    basis = policy.get("basis", usual) if kind not in (DELETED, AUDIT_LOG) else usual
    if before is None:
        before = call.now - timedelta(days=policy["retain_days"])
    fits = conditions(call, kind, policy["filter_groups"] if by_policy else ())
    on_hold = holds(call, policies)
    free: list[tuple[Collection, Document]] = []
    held: list[Document] = []
    for records, doc in _records(call, kind):
        at = _time(doc, kind, basis)
        if at is None or at >= before or not fits(doc) or not _is_done(call, kind, doc):
            continue
        kinds = (kind, records.kind, str(doc.get("object")))
        if on_hold(kinds, doc):
            held.append(doc)
        else:
            free.append((records, doc))
    if kind == AUDIT_LOG and held:  # a trail has no gaps: what follows a held entry stays
        free = []
    return Plan(kind, policy.get("action", "delete") if by_policy else "delete", before, free, held)


def holds(call: Context, policies: Sequence[Document]) -> Callable[[Sequence[str], Document], bool]:
    """Return the test whether a record, which is of some kinds, is on legal hold."""
    found = {
        one["entity_type"]: conditions(call, one["entity_type"], one["filter_groups"])
        for one in policies
        if one["legal_hold"]
    }
    return lambda kinds, doc: any(name in found and found[name](doc) for name in kinds)


def _records(call: Context, kind: str) -> Iterator[tuple[Collection, Document]]:
    if kind == DELETED:
        for records in call.server.store.of_company(call.caller.tenant_id):
            for doc in reversed(list(records.backwards())):
                if doc.get("deleted_at") is not None and not doc.get("merged_into"):  # a merged id leads on for ever
                    yield records, doc
        return
    objects = [one["id"] for one in call.collection("custom_object") if one["api_name"] == kind]
    noun = call.server.nouns.get(kind)
    name = audit.KIND if kind == AUDIT_LOG else "record" if objects else noun.collection if noun is not None else kind
    records = call.collection(name)
    for doc in records.all():
        if (not objects or doc["object_id"] in objects) and (name == kind or objects or doc.get("kind", kind) == kind):
            yield records, doc


def _time(doc: Document, kind: str, basis: str) -> datetime | None:
    if kind == AUDIT_LOG:
        return _instant(doc["occurred_at"])
    if kind == "session":  # it is used without being changed
        return _instant(doc.get("last_seen_at") or doc.get("created_at"))
    return _instant(doc.get(basis) or (doc.get("created_at") if basis == "updated_at" else None))


def _instant(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None


def _is_done(call: Context, kind: str, doc: Document) -> bool:
    """Return whether nothing needs the record any more: a job that runs, or is in the register of privacy requests."""
    if kind != "job":
        return True
    young = str(doc["kind"]).startswith("privacy_") and doc["updated_at"] > call.now - _PRIVACY
    return doc["status"] in ENDED and not young


def result_of(found: Plan, *, dry_run: bool, audit_id: str | None = None) -> dict[str, Any]:
    """Return the result of a purge, or of a dry run."""
    done = 0 if dry_run else len(found.free)
    ids = [doc["id"] for _, doc in found.free] + [doc["id"] for doc in found.held]
    return {
        "entity_type": found.entity_type,
        "cutoff": found.cutoff,
        "matched": len(ids),
        "purged": done if found.action == "delete" else 0,
        "anonymized": done if found.action == "anonymize" else 0,
        "archived": done if found.action == "archive" else 0,
        "held": len(found.held),
        "dry_run": dry_run,
        "sample_ids": ids[:_SAMPLE],
        "audit_id": audit_id,
    }


def carry_out(call: Context, found: Plan) -> dict[str, Any]:
    """Purge, anonymize or archive the records of a plan, which leaves one entry in the trail."""
    if found.action == "anonymize":
        found = _not_yet_anonymous(call, found)
    if not found.free:
        return result_of(found, dry_run=False)
    ids = [doc["id"] for _, doc in found.free]
    said = {
        "entity_type": found.entity_type,
        "action": found.action,
        "cutoff": found.cutoff,
        "count": len(ids),
        "held": len(found.held),
        "id_hashes": [_hash_of(call, id) for id in ids],
    }
    if found.entity_type == AUDIT_LOG:
        written = audit.remove_oldest(call, ids, said)
        return result_of(found, dry_run=False, audit_id=written["id"])
    if found.action == "archive":
        said["file_id"] = _archive(call, found)
    for records, doc in found.free:
        if found.action == "anonymize":
            call.update(records.kind, doc, _anonymous(call, found.entity_type, doc))
        else:
            records.remove(doc["id"])
    written = call.emit(audit.PURGED, "tenant", call.tenant, metadata=said)
    return result_of(found, dry_run=False, audit_id=written["id"])


def _hash_of(call: Context, id: str) -> str:
    return hashlib.sha256(f"{call.caller.tenant_id} {id}".encode()).hexdigest()


def _archive(call: Context, found: Plan) -> str:
    content = b"".join(encode_json(dict(doc)) + b"\n" for _, doc in found.free)
    name = f"archive-{found.entity_type}-{call.now:%Y-%m-%d}.jsonl"
    return str(store_bytes(call, name, content)["id"])


def _not_yet_anonymous(call: Context, found: Plan) -> Plan:
    free = [(records, doc) for records, doc in found.free if _anonymous(call, found.entity_type, doc)]
    return Plan(found.entity_type, found.action, found.cutoff, free, found.held)


def _anonymous(call: Context, kind: str, doc: Document) -> dict[str, Any]:
    """Return the members of a record that it loses, with what it has in their place."""
    noun = call.server.nouns.get(str(doc["kind"]) if kind == "activity" else kind)
    model = noun.model if noun is not None else _MODELS.get(kind)
    return emptied_members(model, doc) if model is not None else {}


_MODELS: Mapping[str, type[Model]] = {"message": Message, "conversation": Conversation}
"""The models of records that are no noun's."""
_ENTITY_TYPES = frozenset[str](get_args(get_args(get_args(EntityType)[0])[0]))
