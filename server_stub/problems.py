"""What goes wrong in a rule: a code with its one status, and the fields that caused it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_REGISTER = {
    400: """BAD_REQUEST INVALID_GRANT INVALID_REDIRECT_URI INVALID_SCOPE INVALID_TOKEN TOKEN_EXPIRED
        UNKNOWN_CLIENT UNSUPPORTED_GRANT_TYPE UNSUPPORTED_VERSION""",
    401: "INVALID_CLIENT INVALID_CREDENTIALS INVALID_MFA_CODE TOKEN_REUSED UNAUTHORIZED",
    403: """CANNOT_CHANGE_OWN_ROLE DOMAIN_NOT_ALLOWED EMAIL_NOT_VERIFIED FEATURE_DISABLED FEATURE_NOT_IN_PLAN
        FILE_LOCKED FORBIDDEN LIMIT_EXCEEDED MFA_REQUIRED NOT_AN_ATTENDEE NOT_COMMENT_AUTHOR NO_USER ROLE_ESCALATION
        SHARE_EXCEEDS_ACCESS SHARE_EXPIRED TENANT_MISMATCH USER_INACTIVE""",
    404: "NOT_FOUND ROUTE_NOT_FOUND",
    409: """ACCOUNT_CONNECTED ACCOUNT_DISCONNECTED ACCOUNT_EXISTS ACCOUNT_HAS_CHILDREN ACCOUNT_HAS_OPEN_DEALS
        ACCOUNT_HAS_PARENT ACCOUNT_MISMATCH ACTIVITY_CLOSED ALREADY_ENROLLED ALREADY_INSTALLED ALREADY_MEMBER
        ALREADY_SHARED API_KEY_SESSION APP_EXISTS APP_NOT_PUBLISHED CALL_ENDED CANNOT_DEACTIVATE_SELF CANNOT_DELETE_SELF
        CARDINALITY_VIOLATION COMMENT_DELETED CONTACT_EXISTS CURRENCY_IN_USE DEAL_CLOSED DEAL_NOT_IN_PIPELINE
        DUPLICATE_VALUE EMAIL_EXISTS EMAIL_SENT FIELD_EXISTS FIELD_HAS_CONFLICTS FIELD_IN_USE FIELD_NEEDS_DEFAULT
        FIELD_PROTECTED FIELD_TYPE_CHANGE FILE_EXISTS GRID_TOO_NARROW HIERARCHY_CYCLE HIERARCHY_TOO_DEEP
        IDEMPOTENCY_KEY_REUSED INTEGRATION_EXISTS INTEGRATION_NOT_CONNECTED INVOICE_OPEN KEYWORD_EXISTS LAST_ADMIN
        LAST_ROLE LEAD_CONVERTED LEAD_UNQUALIFIED LEGAL_HOLD LIMIT_BELOW_USAGE MAPPING_EXISTS MEETING_CANCELLED
        MEETING_NOT_OPEN MEMBER_INACTIVE MFA_ALREADY_ENABLED MFA_NOT_ENABLED MFA_NOT_PENDING NEW_VERSION_REQUIRED
        NOTIFICATION_EXPIRED NOT_ENOUGH_TRAINING_DATA NOT_INSTALLED NOT_RETRYABLE NO_DEVICE NO_MAPPINGS NO_MEETING_LINK
        NO_SLOT_AVAILABLE NO_TELEPHONY NO_THUMBNAIL OBJECT_EXISTS OBJECT_HAS_RECORDS OBJECT_INACTIVE OBJECT_REFERENCED
        OPTION_IN_USE PAYMENT_METHOD_REQUIRED PIPELINE_EXISTS PIPELINE_HAS_DEALS PIPELINE_INACTIVE PIPELINE_IS_DEFAULT
        PLAN_UNCHANGED RECIPIENT_OPTED_OUT RECOMMENDATION_EXPIRED RECORD_MERGED RECORD_REFERENCED REINDEX_IN_PROGRESS
        RELATIONSHIP_CYCLE RELATIONSHIP_EXISTS RELATIONSHIP_IN_USE REPORT_BROKEN REPORT_IN_USE RETRY_LIMIT
        REVIEW_PENDING ROLE_ALREADY_ASSIGNED SCHEDULE_CONFLICT SCHEDULE_LIMIT SEATS_IN_USE STAGE_BACKWARD_FORBIDDEN
        STAGE_EXISTS STAGE_HAS_DEALS STAGE_NOT_IN_PIPELINE STAGE_REQUIRED STAGE_SKIP_FORBIDDEN SYNC_IN_PROGRESS
        SYNC_NOT_PAUSED SYNC_NOT_RUNNING TEAM_EXISTS TEAM_MANAGER TEMPLATE_EXISTS TEMPLATE_IN_USE TENANT_CANCELLED
        TENANT_EXISTS TENANT_REQUIRED TERRITORY_INACTIVE TRAINING_IN_PROGRESS USAGE_EXCEEDS_PLAN USER_BUSY USER_EXISTS
        USER_OWNS_RECORDS VERSION_CONFLICT VERSION_NOT_NEWER VERSION_UNCHANGED WORKFLOW_ACTIVE WORKFLOW_INACTIVE
        WORKFLOW_INCOMPLETE WORKFLOW_INVALID WORKFLOW_REFERENCED""",
    422: """BULK_REJECTED CHECKSUM_MISMATCH CONFIRMATION_REQUIRED CONNECTION_REFUSED CONTENT_TOO_LONG
        CONTENT_TYPE_CHANGED DUPLICATE_POLICY FEATURE_REQUIRED FIELD_NOT_FACETABLE FIELD_READ_ONLY FILE_INFECTED
        FILE_TOO_LARGE FILTER_TOO_LARGE IMAGE_TOO_LARGE INCOMPLETE_ORDER INVALID_FILE_NAME INVALID_FORMAT INVALID_IMAGE
        INVALID_MEASURE INVALID_OPERATOR INVALID_PHONE INVALID_SCHEDULE LIMIT_ABOVE_PLAN LOCKOUT LOST_REASON_REQUIRED
        MEDIA_REQUIRED MISSING_PARAMETER MISSING_VARIABLE NETWORK_MISMATCH NOT_SCHEDULABLE NO_ADDRESS PASSWORD_REUSED
        PAYMENT_METHOD_DECLINED PERMISSION_NOT_GRANTED PROBABILITY_MISMATCH QUERY_TOO_SHORT REASON_REQUIRED
        RECIPIENT_NO_ACCESS REFERENCE_NOT_FOUND RESERVED_NAME RETENTION_TOO_SHORT SELF_RELATIONSHIP STAGE_FIELDS_MISSING
        STAGE_KINDS_MISSING STAGE_ORDER TEMPLATE_SYNTAX THRESHOLD_ORDER TOO_MANY_ITEMS TRIGGER_NOT_SUPPORTED
        TYPE_MISMATCH UNKNOWN_FIELD UNKNOWN_METRIC UNSUPPORTED_OPERATION URL_NOT_ALLOWED USER_HAS_NO_ACCESS
        VALIDATION_ERROR WEAK_PASSWORD WIDGET_OUT_OF_GRID WIDGET_OVERLAP WORKFLOW_LOOP""",
    429: "RATE_LIMIT_EXCEEDED TOO_MANY_ATTEMPTS",
    500: "AI_SERVICE_ERROR INTERNAL_ERROR",
    # Not in the documents: a route without a rule, and what a proxy in front of a server answers (faults use them).
    501: "NOT_IMPLEMENTED",
    502: "BAD_GATEWAY",
    503: "SERVICE_UNAVAILABLE",
    504: "GATEWAY_TIMEOUT",
}

# Found in the items of bulk answers, in jobs and in executions; never the status of a whole answer.
_ITEMS_ONLY = "AUTOMATION_LOOP DUPLICATE_IN_BATCH NO_ELIGIBLE_OWNER SOURCE_MISSING TOO_MANY_ROWS UNREADABLE_FILE"

STATUSES: Mapping[str, int] = {
    **{code: status for status, codes in _REGISTER.items() for code in codes.split()},
    **dict.fromkeys(_ITEMS_ONLY.split(), 422),
}
"""The status of every code."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one member of the input."""

    field: str | None
    """Where, in Python names: ``email``, ``filter_groups.0.filters.1.op``."""
    rule: str | None
    """``required``, ``type``, ``format``, ``min``, ``max``, ``length``, ``choice``, ``unknown``, ``reference``,
    ``unique`` or ``read_only``."""
    message: str
    code: str = "VALIDATION_ERROR"
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict[str, Any])


