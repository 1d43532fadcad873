"""What a demo company has before its first lead: users, keys, teams, territories, pipelines, an agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from crm_sdk.models.users import User

from ...data.blanks import blank
from ...data.document import Document
from ...data.store import Store
from ...request.access.identity import fingerprint, hash_password
from ...request.access.policy import first_policy
from .security import put_security
from .staff import PROFILES, put_staff

DEMO_PASSWORD = "demo-password"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works in a demo company."""

    id: str
    name: str
    email: str
    role: str
    title: str
    password: str = DEMO_PASSWORD


@dataclass(frozen=True, slots=True)
class Plan:
    """What one demo company shall be."""

    id: str
    slug: str
    name: str
    plan: str
    currency: str
    country: str
    timezone: str
    locale: str
    region: str
    rates: Mapping[str, str]
    users: tuple[Person, ...]
    keys: tuple[tuple[str, str, str], ...]
    """API key, role, id of the user it acts for."""
    leads: int
    contacts: int
    deals: int


ACME = Plan(
    "tenant_acme", "acme", "Acme", "enterprise", "USD", "US", "America/New_York", "en", "us",
    {"EUR": "1.08", "GBP": "1.27"},
    (
        Person("user_ada", "Ada Lindqvist", "ada@acme.test", "admin", "Head of Sales Operations"),
        Person("user_sam", "Sam Okonkwo", "sam@acme.test", "sales", "Account Executive"),
        Person("user_123", "John Doe", "user@example.com", "sales", "Account Executive", "securepassword"),
        Person("user_mia", "Mia Ferrández", "mia@acme.test", "manager", "Sales Manager"),
        Person("user_rita", "Rita Vögele", "rita@acme.test", "read_only", "Controller"),
    ),
    (("acme-admin", "admin", "user_ada"), ("acme-sales", "sales", "user_sam"), ("your-api-key", "admin", "user_ada")),
    leads=224, contacts=132, deals=56,
)  # fmt: skip

GLOBEX = Plan(
    "tenant_globex", "globex", "Globex", "pro", "EUR", "DE", "Europe/Berlin", "de", "eu",
    {"USD": "0.93", "GBP": "1.17"},
    (
        Person("user_gina", "Gina Hartmann", "gina@globex.test", "admin", "Vertriebsleiterin"),
        Person("user_lars", "Lars Øverland", "lars@globex.test", "sales", "Key Account Manager"),
    ),
    (("globex-admin", "admin", "user_gina"),),
    leads=64, contacts=44, deals=18,
)  # fmt: skip

Stages = tuple[tuple[str, str, str, int, str, int | None], ...]
"""Key, name, kind, probability, forecast category, days until a deal rots."""
STAGES: Stages = (
    ("prospect", "Prospect", "open", 10, "pipeline", 30),
    ("qualified", "Qualified", "open", 25, "best_case", 30),
    ("proposal", "Proposal", "open", 50, "best_case", 21),
    ("negotiation", "Negotiation", "open", 75, "commit", 14),
    ("closed-won", "Closed won", "won", 100, "closed", None),
    ("closed-lost", "Closed lost", "lost", 0, "omitted", None),
)
"""Those of the default pipeline."""
RENEWALS: Stages = (
    ("qualified", "Due", "open", 50, "best_case", 30),
    ("proposal", "Quoted", "open", 70, "best_case", 21),
    ("negotiation", "In talks", "open", 85, "commit", 14),
    ("closed-won", "Renewed", "won", 100, "closed", None),
    ("closed-lost", "Churned", "lost", 0, "omitted", None),
)
"""Those of the pipeline of contracts that are to be renewed; their keys are those that flow's document has."""

Put = Callable[[str, Mapping[str, Any]], Document]


