"""Every member a stored record has, at the value it has when nobody gave one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_RECORD: Mapping[str, Any] = {
    "id": None, "created_at": None, "updated_at": None, "created_by": "system", "version": 1, "deleted_at": None,
}  # fmt: skip

_LEAD: Mapping[str, Any] = {
    "name": None, "first_name": None, "last_name": None, "email": None, "phone": None, "company": None, "title": None,
    "website": None, "industry": None, "employees": None, "annual_revenue": None, "status": "new", "source": "other",
    "source_detail": None, "campaign": None, "utm": None, "value": None, "currency": None, "notes": [],
    "rating": "cold", "score": 0, "score_reasons": [], "owner_id": None, "territory_id": None, "account_id": None,
    "address": None, "language": None, "timezone": None, "social_profiles": [], "tags": [], "do_not_contact": False,
    "email_opt_out": False, "qualification": None, "disqualified_reason": None, "first_response_at": None,
    "last_activity_at": None, "duplicate_ids": [], "converted_at": None, "converted_contact_id": None,
    "converted_account_id": None, "converted_deal_id": None, "external_id": None, "custom_fields": {},
}  # fmt: skip

_CONTACT: Mapping[str, Any] = {
    "name": None, "first_name": None, "last_name": None, "salutation": None, "email": None, "secondary_emails": [],
    "phone": None, "mobile": None, "company": None, "account_id": None, "title": None, "department": None,
    "avatar": None, "owner_id": None, "status": "active", "lifecycle_stage": "lead", "source": None, "address": None,
    "website": None, "social_profiles": [], "birthday": None, "language": None, "timezone": None,
    "do_not_contact": False, "email_opt_out": False, "sms_opt_out": False, "tags": [], "notes": [],
    "relationship_health": "medium", "health_score": 50, "sentiment": "neutral", "churn_risk": 0, "last_contact": None,
    "next_follow_up": None, "total_deals": 0, "total_value": 0, "currency": None, "open_deals": 0,
    "communication_history": [], "ai_insights": [], "lead_id": None, "merged_ids": [], "external_id": None,
    "custom_fields": {},
}  # fmt: skip

_ACCOUNT: Mapping[str, Any] = {
    "name": None, "domain": None, "website": None, "industry": None, "type": "prospect", "status": "active",
    "phone": None, "email": None, "employees": None, "annual_revenue": None, "currency": None, "description": None,
    "billing_address": None, "shipping_address": None, "parent_id": None, "owner_id": None, "territory_id": None,
    "tax_id": None, "rating": None, "source": None, "social_profiles": [], "logo": None, "tags": [],
    "health_score": 50, "contact_count": 0, "open_deal_count": 0, "open_deal_value": 0, "won_value": 0,
    "child_count": 0, "last_activity_at": None, "merged_ids": [], "external_id": None, "custom_fields": {},
}  # fmt: skip

_DEAL: Mapping[str, Any] = {
    "title": None, "value": 0, "currency": None, "pipeline_id": None, "stage": None, "stage_id": None,
    "status": "open", "probability": 0, "probability_override": None, "confidence": "medium",
    "expected_close_date": None, "contact_id": None, "contact_name": None, "contact_roles": [], "account_id": None,
    "company": None, "lead_id": None, "owner_id": None, "team_id": None, "source": None, "type": "new_business",
    "forecast_category": "pipeline", "weighted_value": 0, "created_date": None, "last_activity": None,
    "stage_changed_at": None, "days_in_stage": 0, "is_rotten": False, "closed_at": None, "lost_reason": None,
    "lost_notes": None, "won_reason": None, "next_step": None, "description": None, "tags": [], "priority": "medium",
    "competitor_mentioned": None, "risk_factors": [], "positive_signals": [], "activities": [], "ai_insights": [],
    "cloned_from": None, "external_id": None, "custom_fields": {},
}  # fmt: skip

_ACTIVITY: Mapping[str, Any] = {
    "kind": None, "title": None, "description": None, "owner_id": None, "contact_id": None, "lead_id": None,
    "deal_id": None, "account_id": None, "contact_name": None, "contact_company": None, "priority": "medium",
    "tags": [], "reminders": [], "attachments": [], "source": "manual", "occurred_at": None, "sentiment": None,
    "ai_analysis": None, "external_id": None, "custom_fields": {},
}  # fmt: skip

_ACTIVITY_KINDS: Mapping[str, Mapping[str, Any]] = {
    "task": {
        "status": "not_started", "due_at": None, "start_time": None, "completed_at": None, "is_overdue": False,
        "type": "to_do", "recurrence": None,
    },
    "event": {
        "start_time": None, "end_time": None, "type": "meeting", "location": None, "meeting_link": None,
        "attendees": [], "status": "scheduled", "ai_insights": [], "preparation": None, "outcome": None,
        "all_day": False, "timezone": None, "recurrence": None, "visibility": "public", "busy": True, "uid": None,
        "cancelled_reason": None, "integration_id": None, "recording_url": None,
    },
    "call": {
        "direction": "outbound", "status": "completed", "from_number": None, "to_number": None, "start_time": None,
        "end_time": None, "duration_seconds": None, "outcome": None, "next_step": None, "recording_url": None,
        "transcript": None, "provider": None, "provider_call_id": None,
    },
    "email": {
        "direction": "outbound", "subject": None, "from_address": None, "to": [], "cc": [], "bcc": [],
        "reply_to": None, "body_text": None, "body_html": None, "status": "sent", "sent_at": None, "received_at": None,
        "message_id": None, "thread_id": None, "in_reply_to": None, "is_read": None, "folder": None,
        "template_id": None, "tracking": None, "integration_id": None, "error": None,
    },
    "note": {"body": None, "pinned": False, "mentions": []},
}  # fmt: skip

_USER: Mapping[str, Any] = {
    "email": None, "name": None, "avatar": None, "role": "sales", "roles": [], "preferences": None, "last_login": None,
    "status": "active", "title": None, "department": None, "phone": None, "manager_id": None, "team_ids": [],
    "timezone": "UTC", "locale": "en", "monthly_quota": None, "quota_currency": None, "email_verified": True,
    "mfa_enabled": False, "tenant_id": None, "password_hash": None,
}  # fmt: skip

_RELATIONSHIP: Mapping[str, Any] = {
    "contact_id": None, "related_contact_id": None, "related_contact_name": None, "type": None, "inverse_type": None,
    "since": None, "notes": None,
}  # fmt: skip

_BLANKS: Mapping[str, Mapping[str, Any]] = {
    "lead": {**_RECORD, **_LEAD},
    "contact": {**_RECORD, **_CONTACT},
    "account": {**_RECORD, **_ACCOUNT},
    "deal": {**_RECORD, **_DEAL},
    "user": {**_RECORD, **_USER},
    "relationship": {**_RECORD, **_RELATIONSHIP},
    **{kind: {**_RECORD, **_ACTIVITY, **members, "kind": kind} for kind, members in _ACTIVITY_KINDS.items()},
}


def blank(kind: str) -> dict[str, Any]:
    """Return the members of a new record of a kind: ``lead``, ``contact``, ``account``, ``deal``, ``user``,
    ``relationship``, or one of the activities ``task``, ``event``, ``call``, ``email``, ``note``.
    """
    try:
        members = _BLANKS[kind]
    except KeyError:
        raise ValueError(f"there is no blank {kind!r}; there are {', '.join(sorted(_BLANKS))}") from None
    # Each record has lists of its own, so that a rule that changes one by mistake spoils one record, not all.
    return {name: value.copy() if isinstance(value, (list, dict)) else value for name, value in members.items()}