class Problem(Exception):  # noqa: N818 # rules raise it as an answer; RFC 9457 calls it so
    """Raised by a rule to refuse a call; the dialect renders it."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        field: str | None = None,
        rule: str | None = None,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Iterable[FieldError] = (),
    ) -> None:
        if code not in STATUSES:
            raise ValueError(f"{code!r} is no error code; the codes and their statuses are in server_stub.problems")
        super().__init__(f"{code}: {message}")
        self.code = code
        self.status = STATUSES[code]
        self.message = message
        self.field = field
        self.rule = rule
        self.details: Mapping[str, Any] = dict(details or {})
        self.headers: Mapping[str, str] = dict(headers or {})
        self.errors = tuple(errors)

    @property
    def entries(self) -> tuple[FieldError, ...]:
        """Return one entry per field, or one for the whole where no list of fields was given."""
        return self.errors or (FieldError(self.field, self.rule, self.message, self.code, self.details),)


def validation(errors: Iterable[FieldError]) -> Problem:
    """Build the 422 for a list of field errors."""
    entries = tuple(errors)
    if not entries:
        raise ValueError("a validation problem needs at least one field error")
    first = entries[0]
    more = f" (and {len(entries) - 1} more)" if len(entries) > 1 else ""
    return Problem(
        "VALIDATION_ERROR",
        f"{first.field}: {first.message}{more}" if first.field else f"{first.message}{more}",
        field=first.field,
        rule=first.rule,
        details=first.details,
        errors=entries,
    )


def invalid(field: str, rule: str, message: str, **details: Any) -> Problem:
    """Build the 422 for one field."""
    return validation([FieldError(field, rule, message, details=details)])