def put_company(store: Store, plan: Plan, now: datetime) -> None:
    """Put a company and all it has before its first lead."""
    born = now - timedelta(days=600)
    record = {"created_at": born, "updated_at": born, "created_by": "system", "version": 1, "deleted_at": None}

    def put(kind: str, members: Mapping[str, Any]) -> Document:
        return store.collection(plan.id, kind).put(Document({**record, **members}))

    put("tenant", _tenant(plan, now))
    team = f"team_{plan.slug}_sales"
    admin = plan.users[0]
    for person in plan.users:
        stamps = record | {"last_login": now - timedelta(days=1)}
        put("user", _user(plan, person, team) | stamps | {"profile": PROFILES.get(person.id, {})})
    put_staff(put, plan, now)
    put(
        "team",
        {
            "id": team,
            "name": "Sales" if plan.locale == "en" else "Vertrieb",
            "description": None,
            "manager_id": admin.id,
            "parent_team_id": f"team_{plan.slug}_revenue",
            "territory_id": None,
            "members": [
                {
                    "user_id": person.id,
                    "name": person.name,
                    "role": "lead" if person is admin else "member",
                    "joined_at": born,
                }
                for person in plan.users
                if person.role != "read_only"
            ],
        },
    )
    for key, role, user_id in plan.keys:
        put(
            "api_key",
            {
                "id": f"apikey_{key.replace('-', '_')}",
                "name": key,
                "role": role,
                "user_id": user_id,
                "tenant_id": plan.id,
                "fingerprint": fingerprint(key),
                "description": None,
                "prefix": key[:12],
                "permissions": None,
                "ip_allowlist": [],
                "expires_at": None,
                "revoked_at": None,
                "previous_valid_until": None,
            },
        )
    put_security(put, plan.slug, admin.id, now)
    _pipelines(put, plan)
    _territories(put, plan)
    if plan is ACME:
        _agent(put)


def _tenant(plan: Plan, now: datetime) -> dict[str, Any]:
    hours = [{"weekday": day, "start": "09:00", "end": "17:30"} for day in range(5)]
    return {
        "id": plan.id,
        "name": plan.name,
        "slug": plan.slug,
        "domain": f"{plan.slug}.test",
        "status": "active",
        "plan": plan.plan,
        "region": plan.region,
        "country": plan.country,
        "timezone": plan.timezone,
        "locale": plan.locale,
        "languages": ["en", "de", "es", "ar"],
        "base_currency": plan.currency,
        "currencies": [
            {"currency": currency, "rate": Decimal(rate), "as_of": now.date()} for currency, rate in plan.rates.items()
        ],
        "admin_email": plan.users[0].email,
        "admin_name": plan.users[0].name,
        "logo": None,
        "trial_ends_at": None,
        "managed_by": None,
        "cancelled_at": None,
        "date_format": "YYYY-MM-DD",
        "time_format": "24h",
        "week_start": 0,
        "fiscal_year_start_month": 1,
        "business_hours": {"timezone": plan.timezone, "days": hours, "holidays": []},
        "branding": {"app_name": f"{plan.name} CRM", "logo": None, "primary_color": "#1f6feb", "login_message": None},
        "security": first_policy(),
        "email": {"from_address": f"crm@{plan.slug}.test", "from_name": plan.name, "reply_to": None, "footer": None},
        "lead_assignment": "round_robin",
        "default_pipeline_id": f"pipeline_{plan.slug}",
        "duplicate_policy": "warn",
        "features": {},
        "limits": {},
        "config": {},
    }


def _user(plan: Plan, person: Person, team: str) -> dict[str, Any]:
    return blank(User) | {
        "id": person.id,
        "name": person.name,
        "email": person.email,
        "role": person.role,
        "roles": [
            {"id": f"role_{person.role}", "key": person.role, "name": person.role.replace("_", " ").capitalize()}
        ],
        "title": person.title,
        "department": "Sales",
        "manager_id": None if person is plan.users[0] else plan.users[0].id,
        "team_ids": [] if person.role == "read_only" else [team],
        "timezone": plan.timezone,
        "locale": plan.locale,
        "monthly_quota": Decimal(50_000) if person.role == "sales" else None,
        "quota_currency": plan.currency if person.role == "sales" else None,
        "preferences": {
            "theme": "light",
            "notifications": True,
            "timezone": plan.timezone,
            "language": "en",  # of all, so that a message reads alike whoever asks; of a company it is its `locale`
            "date_format": "YYYY-MM-DD",
            "time_format": "24h",
            "week_start": 0,
            "currency": plan.currency,
            "default_pipeline_id": None,
            "email_signature": None,
            "business_hours": None,
            "calendar_view": "week",
        },
        "tenant_id": plan.id,
        "password_hash": hash_password(person.password, person.id),
    }


