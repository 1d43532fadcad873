"""What a demo company has defined itself: the subscriptions that its won deals became, and their onboardings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from crm_sdk.models.custom_fields import CustomField
from crm_sdk.models.custom_objects import CustomObject, ObjectRelationship
from crm_sdk.models.custom_records import CustomRecord

from ..data.blanks import blank
from ..data.document import Document
from .records import Records

_MONTHS = Decimal(12)
_TRIAL = timedelta(days=14)


def custom_objects(records: Records) -> None:
    """Put two custom objects with their fields, the relationship between them, and their records."""
    english = records.plan.locale == "en"
    labels = ("Subscription", "Subscriptions") if english else ("Abonnement", "Abonnements")
    subscription = _object(records, "subscription", labels, "What a customer has bought, and until when.")
    labels = ("Onboarding", "Onboardings") if english else ("Einführung", "Einführungen")
    onboarding = _object(records, "onboarding", labels, "How a new customer gets to work with it.")
    _fields(records, subscription, _of_subscriptions(records, english))
    _fields(records, onboarding, _of_onboardings(english))
    customer = _relationship(records, subscription, "customer", "account", "many_to_one", "Customer", "Kunde")
    people = _relationship(records, onboarding, "people", "contact", "many_to_many", "People", "Beteiligte")
    _put_relationship(records, onboarding, subscription)
    won = sorted(
        (deal for deal in records.collection("deal") if deal["status"] == "won" and deal["account_id"]),
        key=lambda deal: (deal["closed_at"], deal["id"]),
    )
    for number, deal in enumerate(won, start=1):
        made = _subscription(records, subscription, customer["api_name"], deal, number)
        if records.now - deal["closed_at"] < timedelta(days=120):
            _onboarding(records, onboarding, people["api_name"], deal, made)
    number_field = next(f for f in records.collection("field") if f["api_name"] == "number")
    records.collection("field").put(number_field | {"numbers_given": len(won)})


def _put(records: Records, kind: str, model: Any, prefix: str, members: Mapping[str, Any]) -> Document:
    born = records.now - timedelta(days=400)
    stamps = {"id": records.store.new_id(prefix), "created_at": born, "updated_at": born, "version": 1}
    return records.collection(kind).put(Document({**blank(model), **stamps, "created_by": "system", **members}))


def _object(records: Records, name: str, labels: tuple[str, str], description: str) -> Document:
    members = {"api_name": name, "label": labels[0], "plural_label": labels[1], "description": description}
    return _put(records, "custom_object", CustomObject, "object_", members)


def _fields(records: Records, owner: Document, fields: Sequence[tuple[str, str, str, Mapping[str, Any]]]) -> None:
    first = ("name", "Name", "text", {"is_system": True})
    for position, (name, label, type, more) in enumerate((first, *fields)):
        members = {"object_id": owner["id"], "api_name": name, "label": label, "type": type, "position": position}
        _put(records, "field", CustomField, "field_", {**members, **more})


def _options(*words: str) -> dict[str, Any]:
    return {
        "options": [
            {"value": word, "label": word.replace("_", " ").capitalize(), "color": None, "active": True, "position": n}
            for n, word in enumerate(words)
        ]
    }


def _of_subscriptions(records: Records, english: bool) -> Sequence[tuple[str, str, str, Mapping[str, Any]]]:
    money = {"currency": records.plan.currency, "min_value": Decimal(0)}
    return (
        ("number", "Number" if english else "Nummer", "auto_number", {"format": "SUB-{0000}"}),
        ("plan", "Plan" if english else "Tarif", "select", {**_options("team", "business", "enterprise")}),
        ("seats", "Seats" if english else "Plätze", "integer", {"min_value": Decimal(1)}),
        ("monthly_amount", "Monthly amount" if english else "Monatsbetrag", "currency", money),
        ("starts_on", "Starts on" if english else "Beginn", "date", {"required": True}),
        ("renews_on", "Renews on" if english else "Verlängerung", "date", {}),
        ("auto_renew", "Renews by itself" if english else "Verlängert sich", "boolean", {"default": True}),
        ("deal", "Deal" if english else "Geschäft", "reference", {"reference_to": "deal"}),
    )


def _of_onboardings(english: bool) -> Sequence[tuple[str, str, str, Mapping[str, Any]]]:
    return (
        ("status", "Status", "select", {**_options("planned", "running", "done"), "default": "planned"}),
        ("coach", "Coach" if english else "Begleitung", "reference", {"reference_to": "user"}),
        ("kickoff_at", "Kickoff" if english else "Auftakt", "datetime", {}),
        ("go_live", "Go-live" if english else "Start", "date", {}),
        (
            "topics",
            "Topics" if english else "Themen",
            "multi_select",
            _options("data_import", "training", "single_sign_on"),
        ),
        ("notes", "Notes" if english else "Notizen", "long_text", {}),
    )


def _relationship(
    records: Records, owner: Document, name: str, related: str, cardinality: str, label: str, german: str
) -> Document:
    members = {
        "object_id": owner["id"],
        "api_name": name,
        "label": label if records.plan.locale == "en" else german,
        "related_object": related,
        "cardinality": cardinality,
    }
    return _put(records, "object_relationship", ObjectRelationship, "objrel_", members)


def _put_relationship(records: Records, onboarding: Document, subscription: Document) -> None:
    """Put the relationship of onboardings with their subscriptions, and its inverse."""
    ours = _relationship(
        records, onboarding, "subscription", "subscription", "many_to_one", "Subscription", "Abonnement"
    )
    theirs = _relationship(
        records, subscription, "onboardings", "onboarding", "one_to_many", "Onboardings", "Einführungen"
    )
    for one, other in ((ours, theirs), (theirs, ours)):
        said = {"inverse_id": other["id"], "inverse_api_name": other["api_name"], "inverse_label": other["label"]}
        records.collection("object_relationship").put(one | said)


def _record(records: Records, owner: Document, deal: Document, fields: Mapping[str, Any]) -> Document:
    at = deal["closed_at"]
    members = {
        "object_id": owner["id"],
        "object": owner["api_name"],
        "name": fields["name"],
        "owner_id": deal["owner_id"],
        "fields": fields,
        "created_at": at,
        "updated_at": at,
        "created_by": deal["owner_id"],
    }
    return _put(records, "record", CustomRecord, "record_", members)


def _subscription(records: Records, owner: Document, customer: str, deal: Document, number: int) -> Document:
    start = deal["closed_at"].date()
    monthly = (Decimal(deal["value"]) / _MONTHS).quantize(Decimal("0.01"))
    plan = "team" if deal["value"] < 5_000 else "business" if deal["value"] < 20_000 else "enterprise"
    fields = {
        "name": deal["title"],
        "number": f"SUB-{number:04}",
        "plan": plan,
        "seats": max(int(deal["value"]) // 400, 1),
        "monthly_amount": monthly,
        "starts_on": start,
        "renews_on": start + timedelta(days=365),
        "auto_renew": plan != "team",
        "deal": deal["id"],
        customer: deal["account_id"],
    }
    return _record(records, owner, deal, fields)


def _onboarding(records: Records, owner: Document, people: str, deal: Document, subscription: Document) -> None:
    age = records.now - deal["closed_at"]
    status = "planned" if age < _TRIAL else "running" if age < 4 * _TRIAL else "done"
    kickoff = (deal["closed_at"] + timedelta(days=7)).replace(hour=15, minute=0, second=0, microsecond=0)
    fields: dict[str, Any] = {
        "name": deal["company"] or deal["title"],
        "status": status,
        "coach": deal["owner_id"],
        "kickoff_at": kickoff,
        "go_live": (kickoff + timedelta(days=30)).date(),
        "topics": ["data_import", "training"] if status != "planned" else ["data_import"],
        "subscription": subscription["id"],
    }
    if deal["contact_id"]:
        fields[people] = [deal["contact_id"]]
    made = _record(records, owner, deal, fields)
    own = subscription["fields"] | {"onboardings": [made["id"]]}
    records.collection("record").put(subscription | {"fields": own})
