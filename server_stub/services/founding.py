"""A new company: its record, its pipeline, and what falls due in it."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from crm_sdk.models.tenants import Tenant

from .. import timetable
from ..data.blanks import blank
from ..data.document import Document
from ..serving import Caller, Context
from .pipelines.records import PIPELINES
from .pipelines.stage_members import usual_stages


def found_company(call: Context, name: str, **members: Any) -> tuple[Context, Document]:
    """Store a new, empty company with a default pipeline; return the call of the system in it, and its record."""
    tenant_id = call.new_id("tenant_")
    call = call.acting_as(Caller(tenant_id, "system", None, "system", auth="none"))
    stamp: dict[str, Any] = {
        "id": tenant_id, "created_at": call.now, "updated_at": call.now, "created_by": "system", "version": 1,
    }  # fmt: skip
    whole = {**blank(Tenant), **_configuration(members.get("timezone") or "UTC"), **members}
    tenant = call.collection("tenant").put(Document({**whole, "name": name, "slug": _slug(call, name), **stamp}))
    stages = usual_stages()
    form = PIPELINES.stored_form(call, {"name": "Sales", "is_default": True, "stages": stages})
    pipeline = PIPELINES.add(call, form)
    tenant = call.collection("tenant").put(tenant | {"default_pipeline_id": pipeline["id"]})
    for appointment in call.server.timetable.appointments:
        timetable.plan(call.collection, appointment)
    call.emit("tenant.created", "tenant", tenant)
    return call, tenant


def _configuration(timezone: str) -> dict[str, Any]:
    hours = [{"weekday": day, "start": "09:00", "end": "17:30"} for day in range(5)]
    return {
        "timezone": timezone,
        "country": None,
        "languages": ["en", "de", "es", "ar"],
        "currencies": [],
        "date_format": "YYYY-MM-DD",
        "time_format": "24h",
        "week_start": 0,
        "fiscal_year_start_month": 1,
        "business_hours": {"timezone": timezone, "days": hours, "holidays": []},
        "branding": {"app_name": None, "logo": None, "primary_color": None, "login_message": None},
        "security": {
            "password_min_length": 8,
            "password_require": [],
            "require_mfa": False,
            "require_email_verification": False,
            "session_timeout_minutes": 10_080,
            "allowed_email_domains": [],
            "ip_allowlist": [],
        },
        "email": {"from_address": None, "from_name": None, "reply_to": None, "footer": None},
        "lead_assignment": "round_robin",
        "duplicate_policy": "warn",
        "features": {},
        "limits": {},
        "config": {},
    }


def _slug(call: Context, name: str) -> str:
    """Return a short name made from a name, which no other company has."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:30].strip("-")
    stem = stem if len(stem) >= 3 else f"company-{stem}".strip("-")
    taken = {doc["slug"] for companies in call.server.store.across("tenant") for doc in companies.all()}
    slug, number = stem, 1
    while slug in taken:
        number += 1
        slug = f"{stem}-{number}"
    return slug
