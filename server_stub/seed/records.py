"""Draws what the records of a demo company are made of: people, moments, moods, and what was said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Literal
from zoneinfo import ZoneInfo

from crm_sdk.models.accounts import Account
from crm_sdk.models.activities import ACTIVITY_MODELS
from crm_sdk.models.collaboration import Comment
from crm_sdk.models.contacts import Contact, ContactRelationship
from crm_sdk.models.dashboards import Dashboard, Widget
from crm_sdk.models.deals import Deal
from crm_sdk.models.leads import Lead
from crm_sdk.models.record import Record
from crm_sdk.models.report_runs import ReportSchedule
from crm_sdk.models.reports import Report
from crm_sdk.models.shares import Share

from ..data.blanks import blank
from ..data.collection import Collection
from ..data.document import Document
from ..data.queries.query import fold
from ..data.store import Store
from .names import COMPANIES, LOCALES, SOURCES, TAGS, TITLES, Company
from .setup.company import Plan
from .talk.texts import MEETINGS, TEXTS, Mood, Text

SPAN = timedelta(days=540)
SpokenKind = Literal["email", "call", "event", "note"]

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_PREFIXES = {"relationship": "rel_"}
_MODELS: Mapping[str, type[Record]] = {
    "lead": Lead,
    "contact": Contact,
    "relationship": ContactRelationship,
    "account": Account,
    "deal": Deal,
    "report": Report,
    "schedule": ReportSchedule,
    "dashboard": Dashboard,
    "widget": Widget,
    "comment": Comment,
    "share": Share,
    **ACTIVITY_MODELS,
}


class Records:
    """The records of one company while they are made."""

    def __init__(self, store: Store, plan: Plan, now: datetime, random: Random) -> None:
        self.store = store
        self.plan = plan
        self.now = now
        self.random = random
        self.sellers = [person.id for person in plan.users if person.role != "read_only"]
        self.emails: set[str] = set()
        self._accounts: dict[str, Document] = {}
        abroad = random.sample(COMPANIES, len(COMPANIES))
        at_home = [company for company in COMPANIES if company.country == plan.country]
        self._companies = abroad + at_home * 2  # more of the own country

    def collection(self, kind: str) -> Collection:
        """Return the company's documents of a kind."""
        return self.store.collection(self.plan.id, kind)

    def model(self, kind: str) -> type[Record]:
        """Return the model of a kind of records."""
        return _MODELS[kind]

    def put(self, kind: str, members: Mapping[str, Any], *, shape: str | None = None) -> Document:
        """Store a record with every member it can have; one without an id gets one."""
        shape = shape or kind
        doc = blank(_MODELS[shape]) | dict(members)
        if doc["id"] is None:
            doc["id"] = self.store.new_id(_PREFIXES.get(shape, f"{shape}_"))
        return self.collection(kind).put(Document(doc))

    def moment(self, after: datetime | None = None) -> datetime:
        """Draw a time between `after` (or 18 months ago) and now, later ones more often."""
        earliest = after or self.now - SPAN
        at: datetime = self.now - (self.now - earliest) * (self.random.random() ** 1.5)
        return max(at.replace(microsecond=0), earliest)

    def office_hours(self, at: datetime, after: datetime) -> datetime:
        """Move the time of a meeting or a call into office hours, back over a weekend; not to before `after`."""
        local = at.astimezone(ZoneInfo(self.plan.timezone))
        local = local.replace(hour=9 + local.hour % 8, minute=local.minute // 15 * 15, second=0, microsecond=0)
        while local.weekday() > 4 or local > self.now - timedelta(hours=1):
            local -= timedelta(days=1)
        moved = local.astimezone(UTC)
        return moved if moved >= after else at

    def person(self) -> dict[str, Any]:
        """Draw somebody: name, address, company and how to reach them."""
        random = self.random
        company: Company | None = random.choice(self._companies) if random.random() < 0.9 else None
        country = company.country if company else self.plan.country
        locale = LOCALES[country]
        first, last = random.choice(locale.first), random.choice(locale.last)
        city, state, postal_code = random.choice(locale.cities)
        title = random.choice(TITLES)[0] if company else None
        return {
            "name": f"{first} {last}",
            "first_name": first,
            "last_name": last,
            "email": self._email(first, last, company.domain if company else "mail.example"),
            "phone": "".join(str(random.randrange(10)) if mark == "#" else mark for mark in locale.phone),
            "company": company.name if company else None,
            "title": title,
            "website": f"https://www.{company.domain}" if company else None,
            "language": locale.language,
            "timezone": locale.timezone,
            "address": {
                "street": f"{random.choice(locale.streets)} {random.randint(1, 180)}",
                "street2": None,
                "city": city,
                "state": state or None,
                "postal_code": postal_code,
                "country": country,
            },
            "tags": random.sample(TAGS, random.choice((0, 0, 1, 1, 2, 3))),
            "source": random.choice(SOURCES),
            "owner_id": random.choice(self.sellers),
            "currency": self.plan.currency,
        }

    def _email(self, first: str, last: str, domain: str) -> str:
        local = ".".join(
            "".join(letter for letter in fold(part.lower().translate(_UMLAUTS)) if letter.isalnum())
            for part in (first, last)
        )
        email, number = f"{local}@{domain}", 2
        while email in self.emails:
            email, number = f"{local}{number}@{domain}", number + 1
        self.emails.add(email)
        return email

    def territory_of(self, country: str) -> str | None:
        """Return the id of the territory a country lies in."""
        for territory in self.collection("territory"):
            if country in territory["rules"][0]["values"]:
                return str(territory["id"])
        return None

    def mood(self, status: str) -> Mood:
        """Draw a mood that goes with the status of a lead."""
        weights = {"qualified": (6, 3, 1), "unqualified": (1, 3, 6)}.get(status, (3, 5, 2))
        return self.random.choices(("positive", "neutral", "negative"), weights)[0]

    def text(self, language: str, mood: Mood) -> Text:
        """Draw something said in a mood, in English where the language has no texts."""
        return self.random.choice(TEXTS.get((language, mood)) or TEXTS["en", mood])

    def account_of(self, company: str) -> Document:
        """Return the account of a company, made at the first time."""
        account = self._accounts.get(company)
        if account is None:
            known = next(found for found in COMPANIES if found.name == company)
            at = self.now - SPAN
            account = self._accounts[company] = self.put(
                "account",
                {
                    "name": known.name,
                    "domain": known.domain,
                    "website": f"https://www.{known.domain}",
                    "industry": known.industry,
                    "employees": known.employees,
                    "annual_revenue": Decimal(known.employees * 140_000),
                    "currency": self.plan.currency,
                    "owner_id": self.random.choice(self.sellers),
                    "territory_id": self.territory_of(known.country),
                    "created_at": at,
                    "updated_at": at,
                },
            )
        return account

    def say(
        self,
        kind: SpokenKind,
        at: datetime,
        text: Text,
        *,
        contact: Document | None = None,
        lead: Document | None = None,
    ) -> Document:
        """Put an activity: what was written or said with a contact or a lead, at a time."""
        who = contact or lead
        assert who is not None, "an activity belongs to a contact or a lead"
        inbound = self.random.random() < 0.6
        members: dict[str, Any] = {
            "title": self._title(kind, text, who),
            "description": text.body,
            "owner_id": who["owner_id"],
            "contact_id": contact and contact["id"],
            "lead_id": lead and lead["id"],
            "account_id": who["account_id"],
            "contact_name": who["name"],
            "contact_company": who["company"],
            "occurred_at": at,
            "created_at": at,
            "updated_at": at,
        }
        return self.put("activity", members | self._talk_members(kind, at, text, who, inbound), shape=kind)

    def _title(self, kind: SpokenKind, text: Text, who: Document) -> str:
        """Return the title of an activity: a meeting has that of its invitation, not the subject of a letter."""
        if kind != "event":
            return text.subject
        titles = MEETINGS.get(str(who["language"])[:2], MEETINGS["en"])
        return titles[sum(map(ord, who["id"] + text.subject)) % len(titles)].format(
            company=who["company"] or who["name"]
        )

    def _talk_members(self, kind: SpokenKind, at: datetime, text: Text, who: Document, inbound: bool) -> dict[str, Any]:
        direction = "inbound" if inbound else "outbound"
        if kind == "note":
            return {"body": f"{text.subject}\n\n{text.body}"}
        minutes = self.random.choice((5, 10, 15, 30, 45))
        span = {"start_time": at, "end_time": at + timedelta(minutes=minutes)}
        if kind == "call":
            numbers = {"from_number" if inbound else "to_number": who["phone"]}
            return {**span, **numbers, "direction": direction, "duration_seconds": minutes * 60, "outcome": "connected"}
        ours = next((person for person in self.plan.users if person.id == who["owner_id"]), self.plan.users[0])
        if kind == "event":
            guest = {"id": None, "name": who["name"], "email": who["email"], "role": "required", "status": "accepted"}
            host = {"id": None, "name": ours.name, "email": ours.email, "role": "host", "status": "accepted"}
            done = "completed" if at < self.now else "scheduled"
            attendees = [
                host | {"user_id": ours.id, "contact_id": None},
                guest | {"user_id": None, "contact_id": who["id"]},
            ]
            return {
                **span,
                "status": done,
                "attendees": attendees if who["email"] else attendees[:1],
                "timezone": self.plan.timezone,
            }
        theirs = {"email": who["email"] or "unknown@mail.example", "name": who["name"]}
        mine = {"email": ours.email, "name": ours.name}
        return {
            "direction": direction,
            "subject": text.subject,
            "body_text": text.body,
            "from_address": theirs if inbound else mine,
            "to": [mine if inbound else theirs],
            "status": "received" if inbound else "sent",
            "sent_at": at,
            "received_at": at if inbound else None,
            "is_read": True,
            "folder": "inbox" if inbound else "sent",
        }
