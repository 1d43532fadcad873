"""Makes the leads and contacts of a demo company: some asked twice, some were converted, some are spelt in two ways."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from crm_sdk.models.contacts import Contact

from ..data.document import Document
from ..data.queries.query import fold
from .deals import deal as deal_with
from .names import CAMPAIGNS, COMPANIES, TITLES
from .records import Records
from .talk.texts import LEAD_NOTES

_SHARED = (
    "name", "first_name", "last_name", "email", "phone", "company", "title", "website", "language", "timezone",
    "address", "tags", "source", "owner_id", "currency",
)  # fmt: skip


def people(records: Records) -> None:
    """Put the leads, then the contacts."""
    for at in sorted(records.moment() for _ in range(records.plan.leads)):
        lead(records, at)
    duplicates(records)
    convert(records)
    missing = records.plan.contacts - len(records.collection("contact"))
    for at in sorted(records.moment() for _ in range(missing)):
        contact(records, at, records.person())
    similar(records)
    relationships(records)


def lead(records: Records, at: datetime) -> Document:
    """Put a lead that came in at a time, and what became of it."""
    random = records.random
    person = records.person()
    company = next((found for found in COMPANIES if found.name == person["company"]), None)
    status = random.choices(("new", "contacted", "qualified", "unqualified"), (38, 28, 22, 12))[0]
    if records.now - at > timedelta(days=240) and status == "new":
        status = "contacted"
    owner = person["owner_id"] if status != "new" or random.random() < 0.75 else None
    touched = records.moment(at) if status != "new" else None
    campaign = random.choice(CAMPAIGNS) if person["source"] in ("advertising", "email", "event") else None
    language = str(person["language"])[:2]
    doc = records.put(
        "lead",
        person
        | {
            "industry": company.industry if company else None,
            "employees": company.employees if company and random.random() < 0.6 else None,
            "annual_revenue": Decimal(company.employees * 140_000) if company and random.random() < 0.3 else None,
            "phone": person["phone"] if random.random() < 0.8 else None,
            "status": status,
            "campaign": campaign,
            "utm": {
                "source": person["source"],
                "medium": "cpc",
                "campaign": campaign,
                "term": None,
                "content": None,
            }
            if campaign
            else None,
            "value": Decimal(random.choice((1, 2, 5, 8, 12, 20, 45)) * 500) if random.random() < 0.85 else None,
            "notes": [random.choice(LEAD_NOTES.get(language, LEAD_NOTES["en"]))] if random.random() < 0.5 else [],
            "owner_id": owner,
            "territory_id": records.territory_of(person["address"]["country"]),
            "email_opt_out": random.random() < 0.04,
            "created_at": at,
            "updated_at": touched or at,
            "first_response_at": at + timedelta(hours=random.randint(1, 70))
            if touched and touched > at + timedelta(days=3)
            else touched,
            "last_activity_at": touched,
            "version": 2 if touched else 1,
        },
    )
    if status in ("qualified", "unqualified") and touched:
        doc = judge(records, doc, status == "qualified", touched)
    if touched:
        records.say(
            random.choice(("email", "call", "note")), touched, records.text(language, records.mood(status)), lead=doc
        )
    return doc


def judge(records: Records, doc: Document, qualified: bool, at: datetime) -> Document:
    """Put how a lead was qualified, or why not."""
    reason = (
        None
        if qualified
        else records.random.choice(("No budget this year", "Student project", "Too small", "No reply"))
    )
    value = doc["value"]
    judgement = {
        "qualified": qualified,
        "reason": reason,
        "budget": value if qualified else None,
        "authority": qualified,
        "need": "Replaces spreadsheets" if qualified else None,
        "timeline": (records.now + timedelta(days=records.random.randint(20, 120))).date() if qualified else None,
        "notes": None,
        "qualified_at": at,
        "qualified_by": doc["owner_id"],
    }
    return records.collection("lead").put(doc | {"qualification": judgement, "disqualified_reason": reason})


def duplicates(records: Records) -> None:
    """Let some people have asked twice, and name the pairs in `duplicate_ids`."""
    leads = records.collection("lead")
    for original in records.random.sample(
        [doc for doc in leads if doc["email"] and doc["phone"]], records.plan.leads // 25
    ):
        at = records.moment(original["created_at"])
        again = {
            name: original[name] for name in ("name", "first_name", "last_name", "company", "language", "timezone")
        }
        same = {"email": original["email"]} if records.random.random() < 0.7 else {"phone": original["phone"]}
        records.put(
            "lead",
            again | same | {"source": "website", "currency": records.plan.currency, "created_at": at, "updated_at": at},
        )
    for doc in leads.all():
        others = {
            other["id"]
            for field in ("email", "phone")
            if doc[field]
            for other in leads.find(field, doc[field])
            if other["id"] != doc["id"]
        }
        if others:
            leads.put(doc | {"duplicate_ids": sorted(others)})


def convert(records: Records) -> None:
    """Make contacts, accounts and deals of some of the older leads."""
    ripe = [
        doc
        for doc in records.collection("lead")
        if doc["status"] == "qualified" and doc["company"] and records.now - doc["created_at"] > timedelta(days=20)
    ]
    for lead in ripe[: records.plan.leads // 8]:
        at = records.moment(lead["updated_at"])
        person = contact(records, at, {name: lead[name] for name in _SHARED}, lead_id=lead["id"])
        deal = deal_with(records, person, at, lead=lead) if records.random.random() < 0.75 else None
        records.collection("lead").put(
            lead
            | {
                "status": "converted",
                "converted_at": at,
                "converted_contact_id": person["id"],
                "converted_account_id": person["account_id"],
                "converted_deal_id": deal and deal["id"],
                "updated_at": at,
                "version": lead["version"] + 1,
            }
        )


def contact(records: Records, at: datetime, person: Mapping[str, Any], *, lead_id: str | None = None) -> Document:
    """Put a contact, at the account of its company."""
    random = records.random
    company = person["company"]
    members = {name: value for name, value in person.items() if name in Contact.model_fields}
    members["department"] = next((place for title, place in TITLES if title == members["title"]), None)
    return records.put(
        "contact",
        members
        | {
            "account_id": records.account_of(company)["id"] if company else None,
            "status": "active" if lead_id else random.choices(("active", "inactive", "archived"), (88, 9, 3))[0],
            "lifecycle_stage": "opportunity"
            if lead_id
            else random.choice(("lead", "mql", "sql", "customer", "customer")),
            "birthday": (at - timedelta(days=random.randint(8_000, 22_000))).date() if random.random() < 0.3 else None,
            "lead_id": lead_id,
            "created_at": at,
            "updated_at": at,
        },
    )


def similar(records: Records) -> None:
    """Let some contacts be there twice, spelt a little differently: something for deduplicate to find."""
    contacts = records.collection("contact")
    named = [doc for doc in contacts if doc["company"] and doc["phone"] and doc["id"] != "contact_123"]
    for number, original in enumerate(records.random.sample(named, records.plan.contacts // 20)):
        at = records.moment(original["created_at"])
        first, last = original["first_name"], original["last_name"]
        spelt = fold(f"{first} {last}").title() if number % 2 else f"{first[0]}. {last}"
        records.put(
            "contact",
            {
                name: original[name]
                for name in ("company", "account_id", "language", "timezone", "currency", "last_name")
            }
            | {
                "name": spelt,
                "first_name": spelt.split()[0],
                "phone": original["phone"] if number % 3 else None,
                "owner_id": original["owner_id"],
                "source": "import",
                "created_at": at,
                "updated_at": at,
            },
        )


def relationships(records: Records) -> None:
    """Let the first contact of an account be the boss of the second and a colleague of the third."""
    pairs: dict[str, list[Document]] = {}
    for doc in records.collection("contact"):
        if doc["account_id"]:
            pairs.setdefault(doc["account_id"], []).append(doc)
    for colleagues in pairs.values():
        if len(colleagues) < 3:
            continue
        boss, *others = colleagues
        for number, other in enumerate(others[:2]):
            type, inverse = (("reports_to", "manages"), ("colleague", "colleague"))[number]
            at = max(boss["created_at"], other["created_at"])
            records.put(
                "relationship",
                {
                    "contact_id": other["id"],
                    "related_contact_id": boss["id"],
                    "related_contact_name": boss["name"],
                    "type": type,
                    "inverse_type": inverse,
                    "created_at": at,
                    "updated_at": at,
                },
            )
