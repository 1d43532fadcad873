"""Which companies a caller sees, and how a company is shown and written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from crm_sdk.models.tenants import Tenant, TenantConfig

from ...data.document import Document
from ...data.merging import differences
from ...problems import FieldError, Problem, missing, validation
from ...serving import Context, Members, RecordType

RECORD_TYPE = RecordType("tenant", Tenant)
_OF_RECORD = frozenset(Tenant.model_fields)
_OF_CONFIG = frozenset(TenantConfig.model_fields) - {"version"}


def within(call: Context, tenant_id: str) -> Context:
    """Return the call as one within a company: the caller's own (``current``), or one that it manages.

    Raises: 404 for any other.
    """
    own = call.caller.tenant_id
    if tenant_id in ("current", own):
        return call
    tenant = call.server.store.collection(tenant_id, "tenant").get(tenant_id) if tenant_id else None
    if tenant is None or tenant.get("managed_by") != own:
        raise missing("tenant", tenant_id)
    return call.acting_as(replace(call.caller, tenant_id=tenant_id))


def writable(call: Context, tenant_id: str) -> Context:
    """Return the call as one within a company that can be changed. Raises: 404; 409 for one that was ended."""
    there = within(call, tenant_id)
    if there.tenant["status"] == "cancelled":
        raise Problem(
            "TENANT_CANCELLED", f"{there.tenant['name']} was ended on {there.tenant['cancelled_at']:%Y-%m-%d}"
        )
    return there


def visible(call: Context) -> list[Context]:
    """Return the call within each company that the caller sees: its own first, then the managed ones, newest first."""
    own = call.caller.tenant_id
    managed = [
        tenant
        for tenants in call.server.store.across("tenant")
        for tenant in tenants
        if tenant.get("managed_by") == own
    ]
    managed.sort(key=lambda tenant: (tenant["created_at"], tenant["id"]), reverse=True)
    return [call, *(call.acting_as(replace(call.caller, tenant_id=tenant["id"])) for tenant in managed)]


def members(there: Context) -> int:
    """Return how many users a company has, active and invited ones."""
    return sum(user.get("status") != "inactive" for user in there.collection("user"))


def shown_tenant(there: Context) -> Document:
    """Return the record of a company as answers show it."""
    return there.tenant | {"user_count": members(there)}


def refuse_fixed(call: Context, stored: Members, names: Iterable[str]) -> None:
    """Raise 422 for another value of a member that cannot be changed; the present one may be sent back."""
    wrong = [name for name in names if name in call.ignored and call.ignored[name] != stored.get(name)]
    if wrong:
        raise validation(FieldError(name, "read_only", "cannot be changed here") for name in wrong)


def store(there: Context, changes: Members) -> list[dict[str, Any]]:
    """Store changes of a company's record, and return them; none where nothing differs.

    The record and the configuration have versions of their own, which go up where a member of theirs changes.
    """
    tenant = there.tenant
    real = differences(tenant, changes)
    if not real:
        return []
    stamps: dict[str, Any] = {}
    if real.keys() & _OF_RECORD:
        stamps |= {"version": tenant["version"] + 1, "updated_at": there.now}
    if real.keys() & _OF_CONFIG:
        stamps["config_version"] = tenant.get("config_version", 1) + 1
    there.collection("tenant").put(tenant | real | stamps)
    return [{"field": name, "before": tenant.get(name), "after": value} for name, value in real.items()]


def tell(
    call: Context,
    there: Context,
    event: str,
    *,
    changes: Sequence[Mapping[str, Any]] = (),
    metadata: Members | None = None,
) -> None:
    """Write an event of a company to its trail, and to that of the company that manages it."""
    tenant = shown_tenant(there)
    for trail in (there,) if there is call else (there, call):
        trail.emit(event, "tenant", tenant, changes=changes, metadata=metadata)
