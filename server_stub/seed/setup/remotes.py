"""What the other systems of a demo company hold, and two integrations with them that have a history.

HubSpot, Salesforce, Pipedrive, Google and Microsoft have twenty records each. Acme used Salesforce before: twelve of
its contacts are still kept there, and were compared every day for a while, later by hand. Its reseller works with
Pipedrive: they share four accounts and the deals with them; once the connection was lost half-way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from crm_sdk.models.integration_mappings import FieldMapping
from crm_sdk.models.integrations import Integration
from crm_sdk.models.sync_runs import SyncRun

from ...data.blanks import blank
from ...data.document import Document
from ...data.store import Store
from ...outside.remotes import FIELDS, FIXED, RECORDS
from .company import ACME, Plan

PROVIDERS = ("hubspot", "salesforce", "pipedrive", "google", "microsoft")
"""The systems that hold records; all others are empty."""
_COMPANIES = ("Northwind Labs", "Contoso Freight", "Fabrikam Foods", "Tailspin Toys")
_PEOPLE = (
    "Ines Duarte", "Jonas Weber", "Mara Kowalska", "Theo Lindgren", "Aiko Tanaka", "Lucía Prieto", "Olu Adeyemi",
    "Nadia Haddad", "Pavel Novák", "Greta Holm", "Samir Patel", "Clara Rossi",
)  # fmt: skip
_TITLES = ("Head of Purchasing", "CTO", "Operations Manager", "Controller")
_STAGES = ("qualified", "proposal", "negotiation", "prospect")

_Mapping = tuple[str, str, str, Mapping[str, Any]]
_MAPPINGS: Mapping[str, Sequence[_Mapping]] = {
    "salesforce": (
        ("contact", "name", "name", {}),
        ("contact", "email", "email", {"transform": "lower", "required": True}),
        ("contact", "title", "title", {}),
        ("contact", "company", "company", {"conflict_resolution": "local_wins"}),
    ),
    "pipedrive": (
        ("account", "name", "name", {}),
        ("account", "phone", "phone", {"conflict_resolution": "remote_wins"}),
        ("deal", "name", "title", {"direction": "inbound", "required": True}),
        ("deal", "amount", "value", {"direction": "inbound"}),
    ),
}
"""Of each integration: kind, field there, member here, and what else is said of the mapping."""
_NAMES: Mapping[str, tuple[str, str, str]] = {
    "salesforce": ("Salesforce (former CRM)", "inbound", "oauth2"),
    "pipedrive": ("Pipedrive (reseller)", "inbound", "api_key"),
}
"""Name, direction, way of signing in."""
_Run = tuple[int, str, str, str, Mapping[str, int], str | None]
_RUNS: Mapping[str, Sequence[_Run]] = {
    "salesforce": (
        (62, "scheduled", "full", "succeeded", {"total": 12, "updated": 9, "skipped": 3}, None),
        (61, "scheduled", "incremental", "succeeded", {"total": 2, "updated": 2}, None),
        (60, "scheduled", "incremental", "succeeded", {}, None),
        (31, "manual", "full", "succeeded", {"total": 12, "skipped": 12}, None),
    ),
    "pipedrive": (
        (40, "manual", "full", "failed", {"total": 8, "updated": 3, "skipped": 2}, "pipedrive does not answer"),
        (40, "manual", "incremental", "succeeded", {"total": 3, "updated": 2, "skipped": 1}, None),
        (9, "manual", "incremental", "succeeded", {"total": 1, "updated": 1}, None),
    ),
}
"""The age in days of each run, its trigger, mode, end, counts that are not zero, and error."""


def put_remotes(store: Store, plan: Plan, now: datetime) -> None:
    """Store the records of the other systems; for the first company also its two integrations with a history."""
    for provider in PROVIDERS:
        shared = _shared_records(store, plan, provider) if plan is ACME and provider in _NAMES else {}
        for number in range(20):
            kind = "contact" if number < 12 else "company" if number < 16 else "deal"
            own = shared.get(kind, [])
            index = number if kind == "contact" else (number - 12) % 4
            doc = own[index] if index < len(own) else None
            at = now - timedelta(days=90 - number)
            fields = _fields(provider, number, kind) | (_from(provider, doc) if doc is not None else {})
            id = f"{provider}-{101 + number}"
            stored = {"place": f"{provider}/{kind}", "remote_id": id, "remote_updated_at": at}
            store.collection(plan.id, RECORDS).put(Document(fields | stored | {"id": f"{provider}/{kind}/{id}"}))
            if doc is not None:
                _link(store, plan, provider, doc, id, fields, at)
        if shared:
            _integration(store, plan, now, provider)


def _shared_records(store: Store, plan: Plan, provider: str) -> dict[str, list[Document]]:
    """Return our records that the other system has as well, by their kind there."""
    if provider == "salesforce":
        contacts = [doc for doc in store.collection(plan.id, "contact") if doc["email"]]
        return {"contact": contacts[-12:]}
    accounts = store.collection(plan.id, "account").all()[-4:]
    deals = [doc for doc in store.collection(plan.id, "deal") if doc["status"] == "open"]
    return {"company": accounts, "deal": deals[-4:]}


def _kind_of(doc: Document) -> str:
    return str(doc["id"].partition("_")[0])


def _mapped_fields(provider: str, doc: Document) -> list[_Mapping]:
    return [mapping for mapping in _MAPPINGS[provider] if mapping[0] == _kind_of(doc)]


def _from(provider: str, doc: Document) -> dict[str, Any]:
    return {source: doc[target] for _, source, target, _ in _mapped_fields(provider, doc)}


def _fields(provider: str, number: int, kind: str) -> dict[str, Any]:
    """Return the fields of a record that only the other system has."""
    company = _COMPANIES[number % 4]
    host = f"{company.partition(' ')[0].lower()}-{provider}.example"
    fields: dict[str, Any] = dict.fromkeys(name for name in FIELDS if name not in FIXED)
    fields |= {"company": company, "name": _PEOPLE[number] if kind == "contact" else company}
    if kind == "contact":
        address = f"{_PEOPLE[number].replace(' ', '.').lower()}@{host}".encode("ascii", "ignore").decode()
        return fields | {"email": address, "title": _TITLES[number % 4]}
    if kind == "company":
        return fields | {"email": f"info@{host}", "phone": f"+4930{7000000 + 311 * number}"}
    return fields | {
        "name": f"{company} rollout", "amount": Decimal(9000 + 2500 * number), "stage": _STAGES[number % 4],
    }  # fmt: skip


def _link(
    store: Store, plan: Plan, provider: str, doc: Document, remote_id: str, fields: Mapping[str, Any], at: datetime
) -> None:
    integration_id, kind = f"integration_{provider}", _kind_of(doc)
    base = {
        f"{source}>{target}": [fields[source], doc[target]] for _, source, target, _ in _mapped_fields(provider, doc)
    }
    store.collection(plan.id, "sync_link").put(Document(
        id=f"{integration_id}/{kind}/{remote_id}", integration_id=integration_id, entity_type=kind,
        local_id=doc["id"], remote_id=remote_id, base=base, open=[], changed={}, synced_at=at, signature=None,
        local_version=doc["version"], remote_updated_at=at,
    ))  # fmt: skip


def _stamp(id: str, at: datetime, by: str = "user_ada") -> dict[str, Any]:
    return {"id": id, "created_at": at, "updated_at": at, "created_by": by, "version": 1, "deleted_at": None}


def _integration(store: Store, plan: Plan, now: datetime, provider: str) -> None:
    id, made = f"integration_{provider}", now - timedelta(days=64)
    name, direction, auth_type = _NAMES[provider]
    mappings = _MAPPINGS[provider]
    kinds = list(dict.fromkeys(kind for kind, *_ in mappings))
    secrets = ("client_id", "client_secret") if auth_type == "oauth2" else ("api_key",)
    runs = [_run(now, provider, number, direction, kinds) for number in range(len(_RUNS[provider]))]
    for run in runs:
        store.collection(plan.id, "sync_run").put(run)
    members = {
        "name": name, "type": "crm", "provider": provider, "category": "data", "status": "connected",
        "auth_type": auth_type, "direction": direction, "entity_types": kinds, "credentials_set": True,
        "credentials": dict.fromkeys(secrets, "••••"), "connected_at": made, "last_sync": runs[-1]["finished_at"],
    }  # fmt: skip
    store.collection(plan.id, "integration").put(Document({**blank(Integration), **members, **_stamp(id, made)}))
    for number, (kind, source, target, more) in enumerate(mappings):
        fields = {"integration_id": id, "entity_type": kind, "source_field": source, "target_field": target}
        stamp = _stamp(f"map_{provider}_{number + 1}", made + timedelta(minutes=number))
        store.collection(plan.id, "mapping").put(Document({**blank(FieldMapping), **fields, **more, **stamp}))


def _run(now: datetime, provider: str, number: int, direction: str, kinds: Sequence[str]) -> Document:
    days, trigger, mode, status, given, error = _RUNS[provider][number]
    at = now - timedelta(days=days) + timedelta(minutes=20 * number)
    names = ("total", "processed", "succeeded", "failed", "skipped", "created", "updated", "deleted")
    counts = {**dict.fromkeys(names, 0), **given}
    counts["succeeded"] = counts["created"] + counts["updated"]
    counts["processed"] = counts["succeeded"] + counts["skipped"] + counts["failed"]
    members: dict[str, Any] = {
        "integration_id": f"integration_{provider}", "status": status, "trigger": trigger, "mode": mode,
        "direction": direction, "entity_types": list(kinds), "counts": counts,
        "progress": round(counts["processed"] / counts["total"], 4) if status == "failed" else 1.0,
        "started_at": at, "finished_at": at + timedelta(seconds=1),
        "error": error and {
            "code": "CONNECTION_REFUSED", "message": error, "field": None, "rule": None, "details": {},
        },
    }  # fmt: skip
    stamp = _stamp(f"sync_{provider}_{number + 1}", at, "system" if trigger == "scheduled" else "user_ada")
    return Document({**blank(SyncRun), **members, **stamp})
