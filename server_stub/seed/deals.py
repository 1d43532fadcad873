"""Makes the deals of a demo company, and the sums that need only counting."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from ..data.document import Document
from .names import OFFERINGS, OFFERS
from .records import SPAN, Records
from .setup.company import STAGES, pipeline_id, stage_id


def deals(records: Records) -> None:
    """Put the deals that did not come from leads."""
    customers = [doc for doc in records.collection("contact") if doc["account_id"] and doc["status"] == "active"]
    for _ in range(records.plan.deals - len(records.collection("deal"))):
        contact = records.random.choice(customers)
        deal(records, contact, records.moment(max(contact["created_at"], records.now - SPAN)))


def deal(records: Records, contact: Document, at: datetime, *, lead: Document | None = None) -> Document:
    """Put a deal with a contact, in a drawn stage."""
    random = records.random
    stage = random.choices(STAGES, (16, 18, 18, 12, 22, 14))[0]
    value: Decimal = (lead["value"] if lead else None) or Decimal(random.choice((3, 6, 9, 15, 28, 60)) * 1000)
    members = deal_members(records, random, contact, at, records.moment(at), stage)
    return records.put("deal", members | {"value": value, "lead_id": lead["id"] if lead else None})


def deal_members(
    records: Records,
    random: Random,
    contact: Document,
    at: datetime,
    moved: datetime,
    stage: Sequence[Any],
    *,
    pipeline: str = "",
) -> dict[str, Any]:
    """Return the members of a deal with a contact that came to a stage at a time, without its value."""
    key, _, kind, probability, category, _ = stage
    closing = (records.now + timedelta(days=random.randint(3, 150))).date() if kind == "open" else moved.date()
    if kind == "open" and random.random() < 0.4:
        closing = closing.replace(day=calendar.monthrange(closing.year, closing.month)[1])
    offering = random.choice(OFFERINGS)
    return {
        "title": f"{contact['company']} – {offering}",
        "currency": records.plan.currency,
        "pipeline_id": pipeline_id(records.plan, pipeline),
        "stage": key,
        "stage_id": stage_id(records.plan, key, pipeline),
        "status": kind,
        "probability": probability,
        "forecast_category": category,
        "expected_close_date": closing,
        "contact_id": contact["id"],
        "contact_name": contact["name"],
        "contact_roles": [{"contact_id": contact["id"], "role": "decision_maker", "is_primary": True}],
        "account_id": contact["account_id"],
        "company": contact["company"],
        "owner_id": contact["owner_id"],
        "source": contact["source"],
        "description": OFFERS[offering].format(company=contact["company"], name=contact["name"]),
        "created_date": at,
        "created_at": at,
        "updated_at": moved,
        "stage_changed_at": moved,
        "last_activity": moved,
        "days_in_stage": (records.now - moved).days if kind == "open" else 0,
        "closed_at": None if kind == "open" else moved,
        "lost_reason": random.choice(("price", "competitor", "no_budget", "timing")) if kind == "lost" else None,
        "next_step": "Send the contract" if key == "negotiation" else None,
        "priority": random.choice(("high", "medium", "medium", "low")),
        "tags": [random.choice(OFFERINGS)] if kind == "won" else [],
    }


def sum_up(records: Records) -> None:
    """Fill what only needs counting; what needs judging is the services' to compute."""
    deals, activities = records.collection("deal"), records.collection("activity")
    contacts, accounts = records.collection("contact"), records.collection("account")
    for doc in contacts.all():
        mine = [deal for deal in deals.find("contact_id", doc["id"]) if deal["status"] != "lost"]
        said = [
            act["occurred_at"]
            for act in activities.find("contact_id", doc["id"])
            if act["kind"] != "task" and act["occurred_at"] <= records.now
        ]
        contacts.put(
            doc
            | {
                "total_deals": len(deals.find("contact_id", doc["id"])),
                "open_deals": sum(deal["status"] == "open" for deal in mine),
                "total_value": sum((deal["value"] for deal in mine), Decimal(0)),
                "last_contact": max(said, default=doc["last_contact"]),
            }
        )
    for doc in accounts.all():
        mine = deals.find("account_id", doc["id"])
        won = [deal["value"] for deal in mine if deal["status"] == "won"]
        still = [deal["value"] for deal in mine if deal["status"] == "open"]
        accounts.put(
            doc
            | {
                "type": "customer" if won else "prospect",
                "child_count": len(accounts.find("parent_id", doc["id"])),
                "contact_count": len(contacts.find("account_id", doc["id"])),
                "open_deal_count": len(still),
                "open_deal_value": sum(still, Decimal(0)),
                "won_value": sum(won, Decimal(0)),
                "last_activity_at": max(
                    (
                        act["occurred_at"]
                        for act in activities.find("account_id", doc["id"])
                        if act["occurred_at"] <= records.now
                    ),
                    default=None,
                ),
            }
        )
