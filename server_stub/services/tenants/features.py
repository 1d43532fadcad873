"""The rules of features: the services of the platform that a company has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_sdk.models.tenant_features import FeatureSwitches
from crm_sdk.resources.tenants import TenantFeatureSwitches
from crm_sdk.vocabulary.codes import REQUIRED, SWITCHABLE

from ...data.document import Document
from ...problems import FieldError, Problem, validation
from ...request.access import plans
from ...serving import Context, Members, serves
from .finding import store, tell, within, writable

_NAMES: Mapping[str, str] = {"ai_insights": "AI insights", "chatops": "ChatOps"}
_DESCRIPTIONS: Mapping[str, str] = {
    "accounts": "The companies that one sells to.",
    "activities": "Tasks, events, calls, e-mails and notes.",
    "agents": "AI agents that answer and act.",
    "ai_insights": "Predictions, recommendations, enrichment and scores.",
    "analytics": "Figures of sales, service and teams.",
    "audit": "Reading the trail of what was done; it is written in any case.",
    "auth": "Sign-in, sessions and tokens.",
    "backups": "Backups, and restoring them.",
    "calendar": "The calendar, with invitations and single occurrences.",
    "changes": "The feed of changes, to follow the data.",
    "chatops": "Commands in chats.",
    "collaboration": "Shares, comments and feeds.",
    "communication": "E-mails, calls and meetings.",
    "configuration": "Settings, flags and territories.",
    "contacts": "People, and what was said with them.",
    "conversations": "Conversations and their messages.",
    "custom_objects": "Kinds of records of one's own.",
    "customization": "Layouts, labels and fields of one's own.",
    "dashboards": "Dashboards with widgets.",
    "deals": "Deals, and their way through the stages.",
    "exports": "Exporting records to files.",
    "files": "Files, their versions and links to them.",
    "imports": "Importing records from files.",
    "integrations": "Synchronisation with other systems.",
    "jobs": "Work that goes on after its answer.",
    "leads": "Leads, their score and their conversion.",
    "marketplace": "Apps that extend the CRM.",
    "monitoring": "Health and figures of the service.",
    "notifications": "Notifications, their templates and channels.",
    "objects": "Records of any kind, deleted ones too.",
    "pipelines": "The stages of deals, and rules that act on them.",
    "presence": "Who is here, and looks at what.",
    "privacy": "Requests of persons about their data.",
    "reports": "Reports, schedules and exports.",
    "search": "Ranked search in everything.",
    "security": "Roles, policies and API keys.",
    "social": "Social networks: posts, mentions and alerts.",
    "tenants": "The company, its plan and its limits.",
    "users": "Users, teams and their profiles.",
    "webhooks": "Events posted to addresses of one's own.",
    "workflows": "Workflows that run when something happens.",
}
KEYS = tuple(sorted(REQUIRED | SWITCHABLE))
assert set(KEYS) == FeatureSwitches.__annotations__.keys() == _DESCRIPTIONS.keys()


@serves(TenantFeatureSwitches.get)
def get(call: Context, tenant_id: str) -> dict[str, Any]:
    """Return the services of the platform, and which a company has."""
    return _shown_features(within(call, tenant_id).tenant)


@serves(TenantFeatureSwitches.update)
def update(call: Context, tenant_id: str, features: Members) -> dict[str, Any]:
    """Switch services on or off."""
    there = writable(call, tenant_id)
    tenant = there.tenant
    required = [key for key, on in features.items() if key in REQUIRED and not on]
    if required:
        errors = [FieldError(key, None, f"{key} cannot be switched off", "FEATURE_REQUIRED") for key in required]
        raise validation(errors)
    lacking = [key for key, on in features.items() if on and not plans.includes(tenant["plan"], key)]
    if lacking:
        message = f"the plan {tenant['plan']} does not include {', '.join(lacking)}"
        raise Problem("FEATURE_NOT_IN_PLAN", message, field=lacking[0], details={"features": lacking})
    before = {key: plans.has_feature(tenant, key) for key in features}
    own: Mapping[str, bool] = tenant.get("features") or {}
    switches = {**own, **{key: on for key, on in features.items() if before[key] != on}}
    if store(there, {"features": switches}):
        changes = [
            {"field": key, "before": before[key], "after": on} for key, on in features.items() if before[key] != on
        ]
        tell(call, there, "tenant.features_updated", changes=changes)
    return _shown_features(there.tenant)


def _shown_features(tenant: Document) -> dict[str, Any]:
    return {
        "tenant_id": tenant["id"],
        "features": [
            {
                "key": key,
                "name": _NAMES.get(key, key.replace("_", " ").capitalize()),
                "description": _DESCRIPTIONS[key],
                "enabled": plans.has_feature(tenant, key),
                "included_in_plan": plans.includes(tenant["plan"], key),
                "required": key in REQUIRED,
                "minimum_plan": plans.minimum_plan(key),
            }
            for key in KEYS
        ],
    }