def pipeline_id(plan: Plan, pipeline: str = "") -> str:
    """Return the id of a pipeline of the company; without a word that of the default one."""
    return f"pipeline_{plan.slug}{pipeline and '_'}{pipeline}"


def stage_id(plan: Plan, key: str, pipeline: str = "") -> str:
    """Return the id of a stage of the company's default pipeline, or of another one."""
    return f"stage_{plan.slug}_{pipeline}{pipeline and '_'}{key.replace('-', '_')}"


def _pipelines(put: Put, plan: Plan) -> None:
    english = plan.locale == "en"
    _pipeline(put, plan, "", "Sales" if english else "Vertrieb", STAGES)
    _pipeline(put, plan, "renewals", "Renewals" if english else "Verlängerungen", RENEWALS, require_lost_reason=True)


def _pipeline(put: Put, plan: Plan, word: str, name: str, stages: Stages, **rules: bool) -> None:
    pipeline = put(
        "pipeline",
        {
            "id": pipeline_id(plan, word),
            "name": name,
            "description": None,
            "entity_type": "deal",
            "is_default": not word,
            "active": True,
            "position": 1 if word else 0,
            "allow_backward": True,
            "allow_skip": True,
            "lock_closed": False,
            "require_lost_reason": False,
            **rules,
        },
    )
    for position, (key, stage_name, kind, probability, category, rotten_days) in enumerate(stages):
        put(
            "stage",
            {
                "id": stage_id(plan, key, word),
                "pipeline_id": pipeline["id"],
                "key": key,
                "name": stage_name,
                "position": position,
                "kind": kind,
                "probability": probability,
                "forecast_category": category,
                "rotten_days": rotten_days,
                "required_fields": [],
                "color": None,
            },
        )


def _territories(put: Put, plan: Plan) -> None:
    areas = (
        {"dach": ["DE", "AT", "CH"], "nordics": ["SE", "NO", "DK", "FI"], "rest_of_europe": ["FR", "ES", "PL", "GB"]}
        if plan.country == "DE"
        else {"americas": ["US", "CA", "BR"], "europe": ["GB", "DE", "FR", "ES", "PL", "SE"]}
    )
    sellers = [person.id for person in plan.users if person.role in ("sales", "manager")]
    for priority, (code, countries) in enumerate(areas.items(), 1):
        put(
            "territory",
            {
                "id": f"territory_{code}",
                "name": code.replace("_", " ").title() if code != "dach" else "DACH",
                "code": code,
                "parent_id": None,
                "manager_id": plan.users[0].id,
                "member_ids": sellers[priority - 1 :] or sellers,
                "rules": [{"field": "country", "op": "in", "value": None, "values": countries}],
                "priority": priority * 10,
                "active": True,
            },
        )


def _agent(put: Put) -> None:
    made = datetime(2024, 1, 1, tzinfo=UTC)
    put(
        "agent",
        {
            "id": "agent_123",
            "name": "Sales Assistant",
            "type": "sales",
            "status": "active",
            "capabilities": ["lead-qualification", "appointment-scheduling"],
            "performance": {"total_interactions": 1250, "success_rate": 0.78, "avg_response_time": 1.2},
            # A free-form member: its keys are the user's own, they stay as they came.
            "config": {"model": "gpt-4", "temperature": 0.7, "maxTokens": 1000},
            "created_at": made,
            "updated_at": made,
        },
    )
