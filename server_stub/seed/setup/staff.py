"""What a demo company says of its people: profiles, a role of its own, a team above that of sales, and who joins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from crm_sdk.models.users import User
from crm_sdk.route import Action

from ...data.blanks import blank
from ...request.access import permissions

if TYPE_CHECKING:
    from .company import Plan

PROFILES: Mapping[str, Mapping[str, Any]] = {
    "user_ada": {
        "first_name": "Ada",
        "last_name": "Lindqvist",
        "bio": "Keeps pipeline, forecast and the tools of sales in order.",
        "location": "New York",
        "skills": ["forecasting", "SQL"],
        "start_date": date(2024, 6, 3),
    },
    "user_sam": {
        "first_name": "Sam",
        "last_name": "Okonkwo",
        "mobile": "+12125550142",
        "bio": "Looks after customers of the manufacturing industry.",
        "location": "Boston",
        "skills": ["negotiation", "Igbo"],
        "start_date": date(2024, 9, 2),
    },
    "user_mia": {
        "first_name": "Mia",
        "last_name": "Ferrández",
        "bio": "Leads the account executives.",
        "location": "New York",
        "skills": ["coaching", "Spanish"],
        "start_date": date(2024, 7, 15),
    },
    "user_gina": {"first_name": "Gina", "last_name": "Hartmann", "location": "Berlin", "skills": ["Angebote"]},
}
"""The members of profiles that the users themselves do not have, by id."""
_LEAD = {"id": "role_team_lead", "key": "team_lead", "name": "Team lead"}


def put_staff(put: Callable[[str, Mapping[str, Any]], Any], plan: Plan, now: datetime) -> None:
    """Put a company's own role and the team above that of sales; somebody has been invited to lead a team."""
    admin = plan.users[0]
    put("role", _LEAD | {
        "description": "As sales, and writes the records of the whole team.",
        "permissions": list(permissions.permissions_of(_of_a_team_lead)),
        "field_permissions": [],
        "is_system": False,
    })  # fmt: skip
    put("team", {
        "id": _revenue(plan),
        "name": "Revenue" if plan.locale == "en" else "Umsatz",
        "description": "Above all teams that sell; who will lead it is not decided." if plan.locale == "en" else None,
        "manager_id": None,
        "parent_team_id": None,
        "territory_id": None,
        "members": [],
    })  # fmt: skip
    if plan.slug == "acme":
        invited = now - timedelta(days=2)
        put("user", blank(User) | {
            "id": "user_noor",
            "name": "Noor Haddad",
            "email": "noor@acme.test",
            "role": "team_lead",
            "roles": [_LEAD],
            "title": "Team Lead Mid-Market",
            "department": "Sales",
            "manager_id": "user_mia",
            "status": "invited",
            "email_verified": False,
            "timezone": plan.timezone,
            "locale": plan.locale,
            "preferences": None,
            "tenant_id": plan.id,
            "created_at": invited,
            "updated_at": invited,
            "created_by": admin.id,
        })  # fmt: skip


def _revenue(plan: Plan) -> str:
    return f"team_{plan.slug}_revenue"


def _of_a_team_lead(resource: str, action: Action) -> permissions.Scope | None:
    scope = permissions.scope_of("sales", resource, action)
    return "team" if scope == "own" else scope
