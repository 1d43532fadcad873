"""The records the documents show in their examples, so that those can be tried against the demo data."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from .records import Records
from .talk.texts import Text


def put_documented(records: Records) -> None:
    """Put lead_123, lead_456 and contact_123 with the members and times the documents give them."""
    first = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
    records.put(
        "lead",
        {
            "id": "lead_123",
            "name": "John Smith",
            "first_name": "John",
            "last_name": "Smith",
            "email": "john@example.com",
            "phone": "+1234567890",
            "company": "Acme Corp",
            "status": "new",
            "source": "website",
            "value": Decimal(5000),
            "currency": records.plan.currency,
            "notes": ["Interested in enterprise plan"],
            "owner_id": "user_123",
            "created_at": first,
            "updated_at": first,
        },
    )
    second = datetime(2024, 1, 15, 10, 45, tzinfo=UTC)
    records.put(
        "lead",
        {
            "id": "lead_456",
            "name": "Jane Doe",
            "first_name": "Jane",
            "last_name": "Doe",
            "email": "jane@example.com",
            "phone": "+1987654321",
            "company": "Tech Startup",
            "status": "contacted",
            "source": "referral",
            "value": Decimal(10_000),
            "currency": records.plan.currency,
            "notes": ["High priority prospect"],
            "owner_id": "user_sam",
            "created_at": second,
            "updated_at": second,
        },
    )
    talked = datetime(2024, 1, 10, 14, 20, tzinfo=UTC)
    known = datetime(2023, 12, 1, 9, 0, tzinfo=UTC)
    account = records.account_of("Innovation Inc")
    alice = records.put(
        "contact",
        {
            "id": "contact_123",
            "name": "Alice Johnson",
            "first_name": "Alice",
            "last_name": "Johnson",
            "email": "alice@company.com",
            "phone": "+1555123456",
            "company": "Innovation Inc",
            "account_id": account["id"],
            "title": "CTO",
            "department": "Technology",
            "tags": ["decision-maker", "technical"],
            "last_contact": talked,
            "status": "active",
            "lifecycle_stage": "opportunity",
            "source": "website",
            "currency": records.plan.currency,
            "notes": ["Key technical decision maker"],
            "owner_id": "user_123",
            "created_at": known,
            "updated_at": known,
        },
    )
    records.say(
        "call",
        talked,
        Text(
            "Architecture review",
            "Went through the architecture together. She was impressed and happy with the answers.",
        ),
        contact=alice,
    )
