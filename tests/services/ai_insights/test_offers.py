"""Offers: which accounts are similar, what counts as bought, and all that an offer says."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from stub_data import some

from crm_sdk import CrmClient


def buyer(crm: CrmClient, name: str, *sold: dict[str, Any], **members: Any) -> str:
    """Create an account with deals, won ones where they do not say otherwise; return its id."""
    given: Any = {"name": name, **members}
    id = crm.accounts.create(given).id
    for deal in sold:
        said: Any = {"title": "D", "account_id": id, "stage": "closed-won", "tags": ["Salt"], "currency": "USD", **deal}
        crm.deals.create(said)
    return id


def test_an_offer_says_whom_it_is_like_and_what_those_have_bought(crm: CrmClient) -> None:
    target = buyer(crm, "Target", industry=" quarrying ", owner_id="user_sam")
    buyer(crm, "First", {"value": Decimal("100.01"), "currency": "EUR"}, {"value": 40}, industry="Quarrying")
    buyer(crm, "Second", {"value": 300, "tags": ["SALT", "Pepper"]}, industry="QUARRYING")
    third = buyer(crm, "Third", {"value": 9, "stage": "closed-lost"}, {"value": 9, "stage": "proposal"},
                  industry="Quarrying")  # fmt: skip
    gone = buyer(crm, "Gone", {"value": 9_000}, {"value": 9_000, "tags": ["Pepper"]}, industry="Quarrying")
    crm.accounts.update(gone, {"status": "churned"})
    buyer(crm, "Other", {"value": 5_000}, {"value": 5_000, "tags": ["Pepper"]}, industry="Quarry")
    found = {one.entity.name: one for one in crm.ai_insights.recommendations.cross_sell() if one.product == "Salt"}
    assert set(found) == {"Target", "Third"}
    assert [one.product for one in crm.ai_insights.recommendations.cross_sell(account_id=gone)] == []
    offer = found["Target"]
    why = "2 of 3 accounts of the industry quarrying have bought it"
    assert offer.model_dump() == {
        "id": offer.id, "created_at": offer.created_at, "updated_at": offer.created_at, "created_by": "system",
        "version": 1, "kind": "cross_sell", "title": "Offer Target Salt", "description": f"{why}.", "action": "offer",
        "entity": {"type": "account", "id": target, "name": "Target"}, "owner_id": "user_sam", "product": "Salt",
        "expected_value": Decimal("224.01"), "currency": "USD", "confidence": 67, "priority": "high",
        "reasons": [{"feature": "cross_sell", "label": why, "value": "Salt", "points": 67}], "status": "open",
        "due_at": some(offer.created_at) + timedelta(days=14),
        "expires_at": some(offer.created_at) + timedelta(days=30), "feedback": None,
    }  # fmt: skip
    assert (found["Third"].entity.id, found["Third"].owner_id) == (third, "user_ada")


def test_more_of_what_it_buys_is_offered_to_who_paid_less_than_the_middle(crm: CrmClient) -> None:
    target = buyer(crm, "Target", {"value": 300}, {"value": 200}, industry="Quarrying")
    for value in (500, 1_000, 3_000, 0):
        buyer(crm, f"Paid {value}", {"value": value}, industry="Quarrying")
    buyer(crm, "None", industry="Quarrying")
    found = {one.entity.name: one for one in crm.ai_insights.recommendations.upsell() if one.product == "Salt"}
    assert set(found) == {"Target", "Paid 500", "Paid 0"}
    offer = found["Target"]
    why = "2 of 4 accounts of the industry quarrying that have bought it paid more"
    assert offer.model_dump() == {
        "id": offer.id, "created_at": offer.created_at, "updated_at": offer.created_at, "created_by": "system",
        "version": 1, "kind": "upsell", "title": "Offer Target more of Salt", "description": f"{why}.",
        "action": "offer", "entity": {"type": "account", "id": target, "name": "Target"},
        "owner_id": crm.accounts.get(target).owner_id, "product": "Salt", "expected_value": Decimal(250),
        "currency": "USD", "confidence": 50, "priority": "medium",
        "reasons": [{"feature": "upsell", "label": why, "value": "Salt", "points": 50}], "status": "open",
        "due_at": some(offer.created_at) + timedelta(days=14),
        "expires_at": some(offer.created_at) + timedelta(days=30), "feedback": None,
    }  # fmt: skip


def test_accounts_without_an_industry_are_like_those_of_their_size(crm: CrmClient) -> None:
    sizes = (1_000, 999, 100, 99, 10, 9, 0, None)
    ids = {}
    for size in sizes:
        for number in range(2):
            ids[buyer(crm, f"{size}", {"value": 5, "tags": [f"For {size}"]}, employees=size)] = size, number
    offers = [one for one in crm.ai_insights.recommendations.cross_sell(limit=200) if one.entity.id in ids]
    found = {(size, number): set[str | None]() for size, number in ids.values()}
    for one in offers:
        if one.product in {f"For {size}" for size in sizes}:
            found[ids[one.entity.id]].add(one.product)
    expected = {
        1_000: set[str](), 999: {"For 100"}, 100: {"For 999"}, 99: {"For 10"}, 10: {"For 99"}, 9: {"For 0"},
        0: {"For 9"}, None: set[str](),
    }  # fmt: skip
    assert found == {(size, number): expected[size] for size, number in ids.values()}
    said = {one.product: one.reasons[0].label.partition(" accounts ")[2] for one in offers}
    assert {said[name] for name in ("For 100", "For 999")} == {"with 100 employees or more have bought it"}
    assert {said[name] for name in ("For 10", "For 99")} == {"with 10 employees or more have bought it"}
    assert {said[name] for name in ("For 9", "For 0")} == {"with fewer than 10 employees have bought it"}


def test_each_offering_is_an_occasion_of_its_own(crm: CrmClient) -> None:
    target = buyer(crm, "Target", industry="Quarrying")
    for name in ("First", "Second"):
        buyer(crm, name, {"value": 5}, {"value": 6, "tags": ["Pepper"]}, industry="Quarrying")
    calls = crm.ai_insights.recommendations
    found = {one.product: one.id for one in calls.cross_sell(account_id=target)}
    assert set(found) == {"Salt", "Pepper"} and found["Salt"] != found["Pepper"]
    assert {one.product: one.id for one in calls.cross_sell(account_id=target)} == found
    calls.feedback(found["Salt"], "dismissed")
    assert [one.id for one in calls.cross_sell(account_id=target)] == [found["Pepper"]]
