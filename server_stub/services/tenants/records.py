"""The rules of the records of companies: found, read, changed and listed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from crm_sdk.resources.tenants import Tenants

from ...data import normalise
from ...data.document import Document
from ...data.forms import required_text
from ...data.queries.query import filter_by_dates, filter_by_text, filter_by_values, sort_documents
from ...problems import Problem, invalid
from ...serving import Context, Members, serves
from ..founding import found_company
from .finding import refuse_fixed, shown_tenant, store, tell, visible, within, writable
from .provisioning import invite_admin

_FIXED = ("slug", "plan", "region", "admin_email", "admin_name")
"""What is given when a company is founded, or changed by other calls."""
_SORTS = ("name",)
_NO_CURRENCIES = frozenset({"XTS", "XXX"})
"""The codes of ISO 4217 that stand for a test and for no currency at all."""
_name = required_text("name")


@serves(Tenants.create)
def create(call: Context, tenant: Members) -> Document:
    """Found a company that the caller's manages."""
    members = _stored_members(call, tenant)
    members["admin_email"] = normalise.email(tenant["admin_email"], "admin_email")
    if members.get("plan", "free") != "free":
        message = "a new company has no payment method yet: it begins with the plan free"
        raise Problem("PAYMENT_METHOD_REQUIRED", message, field="plan")
    inside, made = found_company(call, **members, managed_by=call.caller.tenant_id, status="provisioning")
    invite_admin(inside)
    there = within(call, made["id"])
    call.emit("tenant.created", "tenant", shown_tenant(there))
    return shown_tenant(there)


@serves(Tenants.get)
def get(call: Context, tenant_id: str) -> Document:
    """Return a company."""
    return shown_tenant(within(call, tenant_id))


@serves(Tenants.update)
def update(call: Context, tenant_id: str, changes: Members, version: int | None) -> Document:
    """Change a company."""
    there = writable(call, tenant_id)
    tenant = there.tenant
    call.lock(tenant, version)
    refuse_fixed(call, tenant, _FIXED)
    members = _stored_members(call, changes)
    base = members.get("base_currency", tenant["base_currency"])
    if base != tenant["base_currency"]:
        members["currencies"] = _rebased_rates(there, base)
    made = store(there, members)
    if made:
        tell(call, there, "tenant.updated", changes=made)
    return shown_tenant(there)


@serves(Tenants.list)
def find(
    call: Context,
    status: str | None,
    plan: str | None,
    sort: str | None,
    order: str | None,
    search: str | None,
    created_after: datetime | None,
    created_before: datetime | None,
    updated_after: datetime | None,
    updated_before: datetime | None,
) -> Sequence[Document]:
    """Return the caller's company and those that it manages."""
    docs = filter_by_values([shown_tenant(there) for there in visible(call)], status=status, plan=plan)
    docs = filter_by_text(docs, search, ("name", "slug", "domain"))
    docs = filter_by_dates(
        docs,
        created_after=created_after,
        created_before=created_before,
        updated_after=updated_after,
        updated_before=updated_before,
    )
    if sort is None and order is None:
        return docs
    return sort_documents(docs, sort, order, allowed=_SORTS)


def _stored_members(call: Context, given: Members) -> dict[str, Any]:
    """Return the stored form of members. Raises: 422."""
    members = dict(given)
    if "name" in members:
        members["name"] = _name(call, members["name"])
    if members.get("timezone") is not None:
        normalise.timezone(members["timezone"])
    if members.get("base_currency") is not None:
        check_currency(members["base_currency"], "base_currency")
    return members


def check_currency(code: str, at: str) -> None:
    """Raise 422 for what is not a currency of ISO 4217."""
    import pycountry  # imported here: it is large, and little needs it

    known: Any = pycountry.currencies
    if code in _NO_CURRENCIES or known.get(alpha_3=code) is None:
        raise invalid(at, "choice", f"{code!r} is not a currency (ISO 4217)")


def _rebased_rates(there: Context, base: str) -> list[dict[str, Any]]:
    """Return the rates in another base currency: converted where its own rate is known, else none.

    Raises: 409 once there is a deal, be it deleted.
    """
    tenant = there.tenant
    if there.collection("deal").first() is not None:
        message = f"there are deals: the base currency stays {tenant['base_currency']}"
        raise Problem("CURRENCY_IN_USE", message, field="base_currency")
    rates: dict[str, Decimal] = {one["currency"]: Decimal(one["rate"]) for one in tenant["currencies"]}
    if base not in rates:
        return []
    own, kept = rates.pop(base), Decimal("0.0000000001")
    day = there.now.date()
    return [
        {"currency": currency, "rate": (rate / own).quantize(kept).normalize(), "as_of": day}
        for currency, rate in {tenant["base_currency"]: Decimal(1), **rates}.items()
    ]
