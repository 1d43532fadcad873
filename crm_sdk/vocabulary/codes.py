"""The error codes of the documents: the status of each code, and the codes that a call can answer.

A declaration names its own codes (``errors=("CONTACT_EXISTS",)``); `codes_of` adds those that follow from the kind of
call: from its permissions, its arguments and its path.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..operation import Operation
    from ..route import Route

_REGISTER = {
    400: """BAD_REQUEST INVALID_GRANT INVALID_REDIRECT_URI INVALID_SCOPE INVALID_TOKEN TOKEN_EXPIRED
        UNKNOWN_CLIENT UNSUPPORTED_GRANT_TYPE UNSUPPORTED_VERSION""",
    401: "INVALID_CLIENT INVALID_CREDENTIALS INVALID_MFA_CODE TOKEN_REUSED UNAUTHORIZED",
    403: """CANNOT_CHANGE_OWN_ROLE CLIENT_ID_FORBIDDEN DOMAIN_NOT_ALLOWED EMAIL_NOT_VERIFIED FEATURE_DISABLED
        FEATURE_NOT_IN_PLAN FIELD_FORBIDDEN
        FILE_LOCKED FORBIDDEN LIMIT_EXCEEDED MFA_REQUIRED NOT_AN_ATTENDEE NOT_COMMENT_AUTHOR NO_USER ROLE_ESCALATION
        SHARE_EXCEEDS_ACCESS SHARE_EXPIRED TENANT_MISMATCH USER_INACTIVE""",
    404: "NOT_FOUND ROUTE_NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    409: """ACCOUNT_CONNECTED ACCOUNT_DISCONNECTED ACCOUNT_EXISTS ACCOUNT_HAS_CHILDREN ACCOUNT_HAS_OPEN_DEALS
        ACCOUNT_HAS_PARENT ACCOUNT_MISMATCH ACTIVITY_CLOSED ALREADY_ENROLLED ALREADY_INSTALLED ALREADY_MEMBER
        ALREADY_SHARED API_KEY_REVOKED API_KEY_SESSION APP_EXISTS APP_NOT_PUBLISHED BACKUP_IN_PROGRESS
        BACKUP_NOT_READY CALL_ENDED
        CANNOT_DEACTIVATE_SELF CANNOT_DELETE_SELF CARDINALITY_VIOLATION COMMENT_DELETED CONTACT_EXISTS
        CURRENCY_IN_USE CURSOR_EXPIRED DEAL_CLOSED DEAL_NOT_IN_PIPELINE
        DUPLICATE_VALUE EMAIL_EXISTS EMAIL_SENT FIELD_EXISTS FIELD_HAS_CONFLICTS FIELD_IN_USE FIELD_NEEDS_DEFAULT
        FIELD_PROTECTED FIELD_TYPE_CHANGE FILE_EXISTS FLAG_EXISTS GRID_TOO_NARROW HIERARCHY_CYCLE
        HIERARCHY_TOO_DEEP IDEMPOTENCY_KEY_REUSED INTEGRATION_EXISTS INTEGRATION_NOT_CONNECTED INVOICE_OPEN
        IMPORT_FILE_CHANGED IMPORT_NOT_REVERTIBLE JOB_FINISHED JOB_NOT_CANCELLABLE KEYWORD_EXISTS LAST_ADMIN LAST_BACKUP
        LAST_ROLE LAYOUT_EXISTS LAYOUT_PROTECTED
        LEAD_CONVERTED LEAD_UNQUALIFIED LEGAL_HOLD LIMIT_BELOW_USAGE MAPPING_EXISTS MEETING_CANCELLED
        MEETING_NOT_OPEN MEMBER_INACTIVE MFA_ALREADY_ENABLED MFA_NOT_ENABLED MFA_NOT_PENDING NEW_VERSION_REQUIRED
        NOTIFICATION_EXPIRED NOT_ENOUGH_TRAINING_DATA NOT_INSTALLED NOT_RETRYABLE NO_DEVICE NO_MAPPINGS NO_MEETING_LINK
        NO_SLOT_AVAILABLE NO_TELEPHONY NO_THUMBNAIL OBJECT_EXISTS OBJECT_HAS_RECORDS OBJECT_INACTIVE OBJECT_REFERENCED
        OPTION_IN_USE PAYMENT_METHOD_REQUIRED PIPELINE_EXISTS PIPELINE_HAS_DEALS PIPELINE_INACTIVE PIPELINE_IS_DEFAULT
        PLAN_DONE PLAN_EXPIRED PLAN_UNCHANGED PRIVACY_IN_PROGRESS RECIPIENT_OPTED_OUT RECOMMENDATION_EXPIRED
        RECORD_MERGED RECORD_REFERENCED REINDEX_IN_PROGRESS RELATIONSHIP_CYCLE RELATIONSHIP_EXISTS RELATIONSHIP_IN_USE
        REPORT_BROKEN REPORT_IN_USE RETRY_LIMIT REVIEW_PENDING ROLE_ALREADY_ASSIGNED ROLE_EXISTS ROLE_IN_USE
        ROLE_PROTECTED SCHEDULE_CONFLICT SCHEDULE_EXISTS SCHEDULE_LIMIT SEATS_IN_USE SETTING_LOCKED
        STAGE_BACKWARD_FORBIDDEN STAGE_EXISTS STAGE_HAS_DEALS STAGE_NOT_IN_PIPELINE STAGE_REQUIRED STAGE_SKIP_FORBIDDEN
        SUBJECT_ERASED SYNC_IN_PROGRESS SYNC_NOT_PAUSED SYNC_NOT_RUNNING TEAM_EXISTS TEAM_MANAGER
        TEMPLATE_EXISTS TEMPLATE_IN_USE TENANT_CANCELLED TENANT_EXISTS TENANT_REQUIRED TERRITORY_EXISTS
        TERRITORY_INACTIVE TERRITORY_IN_USE TRAINING_IN_PROGRESS TYPE_CONFLICT USAGE_EXCEEDS_PLAN USER_BUSY
        USER_EXISTS USER_OWNS_RECORDS VERSION_CONFLICT VERSION_NOT_NEWER VERSION_UNCHANGED WORKFLOW_ACTIVE
        WORKFLOW_INACTIVE WORKFLOW_INCOMPLETE
        WORKFLOW_INVALID WORKFLOW_REFERENCED""",
    415: "UNSUPPORTED_MEDIA_TYPE",
    416: "RANGE_NOT_SATISFIABLE",
    422: """BULK_REJECTED CHECKSUM_MISMATCH CONFIRMATION_REQUIRED CONNECTION_REFUSED CONTENT_TOO_LONG
        CONTENT_TYPE_CHANGED DUPLICATE_FIELD DUPLICATE_POLICY FEATURE_REQUIRED FIELD_NOT_FACETABLE
        FIELD_READ_ONLY FILE_INFECTED FILE_TOO_LARGE FILTER_TOO_LARGE IMAGE_TOO_LARGE INCOMPLETE_ORDER
        INVALID_ARCHIVE INVALID_CURSOR INVALID_FILE_NAME INVALID_FORMAT INVALID_GROUPING INVALID_IMAGE
        INVALID_MEASURE INVALID_OPERATOR INVALID_PHONE INVALID_SCHEDULE LIMIT_ABOVE_PLAN LOCKOUT LOST_REASON_REQUIRED
        MEDIA_REQUIRED MISSING_PARAMETER MISSING_VARIABLE NETWORK_MISMATCH NOT_A_KEY NOT_A_SUBJECT NOT_RECURRING
        NOT_SCHEDULABLE NO_ADDRESS NO_PLAN OCCURRENCE_NOT_FOUND PASSWORD_REUSED PAYMENT_METHOD_DECLINED
        PERMISSION_NOT_GRANTED PROBABILITY_MISMATCH QUERY_TOO_SHORT REASON_REQUIRED RECIPIENT_NO_ACCESS
        REFERENCE_NOT_FOUND REQUIRED_FIELD_MISSING RESERVED_NAME RETENTION_TOO_SHORT SELF_RELATIONSHIP
        SETTING_SCOPE STAGE_FIELDS_MISSING STAGE_KINDS_MISSING STAGE_ORDER TEMPLATE_SYNTAX THRESHOLD_ORDER
        TOO_MANY_ITEMS TRIGGER_NOT_SUPPORTED TYPE_MISMATCH UNKNOWN_FIELD UNKNOWN_METRIC UNKNOWN_PERMISSION
        UNKNOWN_SETTING UNSUPPORTED_OPERATION URL_NOT_ALLOWED USER_HAS_NO_ACCESS VALIDATION_ERROR WEAK_PASSWORD
        WIDGET_OUT_OF_GRID WIDGET_OVERLAP WORKFLOW_LOOP""",
    429: "RATE_LIMIT_EXCEEDED TOO_MANY_ATTEMPTS",
    500: "AI_SERVICE_ERROR INTERNAL_ERROR",
    # Not in the documents: the stub's answer for a route without a rule, and the answers of gateways, for faults.
    501: "NOT_IMPLEMENTED",
    502: "BAD_GATEWAY",
    503: "SERVICE_UNAVAILABLE",
    504: "GATEWAY_TIMEOUT",
}

# Codes of single items in bulk answers, jobs and executions; no whole answer has them.
_ITEMS_ONLY = """AMBIGUOUS_MATCH AUTOMATION_LOOP BACKUP_CORRUPT CHANGED_SINCE DUPLICATE_IN_BATCH MATCH_KEY_MISSING
    NOT_DELETED NO_ELIGIBLE_OWNER RESTORE_CONFLICT SOURCE_MISSING TOO_MANY_ERRORS TOO_MANY_ROWS UNREADABLE_FILE"""

STATUSES: Mapping[str, int] = {
    **{code: status for status, codes in _REGISTER.items() for code in codes.split()},
    **dict.fromkeys(_ITEMS_ONLY.split(), 422),
}
"""The HTTP status of every code."""


COMMON = frozenset({
    "BAD_REQUEST", "UNSUPPORTED_VERSION", "RATE_LIMIT_EXCEEDED", "UNAUTHORIZED", "USER_INACTIVE", "TENANT_MISMATCH",
    "IDEMPOTENCY_KEY_REUSED", "FIELD_FORBIDDEN", "MFA_REQUIRED",
})  # fmt: skip
"""Codes that say nothing about a call: nearly every one can answer them."""

REQUIRED: frozenset[str] = frozenset({
    "accounts", "activities", "auth", "calendar", "changes", "configuration", "contacts", "conversations", "deals",
    "exports", "imports", "jobs", "leads", "monitoring", "objects", "pipelines", "privacy", "security", "tenants",
    "users",
})  # fmt: skip
"""The features of the platform that cannot be switched off."""
SWITCHABLE: frozenset[str] = frozenset({
    "agents", "ai_insights", "analytics", "audit", "backups", "chatops", "collaboration", "communication",
    "custom_objects", "customization", "dashboards", "files", "integrations", "marketplace", "notifications",
    "presence", "reports", "search", "social", "webhooks", "workflows",
})  # fmt: skip
"""The features of the platform that a company can switch off."""


DOORS: Mapping[str, str] = {
    "analytics.dashboards": "dashboards",
    "analytics.reports": "reports",
    "collaboration.notifications": "notifications",
    "configuration.territories": "accounts",
}
"""Parts of a service that lead to the records of another, whose permissions and feature count, too (002, 0.6)."""


_RECORDS: Mapping[str, str] = {
    "collaboration.notifications": "notifications",
    "communication.email.templates": "notifications",
    "files.share": "collaboration",
    "leads.enrich": "ai_insights",
}
"""Calls that lead to the records of another service, whose feature counts, too (002, 0.6)."""


VIEWED: Mapping[str, str] = {
    "accounts.list": "account",
    "activities.list": "activity",
    "contacts.list": "contact",
    "custom_objects.records.list": "record",
    "deals.list": "deal",
    "leads.list": "lead",
}
"""The lists that take a `view`, the id of a layout, with the entity that it has to be of: a record is of its object."""


def features_of(operation: Operation[Any, Any], route: Route) -> list[str]:
    """Return the features of the platform with which a call can be switched off: that of its path, of its records."""
    if operation.id == "customization.layouts.list":  # those of the system are there in any case
        return []
    behind = {**DOORS, **_RECORDS}
    words = [operation.id.partition(".")[0]]
    words += [behind[door] for door in behind if operation.id == door or operation.id.startswith(f"{door}.")]
    return [word for word in words if route.dialect.name == "platform" and word in SWITCHABLE]


def codes_of(operation: Operation[Any, Any], route: Route) -> dict[str, int]:
    """Return every code that a call can answer in a dialect, with the status it has there, sorted by status."""
    found = {
        code: route.dialect.status_of(STATUSES[code]) for code in (*_usual(operation, route), *operation.flags.errors)
    }
    return dict(sorted(found.items(), key=lambda item: (item[1], item[0])))


def _usual(operation: Operation[Any, Any], route: Route) -> Iterator[str]:
    """Yield the codes that follow from the kind of call."""
    flags, arguments = operation.flags, operation.arguments
    given = {name for name in arguments.types if route.has(name)}
    yield from ("BAD_REQUEST", "UNSUPPORTED_VERSION", "VALIDATION_ERROR", "RATE_LIMIT_EXCEEDED")
    if flags.auth:
        yield from ("UNAUTHORIZED", "USER_INACTIVE", "TENANT_MISMATCH", "MFA_REQUIRED")
        if flags.role != "everybody":
            yield "FORBIDDEN"
        if route.method in ("POST", "PUT", "PATCH") and not flags.safe:
            yield "FIELD_FORBIDDEN"
        if features_of(operation, route):
            yield "FEATURE_DISABLED"
    if route.placeholders:
        yield "NOT_FOUND"
    if route.dialect.name == "platform" and route.method == "GET" and operation.answers_records:  # `fields`
        yield "UNKNOWN_FIELD"
    if route.dialect.name == "platform" and operation.id in VIEWED:
        yield "REFERENCE_NOT_FOUND"
    if (arguments.locks and route.has("version")) or route.method == "PUT":  # the body of a PUT may have `updatedAt`
        yield "VERSION_CONFLICT"
    if route.method == "POST":
        yield "IDEMPOTENCY_KEY_REUSED"
    if flags.rate == "bulk" and route.method != "GET":
        yield "TOO_MANY_ITEMS"
    if "atomic" in given:
        yield "BULK_REJECTED"
    if route.method != "GET":
        written = arguments.names if arguments.body in given else given
        if any(name.endswith(("_id", "_ids")) and name != "external_id" for name in written):
            yield "REFERENCE_NOT_FOUND"
        if "external_id" in written:
            yield "DUPLICATE_VALUE"
    if "filter_groups" in arguments.members:
        yield from ("UNKNOWN_FIELD", "INVALID_OPERATOR", "FILTER_TOO_LARGE")
