"""The end of a company: its sessions and keys end at once, its data are purged after 30 days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from crm_sdk.resources.tenants import Tenants

from ... import timetable
from ...data.document import Document
from ...live.connection import Close
from ...problems import Problem
from ...request.access.callers import APP_TOKEN
from ...serving import Collections, Context, serves
from ...timetable import Appointment, falls_due
from .finding import shown_tenant, tell, writable
from .invoices import open_invoices

_KEPT = timedelta(days=30)
_CREDENTIALS = ("session", "api_key", APP_TOKEN)


@serves(Tenants.delete)
def delete(call: Context, tenant_id: str, confirm: str | None) -> Document:
    """End a company."""
    there = writable(call, tenant_id)
    tenant = there.tenant
    if confirm != tenant["slug"]:
        message = f"this ends {tenant['name']} and its data: confirm with its slug"
        raise Problem("CONFIRMATION_REQUIRED", message, field="confirm", rule="required")
    if waiting := open_invoices(there):
        ids = [invoice["id"] for invoice in waiting]
        numbers = ", ".join(invoice["number"] for invoice in waiting)
        raise Problem("INVOICE_OPEN", f"{numbers} is to be paid first", details={"ids": ids})
    ended = {"status": "cancelled", "cancelled_at": call.now, "updated_at": call.now}
    there.collection("tenant").put(tenant | ended | {"version": tenant["version"] + 1})
    change = {"field": "status", "before": tenant["status"], "after": "cancelled"}
    tell(call, there, "tenant.deleted", changes=[change])
    _end_access(there)
    _end_work(there)
    timetable.plan(there.collection, PURGE)
    return shown_tenant(there)


def _end_access(there: Context) -> None:
    for kind in _CREDENTIALS:
        for doc in there.collection(kind):
            if doc.get("revoked_at") is None:
                there.collection(kind).put(doc | {"revoked_at": there.now})
    for connection in list(there.server.live.connections):
        if connection.caller.tenant_id == there.caller.tenant_id:
            connection.close(Close.EXPIRED, "the company was ended")


def _end_work(there: Context) -> None:
    """Cancel the jobs that go on, and what was to be done later."""
    for status in ("queued", "running"):
        for job in there.collection("job").find("status", status):
            ended = {"status": "cancelled", "finished_at": there.now, "cancellable": False}
            there.collection("job").put(job | ended)
    for planned in there.collection(timetable.KIND).all():
        there.collection(timetable.KIND).remove(planned["id"])


def _purged_at(collections: Collections) -> Iterator[datetime]:
    tenant = collections("tenant").first()
    if tenant is not None and tenant["status"] == "cancelled" and not tenant.get("purged"):
        yield tenant["cancelled_at"] + _KEPT


PURGE = Appointment("tenant purge", _purged_at)


@falls_due(PURGE)
def purge(call: Context) -> None:
    """Remove all data of a company that was ended; its record stays, for the company that manages it."""
    for records in call.server.store.of_company(call.caller.tenant_id):
        if records.kind not in ("tenant", timetable.KIND):
            for doc in list(records.backwards()):
                records.remove(doc["id"])
    call.server.meter.forget(call.caller.tenant_id)
    call.collection("tenant").put(call.tenant | {"purged": True})
