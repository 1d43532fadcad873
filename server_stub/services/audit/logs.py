"""The rules of the entries of the audit trail: read, search, check, and write those of other systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from crm_sdk.resources.audit import AuditLogs
from crm_sdk.wire import camel, is_array, is_object

from ...answers import Answer
from ...data.document import Document
from ...data.queries.filter_groups import FieldType, search
from ...data.queries.query import in_order, key_of, member, sort_field
from ...history import audit
from ...problems import invalid, missing
from ...request.answering.faces import wire_details, wire_path
from ...serving import Context, Members, serves
from .. import company

_TEXTS = (
    "id", "action", "category", "reason", "severity", "hash", "previous_hash", "entity.type", "entity.id",
    "entity.name", "actor.type", "actor.id", "actor.name", "actor.email", "actor.session_id", "actor.ip_address",
    "actor.user_agent", "actor.impersonated_by", "source.dialect", "source.method", "source.path", "source.operation",
    "source.request_id",
)  # fmt: skip
FIELDS: Mapping[str, FieldType] = {
    **dict.fromkeys(_TEXTS, "text"),
    **dict.fromkeys(("sequence", "source.status"), "number"),
    "occurred_at": "date",
    **dict.fromkeys(("changes.field", "changes.before", "changes.after", "metadata.*"), "any"),
}
"""The fields of entries for search conditions, with their types."""
_SEARCHED = ("action", "reason", "entity.name", "actor.name", "actor.email")
_SORTS = ("sequence", "occurred_at", "id")


def readable(call: Context) -> list[Document]:
    """Return the entries that the caller may read, in their order: only admins read those of signing in."""
    entries = call.collection(audit.KIND).all()
    return entries if "admin" in call.caller.roles else [entry for entry in entries if entry["category"] != "auth"]


@serves(AuditLogs.create)
def create(call: Context, log: Members) -> Document:
    """Write an entry of another system."""
    entity = log["entity"]
    return shown_entry(
        audit.write(
            call, log["action"], entity["type"], _record(call, entity),
            reason=log.get("reason") or call.reason, severity=log.get("severity") or "info",
            metadata=log.get("metadata") or {},
            changes=[{"before": None, "after": None, **change} for change in log.get("changes") or ()],
        )
    )  # fmt: skip


def _record(call: Context, entity: Members) -> Document | Members:
    kind: str = entity["type"]
    if kind in {found["api_name"] for found in call.collection("custom_object")}:
        kind = "record"
    return call.reference(kind, entity["id"], "entity.id") or entity


@serves(AuditLogs.get)
def get(call: Context, log_id: str) -> Document:
    """Return one entry."""
    entry = call.collection(audit.KIND).get(log_id)
    if entry is None or (entry["category"] == "auth" and "admin" not in call.caller.roles):
        raise missing("audit", log_id)
    return shown_entry(entry)


@serves(AuditLogs.list)
def find(
    call: Context,
    *,
    action: str | None,
    category: str | None,
    entity_type: str | None,
    entity_id: str | None,
    actor_id: str | None,
    severity: str | None,
    source: str | None,
    since: datetime | None,
    until: datetime | None,
    request_id: str | None,
    verify: bool,
    sort: str | None,
    order: str | None,
) -> Answer:
    """Return the entries that match, by their numbers; with `verify` also whether the trail is intact."""
    wanted = {
        name: value
        for name, value in {
            "action": action, "category": category, "severity": severity, "entity.type": entity_type,
            "entity.id": entity_id, "actor.id": actor_id, "source.dialect": source, "source.request_id": request_id,
        }.items()
        if value is not None
    }  # fmt: skip
    entries = [
        entry
        for entry in readable(call)
        if (since is None or entry["occurred_at"] >= since)
        and (until is None or entry["occurred_at"] < until)
        and all(member(entry, name) == value for name, value in wanted.items())
    ]
    field, descending = sort_field("sequence" if sort is None else sort, order, _SORTS, always=())
    entries = in_order(entries, key_of(field), descending=descending)
    meta = {"chain_valid": audit.is_intact(call.collection(audit.KIND))} if verify else {}
    return Answer(list(map(shown_entry, entries)), meta=meta)


@serves(AuditLogs.search)
def seek(call: Context, query: Members) -> Sequence[Document]:
    """Return the entries that match words and conditions."""
    if query.get("include"):
        raise invalid("include.0", "choice", "an entry has nothing to include")
    given = {name: value for name, value in query.items() if value is not None}
    return search(
        [shown_entry(entry) for entry in readable(call)], {"sort": "sequence", **given}, FIELDS,
        text=_SEARCHED, now=call.now, zone=company.zone(call),
    )  # fmt: skip


def shown_entry(entry: Document) -> Document:
    """Return an entry as it is answered: the names in what the server itself wrote are those of the wire."""
    if entry["category"] == "custom":
        return entry
    return entry | {"metadata": wire_details(entry["metadata"]), "changes": shown_changes(audit.changes_of(entry))}


def shown_changes(changes: Sequence[Members]) -> list[dict[str, Any]]:
    """Return the changes of a write with the names of the wire."""
    return [
        {"field": wire_path(change["field"]), **{name: _wire(change, name) for name in ("before", "after")}}
        for change in changes
    ]


def _wire(change: Members, name: str) -> Any:
    """Return a value of a change with wire names, but for the names that a company or a caller has given."""
    value = change.get(name)
    free = change["field"].partition(".")[0] in ("custom_fields", "fields", "metadata", "config", "configuration")
    return value if free else wire_details({name: value})[name] if is_array(value) else _object(value)


def _object(value: Any) -> Any:
    return {camel(name): item for name, item in value.items()} if is_object(value) else value
