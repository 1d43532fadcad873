"""The apps of the demo marketplace: what each of them says of itself, and what it asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

_FREE: Mapping[str, Any] = {"model": "free"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An app, and how many companies of all have taken and left it in the last year."""

    slug: str
    name: str
    tagline: str
    description: str
    category: str
    developer: str
    """The slug of a demo company, or the name of another one."""
    permissions: Sequence[str]
    optional_permissions: Sequence[str] = ()
    config_schema: Sequence[Mapping[str, Any]] = ()
    pricing: Mapping[str, Any] = field(default_factory=lambda: dict(_FREE))
    redirect_uris: Sequence[str] = ()
    tags: Sequence[str] = ()
    rating: float
    rating_count: int
    featured: bool = False
    versions: Sequence[tuple[str, int, str, Mapping[str, Any]]]
    """Version, days ago, changelog, and what it asked for where that differs from what the app asks for now."""
    taken: int
    left: int


def _field(key: str, label: str, type: str, **more: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {"required": False, "default": None, "options": [], "help_text": None, "pattern": None}
    return {"key": key, "label": label, "type": type, **plain, **more}


OFFERS: Sequence[Offer] = (
    Offer(
        slug="ledgerline-invoices",
        name="Ledgerline Invoices",
        tagline="Turns won deals into invoices",
        description="Drafts an invoice when a deal is won, with the account's billing address and the deal's value, "
        "and notes on the deal when it is paid. Invoices are numbered without gaps.",
        category="finance",
        developer="Ledgerline",
        permissions=("accounts:read", "deals:read", "activities:create"),
        optional_permissions=("contacts:read",),
        config_schema=(
            _field("api_key", "API key", "secret", required=True, help_text="Ledgerline shows it under Settings, API."),
            _field("prefix", "Prefix of the numbers", "text", default="INV-", pattern="[A-Z]{1,6}-"),
            _field("due_days", "Days to pay", "number", default=14),
            _field("language", "Language of invoices", "select", options=["en", "de", "es"], required=True),
            _field("copy_to", "Copies to", "email"),
        ),
        pricing={
            "model": "subscription",
            "amount": Decimal(19),
            "currency": "EUR",
            "interval": "month",
            "trial_days": 14,
        },
        tags=("invoices", "accounting"),
        rating=4.6,
        rating_count=87,
        featured=True,
        versions=(
            ("1.0.0", 410, "The first version.", {"optional_permissions": []}),
            ("1.4.0", 190, "Copies of invoices by e-mail.", {}),
            ("2.0.0", 45, "Invoices in Spanish.", {}),
        ),
        taken=46,
        left=7,
    ),
    Offer(
        slug="ringbridge",
        name="Ringbridge",
        tagline="Calls by a click, with notes written for you",
        description="Calls contacts and leads from their page and logs every call with its length and a summary.",
        category="communication",
        developer="Ringbridge Telephony",
        permissions=("contacts:read", "leads:read", "activities:create"),
        optional_permissions=("activities:update",),
        config_schema=(
            _field("region", "Region of the numbers", "select", options=["eu", "us", "apac"], required=True),
            _field("record", "Record calls", "boolean", default=False),
        ),
        pricing={"model": "freemium", "amount": Decimal(12), "currency": "USD", "interval": "month"},
        tags=("telephone", "calls"),
        rating=4.2,
        rating_count=141,
        versions=(("1.0.0", 300, "The first version.", {}), ("1.1.0", 120, "Numbers in Asia and the Pacific.", {})),
        taken=58,
        left=13,
    ),
    Offer(
        slug="clearname",
        name="Clearname",
        tagline="Finds duplicates before your customers do",
        description="Looks through contacts and accounts every night and proposes which of them are the same.",
        category="data",
        developer="Clearname Data",
        permissions=("contacts:read", "accounts:read"),
        optional_permissions=("contacts:update", "contacts:delete"),
        pricing={"model": "one_time", "amount": Decimal("249.00"), "currency": "USD"},
        tags=("duplicates", "data quality"),
        rating=3.9,
        rating_count=33,
        versions=(("1.0.0", 240, "The first version.", {}),),
        taken=21,
        left=4,
    ),
    Offer(
        slug="territory-heatmap",
        name="Territory Heatmap",
        tagline="Shows on a map where deals are won",
        description="Draws accounts and the value of their deals on a map, territory by territory.",
        category="analytics",
        developer="acme",
        permissions=("accounts:read", "deals:read"),
        redirect_uris=("https://heatmap.acme.test/signed-in",),
        tags=("maps", "territories"),
        rating=4.4,
        rating_count=12,
        versions=(("1.0.0", 150, "The first version.", {}), ("1.0.1", 60, "Countries without deals are grey.", {})),
        taken=17,
        left=2,
    ),
    Offer(
        slug="angebotsmappe",
        name="Angebotsmappe",
        tagline="Quotes as a folder that customers like to open",
        description="Makes a quote of a deal: cover letter, positions, terms, in the company's colours.",
        category="productivity",
        developer="globex",
        permissions=("deals:read", "contacts:read", "files:create"),
        config_schema=(_field("sender", "Sender", "email", required=True),),
        tags=("quotes", "documents"),
        rating=4.1,
        rating_count=9,
        versions=(
            ("1.0.0", 100, "The first version.", {"permissions": ["deals:read", "contacts:read"]}),
            ("1.1.0", 12, "Quotes are stored among the files of the deal.", {}),
        ),
        taken=11,
        left=1,
    ),
)
