"""Recommendations: what there is reason to do or to offer, in which order, and what feedback makes of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from refusals import refused
from stub_data import some, stored, trail

from crm_sdk import CrmClient
from crm_sdk.models import Contact, Recommendation
from server_stub import StubServer
from server_stub.clock import TICK

from .conftest import plain

Wait = Callable[[float], None]


@pytest.fixture
def due(stub: StubServer, crm: CrmClient) -> Callable[..., Contact]:
    """Create a contact whose follow-up is late by some days."""

    def due(days: float = 3, **members: Any) -> Contact:
        given: Any = {"name": "Late", "next_follow_up": stub.clock.now() - timedelta(days=days), **members}
        return crm.contacts.create(given)

    return due


def actions(crm: CrmClient, **filters: Any) -> list[Recommendation]:
    return list(crm.ai_insights.recommendations.next_actions(**filters))


def about(crm: CrmClient, id: str) -> list[Recommendation]:
    return actions(crm, entity_id=id)


# -- occasions ---------------------------------------------------------------------------------------------------------


def test_a_late_follow_up_is_recommended(crm: CrmClient, globex: CrmClient, due: Callable[..., Contact]) -> None:
    contact = due(3.5)
    crm.deals.create({"title": "Deal", "contact_id": contact.id, "value": 1_000, "currency": "EUR"})
    (found,) = about(crm, contact.id)
    assert (found.kind, found.action, found.status, found.priority, found.confidence) == (
        "next_action", "follow_up", "open", "medium", 75,
    )  # fmt: skip
    assert (found.entity.type, found.entity.name, found.owner_id) == ("contact", "Late", contact.owner_id)
    assert plain(found.expected_value, found.currency) == (108, "USD")
    assert found.due_at == contact.next_follow_up and found.feedback is None
    assert some(found.expires_at) - some(found.created_at) == timedelta(days=7)
    assert about(crm, contact.id) == [found], "the same data, the same answer"
    assert about(globex, contact.id) == []
    assert [one.priority for one in about(crm, due(7.5).id)] == ["high"]


@pytest.mark.parametrize("members", [{"days": -3}, {"status": "archived"}, {"do_not_contact": True}])
def test_without_reason_nothing_is_recommended(crm: CrmClient, due: Callable[..., Contact], members: Any) -> None:
    assert about(crm, due(**members).id) == []


def test_a_rotten_deal_is_recommended(stub: StubServer, crm: CrmClient) -> None:
    deal = crm.deals.create({"title": "Asleep", "value": 2_000, "stage": "negotiation"})
    for days, priority in ((14, None), (14.5, "high"), (20, "high")):
        at = stub.clock.now() - timedelta(days=days) + timedelta(minutes=1)
        stored(stub, "deal", deal.id, last_activity=at, created_date=at, created_at=at)
        found = about(crm, deal.id)
        assert [one.priority for one in found] == ([priority] if priority else [])
    assert plain(found[0].action, found[0].confidence, found[0].expected_value) == ("re_engage", 69, 1_500)
    assert found[0].due_at == at + timedelta(days=14)
    small = stored(
        stub, "deal", crm.deals.create({"title": "Small", "value": 2}).id, last_activity=at - timedelta(days=40)
    )
    assert [one.priority for one in about(crm, small["id"])] == ["medium"]
    for value, priority in ((24_999, "medium"), (25_000, "high")):
        stored(stub, "deal", small["id"], value=Decimal(value))
        assert [one.priority for one in about(crm, small["id"])] == [priority]


def test_an_unanswered_message_is_recommended_until_it_is_answered(stub: StubServer, crm: CrmClient) -> None:
    flow = stub.client(dialects="flow")
    contact = crm.contacts.create({"name": "Asking", "email": "asking@works.example"})
    waiting = [one for one in actions(crm) if one.title.startswith("Answer ")]
    assert waiting, "the demo data have some"
    lead = crm.leads.create({"name": "Writer"})
    mvp = stub.client(dialects="mvp")
    mvp.messages.create({"lead_id": lead.id, "content": "Hello"})
    assert about(crm, lead.id) == [], "we wrote last"
    (conversation,) = stub.store.collection("tenant_acme", "conversation").find("lead_id", lead.id)
    (message,) = stub.store.collection("tenant_acme", "message").find("conversation_id", conversation["id"])
    stored(stub, "message", message["id"], sender_type="contact")
    for priority, hours, confidence in (("high", 1, 90), ("medium", 4, 75), ("low", 24, 60)):
        stored(stub, "conversation", conversation["id"], priority=priority)
        (found,) = about(crm, lead.id)
        assert (found.entity.type, found.action, found.priority, found.confidence) == (
            "lead",
            "email",
            priority,
            confidence,
        )
        assert found.due_at == message["timestamp"] + timedelta(hours=hours)
    stored(stub, "conversation", conversation["id"], archived=True)
    assert about(crm, lead.id) == [] == about(crm, contact.id) and flow is not None


def test_a_hot_lead_without_owner_is_recommended(stub: StubServer, crm: CrmClient) -> None:
    lead = crm.leads.create({"name": "Hot", "owner_id": None, "phone": "+4930123456", "value": 1_000})
    assert about(crm, lead.id) == []
    crm.leads.score(lead.id, score=80, reason="met")
    (found,) = about(crm, lead.id)
    assert plain(found.action, found.priority, found.confidence, found.expected_value) == ("call", "high", 80, 800)
    assert (found.owner_id, found.due_at) == (None, some(lead.created_at) + timedelta(days=1))
    assert found.description == "A hot lead that nobody owns." and found.title == "Take on Hot"
    crm.leads.update(lead.id, {"company": "Firm"})
    (found,) = about(crm, lead.id)
    assert found.description == "A hot lead of Firm that nobody owns."
    stored(stub, "lead", lead.id, phone=None, email="hot@firm.example", value=None)
    (found,) = about(crm, lead.id)
    assert (found.action, found.expected_value) == ("email", None)
    crm.leads.update(lead.id, {"owner_id": "user_sam"})
    assert about(crm, lead.id) == []


# -- lists -------------------------------------------------------------------------------------------------------------


def test_next_actions_are_ordered_and_filtered(crm: CrmClient, due: Callable[..., Contact]) -> None:
    rich, poor = due(owner_id="user_sam"), due(owner_id="user_sam")
    crm.deals.create({"title": "Deal", "contact_id": rich.id, "value": 10**9})
    found = actions(crm)
    ranks = [("high", "medium", "low").index(one.priority) for one in found]
    assert ranks == sorted(ranks) and len(set(ranks)) > 1
    for rank in set(ranks):
        worth = [
            Decimal(one.expected_value or 0) * one.confidence
            for one, place in zip(found, ranks, strict=True)
            if place == rank
        ]
        assert worth == sorted(worth, reverse=True)
    ids = [one.entity.id for one in found]
    assert ids.index(rich.id) < ids.index(poor.id)
    assert {one.owner_id for one in actions(crm, owner_id="user_sam")} == {"user_sam"}
    assert {one.entity.type for one in actions(crm, entity_type="deal")} == {"deal"}
    assert {one.priority for one in actions(crm, priority="medium")} == {"medium"}
    assert actions(crm, owner_id="nobody") == [] == actions(crm, entity_type="lead", entity_id=rich.id)
    assert [one.id for one in actions(crm, sort="id")] == sorted(one.id for one in found)
    assert actions(crm, order="desc") == found[::-1]
    first = crm.ai_insights.recommendations.next_actions(limit=2)
    assert (first.items, first.total) == (found[:2], len(found))


# -- offers ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def sell(crm: CrmClient) -> Callable[..., str]:
    """Create an account of an industry, or take one, that has bought something."""

    def sell(value: int | None, tag: str = "Salt", *, id: str | None = None, **members: Any) -> str:
        given: Any = {"name": "Account", "industry": "Mining", **members}
        id = id or crm.accounts.create(given).id
        if value is not None:
            crm.deals.create({"title": tag, "account_id": id, "value": value, "stage": "closed-won", "tags": [tag]})
        return id

    return sell


def offers(crm: CrmClient, kind: str, **filters: Any) -> dict[tuple[str, str | None], Recommendation]:
    return {(one.entity.id, one.product): one for one in getattr(crm.ai_insights.recommendations, kind)(**filters)}


def test_what_similar_accounts_bought_is_offered(crm: CrmClient, sell: Callable[..., str]) -> None:
    target, first = sell(None), sell(100)
    assert (target, "Salt") not in offers(crm, "cross_sell"), "one account is not enough"
    second, third, other = sell(300, "salt"), sell(None), sell(900, industry="Bakery")
    found = offers(crm, "cross_sell", account_id=target)[target, "Salt"]
    assert plain(found.kind, found.action, found.confidence, found.expected_value) == ("cross_sell", "offer", 67, 200)
    assert (found.priority, found.owner_id) == ("high", crm.accounts.get(target).owner_id)
    assert some(found.due_at) == some(found.created_at) + timedelta(days=14)
    assert some(found.expires_at) == some(found.created_at) + timedelta(days=30)
    everybody = offers(crm, "cross_sell")
    assert (third, "Salt") in everybody and not {(first, "Salt"), (second, "Salt"), (other, "Salt")} & everybody.keys()
    assert offers(crm, "cross_sell", account_id=target, min_confidence=68).keys() == set()
    assert (target, "Salt") in offers(crm, "cross_sell", min_confidence=67)


@pytest.mark.parametrize(
    ("bought", "of", "priority"), [(3, 5, "high"), (4, 7, "medium"), (3, 10, "medium"), (2, 7, "low")]
)
def test_offers_that_more_have_bought_come_first(
    crm: CrmClient, sell: Callable[..., str], bought: int, of: int, priority: str
) -> None:
    target = sell(None)
    for number in range(of):
        sell(100 if number < bought else None)
    assert offers(crm, "cross_sell", account_id=target)[target, "Salt"].priority == priority


def test_where_an_industry_tells_nothing_the_size_does(crm: CrmClient, sell: Callable[..., str]) -> None:
    sizes = (1_000_000, 2_000_000)
    target = sell(None, industry="One", employees=5_000)
    for size in sizes:
        sell(100, "Pepper", industry=f"Industry {size}", employees=size)
    sell(100, "Pepper", industry="Small", employees=999)
    found = offers(crm, "cross_sell", account_id=target)[target, "Pepper"]
    assert "with 1,000 employees or more" in found.reasons[0].label and found.expected_value == 100
    small = sell(None, industry="Two", employees=999)
    assert (small, "Pepper") not in offers(crm, "cross_sell", account_id=small)


def test_the_gap_to_the_median_is_offered(crm: CrmClient, sell: Callable[..., str]) -> None:
    target, others = sell(500), [sell(value) for value in (1_000, 3_000, 5_000)]
    found = offers(crm, "upsell", account_id=target)[target, "Salt"]
    assert plain(found.kind, found.expected_value, found.confidence, found.product) == ("upsell", 2_500, 100, "Salt")
    assert offers(crm, "upsell", account_id=others[0]).keys() == {(others[0], "Salt")}
    assert offers(crm, "upsell", account_id=others[2]) == {}
    assert offers(crm, "upsell", account_id=others[0])[others[0], "Salt"].confidence == 67
    sell(2_500, id=target)
    assert offers(crm, "upsell", account_id=target) == {}, "3,000 in all is the median"


def test_offers_are_asked_for_by_contact_too(crm: CrmClient, sell: Callable[..., str]) -> None:
    target = sell(None)
    sell(100), sell(300)
    there = crm.contacts.create({"name": "There", "account_id": target})
    alone = crm.contacts.create({"name": "Alone"})
    assert offers(crm, "cross_sell", contact_id=there.id) == offers(crm, "cross_sell", account_id=target) != {}
    for filters in ({"contact_id": alone.id}, {"contact_id": "contact_none"}, {"account_id": "account_none"},
                    {"contact_id": there.id, "account_id": sell(None)}):  # fmt: skip
        assert offers(crm, "cross_sell", **filters) == {} == offers(crm, "upsell", **filters)


# -- feedback ----------------------------------------------------------------------------------------------------------


def test_the_last_feedback_holds(stub: StubServer, crm: CrmClient, due: Callable[..., Contact]) -> None:
    contact = due()
    (found,) = about(crm, contact.id)
    give: Any = crm.ai_insights.recommendations.feedback
    told = len(stub.audit())
    helpful = give(found.id, "helpful", reason="good idea", outcome_value=Decimal("12.5"))
    assert (helpful.status, helpful.version) == ("open", 2)
    feedback = some(helpful.feedback)
    assert plain(feedback.rating, feedback.reason, feedback.outcome_value) == ("helpful", "good idea", 12.5)
    assert (feedback.given_by, feedback.given_at) == ("user_ada", helpful.updated_at)
    assert give(found.id, "helpful", reason="good idea", outcome_value=Decimal("12.50")) == helpful, (
        "no difference, no write"
    )
    accepted = give(found.id, "accepted")
    assert (accepted.status, some(accepted.feedback).reason) == ("accepted", None)
    assert [one.status for one in about(crm, contact.id)] == ["accepted"]
    assert give(found.id, "not_helpful").status == "accepted"
    assert give(found.id, "dismissed").status == "dismissed" and about(crm, contact.id) == []
    assert give(found.id, "helpful").status == "open" and len(about(crm, contact.id)) == 1
    assert give(found.id, "done").status == "done" and about(crm, contact.id) == []
    assert trail(stub, told) == ["recommendation.feedback"] * 6


def test_what_is_dismissed_is_not_recommended_for_30_days(
    stub: StubServer, crm: CrmClient, due: Callable[..., Contact]
) -> None:
    contact, other = due(), due()
    (found,) = about(crm, contact.id)
    crm.ai_insights.recommendations.feedback(found.id, "dismissed")
    crm.contacts.update(contact.id, {"next_follow_up": stub.clock.now() - timedelta(days=1)})
    assert about(crm, contact.id) == [], "another occasion of the same kind"
    assert len(about(crm, other.id)) == 1
    doc = stored(stub, "recommendation", found.id)
    for short, count in ((timedelta(microseconds=1), 0), (timedelta(), 1)):
        at = stub.clock.now() + TICK - timedelta(days=30) + short  # a request is a tick after the one before it
        stored(stub, "recommendation", found.id, feedback={**doc["feedback"], "given_at": at}, expires_at=at)
        assert len(about(crm, contact.id)) == count
    assert about(crm, contact.id)[0].id != found.id


def test_what_is_done_comes_again_with_a_new_reason(
    stub: StubServer, crm: CrmClient, due: Callable[..., Contact]
) -> None:
    contact = due()
    (found,) = about(crm, contact.id)
    crm.ai_insights.recommendations.feedback(found.id, "done")
    crm.contacts.update(contact.id, {"next_follow_up": stub.clock.now() - timedelta(days=1)})
    (new,) = about(crm, contact.id)
    assert new.id != found.id and new.status == "open"


def test_an_expired_recommendation_takes_no_feedback(
    stub: StubServer, crm: CrmClient, due: Callable[..., Contact]
) -> None:
    contact = due()
    (found,) = about(crm, contact.id)
    stored(stub, "recommendation", found.id, expires_at=stub.clock.now() + TICK)  # the time of the next request
    error = refused(lambda: crm.ai_insights.recommendations.feedback(found.id, "done"))
    assert (error.status, error.code) == (409, "RECOMMENDATION_EXPIRED")
    (new,) = about(crm, contact.id)
    assert new.id != found.id and new.feedback is None, "a new one takes its place"
    crm.contacts.update(contact.id, {"next_follow_up": None})
    assert about(crm, contact.id) == []
    assert crm.ai_insights.recommendations.feedback(new.id, "done").status == "done", "though its reason is gone"


@pytest.mark.parametrize(
    ("rating", "confidence"), [("helpful", 85), ("done", 85), ("accepted", 85), ("not_helpful", 65)]
)
def test_ratings_move_the_confidence_of_the_same_kind_and_owner(
    crm: CrmClient, due: Callable[..., Contact], rating: str, confidence: int
) -> None:
    rated, same, other = due(owner_id="user_sam"), due(owner_id="user_sam"), due(owner_id="user_mia")
    (found,) = about(crm, rated.id)
    crm.ai_insights.recommendations.feedback(found.id, rating)
    (moved,) = about(crm, same.id)
    assert moved.confidence == confidence == sum(reason.points for reason in moved.reasons)
    assert about(crm, other.id)[0].confidence == 75


def test_the_more_ratings_there_are_the_more_they_move(crm: CrmClient, due: Callable[..., Contact]) -> None:
    give = crm.ai_insights.recommendations.feedback
    rated = [about(crm, due(owner_id="user_sam").id)[0].id for _ in range(4)]
    other = due(owner_id="user_sam")
    ratings: Any = ("helpful", "accepted", "not_helpful", "dismissed")
    for id, rating, points in zip(rated, ratings, (10, 15, 6, 0), strict=True):
        give(id, rating)
        (found,) = about(crm, other.id)
        shown = [("late_follow_up", 75), *([("feedback", points)] if points else [])]
        assert [(reason.feature, reason.points) for reason in found.reasons] == shown, rating
        assert found.confidence == 75 + points
    for _ in range(2):
        give(about(crm, due(owner_id="user_sam").id)[0].id, "not_helpful")
    assert about(crm, other.id)[0].confidence == 75 - 8, "30 times -2 by 8, and rounded to the even"


def test_feedback_moves_the_order(crm: CrmClient, due: Callable[..., Contact]) -> None:
    sams, mias = due(owner_id="user_sam"), due(owner_id="user_mia")
    for contact in (sams, mias):
        crm.deals.create({"title": "Deal", "contact_id": contact.id, "value": 1_000 + (contact is sams)})

    def order() -> list[str]:
        return [one.entity.id for one in actions(crm, entity_type="contact") if one.entity.id in (sams.id, mias.id)]

    assert order() == [sams.id, mias.id]
    crm.ai_insights.recommendations.feedback(about(crm, due(owner_id="user_sam").id)[0].id, "not_helpful")
    assert order() == [mias.id, sams.id]


def test_feedback_is_refused_for_what_is_not_there_or_not_ones_own(
    crm: CrmClient, sales: CrmClient, globex: CrmClient, due: Callable[..., Contact]
) -> None:
    theirs, mine = (about(crm, due(owner_id=owner).id)[0] for owner in ("user_mia", "user_sam"))
    error = refused(lambda: crm.ai_insights.recommendations.feedback("rec_none", "done"))
    assert (error.status, error.code, error.fields[0].field) == (422, "REFERENCE_NOT_FOUND", "recommendation_id")
    assert refused(lambda: globex.ai_insights.recommendations.feedback(mine.id, "done")).code == "REFERENCE_NOT_FOUND"
    assert refused(lambda: sales.ai_insights.recommendations.feedback(theirs.id, "done")).code == "FORBIDDEN"
    assert sales.ai_insights.recommendations.feedback(mine.id, "done").status == "done"
