"""The demo jobs that have ended: two imports that were tried out and one that was refused, and requests of people."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ..data.document import Document
from ..data.store import Store
from .setup.company import Plan

_COUNTS = ("total", "processed", "succeeded", "failed", "skipped", "created", "updated", "deleted")
_ASKED = timedelta(days=30)
"""A person's request has to be answered within this time."""


def jobs(store: Store, plan: Plan, now: datetime) -> None:
    """Put the jobs of a company. None of them has left a record: what was tried out, refused, or erased."""
    rows = [
        {"row": 17, "field": "email", "code": "VALIDATION_ERROR", "message": "'no address' is not an e-mail address"},
        {"row": 31, "field": "phone", "code": "INVALID_PHONE", "message": "'n/a' is not a phone number"},
    ]
    tried = {"total": 48, "processed": 48, "succeeded": 46, "failed": 2, "created": 39, "updated": 7}
    _import(store, plan, now - timedelta(days=9, hours=2), "fair-visitors.csv", "contact", tried, rows)
    tried = {"total": 12, "processed": 12, "succeeded": 12, "updated": 12}
    _import(store, plan, now - timedelta(days=4, hours=5), "partners.xlsx", "account", tried, [])
    refused = {"code": "TOO_MANY_ROWS", "message": "the file has 214,380 rows; an import has at most 100,000"}
    _import(store, plan, now - timedelta(days=2, hours=7), "all-leads-2019.csv", "lead", {}, [], refused)
    _request(store, plan, now - timedelta(days=51), "privacy_export", {"contact": 1, "activity": 6, "message": 3})
    _request(store, plan, now - timedelta(days=26), "privacy_erase", {"contact": 1, "activity": 4, "audit": 5})


def _import(
    store: Store,
    plan: Plan,
    at: datetime,
    name: str,
    entity: str,
    counts: Mapping[str, int],
    rows: Sequence[Mapping[str, Any]],
    refused: Mapping[str, str] | None = None,
) -> None:
    """Put an import that changed nothing: tried out, or refused as a whole."""
    result: dict[str, Any] = {"created_ids": [], "updated_ids": [], "error_file_id": None, "warnings": []}
    _put(
        store, plan, at, f"Import of {name}", "import",
        result={**result, "unmapped_columns": [], "dry_run": True} if refused is None else None,
        counts=counts, errors=[{**row, "value": None, "severity": "error"} for row in rows], failed=refused,
        payload={
            "entity": entity, "name": name, "dry_run": refused is None, "created_ids": [], "updated_ids": [],
            "failed": [],
        },
    )  # fmt: skip


def _request(store: Store, plan: Plan, at: datetime, kind: str, found: Mapping[str, int]) -> None:
    """Put the request of a person of whom nothing is left here."""
    erased = kind == "privacy_erase"
    digest = hashlib.sha256(f"{plan.id}/{kind}".encode()).hexdigest()
    records = [
        {
            "entity": entity, "found": count, "erased": count if erased and entity != "audit" else 0,
            "anonymized": count if erased and entity == "audit" else 0, "kept": 0 if erased else count,
        }
        for entity, count in found.items()
    ]  # fmt: skip
    total = sum(found.values())
    _put(
        store, plan, at, "Erasure of a person" if erased else "Export of a person's data", kind,
        result={
            "subject_hash": digest, "records": records, "file_id": None, "identities": [], "held": [],
            "dry_run": False, "audit_id": None, "due_at": at + _ASKED,
        },
        counts={"total": total, "processed": total, "succeeded": total}, payload={"subject_hash": digest},
    )  # fmt: skip


def _put(
    store: Store,
    plan: Plan,
    at: datetime,
    title: str,
    kind: str,
    *,
    result: Mapping[str, Any] | None,
    counts: Mapping[str, int],
    payload: Mapping[str, Any],
    errors: Sequence[Mapping[str, Any]] = (),
    failed: Mapping[str, str] | None = None,
) -> None:
    admin, id = plan.users[0], store.new_id("job_")
    caller = {
        "tenant_id": plan.id, "actor_id": admin.id, "user_id": admin.id, "role": admin.role, "name": admin.name,
        "email": admin.email, "auth": "token", "session_id": None, "granted": None,
    }  # fmt: skip
    usual: Mapping[str, Any] = {"field": None, "rule": None, "details": {}}
    error = {**usual, **failed} if failed is not None else None
    store.collection(plan.id, "job").put(
        Document(
            id=id, kind=kind, title=title, entity=None, cancellable=False, created_at=at,
            updated_at=at + timedelta(seconds=3), created_by=admin.id, version=2,
            status="succeeded" if failed is None else "failed", progress=1.0, started_at=at + timedelta(seconds=1),
            finished_at=at + timedelta(seconds=3), error=error, counts={**dict.fromkeys(_COUNTS, 0), **counts},
            errors=[dict(one) for one in errors], errors_truncated=False, file_id=None,
            result=dict(result) if result is not None else None, status_url=f"/jobs/{id}", payload=dict(payload),
            caller=caller, due_at=None, source={"dialect": "platform"}, reason=None,
        )
    )  # fmt: skip
