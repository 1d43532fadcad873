"""A new company: its record, its pipeline, and what falls due in it."""

from __future__ import annotations

import re
from typing import Any

from crm_sdk.models.tenants import Tenant

from .. import timetable
from ..caller import Caller
from ..data.blanks import blank
from ..data.document import Document
from ..data.queries.query import fold
from ..problems import Problem
from ..request.access.policy import first_policy
from ..serving import Context
from .pipelines.records import PIPELINES

_SHORTEST, _LONGEST = 3, 40


def found_company(call: Context, name: str, **members: Any) -> tuple[Context, Document]:
    """Store a new, empty company with a default pipeline; return the call of the system in it, and its record.

    Raises: 409 TENANT_EXISTS for a slug that is taken; without a slug it gets one made from its name.
    """
    slug = members.get("slug")
    if slug is not None and _is_taken(call, slug):
        raise Problem("TENANT_EXISTS", f"another company has the slug {slug!r}", field="slug", rule="unique")
    tenant_id = call.new_id("tenant_")
    founder = call.caller.actor_id if call.caller.tenant_id else "system"
    stamp: dict[str, Any] = {
        "id": tenant_id, "created_at": call.now, "updated_at": call.now, "created_by": founder,
        "version": 1, "config_version": 1,
    }  # fmt: skip
    call = call.acting_as(Caller(tenant_id, "system", None, "system", "the platform", auth="none"))
    given = {key: value for key, value in members.items() if value is not None}
    whole = {**blank(Tenant), **_configuration(name, members.get("timezone") or "UTC"), **given}
    tenant = Document({**whole, "name": name, "slug": slug or _free_slug(call, name), **stamp})
    call.collection("tenant").put(tenant)
    PIPELINES.add(call, PIPELINES.stored_form(call, {"name": "Sales", "is_default": True}))
    for appointment in call.server.timetable.appointments:
        timetable.plan(call.collection, appointment)
    call.emit("tenant.created", "tenant", tenant)
    return call, tenant


def _configuration(name: str, zone: str) -> dict[str, Any]:
    days = [{"weekday": day, "start": "09:00", "end": "17:00"} for day in range(5)]
    return {
        "country": None,
        "languages": ["en", "de", "es", "ar"],
        "currencies": [],
        "date_format": "YYYY-MM-DD",
        "time_format": "24h",
        "week_start": 0,
        "fiscal_year_start_month": 1,
        "business_hours": {"timezone": zone, "days": days, "holidays": []},
        "branding": {"app_name": name},
        "security": first_policy(),
        "email": {"from_name": name},
        "lead_assignment": "round_robin",
        "duplicate_policy": "warn",
        "config": {},
        "features": {},
        "limits": {},
    }


def _is_taken(call: Context, slug: str) -> bool:
    return any(tenants.find("slug", slug) for tenants in call.server.store.across("tenant"))


def _free_slug(call: Context, name: str) -> str:
    """Return the slug of a name, with a number where another company has it."""
    stem = "-".join(re.findall(r"[a-z0-9]+", fold(name)))[:_LONGEST].strip("-")
    stem = stem if len(stem) >= _SHORTEST else f"{stem}-crm".strip("-")
    slug, number = stem, 1
    while _is_taken(call, slug):
        number += 1
        slug = f"{stem[: _LONGEST - len(str(number)) - 1].rstrip('-')}-{number}"
    return slug
